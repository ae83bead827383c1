//! Findings of the validation of a quota tree: errors and warnings (T2).

use super::{
    ids::Name,
    quantity::{QuantityText, Unit},
};
use serde::{Deserialize, Serialize};
use std::fmt;

/// How severe a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Severity {
    /// The tree can be used.
    Warning,
    /// The tree is refused.
    Error,
}

/// One finding of the validation, with the quota it is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Names from the root to the quota, joined by ` / `, as far as they are known.
    pub path: String,
    /// The quota.
    pub quota: Name,
    /// What was found.
    pub kind: FindingKind,
}

impl Finding {
    /// An error where the tree cannot be used, so that it is refused; otherwise a warning (T2).
    #[must_use]
    pub const fn severity(&self) -> Severity {
        use FindingKind as K;
        match self.kind {
            K::RootMinIsNotMax { .. }
            | K::RootMaxAboveCluster { .. }
            | K::MinAboveCluster { .. }
            | K::AlwaysFirstVictim
            | K::Unreachable
            | K::OverPromised { error: false, .. } => Severity::Warning,
            _ => Severity::Error,
        }
    }
}

/// What can be found about a quota. Amounts are in base units.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the fields are the names and numbers that the message shows")]
pub enum FindingKind {
    /// Every quota has a parent.
    NoRoot,
    /// A second quota without a parent.
    SecondRoot { first: Name },
    /// The name is used twice, under the same parent.
    DuplicateName,
    /// The name is used twice, under different parents.
    TwoParents { parents: Vec<Name> },
    /// The parent does not exist.
    UnknownParent { parent: Name },
    /// The quota is its own ancestor.
    Cycle { members: Vec<Name> },
    /// Min above max.
    MinAboveMax { resource: Name, min: i64, max: i64 },
    /// Max above the parent's max.
    MaxAboveParent { resource: Name, max: i64, parent_max: i64 },
    /// The children's min exceed the quota's min.
    OverPromised { resource: Name, children: String, min: i64, error: bool },
    /// An amount below zero.
    Negative { resource: Name, field: Name, amount: i64 },
    /// Lends more than its min.
    LendAboveMin { resource: Name, lend: i64, min: i64 },
    /// A namespace attached to a quota with children.
    NamespaceOnInner { namespace: Name },
    /// A namespace attached twice.
    NamespaceTwice { namespace: Name, other: Name },
    /// The root's min is not its max.
    RootMinIsNotMax { resource: Name, min: i64, max: Option<i64> },
    /// The root's max is above what the cluster has.
    RootMaxAboveCluster { resource: Name, max: i64, cluster: i64 },
    /// The min of all leaves together exceed what the cluster has.
    MinAboveCluster { resource: Name, min: String, cluster: i64 },
    /// Weight 0 and min 0.
    AlwaysFirstVictim,
    /// A leaf without a namespace.
    Unreachable,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use FindingKind as K;
        let show = |resource: &Name, amount: i64| QuantityText { amount, unit: Unit::of(resource.as_str()) };
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        match &self.kind {
            K::NoRoot => f.write_str("the tree has no root; exactly one quota must have no parent"),
            K::SecondRoot { first } => write!(f, "second root: `{first}` is already the root"),
            K::DuplicateName => f.write_str("duplicate quota name"),
            K::TwoParents { parents } => write!(f, "the quota has two parents: {}", join(parents)),
            K::UnknownParent { parent } => write!(f, "unknown parent `{parent}`"),
            K::Cycle { members } => write!(f, "the parents form a cycle: {}", join(members)),
            K::MinAboveMax { resource, min, max } => {
                write!(f, "min {} {resource} exceeds max {} {resource}", show(resource, *min), show(resource, *max))
            }
            K::MaxAboveParent { resource, max, parent_max } => {
                let (max, parent_max) = (show(resource, *max), show(resource, *parent_max));
                write!(f, "max {max} {resource} exceeds the parent's max of {parent_max} {resource}")
            }
            K::OverPromised { resource, children, min, .. } => {
                let min = show(resource, *min);
                write!(
                    f,
                    "the children's mins sum to {children} {resource}, more than the parent's min of {min} {resource}; \
                     lower them or raise the parent's"
                )
            }
            K::Negative { resource, field, amount } => {
                write!(f, "{field} of {resource} is negative: {}", show(resource, *amount))
            }
            K::LendAboveMin { resource, lend, min } => {
                write!(
                    f,
                    "lend limit {} {resource} exceeds min {} {resource}",
                    show(resource, *lend),
                    show(resource, *min)
                )
            }
            K::NamespaceOnInner { namespace } => {
                write!(f, "namespace `{namespace}` is attached to a quota with children; attach it to a leaf")
            }
            K::NamespaceTwice { namespace, other } => {
                write!(
                    f,
                    "namespace `{namespace}` is already attached to `{other}`; a namespace can be attached to one leaf only"
                )
            }
            K::RootMinIsNotMax { resource, min, max } => {
                let min = show(resource, *min);
                match max {
                    Some(max) => {
                        write!(
                            f,
                            "the root has min {min} {resource} and max {} {resource}; they should be equal",
                            show(resource, *max)
                        )
                    }
                    None => {
                        write!(f, "the root has min {min} {resource} but no max of it; give it the same max")
                    }
                }
            }
            K::RootMaxAboveCluster { resource, max, cluster } => {
                let (max, cluster) = (show(resource, *max), show(resource, *cluster));
                write!(f, "max {max} {resource} exceeds the cluster capacity ({cluster} {resource})")
            }
            K::MinAboveCluster { resource, min, cluster } => {
                let cluster = show(resource, *cluster);
                write!(
                    f,
                    "the mins of the leaves sum to {min} {resource}, more than the cluster capacity ({cluster} {resource})"
                )
            }
            K::AlwaysFirstVictim => f.write_str("with weight 0 and no min, its pods are always preempted first"),
            K::Unreachable => f.write_str("the leaf has no namespace, so no pod can use it"),
        }
    }
}

fn join(names: &[Name]) -> String {
    names.iter().map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", ")
}
