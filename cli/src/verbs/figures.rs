//! Figures as files, for the verbs that have a report.

use crate::{args::Picture, exit::Trouble, files};
use quotree_figures::{Figure, FigureError};
use quotree_reports::Report;
use std::path::Path;

/// The folder of figures, within that of everything else.
const FOLDER: &str = "figures";

/// Draws the figures of a run into the folder `figures` of a folder, in these formats.
///
/// # Errors
/// If a file cannot be written.
pub(super) fn write(folder: &Path, report: &Report, formats: &[Picture]) -> Result<(), Trouble> {
    if formats.is_empty() {
        return Ok(());
    }
    let figures = quotree_figures::figures(report).map_err(|error| fault(&error))?;
    figures.iter().try_for_each(|figure| write_one(folder, figure, formats))
}

fn write_one(folder: &Path, figure: &Figure, formats: &[Picture]) -> Result<(), Trouble> {
    let path = folder.join(FOLDER).join(figure.name);
    for format in formats {
        match format {
            Picture::Svg => files::replace(&path.with_extension("svg"), &figure.svg)?,
            Picture::Png => files::replace(&path.with_extension("png"), &figure.png().map_err(|error| fault(&error))?)?,
        }
    }
    Ok(())
}

fn fault(error: &FigureError) -> Trouble {
    Trouble::fault(error.to_string())
}
