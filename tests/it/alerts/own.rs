//! The watch itself in trouble: nobody takes what it says, and it has nowhere to write.

use std::os::unix::fs::symlink;

use super::watch::Watch;
use super::{Case, lowered, real};
use crate::harness::{Answer, HttpSink, Postgres, Scratch};

pub(super) const CASES: &[Case] = &[
    real("PgvigilReceiverFailing/warning"),
    real("PgvigilReceiverFailing/critical"),
    real("PgvigilNotificationsLost/critical"),
    lowered("PgvigilNotificationsLate/warning", 3.0),
    real("PgvigilHeartbeatFailing/warning"),
    lowered("PgvigilRemoteWriteBehind/warning", 5.0),
    real("PgvigilRemoteWriteLosesSamples/warning"),
    real("PgvigilRuleFailing/warning"),
    real("PgvigilRuleOverLimit/warning"),
    real("PgvigilReloadFailed/warning"),
    lowered("PgvigilRuleBlind/warning", 1.0),
    real("PgvigilStoreFull/critical"),
    real("PgvigilSnapshotFailing/warning"),
    real("PgvigilIncidentLogFailing/critical"),
];

const LATE: &str = "PgvigilNotificationsLate/warning";

/// What looks back over minutes.
const LASTING: [&str; 5] = [
    "PgvigilNotificationsLost/critical",
    "PgvigilRemoteWriteLosesSamples/warning",
    "PgvigilRuleFailing/warning",
    "PgvigilStoreFull/critical",
    "PgvigilSnapshotFailing/warning",
];

/// Two rows make this an error; and something has to be told anew all the time.
const RULES: &str = "groups:
- name: own
  rules:
  - {alert: Fragile, expr: 'vector(1) * on () group_left () own_few > 1'}
  - {alert: 'Restless', expr: 'own_few{name=\"b\"} > 0', labels: {tick: '{{ $value }}'}}
- name: narrow
  limit: 1
  rules:
  - {alert: Many, expr: 'own_few > 0'}
";

const COLLECTORS: [(&str, &str); 2] = [
    (
        "few.yml",
        "name: few\ndoc: A row or two.\nlabels: [name]\n\
         queries: [{sql: 'SELECT name, extract(epoch FROM now())::int AS value FROM few'}]\n\
         metrics: {own_few: {from: value, help: Value.}}\n",
    ),
    (
        "many.yml",
        "name: many\ndoc: As many rows as are wanted.\nlabels: [name]\n\
         queries: [{sql: 'SELECT g AS name, g AS value FROM wanted, generate_series(1, most) AS g'}]\n\
         metrics: {own_many: {from: value, help: Value.}}\n",
    ),
];

#[test]
fn the_watch_in_trouble() {
    let postgres = Postgres::start(15);
    postgres.sql(
        "postgres",
        "CREATE TABLE few AS SELECT 'a' AS name; CREATE TABLE wanted AS SELECT 1 AS most;",
    );
    let (hook, write, beat) = (HttpSink::start(), HttpSink::start(), HttpSink::start());
    let scratch = Scratch::new();
    for (name, text) in COLLECTORS {
        scratch.write(name, text);
    }
    scratch.write("own.rules.yml", RULES);
    let state = scratch.join("state");
    std::fs::create_dir_all(&state).unwrap();
    let (log, snapshot) = (state.join("incidents.log.new"), state.join("snapshot.new"));
    symlink("/dev/full", &log).unwrap();
    // Where a folder is, no file can be written.
    std::fs::create_dir(&snapshot).unwrap();
    hook.usually(Answer::new(500, &[], "down"));
    write.usually(Answer::new(500, &[], "down"));
    beat.usually(Answer::new(500, &[], "down"));
    let config = format!(
        "servers: [{{name: rachel, url: '{}'}}]\n\
         store: {{max_bytes: 4MiB, retention: 30m, snapshot_interval: 1s}}\n\
         remote_write: [{{name: far, url: '{}', queue_config: {{batch_send_deadline: 100ms, max_backoff: 1s}}}}]\n\
         notify:\n  receivers: [{{name: team, slack: {{webhook_url: '{}/x'}}}}]\n  policy: [{{to: [team]}}]\n  \
         heartbeat: {{url: '{}/beat', every: 1s}}\n",
        postgres.url("postgres", "postgres"),
        write.url(),
        hook.url(),
        beat.url()
    );
    let more = format!(
        "  include: ['{0}/few.yml', '{0}/many.yml']\n",
        scratch.path().display()
    );
    let watch = Watch::in_folder(scratch, CASES, &config, &more, &[]);
    let failing = [
        "PgvigilReceiverFailing/warning",
        "PgvigilReceiverFailing/critical",
    ];
    watch.fires(&failing);
    watch.fires(&["PgvigilRemoteWriteBehind/warning", LATE]);
    watch.fires(&[
        "PgvigilSnapshotFailing/warning",
        "PgvigilIncidentLogFailing/critical",
    ]);
    std::fs::remove_file(&log).unwrap();
    std::fs::remove_dir(&snapshot).unwrap();
    watch.clears(&["PgvigilIncidentLogFailing/critical"]);
    // While the log is not written no ping is sent, so that none fails.
    watch.fires(&["PgvigilHeartbeatFailing/warning"]);
    beat.usually(Answer::default());
    watch.clears(&["PgvigilHeartbeatFailing/warning"]);
    postgres.sql("postgres", "ALTER TABLE few RENAME name TO called");
    watch.fires(&["PgvigilRuleBlind/warning"]);
    postgres.sql("postgres", "ALTER TABLE few RENAME called TO name");
    watch.clears(&["PgvigilRuleBlind/warning"]);

    let file = watch.folder().join("pgvigil.yml");
    let valid = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, format!("{valid}nonsense: 1\n")).unwrap();
    watch.daemon.signal("HUP");
    watch.fires(&["PgvigilReloadFailed/warning"]);
    std::fs::write(&file, valid).unwrap();
    watch.daemon.signal("HUP");
    watch.clears(&["PgvigilReloadFailed/warning"]);

    hook.usually(Answer::new(404, &[], "no_service"));
    write.usually(Answer::new(400, &[], "out of order"));
    postgres.sql(
        "postgres",
        "INSERT INTO few VALUES ('b'); UPDATE wanted SET most = 20000",
    );
    watch.fires(&LASTING[..4]);
    watch.fires(&["PgvigilRuleOverLimit/warning"]);
    postgres.sql(
        "postgres",
        "DELETE FROM few WHERE name = 'b'; UPDATE wanted SET most = 1",
    );
    hook.usually(Answer::default());
    write.usually(Answer::default());
    watch.clears(&["PgvigilRemoteWriteBehind/warning"]);
    watch.clears(&failing);
    watch.clears(&[LATE, "PgvigilRuleOverLimit/warning"]);
    // What was refused is offered again after an hour.
    watch.clock("+75m");
    watch.clears(&LASTING);
    watch.finish();
}
