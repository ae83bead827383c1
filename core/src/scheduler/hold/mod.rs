//! Holds: a workload that evicted others, or waits for pods that are terminating anyway, reserves what it needs of that
//! room (H1 to H3).
//!
//! A workload that evicts others cannot be bound before these have left. Until then it *holds*: on every quota of its
//! path, and on every node where its pods will be placed, the scheduler reserves what the workload needs beyond what
//! its victims still use there ([`reserve`]). As a victim leaves, the reservation grows by what it frees, so that other
//! workloads see the room as taken.
//!
//! When the last victim is gone, the workload is bound if it still fits (H3, [`due`]). Otherwise, or earlier, the hold ends
//! (H2) when
//!
//! - the victims are gone and the workload does not fit any more, also once the holds of others have ended ([`due`]);
//! - `hold_timeout_ms` has passed, and some victims are still there ([`due`]);
//! - the workload is withdrawn, or one of its pending pods is deleted (`facts`);
//! - the eviction of one of its victims failed (`facts`);
//! - a node where it reserves room is lost, the devices there change, or the quota tree is replaced (`facts`);
//! - its gang is evicted as a whole, by a plan or by others ([`lifecycle`], `facts`);
//! - an entitled workload that arrived after the hold takes the hold over. This requires that the holder is an
//!   unentitled workload of another leaf, or comes later in order (`cycle/takeover.rs`).
//!
//! A workload that is not withdrawn is then pending again, and no hold waits for the pods that are still terminating.

mod due;
mod lifecycle;
mod reserve;
mod settle;

pub(crate) use due::{bind_ready, expire};
pub(crate) use lifecycle::{
    begin, change_victim, end, end_by_event, end_one_by_event, report_ended, requeue_rest, restore, victim_left,
};
pub(crate) use settle::fits_when_settled;
#[cfg(test)]
pub(crate) use settle::fits_when_settled_on_trial;
