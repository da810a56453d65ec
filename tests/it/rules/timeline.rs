//! The same rules and samples through a real Prometheus 3 with an Alertmanager and through us: the same alerts at the same
//! slots, with the same labels, annotations, `activeAt`, `startsAt` and `endsAt` (E1, E2, E5 to E8, S1 to S8, Y1, Y2, Y6).
//!
//! Samples are written before their time comes, so that it does not matter when anything is evaluated: only the slots
//! count, and we take those that Prometheus took. Known and meant to be otherwise:
//!
//! - S9: over its `limit` Prometheus discards the alerts of a rule, we keep them;
//! - S1: a label whose template prints nothing is no label; in ALERTS Prometheus writes the template itself there;
//! - no data is "fine" here as there: whether a source can be read is nothing that Prometheus knows;
//! - T5: where in the template an error lies is told by Go alone, not by us;
//! - P1: Prometheus writes no ALERTS at its first two evaluations;
//! - A4: what our own channel says of the end of an alert that still fires is another test's.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use std::time::Duration;

use pgvigil::rules::{Alert, AlertState, Before, Change, Context, Group, evaluate, load};
use pgvigil::sample::{Labels, STALE, Sources, Timestamp, is_stale};
use pgvigil::store::{self, Store};
use regex::Regex;
use serde_json::Value;

use super::settings;
use crate::harness::remote_write::{self, Written};
use crate::harness::{Daemon, HttpSink, Prometheus, Scratch, eventually_async, free_port, tool};

const PATIENCE: Duration = Duration::from_secs(60);
/// Seconds of samples; the last ones are alike, so that everything settles.
const MOVING: i64 = 16;
const SETTLED: i64 = 8;
/// Until the samples begin Prometheus has taken them, and evaluated more than twice.
const AHEAD: i64 = 15_000;
const SERIES: [&str; 8] = ["a", "b", "c", "d", "e", "f", "g", "h"];

/// Every combination of `for` and `keep_firing_for`, labels and annotations from templates, recording rules, a group
/// that looks back, one with an interval of its own, rules that fail now and then, and a limit.
fn rules() -> String {
    let mut text = String::from(
        "groups:\n- name: main\n  interval: 1s\n  labels: {grp: main, team: a}\n  rules:\n",
    );
    text += "  - {record: 'r:slot', expr: vector(1)}\n";
    for hold in 0..4 {
        for keep in [0, 2, 3] {
            text += &format!(
                "  - alert: Held\n    expr: m > 4\n    for: {hold}s\n    keep_firing_for: {keep}s\n    labels: {{hold: '{hold}', keep: '{keep}'}}\n    \
                 annotations: {{summary: '{{{{ $labels.s }}}} is {{{{ $value }}}}, {{{{ humanize $value }}}} of {{{{ query \"count(m)\" | first | value }}}}'}}\n"
            );
        }
    }
    text += r#"  - alert: Templated
    expr: m * 1000 > 4000
    for: 1s
    labels: {team: b, upper: '{{ $labels.s | toUpper }}', level: '{{ if gt $value 7000.0 }}high{{ else }}low{{ end }}', gone: '{{ $labels.none }}', alertname: other}
    annotations: {all: '{{ $labels }} {{ humanizeDuration $value }} {{ $externalLabels.cluster }}', percent: '{{ humanizePercentage 0.1234 }}', bad: '{{ query "nothing" | first }}'}
  - {record: 'r:sum', expr: sum by (s) (m), labels: {kind: sum}}
  - {alert: Recorded, expr: 'r:sum > 6', labels: {s: ''}, annotations: {v: '{{ $value }}'}}
  - {record: 'r:firing', expr: 'count by (alertstate) (ALERTS{alertname="Held"})'}
  - {alert: Chained, expr: 'r:firing{alertstate="firing"} > 20', for: 1s}
  - {alert: Alike, expr: 'm > 6', labels: {s: one}, for: 1s}
  - {record: 'r:alike', expr: m > 7, labels: {s: one}}
  - {alert: Absent, expr: 'absent(m{s="a"})', keep_firing_for: 1s}
- name: back
  interval: 1s
  query_offset: 2s
  labels: {grp: back}
  rules:
  - {record: 'r:slot', expr: vector(1)}
  - {alert: Back, expr: m > 4, for: 2s, annotations: {now: '{{ query "count(m)" | first | value }}'}}
- name: seldom
  interval: 2s
  labels: {grp: seldom}
  rules:
  - {record: 'r:slot', expr: vector(1)}
  - {alert: Seldom, expr: 'avg_over_time(m[3s]) > 4', for: 1s, keep_firing_for: 2s}
  - {record: 'r:increase', expr: 'max by (s) (max_over_time(m[2s]))'}
- name: limited
  interval: 1s
  limit: 3
  labels: {grp: limited}
  rules:
  - {record: 'r:slot', expr: vector(1)}
  - {alert: Limited, expr: 'm > 4 or label_replace(m{s="a"} == 0, "s", "more", "", "")'}
"#;
    text
}

/// What each series is at each second; staleness markers where it is not there.
fn values() -> Vec<Vec<f64>> {
    let mut state: u64 = 20_260_101;
    let mut next = |below: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let series = SERIES.iter().map(|_| {
        let mut value = STALE;
        let moving = (0..MOVING).map(|_| {
            // Often it stays as it is, so that alerts live to fire.
            if next(10) < 5 {
                value = match next(10) {
                    0 | 1 => STALE,
                    other => other as f64,
                };
            }
            value
        });
        let mut all: Vec<f64> = moving.collect();
        all.extend((0..SETTLED).map(|_| value));
        all
    });
    series.collect()
}

/// All that is written, by time and series, and what Alertmanager is to be told.
#[derive(Default)]
struct Course {
    written: BTreeMap<(i64, String), String>,
    /// By slot and labels: since when it fires, and its annotations.
    firing: BTreeMap<(i64, Labels), (i64, BTreeMap<String, String>)>,
    opened: BTreeSet<(Labels, i64)>,
    /// Labels, start, end; and the annotations.
    resolved: BTreeMap<(Labels, i64, i64), BTreeMap<String, String>>,
    /// Slots at which a rule gave an error.
    failed: BTreeMap<String, BTreeSet<i64>>,
}

impl Course {
    /// A group over the samples at its slots.
    fn run(&mut self, group: &Group, slots: &[i64], begin: i64, values: &[Vec<f64>]) {
        let size = store::Settings {
            retention: Duration::from_secs(3600),
            max_bytes: 1 << 26,
        };
        let store = Store::new(&size, Timestamp(begin - 3_600_000));
        let external = Labels::new([("cluster", "prod")]);
        let context = Context {
            external_labels: &external,
            external_url: "",
            retired: &|_| true,
            fresh: &|_| true,
            limits: Default::default(),
        };
        let mut kept: Vec<(Vec<Alert>, Vec<Labels>)> = vec![Default::default(); group.rules.len()];
        let mut fed = 0;
        for slot in slots {
            while fed < values[0].len() && begin + fed as i64 * 1000 <= *slot {
                for (name, values) in SERIES.iter().zip(values) {
                    let labels = Labels::new([("__name__", "m"), ("s", name)]);
                    let at = Timestamp(begin + fed as i64 * 1000);
                    store.append(at, &Sources::default(), [(labels, values[fed])]);
                }
                fed += 1;
            }
            for (rule, (alerts, series)) in group.rules.iter().zip(&mut kept) {
                let own: Vec<&Alert> = alerts.iter().collect();
                let before = Before {
                    alerts: &own,
                    series,
                };
                let Ok(done) = evaluate(rule, group, before, &store, Timestamp(*slot), &context)
                else {
                    self.failed
                        .entry(rule.name.to_string())
                        .or_default()
                        .insert(*slot);
                    continue;
                };
                for (labels, value, sources) in done.samples {
                    store.append(done.at, &sources, [(labels.clone(), value)]);
                    if !is_stale(value) {
                        self.written
                            .insert((done.at.0, labels.to_string()), value.to_string());
                    }
                }
                for change in &done.transitions {
                    let (alert, fired) =
                        (&change.alert, change.alert.fired_at.map(|fired| fired.0));
                    match change.change {
                        Change::Opened => {
                            self.opened.insert((alert.labels.clone(), fired.unwrap()));
                        }
                        Change::Resolved => {
                            let key = (
                                alert.labels.clone(),
                                fired.unwrap(),
                                alert.resolved_at.unwrap().0,
                            );
                            self.resolved.insert(key, alert.annotations.clone());
                        }
                        _ => {}
                    }
                }
                for alert in done
                    .alerts
                    .iter()
                    .filter(|alert| alert.state == AlertState::Firing)
                {
                    let told = (alert.fired_at.unwrap().0, alert.annotations.clone());
                    self.firing.insert((*slot, alert.labels.clone()), told);
                }
                (*alerts, *series) = (done.alerts, done.series);
            }
        }
    }
}

fn labels(json: &Value) -> Labels {
    let pairs = json.as_object().unwrap().iter();
    Labels::new(pairs.map(|(name, value)| (name.as_str(), value.as_str().unwrap())))
}

/// Annotations, errors without their place.
fn texts(json: &Value) -> BTreeMap<String, String> {
    let place = Regex::new("error executing template .* at <[^>]*>: ").unwrap();
    let pairs = json.as_object().into_iter().flatten();
    let text = |value: &Value| place.replace(value.as_str().unwrap(), "").into_owned();
    pairs
        .map(|(name, value)| (name.clone(), text(value)))
        .collect()
}

fn moment(json: &Value) -> i64 {
    let moment: jiff::Timestamp = json.as_str().unwrap().parse().unwrap();
    moment.as_millisecond()
}

/// Everything that Prometheus' rules have written: `(time, series) → value`.
async fn written(client: &reqwest::Client, url: &str) -> BTreeMap<(i64, String), String> {
    let query = [("query", "{__name__=~'ALERTS|ALERTS_FOR_STATE|r:.*'}[5m]")];
    let url = reqwest::Url::parse_with_params(&format!("{url}/api/v1/query"), query).unwrap();
    let answer: Value =
        serde_json::from_str(&client.get(url).send().await.unwrap().text().await.unwrap()).unwrap();
    let mut all = BTreeMap::new();
    for series in answer["data"]["result"].as_array().unwrap() {
        let mut name = labels(&series["metric"]);
        if name.get("gone").starts_with("{{") {
            name = name.with("gone", "");
        }
        let name = name.to_string();
        for point in series["values"].as_array().unwrap() {
            let at = (point[0].as_f64().unwrap() * 1000.0).round() as i64;
            let value: f64 = point[1].as_str().unwrap().parse().unwrap();
            all.insert((at, name.clone()), value.to_string());
        }
    }
    all
}

fn alertmanager(port: u16, state: &Scratch) -> Daemon {
    let config = state.write("am.yml", "route: {receiver: r}\nreceivers: [{name: r}]\n");
    let mut command = Command::new(tool("alertmanager"));
    command
        .arg(format!("--config.file={}", config.display()))
        .arg(format!("--storage.path={}", state.join("am").display()))
        .arg(format!("--web.listen-address=127.0.0.1:{port}"))
        .arg("--cluster.listen-address=");
    Daemon::spawn(command)
}

#[tokio::test(flavor = "multi_thread")]
async fn alerts_take_the_course_that_they_take_in_prometheus() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let (scratch, sink, port) = (Scratch::new(), HttpSink::start(), free_port());
    let file = scratch.write("rules.yml", rules()).display().to_string();
    let _alertmanager = alertmanager(port, &scratch);
    let config = format!(
        "global: {{external_labels: {{cluster: prod}}}}\nrule_files: ['{file}']\nalerting: {{alertmanagers: [{{static_configs: [{{targets: ['{}', '127.0.0.1:{port}']}}]}}]}}\n",
        sink.url().trim_start_matches("http://")
    );
    let flags = [
        "--web.enable-remote-write-receiver",
        "--rules.alert.resend-delay=1s",
    ];
    let prometheus = Prometheus::configured(&config, &flags);
    let client = reqwest::Client::new();
    let (begin, values) = (Timestamp::now().0 + AHEAD, values());
    let series: Vec<Written> = SERIES
        .iter()
        .zip(&values)
        .map(|(name, values)| Written {
            labels: vec![("__name__", "m"), ("s", name)],
            samples: (0..)
                .map(|second| begin + second * 1000)
                .zip(values.iter().copied())
                .collect(),
        })
        .collect();
    remote_write::send(&client, &prometheus.url(), remote_write::body(&series)).await;

    let end = begin + (MOVING + SETTLED - 1) * 1000;
    let theirs = eventually_async(
        "Prometheus has come to the end of the samples",
        PATIENCE,
        || async {
            let written = written(&client, &prometheus.url()).await;
            // The group that looks back comes last.
            let last = written
                .keys()
                .filter(|(_, series)| series.contains("grp=\"back\""))
                .map(|(at, _)| *at)
                .max();
            last.is_some_and(|last| last > end).then_some(written)
        },
    )
    .await;
    let set = load(&settings(&[&file])).unwrap_or_else(|problems| panic!("{problems:#?}"));
    let groups: Vec<&Group> = set
        .groups
        .iter()
        .filter(|group| *group.file == *file)
        .collect();
    let mut ours = Course::default();
    let (mut restored, mut last) = (BTreeMap::new(), BTreeMap::new());
    for group in &groups {
        let own = format!("grp=\"{}\"", group.name);
        let slots: Vec<i64> = theirs
            .keys()
            .filter(|(_, series)| series.contains("r:slot") && series.contains(&own))
            .map(|(at, _)| at + group.query_offset.as_millis() as i64)
            .collect();
        assert!(slots.len() >= 8, "{}: {slots:?}", group.name);
        // E1: slots are as many whole intervals apart.
        let interval = group.interval.as_millis() as i64;
        assert!(
            slots.iter().all(|slot| (slot - slots[0]) % interval == 0),
            "{slots:?}"
        );
        assert!(slots[2] < begin, "the samples began too early: {slots:?}");
        ours.run(group, &slots, begin, &values);
        last.insert(group.name.to_string(), *slots.last().unwrap());
        let third = slots[2] - group.query_offset.as_millis() as i64;
        restored.insert(group.name.to_string(), third);
    }
    for fails in ["Alike", "r:alike", "Limited"] {
        assert!(
            ours.failed
                .get(fails)
                .is_some_and(|slots| !slots.is_empty()),
            "`{fails}` never failed"
        );
    }

    // Once over its limit a rule goes on otherwise (S9).
    let over = *ours.failed["Limited"].first().unwrap();
    let judged = |(at, series): &(i64, String)| !(series.contains("Limited") && *at >= over);
    let settled = |(at, series): &(i64, String)| {
        let group = last
            .keys()
            .find(|group| series.contains(&format!("grp=\"{group}\"")));
        // Neither what was written before alerts were restored, nor what was since the answer was read.
        group.is_none_or(|group| (restored[group]..=last[group]).contains(at))
    };
    let of = |all: &BTreeMap<(i64, String), String>| -> BTreeMap<(i64, String), String> {
        let each = all.iter().filter(|(key, _)| judged(key) && settled(key));
        each.map(|(key, value)| (key.clone(), value.clone()))
            .collect()
    };
    let (expected, found) = (of(&theirs), of(&ours.written));
    let missing: Vec<_> = expected
        .iter()
        .filter(|(key, value)| found.get(*key) != Some(*value))
        .collect();
    let more: Vec<_> = found
        .iter()
        .filter(|(key, value)| expected.get(*key) != Some(*value))
        .collect();
    assert!(
        missing.is_empty() && more.is_empty(),
        "begin {begin}, theirs alone: {missing:#?}\nours alone: {more:#?}"
    );
    assert!(
        found.len() > 1000,
        "only {} samples were compared",
        found.len()
    );
    assert!(
        ours.resolved.len() > 20,
        "only {} alerts ended",
        ours.resolved.len()
    );

    told(&sink, &ours, &groups, &last, over);
    active(&client, port, &ours, &last).await;
}

/// What Prometheus has told its Alertmanagers is what we would have told: each word of theirs is one of ours, and each
/// beginning and end of ours was told by them.
fn told(
    sink: &HttpSink,
    ours: &Course,
    groups: &[&Group],
    last: &BTreeMap<String, i64>,
    over: i64,
) {
    let (mut starts, mut ends) = (BTreeSet::new(), BTreeSet::new());
    for request in sink.requests() {
        let body = request.json();
        for alert in body.as_array().unwrap() {
            let labels = labels(&alert["labels"]).with("cluster", "");
            let (start, end) = (moment(&alert["startsAt"]), moment(&alert["endsAt"]));
            let group = groups
                .iter()
                .find(|group| *group.name == *labels.get("grp"))
                .unwrap();
            let slot = end - 4 * group.interval.as_millis() as i64;
            if labels.get("alertname") == "Limited" && end >= over || slot > last[&*group.name] {
                continue;
            }
            let annotations = texts(&alert["annotations"]);
            let firing = ours.firing.get(&(slot, labels.clone()));
            let resolved = ours.resolved.get(&(labels.clone(), start, end));
            let fits =
                firing == Some(&(start, annotations.clone())) || resolved == Some(&annotations);
            // One that ended is told again for 15 minutes, and what was its end is told before.
            assert!(
                fits,
                "{labels} {annotations:?} from {start} to {end}, slot {slot}: {firing:?} {resolved:?}"
            );
            starts.insert((labels.clone(), start));
            ends.extend(resolved.map(|_| (labels, start, end)));
        }
    }
    let limited = |labels: &Labels| labels.get("alertname") == "Limited";
    // The queue of what is to be told may be a moment behind.
    let behind = |at: i64, labels: &Labels| at + 2000 > last[labels.get("grp")];
    for (labels, start) in &ours.opened {
        let told = starts.contains(&(labels.clone(), *start));
        assert!(
            told || limited(labels) || behind(*start, labels),
            "{labels} from {start} was not told"
        );
    }
    for key in ours.resolved.keys() {
        let told = ends.contains(key);
        assert!(
            told || limited(&key.0) || behind(key.2, &key.0),
            "the end of {key:?} was not told"
        );
    }
}

/// A real Alertmanager shows at the end what fires with us, since when and with which annotations.
async fn active(client: &reqwest::Client, port: u16, ours: &Course, last: &BTreeMap<String, i64>) {
    // One goes on otherwise (S9), and one ends when its range is empty after the last samples.
    let moving = ["Limited", "Seldom"];
    let passed_over = |labels: &Labels| moving.contains(&labels.get("alertname"));
    let expected: BTreeMap<(Labels, i64), BTreeMap<String, String>> = ours
        .firing
        .iter()
        .filter(|((slot, labels), _)| last[labels.get("grp")] == *slot && !passed_over(labels))
        .map(|((_, labels), (start, annotations))| ((labels.clone(), *start), annotations.clone()))
        .collect();
    assert!(expected.len() > 10, "{}", expected.len());
    let mut seen = BTreeMap::new();
    for _ in 0..600 {
        let url = format!("http://127.0.0.1:{port}/api/v2/alerts?active=true");
        if let Ok(answer) = client.get(url).send().await {
            let alerts: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
            let alerts = alerts.as_array().unwrap().iter();
            let alerts = alerts.map(|alert| {
                let labels = labels(&alert["labels"]).with("cluster", "");
                (
                    (labels, moment(&alert["startsAt"])),
                    texts(&alert["annotations"]),
                )
            });
            seen = alerts
                .filter(|((labels, _), _)| !passed_over(labels))
                .collect();
            if seen == expected {
                return;
            }
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(seen, expected);
}
