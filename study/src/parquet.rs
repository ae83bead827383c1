//! Tables as Parquet. Counts and times are 64-bit integers, amounts over time are decimals of 38 digits; both are exact. Equal tables
//! give equal bytes.

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
use quotree_reports::{Datum, Kind, Sheet, SheetColumn};
use std::sync::Arc;

/// Why a table could not be written as Parquet: a number beyond the range of its column, or a fault of the library.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the table cannot be written as Parquet: {0}")]
pub struct NoParquet(String);

impl From<ParquetError> for NoParquet {
    fn from(error: ParquetError) -> Self {
        Self(error.to_string())
    }
}

/// The table as a Parquet file of one row group. The metadata has the columns with their kinds as JSON, under `quotree`.
///
/// # Errors
/// [`NoParquet`].
pub fn parquet(sheet: &Sheet) -> Result<Vec<u8>, NoParquet> {
    let columns: Vec<(usize, &SheetColumn)> =
        sheet.columns.iter().enumerate().filter(|(_, column)| !column.name.is_empty()).collect();
    let fields = columns.iter().map(|(_, column)| field(column).map(Arc::new)).collect::<Result<Vec<TypePtr>, _>>()?;
    let schema = Type::group_type_builder(sheet.name).with_fields(fields).build()?;
    let about = sheet.json().get("columns").map(ToString::to_string);
    let properties = WriterProperties::builder()
        .set_created_by(format!("quotree {}", env!("CARGO_PKG_VERSION")))
        .set_key_value_metadata(Some(vec![KeyValue::new("quotree".to_owned(), about)]))
        .build();
    let mut file = Vec::new();
    let mut writer = SerializedFileWriter::new(&mut file, Arc::new(schema), Arc::new(properties))?;
    let mut group = writer.next_row_group()?;
    for (place, column) in columns {
        let cells: Vec<&Datum> = sheet.rows.iter().map(|row| row.get(place).unwrap_or(&Datum::None)).collect();
        write(&mut group, column, &cells)?;
    }
    group.close()?;
    writer.close()?;
    Ok(file)
}

/// How a column is stored.
const fn is_wide(kind: &Kind) -> bool {
    matches!(kind, Kind::UnitSeconds(_) | Kind::Mixed | Kind::MoneyMilli)
}

fn field(column: &SheetColumn) -> Result<Type, ParquetError> {
    let of = |physical| Type::primitive_type_builder(&column.name, physical).with_repetition(Repetition::OPTIONAL);
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

fn write(
    group: &mut SerializedRowGroupWriter<'_, &mut Vec<u8>>,
    column: &SheetColumn,
    cells: &[&Datum],
) -> Result<(), NoParquet> {
    let number = |datum: &Datum| match datum {
        Datum::Whole(number) | Datum::AtLeast(number) | Datum::Measured { value: number, .. } => Some(*number),
        _ => None,
    };
    match &column.kind {
        Kind::Text => batch::<ByteArrayType>(group, cells, |datum| match datum {
            Datum::Text(text) => Ok(Some(ByteArray::from(text.as_str()))),
            _ => Ok(None),
        }),
        Kind::Truth => batch::<BoolType>(group, cells, |datum| match datum {
            Datum::Truth(holds) => Ok(Some(*holds)),
            _ => Ok(None),
        }),
        kind if is_wide(kind) => batch::<FixedLenByteArrayType>(group, cells, |datum| {
            let bytes = |number: i128| FixedLenByteArray::from(ByteArray::from(number.to_be_bytes().to_vec()));
            Ok(number(datum).map(bytes))
        }),
        _ => batch::<Int64Type>(group, cells, |datum| {
            let narrow = |number: i128| {
                i64::try_from(number)
                    .map_err(|_| NoParquet(format!("{number} in column `{}` has more than 64 bits", column.name)))
            };
            number(datum).map(narrow).transpose()
        }),
    }
}

/// Writes the next column of a row group.
fn batch<T: DataType>(
    group: &mut SerializedRowGroupWriter<'_, &mut Vec<u8>>,
    cells: &[&Datum],
    value: impl Fn(&Datum) -> Result<Option<T::T>, NoParquet>,
) -> Result<(), NoParquet> {
    let Some(mut writer) = group.next_column()? else { return Err(NoParquet("a column is missing".to_owned())) };
    let values = cells.iter().map(|datum| value(datum)).collect::<Result<Vec<Option<T::T>>, NoParquet>>()?;
    let levels: Vec<i16> = values.iter().map(|value| i16::from(value.is_some())).collect();
    let there: Vec<T::T> = values.into_iter().flatten().collect();
    writer.typed::<T>().write_batch(&there, Some(&levels), None)?;
    writer.close()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use parquet::{
        file::reader::{FileReader, SerializedFileReader},
        record::Field,
    };

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
                format!("name=\"a\" holds=true wait_ms=-5 used={huge}"),
                "name=null holds=null wait_ms=null used=null".to_owned(),
                format!("name=\"名\" holds=false wait_ms=7 used=-{huge}"),
            ]
        );
        // What does not fit is refused, not cut.
        sheet.rows = vec![vec![Datum::None, Datum::None, Datum::Whole(huge), Datum::None, Datum::None]];
        assert!(parquet(&sheet).unwrap_err().to_string().contains("64 bits"));
        sheet.rows.clear();
        assert!(parquet(&sheet).is_ok());
    }
}
