//! `quotree compare`: policies, or sets of changes, side by side, by team.

use super::{study, sweep};
use crate::{
    args::{Compare as Args, TableFormat},
    exit::{Exit, Outcome, Trouble},
    files::{self, Disk},
    interrupt::{self, STOP},
    terminal::Terminal,
};
use quotree_reports::{Style, many, moment, wrap};
use quotree_sim::scenario::Setting;
use quotree_study::{
    Cases, Decision, Divergence, Facts, Outcomes, Prepared, Runner, Study, compare_sheet, divergence, is_same_run,
    split_values, with_worst_of,
};
use serde::Serialize;
use std::path::Path;

/// The name of the case without changes.
const AS_IT_IS: &str = "as it is";

pub(super) fn compare(args: &Args, terminal: Terminal) -> Outcome {
    let jobs = study::threads(args.jobs.jobs);
    let cases = cases(args)?;
    let base = args.set.iter().map(Setting::new).collect();
    let study = Study { file: files::slashed(&args.file), base, cases: Cases::Named(cases), seeds: args.seeds.clone() };
    let disk = Disk::of(&args.file);
    let prepared = study::prepare(study, &disk, false, jobs, terminal)?;
    // Only now: a bracket that is missing makes one policy of several.
    if prepared.cases.len() < 2 {
        return Err(Trouble::invalid(
            "there is only one case: give several policies with commas between them, or `--edits FILE`",
        ));
    }
    let outcomes = study::run_all(&Runner::new(jobs, &STOP), &prepared, terminal)?;
    let sheet = compare_sheet(&prepared, &outcomes, args.must_hold);
    let guard = interrupt::watch();
    let differences = differences(&prepared, &outcomes)?;
    drop(guard);
    let first: Vec<(u64, &Facts)> = outcomes.of(&prepared, 0).collect();
    let mut said = Vec::new();
    if is_same_run(&first) {
        said.push(
            "All seeds give the same run: the seed changes nothing, and one seed says as much as all.".to_owned(),
        );
    } else if prepared.seeds.len() == 1 {
        said.push(
            "warning: one seed says nothing about others; more show whether the cases differ, as in `--seeds 20`"
                .to_owned(),
        );
    }
    terminal.show(&match args.format {
        TableFormat::Csv => sweep::csv(&sheet)?,
        TableFormat::Json => {
            let mut value = sheet.json();
            if let Some(fields) = value.as_object_mut() {
                fields.insert("scenario".to_owned(), prepared.name.clone().into());
                fields.insert("seeds".to_owned(), prepared.seeds.clone().into());
                fields.insert("warnings".to_owned(), said.into());
                let differences = serde_json::to_value(&differences);
                fields.insert("first_decisions".to_owned(), super::as_json("the decisions", differences)?);
            }
            super::pretty(&value)
        }
        TableFormat::Text => {
            let style = terminal.wide();
            let seeds = many(prepared.seeds.len() as u64, "seed");
            let cases = many(prepared.cases.len() as u64, "case");
            let head = format!("{}  {cases} · {seeds}", style.heading(&prepared.name));
            let mut text = wrap(style, &head, 2);
            text.extend(said.iter().map(|one| wrap(style, one, 2)));
            let resource = quotree_study::main_resource(first.iter().map(|(_, facts)| *facts));
            let resource = resource.map_or_else(String::new, |name| format!(" of {name}"));
            let about = format!("Means over the seeds. UNMET guarantee and USED in units{resource} times hours. JAIN's index: 1 is even.");
            text += &wrap(style, &about, 2);
            text += &format!("\n{}", sheet.text(style));
            text += &decisions(&prepared, &differences, style);
            text
        }
    })?;
    match study::interrupted(&outcomes) {
        Some(sentence) => {
            terminal.complain(&sentence);
            Ok(Exit::Interrupted)
        }
        None => Ok(Exit::Fine),
    }
}

/// The cases: every policy with every file of edits.
fn cases(args: &Args) -> Result<Vec<(String, Vec<Setting>)>, Trouble> {
    let all = args.policies.as_deref();
    let policies = all.map_or_else(Vec::new, split_values);
    let policy =
        |(at, policy): &(usize, &str)| Setting::policy(*policy).part_of("--policies", all.unwrap_or_default(), *at);
    if let Some(empty) = policies.iter().position(|(_, policy)| policy.is_empty()) {
        return Err(Trouble::invalid(format!(
            "`--policies`: policy {} is empty; they have commas between them",
            empty + 1
        )));
    }
    let mut edits = vec![(String::new(), Vec::new())];
    for path in &args.edits {
        edits.push((name(path), settings(path)?));
    }
    if !policies.is_empty() && !args.edits.is_empty() {
        // With policies, the files alone are combined: `as it is` would double every policy.
        edits.remove(0);
    }
    let mut cases = Vec::new();
    for (edit, changes) in &edits {
        for given in &policies {
            let name = if edit.is_empty() { given.1.to_owned() } else { format!("{}, {edit}", given.1) };
            cases.push((name, std::iter::once(policy(given)).chain(changes.iter().cloned()).collect()));
        }
        if policies.is_empty() {
            cases.push((if edit.is_empty() { AS_IT_IS.to_owned() } else { edit.clone() }, changes.clone()));
        }
    }
    let mut names: Vec<&String> = cases.iter().map(|(name, _)| name).collect();
    names.sort_unstable();
    if let Some(twice) = names.iter().zip(names.iter().skip(1)).find_map(|(a, b)| (a == b).then_some(a)) {
        return Err(Trouble::invalid(format!("`{twice}` is given twice")));
    }
    Ok(cases)
}

fn name(path: &Path) -> String {
    path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned())
}

/// The settings in a file: one on each line.
fn settings(path: &Path) -> Result<Vec<Setting>, Trouble> {
    let text = files::text(path)?;
    let name = files::slashed(path);
    let (mut found, mut next) = (Vec::new(), 0);
    for line in text.split_inclusive('\n') {
        let at = next;
        next += line.len();
        let setting = line.trim();
        if setting.is_empty() || setting.starts_with('#') {
            continue;
        }
        let begins = at + line.len() - line.trim_start().len();
        let bare = setting.strip_prefix("--set ").unwrap_or(setting);
        found.push(Setting::new(bare).part_of(name.as_str(), text.as_str(), begins + setting.len() - bare.len()));
    }
    if found.is_empty() {
        let path = path.display();
        return Err(Trouble::invalid(format!(
            "`{path}` has no changes: write `PATH=VALUE` on a line, for example `cluster.gpu.count=12`"
        )));
    }
    Ok(found)
}

/// The first decision in which a case differs from the first one.
#[derive(Debug, Serialize)]
struct Difference {
    /// The first seed with which the runs differ.
    seed: u64,
    #[serde(flatten)]
    divergence: Divergence,
}

/// For each case but the first one, the first decision in which it differs from that one.
fn differences(study: &Prepared<'_>, outcomes: &Outcomes) -> Result<Vec<Option<Difference>>, Trouble> {
    let Some(first) = study.scenario(0) else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for case in 1..study.cases.len() {
        let other = study.scenario(case);
        let mut pairs = outcomes.of(study, 0).zip(outcomes.of(study, case));
        let pair = pairs.find(|((a, facts), (b, other))| a == b && facts.digest != other.digest);
        let (Some(other), Some(((seed, facts), (_, others)))) = (other, pair) else {
            found.push(None);
            continue;
        };
        let divergence = divergence(&with_worst_of(&first, facts), &with_worst_of(&other, others), seed, &STOP)
            .map_err(|error| Trouble::invalid(error.to_string()))?;
        found.push(divergence.map(|divergence| Difference { seed, divergence }));
    }
    Ok(found)
}

fn decisions(study: &Prepared<'_>, differences: &[Option<Difference>], style: Style) -> String {
    let name = |case: usize| study.cases.get(case).and_then(|case| case.values.first()).map_or("", String::as_str);
    let mut text = format!("\n{}\n", style.heading("First decision that differs"));
    for (difference, case) in differences.iter().zip(1..) {
        let Some(Difference { seed, divergence }) = difference else {
            text += &wrap(
                style,
                &format!("{}: none, with every seed all decisions are those of {}", name(case), name(0)),
                2,
            );
            continue;
        };
        let equal = many(divergence.equal as u64, "decision");
        text += &wrap(style, &format!("{}, with seed {seed}, after {equal} that are equal", name(case)), 2);
        for (decision, own, other) in [(&divergence.a, name(0), name(case)), (&divergence.b, name(case), name(0))] {
            text += &wrap(style, &format!("  {own}: {}", said(decision.as_ref(), other)), 4);
        }
    }
    text
}

fn said(decision: Option<&Decision>, other: &str) -> String {
    let Some(decision) = decision else { return "decides nothing more".to_owned() };
    let rule = decision
        .rule
        .as_ref()
        .map(|rule| format!(" (rule {rule}; `quotree explain --rule {rule}`)"))
        .unwrap_or_default();
    let instead = decision
        .instead
        .as_ref()
        .map(|what| format!("; with {other}, the last of it by then: {what}"))
        .unwrap_or_default();
    format!("at {} {} {}{rule}{instead}", moment(decision.at_ms), decision.subject, decision.what)
}
