//! Writes figures as files, for the verbs that have a report.

use crate::{args::Picture, exit::Trouble, files};
use quotree_figures::{Figure, FigureError};
use quotree_reports::Report;
use std::path::{Path, PathBuf};

/// The folder for figures, in the folder for all output.
const FOLDER: &str = "figures";

/// Draws the figures of a run into the folder `figures` of a folder, one file for each of these formats. Returns the
/// files.
///
/// # Errors
/// If a file cannot be written.
pub(super) fn write(folder: &Path, report: &Report, formats: &[Picture]) -> Result<Vec<PathBuf>, Trouble> {
    if formats.is_empty() {
        return Ok(Vec::new());
    }
    write_all(folder, &quotree_figures::figures(report).map_err(|error| fault(&error))?, formats)
}

/// Draws the figure that compares two runs, as [`write()`] does for the figures of one run.
///
/// # Errors
/// If a file cannot be written.
pub(super) fn write_comparison(
    folder: &Path,
    before: &Report,
    after: &Report,
    formats: &[Picture],
) -> Result<Vec<PathBuf>, Trouble> {
    if formats.is_empty() {
        return Ok(Vec::new());
    }
    write_all(folder, &[quotree_figures::before_after(before, after).map_err(|error| fault(&error))?], formats)
}

fn write_all(folder: &Path, figures: &[Figure], formats: &[Picture]) -> Result<Vec<PathBuf>, Trouble> {
    let mut written = Vec::new();
    for figure in figures {
        for format in [Picture::Svg, Picture::Png].iter().filter(|format| formats.contains(format)) {
            let ending = if *format == Picture::Svg { "svg" } else { "png" };
            let path = folder.join(FOLDER).join(figure.name).with_extension(ending);
            match format {
                Picture::Svg => files::write(&path, &figure.svg)?,
                Picture::Png => files::write(&path, &figure.png().map_err(|error| fault(&error))?)?,
            }
            written.push(path);
        }
    }
    Ok(written)
}

fn fault(error: &FigureError) -> Trouble {
    Trouble::fault(error.to_string())
}
