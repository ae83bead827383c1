//! The two sides of `diff`: each is the files of an earlier run, or a scenario that is run now.

use super::{report, shell};
use crate::{args::Edits, exit::Trouble, files, load, runner, terminal::Terminal};
use quotree_core::Time;
use quotree_reports::{Report, RunSource};
use quotree_sim::{
    RunOptions, Scenario,
    result::WorstOutage,
    scenario::{self, Diagnostic},
};
use quotree_study::Facts;
use serde_json::Value;
use std::{
    cmp::Ordering,
    path::{Path, PathBuf},
};

/// The name of the summary file in the folder of a run.
const SUMMARY: &str = "summary.json";

/// The results of one run.
pub(super) struct Seen {
    pub(super) summary: Value,
    /// The report, if it was requested.
    pub(super) report: Option<Report>,
    /// The figures, of a scenario that was run.
    pub(super) facts: Option<Facts>,
}

impl Seen {
    fn end(&self) -> Option<Time> {
        self.summary.get("end_ms").and_then(Value::as_u64).map(Time)
    }
}

/// Loads or runs both sides, the second with changes. If one run ends earlier because nothing more can happen, its figures are taken up to the end
/// of the other run, so that both cover the same time.
///
/// # Errors
/// If a file cannot be read, a scenario is invalid, or there is no report that was asked for.
pub(super) fn both(
    a: &Path,
    (b, edits): (&Path, &Edits),
    with_reports: bool,
    terminal: Terminal,
) -> Result<(Seen, Seen), Trouble> {
    let mut known = Vec::new();
    let (a, b) = (Side::of(a, &Edits::default(), &mut known, terminal)?, Side::of(b, edits, &mut known, terminal)?);
    let (first, second) = (a.see(None, with_reports, terminal)?, b.see(None, with_reports, terminal)?);
    Ok(match first.end().cmp(&second.end()) {
        Ordering::Less if a.may_go_on() => (a.see(second.end(), with_reports, terminal)?, second),
        Ordering::Greater if b.may_go_on() => {
            let end = first.end();
            (first, b.see(end, with_reports, terminal)?)
        }
        _ => (first, second),
    })
}

/// Whether a path names a run that has ended rather than a scenario.
pub(super) fn is_run(path: &Path) -> bool {
    Side::files(path).is_some()
}

/// Whether a file in JSON is a scenario rather than a summary.
fn is_scenario(path: &Path) -> bool {
    files::text(path).is_ok_and(|text| scenario::is_scenario(&files::slashed(path), &text))
}

/// One side of the comparison.
enum Side {
    /// The summary of an earlier run, and its folder.
    Files { summary: PathBuf, folder: PathBuf },
    /// A scenario, which is run, its file, and the command that runs it.
    Scenario { scenario: Box<Scenario>, worst: Option<WorstOutage>, file: String, command: String },
}

impl Side {
    fn of(path: &Path, edits: &Edits, known: &mut Vec<Diagnostic>, terminal: Terminal) -> Result<Self, Trouble> {
        let Some(files) = Self::files(path) else {
            let scenario = load::scenario_beside(path, edits, known, terminal)?;
            let (scenario, worst) = super::worst::settle(scenario, None, terminal)?;
            let scenario = Box::new(scenario);
            let command = format!("quotree run {}{}", shell::word(&files::slashed(path)), shell::edits(edits));
            return Ok(Self::Scenario { scenario, worst, file: files::slashed(path), command });
        };
        if edits.policy.is_some() || !edits.set.is_empty() {
            let path = path.display();
            return Err(Trouble::invalid(format!(
                "`{path}` is a run that has ended: `--set` and `--policy` change a scenario before it is run"
            )));
        }
        Ok(files)
    }

    /// The files of an earlier run, if the path is one of them or their folder.
    fn files(path: &Path) -> Option<Self> {
        if path.is_dir() {
            return Some(Self::Files { summary: path.join(SUMMARY), folder: path.to_path_buf() });
        }
        if path.extension().is_none_or(|extension| extension != "json") || is_scenario(path) {
            return None;
        }
        let folder = path.parent().unwrap_or(Path::new("")).to_path_buf();
        // The report of a run is named, too: its summary is beside it.
        let is_report = path.file_name().is_some_and(|name| name == report::DATA);
        let summary = if is_report { folder.join(SUMMARY) } else { path.to_path_buf() };
        Some(Self::Files { summary, folder })
    }

    /// The results of this side. A scenario without `until` that ends by itself is evaluated up to the horizon.
    fn see(&self, horizon: Option<Time>, with_report: bool, terminal: Terminal) -> Result<Seen, Trouble> {
        match self {
            Self::Files { summary, folder } => {
                let invalid = |error| Trouble::invalid(format!("`{}` is not valid JSON: {error}", summary.display()));
                let value = serde_json::from_str(&files::text(summary)?).map_err(invalid)?;
                let report = with_report.then(|| report::read(folder)).transpose()?;
                Ok(Seen { summary: value, report, facts: None })
            }
            Self::Scenario { scenario, worst, file, command } => {
                let options = RunOptions { horizon, history: with_report, ..RunOptions::default() };
                let mut run = runner::run_plain(scenario, &options, terminal)?;
                run.result.worst_outage.clone_from(worst);
                let summary = super::as_json("the summary", serde_json::to_value(&run.result))?;
                let source = RunSource {
                    file: file.clone(),
                    command: command.clone(),
                    version: env!("CARGO_PKG_VERSION").to_owned(),
                };
                let report = quotree_reports::report(scenario, &run, &source);
                Ok(Seen { summary, report, facts: Some(Facts::of(&run)) })
            }
        }
    }

    /// Whether this side can be evaluated beyond its own end.
    fn may_go_on(&self) -> bool {
        matches!(self, Self::Scenario { scenario, .. } if scenario.world.until.is_none())
    }
}
