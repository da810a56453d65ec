//! What may be written below `remote_write`.

use super::*;
use crate::document::{Problem, Reader, parse};

fn check(text: &str) -> (Vec<Settings>, Vec<String>) {
    let environment = |name: &str| (name == "TOKEN").then(|| "s3cr3t-of-environment".to_owned());
    let reader = Reader::new(Some(&environment));
    let settings = reader.read(&parse("x.yml", text).unwrap(), Settings::read_all);
    let problems = reader.problems();
    (settings, problems.iter().map(Problem::to_string).collect())
}

/// As it could stand in a Prometheus, but for `max_bytes`.
const WHOLE: &str = "
remote_write:
  - name: mimir
    url: https://u:s3cr3t@mimir.example/api/v1/push?token=s3cr3t
    remote_timeout: 10s
    headers: {X-Scope-OrgID: s3cr3t-tenant}
    tls_config: {ca_file: /ca, cert_file: /cert, key_file: /key, insecure_skip_verify: true}
    queue_config: {max_bytes: 1MiB, max_samples_per_send: 500, batch_send_deadline: 1s, min_backoff: 1s, max_backoff: 9s,
                   sample_age_limit: 1h}
    metadata_config: {send: false}
  - url: http://a:9090/api/v1/write
    basic_auth: {username: u, password: s3cr3t}
  - {name: x, url: 'http://a:9090', authorization: {credentials: '${TOKEN}'}}
";

#[test]
fn everything_can_be_set_and_no_secret_is_shown() {
    let (settings, problems) = check(WHOLE);
    assert_eq!(problems, Vec::<String>::new());
    let names: Vec<&str> = settings.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names, ["mimir", "a:9090", "x"]);
    assert_eq!(
        settings[0].url.to_string(),
        "https://mimir.example/api/v1/push"
    );
    let shown = format!("{settings:?}");
    assert!(!shown.contains("s3cr3t"), "{shown}");
    assert_eq!(
        settings[0].limits.age_limit,
        Some(Duration::from_secs(3600))
    );
    let [first, longest] = [30, 5000].map(Duration::from_millis);
    assert_eq!(settings[1].limits.backoff, (first, longest));
    assert_eq!(settings[1].metadata, Some(Duration::from_secs(60)));
}

#[test]
fn mistakes_are_named_with_their_place_and_without_the_secret() {
    let cases = [
        ("name: a", "x.yml:2:3: remote_write[0]: `url` is missing"),
        (
            "url: 'a:9090'",
            "2:9: remote_write[0].url: begins with neither",
        ),
        ("url: 'http://s3cr3t:x'", "remote_write[0].url: is no URL"),
        (
            "headers: {Authorization: s3cr3t}",
            "headers: `Authorization` cannot be set here",
        ),
        (
            "headers: {Content-Type: x}",
            "headers: `Content-Type` belongs to the protocol",
        ),
        (
            "headers: {'a b': x}",
            "headers: `a b` is no name of a header",
        ),
        (
            "headers: {a: \"s3cr3t\\nb\"}",
            "headers: the value of `a` has characters",
        ),
        (
            "basic_auth: {password: s3cr3t}",
            "basic_auth.username: `username` is missing",
        ),
        (
            "authorization: {type: Bearer}",
            "authorization: `credentials` is missing",
        ),
        (
            "authorization: {type: basic, credentials: s3cr3t}",
            "type: `Basic` is not for this section",
        ),
        (
            "authorization: {credentials: a}, basic_auth: {username: u}",
            "logs in twice",
        ),
        (
            "url: 'http://u:s3cr3t@a', authorization: {credentials: a}",
            "url: must not hold a user",
        ),
        (
            "remote_timeout: 0s",
            "remote_timeout: must be longer than zero",
        ),
        (
            "tls_config: {cert_file: /a}",
            "tls_config: `cert_file` and `key_file` go together",
        ),
        ("tls_config: {ca: /a}", "tls_config.ca: unknown key"),
        (
            "queue_config: {max_bytes: 0}",
            "max_bytes: must be more than zero",
        ),
        (
            "queue_config: {max_samples_per_send: 0}",
            "must be between 1 and 100000",
        ),
        (
            "queue_config: {min_backoff: 6s}",
            "max_backoff: is shorter than `min_backoff`",
        ),
        (
            "queue_config: {capacity: 10000}",
            "queue_config.capacity: unknown key",
        ),
        (
            "metadata_config: {send_interval: 1ms}",
            "send_interval: is shorter than a second",
        ),
        (
            "write_relabel_configs: [{source_labels: [a], action: replace}]",
            "`replace` is not done here",
        ),
        (
            "write_relabel_configs: [{source_labels: [a]}]",
            "write_relabel_configs[0]: `action` is missing",
        ),
        (
            "write_relabel_configs: [{regex: a, action: keep}]",
            "`source_labels` is missing",
        ),
        (
            "write_relabel_configs: [{source_labels: [a], regex: '(', action: keep}]",
            "regex: `(` is no regular expression",
        ),
        (
            "protobuf_message: x",
            "remote_write[0].protobuf_message: unknown key",
        ),
    ];
    for (text, said) in cases {
        let url = if text.contains("url:") || text == "name: a" {
            ""
        } else {
            "url: 'http://a', "
        };
        let (_, problems) = check(&format!("remote_write:\n- {{{url}{text}}}\n"));
        assert!(
            problems.len() == 1 && problems[0].contains(said),
            "{text}: {problems:#?}"
        );
        assert!(!problems[0].contains("s3cr3t"), "{problems:?}");
    }
    let twice = "remote_write: [{url: 'http://a:1/x'}, {url: 'http://a:1/y'}]";
    let (_, problems) = check(twice);
    assert!(
        problems[0].contains("two endpoints are called `a:1`"),
        "{problems:?}"
    );
}
