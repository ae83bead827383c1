//! `quotree sweep`: every combination of values, with every seed; one table and one figure.

mod folder;
mod picture;

use super::{study, tables};
use crate::{
    args::{Sweep as Args, TableFile, TableFormat},
    exit::{Exit, Outcome, Trouble},
    files::{self, Disk},
    interrupt::{self, STOP},
    snippets,
    terminal::Terminal,
};
use folder::Folder;
use quotree_reports::{Sheet, count, many, wrap};
use quotree_sim::scenario::Source;
use quotree_study::{
    Axis, Cases, Key, Outcomes, Prepared, Runner, Study, runs_sheet, settings_sheet, teams_sheet, usual_figures,
};
use std::path::{Path, PathBuf};

pub(super) fn sweep(args: &Args, terminal: Terminal) -> Outcome {
    let jobs = study::threads(args.jobs.jobs);
    let axes = axes(&args.set, "--set", terminal)?;
    let file = files::slashed(&args.file);
    let study = Study { file, base: Vec::new(), cases: Cases::Product(axes), seeds: args.seeds.clone() };
    let disk = Disk::of(&args.file);
    let prepared = study::prepare(study, &disk, args.skip_invalid, jobs, terminal)?;
    check_figures(&args.show, &prepared)?;
    let mut outcomes = Outcomes::none(&prepared);
    let mut folder = args.out.as_deref().map(|out| Folder::open(out, &prepared)).transpose()?;
    let known = folder.as_mut().map_or(0, |folder| folder.recall(&prepared, &mut outcomes));
    let is_ours = |number: &usize| args.shard.is_none_or(|shard| number % shard.of == shard.part - 1);
    let is_valid = |number: &usize| {
        prepared.run(*number).and_then(|(case, _)| prepared.cases.get(case)).is_some_and(|case| case.invalid.is_none())
    };
    let is_new = |number: &usize| outcomes.runs.get(*number).is_some_and(Option::is_none);
    let numbers: Vec<usize> =
        (0..prepared.runs()).filter(|number| is_ours(number) && is_valid(number) && is_new(number)).collect();
    let runner = Runner::new(jobs, &STOP);
    study::run(&runner, &prepared, &numbers, &mut outcomes, ("run", terminal), &mut |number, ran| {
        folder.as_mut().map_or(Ok(()), |folder| folder.keep(&prepared, number, ran))
    })?;
    let skipped = (0..prepared.runs()).filter(|number| !is_valid(number)).count();
    let missing = prepared.runs() - skipped - outcomes.ended();
    let figures = if args.show.is_empty() { usual_figures(&prepared, &outcomes) } else { args.show.clone() };
    let settings = settings_sheet(&prepared, &outcomes, &figures, args.must_hold);
    let mut written = Vec::new();
    if let Some(out) = args.out.as_deref().filter(|_| missing == 0) {
        written = write(out, &prepared, &outcomes, &settings)?;
        written.extend(picture::write(out, &prepared, &outcomes, figures.first())?);
    }
    terminal.show(&match args.format {
        TableFormat::Json => super::pretty(&json(&prepared, &outcomes, &settings, missing)),
        TableFormat::Csv => csv(&settings)?,
        TableFormat::Text => text(&prepared, &settings, (known, skipped), terminal) + &super::wrote(&written),
    })?;
    if interrupt::is_asked() && missing > 0 {
        let (ended, all) = (count(outcomes.ended() as u128), count(prepared.runs() as u128));
        let advice = match &args.out {
            Some(_) => "the same command goes on from there".to_owned(),
            None => "with `--out DIR`, the same command would go on from there".to_owned(),
        };
        terminal.complain(&format!(
            "interrupted: {ended} of {all} runs ended; the table has the settings of which all runs did; {advice}"
        ));
        return Ok(Exit::Interrupted);
    }
    if let (Some(shard), true) = (args.shard, missing > 0) {
        terminal.complain(&format!(
            "part {} of {} is done; {} of other parts are missing in `{}`, and the tables are written when they are there",
            shard.part,
            shard.of,
            many(missing as u64, "run"),
            args.out.as_deref().unwrap_or(Path::new("")).display()
        ));
    }
    match study::failure(&prepared, &outcomes) {
        Some(trouble) => Err(trouble),
        None => Ok(Exit::Fine),
    }
}

/// The axes of an option.
pub(super) fn axes(texts: &[String], option: &'static str, terminal: Terminal) -> Result<Vec<Axis>, Trouble> {
    let (mut axes, mut found) = (Vec::new(), Vec::new());
    for text in texts {
        match Axis::parse(text) {
            Ok(axis) => axes.push(Axis { option, ..axis }),
            Err(mut diagnostics) => {
                let source = Source { path: option.to_owned(), text: text.clone() };
                diagnostics.iter_mut().for_each(|one| option.clone_into(&mut one.place.path));
                found.push(snippets::draw(&diagnostics, &[source], terminal.colour_errors));
            }
        }
    }
    if found.is_empty() { Ok(axes) } else { Err(Trouble { exit: Exit::Invalid, message: found.join("\n") }) }
}

/// Refuses figures of teams that the scenario does not have.
fn check_figures(figures: &[Key], study: &Prepared<'_>) -> Result<(), Trouble> {
    let valid = study.cases.iter().position(|case| case.invalid.is_none()).and_then(|case| study.scenario(case));
    let Some(scenario) = valid else { return Ok(()) };
    let parents: Vec<_> = scenario.tree.quotas.iter().filter_map(|quota| quota.parent.as_ref()).collect();
    let leaves: Vec<String> = scenario
        .tree
        .quotas
        .iter()
        .filter(|quota| !parents.contains(&&quota.name))
        .map(|quota| quota.name.to_string())
        .collect();
    for key in figures {
        if let Some(team) = key.team.as_deref().filter(|team| !leaves.iter().any(|leaf| leaf == team)) {
            let known = super::first_of(&leaves);
            return Err(Trouble::invalid(format!(
                "`--show {key}`: there is no leaf quota `{team}`; there are {known}"
            )));
        }
    }
    Ok(())
}

fn write(out: &Path, study: &Prepared<'_>, outcomes: &Outcomes, settings: &Sheet) -> Result<Vec<PathBuf>, Trouble> {
    let mut written = Vec::new();
    for sheet in [settings, &runs_sheet(study, outcomes), &teams_sheet(study, outcomes)] {
        for format in TableFile::ALL {
            written.push(tables::write(out, sheet.table(), format)?);
        }
    }
    Ok(written)
}

pub(super) fn csv(sheet: &Sheet) -> Result<String, Trouble> {
    sheet.csv().map_err(|error| Trouble::fault(format!("cannot write the table as CSV: {error}")))
}

fn json(study: &Prepared<'_>, outcomes: &Outcomes, settings: &Sheet, missing: usize) -> serde_json::Value {
    let failed: Vec<_> = outcomes
        .failed()
        .filter_map(|(number, failure)| {
            let (case, seed) = study.run(number)?;
            let values = &study.cases.get(case)?.values;
            Some(serde_json::json!({ "values": values, "seed": seed, "why": failure.why }))
        })
        .collect();
    let mut value = settings.json();
    if let Some(fields) = value.as_object_mut() {
        fields.insert("scenario".to_owned(), study.name.clone().into());
        fields.insert("seeds".to_owned(), study.seeds.clone().into());
        fields.insert("missing_runs".to_owned(), missing.into());
        fields.insert("failed".to_owned(), failed.into());
    }
    value
}

fn text(study: &Prepared<'_>, settings: &Sheet, (known, skipped): (usize, usize), terminal: Terminal) -> String {
    let style = terminal.wide();
    let mut head = format!(
        "{}  {} · {} · {}",
        style.heading(&study.name),
        many(study.cases.len() as u64, "setting"),
        many(study.seeds.len() as u64, "seed"),
        many(study.runs() as u64, "run")
    );
    if known > 0 {
        let were = if known == 1 { "was" } else { "were" };
        head += &format!(" · {} {were} there already", count(known as u128));
    }
    if skipped > 0 {
        head += &format!(" · {} of invalid settings skipped", many(skipped as u64, "run"));
    }
    let several = if study.seeds.len() > 1 { "Means over the seeds, and p5 to p95. " } else { "" };
    let about = format!("{several}Amounts over time in units times hours.");
    format!("{}{}\n{}", wrap(style, &head, 2), wrap(style, &about, 2), settings.text(style))
}
