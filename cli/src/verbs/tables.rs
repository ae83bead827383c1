//! Writes tables as files, for `run` and `sweep`.

use crate::{
    args::TableFile,
    exit::Trouble,
    files::{self, Draft},
};
use quotree_reports::Table;
use quotree_study::write_parquet;
use std::path::{Path, PathBuf};

/// Writes a table into a folder. Returns the file.
///
/// # Errors
/// If it cannot be written.
pub(super) fn write(folder: &Path, table: Table<'_>, format: TableFile) -> Result<PathBuf, Trouble> {
    let path = folder.join(table.name).with_extension(format.ending());
    let mut file = Draft::begin(&path)?;
    match format {
        TableFile::Csv => table.write_csv(&mut file),
        TableFile::Json => table.write_json(&mut file),
        TableFile::Parquet => write_parquet(table, &mut file),
    }
    .map_err(|error| files::cannot_write(&path, &error))?;
    file.finish()?;
    Ok(path)
}
