//! Whether a workload could run at all, whatever else ends (O4).

use crate::{
    api::{CannotRun, Domain, QuotaId},
    scheduler::{
        nodes::Nodes,
        quota::Quotas,
        state::{Ask, Interner, QuotaSlot},
    },
    tree::UNLIMITED,
};

/// Why a request cannot run while tree, nodes and non-preemptible usage are as they are (O4). Costs a path of the tree
/// and the distinct shapes of nodes; where the pods must share a domain, all nodes.
pub(crate) fn cannot_run(
    quotas: &Quotas,
    nodes: &Nodes,
    interner: &Interner,
    ask: &Ask,
    leaf: QuotaSlot,
) -> Option<CannotRun> {
    above_max(quotas, ask, leaf)
        .or_else(|| above_guarantee(quotas, ask, leaf))
        .or_else(|| too_large(nodes, interner, ask))
}

/// The first quota of the path whose max is less than the request.
fn above_max(quotas: &Quotas, ask: &Ask, leaf: QuotaSlot) -> Option<CannotRun> {
    let above = |q: QuotaSlot, r: usize, needed: i64| {
        let (quota, max) = (quotas.quota_id(q)?, quotas.max(q, r));
        let reason = CannotRun::AboveMax { quota, resource: quotas.resource_name(r), needed, max };
        (max != UNLIMITED && needed > max).then_some(reason)
    };
    ask.requested().find_map(|(r, needed)| quotas.ledger.path(leaf).find_map(|q| above(q, r, needed)))
}

/// The first quota of the path whose min does not cover a request that is not preemptible, beside what other such pods
/// use or hold (A2).
fn above_guarantee(quotas: &Quotas, ask: &Ask, leaf: QuotaSlot) -> Option<CannotRun> {
    if ask.preemptible || !quotas.lacks_guarantee(ask, leaf) {
        return None;
    }
    let above = |q: QuotaSlot, r: usize, needed: i64| {
        let available = quotas.min(q, r).saturating_sub(quotas.ledger.non_preemptible_usage(q, r));
        let resource = quotas.resource_name(r);
        (needed > available).then_some(CannotRun::AboveGuarantee { quota: QuotaId(q.0), resource, needed, available })
    };
    quotas.counted(ask).find_map(|(r, needed)| quotas.ledger.path(leaf).find_map(|q| above(q, r, needed)))
}

/// Whether empty nodes could not hold all pods of a kind; where pods must share a domain, whether no domain could.
fn too_large(nodes: &Nodes, interner: &Interner, ask: &Ask) -> Option<CannotRun> {
    let short = |domain: Option<&Domain>| {
        let mut kinds = ask.members.iter().map(|(id, pods)| (*pods, nodes.would_hold(interner.template(*id), domain)));
        kinds.find(|(pods, most)| u64::from(*pods) > *most)
    };
    let Some((level, _)) = ask.together else {
        let (pods, most) = short(None)?;
        return Some(CannotRun::TooLarge { pods, most, within: None });
    };
    let mut closest: Option<(u32, u64)> = None;
    for domain in nodes.domains_of(level) {
        let (pods, most) = short(Some(&domain))?;
        if closest.is_none_or(|(_, before)| most > before) {
            closest = Some((pods, most));
        }
    }
    let none = || (ask.members.first().map_or(0, |(_, pods)| *pods), 0);
    let (pods, most) = closest.unwrap_or_else(none);
    Some(CannotRun::TooLarge { pods, most, within: Some(level) })
}
