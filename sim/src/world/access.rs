//! Access control while a run goes on: submissions and edits are admitted or refused. Every refusal is recorded with its
//! reason; a refused submission or edit changes nothing else.

use super::{NONE, World, pod_name, usage_accounts::UsageAccountKey};
use crate::{
    model::{Change, DeviceChange, Kind, Scenario, TimedChange},
    people::{PeopleEdit, Reason, Refusal, Surroundings, Tenants},
    result::RefusalRow,
    trace::TraceEvent,
};
use quotree_core::{Name, QuotaId, Unquotaed};
use std::collections::BTreeMap;

/// The current users and groups, and all refusals.
#[derive(Debug, Default)]
pub(crate) struct Access {
    pub(crate) tenants: Tenants,
    pub(crate) refusals: Refusals,
}

/// A refusal, with the number of repetitions.
#[derive(Debug, Clone)]
pub(crate) struct Refused {
    /// The user of the submission or edit, or [`NONE`].
    pub(crate) user: u32,
    /// The account of a submission; [`NONE`] for an edit.
    pub(crate) account: u32,
    pub(crate) reason: Reason,
    /// The row of the report: the time of the first refusal, and the number of refusals.
    pub(crate) row: RefusalRow,
}

/// All refusals. If the same submission is refused again (for example, with later rows of a trace), its count grows.
#[derive(Debug, Clone, Default)]
pub(crate) struct Refusals {
    pub(crate) all: Vec<Refused>,
    submissions: BTreeMap<(u32, Reason), usize>,
}

/// A submission or an edit, as it is reported when it is refused.
pub(crate) struct Attempt<'a> {
    /// Its subject, as text.
    pub(crate) what: String,
    pub(crate) by: Option<&'a Name>,
    /// The account of a submission; [`NONE`] for an edit.
    pub(crate) account: u32,
}

impl Refusals {
    /// Records a refusal; gives its number.
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

/// The user of a core workload of this controller; for a trace, the row names the user.
fn user_of(world: &World<'_>, owner: u32, row: u32) -> u32 {
    let place = world.rows.places.get(&owner).and_then(|rows| rows.get(row as usize));
    place.map_or(world.controllers[owner].user, |place| place.user)
}

/// The account of a core workload with this controller and namespace, by the current users, groups and tree.
pub(crate) fn account_of(world: &mut World<'_>, owner: u32, row: u32, namespace: u32) -> u32 {
    let user = user_of(world, owner, row);
    let mut group = NONE;
    if world.access.tenants.asks()
        && let Some(name) = world.accounts.user_name(user)
        && let Some(leaf) = leaf_name(world, namespace)
    {
        let found = world.access.tenants.group_of(name, leaf).cloned();
        group = world.accounts.group(found.as_ref());
    }
    let tally = world.controllers[owner].tally;
    world.accounts.number(UsageAccountKey { tally, user, group, namespace })
}

fn leaf_name<'w>(world: &'w World<'_>, namespace: u32) -> Option<&'w Name> {
    let leaf = world.namespaces[namespace].leaf?;
    Some(world.trees.current().name(QuotaId(leaf)))
}

/// Whether a workload, an instance of it, or a row of a trace may be submitted. If not, records the refusal.
pub(crate) fn may_submit(world: &mut World<'_>, owner: u32, row: Option<u32>) -> bool {
    let place = row.and_then(|row| world.rows.places.get(&owner)?.get(row as usize));
    let namespace = place.map_or(world.controllers[owner].namespace, |place| place.namespace);
    let user = user_of(world, owner, row.unwrap_or(NONE));
    if user == NONE || !world.access.tenants.asks() {
        return true;
    }
    let Some(name) = world.accounts.user_name(user).cloned() else {
        return true;
    };
    let unquotaed = world.scenario.policy.unquotaed == Unquotaed::Schedule;
    let (tenants, leaf) = (&world.access.tenants, leaf_name(world, namespace));
    let Err(refusal) = tenants.may_submit(&name, &world.namespaces[namespace].name, leaf, unquotaed) else {
        return true;
    };
    let tally = world.controllers[owner].tally;
    let account = world.accounts.number(UsageAccountKey { tally, user, group: NONE, namespace });
    world.accounts.all[account].refused += 1;
    let what = world.workload_of(owner).map_or_else(String::new, |workload| workload.name.clone());
    refuse(world, Attempt { what: format!("workload `{what}`"), by: Some(&name), account }, &refusal);
    false
}

/// Whether the user of a change in the scenario may make it. If not, records the refusal.
pub(crate) fn may_change(world: &mut World<'_>, timed: &TimedChange) -> bool {
    let Some(by) = &timed.by else {
        return true;
    };
    let tenants = &world.access.tenants;
    let said = match &timed.change {
        Change::Scale { workload, .. } | Change::Withdraw { workload } => {
            let workload = world.scenario.workloads.get(*workload);
            let name = workload.map_or("", |w| w.name.as_str());
            tenants.may_change(by, name, workload.and_then(|w| w.user.as_ref()))
        }
        _ => tenants.may_administer(by),
    };
    let Err(refusal) = said else {
        return true;
    };
    let attempt = Attempt { what: subject(&timed.change, world.scenario), by: Some(by), account: NONE };
    if matches!(timed.change, Change::ReplaceTree { .. } | Change::EditQuota { .. } | Change::MoveNamespace { .. }) {
        refuse_tree(world, attempt, &refusal);
    } else {
        refuse(world, attempt, &refusal);
    }
    false
}

/// Records a refusal.
fn refuse(world: &mut World<'_>, attempt: Attempt<'_>, refusal: &Refusal) {
    let refusal = note(world, attempt, refusal);
    world.trace(TraceEvent::Refused { refusal });
}

/// Records that an edit of the quota tree was refused.
pub(crate) fn refuse_tree(world: &mut World<'_>, attempt: Attempt<'_>, refusal: &Refusal) {
    let refusal = note(world, attempt, refusal);
    world.trace(TraceEvent::Tree { refused: Some(refusal) });
}

/// Records a refusal for the report, without a record in the trace.
pub(crate) fn note(world: &mut World<'_>, attempt: Attempt<'_>, refusal: &Refusal) -> u32 {
    let user = world.accounts.user(attempt.by);
    world.access.refusals.add(attempt, user, refusal, world.now.0)
}

/// Edits users or groups, or refuses the edit.
pub(crate) fn edit_people(world: &mut World<'_>, edit: &PeopleEdit, by: Option<&Name>) {
    let mut tenants = std::mem::take(&mut world.access.tenants);
    let edited = tenants.edit(edit, &*world);
    world.access.tenants = tenants;
    match edited {
        Ok(()) => {
            match edit {
                PeopleEdit::AddUser(user) => {
                    world.accounts.user(Some(&user.name));
                }
                PeopleEdit::AddGroup(group) => {
                    world.accounts.group(Some(&group.name));
                }
                _ => {}
            }
            world.trace(TraceEvent::People);
        }
        Err(refusal) => refuse(world, Attempt { what: edit.subject(), by, account: NONE }, &refusal),
    }
}

impl Surroundings for World<'_> {
    fn is_leaf(&self, quota: &Name) -> bool {
        let tree = self.trees.current();
        tree.by_name(quota.as_str()).is_some_and(|quota| tree.is_leaf(quota))
    }

    fn running(&self, group: &Name) -> Vec<String> {
        let Some(number) = self.accounts.find_group(group.as_str()) else {
            return Vec::new();
        };
        let of_group = |account: u32| self.accounts.all[account].key.group == number;
        if self.accounts.all.iter().all(|account| account.key.group != number || account.counts.running == 0) {
            return Vec::new();
        }
        let runs =
            |pod: &u32| self.pods[*pod].state.holds_resources() && of_group(self.units[self.pods[*pod].unit].account);
        self.pods.ids().filter(runs).map(|pod| pod_name(self, pod)).collect()
    }
}

/// The subject of a change, as text.
fn subject(change: &Change, scenario: &Scenario) -> String {
    let workload = |i: usize| scenario.workloads.get(i).map_or("", |w| w.name.as_str());
    let node = |i: usize| scenario.cluster.nodes.get(i).map_or("", |n| n.name.as_str());
    match change {
        Change::Scale { workload: i, .. }
        | Change::Withdraw { workload: i }
        | Change::EditWorkload { workload: i, .. }
        | Change::Resize { workload: i, .. } => format!("workload `{}`", workload(*i)),
        Change::RestartScheduler => "scheduler".to_owned(),
        Change::ReplaceTree { .. } => "quota tree".to_owned(),
        Change::EditQuota { quota, .. } => format!("quota `{quota}`"),
        Change::MoveNamespace { namespace, .. } => format!("namespace `{namespace}`"),
        Change::People(edit) => edit.subject(),
        Change::NodeDown { node: i } | Change::NodeUp { node: i } | Change::Cordon { node: i, .. } => {
            format!("node `{}`", node(*i))
        }
        Change::Devices(
            DeviceChange::Unhealthy { node: i, .. }
            | DeviceChange::Healthy { node: i, .. }
            | DeviceChange::Relabel { node: i, .. },
        ) => format!("node `{}`", node(*i)),
        Change::Nodes(_) => "nodes".to_owned(),
        Change::SetClass { class, .. } => format!("priority class `{class}`"),
        Change::SetBudget { budget, .. } => format!("budget `{budget}`"),
    }
}

/// Numbers all users and groups of a scenario: those declared first, then those that submit.
pub(super) fn register_all(world: &mut World<'_>) {
    let scenario = world.scenario;
    let people = &scenario.people;
    for user in &people.users {
        world.accounts.user(Some(&user.name));
    }
    for group in &people.groups {
        world.accounts.group(Some(&group.name));
    }
    let later = scenario.events.iter().any(|event| matches!(event.change, Change::People(_)));
    world.access.tenants = Tenants::new(people, later);
    for (owner, workload) in (0..).zip(&scenario.workloads) {
        let own = world.accounts.user(workload.user.as_ref());
        world.controllers[owner].user = own;
        if let (Kind::Trace { rows, .. }, Some(places)) = (&workload.kind, world.rows.places.get_mut(&owner)) {
            for (row, place) in rows.iter().zip(places) {
                place.user = if row.user.is_some() { world.accounts.user(row.user.as_ref()) } else { own };
            }
        }
    }
}
