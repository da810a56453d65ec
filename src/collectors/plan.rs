//! Decides from a server's facts what runs there, and says in words why the rest does not.

use std::sync::Arc;
use std::time::Duration;

use super::{Cadence, Collector, Reason, Role, Scope, Settings};
use crate::server::{Facts, Lane, quoted};

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
    /// The statement for this server's version, with the settings filled in.
    pub sql: Arc<str>,
    /// How often it is read.
    pub interval: Duration,
    /// The most the statement may take.
    pub timeout: Duration,
    /// Which connection reads it; database scope is always slow.
    pub lane: Lane,
    /// The databases to read it in; empty for server scope, which is read in the configured one.
    pub databases: Vec<String>,
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
    for collector in collectors {
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

fn admit(collector: &Arc<Collector>, facts: &Facts, settings: &Settings) -> Result<Run, Reason> {
    let named = |names: &[String]| names.iter().any(|name| **name == *collector.name);
    if named(&settings.disable) {
        return Err(Reason::Disabled);
    }
    if !collector.enabled && !named(&settings.enable) {
        return Err(Reason::NotEnabled);
    }
    let major = facts.major();
    let query = collector.query(major).ok_or_else(|| Reason::Version {
        since: collector
            .queries
            .iter()
            .map(|query| query.since)
            .min()
            .unwrap_or_default(),
        major,
    })?;
    match (collector.on, facts.standby) {
        (Role::Primary, true) | (Role::Standby, false) => return Err(Reason::Role(collector.on)),
        _ => {}
    }
    if let Some(name) = collector
        .extension
        .iter()
        .find(|name| !facts.extensions.contains(*name))
    {
        return Err(Reason::Extension {
            name: name.clone(),
            database: facts.database.clone(),
        });
    }
    if let Some(missing) = &collector.privilege
        && !facts.superuser
        && !facts.privileges.contains(&missing.role)
    {
        let grant = format!("GRANT {} TO {}", missing.role, quoted(&facts.user));
        return Err(Reason::Privilege {
            missing: missing.clone(),
            grant,
        });
    }
    Ok(run(collector, &query.sql, facts, settings))
}

fn run(collector: &Arc<Collector>, sql: &str, facts: &Facts, settings: &Settings) -> Run {
    let changes = settings.changes(&collector.name);
    let declared = match collector.interval {
        Cadence::Times(times) => settings.interval * times,
        Cadence::Every(interval) => interval,
    };
    let (lane, databases) = match collector.scope {
        Scope::Server => (collector.lane, Vec::new()),
        Scope::Database => (Lane::Visit, facts.databases.clone()),
    };
    Run {
        collector: collector.clone(),
        sql: with_parameters(sql, settings).into(),
        interval: changes.interval.unwrap_or(declared),
        timeout: changes
            .timeout
            .or(collector.timeout)
            .unwrap_or(settings.timeout),
        lane,
        databases,
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
