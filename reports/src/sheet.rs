//! A small table, whose rows are kept: it is also shown as text. Its files are those of a [`Table`].

use crate::{
    datum::{Datum, Kind, SheetColumn},
    format::{self, percent, ratio, span},
    grid::{self, Cell, Column},
    people::money,
    style::{Style, Tone},
    table::Table,
};
use quotree_core::Unit;
use serde_json::Value;
use std::io;

/// A table.
///
/// ```
/// use quotree_reports::{Datum, Kind, Sheet, SheetColumn, Style};
/// let mut sheet = Sheet::new("waits", "team");
/// sheet.columns.push(SheetColumn::new("team", "TEAM", Kind::Text));
/// sheet.columns.push(SheetColumn::new("wait_p95_ms", "WAIT p95", Kind::Ms));
/// sheet.rows.push(vec![Datum::Text("nlp".into()), Datum::AtLeast(90_000)]);
/// assert_eq!(sheet.text(Style::default()), "TEAM  WAIT p95\nnlp    ≥1m 30s\n");
/// assert_eq!(sheet.csv().unwrap(), "team,wait_p95_ms,at_least\nnlp,90000,wait_p95_ms\n");
/// assert_eq!(sheet.json()["rows"][0]["wait_p95_ms"], 90_000);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sheet {
    /// The name of its file, without the ending.
    pub name: &'static str,
    /// What a row is, in one word.
    pub row: &'static str,
    /// The columns.
    pub columns: Vec<SheetColumn>,
    /// The rows, each with a cell for every column.
    pub rows: Vec<Vec<Datum>>,
}

impl Sheet {
    /// A table without columns and rows.
    #[must_use]
    pub const fn new(name: &'static str, row: &'static str) -> Self {
        Self { name, row, columns: Vec::new(), rows: Vec::new() }
    }

    /// The table as aligned text, as wide as the style says.
    #[must_use]
    pub fn text(&self, style: Style) -> String {
        let shown: Vec<(usize, &SheetColumn)> =
            self.columns.iter().enumerate().filter(|(_, column)| !column.head.is_empty()).collect();
        let column = |(_, column): &(usize, &'_ SheetColumn)| Column {
            head: column.head.clone().into(),
            right: column.kind != Kind::Text && column.kind != Kind::Truth,
            spare: column.spare,
        };
        let columns: Vec<Column> = shown.iter().map(column).collect();
        let cells = |row: &Vec<Datum>| -> Vec<Cell> {
            shown.iter().map(|(place, column)| cell(row.get(*place).unwrap_or(&Datum::None), &column.kind)).collect()
        };
        grid::first(style, &columns, self.rows.iter().map(cells), self.row)
    }

    /// The table as files have it: without the columns that only the text has, and with the column `at_least` if some number in it is a
    /// lower bound ([`Table::with_bounds`]).
    #[must_use]
    pub fn table(&self) -> Table<'_> {
        let stored = || self.columns.iter().enumerate().filter(|(_, column)| !column.name.is_empty());
        let places: Vec<usize> = stored().map(|(place, _)| place).collect();
        let has_bounds =
            self.rows.iter().any(|row| places.iter().filter_map(|place| row.get(*place)).any(Datum::is_bound));
        let row = move |row: &Vec<Datum>| {
            places.iter().map(|place| row.get(*place).cloned().unwrap_or(Datum::None)).collect()
        };
        let columns = stored().map(|(_, column)| column.clone()).collect();
        let table = Table::new(self.name, columns, self.rows.iter().map(row));
        if has_bounds { table.with_bounds() } else { table }
    }

    /// The table as CSV ([`Table::write_csv`]).
    ///
    /// # Errors
    /// If it cannot be encoded, which no table causes.
    pub fn csv(&self) -> io::Result<String> {
        let mut bytes = Vec::new();
        self.table().write_csv(&mut bytes)?;
        String::from_utf8(bytes).map_err(io::Error::other)
    }

    /// The table as JSON ([`Table::json`]).
    #[must_use]
    pub fn json(&self) -> Value {
        self.table().json()
    }

    /// The rows of [`json`](Self::json).
    #[must_use]
    pub fn json_rows(&self) -> Vec<Value> {
        self.table().json_rows().collect()
    }
}

fn cell(datum: &Datum, kind: &Kind) -> Cell {
    match datum {
        Datum::None => Cell::none(),
        Datum::Text(text) => Cell::new(text),
        Datum::Truth(true) => Cell::new("yes").tone(Tone::Good),
        Datum::Truth(false) => Cell::new("NO").tone(Tone::Bad),
        Datum::Whole(0) if *kind == Kind::Count => Cell::none(),
        Datum::Whole(number) => Cell::new(shown(kind, *number)),
        Datum::AtLeast(number) => Cell::new(format!("≥{}", shown(kind, *number))),
        Datum::Measured { kind, value, at_least: true } => Cell::new(format!("≥{}", shown(kind, *value))),
        Datum::Measured { value: 0, .. } => Cell::none(),
        Datum::Measured { kind, value, at_least: false } => Cell::new(shown(kind, *value)),
        Datum::Amount { .. } | Datum::AmountTime { .. } => Cell::new(datum.field()),
    }
}

/// A number of this kind in text: `2m 30s`, `93.1 %`. Negative numbers have a minus. Amounts over time are in units times hours, or
/// times seconds if that is less than one: their resource stands elsewhere.
#[must_use]
pub fn shown(kind: &Kind, number: i128) -> String {
    let size = number.unsigned_abs();
    let small = u64::try_from(size).unwrap_or(u64::MAX);
    let text = match kind {
        Kind::Text | Kind::Truth | Kind::Count | Kind::Units | Kind::UnitMs | Kind::Mixed => format::count(size),
        Kind::Ms => span(small),
        Kind::Permille => percent(small),
        Kind::Ratio => ratio(small),
        Kind::MoneyMilli => money(size),
        Kind::UnitSeconds(resource) => unit_time(resource, size),
    };
    if number < 0 { format!("-{text}") } else { text }
}

/// Units of a resource times hours, cut off after a hundredth: `4.20 h`, `GiB` times hours for bytes.
fn unit_time(resource: &str, base_seconds: u128) -> String {
    let (one, of) = match Unit::of(resource) {
        Unit::Milli => (1000, ""),
        Unit::Bytes => (1 << 30, "GiB-"),
    };
    if base_seconds < 3600 * one {
        return format!("{} {of}s", base_seconds / one);
    }
    let hundredths = base_seconds / (36 * one);
    format!("{}.{:02} {of}h", format::count(hundredths / 100), hundredths % 100)
}
