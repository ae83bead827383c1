//! Replays a log and looks at every verdict once nothing is left to do: it must stand when the world is cut down to what
//! it cites (X2, [`crate::cut`]), and what it says would help must help (X3, [`crate::helped`]).

use crate::{cut::stands_alone, helped::helps_indeed};
use quotree_core::{Entry, Event, Log, Rule, Scheduler};
use std::collections::BTreeMap;

/// What was found.
#[derive(Debug, Clone, Default)]
pub struct Explained {
    /// What is wrong, each with the decision it came after.
    pub wrong: Vec<String>,
    /// How often each rule was what binds.
    pub bound_by: BTreeMap<Rule, u32>,
    /// How often each rule was named as something else in the way.
    pub also: BTreeMap<Rule, u32>,
    /// How often each rule protected pods.
    pub protected: BTreeMap<Rule, u32>,
    /// How many changes were said to help, by kind.
    pub helps: BTreeMap<String, u32>,
    /// How many workloads and nodes of how many the cuts left.
    pub cut: [usize; 2],
}

/// Looks at every `every`th decision that had nothing to do.
#[must_use]
pub fn explained(log: &Log, every: usize) -> Explained {
    let mut found = Explained::default();
    let Ok(mut core) = Scheduler::new(&log.tree, log.policy.clone()) else { return found };
    let mut idle = 0;
    for (i, entry) in log.entries.iter().enumerate() {
        match entry {
            Entry::Event(event) => drop(core.apply(event.clone())),
            Entry::Decide { at, .. } => {
                let rests = core.decide(*at).is_empty();
                // A fact that says nothing shows whether it really rests: while pods leave, a decision may wait for what the
                // next one finds taken.
                let mut again = core.clone();
                let rests = rests && again.apply(Event::Tick).is_ok() && again.decide(*at).is_empty();
                idle += usize::from(rests);
                if rests && idle % every.max(1) == 0 {
                    look(&again, *at, i, &mut found);
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
        let cited = crate::cut::cited(core, &verdict);
        found.cut[0] += cited.workloads.len();
        found.cut[1] += core.waiting().len() + core.nodes().iter().map(|node| node.pods.len()).sum::<usize>();
        if let Err(wrong) = stands_alone(core, &verdict, now) {
            found.wrong.push(format!("entry {entry}: {wrong}"));
        }
        found
            .wrong
            .extend(helps_indeed(core, &verdict, now).into_iter().map(|wrong| format!("entry {entry}: {wrong}")));
    }
}
