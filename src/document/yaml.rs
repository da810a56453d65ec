//! Turns YAML text into a tree of nodes with places. Anchors and aliases are followed; what to do with a second document is up to the caller.

mod merge;

use std::collections::HashMap;
use std::sync::Arc;

use saphyr_parser::{Event, Parser, ScalarStyle, Span, StrInput, Tag};

use super::{Key, Node, Place, Problem, Value};
use merge::{MERGE, inherited, maps};

/// Deeper nesting than any of our formats has; a guard against files made to exhaust the stack.
const DEEPEST: usize = 64;
/// Aliases may repeat at most this many nodes in all.
const MOST_NODES: usize = 1_000_000;

/// Parses one YAML document; an empty text is a null node.
///
/// # Errors
/// The first syntax error, a duplicate key, a key that is not a scalar, or a second document, with its place.
pub fn parse(origin: &str, text: &str) -> Result<Node, Problem> {
    match parse_first(origin, text)? {
        (root, None) => Ok(root),
        (_, Some(second)) => Err(Problem::at(
            &second,
            "a second YAML document in the same file",
        )),
    }
}

/// Parses the first YAML document, as Prometheus reads rule files, and says where a second one begins, which is not
/// looked into.
///
/// # Errors
/// As [`parse`], but for the second document.
pub fn parse_first(origin: &str, text: &str) -> Result<(Node, Option<Place>), Problem> {
    let mut tree = Tree {
        origin: origin.into(),
        parser: Parser::new_from_str(text),
        anchors: HashMap::new(),
        nodes: 0,
    };
    tree.document()
}

struct Tree<'input> {
    origin: Arc<str>,
    parser: Parser<'input, StrInput<'input>>,
    anchors: HashMap<usize, Node>,
    nodes: usize,
}

impl<'input> Tree<'input> {
    fn document(&mut self) -> Result<(Node, Option<Place>), Problem> {
        let (mut root, mut second) = (None, None);
        loop {
            let (event, span) = self.next()?;
            match event {
                Event::StreamStart | Event::DocumentEnd | Event::Nothing => {}
                Event::DocumentStart(_) if root.is_some() => {
                    second = Some(self.place(span));
                    break;
                }
                Event::DocumentStart(_) => {
                    let (event, span) = self.next()?;
                    root = Some(self.node(event, span, 0)?);
                }
                Event::StreamEnd => break,
                _ => {
                    return Err(Problem::at(
                        &self.place(span),
                        "a value outside of the document",
                    ));
                }
            }
        }
        let root = root.unwrap_or_else(|| Node::new(Place::of(&self.origin), Value::Null));
        Ok((root, second))
    }

    fn node(&mut self, event: Event<'input>, span: Span, depth: usize) -> Result<Node, Problem> {
        let place = self.place(span);
        if depth > DEEPEST {
            return Err(Problem::at(
                &place,
                format!("nested deeper than {DEEPEST} levels"),
            ));
        }
        let quoted =
            matches!(&event, Event::Scalar(_, style, _, tag) if is_text(*style, tag.as_deref()));
        let (value, anchor) = match event {
            Event::Scalar(text, style, anchor, _) => (scalar(&text, style), anchor),
            Event::SequenceStart(anchor, _) => (Value::List(self.list(depth)?), anchor),
            Event::MappingStart(anchor, _) => (Value::Map(self.map(depth)?), anchor),
            Event::Alias(anchor) => return self.alias(anchor, &place),
            _ => return Err(Problem::at(&place, "a value is missing here")),
        };
        let node = Node {
            place,
            value,
            quoted,
        };
        self.count(&node, 1)?;
        if anchor > 0 {
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    fn list(&mut self, depth: usize) -> Result<Vec<Node>, Problem> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(items),
                (event, span) => items.push(self.node(event, span, depth + 1)?),
            }
        }
    }

    fn map(&mut self, depth: usize) -> Result<Vec<(Key, Node)>, Problem> {
        let (mut entries, mut merged): (Vec<(Key, Node)>, _) = (Vec::new(), None);
        loop {
            let (event, span) = self.next()?;
            let place = self.place(span);
            let plain = matches!(&event, Event::Scalar(_, ScalarStyle::Plain, ..));
            let text = match event {
                Event::MappingEnd => {
                    entries.extend(inherited(&entries, merged.unwrap_or_default()));
                    return Ok(entries);
                }
                Event::Scalar(text, _, anchor, _) => {
                    self.remember_key(anchor, &text, &place);
                    text.into_owned()
                }
                Event::Alias(anchor) => self.aliased_key(anchor, &place)?,
                _ => return Err(Problem::at(&place, "a key must be a plain word")),
            };
            let earlier = entries.iter().find(|(key, _)| key.text == text);
            if let Some((earlier, _)) = earlier {
                let message = format!(
                    "`{text}` stands here a second time, first on line {}",
                    earlier.place.line
                );
                return Err(Problem::at(&place, message));
            }
            let (event, span) = self.next()?;
            let node = self.node(event, span, depth + 1)?;
            if plain && text == MERGE && merged.is_none() {
                merged = Some(maps(node)?);
            } else {
                entries.push((Key { text, place }, node));
            }
        }
    }

    fn remember_key(&mut self, anchor: usize, text: &str, place: &Place) {
        if anchor > 0 {
            let node = Node::new(place.clone(), Value::Scalar(text.into()));
            self.anchors.insert(anchor, node);
        }
    }

    fn aliased_key(&mut self, anchor: usize, place: &Place) -> Result<String, Problem> {
        match self.alias(anchor, place)?.value {
            Value::Scalar(text) => Ok(text),
            _ => Err(Problem::at(place, "a key must be a plain word")),
        }
    }

    fn alias(&mut self, anchor: usize, place: &Place) -> Result<Node, Problem> {
        let Some(node) = self.anchors.get(&anchor).cloned() else {
            return Err(Problem::at(place, "an alias of nothing"));
        };
        self.count(&node, size(&node))?;
        Ok(node)
    }

    fn count(&mut self, node: &Node, more: usize) -> Result<(), Problem> {
        self.nodes += more;
        if self.nodes > MOST_NODES {
            return Err(Problem::at(&node.place, "aliases make this file too large"));
        }
        Ok(())
    }

    fn next(&mut self) -> Result<(Event<'input>, Span), Problem> {
        match self.parser.next() {
            Some(Ok(event)) => Ok(event),
            Some(Err(error)) => {
                let marker = error.marker();
                let place = Place {
                    origin: self.origin.clone(),
                    line: marker.line(),
                    column: marker.col() + 1,
                };
                Err(Problem::at(
                    &place,
                    format!("not valid YAML: {}", error.info()),
                ))
            }
            None => Ok((Event::StreamEnd, Span::default())),
        }
    }

    fn place(&self, span: Span) -> Place {
        Place {
            origin: self.origin.clone(),
            line: span.start.line(),
            column: span.start.col() + 1,
        }
    }
}

/// Whether a scalar is written as text on purpose: a tag says so, or, where there is none, quotes do.
fn is_text(style: ScalarStyle, tag: Option<&Tag>) -> bool {
    tag.map_or(style != ScalarStyle::Plain, |tag| tag.suffix == "str")
}

fn scalar(text: &str, style: ScalarStyle) -> Value {
    let plain = style == ScalarStyle::Plain;
    if plain && matches!(text, "" | "~" | "null" | "Null" | "NULL") {
        Value::Null
    } else {
        Value::Scalar(text.into())
    }
}

fn size(node: &Node) -> usize {
    match &node.value {
        Value::List(items) => 1 + items.iter().map(size).sum::<usize>(),
        Value::Map(entries) => 1 + entries.iter().map(|(_, node)| size(node)).sum::<usize>(),
        Value::Null | Value::Scalar(_) => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaint(text: &str) -> String {
        parse("x.yml", text)
            .map(|_| String::new())
            .unwrap_or_else(|problem| problem.to_string())
    }

    #[test]
    fn values_know_their_places() {
        let node = parse("x.yml", "a: 1\nb:\n  - c: 'null'\n").unwrap();
        let Value::Map(entries) = &node.value else {
            panic!("not a map")
        };
        let Value::List(items) = &entries[1].1.value else {
            panic!("not a list")
        };
        let Value::Map(inner) = &items[0].value else {
            panic!("not a map")
        };
        assert_eq!(inner[0].1.place.to_string(), "x.yml:3:8");
        assert_eq!(inner[0].1.value, Value::Scalar("null".into()));
    }

    #[test]
    fn mistakes_name_their_line() {
        assert_eq!(
            complaint("a: 1\na: 2\n"),
            "x.yml:2:1: `a` stands here a second time, first on line 1"
        );
        assert!(complaint("a: [1\nb: 2").starts_with("x.yml:2:"));
        assert_eq!(
            complaint("a: 1\n---\nb: 2\n"),
            "x.yml:2:1: a second YAML document in the same file"
        );
    }

    #[test]
    fn aliases_repeat_their_anchor() {
        let node = parse("x.yml", "a: &x {k: 1}\nb: *x\n").unwrap();
        let Value::Map(entries) = &node.value else {
            panic!("not a map")
        };
        assert_eq!(entries[0].1.value, entries[1].1.value);
    }
}
