//! `quotree feasible`: before any run, which jobs can never start, and which guarantees the nodes cannot honour.

use crate::{
    args::{Feasible as Args, Format, Survive},
    exit::{Exit, Outcome, Trouble},
    load, snippets,
    terminal::Terminal,
};
use quotree_core::Level;
use quotree_reports::{count, many, wrap};
use quotree_sim::{
    Scenario,
    feasible::{Answer, Finding, Limits, Loss, MinAnswer, Question, Study},
};
use serde_json::{Value, json};

pub(super) fn feasible(args: &Args, terminal: Terminal) -> Outcome {
    let loaded = load::load(&args.file, &args.edits);
    let Some(scenario) = &loaded.scenario else {
        return Err(Trouble { exit: Exit::Invalid, message: load::refusal(&loaded, terminal.colour_errors) });
    };
    let study = Study::new(&Question::from(scenario), Limits { steps: args.steps, losses: true });
    // Warnings that are findings are shown once.
    let is_finding = |title: &str| study.findings().iter().any(|finding| finding.sentence == title);
    let others: Vec<_> = loaded.diagnostics.iter().filter(|found| !is_finding(&found.title)).cloned().collect();
    let drawn = snippets::draw(&others, &loaded.sources, terminal.colour_errors);
    if !drawn.is_empty() {
        terminal.complain(&drawn);
    }
    let losses = lost(&study, args.survive);
    let is_fine = study.findings().is_empty() && losses.is_empty();
    terminal.show(&match args.format {
        Format::Json => super::pretty(&as_json(scenario, &study, is_fine)),
        Format::Text => text(scenario, &study, args.survive, terminal),
    })?;
    Ok(if is_fine { Exit::Fine } else { Exit::ClaimFailed })
}

/// The losses that guarantees must survive and do not.
fn lost(study: &Study, survive: Survive) -> Vec<&Loss> {
    let must = |loss: &&Loss| survive >= if loss.level == Level::Node { Survive::Node } else { Survive::Rack };
    let losses = study.mins.iter().flat_map(|mins| &mins.losses);
    losses.filter(must).filter(|loss| matches!(loss.answer, Answer::Not(_))).collect()
}

/// The word of an answer.
fn word(answer: &Answer) -> &'static str {
    match answer {
        Answer::Honoured => "honoured",
        Answer::Not(_) => "not_honoured",
        Answer::OtherResources(_) => "other_resources",
        Answer::Undecided(_) => "not_decided",
        Answer::NothingAsked => "nothing_asked",
    }
}

fn text(scenario: &Scenario, study: &Study, survive: Survive, terminal: Terminal) -> String {
    let style = terminal.wide();
    let found = study.findings().len() + lost(study, survive).len();
    let head = match found {
        0 => "nothing found".to_owned(),
        found => many(found as u64, "finding"),
    };
    let mut text = wrap(style, &format!("{}  {}", style.heading(&head), scenario.name), 2);
    text.push('\n');
    text += &wrap(style, &style.heading("Jobs that can never start"), 2);
    for finding in &study.never {
        text += &of_finding(finding, terminal);
    }
    if !study.undecided.is_empty() {
        let names = super::first_of(&study.undecided);
        let line = format!("  not decided, the search gave up: {names} (`--steps` sets how long it searches)");
        text += &wrap(style, &line, 4);
    }
    if study.never.is_empty() && study.undecided.is_empty() {
        let units = count(study.units as u128);
        text += &wrap(style, &format!("  none; different pods and gangs that were looked at: {units}"), 4);
    }
    text.push('\n');
    text += &wrap(style, &style.heading("Guarantees, on the nodes at the start"), 2);
    let Some(mins) = &study.mins else {
        return text + &wrap(style, "  not known: the quota tree is not valid", 4);
    };
    if mins.quotas.is_empty() {
        text += &wrap(style, "  no leaf quota has a min", 4);
    }
    for quota in &mins.quotas {
        text += &of_quota(quota, terminal);
    }
    if mins.quotas.iter().filter(|quota| quota.pods > 0).count() > 1 {
        text += &match &mins.together {
            Answer::Not(finding) if mins.quotas.iter().all(|quota| quota.answer != mins.together) => {
                wrap(style, "  all together: cannot be honoured", 4) + &of_finding(finding, terminal)
            }
            answer => wrap(style, &format!("  all together: {}", said(answer)), 4) + &other(answer, terminal),
        };
    }
    for loss in &mins.losses {
        let level = if loss.level == Level::Node { "node" } else { "rack" };
        text += &match (&loss.domain, &loss.answer) {
            (Some(domain), Answer::Not(finding)) => {
                let must =
                    if lost(study, survive).contains(&loss) { "" } else { " (no finding; `--survive` makes it one)" };
                wrap(style, &format!("  without {domain}: not all can be honoured{must}"), 4)
                    + &of_finding(finding, terminal)
            }
            (_, answer) => wrap(style, &format!("  without any one {level}: {}", said(answer)), 4),
        };
    }
    if study.changes {
        text += &wrap(style, "  events change nodes or quotas later; these answers are about the start", 4);
    }
    text
}

/// An answer in a few words.
fn said(answer: &Answer) -> String {
    match answer {
        Answer::Honoured => "can be honoured".to_owned(),
        Answer::Not(_) => "cannot be honoured".to_owned(),
        Answer::OtherResources(_) => "can be honoured; what lacks is a resource that nobody is guaranteed".to_owned(),
        Answer::Undecided(0) => "not decided: too many pods to search for an arrangement".to_owned(),
        Answer::Undecided(steps) => {
            format!(
                "not decided: no arrangement was found in {} steps, and no proof that there is none",
                count(u128::from(*steps))
            )
        }
        Answer::NothingAsked => "no job asks for it".to_owned(),
    }
}

fn of_quota(quota: &MinAnswer, terminal: Terminal) -> String {
    let style = terminal.wide();
    let said = match &quota.answer {
        Answer::NothingAsked if !quota.borrows.is_empty() => "no job is small enough for it".to_owned(),
        Answer::NothingAsked if quota.has_never => "its jobs can never start, as above".to_owned(),
        answer => said(answer),
    };
    let mut text = wrap(style, &format!("  {}, min {}: {said}", quota.quota, quota.min), 4);
    if !matches!(quota.answer, Answer::Not(_) | Answer::NothingAsked) {
        text += &wrap(style, &format!("    with {}", quota.demand), 6);
    }
    if let Answer::Not(finding) = &quota.answer {
        text += &of_finding(finding, terminal);
    }
    text += &other(&quota.answer, terminal);
    if !quota.borrows.is_empty() {
        let jobs = super::first_of(&quota.borrows);
        text += &wrap(style, &format!("    larger than its min, so started only while others lend: {jobs}"), 6);
    }
    text
}

/// What lacks although no promise is broken.
fn other(answer: &Answer, terminal: Terminal) -> String {
    match answer {
        Answer::OtherResources(finding) => of_finding(finding, terminal),
        _ => String::new(),
    }
}

fn of_finding(finding: &Finding, terminal: Terminal) -> String {
    let style = terminal.wide();
    let mut text = wrap(style, &format!("  - {}", finding.sentence), 4);
    for help in &finding.help {
        text += &wrap(style, &format!("    change: {help}"), 6);
    }
    text
}

fn as_json(scenario: &Scenario, study: &Study, is_fine: bool) -> Value {
    let mins = study.mins.as_ref();
    let quota = |quota: &MinAnswer| {
        json!({
            "quota": quota.quota,
            "min": quota.min,
            "pods": quota.pods,
            "demand": quota.demand,
            "borrows": quota.borrows,
            "answer": answer(&quota.answer),
        })
    };
    let loss = |loss: &Loss| {
        json!({
            "level": if loss.level == Level::Node { "node" } else { "rack" },
            "tried": loss.kinds,
            "domain": loss.domain,
            "answer": answer(&loss.answer),
        })
    };
    json!({
        "scenario": scenario.name,
        "fine": is_fine,
        "never": study.never.iter().map(of_json).collect::<Vec<_>>(),
        "not_decided": study.undecided,
        "quotas": mins.map(|mins| mins.quotas.iter().map(quota).collect::<Vec<_>>()),
        "together": mins.map(|mins| answer(&mins.together)),
        "losses": mins.map(|mins| mins.losses.iter().map(loss).collect::<Vec<_>>()),
        "changes_later": study.changes,
    })
}

fn answer(answer: &Answer) -> Value {
    let (finding, steps) = match answer {
        Answer::Not(finding) | Answer::OtherResources(finding) => (Some(of_json(finding)), None),
        Answer::Undecided(steps) => (None, Some(*steps)),
        _ => (None, None),
    };
    json!({ "is": word(answer), "finding": finding, "steps": steps })
}

fn of_json(finding: &Finding) -> Value {
    json!({
        "kind": finding.kind.word(),
        "quotas": finding.quotas,
        "jobs": finding.jobs,
        "pods": finding.pods,
        "sentence": finding.sentence,
        "change": finding.help,
    })
}
