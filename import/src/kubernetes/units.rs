//! The pods of a dump as units: single pods, and gangs whose pods form one row.

use super::{
    dump::{Dump, Found},
    gangs::{Member, arrange},
    place::{Nodes, Placed},
    pod_notes::{Plan, PodNote},
    settings,
};
use crate::{Templates, TraceOptions};
use quotree_core::{Level, Name};
use quotree_k8s::{
    PodFacts,
    gang::{GangId, Membership, membership, minimum},
    stage::{Stage, stage},
};
use std::collections::BTreeMap;

/// A pod that becomes a row, or a part of one.
pub(super) struct Candidate<'d> {
    pub(super) pod: &'d PodFacts,
    pub(super) placed: Placed,
    pub(super) bound: bool,
    gang: Option<Membership>,
}

/// The pod as a part of a row. Nothing if it is left out: it has ended, is gated, or is refused. Notes the reason.
pub(super) fn candidate<'d>(
    found: &'d Found<PodFacts>,
    nodes: &Nodes<'_>,
    templates: &mut Templates,
    plan: &mut Plan,
) -> Option<Candidate<'d>> {
    let pod = &found.facts;
    let stage = stage(pod);
    let note = match stage {
        Stage::Ended => Some(PodNote::Ended),
        Stage::Deleted => Some(PodNote::Deleted),
        Stage::Gated => Some(PodNote::Gated),
        Stage::Leaving => Some(PodNote::Leaving),
        _ => None,
    };
    note.into_iter().for_each(|note| plan.tell(note, 1));
    if matches!(stage, Stage::Ended | Stage::Deleted | Stage::Gated) {
        return None;
    }
    let bound = matches!(stage, Stage::Bound | Stage::Leaving);
    let Some(placed) = nodes.place(pod, bound, templates) else {
        let node = pod.node.as_ref().map_or("", Name::as_str);
        plan.problems.push(found.refuse(&format!("the dump has no valid node `{node}`")));
        return None;
    };
    plan.tell(PodNote::Adrift, usize::from(bound && nodes.is_empty()));
    plan.rules.extend(placed.rule.clone());
    // A pod that is being deleted is no member any more.
    let gang = if stage == Stage::Leaving { Ok(None) } else { membership(pod) };
    match gang {
        Ok(gang) => Some(Candidate { pod, placed, bound, gang }),
        Err(bad) => {
            let value = bad.value.map_or("nothing".to_owned(), |value| format!("`{value}`"));
            plan.problems.push(found.refuse(&format!("`{}` must be a number of pods, found {value}", bad.key)));
            None
        }
    }
}

/// Pods that become one row.
pub(super) struct Unit {
    /// The gang; `None` for a single pod.
    pub(super) gang: Option<Name>,
    pods: Vec<usize>,
    pub(super) together: Option<Level>,
}

impl Unit {
    pub(super) fn pods<'a, 'd>(&'a self, candidates: &'a [Candidate<'d>]) -> impl Iterator<Item = &'a Candidate<'d>> {
        self.pods.iter().filter_map(|pod| candidates.get(*pod))
    }

    pub(super) fn bound(&self, candidates: &[Candidate<'_>]) -> bool {
        self.pods(candidates).all(|candidate| candidate.bound)
    }

    /// When the last of its pods was created.
    pub(super) fn created(&self, candidates: &[Candidate<'_>]) -> i64 {
        self.pods(candidates).map(|candidate| candidate.pod.created_ms).max().unwrap_or(0)
    }
}

/// Divides the pods into rows.
pub(super) fn units(candidates: &[Candidate<'_>], dump: &Dump, options: &TraceOptions, plan: &mut Plan) -> Vec<Unit> {
    let mut gangs: BTreeMap<&GangId, (&Membership, Vec<Member>)> = BTreeMap::new();
    let mut units = Vec::new();
    let single = |pod: usize| Unit { gang: None, pods: vec![pod], together: None };
    for (pod, candidate) in candidates.iter().enumerate() {
        match &candidate.gang {
            None => units.push(single(pod)),
            Some(gang) => {
                let member = Member { pod, bound: candidate.bound, role: gang.role.clone() };
                gangs.entry(&gang.gang).or_insert_with(|| (gang, Vec::new())).1.push(member);
            }
        }
    }
    for (id, (membership, mut members)) in gangs {
        let created = |member: &Member| candidates.get(member.pod).map(|c| (c.pod.created_ms, &c.pod.name));
        members.sort_by(|a, b| created(a).cmp(&created(b)));
        let count = u32::try_from(members.len()).unwrap_or(u32::MAX);
        let key = |name: &Name| (id.kind, id.namespace.clone(), name.clone());
        let object = membership.object.as_ref().and_then(|name| dump.groups.get(&key(name)));
        let Some(least) = minimum(membership, object, count, &settings(options)) else {
            plan.tell(PodNote::NoGroup, members.len());
            plan.unknown.insert((PodNote::NoGroup, format!("{}/{}", id.namespace, id.name).into()));
            units.extend(members.iter().map(|member| single(member.pod)));
            continue;
        };
        if let Some(level) = least.unknown_level {
            plan.tell(PodNote::UnknownLevel, members.len());
            plan.unknown.insert((PodNote::UnknownLevel, level));
        }
        if least.pods <= 1 && least.by_role.is_empty() && least.together.is_none() {
            units.extend(members.iter().map(|member| single(member.pod)));
            continue;
        }
        let arranged = arrange(&members, least.pods, &least.by_role);
        plan.tell(PodNote::WaitForMembers, arranged.waiting.len());
        plan.tell(PodNote::Torn, arranged.torn);
        plan.tell(PodNote::Elastic, arranged.elastic.len());
        let gang = Some(id.name.clone());
        let of_gang = |pods| Unit { gang: gang.clone(), pods, together: least.together };
        units.extend(arranged.together.into_iter().map(of_gang));
        units.extend(arranged.elastic.into_iter().map(single));
    }
    units
}
