//! Merge keys: `<<: *other` takes the entries of another mapping in, behind those that stand here.

use crate::document::{Key, Node, Problem, Value};

/// The key that takes in the entries of other mappings.
pub(super) const MERGE: &str = "<<";
const MERGES_MAPS: &str = "`<<` takes a mapping or a list of mappings, such as an alias of one";

/// The mappings that a merge key names, the first of them before the others.
pub(super) fn maps(node: Node) -> Result<Vec<(Key, Node)>, Problem> {
    match node.value {
        Value::Map(entries) => Ok(entries),
        Value::List(items) => {
            let mut entries = Vec::new();
            for item in items {
                let Value::Map(more) = item.value else {
                    return Err(Problem::at(&item.place, MERGES_MAPS));
                };
                entries.extend(more);
            }
            Ok(entries)
        }
        _ => Err(Problem::at(&node.place, MERGES_MAPS)),
    }
}

/// What a mapping takes from those it merges: each key that it has not itself, the first of a name.
pub(super) fn inherited(own: &[(Key, Node)], merged: Vec<(Key, Node)>) -> Vec<(Key, Node)> {
    let mut taken: Vec<(Key, Node)> = Vec::new();
    for (key, node) in merged {
        let mut known = own.iter().chain(&taken);
        if !known.any(|(other, _)| other.text == key.text) {
            taken.push((key, node));
        }
    }
    taken
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::parse;

    #[test]
    fn merged_mappings_stand_back_behind_own_keys() {
        let text =
            "a: &a {k: 1, l: 2}\nb: &b {k: 3, m: 4}\nc:\n  l: 5\n  <<: [*a, *b]\nd: {<<: *b}\n";
        let node = parse("x.yml", text).unwrap();
        let Value::Map(entries) = &node.value else {
            panic!("not a map")
        };
        let told = |node: &Node| {
            let Value::Map(entries) = &node.value else {
                panic!("not a map")
            };
            let each = entries.iter().map(|(key, node)| match &node.value {
                Value::Scalar(text) => format!("{}={text}", key.text),
                _ => key.text.clone(),
            });
            each.collect::<Vec<_>>().join(" ")
        };
        assert_eq!(told(&entries[2].1), "l=5 k=1 m=4");
        assert_eq!(told(&entries[3].1), "k=3 m=4");
        let complaint = parse("x.yml", "a: {<<: 5}\n").unwrap_err().to_string();
        assert!(complaint.starts_with("x.yml:1:9: `<<` takes a mapping"));
    }
}
