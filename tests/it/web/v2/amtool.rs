//! Debian's amtool, unmodified, at a pgvigil.

use std::process::Command;
use std::sync::Arc;

use pgvigil::incident::{Ledger, SilenceState};
use pgvigil::sample::Timestamp;
use pgvigil::web::{Settings, View};
use serde_json::Value;

use super::super::doors::Open;
use super::{TOKEN, told};
use crate::harness::{Scratch, tool};

/// A pgvigil with a token and a user, and an amtool that knows one of both.
struct Stage {
    view: Arc<View>,
    open: Open,
    scratch: Scratch,
}

impl Stage {
    fn set() -> Stage {
        let view = told(Ledger::memory());
        let settings = Settings {
            users: vec![("ops".into(), bcrypt::hash("hunter2", 4).unwrap())],
            ..super::with_token()
        };
        let open = Open::new(&view, settings);
        let scratch = Scratch::new();
        scratch.write(
            "bearer.yml",
            format!("authorization: {{credentials: {TOKEN}}}\n"),
        );
        scratch.write(
            "basic.yml",
            "basic_auth: {username: ops, password: hunter2}\n",
        );
        Stage {
            view,
            open,
            scratch,
        }
    }

    /// Whether it went well, and what it printed.
    async fn amtool(&self, file: &str, arguments: &[&str]) -> (bool, String) {
        let mut command = Command::new(tool("amtool"));
        command
            .env("HOME", self.scratch.path())
            .arg(format!("--alertmanager.url={}", self.open.url()))
            .args(arguments);
        if !file.is_empty() {
            let file = self.scratch.join(file);
            command.arg(format!("--http.config.file={}", file.display()));
        }
        let output = tokio::task::spawn_blocking(move || command.output().unwrap());
        let output = output.await.unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8(said).unwrap())
    }

    /// What it printed, when it went well.
    async fn said(&self, arguments: &[&str]) -> String {
        let (well, said) = self.amtool("bearer.yml", arguments).await;
        assert!(well, "{arguments:?}: {said}");
        said
    }

    async fn json(&self, arguments: &[&str]) -> Value {
        let said = self.said(&[arguments, &["-o", "json"]].concat()).await;
        serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}"))
    }

    fn state(&self, id: &str) -> SilenceState {
        let now = Timestamp::now();
        self.view.ledger.read(|book| book.silences[id].state(now))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn m24_amtool_sees_alerts_and_what_keeps_them_quiet() {
    let stage = Stage::set();
    let simple = stage.said(&["alert", "query"]).await;
    assert!(simple.contains("A has something to say"), "{simple}");
    assert_eq!(
        simple.lines().count(),
        3,
        "what is hidden is not shown: {simple}"
    );
    let critical = stage.json(&["alert", "query", "severity=critical"]).await;
    assert_eq!(critical[0]["labels"]["alertname"], "A");
    assert_eq!(critical[0]["receivers"][0]["name"], "team");
    assert_eq!(critical.as_array().unwrap().len(), 1);
    let inhibited = stage
        .json(&["alert", "query", "--inhibited", "alertname=~A|B"])
        .await;
    let by = &inhibited
        .as_array()
        .unwrap()
        .iter()
        .find(|alert| alert["labels"]["severity"] == "warning");
    assert_eq!(
        by.unwrap()["status"]["inhibitedBy"][0],
        critical[0]["fingerprint"]
    );
    let team = stage.json(&["alert", "query", "--receiver=team"]).await;
    assert_eq!(team.as_array().unwrap().len(), 1);
    let extended = stage.said(&["-o", "extended", "alert", "query"]).await;
    assert!(extended.contains(r#"instance="one""#), "{extended}");
    stage.said(&["config", "show"]).await;
    let cluster = stage.said(&["cluster", "show"]).await;
    assert!(cluster.contains("disabled"), "{cluster}");
}

#[tokio::test(flavor = "multi_thread")]
async fn m13_amtool_adds_changes_and_ends_silences() {
    let stage = Stage::set();
    let add = [
        "silence",
        "add",
        "alertname=A",
        "severity=~crit.*",
        "-c",
        "upgrade",
        "-a",
        "ann",
        "-d",
        "2h",
    ];
    let id = stage.said(&add).await.trim().to_owned();
    assert_eq!(stage.state(&id), SilenceState::Active);
    let listed = stage.said(&["silence", "query"]).await;
    assert!(
        listed.contains(&id) && listed.contains("upgrade"),
        "{listed}"
    );
    let by_matcher = stage.said(&["silence", "query", "-q", "alertname=A"]).await;
    assert_eq!(by_matcher.trim(), id);
    let alerts = stage
        .json(&["alert", "query", "--silenced", "severity=critical"])
        .await;
    assert_eq!(alerts[0]["status"]["silencedBy"][0], id.as_str());

    let end = stage.view.ledger.read(|book| book.silences[&id].ends_at);
    stage
        .said(&["silence", "update", &id, "-d", "6h", "-c", "longer"])
        .await;
    let (after, comment) = stage.view.ledger.read(|book| {
        let silence = &book.silences[&id];
        (silence.ends_at, silence.comment.clone())
    });
    assert!(
        after > end && comment == "longer",
        "the same silence has another end"
    );
    stage.said(&["silence", "expire", &id]).await;
    assert_eq!(stage.state(&id), SilenceState::Expired);
    let expired = stage.said(&["silence", "query", "--expired", "-q"]).await;
    assert_eq!(expired.trim(), id);

    let wrong = stage
        .amtool(
            "bearer.yml",
            &["silence", "add", "alertname=~.*", "-c", "all", "-a", "ann"],
        )
        .await;
    assert!(
        !wrong.0
            && wrong
                .1
                .contains("at least one matcher must not match the empty string"),
        "{wrong:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn amtool_shows_who_it_is_by_its_configuration() {
    let stage = Stage::set();
    let add = ["silence", "add", "B", "-c", "c", "-a", "ann"];
    for (file, well) in [("bearer.yml", true), ("basic.yml", true), ("", false)] {
        let (done, said) = stage.amtool(file, &add).await;
        assert_eq!(done, well, "{file}: {said}");
    }
}
