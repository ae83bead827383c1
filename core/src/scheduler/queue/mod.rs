//! The queue: the pending workloads of all leaves, and the order in which they are tried (O1, O2).

mod by_amount;
mod dirty;
mod entry;
mod hidden;
mod hider;
mod in_order;
mod line;
mod next;
mod offers;
pub(crate) mod order;
mod pending;
mod refresh;
mod request_class;
mod room;
mod share_waits;
mod tournament;

pub(crate) use next::{Choice, Judge};
pub(crate) use order::{ByOveruse, EvictionCost, PendingKey, VictimKey, VictimRank};
pub(crate) use pending::{Offered, Queue, key_within_leaf};
pub(crate) use request_class::RequestQueue;
