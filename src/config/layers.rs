//! Merges the layers (file, environment, flags; later ones win) and keeps, for every value, the place it was written.
//! figment does the merging and says which layer a value came from; its place is then looked up in that layer.

use std::collections::BTreeMap;

use figment::value::{Dict, Empty, Map, Tag, Value as Merged};
use figment::{Figment, Metadata, Profile, Provider};

use crate::document::{Key, Node, Place, Problem, Value, parse};

/// One layer: its name, and its values with their places.
pub(super) struct Layer {
    name: String,
    root: Node,
}

impl Layer {
    /// The configuration file as it was parsed.
    pub(super) fn file(name: &str, root: Node) -> Self {
        Layer {
            name: name.into(),
            root,
        }
    }

    /// One value at a key path, from an environment variable or flag. A value that begins with `[` or `{` is YAML.
    pub(super) fn value(name: &str, path: &[&str], text: &str) -> Result<Self, Problem> {
        let place = Place::of(name);
        let leaf = match text.chars().next() {
            Some('[' | '{') => parse(name, text)?,
            _ => Node::new(place.clone(), Value::Scalar(text.into())),
        };
        Ok(Layer {
            name: name.into(),
            root: nest(&place, path, leaf),
        })
    }

    /// A whole tree made from one variable.
    pub(super) fn tree(name: &str, path: &[&str], leaf: Node) -> Self {
        Layer {
            name: name.into(),
            root: nest(&Place::of(name), path, leaf),
        }
    }

    /// Whether this layer writes something at a key path.
    pub(super) fn has(&self, path: &[&str]) -> bool {
        at(&self.root, path).is_some_and(|(_, node)| node.value != Value::Null)
    }
}

impl Provider for Layer {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.name.clone())
    }

    fn data(&self) -> figment::Result<Map<Profile, Dict>> {
        let dict = match to_merged(&self.root) {
            Merged::Dict(_, dict) => dict,
            _ => Dict::new(),
        };
        Ok(BTreeMap::from([(Profile::Default, dict)]))
    }
}

/// The merged tree.
pub(super) fn merge(layers: Vec<Layer>) -> Result<Node, Problem> {
    let written: Vec<(String, Node)> = layers
        .iter()
        .map(|layer| (layer.name.clone(), layer.root.clone()))
        .collect();
    let figment = layers.into_iter().fold(Figment::new(), Figment::merge);
    let merged = figment
        .find_value("")
        .map_err(|error| Problem::at(&Place::of("configuration"), error.to_string()))?;
    let origin = |tag: Tag| {
        figment
            .get_metadata(tag)
            .map(|layer| layer.name.to_string())
    };
    Ok(placed(&merged, &mut Vec::new(), &written, &origin))
}

/// A mapping is put together from all layers; anything else is the node of the layer that won.
fn placed<'m>(
    merged: &'m Merged,
    path: &mut Vec<&'m str>,
    written: &[(String, Node)],
    origin: &dyn Fn(Tag) -> Option<String>,
) -> Node {
    let Merged::Dict(_, dict) = merged else {
        let layer = origin(merged.tag());
        let own = written
            .iter()
            .filter(|(name, _)| Some(name) == layer.as_ref());
        let found = own.filter_map(|(_, root)| at(root, path)).next_back();
        let nothing = || Node::new(Place::of(&layer.unwrap_or_default()), Value::Null);
        return found.map_or_else(nothing, |(_, node)| node.clone());
    };
    let mut first = written.iter().filter_map(|(_, root)| at(root, path));
    let place = first
        .next()
        .map(|(_, node)| node.place.clone())
        .unwrap_or_default();
    let entries = dict.iter().map(|(text, value)| {
        path.push(text);
        let node = placed(value, path, written, origin);
        let key = written
            .iter()
            .filter_map(|(_, root)| at(root, path)?.0.cloned())
            .next();
        path.pop();
        (
            key.unwrap_or_else(|| Key {
                text: text.clone(),
                place: node.place.clone(),
            }),
            node,
        )
    });
    Node::new(place, Value::Map(entries.collect()))
}

fn at<'n>(root: &'n Node, path: &[&str]) -> Option<(Option<&'n Key>, &'n Node)> {
    path.iter().try_fold((None, root), |(_, node), wanted| {
        let Value::Map(entries) = &node.value else {
            return None;
        };
        let (key, node) = entries.iter().find(|(key, _)| key.text == *wanted)?;
        Some((Some(key), node))
    })
}

fn nest(place: &Place, path: &[&str], leaf: Node) -> Node {
    path.iter().rev().fold(leaf, |node, key| {
        let key = Key {
            text: (*key).into(),
            place: place.clone(),
        };
        Node::new(place.clone(), Value::Map(vec![(key, node)]))
    })
}

fn to_merged(node: &Node) -> Merged {
    match &node.value {
        Value::Null => Merged::Empty(Tag::Default, Empty::None),
        Value::Scalar(text) => Merged::from(text.clone()),
        Value::List(items) => Merged::from(items.iter().map(to_merged).collect::<Vec<_>>()),
        Value::Map(entries) => Merged::from(
            entries
                .iter()
                .map(|(key, node)| (key.text.clone(), to_merged(node)))
                .collect::<Dict>(),
        ),
    }
}
