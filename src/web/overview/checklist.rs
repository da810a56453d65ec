//! The checklist of backups and their drills, from what is known of both.

use super::View;
use super::facts::elements;
use crate::backup::Account;
use crate::sample::Timestamp;
use crate::store::Store;

/// Standbys that are there to take over: what takes or copies backups streams as well.
const STANDBYS: &str = r#"count(pg_stat_replication_sync_state{application_name!~"pg_basebackup|pg_receivewal|pg_recvlogical|pg_dump|pgbackrest.*|barman.*|wal-g|pg_[0-9]+_sync_.*"})"#;
/// There whenever a server has been asked for its standbys.
const ASKED: &str = "count(pg_replication_standbys)";

/// All that is known of backups.
pub fn account(view: &View, now: Timestamp) -> Account {
    view.backups.account(standbys(&view.store, now), now)
}

fn standbys(store: &Store, now: Timestamp) -> Option<u64> {
    let count = |expression| {
        elements(store, expression, now)
            .first()
            .map(|element| element.value as u64)
    };
    count(STANDBYS).or_else(|| count(ASKED).map(|_| 0))
}
