//! The accounts that the selector of a claim includes, by the current tree and the current users.

use crate::{
    model::{Kind, Selector},
    people::Reason,
    view::RunView,
    world::{Counts, Outcomes, UsageAccount},
};
use quotree_core::QuotaId;

/// The accounts that a selector includes: those of a namespace, quota, workload, user or group, or all.
pub(super) struct Selection {
    of: Option<Selector>,
    /// Whether each account is selected. Accounts created since the last update are missing.
    is_selected: Vec<bool>,
    /// The selected accounts.
    selected: Vec<u32>,
    /// The number of the tree for which the accounts were selected, from 1.
    tree: usize,
}

impl Selection {
    /// Without a selector, everything is selected.
    pub(super) const fn new(of: Option<Selector>) -> Self {
        Self { of, is_selected: Vec::new(), selected: Vec::new(), tree: 0 }
    }

    /// The selector; nothing if everything is selected.
    pub(super) const fn of(&self) -> Option<&Selector> {
        self.of.as_ref()
    }

    /// Examines new accounts; all accounts if the tree was replaced.
    pub(super) fn resolve(&mut self, view: &RunView<'_>) {
        let tree = view.world.trees.version() + 1;
        if self.tree != tree {
            self.tree = tree;
            self.is_selected.clear();
            self.selected.clear();
        }
        let accounts = &view.world.accounts.all;
        if self.is_selected.len() == accounts.len() as usize {
            return;
        }
        let is_ours = self.of.as_ref().map(|of| predicate(of, view));
        for (number, account) in accounts.iter().enumerate().skip(self.is_selected.len()) {
            let ours = is_ours.as_ref().is_none_or(|is_ours| is_ours(account));
            self.is_selected.push(ours);
            self.selected.extend(u32::try_from(number).ok().filter(|_| ours));
        }
    }

    /// Whether a core workload is selected.
    pub(super) fn has(&self, view: &RunView<'_>, unit: u32) -> bool {
        unit < view.world.units.len() && self.includes(view.world.units[unit].account)
    }

    /// Whether an account is selected.
    pub(super) fn includes(&self, account: u32) -> bool {
        self.is_selected.get(account as usize).copied().unwrap_or(false)
    }

    /// The selected accounts.
    pub(super) fn accounts<'e>(&'e self, view: &RunView<'e>) -> impl Iterator<Item = &'e UsageAccount> {
        self.selected.iter().map(|account| &view.world.accounts.all[*account])
    }

    /// The outcomes of their workloads. A workflow counts once; its tasks count only if a task is selected.
    pub(super) fn outcomes(&self, view: &RunView<'_>) -> Outcomes {
        let of_task = matches!(self.of, Some(Selector::Task { .. }));
        let accounts = self.accounts(view).filter(|account| of_task || view.world.is_whole(account.key.tally));
        accounts.fold(Outcomes::default(), |mut sum, account| {
            sum.add(&account.outcomes);
            sum
        })
    }

    /// Their met and missed deadlines. Each deadline in the file counts: that of a workflow and those of its tasks.
    pub(super) fn deadlines(&self, view: &RunView<'_>) -> (u64, u64) {
        let all = self.accounts(view).map(|account| &account.outcomes);
        all.fold((0, 0), |(met, missed), outcomes| (met + outcomes.met, missed + outcomes.missed))
    }

    /// Their pods by state.
    pub(super) fn counts(&self, view: &RunView<'_>) -> Counts {
        self.accounts(view).fold(Counts::default(), |mut sum, account| {
            sum.add(&account.counts);
            sum
        })
    }

    /// How often submissions were refused, and edits by a selected user.
    pub(super) fn refused(&self, view: &RunView<'_>, why: Option<Reason>) -> u64 {
        let user = match &self.of {
            Some(Selector::User(name)) => view.world.accounts.find_user(name.as_str()),
            _ => None,
        };
        let everybody = matches!(self.of, None | Some(Selector::All));
        let of_reason = |reason| why.map_or(reason != Reason::CellsShort, |why| reason == why);
        let all = view.world.access.refusals.all.iter().filter(|refused| of_reason(refused.reason));
        let ours = all.filter(|refused| everybody || Some(refused.user) == user || self.includes(refused.account));
        ours.map(|refused| refused.row.times).sum()
    }
}

/// Whether an account belongs to what a selector names.
pub(super) fn predicate<'e>(of: &Selector, view: &RunView<'e>) -> Box<dyn Fn(&UsageAccount) -> bool + 'e> {
    let world = view.world;
    match of {
        Selector::All => Box::new(|_| true),
        Selector::Namespace(name) => {
            let number = world.namespaces.ids().find(|number| world.namespaces[*number].name == *name);
            Box::new(move |account| Some(account.key.namespace) == number)
        }
        Selector::Quota(name) => {
            let tree = view.tree();
            let quota = tree.by_name(name.as_str());
            Box::new(move |account| match (world.namespaces[account.key.namespace].leaf, quota) {
                (Some(leaf), Some(quota)) => tree.is_under(QuotaId(leaf), quota),
                _ => false,
            })
        }
        Selector::Workload(name) => {
            let tallies = place(view, name).map_or(0..0, |workload| world.tallies_of(workload));
            Box::new(move |account| tallies.contains(&account.key.tally))
        }
        Selector::Task { workflow, task } => {
            let tally = place(view, workflow).and_then(|workload| {
                let kind = &view.world.scenario.workloads.get(workload as usize)?.kind;
                let Kind::Workflow { tasks } = kind else { return None };
                let task = tasks.iter().position(|other| other.name == task.as_str())?;
                Some(world.tallies_of(workload).start + 1 + u32::try_from(task).ok()?)
            });
            Box::new(move |account| Some(account.key.tally) == tally)
        }
        Selector::User(name) => {
            let user = world.accounts.find_user(name.as_str());
            Box::new(move |account| Some(account.key.user) == user)
        }
        Selector::Group(name) => {
            let group = world.accounts.find_group(name.as_str());
            Box::new(move |account| Some(account.key.group) == group)
        }
    }
}

/// The index of a workload in the scenario.
fn place(view: &RunView<'_>, name: &str) -> Option<u32> {
    let place = view.world.scenario.workloads.iter().position(|w| w.name == name)?;
    u32::try_from(place).ok()
}
