//! An expression as a tree of texts, which can be made smaller.

/// What a term gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    Vector,
    Matrix,
    Scalar,
    Text,
}

/// A term: texts with other terms between them.
#[derive(Debug, Clone)]
pub struct Term {
    pub gives: Type,
    parts: Vec<Part>,
}

#[derive(Debug, Clone)]
enum Part {
    Text(String),
    Term(Term),
}

impl Term {
    /// A term without others in it.
    pub fn leaf(gives: Type, text: impl Into<String>) -> Term {
        Term {
            gives,
            parts: vec![Part::Text(text.into())],
        }
    }

    /// A text in which each `#` stands for the next of the terms.
    pub fn new(gives: Type, pattern: &str, terms: impl IntoIterator<Item = Term>) -> Term {
        let mut terms = terms.into_iter();
        let mut parts = Vec::new();
        for (place, text) in pattern.split('#').enumerate() {
            if place > 0 {
                parts.extend(terms.next().map(Part::Term));
            }
            parts.push(Part::Text(text.to_owned()));
        }
        Term { gives, parts }
    }

    /// Every tree that is this one with one of its terms replaced by a smaller one of the same type.
    pub fn smaller(&self) -> Vec<Term> {
        let mut within = Vec::new();
        self.of_type(self.gives, &mut within);
        for (place, part) in self.parts.iter().enumerate() {
            if let Part::Term(term) = part {
                within.extend(term.smaller().into_iter().map(|smaller| {
                    let mut tree = self.clone();
                    tree.parts[place] = Part::Term(smaller);
                    tree
                }));
            }
        }
        within
    }

    /// The terms of a type below this one.
    fn of_type(&self, gives: Type, into: &mut Vec<Term>) {
        for part in &self.parts {
            if let Part::Term(term) = part {
                if term.gives == gives {
                    into.push(term.clone());
                }
                term.of_type(gives, into);
            }
        }
    }
}

impl std::fmt::Display for Term {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.parts.iter().try_for_each(|part| match part {
            Part::Text(text) => f.write_str(text),
            Part::Term(term) => term.fmt(f),
        })
    }
}
