//! Reads the demo's own `/metrics`, as Prometheus would, for the numbers it shows.

use std::time::Instant;

use super::cluster::{DATABASE, MAX_CONNECTIONS};

/// One look at the page.
pub(super) struct Numbers {
    page: String,
    at: Instant,
}

impl Numbers {
    /// `None` while the page does not answer or has nothing of the server yet.
    pub(super) async fn read(client: &reqwest::Client, url: &str) -> Option<Numbers> {
        let response = client.get(url).send().await.ok()?;
        let page = response.error_for_status().ok()?.text().await.ok()?;
        let numbers = Numbers {
            page,
            at: Instant::now(),
        };
        (numbers.sum("pg_up", "") == Some(1.0) && numbers.connections().is_some())
            .then_some(numbers)
    }

    /// One line of them; rates are since the look before.
    pub(super) fn line(&self, before: Option<&Numbers>) -> String {
        let of_database = format!("datname=\"{DATABASE}\"");
        let mut shown = vec![format!(
            "{:>2} of {MAX_CONNECTIONS} connections",
            self.connections().unwrap_or_default()
        )];
        let mut show = |text: Option<String>| shown.extend(text);
        show(before.and_then(|before| {
            let committed =
                |numbers: &Numbers| numbers.sum("pg_stat_database_xact_commit", &of_database);
            let rate =
                (committed(self)? - committed(before)?) / (self.at - before.at).as_secs_f64();
            Some(format!("{rate:>4.0} transactions/s"))
        }));
        show(
            self.sum("pg_database_cache_hit_ratio", &of_database)
                .map(|ratio| format!("{:.1} % from cache", ratio * 100.0)),
        );
        show(
            self.sum("pg_database_size_bytes", &of_database)
                .map(|size| format!("{:.1} MB", size / 1e6)),
        );
        show(
            self.sum("pg_backup_age_seconds", "")
                .map(|age| format!("dump {age:.0} s old")),
        );
        shown.join("   ")
    }

    fn connections(&self) -> Option<f64> {
        self.sum("pg_stat_activity_count", "")
    }

    /// The sum of a metric's series that have a label; `None` when there is no such series.
    fn sum(&self, name: &str, label: &str) -> Option<f64> {
        let values = self.page.lines().filter_map(|line| {
            let rest = line.strip_prefix(name)?;
            let is_name = rest.starts_with(['{', ' ']);
            let (labels, value) = rest.rsplit_once(' ')?;
            (is_name && labels.contains(label))
                .then(|| value.parse::<f64>().ok())
                .flatten()
        });
        values.fold(None, |sum, value| Some(sum.unwrap_or(0.0) + value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_are_summed() {
        let page = "# TYPE a gauge\na 1\na{x=\"1\",y=\"p q\"} 2\na{x=\"2\"} 3.5\na_total{x=\"1\"} 100\nb{} NaN\n";
        let numbers = Numbers {
            page: page.into(),
            at: Instant::now(),
        };
        for (name, label, sum) in [
            ("a", "", Some(6.5)),
            ("a", "x=\"1\"", Some(2.0)),
            ("a_total", "", Some(100.0)),
            ("c", "", None),
        ] {
            assert_eq!(numbers.sum(name, label), sum, "{name} {label}");
        }
    }
}
