//! `quotree plan`: the smallest value of a setting for which claims hold, or which limit binds when none helps.

use super::{study, sweep};
use crate::{
    args::{Format, Plan as Args},
    exit::{Exit, Outcome, Trouble},
    files::{self, Disk},
    interrupt::{self, STOP},
    runner,
    terminal::Terminal,
};
use quotree_reports::{Datum, Kind, Sheet, SheetColumn, count, many, percent, wrap};
use quotree_sim::{RunOptions, Scenario, scenario::Setting};
use quotree_study::{
    BindingLimit, Cases, Facts, Observed, Outcomes, Prepared, Runner, Search, Spread, Study, Verdict, binding_limits,
    search, with_worst_of, worst_domains,
};
use std::collections::BTreeMap;

pub(super) fn plan(args: &Args, terminal: Terminal) -> Outcome {
    let jobs = study::threads(args.jobs.jobs);
    let mut axes = sweep::axes(std::slice::from_ref(&args.find), "--find", terminal)?;
    if args.largest {
        axes.iter_mut().for_each(|axis| axis.values.reverse());
    }
    let mut base = study::settings(&args.edits);
    if !args.such_that.is_empty() {
        base.push(Setting::claims(args.such_that.iter().map(String::as_str)));
    }
    let file = files::slashed(&args.file);
    let study = Study { file, base, cases: Cases::Product(axes), seeds: args.seeds.clone() };
    let disk = Disk::of(&args.file);
    let prepared = study::prepare(study, &disk, true, jobs, terminal)?;
    if prepared.claims.is_empty() {
        return Err(Trouble::invalid(
            "nothing is claimed: say what must hold by `--such-that`, or in `expect` of the scenario\n  \
             = help: for example --such-that 'Wait(stat: P95, at_most: \"10m\")'",
        ));
    }
    // Invalid values are left out, and said.
    let valid: Vec<usize> = (0..prepared.cases.len()).filter(|case| is_valid(&prepared, *case)).collect();
    let runner = Runner::new(jobs, &STOP);
    let mut outcomes = Outcomes::none(&prepared);
    let mut verdicts: BTreeMap<usize, Verdict> = BTreeMap::new();
    let mut trouble = None;
    let found = search(valid.len(), args.scan, &mut |place| {
        let case = *valid.get(place)?;
        let numbers: Vec<usize> = prepared.runs_of(case).collect();
        let what = prepared.cases.get(case).map(|case| prepared.study.cases.named(&case.values)).unwrap_or_default();
        let ran = study::run(&runner, &prepared, &numbers, &mut outcomes, (&what, terminal), &mut |_, _| Ok(()));
        trouble = ran.err().or_else(|| study::failure(&prepared, &outcomes));
        let runs: Vec<(u64, &Facts)> = outcomes.of(&prepared, case).collect();
        if trouble.is_some() || runs.len() < prepared.seeds.len() {
            return None;
        }
        let verdict = Verdict::of(&prepared.claims, &runs, args.must_hold);
        let holds = verdict.holds();
        verdicts.insert(place, verdict);
        Some(holds)
    });
    if let Some(trouble) = trouble {
        return Err(trouble);
    }
    let curve = curve(&prepared, &valid, &verdicts, &outcomes);
    let Some(found) = found else {
        if interrupt::is_asked() {
            terminal.show(&curve.text(terminal.wide()))?;
            terminal.complain("interrupted: the answer is not known; what is shown are the values that were tried");
            return Ok(Exit::Interrupted);
        }
        return Err(Trouble::fault("the search ended without an answer"));
    };
    let limits = match found.found {
        Some(_) => Vec::new(),
        None => limits(&prepared, valid.last().copied(), (verdicts.values().next_back(), &outcomes), terminal)?,
    };
    let plan = Planned { args, study: &prepared, valid: &valid, found: &found, verdicts: &verdicts, curve, limits };
    terminal.show(&match args.format {
        Format::Json => super::pretty(&plan.json()),
        Format::Text => plan.text(terminal),
    })?;
    Ok(if found.found.is_some() { Exit::Fine } else { Exit::ClaimFailed })
}

fn is_valid(study: &Prepared<'_>, case: usize) -> bool {
    study.cases.get(case).is_some_and(|case| case.invalid.is_none())
}

/// Which limits bind at the value that should help most, with the first seed that fails.
fn limits(
    study: &Prepared<'_>,
    case: Option<usize>,
    (verdict, outcomes): (Option<&Verdict>, &Outcomes),
    terminal: Terminal,
) -> Result<Vec<BindingLimit>, Trouble> {
    let Some(scenario) = case.and_then(|case| study.scenario(case)) else { return Ok(Vec::new()) };
    let failed = verdict.and_then(|verdict| verdict.claims.iter().find(|claim| !claim.holds));
    let seed = failed.and_then(|claim| claim.failing_seeds.first().copied());
    let seed = seed.or_else(|| study.seeds.first().copied());
    // Of a worst-case outage, as it was with that seed.
    let facts = case.and_then(|case| outcomes.of(study, case).find(|(of, _)| Some(*of) == seed));
    let scenario = facts.map_or_else(|| Scenario::clone(&scenario), |(_, facts)| with_worst_of(&scenario, facts));
    let options = RunOptions { seed, history: true, ..RunOptions::default() };
    let run = runner::run_plain(&scenario, &options, terminal)?;
    Ok(binding_limits(&scenario, &run))
}

/// The values that were tried, in their order: whether it holds, with how many seeds, and what was observed.
fn curve(study: &Prepared<'_>, valid: &[usize], verdicts: &BTreeMap<usize, Verdict>, outcomes: &Outcomes) -> Sheet {
    let mut sheet = Sheet::new("plan", "value");
    let path = study.study.cases.columns().first().map_or_else(String::new, |path| (*path).to_owned());
    sheet.columns = vec![
        SheetColumn::new("value", path, Kind::Text),
        SheetColumn::new("holds", "HOLDS", Kind::Truth),
        SheetColumn::new("held", "", Kind::Count),
        SheetColumn::new("seeds", "", Kind::Count),
        SheetColumn::new("", "SEEDS", Kind::Text),
        SheetColumn { spare: 1, ..SheetColumn::new("", "OF ALL SEEDS", Kind::Text) },
        SheetColumn::new("observed_mean", "", Kind::Mixed),
        SheetColumn::new("observed_p5", "", Kind::Mixed),
        SheetColumn::new("observed_p95", "", Kind::Mixed),
        SheetColumn::new("observed", "OBSERVED", Kind::Text),
    ];
    let has_worst = outcomes.runs.iter().flatten().flatten().any(|facts| facts.worst_outage.is_some());
    if has_worst {
        sheet.columns.push(SheetColumn::new("worst_outage", "WORST OUTAGE", Kind::Text));
    }
    for (place, verdict) in verdicts {
        let Some(case) = valid.get(*place) else { continue };
        let value = study.cases.get(*case).and_then(|case| case.values.first().cloned()).unwrap_or_default();
        // The claim that fails most decides.
        let worst = verdict.claims.iter().enumerate().min_by_key(|(_, claim)| (claim.holds, claim.held));
        let Some((index, claim)) = worst else { continue };
        let runs: Vec<&Facts> = outcomes.of(study, *case).map(|(_, facts)| facts).collect();
        let seen = runs.iter().filter_map(|facts| facts.claims.get(index));
        let values = seen.clone().filter_map(|claim| claim.value);
        let spread = Spread::of(values.map(|value| Observed { value, at_least: false }));
        let number = |seen: Option<Observed>| {
            seen.filter(|_| spread.runs > 0).map_or(Datum::None, |seen| Datum::Whole(seen.value))
        };
        // The text of the run in the middle, and of those at p5 and p95.
        let text_at =
            |value: i128| seen.clone().find(|claim| claim.value == Some(value)).map(|claim| claim.seen.clone());
        let observed = match (spread.runs, text_at(spread.p50().value)) {
            (0, _) | (_, None) => seen.clone().next().map_or_else(String::new, |claim| claim.seen.clone()),
            (_, Some(middle)) if spread.is_one_value() => middle,
            (_, Some(middle)) => {
                let end = |value: i128| text_at(value).unwrap_or_default();
                format!("{middle} ({} to {})", end(spread.p5().value), end(spread.p95().value))
            }
        };
        sheet.rows.push(vec![
            Datum::Text(value),
            Datum::Truth(verdict.holds()),
            Datum::Whole(claim.held.into()),
            Datum::Whole(claim.runs.into()),
            Datum::Text(format!("{} of {}", claim.held, claim.runs)),
            claim.interval.as_ref().map_or(Datum::None, |interval| Datum::Text(interval.to_string())),
            number(spread.mean()),
            number(Some(spread.p5())),
            number(Some(spread.p95())),
            Datum::Text(observed),
        ]);
        if let Some(row) = sheet.rows.last_mut().filter(|_| has_worst) {
            row.push(worst_domains(runs.iter().copied()).map_or(Datum::None, Datum::Text));
        }
    }
    sheet
}

/// The answer, and what it rests on.
struct Planned<'p> {
    args: &'p Args,
    study: &'p Prepared<'p>,
    valid: &'p [usize],
    found: &'p Search,
    verdicts: &'p BTreeMap<usize, Verdict>,
    curve: Sheet,
    limits: Vec<BindingLimit>,
}

impl Planned<'_> {
    fn value(&self, place: usize) -> Option<&str> {
        self.study.cases.get(*self.valid.get(place)?)?.values.first().map(String::as_str)
    }

    fn text(&self, terminal: Terminal) -> String {
        let style = terminal.wide();
        let path = self.study.study.cases.columns().first().map_or("", |path| *path);
        let answer = match self.found.found.and_then(|place| self.value(place)) {
            Some(value) => format!("{path}={value}"),
            None => "no value helps".to_owned(),
        };
        let head = format!(
            "{}  {} of {} tried, {} each",
            style.heading(&answer),
            count(self.verdicts.len() as u128),
            many(self.valid.len() as u64, "value"),
            many(self.study.seeds.len() as u64, "seed"),
        );
        let mut text = wrap(style, &head, 2);
        let claims: Vec<&str> = self.study.claims.iter().map(|claim| claim.claim.as_str()).collect();
        text += &wrap(
            style,
            &format!("such that {} with at least {} of the seeds", claims.join(", "), self.args.must_hold),
            2,
        );
        text.extend(self.said().iter().map(|one| wrap(style, one, 2)));
        format!("{text}\n{}", self.curve.text(style))
    }

    fn json(&self) -> serde_json::Value {
        let claims: Vec<&str> = self.study.claims.iter().map(|claim| claim.claim.as_str()).collect();
        serde_json::json!({
            "scenario": self.study.name,
            "path": self.study.study.cases.columns().first(),
            "answer": self.found.found.and_then(|place| self.value(place)),
            "claims": claims,
            "must_hold_permyriad": self.args.must_hold,
            "seeds": self.study.seeds,
            "values": self.valid.len(),
            "invalid_values": self.study.cases.len() - self.valid.len(),
            "is_monotone": self.found.is_monotone,
            "is_exhaustive": self.found.is_exhaustive,
            "binding": self.limits,
            "notes": self.said(),
            "tried": self.curve.json_rows(),
        })
    }

    /// The first value from which on it holds for all that were tried.
    fn holds_from(&self) -> Option<&str> {
        let place = self.found.tried.iter().rev().take_while(|(_, holds)| **holds).last().map(|(place, _)| *place);
        self.value(place?)
    }

    /// What the answer rests on, and why no value helps.
    fn said(&self) -> Vec<String> {
        let mut said = Vec::new();
        let invalid = self.study.cases.len() - self.valid.len();
        if invalid > 0 {
            let first = self.study.cases.iter().find_map(|case| Some((case.values.first()?, case.invalid.as_ref()?)));
            let why = first.map(|(value, why)| format!(": {value} because {why}"));
            said.push(format!("{} left out as invalid{}", many(invalid as u64, "value"), why.unwrap_or_default()));
        }
        if !self.found.is_monotone {
            said.push(format!(
                "warning: it holds for some value and fails for one after it; so all values up to the answer were tried{}",
                self.holds_from().map_or_else(String::new, |value| format!(". It holds for every tried value from {value} on"))
            ));
        } else if !self.found.is_exhaustive {
            said.push(
                match self.found.found {
                    Some(_) => {
                        "Every tried value from the answer on holds, and none before it; `--scan` tries the others, too"
                    }
                    None => "It holds for none of the tried values; `--scan` tries the others, too",
                }
                .to_owned(),
            );
        }
        let undecided = self
            .found
            .found
            .and_then(|place| self.verdicts.get(&place))
            .map_or(0, |verdict| verdict.undecided().count());
        if undecided > 0 {
            said.push(format!(
                "warning: {} {} not decide whether it holds for {} of all seeds; more would",
                many(self.study.seeds.len() as u64, "seed"),
                if self.study.seeds.len() == 1 { "does" } else { "do" },
                self.args.must_hold
            ));
        }
        if self.found.found.is_none() {
            let last = self.valid.len().checked_sub(1).and_then(|place| self.value(place)).unwrap_or_default();
            match self.limits.first() {
                None => {
                    said.push(format!("With {last}, no pod that it is about waits: what it demands is something else."))
                }
                Some(_) => {
                    said.push(format!("What the pods that it is about waited for with {last}:"));
                    said.extend(self.limits.iter().take(3).map(limit));
                }
            }
        }
        said
    }
}

/// A limit that binds, in a sentence.
fn limit(limit: &BindingLimit) -> String {
    let resource = limit.resource.as_deref().unwrap_or_default();
    let what = match (&limit.quota, limit.max) {
        _ if limit.rule == "suspended" => "their job queue to release them".to_owned(),
        _ if limit.rule.starts_with('H') => "pods to leave that were evicted for them".to_owned(),
        (Some(quota), Some(max)) if max >= 0 && limit.rule == "A1" => {
            let unit = quotree_core::Unit::of(resource);
            let max = quotree_core::QuantityText { amount: max, unit };
            format!("the max of quota {quota}, {max} {resource}")
        }
        (Some(quota), _) => format!("quota {quota}{}{resource}", if resource.is_empty() { "" } else { ", " }),
        (None, _) if resource.is_empty() => "room on nodes".to_owned(),
        (None, _) => format!("free {resource} on nodes"),
    };
    let rule = match limit.rule.as_str() {
        "suspended" => String::new(),
        rule => format!(" (rule {rule}; `quotree explain --rule {rule}`)"),
    };
    format!("  {} of their waiting: {what}{rule}", percent(limit.permille))
}
