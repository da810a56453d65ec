//! The store fed with what a real PostgreSQL says of itself, and its history over crashes, stops and reloads.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use pgvigil::sample::{Labels, NAME, Source, Sources, Timestamp};
use pgvigil::store::{Settings, Store};

use super::harness::{Daemon, Postgres, Scratch, eventually, free_port, pgvigil};

const PATIENCE: Duration = Duration::from_secs(60);

/// Every number of the statistics views, and every setting that is one: `name key value` per line.
const FACTS: &str = "
    SELECT 'database_' || key || ' ' || coalesce(datname, 'shared') || ' ' || value
      FROM pg_stat_database d, jsonb_each_text(to_jsonb(d)) WHERE value ~ '^-?[0-9]+([.][0-9]+)?$'
    UNION ALL
    SELECT 'table_' || key || ' ' || relname || ' ' || value
      FROM pg_stat_all_tables t, jsonb_each_text(to_jsonb(t)) WHERE value ~ '^-?[0-9]+([.][0-9]+)?$'
    UNION ALL
    SELECT 'bgwriter_' || key || ' - ' || value
      FROM pg_stat_bgwriter b, jsonb_each_text(to_jsonb(b)) WHERE value ~ '^-?[0-9]+([.][0-9]+)?$'
    UNION ALL
    SELECT 'settings_' || name || ' - ' || setting FROM pg_settings WHERE setting ~ '^-?[0-9]+([.][0-9]+)?$'
    UNION ALL
    SELECT 'size_bytes ' || datname || ' ' || pg_database_size(oid) FROM pg_database";

/// One more than a chunk holds, so that the cost of a chunk counts too.
const CYCLES: i64 = 121;

#[test]
fn real_metrics_take_two_bytes_per_sample_at_most() {
    let server = Postgres::start(15);
    server.sql(
        "postgres",
        "CREATE TABLE busy (id int PRIMARY KEY, note text)",
    );
    let settings = Settings {
        retention: Duration::from_secs(86_400),
        max_bytes: 1 << 30,
    };
    let store = Store::new(&settings, Timestamp(0));
    let sources = Sources::one(Source::new("rachel", "", "all"));
    let mut first = 0;
    for cycle in 0..CYCLES {
        server.sql(
            "postgres",
            &format!("INSERT INTO busy SELECT {cycle} * 100 + n, md5(n::text) FROM generate_series(1, 1 + {cycle} % 7) n"),
        );
        let facts = server.sql("postgres", FACTS);
        let at = Timestamp(cycle * 15_000 + cycle * 13 % 7);
        store.append(at, &sources, facts.lines().map(sample));
        if cycle == 0 {
            first = store.size().bytes;
        }
    }
    let size = store.size();
    let each = (size.bytes - first) as f64 / (size.samples - size.series) as f64;
    let fixed = first as f64 / size.series as f64;
    println!("{size:?}: {each:.2} bytes per sample, {fixed:.0} bytes per series");
    assert!(
        size.series > 1000 && each <= 2.0,
        "{each:.2} bytes per sample"
    );
}

fn sample(line: &str) -> (Labels, f64) {
    let mut words = line.split(' ');
    let mut word = || words.next().expect("three words");
    let (name, key, value) = (word(), word(), word());
    let labels = [
        (NAME, name),
        ("instance", "rachel"),
        ("job", "pgvigil"),
        ("key", key),
    ];
    (Labels::new(labels), value.parse().expect("a number"))
}

/// A watch over one server, and its state.
struct Stage {
    postgres: Postgres,
    scratch: Scratch,
    port: u16,
}

impl Stage {
    fn set() -> Stage {
        Stage {
            postgres: Postgres::start(18),
            scratch: Scratch::new(),
            port: free_port(),
        }
    }

    fn watch(&self, store: &str) -> Daemon {
        let mut command = pgvigil();
        command.arg("--config").arg(self.configure(store));
        Daemon::spawn(command)
    }

    fn configure(&self, store: &str) -> PathBuf {
        let config = format!(
            "listen: 127.0.0.1:{}\nstate_dir: {}\nservers: [{{name: rachel, url: '{}'}}]\n\
             collect: {{interval: 1s, load_budget: off}}\nstore: {{{store}}}\n",
            self.port,
            self.scratch.join("state").display(),
            self.postgres.url("postgres", "postgres"),
        );
        self.scratch.write("pgvigil.yml", config)
    }

    /// The value of one of pgvigil's own metrics.
    fn metric(&self, name: &str) -> Option<f64> {
        let url = format!("http://127.0.0.1:{}/metrics", self.port);
        let answer = Command::new("curl")
            .args(["-sf", "-m", "2", &url])
            .output()
            .unwrap();
        let page = String::from_utf8_lossy(&answer.stdout).into_owned();
        let mut lines = page.lines();
        lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok())
    }

    /// Waits until the store holds so many samples, and says how many there are.
    fn holds(&self, least: f64) -> f64 {
        eventually(&format!("{least} samples"), PATIENCE, || {
            self.metric("pgvigil_store_samples")
                .filter(|samples| *samples >= least)
        })
    }

    fn snapshot(&self) -> PathBuf {
        self.scratch.join("state/snapshot")
    }

    /// The samples in the snapshot, which is whole at any time.
    fn kept(&self) -> f64 {
        let (store, _) = Store::open_snapshot(&self.snapshot()).expect("a whole snapshot");
        store.size().samples as f64
    }
}

#[test]
fn a_crash_loses_what_came_after_the_snapshot_and_a_stop_nothing() {
    let stage = Stage::set();
    let mut before = 0.0;
    for _ in 0..4 {
        let mut watch = stage.watch("snapshot_interval: 1s");
        let held = stage.holds(before + 500.0);
        eventually("a snapshot of it", PATIENCE, || {
            (stage.snapshot().exists() && stage.kept() >= held).then_some(())
        });
        watch.signal("KILL");
        assert_eq!(watch.wait(PATIENCE), Some(128 + 9));
        let kept = stage.kept();
        assert!(kept >= held, "{kept} of {held}");
        before = kept;
    }
    let mut watch = stage.watch("snapshot_interval: 0");
    let held = stage.holds(before + 500.0);
    assert!(
        watch.output().contains("taken over from"),
        "{}",
        watch.output()
    );
    assert_eq!(stage.kept(), before, "none is written but at the end");
    watch.signal("TERM");
    assert_eq!(watch.wait(PATIENCE), Some(0), "{}", watch.output());
    assert!(stage.kept() >= held, "nothing is lost");
    let watch = stage.watch("snapshot_interval: 0");
    assert!(stage.holds(1.0) >= held, "{}", watch.output());
}

#[test]
fn a_reload_with_other_bounds_keeps_the_history() {
    let stage = Stage::set();
    let watch = stage.watch("retention: 1h, max_bytes: 16MiB");
    let held = stage.holds(1000.0);
    let created = stage.metric("pgvigil_store_series_created_total").unwrap();
    stage.configure("retention: 2h, max_bytes: 24MiB");
    watch.signal("HUP");
    eventually("it has read the configuration", PATIENCE, || {
        watch
            .output()
            .contains("configuration read again")
            .then_some(())
    });
    stage.holds(held + 200.0);
    assert_eq!(
        stage.metric("pgvigil_store_series_removed_total"),
        Some(0.0)
    );
    let still = stage.metric("pgvigil_store_series_created_total").unwrap();
    assert!(still >= created, "{still} after {created}");
}

#[test]
fn a_snapshot_that_cannot_be_written_is_told_and_one_that_is_damaged_is_set_aside() {
    let stage = Stage::set();
    let aside = stage.scratch.join("state/snapshot.new");
    fs::create_dir_all(&aside).unwrap();
    stage
        .scratch
        .write("state/snapshot", "PGVSNAP\n of another kind");
    let watch = stage.watch("snapshot_interval: 1s");
    eventually("it fails again and again", PATIENCE, || {
        let failures = stage.metric("pgvigil_store_snapshot_failures_total");
        failures.filter(|failures| *failures >= 2.0)
    });
    assert_eq!(
        stage.metric("pgvigil_store_snapshot_timestamp_seconds"),
        None
    );
    let said = |what: &str| watch.output().matches(what).count();
    assert_eq!(said("cannot write the snapshot"), 1, "{}", watch.output());
    assert_eq!(said("and the history begins anew"), 1, "{}", watch.output());
    fs::remove_dir(&aside).unwrap();
    eventually("it is written again", PATIENCE, || {
        stage.metric("pgvigil_store_snapshot_timestamp_seconds")
    });
    assert_eq!(said("is written again"), 1, "{}", watch.output());
    assert!(stage.metric("pgvigil_store_snapshot_bytes").unwrap() > 1000.0);
}
