//! What callers see: the events they report, the plans and verdicts they get back, and the values these consist of.

mod amounts;
mod blocking;
mod device;
mod digest;
mod event;
mod finding;
mod ids;
mod plan;
mod policy;
mod quantity;
mod reason;
mod rule;
mod spec;
mod topology;
mod typical;
mod verdict;
mod view;

pub use amounts::Amounts;
pub use blocking::*;
pub use device::{DeviceAsk, DeviceChoice, DeviceMode, DeviceSet, DeviceSpec};
pub use digest::StableHasher;
pub use event::{Event, EventError, PodOutcome, WorkloadChange};
pub use finding::{Finding, FindingKind, Severity};
pub(crate) use ids::NameMap;
pub use ids::{Name, NodeId, PodId, QuotaId, Time, WorkloadId};
pub use plan::{Action, Plan};
pub use policy::*;
pub use quantity::{QuantityError, QuantityText, Unit, format_quantity, parse_quantity, parse_quantity_up};
pub use reason::{BindReason, EvictReason, ReleaseReason};
pub use rule::{Rule, RuleDoc};
pub use spec::{NodeSpec, PodSet, PodTemplate, Queueing, QuotaSpec, TreeSpec, WorkloadSpec};
pub use topology::{Domain, Level};
pub use typical::TypicalPod;
pub use verdict::*;
pub use view::{NodeView, PodState, PodView, Usage, WorkloadView};
