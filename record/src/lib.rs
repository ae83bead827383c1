//! Recordings of a live scheduler: what it was told, and what it decided.
//!
//! A recording is a folder of [segments](folder). A segment is a file of JSON [lines](mod@line), compressed with zstd:
//!
//! ```text
//! {"head":{"format":1,"rules":"1","segment":7,"at":..,"tree":[..],"policy":{..},..}}    how it begins
//! {"node":{"id":3,"name":"node-3"}}                                                     the names of ids
//! {"event":{"NodeUp":{..}}}                                                             what the core was told
//! {"decide":{"at":..,"digest":"..","binds":[[12,0,3]],"evicts":[]}}                     what it decided
//! {"sum":"9f2c.."}                                                                      the end of a step
//! ```
//!
//! - A segment begins with all that there is, told to a new scheduler, so it replays without the segments before it, and
//!   those can be deleted.
//! - Everything up to a `sum` is a *step*. The sum is the SHA-256 of the sum before and of all bytes since, so nothing in the
//!   middle can be changed, lost or put in another order without notice. What follows the last sum does not count: the
//!   process was ended while it wrote.
//! - It has names, uids and owners of pods, requests, labels of nodes that matter, and quotas; no environment, command,
//!   image, annotation, secret or user.
//!
//! [`write::Segment`] writes one, [`read::Steps`] reads one step by step, [`replay()`] replays a folder.
#![warn(missing_docs)]

pub mod chain;
pub mod folder;
pub mod line;
pub mod read;
pub mod replay;
pub mod write;

pub use line::{Decision, End, Head, Line, NamedNode, NamedPod, NamedWorkload, Owner, Why};
pub use read::{Ending, Step, Steps, Trouble};
pub use replay::{Difference, Replayed, replay};

/// The version of the form of recordings.
pub const FORMAT: u32 = 1;
