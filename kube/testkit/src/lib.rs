//! Test servers for whatever speaks with Kubernetes: an API server in memory, and the same tests for it as for a real one.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use k8s_openapi::api::core::v1::ConfigMap;
//! use quotree_kube_testkit::{FakeServer, faults::{Fault, Rule, Verb}};
//! use std::time::Duration;
//!
//! let server = FakeServer::new();
//! let maps: kube::Api<ConfigMap> = kube::Api::namespaced(server.client(), "default");
//!
//! // The write counts, and the client does not know it: the hard case of every writer.
//! server.add_fault(Rule::on(Verb::Create, "configmaps", Fault::Cut).nth(1).after_commit());
//! let map = serde_json::from_value(serde_json::json!({ "metadata": { "name": "tree" } }))?;
//! assert!(maps.create(&Default::default(), &map).await.is_err());
//! assert!(maps.get("tree").await.is_ok());
//!
//! // Time passes when the test says so, and the journal says what was asked.
//! server.advance(Duration::from_secs(60));
//! assert_eq!(server.take_journal().iter().filter(|record| record.wrote()).count(), 1);
//! # Ok(())
//! # }
//! ```
//!
//! # Layers
//!
//! - [`store::Store`] is plain data: objects, one rising resourceVersion, a bounded log, the time. It has the verbs of the
//!   API as methods and needs no runtime.
//! - [`FakeServer`] puts it behind a lock, with [`faults`], a [`journal`], and two ways in: a `tower` service in the same
//!   process, and HTTP on loopback.
//! - [`kubelet::Kubelet`] runs what is bound, and [`stand_ins`] are the controllers around it.
//! - [`real::RealServer`] starts etcd and kube-apiserver, where their programs are.
//! - [`Target`] is a server under test, whichever it is. The cases in `tests/conformance/` run against both kinds.
//!
//! # What may surprise
//!
//! - An eviction of a pod that two budgets select is answered with 500: no client must send it again at once.
//! - A DELETE with a body obeys the body alone: `?dryRun=All` or `?gracePeriodSeconds=5` beside `{}` counts for nothing, and the
//!   object is deleted.
//! - A pod whose node is gone, or has less in all than the pod would then request, cannot be resized: 403.
//! - A budget is charged before the delete. If the delete then fails by its preconditions, the budget stays charged.
//! - A new node has the taint `node.kubernetes.io/not-ready`, and keeps it until somebody removes it.
//! - A watch from a version that is too old is answered with 200 and an ERROR event; a list goes 410. A watch from a version
//!   that is no number is answered with 500.
//! - The deletionTimestamp of a pod lies in the future: it is when the grace ends.
//! - The status of a built-in kind can be written together with its labels and annotations; that of a custom resource not.
//!
//! # What is simplified
//!
//! - No schema is enforced: unknown fields are kept, and custom resources are not validated or pruned. Of the built-in
//!   kinds the checks are made that a scheduler can run into.
//! - Nothing is collected: owners can go without their dependents, and a namespace ends when somebody finalizes it.
//! - Events of the core group and of `events.k8s.io` are two collections. A real server shows one in two forms.
//! - Authorization knows RBAC and `system:masters`. There are no webhooks, admission policies or resource quotas.
//! - Bodies are JSON. There are no tables, no protobuf, and no aggregated discovery.

pub mod access;
pub mod amounts;
mod built_in;
pub mod census;
pub mod crowd;
pub mod faults;
mod http;
pub mod journal;
pub mod kinds;
pub mod kubelet;
pub mod laws;
mod patch;
mod pods;
pub mod real;
mod refusal;
mod rules;
pub mod selector;
mod server;
pub mod stand_ins;
pub mod store;
mod target;
pub mod trap;
mod value;

pub use refusal::Refusal;
pub use server::{Body, Cut, FakeServer, FakeService, Listening, Running};
pub use target::{Answer, Silence, Target, Watching};
