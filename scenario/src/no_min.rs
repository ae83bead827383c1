//! Warns of a guarantee without effect: a leaf has a min, but not in some resource that its workloads also request and
//! that another quota is guaranteed. Such workloads can only borrow, and never reclaim (R2a). There is no warning for a
//! leaf without any min, which is meant to borrow, nor for a resource that no quota is guaranteed, since nobody borrows
//! it (Q5).

use crate::assemble::Parts;
use quotree_core::{Amounts, Name, Preemption, QuotaSpec, Reclaim};
use quotree_model::{Kind, Workload};
use quotree_syntax::Report;
use std::collections::{BTreeMap, BTreeSet};

/// The first workload of a leaf that requests a resource, and the most that one pod of the leaf requests of it.
type Asked<'a> = (&'a Workload, i64);

/// Reports each leaf once for each such resource, and returns them.
pub(crate) fn check(parts: &Parts, report: &mut Report) -> BTreeSet<(Name, Name)> {
    let mut said = BTreeSet::new();
    let Some(tree) = &parts.tree else { return said };
    let policy = &parts.policy;
    let reclaims = matches!(policy.preemption, Preemption::Auto | Preemption::ReclaimOnly);
    if policy.reclaim != Reclaim::Min || !reclaims {
        return said;
    }
    for ((leaf, resource), (workload, most)) in lacking(&tree.spec.quotas, parts) {
        let Some(span) = tree.name_span(leaf.as_str()) else { continue };
        let never = if workload.preemptible { "can never reclaim" } else { "can never start (A2)" };
        let title = format!(
            "`{leaf}` has a min, but no min of {resource}, so `{}`, which requests {resource}, {never}",
            workload.name
        );
        let most = Amounts::new().with(resource.clone(), most);
        report.warning(span, title, format!("other quotas have a min of {resource}")).help(format!(
            "give `{leaf}` a min of {resource}, too ({most} for one pod), so that it can reclaim what it lends (R2(a)); or \
             give no quota a min of {resource}, if it is only to be limited (Q5)"
        ));
        said.insert((leaf.clone(), resource.clone()));
    }
    said
}

/// The resources in which a leaf with a min has none, although its pods request them and other quotas are guaranteed
/// them.
fn lacking<'a>(quotas: &'a [QuotaSpec], parts: &'a Parts) -> BTreeMap<(&'a Name, &'a Name), Asked<'a>> {
    let has = |quota: &QuotaSpec, resource: &Name| quota.min.get(resource.as_str()).is_some_and(|min| min > 0);
    let below = || quotas.iter().filter(|quota| quota.parent.is_some());
    let leaves = below().filter(|quota| quota.min.iter().any(|(_, min)| min > 0));
    let leaves: BTreeMap<&Name, &QuotaSpec> =
        leaves.flat_map(|quota| quota.namespaces.iter().map(move |namespace| (namespace, quota))).collect();
    let mins = below().flat_map(|quota| quota.min.iter());
    let guaranteed: BTreeSet<&Name> = mins.filter(|(_, min)| *min > 0).map(|(name, _)| name).collect();
    let mut found: BTreeMap<(&Name, &Name), Asked<'a>> = BTreeMap::new();
    for workload in parts.workloads.iter().map(|read| &read.workload) {
        let mut see = |namespace: &Name, request: &'a Amounts| {
            let Some(leaf) = leaves.get(namespace) else { return };
            for (resource, amount) in request.iter() {
                if amount > 0 && guaranteed.contains(resource) && !has(leaf, resource) {
                    let (_, most) = found.entry((&leaf.name, resource)).or_insert((workload, 0));
                    *most = amount.max(*most);
                }
            }
        };
        match &workload.kind {
            Kind::Trace { rows, .. } => {
                let sets = rows.iter().flat_map(|row| row.sets().map(|(template, _)| (&row.namespace, template)));
                sets.for_each(|(namespace, template)| see(namespace, &template.request));
            }
            kind => kind.templates(&mut |template, _| see(&workload.namespace, &template.request)),
        }
    }
    found
}
