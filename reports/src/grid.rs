//! Aligned columns of text: numbers to the right, words to the left. Cells are coloured after their width is measured.

use crate::style::{Style, Tone};
use quotree_sim::result::PodCounts;

/// One cell of a table.
#[derive(Debug, Clone)]
pub(crate) struct Cell {
    text: String,
    tone: Tone,
}

impl Cell {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), tone: Tone::Plain }
    }

    /// A count; 0 is a faint dot, so that other counts stand out.
    pub(crate) fn count(number: u64) -> Self {
        if number == 0 { Self::none() } else { Self::new(crate::format::count(number.into())) }
    }

    pub(crate) fn none() -> Self {
        Self { text: "·".to_owned(), tone: Tone::Faint }
    }

    pub(crate) fn tone(mut self, tone: Tone) -> Self {
        if self.tone == Tone::Plain {
            self.tone = tone;
        }
        self
    }

    fn width(&self) -> usize {
        self.text.chars().count()
    }
}

/// One column of a table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Column {
    pub(crate) head: &'static str,
    /// Whether cells are aligned to the right, as numbers are.
    pub(crate) right: bool,
    /// The order in which columns are dropped if the terminal is too narrow: the highest number first; 0 is never dropped.
    pub(crate) spare: u8,
}

impl Column {
    pub(crate) const fn left(head: &'static str, spare: u8) -> Self {
        Self { head, right: false, spare }
    }

    pub(crate) const fn right(head: &'static str, spare: u8) -> Self {
        Self { head, right: true, spare }
    }
}

/// The columns of [`count_cells`].
pub(crate) const COUNT_COLUMNS: [Column; 5] = [
    Column::right("RUNNING", 0),
    Column::right("PENDING", 0),
    Column::right("SUCCEEDED", 0),
    Column::right("FAILED", 0),
    Column::right("EVICTED", 0),
];

/// The cells of the pods by state, and of the evictions.
pub(crate) fn count_cells(counts: &PodCounts) -> [Cell; 5] {
    let [running, pending, succeeded, failed, evicted] = counts.all().map(Cell::count);
    [running, pending.tone(Tone::Odd), succeeded, failed.tone(Tone::Bad), evicted.tone(Tone::Bad)]
}

/// Aligns rows under their heads with two spaces between columns. A row has one cell for each column.
pub(crate) fn lines(style: Style, columns: &[Column], rows: &[Vec<Cell>]) -> String {
    let widths: Vec<usize> = columns
        .iter()
        .enumerate()
        .map(|(i, column)| {
            let widest = rows.iter().filter_map(|row| row.get(i)).map(Cell::width).max().unwrap_or(0);
            widest.max(column.head.chars().count())
        })
        .collect();
    let shown = fitting(style, columns, &widths);
    let mut text = String::new();
    let heads: Vec<Cell> = columns.iter().map(|c| Cell { text: c.head.to_owned(), tone: Tone::Faint }).collect();
    for row in std::iter::once(&heads).chain(rows) {
        let mut line = String::new();
        let mut pad = 0;
        for (((cell, column), width), shown) in row.iter().zip(columns).zip(&widths).zip(&shown) {
            if !shown {
                continue;
            }
            let room = width.saturating_sub(cell.width());
            let before = pad + if column.right { room } else { 0 };
            line.push_str(&" ".repeat(before));
            line.push_str(&style.paint(cell.tone, &cell.text));
            pad = 2 + if column.right { 0 } else { room };
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// The columns that fit the width; the least important ones are dropped first.
fn fitting(style: Style, columns: &[Column], widths: &[usize]) -> Vec<bool> {
    let mut shown = vec![true; columns.len()];
    for spare in (1..=columns.iter().map(|c| c.spare).max().unwrap_or(0)).rev() {
        let used: usize = widths.iter().zip(&shown).filter(|(_, shown)| **shown).map(|(width, _)| width + 2).sum();
        if used <= style.width + 2 {
            break;
        }
        for (shown, _) in shown.iter_mut().zip(columns).filter(|(_, column)| column.spare == spare) {
            *shown = false;
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_loses_its_spare_columns() {
        let column = |head, spare| Column { head, right: spare > 0, spare };
        let columns = [column("name", 0), column("a", 1), column("bbbbbbbbbb", 2)];
        let rows = [vec![Cell::new("x"), Cell::count(12), Cell::count(0)]];
        let wide = lines(Style::default(), &columns, &rows);
        assert_eq!(wide, "name   a  bbbbbbbbbb\nx     12           ·\n");
        let narrow = lines(Style { width: 10, ..Style::default() }, &columns, &rows);
        assert_eq!(narrow, "name   a\nx     12\n");
    }
}
