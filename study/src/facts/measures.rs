//! Everything that a study measures of a run and of a team.

/// The unit of a figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// A number of things.
    Count,
    /// Milliseconds.
    Ms,
    /// Thousandths of a whole.
    Permille,
    /// Thousandths: a ratio, or an index.
    Ratio,
    /// Thousandths of the currency.
    MoneyMilli,
    /// Base units of a resource times seconds.
    UnitSeconds,
}

/// Which values of a figure are better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Better {
    /// Small ones.
    Less,
    /// Large ones.
    More,
    /// Neither.
    Neither,
}

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Measure {
    /// Its name, as in `--show`.
    pub name: &'static str,
    /// The unit of its values.
    pub unit: Unit,
    /// Which values are better.
    pub better: Better,
    /// What it is, in words.
    pub about: &'static str,
}

const fn row(name: &'static str, unit: Unit, better: Better, about: &'static str) -> Measure {
    Measure { name, unit, better, about }
}

use Better::{Less, More, Neither};
use Unit::{Count, MoneyMilli, Ms, Permille, Ratio, UnitSeconds};

/// The measures of teams that texts show; files have all of them.
const BRIEF: [&str; 9] =
    ["wait.p50", "wait.p95", "evictions", "lost-work", "unmet", "used", "jobs.failed", "deadlines.missed", "cost"];

impl Measure {
    /// How it is written: `` `wait.p95` ``, `` `unmet.RESOURCE` ``.
    pub(super) fn as_written(&self) -> String {
        let resource = self.unit == Unit::UnitSeconds || self.name == "utilisation";
        format!("`{}{}`", self.name, if resource { ".RESOURCE" } else { "" })
    }

    /// Whether texts show it of each team.
    #[must_use]
    pub fn is_brief(&self) -> bool {
        BRIEF.contains(&self.name)
    }
}

/// All measures; docs/metrics.md defines the figures of a run behind them.
pub static MEASURES: [Measure; 40] = [
    row("wait.mean", Ms, Less, "mean wait of jobs"),
    row("wait.p50", Ms, Less, "median wait of jobs"),
    row("wait.p95", Ms, Less, "wait that 95 of 100 jobs do not exceed"),
    row("wait.p99", Ms, Less, "wait that 99 of 100 jobs do not exceed"),
    row("wait.max", Ms, Less, "longest wait of a job"),
    row("first-wait.p50", Ms, Less, "median wait of jobs until they first start"),
    row("first-wait.p95", Ms, Less, "wait until they first start that 95 of 100 jobs do not exceed"),
    row("turnaround.p50", Ms, Less, "median time from submission to the end"),
    row("turnaround.p95", Ms, Less, "time from submission to the end that 95 of 100 jobs do not exceed"),
    row("slowdown.p50", Ratio, Less, "median of turnaround over run time"),
    row("slowdown.p95", Ratio, Less, "turnaround over run time that 95 of 100 jobs do not exceed"),
    row("evictions", Count, Less, "evictions; of a team, of its pods"),
    row("evictions.for", Count, Neither, "evictions that were decided for the work of a team"),
    row("evictions.wasted", Count, Less, "evictions that helped nobody"),
    row("lost-work", Ms, Less, "work that evictions destroyed, pod time"),
    row("unmet", UnitSeconds, Less, "unmet guarantee while pods were pending"),
    row("borrowed", UnitSeconds, Neither, "use above the guarantee"),
    row("lent", UnitSeconds, Neither, "guarantee that others used"),
    row("used", UnitSeconds, More, "use"),
    row("utilisation", Permille, More, "used of the capacity, over time"),
    row("jobs", Count, Neither, "jobs that were submitted"),
    row("jobs.started", Count, More, "jobs that were complete at some time"),
    row("jobs.succeeded", Count, More, "jobs whose work is done"),
    row("jobs.failed", Count, Less, "jobs that failed"),
    row("pods", Count, Neither, "pods that were created"),
    row("pods.pending", Count, Less, "pods that are pending at the end"),
    row("pods.succeeded", Count, More, "pods that succeeded"),
    row("pods.failed", Count, Less, "pods that failed"),
    row("deadlines.met", Count, More, "deadlines that were met"),
    row("deadlines.missed", Count, Less, "deadlines that were missed"),
    row("jain", Ratio, More, "Jain's index over allocation/entitlement, mean over time"),
    row("unfairness", Permille, Less, "shortfall from fair shares over capacity, mean over time"),
    row("share-gap", Permille, Less, "gap of dominant shares at the end"),
    row("cost", MoneyMilli, Less, "cost"),
    row("cost.idle", MoneyMilli, Less, "the part of the cost that no pod has paid"),
    row("makespan", Ms, Less, "when the last pod ended"),
    row("node-failures", Count, Neither, "node failures that were drawn"),
    row("drained", Count, Less, "pods that drains evicted"),
    row("evictions.failed", Count, Less, "evictions that the API refused"),
    row("claims.failed", Count, Less, "claims that failed"),
];
