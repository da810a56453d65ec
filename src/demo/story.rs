//! What the demo shows, in order: numbers, a crowd, the alert and who is told of it, its end.

use std::time::{Duration, Instant};

use anyhow::bail;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use super::arrival::Arrival;
use super::cluster::{Cluster, Session};
use super::journal::Journal;
use super::numbers::Numbers;
use super::workload;
use crate::config::Config;

/// What the crowd sets off.
const ALERT: &str = "PostgresqlConnectionsHigh";
const TICK: Duration = Duration::from_secs(1);
/// With the clients at work, between 80 % and 90 % of the connections.
const CROWD: usize = 19;
const LINES_BEFORE_THE_CROWD: usize = 3;
/// What the whole may take, on a machine that is busy with other things.
const PATIENCE: Duration = Duration::from_secs(180);

/// How far it has come.
#[derive(PartialEq)]
enum Chapter {
    Quiet { shown: usize },
    Crowded { told: Told },
    Relieved { told: Told },
    Told,
}

/// Who has been told.
#[derive(PartialEq, Default, Clone, Copy)]
struct Told {
    mail: bool,
    slack: bool,
}

/// Tells it on standard output.
pub(super) struct Story<'a> {
    cluster: &'a Cluster,
    metrics: String,
    arrivals: UnboundedReceiver<Arrival>,
    journal: Journal,
    client: reqwest::Client,
    start: Instant,
}

impl<'a> Story<'a> {
    /// Of a watch that runs with `config` and whose receivers are the sinks behind `arrivals`.
    pub(super) fn new(
        cluster: &'a Cluster,
        config: &Config,
        arrivals: UnboundedReceiver<Arrival>,
    ) -> Story<'a> {
        Story {
            cluster,
            metrics: format!("http://{}/metrics", config.listen),
            arrivals,
            journal: Journal::of(&config.state_dir),
            client: reqwest::Client::new(),
            start: Instant::now(),
        }
    }

    /// Returns when all has been shown, or at once when `stop` is cancelled.
    ///
    /// # Errors
    /// What was to be seen did not come.
    pub(super) async fn tell(mut self, stop: &CancellationToken) -> anyhow::Result<()> {
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut chapter, mut crowd, mut before) = (Chapter::Quiet { shown: 0 }, Vec::new(), None);
        while chapter != Chapter::Told {
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                Some(arrival) = self.arrivals.recv() => {
                    self.show_turns();
                    chapter = self.show_arrival(&arrival, chapter);
                }
                _ = ticks.tick() => {
                    self.show_turns();
                    if let Some(numbers) = Numbers::read(&self.client, &self.metrics).await {
                        self.show(&numbers.line(before.as_ref()));
                        before = Some(numbers);
                        chapter = self.turn_page(chapter, &mut crowd).await?;
                    }
                }
            }
            if self.start.elapsed() > PATIENCE {
                bail!("the alert and its end did not arrive within {PATIENCE:?}");
            }
        }
        Ok(())
    }

    fn show(&self, text: &str) {
        let seconds = self.start.elapsed().as_secs();
        println!("{:>2}:{:02}  {text}", seconds / 60, seconds % 60);
    }

    fn show_turns(&mut self) {
        for turn in self.journal.news() {
            if turn.name == ALERT {
                self.show(&format!("{ALERT} ({}) {}", turn.severity, turn.now));
            }
        }
    }

    fn show_arrival(&self, arrival: &Arrival, chapter: Chapter) -> Chapter {
        let text = arrival.text();
        if text.contains(ALERT) {
            self.show(&format!("{} arrives:", arrival.title()));
            quote(&text);
            chapter.after(arrival)
        } else {
            self.show(&format!("{} about another alert arrives", arrival.title()));
            chapter
        }
    }

    /// After each line of numbers.
    async fn turn_page(
        &self,
        chapter: Chapter,
        crowd: &mut Vec<Session>,
    ) -> anyhow::Result<Chapter> {
        Ok(match chapter {
            Chapter::Quiet {
                shown: LINES_BEFORE_THE_CROWD,
            } => {
                self.show(&format!("-> {CROWD} more clients connect and stay"));
                *crowd = workload::crowd(self.cluster, CROWD).await?;
                Chapter::Crowded {
                    told: Told::default(),
                }
            }
            Chapter::Quiet { shown } => Chapter::Quiet { shown: shown + 1 },
            Chapter::Crowded { told } if told.is_complete() => {
                self.show("-> the clients leave");
                crowd.clear();
                Chapter::Relieved {
                    told: Told::default(),
                }
            }
            Chapter::Relieved { told } if told.is_complete() => Chapter::Told,
            same => same,
        })
    }
}

impl Chapter {
    fn after(self, arrival: &Arrival) -> Chapter {
        match self {
            Chapter::Crowded { told } if !arrival.is_resolve() => Chapter::Crowded {
                told: told.by(arrival),
            },
            Chapter::Relieved { told } if arrival.is_resolve() => Chapter::Relieved {
                told: told.by(arrival),
            },
            same => same,
        }
    }
}

impl Told {
    fn by(self, arrival: &Arrival) -> Told {
        match arrival {
            Arrival::Mail(_) => Told { mail: true, ..self },
            Arrival::Slack(_) => Told {
                slack: true,
                ..self
            },
        }
    }

    fn is_complete(self) -> bool {
        self.mail && self.slack
    }
}

/// Prints text with a margin, so that it stands apart.
pub(super) fn quote(text: &str) {
    println!();
    for line in text.lines() {
        println!("      | {line}");
    }
    println!();
}
