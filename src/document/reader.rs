//! Reads one document through [`Section`]s and keeps what is wrong with it, or what was asked for.

use std::cell::RefCell;

use super::section::Section;
use super::{Node, Outside, Place, Problem};

/// A key as it was declared by the code that reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declaration {
    /// The key path; `[]` stands for each element of a list, `NAME` for a key the user chooses.
    pub path: String,
    /// What may be written: `text`, `duration`, `secret`, `section` …
    pub kind: String,
    /// What holds when it is not written; empty when nothing does.
    pub default: String,
    /// Its meaning, one sentence or two.
    pub doc: String,
}

type Environment<'e> = &'e dyn Fn(&str) -> Option<String>;

/// Reads one document and keeps what is wrong with it.
pub struct Reader<'e> {
    pub(super) environment: Option<Environment<'e>>,
    pub(super) describing: bool,
    pub(super) passes_over_unknown: bool,
    pub(super) leaves_out_nothing: bool,
    problems: RefCell<Vec<Problem>>,
    pub(super) outside: RefCell<Vec<Outside>>,
    pub(super) declarations: RefCell<Vec<Declaration>>,
}

impl<'e> Reader<'e> {
    /// With an environment, `${NAME}` in any value is replaced by the variable, and `KEY_file` names a file that holds
    /// the value; without one, values are taken as they stand (rule files, collectors).
    pub fn new(environment: Option<Environment<'e>>) -> Self {
        Reader {
            environment,
            describing: false,
            passes_over_unknown: false,
            leaves_out_nothing: false,
            problems: RefCell::default(),
            outside: RefCell::default(),
            declarations: RefCell::default(),
        }
    }

    /// As [`Reader::new`] without an environment, for files that Prometheus reads: an element of a list that is nothing
    /// is left out.
    pub fn as_in_go() -> Self {
        Reader {
            leaves_out_nothing: true,
            ..Reader::new(None)
        }
    }

    /// The same reader, to which a key that nobody asks for is no mistake.
    pub fn passing_over_unknown(self, yes: bool) -> Self {
        Reader {
            passes_over_unknown: yes,
            ..self
        }
    }

    /// Reads the root mapping. Keys nobody asked for become problems.
    pub fn read<T>(&self, root: &Node, read: impl FnOnce(&mut Section) -> T) -> T {
        Section::over(self, Some(root), root.place.clone(), String::new(), read)
    }

    /// What was found wrong, in the order of the file.
    pub fn problems(self) -> Vec<Problem> {
        let mut problems = self.problems.into_inner();
        problems.sort_by_key(|problem| (problem.place.line, problem.place.column));
        problems
    }

    /// What was named that the system must have.
    pub fn outside(&self) -> Vec<Outside> {
        self.outside.borrow().clone()
    }

    /// Adds a mistake found outside of any section.
    pub fn report(&self, problem: Problem) {
        if !self.describing {
            self.problems.borrow_mut().push(problem);
        }
    }

    /// Everything that `read` would ask for, optional sections and list elements included.
    pub fn describe(read: impl FnOnce(&mut Section)) -> Vec<Declaration> {
        let reader = Reader {
            describing: true,
            ..Reader::new(None)
        };
        Section::over(&reader, None, Place::default(), String::new(), read);
        reader.declarations.into_inner()
    }
}
