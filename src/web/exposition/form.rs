//! How a page is written: its format, and whether it is compressed.

use std::collections::BTreeSet;

use super::accept::Format;
use super::{openmetrics, text};
use crate::sample::{Family, Labels};

/// What a client takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Form {
    pub(super) format: Format,
    pub(super) gzip: bool,
}

impl Form {
    /// Appends HELP and TYPE of a family. `names` are all families of the page.
    pub(super) fn write_head(self, page: &mut String, family: &Family, names: &BTreeSet<&str>) {
        match self.format {
            Format::Text => text::write_head(page, family),
            Format::OpenMetrics => openmetrics::write_head(page, family, names),
        }
    }

    /// Appends the rows of a family.
    pub(super) fn write_rows(self, page: &mut String, name: &str, rows: &[(&Labels, f64)]) {
        match self.format {
            Format::Text => text::write_rows(page, name, rows),
            Format::OpenMetrics => openmetrics::write_rows(page, name, rows),
        }
    }
}
