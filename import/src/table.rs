//! Reads CSV files with a header row by row, for the trace formats. Columns are found by name and may be in any order.
//! A row that cannot be read is a problem of its line; the rows after it are still read.

use super::{MAX_GPUS, RowProblem, seconds_to_ms};
use csv::StringRecord;
use std::collections::BTreeMap;

/// The columns of a file, by name.
type Columns = BTreeMap<String, usize>;

/// One row of a file.
pub(super) struct Row<'a> {
    /// The number of the row, from 1, without the header.
    pub(super) number: usize,
    /// Where it starts, in bytes.
    pub(super) at: usize,
    columns: &'a Columns,
    record: &'a StringRecord,
}

impl Row<'_> {
    /// The cell in this column; empty if there is no such column.
    pub(super) fn cell(&self, column: &str) -> &str {
        self.columns.get(column).and_then(|i| self.record.get(*i)).unwrap_or_default()
    }

    /// The names of the columns, sorted.
    pub(super) fn columns(&self) -> impl Iterator<Item = &str> {
        self.columns.keys().map(String::as_str)
    }

    /// Whether there is such a column.
    pub(super) fn has(&self, column: &str) -> bool {
        self.columns.contains_key(column)
    }

    /// The cell as a time or duration in decimal seconds, converted to milliseconds.
    ///
    /// # Errors
    /// A clause that names the column and shows the text.
    pub(super) fn seconds(&self, column: &str) -> Result<u64, String> {
        let text = self.cell(column);
        seconds_to_ms(text).ok_or_else(|| format!("`{text}` in `{column}` is not a time; expected seconds, 0 or more"))
    }

    /// The cell as a whole number, at least 0.
    ///
    /// # Errors
    /// A clause that names the column and shows the text.
    pub(super) fn count(&self, column: &str) -> Result<i64, String> {
        let text = self.cell(column);
        // Tables that were written from a data frame have `8.0`.
        let whole = match text.split_once('.') {
            Some((whole, rest)) if !rest.is_empty() && rest.bytes().all(|b| b == b'0') => whole,
            _ => text,
        };
        let number = whole.parse().ok().filter(|n| *n >= 0);
        number.ok_or_else(|| format!("`{text}` in `{column}` is not a count; expected a whole number, 0 or more"))
    }

    /// The cell as the number of GPUs of a node.
    ///
    /// # Errors
    /// As [`count`](Self::count), and if there are too many GPUs.
    pub(super) fn gpus(&self, column: &str) -> Result<u32, String> {
        let gpus = self.count(column)?;
        let few = u32::try_from(gpus).ok().filter(|gpus| *gpus <= MAX_GPUS);
        few.ok_or_else(|| format!("{gpus} GPUs; expected at most {MAX_GPUS}"))
    }
}

/// Passes every row to `read`. Its errors, and those of the file, are returned with their lines.
///
/// No more than `max_rows` rows are read. A header without the `required` columns is an error of the whole file.
pub(super) fn each_row(
    bytes: &[u8],
    max_rows: usize,
    required: &[&str],
    read: impl FnMut(&Row<'_>) -> Result<(), String>,
) -> Vec<RowProblem> {
    let reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(bytes);
    each_record(reader, None, max_rows, required, read)
}

/// Like `each_row`, for a table with `|` between its cells and no quotes.
pub(super) fn each_row_piped(
    bytes: &[u8],
    max_rows: usize,
    required: &[&str],
    read: impl FnMut(&Row<'_>) -> Result<(), String>,
) -> Vec<RowProblem> {
    let mut reader = csv::ReaderBuilder::new();
    let reader = reader.delimiter(b'|').quoting(false).trim(csv::Trim::All).flexible(true).from_reader(bytes);
    each_record(reader, None, max_rows, required, read)
}

/// Like `each_row`, for a file without a header line; `header` gives the column names in order.
pub(super) fn each_row_under(
    header: &[&str],
    bytes: &[u8],
    max_rows: usize,
    read: impl FnMut(&Row<'_>) -> Result<(), String>,
) -> Vec<RowProblem> {
    let reader = csv::ReaderBuilder::new().trim(csv::Trim::All).has_headers(false).from_reader(bytes);
    each_record(reader, Some(header.iter().copied().collect()), max_rows, header, read)
}

fn each_record(
    mut reader: csv::Reader<&[u8]>,
    header: Option<StringRecord>,
    max_rows: usize,
    required: &[&str],
    mut read: impl FnMut(&Row<'_>) -> Result<(), String>,
) -> Vec<RowProblem> {
    let columns = match header.map_or_else(|| reader.headers().cloned(), Ok) {
        Ok(header) => columns_of(&header, required),
        Err(error) => Err(vec![plain(&error)]),
    };
    let columns = match columns {
        Ok(columns) => columns,
        Err(whats) => return whats.into_iter().map(|what| RowProblem { line: 1, what }).collect(),
    };
    let mut problems = Vec::new();
    let mut record = StringRecord::new();
    for number in 1.. {
        let line = reader.position().line();
        let outcome = match reader.read_record(&mut record) {
            Ok(false) => break,
            Ok(true) if number > max_rows => {
                problems.push(RowProblem { line, what: format!("at most {max_rows} rows are supported") });
                break;
            }
            Ok(true) if record.len() != columns.len() => {
                Err(format!("{} cells, but there are {} columns", record.len(), columns.len()))
            }
            Ok(true) => {
                let at = record.position().map_or(0, |position| usize::try_from(position.byte()).unwrap_or(0));
                read(&Row { number, at, columns: &columns, record: &record })
            }
            Err(error) => Err(plain(&error)),
        };
        if let Err(what) = outcome {
            let line = record.position().map_or(line, csv::Position::line);
            problems.push(RowProblem { line, what });
        }
    }
    problems
}

fn columns_of(header: &StringRecord, required: &[&str]) -> Result<Columns, Vec<String>> {
    let mut columns = Columns::new();
    let mut problems = Vec::new();
    for (i, column) in header.iter().enumerate() {
        if columns.insert(column.to_owned(), i).is_some() {
            problems.push(format!("duplicate column `{column}`"));
        }
    }
    let missing = required.iter().filter(|column| !columns.contains_key(**column));
    problems.extend(missing.map(|column| format!("no column `{column}`")));
    if problems.is_empty() { Ok(columns) } else { Err(problems) }
}

/// The error of the CSV reader without its position, since the problem names the line.
pub(super) fn plain(error: &csv::Error) -> String {
    match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("{len} cells, but the header has {expected_len} columns")
        }
        csv::ErrorKind::Utf8 { .. } => "the row is not valid UTF-8".to_owned(),
        _ => error.to_string(),
    }
}
