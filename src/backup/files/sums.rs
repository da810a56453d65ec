//! The checksum files of a place, and which backup each of them is for.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::is_companion;
use crate::backup::inspect::beside;
use crate::backup::shelf::{Item, Shape};
use crate::sample::Timestamp;

/// A checksum file. One that is for a single backup is part of how that backup stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::backup) struct Beside {
    pub(in crate::backup) name: String,
    pub(in crate::backup) bytes: u64,
    pub(in crate::backup) modified: Timestamp,
}

/// The checksum files of a place.
pub(super) struct Sums {
    own: HashMap<String, Beside>,
    shared: Option<Beside>,
}

impl Sums {
    pub(super) fn of(items: &[Item]) -> Sums {
        let files = items.iter().filter(|item| item.shape == Shape::File);
        let sums = files.filter(|item| is_companion(&item.name));
        let own: HashMap<String, Beside> = sums
            .map(|item| {
                let beside = Beside {
                    name: item.name.clone(),
                    bytes: item.bytes,
                    modified: item.modified,
                };
                (item.name.clone(), beside)
            })
            .collect();
        // It changes whenever a backup is added, which says nothing about the others.
        let shared = beside::shared(|name| own.contains_key(name)).map(|name| Beside {
            name,
            bytes: 0,
            modified: Timestamp(0),
        });
        Sums { own, shared }
    }

    pub(super) fn beside(&self, name: &str) -> Option<Beside> {
        let own = beside::own(name, |name| self.own.contains_key(name));
        let own = own.and_then(|name| self.own.get(&name));
        own.or(self.shared.as_ref()).cloned()
    }
}
