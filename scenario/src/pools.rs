//! What a node pool says beside what its nodes are: where they stand, what they cost, whether it grows by itself; and the
//! nodes that join it later.

use super::{
    diagnostic::{Report, Span},
    files::Files,
    reader::{At, Fields, Read, Variant, variant},
    syntax::{Node, Shape},
    times::latency,
    values::{Positive, quantity},
};
use quotree_core::{Name, NodeId};
use quotree_model::{Autoscale, Cluster, NodePool, Runtime};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// A cluster may have this many nodes.
pub(crate) const MAX_NODES: usize = 1_000_000;

/// The further fields of a `NodePool`.
#[derive(Debug, Clone, Default)]
pub(crate) struct Extras {
    price_milli: u64,
    autoscale: Option<Autoscale>,
}

impl Extras {
    /// Reads them; `count` nodes are there at first.
    pub(crate) fn read(fields: &mut Fields<'_>, count: u32, files: &mut Files<'_>, report: &mut Report) -> Self {
        let mut extras = Self::default();
        let price = fields.node("price").and_then(|node| quantity(node, "price", report));
        extras.price_milli = price.and_then(|milli| u64::try_from(milli).ok()).unwrap_or(0);
        extras.autoscale = fields.node("autoscale").and_then(|node| autoscale(node, count, files, report));
        extras
    }

    /// How many nodes there can be.
    pub(crate) fn most(&self, count: u32) -> u32 {
        self.autoscale.as_ref().map_or(count, |a| a.max.max(count))
    }

    /// The rack of a node: racks are filled evenly and in order by the nodes that are there at first, and so again by
    /// those that come. The first racks have one node more where they do not come out even.
    pub(crate) fn rack(&self, pool: &Name, racks: u32, i: u32, count: u32) -> Name {
        let (of, i) = if i < count { (count, i) } else { (self.most(count) - count, i - count) };
        let among = u64::from(i) * u64::from(racks) / u64::from(of.max(1));
        Name::from(format!("{pool}-rack-{among}"))
    }

    /// The pool, without its nodes.
    pub(crate) fn pool(&self, name: Name) -> NodePool {
        NodePool { name, nodes: Arc::new([]), price_milli: self.price_milli, autoscale: self.autoscale.clone() }
    }
}

/// `Autoscale(min: 1, max: 8, delay_up: "3m", idle_down: "10m")`
fn autoscale(node: &Node, count: u32, files: &mut Files<'_>, report: &mut Report) -> Option<Autoscale> {
    let variant = variant(node, &["Autoscale"], "`Autoscale(..)`", report)?;
    let mut fields = variant.fields(&[], report);
    let min = fields.or("min", 0, report);
    let max = fields.required::<At<u32>>("max", report);
    let delay_up = fields.node("delay_up").and_then(|node| latency("delay_up", node, files, report));
    let idle_down_ms = fields.required::<Positive>("idle_down", report);
    fields.finish(report);
    let (max, idle_down_ms) = (max?, idle_down_ms?.0);
    if min > max.value || count > max.value || count < min {
        let title = format!("min {min}, count {count}, max {}: they must go up", max.value);
        report.error(max.span, title, "not in order").help("`count` nodes are there at first");
        return None;
    }
    Some(Autoscale { min, max: max.value, delay_up: delay_up.unwrap_or(Runtime::Fixed(0)), idle_down_ms })
}

/// Gives every pool its nodes.
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

/// Makes the nodes that `AddNodes` events will bring: they must be known, and named, before anything names them. What is
/// wrong with the events is told by who reads them.
pub(crate) fn add_spares(events: &[&Node], cluster: &mut Cluster, report: &mut Report) {
    let mut wanted: BTreeMap<Name, (u64, Span)> = BTreeMap::new();
    for event in events {
        let Some((pool, count, span)) = added(event) else { continue };
        wanted.entry(pool).or_insert((0, span)).0 += u64::from(count);
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
                report.error(span, format!("a second node `{}`", node.name), "makes a name that is taken");
                break;
            }
            cluster.nodes.push(node);
        }
    }
    number(cluster);
}

/// Pool and count of an `At(time, AddNodes(pool: .., count: ..))`.
fn added(event: &Node) -> Option<(Name, u32, Span)> {
    let Shape::Struct(at) = &event.shape else { return None };
    let change = at.fields.iter().find(|(ident, _)| ident.text == "change").map(|(_, node)| node);
    let change = change.or_else(|| at.args.iter().find(|node| is_named(node, "AddNodes")))?;
    let variant: Variant<'_> = if is_named(change, "AddNodes") {
        variant(change, &["AddNodes"], "", &mut Report::default())?
    } else {
        return None;
    };
    let mut quiet = Report::default();
    let mut fields = variant.fields(super::nodes::ADD_NODES, &mut quiet);
    let pool = fields.optional::<Name>("pool", &mut quiet)?;
    let count = fields.node("count").map_or(Some(1), |node| u32::read(node, &mut quiet))?;
    Some((pool, count, change.span))
}

fn is_named(node: &Node, name: &str) -> bool {
    matches!(&node.shape, Shape::Struct(body) if body.name.as_ref().is_some_and(|n| n.text == name))
}
