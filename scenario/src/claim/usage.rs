//! What claims say of the use of resources and of nodes.

use super::{compared::Compared, whose::Whose};
use quotree_core::Name;
use quotree_syntax::{At, Ms, Permille, Quantity, record, words};

record! {
    /// What a quota uses, or somebody.
    pub(crate) struct Used(quota, resource) in "what" {
        /// Which quota.
        quota: At<Name> => "this or `of`",
        /// Whose pods.
        of: Whose => "this or `quota`",
        /// Of what.
        resource: At<Name> => required,
        compared: Compared<Quantity> => embedded,
    }
}

record! {
    /// What a quota borrows, that is what it uses above its guarantee (L2); or somebody's part of what leaves borrow.
    pub(crate) struct Borrowed(quota, resource) in "what" {
        /// Which quota.
        quota: At<Name> => "this or `of`",
        /// Whose pods.
        of: Whose => "this or `quota`",
        /// Of what.
        resource: At<Name> => required,
        compared: Compared<Quantity> => embedded,
    }
}

record! {
    /// A resource times the time it was used, exact: 2 devices for 30 minutes are `1h`; of memory, in GiB.
    pub(crate) struct UsedTime(of, resource) in "what" {
        /// By whom.
        of: Whose => "`All`",
        /// Of what.
        resource: At<Name> => required,
        compared: Compared<Ms> => embedded,
    }
}

record! {
    /// A resource times the time it was borrowed, exact: what a leaf uses above its min, attributed to the pods that started last.
    pub(crate) struct BorrowedTime(of, resource) in "what" {
        /// By whom.
        of: Whose => "`All`",
        /// Of what.
        resource: At<Name> => required,
        compared: Compared<Ms> => embedded,
    }
}

record! {
    /// A resource times the time it was missing, exact: what a leaf lacks of its min while pods that ask for it wait, attributed to the
    /// pods that have waited longest.
    pub(crate) struct StarvedTime(of, resource) in "what" {
        /// By whom.
        of: Whose => "`All`",
        /// Of what.
        resource: At<Name> => required,
        compared: Compared<Ms> => embedded,
    }
}

record! {
    /// Time-weighted use over capacity.
    pub(crate) struct Utilisation(resource) in "what" {
        /// Whose use, over the capacity of all nodes.
        of: Whose => "everybody's",
        /// Of what.
        resource: At<Name> => required,
        compared: Compared<Permille> => embedded,
    }
}

record! {
    /// Nodes that are up.
    pub(crate) struct NodesUp(pool) in "what" {
        /// Of which pool.
        pool: At<Name> => "all nodes",
        compared: Compared<u64> => embedded,
    }
}

record! {
    /// How long nodes were there, up or not, all together.
    pub(crate) struct NodeTime(pool) in "what" {
        /// Of which pool.
        pool: At<Name> => "all nodes",
        compared: Compared<Ms> => embedded,
    }
}

record! {
    /// What the nodes that were there cost, up or not, in whole thousandths; of somebody, what was charged for their pods.
    pub(crate) struct Cost(pool) in "what" {
        /// Of which pool.
        pool: At<Name> => "all nodes",
        /// Whose pods were charged; not together with `pool`.
        of: Whose => "the whole",
        compared: Compared<Quantity> => embedded,
    }
}

record! {
    /// Pods that drains evicted so far.
    pub(crate) struct Drained in "what" {
        /// Whose.
        of: Whose => "everybody's",
        compared: Compared<u64> => embedded,
    }
}

record! {
    /// Drains so far whose time ended before the node was empty.
    pub(crate) struct FailedDrains in "what" {
        compared: Compared<u64> => embedded,
    }
}

record! {
    /// Failures so far that `faults` produced.
    pub(crate) struct NodeFailures in "what" {
        compared: Compared<u64> => embedded,
    }
}

record! {
    /// How long the last reduction of a quota was to take, or took, until its use was within it. Never counts as longer than any
    /// time.
    pub(crate) struct QuotaDrain(quota, figure) in "what" {
        /// Which quota.
        quota: At<Name> => required,
        /// The estimate at the time of the edit, or the time that it took.
        figure: DrainFigure => required,
        compared: Compared<Ms> => embedded,
    }
}

/// What `QuotaDrain` claims.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DrainFigure {
    Estimate,
    Took,
}

words! { DrainFigure: Estimate, Took }
