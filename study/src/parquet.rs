//! Tables as Parquet. Counts, times and amounts are 64-bit integers, sums of money and amounts over time are decimals of 38 digits; all
//! are exact. Equal tables give equal bytes.

use parquet::{
    basic::{LogicalType, Repetition, Type as Physical},
    data_type::{BoolType, ByteArray, ByteArrayType, DataType, FixedLenByteArray, FixedLenByteArrayType, Int64Type},
    errors::ParquetError,
    file::{
        metadata::KeyValue,
        properties::WriterProperties,
        writer::{SerializedFileWriter, SerializedRowGroupWriter},
    },
    schema::types::{Type, TypePtr},
};
use quotree_reports::{Datum, Kind, SheetColumn, Table};
use std::{
    io::{self, ErrorKind, Write},
    sync::Arc,
};

/// The rows of a row group: as many as are in memory at once, at some 100 bytes a cell.
const GROUP: usize = 1 << 14;

/// Writes the table as Parquet, in row groups of 16,384 rows, so that a large one needs no memory. The names of columns are the
/// [exact ones](SheetColumn::exact_name). The metadata has the columns with their kinds as JSON, under `quotree`.
///
/// ```
/// use quotree_reports::{Datum, Kind, SheetColumn, Table};
/// let column = SheetColumn::new("wait_ms", "", Kind::Ms);
/// let mut file = Vec::new();
/// quotree_study::write_parquet(Table::new("waits", vec![column], [vec![Datum::from(90_000u64)]].into_iter()), &mut file)?;
/// assert!(file.starts_with(b"PAR1") && file.ends_with(b"PAR1"));
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
/// If `file` cannot be written, or a number is beyond the range of its column ([`ErrorKind::InvalidData`]).
pub fn write_parquet(table: Table<'_>, file: impl Write + Send) -> io::Result<()> {
    let columns = table.columns;
    let fields = columns.iter().map(|column| field(column).map(Arc::new));
    let fields = fields.collect::<Result<Vec<TypePtr>, _>>().map_err(failed)?;
    let schema = Type::group_type_builder(table.name).with_fields(fields).build().map_err(failed)?;
    let about = serde_json::Value::from_iter(columns.iter().map(SheetColumn::json)).to_string();
    let properties = WriterProperties::builder()
        .set_created_by(format!("quotree {}", env!("CARGO_PKG_VERSION")))
        .set_key_value_metadata(Some(vec![KeyValue::new("quotree".to_owned(), about)]))
        .build();
    let mut writer = SerializedFileWriter::new(file, Arc::new(schema), Arc::new(properties)).map_err(failed)?;
    let mut rows = table.rows;
    loop {
        let group: Vec<Vec<Datum>> = rows.by_ref().take(GROUP).collect();
        if group.is_empty() {
            break;
        }
        let mut writer = writer.next_row_group().map_err(failed)?;
        for (place, column) in columns.iter().enumerate() {
            let cells: Vec<&Datum> = group.iter().map(|row| row.get(place).unwrap_or(&Datum::None)).collect();
            write(&mut writer, column, &cells)?;
        }
        writer.close().map_err(failed)?;
    }
    writer.close().map_err(failed)?;
    Ok(())
}

/// What the library reports: a fault of the file as such, so that a full disk is known for one.
fn failed(error: ParquetError) -> io::Error {
    match error {
        ParquetError::External(cause) => match cause.downcast::<io::Error>() {
            Ok(fault) => *fault,
            Err(other) => io::Error::other(other),
        },
        other => io::Error::other(other),
    }
}

/// How a column is stored.
const fn is_wide(kind: &Kind) -> bool {
    matches!(kind, Kind::UnitSeconds(_) | Kind::UnitMs | Kind::Mixed | Kind::MoneyMilli)
}

fn field(column: &SheetColumn) -> Result<Type, ParquetError> {
    let name = column.exact_name();
    let of = |physical| Type::primitive_type_builder(&name, physical).with_repetition(Repetition::OPTIONAL);
    match &column.kind {
        Kind::Text => of(Physical::BYTE_ARRAY).with_logical_type(Some(LogicalType::String)).build(),
        Kind::Truth => of(Physical::BOOLEAN).build(),
        kind if is_wide(kind) => of(Physical::FIXED_LEN_BYTE_ARRAY)
            .with_length(16)
            .with_precision(38)
            .with_scale(0)
            .with_logical_type(Some(LogicalType::decimal(0, 38)))
            .build(),
        _ => of(Physical::INT64).build(),
    }
}

fn write<W: Write + Send>(
    group: &mut SerializedRowGroupWriter<'_, W>,
    column: &SheetColumn,
    cells: &[&Datum],
) -> io::Result<()> {
    match &column.kind {
        Kind::Text => batch::<ByteArrayType, W>(group, cells, |datum| match datum {
            Datum::Text(text) => Ok(Some(ByteArray::from(text.as_str()))),
            _ => Ok(None),
        }),
        Kind::Truth => batch::<BoolType, W>(group, cells, |datum| match datum {
            Datum::Truth(holds) => Ok(Some(*holds)),
            _ => Ok(None),
        }),
        kind if is_wide(kind) => batch::<FixedLenByteArrayType, W>(group, cells, |datum| {
            let bytes = |number: i128| FixedLenByteArray::from(ByteArray::from(number.to_be_bytes().to_vec()));
            Ok(datum.number().map(bytes))
        }),
        _ => batch::<Int64Type, W>(group, cells, |datum| {
            let narrow = |number: i128| {
                i64::try_from(number).map_err(|_| {
                    let name = column.exact_name();
                    let error = format!("{number} in column `{name}` has more than 64 bits; CSV and JSON can hold it");
                    io::Error::new(ErrorKind::InvalidData, error)
                })
            };
            datum.number().map(narrow).transpose()
        }),
    }
}

/// Writes the next column of a row group.
fn batch<T: DataType, W: Write + Send>(
    group: &mut SerializedRowGroupWriter<'_, W>,
    cells: &[&Datum],
    value: impl Fn(&Datum) -> io::Result<Option<T::T>>,
) -> io::Result<()> {
    let mut writer = group.next_column().map_err(failed)?.ok_or_else(|| io::Error::other("a column is missing"))?;
    let values = cells.iter().map(|datum| value(datum)).collect::<io::Result<Vec<Option<T::T>>>>()?;
    let levels: Vec<i16> = values.iter().map(|value| i16::from(value.is_some())).collect();
    let there: Vec<T::T> = values.into_iter().flatten().collect();
    writer.typed::<T>().write_batch(&there, Some(&levels), None).map_err(failed)?;
    writer.close().map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use parquet::{
        file::reader::{FileReader, SerializedFileReader},
        record::Field,
    };
    use quotree_reports::Sheet;

    fn parquet(sheet: &Sheet) -> io::Result<Vec<u8>> {
        let mut file = Vec::new();
        write_parquet(sheet.table(), &mut file)?;
        Ok(file)
    }

    #[test]
    fn a_reader_finds_the_cells_that_were_written() {
        let mut sheet = Sheet::new("t", "row");
        let kinds = [
            ("name", Kind::Text),
            ("holds", Kind::Truth),
            ("wait_ms", Kind::Ms),
            ("used", Kind::UnitSeconds("cpu".into())),
        ];
        sheet.columns = kinds.into_iter().map(|(name, kind)| SheetColumn::new(name, "H", kind)).collect();
        sheet.columns.push(SheetColumn::new("", "TEXT ONLY", Kind::Text));
        let text = |text: &str| Datum::Text(text.to_owned());
        let huge = 170_141_183_460_469_231_731_687_303_715_i128;
        sheet.rows = vec![
            vec![text("a"), Datum::Truth(true), Datum::Whole(-5), Datum::Whole(huge), text("x")],
            vec![Datum::None, Datum::None, Datum::None, Datum::None, Datum::None],
            vec![text("名"), Datum::Truth(false), Datum::AtLeast(7), Datum::Whole(-huge), text("x")],
        ];
        let file = parquet(&sheet).unwrap();
        assert_eq!(file, parquet(&sheet).unwrap());
        let reader = SerializedFileReader::new(bytes::Bytes::from(file)).unwrap();
        let rows: Vec<Vec<(String, Field)>> =
            reader.get_row_iter(None).unwrap().map(|row| row.unwrap().into_columns()).collect();
        let shown: Vec<String> = rows
            .iter()
            .map(|row| {
                row.iter()
                    .map(|(name, field)| format!("{name}={field}").trim_end_matches('.').to_owned())
                    .collect::<Vec<_>>()
                    .join(" ")
            })
            .collect();
        assert_eq!(
            shown,
            [
                format!("name=\"a\" holds=true wait_ms=-5 used={huge} at_least=\"\""),
                "name=null holds=null wait_ms=null used=null at_least=\"\"".to_owned(),
                format!("name=\"名\" holds=false wait_ms=7 used=-{huge} at_least=\"wait_ms\""),
            ]
        );
        // What does not fit is refused, not cut.
        sheet.rows = vec![vec![Datum::None, Datum::None, Datum::Whole(huge), Datum::None, Datum::None]];
        assert!(parquet(&sheet).unwrap_err().to_string().contains("64 bits"));
        sheet.rows.clear();
        assert!(parquet(&sheet).is_ok());
    }

    #[test]
    fn a_large_table_has_row_groups_and_is_not_kept() {
        let made = std::cell::Cell::new(0);
        let table = || {
            made.set(0);
            let row = |n: u64| {
                made.set(made.get() + 1);
                vec![Datum::from(n)]
            };
            Table::new("t", vec![SheetColumn::new("n", "", Kind::Count)], (0..2 * GROUP as u64 + 1).map(row))
        };
        let mut file = Vec::new();
        write_parquet(table(), &mut file).unwrap();
        let reader = SerializedFileReader::new(bytes::Bytes::from(file)).unwrap();
        assert_eq!((reader.num_row_groups(), reader.metadata().file_metadata().num_rows()), (3, 2 * GROUP as i64 + 1));
        assert_eq!(reader.get_row_iter(None).unwrap().last().unwrap().unwrap().to_string(), "{n: 32768}");
        // A full disk ends it after a group, and is reported as what it is.
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full");
        if let Ok(full) = full {
            assert_eq!(write_parquet(table(), full).unwrap_err().kind(), ErrorKind::StorageFull);
            assert_eq!(made.get(), GROUP);
        }
    }
}
