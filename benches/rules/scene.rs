//! Series and rules over them, evaluated slot by slot as in production but for the clock.

use std::collections::BTreeMap;
use std::time::Duration;

use pgvigil::rules::{Alert, Before, Context, RuleSet, Settings, evaluate, load};
use pgvigil::sample::{Labels, Source, Sources, Timestamp};
use pgvigil::store::{self, Store};

const INTERVAL: Duration = Duration::from_secs(15);
const HELD: usize = 40;
/// So many metrics share the series.
const METRICS: usize = 200;

pub struct Scene {
    rules: RuleSet,
    store: Store,
    now: Timestamp,
    cycle: usize,
    series: Vec<Labels>,
    sources: Sources,
    over: usize,
    alerts: BTreeMap<usize, Vec<Alert>>,
    written: BTreeMap<usize, Vec<Labels>>,
}

impl Scene {
    /// So many rules over so many series, of which so many in a hundred are over their threshold.
    pub fn build(rules: usize, series: usize, over: usize) -> Scene {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("bench.yml");
        std::fs::write(&file, text(rules)).unwrap();
        let settings = Settings {
            interval: INTERVAL,
            files: vec![file.display().to_string()],
            disable: Vec::new(),
            overrides: Vec::new(),
        };
        let mut rules = load(&settings).unwrap_or_else(|problems| panic!("{problems:#?}"));
        rules
            .groups
            .retain(|group| *group.file == *file.display().to_string());
        let size = store::Settings {
            retention: Duration::from_secs(3600),
            max_bytes: 1 << 30,
        };
        let now = Timestamp(1_700_000_000_000);
        let each = (0..series).map(|number| {
            let metric = format!("m_{}", number % METRICS);
            let row = (number / METRICS).to_string();
            Labels::new([
                ("__name__", metric.as_str()),
                ("datname", &format!("database_{row}")),
                ("instance", "rachel"),
                ("job", "pgvigil"),
                ("row", &row),
                ("server", "rachel"),
            ])
        });
        let mut scene = Scene {
            rules,
            store: Store::new(&size, now),
            now,
            cycle: 0,
            series: each.collect(),
            sources: Sources::one(Source::new("rachel", "", "bench")),
            over,
            alerts: BTreeMap::new(),
            written: BTreeMap::new(),
        };
        for _ in 0..HELD {
            scene.read();
        }
        scene
    }

    /// The next reading of every series.
    pub fn read(&mut self) {
        self.now = self.now + INTERVAL;
        self.cycle += 1;
        let (over, cycle) = (self.over, self.cycle);
        let value = |number: usize| match (number / METRICS) % 100 < over {
            true => 1000.0 + cycle as f64,
            false => cycle as f64 / 1000.0,
        };
        let samples = self.series.iter().enumerate();
        let samples = samples.map(|(number, labels)| (labels.clone(), value(number)));
        self.store.append(self.now, &self.sources, samples);
        for source in self.sources.iter() {
            self.store.succeeded(source, self.now);
        }
    }

    /// Evaluates every rule once; gives how many samples were written.
    pub fn cycle(&mut self) -> usize {
        let nothing = Labels::default();
        let context = Context {
            external_labels: &nothing,
            external_url: "",
            retired: &|_| false,
            fresh: &|_| true,
            limits: Default::default(),
        };
        let (mut number, mut count) = (0, 0);
        for group in &self.rules.groups {
            for rule in &group.rules {
                let alerts = self.alerts.remove(&number).unwrap_or_default();
                let series = self.written.remove(&number).unwrap_or_default();
                let alerts: Vec<&Alert> = alerts.iter().collect();
                let before = Before {
                    alerts: &alerts,
                    series: &series,
                };
                let done = evaluate(rule, group, before, &self.store, self.now, &context).unwrap();
                for (labels, value, sources) in done.samples {
                    count += 1;
                    self.store.append(done.at, &sources, [(labels, value)]);
                }
                self.alerts.insert(number, done.alerts);
                self.written.insert(number, done.series);
                number += 1;
            }
        }
        count
    }

    /// How many alerts there are.
    pub fn alerts(&self) -> usize {
        self.alerts.values().map(Vec::len).sum()
    }
}

fn text(rules: usize) -> String {
    let mut text = String::from("groups:\n");
    for number in 0..rules {
        let metric = format!("m_{}", number % METRICS);
        if number % 50 == 0 {
            text += &format!("- name: group {number}\n  interval: 15s\n  rules:\n");
        }
        text += &match number % 3 {
            0 => format!(
                "  - {{alert: High{number}, expr: '{metric} > 100', for: 5m, labels: {{severity: warning}}, annotations: {{summary: '{{{{ $labels.datname }}}} is at {{{{ $value }}}}'}}}}\n"
            ),
            1 => format!(
                "  - {{alert: Fast{number}, expr: 'sum by (job, instance, server) (rate({metric}[5m])) > 1e9', labels: {{severity: warning}}}}\n"
            ),
            _ => format!(
                "  - {{record: 'sum_{number}', expr: 'sum by (job, instance, server, datname) ({metric})'}}\n"
            ),
        };
    }
    text
}
