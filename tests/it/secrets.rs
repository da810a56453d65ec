//! Claim 16: no secret in any log, error, page or answer, over a corpus of addresses and failures, with the real binary.
//! Every place that takes a secret gets one of its own, in each spelling that it may be said in.

use std::fmt::Write as _;
use std::process::Command;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};

use super::harness::{
    Answer, Daemon, ECHO, HttpSink, Postgres, Scratch, SmtpSink, Stage, eventually, free_port,
    pgvigil,
};

const PATIENCE: Duration = Duration::from_secs(60);

/// A password with a sign that must be written otherwise in a URL.
fn secret(name: &str) -> String {
    format!("s3cret+{name}")
}

fn in_url(name: &str) -> String {
    format!("s3cret%2B{name}")
}

/// All spellings of a secret: as it is, in a URL, and as it goes over the wire.
fn spellings(name: &str) -> Vec<String> {
    let plain = secret(name);
    let mut all = vec![plain.clone(), in_url(name), in_url(name).to_lowercase()];
    for user in ["ops", ""] {
        for text in [format!("{user}:{plain}"), format!("\0{user}\0{plain}")] {
            all.extend([STANDARD.encode(&text), URL_SAFE.encode(&text)]);
        }
    }
    all.push(STANDARD.encode(&plain));
    all
}

const NAMES: [&str; 16] = [
    "pg-wrong",
    "pg-refused",
    "pg-nohost",
    "pg-tls",
    "pg-keyed",
    "pg-database",
    "pg-bouncer",
    "smtp",
    "smtp-refused",
    "slack",
    "slack-refused",
    "am",
    "am-refused",
    "rw",
    "rw-refused",
    "heartbeat",
];

struct Corpus {
    scratch: Scratch,
    port: u16,
    watch: Daemon,
}

impl Corpus {
    /// Servers and receivers that fail in every way, and say in their errors what they were sent.
    fn start(postgres: &Postgres, mail: &SmtpSink, hook: &HttpSink, slack_url: &str) -> Corpus {
        let (scratch, port, away) = (Scratch::new(), free_port(), free_port());
        let (db, smtp) = (postgres.port(), mail.port());
        let host = hook.url().replace("http://", "");
        let with = |name: &str, place: &str| format!("postgresql://ops:{}@{place}", in_url(name));
        let servers = [
            (
                "wrong",
                with("pg-wrong", &format!("127.0.0.1:{db}/postgres")).replace("ops", "ghost"),
            ),
            (
                "refused",
                with("pg-refused", &format!("127.0.0.1:{away}/postgres")),
            ),
            ("nohost", with("pg-nohost", "no-such-host.invalid/postgres")),
            (
                "tls",
                with(
                    "pg-tls",
                    &format!("127.0.0.1:{db}/postgres?sslmode=require"),
                ),
            ),
            (
                "keyed",
                format!(
                    "host=127.0.0.1 port={db} user=ops password={} dbname=postgres",
                    secret("pg-keyed")
                ),
            ),
            (
                "database",
                with("pg-database", &format!("127.0.0.1:{db}/no_such_database")),
            ),
        ];
        let mut config = format!(
            "listen: 127.0.0.1:{port}\nstate_dir: {}\ncollect: {{interval: 1s, timeout: 1s}}\nservers:\n",
            scratch.join("state").display()
        );
        for (name, url) in servers {
            let _ = writeln!(config, "  - {{name: {name}, url: '{url}'}}");
        }
        let bouncer = with("pg-bouncer", &format!("127.0.0.1:{db}/pgbouncer"));
        let _ = writeln!(config, "pgbouncers: [{{name: bouncer, url: '{bouncer}'}}]");
        let [smtp_secret, smtp_refused] = ["smtp", "smtp-refused"].map(in_url);
        let slack_refused = in_url("slack-refused");
        let [am, am_refused] = ["am", "am-refused"].map(in_url);
        let [rw, rw_refused, hb] = ["rw", "rw-refused", "heartbeat"].map(in_url);
        let email = "from: pgvigil@example.com, tls: none";
        let _ = write!(
            config,
            "rules: {{interval: 1s, files: [{}]}}\nnotify:\n  receivers:\n    \
             - {{name: mail, email: {{to: [a@example.com], {email}, smtp: 'smtp://ops:{smtp_secret}@127.0.0.1:{smtp}'}}}}\n    \
             - {{name: nomail, email: {{to: [a@example.com], {email}, smtp: 'smtp://ops:{smtp_refused}@127.0.0.1:{away}'}}}}\n    \
             - {{name: slack, slack: {{webhook_url: '{slack_url}'}}}}\n    \
             - {{name: noslack, slack: {{webhook_url: 'http://127.0.0.1:{away}/services/{slack_refused}'}}}}\n    \
             - {{name: am, alertmanager: {{urls: ['http://ops:{am}@{host}', 'http://ops:{am_refused}@127.0.0.1:{away}']}}}}\n\
             \x20 heartbeat: {{url: 'http://ops:{hb}@{host}/ping', every: 10s}}\n\
             remote_write: [{{name: rw, url: 'http://ops:{rw}@{host}/write'}}, \
             {{name: norw, url: 'http://ops:{rw_refused}@127.0.0.1:{away}/write'}}]\n",
            scratch.join("rules.yml").display(),
        );
        scratch.write(
            "rules.yml",
            "groups: [{name: g, rules: [{alert: Always, expr: vector(1), labels: {severity: critical}}]}]",
        );
        scratch.write("pgvigil.yml", config);
        let mut command = pgvigil();
        command.arg("--config").arg(scratch.join("pgvigil.yml"));
        let watch = Daemon::spawn(command_with_log(command));
        Corpus {
            scratch,
            port,
            watch,
        }
    }

    fn page(&self, path: &str) -> String {
        let url = format!("http://127.0.0.1:{}{path}", self.port);
        let answer = Command::new("curl")
            .args(["-s", "-i", "-m", "10", &url])
            .output();
        String::from_utf8_lossy(&answer.unwrap().stdout).into_owned()
    }

    /// All that a subcommand prints.
    fn run(&self, arguments: &[&str]) -> String {
        let mut command = pgvigil();
        command
            .arg("--config")
            .arg(self.scratch.join("pgvigil.yml"))
            .args(arguments);
        let output = command_with_log(command).output().unwrap();
        let both = [output.stdout, output.stderr].concat();
        String::from_utf8_lossy(&both).into_owned()
    }
}

fn command_with_log(mut command: Command) -> Command {
    command.env("PGVIGIL_LOG", "debug");
    command
}

#[test]
fn no_secret_is_said_anywhere_whatever_fails() {
    let (postgres, mail, hook) = (Postgres::start(15), SmtpSink::start(), HttpSink::start());
    postgres.sql("postgres", "CREATE ROLE ops LOGIN PASSWORD 'another'");
    // It says what it was sent, as proxies do in their error pages.
    let slack_url = format!("{}/services/{}", hook.url(), in_url("slack"));
    let echo = format!("no: {ECHO}");
    hook.usually(Answer::new(403, &[("Location", "/elsewhere")], &echo));
    for _ in 0..50 {
        mail.reply(
            Stage::Mail,
            &format!("451 4.3.0 {} {}", secret("smtp"), in_url("smtp")),
        );
    }
    let corpus = Corpus::start(&postgres, &mail, &hook, &slack_url);
    eventually("everybody has failed", PATIENCE, || {
        let metrics = corpus.page("/metrics");
        let output = corpus.watch.output();
        let refused = output.lines().any(|line| line.starts_with("error: "));
        assert!(!refused, "{output}");
        let down = metrics
            .lines()
            .filter(|line| line.starts_with("pg_up{") && line.ends_with(" 0"))
            .count();
        let deaf = metrics
            .lines()
            .filter(|line| line.starts_with("pgvigil_receiver_up{") && line.ends_with(" 0"));
        (down >= 3 && deaf.count() >= 5).then_some(())
    });

    let mut said = Vec::new();
    let paths = [
        "/",
        "/metrics",
        "/sd",
        "/probe?target=wrong",
        "/-/ready",
        "/primary?server=wrong",
        "/federate?match[]=up",
        "/api/v1/status/config",
        "/api/v1/status/flags",
        "/api/v1/targets",
        "/api/v1/rules",
        "/api/v1/alerts",
        "/api/v1/alertmanagers",
        "/api/v1/query?query=%7B__name__%3D~%22.%2B%22%7D",
        "/api/v1/status/tsdb",
        "/api/v2/status",
        "/api/v2/receivers",
        "/api/v2/alerts",
        "/no/such/page",
    ];
    said.extend(paths.map(|path| (path.to_owned(), corpus.page(path))));
    let commands: [&[&str]; 6] = [
        &["check"],
        &["explain"],
        &["once"],
        &["notify", "test"],
        &["query", "up"],
        &["replay"],
    ];
    said.extend(commands.map(|arguments| (arguments.join(" "), corpus.run(arguments))));
    said.push(("the log".to_owned(), corpus.watch.output()));
    let state = corpus.scratch.join("state");
    for file in ["incidents.log", "snapshot"] {
        let bytes = std::fs::read(state.join(file)).unwrap_or_default();
        said.push((
            file.to_owned(),
            String::from_utf8_lossy(&bytes).into_owned(),
        ));
    }
    assert!(said[0].1.contains("Always"), "{}", said[0].1);
    for (place, text) in &said {
        for name in NAMES {
            for spelling in spellings(name) {
                let found = text.lines().find(|line| line.contains(&spelling));
                assert_eq!(found, None, "the secret of `{name}` is in {place}");
            }
        }
    }
}

/// What is wrong in the configuration is said with its place, and without its value.
#[test]
fn no_secret_is_said_of_a_configuration_that_is_wrong() {
    let cases = [
        "servers: [{name: a, url: 'postgresql://ops:SECRET@db:port/x'}]",
        "servers: [{name: a, url: 'postgresql://ops:SECRET@/x?sslmode=sometimes'}]",
        "servers: [{name: a, url: 'host=db password=SECRET sslmode=sometimes'}]",
        "servers: [{name: a, url: 'host=db password=SECRET nonsense'}]",
        "servers: [{name: a, url: 'mysql://ops:SECRET@db'}]",
        "servers: [{name: a, url: 'postgresql://ops:SECRET@db', pasword: SECRET}]",
        "notify: {receivers: [{name: a, email: {to: [a@b.c], smtp: 'smtp://ops:SECRET@mail:port'}}]}",
        "notify: {receivers: [{name: a, email: {to: [a@b.c], smtp: 'ftp://ops:SECRET@mail'}}]}",
        "notify: {receivers: [{name: a, slack: {webhook_url: 'nonsense/SECRET'}}]}",
        "notify: {receivers: [{name: a, alertmanager: {urls: ['ftp://ops:SECRET@am']}}]}",
        "notify: {receivers: [{name: a, alertmanager: {urls: ['http://ops:SECRET@am', 'http://ops:SECRET@am']}}]}",
        "remote_write: [{url: 'ftp://ops:SECRET@rw/write'}]",
        "remote_write: [{url: 'http://ops:SECRET@rw/write', basic_auth: {username: a, password: SECRET}}]",
        "web: {auth: {users: {ops: SECRET}}}",
    ];
    for case in cases {
        let scratch = Scratch::new();
        let file = scratch.write("pgvigil.yml", case.replace("SECRET", "hunter2"));
        let mut command = pgvigil();
        command.env("DATABASE_URL", "postgresql://ops:hunter3@db:nonsense/x");
        let output = command
            .arg("--config")
            .arg(file)
            .arg("check")
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(!output.status.success(), "{case}: {said}");
        assert!(!said.contains("hunter"), "{case}: {said}");
    }
}
