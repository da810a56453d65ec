//! Rows of cells as lines of text.

/// What a terminal shows without breaking lines itself.
const WIDTH: usize = 100;

/// The least that the last column keeps, however wide the others are.
const LEAST: usize = 30;

/// Rows of cells, each column as wide as its widest cell; the last goes on in the next line, under itself, where it is
/// too long. No blanks at the end of a line.
pub(in crate::collectors) fn columns<const N: usize>(rows: &[[String; N]]) -> String {
    let (Some(last), mut text) = (N.checked_sub(1), String::new()) else {
        return String::new();
    };
    let widths: [usize; N] = std::array::from_fn(|column| {
        rows.iter()
            .map(|row| row[column].chars().count())
            .max()
            .unwrap_or_default()
    });
    let before: usize = widths[..last].iter().map(|width| width + 2).sum();
    for row in rows {
        let cells = row[..last].iter().zip(widths);
        let mut line: String = cells
            .map(|(cell, width)| format!("{cell:width$}  "))
            .collect();
        let mut rest = wrapped(&row[last], WIDTH.saturating_sub(before).max(LEAST)).into_iter();
        line.push_str(&rest.next().unwrap_or_default());
        text.push_str(line.trim_end());
        text.push('\n');
        for more in rest {
            text.push_str(&format!("{:before$}{more}\n", ""));
        }
    }
    text
}

/// The lines of a text, broken between words; a word that is too long stays whole, for it may be there to be copied.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last().map_or(0, |line| line.chars().count());
        match lines.last_mut() {
            Some(last) if line == 0 => last.push_str(word),
            Some(last) if line + 1 + word.chars().count() <= width => {
                last.push(' ');
                last.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_goes_on_under_itself() {
        let long = "word ".repeat(20);
        let rows = [
            ["name", "because"].map(String::from),
            [format!("{:60}", "wide"), long.trim().to_owned()],
        ];
        let text = columns(&rows);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 4, "{text}");
        assert!(lines.iter().all(|line| line.chars().count() <= WIDTH));
        assert_eq!(lines[2], format!("{:62}{}", "", ["word"; 7].join(" ")));
    }
}
