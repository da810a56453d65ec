//! The rendered pages of the present generation, each rendered once however many ask for it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::Bytes;

use super::accept::Format;
use super::gzip::Beginning;

/// What tells one page from another.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Wanted {
    pub(super) format: Format,
    pub(super) gzip: bool,
    /// One server alone.
    pub(super) server: Option<Arc<str>>,
}

/// A page but for its tail; cheap to clone.
#[derive(Debug, Clone)]
pub(super) enum Text {
    Plain(Bytes),
    Gzip(Beginning),
}

/// Pages by what was wanted, with the generation that they show.
#[derive(Debug, Default)]
pub(super) struct Cache {
    pages: Mutex<HashMap<Wanted, (u64, Text)>>,
    rendering: Mutex<()>,
}

impl Cache {
    /// The page, where it shows this generation.
    pub(super) fn get(&self, wanted: &Wanted, generation: u64) -> Option<Text> {
        let pages = locked(&self.pages);
        let (shown, text) = pages.get(wanted)?;
        (*shown == generation).then(|| text.clone())
    }

    /// Renders and keeps the page, unless another request has done so while this one waited for its turn. Pages can
    /// be had all the while.
    pub(super) fn fill(
        &self,
        wanted: &Wanted,
        generation: impl Fn() -> u64,
        render: impl FnOnce() -> Text,
    ) -> Text {
        let _turn = locked(&self.rendering);
        // Asked for before the samples: what changes meanwhile is rendered again, never missed.
        let generation = generation();
        if let Some(text) = self.get(wanted, generation) {
            return text;
        }
        let text = render();
        let mut pages = locked(&self.pages);
        pages.retain(|_, (shown, _)| *shown == generation);
        pages.insert(wanted.clone(), (generation, text.clone()));
        text
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
