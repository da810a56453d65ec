//! Programs that take, refuse, put off, hang and are not there.

use std::fs;
use std::path::Path;
use std::time::Duration;

use pgvigil::incident::{Ledger, Told};
use pgvigil::notify;
use serde_json::Value;

use super::{DEADLINE, Senders, context, settings};
use crate::harness::{Scratch, eventually};
use crate::incident::{firing, opened};

/// A receiver that runs a script.
fn receiver(folder: &Scratch, name: &str, script: &str, timeout: &str) -> String {
    let script = folder.write(&format!("{name}.sh"), script);
    format!(
        "{{name: {name}, command: {{run: [sh, '{}', one two, '$HOME'], timeout: {timeout}}}}}",
        script.display()
    )
}

fn told(senders: &Senders, incident: &str, receiver: &str) -> Told {
    eventually(receiver, DEADLINE, || {
        senders
            .ledger
            .read(|book| book.told(incident, receiver).cloned())
    })
}

fn runs(folder: &Path) -> usize {
    fs::read_to_string(folder).map_or(0, |text| text.lines().count())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_reads_the_message_and_its_exit_code_counts() {
    let folder = Scratch::new();
    let dir = folder.path().display();
    let take = format!(
        "cat > {dir}/body; printf '%s|' \"$@\" > {dir}/args; echo $PGVIGIL_IDEMPOTENCY_KEY > {dir}/key"
    );
    let later = format!(
        "echo x >> {dir}/later; echo >&2; echo 'busy now' >&2; echo more >&2; [ $(wc -l < {dir}/later) -ge 2 ] || exit 75"
    );
    let fails = format!("echo x >> {dir}/fails; [ $(wc -l < {dir}/fails) -ge 2 ] || exit 1");
    let never = format!("echo x >> {dir}/never; echo 'no such pager' >&2; exit 65");
    let scripts = [
        ("take", take),
        ("later", later),
        ("fails", fails),
        ("never", never),
        ("deaf", "exec <&-; exit 0".into()),
    ];
    let receivers = scripts.map(|(name, script)| receiver(&folder, name, &script, "20s"));
    let missing = "{name: missing, command: {run: [/nowhere/page-me, s3cret]}}";
    let senders = Senders::start(
        &format!("{}, {missing}", receivers.join(", ")),
        Ledger::memory(),
    );
    // More than a pipe holds, for those who do not read it.
    let mut alert = firing(
        "A",
        pgvigil::sample::Timestamp::now().before(Duration::from_secs(5)),
    );
    alert
        .annotations
        .insert("description".into(), "x".repeat(200_000));
    senders.ledger.record(&[opened(&alert)]);
    let id = alert.incident().unwrap();
    for taken in ["take", "later", "fails", "deaf"] {
        assert_eq!(told(&senders, &id, taken).error, "", "{taken}");
    }
    let body = fs::read_to_string(folder.join("body")).unwrap();
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(
        (&body["version"], &body["receiver"]),
        (&"4".into(), &"take".into())
    );
    assert_eq!(body["alerts"][0]["incident"], id);
    let (args, key) = (folder.join("args"), folder.join("key"));
    assert_eq!(
        fs::read_to_string(args).unwrap(),
        "one two|$HOME|",
        "no shell reads them"
    );
    assert_eq!(fs::read_to_string(key).unwrap(), format!("{id}-firing\n"));

    let refused = told(&senders, &id, "never").error;
    assert_eq!(refused, "`sh` ended with 65: no such pager");
    let error = eventually("it is said", DEADLINE, || senders.error("missing"));
    assert_eq!(
        error,
        "cannot run `/nowhere/page-me`: there is no such program"
    );
    let all = senders.tally.all();
    let counted = |name: &str| (all[name].delivered, all[name].retried, all[name].failed);
    assert_eq!((counted("take"), counted("deaf")), ((1, 0, 0), (1, 0, 0)));
    assert_eq!((counted("later"), counted("fails")), ((1, 1, 0), (1, 1, 0)));
    assert_eq!(counted("never"), (0, 0, 1));
    senders.stop().await;
    assert_eq!(
        runs(&folder.join("never")),
        1,
        "it is not asked again at once"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_hangs_is_killed_with_all_that_it_started() {
    let folder = Scratch::new();
    let dir = folder.path().display();
    let script = format!("sleep 300 & echo $! >> {dir}/children; echo $$ >> {dir}/children; wait");
    let senders = Senders::start(&receiver(&folder, "slow", &script, "1s"), Ledger::memory());
    senders.fire("A");
    let error = eventually("it took too long", DEADLINE, || senders.error("slow"));
    assert_eq!(error, "`sh` was not done within 1s and was killed");
    // Another one hangs when the sender is ended.
    eventually("it is run again", DEADLINE, || {
        (runs(&folder.join("children")) >= 4).then_some(())
    });
    senders.kill().await;
    let children = fs::read_to_string(folder.join("children")).unwrap();
    for child in children.lines() {
        eventually("nobody is left", DEADLINE, || {
            let status = fs::read_to_string(format!("/proc/{child}/stat")).unwrap_or_default();
            // Whoever has to bury it may be slow.
            (status.is_empty() || status.contains(") Z ")).then_some(())
        });
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trial_shows_no_arguments() {
    let folder = Scratch::new();
    let good = receiver(&folder, "good", "exit 0", "5s");
    let bad = receiver(&folder, "bad", "echo 'who?' >&2; exit 78", "5s");
    let outcomes = notify::test(&settings(&format!("{good}, {bad}")), &context()).await;
    assert_eq!(
        outcomes[0].dialogue,
        ["run sh", "exit code 0", "run sh", "exit code 0"]
    );
    assert_eq!(
        outcomes[1].error.as_deref(),
        Some("`sh` ended with 78: who?")
    );
    assert!(!format!("{outcomes:?}").contains("one two"), "{outcomes:?}");
}
