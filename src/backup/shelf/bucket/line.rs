//! The line to an object store: asynchronous there, blocking here, and never for longer than its deadline.

use std::fmt;
use std::future::Future;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use object_store::list::PaginatedListOptions;
use object_store::path::Path;
use object_store::{GetOptions, GetRange};
use tokio::runtime::{Builder, Runtime};

use super::client::Client;
use super::page::{Object, Page};
use super::refusal::Refusal;
use super::tap::{Heard, Tap, innermost};
use crate::backup::settings::Address;

/// A connection to an object store.
pub(super) struct Line {
    client: Client,
    tap: Tap,
    /// One call at a time: what is heard belongs to it.
    runtime: Mutex<Runtime>,
}

/// How often a piece is asked for, and how long is waited in between.
const WAITS: [Duration; 3] = [
    Duration::from_millis(200),
    Duration::from_secs(1),
    Duration::from_secs(3),
];

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Line")
    }
}

impl Line {
    /// Opens one; nothing is asked yet.
    pub(super) fn open(address: &Address) -> Result<Line, Refusal> {
        let environment: Vec<(String, String)> = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        let tap = Tap::default();
        let runtime = Builder::new_current_thread().enable_all().build();
        Ok(Line {
            client: Client::new(address, &environment, tap.clone())?,
            tap,
            runtime: Mutex::new(runtime.map_err(|error| Refusal::Settings(error.to_string()))?),
        })
    }

    /// Every object whose name begins so, at most `most` of them, and the folders where `is_flat` is not asked for.
    pub(super) fn list(
        &self,
        prefix: &str,
        is_flat: bool,
        most: usize,
        deadline: Instant,
    ) -> Result<Page, Refusal> {
        let mut all = Page::default();
        loop {
            let page = self.page(prefix, is_flat, None, all.next.take(), deadline)?;
            all.objects.extend(page.objects);
            all.folders.extend(page.folders);
            if all.objects.len() + all.folders.len() > most {
                return Err(Refusal::Endless);
            }
            all.next = page.next;
            if all.next.is_none() {
                return Ok(all);
            }
        }
    }

    /// The first object whose name begins so.
    pub(super) fn first(&self, prefix: &str, deadline: Instant) -> Result<Option<Object>, Refusal> {
        let page = self.page(prefix, true, Some(1), None, deadline)?;
        Ok(page.objects.into_iter().next())
    }

    fn page(
        &self,
        prefix: &str,
        is_flat: bool,
        max_keys: Option<usize>,
        page_token: Option<String>,
        deadline: Instant,
    ) -> Result<Page, Refusal> {
        let options = PaginatedListOptions {
            delimiter: (!is_flat).then(|| "/".into()),
            max_keys,
            page_token,
            ..PaginatedListOptions::default()
        };
        let prefix = Some(prefix).filter(|prefix| !prefix.is_empty());
        let asked = self.client.lists.list_paginated(prefix, options);
        let (_, heard) = self.call(asked, deadline)?;
        let words = "the answer was not understood".to_owned();
        heard.page.ok_or_else(|| Refusal::of(heard.failure, words))
    }

    /// How an object is encrypted where it lies, in the store's words.
    pub(super) fn encryption(
        &self,
        path: &Path,
        deadline: Instant,
    ) -> Result<Option<String>, Refusal> {
        let options = GetOptions {
            head: true,
            ..GetOptions::default()
        };
        let (_, heard) = self.call(self.client.objects.get_opts(path, options), deadline)?;
        Ok(heard.encryption)
    }

    /// A part of an object of that version and size, appended to `into`. It is asked for again when the connection
    /// breaks.
    pub(super) fn read(
        &self,
        path: &Path,
        version: Option<&str>,
        bytes: u64,
        range: Range<u64>,
        into: &mut Vec<u8>,
    ) -> Result<(), Refusal> {
        for wait in WAITS {
            into.clear();
            match self.read_once(path, version, bytes, range.clone(), into) {
                Err(Refusal::Slow(_) | Refusal::Unreachable(..) | Refusal::Busy(_)) => {
                    std::thread::sleep(wait);
                }
                other => return other,
            }
        }
        into.clear();
        self.read_once(path, version, bytes, range, into)
    }

    fn read_once(
        &self,
        path: &Path,
        version: Option<&str>,
        bytes: u64,
        range: Range<u64>,
        into: &mut Vec<u8>,
    ) -> Result<(), Refusal> {
        let options = GetOptions {
            range: Some(GetRange::Bounded(range.clone())),
            if_match: version.map(|version| format!("\"{version}\"")),
            ..GetOptions::default()
        };
        let wanted = range.end - range.start;
        let exchange = async {
            let answer = self.client.objects.get_opts(path, options).await?;
            let met = answer.meta.e_tag.clone();
            let is_same = answer.meta.size == bytes && is_version(met.as_deref(), version);
            let mut stream = answer.into_stream();
            while let Some(chunk) = stream.next().await.filter(|_| is_same) {
                let chunk = chunk?;
                if into.len() as u64 + chunk.len() as u64 > wanted {
                    break;
                }
                into.extend_from_slice(&chunk);
            }
            Ok(is_same)
        };
        let deadline = Instant::now() + LONGEST_PIECE;
        let (is_same, _) = self.call(exchange, deadline)?;
        match is_same {
            false => Err(Refusal::Changed),
            true if into.len() as u64 != wanted => {
                let words = format!("{} of {wanted} bytes came", into.len());
                Err(Refusal::Unreachable(path.to_string(), words))
            }
            true => Ok(()),
        }
    }

    fn call<T>(
        &self,
        asked: impl Future<Output = object_store::Result<T>>,
        deadline: Instant,
    ) -> Result<(T, Heard), Refusal> {
        let runtime = self.runtime.lock().unwrap_or_else(PoisonError::into_inner);
        self.tap.take();
        let left = deadline.saturating_duration_since(Instant::now());
        let answer = runtime.block_on(async { tokio::time::timeout(left, asked).await });
        let heard = self.tap.take();
        match answer {
            Ok(Ok(answer)) => Ok((answer, heard)),
            Ok(Err(error)) => Err(understood(error, heard)),
            Err(_) => Err(Refusal::Slow("the store".into())),
        }
    }
}

/// A piece that takes longer is lost.
const LONGEST_PIECE: Duration = Duration::from_secs(120);

/// What the client calls an error, where nothing was heard that says more.
fn understood(error: object_store::Error, heard: Heard) -> Refusal {
    match (&heard.failure, error) {
        (None, object_store::Error::NotFound { .. }) => Refusal::Gone,
        (None, object_store::Error::Precondition { .. }) => Refusal::Changed,
        // The body broke off after the answer had begun well.
        (None, error) => Refusal::Unreachable("the store".into(), innermost(&error)),
        (Some(_), error) => Refusal::of(heard.failure, innermost(&error)),
    }
}

fn is_version(met: Option<&str>, wanted: Option<&str>) -> bool {
    match (met, wanted) {
        (Some(met), Some(wanted)) => met.trim_matches('"') == wanted,
        _ => true,
    }
}
