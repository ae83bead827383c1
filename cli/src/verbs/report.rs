//! `quotree report`: renders the page of a finished run again, from the files that `run --out` wrote.

use super::figures;
use crate::{
    args::Report as Args,
    exit::{Exit, Outcome, Trouble},
    files,
    terminal::Terminal,
};
use quotree_reports::{Report, SCHEMA, findings_text, report_html, report_json, summary_markdown};
use std::{
    path::Path,
    process::{Command, Stdio},
};

/// The file of the page.
pub(super) const PAGE: &str = "report.html";
/// The file with the data of the page.
pub(super) const DATA: &str = "report.json";

pub(super) fn run(args: &Args, terminal: Terminal) -> Outcome {
    let report = read(&args.folder)?;
    let page = args.folder.join(PAGE);
    write_page(&page, &report)?;
    let mut written = vec![page.clone()];
    written.extend(figures::write(&args.folder, &report, &args.figures)?);
    if args.open {
        open(&page)?;
    }
    match args.markdown.as_deref() {
        Some(path) if files::is_standard(path) => {
            terminal.show(&summary_markdown(&report))?;
            return Ok(Exit::Fine);
        }
        Some(path) => {
            files::write(path, &summary_markdown(&report))?;
            written.push(path.to_owned());
        }
        None => {}
    }
    terminal.show(&format!("{}\n{}", findings_text(&report, terminal.style), super::wrote(&written)))?;
    Ok(Exit::Fine)
}

/// The report in the folder of a finished run.
///
/// # Errors
/// If there is no report, or its format has another version.
pub(super) fn read(folder: &Path) -> Result<Report, Trouble> {
    let path = folder.join(DATA);
    if !path.is_file() {
        return Err(Trouble::invalid(format!(
            "there is no `{}`; write it with `quotree run SCENARIO --out {}`",
            path.display(),
            folder.display()
        )));
    }
    let text = files::text(&path)?;
    let report: Report = serde_json::from_str(&text)
        .map_err(|error| Trouble::invalid(format!("`{}` is not a report: {error}", path.display())))?;
    if report.schema != SCHEMA {
        return Err(Trouble::invalid(format!(
            "`{}` has version {} of the format, and this program reads version {SCHEMA}; run the scenario again",
            path.display(),
            report.schema
        )));
    }
    Ok(report)
}

/// Writes the report of a run into a folder, as data and as a page.
///
/// # Errors
/// If a file cannot be written.
pub(super) fn write(folder: &Path, report: &Report) -> Result<(), Trouble> {
    files::write(&folder.join(DATA), &super::as_json("the report", report_json(report))?)?;
    write_page(&folder.join(PAGE), report)
}

fn write_page(path: &Path, report: &Report) -> Result<(), Trouble> {
    let page = report_html(report).map_err(|error| Trouble::fault(format!("cannot write the report page: {error}")))?;
    files::write(path, &page)
}

/// Opens a page in the browser of the system, and does not wait until it is closed.
///
/// # Errors
/// If there is no program for it.
pub(super) fn open(page: &Path) -> Result<(), Trouble> {
    let program = if cfg!(target_os = "macos") {
        "open"
    } else if cfg!(windows) {
        "explorer"
    } else {
        "xdg-open"
    };
    let mut command = Command::new(program);
    command.arg(page).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().map(drop).map_err(|error| {
        Trouble::invalid(format!("cannot open `{}` with `{program}`: {error}; open the file yourself", page.display()))
    })
}
