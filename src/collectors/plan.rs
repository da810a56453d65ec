//! Decides from a server's facts what runs there, and says in words why the rest does not.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use super::{Cadence, Collector, Needs, Reason, Role, Scope, Settings};
use crate::server::{Extension, Facts, Lane, literal, quoted};

/// Stands in the statement of a lookup for the values it is to read.
pub(super) const UNKNOWN: &str = "${unknown}";

/// What runs on one server, in the order of the catalogue.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Plan {
    /// The collectors that run.
    pub runs: Vec<Run>,
    /// Those that do not.
    pub omitted: Vec<Omission>,
}

/// One collector as it runs on one server.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// The collector, to turn its answer into samples with.
    pub collector: Arc<Collector>,
    /// The statement for this server's version, with the settings filled in; [`Run::statement`] fills in what a lookup
    /// asks for.
    pub sql: Arc<str>,
    /// Whether its samples are published under their older names as well.
    pub aliases: bool,
    /// How often it is read.
    pub interval: Duration,
    /// The most the statement may take.
    pub timeout: Duration,
    /// Which connection reads it; database scope is always slow.
    pub lane: Lane,
    /// The databases to read it in; empty for server scope, which is read in the configured one.
    pub databases: Vec<String>,
    /// The role that reads it.
    pub user: Arc<str>,
}

impl Run {
    /// The statement that grants a role, or rights, to the role that reads it.
    pub fn grant(&self, what: &str) -> String {
        grant(what, &self.user)
    }

    /// Whether it may be read less often to stay within the load budget; what is quick and of the moment may not.
    pub fn may_widen(&self, quick: Duration) -> bool {
        self.lane != Lane::Held || self.interval > quick
    }
}

impl Run {
    /// The statement as it is sent. For a lookup `unknown` are the values it is to read, without any it asks for none.
    pub fn statement(&self, unknown: &[Arc<str>]) -> Cow<'_, str> {
        if !self.sql.contains(UNKNOWN) {
            return Cow::Borrowed(&self.sql);
        }
        let values: Vec<String> = unknown.iter().map(|value| literal(value)).collect();
        let list = match values.as_slice() {
            [] => "NULL".into(),
            values => values.join(", "),
        };
        Cow::Owned(self.sql.replace(UNKNOWN, &list))
    }
}

/// A collector that does not run.
#[derive(Debug, Clone, PartialEq)]
pub struct Omission {
    /// The collector.
    pub collector: Arc<Collector>,
    /// Why.
    pub reason: Reason,
}

/// Plans what runs on a server with these facts.
pub fn plan(collectors: &[Arc<Collector>], facts: &Facts, settings: &Settings) -> Plan {
    let mut plan = Plan::default();
    let of_kind = |collector: &&Arc<Collector>| collector.kind == facts.kind;
    for collector in collectors.iter().filter(of_kind) {
        match admit(collector, facts, settings) {
            Ok(run) => plan.runs.push(run),
            Err(reason) => plan.omitted.push(Omission {
                collector: collector.clone(),
                reason,
            }),
        }
    }
    plan
}

/// How a collector runs on a server with these facts.
///
/// # Errors
/// Why it does not.
pub(super) fn admit(
    collector: &Arc<Collector>,
    facts: &Facts,
    settings: &Settings,
) -> Result<Run, Reason> {
    let named = |names: &[String]| names.iter().any(|name| **name == *collector.name);
    if named(&settings.disable) {
        return Err(Reason::Disabled);
    }
    if !collector.enabled && !named(&settings.enable) {
        return Err(Reason::NotEnabled);
    }
    if collector.alias && !settings.aliases {
        return Err(Reason::Aliases);
    }
    let major = facts.major();
    if !collector.queries.iter().any(|query| query.covers(major)) {
        let since = collector.queries.iter().map(|query| query.since).min();
        return Err(Reason::Version {
            kind: facts.kind,
            since: since.unwrap_or_default(),
            major,
        });
    }
    match (collector.on, facts.standby) {
        (Role::Primary, true) | (Role::Standby, false) => return Err(Reason::Role(collector.on)),
        _ => {}
    }
    let extension = extension(collector, facts)?;
    let installed = extension.map(|extension| &extension.version);
    let Some(query) = collector.query(major, installed) else {
        return Err(Reason::ExtensionVersion {
            name: collector.extension.clone().unwrap_or_default(),
            installed: installed.cloned().unwrap_or_default(),
        });
    };
    if let Some(missing) = &collector.privilege
        && let Needs::Role(needed) | Needs::Function(needed) = &missing.needs
        && !facts.superuser
        && !facts.privileges.contains(needed)
    {
        return Err(Reason::Privilege {
            missing: missing.clone(),
            grant: grant(needed, &facts.user),
        });
    }
    let mut sql = with_parameters(&query.sql, settings);
    if let Some(extension) = extension {
        sql = sql.replace("${extension}", &quoted(&extension.schema));
    }
    Ok(run(collector, sql, facts, settings))
}

/// The extension it needs as it is installed; `None` when it needs none.
fn extension<'f>(collector: &Collector, facts: &'f Facts) -> Result<Option<&'f Extension>, Reason> {
    let Some(name) = &collector.extension else {
        return Ok(None);
    };
    match facts.extensions.get(name) {
        Some(extension) => Ok(Some(extension)),
        None => Err(Reason::Extension {
            name: name.clone(),
            database: facts.database.clone(),
        }),
    }
}

fn grant(what: &str, user: &str) -> String {
    format!("GRANT {what} TO {}", quoted(user))
}

fn run(collector: &Arc<Collector>, sql: String, facts: &Facts, settings: &Settings) -> Run {
    let changes = settings.changes(&collector.name);
    let declared = match collector.interval {
        Cadence::Times(times) => settings.interval * times,
        Cadence::Every(interval) => interval,
    };
    let (lane, databases) = match (collector.scope, collector.lane) {
        (Scope::Server, lane) => (lane, Vec::new()),
        (Scope::Database, Lane::Plain) => (Lane::Plain, facts.databases.clone()),
        (Scope::Database, _) => (Lane::Visit, facts.databases.clone()),
    };
    Run {
        collector: collector.clone(),
        sql: sql.into(),
        aliases: settings.aliases,
        interval: changes.interval.unwrap_or(declared),
        timeout: changes
            .timeout
            .or(collector.timeout)
            .unwrap_or(settings.timeout),
        lane,
        databases,
        user: facts.user.as_str().into(),
    }
}

/// Every `${NAME}` is known and its value a number: both were seen to when the file was read.
fn with_parameters(sql: &str, settings: &Settings) -> String {
    let mut filled = sql.to_owned();
    for name in super::settings::PARAMETERS {
        if let Some(value) = settings.parameter(name) {
            filled = filled.replace(&format!("${{{name}}}"), &value);
        }
    }
    filled
}

#[cfg(test)]
mod tests;
