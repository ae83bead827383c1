//! Maps the objects of a Kubernetes cluster to values of the core: pure functions from plain facts to amounts, nodes,
//! selectors, gangs and quotas.
//!
//! The importer of dumps fills the facts from documents, the live adapter from watches. Both then map them here, so
//! that a dump and a live cluster never mean different things. Facts contain only the relevant fields. Times are
//! milliseconds since 1970, amounts are in base units ([`quotree_core::Unit`]), and where an API server would set a
//! field that is absent, the mapping sets it likewise.
//!
//! What the core cannot represent is never dropped: it is returned as a value, such as [`Loss`], [`NodeLoss`] or
//! [`QuotaNote`](quota::QuotaNote), and the caller decides whether to report the loss or to refuse the object.

pub mod affinity;
pub mod budget;
pub mod gang;
mod loss;
pub mod names;
mod node;
mod node_facts;
#[cfg(test)]
mod node_tests;
mod pod_facts;
pub mod quota;
#[cfg(test)]
mod quota_tests;
pub mod requests;
mod selector;
pub mod stage;
mod template;
pub mod tolerations;

pub use loss::Loss;
pub use node::{NodeLoss, NodeSettings, node_spec};
pub use node_facts::{NodeFacts, Taint};
pub use pod_facts::{ActualSizes, ContainerFacts, Phase, PodFacts, Sizes, WorkloadRef};
pub use selector::{LabelSelector, NamespaceFacts};
pub use template::{MappedPod, annotated_to_evict, device_ask, map_pod, may_evict};

use quotree_core::Name;
use std::collections::BTreeMap;

/// Labels or annotations of an object.
pub type Labels = BTreeMap<Name, Name>;

/// The value of the first of these keys that an object has.
fn first_of<'a>(labels: &'a Labels, keys: &[&str]) -> Option<&'a Name> {
    keys.iter().find_map(|key| labels.get(*key))
}
