//! What the loop counts of decisions, failures and admissions, for the metrics of both names.

use super::{
    board::Board,
    compat,
    metric::{BLOCKED, DECISION, LONG, SHORT, VICTIMS, WAIT},
};
use crate::{
    actor::{Actor, Failure, Intent},
    write::Admission,
};
use quotree_core::Time;
use quotree_k8s::names;

/// A turn has taken so many seconds and means this to be written.
pub fn turn(board: &Board, actor: &mut Actor, intents: &[Intent], now: Time, seconds: f64) {
    // Empty unless metrics by the names of the kube-scheduler are wanted.
    let tried = actor.take_tried();
    board.values(|values| {
        values.observe(DECISION, SHORT, &[], seconds);
        tried.iter().for_each(|(profile, pods)| compat::unschedulable(values, profile.as_str(), *pods, seconds));
    });
    for intent in intents {
        match intent {
            Intent::Bind { pod, .. } => {
                let created = actor.pod(&pod.uid).map_or(0, |pod| pod.facts.created_ms);
                let (queue, waited) = (actor.leaf_of(&pod.uid), since(created, now));
                board.values(|values| values.observe(WAIT, LONG, &[&queue], waited));
            }
            Intent::Evict { why, .. } => {
                let rule = why.split(':').next().filter(|rule| rule.len() <= 6).unwrap_or("other");
                board.count(VICTIMS, &[rule]);
            }
            _ => {}
        }
    }
    if actor.settings().compat_metrics {
        board.values(|values| compat::preempted(values, intents));
    }
}

/// A write has failed for good, or was taken back.
pub fn failure(board: &Board, failure: &Failure) {
    let reason = match failure {
        Failure::Evict { .. } => Some("failed"),
        Failure::TakenBack { .. } => Some("taken_back"),
        Failure::Bind { .. } | Failure::Report { .. } => None,
    };
    if let Some(reason) = reason {
        board.count(BLOCKED, &[reason]);
    }
}

/// An admission has ended for good. Counted only by the names of the kube-scheduler.
pub fn admission(board: &Board, actor: &Actor, admission: &Admission, now: Time) {
    if !actor.settings().compat_metrics {
        return;
    }
    let pod = actor.pod(&admission.uid).map(|pod| &pod.facts);
    let profile = pod.and_then(|pod| pod.scheduler.as_ref()).map_or(names::DEFAULT_SCHEDULER, |name| name.as_str());
    let ended = compat::Admission {
        profile,
        succeeded: admission.succeeded,
        seconds: now.since(admission.since) as f64 / 1000.0,
        waited: since(pod.map_or(0, |pod| pod.created_ms), now),
        attempts: admission.attempts,
    };
    board.values(|values| compat::admitted(values, ended));
}

/// From a time of the API, in milliseconds, until now, in seconds.
fn since(created_ms: i64, now: Time) -> f64 {
    now.since(Time(u64::try_from(created_ms).unwrap_or(0))) as f64 / 1000.0
}
