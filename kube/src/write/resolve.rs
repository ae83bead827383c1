//! What an answer to a write means: it is done, it failed for good, it goes again, or nobody knows and the pod must be
//! looked at. An answer that did not come is no failure: the write may have been carried out.

use crate::{actor::Intent, watch::SeenPod};
use kube::core::Status;
use quotree_core::Name;
use quotree_k8s::names;

/// What to make of a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is carried out, or there is nothing left to do. The watch confirms it.
    Done,
    /// It is not carried out, and will not be.
    Failed(String),
    /// Nobody knows: look at the pod.
    Look(String),
    /// It is not carried out, and can be sent again.
    Again {
        /// After so many milliseconds at least.
        after_ms: u64,
        /// The resourceVersion to send it with, if another.
        version: Option<Name>,
        /// What the API server said.
        why: String,
    },
}

/// What the answer of the API server to a write means. `None`: there was no answer.
#[must_use]
pub fn judge(intent: &Intent, answer: Option<&Status>) -> Verdict {
    let Some(status) = answer else { return Verdict::Look("no answer".to_owned()) };
    if status.is_success() {
        return Verdict::Done;
    }
    let why = status.message.clone();
    let retry = status.details.as_ref().map_or(0, |details| u64::from(details.retry_after_seconds));
    match (intent, status.code) {
        (Intent::TakeBack { .. } | Intent::Condition { .. } | Intent::Event { .. }, _) => Verdict::Failed(why),
        (Intent::Evict { .. }, 404) => Verdict::Done,
        // A disruption budget refuses it: later it may not.
        (Intent::Evict { .. }, 429) => Verdict::Again { after_ms: 5000.max(retry * 1000), version: None, why },
        (_, 429) => Verdict::Again { after_ms: 1000.max(retry * 1000), version: None, why },
        // What has changed meanwhile may be our own success.
        (_, 409) | (_, 500..) => Verdict::Look(why),
        _ => Verdict::Failed(why),
    }
}

/// What a look at the pod means for a write of which nobody knows. `None`: there is no pod of this name.
#[must_use]
pub fn settle(intent: &Intent, pod: Option<&SeenPod>, why: &str) -> Verdict {
    let key = intent.pod();
    let Some(pod) = pod.filter(|pod| pod.uid == key.uid) else {
        return match intent {
            Intent::Evict { .. } => Verdict::Done,
            _ => Verdict::Failed("the pod is gone".to_owned()),
        };
    };
    let leaving = pod.facts.deleted_ms.is_some();
    let again = || Verdict::Again { after_ms: 500, version: Some(pod.version.clone()), why: why.to_owned() };
    match intent {
        Intent::Evict { .. } if leaving => Verdict::Done,
        Intent::Evict { unplaced: true, .. } if pod.facts.node.is_some() => {
            Verdict::Failed("the pod was placed meanwhile".to_owned())
        }
        Intent::Evict { .. } => again(),
        Intent::Bind { .. } if leaving => Verdict::Failed("the pod is being deleted".to_owned()),
        Intent::Bind { node, pin, .. } => match &pod.facts.node {
            Some(its) if its == node => Verdict::Done,
            // Without a pin the kube-scheduler chooses.
            Some(_) if pin.is_none() => Verdict::Done,
            Some(its) => Verdict::Failed(format!("the pod is on node {its}")),
            None => admitted(pod, pin.as_ref()).unwrap_or_else(again),
        },
        Intent::TakeBack { .. } | Intent::Condition { .. } | Intent::Event { .. } => Verdict::Failed(why.to_owned()),
    }
}

/// What it means that a pod has no node yet and was gated; `None` if the write was not carried out and can be.
fn admitted(pod: &SeenPod, pin: Option<&Name>) -> Option<Verdict> {
    let is_ours = |gate: &Name| *gate == names::GATE;
    let its = pod.facts.node_selector.iter().find(|(label, _)| *label == names::HOSTNAME).map(|(_, host)| host);
    // In bind mode there is no gate, and a pod without a node was not bound.
    if pod.facts.gates.iter().any(is_ours)
        || pod.facts.scheduler.as_ref().is_some_and(|s| *s == crate::settings::SCHEDULER)
    {
        return None;
    }
    Some(if its == pin { Verdict::Done } else { Verdict::Failed("somebody else removed the gate".to_owned()) })
}

/// How often an eviction is sent that a disruption budget refuses: within about half a minute the watch shows the budget as the
/// API server sees it.
const REFUSALS: u32 = 3;

/// Whether an eviction that was refused for now (429), after so many tries before this one, is reported as failed instead of
/// being sent again. What waits for it then looks for another way, and the pod is chosen again when there is news of it or its
/// budget (E2).
///
/// ```
/// use quotree_kube::write::resolve::gives_up;
/// assert!(!gives_up(Some(429), 0) && gives_up(Some(429), 3));
/// assert!(!gives_up(Some(500), 9) && !gives_up(None, 9), "nobody knows what came of it");
/// ```
#[must_use]
pub const fn gives_up(code: Option<u16>, tries: u32) -> bool {
    matches!(code, Some(429)) && tries >= REFUSALS
}

/// How long a write waits that goes again, milliseconds: at least what the answer says, twice as long each time up to a
/// minute, and a part that differs from pod to pod, so that not all come at once.
#[must_use]
pub fn back_off(after_ms: u64, tries: u32, uid: &Name) -> u64 {
    let doubled = after_ms.saturating_mul(1 << tries.min(10)).min(60_000).max(after_ms);
    let spread = uid.as_str().bytes().fold(7_u64, |hash, byte| hash.wrapping_mul(31).wrapping_add(u64::from(byte)));
    doubled + spread % (doubled / 10 + 1)
}
