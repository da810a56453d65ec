//! The figures of one subject on one scene.

use std::time::{Duration, Instant};

use tokio::time::{MissedTickBehavior, interval};

use crate::process::{cpu, memory};
use crate::scene::Scene;
use crate::subject::{Asked, Subject};
use crate::{CYCLES, INTERVAL};

/// Requests that follow upon each other, most of which find nothing new.
const REQUESTS: usize = 200;
const PAUSE: Duration = Duration::from_millis(20);
/// The burst asks something that takes seconds no more than this.
const BURST: Duration = Duration::from_secs(10);

pub struct Figures {
    series: usize,
    dropped: f64,
    /// Plain and as Prometheus asks, in bytes.
    size: [usize; 2],
    /// One request per cycle, as Prometheus asks: each meets new readings.
    scrape: Times,
    /// Requests in a row, as Prometheus asks and plain.
    row: [Times; 2],
    statements: f64,
    executing: f64,
    database: f64,
    own: f64,
    resident: f64,
    most: f64,
    stored: [f64; 2],
}

/// The median and the 99th of a hundred, in milliseconds.
struct Times {
    p50: f64,
    p99: f64,
}

impl Times {
    fn of(mut times: Vec<Duration>) -> Times {
        times.sort();
        let at = |share: usize| {
            times[(times.len() * share / 100).min(times.len() - 1)].as_secs_f64() * 1000.0
        };
        Times {
            p50: at(50),
            p99: at(99),
        }
    }
}

/// Measures: one scrape per cycle, then many in a row.
pub async fn take(scene: &Scene, subject: &Subject) -> Figures {
    let pid = subject.daemon.id();
    let mut timer = interval(INTERVAL);
    timer.set_missed_tick_behavior(MissedTickBehavior::Delay);
    timer.tick().await;
    let (before, own) = (scene.work().await, cpu(pid));
    let mut times = Vec::new();
    let begun = Instant::now();
    while begun.elapsed() < INTERVAL * CYCLES - INTERVAL / 2 {
        timer.tick().await;
        times.push(subject.get(Asked::AsPrometheus).await.expect("the page").0);
    }
    let own = cpu(pid) - own;
    let after = scene.work().await;
    let (resident, most) = (memory(pid, "VmRSS"), memory(pid, "VmHWM"));
    let (compressed, row) = in_a_row(subject, Asked::AsPrometheus).await;
    let (plain, plain_row) = in_a_row(subject, Asked::Plain).await;
    let page = String::from_utf8_lossy(&plain);
    // What answers more slowly than it is asked has fewer.
    let cycles = times.len() as f64;
    Figures {
        series: page.lines().filter(|line| !line.starts_with('#')).count(),
        dropped: sum(&page, "pgvigil_collector_dropped_series"),
        size: [plain.len(), compressed.len()],
        scrape: Times::of(times),
        row: [row, plain_row],
        statements: (after.statements - before.statements) / cycles,
        executing: (after.executing - before.executing) / cycles,
        database: (after.cpu - before.cpu) * 1000.0 / cycles,
        own: own * 1000.0 / cycles,
        resident,
        most,
        stored: [
            "pgvigil_store_series",
            "pgvigil_store_refused_samples_total",
        ]
        .map(|name| sum(&page, name)),
    }
}

async fn in_a_row(subject: &Subject, asked: Asked) -> (Vec<u8>, Times) {
    let start = Instant::now();
    let (mut times, mut last) = (Vec::new(), Vec::new());
    while times.len() < REQUESTS && start.elapsed() < BURST {
        let (took, page) = subject.get(asked).await.expect("the page");
        times.push(took);
        last = page;
        tokio::time::sleep(PAUSE).await;
    }
    (last, Times::of(times))
}

/// The sum over all series of a metric.
fn sum(page: &str, metric: &str) -> f64 {
    let values = page.lines().filter_map(|line| {
        let rest = line.strip_prefix(metric)?;
        let value = if rest.starts_with('{') {
            rest.rsplit_once("} ")?.1
        } else {
            rest.strip_prefix(' ')?
        };
        value.parse::<f64>().ok()
    });
    values.sum()
}

impl Figures {
    pub fn print_head() {
        println!(
            "| | series (left out) | page MB (gzip) | scrape once a cycle, gzip: p50 / p99 ms | scrapes in a row, gzip: p50 / p99 ms | plain: p50 / p99 ms | resident MB (most) | own CPU ms/cycle | database CPU ms/cycle | statements | executing ms | stored series (samples refused) |"
        );
        println!("|{}", " --- |".repeat(12));
    }

    pub fn print(&self, name: &str) {
        let Figures {
            series,
            dropped,
            size: [plain, gzip],
            scrape,
            row: [row, plain_row],
            ..
        } = self;
        println!(
            "| {name} | {series} ({dropped}) | {:.2} ({:.2}) | {:.2} / {:.1} | {:.2} / {:.1} | {:.2} / {:.1} | {:.1} ({:.1}) | {:.1} | {:.1} | {:.0} | {:.1} | {} ({}) |",
            *plain as f64 / 1e6,
            *gzip as f64 / 1e6,
            scrape.p50,
            scrape.p99,
            row.p50,
            row.p99,
            plain_row.p50,
            plain_row.p99,
            self.resident,
            self.most,
            self.own,
            self.database,
            self.statements,
            self.executing,
            self.stored[0],
            self.stored[1],
        );
    }

    /// Ours in parts of theirs.
    pub fn print_ratio(&self, theirs: &Figures) {
        println!(
            "| ours / theirs | {:.2} | {:.2} ({:.2}) | {:.4} / {:.4} | {:.4} / {:.4} | {:.4} / {:.4} | {:.2} ({:.2}) | {:.2} | {:.2} | {:.2} | {:.2} | |",
            self.series as f64 / theirs.series as f64,
            self.size[0] as f64 / theirs.size[0] as f64,
            self.size[1] as f64 / theirs.size[1] as f64,
            self.scrape.p50 / theirs.scrape.p50,
            self.scrape.p99 / theirs.scrape.p99,
            self.row[0].p50 / theirs.row[0].p50,
            self.row[0].p99 / theirs.row[0].p99,
            self.row[1].p50 / theirs.row[1].p50,
            self.row[1].p99 / theirs.row[1].p99,
            self.resident / theirs.resident,
            self.most / theirs.most,
            self.own / theirs.own,
            self.database / theirs.database,
            self.statements / theirs.statements,
            self.executing / theirs.executing,
        );
    }
}
