//! Properties of a node pool besides its nodes: zone, racks, price and autoscaler; and the nodes that join it later.

use crate::{
    cluster::NodePool,
    event::{Change, Occurrence},
    files::Files,
    nodes::AddNodes,
    times::{RandomTime, latency},
};
use quotree_core::{Name, NodeId};
use quotree_model::{Autoscale as Checked, Cluster, NodePool as CheckedPool, Runtime};
use quotree_syntax::{At, Positive, Report, Span, record};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// The most nodes of a cluster.
pub(crate) const MAX_NODES: usize = 1_000_000;

record! {
    /// Adds nodes for workloads that lack nothing but room on nodes, never for workloads that a quota refuses. Idle
    /// nodes are removed.
    pub(crate) struct Autoscale in "autoscale" {
        /// The smallest number of nodes. The pool starts with its `count`.
        min: u32 = 0,
        /// The largest number of nodes.
        max: At<u32> => required,
        /// The time from the moment when a node is needed until it joins.
        delay_up: At<RandomTime> => "`0s`",
        /// A node that has had no pods for this long is removed.
        idle_down: Positive => required,
    }
}

/// The price of a node pool and how it scales.
#[derive(Debug, Clone, Default)]
pub(crate) struct Extras {
    price_milli: u64,
    autoscale: Option<Checked>,
}

impl Extras {
    /// Checks the price and the autoscaler; `count` is the initial number of nodes.
    pub(crate) fn check(read: &NodePool, count: u32, files: &mut Files<'_>, report: &mut Report) -> Self {
        let price = read.price.as_ref().and_then(|price| price.amount("price", report));
        let autoscale = read.autoscale.as_ref().and_then(|read| autoscale(read, count, files, report));
        Self { price_milli: price.and_then(|milli| u64::try_from(milli).ok()).unwrap_or(0), autoscale }
    }

    /// The largest number of nodes of the pool.
    pub(crate) fn most(&self, count: u32) -> u32 {
        self.autoscale.as_ref().map_or(count, |a| a.max.max(count))
    }

    /// The rack of a node. The initial nodes are divided evenly among the racks, in order, and so are the nodes that
    /// join later. If they do not divide evenly, the first racks have one node more.
    pub(crate) fn rack(&self, pool: &Name, racks: u32, i: u32, count: u32) -> Name {
        let (of, i) = if i < count { (count, i) } else { (self.most(count) - count, i - count) };
        let among = u64::from(i) * u64::from(racks) / u64::from(of.max(1));
        Name::from(format!("{pool}-rack-{among}"))
    }

    /// The pool, without its nodes.
    pub(crate) fn pool(&self, name: Name) -> CheckedPool {
        CheckedPool { name, nodes: Arc::new([]), price_milli: self.price_milli, autoscale: self.autoscale.clone() }
    }
}

/// `Autoscale(min: 1, max: 8, delay_up: "3m", idle_down: "10m")`
fn autoscale(read: &Autoscale, count: u32, files: &mut Files<'_>, report: &mut Report) -> Option<Checked> {
    let delay_up = latency("delay_up", read.delay_up.as_ref(), files, report);
    let (min, max, idle_down_ms) = (read.min, read.max.as_ref()?, read.idle_down?.0);
    if min > max.value || count > max.value || count < min {
        let title = format!("min {min}, count {count} and max {} are not in ascending order", max.value);
        report.error(max.span, title, "not in order").help("`count` is the initial number of nodes");
        return None;
    }
    Some(Checked { min, max: max.value, delay_up: delay_up.unwrap_or(Runtime::Fixed(0)), idle_down_ms })
}

/// Assigns every pool its nodes.
pub(crate) fn number(cluster: &mut Cluster) {
    let mut nodes: BTreeMap<&Name, Vec<u32>> = BTreeMap::new();
    for (i, node) in (0u32..).zip(&cluster.nodes) {
        nodes.entry(&node.pool).or_default().push(i);
    }
    let mut nodes: BTreeMap<Name, Vec<u32>> = nodes.into_iter().map(|(name, nodes)| (name.clone(), nodes)).collect();
    for pool in &mut cluster.pools {
        pool.nodes = nodes.remove(&pool.name).unwrap_or_default().into();
    }
}

/// Creates the nodes that `AddNodes` events will add, since other parts may refer to their names.
pub(crate) fn add_spares(events: &[Occurrence<'_>], cluster: &mut Cluster, report: &mut Report) {
    let mut wanted: BTreeMap<Name, (u64, Span)> = BTreeMap::new();
    for event in events {
        let Some(At { value: Change::AddNodes(AddNodes { pool: Some(pool), count, .. }), span }) = event.change else {
            continue;
        };
        wanted.entry(pool.value.clone()).or_insert((0, *span)).0 += u64::from(*count);
    }
    let mut names: BTreeSet<String> = BTreeSet::new();
    if !wanted.is_empty() {
        names.extend(cluster.nodes.iter().map(|node| node.name.clone()));
    }
    for (pool, (count, span)) in wanted {
        let mut last = cluster.nodes.iter().filter(|node| node.pool == pool);
        let Some(like) = last.next_back().cloned() else { continue };
        let total = count.saturating_add(cluster.nodes.len() as u64);
        if total > MAX_NODES as u64 {
            let title = format!("{total} nodes: a cluster may have at most {MAX_NODES}");
            report.error(span, title, "too many nodes");
            continue;
        }
        let first = cluster.nodes.iter().filter(|node| node.pool == pool).count() as u64;
        for number in first..first + count {
            let mut node = quotree_model::Node { name: format!("{pool}-{number}"), spare: true, ..like.clone() };
            node.spec.id = NodeId(u32::try_from(cluster.nodes.len()).unwrap_or(u32::MAX));
            if !names.insert(node.name.clone()) {
                report.error(span, format!("duplicate node `{}`", node.name), "produces a name that is already used");
                break;
            }
            cluster.nodes.push(node);
        }
    }
    number(cluster);
}
