//! YAML with places: every value knows the file, line and column it came from.
//! Takes text; hands each room a [`Section`] to read its settings, rules or collectors from, and collects every mistake.

mod duration;
mod files;
mod outside;
mod reader;
mod secret;
mod section;
mod value;
mod yaml;

use std::fmt;
use std::sync::Arc;

pub use duration::{format_duration, parse_duration};
pub use files::{like, read_matching};
pub use outside::{Outside, Thing};
pub use reader::{Declaration, Reader};
pub use secret::Secret;
pub use section::Section;
pub use value::{nearest, parse_bytes, parse_number};
pub use yaml::{parse, parse_first};

/// Where a value was written: a file with line and column, or an environment variable or flag.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Place {
    /// The file's name, `environment variable X` or `flag --x`.
    pub origin: Arc<str>,
    /// 1-based; 0 where there is no line.
    pub line: usize,
    /// 1-based; 0 where there is no column.
    pub column: usize,
}

impl Place {
    /// A place without a line: an environment variable, a flag, a whole file.
    pub fn of(origin: &str) -> Self {
        Place {
            origin: origin.into(),
            line: 0,
            column: 0,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.origin)?;
        if self.line > 0 {
            write!(f, ":{}:{}", self.line, self.column)
        } else {
            Ok(())
        }
    }
}

/// A value and its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Where it begins.
    pub place: Place,
    /// What it is.
    pub value: Value,
    /// Whether it is written as text on purpose, in quotes or as a block.
    pub quoted: bool,
}

impl Node {
    /// A value that is not written in quotes.
    pub fn new(place: Place, value: Value) -> Self {
        Node {
            place,
            value,
            quoted: false,
        }
    }

    /// Where a key of an element of a list is written, and its path; where it is not, the element.
    pub fn spot(&self, list: &str, element: usize, key: &str) -> (Place, String) {
        let nodes = self.under(list).map(|node| match &node.value {
            Value::List(items) => items.get(element).unwrap_or(node),
            _ => node,
        });
        let file_key = format!("{key}_file");
        let written = |node: &Self| {
            let found = [key, &file_key].into_iter().find_map(|key| node.under(key));
            found.unwrap_or(node).place.clone()
        };
        let place = nodes.map_or_else(|| self.place.clone(), written);
        (place, format!("{list}[{element}].{key}"))
    }

    fn under(&self, key: &str) -> Option<&Node> {
        let Value::Map(entries) = &self.value else {
            return None;
        };
        let (_, node) = entries.iter().find(|(known, _)| known.text == key)?;
        Some(node)
    }
}

/// YAML's three shapes; what a scalar means is for its reader to say.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Nothing: `key:` or `null`.
    Null,
    /// Text as written, without its quotes.
    Scalar(String),
    /// A sequence.
    List(Vec<Node>),
    /// A mapping in the order of the file; keys are unique.
    Map(Vec<(Key, Node)>),
}

/// A mapping's key and its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Key {
    /// The key.
    pub text: String,
    /// Where it stands.
    pub place: Place,
}

/// One mistake a person made in a file, variable or flag.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    /// Where.
    pub place: Place,
    /// The key path, such as `notify.receivers[0].email.to`; may be empty.
    pub path: String,
    /// What is wrong, without a full stop.
    pub message: String,
    /// The way out, where there is one to name.
    pub hint: Option<String>,
}

impl Problem {
    /// A mistake at a place, with no key to name.
    pub fn at(place: &Place, message: impl Into<String>) -> Self {
        Problem {
            place: place.clone(),
            path: String::new(),
            message: message.into(),
            hint: None,
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.place)?;
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.message)?;
        match &self.hint {
            Some(hint) => write!(f, "\n  hint: {hint}"),
            None => Ok(()),
        }
    }
}
