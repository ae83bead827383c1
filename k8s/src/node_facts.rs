//! The relevant fields of a node.

use crate::{Labels, names};
use quotree_core::{Amounts, Name};

/// A node in the form of the API.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NodeFacts {
    /// `metadata.name`.
    pub name: Name,
    /// `metadata.labels`.
    pub labels: Labels,
    /// `status.capacity`.
    pub capacity: Amounts,
    /// `status.allocatable`.
    pub allocatable: Amounts,
    /// `spec.taints`.
    pub taints: Vec<Taint>,
    /// `spec.unschedulable`: the node is cordoned.
    pub unschedulable: bool,
    /// Whether the condition `Ready` has status `True`; `None` if the node has no such condition.
    pub ready: Option<bool>,
}

/// A taint of a node.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Taint {
    /// Its key.
    pub key: Name,
    /// Its value; empty if it has none.
    pub value: Name,
    /// Its effect: `NoSchedule`, `NoExecute` or `PreferNoSchedule`.
    pub effect: Name,
}

impl Taint {
    /// A taint without a value that keeps new pods away.
    #[must_use]
    pub fn no_schedule(key: &str) -> Self {
        Self { key: key.into(), value: "".into(), effect: "NoSchedule".into() }
    }

    /// Whether it keeps pods away, rather than only expressing a preference.
    #[must_use]
    pub fn repels(&self) -> bool {
        self.effect != "PreferNoSchedule"
    }

    /// The taint in the notation of `kubectl`, which is its name in the core.
    ///
    /// ```
    /// use quotree_k8s::Taint;
    /// let gpu = Taint { key: "gpu".into(), value: "yes".into(), effect: "NoSchedule".into() };
    /// assert_eq!(gpu.text(), "gpu=yes:NoSchedule");
    /// assert_eq!(Taint::no_schedule("idle").text(), "idle:NoSchedule");
    /// ```
    #[must_use]
    pub fn text(&self) -> Name {
        let equals = if self.value == "" { "" } else { "=" };
        format!("{}{equals}{}:{}", self.key, self.value, self.effect).into()
    }
}

impl NodeFacts {
    /// All taints that keep pods away, including those for a cordon and for a node that is not ready. The control plane
    /// sets these two itself, but a dump may have been taken before it did.
    #[must_use]
    pub fn repelling(&self) -> Vec<Taint> {
        let mut taints: Vec<Taint> = self.taints.iter().filter(|taint| taint.repels()).cloned().collect();
        let has = |key: &str| self.taints.iter().any(|taint| taint.key == key && taint.effect == "NoSchedule");
        if self.unschedulable && !has(names::CORDONED) {
            taints.push(Taint::no_schedule(names::CORDONED));
        }
        if self.ready == Some(false) && !has(names::NOT_READY) && !has(names::UNREACHABLE) {
            taints.push(Taint::no_schedule(names::NOT_READY));
        }
        taints
    }

    /// The hostname that selectors compare: its label, or else its name.
    #[must_use]
    pub fn hostname(&self) -> &Name {
        self.labels.get(names::HOSTNAME).unwrap_or(&self.name)
    }
}
