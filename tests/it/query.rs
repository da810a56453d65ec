//! `pgvigil query` over the HTTP API of a real Prometheus and of pgvigil itself, and over a snapshot.

use std::fs::File;
use std::process::{Command, Output};
use std::time::Duration;

use pgvigil::sample::{Labels, Sources, Timestamp};
use pgvigil::store::{Settings, Store};

use super::harness::{Daemon, Prometheus, Scratch, eventually, free_port, pgvigil};

/// Two series every half minute of the first ten minutes, as OpenMetrics.
fn samples() -> String {
    let mut text = String::from("# TYPE m gauge\n");
    for instance in ["a", "b"] {
        for point in 0..=20 {
            let value = point * if instance == "a" { 1 } else { 10 };
            text.push_str(&format!(
                "m{{instance=\"{instance}\",job=\"x, \\\"y\\\"\"}} {value} {}\n",
                point * 30
            ));
        }
    }
    text + "# EOF\n"
}

fn query(arguments: &[&str], url: &str) -> Output {
    let mut command: Command = pgvigil();
    command.env("TZ", "UTC").env("PGVIGIL_URL", url);
    command.arg("query").args(arguments).output().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn values_are_shown_as_tables_charts_json_and_csv() {
    let prometheus = Prometheus::over(&samples(), &[]);
    let url = prometheus.url();
    let at = ["--at", "600"];
    let cases = [
        (
            vec!["m"],
            "metric  instance  job     value\nm       a         x, \"y\"     20\nm       b         x, \"y\"    200\n",
        ),
        (vec!["sum(m)"], "220\n"),
        (vec!["1 + 1"], "2\n"),
        (vec!["'text'"], "text\n"),
        (vec!["nothing"], ""),
        (
            vec!["m{instance='a'}[1m]"],
            "m{instance=\"a\", job=\"x, \\\"y\\\"\"}\n  1970-01-01 00:09:30  19\n  1970-01-01 00:10:00  20\n",
        ),
        (
            vec!["m", "--format", "csv"],
            "__name__,instance,job,timestamp,value\r\nm,a,\"x, \"\"y\"\"\",600,20\r\nm,b,\"x, \"\"y\"\"\",600,200\r\n",
        ),
        (
            vec![
                "sum(m)", "--range", "1m", "--step", "30s", "--format", "csv",
            ],
            "timestamp,value\r\n540,198\r\n570,209\r\n600,220\r\n",
        ),
    ];
    for (arguments, expected) in cases {
        let output = query(&[&arguments[..], &at].concat(), &url);
        assert_eq!(
            output.status.code(),
            Some(0),
            "{arguments:?} {}",
            err(&output)
        );
        assert_eq!(out(&output), expected, "{arguments:?}");
        let nothing = ["", "no series has a value\n"][usize::from(expected.is_empty())];
        assert_eq!(err(&output), nothing, "{arguments:?}");
    }
    let json = query(
        &["m", "--format", "json", "--at", "1970-01-01T00:10:00Z"],
        &url,
    );
    let json: serde_json::Value = serde_json::from_str(&out(&json)).unwrap();
    assert_eq!(json["resultType"], "vector");
    assert_eq!(json["result"][1]["value"], serde_json::json!([600, "200"]));

    let chart = out(&query(&["m", "--range", "10m", "--at", "600"], &url));
    let lines: Vec<&str> = chart.lines().collect();
    assert_eq!(
        lines.iter().filter(|line| line.starts_with("m{")).count(),
        2,
        "{chart}"
    );
    for told in [
        "min 0  max 20  last 20",
        "min 0  max 200  last 200",
        "00:00:00",
        "00:05:00",
        "00:10:00",
    ] {
        assert!(chart.contains(told), "{told}\n{chart}");
    }
    assert!(
        lines.iter().all(|line| line.chars().count() <= 80),
        "{chart}"
    );
    assert!(!chart.contains('\u{1b}'), "no colours but on a terminal");
}

#[test]
fn what_is_wrong_or_doubtful_is_told_beside_the_value() {
    let prometheus = Prometheus::over(&samples(), &[]);
    let url = prometheus.url();
    let wrong = query(&["sum(m) by a"], &url);
    assert_eq!(wrong.status.code(), Some(1));
    assert_eq!(
        err(&wrong),
        "error: unexpected identifier \"a\" in grouping opts, expected \"(\"\n  sum(m) by a\n            ^\n"
    );
    let failed = query(&["m * on() m", "--at", "600"], &url);
    assert_eq!(failed.status.code(), Some(1));
    assert!(
        err(&failed).starts_with("error: found duplicate series"),
        "{}",
        err(&failed)
    );
    let doubtful = query(&["quantile(2, m)", "--at", "600"], &url);
    assert_eq!(
        (doubtful.status.code(), out(&doubtful).as_str()),
        (Some(0), "+Inf\n")
    );
    assert!(
        err(&doubtful).starts_with("warning: PromQL warning: quantile value"),
        "{}",
        err(&doubtful)
    );
    let info = query(&["rate(m[5m])", "--at", "600"], &url);
    assert!(
        err(&info).starts_with("info: PromQL info: metric might not be a counter"),
        "{}",
        err(&info)
    );
}

/// A pgvigil whose server is down and that wants a password, asked by what its configuration says.
#[test]
fn our_own_server_answers_whom_it_knows() {
    let (scratch, port) = (Scratch::new(), free_port());
    let hash = bcrypt::hash("open sesame", 4).unwrap();
    let state = scratch.join("state");
    let config = scratch.write(
        "pgvigil.yml",
        format!(
            "listen: 127.0.0.1:{port}\nstate_dir: {}\nservers: [{{name: rachel, url: 'postgres://me@127.0.0.1:1/none'}}]\n\
             web: {{auth: {{users: {{ali: '{hash}'}}}}}}\n",
            state.display()
        ),
    );
    let mut serve = pgvigil();
    serve.args(["serve", "--config"]).arg(&config);
    let _daemon = Daemon::spawn(serve);
    let config = ["--config", config.to_str().unwrap()];
    let refused = eventually("it answers", Duration::from_secs(30), || {
        let output = query(&[&["pg_up"][..], &config].concat(), "");
        err(&output).contains("refuses").then_some(output)
    });
    assert_eq!(refused.status.code(), Some(2));
    assert!(err(&refused).contains("401"), "{}", err(&refused));
    let url = format!("http://ali:open%20sesame@127.0.0.1:{port}/");
    let told = eventually("pg_up is known", Duration::from_secs(30), || {
        let output = query(&["pg_up"], &url);
        assert_eq!(output.status.code(), Some(0), "{}", err(&output));
        Some(out(&output)).filter(|told| !told.is_empty())
    });
    assert!(
        told.starts_with("metric") && told.ends_with(" 0\n"),
        "{told}"
    );
    let wrong = query(&["pg_up ="], &url);
    assert_eq!(wrong.status.code(), Some(1));
    assert!(err(&wrong).contains("\n  pg_up =\n"), "{}", err(&wrong));
}

#[test]
fn a_snapshot_answers_without_a_server() {
    let scratch = Scratch::new();
    let settings = Settings {
        retention: Duration::from_secs(3600),
        max_bytes: 1 << 20,
    };
    let store = Store::new(&settings, Timestamp(0));
    for minute in 0..=10 {
        let labels = Labels::new([("__name__", "m"), ("instance", "a")]);
        store.append(
            Timestamp(minute * 60_000),
            &Sources::default(),
            [(labels, minute as f64)],
        );
    }
    let path = scratch.join("store.snapshot");
    let mut file = File::create(&path).unwrap();
    store.write_snapshot(&mut file, Timestamp(600_000)).unwrap();
    drop(file);
    let file = path.to_str().unwrap();
    let cases = [
        (
            vec!["m"],
            "metric  instance  value\nm       a            10\n",
        ),
        (
            vec!["m", "--at", "-5m"],
            "metric  instance  value\nm       a             5\n",
        ),
        (
            vec![
                "sum(m) / 4",
                "--range",
                "1m",
                "--step",
                "1m",
                "--format",
                "csv",
            ],
            "timestamp,value\r\n540,2.25\r\n600,2.5\r\n",
        ),
        (
            vec!["1", "--format", "json"],
            "{\n  \"resultType\": \"scalar\",\n  \"result\": [\n    600,\n    \"1\"\n  ]\n}\n",
        ),
    ];
    for (arguments, expected) in cases {
        let output = query(&[&arguments[..], &["--snapshot", file]].concat(), "");
        assert_eq!(
            output.status.code(),
            Some(0),
            "{arguments:?} {}",
            err(&output)
        );
        assert_eq!(out(&output), expected, "{arguments:?}");
    }
    let chart = out(&query(&["m", "--range", "10m", "--snapshot", file], ""));
    assert!(chart.contains("min 0  max 10  last 10"), "{chart}");
    let wrong = query(&["m +", "--snapshot", file], "");
    assert_eq!(
        (wrong.status.code(), err(&wrong).as_str()),
        (Some(1), "error: unexpected end of input\n  m +\n     ^\n")
    );
    scratch.write("store.snapshot", "nonsense");
    let damaged = query(&["m", "--snapshot", file], "");
    assert_eq!(damaged.status.code(), Some(2));
    assert!(
        err(&damaged).contains("because is no snapshot"),
        "{}",
        err(&damaged)
    );
}

#[test]
fn who_cannot_be_reached_is_named_without_secrets() {
    let port = free_port();
    let output = query(&["m"], &format!("http://me:secret@127.0.0.1:{port}/under"));
    assert_eq!(output.status.code(), Some(2));
    let told = err(&output);
    assert!(
        told.contains(&format!("no answer from `127.0.0.1:{port}`")),
        "{told}"
    );
    assert!(!told.contains("secret"), "{told}");
    assert!(
        told.matches("because").count() == 1 && told.contains("hint: is pgvigil running there?"),
        "{told}"
    );
    for arguments in [
        ["m", "--url", "localhost:9090"],
        ["m", "--at", "yesterday"],
        ["m", "--range", "soon"],
    ] {
        let output = query(&arguments, "http://127.0.0.1:1");
        assert_eq!(
            output.status.code(),
            Some(2),
            "{arguments:?} {}",
            err(&output)
        );
    }
}
