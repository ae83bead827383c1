//! A picture of a cluster at one moment, in plain tables, taken from what a scheduler shows and from the books.

use super::books::Books;
use quotree_core::{Name, NodeId, NodeSpec, PodId, PodState, PodTemplate, Policy, Scheduler, Time, WorkloadId};
use std::collections::BTreeSet;

/// Amounts, by the place of the resource in [`Picture::names`].
pub(crate) type Row = Vec<i64>;

/// A quota; the root is the first.
#[derive(Debug, Clone)]
pub(crate) struct Quota {
    pub(crate) parent: Option<usize>,
    pub(crate) min: Row,
    /// `i64::MAX` where there is none.
    pub(crate) max: Row,
    pub(crate) used: Row,
    /// Used by pods that are not preemptible.
    pub(crate) fixed: Row,
}

#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) id: NodeId,
    pub(crate) spec: NodeSpec,
    pub(crate) free: Row,
}

/// A workload of which pods run.
#[derive(Debug, Clone)]
pub(crate) struct Owner {
    pub(crate) id: WorkloadId,
    pub(crate) leaf: usize,
    pub(crate) priority: i32,
    /// Whether R2(c) allows it as a victim.
    pub(crate) evictable: bool,
    /// Whether only that it was bound at this moment protects it.
    pub(crate) just_bound: bool,
    pub(crate) started: Time,
    /// What is left of its disruption budget.
    pub(crate) budget: Option<u32>,
    /// The minimum of each kind of its pods.
    pub(crate) minimums: Vec<u32>,
}

/// A pod that runs.
#[derive(Debug, Clone)]
pub(crate) struct Pod {
    pub(crate) id: PodId,
    /// The place of its workload in [`Picture::owners`].
    pub(crate) owner: usize,
    /// Its kind among the pods of the workload.
    pub(crate) kind: usize,
    /// The place of its node in [`Picture::nodes`].
    pub(crate) node: usize,
    pub(crate) row: Row,
}

/// What a workload asks for: so many equal pods.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) id: WorkloadId,
    pub(crate) leaf: usize,
    pub(crate) preemptible: bool,
    pub(crate) template: PodTemplate,
    pub(crate) row: Row,
    pub(crate) count: i64,
}

#[derive(Debug, Clone)]
pub(crate) struct Picture {
    pub(crate) policy: Policy,
    pub(crate) now: Time,
    pub(crate) names: Vec<Name>,
    pub(crate) governed: Vec<bool>,
    /// In which resources somebody is guaranteed something.
    pub(crate) counted: Vec<bool>,
    pub(crate) quotas: Vec<Quota>,
    pub(crate) nodes: Vec<Node>,
    pub(crate) owners: Vec<Owner>,
    pub(crate) pods: Vec<Pod>,
    /// The pending workloads that no strict queue keeps waiting.
    pub(crate) asked: Vec<Asked>,
}

impl Picture {
    /// The picture; nothing while a hold waits or a pod is being bound or leaves, and where something is in the world
    /// that this does not draw (pods without a quota, unlike pods in a gang, devices, more than 64 pods).
    pub(crate) fn of(core: &Scheduler, books: &Books, now: Time) -> Option<Self> {
        let tree = core.tree();
        let views: Vec<_> = books.workloads.keys().filter_map(|id| core.workload(*id)).collect();
        let mut names: BTreeSet<Name> = tree.governed().cloned().collect();
        let templates = books.workloads.values().flat_map(|book| &book.sets).map(|(template, _)| template);
        names.extend(templates.flat_map(|template| template.request.iter().map(|(name, _)| name.clone())));
        let names: Vec<Name> = names.into_iter().collect();
        let governed: Vec<bool> = names.iter().map(|name| tree.governed().any(|g| g == name)).collect();
        let row_of = |of: &dyn Fn(&Name) -> i64| names.iter().map(of).collect::<Row>();
        let listed = |row: &[i64], absent: i64| {
            row_of(&|name| tree.governed().position(|g| g == name).and_then(|r| row.get(r).copied()).unwrap_or(absent))
        };
        let quotas: Vec<Quota> = tree
            .ids()
            .map(|q| {
                let usage = core.usage(q);
                Quota {
                    parent: tree.parent(q).map(|parent| parent.0 as usize),
                    min: listed(tree.min(q), 0),
                    max: listed(tree.max(q), i64::MAX),
                    used: row_of(&|name| usage.used.get(name.as_str()).unwrap_or(0)),
                    fixed: row_of(&|name| usage.used_np.get(name.as_str()).unwrap_or(0)),
                }
            })
            .collect();
        let promising = quotas.get(usize::from(quotas.len() > 1)..)?;
        let counted = (0..names.len()).map(|r| promising.iter().any(|q| q.min.get(r).is_some_and(|min| *min > 0)));
        let counted = counted.collect();
        let node = |view: &quotree_core::NodeView| {
            let has = |name: &Name| {
                let of = |amounts: &quotree_core::Amounts| amounts.get(name.as_str()).unwrap_or(0);
                of(&view.allocatable) - of(&view.used) - of(&view.held)
            };
            Some(Node { id: view.id, spec: core.node_spec(view.id)?.clone(), free: row_of(&has) })
        };
        if core.nodes().iter().any(|node| !node.devices_free.is_empty()) {
            return None;
        }
        let nodes: Vec<Node> = core.nodes().iter().filter_map(node).collect();
        let policy = core.policy().clone();
        let mut picture =
            Self { policy, now, names, governed, counted, quotas, nodes, owners: vec![], pods: vec![], asked: vec![] };
        for view in &views {
            picture.add(view, books)?;
        }
        (picture.pods.len() <= 64).then_some(picture)
    }

    fn row(&self, template: &PodTemplate) -> Row {
        self.names.iter().map(|name| template.request.get(name.as_str()).unwrap_or(0)).collect()
    }

    fn add(&mut self, view: &quotree_core::WorkloadView, books: &Books) -> Option<()> {
        let book = books.workloads.get(&view.id)?;
        if view.held || view.pods.iter().any(|pod| matches!(pod.state, PodState::Binding | PodState::Terminating)) {
            return None;
        }
        let leaf = view.leaf?.0 as usize;
        let budget = book.budget.as_ref().and_then(|budget| books.budgets.get(budget)).copied();
        let running: Vec<_> = view.pods.iter().filter(|pod| pod.state == PodState::Running).collect();
        let young = book.started.after_ms(self.policy.min_runtime_ms) > self.now && self.policy.min_runtime_ms > 0;
        let just_bound = book.bound == Some(self.now);
        let minimums: Vec<u32> = book.sets.iter().map(|(_, min)| *min).collect();
        if !running.is_empty() {
            for pod in &running {
                let kind = *book.pods.get(pod.id.ordinal as usize)?;
                let node = self.nodes.iter().position(|node| Some(node.id) == pod.node)?;
                let row = self.row(&book.sets.get(kind)?.0);
                self.pods.push(Pod { id: pod.id, owner: self.owners.len(), kind, node, row });
            }
            let evictable = view.preemptible && !young;
            let (id, priority, started) = (view.id, view.priority, book.started);
            let minimums = minimums.clone();
            self.owners.push(Owner { id, leaf, priority, evictable, just_bound, started, budget, minimums });
        }
        let waiting = view.pods.iter().filter(|pod| pod.state == PodState::Pending).count();
        let [(template, min)] = book.sets.as_slice() else { return (waiting == 0).then_some(()) };
        let lacking = (*min as usize).saturating_sub(running.len());
        if waiting > 0 && waiting >= lacking {
            let row = self.row(template);
            let (id, preemptible, template) = (view.id, view.preemptible, (**template).clone());
            let count = i64::try_from(lacking.max(1)).ok()?;
            self.asked.push(Asked { id, leaf, preemptible, template, row, count });
        }
        Some(())
    }

    /// The quota and all above it.
    pub(crate) fn path(&self, quota: usize) -> impl Iterator<Item = usize> + '_ {
        std::iter::successors(Some(quota), |q| self.quotas.get(*q)?.parent)
    }

    /// Whether the guarantees on the path below the root cover what is asked (O1).
    pub(crate) fn is_entitled(&self, asked: &Asked) -> bool {
        let alone = self.quotas.len() == 1;
        self.path(asked.leaf).filter(|q| *q > 0 || alone).filter_map(|q| self.quotas.get(q)).all(|quota| {
            self.requested(asked).all(|(r, amount)| !self.counted[r] || quota.used[r] + amount <= quota.min[r])
        })
    }

    /// What is asked in sum, of the resources that are requested.
    pub(crate) fn requested<'a>(&self, asked: &'a Asked) -> impl Iterator<Item = (usize, i64)> + use<'a> {
        let sums = asked.row.iter().map(|amount| amount * asked.count).enumerate();
        sums.filter(|(_, amount)| *amount > 0)
    }
}
