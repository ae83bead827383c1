//! Changes of nodes: random faults, outages of racks, drains, slow nodes, pools that grow and shrink.

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
    /// The price of one of its nodes for an hour, in thousandths of the currency.
    pub price_milli: u64,
    /// Its autoscaler, if it has one.
    pub autoscale: Option<Autoscale>,
}

/// The autoscaler of a pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Autoscale {
    /// The smallest number of nodes.
    pub min: u32,
    /// The largest number of nodes.
    pub max: u32,
    /// The time from the moment when a node is needed until it has joined.
    pub delay_up: Runtime,
    /// A node that has had no pods for this long is removed, milliseconds.
    pub idle_down_ms: u64,
}

/// Nodes that fail and are repaired repeatedly, each with its own random stream.
#[derive(Debug, Clone)]
pub struct Faults {
    /// The label of its random streams, unique in the scenario.
    pub name: Name,
    /// Its nodes.
    pub nodes: Nodes,
    /// The time from the start, or from a repair, to the next failure.
    pub mtbf: Runtime,
    /// The time from a failure to its repair.
    pub mttr: Runtime,
    /// When the time to the first failure starts.
    pub from: Time,
    /// When failures end.
    pub until: Time,
}

/// Changes of nodes, except single nodes that fail, recover or are cordoned.
#[derive(Debug, Clone)]
pub enum NodeChange {
    /// All nodes of a rack fail, or the rack recovers.
    Rack {
        /// A number of the rack, unique in the scenario.
        rack: u32,
        /// Its nodes.
        nodes: Nodes,
        /// Whether the nodes fail; otherwise they recover.
        down: bool,
    },
    /// Nodes fail together and recover together, unless another cause keeps them down.
    Outage {
        /// The nodes.
        nodes: Nodes,
        /// How long they are down.
        lasts_ms: u64,
        /// For a worst-case outage: every domain that may be the one, with its nodes. `nodes` are those of the first, until
        /// [`Scenario::with_outage_of`](super::Scenario::with_outage_of) chooses.
        candidates: Arc<[(Name, Nodes)]>,
    },
    /// Nodes are drained: they get no new pods, and their pods are evicted.
    Drain {
        /// The nodes.
        nodes: Nodes,
        /// The longest time of the drain; `None`: no limit.
        within_ms: Option<u64>,
        /// Whether the pods that remain at the end of that time are killed.
        kill: bool,
    },
    /// Nodes join for the first time.
    Add {
        /// The nodes.
        nodes: Nodes,
    },
    /// Nodes are removed for good.
    Remove {
        /// The nodes from which some are removed.
        nodes: Nodes,
        /// How many of the existing nodes are removed, the last ones first; `None`: all.
        count: Option<u32>,
        /// How long they are drained first; `None`: their pods are lost at once.
        drain_ms: Option<u64>,
    },
    /// Nodes get other labels, taints or amounts.
    Edit {
        /// The nodes.
        nodes: Nodes,
        /// New amounts of these resources; the others are unchanged.
        allocatable: Amounts,
        /// New values of these labels; the others are unchanged.
        labels: Vec<(Name, Name)>,
        /// The new taints; `None`: unchanged.
        taints: Option<Vec<Name>>,
    },
    /// Work on nodes proceeds at another speed from now on.
    Slow {
        /// The nodes.
        nodes: Nodes,
        /// Thousandths of full speed.
        permille: u32,
    },
}

/// A claim about a figure of nodes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeClaim {
    /// The figure.
    pub figure: NodeFigure,
    /// The comparison.
    pub compare: Compare,
    /// The claimed value, in the unit of the figure.
    pub value: u128,
}

/// Figures of nodes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NodeFigure {
    /// Nodes that are up, of one pool or of all.
    Up(Option<Name>),
    /// How long nodes existed, of one pool or of all, milliseconds.
    Time(Option<Name>),
    /// What nodes cost, of one pool or of all, thousandths.
    Cost(Option<Name>),
    /// Pods that drains evicted.
    Drained,
    /// Drains whose time ran out before the node was empty.
    FailedDrains,
    /// Failures drawn by `faults`.
    Failures,
    /// The estimated time, in milliseconds, until a quota that an edit left over a limit is within its limits again.
    /// Over a limit means usage above its max, or non-preemptible usage above its min.
    Estimate(Name),
    /// The actual time until such a quota was within its limits again.
    Took(Name),
}
