//! The configuration as it may be shown: all that was written, but no secret.

use std::collections::BTreeMap;

use crate::document::{Node, Reader, Value};

use super::Config;

/// In the place of a secret.
const HIDDEN: &str = "<secret>";

/// Hashes of passwords, which are written under names that the user chooses.
const HASHES: &str = "web.auth.users.NAME";

/// What may be written under a key, by its path: `secret`, `mapping of texts` …
type Kinds = BTreeMap<String, String>;

/// As YAML. Only what is declared is written, for only then is it known whether it is secret.
pub(super) fn without_secrets(root: &Node) -> String {
    let declared = Reader::describe(|s| drop(Config::read(s, &|_| None)));
    let kinds = declared.into_iter().map(|each| (each.path, each.kind));
    let mut text = String::new();
    write(&mut text, root, "", "", &kinds.collect());
    text
}

fn write(out: &mut String, node: &Node, indent: &str, path: &str, kinds: &Kinds) {
    match &node.value {
        Value::Map(entries) => {
            for (key, value) in entries {
                let path = below(path, &key.text, kinds);
                out.push_str(&format!("{indent}{}:", scalar(&key.text)));
                beside(out, value, indent, &path, kinds);
            }
        }
        Value::List(items) => {
            // The elements of a list of texts have no declaration of their own.
            let path = match kinds.get(path).map(String::as_str) {
                Some("list of sections") => format!("{path}[]"),
                _ => path.to_owned(),
            };
            for item in items {
                let mut text = String::new();
                let inner = format!("{indent}  ");
                match &item.value {
                    Value::Scalar(_) | Value::Null => leaf(&mut text, item, &path, kinds),
                    _ => write(&mut text, item, &inner, &path, kinds),
                }
                out.push_str(&format!("{indent}- {}", text.trim_start_matches(' ')));
            }
        }
        Value::Scalar(_) | Value::Null => leaf(out, node, path, kinds),
    }
}

/// What stands behind a key, on its line or below it.
fn beside(out: &mut String, node: &Node, indent: &str, path: &str, kinds: &Kinds) {
    match &node.value {
        Value::Map(entries) if entries.is_empty() => out.push_str(" {}\n"),
        Value::List(items) if items.is_empty() => out.push_str(" []\n"),
        Value::Map(_) => {
            out.push('\n');
            write(out, node, &format!("{indent}  "), path, kinds);
        }
        Value::List(_) => {
            out.push('\n');
            write(out, node, indent, path, kinds);
        }
        Value::Scalar(_) | Value::Null => {
            out.push(' ');
            leaf(out, node, path, kinds);
        }
    }
}

fn leaf(out: &mut String, node: &Node, path: &str, kinds: &Kinds) {
    let text = match &node.value {
        Value::Scalar(text) => scalar(&shown(text, path, kinds)),
        _ => "null".into(),
    };
    out.push_str(&text);
    out.push('\n');
}

fn shown(text: &str, path: &str, kinds: &Kinds) -> String {
    let file = path.strip_suffix("_file");
    let named = file.is_some_and(|key| kinds.contains_key(key));
    let mapping = path.strip_suffix(".NAME").and_then(|path| kinds.get(path));
    let mapping = mapping.map(String::as_str);
    let of_mapping = mapping == Some("mapping of texts");
    match kinds.get(path).map(String::as_str) {
        Some("secret") => HIDDEN.into(),
        _ if path == HASHES || mapping == Some("mapping of secrets") => HIDDEN.into(),
        Some(_) => without_password(text),
        None if named || of_mapping => without_password(text),
        None => HIDDEN.into(),
    }
}

/// A text in which no address has a user or a password, nor what stands behind its `?`, where tokens are put.
fn without_password(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else {
        return text.to_owned();
    };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let user = host.rsplit_once('@').map_or("", |(user, _)| user);
    let hidden = if user.is_empty() { "" } else { HIDDEN };
    match rest[user.len()..].split_once('?') {
        Some((place, _)) => format!("{scheme}://{hidden}{place}?{HIDDEN}"),
        None => format!("{scheme}://{hidden}{}", &rest[user.len()..]),
    }
}

fn below(path: &str, key: &str, kinds: &Kinds) -> String {
    let key = match kinds.get(path).map(String::as_str) {
        Some("mapping of sections" | "mapping of texts" | "mapping of secrets") => "NAME",
        _ => key,
    };
    if path.is_empty() {
        key.to_owned()
    } else {
        format!("{path}.{key}")
    }
}

/// A text as YAML: as it is where that cannot be misread, else in quotes.
fn scalar(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./:+%".contains(c);
    let begins = text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '/' || c == '_');
    if begins && text.chars().all(plain) && !text.ends_with(':') && text != "null" {
        text.to_owned()
    } else {
        serde_json::Value::from(text).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::parse;

    #[test]
    fn all_is_shown_but_secrets() {
        let written = r#"
listen: "[::1]:9187"
external_labels: {zone: "a b", empty: ""}
web: {auth: {users: {ops: $2y$10$s3cr3t}}}
servers:
- name: one
  url: postgresql://u:s3cr3t@db/app
  databases: {include: [a*, b]}
- {name: two, url_file: /run/secrets/url, password: s3cr3t}
rules:
  override: {PgDown: {for: 5m, labels: {severity: info}}}
  files: []
notify:
  receivers:
  - {name: team, slack: {webhook_url: "https://hooks/s3cr3t"}}
  - {name: am, alertmanager: {urls: ["http://u:s3cr3t@am:9093/p@th"]}}
  - {name: hook, webhook: {url: "https://h/s3cr3t", secret: s3cr3t, headers: {X-Key: s3cr3t}, max_alerts: 3}}
  - {name: pd, pagerduty: {routing_key: s3cr3t}}
  - {name: bot, slack: {bot_token: s3cr3t, channel: C1}}
  - {name: own, command: {run: [/bin/tell, oncall], timeout: 3s}}
remote_write:
- {url: "http://u:s3cr3t@h/w?token=s3cr3t", headers: {X-Api-Key: s3cr3t}}
- {url: "http://h/w?token=s3cr3t"}
query:
"#;
        let expected = r#"listen: "[::1]:9187"
external_labels:
  zone: "a b"
  empty: ""
web:
  auth:
    users:
      ops: "<secret>"
servers:
- name: one
  url: "<secret>"
  databases:
    include:
    - "a*"
    - b
- name: two
  url_file: /run/secrets/url
  password: "<secret>"
rules:
  override:
    PgDown:
      for: 5m
      labels:
        severity: info
  files: []
notify:
  receivers:
  - name: team
    slack:
      webhook_url: "<secret>"
  - name: am
    alertmanager:
      urls:
      - "http://<secret>@am:9093/p@th"
  - name: hook
    webhook:
      url: "<secret>"
      secret: "<secret>"
      headers:
        X-Key: "<secret>"
      max_alerts: 3
  - name: pd
    pagerduty:
      routing_key: "<secret>"
  - name: bot
    slack:
      bot_token: "<secret>"
      channel: C1
  - name: own
    command:
      run:
      - /bin/tell
      - oncall
      timeout: 3s
remote_write:
- url: "http://<secret>@h/w?<secret>"
  headers:
    X-Api-Key: "<secret>"
- url: "http://h/w?<secret>"
query: null
"#;
        let shown = without_secrets(&parse("x.yml", written).unwrap());
        assert_eq!(shown, expected);
        assert_eq!(without_secrets(&parse("x.yml", &shown).unwrap()), expected);
    }
}
