//! Where a pod of a dump is placed: on its node, or on any node that its constraints allow.

use super::dump::Dump;
use crate::{Templates, TraceOptions};
use quotree_core::{Amounts, Name, PodTemplate};
use quotree_k8s::{Loss, PodFacts, Taint, affinity::NodeRule, map_pod, names};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// What the placement of pods needs to know about the nodes.
pub(super) struct Nodes<'d> {
    /// The hostname and the taints of each node.
    by_name: BTreeMap<&'d Name, (&'d Name, Vec<Name>)>,
    /// All taints of the cluster.
    taints: BTreeSet<Taint>,
}

/// A pod with its template.
pub(super) struct Placed {
    pub(super) template: Arc<PodTemplate>,
    /// The rule for which it has a synthetic label.
    pub(super) rule: Option<NodeRule>,
    pub(super) losses: BTreeSet<Loss>,
}

impl<'d> Nodes<'d> {
    pub(super) fn of(dump: &'d Dump) -> Self {
        let mut nodes = Self { by_name: BTreeMap::new(), taints: BTreeSet::new() };
        for node in dump.nodes.iter().map(|node| &node.facts) {
            let taints = node.repelling();
            let names = taints.iter().map(Taint::text).collect();
            nodes.taints.extend(taints);
            nodes.by_name.entry(&node.name).or_insert((node.hostname(), names));
        }
        nodes
    }

    /// Whether the dump has no nodes. Pods then share a pool, which has no labels and no taints.
    pub(super) fn is_empty(&self) -> bool {
        self.by_name.is_empty()
    }

    /// Places a pod: on its node, if it is bound; otherwise by its constraints. `None` if the dump does not contain its
    /// node.
    pub(super) fn place(&self, pod: &PodFacts, bound: bool, templates: &mut Templates) -> Option<Placed> {
        let mut mapped = map_pod(pod, &self.taints);
        let template = &mut mapped.template;
        // The scenario counts pods itself where nodes limit them.
        let counted = template.request.iter().filter(|(resource, _)| **resource != names::PODS);
        template.request = counted.map(|(resource, amount)| (resource.clone(), amount)).collect::<Amounts>();
        if self.is_empty() {
            (template.selector, template.tolerations, mapped.rule) = (Vec::new(), Vec::new(), None);
        } else if let Some(node) = pod.node.as_ref().filter(|_| bound) {
            let (host, taints) = self.by_name.get(node)?;
            template.selector = vec![(names::HOSTNAME.into(), vec![(*host).clone()])];
            template.tolerations.clone_from(taints);
            mapped.rule = None;
        }
        let template = templates.share(mapped.template);
        Some(Placed { template, rule: mapped.rule, losses: mapped.losses })
    }
}

/// The namespace that rows from a namespace of the dump get.
pub(super) fn row_namespace(namespace: &Name, options: &TraceOptions) -> Name {
    options.namespace.clone().unwrap_or_else(|| format!("{}{namespace}", options.prefix).into())
}
