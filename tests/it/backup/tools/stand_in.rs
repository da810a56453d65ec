//! A program in a tool's place that does what tools do on their bad days. Nothing that was known may vanish or freeze.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use super::is_alive;
use crate::backup::watched::Watched;
use crate::harness::{Answer, Daemon, HttpSink, Scratch, eventually_async, free_port, pgvigil};

const DEADLINE: Duration = Duration::from_secs(30);
const INFO: &str =
    include_str!("../../../../src/backup/tool/testdata/pgbackrest/ok-full-diff-incr.json");
const UNREADABLE: &str = r#"[{"name":"main","backup":[],"repo":[{"key":1,"status":{"code":99,"message":"[PathOpenError] unable to list file info for path '/repo': [13] Permission denied"}}],"status":{"code":99}}]"#;
const BARMAN: &str =
    include_str!("../../../../src/backup/tool/testdata/barman/v3.4.0-list-backups-killed9.json");

/// A script that another one replaces at once.
struct Script(PathBuf);

impl Script {
    fn of(scratch: &Scratch, text: &str) -> Script {
        let script = Script(scratch.join("tool"));
        script.becomes(text);
        script
    }

    fn becomes(&self, text: &str) {
        let aside = self.0.with_extension("new");
        fs::write(&aside, text).unwrap();
        fs::rename(aside, &self.0).unwrap();
    }
}

fn answering(json: &str) -> String {
    // What is asked after `info` is the listing of the archive.
    format!("case \"$*\" in *repo-ls*) echo '{{}}' ;; *) cat <<'END'\n{json}\nEND\n;; esac\n")
}

fn id_in(file: &Path) -> Option<u32> {
    fs::read_to_string(file).ok()?.trim().parse().ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tool_on_its_bad_days_hides_nothing() {
    let scratch = Scratch::new();
    let script = Script::of(&scratch, &answering(INFO));
    let text = format!(
        "backups: [{{name: repo, server: shop, look: 100ms, pgbackrest: {{stanza: main, timeout: 2s, command: [sh, '{}']}}}}]",
        script.0.display()
    );
    let watched = Watched::over(&text, scratch.path());
    let known = [("count", "full", 1.0), ("count", "incr", 1.0)];
    let good = [("probe_success", "", 1.0), ("problem", "tool_failed", 0.0)];
    watched
        .until("it is asked", &[&known[..], &good].concat())
        .await;
    let succeeded = watched.value("last_success_timestamp_seconds", "full");
    assert_eq!(succeeded, Some(1_795_418_991.0));

    let pid = scratch.join("pid");
    let hung = format!(
        "sleep 600 & echo $! >'{0}.new'; mv '{0}.new' '{0}'; wait",
        pid.display()
    );
    let cases = [
        ("tool_silent", hung, "has not answered for 2 s"),
        (
            "answer_unreadable",
            answering(&INFO[..INFO.len() / 2]),
            "control character",
        ),
        ("answer_unreadable", "true".into(), "it is empty"),
        (
            "answer_unreadable",
            answering("{\"hello\": 1}"),
            "no list of stanzas",
        ),
        (
            "tool_failed",
            "echo; echo 'ERROR: [055]: \u{1b}[31mno config' >&2; exit 55".into(),
            "it ended with 55: ERROR: [055]: [31mno config",
        ),
        (
            "tool_failed",
            answering(UNREADABLE),
            "[13] Permission denied",
        ),
        ("tool_failed", "kill -9 $$".into(), "was killed by a signal"),
        (
            "answer_unreadable",
            "head -c 70000000 /dev/zero | tr '\\0' ' '".into(),
            "longer than 64 MiB",
        ),
    ];
    for (problem, text, words) in cases {
        script.becomes(&text);
        let failing = [("problem", problem, 1.0), ("probe_success", "", 0.0)];
        watched.until(words, &[&known[..], &failing].concat()).await;
        let said = || async {
            let error = watched.board.statuses()[0].error.clone()?;
            error.contains(words).then_some(error)
        };
        let error = eventually_async(words, DEADLINE, said).await;
        assert!(!error.chars().any(char::is_control), "{error:?}");
        let age = watched.value("age_seconds", "full");
        eventually_async("ages grow meanwhile", DEADLINE, || async {
            (watched.value("age_seconds", "full") > age).then_some(())
        })
        .await;
        assert_eq!(
            watched.value("last_success_timestamp_seconds", "full"),
            succeeded
        );
    }
    let sleeper = id_in(&pid).unwrap();
    eventually_async("what hung has been ended", DEADLINE, || async {
        (!is_alive(sleeper)).then_some(())
    })
    .await;

    let noisy = format!(
        "echo 'WARN: noise' >&2; echo 'Welcome to db1'\n{}",
        answering(INFO)
    );
    script.becomes(&noisy);
    watched
        .until("noise before the answer is no harm", &good)
        .await;
    watched.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_ends_the_watch_ends_the_tool() {
    let scratch = Scratch::new();
    let pid = scratch.join("pid");
    let text = format!(
        "echo $$ >'{0}.new'; mv '{0}.new' '{0}'; exec sleep 600",
        pid.display()
    );
    let script = Script::of(&scratch, &text);
    let text = format!(
        "backups: [{{name: m, server: shop, barman: {{server: rachel, command: [sh, '{}']}}}}, \
         {{name: none, server: shop, look: 100ms, walg: {{command: [/no/such/wal-g]}}}}]",
        script.0.display()
    );
    let watched = Watched::over(&text, scratch.path());
    let sleeper = eventually_async("it is asked", DEADLINE, || async { id_in(&pid) }).await;
    assert!(is_alive(sleeper));
    watched
        .until(
            "the other is not there",
            &[("problem", "tool_missing", 1.0)],
        )
        .await;
    watched.stop().await;
    eventually_async("it has been ended", DEADLINE, || async {
        (!is_alive(sleeper)).then_some(())
    })
    .await;
}

fn put(path: &Path, text: &str, hours_ago: u64) {
    let aside = path.with_extension("new");
    fs::write(&aside, text).unwrap();
    let file = fs::File::options().write(true).open(&aside).unwrap();
    file.set_modified(SystemTime::now() - Duration::from_secs(hours_ago * 3600))
        .unwrap();
    fs::rename(aside, path).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_in_a_file_has_an_age() {
    let scratch = Scratch::new();
    let file = scratch.join("barman.json");
    let text = format!(
        "backups: [{{name: m, server: shop, look: 100ms, barman: {{server: rachel, file: '{}', max_age: 2h}}}}]",
        file.display()
    );
    let watched = Watched::over(&text, scratch.path());
    watched
        .until(
            "nothing is there yet",
            &[
                ("problem", "answer_unreadable", 1.0),
                ("probe_success", "", 0.0),
            ],
        )
        .await;
    put(&file, BARMAN, 1);
    let told = [
        ("count", "done", 3.0),
        ("count", "failed", 1.0),
        ("count", "running", 1.0),
        ("probe_success", "", 1.0),
    ];
    watched.until("it is read", &told).await;
    let age = watched.value("answer_age_seconds", "").unwrap();
    assert!((3600.0..3700.0).contains(&age), "{age}");
    // It is read although it is old: what is in it is better than nothing, and is not taken for news.
    put(&file, "{\"rachel\": []}", 3);
    watched
        .until(
            "an old answer",
            &[
                ("problem", "answer_old", 1.0),
                ("probe_success", "", 0.0),
                ("count", "done", 0.0),
            ],
        )
        .await;
    put(&file, &BARMAN[..300], 0);
    watched
        .until(
            "one that is being written",
            &[
                ("problem", "answer_unreadable", 1.0),
                ("problem", "answer_old", 0.0),
            ],
        )
        .await;
    put(&file, BARMAN, 0);
    watched.until("it is good again", &told).await;
    watched.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_at_an_address_has_an_age() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let scratch = Scratch::new();
    let sink = HttpSink::start();
    sink.usually(Answer::new(503, &[], "busy"));
    let text = format!(
        "backups: [{{name: m, server: shop, look: 100ms, barman: {{server: rachel, timeout: 2s, url: '{}/b?token=hunter2'}}}}]",
        sink.url()
    );
    let watched = Watched::over(&text, scratch.path());
    let refused = [("problem", "answer_unreadable", 1.0)];
    watched.until("it is refused", &refused).await;
    let error = watched.board.statuses()[0].error.clone().unwrap();
    assert!(
        error.contains("/b`: answered 503") && !error.contains("hunter2"),
        "{error}"
    );

    let modified = [("Last-Modified", "Mon, 23 Nov 2026 07:40:15 GMT")];
    sink.usually(Answer::new(200, &modified, BARMAN));
    let told = [
        ("count", "done", 3.0),
        ("problem", "answer_old", 1.0),
        ("probe_success", "", 0.0),
    ];
    watched.until("it is read, and old", &told).await;
    assert!(watched.value("answer_age_seconds", "").unwrap() > 0.0);
    sink.usually(Answer::new(200, &[], BARMAN));
    watched
        .until("it does not say its age", &[("probe_success", "", 1.0)])
        .await;
    assert_eq!(watched.value("answer_age_seconds", ""), None);
    sink.usually(Answer::default().after(Duration::from_secs(3)));
    watched
        .until(
            "it takes too long",
            &[("problem", "tool_silent", 1.0), ("count", "done", 3.0)],
        )
        .await;
    watched.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_never_waits_for_a_tool_which_knows_nothing_of_ours() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let scratch = Scratch::new();
    let seen = scratch.join("seen");
    let dump = format!(
        "env >'{0}.new'; pwd >>'{0}.new'; mv '{0}.new' '{0}'\n",
        seen.display()
    );
    let script = Script::of(&scratch, &format!("{dump}{}", answering(INFO)));
    let port = free_port();
    let config = scratch.write(
        "pgvigil.yml",
        format!(
            "listen: '127.0.0.1:{port}'\nstate_dir: '{}'\nservers: [{{name: shop, url: 'postgresql://nobody@127.0.0.1:1/shop'}}]\n\
             backups: [{{name: repo, server: shop, look: 1s, pgbackrest: {{stanza: main, timeout: 1m, command: [sh, '{}']}}}}]",
            scratch.join("state").display(),
            script.0.display()
        ),
    );
    let mut command = pgvigil();
    command.arg("--config").arg(config);
    command.env("PGVIGIL_SLACK_WEBHOOK_URL", "http://127.0.0.1:9/hunter2");
    command
        .env("PGPASSWORD", "hunter2")
        .env("PGBACKREST_REPO1_CIPHER_PASS", "theirs");
    let daemon = Daemon::spawn(command);
    let page = || async {
        let asked = Instant::now();
        let page = reqwest::get(format!("http://127.0.0.1:{port}/metrics"))
            .await
            .ok()?;
        Some((page.text().await.ok()?, asked.elapsed()))
    };
    let count = "pg_backup_count{kind=\"full\",source=\"repo\",state=\"done\"} 1";
    eventually_async("it is on the page", DEADLINE, || async {
        page().await.filter(|(page, _)| page.contains(count))
    })
    .await;
    let theirs = fs::read_to_string(&seen).unwrap();
    assert!(
        !theirs.contains("hunter2") && !theirs.contains("PGVIGIL_"),
        "{theirs}"
    );
    assert!(
        theirs.contains("CIPHER_PASS=theirs") && theirs.ends_with("\n/\n"),
        "{theirs}"
    );

    fs::remove_file(&seen).unwrap();
    script.becomes(&format!("{dump}exec sleep 600"));
    eventually_async("it hangs", DEADLINE, || async {
        seen.exists().then_some(())
    })
    .await;
    let mut fastest = Duration::MAX;
    for _ in 0..20 {
        let (page, took) = page().await.expect("a page");
        assert!(page.contains(count), "{page}");
        fastest = fastest.min(took);
    }
    // Of several, and not too strict, for the machine has other things to do; the tool would take a minute.
    assert!(fastest < Duration::from_millis(500), "{fastest:?}");
    drop(daemon);
}

#[test]
fn check_asks_the_tool_once() {
    let scratch = Scratch::new();
    let script = Script::of(&scratch, &answering(INFO));
    let config = scratch.write(
        "pgvigil.yml",
        format!(
            "state_dir: '{}'\nservers: [{{name: shop, url: 'postgresql://nobody@127.0.0.1:1/shop'}}]\n\
             backups: [{{name: good, pgbackrest: {{stanza: main, command: [sh, '{1}', hunter2]}}}}, \
             {{name: mute, walg: {{command: [sh, '{1}x']}}}}, {{name: none, walg: {{command: [/no/such/wal-g]}}}}]",
            scratch.join("state").display(),
            script.0.display()
        ),
    );
    let mut command = pgvigil();
    command.arg("check").arg("--config").arg(config);
    let mut daemon = Daemon::spawn(command);
    daemon.wait(DEADLINE).expect("it ends");
    let said = daemon.output();
    for words in [
        "ok       backups        `good`: `pgBackRest (stanza main)`",
        "bad      backups        `mute`: WAL-G cannot tell of its backups: it ended with",
        "bad      backups        `none`: `/no/such/wal-g` cannot be run: there is no such program",
        "backups[2].walg.command: there is no program `/no/such/wal-g`",
    ] {
        assert!(said.contains(words), "{words}\nin {said}");
    }
    assert!(!said.contains("hunter2"), "{said}");
}
