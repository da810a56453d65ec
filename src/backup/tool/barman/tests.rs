use super::super::answer::json;
use super::super::tests::{answered, words};
use super::*;

const NOW: Timestamp = Timestamp(1_795_420_000_000);

fn list_of(text: &str) -> Result<Sighting, String> {
    read(&json(text).unwrap(), "rachel", NOW)
}

#[test]
fn each_state_is_read() {
    let done = "full 20261123T074013 done 1795419615-2 209738918B\n\
                full 20261123T074010 done 1795419612-2 209738915B\n\
                full 20261123T074004 done 1795419606-2 209738910B";
    let failed = "full 20261123T074048 failed 1795419648 0B: failed, as Barman says";
    let killed = format!("full 20261123T074056 running 1795419656 0B\n{failed}\n{done}");
    let cases = [
        ("v3.4.0-list-backups-empty", String::new()),
        ("v3.4.0-list-backups-ok-and-failed", done.to_owned()),
        ("v3.4.0-list-backups-failed", format!("{failed}\n{done}")),
        (
            "v3.4.0-list-backups-in-progress",
            format!("full 20261123T074048 running 1795419648 0B\n{done}"),
        ),
        ("v3.4.0-list-backups-killed9", killed.clone()),
        ("v3.19.1-list-backups-mixed", killed.clone()),
        ("v3.19.1-list-backups-obsolete", killed),
    ];
    for (name, expected) in cases {
        let sighting = list_of(&answered(&format!("barman/{name}.json"))).unwrap();
        assert_eq!(words(&sighting), expected, "{name}");
    }
}

#[test]
fn names_are_in_the_local_time_of_its_host() {
    let done = r#"{"backup_id": "20261123T164013", "status": "DONE", "end_time": "Mon Nov 23 16:40:15 2026", "end_time_timestamp": "1795419615", "size_bytes": 7}"#;
    let running = r#"{"backup_id": "20261123T164048", "status": "STARTED"}"#;
    let east = list_of(&format!(r#"{{"rachel": [{running}, {done}]}}"#)).unwrap();
    assert_eq!(
        words(&east),
        "full 20261123T164048 running 1795419648 0B\nfull 20261123T164013 done 1795419615-2 7B"
    );
    // Nothing shows the zone: since when it runs is only known from now on.
    let alone = list_of(&format!(r#"{{"rachel": [{running}]}}"#)).unwrap();
    assert_eq!(words(&alone), "full 20261123T164048 running 1795420000 0B");
}

#[test]
fn what_is_not_done_is_not_good() {
    let text = r#"{"_WARNING": ["no space\u0007 left"], "rachel": [
        {"backup_id": "20261123T074013", "status": "WAITING_FOR_WALS", "end_time_timestamp": "1795419615", "backup_type": "incremental"},
        {"backup_id": "20261123T074012", "status": "HALF"}, {"backup_id": "odd", "status": "STARTED"},
        {"backup_id": "20261123T074012", "status": "DONE"}, {"status": "DONE"}]}"#;
    assert_eq!(
        words(&list_of(text).unwrap()),
        "incr 20261123T074013 running 1795419615 0B: cannot be restored until the WAL that was written meanwhile has come\n\
         full 20261123T074012 failed 1795419612 0B: is in the state `HALF`, as Barman says\n\
         full odd running 1795420000 0B\n\
         ! it lists a backup without a name or a time\n\
         ! it lists a backup without a name or a time\n\
         ! no space left"
    );
}

#[test]
fn what_has_another_form_is_no_empty_catalogue() {
    for text in ["[]", "{}", r#"{"rachel": {}}"#, r#"{"other": []}"#] {
        let error = list_of(text).unwrap_err();
        assert_eq!(error, "it does not list the backups of `rachel`");
    }
}
