//! Measures the figure that a claim is about, and compares it with the claimed value.

use super::{ClaimState, guarantee::Starved, job_times::JobTime, selector::Selection};
use crate::{
    model::{BadEviction, Compare, DatasetFigure, FairnessFigure, Predicate, When, cells::Short},
    result::{ClaimFigure, permille_of},
    view::RunView,
    world::{Counts, Input, Outcomes, UsageAccount},
};
use quotree_core::{Amounts, Name, NodeId, Time, Unit};
use quotree_syntax::time_text;
use quotree_words as words;
use std::{borrow::Cow, fmt};

/// A measured value. It is formatted only when it is reported.
pub(super) enum Seen {
    Pods(Counts),
    Instances(Outcomes),
    Amount(Name, i64),
    Number(u128),
    Ms(u128),
    Permille(u64),
    /// Money: thousandths, formatted as a decimal.
    Thousandths(u128),
    Never,
    /// A statistic of the times of jobs, perhaps a lower bound.
    JobTime(JobTime),
    Digest(u128),
    Text(String),
    Fine,
}

impl Seen {
    /// The value with its unit; nothing where it is no single number.
    pub(super) fn figure(&self) -> Option<ClaimFigure> {
        Some(match self {
            Self::Amount(resource, amount) => {
                ClaimFigure::Amount { resource: resource.to_string(), base_units: *amount }
            }
            Self::Number(n) => ClaimFigure::Count(*n),
            Self::Ms(ms) => ClaimFigure::Ms(*ms),
            Self::Permille(n) => ClaimFigure::Permille((*n).into()),
            Self::Thousandths(n) => ClaimFigure::MoneyMilli(*n),
            Self::JobTime(time) => time.figure(),
            _ => return None,
        })
    }
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
            Self::Amount(resource, amount) => write!(f, "{} {resource}", words::amount(resource, *amount)),
            Self::Number(n) => write!(f, "{n}"),
            Self::Ms(ms) => f.write_str(&time_text(u64::try_from(*ms).unwrap_or(u64::MAX))),
            Self::Permille(n) => write!(f, "{}.{} %", n / 10, n % 10),
            Self::Thousandths(n) => write!(f, "{}.{:03}", n / 1000, n % 1000),
            Self::Never => f.write_str("never"),
            Self::JobTime(time) => time.fmt(f),
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
    /// Whether the claim holds now, and the measured value.
    pub(super) fn measure(&mut self, view: &RunView<'_>, starved: Option<&Starved>, now: Time) -> (bool, Seen) {
        self.selection.resolve(view);
        self.by.resolve(view);
        let figures = &view.metrics;
        match &self.claim.what {
            Predicate::Pods { running, pending, succeeded, failed, .. } => {
                let seen = self.selection.counts(view);
                let same = |claimed: &Option<u64>, seen: u64| claimed.is_none_or(|n| n == seen);
                let holds = same(running, seen.running)
                    && same(pending, seen.pending)
                    && same(succeeded, seen.succeeded)
                    && same(failed, seen.failed);
                (holds, Seen::Pods(seen))
            }
            Predicate::Instances { submitted, succeeded, failed, active, skipped, .. } => {
                let seen = self.selection.outcomes(view);
                let same = |claimed: &Option<u64>, seen: u64| claimed.is_none_or(|n| n == seen);
                let holds = same(submitted, seen.submitted)
                    && same(succeeded, seen.succeeded)
                    && same(failed, seen.failed)
                    && same(active, seen.active())
                    && same(skipped, seen.skipped);
                (holds, Seen::Instances(seen))
            }
            Predicate::Deadlines { met, compare, count, .. } => {
                let (kept, missed) = self.selection.deadlines(view);
                let seen = if *met { kept } else { missed };
                (compared(seen, *compare, *count), Seen::Number(seen.into()))
            }
            Predicate::Used { quota, resource, compare, amount } => {
                amount_of(view, quota, resource, *compare, *amount, |usage| usage.used)
            }
            Predicate::Borrowed { quota, resource, compare, amount } => {
                amount_of(view, quota, resource, *compare, *amount, |usage| usage.borrowed)
            }
            Predicate::Guaranteed { within_ms } => guaranteed(view, starved, now, *within_ms),
            Predicate::Evictions { compare, count, .. } => {
                let new = figures.evictions.all.get(self.looked_at..).unwrap_or_default();
                for eviction in new {
                    let victim = view.world.pods[eviction.pod].unit;
                    let for_ours = match eviction.reason.cause {
                        Some(cause) => self.by.has(view, cause.0),
                        None => matches!(&self.claim.what, Predicate::Evictions { by: None, .. }),
                    };
                    self.counted += u64::from(for_ours && self.selection.has(view, victim));
                }
                self.looked_at = figures.evictions.all.len();
                (compared(self.counted, *compare, *count), Seen::Number(self.counted.into()))
            }
            Predicate::Bad { kind, compare, count } => {
                let seen = match kind {
                    BadEviction::Wasted => figures.evictions.wasted(view.is_quiet()),
                    BadEviction::Cycle => self.cycles(view),
                    BadEviction::InsideMin => self.inside_min(view),
                };
                (compared(seen, *compare, *count), Seen::Number(seen.into()))
            }
            Predicate::Verdict { rule, .. } => verdicts(view, &self.selection, rule),
            Predicate::JobTime { figure, stat, compare, value, .. } => {
                let ends = matches!(self.claim.when, When::Final) || now.0 == u64::MAX;
                self.job_time(view, *figure, *stat, if ends { None } else { Some(now) }).judged(*compare, *value)
            }
            Predicate::Makespan { compare, ms } => {
                let seen = view.world.accounts.all.iter().map(|account| account.last_end.0).max().unwrap_or(0);
                (compared(seen, *compare, *ms), Seen::Ms(seen.into()))
            }
            Predicate::Utilisation { resource, compare, permille } => {
                let total = view.world.shapes.resource(resource.as_str()).map(|r| figures.ledger.totals[r]);
                let seen = total.map_or(0, |t| permille_of(t.used_ms, t.capacity_ms));
                (compared(seen, *compare, *permille), Seen::Permille(seen))
            }
            Predicate::LostWork { compare, ms, .. } => {
                let seen = self.selection.accounts(view).map(|account| account.lost_ms).sum();
                (compared(seen, *compare, u128::from(*ms)), Seen::Ms(seen))
            }
            Predicate::UsedTime { resource, compare, ms, .. } => {
                let number = view.world.shapes.resource(resource.as_str()).unwrap_or(u32::MAX);
                let of = |account: &UsageAccount| account.used_ms(number, now.min(view.now()));
                let seen: u128 = self.selection.accounts(view).map(of).sum();
                let unit = one_unit(resource);
                (compared(seen, *compare, u128::from(*ms).saturating_mul(unit)), Seen::Ms(seen / unit))
            }
            Predicate::Refused { why, compare, count, .. } => {
                let seen = self.selection.refused(view, *why);
                (compared(seen, *compare, *count), Seen::Number(seen.into()))
            }
            Predicate::Dataset { dataset, bound, figure } => dataset_of(view, *dataset, *bound, *figure, now),
            Predicate::InputWait { gpus, compare, ms, .. } => {
                let mut sum = Input::default();
                let inputs = view.world.datasets.inputs(view.now());
                inputs.filter(|(account, _)| self.selection.includes(*account)).for_each(|(_, input)| sum.join(&input));
                let seen = if *gpus { sum.gpu_idle_ms() } else { sum.wait_ms() };
                (compared(seen, *compare, *ms), Seen::Ms(seen.into()))
            }
            Predicate::Fairness { figure, compare, permille } => {
                let seen = fairness(view, *figure);
                (compared(seen, *compare, *permille), Seen::Permille(seen))
            }
            Predicate::GangsWhole => match figures.partial_gangs {
                0 => (true, Seen::Fine),
                n => (false, Seen::Text(format!("a gang ran below its minimum {n} times"))),
            },
            Predicate::CellsFeasible => match missing_cells(view) {
                None => (true, Seen::Fine),
                Some(short) => (false, Seen::Text(short.to_string())),
            },
            Predicate::Invariants => match quotree_core::audit(view.scheduler).first() {
                None => (true, Seen::Fine),
                Some(breach) => (false, Seen::Text(breach.to_string())),
            },
            Predicate::StableFor { ms } => {
                let quiet = figures.last_change.map_or(now.0, |last| now.since(last));
                let last = time_text(figures.last_change.map_or(0, |t| t.0));
                let seen = if view.is_quiet() {
                    format!("the last bind or eviction was at {last}, and nothing more can happen")
                } else {
                    format!("the last bind or eviction was at {last}, {} earlier", time_text(quiet))
                };
                (view.is_quiet() || quiet >= *ms, Seen::Text(seen))
            }
            Predicate::Nodes(claim) => super::nodes::measure(view, claim),
            Predicate::Share(claim) => super::shares::measure(view, &self.selection, claim, now),
            Predicate::Digest(claimed) => {
                let seen = view.digest.value();
                (seen == *claimed, Seen::Digest(seen))
            }
            Predicate::SameAs { rows, evictions, .. } => same_as(view, rows, *evictions),
            Predicate::NotWorseThanAlone { .. } => (true, Seen::Fine),
        }
    }
}

/// A fairness figure, thousandths.
fn fairness(view: &RunView<'_>, figure: FairnessFigure) -> u64 {
    let [jain, error, gap] = view.metrics.fairness(view.scheduler);
    let (mean_jain, mean_error) = view.metrics.fairness_over_time();
    match figure {
        FairnessFigure::Jain => jain,
        FairnessFigure::FairnessError => error,
        FairnessFigure::DominantShareGap => gap,
        FairnessFigure::MeanJain => mean_jain.unwrap_or(1000),
        FairnessFigure::MeanFairnessError => mean_error,
    }
}

/// The base units of one unit in a claim about usage over time: a core, a device, a GiB.
pub(super) fn one_unit(resource: &Name) -> u128 {
    match Unit::of(resource.as_str()) {
        Unit::Milli => 1000,
        Unit::Bytes => 1 << 30,
    }
}

/// The guaranteed cells that are unavailable now, if there are any.
fn missing_cells(view: &RunView<'_>) -> Option<Short> {
    let up = view.world.nodes.ids().filter(|node| view.world.nodes[*node].up);
    let specs = up.filter_map(|node| view.scheduler.node_spec(NodeId(node))).map(Cow::Borrowed);
    crate::world::missing_cells(view.tree(), specs)
}

/// A dataset at the given time. After the end of a run its time does not advance, and datasets read nothing more.
fn dataset_of(
    view: &RunView<'_>,
    dataset: usize,
    bound: Option<bool>,
    figure: Option<(DatasetFigure, Compare, u64)>,
    now: Time,
) -> (bool, Seen) {
    let Some(flow) = view.world.datasets.at(dataset, now.min(view.now())) else {
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
    view: &RunView<'_>,
    quota: &Name,
    resource: &Name,
    compare: Compare,
    claimed: i64,
    pick: fn(quotree_core::Usage) -> Amounts,
) -> (bool, Seen) {
    let scheduler = view.scheduler;
    let Some(id) = scheduler.tree().by_name(quota.as_str()) else {
        return (false, Seen::Text(format!("the tree has no quota `{quota}` at this time")));
    };
    let seen = pick(scheduler.usage(id)).get(resource.as_str()).unwrap_or(0);
    (compared(seen, compare, claimed), Seen::Amount(resource.clone(), seen))
}

fn guaranteed(view: &RunView<'_>, starved: Option<&Starved>, now: Time, within_ms: u64) -> (bool, Seen) {
    match starved.and_then(|s| s.worst(now)) {
        Some((quota, ms)) if ms > within_ms => {
            let name = view.tree().name(quota);
            let how_long =
                if now.0 == u64::MAX { "until the end".to_owned() } else { format!("for {}", time_text(ms)) };
            (false, Seen::Text(format!("{name} is below its guarantee {how_long}")))
        }
        _ => (true, Seen::Fine),
    }
}

/// Whether the selection has pending workloads, and the verdicts on all of them name this rule.
fn verdicts(view: &RunView<'_>, selection: &Selection, rule: &str) -> (bool, Seen) {
    let scheduler = view.scheduler;
    let ours = scheduler.waiting().into_iter().filter(|id| selection.has(view, id.0));
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

fn same_as(view: &RunView<'_>, rows: &[(String, [u64; 5])], evictions: u64) -> (bool, Seen) {
    let mut wrong = Vec::new();
    for (name, claimed) in rows {
        let named = |account: &&UsageAccount| view.world.namespaces[account.key.namespace].name == name.as_str();
        let mut c = Counts::default();
        view.world.accounts.all.iter().filter(named).for_each(|account| c.add(&account.counts));
        let seen = [c.running, c.pending, c.succeeded, c.failed, c.evicted];
        let words = ["running", "pending", "succeeded", "failed", "evicted"];
        for ((word, seen), claimed) in
            words.iter().zip(seen).zip(claimed).filter(|((_, seen), claimed)| seen != *claimed)
        {
            wrong.push(format!("{name} has {seen} {word} pods instead of {claimed}"));
        }
    }
    let seen = view.metrics.evictions.all.len() as u64;
    if seen != evictions {
        wrong.push(format!("{seen} evictions instead of {evictions}"));
    }
    if wrong.is_empty() { (true, Seen::Text("equal".to_owned())) } else { (false, Seen::Text(wrong.join("; "))) }
}
