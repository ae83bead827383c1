//! The invariants, recomputed from scratch (I1 to I12).
//!
//! [`audit`] checks a state: I1, I2, I6, I8 and I11. [`audit_plan`] checks a plan against the state it was made from:
//! I3, I4 and I5. An [`Auditor`] checks both after every step, and remembers what it must for I7 and I9. Two invariants
//! are checked elsewhere: that names and scale do not matter (I10) needs two runs and is tested, and that a replay
//! equals its recording (I12) is checked by [`Log::replay`](crate::Log::replay).

mod auditor;
mod books;
mod breach;
mod plan;
mod state;

pub use auditor::Auditor;
pub use breach::Breach;
pub use plan::audit_plan;
pub use state::audit;
