//! What `/explain` needs to explain one pod: the loop says where the pod is, and if it waits, a [twin](super::Twin) of the core
//! explains it beside the loop.

use super::{
    Actor, Twin,
    pods::{Progress, is_ours},
};
use crate::{
    serve::{explain::Answer, figures::leaf_name},
    watch::Uid,
};
use quotree_core::WorkloadId;

/// What is needed to explain a pod.
#[derive(Debug)]
pub struct Asked {
    answer: Answer,
    /// The workload, if the pod waits: explaining it tries what would help.
    waits: Option<WorkloadId>,
}

impl Asked {
    /// Explains it by a twin that has got all input of the core. Takes up to some tenths of a second in a large cluster.
    #[must_use]
    pub fn answer(self, twin: &Twin) -> Answer {
        let mut answer = self.answer;
        if let Some((reason, message)) = self.waits.and_then(|workload| twin.why(workload)) {
            answer.reason = Some(reason);
            // What the pod itself names is known better.
            if answer.message.is_empty() {
                answer.message = message;
            }
        }
        answer
    }
}

impl Actor {
    /// Finds what an explanation of the newest pod with this name needs; `None` if there is no such pod. Costs one lookup in an index.
    #[must_use]
    pub fn asked(&self, namespace: &str, name: &str) -> Option<Asked> {
        let pod = self.seen.pod_named(namespace, name)?;
        let mut answer = Answer {
            pod: format!("{namespace}/{name}"),
            uid: pod.uid.to_string(),
            state: "other",
            node: pod.facts.node.as_ref().map(ToString::to_string),
            reason: None,
            message: String::new(),
        };
        let Some(live) = &self.live else {
            answer.message =
                "nothing is decided yet: not everything was listed, or there is no valid quota tree".to_owned();
            return Some(Asked { answer, waits: None });
        };
        let Some(known) = live.known.get(&pod.uid) else {
            if let Some((reason, message)) = self.not_reported(live, pod) {
                (answer.state, answer.reason, answer.message) = ("waiting", Some(reason), message);
            } else if is_ours(pod, &self.seen, &self.settings) {
                answer.message = "it is not known to the scheduler: it has ended, or its node is not known".to_owned();
            } else {
                answer.message =
                    "it is not ours to place: its namespace is not managed, or it has another scheduler".to_owned();
            }
            return Some(Asked { answer, waits: None });
        };
        let node = known.state.node().and_then(|node| live.ids.node_name(node));
        let at = node.map_or_else(|| "a node that is gone".to_owned(), |node| format!("node {node}"));
        answer.node = node.map(ToString::to_string).or(answer.node);
        let charged = self.charged(live, known.id.workload);
        let evicting = if known.evicting { "; a plan evicts it" } else { "" };
        match known.state {
            Progress::Waiting => {
                answer.state = "waiting";
                let missing = live.core.workload(known.id.workload).is_some_and(|workload| workload.leaf.is_none());
                if missing {
                    answer.message = self.unknown_quota(live, known.id.workload).unwrap_or_default();
                }
                return Some(Asked { answer, waits: Some(known.id.workload) });
            }
            Progress::Assumed(_) => {
                answer.state = "admitted";
                answer.message = format!("it is admitted to {at}, and not seen there yet{charged}{evicting}");
            }
            Progress::On(_) => {
                answer.state = "running";
                answer.message = format!("it is on {at}{charged}{evicting}");
            }
            Progress::Leaving(_) => {
                answer.state = "leaving";
                answer.message = format!("it is being deleted, and counts on {at} until it is gone{charged}");
            }
        }
        Some(Asked { answer, waits: None })
    }

    /// Which quota a workload is charged to, as a clause.
    fn charged(&self, live: &super::Live, workload: WorkloadId) -> String {
        let leaf = live.core.workload(workload).and_then(|workload| workload.leaf);
        leaf.map_or_else(String::new, |leaf| format!(", charged to {}", live.core.tree().name(leaf)))
    }

    /// The name of the leaf that a pod is charged to; empty if it is charged to none.
    #[must_use]
    pub fn leaf_of(&self, uid: &Uid) -> String {
        let known = self.live.as_ref().and_then(|live| Some((live, live.known.get(uid)?)));
        let leaf = known.and_then(|(live, known)| Some((live, live.core.workload(known.id.workload)?.leaf)));
        leaf.map_or_else(String::new, |(live, leaf)| leaf_name(&live.core, leaf))
    }
}
