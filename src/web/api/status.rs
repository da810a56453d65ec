//! What runs here: `status/…`, `alertmanagers`, `notifications`.

use super::Asked;
use super::answer::Answer;
use super::failure::Failure;
use super::json::{array, moment, object};

/// The version of Prometheus whose expressions and API these are; Grafana offers what that one can do.
const PROMETHEUS: &str = "3.5.0";

/// `status/buildinfo`. Grafana takes who names no `features` for a Prometheus, which is what it may expect here.
pub(super) fn build(asked: &Asked) -> Result<Answer, Failure> {
    let version = asked.view.version;
    Ok(Answer::written(|out| {
        object(out, |o| {
            o.text("version", PROMETHEUS);
            o.text("revision", &format!("pgvigil-{version}"));
            o.text("branch", "pgvigil");
            o.text("buildUser", "pgvigil");
            o.text("buildDate", "");
            o.text("goVersion", "");
        });
    }))
}

/// `status/config`
pub(super) fn config(asked: &Asked) -> Result<Answer, Failure> {
    Ok(Answer::written(|out| {
        object(out, |o| o.text("yaml", &asked.view.api.config));
    }))
}

/// `status/flags`
pub(super) fn flags(asked: &Asked) -> Result<Answer, Failure> {
    let mut flags: Vec<_> = asked.view.api.flags.iter().collect();
    flags.sort();
    Ok(Answer::written(|out| {
        object(out, |o| {
            for (flag, value) in flags {
                o.text(flag, value);
            }
        });
    }))
}

/// `status/runtimeinfo`
pub(super) fn runtime(asked: &Asked) -> Result<Answer, Failure> {
    let view = &asked.view;
    let folder = std::env::current_dir().unwrap_or_default();
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let runtime = tokio::runtime::Handle::current().metrics();
    let started = moment(Some(view.started));
    Ok(Answer::written(|out| {
        object(out, |o| {
            o.text("startTime", &started);
            o.text("CWD", &folder.to_string_lossy());
            o.text("hostname", host.trim_end());
            o.text("serverTime", &moment(Some(asked.now)));
            // Another configuration than the one that was read last is never in force.
            o.plain("reloadConfigSuccess", true);
            o.text("lastConfigTime", &started);
            o.plain("corruptionCount", 0);
            o.plain("goroutineCount", runtime.num_alive_tasks());
            o.plain("GOMAXPROCS", runtime.num_workers());
            o.plain("GOMEMLIMIT", i64::MAX);
            o.text("GOGC", "");
            o.text("GODEBUG", "");
            o.text("storageRetention", &view.api.retention);
        });
    }))
}

/// `status/walreplay`: there is no such log.
pub(super) fn replay(_: &Asked) -> Result<Answer, Failure> {
    Ok(Answer::written(|out| {
        object(out, |o| {
            for key in ["min", "max", "current"] {
                o.plain(key, 0);
            }
        });
    }))
}

/// `alertmanagers`
pub(super) fn alertmanagers(asked: &Asked) -> Result<Answer, Failure> {
    let urls = &asked.view.api.alertmanagers;
    Ok(Answer::written(|out| {
        object(out, |o| {
            array(o.key("activeAlertmanagers"), urls, |out, url| {
                object(out, |o| o.text("url", url));
            });
            o.plain("droppedAlertmanagers", "[]");
        });
    }))
}

/// `notifications`: for the pages of Prometheus, which have nothing to announce here.
pub(super) fn notifications(_: &Asked) -> Result<Answer, Failure> {
    Ok(Answer::written(|out| out.push_str("[]")))
}
