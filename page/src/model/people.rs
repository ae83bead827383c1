//! People, refusals, and datasets.

use super::{AmountTime, Ms, WaitQuantiles};
use serde::{Deserialize, Serialize};

/// Users and groups.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct People {
    /// All users that are declared or that submit.
    pub users: Vec<User>,
    /// Groups.
    pub groups: Vec<Group>,
}

/// A user.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct User {
    /// The name.
    pub name: String,
    /// `researcher`, `admin`, or empty for a name that is not declared as a user.
    pub role: String,
    /// The groups.
    pub groups: Vec<String>,
    /// What happened to the pods of the user.
    pub account: Account,
}

/// A group.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Group {
    /// The name.
    pub name: String,
    /// The quota that it is bound to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quota: Option<u32>,
    /// The members.
    pub members: Vec<String>,
    /// What happened to the pods that were submitted through it.
    pub account: Account,
}

/// What happened to the pods of a user or a group.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "the figures of docs/metrics.md, under the same names")]
pub struct Account {
    pub pods: u64,
    pub running: u64,
    pub pending: u64,
    pub succeeded: u64,
    pub failed: u64,
    pub evicted: u64,
    pub evicted_for: u64,
    pub refused: u64,
    pub wait: WaitQuantiles,
    pub lost_work_ms: u128,
    pub cost_milli: u128,
    pub used: Vec<AmountTime>,
    pub borrowed: Vec<AmountTime>,
    pub starved: Vec<AmountTime>,
}

/// A submission or an edit that was refused.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Refusal {
    /// When it was refused, for the first time.
    pub at_ms: Ms,
    /// What was refused: ``workload `x` ``, ``quota `y` ``.
    pub what: String,
    /// The user who tried it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// The reason as one word, which claims can name.
    pub reason: String,
    /// The reason as a sentence.
    pub why: String,
    /// How often it was refused.
    pub times: u64,
}

/// A dataset at the end.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "the figures of docs/metrics.md, under the same names")]
pub struct Dataset {
    pub name: String,
    pub namespace: String,
    pub phase: String,
    pub size_bytes: u64,
    pub cached_bytes: u64,
    pub read_bytes: u128,
    pub hit_permille: u64,
    pub rate_bytes_s: u64,
    pub wait_ms: u128,
    pub gpu_idle_ms: u128,
    pub saved_ms: i128,
}
