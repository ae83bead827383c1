//! Runs a scenario and checks it: the run, its audit and claims, that a second run and a replay of its log are equal,
//! and the laws of its calm phase.
//!
//! The *calm phase* of a scenario begins when nothing more comes from outside: after the last submission, edit and
//! fault, and once requests are no longer lost or refused (`reliable_from`) and the last refused eviction is over. The laws
//! of the calm phase apply if the run came to rest by itself.

use crate::{
    access_law,
    age_law::AgeLaw,
    feasible_law::FeasibleLaw,
    job_law,
    job_queue_law::{self, JobQueueLaw},
    log_laws::{self, End, Segment},
};
use quotree_core::{Log, Policy, Preemption, Reclaim, Time};
use quotree_sim::{
    Observer, Run, RunError, RunOptions, Scenario,
    model::{Change, Kind, NodeChange, Workload},
    result::RunResult,
    run,
    trace::{RunNames, TraceEvent, TraceRecord},
};
use std::{collections::BTreeMap, fmt};

/// The kind of failure of a run that does not come to rest (S2).
pub(crate) const NO_END: &str = "error: no end";

/// A law that was broken, or a run that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The kind of failure; for the shrinker, two failures of one kind are the same.
    pub kind: String,
    /// What is wrong, with names and numbers.
    pub message: String,
}

impl Failure {
    pub(crate) fn new(kind: impl Into<String>, message: impl Into<String>) -> Self {
        Self { kind: kind.into(), message: message.into() }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind, self.message)
    }
}

/// The outcome of a scenario.
#[derive(Debug, Clone, Default)]
pub struct Played {
    /// All failures, the worst first.
    pub failures: Vec<Failure>,
    /// What happened, counted by kind: decisions, binds, evictions by rule, holds, ...
    pub seen: BTreeMap<String, u64>,
    /// Events of the run; 0 if it did not end.
    pub events: u64,
    /// Digest of the run; empty if it did not end.
    pub digest: String,
    /// The log of the scheduler; `None` if the run did not end.
    pub log: Option<Log>,
}

impl Played {
    /// The outcome of a run that did not end.
    fn failed(kind: &str, message: String) -> Self {
        Self { failures: vec![Failure::new(kind, message)], ..Self::default() }
    }

    /// Notes that a law is broken.
    pub(crate) fn breaks(&mut self, law: &str, message: impl Into<String>) {
        self.failures.push(Failure::new(format!("law: {law}"), message));
    }

    /// Counts what happened.
    pub(crate) fn count(&mut self, what: &str, times: u64) {
        *self.seen.entry(what.to_owned()).or_default() += times;
    }
}

/// When the calm phase begins; `None` if requests may be lost or refused until the end.
#[must_use]
pub fn calm_from(scenario: &Scenario) -> Option<Time> {
    let world = &scenario.world;
    let refuses = world.refused_evictions_permille > 0;
    let lossy = refuses || world.failed_binds_permille > 0 || world.lost_evictions_permille > 0;
    let reliable = if lossy { world.reliable_from? } else { Time(0) };
    // A refused eviction is given up, and later there is news of its workload (E2).
    let over = if refuses { world.eviction_retry_ms.saturating_mul(2) } else { 0 };
    let reliable = reliable.after_ms(over);
    let submitted = |workload: &Workload| match &workload.kind {
        Kind::Trace { rows, .. } => rows.iter().map(|row| row.submit).max().unwrap_or_default(),
        _ => workload.arrivals.as_ref().and_then(|a| a.until).unwrap_or(workload.submit),
    };
    let arrivals = scenario.workloads.iter().map(submitted);
    let events = scenario.events.iter().map(|event| event.at.after_ms(lasts(&event.change)));
    let repairs =
        scenario.faults.iter().map(|faults| faults.until.after_ms(faults.mttr.longest().unwrap_or(u64::MAX / 4)));
    Some(events.chain(arrivals).chain(repairs).fold(reliable, Time::max))
}

/// How long a change lasts.
fn lasts(change: &Change) -> u64 {
    match change {
        Change::Nodes(NodeChange::Outage { lasts_ms, .. }) => *lasts_ms,
        Change::Nodes(NodeChange::Drain { within_ms, .. }) => within_ms.unwrap_or(0),
        Change::Nodes(NodeChange::Remove { drain_ms, .. }) => drain_ms.unwrap_or(0),
        _ => 0,
    }
}

/// Runs a scenario with all checks, and once more without any.
///
/// Every decision takes time linear in the size of the scenario: this is meant for hundreds of pods, not for millions.
#[must_use]
pub fn play(scenario: &Scenario) -> Played {
    // A panic of the core is a failure like any other, and can be shrunk like one.
    let played = std::panic::catch_unwind(|| judge(scenario));
    played.unwrap_or_else(|panic| {
        let message = panic.downcast_ref::<String>().cloned();
        let message = message.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string)).unwrap_or_default();
        Played::failed("panic", message)
    })
}

/// Runs a scenario only to determine whether it ends.
pub(crate) fn ends(scenario: &Scenario) -> Played {
    let ended = run(scenario, &RunOptions::default(), &mut ());
    ended.map_or_else(|error| Played::failed(word(&error), error.to_string()), |_| Played::default())
}

fn judge(scenario: &Scenario) -> Played {
    let options = RunOptions { audit: true, record: true, ..RunOptions::default() };
    let mut count = Count {
        scenario,
        played: Played::default(),
        suspended: JobQueueLaw::default(),
        ages: AgeLaw::default(),
        feasible: FeasibleLaw::new(scenario),
    };
    let run = match run(scenario, &options, &mut count) {
        Ok(run) => run,
        Err(error) => return Played::failed(word(&error), error.to_string()),
    };
    let Count { mut played, suspended, ages, feasible, .. } = count;
    suspended.report(&mut played);
    feasible.report(&mut played);
    played.events = run.result.events;
    played.digest.clone_from(&run.result.digest);
    played.count("decisions", run.result.metrics.decisions);
    played.count("refused edits", run.result.refusals.len() as u64);
    played.count("pods pending at the end", run.result.pending.len() as u64);
    for breach in &run.result.breaches {
        let number = breach.what.split(':').next().unwrap_or_default();
        let number = if number.starts_with('I') && number.len() <= 3 { number } else { "ledgers" };
        let message = format!("at {} ms: {}", breach.at_ms, breach.what);
        played.failures.push(Failure::new(format!("audit: {number}"), message));
    }
    figures(&run.result, &mut played);
    again(scenario, &run, &mut played);
    access_law::judge(scenario, &run.result, &mut played);
    let stopped = run.result.quiet_ms.is_none();
    let round_ms = job_queue_law::round_ms(scenario).filter(|_| stopped);
    let end = End {
        calm: calm_from(scenario).filter(|_| !stopped || round_ms.is_some()),
        at: Time(run.result.quiet_ms.unwrap_or(run.result.end_ms)),
        round_ms,
        suspended: &suspended,
        ages: &ages,
        pending: &run.result.pending,
    };
    if let Some(log) = &run.log {
        let logs = run.restarts.iter().filter_map(|restart| restart.before.as_ref()).chain([log]);
        let listed = std::iter::once(0).chain(run.restarts.iter().map(|restart| restart.listed));
        let segments: Vec<Segment<'_>> = logs.zip(listed).collect();
        log_laws::judge(scenario, &segments, &end, &mut played);
    }
    for claim in run.result.claims.results.iter().filter(|claim| !claim.passed) {
        let at = claim.at_ms.map_or_else(String::new, |ms| format!(" at {}", quotree_syntax::time_text(ms)));
        let message = format!("line {}: observed{at}: {}", claim.line, claim.seen);
        // That it says nothing is another failure than that it is wrong: shrinking one must not end in the other.
        let vacuous = if claim.vacuous { " (vacuous)" } else { "" };
        played.failures.push(Failure::new(format!("claim: {}{vacuous}", claim.claim), message));
    }
    one_of_each_kind(&mut played.failures);
    played.log = run.log;
    played
}

/// Keeps the first failure of each kind, with the number of failures of that kind.
fn one_of_each_kind(failures: &mut Vec<Failure>) {
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    failures.retain(|failure| {
        let count = counts.entry(failure.kind.clone()).or_default();
        *count += 1;
        *count == 1
    });
    for failure in failures {
        let more = counts.get(&failure.kind).map_or(0, |count| count - 1);
        if more > 0 {
            failure.message += &format!(" (and {more} more)");
        }
    }
}

/// Checks that the figures of a run agree with each other.
fn figures(result: &RunResult, played: &mut Played) {
    let metrics = &result.metrics;
    let pods: u64 = result.workloads.iter().map(|w| w.counts.pods()).sum();
    let evicted: u64 = result.workloads.iter().map(|w| w.counts.evicted).sum();
    let lost: u128 = result.evictions.iter().map(|eviction| u128::from(eviction.lost_ms)).sum();
    let listed = result.evictions.len() as u64;
    if pods > metrics.pods_submitted || listed != metrics.evictions || evicted != listed || lost > metrics.lost_work_ms
    {
        let message = format!(
            "the rows of workloads have {pods} pods, {evicted} of them evicted; the list has {listed} evictions with {lost} ms \
             of lost work; the metrics of the run say {} pods, {} evictions, {} ms",
            metrics.pods_submitted, metrics.evictions, metrics.lost_work_ms
        );
        played.breaks("figures", message);
    }
    job_law::judge(result, played);
}

/// Runs the scenario again without checks: the result must be equal.
fn again(scenario: &Scenario, first: &Run, played: &mut Played) {
    let failure = match run(scenario, &RunOptions::default(), &mut ()) {
        Ok(second) if second.result.digest == first.result.digest => return,
        Ok(second) => {
            format!(
                "the digest of the first run is {}, that of the second {}",
                first.result.digest, second.result.digest
            )
        }
        Err(error) => format!("the second run does not end: {error}"),
    };
    played.breaks("same again", failure);
}

const fn word(error: &RunError) -> &'static str {
    match error {
        RunError::Tree(_) => "error: tree",
        RunError::Refused { .. } => "error: refused",
        RunError::Impossible { .. } => "error: impossible",
        RunError::TooManyEvents { .. } => NO_END,
        RunError::Unsettled { .. } => "error: unsettled",
        _ => "error: other",
    }
}

/// Whether S4 applies to a scenario: a pool of preemptible pods under the default policy.
pub(crate) fn is_guaranteed(scenario: &Scenario) -> bool {
    let usual = Policy::default();
    let policy = &scenario.policy;
    let plain = policy.reclaim == Reclaim::Min
        && policy.preemption == Preemption::Auto
        && policy.floor == usual.floor
        && policy.over_promised == usual.over_promised
        && policy.respect_budgets == usual.respect_budgets
        && policy.bounds == usual.bounds;
    plain && scenario.cluster.is_pool && scenario.workloads.iter().all(|workload| workload.preemptible)
}

/// Counts what occurs in the trace, and checks the laws of the trace.
struct Count<'a> {
    scenario: &'a Scenario,
    played: Played,
    suspended: JobQueueLaw,
    ages: AgeLaw,
    feasible: FeasibleLaw,
}

impl Observer for Count<'_> {
    fn record(&mut self, record: &TraceRecord, names: &dyn RunNames) {
        self.suspended.observe(record.at, record.what, self.scenario, names, &mut self.played);
        self.ages.observe(record.at, record.what, self.scenario, names);
        self.feasible.observe(record.what, names);
        let what = match record.what {
            TraceEvent::Bind { .. } => "binds",
            TraceEvent::BindFailed { .. } => "failed binds",
            TraceEvent::Evict { rule, .. } => {
                self.played.count(&format!("evictions by {rule}"), 1);
                "evictions"
            }
            TraceEvent::LostEviction { .. } => "lost evictions",
            TraceEvent::EvictionFailed { .. } => "failed evictions",
            TraceEvent::Hold { .. } => "holds",
            TraceEvent::Node { up: false, .. } => "nodes lost",
            TraceEvent::Cordon { cordoned: true, .. } => "cordons",
            TraceEvent::ToldToGo { .. } => "pods drained",
            TraceEvent::Slow { .. } => "nodes slowed",
            TraceEvent::Resized { .. } => "pods resized",
            TraceEvent::NodeChanged { .. } => "nodes edited",
            TraceEvent::Tree { refused: None } => "trees replaced",
            TraceEvent::Device { healthy: false, .. } => "unhealthy devices",
            TraceEvent::Relabel { refused: false, .. } => "nodes relabelled",
            TraceEvent::Relabel { refused: true, .. } => "relabels refused",
            TraceEvent::People => "edits of users and groups",
            TraceEvent::Refused { .. } => "refused submissions and edits",
            TraceEvent::Submit { pods, .. } if pods > 1 => "gangs submitted",
            _ => return,
        };
        self.played.count(what, 1);
    }
}
