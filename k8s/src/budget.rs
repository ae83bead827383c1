//! Disruption budgets: which PodDisruptionBudgets protect a pod, and how many pods may be evicted at the moment.
//!
//! Source: "Specifying a Disruption Budget for your Application" and "API-initiated Eviction" of the Kubernetes
//! documentation.

use crate::{pod_facts::PodFacts, selector::LabelSelector};
use quotree_core::Name;

/// A PodDisruptionBudget.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PdbFacts {
    /// Its namespace; it protects only pods of this namespace.
    pub namespace: Name,
    /// Its name.
    pub name: Name,
    /// `spec.selector`; `None` if absent, which selects no pod.
    pub selector: Option<LabelSelector>,
    /// `status.disruptionsAllowed`; `None` while the controller has not observed the budget.
    pub allowed: Option<u32>,
}

/// The budget of a pod, in the form of the core.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Budget {
    /// Its name: `namespace/name`, or for several budgets `namespace/name+name`.
    pub name: Name,
    /// How many of its pods may be evicted now. It is 0 while the budget is not observed, and also if several budgets
    /// select one pod, since the API then refuses every eviction.
    pub allowed: u32,
    /// Why it is 0 regardless of what the budgets allow, if it is.
    pub none: Option<NoneAllowed>,
}

/// Why no eviction is allowed, regardless of what a budget allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum NoneAllowed {
    /// The budget is not observed yet.
    Unobserved,
    /// Several budgets select one pod.
    Several,
}

/// The budget of a pod; `None` if nothing protects it.
#[must_use]
pub fn budget_of(pod: &PodFacts, budgets: &[PdbFacts]) -> Option<Budget> {
    let selects = |budget: &&PdbFacts| {
        budget.namespace == pod.namespace
            && budget.selector.as_ref().is_some_and(|selector| selector.selects(&pod.labels))
    };
    let mut protecting: Vec<&PdbFacts> = budgets.iter().filter(selects).collect();
    protecting.sort_by(|a, b| a.name.cmp(&b.name));
    let (allowed, none) = match protecting.as_slice() {
        [] => return None,
        [only] => (only.allowed.unwrap_or(0), only.allowed.is_none().then_some(NoneAllowed::Unobserved)),
        _ => (0, Some(NoneAllowed::Several)),
    };
    let names: Vec<&str> = protecting.iter().map(|budget| budget.name.as_str()).collect();
    Some(Budget { name: format!("{}/{}", pod.namespace, names.join("+")).into(), allowed, none })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pdb(name: &str, label: Option<(&str, &str)>, allowed: Option<u32>) -> PdbFacts {
        let labels = label.into_iter().map(|(key, value)| (key.into(), value.into())).collect();
        let selector = Some(LabelSelector { labels, expressions: Vec::new() });
        PdbFacts { namespace: "ns".into(), name: name.into(), selector, allowed }
    }

    #[test]
    fn a_pod_has_the_budgets_that_select_it() {
        let web =
            PodFacts { namespace: "ns".into(), labels: [("app".into(), "web".into())].into(), ..PodFacts::default() };
        let budget = |budgets: &[PdbFacts]| budget_of(&web, budgets).map(|b| (b.name.to_string(), b.allowed));
        let one = |allowed| Some(("ns/a".to_owned(), allowed));
        assert_eq!(budget(&[pdb("a", Some(("app", "web")), Some(2))]), one(2));
        assert_eq!(budget(&[pdb("a", Some(("app", "db")), Some(2))]), None);
        assert_eq!(budget(&[pdb("a", Some(("app", "web")), None)]), one(0), "not observed yet");
        assert_eq!(budget(&[pdb("a", None, Some(1))]), one(1), "an empty selector selects all pods");
        let mut absent = pdb("a", None, Some(1));
        absent.selector = None;
        assert_eq!(budget(&[absent]), None);
        let elsewhere = PdbFacts { namespace: "other".into(), ..pdb("a", None, Some(1)) };
        assert_eq!(budget(&[elsewhere]), None);
        let both = [pdb("b", None, Some(3)), pdb("a", Some(("app", "web")), Some(2))];
        assert_eq!(budget(&both), Some(("ns/a+b".to_owned(), 0)), "two on one pod: the API refuses evictions");
        let none = |budgets: &[PdbFacts]| budget_of(&web, budgets).and_then(|budget| budget.none);
        assert_eq!((none(&both[..1]), none(&both)), (None, Some(NoneAllowed::Several)));
        assert_eq!(none(&[pdb("a", None, None)]), Some(NoneAllowed::Unobserved));
    }
}
