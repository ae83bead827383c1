//! The nodes on which a pod may run: `nodeSelector` and required node affinity.
//!
//! The core knows one form: the node has a label with one of these values. `nodeSelector` and a single term of `In`
//! expressions are of that form. Any other affinity (`NotIn`, `Exists`, `Gt`, several terms, fields) becomes a
//! [`NodeRule`]: it is evaluated for each node, and the nodes that satisfy it get a synthetic label, which the pod then
//! selects.
//!
//! Source: "Assigning Pods to Nodes" of the Kubernetes documentation.

use crate::{names::AFFINITY_PREFIX, node_facts::NodeFacts, pod_facts::PodFacts};
use quotree_core::{Name, StableHasher};
use std::hash::{Hash, Hasher};

/// One of the alternatives of `nodeSelectorTerms`: all its requirements must hold. A term without requirements holds on
/// no node.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct NodeTerm {
    /// `matchExpressions`, about labels.
    pub expressions: Vec<Requirement>,
    /// `matchFields`, about fields. The only field is `metadata.name`.
    pub fields: Vec<Requirement>,
}

/// A requirement of a label or field.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Requirement {
    /// The label or field.
    pub key: Name,
    /// How the value is compared.
    pub operator: Operator,
    /// The values to compare with.
    pub values: Vec<Name>,
}

/// How a requirement compares values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Operator {
    /// The label has one of the values.
    In,
    /// The label has none of the values, or is not there.
    NotIn,
    /// The label is there.
    Exists,
    /// The label is not there.
    DoesNotExist,
    /// The label is a larger number than the only value.
    Gt,
    /// The label is a smaller number than the only value.
    Lt,
}

impl Operator {
    /// The operator of this name; `None` if there is none.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        Some(match name {
            "In" => Self::In,
            "NotIn" => Self::NotIn,
            "Exists" => Self::Exists,
            "DoesNotExist" => Self::DoesNotExist,
            "Gt" => Self::Gt,
            "Lt" => Self::Lt,
            _ => return None,
        })
    }
}

impl Requirement {
    /// Whether it holds for this value of the label; `None` if the label is not there.
    #[must_use]
    pub fn holds(&self, value: Option<&Name>) -> bool {
        let number = |name: &Name| name.as_str().parse::<i64>().ok();
        let numbers = || match self.values.as_slice() {
            [only] => Some((number(value?)?, number(only)?)),
            _ => None,
        };
        match self.operator {
            Operator::In => value.is_some_and(|value| self.values.contains(value)),
            Operator::NotIn => value.is_none_or(|value| !self.values.contains(value)),
            Operator::Exists => value.is_some(),
            Operator::DoesNotExist => value.is_none(),
            Operator::Gt => numbers().is_some_and(|(its, ours)| its > ours),
            Operator::Lt => numbers().is_some_and(|(its, ours)| its < ours),
        }
    }
}

impl NodeTerm {
    /// Whether a node satisfies it. A field other than `metadata.name` has no value.
    #[must_use]
    pub fn admits(&self, node: &NodeFacts) -> bool {
        let field = |key: &Name| (*key == "metadata.name").then_some(&node.name);
        (!self.expressions.is_empty() || !self.fields.is_empty())
            && self.expressions.iter().all(|requirement| requirement.holds(node.labels.get(&requirement.key)))
            && self.fields.iter().all(|requirement| requirement.holds(field(&requirement.key)))
    }
}

/// A node affinity that the core cannot express as a list of labels.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct NodeRule {
    /// The synthetic label of the nodes that satisfy it; its value is `true`. Equal affinities have equal labels.
    pub label: Name,
    /// The alternatives, one of which must hold.
    pub terms: Vec<NodeTerm>,
}

impl NodeRule {
    fn of(terms: &[NodeTerm]) -> Self {
        let mut hasher = StableHasher::default();
        terms.hash(&mut hasher);
        Self { label: format!("{AFFINITY_PREFIX}{:016x}", hasher.finish()).into(), terms: terms.to_vec() }
    }

    /// Whether a node satisfies it, and so gets the label.
    #[must_use]
    pub fn admits(&self, node: &NodeFacts) -> bool {
        self.terms.iter().any(|term| term.admits(node))
    }
}

/// The nodes on which a pod may run, in the form of the core.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Selection {
    /// Labels, each with values of which the node must have one; includes the synthetic label.
    pub selector: Vec<(Name, Vec<Name>)>,
    /// The rule for the synthetic label.
    pub rule: Option<NodeRule>,
}

/// The nodes on which a pod may run.
#[must_use]
pub fn select(pod: &PodFacts) -> Selection {
    let mut selector: Vec<(Name, Vec<Name>)> =
        pod.node_selector.iter().map(|(label, value)| (label.clone(), vec![value.clone()])).collect();
    let Some(terms) = &pod.node_terms else { return Selection { selector, rule: None } };
    if let [NodeTerm { expressions, fields }] = terms.as_slice()
        && fields.is_empty()
        && !expressions.is_empty()
        && expressions.iter().all(|requirement| requirement.operator == Operator::In)
    {
        selector.extend(expressions.iter().map(|requirement| (requirement.key.clone(), requirement.values.clone())));
        return Selection { selector, rule: None };
    }
    let rule = NodeRule::of(terms);
    selector.push((rule.label.clone(), vec!["true".into()]));
    Selection { selector, rule: Some(rule) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Parses a requirement: `zone In a,b`, `gpu Exists`, `cores Gt 8`.
    fn requirement(text: &str) -> Requirement {
        let words: Vec<&str> = text.split_whitespace().collect();
        let values = words.get(2).map_or(vec![], |values| values.split(',').map(Name::from).collect());
        Requirement { key: words[0].into(), operator: Operator::of(words[1]).unwrap(), values }
    }

    /// Parses terms, separated by `|`, of requirements, separated by `;`.
    fn terms(text: &str) -> Vec<NodeTerm> {
        let is_field = |r: &Requirement| r.key.as_str().starts_with("metadata.");
        let term = |text: &str| {
            let all = text.split(';').filter(|part| !part.trim().is_empty()).map(requirement);
            let (fields, expressions) = all.partition(is_field);
            NodeTerm { expressions, fields }
        };
        text.split('|').map(term).collect()
    }

    fn node(name: &str, labels: &[(&str, &str)]) -> NodeFacts {
        let labels = labels.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect();
        NodeFacts { name: name.into(), labels, ..NodeFacts::default() }
    }

    #[test]
    fn terms_are_alternatives_and_requirements_add_up() {
        let nodes = [
            node("n0", &[("zone", "a"), ("cores", "16")]),
            node("n1", &[("zone", "b"), ("gpu", "A100"), ("cores", "8")]),
            node("n2", &[("cores", "many")]),
        ];
        let rows = [
            ("zone In a,b", "n0 n1"),
            ("zone NotIn a", "n1 n2"),
            ("zone NotIn a; zone Exists", "n1"),
            ("gpu Exists", "n1"),
            ("gpu DoesNotExist", "n0 n2"),
            ("cores Gt 8", "n0"),
            ("cores Lt 16", "n1"),
            ("cores Gt 8,9", ""),
            ("gpu Exists | cores Gt 8", "n0 n1"),
            ("zone In a; gpu Exists", ""),
            ("metadata.name In n2", "n2"),
            ("metadata.name In n1; zone In a", ""),
            ("metadata.uid In n1", ""),
            ("", ""),
            (" | zone In a", "n0"),
        ];
        for (text, wanted) in rows {
            let rule = NodeRule::of(&terms(text));
            let seen: Vec<&str> =
                nodes.iter().filter(|node| rule.admits(node)).map(|node| node.name.as_str()).collect();
            assert_eq!(seen.join(" "), wanted, "{text}");
        }
    }

    #[test]
    fn only_what_the_core_cannot_say_gets_a_synthetic_label() {
        let select = |text: Option<&str>| {
            let node_selector = vec![("disk".into(), "ssd".into())];
            super::select(&PodFacts { node_selector, node_terms: text.map(terms), ..PodFacts::default() })
        };
        let plain = select(Some("zone In a,b; gpu In A100"));
        let entry = |label: &str, values: &[&str]| (Name::from(label), values.iter().map(|v| Name::from(*v)).collect());
        assert_eq!(plain.selector, [entry("disk", &["ssd"]), entry("zone", &["a", "b"]), entry("gpu", &["A100"])]);
        assert_eq!((plain.rule, select(None).selector.len()), (None, 1));
        let odd = select(Some("zone NotIn a"));
        let rule = odd.rule.unwrap();
        assert_eq!(odd.selector, [entry("disk", &["ssd"]), entry(rule.label.as_str(), &["true"])]);
        assert!(rule.label.as_str().starts_with(AFFINITY_PREFIX));
        assert_eq!(select(Some("zone NotIn a")).rule.unwrap().label, rule.label, "equal affinities share a label");
        assert_ne!(select(Some("zone NotIn b")).rule.unwrap().label, rule.label);
        assert!(select(Some("")).rule.is_some(), "a term without requirements holds nowhere");
    }
}
