//! `alerts/groups`: the alerts of each receiver. A receiver's alerts are one group, as in an Alertmanager that groups
//! by nothing.

use serde_json::json;

use super::View;
use super::alerts::selected;
use super::query::Query;
use super::reply::Reply;
use super::status::named;
use crate::sample::Timestamp;

/// `alerts/groups`
pub(super) fn list(view: &View, query: &Query, now: Timestamp) -> Result<Reply, Reply> {
    let selection = query.selection()?;
    let wanted = |name: &&str| {
        selection
            .receiver
            .as_ref()
            .is_none_or(|wanted| wanted.is_match(name))
    };
    let mut names: Vec<&str> = view.audience.receivers().filter(wanted).collect();
    names.sort_unstable();
    let groups = view.ledger.read(|book| {
        let selected = selected(book, &view.audience, &selection, now);
        let group = |name: &&str| {
            let told = selected
                .iter()
                .filter(|standing| standing.receivers.contains(name));
            let alerts: Vec<_> = told
                .map(|standing| {
                    let receivers = standing.receivers.iter().copied().filter(wanted);
                    let mut receivers: Vec<&str> = receivers.collect();
                    receivers.sort_unstable();
                    standing.written(&view.audience, named(receivers), now)
                })
                .collect();
            let receiver = json!({"name": name});
            (!alerts.is_empty())
                .then(|| json!({"alerts": alerts, "labels": {}, "receiver": receiver}))
        };
        names.iter().filter_map(group).collect()
    });
    Ok(Reply::Data(groups))
}
