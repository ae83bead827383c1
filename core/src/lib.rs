//! The quota-tree scheduling core: events in, a plan with reasons out.
//!
//! A GPU cluster is shared by teams through a tree of elastic quotas. Each quota has a guarantee (`min`) and a limit
//! (`max`). What one team does not use, another may borrow; a team that needs its guarantee back reclaims it by
//! preempting the borrowers. This crate decides who runs where, who is evicted for whom, and says why. It has no I/O,
//! clock, thread, float or random number, so the same events always give the same plan.
//!
//! This page is a walk through the crate. Letters and numbers such as R2 are rules: [`Rule::doc`] states each in a
//! sentence, and `docs/rules.md` of the repository is the rule book.
//!
//! # A tree
//!
//! A tree is a list of quotas that name their parents. The root is the cluster; leaves carry the namespaces whose pods
//! use them. [`Amounts`] are exact integers: bytes for memory and storage, thousandths for everything else.
//!
//! ```
//! use quotree_core::{Amounts, Policy, QuotaSpec, Scheduler, TreeSpec};
//!
//! let gpus = |count: i64| Amounts::new().with("nvidia.com/gpu", count * 1000);
//! let tree: TreeSpec = [
//!     QuotaSpec::new("company", None).min(gpus(8)).max(gpus(8)),
//!     QuotaSpec::new("vision", Some("company")).min(gpus(4)).max(gpus(8)).namespace("vision"),
//!     QuotaSpec::new("speech", Some("company")).min(gpus(4)).max(gpus(8)).namespace("speech"),
//! ]
//! .into_iter()
//! .collect();
//! let scheduler = Scheduler::new(&tree, Policy::default());
//! assert!(scheduler.is_ok());
//!
//! // A tree that promises more than it has is refused, with all of its findings at once.
//! let mut broken = tree;
//! broken.quotas[1].min = gpus(5);
//! let findings = Scheduler::new(&broken, Policy::default()).unwrap_err();
//! assert_eq!(findings.len(), 1);
//! assert_eq!(findings[0].quota, "company");
//! ```
//!
//! # Events in, a plan out
//!
//! There are three calls. [`Scheduler::apply`] takes an [`Event`]: a node joined, a workload was submitted, a pod is
//! gone. [`Scheduler::decide`] returns a [`Plan`]: actions in order, each with its reason. [`Scheduler::next_wake`]
//! says when a decision can change although no event comes. Here vision submits six pods of one GPU and may *borrow*
//! two GPUs that speech does not use.
//!
//! ```
//! use quotree_core::{Action, Event, NodeSpec, Time, WorkloadSpec};
//! # use quotree_core::{Amounts, Policy, QuotaSpec, Scheduler};
//! # let gpus = |count: i64| Amounts::new().with("nvidia.com/gpu", count * 1000);
//! # let quota = |name, parent| QuotaSpec::new(name, parent).max(gpus(8));
//! # let tree = [
//! #     quota("company", None).min(gpus(8)),
//! #     quota("vision", Some("company")).min(gpus(4)).namespace("vision"),
//! #     quota("speech", Some("company")).min(gpus(4)).namespace("speech"),
//! # ];
//! # let mut scheduler = Scheduler::new(&tree.into_iter().collect(), Policy::default()).unwrap();
//! scheduler.apply(Event::NodeUp(NodeSpec::new(0, gpus(8))))?;
//! for id in 1..=6 {
//!     scheduler.apply(Event::WorkloadSubmitted(WorkloadSpec::pod(id, "vision", Time(0), gpus(1))))?;
//! }
//! let plan = scheduler.decide(Time(0));
//!
//! let entitled = |action: &Action| matches!(action, Action::Bind { reason, .. } if reason.entitled);
//! assert_eq!(plan.actions.len(), 6);
//! assert_eq!(plan.actions.iter().filter(|action| entitled(action)).count(), 4);
//!
//! let vision = scheduler.tree().by_name("vision").unwrap();
//! assert_eq!(scheduler.usage(vision).borrowed, gpus(2));
//! # Ok::<(), quotree_core::EventError>(())
//! ```
//!
//! The scheduler assumes that its plan is carried out: the six pods count as used from here on. The caller reports
//! outcomes only, as further events: [`Event::PodBound`], [`Event::BindFailed`], [`Event::PodGone`]. Until one comes, or
//! the time of [`Scheduler::next_wake`], the next plan is empty.
//!
//! # Reclaim
//!
//! A minute later speech submits a gang of four: four pods that start together or not at all. Speech is *entitled*,
//! since it stays within its `min`, so it takes back what vision borrowed: two pods, the latest started first. What
//! they free is reserved for the gang (a *hold*) until they have left.
//!
//! ```
//! use quotree_core::{PodOutcome, Rule};
//! # use quotree_core::{Action, Amounts, Event, NodeSpec, Policy, QuotaSpec, Scheduler, Time, WorkloadId, WorkloadSpec};
//! # let gpus = |count: i64| Amounts::new().with("nvidia.com/gpu", count * 1000);
//! # let quota = |name, parent| QuotaSpec::new(name, parent).max(gpus(8));
//! # let tree = [
//! #     quota("company", None).min(gpus(8)),
//! #     quota("vision", Some("company")).min(gpus(4)).namespace("vision"),
//! #     quota("speech", Some("company")).min(gpus(4)).namespace("speech"),
//! # ];
//! # let mut scheduler = Scheduler::new(&tree.into_iter().collect(), Policy::default()).unwrap();
//! # scheduler.apply(Event::NodeUp(NodeSpec::new(0, gpus(8))))?;
//! # for id in 1..=6 {
//! #     scheduler.apply(Event::WorkloadSubmitted(WorkloadSpec::pod(id, "vision", Time(0), gpus(1))))?;
//! # }
//! # scheduler.decide(Time(0));
//! # for id in 1..=6 {
//! #     scheduler.apply(Event::bound(WorkloadId(id).pod(0), Time(0)))?;
//! # }
//! scheduler.apply(Event::WorkloadSubmitted(WorkloadSpec::gang(7, "speech", Time(60_000), gpus(1), 4)))?;
//! let plan = scheduler.decide(Time(60_000));
//!
//! let [Action::Evict { pod: first, reason }, Action::Evict { pod: second, .. }, Action::Hold { victims, .. }] =
//!     &plan.actions[..]
//! else {
//!     panic!("two evictions and a hold")
//! };
//! assert_eq!((first.workload, second.workload, *victims), (WorkloadId(6), WorkloadId(5), 2));
//! assert_eq!((reason.rule, reason.cause, reason.over), (Rule::R2, Some(WorkloadId(7)), 2000));
//!
//! // Once the victims are gone, the gang starts in the room that was held for it.
//! for pod in [*first, *second] {
//!     scheduler.apply(Event::PodGone { pod, outcome: PodOutcome::Evicted })?;
//! }
//! let plan = scheduler.decide(Time(90_000));
//! assert!(plan.actions.iter().all(|action| matches!(action, Action::Bind { reason, .. } if reason.held)));
//! assert_eq!(plan.actions.len(), 4);
//! # Ok::<(), quotree_core::EventError>(())
//! ```
//!
//! # Why
//!
//! [`Scheduler::explain`] says why a workload waits, as data: the limit that binds, who uses what is missing, which
//! pods are protected by which rule, and which single change would start it. Here vision, which has four GPUs left, asks
//! for a fifth.
//!
//! ```
//! # use quotree_core::{Amounts, Event, NodeSpec, Policy, QuotaSpec, Rule, Scheduler, Time, WorkloadId, WorkloadSpec};
//! # let gpus = |count: i64| Amounts::new().with("nvidia.com/gpu", count * 1000);
//! # let quota = |name, parent| QuotaSpec::new(name, parent).max(gpus(8));
//! # let tree = [
//! #     quota("company", None).min(gpus(8)),
//! #     quota("vision", Some("company")).min(gpus(4)).namespace("vision"),
//! #     quota("speech", Some("company")).min(gpus(4)).namespace("speech"),
//! # ];
//! # let mut scheduler = Scheduler::new(&tree.into_iter().collect(), Policy::default()).unwrap();
//! # scheduler.apply(Event::NodeUp(NodeSpec::new(0, gpus(8))))?;
//! # scheduler.apply(Event::WorkloadSubmitted(WorkloadSpec::gang(1, "vision", Time(0), gpus(1), 4)))?;
//! # scheduler.apply(Event::WorkloadSubmitted(WorkloadSpec::gang(2, "speech", Time(0), gpus(1), 4)))?;
//! # scheduler.decide(Time(0));
//! scheduler.apply(Event::WorkloadSubmitted(WorkloadSpec::pod(8, "vision", Time(120_000), gpus(1))))?;
//! assert!(scheduler.decide(Time(120_000)).is_empty());
//!
//! let verdict = scheduler.explain(WorkloadId(8)).unwrap();
//! assert_eq!(verdict.binding.rule(), Rule::A1); // the limit of a quota on its path is reached ..
//! assert_eq!(verdict.binding.quota().map(|quota| scheduler.tree().name(quota).as_str()), Some("company")); // .. here
//! assert_eq!(verdict.holders.len(), 2); // vision and speech use four GPUs each
//! assert!(!verdict.entitled); // and vision is at its guarantee, so it may not reclaim
//! # Ok::<(), quotree_core::EventError>(())
//! ```
//!
//! # Where to go from here
//!
//! - [`Policy`] has every knob: order, reclaim, victims, placement and more. It is a value, not code.
//! - [`Scheduler::usage`], [`Scheduler::nodes`], [`Scheduler::workload`] and [`Scheduler::waiting`] read the state;
//!   [`parse_quantity`] reads the amounts of manifests.
//! - [`WorkloadSpec`], [`PodSet`] and [`PodTemplate`]: priorities, gangs with elastic members, topology, selectors.
//!   [`NodeSpec`] and [`DeviceMode`]: GPUs that are given out whole, in parts, or by topology.
//! - [`Recorder`] keeps a [`Log`] of events and decisions, or hands its entries to a [`Sink`]; [`Replay`] proves that they
//!   give the same plans again.
//! - [`Listing`] has the events by which a restarted scheduler learns of everything.
//! - [`Event::PodFound`], [`Event::EvictFailed`] and [`Event::BindFailed`] say where a cluster is otherwise than planned;
//!   `core/examples/adapter_loop.rs` shows the loop of an adapter with them.
//! - [`Auditor`], [`audit`] and [`audit_plan`] check the invariants from outside.
//! - `core/examples/borrow_and_reclaim.rs` and `core/examples/why_pending.rs` print this walk and an explanation in
//!   sentences.
#![deny(clippy::float_arithmetic)]

mod api;
#[cfg(feature = "counters")]
pub mod counters;
#[cfg(not(feature = "counters"))]
mod counters;
mod listing;
mod recorder;
mod scheduler;
mod tree;

pub use api::*;
pub use listing::Listing;
pub use recorder::{Entry, Log, Recorder, Replay, ReplayError, Sink};
pub use scheduler::{
    FairShares, Scheduler,
    audit::{Auditor, Breach, audit, audit_plan},
};
pub use tree::QuotaTree;

/// The version of the rules. It changes whenever a decision changes.
pub const SEMANTICS_VERSION: &str = "1";
