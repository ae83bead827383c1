//! The quota-tree scheduling core: events in, a plan with reasons out.
#![deny(clippy::float_arithmetic)]

mod amounts;
mod digest;
mod event;
mod ids;
mod plan;
mod policy;
mod quantity;
mod recorder;
mod scheduler;
mod spec;
mod table;
mod topology;
mod tree;
mod typical;
mod verdict;

pub use amounts::Amounts;
pub use digest::StableHasher;
pub use event::{Event, EventError, PodOutcome, WorkloadChange};
pub use ids::{Name, NodeId, PodId, QuotaId, Time, WorkloadId};
pub use plan::*;
pub use policy::*;
pub use quantity::{QuantityError, QuantityText, Unit, format_quantity, parse_quantity};
pub use recorder::{Entry, Log, Recorder, ReplayError};
pub use scheduler::{
    Auditor, Breach, FairShares, NodeView, PodState, PodView, Scheduler, Usage, WorkloadView, audit, audit_plan,
};
pub use spec::{
    DeviceAsk, DeviceChoice, DeviceMode, DeviceSpec, NodeSpec, PodSet, PodTemplate, Queueing, QuotaSpec, TreeSpec,
    WorkloadSpec,
};
pub use topology::{Domain, Level};
pub use tree::{Finding, FindingKind, QuotaTree, Severity};
pub use typical::TypicalPod;
pub use verdict::*;

/// The version of the rules: it moves whenever a decision changes.
pub const SEMANTICS_VERSION: &str = "1";
