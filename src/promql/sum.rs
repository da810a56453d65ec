//! Sums that keep what plain addition loses (Kahan's method as Neumaier improved it), as Prometheus sums.

/// A running sum and what its rounding has lost.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sum {
    high: f64,
    low: f64,
}

impl Sum {
    /// Begins with one value.
    pub(super) fn of(value: f64) -> Self {
        Sum {
            high: value,
            low: 0.0,
        }
    }

    /// With one value more.
    pub(super) fn plus(self, value: f64) -> Self {
        let high = self.high + value;
        let low = if high.is_infinite() {
            0.0
        } else if self.high.abs() >= value.abs() {
            self.low + ((self.high - high) + value)
        } else {
            self.low + ((value - high) + self.high)
        };
        Sum { high, low }
    }

    /// The sum.
    pub(super) fn total(self) -> f64 {
        if self.high.is_infinite() {
            self.high
        } else {
            self.high + self.low
        }
    }

    fn times(self, factor: f64) -> Self {
        Sum {
            high: self.high * factor,
            low: self.low * factor,
        }
    }

    fn over(self, count: f64) -> f64 {
        self.high / count + self.low / count
    }
}

impl FromIterator<f64> for Sum {
    fn from_iter<I: IntoIterator<Item = f64>>(values: I) -> Self {
        values.into_iter().fold(Sum::default(), Sum::plus)
    }
}

/// The mean of some values; `NaN` of none. Turns to the running mean where the sum would overflow.
pub(super) fn mean(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values = values.into_iter();
    let Some(first) = values.next() else {
        return f64::NAN;
    };
    let mut count = 1.0;
    let mut sum = Sum::of(first);
    let mut running = false;
    for value in values {
        count += 1.0;
        if !running {
            let next = sum.plus(value);
            if !next.high.is_infinite() {
                sum = next;
                continue;
            }
            running = true;
            sum = sum.times(1.0 / (count - 1.0));
        }
        sum = sum.times((count - 1.0) / count).plus(value / count);
    }
    match running {
        true => sum.high + sum.low,
        false => sum.over(count),
    }
}

/// The variance of some values, all of them being the whole population.
pub(super) fn variance(values: impl IntoIterator<Item = f64>) -> f64 {
    let (mut mean, mut squares, mut count) = (Sum::default(), Sum::default(), 0.0);
    for value in values {
        count += 1.0;
        let delta = value - (mean.high + mean.low);
        mean = mean.plus(delta / count);
        squares = squares.plus(delta * (value - (mean.high + mean.low)));
    }
    (squares.high + squares.low) / count
}

/// The quantile `q` of some values by linear interpolation; `NaN` counts as the smallest.
pub(super) fn quantile(q: f64, mut values: Vec<f64>) -> f64 {
    if values.is_empty() || q.is_nan() {
        return f64::NAN;
    }
    if q < 0.0 {
        return f64::NEG_INFINITY;
    }
    if q > 1.0 {
        return f64::INFINITY;
    }
    values.sort_by(|a, b| b.is_nan().cmp(&a.is_nan()).then(a.total_cmp(b)));
    let rank = q * (values.len() - 1) as f64;
    let lower = rank.floor() as usize;
    let upper = (lower + 1).min(values.len() - 1);
    let weight = rank - rank.floor();
    values[lower] * (1.0 - weight) + values[upper] * weight
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_values_survive_big_ones() {
        assert_eq!(
            [1.0, 1e100, 1.0, -1e100]
                .into_iter()
                .collect::<Sum>()
                .total(),
            2.0
        );
        assert_eq!(mean([1e100, 2.0, 8.0, -1e100]), 2.5);
        let big = f64::MAX / 1.5;
        assert_eq!(mean([big, big, big]), big);
        assert!(mean([f64::INFINITY, f64::NEG_INFINITY]).is_nan());
    }

    #[test]
    fn quantiles_are_interpolated() {
        assert_eq!(quantile(0.5, vec![3.0, 1.0, 2.0, 4.0]), 2.5);
        assert_eq!(quantile(0.75, vec![0.0, 1.0, f64::NAN]), 0.5);
        assert!(quantile(0.2, vec![0.0, 1.0, f64::NAN]).is_nan());
        assert_eq!(quantile(-1.0, vec![0.0]), f64::NEG_INFINITY);
    }
}
