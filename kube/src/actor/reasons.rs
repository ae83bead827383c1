//! Why each pod of ours waits, in the words of `quotree explain`.

use super::{
    Actor, Intent, Live, PodKey,
    gangs::Unready,
    names::{Ids, LiveNames},
    pods::{Progress, is_ours, is_unsupported},
    twin::{self, Reason},
};
use crate::watch::{SeenPod, Uid};
use quotree_core::{BlockingReason, Scheduler, WorkloadId};
use quotree_k8s::{
    names,
    stage::{Stage, named_quota, stage},
};
use quotree_words::{in_brief, verdict};

/// In larger clusters nobody is said what would help, except who is asked about.
pub(super) const SMALL: usize = 2000;

/// Why a pod waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Why {
    /// The pod.
    pub pod: PodKey,
    /// The reason in one word.
    pub reason: &'static str,
    /// The reason in a sentence.
    pub message: String,
}

impl From<Why> for Intent {
    fn from(why: Why) -> Self {
        Self::Condition { pod: why.pod, admitted: false, reason: why.reason, message: why.message }
    }
}

impl Actor {
    /// Why each workload waits, by age. Costs many decisions: the loop has it made [beside it](super::Twin), and a dry run, which
    /// holds nothing up, makes it here.
    #[must_use]
    pub fn why_workloads(&self) -> Vec<Reason> {
        self.live.as_ref().map(|live| twin::reasons(&live.core, &live.ids, self.settings.advice)).unwrap_or_default()
    }

    /// Why each pod of ours waits that is not admitted, by age of their workloads. Costs as
    /// [`why_workloads`](Self::why_workloads).
    #[must_use]
    pub fn reasons(&self) -> Vec<Why> {
        self.whys(&self.why_workloads())
    }

    /// Why each of our pods waits, given why its workload does. Leaves out pods that have been admitted since. Costs a pass over
    /// what waits and over the pods that the core does not know.
    #[must_use]
    pub fn whys(&self, reasons: &[Reason]) -> Vec<Why> {
        let Some(live) = &self.live else { return Vec::new() };
        let mut all = Vec::new();
        for one in reasons {
            let named = (one.word == "NoQuota").then(|| self.unknown_quota(live, one.workload)).flatten();
            let message = named.unwrap_or_else(|| one.message.clone());
            let waits = |uid: &&Uid| live.known.get(*uid).is_some_and(|known| known.state == Progress::Waiting);
            let pods = live.ids.pods_of(one.workload).filter(waits).filter_map(|uid| self.seen.pods.get(uid));
            all.extend(pods.map(|pod| Why { pod: PodKey::of(pod), reason: one.word, message: message.clone() }));
        }
        all.extend(self.unreported());
        all
    }

    /// Pods of ours that the core does not know, and why.
    pub(crate) fn unreported(&self) -> Vec<Why> {
        let Some(live) = &self.live else { return Vec::new() };
        let unknown = self.seen.pods.values().filter(|pod| !live.known.contains_key(&pod.uid));
        let why = |pod: &std::sync::Arc<SeenPod>| {
            let (reason, message) = self.not_reported(live, pod)?;
            Some(Why { pod: PodKey::of(pod), reason, message })
        };
        unknown.filter_map(why).collect()
    }

    /// Whether the core counts a pod as admitted.
    #[must_use]
    pub fn is_admitted(&self, uid: &Uid) -> bool {
        let known = self.live.as_ref().and_then(|live| live.known.get(uid));
        known.is_some_and(|known| known.state != Progress::Waiting)
    }

    /// The newest state of a pod.
    #[must_use]
    pub fn pod(&self, uid: &Uid) -> Option<&SeenPod> {
        self.seen.pods.get(uid).map(std::sync::Arc::as_ref)
    }

    /// What is wrong with the quota that a workload names, if it names one.
    pub(super) fn unknown_quota(&self, live: &Live, workload: WorkloadId) -> Option<String> {
        let pod = live.ids.pods_of(workload).find_map(|uid| self.seen.pods.get(uid))?;
        let quota = named_quota(&pod.facts)?;
        Some(format!("A4: its label names the quota {quota}, which is no leaf of the tree"))
    }

    /// Why a pod of ours was not reported to the core.
    pub(super) fn not_reported(&self, live: &Live, pod: &SeenPod) -> Option<(&'static str, String)> {
        if !is_ours(pod, &self.seen, &self.settings) {
            return None;
        }
        match live.unready.get(&pod.uid) {
            Some(Unready::Members { there, wanted: Some(wanted) }) => {
                return Some(("WaitingForMembers", format!("G1: {there} of the {wanted} pods of its gang are there")));
            }
            Some(Unready::Members { wanted: None, .. }) => {
                let member = quotree_k8s::gang::membership(&pod.facts).ok().flatten();
                let named = member.and_then(|member| member.object).unwrap_or_default();
                let why = format!("G1: there is no PodGroup `{named}`, which has the minimum of its gang");
                return Some(("WaitingForGroup", why));
            }
            Some(Unready::BadGang(key)) => {
                return Some(("BadGang", format!("`{key}` must be a number above 0")));
            }
            None => {}
        }
        match stage(&pod.facts) {
            Stage::Gated => {
                let foreign = pod.facts.gates.iter().find(|gate| **gate != names::GATE)?;
                Some((
                    "ForeignGate",
                    format!("the scheduling gate `{foreign}`, which is not ours, must be removed first"),
                ))
            }
            Stage::Waiting { .. } if is_unsupported(pod, &self.settings) => {
                let stated: Vec<&str> = pod.facts.losses.iter().map(|loss| loss.stated()).collect();
                let stated = stated.join(", ");
                Some(("Unsupported", format!("in bind mode nobody checks {stated}; use gate mode for such pods")))
            }
            _ => None,
        }
    }
}

/// Why a workload waits: one word, and a sentence.
pub(super) fn why(core: &Scheduler, ids: &Ids, workload: WorkloadId, in_full: bool) -> Option<(&'static str, String)> {
    let names = LiveNames { ids, core };
    if in_full {
        let why = core.explain(workload)?;
        return Some((word(&why.binding), verdict(&why, &names)));
    }
    let binding = core.bound_by(workload)?;
    Some((word(&binding), in_brief(workload, binding, &names)))
}

/// What blocks a workload, in one word.
const fn word(binding: &BlockingReason) -> &'static str {
    match binding {
        BlockingReason::NoQuota => "NoQuota",
        BlockingReason::Ceiling { .. } => "Ceiling",
        BlockingReason::Guarantee { .. } => "Guarantee",
        BlockingReason::Jobs { .. } => "Jobs",
        BlockingReason::Behind { .. } => "Behind",
        BlockingReason::Room(_) => "NoRoom",
        BlockingReason::Held { .. } => "Held",
        BlockingReason::Settling { .. } => "Settling",
        BlockingReason::Unentitled { .. } => "Unentitled",
        BlockingReason::Growth { .. } => "Growth",
        BlockingReason::BackOff { .. } => "BackOff",
        _ => "Waits",
    }
}
