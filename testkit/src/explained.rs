//! Replays a log and checks every verdict whenever a decision is empty: it must stay the same when the state is
//! minimised to what it cites (X2, [`crate::minimise`]), and its advice must help (X3, [`crate::advice`]).

use crate::{advice::helps_indeed, minimise::stands_alone};
use quotree_core::{Entry, Event, Log, Rule, Scheduler};
use std::collections::BTreeMap;

/// The results for a log.
#[derive(Debug, Clone, Default)]
pub struct Explained {
    /// The violations, each with the entry of the log after which it was found.
    pub violations: Vec<String>,
    /// How often each rule was the binding one.
    pub bound_by: BTreeMap<Rule, u32>,
    /// How often each rule was cited as a further obstacle.
    pub also: BTreeMap<Rule, u32>,
    /// How often each rule protected pods.
    pub protected: BTreeMap<Rule, u32>,
    /// How often each kind of advice was given.
    pub helps: BTreeMap<String, u32>,
    /// The total number of workloads in the minimised states, and in the original ones.
    pub cut: [usize; 2],
}

/// Checks every `every`th empty decision.
#[must_use]
pub fn explained(log: &Log, every: usize) -> Explained {
    let mut found = Explained::default();
    let Ok(mut core) = Scheduler::new(&log.tree, log.policy.clone()) else { return found };
    let mut idle = 0;
    for (i, entry) in log.entries.iter().enumerate() {
        match entry {
            Entry::Event(event) => drop(core.apply(event.clone())),
            Entry::Decide { at, .. } => {
                let idle_now = core.decide(*at).is_empty();
                // An event without content shows whether the scheduler is really at rest: while pods leave, a decision
                // may wait for what the next one finds gone.
                // What was bound at this moment may be evicted in the next one.
                let mut again = core.clone();
                let next = at.after_ms(1);
                let idle_now = idle_now && again.apply(Event::Tick).is_ok() && again.decide(next).is_empty();
                idle += usize::from(idle_now);
                if idle_now && idle % every.max(1) == 0 {
                    look(&again, next, i, &mut found);
                }
            }
        }
    }
    found
}

fn look(core: &Scheduler, now: quotree_core::Time, entry: usize, found: &mut Explained) {
    for id in core.waiting() {
        let Some(verdict) = core.explain(id) else { continue };
        *found.bound_by.entry(verdict.binding.rule()).or_default() += 1;
        for other in &verdict.also {
            *found.also.entry(other.binding.rule()).or_default() += 1;
        }
        for class in &verdict.protected {
            *found.protected.entry(class.shield.rule()).or_default() += 1;
        }
        for help in &verdict.helps {
            let text = format!("{help:?}");
            let kind = text.split([' ', '{']).next().unwrap_or_default().to_owned();
            *found.helps.entry(kind).or_default() += 1;
        }
        let cited = crate::minimise::cited(core, &verdict);
        found.cut[0] += cited.workloads.len();
        found.cut[1] += core.waiting().len() + core.nodes().iter().map(|node| node.pods.len()).sum::<usize>();
        if let Err(violation) = stands_alone(core, &verdict, now) {
            found.violations.push(format!("entry {entry}: {violation}"));
        }
        found.violations.extend(
            helps_indeed(core, &verdict, now).into_iter().map(|violation| format!("entry {entry}: {violation}")),
        );
    }
}
