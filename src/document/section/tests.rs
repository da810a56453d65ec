use super::super::{Problem, parse};
use super::*;

fn check(text: &str, read: impl FnOnce(&mut Section)) -> Vec<String> {
    let environment = |name: &str| (name == "HOME_TOWN").then(|| "Bern".to_owned());
    let reader = Reader::new(Some(&environment));
    let root = parse("x.yml", text).unwrap();
    reader.read(&root, read);
    reader.problems().iter().map(Problem::to_string).collect()
}

#[test]
fn every_mistake_is_found_in_one_run() {
    let complaints = check("intervall: 5s\ntimeout: soon\nname: ${NOBODY}\n", |s| {
        s.duration("interval", "15s", "");
        s.duration("timeout", "5s", "");
        s.text("name", "", "");
    });
    assert_eq!(
        complaints,
        [
            "x.yml:1:1: intervall: unknown key\n  hint: did you mean `interval`?",
            "x.yml:2:10: timeout: `soon` is no duration; write a number and a unit, such as `15s`, `5m`, `1d` or `1h30m`",
            "x.yml:3:7: name: environment variable `NOBODY` is not set\n  hint: set it, or write the value here",
        ]
    );
}

#[test]
fn nested_keys_name_their_path() {
    let complaints = check("servers:\n  - {url: x}\n  - {nam: y}\n", |s| {
        s.list("servers", "", |s| {
            s.required_text("url", "a connection string")
        });
    });
    assert_eq!(
        complaints,
        [
            "x.yml:3:5: servers[1].url: `url` is missing\n  hint: a connection string",
            "x.yml:3:6: servers[1].nam: unknown key",
        ]
    );
}

#[test]
fn values_are_expanded_and_defaulted() {
    let complaints = check("town: from ${HOME_TOWN}!\nload: 5%\nroom: 32MiB\n", |s| {
        assert_eq!(s.text("town", "", ""), "from Bern!");
        assert_eq!(s.share("load", "1%", ""), 0.05);
        assert_eq!(s.bytes("room", "1kB", ""), 32 << 20);
        assert_eq!(s.duration("interval", "15s", ""), Duration::from_secs(15));
    });
    assert!(complaints.is_empty(), "{complaints:?}");
}

#[test]
fn reading_declares() {
    let declared = Reader::describe(|s| {
        s.list("servers", "What to watch.", |s| {
            s.secret("password", "Its password.")
        });
    });
    let paths: Vec<&str> = declared
        .iter()
        .map(|declaration| declaration.path.as_str())
        .collect();
    assert_eq!(paths, ["servers", "servers[].password"]);
}
