//! The first decision in which two runs with the same seed differ.

use quotree_core::{StableHasher, Time};
use quotree_sim::{
    Observer, RunError, RunOptions, Scenario,
    trace::{RunNames, TraceEvent, TraceRecord},
};
use serde::Serialize;
use serde_json::Value;
use std::{hash::Hasher, ops::ControlFlow};

use crate::Stop;

/// The most decisions that are compared: each takes eight bytes.
const MOST: usize = 20_000_000;

/// The first decision in which two runs differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Divergence {
    /// How many decisions are equal before it.
    pub equal: usize,
    /// What the first run decides there; nothing if it decides nothing more.
    pub a: Option<Decision>,
    /// What the second run decides there.
    pub b: Option<Decision>,
}

/// A decision of the scheduler.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Decision {
    /// When, milliseconds.
    pub at_ms: u64,
    /// The pod or workload.
    pub subject: String,
    /// What was decided, in a clause.
    pub what: String,
    /// The rule, if it is an eviction.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// What the other run does with the same pod or workload at that moment, in a clause.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instead: Option<String>,
}

/// Finds the first decision (a bind, an eviction, a hold) in which two scenarios differ with this seed; nothing if there is none, or
/// if it was stopped. Runs each of them up to twice, and then up to that moment.
///
/// # Errors
/// If a run does not end.
pub fn divergence(a: &Scenario, b: &Scenario, seed: u64, stop: &Stop) -> Result<Option<Divergence>, RunError> {
    let options = RunOptions {
        seed: Some(seed),
        judge: false,
        fairness_integral: false,
        job_rows: 0,
        pending_rows: 0,
        explained_rows: 0,
        ..RunOptions::default()
    };
    let mut first = Decisions { stop, seen: Seen::All(Vec::new()), ended: false };
    quotree_sim::run(a, &options, &mut first)?;
    let Seen::All(hashes) = first.seen else { return Ok(None) };
    let mut second = Decisions { stop, seen: Seen::Compared { with: &hashes, equal: 0, other: None }, ended: false };
    quotree_sim::run(b, &options, &mut second)?;
    let Seen::Compared { equal, other, .. } = second.seen else { return Ok(None) };
    if stop.is_asked() || other.is_none() && equal == hashes.len() {
        return Ok(None);
    }
    let mut again = Decisions { stop, seen: Seen::Skip { left: equal, next: None }, ended: false };
    quotree_sim::run(a, &options, &mut again)?;
    let Seen::Skip { next, .. } = again.seen else { return Ok(None) };
    let (mut next, mut other) = (next, other);
    for (decision, scenario) in [(&mut next, b), (&mut other, a)] {
        if let Some(decision) = decision {
            decision.instead = instead(scenario, &options, decision)?;
        }
    }
    Ok(Some(Divergence { equal, a: next, b: other }))
}

/// What a scenario does with the pod of a decision of another one up to its moment: the last entry of the timeline of the pod.
fn instead(scenario: &Scenario, options: &RunOptions, decision: &Decision) -> Result<Option<String>, RunError> {
    let until = scenario.world.until.map_or(decision.at_ms, |until| until.0.min(decision.at_ms));
    let options =
        RunOptions { until: Some(Time(until)), timeline_of: Some(decision.subject.clone()), ..options.clone() };
    let run = quotree_sim::run(scenario, &options, &mut ())?;
    let last = run.timeline.iter().rev().find(|entry| entry.pod == decision.subject).or_else(|| run.timeline.last());
    Ok(last.map(|entry| quotree_reports::short_reason(&entry.what)))
}

/// An observer of decisions.
struct Decisions<'d> {
    stop: &'d Stop,
    seen: Seen<'d>,
    ended: bool,
}

enum Seen<'d> {
    /// The hashes of all.
    All(Vec<u64>),
    /// Compared with these.
    Compared { with: &'d [u64], equal: usize, other: Option<Decision> },
    /// The one after so many.
    Skip { left: usize, next: Option<Decision> },
}

impl Observer for Decisions<'_> {
    fn record(&mut self, record: &TraceRecord, names: &dyn RunNames) {
        let is_decision =
            matches!(record.what, TraceEvent::Bind { .. } | TraceEvent::Evict { .. } | TraceEvent::Hold { .. });
        if self.ended || !is_decision {
            return;
        }
        let json = record.json(names);
        match &mut self.seen {
            Seen::All(hashes) if hashes.len() < MOST => hashes.push(hash(&json)),
            Seen::All(_) => {}
            Seen::Compared { with, equal, other } => {
                if with.get(*equal) == Some(&hash(&json)) {
                    *equal += 1;
                } else if *equal < MOST {
                    *other = Some(decision(&json));
                    self.ended = true;
                }
            }
            Seen::Skip { left: 0, next } => {
                *next = Some(decision(&json));
                self.ended = true;
            }
            Seen::Skip { left, .. } => *left -= 1,
        }
    }

    fn progress(&mut self, _: Time, _: u64) -> ControlFlow<()> {
        if self.ended || self.stop.is_asked() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

fn hash(json: &Value) -> u64 {
    let mut hasher = StableHasher::default();
    hasher.write(json.to_string().as_bytes());
    hasher.finish()
}

fn decision(json: &Value) -> Decision {
    let word = |field: &str| json.get(field).and_then(Value::as_str).map(str::to_owned);
    let at_ms = json.get("at_ms").and_then(Value::as_u64).unwrap_or_default();
    let subject = word("pod").or_else(|| word("workload")).unwrap_or_default();
    let what = match word("what").as_deref() {
        Some("bind") => format!("is bound to {}", word("node").unwrap_or_default()),
        Some("evict") => match word("cause") {
            Some(cause) => format!("is evicted to make room for {cause}"),
            None => "is evicted".to_owned(),
        },
        _ => "gets a reservation, and waits for its victims to leave".to_owned(),
    };
    Decision { at_ms, subject, what, rule: word("rule"), instead: None }
}
