//! The pages of the present generation, each written once however many ask for it, in the forms that are asked for.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::form::Form;
use super::pages::Pages;
use super::piece::Beginning;
use crate::scrape::Board;

/// A form that nobody has asked for this long is forgotten: the longest interval at which Prometheus is of use.
const FORGOTTEN: Duration = Duration::from_secs(130);

/// All forms that have been asked for lately.
#[derive(Debug, Default)]
pub(super) struct Cache {
    forms: Mutex<HashMap<Form, Kept>>,
}

#[derive(Debug)]
struct Kept {
    asked: Instant,
    shown: Arc<Shown>,
}

/// The pages of one form.
#[derive(Debug)]
pub(super) struct Shown {
    pages: Mutex<Pages>,
    /// By server, with the generation that they show.
    ready: Mutex<Ready>,
}

type Ready = HashMap<Option<Arc<str>>, (u64, Beginning)>;

impl Cache {
    /// The pages of a form that somebody asks for now.
    pub(super) fn of(&self, form: Form) -> Arc<Shown> {
        let mut forms = locked(&self.forms);
        let kept = forms.entry(form).or_insert_with(|| Kept {
            asked: Instant::now(),
            shown: Arc::new(Shown {
                pages: Mutex::new(Pages::new(form)),
                ready: Mutex::default(),
            }),
        });
        kept.asked = Instant::now();
        kept.shown.clone()
    }

    /// Writes what has changed, so that the next who asks need not wait for it, and forgets what nobody asks for.
    pub(super) fn refresh(&self, board: &Board) {
        let mut forms = locked(&self.forms);
        forms.retain(|_, kept| kept.asked.elapsed() < FORGOTTEN);
        let shown: Vec<Arc<Shown>> = forms.values().map(|kept| kept.shown.clone()).collect();
        drop(forms);
        for shown in shown {
            locked(&shown.pages).update(board.current());
        }
    }
}

impl Shown {
    /// The page, where it shows this generation.
    pub(super) fn get(&self, server: Option<&Arc<str>>, generation: u64) -> Option<Beginning> {
        let ready = locked(&self.ready);
        let (shown, page) = ready.get(&server.cloned())?;
        (*shown == generation).then(|| page.clone())
    }

    /// Writes and keeps the page, unless another request has done so while this one waited for its turn.
    pub(super) fn fill(&self, server: Option<&Arc<str>>, board: &Board) -> Beginning {
        let mut pages = locked(&self.pages);
        // Asked for before the samples: what changes meanwhile is written again, never missed.
        let generation = board.generation();
        if let Some(page) = self.get(server, generation) {
            return page;
        }
        pages.update(board.current());
        let page = pages.page(server);
        let mut ready = locked(&self.ready);
        ready.insert(server.cloned(), (generation, page.clone()));
        page
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
