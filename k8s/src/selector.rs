//! Selectors of objects by their labels, and the namespaces that quotree manages.
//!
//! Source: "Labels and Selectors" of the Kubernetes documentation.

use crate::{Labels, affinity::Requirement, names};
use quotree_core::Name;

/// A selector by labels. A selector without requirements selects everything.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LabelSelector {
    /// `matchLabels`.
    pub labels: Vec<(Name, Name)>,
    /// `matchExpressions`.
    pub expressions: Vec<Requirement>,
}

impl LabelSelector {
    /// Whether it selects an object with these labels.
    #[must_use]
    pub fn selects(&self, labels: &Labels) -> bool {
        self.labels.iter().all(|(key, value)| labels.get(key) == Some(value))
            && self.expressions.iter().all(|requirement| requirement.holds(labels.get(&requirement.key)))
    }
}

/// A namespace.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NamespaceFacts {
    /// `metadata.name`.
    pub name: Name,
    /// `metadata.labels`.
    pub labels: Labels,
}

impl NamespaceFacts {
    /// Whether quotree schedules the pods of the namespace; `ours` selects the managed namespaces. Those of the system
    /// never are, whoever labels them: else the scheduler could evict its own pods.
    #[must_use]
    pub fn is_managed(&self, ours: &LabelSelector) -> bool {
        !self.is_of_system() && ours.selects(&self.labels)
    }

    fn is_of_system(&self) -> bool {
        self.name.as_str().starts_with("kube-") || names::OWN_NAMESPACES.iter().any(|own| self.name == *own)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::affinity::Operator;

    #[test]
    fn all_requirements_must_hold() {
        let labels: Labels = [("team".into(), "red".into()), ("quota".into(), "on".into())].into();
        let expression = |key: &str, operator| Requirement { key: key.into(), operator, values: vec!["red".into()] };
        let rows = [
            (vec![], vec![], true),
            (vec![("team", "red")], vec![], true),
            (vec![("team", "red"), ("quota", "off")], vec![], false),
            (vec![("other", "red")], vec![], false),
            (vec![], vec![expression("team", Operator::In)], true),
            (vec![], vec![expression("team", Operator::NotIn)], false),
            (vec![], vec![expression("other", Operator::NotIn)], true),
            (vec![], vec![expression("other", Operator::DoesNotExist)], true),
            (vec![("quota", "on")], vec![expression("other", Operator::Exists)], false),
        ];
        for (wanted, expressions, selected) in rows {
            let wanted = wanted.into_iter().map(|(key, value)| (key.into(), value.into())).collect();
            let selector = LabelSelector { labels: wanted, expressions };
            assert_eq!(selector.selects(&labels), selected, "{selector:?}");
        }
    }

    #[test]
    fn namespaces_are_managed_by_selector_but_never_the_clusters_own() {
        let on = LabelSelector { labels: vec![("quota".into(), "on".into())], expressions: Vec::new() };
        let namespace = |name: &str, value: &str| NamespaceFacts {
            name: name.into(),
            labels: [("quota".into(), value.into())].into(),
        };
        assert!(namespace("red", "on").is_managed(&on) && !namespace("red", "off").is_managed(&on));
        for system in ["kube-system", "kube-flannel", "quotree-system", "quotree-users"] {
            assert!(!namespace(system, "on").is_managed(&on), "{system}");
        }
    }
}
