//! Names that must be unique, or that must exist elsewhere in the configuration.

use super::{Config, complaint};
use crate::document::{Node, Problem, Reader};

impl Config {
    /// What no single room can see: names that must be unique, or must exist elsewhere.
    pub(super) fn check(&self, reader: &Reader, root: &Node) {
        let report = |(list, element, key), message, hint: String| {
            let (place, path) = root.spot(list, element, key);
            reader.report(Problem {
                place,
                path,
                message,
                hint: Some(hint),
            });
        };
        let mut taken: Vec<&str> = Vec::new();
        for (list, name) in self.watched() {
            if taken.contains(&name) && !name.is_empty() {
                let hint = format!("give each entry of `{list}` a `name` of its own");
                let message = format!("two of what is watched are named `{name}`");
                reader.report(complaint(list, message, &hint));
            }
            taken.push(name);
        }
        let servers = self.servers.iter();
        let names: Vec<&str> = servers.map(|server| server.name.as_str()).collect();
        for (element, backup) in self.backups.iter().enumerate() {
            if !names.contains(&backup.server.as_str()) {
                let message = match backup.server.as_str() {
                    "" => format!(
                        "backup `{}` does not say which server it is of",
                        backup.name
                    ),
                    server => format!(
                        "backup `{}` belongs to server `{server}`, which is not watched",
                        backup.name
                    ),
                };
                let hint = format!("the servers are {}", names.join(", "));
                report(("backups", element, "server"), message, hint);
            }
        }
        let sources: Vec<&str> = self
            .backups
            .iter()
            .map(|backup| backup.name.as_str())
            .collect();
        for (element, drill) in self.drills.iter().enumerate() {
            if !drill.source.is_empty() && !sources.contains(&drill.source.as_str()) {
                let message = format!(
                    "a drill restores `{}`, which is none of the `backups`",
                    drill.source
                );
                let hint = format!("the backups are {}", sources.join(", "));
                report(("drills", element, "source"), message, hint);
            }
        }
    }
}
