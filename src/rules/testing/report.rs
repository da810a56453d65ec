//! The verdicts of a file, for a person.

use std::fmt;

use super::{Failure, Tested};

impl fmt::Display for Tested {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let failed = self.tests.iter().filter(|test| !test.failures.is_empty());
        let failed = failed.count();
        let passed = self.tests.len() - failed;
        let verdict = match (self.mistakes.len(), failed) {
            (0, 0) => format!("{passed} passed"),
            (0, _) => format!("{passed} passed, {failed} failed"),
            (1, _) => "not run, 1 mistake".into(),
            (mistakes, _) => format!("not run, {mistakes} mistakes"),
        };
        writeln!(f, "{}: {verdict}", self.file)?;
        for mistake in &self.mistakes {
            writeln!(f, "{mistake}")?;
        }
        for test in self.tests.iter().filter(|test| !test.failures.is_empty()) {
            writeln!(f, "\nfailed: {}", test.name)?;
            for failure in &test.failures {
                write!(f, "{failure}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "  {}: {}", self.place, self.what)?;
        for line in &self.details {
            writeln!(f, "    {line}")?;
        }
        Ok(())
    }
}
