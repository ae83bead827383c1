//! Baselines of `quotree check`: the outcome file beside a scenario is compared, or written with `--bless`.

use super::{shell, study};
use crate::{
    args::{Baselines, Check as Args},
    exit::Trouble,
    files, snippets,
};
use quotree_reports::{BaselineFigure, BaselineState, Baselined, CheckOutcome, Checked, Remark, many};
use quotree_sim::scenario::{Diagnostic, Notation, Source};
use quotree_study::{BASELINE_ENDING, Baseline, Facts, Outcome, listed};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

/// The baseline of a scenario before it is run.
pub(super) struct Before {
    path: PathBuf,
    /// Nothing if there is no such file.
    baseline: Option<Baseline>,
}

/// An outcome file to write: its path, its new text, and whether that differs from what is there.
pub(super) struct Draft {
    path: PathBuf,
    text: String,
    is_new: bool,
}

/// Whether outcome files are written rather than compared. Beside `--digests`, `--bless` is about the digests.
const fn writes(args: &Args) -> bool {
    args.bless && args.digests.is_none()
}

/// The outcome file of a scenario: `lab.outcome.yaml` beside `lab.ron`. Nothing for stdin.
fn file_of(scenario: &Path) -> Option<PathBuf> {
    let name = scenario.file_name()?.to_str().filter(|_| !files::is_standard(scenario))?;
    let name = name.strip_suffix(".gz").unwrap_or(name);
    let stem = Notation::named(name).and_then(|_| name.rsplit_once('.')).map_or(name, |(stem, _)| stem);
    Some(scenario.with_file_name(format!("{stem}{BASELINE_ENDING}")))
}

/// Whether a path names an outcome file rather than a scenario.
pub(super) fn is_one(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().ends_with(BASELINE_ENDING))
}

/// Refuses what cannot be blessed, before anything runs.
///
/// # Errors
/// If the outcome would be that of another scenario than the file, or two scenarios have one outcome file.
pub(super) fn check(args: &Args, scenarios: &[PathBuf]) -> Result<(), Trouble> {
    if !writes(args) {
        return Ok(());
    }
    if args.edits.policy.is_some() || !args.edits.set.is_empty() {
        return Err(Trouble::invalid(
            "`--bless` writes the outcome of the scenarios as they are: leave out `--set` and `--policy`",
        ));
    }
    if args.baselines == Baselines::Ignore {
        return Err(Trouble::invalid("`--baselines ignore` and `--bless` contradict each other: leave out one"));
    }
    let mut owners: BTreeMap<PathBuf, &Path> = BTreeMap::new();
    for scenario in scenarios {
        if let Some(other) = file_of(scenario).and_then(|file| owners.insert(file, scenario)) {
            let (a, b) = (other.display(), scenario.display());
            return Err(Trouble::invalid(format!("`{a}` and `{b}` would have one outcome file: rename one of them")));
        }
    }
    Ok(())
}

/// The outcome files that this check writes.
pub(super) fn outputs(args: &Args, scenarios: &[PathBuf]) -> Vec<PathBuf> {
    scenarios.iter().filter(|_| writes(args)).filter_map(|scenario| file_of(scenario)).collect()
}

/// Reads the baseline of a scenario; nothing if baselines are ignored.
///
/// # Errors
/// What is wrong with its file, as text and as remarks.
pub(super) fn read(scenario: &Path, args: &Args, colour: bool) -> Result<Option<Before>, (String, Vec<Remark>)> {
    let Some(path) = file_of(scenario).filter(|_| args.baselines != Baselines::Ignore) else { return Ok(None) };
    if !path.exists() {
        return Ok(Some(Before { path, baseline: None }));
    }
    let text = files::peek_text(&path).map_err(|trouble| (trouble.message, Vec::new()))?;
    let source = Source { path: files::slashed(&path), text };
    let read = if writes(args) { Baseline::read_head(&source) } else { Baseline::read(&source) };
    let refused = |wrong: Vec<Diagnostic>| {
        let remark = |found: &Diagnostic| Remark {
            is_error: true,
            file: found.place.path.clone(),
            line: found.place.line,
            column: found.place.column,
            title: found.title.clone(),
        };
        (snippets::draw(&wrong, std::slice::from_ref(&source), colour), wrong.iter().map(remark).collect())
    };
    Ok(Some(Before { path, baseline: Some(read.map_err(refused)?) }))
}

/// Compares the runs of a checked scenario with its baseline, or returns what to write.
pub(super) fn judge(
    before: Before,
    checked: &mut Checked,
    digest: u128,
    runs: &[(u64, &Facts)],
    args: &Args,
) -> Option<Draft> {
    let Before { path, baseline } = before;
    let file = files::slashed(&path);
    let mut found = Baselined {
        file: file.clone(),
        state: BaselineState::Missing,
        figures: Vec::new(),
        note: String::new(),
        is_required: args.baselines == Baselines::Require,
    };
    let scenario = shell::word(&checked.file);
    let mut draft = None;
    match &baseline {
        _ if writes(args) => {
            let outcome = Outcome::of(digest, runs, baseline.as_ref());
            let name = checked.file.rsplit('/').next().unwrap_or(&checked.file);
            let text = Baseline::text(baseline.as_ref(), name, &outcome);
            let is_new = files::peek_text(&path).ok().as_deref() != Some(&text);
            found.state = BaselineState::Written;
            draft = Some(Draft { path, text, is_new });
        }
        None => found.note = format!("There is no baseline {file}: `quotree check {scenario} --bless` writes it."),
        Some(baseline) => {
            let of_them: Vec<(u64, &Facts)> =
                runs.iter().filter(|(seed, _)| baseline.seeds().contains(seed)).copied().collect();
            let (seeds, several) = (listed(baseline.seeds()), baseline.seeds().len() > 1);
            let with = if several { format!(" --seeds {}", seeds.replace(' ', "")) } else { String::new() };
            if of_them.len() < baseline.seeds().len() {
                let of = if several { "seeds" } else { "seed" };
                found.state = BaselineState::OtherSeeds;
                found.note = format!(
                    "{file} is of {of} {seeds}, which this check did not run, so it was not compared: \
                     `quotree check {scenario}{with}` compares it."
                );
            } else {
                let outcome = Outcome::of(digest, &of_them, Some(baseline));
                found.state = BaselineState::Compared;
                found.figures = baseline.compare(&outcome);
                if !found.passed() {
                    found.note = note(&found.figures, baseline.is_of(&outcome), args, &format!("{scenario}{with}"));
                }
            }
        }
    }
    if !found.passed() && checked.outcome == CheckOutcome::Passed {
        checked.outcome = CheckOutcome::Failed;
    }
    checked.baseline = Some(found);
    draft
}

/// What to know and to do about figures that differ; empty if only tolerances are wrong.
fn note(figures: &[BaselineFigure], is_same: bool, args: &Args, scenario: &str) -> String {
    if !study::settings(&args.edits).is_empty() {
        return "The baseline is of the file as it is, without `--set` and `--policy`.".to_owned();
    }
    let differing = || figures.iter().filter(|figure| !figure.passed);
    let has_moved = differing().any(|figure| figure.expected.is_some() && figure.seen.is_some());
    if !differing().any(|figure| figure.expected.is_some() || figure.seen.is_some()) {
        return String::new();
    }
    let why = match (is_same, has_moved) {
        (true, true) => "The scenario is the one of the baseline; quotree decides otherwise now. ",
        (false, _) => "The scenario has changed since its baseline was written. ",
        (true, false) => "",
    };
    format!("{why}If this outcome is meant: `quotree check {scenario} --bless`")
}

/// Writes outcome files. Returns a sentence about them.
///
/// # Errors
/// If one cannot be written.
pub(super) fn write(drafts: &[Draft]) -> Result<String, Trouble> {
    for draft in drafts.iter().filter(|draft| draft.is_new) {
        files::rewrite(&draft.path, &draft.text)?;
    }
    let new: Vec<String> =
        drafts.iter().filter(|draft| draft.is_new).map(|draft| files::slashed(&draft.path)).collect();
    let (all, written) = (many(drafts.len() as u64, "outcome"), new.len());
    let named = if new.is_empty() { String::new() } else { format!(": {}", super::first_of(&new)) };
    Ok(format!("{all} blessed, {written} of them new or changed{named}"))
}

/// A sentence about scenarios without a baseline, if others of this check have one.
pub(super) fn lacking(checked: &[Checked]) -> Option<String> {
    let baselines = || checked.iter().filter_map(|one| one.baseline.as_ref());
    let missing = baselines().filter(|one| one.state == BaselineState::Missing && !one.is_required).count() as u64;
    let compared = baselines().any(|one| one.state == BaselineState::Compared);
    (compared && missing > 0).then(|| {
        let have = if missing == 1 { "has" } else { "have" };
        format!(
            "{} {have} no baseline; `--bless` writes one, `--baselines require` makes that an error",
            many(missing, "scenario")
        )
    })
}
