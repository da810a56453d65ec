//! What bad input gets: one screen that names the thing, the cause and the way out, and the right exit code.

use std::time::Duration;

use super::harness::{Answer, Daemon, HttpSink, Postgres, Scratch, free_port, pgvigil};

struct Ended {
    code: i32,
    output: String,
}

fn run(arguments: &[&str], environment: &[(&str, &str)]) -> Ended {
    let (scratch, mut command) = (Scratch::new(), pgvigil());
    command
        .args(arguments)
        .envs(environment.iter().copied())
        .current_dir(scratch.path());
    command.env("PGVIGIL_STATE_DIR", scratch.path());
    let mut daemon = Daemon::spawn(command);
    let code = daemon.wait(Duration::from_secs(60)).expect("it ends");
    Ended {
        code,
        output: daemon.output(),
    }
}

#[test]
fn what_cannot_start_says_why() {
    let scratch = Scratch::new();
    let unknown_key = scratch.write("unknown.yml", "servrs: []\n");
    let broken_rules = scratch.write(
        "rules.yml",
        "groups:\n  - name: a\n    rules:\n      - {alert: X, expr: 'up =='}\n",
    );
    let broken = scratch.write(
        "broken.yml",
        format!("rules: {{files: ['{}']}}\n", broken_rules.display()),
    );
    let url = ("DATABASE_URL", "postgresql://u:hunter2@127.0.0.1:1/d");
    type Case<'a> = (&'a [&'a str], &'a [(&'a str, &'a str)], &'a [&'a str]);
    let cases: [Case; 7] = [
        (&[], &[], &["no server to watch", "set DATABASE_URL="]),
        (
            &["--config", unknown_key.to_str().unwrap()],
            &[url],
            &["unknown.yml:1:1", "did you mean `servers`?"],
        ),
        (
            &["--config", broken.to_str().unwrap()],
            &[url],
            &["rules.yml:4:", "`X`"],
        ),
        (
            &["--config", "missing.yml"],
            &[url],
            &["missing.yml: cannot be read"],
        ),
        (
            &["--listen", "nowhere"],
            &[url],
            &["flag --listen: listen: `nowhere` is no address"],
        ),
        (
            &[],
            &[("DATABASE_URL", "postgresql://u:hunter2@h:notaport/d")],
            &["DATABASE_URL", "port"],
        ),
        (
            &[],
            &[("DATABASE_URL", "postgresql://u:hunter2@h/d?sslmode=verify")],
            &["sslmode", "verify-full"],
        ),
    ];
    for (arguments, environment, expected) in cases {
        let ended = run(arguments, environment);
        assert_eq!(ended.code, 2, "{arguments:?}: {}", ended.output);
        for words in expected {
            assert!(ended.output.contains(words), "{words}\nin {}", ended.output);
        }
        assert!(!ended.output.contains("hunter2"), "{}", ended.output);
        assert!(
            ended.output.lines().count() < 25,
            "more than a screen: {}",
            ended.output
        );
    }
}

#[test]
fn what_another_process_has_is_named_with_the_way_out() {
    let (scratch, other) = (Scratch::new(), Scratch::new());
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken
        .local_addr()
        .map(|at| (taken, at.to_string()))
        .unwrap();
    let ours = format!("127.0.0.1:{}", free_port());
    let serve = |listen: &str, state: &Scratch| {
        let mut command = pgvigil();
        command
            .args(["--listen", listen, "--state-dir"])
            .arg(state.path())
            .env("DATABASE_URL", "postgresql://u@127.0.0.1:1/d");
        Daemon::spawn(command)
    };
    let first = serve(&ours, &scratch);
    super::harness::eventually("it watches", Duration::from_secs(30), || {
        first.output().contains("pgvigil watches").then_some(())
    });
    let free = format!("127.0.0.1:{}", free_port());
    let cases = [
        (&taken.1, &other, "hint: is another pgvigil running?"),
        (
            &free,
            &scratch,
            "hint: stop the other process, or set another `state_dir`",
        ),
    ];
    for (listen, state, hint) in cases {
        let mut second = serve(listen, state);
        assert_eq!(second.wait(Duration::from_secs(30)), Some(2));
        assert!(second.output().contains(hint), "{}", second.output());
    }
}

#[test]
fn check_says_who_is_told_and_which_folders_can_be_used() {
    let postgres = Postgres::start(15);
    let scratch = Scratch::new();
    let file = scratch.write("file", "");
    let check = |state: &std::path::Path, more: &str| {
        let config = scratch.write(
            "pgvigil.yml",
            format!(
                "servers: [{{url: '{}'}}]\nstate_dir: {}\n{more}",
                postgres.url("postgres", "postgres"),
                state.display()
            ),
        );
        let mut command = pgvigil();
        command.args(["check", "--config"]).arg(config);
        let mut daemon = Daemon::spawn(command);
        let code = daemon.wait(Duration::from_secs(60));
        (code, daemon.output())
    };
    let missing = scratch.path().join("missing");
    let backups = |folder: &std::path::Path| {
        format!(
            "notify: {{receivers: [{{name: ops, slack: {{webhook_url: 'https://hooks.example.com/x'}}}}]}}\n\
             backups: [{{name: nightly, every: 1d, files: '{}/*.gz'}}]\n",
            folder.display()
        )
    };
    let good = backups(scratch.path());
    scratch.write("a.gz", "");
    let cases: [(&std::path::Path, &str, i32, &[&str]); 4] = [
        (
            &missing,
            "",
            0,
            &[
                "warning  receivers      nobody would be told",
                "ok       state",
            ],
        ),
        (&file, "", 0, &["warning  state"]),
        (
            &missing,
            &good,
            0,
            &[
                "ok       receivers      1: ops",
                "ok       backups        `nightly`",
            ],
        ),
        (
            &missing,
            &backups(&missing),
            1,
            &["bad      backups        `nightly`", "does not exist"],
        ),
    ];
    for (state, more, code, expected) in cases {
        let (ended, output) = check(state, more);
        assert_eq!(ended, Some(code), "{output}");
        for words in expected {
            assert!(output.contains(words), "{words}\nin {output}");
        }
    }
    assert!(!missing.exists());
}

#[test]
fn a_broken_catalogue_is_no_reason_to_doubt_the_rules() {
    let scratch = Scratch::new();
    let broken = scratch.write("own.yml", "collectors: 3\n");
    let config = scratch.write(
        "pgvigil.yml",
        format!(
            "servers: [{{url: 'postgresql://u@127.0.0.1:1/d'}}]\ncollect: {{include: ['{}']}}\n",
            broken.display()
        ),
    );
    let ended = run(
        &["check", "--offline", "--config", config.to_str().unwrap()],
        &[],
    );
    assert_eq!(ended.code, 1, "{}", ended.output);
    assert!(!ended.output.contains("warning  rules"), "{}", ended.output);
}

#[test]
fn what_cannot_be_read_was_not_checked() {
    let ended = run(&["check", "--config", "missing.yml"], &[]);
    assert_eq!(ended.code, 2, "{}", ended.output);
    let words = "missing.yml: cannot be read";
    assert!(ended.output.contains(words), "{}", ended.output);
}

#[test]
fn check_names_what_is_wrong_with_a_server() {
    let postgres = Postgres::start(15);
    postgres.sql("postgres", "CREATE ROLE plain LOGIN");
    let at = |url: &str| run(&["check"], &[("DATABASE_URL", url)]);
    let base = format!("127.0.0.1:{}", postgres.port());
    let closed = free_port();
    let cases = [
        (format!("postgresql://postgres@{base}/postgres"), 0, "ok"),
        (format!("postgresql://nobody@{base}/postgres"), 1, "nobody"),
        (
            format!("postgresql://postgres@{base}/missing"),
            1,
            "missing",
        ),
        (
            format!("postgresql://postgres@127.0.0.1:{closed}/postgres"),
            1,
            "refused",
        ),
        (
            "postgresql://postgres@no-such-host.invalid/postgres".into(),
            1,
            "no-such-host.invalid",
        ),
        (
            format!("postgresql://postgres@{base}/postgres?sslmode=require"),
            1,
            "TLS",
        ),
        (
            format!("postgresql://plain@{base}/postgres"),
            0,
            "GRANT pg_monitor TO plain",
        ),
    ];
    for (url, code, words) in cases {
        let ended = at(&url);
        assert_eq!(ended.code, code, "{url}: {}", ended.output);
        assert!(
            ended.output.contains(words),
            "{url}: {words}\nin {}",
            ended.output
        );
        assert!(
            ended.output.lines().count() < 25,
            "more than a screen: {}",
            ended.output
        );
    }
}

#[test]
fn once_says_how_to_reach_a_server_that_it_cannot_reach() {
    let url = format!("postgresql://u:hunter2@127.0.0.1:{}/d", free_port());
    let ended = run(&["once"], &[("DATABASE_URL", &url)]);
    assert_eq!(ended.code, 1);
    for words in [
        "error: cannot connect to",
        "hint: check that the server runs",
    ] {
        assert!(ended.output.contains(words), "{}", ended.output);
    }
    assert!(!ended.output.contains("hunter2"), "{}", ended.output);
}

#[test]
fn once_prints_series_json_and_the_guides_line() {
    let postgres = Postgres::start(18);
    let url = postgres.url("postgres", "postgres");
    let once = |format: &str| {
        let ended = run(&["once", "--format", format], &[("DATABASE_URL", &url)]);
        assert_eq!(ended.code, 0, "{}", ended.output);
        ended.output
    };
    assert!(
        once("text")
            .lines()
            .any(|line| line.starts_with("pg_database_size_bytes{datname=\"postgres\"} "))
    );
    let json: serde_json::Value = serde_json::from_str(&once("json")).unwrap();
    assert!(json["samples"].as_array().unwrap().len() > 300);
    let line = once("line");
    let fields: Vec<f64> = line
        .trim()
        .split(',')
        .map(|field| field.parse().unwrap())
        .collect();
    assert!(
        fields.len() == 4 && fields[0] > 1.7e9 && fields[1] >= 0.0,
        "{line}"
    );
    assert!(
        fields[2] > 1e6 && (0.0..=1.0).contains(&fields[3]),
        "{line}"
    );
}

#[test]
fn explain_shows_what_each_collector_costs() {
    let postgres = Postgres::start(18);
    postgres.sql("postgres", "CREATE DATABASE shop");
    let scratch = Scratch::new();
    let own = scratch.write(
        "own.yml",
        "name: own\ndoc: Own.\nscope: database\nlabels: [datname]\n\
         queries: [{sql: \"SELECT current_database() AS datname, 1 / (current_database() <> 'shop')::int AS n\"}]\n\
         metrics: {own_n: {from: n, help: N.}}\n",
    );
    let config = scratch.write(
        "pgvigil.yml",
        format!(
            "servers: [{{url: '{}'}}]\ncollect: {{include: ['{}']}}\n",
            postgres.url("postgres", "postgres"),
            own.display()
        ),
    );
    let config = config.to_str().unwrap();
    let ended = run(&["explain", "--config", config], &[]);
    assert_eq!(ended.code, 1, "{}", ended.output);
    let line = |begins: &str| {
        let mut lines = ended.output.lines();
        lines
            .find(|line| line.starts_with(begins))
            .unwrap_or_else(|| panic!("{begins}\nin {}", ended.output))
    };
    assert!(line("own ").contains("1       B           2: postgres, shop"));
    assert_eq!(line("own in shop"), "own in shop  division by zero (22012)");
    let share = line("All ").split(' ').rev().nth(3).unwrap();
    let share: f64 = share.trim_end_matches('%').parse().unwrap();
    assert!((0.0..100.0).contains(&share) && share > 0.0, "{share}");
    line("wal_receiver ");
    let plan = run(&["explain", "--plan", "--config", config], &[]);
    assert_eq!(plan.code, 0, "{}", plan.output);
    assert!(!plan.output.contains("division"), "{}", plan.output);
}

#[test]
fn once_tells_several_servers_apart() {
    let postgres = Postgres::start(15);
    let url = postgres.url("postgres", "postgres");
    let scratch = Scratch::new();
    let config = scratch.write(
        "pgvigil.yml",
        format!("servers: [{{name: one, url: '{url}'}}, {{name: two, url: '{url}'}}]\n"),
    );
    let once = |format: &str| {
        let config = config.to_str().unwrap();
        run(&["once", "--format", format, "--config", config], &[]).output
    };
    let text = once("text");
    for line in ["pg_up{server=\"one\"} 1", "pg_up{server=\"two\"} 1"] {
        assert!(text.lines().any(|shown| shown == line), "{line}\nin {text}");
    }
    let named: Vec<String> = once("line")
        .lines()
        .filter_map(|line| Some(line.split(',').nth(4)?.to_owned()))
        .collect();
    assert_eq!(named, ["one", "two"]);
}

#[test]
fn a_reader_that_is_gone_is_the_end() {
    let postgres = Postgres::start(15);
    for arguments in [&["once"] as &[&str], &["explain"], &["check"], &["grants"]] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let ended = pgvigil()
            .args(arguments)
            .env("DATABASE_URL", postgres.url("postgres", "postgres"))
            .stdout(writer)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&ended.stderr);
        assert!(
            ended.status.success() && said.is_empty(),
            "{arguments:?}: {said}"
        );
    }
}

#[test]
fn notify_test_says_what_each_receiver_answered() {
    let (hook, gone) = (HttpSink::start(), HttpSink::start());
    gone.usually(Answer::new(404, &[], "no_service"));
    let scratch = Scratch::new();
    let config = scratch.write(
        "pgvigil.yml",
        format!(
            "servers: [{{url: 'postgresql://u@127.0.0.1:1/d'}}]\nnotify:\n  receivers:\n    - {{name: good, slack: {{webhook_url: '{}/s3cret'}}}}\n    - {{name: revoked, slack: {{webhook_url: '{}/s3cret'}}}}\n    - {{name: deaf, email: {{to: [a@example.com], from: b@example.com, smtp: 'smtp://127.0.0.1:{}'}}}}\n",
            hook.url(),
            gone.url(),
            free_port(),
        ),
    );
    let ended = run(
        &["notify", "test", "--config", config.to_str().unwrap()],
        &[],
    );
    assert_eq!(ended.code, 1, "{}", ended.output);
    assert!(!ended.output.contains("s3cret"), "{}", ended.output);
    assert_eq!(hook.requests().len(), 2);
    for words in [
        "good",
        "both messages were taken",
        "revoked",
        "no_service",
        "deaf",
        "127.0.0.1",
    ] {
        assert!(ended.output.contains(words), "{words}\nin {}", ended.output);
    }
}

#[test]
fn a_server_that_is_down_is_no_error_of_ours() {
    let postgres = Postgres::start(15);
    postgres.stop();
    let (scratch, port, mut command) = (Scratch::new(), free_port(), pgvigil());
    command
        .env("DATABASE_URL", postgres.url("postgres", "postgres"))
        .env("PGVIGIL_STATE_DIR", scratch.path());
    command.env("PGVIGIL_LISTEN", format!("127.0.0.1:{port}"));
    let mut watch = Daemon::spawn(command);
    let shows = |line: &str| {
        super::harness::eventually(line, Duration::from_secs(30), || {
            let url = format!("http://127.0.0.1:{port}/metrics");
            let page = std::process::Command::new("curl")
                .args(["-sf", "-m", "2", &url])
                .output()
                .unwrap()
                .stdout;
            String::from_utf8_lossy(&page)
                .lines()
                .any(|shown| shown == line)
                .then_some(())
        });
    };
    shows("pg_up 0");
    postgres.start_again();
    shows("pg_up 1");
    postgres.stop();
    shows("pg_up 0");
    postgres.start_again();
    shows("pg_up 1");
    let (said, restarts) = (watch.output(), "server is up");
    assert_eq!(said.matches(restarts).count(), 2, "{said}");
    assert_eq!(watch.wait(Duration::from_millis(1)), None);
    watch.signal("TERM");
    assert_eq!(
        watch.wait(Duration::from_secs(15)),
        Some(0),
        "{}",
        watch.output()
    );
}

#[test]
fn a_server_that_hangs_is_said_to_be_down_once() {
    let postgres = Postgres::start(18);
    let scratch = Scratch::new();
    let config = scratch.write(
        "pgvigil.yml",
        format!(
            "listen: 127.0.0.1:{}\nstate_dir: {}\nservers: [{{name: rachel, url: '{}'}}]\n\
             collect: {{interval: 1s, timeout: 1s, load_budget: off}}\n",
            free_port(),
            scratch.path().display(),
            postgres.url("postgres", "postgres"),
        ),
    );
    let mut command = pgvigil();
    command.arg("--config").arg(config);
    let watch = Daemon::spawn(command);
    let reading = "application_name = 'pgvigil' AND query LIKE '%pg_stat_%'";
    let said = |words: &str, times: usize| {
        super::harness::eventually(words, Duration::from_secs(30), || {
            (watch.output().matches(words).count() >= times).then_some(())
        });
    };
    said("server is up", 1);
    super::harness::eventually("a reading", Duration::from_secs(30), || {
        let count = format!("SELECT count(*) > 0 FROM pg_stat_activity WHERE {reading}");
        (postgres.sql("postgres", &count).trim() == "t").then_some(())
    });
    postgres.freeze();
    said("server is down", 1);
    postgres.thaw();
    said("server is up", 2);
    let log = watch.output();
    assert_eq!(log.matches("WARN").count(), 1, "{log}");
    assert!(!log.contains("collector"), "{log}");
}

/// All that is needed only when there is something to tell is asked for before, by `check` and at the start.
#[test]
fn what_the_configuration_names_and_is_not_there_is_named() {
    let scratch = Scratch::new();
    let (missing, empty) = (scratch.join("missing"), scratch.write("empty", "\n"));
    let (missing, empty) = (missing.display().to_string(), empty.display().to_string());
    let plain = scratch.write("plain", "hunter2").display().to_string();
    let text = format!(
        "servers: [{{url: 'postgresql://u@127.0.0.1:1/d', password_file: {missing}}}]
state_dir: {}
web: {{token_file: {missing}}}
notify:
  receivers:
  - {{name: a, slack: {{webhook_url_file: {missing}}}}}
  - {{name: b, slack: {{bot_token_file: {empty}, channel: C1}}}}
  - {{name: c, pagerduty: {{routing_key_file: {missing}}}}}
  - {{name: d, webhook: {{url_file: {missing}, secret_file: {empty}}}}}
  - {{name: e, email: {{to: [a@example.com], from: b@example.com, smtp: 'smtp://u@127.0.0.1:1', password_file: {empty}}}}}
  - {{name: f, command: {{run: [/no/such/program, hunter2]}}}}
  - {{name: g, command: {{run: [{plain}]}}}}
  - {{name: h, command: {{run: [sh, -c, 'true']}}}}
  policy:
  - {{to: a}}
  - {{match: severity=critcal, to: b}}
  heartbeat: {{url_file: {missing}}}
remote_write:
- {{url: 'http://127.0.0.1:1/w', basic_auth: {{username: u, password_file: {missing}}}}}
- {{url: 'http://127.0.0.1:2/w', authorization: {{credentials_file: {empty}}}}}
",
        scratch.path().display()
    );
    let config = scratch.write("pgvigil.yml", text);
    let config = config.to_str().unwrap();
    let named = [
        "servers[0].password_file",
        "web.token_file",
        "notify.receivers[0].slack.webhook_url_file",
        "notify.receivers[1].slack.bot_token_file",
        "notify.receivers[2].pagerduty.routing_key_file",
        "notify.receivers[3].webhook.url_file",
        "notify.receivers[3].webhook.secret_file",
        "notify.receivers[4].email.password_file",
        "notify.receivers[5].command.run",
        "notify.receivers[6].command.run",
        "notify.heartbeat.url_file",
        "remote_write[0].basic_auth.password_file",
        "remote_write[1].authorization.credentials_file",
    ];
    let ended = run(&["check", "--config", config, "--offline"], &[]);
    assert_eq!(ended.code, 0, "{}", ended.output);
    let beyond = run(&["check", "--config", config], &[]);
    let listen = format!("127.0.0.1:{}", free_port());
    let mut command = pgvigil();
    command.args(["--config", config, "--listen", &listen]);
    let serving = Daemon::spawn(command);
    super::harness::eventually("it watches", Duration::from_secs(30), || {
        serving.output().contains("pgvigil watches").then_some(())
    });
    let logged = serving.output();
    for key in named {
        let of_key = |output: &str| {
            let lines = output.lines();
            let of_key = lines.filter(|line| line.contains(&format!(" {key}: ")));
            of_key.map(str::to_owned).collect::<Vec<_>>()
        };
        let [line] = of_key(&ended.output).try_into().expect(key);
        assert!(
            line.starts_with("warning ") && line.contains("pgvigil.yml:"),
            "{line}"
        );
        assert!(
            of_key(&beyond.output)[0].starts_with("bad "),
            "{}",
            beyond.output
        );
        assert_eq!(of_key(&logged).len(), 1, "{key} in {logged}");
    }
    for words in [
        "missing`: No such file",
        "hint: name a file that holds the secret",
        "empty` is empty",
        "there is no program `/no/such/program`",
        "plain` may not be executed",
        "warning  notify         ",
        "notify.policy[1].match: no rule gives a severity that meets",
        "hint: did you mean `critical`?",
    ] {
        assert!(ended.output.contains(words), "{words}\nin {}", ended.output);
    }
    assert!(!ended.output.contains("receivers[7]"), "{}", ended.output);
    assert!(!(ended.output + &logged).contains("hunter2"));
}
