//! What a claim says against what is seen.

use super::{ClaimState, guarantee::Starved, place, selector::Selection};
use crate::{
    engine::Engine,
    metrics::{permille_of, wait_figure, wait_summary},
    model::{BadEviction, Compare, DatasetFigure, What},
    text::{self, time_text},
    world::{Counts, Input, Outcomes, UsageAccount},
};
use quotree_core::{Amounts, Name, Time, Unit};
use std::fmt;

/// What was seen: written down only where somebody reads it.
pub(super) enum Seen {
    Pods(Counts),
    Instances(Outcomes),
    Amount(Name, i64),
    Number(u128),
    Ms(u128),
    Permille(u64),
    /// Thousandths of something that is written as a decimal.
    Thousandths(u128),
    Never,
    Digest(u128),
    Text(String),
    Fine,
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pods(c) => {
                write!(f, "{} running, {} pending", c.running, c.pending)?;
                if c.succeeded + c.failed > 0 {
                    write!(f, ", {} succeeded, {} failed", c.succeeded, c.failed)?;
                }
                Ok(())
            }
            Self::Instances(o) => {
                let (submitted, active) = (o.submitted, o.active());
                write!(f, "{submitted} submitted, {} succeeded, {} failed, {active} active", o.succeeded, o.failed)?;
                if o.skipped > 0 {
                    write!(f, ", {} skipped", o.skipped)?;
                }
                Ok(())
            }
            Self::Amount(resource, amount) => write!(f, "{} {resource}", text::amount(resource, *amount)),
            Self::Number(n) => write!(f, "{n}"),
            Self::Ms(ms) => write!(f, "{}.{:03} s", ms / 1000, ms % 1000),
            Self::Permille(n) => write!(f, "{}.{:03}", n / 1000, n % 1000),
            Self::Thousandths(n) => write!(f, "{}.{:03}", n / 1000, n % 1000),
            Self::Never => f.write_str("never"),
            Self::Digest(digest) => write!(f, "{digest:032x}"),
            Self::Text(text) => f.write_str(text),
            Self::Fine => f.write_str("no violation"),
        }
    }
}

pub(super) fn compared<T: Ord>(seen: T, compare: Compare, claimed: T) -> bool {
    match compare {
        Compare::Equal => seen == claimed,
        Compare::AtMost => seen <= claimed,
        Compare::AtLeast => seen >= claimed,
    }
}

impl ClaimState<'_> {
    /// Whether the claim holds now, and what is seen.
    pub(super) fn measure(&mut self, engine: &Engine<'_>, starved: Option<&Starved>, now: Time) -> (bool, Seen) {
        self.whose.resolve(engine);
        self.by.resolve(engine);
        let figures = &engine.figures;
        match &self.claim.what {
            What::Pods { running, pending, succeeded, failed, .. } => {
                let seen = self.whose.counts(engine);
                let same = |claimed: &Option<u64>, seen: u64| claimed.is_none_or(|n| n == seen);
                let holds = same(running, seen.running)
                    && same(pending, seen.pending)
                    && same(succeeded, seen.succeeded)
                    && same(failed, seen.failed);
                (holds, Seen::Pods(seen))
            }
            What::Instances { submitted, succeeded, failed, active, skipped, .. } => {
                let seen = self.whose.outcomes(engine);
                let same = |claimed: &Option<u64>, seen: u64| claimed.is_none_or(|n| n == seen);
                let holds = same(submitted, seen.submitted)
                    && same(succeeded, seen.succeeded)
                    && same(failed, seen.failed)
                    && same(active, seen.active())
                    && same(skipped, seen.skipped);
                (holds, Seen::Instances(seen))
            }
            What::Deadlines { met, compare, count, .. } => {
                let (kept, missed) = self.whose.deadlines(engine);
                let seen = if *met { kept } else { missed };
                (compared(seen, *compare, *count), Seen::Number(seen.into()))
            }
            What::Used { quota, resource, compare, amount } => {
                amount_of(engine, quota, resource, *compare, *amount, |usage| usage.used)
            }
            What::Borrowed { quota, resource, compare, amount } => {
                amount_of(engine, quota, resource, *compare, *amount, |usage| usage.borrowed)
            }
            What::Guaranteed { within_ms } => guaranteed(engine, starved, now, *within_ms),
            What::Evictions { compare, count, .. } => {
                let new = figures.evictions.all.get(self.looked_at..).unwrap_or_default();
                for eviction in new {
                    let victim = engine.world.pods[eviction.pod].unit;
                    let for_ours = match eviction.reason.cause {
                        Some(cause) => self.by.has(engine, cause.0),
                        None => matches!(&self.claim.what, What::Evictions { by: None, .. }),
                    };
                    self.counted += u64::from(for_ours && self.whose.has(engine, victim));
                }
                self.looked_at = figures.evictions.all.len();
                (compared(self.counted, *compare, *count), Seen::Number(self.counted.into()))
            }
            What::Bad { kind, compare, count } => {
                let seen = match kind {
                    BadEviction::Wasted => figures.evictions.wasted(engine.ended),
                    BadEviction::Cycle => self.cycles(engine),
                    BadEviction::InsideMin => self.inside_min(engine),
                };
                (compared(seen, *compare, *count), Seen::Number(seen.into()))
            }
            What::Verdict { rule, .. } => verdicts(engine, &self.whose, rule),
            What::Wait { stat, compare, ms, .. } => {
                let ours = figures.waits.iter().filter(|w| self.whose.includes(w.account));
                let mut waits: Vec<u64> = ours.map(|w| w.ms).collect();
                let seen = wait_figure(&wait_summary(&mut waits), *stat);
                (compared(seen, *compare, *ms), Seen::Ms(seen.into()))
            }
            What::Makespan { compare, ms } => {
                (compared(figures.last_end.0, *compare, *ms), Seen::Ms(figures.last_end.0.into()))
            }
            What::Utilisation { resource, compare, permille } => {
                let total = engine.world.shapes.resource(resource.as_str()).map(|r| figures.ledger.totals[r]);
                let seen = total.map_or(0, |t| permille_of(t.used_ms, t.capacity_ms));
                (compared(seen, *compare, *permille), Seen::Permille(seen))
            }
            What::LostWork { compare, ms, .. } => {
                let seen = self.whose.accounts(engine).map(|account| account.lost_ms).sum();
                (compared(seen, *compare, u128::from(*ms)), Seen::Ms(seen))
            }
            What::UsedTime { resource, compare, ms, .. } => {
                let number = engine.world.shapes.resource(resource.as_str()).unwrap_or(u32::MAX);
                let of = |account: &UsageAccount| account.over_time(number, now.min(engine.now))[0];
                let seen: u128 = self.whose.accounts(engine).map(of).sum();
                let unit = one_unit(resource);
                (compared(seen, *compare, u128::from(*ms).saturating_mul(unit)), Seen::Ms(seen / unit))
            }
            What::Refused { why, compare, count, .. } => {
                let seen = self.whose.refused(engine, *why);
                (compared(seen, *compare, *count), Seen::Number(seen.into()))
            }
            What::Dataset { dataset, bound, figure } => dataset_of(engine, *dataset, *bound, *figure, now),
            What::InputWait { gpus, compare, ms, .. } => {
                let mut sum = Input::default();
                let inputs = engine.world.datasets.inputs(engine.now);
                inputs.filter(|(account, _)| self.whose.includes(*account)).for_each(|(_, input)| sum.join(&input));
                let seen = if *gpus { sum.gpu_idle_ms() } else { sum.wait_ms() };
                (compared(seen, *compare, *ms), Seen::Ms(seen.into()))
            }
            What::Fairness { figure, compare, permille } => {
                let seen = engine.fairness().get(place(*figure)).copied().unwrap_or(0);
                (compared(seen, *compare, *permille), Seen::Permille(seen))
            }
            What::GangsWhole => match figures.partial_gangs {
                0 => (true, Seen::Fine),
                n => (false, Seen::Text(format!("a gang ran below its minimum {n} times"))),
            },
            What::CellsFeasible => match engine.cells_short() {
                None => (true, Seen::Fine),
                Some(short) => (false, Seen::Text(short.to_string())),
            },
            What::Invariants => match quotree_core::audit(engine.core.scheduler()).first() {
                None => (true, Seen::Fine),
                Some(breach) => (false, Seen::Text(breach.to_string())),
            },
            What::StableFor { ms } => {
                let quiet = figures.last_change.map_or(now.0, |last| now.since(last));
                let last = time_text(figures.last_change.map_or(0, |t| t.0));
                let seen = if engine.ended {
                    format!("the last bind or eviction was at {last}, and nothing more can happen")
                } else {
                    format!("the last bind or eviction was at {last}, {} earlier", time_text(quiet))
                };
                (engine.ended || quiet >= *ms, Seen::Text(seen))
            }
            What::Nodes(claim) => super::nodes::measure(engine, claim),
            What::Share(claim) => super::shares::measure(engine, &self.whose, claim, now),
            What::Digest(claimed) => {
                let seen = engine.digest.value();
                (seen == *claimed, Seen::Digest(seen))
            }
            What::SameAs { rows, evictions, .. } => same_as(engine, rows, *evictions),
            What::NotWorseThanAlone { .. } => (true, Seen::Fine),
        }
    }
}

/// What a claim on used time counts as one: a core, a device, a GiB.
pub(super) fn one_unit(resource: &Name) -> u128 {
    match Unit::of(resource.as_str()) {
        Unit::Milli => 1000,
        Unit::Bytes => 1 << 30,
    }
}

/// Time stands still after the end of a run: what would be read later is not.
fn dataset_of(
    engine: &Engine<'_>,
    dataset: usize,
    bound: Option<bool>,
    figure: Option<(DatasetFigure, Compare, u64)>,
    now: Time,
) -> (bool, Seen) {
    let Some(flow) = engine.world.datasets.at(dataset, now.min(engine.now)) else {
        return (false, Seen::Text("no such dataset".to_owned()));
    };
    let is_bound = flow.workers > 0;
    let right = bound.is_none_or(|bound| bound == is_bound);
    let phase = if is_bound { "Bound" } else { "NotBound" };
    let Some((figure, compare, claimed)) = figure else {
        return (right, Seen::Text(phase.to_owned()));
    };
    let input = flow.input();
    let (holds, seen) = match figure {
        DatasetFigure::Cached | DatasetFigure::HitRatio => {
            let seen = if figure == DatasetFigure::Cached { flow.cached_permille() } else { input.hit_permille() };
            (compared(seen, compare, claimed), Seen::Permille(seen))
        }
        DatasetFigure::Rate => {
            let seen = flow.rate();
            (compared(seen, compare, claimed), Seen::Text(format!("{seen} bytes/s")))
        }
        DatasetFigure::Saved | DatasetFigure::GpuSaved => {
            let seen = if figure == DatasetFigure::Saved { input.saved_ms() } else { input.gpu_saved_ms() };
            let holds = compared(i128::from(seen), compare, i128::from(claimed));
            (holds, if seen < 0 { Seen::Text(format!("{seen} ms")) } else { Seen::Ms(seen.unsigned_abs().into()) })
        }
    };
    if right { (holds, seen) } else { (false, Seen::Text(format!("{phase}, {seen}"))) }
}

fn amount_of(
    engine: &Engine<'_>,
    quota: &Name,
    resource: &Name,
    compare: Compare,
    claimed: i64,
    pick: fn(quotree_core::Usage) -> Amounts,
) -> (bool, Seen) {
    let scheduler = engine.core.scheduler();
    let Some(id) = scheduler.tree().by_name(quota.as_str()) else {
        return (false, Seen::Text(format!("the tree has no quota `{quota}` at this time")));
    };
    let seen = pick(scheduler.usage(id)).get(resource.as_str()).unwrap_or(0);
    (compared(seen, compare, claimed), Seen::Amount(resource.clone(), seen))
}

fn guaranteed(engine: &Engine<'_>, starved: Option<&Starved>, now: Time, within_ms: u64) -> (bool, Seen) {
    match starved.and_then(|s| s.worst(now)) {
        Some((quota, ms)) if ms > within_ms => {
            let name = engine.core.scheduler().tree().name(quota);
            let how_long =
                if now.0 == u64::MAX { "until the end".to_owned() } else { format!("for {}", time_text(ms)) };
            (false, Seen::Text(format!("{name} is below its guarantee {how_long}")))
        }
        _ => (true, Seen::Fine),
    }
}

/// Holds when something waits and the verdict on everything of theirs that waits names this rule.
fn verdicts(engine: &Engine<'_>, whose: &Selection, rule: &str) -> (bool, Seen) {
    let scheduler = engine.core.scheduler();
    let ours = scheduler.waiting().into_iter().filter(|id| whose.has(engine, id.0));
    let mut seen: Vec<String> = Vec::new();
    let mut holds = true;
    for verdict in ours.filter_map(|id| scheduler.verdict(id)) {
        holds &= verdict.rules().any(|found| found.to_string() == rule || format!("{found:?}") == rule);
        let mut named: Vec<String> = verdict.obstacles().map(|(binding, _)| binding.rule().to_string()).collect();
        named.dedup();
        let told = named.join("+");
        if !seen.contains(&told) {
            seen.push(told);
        }
    }
    if seen.is_empty() {
        return (false, Seen::Text("no pod is pending".to_owned()));
    }
    (holds, Seen::Text(seen.join(", ")))
}

fn same_as(engine: &Engine<'_>, rows: &[(String, [u64; 5])], evictions: u64) -> (bool, Seen) {
    let mut wrong = Vec::new();
    for (name, claimed) in rows {
        let found = engine.world.namespaces.iter().find(|n| n.name == name.as_str()).map(|n| n.counts);
        let c = found.unwrap_or_default();
        let seen = [c.running, c.pending, c.succeeded, c.failed, c.evicted];
        if seen != *claimed {
            wrong.push(format!("{name} {seen:?} instead of {claimed:?}"));
        }
    }
    let seen = engine.figures.evictions.all.len() as u64;
    if seen != evictions {
        wrong.push(format!("{seen} evictions instead of {evictions}"));
    }
    if wrong.is_empty() { (true, Seen::Text("equal".to_owned())) } else { (false, Seen::Text(wrong.join("; "))) }
}
