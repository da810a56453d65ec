//! The texts of all labels, each held once and known by a number.

use std::collections::HashMap;
use std::sync::Arc;

use crate::sample::Labels;

/// The number of a text.
pub(super) type Text = u32;

/// Name and value of a label.
pub(super) type Pair = (Text, Text);

/// Texts by number and back; each lives as long as a series uses it.
#[derive(Debug, Default)]
pub(super) struct Texts {
    numbers: HashMap<Arc<str>, Text>,
    held: Vec<Held>,
    vacant: Vec<Text>,
}

#[derive(Debug)]
struct Held {
    text: Arc<str>,
    uses: u32,
}

impl Texts {
    /// The number of a text, if any series uses it.
    pub(super) fn find(&self, text: &str) -> Option<Text> {
        self.numbers.get(text).copied()
    }

    /// The text of a number.
    pub(super) fn get(&self, number: Text) -> &Arc<str> {
        &self.held[number as usize].text
    }

    /// Labels as numbers, if series use all of their texts.
    pub(super) fn pairs(&self, labels: &Labels) -> Option<Vec<Pair>> {
        let pairs = labels.iter();
        pairs
            .map(|(name, value)| Some((self.find(name)?, self.find(value)?)))
            .collect()
    }

    /// Labels as numbers for a new series, in the order of the labels.
    pub(super) fn enter(&mut self, labels: &Labels) -> Arc<[Pair]> {
        let pairs = labels.iter();
        pairs
            .map(|(name, value)| (self.used(name), self.used(value)))
            .collect()
    }

    /// Lets go of the texts of a series that has gone.
    pub(super) fn leave(&mut self, pairs: &[Pair]) {
        for number in pairs.iter().flat_map(|(name, value)| [*name, *value]) {
            let held = &mut self.held[number as usize];
            held.uses -= 1;
            if held.uses == 0 {
                let text = std::mem::take(&mut held.text);
                self.numbers.remove(&text);
                self.vacant.push(number);
            }
        }
    }

    /// The labels of a series.
    pub(super) fn labels(&self, pairs: &[Pair]) -> Labels {
        let pairs = pairs.iter();
        Labels::in_order(
            pairs.map(|(name, value)| (self.get(*name).clone(), self.get(*value).clone())),
        )
    }

    fn used(&mut self, text: &str) -> Text {
        if let Some(number) = self.find(text) {
            self.held[number as usize].uses += 1;
            return number;
        }
        let held = Held {
            text: text.into(),
            uses: 1,
        };
        let known = held.text.clone();
        let number = match self.vacant.pop() {
            Some(number) => {
                self.held[number as usize] = held;
                number
            }
            None => {
                self.held.push(held);
                (self.held.len() - 1) as Text
            }
        };
        self.numbers.insert(known, number);
        number
    }
}
