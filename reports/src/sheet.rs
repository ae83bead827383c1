//! A table with one typed definition: its columns have names and units, its cells exact values. Text, CSV and JSON (and Parquet, in
//! the crate that needs it) are written from that.

use crate::{
    format::{self, percent, ratio, span},
    grid::{self, Cell, Column},
    people::money,
    style::{Style, Tone},
};
use quotree_core::Unit;
use serde_json::{Map, Number, Value};
use std::io::{self, Write};

/// What the values of a column are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// Text.
    Text,
    /// Whether something holds.
    Truth,
    /// A whole number.
    Count,
    /// Milliseconds.
    Ms,
    /// Thousandths of a whole.
    Permille,
    /// Thousandths: a ratio, or an index.
    Ratio,
    /// Thousandths of the currency.
    MoneyMilli,
    /// Base units of this resource times seconds.
    UnitSeconds(String),
    /// Numbers whose unit another column of the row names.
    Mixed,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SheetColumn {
    /// Its name in CSV, JSON and Parquet; empty if only the text has it. Names of numbers end in their unit: `wait_p95_ms`.
    pub name: String,
    /// Its head in text; empty if the text leaves it out.
    pub head: String,
    /// What its values are.
    pub kind: Kind,
    /// The order in which columns are left out of a narrow text: the highest number first, and 0 last.
    pub spare: u8,
}

/// A cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Datum {
    /// Nothing: the row does not have it.
    None,
    /// Text.
    Text(String),
    /// Whether something holds.
    Truth(bool),
    /// A number, in the unit of its column.
    Whole(i128),
    /// A number that is a lower bound.
    AtLeast(i128),
    /// A number in a unit of its own, for columns of mixed units.
    Measured {
        /// What it is.
        kind: Kind,
        /// The number.
        value: i128,
        /// Whether it is a lower bound.
        at_least: bool,
    },
}

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

/// The column that names the cells of its row that are lower bounds.
const AT_LEAST: &str = "at_least";

impl SheetColumn {
    /// A column that no text leaves out.
    #[must_use]
    pub fn new(name: impl Into<String>, head: impl Into<String>, kind: Kind) -> Self {
        Self { name: name.into(), head: head.into(), kind, spare: 0 }
    }
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

    /// The table as CSV. Numbers are exact; nothing is an empty field.
    ///
    /// # Errors
    /// If it cannot be encoded, which no table causes.
    pub fn csv(&self) -> io::Result<String> {
        let mut bytes = Vec::new();
        self.write_csv(&mut bytes)?;
        String::from_utf8(bytes).map_err(io::Error::other)
    }

    /// Writes the table as CSV, row by row.
    ///
    /// # Errors
    /// If `file` cannot be written.
    pub fn write_csv(&self, file: impl Write) -> io::Result<()> {
        let mut writer = csv::Writer::from_writer(file);
        let bounds = self.has_bounds();
        let head = self.columns.iter().map(|column| column.name.as_str()).filter(|name| !name.is_empty());
        writer.write_record(head.chain(bounds.then_some(AT_LEAST)))?;
        for row in &self.rows {
            let fields = self.stored(row).map(|(_, datum)| match datum {
                Datum::None => String::new(),
                Datum::Text(text) => quotree_page::visible(text),
                Datum::Truth(holds) => holds.to_string(),
                Datum::Whole(number) | Datum::AtLeast(number) | Datum::Measured { value: number, .. } => {
                    number.to_string()
                }
            });
            writer.write_record(fields.chain(bounds.then(|| self.bounds(row))))?;
        }
        writer.flush()
    }

    /// The table as JSON: `columns` with name, kind and resource, and `rows` as objects. Nothing is `null`. A number beyond 64 bits is
    /// a string.
    #[must_use]
    pub fn json(&self) -> Value {
        let columns = self.columns.iter().filter(|column| !column.name.is_empty());
        let columns: Vec<Value> = columns.map(SheetColumn::json).collect();
        serde_json::json!({ "name": self.name, "columns": columns, "rows": self.json_rows() })
    }

    /// The rows of [`json`](Self::json).
    #[must_use]
    pub fn json_rows(&self) -> Vec<Value> {
        let bounds = self.has_bounds();
        let row = |row: &Vec<Datum>| {
            let fields = self.stored(row).map(|(column, datum)| (column.name.clone(), datum.json()));
            let bounds = bounds.then(|| (AT_LEAST.to_owned(), Value::from(self.bounds(row))));
            Value::Object(fields.chain(bounds).collect::<Map<_, _>>())
        };
        self.rows.iter().map(row).collect()
    }

    /// The cells of a row that are in files, with their columns.
    pub fn stored<'s>(&'s self, row: &'s [Datum]) -> impl Iterator<Item = (&'s SheetColumn, &'s Datum)> {
        self.columns.iter().zip(row).filter(|(column, _)| !column.name.is_empty())
    }

    /// Whether some cell is a lower bound.
    #[must_use]
    pub fn has_bounds(&self) -> bool {
        self.rows.iter().flatten().any(Datum::is_bound)
    }

    /// The names of the cells of a row that are lower bounds, with spaces between them.
    #[must_use]
    pub fn bounds(&self, row: &[Datum]) -> String {
        let named = self.columns.iter().zip(row).filter(|(_, datum)| datum.is_bound());
        named.map(|(column, _)| column.name.as_str()).collect::<Vec<_>>().join(" ")
    }
}

impl SheetColumn {
    fn json(&self) -> Value {
        let kind = match &self.kind {
            Kind::Text => "text",
            Kind::Truth => "truth",
            Kind::Count => "count",
            Kind::Ms => "ms",
            Kind::Permille => "permille",
            Kind::Ratio => "ratio_permille",
            Kind::MoneyMilli => "money_milli",
            Kind::Mixed => "mixed",
            Kind::UnitSeconds(resource) => {
                return serde_json::json!({ "name": self.name, "kind": "unit_seconds", "resource": resource });
            }
        };
        serde_json::json!({ "name": self.name, "kind": kind })
    }
}

impl Datum {
    /// Whether it is a lower bound.
    const fn is_bound(&self) -> bool {
        matches!(self, Self::AtLeast(_) | Self::Measured { at_least: true, .. })
    }

    fn json(&self) -> Value {
        match self {
            Self::None => Value::Null,
            Self::Text(text) => Value::from(text.as_str()),
            Self::Truth(holds) => Value::from(*holds),
            Self::Whole(number) | Self::AtLeast(number) | Self::Measured { value: number, .. } => {
                Number::from_i128(*number).map_or_else(|| Value::from(number.to_string()), Value::Number)
            }
        }
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
    }
}

/// A number of this kind in text: `2m 30s`, `93.1 %`. Negative numbers have a minus. Amounts over time are in units times hours, or
/// times seconds if that is less than one: their resource stands elsewhere.
#[must_use]
pub fn shown(kind: &Kind, number: i128) -> String {
    let size = number.unsigned_abs();
    let small = u64::try_from(size).unwrap_or(u64::MAX);
    let text = match kind {
        Kind::Text | Kind::Truth | Kind::Count | Kind::Mixed => format::count(size),
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
