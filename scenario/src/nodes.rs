//! Changes of nodes among the `events`, and `faults`. All of them name their nodes in the same way: one `node`, or all
//! nodes of a `pool`, a `rack` or a `zone`.

use crate::{
    files::Files,
    times::{RandomTime, latency, runtime},
};
use quotree_core::{Amounts, Name, Time};
use quotree_model::{Cluster, Faults as CheckedFaults, MAX_MS, NodeChange, Nodes, Runtime};
use quotree_syntax::{At, Fields, Part, Permille, Positive, Report, Row, Texts, record};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

record! {
    /// All nodes of a rack fail. A node recovers with the rack, unless another cause keeps it down.
    pub(crate) struct RackDown(rack) in "change" {
        /// Which rack.
        rack: At<Name> => required,
    }
}

record! {
    /// A rack recovers.
    pub(crate) struct RackUp(rack) in "change" {
        /// Which rack.
        rack: At<Name> => required,
    }
}

record! {
    /// Nodes are cordoned, and their pods are evicted as far as disruption budgets allow it, gangs as a whole.
    /// `Uncordon` ends the drain.
    pub(crate) struct Drain(node) in "change" {
        nodes: WhichNodes => embedded,
        /// The longest time of the drain.
        within: Positive => "as long as it takes",
        /// Whether pods that remain after `within` are killed.
        kill: At<bool> => "false",
    }
}

record! {
    /// More nodes join a pool; their numbers continue those of the pool.
    pub(crate) struct AddNodes(pool, count) in "change" {
        /// Which pool.
        pool: At<Name> => required,
        /// How many nodes.
        count: u32 = 1,
    }
}

record! {
    /// Nodes are removed for good.
    pub(crate) struct RemoveNodes(node) in "change" {
        nodes: WhichNodes => embedded,
        /// How many of the existing nodes are removed, the last ones first.
        count: u32 => "all",
        /// How long they are drained first. Without a drain, their pods are lost.
        drain: Positive => "absent",
    }
}

record! {
    /// Nodes are relabelled or resized. Pods that no longer fit stay until they end.
    pub(crate) struct EditNodes(node) in "change" {
        nodes: WhichNodes => embedded,
        /// New amounts of these resources; the others are unchanged.
        allocatable: At<Amounts> => "unchanged",
        /// New values of these labels; the others are unchanged.
        labels: Texts => "unchanged",
        /// The new taints.
        taints: Vec<Name> => "unchanged",
    }
}

record! {
    /// Work on nodes proceeds at another speed from now on. A gang runs at the speed of its slowest member.
    pub(crate) struct Slow(node) in "change" {
        nodes: WhichNodes => embedded,
        /// The part of full speed; 1 restores full speed.
        speed: At<Permille> => required,
    }
}

record! {
    /// Nodes that fail and are repaired repeatedly.
    pub(crate) struct Faults in "faults" {
        nodes: WhichNodes => embedded,
        /// The time from the start, or from a repair, to the next failure.
        mtbf: At<RandomTime> => required,
        /// The time from a failure to its repair.
        mttr: At<RandomTime> => required,
        /// When the time to the first failure starts.
        from: Time = Time(0),
        /// When failures end.
        until: Time => "the end of the world",
        /// The label of its random streams, and the name by which `extends` replaces an entry.
        name: At<Name> => "that of the nodes",
    }
}

/// The nodes of a change: exactly one of the four fields is given.
#[derive(Debug, Clone)]
pub(crate) struct WhichNodes {
    pub(crate) given: Vec<(&'static str, At<Name>)>,
}

impl Part for WhichNodes {
    fn rows() -> Vec<Row> {
        [
            ("node", "One node; it may be written without the name of the field."),
            ("pool", "All nodes of a pool."),
            ("rack", "All nodes of a rack."),
            ("zone", "All nodes of a zone."),
        ]
        .map(|(field, about)| Row::of::<Name>(field, "one of the four", &[about]))
        .into()
    }

    fn take(fields: &mut Fields<'_>, report: &mut Report) -> Self {
        let mut given = Vec::new();
        for kind in ["node", "pool", "rack", "zone"] {
            given.extend(fields.optional::<At<Name>>(kind, report).map(|name| (kind, name)));
        }
        if given.is_empty() {
            let title = format!("`{}` selects no nodes: it needs `node`, `pool`, `rack` or `zone`", fields.name);
            report.error(fields.span, title, "one of the four is needed");
        } else if let Some((_, name)) = given.get(1) {
            report.error(name.span, "give only one of `node`, `pool`, `rack` and `zone`", "more than one");
            given.clear();
        }
        Self { given }
    }
}

/// The nodes of a cluster by name, pool, rack and zone.
pub(crate) struct Places<'a> {
    pub(crate) cluster: &'a Cluster,
    pub(crate) by: BTreeMap<&'static str, BTreeMap<Name, Nodes>>,
    /// The spare nodes of each pool that no event has added yet.
    spares: BTreeMap<Name, Vec<u32>>,
}

impl<'a> Places<'a> {
    pub(crate) fn of(cluster: &'a Cluster) -> Self {
        let mut racks: BTreeMap<&Name, Vec<u32>> = BTreeMap::new();
        let mut zones: BTreeMap<&Name, Vec<u32>> = BTreeMap::new();
        let mut spares: BTreeMap<Name, Vec<u32>> = BTreeMap::new();
        for (i, node) in (0u32..).zip(&cluster.nodes) {
            if let Some(rack) = &node.spec.rack {
                racks.entry(rack).or_default().push(i);
            }
            if let Some(zone) = &node.spec.zone {
                zones.entry(zone).or_default().push(i);
            }
            if node.spare {
                spares.entry(node.pool.clone()).or_default().push(i);
            }
        }
        let shared = |map: BTreeMap<&Name, Vec<u32>>| map.into_iter().map(|(n, v)| (n.clone(), v.into())).collect();
        let pools = cluster.pools.iter().map(|pool| (pool.name.clone(), Arc::clone(&pool.nodes))).collect();
        let by = BTreeMap::from([("pool", pools), ("rack", shared(racks)), ("zone", shared(zones))]);
        Self { cluster, by, spares }
    }

    /// The nodes of a pool, rack or zone.
    fn named(&self, kind: &'static str, name: &At<Name>, report: &mut Report) -> Option<Nodes> {
        let known = self.by.get(kind)?;
        let found = known.get(&name.value).cloned();
        if found.is_none() {
            let title = format!("there is no {kind} `{}`", name.value);
            let error = report.error(name.span, title, format!("unknown {kind}"));
            let error = error.did_you_mean(name.value.as_str(), known.keys().map(Name::as_str));
            if known.is_empty() && kind != "pool" {
                error.help(format!("give the node pools a `{kind}`"));
            }
        }
        found
    }

    /// The nodes of a change, and what messages call them.
    pub(crate) fn which(&self, which: &WhichNodes, report: &mut Report) -> Option<(Nodes, Name)> {
        let (kind, name) = which.given.first()?;
        let found = if *kind == "node" { self.one(name, report) } else { self.named(kind, name, report) };
        found.map(|nodes| (nodes, name.value.clone()))
    }

    fn one(&self, name: &At<Name>, report: &mut Report) -> Option<Nodes> {
        let nodes = &self.cluster.nodes;
        let found = (0u32..).zip(nodes).find(|(_, node)| node.name == name.value.as_str());
        if found.is_none() {
            report
                .error(name.span, format!("there is no node `{}`", name.value), "unknown node")
                .did_you_mean(name.value.as_str(), nodes.iter().map(|node| node.name.as_str()));
        }
        found.map(|(i, _)| Arc::from([i]))
    }

    /// Checks `RackDown` and `RackUp`.
    pub(crate) fn rack(&self, rack: &At<Name>, down: bool, report: &mut Report) -> Option<NodeChange> {
        let nodes = self.named("rack", rack, report)?;
        let number = self.by.get("rack")?.keys().position(|name| *name == rack.value)?;
        Some(NodeChange::Rack { rack: u32::try_from(number).unwrap_or(u32::MAX), nodes, down })
    }

    pub(crate) fn drain(&self, read: &Drain, report: &mut Report) -> Option<NodeChange> {
        let nodes = self.which(&read.nodes, report);
        let kill = read.kill.as_ref().filter(|kill| kill.value);
        if let Some(kill) = kill.filter(|_| read.within.is_none()) {
            report
                .error(kill.span, "`kill` needs `within`, the time limit of the drain", "no time limit")
                .help("within: \"10m\"");
        }
        Some(NodeChange::Drain { nodes: nodes?.0, within_ms: read.within.map(|ms| ms.0), kill: kill.is_some() })
    }

    pub(crate) fn add(&mut self, read: &AddNodes, report: &mut Report) -> Option<NodeChange> {
        Some(NodeChange::Add { nodes: self.joining(read.pool.as_ref()?, read.count, report)? })
    }

    pub(crate) fn remove(&self, read: &RemoveNodes, report: &mut Report) -> Option<NodeChange> {
        let nodes = self.which(&read.nodes, report)?.0;
        Some(NodeChange::Remove { nodes, count: read.count, drain_ms: read.drain.map(|ms| ms.0) })
    }

    pub(crate) fn slow(&self, read: &Slow, report: &mut Report) -> Option<NodeChange> {
        let nodes = self.which(&read.nodes, report);
        let speed = read.speed.as_ref()?;
        let permille = u32::try_from(speed.value.0).unwrap_or(u32::MAX);
        if permille == 0 || permille > 1000 {
            report
                .error(speed.span, "the speed must be above 0 and at most 1", "out of range")
                .help("to stop a node, use `NodeDown`");
            return None;
        }
        Some(NodeChange::Slow { nodes: nodes?.0, permille })
    }

    pub(crate) fn edit(&self, read: &EditNodes, report: &mut Report) -> Option<NodeChange> {
        let (nodes, _) = self.which(&read.nodes, report)?;
        let specs = nodes.iter().filter_map(|i| self.cluster.nodes.get(*i as usize)).map(|node| &node.spec);
        let devices: BTreeSet<&Name> = specs.flat_map(|spec| &spec.devices).map(|device| &device.resource).collect();
        if let Some(At { value, span }) = &read.allocatable
            && let Some((name, _)) = value.iter().find(|(name, _)| devices.contains(name))
        {
            report
                .error(
                    *span,
                    format!("`{name}` comes as devices, and the number of devices of a node cannot change"),
                    "cannot be set",
                )
                .help("add or remove nodes instead");
            return None;
        }
        let allocatable = read.allocatable.as_ref().map(|amounts| amounts.value.clone()).unwrap_or_default();
        let labels = read.labels.clone().unwrap_or_default().0;
        Some(NodeChange::Edit { nodes, allocatable, labels, taints: read.taints.clone() })
    }

    /// The next spare nodes of a pool.
    fn joining(&mut self, pool: &At<Name>, count: u32, report: &mut Report) -> Option<Nodes> {
        self.named("pool", pool, report)?;
        let scales = self.cluster.pools.iter().find(|p| p.name == pool.value).is_some_and(|p| p.autoscale.is_some());
        if scales {
            report.error(
                pool.span,
                format!("`{}` scales automatically, so its size cannot be set", pool.value),
                "has `autoscale`",
            );
            return None;
        }
        let spares = self.spares.get_mut(&pool.value)?;
        let joining: Vec<u32> = spares.drain(..spares.len().min(count as usize)).collect();
        Some(joining.into())
    }

    /// Checks `faults`.
    pub(crate) fn faults(
        &self,
        written: &[Faults],
        end: Option<Time>,
        files: &mut Files<'_>,
        report: &mut Report,
    ) -> Vec<CheckedFaults> {
        let mut names = BTreeSet::new();
        let mut faults = Vec::new();
        for read in written {
            let nodes = self.which(&read.nodes, report);
            let mtbf = read.mtbf.as_ref().and_then(|time| runtime(time, files, report));
            let mttr = latency("mttr", read.mttr.as_ref(), files, report);
            let zero = [Runtime::Fixed(0), Runtime::Forever];
            if let (Some(at), Some(time)) = (&read.mtbf, &mtbf)
                && (zero.contains(time) || time.longest() == Some(0))
            {
                let title = "`mtbf` must be above 0 and finite";
                report.error(at.span, title, "not a usable mean time between failures");
            }
            let until = read.until.or(end);
            if until.is_none() {
                report
                    .error(read.span, "faults without an end would keep the run going forever", "`until` is missing")
                    .help("give `until` here, or `world: World(until: ..)`");
            }
            let (Some((nodes, called)), Some(mtbf), Some(mttr)) = (nodes, mtbf, mttr) else { continue };
            let name = read.name.as_ref().map_or(called, |name| name.value.clone());
            if !names.insert(name.clone()) {
                let span = read.name.as_ref().map_or(read.span, |name| name.span);
                report
                    .error(span, format!("two entries of `faults` have the name `{name}`"), "this name is already used")
                    .help("give each a `name`; it selects the random stream");
                continue;
            }
            faults.push(CheckedFaults {
                name,
                nodes,
                mtbf,
                mttr,
                from: read.from,
                until: until.unwrap_or(Time(MAX_MS)),
            });
        }
        faults
    }
}
