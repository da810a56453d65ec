//! Configuration: layers in, a valid `Config` or every mistake out.

use std::path::PathBuf;

use pgvigil::config::{Config, Flags, load_from};

/// Loads a file and an environment; gives the mistakes as a user sees them.
fn check(yaml: &str, environment: &[(&str, &str)]) -> Result<Config, Vec<String>> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pgvigil.yml");
    std::fs::write(&file, yaml).unwrap();
    let environment = environment
        .iter()
        .map(|(name, text)| (name.to_string(), text.to_string()))
        .collect();
    let flags = Flags {
        config: Some(file),
        ..Flags::default()
    };
    let place = format!("{}/", folder.path().display());
    load_from(&flags, &environment).map_err(|problems| {
        problems
            .iter()
            .map(|problem| problem.to_string().replace(&place, ""))
            .collect()
    })
}

#[test]
fn every_mistake_is_reported_with_its_place() {
    let yaml = "\
listen: 9187
servers:
  - name: rachel
    url: postgresql://pgvigil@db/rachel
    databses: {exclude: [x]}
collect:
  interval: 15
backups:
  - {name: nightly, server: rahcel, files: /backups/*.gz}
";
    let complaints = check(yaml, &[("PGVIGIL_STORE__RETENTON", "2h")]).unwrap_err();
    let expected = [
        "pgvigil.yml:1:9: listen: `9187` is no address; write `127.0.0.1:9187` or `[::]:9187`",
        "pgvigil.yml:5:5: servers[0].databses: unknown key\n  hint: did you mean `databases`?",
        "pgvigil.yml:7:13: collect.interval: `15` is no duration; write a number and a unit, such as `15s`, `5m`, `1d` or `1h30m`",
        "environment variable PGVIGIL_STORE__RETENTON: store.retenton: unknown key\n  hint: did you mean `retention`?",
        "pgvigil.yml:9:29: backups[0].server: backup `nightly` belongs to server `rahcel`, which is not watched\n  hint: the servers are rachel",
    ];
    for line in expected {
        assert!(
            complaints.iter().any(|complaint| complaint.ends_with(line)),
            "{line}\nin {complaints:#?}"
        );
    }
    assert_eq!(complaints.len(), expected.len(), "{complaints:#?}");
}

#[test]
fn names_that_nothing_has_are_reported_with_their_places() {
    let yaml = "\
servers: [{name: shop, url: postgresql://db/shop}, {name: blog, url: postgresql://db/blog}]
backups:
  - {name: nightly, server: shop, files: /backups/*.gz}
  - {name: weekly, files: /backups/*.gz}
  - {name: copy, server: shop, files: /copies, copy_of: daily}
drills:
  - source: nightly
  - every: 7d
    source: nope
";
    let complaints = check(yaml, &[]).unwrap_err();
    let expected = [
        "pgvigil.yml:4:5: backups[1].server: backup `weekly` does not say which server it is of\n  hint: the servers are shop, blog",
        "pgvigil.yml:5:57: backups[2].copy_of: `copy` is said to be a copy of `daily`, which is no other backup here\n  hint: `copy_of` is the name of another backup",
        "pgvigil.yml:9:13: drills[1].source: a drill restores `nope`, which is none of the `backups`\n  hint: the backups are nightly, weekly, copy",
    ];
    assert_eq!(complaints, expected);
}

#[test]
fn haste_and_receivers_that_are_not_there_are_said_once_each() {
    let yaml = "\
servers: [{url: postgresql://pgvigil@db/rachel}]
collect: {interval: 100ms, override: {locks: {interval: 999ms}}}
rules: {interval: 1ms}
notify:
  recievers: [{name: a, slack: {webhook_url: 'https://hooks.example.com/x'}}]
  policy: [{to: [a]}, {to: [a, b]}]
";
    let complaints = check(yaml, &[]).unwrap_err();
    let hasty = "is shorter than a second\n  hint: write `1s` or more";
    let expected = [
        format!("collect.interval: {hasty}"),
        format!("collect.override.locks.interval: {hasty}"),
        format!("rules.interval: {hasty}"),
        "notify.recievers: unknown key\n  hint: did you mean `receivers`?".into(),
        "notify.policy: there are no receivers to name\n  hint: write `receivers` beside it".into(),
    ];
    for line in &expected {
        assert!(
            complaints.iter().any(|complaint| complaint.ends_with(line)),
            "{line}\nin {complaints:#?}"
        );
    }
    assert_eq!(complaints.len(), expected.len(), "{complaints:#?}");
}

#[test]
fn variables_that_others_set_are_no_settings() {
    let yaml = "servers: [{url: 'postgresql://u@h/d'}]\n";
    let kubernetes = [
        ("PGVIGIL_PORT", "tcp://10.0.0.1:9187"),
        ("PGVIGIL_PORT_9187_TCP_ADDR", "10.0.0.1"),
        ("PGVIGIL_SERVICE_HOST", "10.0.0.1"),
    ];
    check(yaml, &kubernetes).unwrap();
    check(yaml, &[("PGVIGIL_PORTS", "1")]).unwrap_err();
}

#[test]
fn names_of_collectors_are_known_once_included_files_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let own = folder.path().join("jobs.yml");
    let collector = "name: jobs\ndoc: Jobs.\nqueries: [{sql: SELECT 1 AS n}]\nmetrics: {jobs: {from: n, help: Jobs.}}\n";
    std::fs::write(&own, collector).unwrap();
    let yaml = format!(
        "servers: [{{url: 'postgresql://u@h/d'}}]\ncollect: {{include: ['{}'], disable: [jobs, job]}}\n",
        own.display()
    );
    let config = check(&yaml, &[]).unwrap();
    let problems = pgvigil::app::catalogue(&config).unwrap_err();
    let said: Vec<String> = problems.iter().map(|problem| problem.to_string()).collect();
    assert_eq!(
        said,
        [
            "configuration: collect.disable: there is no collector `job`\n  hint: `pgvigil explain` lists the collectors"
        ]
    );
}

#[test]
fn later_layers_win() {
    let yaml = "listen: 127.0.0.1:1\nstate_dir: /a\nservers: [{url: 'postgresql://u@h/d'}]\n";
    let config = check(
        yaml,
        &[
            ("PGVIGIL_LISTEN", "127.0.0.1:2"),
            ("PGVIGIL_COLLECT__INTERVAL", "7s"),
        ],
    )
    .unwrap();
    assert_eq!(config.listen.port(), 2);
    assert_eq!(config.collect.interval.as_secs(), 7);
    assert_eq!(config.state_dir, PathBuf::from("/a"));
    assert_eq!(config.external_url, "http://127.0.0.1:2");
}

#[test]
fn a_connection_string_is_enough() {
    let sources: [&[(&str, &str)]; 4] = [
        &[(
            "DATABASE_URL",
            "postgresql://pgvigil@db.example:5433/rachel",
        )],
        &[
            ("PGHOST", "db.example"),
            ("PGPORT", "5433"),
            ("PGUSER", "pgvigil"),
            ("PGDATABASE", "rachel"),
        ],
        &[(
            "DATA_SOURCE_NAME",
            "postgresql://pgvigil@db.example:5433/rachel",
        )],
        &[
            ("DATA_SOURCE_URI", "db.example:5433/rachel"),
            ("DATA_SOURCE_USER", "pgvigil"),
        ],
    ];
    for environment in sources {
        let config = check("", environment)
            .unwrap_or_else(|complaints| panic!("{environment:?}: {complaints:?}"));
        assert_eq!(config.servers.len(), 1);
        assert_eq!(config.servers[0].name, "db.example:5433", "{environment:?}");
    }
}

#[test]
fn nothing_to_watch_says_what_to_set() {
    let complaints = check("", &[]).unwrap_err();
    assert_eq!(complaints.len(), 1);
    assert!(
        complaints[0].contains("set DATABASE_URL="),
        "{complaints:?}"
    );
}

#[test]
fn receivers_come_from_short_names() {
    let environment = [
        ("DATABASE_URL", "postgresql://u@h/d"),
        ("PGVIGIL_SMTP_URL", "smtp://mail.example:587"),
        ("PGVIGIL_EMAIL_TO", "oncall@example.com, lead@example.com"),
        ("PGVIGIL_EMAIL_FROM", "pgvigil@example.com"),
        (
            "PGVIGIL_SLACK_WEBHOOK_URL",
            "https://hooks.slack.example/T/B/secret",
        ),
        (
            "PGVIGIL_ALERTMANAGER_URL",
            "http://am-1:9093,http://am-2:9093",
        ),
    ];
    let config = check("", &environment).unwrap();
    let names: Vec<&str> = config
        .notify
        .receivers
        .iter()
        .map(|receiver| receiver.name.as_str())
        .collect();
    assert_eq!(names, ["email", "slack", "alertmanager"]);
    assert!(!format!("{config:?}").contains("hooks.slack.example/T/B/secret"));
}

#[test]
fn endpoints_of_remote_write_come_from_anywhere_and_are_shown_without_secrets() {
    let folder = tempfile::tempdir().unwrap();
    let url = folder.path().join("url");
    std::fs::write(&url, "https://u:s3cr3t@mimir.example/push\n").unwrap();
    let endpoints = format!(
        "[{{url: 'http://${{HOST}}:9090/api/v1/write', headers: {{X-Key: '${{KEY}}'}}}}, {{url_file: {}}}]",
        url.display()
    );
    let environment = [
        ("DATABASE_URL", "postgresql://u@h/d"),
        ("HOST", "prometheus"),
        ("KEY", "s3cr3t"),
        ("PGVIGIL_REMOTE_WRITE", &endpoints),
    ];
    let config = check("", &environment).unwrap();
    let names: Vec<&str> = config
        .remote_write
        .iter()
        .map(|endpoint| endpoint.name.as_str())
        .collect();
    assert_eq!(names, ["prometheus:9090", "mimir.example:443"]);
    assert!(!format!("{config:?}").contains("s3cr3t"));

    let yaml = "\
servers: [{url: 'postgresql://u@h/d'}]
remote_write:
  - url: ftp://prometheus
  - {url: 'http://a/', queue_config: {max_sample_per_send: 5}}
  - {url: 'http://a/', remote_timeout: 5}
";
    let complaints = check(yaml, &[]).unwrap_err();
    let expected = [
        "pgvigil.yml:3:10: remote_write[0].url: begins with neither `http://` nor `https://`; write `url: http://HOST:9090/api/v1/write`",
        "pgvigil.yml:4:39: remote_write[1].queue_config.max_sample_per_send: unknown key\n  hint: did you mean `max_samples_per_send`?",
        "pgvigil.yml:5:40: remote_write[2].remote_timeout: `5` is no duration; write a number and a unit, such as `15s`, `5m`, `1d` or `1h30m`",
        "pgvigil.yml:3:3: remote_write: two endpoints are called `a:80`\n  hint: give each a `name` of its own",
    ];
    for line in expected {
        assert!(
            complaints.iter().any(|complaint| complaint.ends_with(line)),
            "{line}\nin {complaints:#?}"
        );
    }
    assert_eq!(complaints.len(), expected.len(), "{complaints:#?}");
}
