//! Claims about the usage of resources and nodes.

use super::{compared::Compared, whose::Whose};
use quotree_core::Name;
use quotree_syntax::{At, Ms, Permille, Quantity, record, words};

record! {
    /// Usage of a resource: of a quota, or of selected work.
    pub(crate) struct Used(quota, resource) in "what" {
        /// The quota whose usage it is.
        quota: At<Name> => "this or `of`",
        /// The work whose usage it is.
        of: Whose => "this or `quota`",
        /// Which resource.
        resource: At<Name> => required,
        compared: Compared<Quantity> => embedded,
    }
}

record! {
    /// Borrowed amount of a resource. A quota borrows what it uses above its guarantee (L2). Selected work borrows a
    /// part of what its leaves borrow.
    pub(crate) struct Borrowed(quota, resource) in "what" {
        /// The quota whose usage it is.
        quota: At<Name> => "this or `of`",
        /// The work whose usage it is.
        of: Whose => "this or `quota`",
        /// Which resource.
        resource: At<Name> => required,
        compared: Compared<Quantity> => embedded,
    }
}

record! {
    /// Usage of a resource added up over time, exact: 2 devices for 30 minutes are `1h`; memory counts in GiB.
    pub(crate) struct UsedTime(of, resource) in "what" {
        /// The work that is counted.
        of: Whose => "`All`",
        /// Which resource.
        resource: At<Name> => required,
        compared: Compared<Ms> => embedded,
    }
}

record! {
    /// Borrowed amounts added up over time, exact. A leaf borrows what it uses above its min; this is attributed to the
    /// pods that started last.
    pub(crate) struct BorrowedTime(of, resource) in "what" {
        /// The work that is counted.
        of: Whose => "`All`",
        /// Which resource.
        resource: At<Name> => required,
        compared: Compared<Ms> => embedded,
    }
}

record! {
    /// Missing amounts added up over time, exact. A leaf misses a part of its min while pods that request it are
    /// pending; this is attributed to the pods that have waited longest.
    pub(crate) struct StarvedTime(of, resource) in "what" {
        /// The work that is counted.
        of: Whose => "`All`",
        /// Which resource.
        resource: At<Name> => required,
        compared: Compared<Ms> => embedded,
    }
}

record! {
    /// Time-weighted usage over capacity.
    pub(crate) struct Utilisation(resource) in "what" {
        /// The pods whose usage is compared with the capacity of all nodes.
        of: Whose => "everybody's",
        /// Which resource.
        resource: At<Name> => required,
        compared: Compared<Permille> => embedded,
    }
}

record! {
    /// Nodes that are up.
    pub(crate) struct NodesUp(pool) in "what" {
        /// The pool whose nodes are counted.
        pool: At<Name> => "all nodes",
        compared: Compared<u64> => embedded,
    }
}

record! {
    /// How long nodes existed, up or not, added up.
    pub(crate) struct NodeTime(pool) in "what" {
        /// The pool whose nodes are counted.
        pool: At<Name> => "all nodes",
        compared: Compared<Ms> => embedded,
    }
}

record! {
    /// What nodes cost while they existed, up or not, in whole thousandths. With `of`: what was charged for these pods.
    pub(crate) struct Cost(pool) in "what" {
        /// The pool whose nodes are counted.
        pool: At<Name> => "all nodes",
        /// The work whose pods were charged; not together with `pool`.
        of: Whose => "the whole",
        compared: Compared<Quantity> => embedded,
    }
}

record! {
    /// Pods that drains evicted so far.
    pub(crate) struct Drained in "what" {
        /// The work that is counted.
        of: Whose => "everybody's",
        compared: Compared<u64> => embedded,
    }
}

record! {
    /// Drains so far whose time ran out before the node was empty.
    pub(crate) struct FailedDrains in "what" {
        compared: Compared<u64> => embedded,
    }
}

record! {
    /// Failures so far that were drawn by `faults`.
    pub(crate) struct NodeFailures in "what" {
        compared: Compared<u64> => embedded,
    }
}

record! {
    /// How long usage stayed over a limit after the last reduction of a quota, estimated or actual. If usage never gets
    /// within the limit, the time is longer than any claimed one.
    pub(crate) struct QuotaDrain(quota, figure) in "what" {
        /// Which quota.
        quota: At<Name> => required,
        /// The estimate at the time of the edit, or the actual time.
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
