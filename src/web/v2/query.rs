//! The parameters of a request, and which alerts they select.

use regex::Regex;

use super::filter;
use super::reply::Reply;
use crate::incident::Matcher;

/// Names and values in their order.
#[derive(Debug, Default)]
pub(super) struct Query(Vec<(String, String)>);

/// Which alerts are wanted.
#[derive(Debug)]
pub(super) struct Selection {
    /// All must hold.
    pub(super) matchers: Vec<Matcher>,
    /// One of its receivers must match.
    pub(super) receiver: Option<Regex>,
    pub(super) active: bool,
    pub(super) silenced: bool,
    pub(super) inhibited: bool,
}

impl Query {
    /// From the query of an address.
    pub(super) fn read(query: &str) -> Query {
        let pairs = form_urlencoded::parse(query.as_bytes());
        Query(
            pairs
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
        )
    }

    /// The matchers of `filter`.
    pub(super) fn matchers(&self) -> Result<Vec<Matcher>, Reply> {
        let filters = self.0.iter().filter(|(name, _)| name == "filter");
        let matchers = filters.map(|(_, text)| filter::matcher(text));
        matchers.collect::<Result<_, _>>().map_err(Reply::bad)
    }

    /// The alerts that are wanted.
    pub(super) fn selection(&self) -> Result<Selection, Reply> {
        let receiver = self.last("receiver").filter(|pattern| !pattern.is_empty());
        let receiver = receiver.map(filter::anchored).transpose();
        Ok(Selection {
            matchers: self.matchers()?,
            receiver: receiver
                .map_err(|said| Reply::bad(format!("failed to parse receiver param: {said}")))?,
            active: self.flag("active"),
            silenced: self.flag("silenced"),
            inhibited: self.flag("inhibited"),
        })
    }

    /// Without a value it is true; with one that is no word for it, it is not.
    fn flag(&self, name: &str) -> bool {
        const WORDS: [&str; 10] = [
            "1", "t", "true", "ok", "y", "yes", "on", "selected", "checked", "enabled",
        ];
        let value = self.last(name).filter(|value| !value.is_empty());
        value.is_none_or(|value| WORDS.contains(&value.to_ascii_lowercase().as_str()))
    }

    fn last(&self, name: &str) -> Option<&str> {
        let named = self.0.iter().rfind(|(known, _)| known == name);
        named.map(|(_, value)| value.as_str())
    }
}
