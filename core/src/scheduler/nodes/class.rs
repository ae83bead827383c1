//! Classes of nodes with equal labels and taints: to selectors and tolerations, all nodes of a class are the same (P1).

use crate::{
    api::{Name, NodeSpec, PodTemplate},
    scheduler::state::Template,
};

/// Labels and taints.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Class {
    labels: Vec<(Name, Name)>,
    taints: Vec<Name>,
}

impl Class {
    pub(super) fn of(spec: &NodeSpec) -> Self {
        let (mut labels, mut taints) = (spec.labels.clone(), spec.taints.clone());
        labels.sort_unstable();
        taints.sort_unstable();
        Self { labels, taints }
    }

    pub(super) fn is_tolerated(&self, template: &Template) -> bool {
        self.taints.iter().all(|taint| template.tolerations.contains(taint))
    }

    pub(super) fn is_open_to(&self, template: &PodTemplate) -> bool {
        self.taints.iter().all(|taint| template.tolerations.contains(taint)) && self.has(&template.selector)
    }

    pub(super) fn is_selected(&self, template: &Template) -> bool {
        self.has(&template.selector)
    }

    fn has(&self, selector: &[(Name, Vec<Name>)]) -> bool {
        let has = |(label, values): &(Name, Vec<Name>)| {
            self.labels.iter().any(|(name, value)| name == label && values.contains(value))
        };
        selector.iter().all(has)
    }
}

/// Why a node is unsuitable for a pod, regardless of what is free on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RuledOut {
    Cordoned,
    Tainted,
    Unselected,
    Elsewhere,
}
