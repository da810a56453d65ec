//! What a new silence is over. Takes its matchers and asks the server what they match; hands on lines for a person.

use serde_json::Value;

use crate::cli::client::{Client, Trouble};
use crate::incident::Matcher;
use crate::sample::Timestamp;

/// Until when it holds, how many alerts it keeps quiet now, and whether it is likely to keep any quiet. Whoever asks has
/// made it already: a server that does not say takes nothing from that.
pub(super) fn told(client: &Client, matchers: &[Matcher], ends: Timestamp) -> String {
    let holds = format!("it holds until {}", to_the_second(ends));
    let Ok(count) = matched(client, matchers) else {
        return holds;
    };
    let of = match count {
        1 => "1 alert that fires now".to_owned(),
        count => format!("{count} alerts that fire now"),
    };
    let mut text = format!("{holds} and matches {of}");
    let name = named(matchers).filter(|_| count == 0);
    let is_unknown = |name: &String| rules(client).is_ok_and(|rules| !rules.contains(name));
    if let Some(name) = name.filter(is_unknown) {
        text.push_str(&format!("\nwarning: no rule is called `{name}`"));
    }
    text
}

fn matched(client: &Client, matchers: &[Matcher]) -> Result<usize, Trouble> {
    let filters = matchers
        .iter()
        .map(|matcher| ("filter", matcher.to_string()));
    let answer = client.find("api/v2/alerts", &filters.collect::<Vec<_>>())?;
    Ok(answer.data::<Vec<Value>>()?.len())
}

/// The alert's name, where the silence is for one name only.
fn named(matchers: &[Matcher]) -> Option<String> {
    let mut parts = matchers.iter().map(Matcher::parts);
    let name = parts.find(|parts| parts.name == "alertname" && parts.is_equal && !parts.is_regex);
    name.map(|parts| parts.value.clone())
}

/// The names of all alerting rules.
fn rules(client: &Client) -> Result<Vec<String>, Trouble> {
    let kind = ("type", "alert".to_owned());
    let answer: Value = client.find("api/v1/rules", &[kind])?.data()?;
    let groups = answer["data"]["groups"].as_array().into_iter().flatten();
    let rules = groups.flat_map(|group| group["rules"].as_array().into_iter().flatten());
    let names = rules.filter_map(|rule| rule["name"].as_str());
    Ok(names.map(str::to_owned).collect())
}

fn to_the_second(at: Timestamp) -> String {
    let exact = at.rfc3339();
    let whole = exact.split('.').next().unwrap_or_default();
    format!("{whole}Z")
}
