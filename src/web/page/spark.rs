//! The course of a number as a small picture.

use std::fmt::Write;

use maud::{Markup, html};

use crate::web::overview::Trend;
use crate::web::words;

const WIDTH: f64 = 120.0;
const HEIGHT: f64 = 28.0;

/// Room above and below the line, so that its stroke is not cut.
const MARGIN: f64 = 2.0;

pub(super) fn spark(trend: &Trend) -> Markup {
    let paths = Paths::of(&trend.points);
    html! {
        svg class="spark" viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } preserveAspectRatio="none" role="img" {
            title { "last " (words::span(trend.span)) ": " (trend.lowest) " to " (trend.highest) }
            path class="area" d=(paths.area) {}
            path class="line" d=(paths.line) {}
        }
    }
}

/// The line and what lies under it, in pieces where nothing was known.
#[derive(Debug, PartialEq, Default)]
struct Paths {
    line: String,
    area: String,
}

impl Paths {
    fn of(points: &[Option<f64>]) -> Paths {
        let (low, high) = bounds(points);
        let step = WIDTH / (points.len().max(2) - 1) as f64;
        let place = |(at, point): (usize, &Option<f64>)| {
            let share = ((*point)? - low) / (high - low);
            let y = HEIGHT - MARGIN - share * (HEIGHT - 2.0 * MARGIN);
            Some((at as f64 * step, y))
        };
        let placed: Vec<Option<(f64, f64)>> = points.iter().enumerate().map(place).collect();
        let mut paths = Paths::default();
        for piece in placed.split(Option::is_none) {
            paths.draw(piece);
        }
        paths
    }

    fn draw(&mut self, piece: &[Option<(f64, f64)>]) {
        let (Some(Some((from, _))), Some(Some((to, _)))) = (piece.first(), piece.last()) else {
            return;
        };
        let mut piece_line = String::new();
        for (x, y) in piece.iter().flatten() {
            let pen = if piece_line.is_empty() { 'M' } else { 'L' };
            // Writing to a String does not fail.
            let _ = write!(piece_line, "{pen}{x:.1} {y:.1}");
        }
        let _ = write!(
            self.area,
            "{piece_line}L{to:.1} {HEIGHT}L{from:.1} {HEIGHT}Z"
        );
        self.line.push_str(&piece_line);
    }
}

/// From zero on, so that a small change looks small; but where all lies close together far from zero, from there.
fn bounds(points: &[Option<f64>]) -> (f64, f64) {
    let known = || points.iter().flatten().copied();
    let low = known().reduce(f64::min).unwrap_or(0.0);
    let high = known().reduce(f64::max).unwrap_or(1.0);
    let low = if low > 0.0 && (high - low) > high * 0.2 {
        0.0
    } else {
        low
    };
    match high - low {
        flat if flat <= high.abs() * 1e-3 || flat == 0.0 => (low - 1.0, high + 1.0),
        height => (low - height * 0.1, high),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_is_a_gap() {
        let paths = Paths::of(&[Some(0.0), Some(10.0), None, Some(10.0), Some(0.0)]);
        assert_eq!(paths.line.matches('M').count(), 2, "{paths:?}");
        assert_eq!(paths.area.matches('Z').count(), 2, "{paths:?}");
        assert!(
            paths.line.starts_with("M0.0 23.8L30.0 2.0M90.0 2.0"),
            "{paths:?}"
        );
    }

    #[test]
    fn any_numbers_stay_inside_the_picture() {
        let cases: [&[Option<f64>]; 6] = [
            &[],
            &[None],
            &[Some(5.0), Some(5.0)],
            &[Some(0.0), Some(0.0)],
            &[Some(-3.0), Some(1e300), Some(-1e300)],
            &[Some(0.999), Some(0.998)],
        ];
        for points in cases {
            let paths = Paths::of(points);
            let numbers = paths
                .line
                .split(['M', 'L', ' '])
                .filter(|text| !text.is_empty());
            for number in numbers {
                let number: f64 = number.parse().unwrap();
                assert!((0.0..=WIDTH).contains(&number), "{points:?}: {paths:?}");
            }
        }
    }
}
