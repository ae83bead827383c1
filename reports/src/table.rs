//! A table as files have it: typed columns, and rows that are made while they are written, so that a table of a million rows needs
//! no memory. CSV and JSON are written here, and Parquet by `quotree-study`, which has the library.

use crate::datum::{Datum, Kind, SheetColumn};
use serde_json::{Value, json};
use std::{
    fmt,
    io::{self, Write},
};

/// A table whose rows are made while it is written. Every format has the same cells.
///
/// ```
/// use quotree_reports::{Datum, Kind, SheetColumn, Table};
/// let waits = || {
///     let columns = vec![SheetColumn::new("job", "", Kind::Text), SheetColumn::new("wait_ms", "", Kind::Ms)];
///     let rows = (1..=2u64).map(|n| vec![Datum::Text(format!("job-{n}")), Datum::from(n * 1000).or_more(n == 2)]);
///     Table::new("waits", columns, rows).with_bounds()
/// };
/// let (mut csv, mut json) = (Vec::new(), Vec::new());
/// waits().write_csv(&mut csv)?;
/// waits().write_json(&mut json)?;
/// assert_eq!(String::from_utf8(csv)?, "job,wait_ms,at_least\njob-1,1000,\njob-2,2000,wait_ms\n");
/// let json: serde_json::Value = serde_json::from_slice(&json)?;
/// assert_eq!((&json["columns"][1]["kind"], &json["rows"][1]["wait_ms"]), (&"ms".into(), &2000.into()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Table<'r> {
    /// The name of its file, without the ending.
    pub name: &'static str,
    /// The columns; each has a name.
    pub columns: Vec<SheetColumn>,
    /// The rows, each with a cell for every column.
    pub rows: Box<dyn Iterator<Item = Vec<Datum>> + 'r>,
}

/// The column that names the cells of its row that are lower bounds.
const AT_LEAST: &str = "at_least";

impl<'r> Table<'r> {
    /// A table of these columns and rows.
    #[must_use]
    pub fn new(name: &'static str, columns: Vec<SheetColumn>, rows: impl Iterator<Item = Vec<Datum>> + 'r) -> Self {
        Self { name, columns, rows: Box::new(rows) }
    }

    /// The same table with a last column `at_least`: the names of the columns whose number in the row is a lower bound, with spaces
    /// between them.
    #[must_use]
    pub fn with_bounds(mut self) -> Self {
        let names: Vec<String> = self.columns.iter().map(|column| column.exact_name().into_owned()).collect();
        self.columns.push(SheetColumn::new(AT_LEAST, "", Kind::Text));
        let rows = self.rows.map(move |mut row| {
            let bounds = names.iter().zip(&row).filter(|(_, cell)| cell.is_bound());
            let bounds = bounds.map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(" ");
            row.push(Datum::Text(bounds));
            row
        });
        Self { name: self.name, columns: self.columns, rows: Box::new(rows) }
    }

    /// Writes the table as CSV, row by row. Nothing is an empty field; amounts are quantities as Kubernetes writes them.
    ///
    /// # Errors
    /// If `file` cannot be written.
    pub fn write_csv(self, file: impl Write) -> io::Result<()> {
        let mut writer = csv::Writer::from_writer(file);
        writer.write_record(self.columns.iter().map(|column| &column.name))?;
        for row in self.rows {
            writer.write_record(row.iter().map(Datum::field))?;
        }
        writer.flush()
    }

    /// Writes the table as JSON, row by row: `name`, `columns` with name, kind and resource, and `rows` as objects, each on a line of
    /// its own. An empty cell is `null`; a number beyond 64 bits is a string.
    ///
    /// # Errors
    /// If `file` cannot be written.
    pub fn write_json(self, mut file: impl Write) -> io::Result<()> {
        let columns = Value::from_iter(self.columns.iter().map(SheetColumn::json));
        write!(file, "{{\"name\":{},\"columns\":{},\"rows\":[", Value::from(self.name), visible(&columns))?;
        for (place, row) in self.json_rows().enumerate() {
            file.write_all(if place == 0 { b"\n" } else { b",\n" })?;
            file.write_all(visible(&row).as_bytes())?;
        }
        file.write_all(b"\n]}\n")?;
        file.flush()
    }

    /// The whole table as the JSON of [`write_json`](Self::write_json).
    #[must_use]
    pub fn json(self) -> Value {
        let columns = Value::from_iter(self.columns.iter().map(SheetColumn::json));
        json!({ "name": self.name, "columns": columns, "rows": Value::from_iter(self.json_rows()) })
    }

    /// The rows of [`write_json`](Self::write_json).
    pub fn json_rows(self) -> impl Iterator<Item = Value> {
        let names: Vec<String> = self.columns.iter().map(|column| column.exact_name().into_owned()).collect();
        self.rows.map(move |row| names.iter().cloned().zip(row.iter().map(Datum::json)).collect())
    }
}

/// JSON on one line, without hidden characters.
fn visible(value: &Value) -> String {
    quotree_page::visible_json(value.to_string())
}

impl fmt::Debug for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Table").field("name", &self.name).field("columns", &self.columns).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quotree_core::Name;
    use std::{cell::Cell, io::ErrorKind};

    fn text(write: impl FnOnce(&mut Vec<u8>) -> io::Result<()>) -> String {
        let mut bytes = Vec::new();
        write(&mut bytes).unwrap();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn amounts_are_quantities_in_csv_and_numbers_in_json() {
        let table = || {
            let kinds = [("resource", Kind::Text), ("max", Kind::Units), ("used_time_s", Kind::UnitMs)];
            let row = |resource: &str, base_units, base_unit_ms| {
                let name = || Name::from(resource);
                let amount = Datum::Amount { resource: name(), base_units };
                vec![resource.into(), amount, Datum::AmountTime { resource: name(), base_unit_ms }]
            };
            let rows = [
                row("cpu", 10_434, 1_500_001),
                row("memory", 16 << 30, u128::from(u64::MAX) + 1),
                vec!["a\u{202e}\n".into(), Datum::None, Datum::None],
            ];
            let columns = kinds.map(|(name, kind)| SheetColumn::new(name, "", kind));
            Table::new("amounts", columns.into(), rows.into_iter())
        };
        assert_eq!(
            text(|file| table().write_csv(file)),
            "resource,max,used_time_s\ncpu,10.434,1.500001\nmemory,16Gi,18446744073709551.616\na⟨U+202E⟩⟨U+000A⟩,,\n"
        );
        let json = text(|file| table().write_json(file));
        assert_eq!(serde_json::from_str::<Value>(&json).unwrap(), table().json());
        assert_eq!(
            json,
            concat!(
                r#"{"name":"amounts","columns":[{"name":"resource","kind":"text"},{"name":"max_unit","kind":"units"},"#,
                r#"{"name":"used_unit_ms","kind":"unit_ms"}],"rows":["#,
                "\n",
                r#"{"resource":"cpu","max_unit":10434,"used_unit_ms":1500001},"#,
                "\n",
                r#"{"resource":"memory","max_unit":17179869184,"used_unit_ms":"18446744073709551616"},"#,
                "\n",
                r#"{"resource":"a\u202e\n","max_unit":null,"used_unit_ms":null}"#,
                "\n]}\n"
            )
        );
    }

    #[test]
    fn a_table_without_rows_has_its_columns() {
        let table =
            || Table::new("none", vec![SheetColumn::new("at_ms", "", Kind::Ms)], std::iter::empty()).with_bounds();
        assert_eq!(text(|file| table().write_csv(file)), "at_ms,at_least\n");
        let json: Value = serde_json::from_str(&text(|file| table().write_json(file))).unwrap();
        assert_eq!((json["columns"].as_array().unwrap().len(), &json["rows"]), (2, &json!([])));
    }

    /// A disk that is full.
    struct Full;

    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(ErrorKind::StorageFull.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn rows_are_made_while_they_are_written() {
        let made = Cell::new(0u64);
        let table = || {
            made.set(0);
            let rows = (0..1_000_000u64).inspect(|_| made.set(made.get() + 1)).map(|n| vec![n.into()]);
            Table::new("numbers", vec![SheetColumn::new("n", "", Kind::Count)], rows).with_bounds()
        };
        assert!(table().write_csv(Full).is_err());
        assert!(made.get() < 10_000, "{} rows were made before the first was written", made.get());
        assert_eq!(table().write_json(Full).unwrap_err().kind(), ErrorKind::StorageFull);
        assert!(made.get() < 2);
    }
}
