//! Samples on their way into one request.

use std::collections::HashMap;

use tokio::time::Instant;

use super::proto::{Label, Sample, TimeSeries, WriteRequest};
use super::queue::Parcel;
use super::relabel::{self, Relabel};
use crate::sample::{Labels, Timestamp};
use crate::store::{Followed, Place};

/// What is gathered for the next request.
#[derive(Debug, Default)]
pub(super) struct Batch {
    series: Vec<TimeSeries>,
    /// Which of `series` is at a place in the store; none for one that is not sent.
    known: HashMap<Place, Option<usize>>,
    samples: usize,
    begun: Option<Instant>,
    span: Option<(Timestamp, Timestamp)>,
}

impl Batch {
    /// Adds a sample, with the external labels that its series lacks, where the choices admit it.
    pub(super) fn add(&mut self, followed: &Followed, external: &Labels, choices: &[Relabel]) {
        let Followed {
            place,
            labels,
            at,
            value,
        } = followed;
        let known = *self.known.entry(*place).or_insert_with(|| {
            let series = series(labels, external, choices)?;
            self.series.push(series);
            Some(self.series.len() - 1)
        });
        let Some(series) = known.and_then(|known| self.series.get_mut(known)) else {
            return;
        };
        series.samples.push(Sample {
            value: *value,
            timestamp: at.0,
        });
        self.samples += 1;
        self.begun.get_or_insert_with(Instant::now);
        let (oldest, newest) = self.span.unwrap_or((*at, *at));
        self.span = Some((oldest.min(*at), newest.max(*at)));
    }

    /// How many samples it has.
    pub(super) fn len(&self) -> usize {
        self.samples
    }

    /// When its first sample was added.
    pub(super) fn begun(&self) -> Option<Instant> {
        self.begun
    }

    /// The time of its oldest sample.
    pub(super) fn oldest(&self) -> Option<Timestamp> {
        self.span.map(|(oldest, _)| oldest)
    }

    /// What was gathered, ready to be sent; nothing where there is none.
    pub(super) fn close(&mut self) -> Option<Parcel> {
        let Batch {
            series,
            samples,
            span,
            ..
        } = std::mem::take(self);
        let (oldest, newest) = span?;
        let request = WriteRequest {
            timeseries: series,
            metadata: Vec::new(),
        };
        Some(Parcel {
            body: request.compressed().into(),
            samples: samples as u64,
            span: Some((oldest, newest)),
        })
    }
}

fn series(labels: &Labels, external: &Labels, choices: &[Relabel]) -> Option<TimeSeries> {
    let merged = (!external.is_empty()).then(|| external.merged(labels));
    let labels = merged.as_ref().unwrap_or(labels);
    let label = |(name, value): (&str, &str)| Label {
        name: name.to_owned(),
        value: value.to_owned(),
    };
    relabel::admits(choices, labels).then(|| TimeSeries {
        labels: labels.iter().map(label).collect(),
        samples: Vec::with_capacity(1),
    })
}

#[cfg(test)]
mod tests;
