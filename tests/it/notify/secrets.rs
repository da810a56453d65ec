//! Claim 16: no secret in any log, error, page or API, whatever is set wrongly and whatever the other side says.

use std::process::Command;

use super::DEADLINE;
use crate::harness::{
    Answer, Daemon, HttpSink, Scratch, SmtpOptions, SmtpSink, eventually, free_port, pgvigil,
};

const RULES: &str = "groups: [{name: test, interval: 1s, rules: [{alert: Always, expr: vector(1), annotations: {summary: on}}]}]";

const PAGES: [&str; 8] = [
    "/",
    "/metrics",
    "/api/v1/status/config",
    "/api/v1/status/flags",
    "/api/v1/alertmanagers",
    "/api/v1/alerts",
    "/api/v1/rules",
    "/api/v1/query?query=%7B__name__%3D~%22pgvigil.*%22%7D",
];

/// Whatever is asked of it, it says all that it was told.
fn echo(status: u16, secret: &str, address: &str) -> HttpSink {
    let sink = HttpSink::start();
    let said = format!(
        "no {secret} at {}{address} or {}",
        sink.url(),
        address.replace('/', "\\/")
    );
    sink.usually(Answer::new(
        status,
        &[("Location", &format!("/{secret}"))],
        &said,
    ));
    sink
}

/// Receivers that all fail, each with secrets of which `hunter2` is a part.
struct Corpus {
    sinks: Vec<HttpSink>,
    mail: SmtpSink,
    receivers: Vec<String>,
}

impl Corpus {
    fn new(folder: &Scratch) -> Corpus {
        let login = Some(("ops".to_owned(), "other".to_owned()));
        let mail = SmtpSink::with(SmtpOptions {
            login,
            ..SmtpOptions::default()
        });
        let mut corpus = Corpus {
            sinks: Vec::new(),
            mail,
            receivers: Vec::new(),
        };
        let key = "hunter2hunter2hunter2hunter2hunt";
        for status in [302, 400, 401, 404, 429, 500] {
            let url = corpus.echo(
                status,
                "/hook/hunter2-path?t=hunter2-query",
                "hunter2-path hunter2-query hunter2-sign Bearer hunter2-head",
            );
            let rest = "secret: hunter2-sign, headers: {Authorization: 'Bearer hunter2-head'}";
            corpus.add(&format!("webhook: {{url: '{url}', {rest}}}"));
            let url = corpus.echo(status, "/services/T0/B0/hunter2", "T0/B0/hunter2");
            corpus.add(&format!("slack: {{webhook_url: '{url}'}}"));
            let url = corpus.echo(status, "", "xoxb-hunter2");
            corpus.add(&format!(
                "slack: {{bot_token: xoxb-hunter2, channel: C1, api_url: '{url}'}}"
            ));
            let url = corpus.echo(status, "", key);
            corpus.add(&format!("pagerduty: {{routing_key: {key}, url: '{url}'}}"));
            let url = corpus
                .echo(status, "", "hunter2-am Basic b3BzOmh1bnRlcjItYW0=")
                .replace("http://", "http://ops:hunter2-am@");
            corpus.add(&format!("alertmanager: {{urls: ['{url}']}}"));
        }
        let bot = HttpSink::start();
        bot.usually(Answer::new(
            200,
            &[],
            r#"{"ok":false,"error":"no xoxb-hunter2","needed":"xoxb-hunter2"}"#,
        ));
        corpus.add(&format!(
            "slack: {{bot_token: xoxb-hunter2, channel: C1, api_url: '{}'}}",
            bot.url()
        ));
        corpus.sinks.push(bot);
        let port = free_port();
        corpus.add(&format!(
            "webhook: {{url: 'https://ops:hunter2@127.0.0.1:{port}/hunter2'}}"
        ));
        let plain = corpus
            .echo(200, "/hunter2", "")
            .replace("http://", "https://");
        corpus.add(&format!("slack: {{webhook_url: '{plain}'}}"));
        let garbage = folder.write("garbage", "hunter2 is no address");
        corpus.add(&format!("webhook: {{url_file: {}}}", garbage.display()));
        let torn = folder.write("torn", "xoxb-hunter2\nhunter2");
        let url = corpus.echo(200, "", "");
        corpus.add(&format!(
            "slack: {{bot_token_file: {}, channel: C1, api_url: '{url}'}}",
            torn.display()
        ));
        corpus.add("pagerduty: {routing_key_file: /nowhere/key}");
        let smtp = format!("smtp://ops:hunter2@127.0.0.1:{}", corpus.mail.port());
        corpus.add(&format!(
            "email: {{to: [a@example.com], from: b@example.com, smtp: '{smtp}'}}"
        ));
        corpus.add("command: {run: [sh, -c, 'exit 70', hunter2], timeout: 5s}");
        corpus
    }

    /// A server that says what it was told: it knows nobody else's secrets.
    fn echo(&mut self, status: u16, address: &str, secrets: &str) -> String {
        let sink = echo(status, secrets, address);
        let url = format!("{}{address}", sink.url());
        self.sinks.push(sink);
        url
    }

    fn add(&mut self, channel: &str) {
        let name = format!("r{}-", self.receivers.len());
        self.receivers
            .push(format!("    - {{name: {name}, {channel}}}\n"));
    }
}

/// What the receiver's own settings hold is hidden; what it could not know is none of its secrets.
fn assert_silent(what: &str, text: &str) {
    let told = text
        .lines()
        .find(|line| line.contains("hunter2") || line.contains("b3BzOmh1bnRlcjItYW0"));
    assert_eq!(told, None, "in {what}");
}

fn curl(url: &str) -> Option<String> {
    let answer = Command::new("curl")
        .args(["-s", "-m", "5", url])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&answer.stdout).into_owned();
    (answer.status.success() && !said.is_empty()).then_some(said)
}

#[test]
fn no_secret_is_told() {
    let (scratch, port) = (Scratch::new(), free_port());
    let corpus = Corpus::new(&scratch);
    let rules = scratch.write("rules.yml", RULES);
    let state = scratch.path().join("state");
    let config = format!(
        "listen: 127.0.0.1:{port}\nstate_dir: {}\nservers: [{{name: rachel, url: 'postgresql://u:hunter2@127.0.0.1:1/d'}}]\n\
         rules: {{interval: 1s, files: [{}]}}\nnotify:\n  receivers:\n{}",
        state.display(),
        rules.display(),
        corpus.receivers.concat(),
    );
    let config = scratch.write("pgvigil.yml", config);
    let mut command = pgvigil();
    command
        .arg("--config")
        .arg(&config)
        .env("PGVIGIL_LOG", "trace");
    let daemon = Daemon::spawn(command);
    eventually("every receiver has failed", DEADLINE, || {
        let said = daemon.output();
        let failed = |place: usize| {
            let name = format!("receiver.name=\"r{place}-");
            said.lines()
                .any(|line| line.contains(&name) && line.contains("error="))
        };
        (0..corpus.receivers.len()).all(failed).then_some(())
    });
    for page in PAGES {
        let url = format!("http://127.0.0.1:{port}{page}");
        let shown = eventually(page, DEADLINE, || curl(&url));
        assert_silent(page, &shown);
    }
    assert_silent("the log", &daemon.output());
    let log = std::fs::read_to_string(state.join("incidents.log")).unwrap();
    assert!(log.contains("\"failed\""), "{log}");
    assert_silent("the incident log", &log);
    drop(daemon);

    let mut test = pgvigil();
    let tried = test
        .args(["notify", "test", "--config"])
        .arg(&config)
        .output()
        .unwrap();
    let said = format!(
        "{}{}",
        String::from_utf8_lossy(&tried.stdout),
        String::from_utf8_lossy(&tried.stderr)
    );
    assert!(said.contains("r0-") && said.contains("<secret>"), "{said}");
    assert_silent("notify test", &said);
}

#[test]
fn a_mistake_in_the_settings_is_told_without_them() {
    let receivers = [
        "webhook: {url: 'ftp://h/hunter2', headers: {Host: hunter2}}",
        "webhook: {url: 'https://h/x', headers: {X-A: \"hunter2\\n\"}}",
        "pagerduty: {routing_key: hunter2}",
        "pagerduty: {routing_key: hunter2hunter2hunter2hunter2hunt, url: 'hunter2'}",
        "slack: {webhook_url: hunter2}",
        "slack: {webhook_url: 'https://h/hunter2', bot_token: hunter2}",
        "slack: {bot_token: hunter2}",
        "slack: {channel: C1}",
        "command: {run: [], timeout: 0s}",
        "alertmanager: {urls: ['http://u:hunter2@']}",
    ];
    let listed: String = (0..)
        .zip(receivers)
        .map(|(place, one)| format!("    - {{name: r{place}, {one}}}\n"))
        .collect();
    let scratch = Scratch::new();
    let config = format!(
        "servers: [{{url: 'postgresql://u@127.0.0.1:1/d'}}]\nnotify:\n  receivers:\n{listed}"
    );
    let config = scratch.write("pgvigil.yml", config);
    let ended = pgvigil()
        .args(["notify", "test", "--config"])
        .arg(&config)
        .output()
        .unwrap();
    assert_eq!(ended.status.code(), Some(2));
    let said = String::from_utf8_lossy(&ended.stderr).into_owned();
    for place in 0..receivers.len() {
        assert!(
            said.contains(&format!("notify.receivers[{place}]")),
            "{place} is not in\n{said}"
        );
    }
    for words in [
        "`Host` belongs to the message",
        "is not 32 characters long",
        "`channel` is missing",
        "needs at least a program",
    ] {
        assert!(said.contains(words), "{words} is not in\n{said}");
    }
    assert_silent("the mistakes", &said);
}
