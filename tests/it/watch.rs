//! The whole watch, as a user runs it: the binary, a real PostgreSQL, a mailbox and a webhook.

#[cfg(target_os = "linux")]
mod clock;
#[cfg(target_os = "linux")]
mod disk;
mod no_data;
mod restarts;

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use super::harness::{
    Daemon, HttpSink, Letter, Postgres, Scratch, SmtpSink, eventually, free_port, pgvigil,
};

const PATIENCE: Duration = Duration::from_secs(60);

/// Two rules that fire at the same slot, on numbers a test can move.
const RULES: &str = r#"
groups:
  - name: test
    interval: 1s
    rules:
      - alert: TooManyConnections
        expr: sum by (job, instance, server) (pg_stat_activity_count) > 8
        for: 1s
        labels: {severity: critical}
        annotations: {summary: "{{ $value }} connections on {{ $labels.instance }}"}
      - alert: ManyConnections
        expr: sum by (job, instance, server) (pg_stat_activity_count) > 7
        for: 1s
        labels: {severity: warning}
        annotations: {summary: "{{ $value }} connections on {{ $labels.instance }}"}
"#;

/// A server, its watch, and who is told.
struct Stage {
    postgres: Postgres,
    mail: SmtpSink,
    hook: HttpSink,
    scratch: Scratch,
    config: PathBuf,
    port: u16,
}

impl Stage {
    fn set(major: u32) -> Stage {
        let (postgres, mail, hook) = (Postgres::start(major), SmtpSink::start(), HttpSink::start());
        let (scratch, port) = (Scratch::new(), free_port());
        let rules = scratch.write("rules.yml", RULES);
        let config = format!(
            "listen: 127.0.0.1:{port}\n\
             state_dir: {state}\n\
             servers: [{{name: rachel, url: '{url}'}}]\n\
             collect: {{interval: 1s, timeout: 1s, load_budget: off}}\n\
             rules: {{interval: 1s, files: [{rules}]}}\n\
             web: {{reload: true}}\n\
             notify:\n\
             \x20 receivers:\n\
             \x20   - {{name: oncall, email: {{to: [oncall@example.com], from: pgvigil@example.com, smtp: 'smtp://127.0.0.1:{smtp}'}}}}\n\
             \x20   - {{name: team, slack: {{webhook_url: '{hook}/services/secret'}}}}\n\
             \x20 policy:\n\
             \x20   - {{match: ['alertname=~\".*ManyConnections\"'], to: [oncall, team]}}\n",
            state = scratch.path().join("state").display(),
            url = postgres.url("postgres", "postgres"),
            rules = rules.display(),
            smtp = mail.port(),
            hook = hook.url(),
        );
        let config = scratch.write("pgvigil.yml", config);
        Stage {
            postgres,
            mail,
            hook,
            scratch,
            config,
            port,
        }
    }

    fn watch(&self) -> Daemon {
        let mut command = pgvigil();
        command.arg("--config").arg(&self.config);
        Daemon::spawn(command)
    }

    /// Sessions that stay until they are dropped.
    fn sessions(&self, count: usize) -> Vec<Daemon> {
        sessions(&self.postgres, count)
    }

    fn page(&self, path: &str) -> Option<String> {
        let answer = Command::new("curl")
            .args([
                "-sf",
                "-m",
                "2",
                &format!("http://127.0.0.1:{}{path}", self.port),
            ])
            .output()
            .unwrap();
        answer
            .status
            .success()
            .then(|| String::from_utf8_lossy(&answer.stdout).into_owned())
    }

    /// Waits until a line of the metrics page is there.
    fn shows(&self, line: &str) {
        eventually(&format!("the page shows `{line}`"), PATIENCE, || {
            self.page("/metrics")?
                .lines()
                .any(|shown| shown == line)
                .then_some(())
        });
    }

    /// Waits until so many rules were evaluated since the process has started; a reload goes on counting.
    fn has_evaluated(&self, rules: f64) -> f64 {
        eventually("the rules are evaluated", PATIENCE, || {
            self.evaluated().filter(|count| *count >= rules)
        })
    }

    /// Waits until so many more rules were evaluated than now.
    fn has_evaluated_again(&self, rules: f64) {
        let before = eventually("the page", PATIENCE, || self.evaluated());
        self.has_evaluated(before + rules);
    }

    fn evaluated(&self) -> Option<f64> {
        let page = self.page("/metrics")?;
        let evaluated = page.lines().find(|line| {
            line.starts_with("pgvigil_rule_evaluations_total")
                && line.contains("rule_group=\"test\"")
        })?;
        evaluated.rsplit(' ').next()?.parse().ok()
    }

    fn mails(&self, count: usize) -> Vec<Letter> {
        self.mail.wait_for(count, PATIENCE)
    }
}

fn sessions(postgres: &Postgres, count: usize) -> Vec<Daemon> {
    let session = |_| {
        let mut command: Command = postgres.command("psql");
        // Without the interval the server would not notice that its client has gone.
        let notice = "SET client_connection_check_interval = '200ms'";
        command.args(["-X", "-c", notice, "-c", "SELECT pg_sleep(600)"]);
        Daemon::spawn(command)
    };
    (0..count).map(session).collect()
}

#[test]
fn an_alert_goes_from_the_database_to_an_inbox_and_ends() {
    for major in [15, 18] {
        let stage = Stage::set(major);
        let watch = stage.watch();
        stage.shows("pg_up 1");

        let sessions = stage.sessions(12);
        let opened = &stage.mails(1)[0];
        let subject = opened.header("Subject").unwrap();
        assert!(subject.contains("rachel"), "{subject}");
        assert!(
            opened.data.contains("connections on rachel"),
            "{}",
            opened.data
        );
        let hooked = stage.hook.wait_for(1, PATIENCE);
        assert!(
            hooked[0].json()["text"]
                .as_str()
                .unwrap()
                .contains("rachel")
        );

        drop(sessions);
        let closed = &stage.mails(2)[1];
        assert_eq!(closed.header("Subject").unwrap(), subject);
        assert_eq!(closed.header("In-Reply-To"), opened.header("Message-ID"));
        stage.hook.wait_for(2, PATIENCE);
        assert_eq!(
            stage.mail.letters().len(),
            2,
            "two rules fired at once: one message each way"
        );
        assert!(
            !watch.output().contains("/services/secret"),
            "{}",
            watch.output()
        );
    }
}

#[test]
fn a_killed_watch_tells_nobody_twice_and_loses_no_end() {
    let stage = Stage::set(15);
    let watch = stage.watch();
    stage.shows("pg_up 1");
    let sessions = stage.sessions(12);
    let opened = stage.mails(1)[0].clone();
    eventually("the delivery is in the log", PATIENCE, || {
        let page = stage.page("/metrics")?;
        let delivered = "pgvigil_notifications_delivered_total{address=\"oncall\"";
        page.lines()
            .any(|line| line.starts_with(delivered) && line.ends_with(" 1"))
            .then_some(())
    });
    watch.signal("KILL");
    drop(watch);

    let watch = stage.watch();
    stage.has_evaluated(8.0);
    assert_eq!(stage.mail.letters().len(), 1, "told again after a restart");

    watch.signal("KILL");
    drop((watch, sessions));
    let _watch = stage.watch();
    let closed = stage.mails(2)[1].clone();
    assert_eq!(closed.header("In-Reply-To"), opened.header("Message-ID"));
}

#[cfg(target_os = "linux")]
#[test]
fn what_was_told_while_the_disk_was_full_is_known_after_a_restart() {
    for clean in [false, true] {
        let stage = Stage::set(15);
        let state = stage.scratch.path().join("state");
        let (log, full) = (state.join("incidents.log"), state.join("incidents.log.new"));
        std::fs::create_dir_all(&state).unwrap();
        std::os::unix::fs::symlink("/dev/full", &full).unwrap();
        let mut watch = stage.watch();
        stage.shows("pg_up 1");
        let path = format!("cannot write the incident log `{}`", log.display());
        assert!(watch.output().contains(&path), "{}", watch.output());

        let _sessions = stage.sessions(12);
        stage.mails(1);
        stage.hook.wait_for(1, PATIENCE);
        let known = || {
            let told = std::fs::read_to_string(&log).unwrap_or_default();
            let names = ["oncall", "team"].map(|name| format!("\"receiver\":\"{name}\""));
            names.iter().all(|name| told.contains(name)).then_some(())
        };
        assert!(known().is_none());
        std::fs::remove_file(&full).unwrap();
        if clean {
            watch.signal("TERM");
            assert_eq!(watch.wait(PATIENCE), Some(0));
        }
        eventually("the log knows who was told", PATIENCE, known);
    }
}

#[test]
fn no_data_is_not_fine() {
    let stage = Stage::set(15);
    let _watch = stage.watch();
    stage.shows("pg_up 1");
    let sessions = stage.sessions(12);
    stage.mails(1);

    stage.postgres.freeze();
    stage.shows("pg_up 0");
    eventually(
        "the samples of the frozen server are gone",
        PATIENCE,
        || {
            (!stage
                .page("/metrics")?
                .contains("\npg_stat_activity_count{"))
            .then_some(())
        },
    );
    eventually(
        "the page says that the incident cannot be judged",
        PATIENCE,
        || stage.page("/")?.contains("Stale for").then_some(()),
    );
    assert_eq!(
        stage.mail.letters().len(),
        1,
        "silence was taken for an end"
    );

    stage.postgres.thaw();
    drop(sessions);
    stage.mails(2);
}

#[test]
fn a_second_server_changes_no_alert_of_the_first_and_leaves_nothing_behind() {
    let stage = Stage::set(18);
    let second = Postgres::start(18);
    let watch = stage.watch();
    stage.shows("pg_up 1");
    let sessions = stage.sessions(12);
    let opened = stage.mails(1)[0].clone();

    let added = format!(
        "servers: [{{name: monica, url: '{}'}}, ",
        second.url("postgres", "postgres")
    );
    let alone = std::fs::read_to_string(&stage.config).unwrap();
    let config = alone.replace("servers: [", &added);
    stage.scratch.write("pgvigil.yml", config);
    watch.signal("HUP");
    stage.shows("pg_up{server=\"monica\"} 1");
    stage.shows("pg_up{server=\"rachel\"} 1");
    let evaluated = stage.has_evaluated(0.0);
    stage.has_evaluated(evaluated + 8.0);
    assert_eq!(stage.mail.letters().len(), 1, "told again");

    drop(sessions);
    let closed = stage.mails(2)[1].clone();
    // The identifier of the first message is made of the alert's fingerprint and the moment it fired.
    assert_eq!(closed.header("In-Reply-To"), opened.header("Message-ID"));

    // Y4: what is watched no longer has no value, long before five minutes are over.
    let of_monica = "/api/v1/query?query=count(%7Bserver%3D%22monica%22%7D)";
    let known = stage.page(of_monica).unwrap();
    assert!(!known.contains("\"result\":[]"), "{known}");
    stage.scratch.write("pgvigil.yml", alone);
    watch.signal("HUP");
    eventually("nothing of monica's is left", PATIENCE, || {
        let answer = stage.page(of_monica)?;
        answer.contains("\"result\":[]").then_some(())
    });
}

#[test]
fn a_second_watch_on_the_same_state_is_refused() {
    let stage = Stage::set(15);
    let _watch = stage.watch();
    stage.shows("pg_up 1");
    let mut command = pgvigil();
    command
        .arg("--config")
        .arg(&stage.config)
        .args(["--listen", "127.0.0.1:0"]);
    let mut second = Daemon::spawn(command);
    assert_eq!(second.wait(PATIENCE), Some(2));
    let state = stage.scratch.path().join("state").display().to_string();
    assert!(second.output().contains(&state), "{}", second.output());
}

#[test]
fn a_reload_changes_everything_or_nothing() {
    let stage = Stage::set(15);
    let watch = stage.watch();
    stage.shows("pg_up 1");
    let evaluated = |group: &str| {
        let line = format!("rule_group=\"{group}\"");
        stage.page("/metrics")?.contains(&line).then_some(())
    };

    stage
        .scratch
        .write("rules.yml", "groups: [{name: broken, rules: [{alert: X}]}]");
    watch.signal("HUP");
    eventually("the mistake is named", PATIENCE, || {
        watch.output().contains("rules.yml:1:").then_some(())
    });
    eventually("the old group goes on", PATIENCE, || evaluated("test"));

    stage
        .scratch
        .write("rules.yml", RULES.replace("name: test", "name: renamed"));
    let reloaded = stage.postgres.sql("postgres", "SELECT now()");
    watch.signal("HUP");
    eventually("the new group is evaluated", PATIENCE, || {
        evaluated("renamed")
    });
    check_reload_over_http(&stage);
    assert_eq!(evaluated("test"), None);
    stage.shows("pg_up 1");
    let sessions = format!(
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pgvigil' AND backend_start < '{reloaded}'"
    );
    eventually("the old sessions are closed", PATIENCE, || {
        (stage.postgres.sql("postgres", &sessions) == "0").then_some(())
    });
}

/// Asked over HTTP, the answer says what was done.
fn check_reload_over_http(stage: &Stage) {
    let ask = || {
        let url = format!("http://127.0.0.1:{}/-/reload", stage.port);
        let curl = Command::new("curl")
            .args(["-s", "-m", "10", "-X", "POST", "-w", "%{http_code}", &url])
            .output();
        String::from_utf8(curl.unwrap().stdout).unwrap()
    };
    let group = |name: &str| RULES.replace("name: test", &format!("name: {name}"));
    stage
        .scratch
        .write("rules.yml", group("again").replace("alert:", "alarm:"));
    let refused = ask();
    assert!(
        refused.ends_with("500") && refused.contains("rules.yml:6:"),
        "{refused}"
    );
    stage.scratch.write("rules.yml", group("again"));
    assert_eq!(ask(), "configuration read again\n200");
    eventually("the third group is evaluated", PATIENCE, || {
        stage
            .page("/metrics")?
            .contains("rule_group=\"again\"")
            .then_some(())
    });
}
