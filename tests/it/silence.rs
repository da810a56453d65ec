//! Silences of the real binary: the link in a message, the command line, and what a `kill -9` leaves of them (M21).

use std::path::PathBuf;
use std::process::{Command, Output};
use std::time::Duration;

use serde_json::Value;

use super::harness::{Daemon, HttpSink, Scratch, eventually, free_port, pgvigil};

const PATIENCE: Duration = Duration::from_secs(60);

/// Two alerts that fire whatever happens.
const RULES: &str = r#"
groups:
  - name: test
    interval: 1s
    rules:
      - {alert: Always, expr: vector(1), labels: {severity: warning, instance: one}, annotations: {summary: It is so}}
      - {alert: Ever, expr: vector(2), labels: {severity: warning, instance: two}, annotations: {summary: It is so, too, hint: Run `VACUUM`.}}
"#;

/// A watch over nothing, and who is told.
struct Stage {
    hook: HttpSink,
    scratch: Scratch,
    config: PathBuf,
    port: u16,
}

impl Stage {
    fn set() -> Stage {
        let (hook, scratch, port) = (HttpSink::start(), Scratch::new(), free_port());
        let rules = scratch.write("rules.yml", RULES);
        scratch.write("token", "s3cret\n");
        let folder = scratch.path().display().to_string();
        let config = format!(
            "listen: 127.0.0.1:{port}\n\
             state_dir: {folder}/state\n\
             servers: [{{name: rachel, url: 'postgresql://nobody@127.0.0.1:{nowhere}/none'}}]\n\
             collect: {{interval: 1s, timeout: 1s}}\n\
             rules: {{interval: 1s, files: [{rules}]}}\n\
             web: {{token_file: {folder}/token}}\n\
             notify:\n\
             \x20 receivers: [{{name: team, slack: {{webhook_url: '{hook}/services/secret'}}}}]\n\
             \x20 policy: [{{match: ['alertname=~\"Always|Ever\"'], to: [team]}}]\n",
            nowhere = free_port(),
            rules = rules.display(),
            hook = hook.url(),
        );
        let config = scratch.write("pgvigil.yml", config);
        Stage {
            hook,
            scratch,
            config,
            port,
        }
    }

    /// A watch that answers.
    fn watch(&self) -> Daemon {
        let mut command = pgvigil();
        command.arg("--config").arg(&self.config);
        let daemon = Daemon::spawn(command);
        eventually("it answers", PATIENCE, || self.got("/-/healthy"));
        daemon
    }

    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// What a page says; nothing when it is refused.
    fn got(&self, path: &str) -> Option<String> {
        let (status, text) = curl(&["-m", "10", &self.url(path)]);
        (status == 200).then_some(text)
    }

    /// Ids and states of the silences.
    fn silences(&self) -> Vec<(String, String)> {
        let text = self.got("/api/v2/silences").unwrap();
        let silences: Vec<Value> = serde_json::from_str(&text).unwrap();
        let of = |value: &Value| value.as_str().unwrap().to_owned();
        let each = silences.iter();
        each.map(|silence| (of(&silence["id"]), of(&silence["status"]["state"])))
            .collect()
    }

    /// The link in the message about an alert.
    fn link(&self, instance: &str) -> String {
        eventually("a message has the link", PATIENCE, || {
            let requests = self.hook.requests();
            let blocks = requests.iter().flat_map(|request| {
                let body = request.json();
                body["blocks"].as_array().cloned().unwrap_or_default()
            });
            let mut texts = blocks.filter_map(|block| {
                let text = block["elements"][0]["text"].as_str()?;
                Some(text.to_owned()).filter(|text| text.contains(&format!("instance={instance}")))
            });
            let text = texts.next()?;
            let (before, _) = text.split_once("|silence or acknowledge>")?;
            let (_, link) = before.rsplit_once('<')?;
            Some(link.replace("&amp;", "&"))
        })
    }

    /// `pgvigil silence …` beside the same configuration.
    fn silence(&self, arguments: &[&str]) -> Output {
        let mut command = pgvigil();
        command.arg("silence").args(arguments);
        command.arg("--config").arg(&self.config).env("USER", "ann");
        command.output().unwrap()
    }
}

/// Status and text.
fn curl(arguments: &[&str]) -> (u16, String) {
    let mut command = Command::new("curl");
    let output = command
        .args(["-s", "-w", "\n%{http_code}"])
        .args(arguments)
        .output();
    let said = String::from_utf8(output.unwrap().stdout).unwrap();
    let (text, status) = said.rsplit_once('\n').unwrap();
    (status.parse().unwrap(), text.to_owned())
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn m21_a_silence_survives_a_kill_right_after_the_answer_and_so_do_links() {
    let stage = Stage::set();
    let mut daemon = stage.watch();
    let link = stage.link("one");
    let (status, page) = curl(&[&link]);
    assert_eq!(status, 200, "{page}");
    assert!(page.contains("It is so"), "{page}");
    assert!(stage.silences().is_empty(), "a look changes nothing");

    let (status, page) = curl(&["-d", "action=1h&by=ann", &link]);
    daemon.signal("KILL");
    assert_eq!(status, 200);
    assert!(page.contains("Silenced until"), "{page}");
    assert_eq!(daemon.wait(PATIENCE), Some(137));

    let mut daemon = stage.watch();
    let [(_, state)] = &stage.silences()[..] else {
        panic!("{:?}", stage.silences())
    };
    assert_eq!(state, "active");
    let (status, page) = curl(&[&link]);
    assert_eq!(status, 200, "the key outlives the process: {page}");
    assert!(page.contains("by ann"), "{page}");

    let added = stage.silence(&["add", "Ever", "--for", "2h", "--comment", "upgrade"]);
    daemon.signal("KILL");
    assert_eq!(code(&added), 0, "{}", err(&added));
    assert_eq!(daemon.wait(PATIENCE), Some(137));
    let _daemon = stage.watch();
    let said = err(&added);
    assert!(
        said.starts_with("it holds until 20") && said.contains("Z and matches 1 alert that fires"),
        "{said}"
    );
    let id = out(&added).trim().to_owned();
    assert!(
        stage.silences().contains(&(id, "active".into())),
        "{:?}",
        stage.silences()
    );
}

#[test]
fn the_command_line_silences_and_acknowledges() {
    let stage = Stage::set();
    let mut daemon = stage.watch();
    let nothing = stage.silence(&["list"]);
    assert_eq!((code(&nothing), out(&nothing)), (0, String::new()));

    let add = [
        "add",
        "alertname=~\"Al.*\"",
        "instance=one",
        "--for",
        "90m",
        "--comment",
        "disk swap",
    ];
    let added = stage.silence(&add);
    assert_eq!(code(&added), 0, "{}", err(&added));
    let id = out(&added).trim().to_owned();
    let listed = out(&stage.silence(&["list"]));
    let line = listed.lines().nth(1).unwrap();
    assert!(line.starts_with(&format!("{id}  active  ")), "{listed}");
    assert!(
        line.ends_with("ann  alertname=~\"Al.*\", instance=\"one\" (disk swap)"),
        "{listed}"
    );
    let json: Value =
        serde_json::from_str(&out(&stage.silence(&["list", "--format", "json"]))).unwrap();
    assert_eq!(json[0]["matchers"][0]["isRegex"], true);
    eventually("it is counted", PATIENCE, || {
        let page = stage.got("/metrics")?;
        page.contains("pgvigil_silences{state=\"active\"} 1\n")
            .then_some(())
    });

    assert_eq!(code(&stage.silence(&["expire", &id])), 0);
    assert_eq!(out(&stage.silence(&["list"])), "");
    assert!(out(&stage.silence(&["list", "--all"])).contains("expired"));

    let link = stage.link("two");
    let (_, incident) = link.split_once("incident=").unwrap();
    let (incident, _) = incident.split_once('&').unwrap();
    let known = stage.silence(&["ack", &incident[..12], "--comment", "on it"]);
    assert_eq!(code(&known), 0, "{}", err(&known));
    assert_eq!(out(&known), format!("{incident} is acknowledged\n"));
    let (_, page) = curl(&[&link]);
    assert!(
        page.contains("Acknowledged by ann") && page.contains("on it"),
        "{page}"
    );
    assert!(page.contains("Run <code>VACUUM</code>."), "{page}");

    let again = stage.silence(&["ack", incident]);
    assert!(
        out(&again).contains("Before, ann had acknowledged it at ")
            && out(&again).contains(": on it"),
        "{}",
        out(&again)
    );

    let typo = stage.silence(&["add", "NoSuchAlert", "--comment", "c"]);
    assert_eq!(code(&typo), 0);
    assert!(
        err(&typo)
            .contains("matches 0 alerts that fire now\nwarning: no rule is called `NoSuchAlert`"),
        "{}",
        err(&typo)
    );

    let refused = stage.silence(&["ack", "ffff"]);
    assert_eq!(code(&refused), 1);
    assert!(
        err(&refused).contains("0 open incidents begin with `ffff`"),
        "{}",
        err(&refused)
    );
    let refused = stage.silence(&["add", "a=~.*", "--comment", "c"]);
    assert_eq!(code(&refused), 1);
    assert!(
        err(&refused).contains("must not match the empty string"),
        "{}",
        err(&refused)
    );
    let refused = stage.silence(&["expire", "2b1f7a4e-3f1e-4a3b-9f3d-1a2b3c4d5e6f"]);
    assert_eq!(
        (code(&refused), err(&refused)),
        (1, "error: silence not found\n".into())
    );
    daemon.signal("TERM");
    assert_eq!(daemon.wait(PATIENCE), Some(0));
    let log = daemon.output();
    for line in [
        "silence set",
        "silence ended",
        "incident acknowledged",
        "pgvigil stops",
    ] {
        assert!(log.contains(line), "no `{line}` in {log}");
    }
    let wrong = stage.silence(&["add", "a b", "--comment", "c"]);
    assert_eq!(code(&wrong), 2);
    assert!(err(&wrong).contains("is no matcher"), "{}", err(&wrong));
}

#[test]
fn the_command_line_says_who_it_is_only_to_the_server_of_the_configuration() {
    let stage = Stage::set();
    let other = HttpSink::start();
    let _daemon = stage.watch();
    let wrong = stage.scratch.write("wrong", "guess");
    let wrong = wrong.display().to_string();
    let add = ["add", "A", "--comment", "c", "--token-file", &wrong];
    let denied = stage.silence(&add);
    assert_eq!(code(&denied), 2);
    let said = err(&denied);
    assert!(
        said.contains("401") && said.contains("hint: give `--token-file`"),
        "{said}"
    );

    let mut by_variable = pgvigil();
    let arguments = ["silence", "add", "A", "--comment", "c", "--config"];
    by_variable
        .args(arguments)
        .arg(&stage.config)
        .env("PGVIGIL_TOKEN", "s3cret");
    let taken = by_variable.output().unwrap();
    assert_eq!(code(&taken), 0, "{}", err(&taken));

    other.usually(super::harness::Answer::new(200, &[], "[]"));
    assert_eq!(code(&stage.silence(&["list", "--url", &other.url()])), 0);
    assert_eq!(other.requests()[0].header("authorization"), None);
    let with_password = other.url().replace("http://", "http://ops:hunter2@");
    stage.silence(&["list", "--url", &with_password, "--token-file", &wrong]);
    assert_eq!(
        other.requests()[1].header("authorization"),
        Some("Basic b3BzOmh1bnRlcjI=")
    );

    let nowhere = format!("http://ops:hunter2@127.0.0.1:{}", free_port());
    let unreachable = stage.silence(&["list", "--url", &nowhere]);
    assert_eq!(code(&unreachable), 2);
    let said = err(&unreachable);
    assert!(
        said.contains("no answer from `127.0.0.1:") && !said.contains("hunter2"),
        "{said}"
    );
    assert!(
        said.matches("because").count() == 1 && said.contains("hint: is pgvigil running there?"),
        "{said}"
    );
}

#[cfg(target_os = "linux")]
#[test]
fn a_silence_that_is_in_memory_only_is_told_so() {
    let stage = Stage::set();
    let state = stage.scratch.join("state");
    std::fs::create_dir(&state).unwrap();
    std::os::unix::fs::symlink("/dev/full", state.join("incidents.log.new")).unwrap();
    let _daemon = stage.watch();
    let added = stage.silence(&["add", "A", "--comment", "c"]);
    assert_eq!(code(&added), 0);
    let said = err(&added);
    assert!(
        said.contains("warning: the incident log cannot be written"),
        "{said}"
    );
    assert_eq!(stage.silences().len(), 1, "it holds all the same");
}
