//! Why something is refused: a value with all facts for a sentence, and a word for the reason that claims can name.

use quotree_core::Name;
use quotree_syntax::{Node, Read, Report, choice};
use std::fmt;

/// The most items of a list that a sentence names; the number of the others is given.
const NAMED: usize = 8;

/// Why a submission or an edit is refused. A refused submission or edit changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// There is no user of that name.
    #[error("there is no user `{user}`")]
    UnknownUser {
        /// The name.
        user: Name,
    },
    /// The user is in no group.
    #[error("`{user}` is in no group, so it may use no quota")]
    NoGroup {
        /// The user.
        user: Name,
    },
    /// The user is in groups, but not in the group of the leaf.
    #[error("{}", wrong_group(.user, .namespace, .leaf, .group.as_ref()))]
    WrongGroup {
        /// The user.
        user: Name,
        /// The namespace.
        namespace: Name,
        /// Its leaf.
        leaf: Name,
        /// The group of that leaf.
        group: Option<Name>,
    },
    /// The namespace is on no leaf (A4).
    #[error("namespace `{namespace}` is attached to no leaf quota (A4)")]
    NoLeaf {
        /// The namespace.
        namespace: Name,
    },
    /// Only an admin may make this change.
    #[error("`{user}` is a researcher, and only an admin may do this")]
    NotAdmin {
        /// The user.
        user: Name,
    },
    /// The workload belongs to another user.
    #[error("workload `{workload}` belongs to another user, and `{user}` is not an admin")]
    NotOwner {
        /// The user.
        user: Name,
        /// The workload.
        workload: Name,
    },
    /// The edit would make quotas to which groups are bound into inner quotas.
    #[error("groups are bound to quotas that would no longer be leaves: {}", named(.leaves.iter().map(|(leaf, group)| format!("`{group}` to `{leaf}`"))))]
    LeafNamed {
        /// The leaves with their groups.
        leaves: Vec<(Name, Name)>,
    },
    /// Pods run that members of the group submitted.
    #[error("group `{group}` has {}: {}", pods_run(.pods.len()), named(.pods.iter().cloned()))]
    GroupAtWork {
        /// The group.
        group: Name,
        /// The pods.
        pods: Vec<String>,
    },
    /// Pods run in a namespace that would move (T3).
    #[error("namespace `{namespace}` has {} and may not move from its leaf (T3): {}", pods_run(.pods.len()), named(.pods.iter().cloned()))]
    NamespaceInUse {
        /// The namespace.
        namespace: Name,
        /// The pods.
        pods: Vec<String>,
    },
    /// Guaranteed cells are unavailable. This records a state of the run; no user attempted anything.
    #[error("{why}")]
    CellsShort {
        /// The whole sentence.
        why: String,
    },
    /// Something that the edit names does not exist, exists already, or does not fit.
    #[error("{what}")]
    Invalid {
        /// The whole sentence.
        what: String,
    },
}

/// The reason in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "as the variants of Refusal")]
pub enum Reason {
    UnknownUser,
    NoGroup,
    WrongGroup,
    NoLeaf,
    NotAdmin,
    NotOwner,
    LeafNamed,
    GroupAtWork,
    NamespaceInUse,
    CellsShort,
    Invalid,
}

impl Reason {
    /// The reasons that claims can name, with their names.
    pub const NAMED: [(&'static str, Self); 10] = [
        ("UnknownUser", Self::UnknownUser),
        ("NoGroup", Self::NoGroup),
        ("WrongGroup", Self::WrongGroup),
        ("NoLeaf", Self::NoLeaf),
        ("NotAdmin", Self::NotAdmin),
        ("NotOwner", Self::NotOwner),
        ("LeafNamed", Self::LeafNamed),
        ("GroupAtWork", Self::GroupAtWork),
        ("NamespaceInUse", Self::NamespaceInUse),
        ("Invalid", Self::Invalid),
    ];

    /// Its name in scenarios and summaries.
    #[must_use]
    pub fn word(self) -> &'static str {
        Self::NAMED.iter().find(|(_, reason)| *reason == self).map_or("CellsShort", |(word, _)| word)
    }
}

impl Read for Reason {
    fn kind() -> String {
        format!("one of {}", Self::NAMED.map(|(word, _)| word).join(", "))
    }

    fn read(node: &Node, report: &mut Report) -> Option<Self> {
        choice(node, &Self::NAMED, report)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl Refusal {
    /// The reason in one word.
    #[must_use]
    pub const fn reason(&self) -> Reason {
        match self {
            Self::UnknownUser { .. } => Reason::UnknownUser,
            Self::NoGroup { .. } => Reason::NoGroup,
            Self::WrongGroup { .. } => Reason::WrongGroup,
            Self::NoLeaf { .. } => Reason::NoLeaf,
            Self::NotAdmin { .. } => Reason::NotAdmin,
            Self::NotOwner { .. } => Reason::NotOwner,
            Self::LeafNamed { .. } => Reason::LeafNamed,
            Self::GroupAtWork { .. } => Reason::GroupAtWork,
            Self::NamespaceInUse { .. } => Reason::NamespaceInUse,
            Self::CellsShort { .. } => Reason::CellsShort,
            Self::Invalid { .. } => Reason::Invalid,
        }
    }
}

fn wrong_group(user: &Name, namespace: &Name, leaf: &Name, group: Option<&Name>) -> String {
    match group {
        Some(group) => {
            format!(
                "`{user}` is not in group `{group}`, which alone may use `{leaf}`, the leaf of namespace `{namespace}`"
            )
        }
        None => {
            format!("no group is bound to `{leaf}`, the leaf of namespace `{namespace}`, so `{user}` may not use it")
        }
    }
}

fn pods_run(count: usize) -> String {
    if count == 1 { "1 running pod".to_owned() } else { format!("{count} running pods") }
}

fn named(all: impl ExactSizeIterator<Item = String>) -> String {
    let more = all.len().saturating_sub(NAMED);
    let shown: Vec<String> = all.take(NAMED).collect();
    let shown = shown.join(", ");
    if more == 0 { shown } else { format!("{shown} and {more} more") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_a_word_and_every_sentence_names_what_it_is_about() {
        let n = |text: &str| Name::from(text);
        let pods = |count: usize| (0..count).map(|i| format!("p{i}")).collect::<Vec<_>>();
        let rows = [
            (Refusal::UnknownUser { user: n("eve") }, "UnknownUser", "there is no user `eve`"),
            (Refusal::NoGroup { user: n("bob") }, "NoGroup", "`bob` is in no group, so it may use no quota"),
            (
                Refusal::WrongGroup { user: n("bob"), namespace: n("ns"), leaf: n("leaf"), group: Some(n("vision")) },
                "WrongGroup",
                "`bob` is not in group `vision`, which alone may use `leaf`, the leaf of namespace `ns`",
            ),
            (Refusal::NoLeaf { namespace: n("ns") }, "NoLeaf", "namespace `ns` is attached to no leaf quota (A4)"),
            (
                Refusal::LeafNamed { leaves: vec![(n("leaf"), n("vision")), (n("b"), n("c"))] },
                "LeafNamed",
                "groups are bound to quotas that would no longer be leaves: `vision` to `leaf`, `c` to `b`",
            ),
            (
                Refusal::GroupAtWork { group: n("vision"), pods: pods(10) },
                "GroupAtWork",
                "group `vision` has 10 running pods: p0, p1, p2, p3, p4, p5, p6, p7 and 2 more",
            ),
            (
                Refusal::NamespaceInUse { namespace: n("ns"), pods: pods(1) },
                "NamespaceInUse",
                "namespace `ns` has 1 running pod and may not move from its leaf (T3): p0",
            ),
        ];
        for (refusal, word, sentence) in rows {
            assert_eq!((refusal.reason().word(), refusal.to_string().as_str()), (word, sentence));
        }
        assert!(Reason::NAMED.iter().all(|(word, reason)| format!("{reason:?}") == *word));
    }
}
