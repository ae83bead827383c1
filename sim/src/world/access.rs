//! Who may do what while a run goes on: submissions and edits are let in or refused, and every refusal is written down
//! with its reason. What is refused leaves no trace in the world but that.

use super::{NONE, World, usage_accounts::UsageAccountKey};
use crate::{
    engine::Engine,
    model::{Change, DeviceChange, Kind, Scenario, TimedChange},
    people::{PeopleEdit, Reason, Refusal, Surroundings, Tenants},
    result::RefusalRow,
    trace::TraceEvent,
    world::pod_name,
};
use quotree_core::{Name, QuotaId, Unquotaed};
use std::collections::BTreeMap;

/// Something that was refused, once or more often.
#[derive(Debug, Clone)]
pub(crate) struct Refused {
    /// Who tried, or [`NONE`].
    pub(crate) user: u32,
    /// Whose submission, or [`NONE`] where it was an edit.
    pub(crate) account: u32,
    pub(crate) reason: Reason,
    /// As it is told, with the time of the first and how often it was.
    pub(crate) row: RefusalRow,
}

/// Everything that was refused. The same submission refused again, as of the rows of a trace, is counted, not repeated.
#[derive(Debug, Clone, Default)]
pub(crate) struct Refusals {
    pub(crate) all: Vec<Refused>,
    submissions: BTreeMap<(u32, Reason), usize>,
}

/// What was attempted.
pub(crate) struct Attempt<'a> {
    /// What it is about, in words.
    pub(crate) what: String,
    pub(crate) by: Option<&'a Name>,
    /// Of a submission; [`NONE`] of an edit.
    pub(crate) account: u32,
}

impl Refusals {
    /// Writes one down, and gives its place.
    fn add(&mut self, attempt: Attempt<'_>, user: u32, refusal: &Refusal, at_ms: u64) -> u32 {
        let reason = refusal.reason();
        let key = (attempt.account, reason);
        let before = self.submissions.get(&key).copied().filter(|_| attempt.account != NONE);
        if let Some((place, refused)) = before.and_then(|place| Some((place, self.all.get_mut(place)?))) {
            refused.row.times += 1;
            return u32::try_from(place).unwrap_or(NONE);
        }
        let place = self.all.len();
        if attempt.account != NONE {
            self.submissions.insert(key, place);
        }
        let row = RefusalRow {
            at_ms,
            what: attempt.what,
            by: attempt.by.map(Name::to_string),
            reason: reason.word(),
            why: refusal.to_string(),
            times: 1,
        };
        self.all.push(Refused { user, account: attempt.account, reason, row });
        u32::try_from(place).unwrap_or(NONE)
    }
}

impl World {
    /// Whose a unit of this workload is: of a trace, its row tells the user.
    pub(super) fn user_of(&self, owner: u32, row: u32) -> u32 {
        let place = self.row_places.get(&owner).and_then(|rows| rows.get(row as usize));
        place.map_or(self.controllers[owner].user, |place| place.user)
    }
}

impl Engine<'_> {
    /// The account of a unit of this workload in this namespace, as people and tree are now.
    pub(crate) fn account_of(&mut self, owner: u32, row: u32, namespace: u32) -> u32 {
        let user = self.world.user_of(owner, row);
        let mut group = NONE;
        if self.world.tenants.asks()
            && let Some(name) = self.world.accounts.user_name(user)
            && let Some(leaf) = self.leaf_name(namespace)
        {
            let found = self.world.tenants.group_of(name, leaf).cloned();
            group = self.world.accounts.group(found.as_ref());
        }
        let tally = self.world.controllers[owner].tally;
        self.world.accounts.number(UsageAccountKey { tally, user, group, namespace })
    }

    fn leaf_name(&self, namespace: u32) -> Option<&Name> {
        let leaf = self.world.namespaces[namespace].leaf?;
        Some(self.core.scheduler().tree().name(QuotaId(leaf)))
    }

    /// Whether a workload, an instance of it, or a row of a trace may be submitted; where not, that is written down.
    pub(crate) fn lets_in(&mut self, owner: u32, row: Option<u32>) -> bool {
        let place = row.and_then(|row| self.world.row_places.get(&owner)?.get(row as usize));
        let namespace = place.map_or(self.world.controllers[owner].namespace, |place| place.namespace);
        let user = self.world.user_of(owner, row.unwrap_or(NONE));
        if user == NONE || !self.world.tenants.asks() {
            return true;
        }
        let Some(name) = self.world.accounts.user_name(user).cloned() else {
            return true;
        };
        let unquotaed = self.scenario.policy.unquotaed == Unquotaed::Schedule;
        let world = &self.world;
        let said =
            world.tenants.may_submit(&name, &world.namespaces[namespace].name, self.leaf_name(namespace), unquotaed);
        let Err(refusal) = said else {
            return true;
        };
        let tally = self.world.controllers[owner].tally;
        let account = self.world.accounts.number(UsageAccountKey { tally, user, group: NONE, namespace });
        self.world.accounts.all[account].refused += 1;
        let what = self.workload_of(owner).map_or_else(String::new, |workload| workload.name.clone());
        self.refuse(Attempt { what: format!("workload `{what}`"), by: Some(&name), account }, &refusal);
        false
    }

    /// Whether whoever makes a change may make it; where not, that is written down.
    pub(crate) fn lets(&mut self, timed: &TimedChange) -> bool {
        let Some(by) = &timed.by else {
            return true;
        };
        let tenants = &self.world.tenants;
        let said = match &timed.change {
            Change::Scale { workload, .. } | Change::Withdraw { workload } => {
                let workload = self.scenario.workloads.get(*workload);
                let name = workload.map_or("", |w| w.name.as_str());
                tenants.may_change(by, name, workload.and_then(|w| w.user.as_ref()))
            }
            _ => tenants.may_administer(by),
        };
        let Err(refusal) = said else {
            return true;
        };
        let attempt = Attempt { what: subject(&timed.change, self.scenario), by: Some(by), account: NONE };
        if matches!(timed.change, Change::ReplaceTree { .. } | Change::EditQuota { .. } | Change::MoveNamespace { .. })
        {
            self.refuse_tree(attempt, &refusal);
        } else {
            self.refuse(attempt, &refusal);
        }
        false
    }

    /// Writes a refusal down.
    fn refuse(&mut self, attempt: Attempt<'_>, refusal: &Refusal) {
        let refusal = self.note(attempt, refusal);
        self.trace(TraceEvent::Refused { refusal });
    }

    /// Writes down that the tree stays as it is.
    pub(super) fn refuse_tree(&mut self, attempt: Attempt<'_>, refusal: &Refusal) {
        let refusal = self.note(attempt, refusal);
        self.trace(TraceEvent::Tree { refused: Some(refusal) });
    }

    /// Writes something down for the report alone.
    pub(super) fn note(&mut self, attempt: Attempt<'_>, refusal: &Refusal) -> u32 {
        let user = self.world.accounts.user(attempt.by);
        self.world.refusals.add(attempt, user, refusal, self.now.0)
    }

    /// Users or groups are edited, or the edit is refused.
    pub(crate) fn edit_people(&mut self, edit: &PeopleEdit, by: Option<&Name>) {
        let mut tenants = std::mem::take(&mut self.world.tenants);
        let said = tenants.edit(edit, &*self);
        self.world.tenants = tenants;
        match said {
            Ok(()) => {
                match edit {
                    PeopleEdit::AddUser(user) => {
                        self.world.accounts.user(Some(&user.name));
                    }
                    PeopleEdit::AddGroup(group) => {
                        self.world.accounts.group(Some(&group.name));
                    }
                    _ => {}
                }
                self.trace(TraceEvent::People);
            }
            Err(refusal) => self.refuse(Attempt { what: edit.subject(), by, account: NONE }, &refusal),
        }
    }
}

impl Surroundings for Engine<'_> {
    fn is_leaf(&self, quota: &Name) -> bool {
        let tree = self.core.scheduler().tree();
        tree.by_name(quota.as_str()).is_some_and(|quota| tree.is_leaf(quota))
    }

    fn running(&self, group: &Name) -> Vec<String> {
        let world = &self.world;
        let Some(number) = world.accounts.find_group(group.as_str()) else {
            return Vec::new();
        };
        let of_it = |account: u32| world.accounts.all[account].key.group == number;
        if world.accounts.all.iter().all(|account| account.key.group != number || account.counts.running == 0) {
            return Vec::new();
        }
        let runs = |pod: &u32| world.pods[*pod].state.uses() && of_it(world.units[world.pods[*pod].unit].account);
        world.pods.ids().filter(runs).map(|pod| pod_name(self.scenario, world, pod)).collect()
    }
}

/// What a change is about, in words.
fn subject(change: &Change, scenario: &Scenario) -> String {
    let workload = |i: usize| scenario.workloads.get(i).map_or("", |w| w.name.as_str());
    let node = |i: usize| scenario.cluster.nodes.get(i).map_or("", |n| n.name.as_str());
    match change {
        Change::Scale { workload: i, .. }
        | Change::Withdraw { workload: i }
        | Change::EditWorkload { workload: i, .. } => format!("workload `{}`", workload(*i)),
        Change::ReplaceTree { .. } => "quota tree".to_owned(),
        Change::EditQuota { quota, .. } => format!("quota `{quota}`"),
        Change::MoveNamespace { namespace, .. } => format!("namespace `{namespace}`"),
        Change::People(edit) => edit.subject(),
        Change::NodeDown { node: i } | Change::NodeUp { node: i } | Change::Cordon { node: i, .. } => {
            format!("node `{}`", node(*i))
        }
        Change::Devices(
            DeviceChange::Ill { node: i, .. }
            | DeviceChange::Well { node: i, .. }
            | DeviceChange::Relabel { node: i, .. },
        ) => format!("node `{}`", node(*i)),
        Change::Nodes(_) => "nodes".to_owned(),
        Change::SetClass { class, .. } => format!("priority class `{class}`"),
        Change::SetBudget { budget, .. } => format!("budget `{budget}`"),
    }
}

/// Everybody whom a scenario names: those declared first, then those that submit.
pub(super) fn everybody(scenario: &Scenario, world: &mut World) {
    let people = &scenario.people;
    for user in &people.users {
        world.accounts.user(Some(&user.name));
    }
    for group in &people.groups {
        world.accounts.group(Some(&group.name));
    }
    let later = scenario.events.iter().any(|event| matches!(event.change, Change::People(_)));
    world.tenants = Tenants::new(people, later);
    for (owner, workload) in (0..).zip(&scenario.workloads) {
        let own = world.accounts.user(workload.user.as_ref());
        world.controllers[owner].user = own;
        if let (Kind::Trace { rows, .. }, Some(places)) = (&workload.kind, world.row_places.get_mut(&owner)) {
            for (row, place) in rows.iter().zip(places) {
                place.user = if row.user.is_some() { world.accounts.user(row.user.as_ref()) } else { own };
            }
        }
    }
}
