//! One test: its rules are evaluated slot by slot, and what is expected is held against what came.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::document::{Problem, format_duration};
use crate::promql::{Moments, Query, Value, evaluate};
use crate::rules::Group;
use crate::sample::{Labels, Timestamp};

use super::course::Course;
use super::difference::{between_alerts, between_samples};
use super::file::{AlertCase, ExpectedAlert, ExpressionCase, Test, TestFile};
use super::input::Input;
use super::notation::labels;
use super::{Failure, did_you_mean, history};

/// A value of an expression, or of one of its elements.
pub(super) type Sample = (Labels, f64);

/// What did not come as expected, and what is hardly meant.
pub(super) fn of(test: &Test, file: &TestFile, groups: &[Group]) -> (Vec<Failure>, Vec<Problem>) {
    let (input, warning) = match Input::of(test) {
        Ok(read) => read,
        Err(mistakes) => return (mistakes.into_iter().map(unreadable).collect(), Vec::new()),
    };
    let mut trial = Trial {
        course: Course::new(test, groups, file.interval, input),
        test,
        file,
        groups,
        failures: Vec::new(),
    };
    // Expressions are looked at only where every rule could be evaluated to the end.
    if trial.alerts() {
        test.expressions
            .iter()
            .for_each(|case| trial.expression(case));
    }
    (trial.failures, warning.into_iter().collect())
}

fn unreadable(mistake: Problem) -> Failure {
    Failure {
        place: mistake.place,
        what: mistake.message,
        details: Vec::new(),
    }
}

struct Trial<'t> {
    course: Course<'t>,
    test: &'t Test,
    file: &'t TestFile,
    groups: &'t [Group],
    failures: Vec<Failure>,
}

impl Trial<'_> {
    /// Evaluates all rules up to the last moment that is asked for. `false` when a rule failed.
    fn alerts(&mut self) -> bool {
        let mut cases: Vec<&AlertCase> = self.test.alerts.iter().collect();
        cases.sort_by_key(|case| case.at);
        let times = cases.iter().map(|case| case.at);
        let all = times.chain(self.test.expressions.iter().map(|case| case.at));
        let last = all.max().unwrap_or_default();
        let mut cases = cases.into_iter().peekable();
        let mut since = Duration::ZERO;
        while since <= last {
            if let Err(failed) = self.course.step(self.test.start + since) {
                let at = format_duration(since);
                self.failures
                    .extend(failed.into_iter().map(|(rule, cause)| Failure {
                        place: rule.place.clone(),
                        what: format!("rule `{}` at {at}: {cause}", rule.name),
                        details: Vec::new(),
                    }));
                return false;
            }
            // What is asked for between two evaluations is answered by the earlier.
            let next = since + self.file.interval;
            while let Some(case) = cases.next_if(|case| case.at < next) {
                self.alert(case);
            }
            since = next;
        }
        true
    }

    fn alert(&mut self, case: &AlertCase) {
        let firing = self.course.firing(&case.alert).map(|alert| ExpectedAlert {
            labels: pairs(&alert.labels),
            annotations: alert.annotations.clone(),
        });
        let mut got: Vec<ExpectedAlert> = firing.collect();
        let mut expected = case.expected.clone();
        got.sort();
        expected.sort();
        if got == expected {
            return;
        }
        let mut details = between_alerts(&expected, &got);
        details.extend(did_you_mean(self.groups, &case.alert));
        details.extend(history::of_alerts(&self.course, &case.alert, case.at));
        self.failures.push(Failure {
            place: case.place.clone(),
            what: format!(
                "alert `{}` at {}: {}",
                case.alert,
                format_duration(case.at),
                differ(expected.len(), got.len()),
            ),
            details,
        });
    }

    fn expression(&mut self, case: &ExpressionCase) {
        if let Err((what, details)) = self.compared(case) {
            let at = format_duration(case.at);
            self.failures.push(Failure {
                place: case.place.clone(),
                what: format!("`{}` at {at}: {what}", case.text.trim()),
                details,
            });
        }
    }

    fn compared(&self, case: &ExpressionCase) -> Result<(), (String, Vec<String>)> {
        let alone = |cause: String| (cause, Vec::new());
        let query = Query::parse(&case.text)
            .map_err(|error| alone(format!("could not parse expression: {error}")))?;
        let mut got = self
            .value(&query, self.test.start + case.at)
            .map_err(alone)?;
        let mut expected = Vec::new();
        for (text, value) in &case.expected {
            let labels =
                labels(text).map_err(|cause| alone(format!("labels `{text}`: {cause}")))?;
            expected.push((labels, *value));
        }
        let by_labels = |a: &Sample, b: &Sample| a.0.cmp(&b.0);
        got.sort_by(by_labels);
        expected.sort_by(by_labels);
        let same = |(a, b): (&Sample, &Sample)| a.0 == b.0 && self.same_value(a.1, b.1);
        if got.len() == expected.len() && expected.iter().zip(&got).all(same) {
            return Ok(());
        }
        let mut details = between_samples(&expected, &got, |a, b| self.same_value(a, b));
        details.extend(history::of_expression(
            &self.course,
            &query,
            case.at,
            self.file.interval,
        ));
        Err(("the value is not as expected".into(), details))
    }

    fn value(&self, query: &Query, at: Timestamp) -> Result<Vec<Sample>, String> {
        let answer = evaluate(
            query,
            &self.course.store,
            Moments::At(at),
            &self.course.limits(),
        )
        .map_err(|error| error.to_string())?;
        match answer.value {
            Value::Scalar(value) => Ok(vec![(Labels::default(), value)]),
            Value::Vector(elements) => {
                let each = elements.into_iter();
                Ok(each
                    .map(|element| (element.labels, element.value))
                    .collect())
            }
            Value::Text(_) | Value::Matrix(_) => {
                Err("the value is neither an instant vector nor a number".into())
            }
        }
    }

    /// Values are the same to the last bit, or, where the file allows it, but for that. NaN is the same as nothing.
    fn same_value(&self, a: f64, b: f64) -> bool {
        a == b || (self.file.fuzzy && (a.next_up() == b || a.next_down() == b))
    }
}

fn pairs(labels: &Labels) -> BTreeMap<String, String> {
    let each = labels.iter();
    each.map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

fn differ(expected: usize, got: usize) -> String {
    let expected_to = match expected {
        0 => "none is expected to fire".into(),
        1 => "1 is expected to fire".into(),
        many => format!("{many} are expected to fire"),
    };
    match got {
        same if same == expected => "what fires is not what is expected".into(),
        0 => format!("{expected_to}, none does"),
        1 => format!("{expected_to}, 1 does"),
        many => format!("{expected_to}, {many} do"),
    }
}
