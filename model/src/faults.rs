//! What can happen to nodes: random faults, outages of racks, drains, slow nodes, pools that grow and shrink.

use super::{Compare, Runtime};
use quotree_core::{Amounts, Name, Time};
use std::sync::Arc;

/// Some nodes, as indices into [`super::Cluster::nodes`], ascending.
pub type Nodes = Arc<[u32]>;

/// Equal nodes under one name.
#[derive(Debug, Clone)]
pub struct NodePool {
    /// Its name.
    pub name: Name,
    /// Its nodes.
    pub nodes: Nodes,
    /// What a node of it costs an hour, in thousandths of the currency.
    pub price_milli: u64,
    /// Whether it grows and shrinks by itself.
    pub autoscale: Option<Autoscale>,
}

/// How a pool grows and shrinks by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Autoscale {
    /// It never has fewer nodes.
    pub min: u32,
    /// It never has more.
    pub max: u32,
    /// From the demand to the node that serves it.
    pub delay_up: Runtime,
    /// A node without pods is removed after this time, milliseconds.
    pub idle_down_ms: u64,
}

/// Nodes that fail and are repaired repeatedly, each with a random stream of its own.
#[derive(Debug, Clone)]
pub struct Faults {
    /// What its streams are labelled with, unique in the scenario.
    pub name: Name,
    /// Its nodes.
    pub nodes: Nodes,
    /// From a repair, or the start, to the next failure.
    pub mtbf: Runtime,
    /// From a failure to its repair.
    pub mttr: Runtime,
    /// The time to the first failure starts here.
    pub from: Time,
    /// Nothing fails after this.
    pub until: Time,
}

/// What can happen to nodes besides going down, coming back and being cordoned.
#[derive(Debug, Clone)]
pub enum NodeChange {
    /// All nodes of a rack fail, or the rack is back.
    Rack {
        /// A number of the rack, unique in the scenario.
        rack: u32,
        /// Its nodes.
        nodes: Nodes,
        /// Whether it fails.
        down: bool,
    },
    /// Nodes fail together and come back together, unless something else keeps them down.
    Outage {
        /// Which.
        nodes: Nodes,
        /// For how long.
        lasts_ms: u64,
    },
    /// Nodes are drained: they get no new pods, and their pods are evicted.
    Drain {
        /// Which.
        nodes: Nodes,
        /// How long it may take; `None`: without limit.
        within_ms: Option<u64>,
        /// Whether pods that are still there then are killed.
        kill: bool,
    },
    /// Nodes join for the first time.
    Add {
        /// Which.
        nodes: Nodes,
    },
    /// Nodes are removed for good.
    Remove {
        /// Of which.
        nodes: Nodes,
        /// How many of those that are there, the last ones first; `None`: all.
        count: Option<u32>,
        /// They are drained first, for at most this long; `None`: their pods are lost at once.
        drain_ms: Option<u64>,
    },
    /// Nodes get other labels, taints or amounts.
    Edit {
        /// Which.
        nodes: Nodes,
        /// These resources get these amounts, others keep theirs.
        allocatable: Amounts,
        /// These labels get these values, others keep theirs.
        labels: Vec<(Name, Name)>,
        /// The new taints; `None`: as before.
        taints: Option<Vec<Name>>,
    },
    /// Work on nodes runs at another speed from now on.
    Slow {
        /// Which.
        nodes: Nodes,
        /// Thousandths of full speed.
        permille: u32,
    },
}

/// A claim about a figure of nodes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeClaim {
    /// Which figure.
    pub figure: NodeFigure,
    /// How compared.
    pub compare: Compare,
    /// With what, in the unit of the figure.
    pub value: u128,
}

/// Figures of nodes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NodeFigure {
    /// Nodes that are up, of one pool or of all.
    Up(Option<Name>),
    /// How long nodes were there, of one pool or of all, milliseconds.
    Time(Option<Name>),
    /// What nodes cost, of one pool or of all, thousandths.
    Cost(Option<Name>),
    /// Pods that drains evicted.
    Drained,
    /// Drains that did not finish in their time.
    FailedDrains,
    /// Failures that `faults` produced.
    Failures,
    /// The estimated time until a quota that an edit left above its max, or with more non-preemptible usage than its min, is within
    /// its limits again, milliseconds.
    Estimate(Name),
    /// The time that it took.
    Took(Name),
}
