//! `RestartScheduler()`.

use quotree_syntax::record;

record! {
    /// The scheduler is restarted at once, and goes on from what a LIST of the cluster shows (E4). It forgets all holds, and
    /// evictions that were lost or refused.
    pub(crate) struct RestartScheduler in "change" {}
}
