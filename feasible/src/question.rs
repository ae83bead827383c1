//! What is asked: the parts of a scenario that decide whether pods fit.

use crate::node::Given;
use quotree_core::{Amounts, Name, NodeSpec, Policy, Time, TreeSpec};
use quotree_model::{Change, Cluster, DeviceChange, NodeChange, Scenario, TimedChange, Workload, set_label};
use std::{borrow::Cow, collections::BTreeMap};

/// The most different forms of one node, by edits, that are looked at. With more, nothing is said about nodes.
const MOST_FORMS: usize = 64;

/// The most forms of all nodes together.
const MOST_ALL: usize = 1_000_000;

/// A change of a node.
type Edit<'e> = dyn Fn(&mut NodeSpec) + 'e;

/// The parts of a scenario that decide whether pods fit.
#[derive(Debug, Clone)]
pub struct Question<'a> {
    /// The machines.
    pub cluster: &'a Cluster,
    /// The quota tree at the start.
    pub tree: &'a TreeSpec,
    /// The policy.
    pub policy: &'a Policy,
    /// The events.
    pub changes: &'a [TimedChange],
    /// Whether nodes fail at random.
    pub has_faults: bool,
    /// The end of the run.
    pub until: Option<Time>,
    /// The workloads, in the order in which events number them.
    pub workloads: Vec<&'a Workload>,
}

impl<'a> From<&'a Scenario> for Question<'a> {
    fn from(scenario: &'a Scenario) -> Self {
        Self {
            cluster: &scenario.cluster,
            tree: &scenario.tree,
            policy: &scenario.policy,
            changes: &scenario.events,
            has_faults: !scenario.faults.is_empty(),
            until: scenario.world.until,
            workloads: scenario.workloads.iter().collect(),
        }
    }
}

/// All nodes of the run, and each form that events give them as one more node. More nodes than there ever are, so what
/// does not fit here never fits. Nothing if events give nodes too many forms.
pub(crate) fn at_best<'a>(question: &Question<'a>) -> Option<Vec<Given<'a>>> {
    let cluster = question.cluster;
    let nodes_change = |timed: &TimedChange| {
        matches!(
            timed.change,
            Change::Nodes(_)
                | Change::Devices(_)
                | Change::Cordon { .. }
                | Change::NodeUp { .. }
                | Change::NodeDown { .. }
        )
    };
    // A node that is closed at the start may be opened; which event does that is not followed up.
    let may_open = question.has_faults || question.changes.iter().any(nodes_change);
    let mut forms: BTreeMap<usize, Vec<NodeSpec>> = BTreeMap::new();
    let mut all = 0;
    for timed in question.changes {
        let (nodes, edit): (Vec<usize>, &Edit<'_>) = match &timed.change {
            Change::Nodes(NodeChange::Edit { nodes, allocatable, labels, taints }) => {
                (nodes.iter().map(|node| *node as usize).collect(), &|spec: &mut NodeSpec| {
                    set(&mut spec.allocatable, allocatable);
                    labels.iter().for_each(|(label, value)| set_label(spec, label, value));
                    taints.iter().for_each(|taints| spec.taints.clone_from(taints));
                })
            }
            Change::Devices(DeviceChange::Relabel { node, labels, mode }) => (vec![*node], &|spec: &mut NodeSpec| {
                labels.iter().for_each(|(label, value)| set_label(spec, label, value));
                mode.iter().for_each(|(mode, gpus)| gpus.mark(*mode, spec));
            }),
            _ => continue,
        };
        for node in nodes {
            let spec = &cluster.nodes.get(node)?.spec;
            let before = forms.entry(node).or_default();
            // An edit may be refused, so all earlier forms stay.
            let mut more: Vec<NodeSpec> = std::iter::once(spec).chain(&*before).cloned().collect();
            more.iter_mut().for_each(edit);
            all += more.len();
            before.append(&mut more);
            if before.len() > MOST_FORMS || all > MOST_ALL {
                return None;
            }
        }
    }
    let opened = |spec: Cow<'a, NodeSpec>| {
        let mut spec = spec;
        if spec.unhealthy.iter().next().is_some() && may_open {
            spec.to_mut().unhealthy = quotree_core::DeviceSet::default();
        }
        (spec.schedulable || may_open).then_some(spec)
    };
    let mut given = Vec::new();
    for (at, node) in cluster.nodes.iter().enumerate() {
        let own = std::iter::once(Cow::Borrowed(&node.spec));
        let others = forms.remove(&at).into_iter().flatten().map(Cow::Owned);
        given.extend(own.chain(others).filter_map(opened).map(|spec| (&node.pool, &*node.name, spec)));
    }
    Some(given)
}

fn set(amounts: &mut Amounts, new: &Amounts) {
    new.iter().for_each(|(resource, amount)| amounts.set(resource.clone(), amount));
}

/// The nodes that the guarantees are compared with: those at the start, and those that autoscaling may add.
pub(crate) fn at_start<'a>(question: &Question<'a>) -> Vec<Given<'a>> {
    let cluster = question.cluster;
    let scales = |pool: &Name| cluster.pools.iter().any(|p| p.name == *pool && p.autoscale.is_some());
    let there = cluster.nodes.iter().filter(|node| node.spec.schedulable && (!node.spare || scales(&node.pool)));
    there.map(|node| (&node.pool, &*node.name, Cow::Borrowed(&node.spec))).collect()
}
