//! The live adapter: it turns what a Kubernetes API server shows into events of the core, and plans of the core into
//! writes. It decides nothing itself, so a cluster behaves as the simulator does.
//!
//! ```text
//! watches -> facts -> Actor (names, core) -> intents -> Writer (one write in flight a pod) -> API server
//!    ^                                                     |
//!    +---- confirmation by watch --------------------------+- definite failures go back to the Actor
//! ```
//!
//! - [`watch`]: objects as facts, by the mapping of `quotree-k8s`.
//! - [`actor`]: the one owner of the core. It is plain data, so tests drive it with any time.
//! - [`act`]: what a decision is as a request, by mode. [`write`](mod@write): sending it, and finding out what came of it.
//! - [`report`]: conditions and Events, with the sentences of `quotree-words`.
//! - [`record`]: the recording of a run, which `quotree replay` replays.
//! - [`remember`]: the last tree that was accepted, over a restart.
//! - [`serve`]: health, metrics, explanations and dumps over HTTP.
//! - [`tenancy`]: users and groups as objects, and the accounts and roles that are made of them.
//! - [`run`]: the loop that joins them. [`beside`]: what is made beside it. [`lease`], [`elect`]: one process of several leads.

pub mod act;
pub mod actor;
pub mod beside;
pub mod clock;
pub mod config;
pub mod elect;
pub mod lease;
pub mod record;
pub mod remember;
pub mod report;
pub mod run;
pub mod serve;
pub mod settings;
pub mod tenancy;
pub mod watch;
pub mod write;
