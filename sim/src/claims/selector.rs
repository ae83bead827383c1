//! Whose pods a claim speaks of, resolved against the tree and the people of the moment.

use crate::{
    engine::Engine,
    model::{Kind, Of},
    people::Reason,
    world::{Counts, Outcomes, UsageAccount},
};
use quotree_core::QuotaId;

/// A namespace, quota, workload, user, group, or everything: some of the accounts.
pub(super) struct Selection {
    of: Option<Of>,
    /// By account, whether it is meant, as far as was looked.
    meant: Vec<bool>,
    /// Those that are.
    ours: Vec<u32>,
    /// For which tree it was resolved, counted from 1.
    tree: usize,
}

impl Selection {
    /// Absent means everybody.
    pub(super) const fn new(of: Option<Of>) -> Self {
        Self { of, meant: Vec::new(), ours: Vec::new(), tree: 0 }
    }

    /// Looks at the accounts that are new, and at all of them if the tree is another one.
    pub(super) fn resolve(&mut self, engine: &Engine<'_>) {
        let tree = engine.old_trees.len() + 1;
        if self.tree != tree {
            self.tree = tree;
            self.meant.clear();
            self.ours.clear();
        }
        let accounts = &engine.world.accounts.all;
        if self.meant.len() == accounts.len() as usize {
            return;
        }
        let is_ours = self.of.as_ref().map(|of| predicate(of, engine));
        for (number, account) in accounts.iter().enumerate().skip(self.meant.len()) {
            let ours = is_ours.as_ref().is_none_or(|is_ours| is_ours(account));
            self.meant.push(ours);
            self.ours.extend(u32::try_from(number).ok().filter(|_| ours));
        }
    }

    /// Whether a unit is meant.
    pub(super) fn has(&self, engine: &Engine<'_>, unit: u32) -> bool {
        unit < engine.world.units.len() && self.includes(engine.world.units[unit].account)
    }

    /// Whether a account is meant.
    pub(super) fn includes(&self, account: u32) -> bool {
        self.meant.get(account as usize).copied().unwrap_or(false)
    }

    /// The accounts that are meant.
    pub(super) fn accounts<'e>(&'e self, engine: &'e Engine<'_>) -> impl Iterator<Item = &'e UsageAccount> {
        self.ours.iter().map(|account| &engine.world.accounts.all[*account])
    }

    /// What became of their workloads: of a workflow the whole, of a task the task.
    pub(super) fn outcomes(&self, engine: &Engine<'_>) -> Outcomes {
        let of_task = matches!(self.of, Some(Of::Task { .. }));
        let accounts = self.accounts(engine).filter(|account| of_task || engine.world.is_whole(account.key.tally));
        accounts.fold(Outcomes::default(), |mut sum, account| {
            sum.add(&account.outcomes);
            sum
        })
    }

    /// Their deadlines that were met, and that were missed: each that is stated counts, of a workflow and of its tasks.
    pub(super) fn deadlines(&self, engine: &Engine<'_>) -> (u64, u64) {
        let all = self.accounts(engine).map(|account| &account.outcomes);
        all.fold((0, 0), |(met, missed), outcomes| (met + outcomes.met, missed + outcomes.missed))
    }

    /// Their pods by state.
    pub(super) fn counts(&self, engine: &Engine<'_>) -> Counts {
        self.accounts(engine).fold(Counts::default(), |mut sum, account| {
            sum.add(&account.counts);
            sum
        })
    }

    /// How often something of theirs was refused: submissions, and edits by a user who is meant.
    pub(super) fn refused(&self, engine: &Engine<'_>, why: Option<Reason>) -> u64 {
        let user = match &self.of {
            Some(Of::User(name)) => engine.world.accounts.find_user(name.as_str()),
            _ => None,
        };
        let everybody = matches!(self.of, None | Some(Of::All));
        let of_reason = |reason| why.map_or(reason != Reason::CellsShort, |why| reason == why);
        let all = engine.world.refusals.all.iter().filter(|refused| of_reason(refused.reason));
        let ours = all.filter(|refused| everybody || Some(refused.user) == user || self.includes(refused.account));
        ours.map(|refused| refused.row.times).sum()
    }
}

/// Whether a account is of what a claim names.
pub(super) fn predicate<'e>(of: &Of, engine: &'e Engine<'_>) -> Box<dyn Fn(&UsageAccount) -> bool + 'e> {
    let world = &engine.world;
    match of {
        Of::All => Box::new(|_| true),
        Of::Namespace(name) => {
            let number = world.namespaces.ids().find(|number| world.namespaces[*number].name == *name);
            Box::new(move |account| Some(account.key.namespace) == number)
        }
        Of::Quota(name) => {
            let tree = engine.core.scheduler().tree();
            let quota = tree.by_name(name.as_str());
            Box::new(move |account| match (world.namespaces[account.key.namespace].leaf, quota) {
                (Some(leaf), Some(quota)) => tree.is_under(QuotaId(leaf), quota),
                _ => false,
            })
        }
        Of::Workload(name) => {
            let tallies = place(engine, name).map_or(0..0, |workload| world.tallies_of(workload));
            Box::new(move |account| tallies.contains(&account.key.tally))
        }
        Of::Task { workflow, task } => {
            let tally = place(engine, workflow).and_then(|workload| {
                let kind = &engine.scenario.workloads.get(workload as usize)?.kind;
                let Kind::Workflow { tasks } = kind else { return None };
                let task = tasks.iter().position(|other| other.name == task.as_str())?;
                Some(world.tallies_of(workload).start + 1 + u32::try_from(task).ok()?)
            });
            Box::new(move |account| Some(account.key.tally) == tally)
        }
        Of::User(name) => {
            let user = world.accounts.find_user(name.as_str());
            Box::new(move |account| Some(account.key.user) == user)
        }
        Of::Group(name) => {
            let group = world.accounts.find_group(name.as_str());
            Box::new(move |account| Some(account.key.group) == group)
        }
    }
}

/// The place of a workload of the scenario.
fn place(engine: &Engine<'_>, name: &str) -> Option<u32> {
    let place = engine.scenario.workloads.iter().position(|w| w.name == name)?;
    u32::try_from(place).ok()
}
