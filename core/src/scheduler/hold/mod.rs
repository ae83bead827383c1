//! Holds: what an eviction frees is reserved for the workload that evicted (H1 to H3).
//!
//! A workload that evicts others cannot be bound before these have left. Until then it *holds*: on every quota of its
//! path, and on every node where its pods will be placed, the scheduler reserves what the workload needs beyond what
//! its victims still use there ([`reserve`]). As a victim leaves, the reservation grows by what it frees, so that other
//! workloads see the room as taken.
//!
//! A hold lasts until all its victims are gone and the workload is bound (H3), or until one of these ends it (H2): the
//! policy's `hold_timeout_ms` has passed; an entitled workload that comes earlier in order takes the room over; the
//! workload does not fit any more; a node that it counts on is lost; the quota tree is replaced; its gang is evicted.
//! The workload is then pending again, and its victims leave without a claim on what they free.

mod due;
mod lifecycle;
mod reserve;
mod settle;

pub(crate) use due::{bind_ready, expire};
pub(crate) use lifecycle::{begin, end, end_by_event, report_ended, requeue_rest, restore, victim_left};
pub(crate) use settle::fits_when_settled;
