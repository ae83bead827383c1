//! Whose pods a claim speaks of, resolved against the tree of the moment.

use crate::{
    driver::Engine,
    model::Of,
    world::{Counts, Outcomes},
};
use std::ops::Range;

/// A namespace, quota, workload, or everything.
pub(super) struct Whose {
    of: Option<Of>,
    found: Found,
    /// For which tree it was resolved, counted from 1.
    tree: usize,
}

enum Found {
    All,
    /// By namespace number, whether it is meant.
    Namespaces(Vec<bool>),
    /// A range of tallies.
    Tallies(Range<u32>),
    Nobody,
}

impl Whose {
    /// Absent means everybody.
    pub(super) const fn new(of: Option<Of>) -> Self {
        Self { of, found: Found::Nobody, tree: 0 }
    }

    /// Looks the name up again if the tree is another one.
    pub(super) fn resolve(&mut self, engine: &Engine<'_>) {
        let tree = engine.old_trees.len() + 1;
        if self.tree == tree {
            return;
        }
        self.tree = tree;
        let namespaces = &engine.world.namespaces;
        self.found = match &self.of {
            None | Some(Of::All) => Found::All,
            Some(Of::Namespace(name)) => Found::Namespaces(namespaces.iter().map(|n| n.name == *name).collect()),
            Some(Of::Quota(name)) => {
                let tree = engine.core.scheduler().tree();
                let quota = tree.by_name(name.as_str());
                let under = |leaf: Option<u32>| match (leaf, quota) {
                    (Some(leaf), Some(quota)) => tree.is_under(quotree_core::QuotaId(leaf), quota),
                    _ => false,
                };
                Found::Namespaces(namespaces.iter().map(|n| under(n.leaf)).collect())
            }
            Some(Of::Workload(name)) => {
                place(engine, name).map_or(Found::Nobody, |w| Found::Tallies(engine.world.tallies_of(w)))
            }
            Some(Of::Task { workflow, task }) => {
                let found = place(engine, workflow).and_then(|w| {
                    let kind = &engine.scenario.workloads.get(w as usize)?.kind;
                    let crate::model::Kind::Workflow { tasks } = kind else { return None };
                    let task = tasks.iter().position(|t| t.name == task.as_str())?;
                    Some(engine.world.tallies_of(w).start + 1 + u32::try_from(task).ok()?)
                });
                found.map_or(Found::Nobody, |tally| Found::Tallies(tally..tally + 1))
            }
        };
    }

    /// Whether a unit is meant.
    pub(super) fn has(&self, engine: &Engine<'_>, unit: u32) -> bool {
        if unit >= engine.world.units.len() {
            return false;
        }
        let unit = &engine.world.units[unit];
        self.includes(engine.world.owners[unit.owner].tally, unit.namespace)
    }

    /// Whether pods that are counted there in this namespace are meant.
    pub(super) fn includes(&self, tally: u32, namespace: u32) -> bool {
        match &self.found {
            Found::All => true,
            Found::Namespaces(meant) => meant.get(namespace as usize).copied().unwrap_or(false),
            Found::Tallies(ours) => ours.contains(&tally),
            Found::Nobody => false,
        }
    }

    /// What became of their workloads: of a workflow the whole, of a task the task.
    pub(super) fn outcomes(&self, engine: &Engine<'_>) -> Outcomes {
        let mut sum = Outcomes::default();
        match &self.found {
            Found::Tallies(ours) => sum = engine.world.tallies[ours.start].outcomes,
            Found::Nobody => {}
            Found::All => engine.world.namespaces.iter().for_each(|n| sum.add(&n.outcomes)),
            Found::Namespaces(meant) => {
                let ours = engine.world.namespaces.iter().zip(meant).filter(|(_, meant)| **meant);
                ours.for_each(|(n, _)| sum.add(&n.outcomes));
            }
        }
        sum
    }

    /// Their pods by state.
    pub(super) fn counts(&self, engine: &Engine<'_>) -> Counts {
        let mut sum = Counts::default();
        match &self.found {
            Found::Tallies(ours) => sum = engine.world.counts_of(ours.clone()),
            Found::Nobody => {}
            Found::All => engine.world.namespaces.iter().for_each(|n| sum.add(&n.counts)),
            Found::Namespaces(meant) => {
                let ours = engine.world.namespaces.iter().zip(meant).filter(|(_, meant)| **meant);
                ours.for_each(|(n, _)| sum.add(&n.counts));
            }
        }
        sum
    }
}

/// The place of a workload of the scenario.
fn place(engine: &Engine<'_>, name: &str) -> Option<u32> {
    let place = engine.scenario.workloads.iter().position(|w| w.name == name)?;
    u32::try_from(place).ok()
}
