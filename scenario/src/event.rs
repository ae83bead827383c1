//! `events: [At("1m", Scale(..)), Every("1d", Scale(..)), ..]`: changes of the world, once or at an interval. Edits of
//! single quotas are applied to the tree expected at their time, and each resulting tree is checked.

mod people_edit;
mod recurring;
mod resize;
mod restart;
mod set_class;
mod worst_case;

pub(crate) use recurring::{Event, Occurrence, expand};

use crate::{
    gpus::{self, DeviceHealthy, DeviceUnhealthy, PodsOnIt, Relabel},
    nodes::{self, AddNodes, Drain, EditNodes, RackDown, RackUp, RemoveNodes, Slow},
    outage::Outage,
    people::{AddGroup, AddUser, EditGroup, EditUser, Leaves, RemoveGroup, RemoveUser},
    quota::{self, EditQuota, Quota, ReadTree},
    workload::ReadWorkload,
};
use quotree_core::{Name, OverPromised, Time};
use quotree_model::{
    Change as Checked, Cluster, DeviceChange, Kind, TimedChange, move_namespace,
    people::{People, PeopleEdit, Refusal, Tenants},
};
use quotree_syntax::{At as Placed, Later, Report, Span, group, record};
use resize::Resize;
use restart::RestartScheduler;
use set_class::SetClass;
use std::collections::{BTreeMap, BTreeSet};

/// The most quotas in all versions of the tree together.
const MAX_QUOTAS: usize = 10_000_000;

record! {
    /// A change at a time.
    pub(crate) struct At(time, change) in "event" {
        /// The time.
        time: Placed<Time> => required,
        /// The change.
        change: Placed<Change> => required,
        /// The user who makes the change. Only admins may make changes, except `Scale` and `Withdraw` of their own
        /// workloads, which all users may.
        by: Placed<Name> => "absent",
        /// The name by which `extends` replaces an entry.
        name: String => "absent",
    }
}

group! {
    /// The changes.
    pub(crate) enum Change in "change", "an event" {
        Scale, Withdraw, EditWorkload, SetClass, ReplaceTree, EditQuota, MoveNamespace, NodeDown, NodeUp, Cordon, Uncordon,
        SetBudget, DeviceUnhealthy, DeviceHealthy, Relabel, RackDown, RackUp, Outage, Drain, AddNodes, RemoveNodes, EditNodes,
        Slow, AddUser, RemoveUser, EditUser, AddGroup, RemoveGroup, EditGroup, Resize, RestartScheduler,
    }
}

record! {
    /// A Deployment gets another replica count.
    pub(crate) struct Scale(workload, replicas) in "change" {
        /// Which workload.
        workload: Placed<String> => required,
        /// The new count.
        replicas: Placed<u32> => required,
    }
}

record! {
    /// A workload is deleted with all its pods.
    pub(crate) struct Withdraw(workload) in "change" {
        /// Which workload.
        workload: Placed<String> => required,
    }
}

record! {
    /// A workload is edited, with its pending and running pods: all its instances, tasks and rows.
    pub(crate) struct EditWorkload(workload) in "change" {
        /// Which workload.
        workload: Placed<String> => required,
        /// The new priority; a number, even if the workload named a class.
        priority: i32 => "unchanged",
        /// Whether its pods may be evicted.
        preemptible: bool => "unchanged",
    }
}

record! {
    /// The quota tree is replaced (T4).
    pub(crate) struct ReplaceTree(quota) in "change" {
        /// The new tree.
        quota: Later<Quota> => required,
    }
}

record! {
    /// A namespace moves to another leaf. The move is refused while pods run in the namespace (T3).
    pub(crate) struct MoveNamespace(namespace, to) in "change" {
        /// Which namespace.
        namespace: Name => required,
        /// Its new leaf.
        to: Placed<Name> => "on no leaf",
    }
}

record! {
    /// A node fails; its pods are lost.
    pub(crate) struct NodeDown(node) in "change" {
        /// Which node.
        node: Placed<String> => required,
    }
}

record! {
    /// A node joins, or recovers.
    pub(crate) struct NodeUp(node) in "change" {
        /// Which node.
        node: Placed<String> => required,
    }
}

record! {
    /// A node gets no new pods.
    pub(crate) struct Cordon(node) in "change" {
        /// Which node.
        node: Placed<String> => required,
    }
}

record! {
    /// A node gets new pods again.
    pub(crate) struct Uncordon(node) in "change" {
        /// Which node.
        node: Placed<String> => required,
    }
}

record! {
    /// A disruption budget is set.
    pub(crate) struct SetBudget(budget, allowed) in "change" {
        /// Which budget.
        budget: Name => required,
        /// How many of its pods may be evicted.
        allowed: u32 => required,
    }
}

/// The names that events may use.
pub(crate) struct Known<'a> {
    pub(crate) workloads: &'a [ReadWorkload],
    /// Workloads that are written but could not be read.
    pub(crate) damaged: &'a BTreeSet<Name>,
    pub(crate) cluster: &'a Cluster,
    pub(crate) people: &'a People,
    pub(crate) classes: &'a BTreeMap<Name, i32>,
    pub(crate) over_promised: OverPromised,
}

/// The events in the order of time, and all trees that result from them.
#[derive(Default)]
pub(crate) struct ReadEvents {
    pub(crate) changes: Vec<TimedChange>,
    pub(crate) trees: Vec<ReadTree>,
    /// The time and the place of each event.
    pub(crate) places: Vec<(Time, Span)>,
    /// The budgets that events set.
    pub(crate) budgets: Vec<Name>,
    /// Replica counts that events give to Deployments, with their places.
    pub(crate) scales: Vec<(u32, Span)>,
    /// Whether events edit users or groups, and every user that is added.
    pub(crate) people: bool,
    pub(crate) users: Vec<Name>,
    /// Every group that is added.
    pub(crate) groups: Vec<Name>,
}

/// Checks all events; `tree` is the tree at time 0.
pub(crate) fn check(
    written: &[Occurrence<'_>],
    tree: Option<&ReadTree>,
    known: &Known<'_>,
    report: &mut Report,
) -> ReadEvents {
    let mut events = ReadEvents::default();
    let mut timed: Vec<&Occurrence<'_>> = written.iter().collect();
    events.places.extend(written.iter().map(|event| (event.at, event.span)));
    timed.sort_by_key(|event| event.at);
    let by_name = known.cluster.nodes.iter().enumerate().map(|(i, node)| (node.name.as_str(), i)).collect();
    let names = known.workloads.iter().enumerate().map(|(i, w)| (w.workload.name.as_str(), i)).collect();
    let tenants = Tenants::new(known.people, false);
    let (nodes, places, tree) = (by_name, nodes::Places::of(known.cluster), tree.cloned());
    let mut checking = Checking { known, nodes, places, names, tree, tenants, quotas: 0, events, report };
    for event in timed {
        let Some(change) = event.change else { continue };
        let before = checking.report.len();
        let by = event.by.and_then(|by| checking.user(by));
        if let Some(change) = checking.change(&change.value, event.at, by.as_ref()) {
            checking.events.changes.push(TimedChange { at: event.at, by, change });
        }
        if event.is_repeated {
            checking.report.drop_repeats(before);
        }
    }
    let Checking { mut events, report, .. } = checking;
    worst_case::only_one(written, &mut events, report);
    events
}

struct Checking<'a, 'r> {
    known: &'a Known<'a>,
    nodes: BTreeMap<&'a str, usize>,
    places: nodes::Places<'a>,
    names: BTreeMap<&'a str, usize>,
    /// The tree at the time of the current event, as far as it is known before the run.
    tree: Option<ReadTree>,
    tenants: Tenants,
    quotas: usize,
    events: ReadEvents,
    report: &'r mut Report,
}

impl Checking<'_, '_> {
    fn change(&mut self, change: &Change, at: Time, by: Option<&Name>) -> Option<Checked> {
        let goes = self.may(change, by);
        if let Some(edit) = people_edit::of(change) {
            self.events.people = true;
            return self.people(change.span(), edit?, goes);
        }
        Some(match change {
            Change::Scale(read) => return self.scale(read, at),
            Change::Withdraw(read) => Checked::Withdraw { workload: self.workload(&read.workload)? },
            Change::EditWorkload(read) => Checked::EditWorkload {
                workload: self.workload(&read.workload)?,
                priority: read.priority,
                preemptible: read.preemptible,
            },
            Change::SetClass(read) => return read.check(self),
            Change::Resize(read) => return read.check(self),
            Change::RestartScheduler(_) => Checked::RestartScheduler,
            Change::ReplaceTree(read) => {
                let tree = quota::read(read.quota.as_ref()?.node(), self.report)?;
                tree.check(self.known.over_promised, self.report);
                let spec = tree.spec.clone();
                self.new_tree(tree, read.span, goes)?;
                Checked::ReplaceTree { tree: spec }
            }
            Change::EditQuota(read) => {
                let mut tree = self.tree.clone().unwrap_or_default();
                let edit = quota::edit(&mut tree, read, self.report);
                let before = self.tree.as_ref()?;
                tree.check_edit(before, read.span, self.known.over_promised, self.report);
                self.new_tree(tree, read.span, goes)?;
                let (quota, edit) = edit?;
                Checked::EditQuota { quota, edit: Box::new(edit) }
            }
            Change::MoveNamespace(read) => return self.move_namespace(read, goes),
            Change::NodeDown(read) => Checked::NodeDown { node: self.node(&read.node)?.value },
            Change::NodeUp(read) => Checked::NodeUp { node: self.node(&read.node)?.value },
            Change::Cordon(read) => Checked::Cordon { node: self.node(&read.node)?.value, cordoned: true },
            Change::Uncordon(read) => Checked::Cordon { node: self.node(&read.node)?.value, cordoned: false },
            Change::SetBudget(read) => {
                self.events.budgets.extend(read.budget.clone());
                Checked::SetBudget { budget: read.budget.clone()?, allowed: read.allowed? }
            }
            Change::DeviceUnhealthy(_) | Change::DeviceHealthy(_) | Change::Relabel(_) => {
                Checked::Devices(self.device_change(change)?)
            }
            _ => Checked::Nodes(self.node_change(change)?),
        })
    }

    fn device_change(&mut self, change: &Change) -> Option<DeviceChange> {
        let cluster = self.known.cluster;
        Some(match change {
            Change::DeviceUnhealthy(read) => {
                let node = self.node(&read.node)?.value;
                let device = gpus::device(node, read.device.as_ref()?, cluster, self.report)?;
                DeviceChange::Unhealthy { node, device, lost: read.pods == PodsOnIt::Lost }
            }
            Change::DeviceHealthy(read) => {
                let node = self.node(&read.node)?.value;
                DeviceChange::Healthy { node, device: gpus::device(node, read.device.as_ref()?, cluster, self.report)? }
            }
            Change::Relabel(read) => {
                let node = self.node(&read.node)?;
                gpus::relabel(read, node, cluster, self.report)?
            }
            _ => return None,
        })
    }

    fn node_change(&mut self, change: &Change) -> Option<quotree_model::NodeChange> {
        let (places, report) = (&mut self.places, &mut *self.report);
        match change {
            Change::RackDown(read) => places.rack(read.rack.as_ref()?, true, report),
            Change::RackUp(read) => places.rack(read.rack.as_ref()?, false, report),
            Change::Outage(read) => read.check(places, report),
            Change::Drain(read) => places.drain(read, report),
            Change::AddNodes(read) => places.add(read, report),
            Change::RemoveNodes(read) => places.remove(read, report),
            Change::EditNodes(read) => places.edit(read, report),
            Change::Slow(read) => places.slow(read, report),
            _ => None,
        }
    }

    fn scale(&mut self, read: &Scale, at: Time) -> Option<Checked> {
        let (workload, replicas) = (self.workload(&read.workload)?, read.replicas.as_ref()?);
        let scaled = self.known.workloads.get(workload)?;
        let once = scaled.workload.arrivals.is_none();
        if !matches!(scaled.workload.kind, Kind::Deployment { .. }) || !once {
            let what = if once {
                "is not a Deployment, and only a Deployment can be scaled"
            } else {
                "recurs, so it cannot be scaled"
            };
            let title = format!("`{}` {what}", scaled.workload.name);
            self.report.error(read.span, title, "cannot be scaled");
            return None;
        }
        if at <= scaled.workload.submit {
            let title = format!("this event has no effect: `{}` is submitted only after it", scaled.workload.name);
            let help = "at the same time, events take effect before submissions";
            self.report.warning(read.span, title, "no effect").help(help);
        }
        self.events.scales.push((replicas.value, replicas.span));
        Some(Checked::Scale { workload, replicas: replicas.value })
    }

    fn workload(&mut self, name: &Option<Placed<String>>) -> Option<usize> {
        let name = name.as_ref()?;
        let found = self.names.get(name.value.as_str()).copied();
        if found.is_none() && !self.known.damaged.contains(&Name::from(name.value.as_str())) {
            let title = format!("there is no workload `{}`", name.value);
            self.report
                .error(name.span, title, "unknown workload")
                .did_you_mean(&name.value, self.names.keys().copied());
        }
        found
    }

    /// The index of a node, with the place where it is named.
    fn node(&mut self, name: &Option<Placed<String>>) -> Option<Placed<usize>> {
        let name = name.as_ref()?;
        let found = self.nodes.get(name.value.as_str()).copied();
        if found.is_none() {
            let title = format!("there is no node `{}`", name.value);
            self.report.error(name.span, title, "unknown node").did_you_mean(&name.value, self.nodes.keys().copied());
        }
        found.map(|value| Placed { value, span: name.span })
    }

    /// Whether this user may make this change at that time, as far as that is known before the run. If not, adds a
    /// warning.
    fn may(&mut self, change: &Change, by: Option<&Name>) -> bool {
        let said = match by {
            Some(by) if !matches!(change, Change::Scale(_) | Change::Withdraw(_)) => self.tenants.may_administer(by),
            _ => Ok(()),
        };
        self.is_accepted(change.span(), said)
    }

    /// Warns of an edit that the run will refuse. Returns whether the edit will be accepted.
    fn is_accepted(&mut self, span: Span, said: Result<(), Refusal>) -> bool {
        if let Err(refusal) = &said {
            self.report.warning(span, format!("this request will be refused: {refusal}"), "this event has no effect");
        }
        said.is_ok()
    }

    /// The user of an event, if there is such a user at some time.
    fn user(&mut self, by: &Placed<Name>) -> Option<Name> {
        let known = || self.known.people.users.iter().map(|user| &user.name).chain(&self.events.users);
        if !known().any(|user| *user == by.value) {
            let names: Vec<Name> = known().cloned().collect();
            self.report
                .error(by.span, format!("there is no user `{}`", by.value), "unknown user")
                .did_you_mean(by.value.as_str(), names.iter().map(Name::as_str))
                .help("users are declared at the top: `users: [User(name: \"ada\", role: Admin)]`");
            return None;
        }
        Some(by.value.clone())
    }

    fn move_namespace(&mut self, read: &MoveNamespace, goes: bool) -> Option<Checked> {
        let mut tree = self.tree.clone()?;
        let leaves = Leaves::of(&tree);
        if let Some(to) = read.to.as_ref().filter(|to| !leaves.all.contains(&to.value)) {
            self.report
                .error(to.span, format!("`{}` is not a leaf of the quota tree", to.value), "not a leaf")
                .did_you_mean(to.value.as_str(), leaves.all.iter().map(Name::as_str));
            return None;
        }
        let (namespace, to) = (read.namespace.clone()?, read.to.as_ref().map(|to| to.value.clone()));
        move_namespace(&mut tree.spec, &namespace, to.as_ref());
        self.new_tree(tree, read.span, goes)?;
        Some(Checked::MoveNamespace { namespace, to })
    }

    fn people(&mut self, span: Span, edit: PeopleEdit, goes: bool) -> Option<Checked> {
        match &edit {
            PeopleEdit::AddUser(user) => self.events.users.push(user.name.clone()),
            PeopleEdit::AddGroup(group) => self.events.groups.push(group.name.clone()),
            _ => {}
        }
        let leaves = self.tree.as_ref().filter(|tree| !tree.is_damaged()).map(Leaves::of);
        if let Some(leaves) = leaves.filter(|_| goes) {
            let said = self.tenants.edit(&edit, &leaves);
            self.is_accepted(span, said);
        }
        Some(Checked::People(edit))
    }

    /// Adds a tree that results from an event. An edit that will be refused does not affect the trees after it.
    fn new_tree(&mut self, tree: ReadTree, span: Span, goes: bool) -> Option<()> {
        self.quotas = self.quotas.saturating_add(tree.spec.quotas.len());
        if self.quotas > MAX_QUOTAS {
            let title = format!("all versions of the tree have more than {MAX_QUOTAS} quotas in sum");
            self.report.error(span, title, "too large");
            return None;
        }
        self.events.trees.push(tree.clone());
        let leaves = Leaves::of(&tree);
        let said = self.tenants.may_plant(|leaf| leaves.all.contains(leaf));
        if goes && (tree.is_damaged() || self.is_accepted(span, said)) {
            self.tree = Some(tree);
        }
        Some(())
    }
}
