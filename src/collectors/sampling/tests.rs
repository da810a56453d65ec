use super::super::{Settings, load, plan};
use super::*;
use crate::document::{Reader, parse};
use crate::server::Facts;

const OWN: &str = "
name: own
doc: Own.
labels: [name]
queries: [{sql: SELECT}]
metrics:
  size: {from: size, divide_by: 1000, help: Size.}
  state: {value: 1, labels: [name, state], help: State.}
  \"set_{name}\": {from: setting, labels: [], help: \"Setting: {name}\"}
  later: {from: column_of_a_later_version, help: Later.}
";

/// How a server without anything special runs it.
fn run(declared: &str, settings: &str) -> Run {
    let own = load(&[("own.yml".into(), declared.into())]).unwrap().pop();
    let facts = Facts {
        version: 180_000,
        ..Facts::default()
    };
    let settings = Reader::new(None).read(&parse("x.yml", settings).unwrap(), Settings::read);
    plan(&[own.unwrap()], &facts, &settings).runs.remove(0)
}

fn room(series: usize) -> Room {
    Room {
        series: Some(series),
        ..Room::default()
    }
}

fn check(rows: &[[Option<&str>; 4]], cap: usize) -> (Vec<String>, u64) {
    let mut table = Table::new(["name", "size", "state", "setting"]);
    table.unreadable = 1;
    for row in rows {
        table.push(row);
    }
    let sampled = samples(&run(OWN, ""), &table, &room(cap));
    let lines = sampled
        .samples
        .iter()
        .map(|sample| format!("{}{} {}", sample.family.name, sample.labels, sample.value));
    (lines.collect(), sampled.dropped)
}

#[test]
fn rows_become_samples_and_what_is_wrong_costs_itself() {
    let rows = [
        [Some("a.b"), Some("1500"), Some("up"), Some("on?")],
        [Some("c"), None, None, Some("t")],
        [Some("c"), Some("NaN"), Some("up"), Some("f")],
    ];
    let (lines, dropped) = check(&rows, 100);
    assert_eq!(
        lines,
        [
            r#"size{name="a.b"} 1.5"#,
            r#"state{name="a.b", state="up"} 1"#,
            "set_c{} 1",
            r#"size{name="c"} NaN"#,
            r#"state{name="c", state="up"} 1"#,
        ]
    );
    assert_eq!(dropped, 3, "an unreadable row, no number, a duplicate");
}

#[test]
fn past_the_cap_the_last_rows_are_left_out_whole() {
    let rows = ["a", "b", "c"].map(|name| [Some(name), Some("1"), Some("up"), None]);
    let (lines, dropped) = check(&rows, 5);
    assert_eq!(lines.len(), 4);
    assert!(lines[3].contains(r#"name="b""#));
    assert_eq!(dropped, 1 + 2);
}

#[test]
fn a_name_made_from_a_row_is_made_valid() {
    let (lines, _) = check(&[[Some("ext.a-b"), None, None, Some("5")]], 9);
    assert_eq!(lines, ["set_ext_a_b{} 5"]);
}

#[test]
fn older_names_are_published_where_they_are_wanted() {
    let declared = "
name: own
doc: Own.
queries: [{sql: SELECT}]
metrics: {new_total: {from: n, type: counter, help: New., aliases: [old, older]}}
";
    let mut table = Table::new(["n"]);
    table.push(&[Some("3")]);
    let names = |written: &str| -> Vec<String> {
        let sampled = samples(&run(declared, written), &table, &room(9));
        let each = sampled.samples.iter();
        each.map(|sample| format!("{} {}", sample.family.name, sample.family.help))
            .collect()
    };
    assert_eq!(names(""), ["new_total New."]);
    assert_eq!(
        names("aliases: true"),
        [
            "old Older name of new_total: New.",
            "older Older name of new_total: New.",
            "new_total New."
        ]
    );
}

const LARGEST: &str = "
name: own
doc: Own.
labels: [name]
top: {by: [size, scans], rows: 2}
queries: [{sql: SELECT}]
metrics:
  size: {from: size, rest: max, help: Size.}
  rows: {from: rows, help: Rows.}
  scans_total: {from: scans, type: counter, help: Scans.}
  left_out: {from: left_out, labels: [], help: Left out.}
";

#[test]
fn what_is_not_among_the_largest_is_summed_up() {
    let mut table = Table::new(["name", "size", "rows", "scans", "left_out"]);
    table.push(&[Some("a"), Some("5"), Some("1"), Some("10"), None]);
    table.push(&[Some("b"), Some("7"), Some("1"), None, None]);
    table.push(&[Some("c"), Some("6"), Some("1"), Some("20"), None]);
    table.push(&[Some("d"), Some("1"), Some("1"), Some("90"), None]);
    table.push(&[None, None, None, None, Some("4")]);
    let read = |series: Option<usize>, shown: &Shown| {
        let shown = shown.clone();
        samples(&run(LARGEST, ""), &table, &Room { series, shown })
    };
    let names = |sampled: &Sampled| -> Vec<String> {
        let each = sampled.samples.iter();
        let of_scans = each.filter(|sample| *sample.family.name != *"rows");
        of_scans
            .map(|sample| format!("{}{}", sample.family.name, sample.labels))
            .collect()
    };
    let capped = read(Some(100), &Shown::default());
    let expected = [
        r#"size{name="b"}"#,
        r#"size{name="c"}"#,
        r#"scans_total{name="c"}"#,
        "left_out{}",
    ];
    assert_eq!(names(&capped), expected);
    let rest = Rest {
        rows: 2,
        values: vec![("size".into(), 5.0), ("scans_total".into(), 100.0)],
    };
    assert_eq!(capped.rest, Some(rest));
    assert_eq!((capped.dropped, capped.wanted), (0, 1 + 2 * 4));
    let narrow = read(Some(8), &capped.shown);
    assert_eq!(narrow.rest.map(|rest| rest.rows), Some(3));
    let whole = read(None, &capped.shown);
    assert_eq!((whole.samples.len(), whole.rest), (12, None));
}

#[test]
fn a_histogram_comes_from_the_columns_of_its_buckets() {
    let declared = "
name: own
doc: Own.
labels: [state]
queries: [{sql: SELECT}]
metrics: {idle_seconds: {type: histogram, buckets: {'1': a, '2.5': b}, sum: s, count: n, help: Idle.}}
";
    let mut table = Table::new(["state", "a", "b", "s", "n"]);
    table.push(&[Some("idle"), Some("1"), Some("2"), Some("9.5"), Some("3")]);
    let sampled = samples(&run(declared, ""), &table, &room(9));
    let lines: Vec<String> = sampled
        .samples
        .iter()
        .map(|sample| format!("{}{} {}", sample.family.name, sample.labels, sample.value))
        .collect();
    let expected = [
        r#"idle_seconds_bucket{le="1", state="idle"} 1"#,
        r#"idle_seconds_bucket{le="2.5", state="idle"} 2"#,
        r#"idle_seconds_bucket{le="+Inf", state="idle"} 3"#,
        r#"idle_seconds_sum{state="idle"} 9.5"#,
        r#"idle_seconds_count{state="idle"} 3"#,
    ];
    assert_eq!(lines, expected);
}
