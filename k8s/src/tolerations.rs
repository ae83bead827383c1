//! Which taints a pod tolerates. The core compares taints by name, so tolerations are expanded to the names of the
//! existing taints. A new taint therefore changes the templates of the pods that tolerate it.
//!
//! Source: "Taints and Tolerations" of the Kubernetes documentation.

use crate::node_facts::Taint;
use quotree_core::Name;
use std::collections::BTreeSet;

/// A toleration of a pod.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Toleration {
    /// The key of the taints; empty means all keys.
    pub key: Name,
    /// How the values compare.
    pub operator: Operator,
    /// The value; empty if it has none.
    pub value: Name,
    /// The effect; empty means all effects.
    pub effect: Name,
}

/// How a toleration compares values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Operator {
    /// The values are equal.
    #[default]
    Equal,
    /// Any value matches.
    Exists,
    /// The taint's value is the larger number (`TaintTolerationComparisonOperators`).
    Gt,
    /// The taint's value is the smaller number.
    Lt,
}

impl Operator {
    /// The operator of this name; `None` if there is none.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        Some(match name {
            "" | "Equal" => Self::Equal,
            "Exists" => Self::Exists,
            "Gt" => Self::Gt,
            "Lt" => Self::Lt,
            _ => return None,
        })
    }
}

impl Toleration {
    /// Whether it tolerates a taint.
    #[must_use]
    pub fn tolerates(&self, taint: &Taint) -> bool {
        let numbers = || Some((taint.value.as_str().parse::<i64>().ok()?, self.value.as_str().parse::<i64>().ok()?));
        (self.effect == "" || self.effect == taint.effect)
            && (self.key == "" || self.key == taint.key)
            && match self.operator {
                Operator::Equal => self.value == taint.value,
                Operator::Exists => true,
                Operator::Gt => numbers().is_some_and(|(its, ours)| its > ours),
                Operator::Lt => numbers().is_some_and(|(its, ours)| its < ours),
            }
    }
}

/// The names of the taints that are tolerated by at least one of the tolerations, sorted.
#[must_use]
pub fn expand<'a>(tolerations: &[Toleration], taints: impl IntoIterator<Item = &'a Taint>) -> Vec<Name> {
    let tolerated = |taint: &&Taint| tolerations.iter().any(|toleration| toleration.tolerates(taint));
    let names: BTreeSet<Name> = taints.into_iter().filter(tolerated).map(Taint::text).collect();
    names.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taint(text: &str) -> Taint {
        let (rest, effect) = text.rsplit_once(':').unwrap();
        let (key, value) = rest.split_once('=').unwrap_or((rest, ""));
        Taint { key: key.into(), value: value.into(), effect: effect.into() }
    }

    #[test]
    fn tolerations_match_as_the_documentation_says() {
        // key, operator, value, effect | taint | tolerated
        let rows = [
            (("key1", "Equal", "value1", "NoSchedule"), "key1=value1:NoSchedule", true),
            (("key1", "", "value1", "NoSchedule"), "key1=value1:NoSchedule", true),
            (("key1", "Equal", "value2", "NoSchedule"), "key1=value1:NoSchedule", false),
            (("key1", "Equal", "value1", "NoExecute"), "key1=value1:NoSchedule", false),
            (("key1", "Exists", "", "NoSchedule"), "key1=value1:NoSchedule", true),
            (("key2", "Exists", "", "NoSchedule"), "key1=value1:NoSchedule", false),
            (("", "Exists", "", ""), "key1=value1:NoExecute", true),
            (("", "Exists", "", "NoExecute"), "key1:NoSchedule", false),
            (("key1", "Exists", "", ""), "key1:NoExecute", true),
            (("key1", "Equal", "", ""), "key1:NoExecute", true),
            (("sla", "Gt", "900", "NoSchedule"), "sla=950:NoSchedule", true),
            (("sla", "Gt", "950", "NoSchedule"), "sla=950:NoSchedule", false),
            (("sla", "Lt", "1000", "NoSchedule"), "sla=950:NoSchedule", true),
            (("sla", "Gt", "high", "NoSchedule"), "sla=950:NoSchedule", false),
            (("sla", "Lt", "5", "NoSchedule"), "sla=low:NoSchedule", false),
        ];
        for ((key, operator, value, effect), text, wanted) in rows {
            let operator = Operator::of(operator).unwrap();
            let toleration = Toleration { key: key.into(), operator, value: value.into(), effect: effect.into() };
            assert_eq!(toleration.tolerates(&taint(text)), wanted, "{toleration:?} {text}");
        }
        assert_eq!(Operator::of("In"), None);
    }

    #[test]
    fn a_pod_tolerates_the_union() {
        let taints = ["b:NoSchedule", "a=1:NoSchedule", "c:NoExecute"].map(taint);
        let exists = |key: &str| Toleration { key: key.into(), operator: Operator::Exists, ..Toleration::default() };
        assert_eq!(expand(&[exists("b"), exists("a"), exists("b")], &taints), ["a=1:NoSchedule", "b:NoSchedule"]);
        assert_eq!(expand(&[], &taints), Vec::<Name>::new());
    }
}
