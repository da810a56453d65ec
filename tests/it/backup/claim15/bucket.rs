//! Objects in a bucket that a server in this process plays.

use pgvigil::backup::State;

use super::places::PLAIN;
use super::tally::Dice;
use super::watched::{Case, Cases, all, all_damaged, all_whole};
use crate::harness::{Answer, HttpSink, Request, Scratch};

struct Object {
    key: String,
    content: String,
    modified: &'static str,
    class: &'static str,
}

/// What an S3 says: to a listing, and to being asked for a range of an object.
fn answer(objects: &[Object], request: &Request) -> Answer {
    let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
    if query.contains("list-type=2") {
        let prefix = query
            .split('&')
            .find_map(|pair| pair.strip_prefix("prefix="));
        let prefix = prefix.unwrap_or_default().replace("%2F", "/");
        let listed = objects
            .iter()
            .filter(|object| object.key.starts_with(&prefix));
        let listed: String = listed.map(entry).collect();
        let text = format!("<?xml version=\"1.0\"?><ListBucketResult>{listed}</ListBucketResult>");
        return Answer::new(200, &[], &text);
    }
    let object = objects.iter().find(|object| path.ends_with(&object.key));
    let range = request.header("range").and_then(|range| {
        let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
        Some((first.parse::<usize>().ok()?, last.parse::<usize>().ok()?))
    });
    match (request.method.as_str(), object, range) {
        ("GET", Some(object), Some((first, last))) => {
            let whole = object.content.len();
            let last = last.min(whole - 1);
            let range = format!("bytes {first}-{last}/{whole}");
            let headers = [
                ("Content-Range", range.as_str()),
                ("ETag", "\"e1\""),
                ("Last-Modified", "Fri, 02 Jan 2026 03:04:05 GMT"),
            ];
            Answer::new(206, &headers, &object.content[first..=last])
        }
        _ => Answer::new(404, &[], "<Error><Code>NoSuchKey</Code></Error>"),
    }
}

fn entry(object: &Object) -> String {
    format!(
        "<Contents><Key>{}</Key><LastModified>{}</LastModified><ETag>\"e1\"</ETag><Size>{}</Size><StorageClass>{}</StorageClass></Contents>",
        object.key,
        object.modified,
        object.content.len(),
        object.class
    )
}

const PAST: &str = "2026-01-02T03:04:05.000Z";
const FUTURE: &str = "2096-01-02T03:04:05.000Z";

pub fn cases(_: &Scratch, dice: &mut Dice) -> Cases {
    let sink = HttpSink::start();
    // What was written longer ago than a look takes its turn is settled at the first one.
    let place = |folder: usize| {
        format!(
            "look: 10s, files: 's3://backups/c{folder}/*.sql', storage: {{endpoint: '{}', allow_http: true, region: r, access_key_id: a, secret_access_key: b}}",
            sink.url()
        )
    };
    let (mut objects, mut cases) = (Vec::new(), Vec::new());
    let mut put = |folder: usize, name: &str, content: &str, modified, class| {
        let (key, content) = (format!("c{folder}/{name}"), content.to_owned());
        objects.push(Object {
            key,
            content,
            modified,
            class,
        });
    };
    let mut bad: Vec<(String, String)> = (0..8)
        .map(|_| PLAIN[..dice.roll(PLAIN.len() - 60)].to_owned())
        .map(|content| (format!("an object of {} bytes", content.len()), content))
        .collect();
    bad.push(("an empty object".into(), String::new()));
    bad.push(("an object that is no dump".into(), "<html></html>".into()));
    bad.push((
        "an object that lacks its end".into(),
        PLAIN.replace(" complete", ""),
    ));
    for (what, content) in bad {
        let modified = if cases.len() % 4 == 0 { FUTURE } else { PAST };
        let folder = cases.len();
        put(folder, "a.sql", &content, modified, "STANDARD");
        let what = format!("{what} of {modified}");
        cases.push(Case::damaged(what, place(folder), all_damaged(1)));
    }
    // An upload in parts that was never finished is not listed.
    cases.push(Case::damaged(
        "no object",
        place(cases.len()),
        all(0, |_| false),
    ));
    let folder = cases.len();
    put(folder, "a.sql.part", PLAIN, PAST, "STANDARD");
    let is_running = all(1, |backup| backup.state == State::Running);
    cases.push(Case::damaged(
        "a half object under another name",
        place(folder),
        is_running,
    ));
    let folder = cases.len();
    put(folder, "a.sql", PLAIN, PAST, "STANDARD");
    put(
        folder,
        "a.sql.sha256",
        &format!("{}  a.sql\n", "0".repeat(64)),
        PAST,
        "STANDARD",
    );
    cases.push(Case::damaged(
        "another checksum beside an object",
        place(folder),
        all_damaged(1),
    ));
    for (what, modified) in [
        ("a whole object", PAST),
        ("a whole object of tomorrow", FUTURE),
    ] {
        let folder = cases.len();
        put(folder, "a.sql", PLAIN, modified, "STANDARD");
        cases.push(Case::good(what, place(folder), all_whole(1)));
    }
    sink.answering(move |request| answer(&objects, request));
    Cases {
        kind: "objects in a bucket",
        cases,
        _server: Some(sink),
    }
}
