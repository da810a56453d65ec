//! What would be lost with a real server, as the board shows it, against what the test knows: which transactions it
//! ended when, and which segments lie in the archive.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use pgvigil::backup::{Live, watch_exposure};
use pgvigil::collectors::{self, load};
use pgvigil::document::{Reader, parse};
use pgvigil::sample::{Source, Timestamp};
use pgvigil::scrape::{self, Board};
use pgvigil::server::{Server, Settings};
use pgvigil::store::{self, Store};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::harness::{Postgres, Scratch, eventually_async};

const DEADLINE: Duration = Duration::from_secs(60);
const INTERVAL: Duration = Duration::from_millis(500);
/// The machine may be busy: so much later than it should a reading may come.
const SLACK: Duration = Duration::from_secs(3);
/// A file that is there already is no failure, as a repeated try after a crash finds one.
const ARCHIVE: &str = "cp %p archive/%f";

/// What the board said at once.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Said {
    at: Timestamp,
    seconds: Option<f64>,
    least: f64,
    bytes: f64,
    is_exact: bool,
}

struct Watched {
    board: Arc<Board>,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Watched {
    fn start(url: &str, state_dir: &Scratch) -> Watched {
        Watched::reading(url, state_dir, INTERVAL)
    }

    /// Reads the server so often.
    fn reading(url: &str, state_dir: &Scratch, interval: Duration) -> Watched {
        let reader = Reader::new(None);
        let text = parse("t", "{timeout: 10s, load_budget: off}").unwrap();
        let settings = collectors::Settings {
            interval,
            ..reader.read(&text, collectors::Settings::read)
        };
        let limits = store::Settings {
            retention: Duration::from_secs(3600),
            max_bytes: 16 << 20,
        };
        let board = Arc::new(Board::new(
            Arc::new(Store::new(&limits, Timestamp::now())),
            false,
        ));
        let server = Settings {
            name: "shop".into(),
            ..Settings::from_url(url).unwrap()
        };
        let mut catalogue = load(&[]).unwrap();
        let needed = ["wal_position", "wal_archived", "control_data"];
        catalogue.retain(|collector| needed.contains(&&*collector.name));
        let (stop, path) = (CancellationToken::new(), state_dir.path().to_owned());
        let reading = scrape::run(
            vec![Arc::new(Server::new(server, Duration::from_secs(10)))],
            catalogue,
            settings,
            board.clone(),
            Arc::default(),
            stop.clone(),
        );
        let (read, stopped) = (board.clone(), stop.clone());
        let task = tokio::spawn(async move {
            let watching = watch_exposure(
                vec!["shop".into()],
                interval,
                read,
                Arc::default(),
                &path,
                stopped,
            );
            tokio::join!(reading, watching);
        });
        Watched { board, stop, task }
    }

    async fn stop(self) {
        self.stop.cancel();
        self.task.await.unwrap();
    }

    fn said(&self) -> Option<Said> {
        let (status, samples) = self.board.latest(&Source::new("shop", "", "exposure"))?;
        let value = |name: &str| {
            let name = format!("pg_wal_archive_exposure_{name}");
            let mut found = samples.iter().filter(|sample| *sample.family.name == *name);
            found.next().map(|sample| sample.value)
        };
        Some(Said {
            at: status.last_success?,
            seconds: value("seconds"),
            least: value("least_seconds")?,
            bytes: value("bytes")?,
            is_exact: value("exact")? == 1.0,
        })
    }

    /// The next so many that are said from readings that began after now, but for those that were late.
    async fn next(&self, count: usize) -> Vec<Said> {
        let source = Source::new("shop", "", "wal_position");
        let asked = Timestamp::now();
        let read = || async {
            let (status, _) = self.board.latest(&source)?;
            (status.last_success?.before(status.took) > asked).then_some(())
        };
        eventually_async("the server is read", DEADLINE, read).await;
        let begun = Timestamp::now();
        let mut said: Vec<Said> = Vec::new();
        eventually_async("something new is said", DEADLINE, || {
            let new = self
                .said()
                .filter(|new| new.is_exact && new.at > begun && said.last() != Some(new));
            said.extend(new);
            let is_enough = said.len() >= count;
            async move { is_enough.then_some(()) }
        })
        .await;
        said
    }

    async fn until(&self, what: &str, holds: impl Fn(&Said) -> bool) -> Said {
        eventually_async(what, DEADLINE, || async { self.said().filter(&holds) }).await
    }

    /// Waits until nothing is exposed, and that is certain. What ended shortly before a segment did may have ended after
    /// it, until the next is archived.
    async fn settle(&self, postgres: &Postgres) {
        eventually_async("nothing is exposed", DEADLINE, || async {
            switch(postgres);
            let archived = "SELECT last_archived_wal >= pg_walfile_name(pg_current_wal_lsn() - 1) FROM pg_stat_archiver";
            eventually_async("the segment is archived", DEADLINE, || async {
                (postgres.sql("postgres", archived) == "t").then_some(())
            })
            .await;
            let said = self.next(1).await[0];
            (said.is_exact && said.seconds == Some(0.0)).then_some(())
        })
        .await;
    }
}

/// A server that is down is noticed at once, long before it is to be read again.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_was_killed_is_not_said_to_have_lost_nothing() {
    let (postgres, _) = shop(17);
    let state_dir = Scratch::new();
    let url = postgres.url("mon", "postgres");
    let watched = Watched::start(&url, &state_dir);
    watched.settle(&postgres).await;
    watched.stop().await;

    let watched = Watched::reading(&url, &state_dir, Duration::from_secs(10));
    let idle = |said: &Said| said.is_exact && said.seconds == Some(0.0);
    watched.until("nothing is exposed", idle).await;
    postgres.kill();
    let status = |collector| watched.board.latest(&Source::new("shop", "", collector));
    eventually_async("it is found to be down", DEADLINE, || async {
        status("liveness")?.0.error.map(|_| ())
    })
    .await;
    let found = Timestamp::now();
    let said = watched
        .until("something is said of it", |said| said.at > found)
        .await;
    let read = status("wal_position").unwrap().0.last_success.unwrap();
    let since = said.at.seconds() - read.seconds();
    assert!(
        !said.is_exact && said.seconds >= Some(since) && said.least == 0.0,
        "{said:?}, read {since} s before"
    );
    watched.stop().await;
}

/// Ends the segment, with WAL in it that no transaction needs.
fn switch(postgres: &Postgres) {
    postgres.sql(
        "postgres",
        "SELECT pg_create_restore_point('x'); SELECT pg_switch_wal()",
    );
}

fn archiving(postgres: &Postgres, command: &str) {
    let change = format!("ALTER SYSTEM SET archive_command = '{command}'; SELECT pg_reload_conf()");
    postgres.sql("postgres", &change);
}

/// A transaction, with a moment before it ended and one after.
fn commit(postgres: &Postgres) -> (Timestamp, Timestamp) {
    let before = Timestamp::now();
    postgres.sql("postgres", "INSERT INTO games VALUES (1)");
    (before, Timestamp::now())
}

fn archived_segments(folder: &Path) -> usize {
    let files = std::fs::read_dir(folder).unwrap().flatten();
    files.filter(|file| file.file_name().len() == 24).count()
}

/// Whether what is said agrees with the oldest transaction that is in no segment of the archive.
fn agrees(said: &[Said], (before, after): (Timestamp, Timestamp)) {
    for said in said {
        let safe = said.at.seconds() - said.seconds.unwrap();
        assert!(
            safe <= after.seconds(),
            "too little is said to be lost: {said:?}, it ended by {after:?}"
        );
        let longest = (INTERVAL + SLACK).as_secs_f64();
        assert!(
            safe >= before.seconds() - longest,
            "too much is said to be lost: {said:?}, it ended after {before:?}"
        );
        let known = said.at.seconds() - said.least;
        assert!(
            known >= before.seconds(),
            "more is certain than can be: {said:?}"
        );
        assert!(said.is_exact && said.bytes > 0.0, "{said:?}");
    }
    // At first it was seen at this very moment.
    let last = said.last().unwrap();
    assert!(last.least > 0.0, "{last:?}");
}

fn shop(major: u32) -> (Postgres, PathBuf) {
    let command = format!("archive_command={ARCHIVE}");
    let settings = [
        "archive_mode=on",
        &command,
        "autovacuum=off",
        "checkpoint_timeout=1h",
    ];
    let postgres = Postgres::with(major, &settings);
    postgres.sql(
        "postgres",
        "COPY (SELECT 1) TO PROGRAM 'mkdir archive'; CREATE ROLE mon LOGIN; GRANT pg_monitor TO mon; CREATE TABLE games (id int)",
    );
    let archive = postgres.dir().join("data/archive");
    (postgres, archive)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_would_be_lost_is_told_whatever_the_archive_command_does() {
    let (postgres, archive) = shop(18);
    let state_dir = Scratch::new();
    let watched = Watched::start(&postgres.url("mon", "postgres"), &state_dir);
    watched.settle(&postgres).await;

    // Idle: nothing is at risk, though nothing is archived, and though the server writes WAL for itself.
    postgres.sql("postgres", "CHECKPOINT");
    for said in watched.next(4).await {
        assert_eq!(
            (said.seconds, said.least, said.is_exact),
            (Some(0.0), 0.0, true),
            "{said:?}"
        );
    }
    let before = archived_segments(&archive);
    let lost = commit(&postgres);
    agrees(&watched.next(4).await, lost);
    archiving(&postgres, "false");
    switch(&postgres);
    agrees(&watched.next(4).await, lost);
    // An empty command neither fails nor archives.
    archiving(&postgres, "");
    agrees(&watched.next(4).await, lost);
    postgres.sql("postgres", "SELECT pg_stat_reset_shared('archiver')");
    commit(&postgres);
    agrees(&watched.next(4).await, lost);
    assert_eq!(
        archived_segments(&archive),
        before,
        "the scene is not what it should be"
    );

    archiving(&postgres, ARCHIVE);
    watched.settle(&postgres).await;
    assert!(archived_segments(&archive) > before);
    // With nothing in the statistics, and nothing that waits, all is as it was.
    postgres.sql("postgres", "SELECT pg_stat_reset_shared('archiver')");
    for said in watched.next(4).await {
        assert_eq!((said.seconds, said.least), (Some(0.0), 0.0), "{said:?}");
    }
    let live = Live::of(&watched.board, "shop");
    let identifier = postgres.sql(
        "postgres",
        "SELECT system_identifier FROM pg_control_system()",
    );
    assert_eq!(live.system_identifier, identifier.parse().ok());
    assert_eq!(live.segment_bytes, Some(16 << 20));
    let end = live.archived_end.unwrap();
    assert!(end > 0 && end.is_multiple_of(16 << 20), "{end}");

    // A command that swallows is found out by what the archive holds, not by what the server says.
    archiving(&postgres, "/bin/true");
    let swallowed = archived_segments(&archive);
    commit(&postgres);
    watched.settle(&postgres).await;
    assert_eq!(archived_segments(&archive), swallowed);
    watched.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_transaction_that_ends_late_is_seen_and_so_is_a_server_that_is_gone() {
    let (postgres, _) = shop(15);
    let state_dir = Scratch::new();
    let watched = Watched::start(&postgres.url("mon", "postgres"), &state_dir);
    let mut config = tokio_postgres::Config::new();
    config
        .host("127.0.0.1")
        .port(postgres.port())
        .user("postgres")
        .dbname("postgres");
    let (client, connection) = config.connect(tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    client
        .batch_execute("BEGIN; INSERT INTO games VALUES (1)")
        .await
        .unwrap();
    commit(&postgres);
    // What it has written is archived, and of no use to anybody yet.
    watched.settle(&postgres).await;
    let before = Timestamp::now();
    client.batch_execute("COMMIT").await.unwrap();
    let lost = (before, Timestamp::now());
    agrees(&watched.next(4).await, lost);

    // A server that does not answer has archived nothing since, so far as anybody knows. One that is stopped in order
    // archives all there is.
    postgres.kill();
    let (first, known) = (watched.said().unwrap(), |said: &Said| !said.is_exact);
    let said = watched
        .until("it is known that nothing is known", known)
        .await;
    assert!(
        said.seconds > first.seconds && said.least > first.least,
        "{first:?} {said:?}"
    );
    watched.stop().await;

    // A restart of the watch forgets nothing, even while the server is away.
    let watched = Watched::start(&postgres.url("mon", "postgres"), &state_dir);
    let again = watched
        .until("what was known is said", |said| said.seconds.is_some())
        .await;
    assert!(
        again.seconds > said.seconds && again.least > said.least,
        "{said:?} {again:?}"
    );
    postgres.start_again();
    let exact = |said: &Said| said.is_exact;
    agrees(&[watched.until("the server is back", exact).await], lost);
    watched.settle(&postgres).await;
    watched.stop().await;
    let watched = Watched::start(&postgres.url("mon", "postgres"), &state_dir);
    let idle = |said: &Said| said.is_exact && said.seconds == Some(0.0);
    watched
        .until("it is known from the first reading on", idle)
        .await;
    watched.stop().await;
}
