//! The formats of tables.

use clap::ValueEnum;

/// The format of a table on stdout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TableFormat {
    /// A table to read.
    Text,
    /// JSON for programs; docs/cli.md documents the fields.
    Json,
    /// CSV, with exact numbers.
    Csv,
}

/// The format of a table in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TableFile {
    /// CSV, for spreadsheets: amounts are quantities such as `500m`.
    Csv,
    /// JSON: the columns with their kinds, and the rows; amounts are numbers of base units.
    Json,
    /// Parquet, for pandas and DuckDB: as JSON, and columns have types.
    Parquet,
}

impl TableFile {
    pub(crate) const ALL: [Self; 3] = [Self::Csv, Self::Json, Self::Parquet];

    /// The ending of its file.
    pub(crate) const fn ending(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Json => "json",
            Self::Parquet => "parquet",
        }
    }
}
