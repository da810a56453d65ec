//! An S3 that hangs, breaks off, cuts pages and gives what was not asked for.

use std::time::{Duration, Instant};

use pgvigil::backup::{Backup, Proof, State};

use super::{DEADLINE, PLAIN, Watched, obstacle, watch};
use crate::harness::{Answer, HttpSink};

/// A source that is looked at once.
fn source(sink: &HttpSink, timeout: &str) -> String {
    format!(
        "files: 's3://backups/daily/*.sql', look: 1h, storage: {{endpoint: '{}', allow_http: true, region: r, access_key_id: a, secret_access_key: b, timeout: {timeout}}}",
        sink.url()
    )
}

fn object(name: &str) -> String {
    format!(
        "<Contents><Key>daily/{name}</Key><LastModified>2026-01-02T03:04:05.000Z</LastModified><ETag>\"e1\"</ETag><Size>{}</Size></Contents>",
        PLAIN.len()
    )
}

fn page(content: &str) -> Answer {
    let text = format!("<?xml version=\"1.0\"?><ListBucketResult>{content}</ListBucketResult>");
    Answer::new(200, &[], &text)
}

/// A part of the dump, which says that it is all of it.
fn part(body: &str, version: &str, length: usize) -> Answer {
    let whole = PLAIN.len();
    Answer::bare(&format!(
        "HTTP/1.1 206 Partial Content\r\nContent-Length: {length}\r\nContent-Range: bytes 0-{}/{whole}\r\nETag: \"{version}\"\r\nLast-Modified: Fri, 02 Jan 2026 03:04:05 GMT\r\nConnection: close\r\n\r\n{body}",
        whole - 1
    ))
}

fn refusal(status: u16, code: &str) -> Answer {
    Answer::new(status, &[], &format!("<Error><Code>{code}</Code></Error>"))
}

/// What comes before the dump is read: its listing, a question about its encryption, and how it stands.
fn before_reading() -> [Answer; 3] {
    let one = page(&object("a.sql"));
    [one.clone(), refusal(404, "NoSuchKey"), one]
}

async fn after(watched: &Watched, sink: &HttpSink, requests: usize) -> Backup {
    watched
        .known(&format!("{requests} requests"), |record| {
            let backups = &record.facts.sighting.as_ref()?.backups;
            let is_due = sink.requests().len() >= requests;
            is_due.then(|| backups[0].clone())
        })
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_breaks_is_asked_for_again() {
    let sink = HttpSink::start();
    let whole = PLAIN.len();
    sink.script([refusal(503, "SlowDown")]);
    sink.script(before_reading());
    sink.script([
        part(&PLAIN[..whole / 2], "e1", whole),
        Answer::bare(""),
        refusal(503, "SlowDown"),
        refusal(500, "InternalError"),
    ]);
    sink.script([part(PLAIN, "e1", whole), page(&object("a.sql"))]);
    sink.usually(part(PLAIN, "e1", whole));
    let watched = watch(&source(&sink, "5s"));
    let backups = watched
        .known("a verdict or none", |record| {
            let backups = &record.facts.sighting.as_ref()?.backups;
            let is_due = backups[0].state.is_judged() || sink.requests().len() > 10;
            is_due.then(|| backups.clone())
        })
        .await;
    let asked: Vec<_> = sink
        .requests()
        .iter()
        .map(|r| format!("{} {}", r.method, r.path))
        .collect();
    assert_eq!(backups[0].proof, Proof::Whole, "{asked:#?}");
    let ranged = sink
        .requests()
        .into_iter()
        .filter(|request| request.path == "/backups/daily/a.sql");
    let mut ranged = ranged.filter(|request| request.method == "GET");
    let matched = ranged.all(|request| request.header("if-match") == Some("\"e1\""));
    assert!(matched, "a piece was asked for of any version");
    watched.stop().await;
}

/// Nothing is known against a backup that could not be read to its end, or became another one.
#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_fails_damages_no_backup() {
    let whole = PLAIN.len();
    let cases = [
        ("shorter than it says", part(&PLAIN[..50], "e1", 50), 7),
        ("broken off", part(&PLAIN[..50], "e1", whole), 7),
        (
            "overwritten, says the store",
            refusal(412, "PreconditionFailed"),
            4,
        ),
        ("overwritten, says the version", part(PLAIN, "e2", whole), 4),
        ("gone while it is read", refusal(404, "NoSuchKey"), 4),
        ("a key that is over", refusal(400, "ExpiredToken"), 4),
    ];
    let each = cases.map(|(name, answer, requests)| async move {
        let sink = HttpSink::start();
        sink.script(before_reading());
        sink.usually(answer);
        let watched = watch(&source(&sink, "5s"));
        let backup = after(&watched, &sink, requests).await;
        assert_eq!(
            (backup.state, backup.trouble),
            (State::Unread, None),
            "{name}"
        );
        watched.stop().await;
    });
    futures_util::future::join_all(each).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_bad_listing_is_an_empty_one() {
    let cut = "<ListBucketResult><Contents><Key>daily/a.sql</Key>";
    let more = "<IsTruncated>true</IsTruncated>";
    let token = "<NextContinuationToken>again</NextContinuationToken>";
    let broken = "HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n<ListBucketResult>";
    let cases = [
        (
            page("").after(Duration::from_secs(20)),
            "did not answer in time at `127.0.0.1:",
        ),
        (
            Answer::new(200, &[], cut),
            "gave no listing but a damaged listing",
        ),
        (Answer::bare(broken), "cannot be reached at `127.0.0.1:"),
        (page(more), "gave no listing but a listing without its end"),
        (
            page(&format!("{more}{token}")),
            "gave no listing but a listing that goes in circles",
        ),
        (
            Answer::new(
                200,
                &[],
                "<ListAllMyBucketsResult><Buckets/></ListAllMyBucketsResult>",
            ),
            "gave no listing but a `ListAllMyBucketsResult`; check `storage.endpoint`, and `storage.virtual_hosted`",
        ),
        (
            Answer::new(200, &[], "<!DOCTYPE html><html></html>"),
            "gave no listing but a `html`",
        ),
        (
            Answer::new(200, &[], ""),
            "gave no listing but something that is no XML",
        ),
        (refusal(503, "SlowDown"), "cannot answer now (`SlowDown`)"),
        (
            refusal(403, "AccessDenied"),
            "does not let this key in (`AccessDenied`)",
        ),
        (
            refusal(403, "RequestTimeTooSkewed"),
            "does not accept the time of this machine",
        ),
        (
            Answer::new(
                400,
                &[],
                "<Error><Code>AuthorizationHeaderMalformed</Code><Region>eu-west-1</Region></Error>",
            ),
            "is in another region, `eu-west-1`; set `storage.region`",
        ),
    ];
    let each = cases.map(|(answer, words)| async move {
        let sink = HttpSink::start();
        sink.usually(answer);
        let begun = Instant::now();
        let (said, _) = obstacle(&source(&sink, "1s")).await.unwrap_or_default();
        assert!(
            said.starts_with("bucket `s3://backups/daily` "),
            "{words}: {said}"
        );
        assert!(said.contains(words), "{said}");
        assert!(begun.elapsed() < DEADLINE / 2, "{said}");
    });
    futures_util::future::join_all(each).await;
}

/// Names that climb, that no path can have, and that are not below the place at all.
#[tokio::test(flavor = "multi_thread")]
async fn hostile_names_lead_nowhere() {
    let sink = HttpSink::start();
    let names = [
        "../x.sql",
        "/y.sql",
        "a//b.sql",
        "..",
        "",
        "&#x1;c.sql",
        "%2e%2e.sql",
    ];
    let all: String = names.map(object).concat();
    let astray = object("z.sql").replace("daily/", "../../etc/");
    let nameless = "<CommonPrefixes><Prefix>daily//</Prefix></CommonPrefixes>";
    let all = format!("{all}{astray}{nameless}");
    sink.script([page(&all), refusal(404, "NoSuchKey")]);
    sink.usually(refusal(500, "InternalError"));
    let watched = watch(&source(&sink, "5s"));
    let seen = watched
        .known("the look is over", |record| record.facts.sighting.clone())
        .await;
    let mut names: Vec<_> = seen
        .backups
        .iter()
        .map(|backup| backup.id.as_str())
        .collect();
    names.sort();
    assert_eq!(names, ["\u{1}c.sql", "%2e%2e.sql"]);
    assert_eq!(
        seen.complaints,
        [
            "5 of its names have `..`, `.` or nothing between slashes, such as `daily//`: what is called so is passed over"
        ]
    );
    watched.stop().await;
}
