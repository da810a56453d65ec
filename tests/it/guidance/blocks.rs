//! The commands in the pages. A fenced block ```` ```sh procedure=NAME ```` is run as it stands, its variables set by the
//! test; ```` ```conf procedure=NAME ```` is a piece of postgresql.conf. No block is without a test.

use std::collections::BTreeMap;
use std::fs;

use super::job::{Ended, Jobs, folder};

/// Procedures that have a test, which names them.
const TESTED: [&str; 19] = [
    "archiving",
    "archiving-works",
    "clean-archive",
    "database-settings",
    "drop-old",
    "fetch",
    "fetch-rows",
    "let-in",
    "look",
    "managed",
    "one-table",
    "point-in-time",
    "promote",
    "restore-beside",
    "roles",
    "swap",
    "swap-back",
    "take-over",
    "wait-for-target",
];

/// Every block of every page, by name: its language and its text.
fn all() -> BTreeMap<String, (String, String)> {
    let mut blocks = BTreeMap::new();
    for entry in fs::read_dir(folder()).unwrap().flatten() {
        let path = entry.path();
        if path.extension().is_none_or(|ending| ending != "md") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        // Pieces alternate between text and blocks.
        for block in text.split("```").skip(1).step_by(2) {
            let (head, body) = block.split_once('\n').unwrap();
            let (language, name) = head.split_once(" procedure=").unwrap_or((head, ""));
            if ["sh", "bash", "sql", "conf"].contains(&language) {
                assert!(
                    !name.is_empty(),
                    "{}: a block has no name: {body}",
                    path.display()
                );
                let block = (language.to_owned(), body.to_owned());
                assert!(
                    blocks.insert(name.to_owned(), block).is_none(),
                    "{name} is twice"
                );
            }
        }
    }
    blocks
}

/// The text of a block.
pub fn text(procedure: &str) -> String {
    assert!(TESTED.contains(&procedure), "{procedure}");
    let (_, text) = all()
        .remove(procedure)
        .unwrap_or_else(|| panic!("no block is named `{procedure}`"));
    text
}

impl Jobs {
    /// Runs a block as a person would paste it, but stops at its first error.
    pub fn follow(&self, procedure: &str) -> Ended {
        self.run("bash", &["-euo", "pipefail", "-c", &text(procedure)])
    }

    /// As the servers' user.
    pub fn follow_as_server(&self, procedure: &str) -> Ended {
        self.run_as_server("bash", &["-euo", "pipefail", "-c", &text(procedure)])
    }
}

#[test]
fn every_block_of_commands_has_its_test() {
    let named: Vec<String> = all().into_keys().collect();
    assert_eq!(named, TESTED);
}
