//! Aligned columns of text: numbers to the right, words to the left. Cells are coloured after their width is measured.
//! If a table is wider than the terminal, the least important columns are left out, and a line states this.

use crate::{
    layout::{self, shorten, width},
    style::{Style, Tone},
};
use quotree_sim::result::PodCounts;
use std::borrow::Cow;

/// One cell of a table.
#[derive(Debug, Clone)]
pub(crate) struct Cell {
    /// Text before the actual text that is never shortened: the branches of a tree.
    lead: String,
    text: String,
    tone: Tone,
}

impl Cell {
    pub(crate) fn new(text: impl AsRef<str>) -> Self {
        Self { lead: String::new(), text: quotree_page::visible(text.as_ref()), tone: Tone::Plain }
    }

    /// A name in a tree, after its branches.
    pub(crate) fn below(lead: &str, text: &str) -> Self {
        Self { lead: lead.to_owned(), ..Self::new(text) }
    }

    /// A count; 0 is a faint dot, so that other counts stand out.
    pub(crate) fn count(number: u64) -> Self {
        if number == 0 { Self::none() } else { Self::new(crate::format::count(number.into())) }
    }

    pub(crate) fn none() -> Self {
        Self { tone: Tone::Faint, ..Self::new("·") }
    }

    pub(crate) fn tone(mut self, tone: Tone) -> Self {
        if self.tone == Tone::Plain {
            self.tone = tone;
        }
        self
    }

    fn width(&self) -> usize {
        width(&self.lead) + width(&self.text)
    }

    /// The cell, shortened to at most this many columns.
    fn shortened(&self, most: usize) -> Self {
        if self.width() <= most {
            return self.clone();
        }
        // Branches that leave no room for the name are cut, too.
        let lead = shorten(&self.lead, most.saturating_sub(LEAST.min(width(&self.text))));
        let text = shorten(&self.text, most.saturating_sub(width(&lead)));
        Self { lead, text, tone: self.tone }
    }
}

/// One column of a table.
#[derive(Debug, Clone)]
pub(crate) struct Column {
    pub(crate) head: Cow<'static, str>,
    /// Whether cells are aligned to the right, as numbers are.
    pub(crate) right: bool,
    /// The order in which columns are left out if the terminal is too narrow: the highest number first. Columns with 0
    /// are left out last, and the first column never is.
    pub(crate) spare: u8,
}

impl Column {
    pub(crate) const fn left(head: &'static str, spare: u8) -> Self {
        Self { head: Cow::Borrowed(head), right: false, spare }
    }

    pub(crate) const fn right(head: &'static str, spare: u8) -> Self {
        Self { head: Cow::Borrowed(head), right: true, spare }
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

/// The number of spaces between two columns of a table.
const GAP: usize = 2;
/// The least width to which a column of words is shortened.
const LEAST: usize = 8;

/// The natural width of a table.
pub(crate) fn natural(columns: &[Column], rows: &[Vec<Cell>]) -> usize {
    let plan = Plan::natural(columns, rows);
    plan.total()
}

/// Aligns rows under their heads with two spaces between columns. A row has one cell for each column. Columns that do
/// not fit are shortened or left out; a line below the table states which are left out.
pub(crate) fn lines(style: Style, columns: &[Column], rows: &[Vec<Cell>]) -> String {
    let mut plan = Plan::natural(columns, rows);
    plan.fit(style.width);
    let mut text = String::new();
    let heads: Vec<Cell> = columns.iter().map(|c| Cell::new(&c.head).tone(Tone::Faint)).collect();
    for row in std::iter::once(&heads).chain(rows) {
        let mut line = String::new();
        let mut pad = 0;
        for ((cell, column), wide) in row.iter().zip(columns).zip(&plan.widths) {
            let Some(wide) = *wide else { continue };
            let cell = cell.shortened(wide);
            let room = wide.saturating_sub(cell.width());
            let before = pad + if column.right { room } else { 0 };
            line.push_str(&" ".repeat(before));
            line.push_str(&cell.lead);
            line.push_str(&style.paint(cell.tone, &cell.text));
            pad = GAP + if column.right { 0 } else { room };
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text + &plan.told(style)
}

/// The first rows of a table, as many as the style shows, and how many more `things` there are.
pub(crate) fn first(
    style: Style,
    columns: &[Column],
    all: impl ExactSizeIterator<Item = Vec<Cell>>,
    things: &str,
) -> String {
    let count = all.len();
    let rows: Vec<Vec<Cell>> = all.take(style.rows).collect();
    lines(style, columns, &rows) + &style.more(count, rows.len(), things)
}

/// The width of each column of a table; nothing for a column that is left out.
struct Plan<'a> {
    columns: &'a [Column],
    widths: Vec<Option<usize>>,
    shortened: bool,
}

impl<'a> Plan<'a> {
    fn natural(columns: &'a [Column], rows: &[Vec<Cell>]) -> Self {
        let widest = |(i, column): (usize, &Column)| {
            let widest = rows.iter().filter_map(|row| row.get(i)).map(Cell::width).max().unwrap_or(0);
            Some(widest.max(width(&column.head)))
        };
        Self { columns, widths: columns.iter().enumerate().map(widest).collect(), shortened: false }
    }

    fn total(&self) -> usize {
        let shown: Vec<usize> = self.widths.iter().flatten().copied().collect();
        shown.iter().sum::<usize>() + GAP * shown.len().saturating_sub(1)
    }

    /// Makes the table fit: shortens long names to a third of the width, then leaves out columns, and finally shortens
    /// names further.
    fn fit(&mut self, most: usize) {
        if self.total() > most {
            self.shorten(most, most / 3);
        }
        for spare in (1..=self.columns.iter().map(|c| c.spare).max().unwrap_or(0)).rev() {
            if self.total() > most {
                self.drop_if(|_, column| column.spare == spare);
            }
        }
        self.shorten(most, LEAST);
        for last in (1..self.columns.len()).rev() {
            if self.total() > most {
                self.drop_if(|i, _| i == last);
            }
        }
        self.shorten(most, 1);
    }

    fn drop_if(&mut self, is: impl Fn(usize, &Column) -> bool) {
        for (i, (width, column)) in self.widths.iter_mut().zip(self.columns).enumerate() {
            if is(i, column) {
                *width = None;
            }
        }
    }

    /// Shortens the widest columns of words, as long as they are wider than `least` and the table is too wide.
    fn shorten(&mut self, most: usize, least: usize) {
        while self.total() > most {
            let words = self.widths.iter_mut().zip(self.columns).filter(|(_, column)| !column.right);
            let words = words.filter_map(|(width, column)| Some((width.as_mut()?, width_of_head(column))));
            let widest = words.filter(|(width, head)| **width > least.max(*head)).max_by_key(|(width, _)| **width);
            let Some((widest, _)) = widest else { return };
            *widest -= 1;
            self.shortened = true;
        }
    }

    fn told(&self, style: Style) -> String {
        let dropped =
            self.columns.iter().zip(&self.widths).filter(|(column, width)| width.is_none() && !column.head.is_empty());
        let dropped: Vec<&str> = dropped.map(|(column, _)| column.head.as_ref()).collect();
        let mut said = Vec::new();
        if !dropped.is_empty() {
            said.push(format!("no room for {}", dropped.join(", ")));
        }
        if self.shortened {
            said.push("… in a name: shortened".to_owned());
        }
        if said.is_empty() {
            return String::new();
        }
        let line = format!("({}; all with `--format json`)", said.join("; "));
        style.paint_lines(Tone::Faint, &layout::wrap(style, &line, 1))
    }
}

fn width_of_head(column: &Column) -> usize {
    width(&column.head)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOLD: &str = "; all with `--format json`)\n";

    #[test]
    fn what_does_not_fit_loses_its_spare_columns() {
        let column = |head: &'static str, spare| Column { head: head.into(), right: spare > 0, spare };
        let columns = [column("name", 0), column("a", 1), column("bbbbbbbbbb", 2)];
        let rows = [vec![Cell::new("x"), Cell::count(12), Cell::count(0)]];
        let wide = lines(Style::default(), &columns, &rows);
        assert_eq!(wide, "name   a  bbbbbbbbbb\nx     12           ·\n");
        let narrow = lines(Style { width: 10, ..Style::default() }, &columns, &rows);
        assert!(narrow.starts_with("name   a\nx     12\n(no room for bbbbbbbbbb"), "{narrow}");
    }

    #[test]
    fn long_names_are_shortened_and_branches_are_not() {
        let columns = [Column::left("QUOTA", 0), Column::right("USED", 0)];
        let rows = [vec![Cell::below("│  └─ ", &"x".repeat(90)), Cell::count(12)]];
        let text = lines(Style { width: 60, ..Style::default() }, &columns, &rows);
        let line = text.lines().nth(1).unwrap_or_default();
        assert!(line.starts_with("│  └─ xxx") && line.ends_with("x    12"), "{text}");
        assert_eq!(width(line), 60);
        assert!(text.ends_with(&format!("(… in a name: shortened{TOLD}")), "{text}");
    }

    #[test]
    fn nothing_is_wider_than_the_terminal() {
        let columns = [Column::left("NAME", 0), Column::left("WHAT", 0), Column::right("A", 0), Column::right("B", 1)];
        let long = || {
            vec![Cell::new("名".repeat(50)), Cell::new("y".repeat(50)), Cell::count(u64::MAX), Cell::count(u64::MAX)]
        };
        for most in 40..200 {
            let text = lines(Style { width: most, ..Style::default() }, &columns, &[long()]);
            assert!(text.lines().all(|line| width(line) <= most), "{most}: {text}");
        }
    }
}
