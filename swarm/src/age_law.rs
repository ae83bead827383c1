//! The law of age (O3): no job starts before an older job of the same leaf and priority that requests no more. Age is
//! counted here from the first pod of a job in the trace, so that jobs whose pods were created again keep their age.
//! Shares no code with the controllers.

use crate::play::Played;
use quotree_core::{
    Action, Age, BlockingReason, Name, Plan, PodState, Scheduler, Time, WorkloadId, WorkloadSpec, WorkloadView,
};
use quotree_sim::{Scenario, model::Kind, trace::TraceEvent, words::Names};
use std::collections::{BTreeMap, BTreeSet};

/// When each piece of work was first submitted.
#[derive(Debug, Default)]
pub(crate) struct AgeLaw {
    /// By the name of the job.
    jobs: BTreeMap<String, Time>,
    /// By core workload: the time of its job, or its own.
    born: BTreeMap<WorkloadId, Time>,
    /// Core workloads that always have the age of their job, even if they are created again.
    keep: BTreeSet<WorkloadId>,
}

impl AgeLaw {
    /// Follows the trace.
    pub(crate) fn observe(&mut self, at: Time, what: TraceEvent, scenario: &Scenario, names: &dyn Names) {
        let TraceEvent::Submit { workload, .. } = what else { return };
        match job_of(scenario, &names.workload(workload)) {
            Some(job) if scenario.policy.age != Age::Recreated => {
                self.born.insert(workload, *self.jobs.entry(job).or_insert(at));
                self.keep.insert(workload);
            }
            // A replica may be as old as the one that it replaces: it is not known to be younger than others.
            None if scenario.policy.age == Age::Original => {}
            _ => drop(self.born.insert(workload, at)),
        }
    }

    /// Checks that no workload got room by a plan although an older one that requests no more still waits after the
    /// plan. An older one that waits for terminating pods, which are enough for it (H1), is not passed over by a younger
    /// one that evicts others.
    pub(crate) fn judge(
        &self,
        (before, after): (&Scheduler, &Scheduler),
        (plan, at): (&Plan, Time),
        specs: &BTreeMap<WorkloadId, WorkloadSpec>,
        played: &mut Played,
    ) {
        let evicts = |id: WorkloadId| {
            plan.actions.iter().any(|action| matches!(action, Action::Hold { workload, .. } if *workload == id))
        };
        let settles = |reason: &BlockingReason| matches!(reason, BlockingReason::Settling { .. });
        let is_covered = |id: WorkloadId| {
            let verdict = after.explain(id);
            verdict.is_some_and(|verdict| {
                settles(&verdict.binding) || verdict.also.iter().any(|also| settles(&also.binding))
            })
        };
        let gets_room = |action: &Action| match action {
            Action::Bind { pod, reason, .. } if !reason.held => Some(pod.workload),
            Action::Hold { workload, .. } => Some(*workload),
            _ => None,
        };
        let lucky: BTreeSet<WorkloadId> = plan.actions.iter().filter_map(gets_room).collect();
        let lucky: Vec<WorkloadView> = lucky.into_iter().filter_map(|w| waiting(before, w)).collect();
        if lucky.is_empty() {
            return;
        }
        let waits = after.waiting().into_iter().filter(|w| waiting(after, *w).is_some());
        for other in waits.filter_map(|w| waiting(before, w)).filter(|w| self.keep.contains(&w.id)) {
            for one in lucky.iter().filter(|one| equals(one) == equals(&other)) {
                let (Some(a), Some(b)) = (specs.get(&other.id), specs.get(&one.id)) else { continue };
                let (Some(older), Some(younger)) = (self.born.get(&other.id), self.born.get(&one.id)) else { continue };
                if !asks_no_more(a, b) {
                    continue;
                }
                played.count("starts beside a job that waits for no more", 1);
                if older < younger && !(evicts(one.id) && is_covered(other.id)) {
                    let message = format!(
                        "at {} ms {}, submitted at {} ms, gets room, and {}, submitted at {} ms, waits and requests no more",
                        at.0, one.id, younger.0, other.id, older.0
                    );
                    played.breaks("age", message);
                }
            }
        }
    }
}

/// The workload, if none of its pods has a place and it has no hold.
fn waiting(scheduler: &Scheduler, workload: WorkloadId) -> Option<WorkloadView> {
    let view = scheduler.workload(workload).filter(|view| !view.held)?;
    view.pods.iter().all(|pod| pod.state == PodState::Pending).then_some(view)
}

const fn equals(view: &WorkloadView) -> (Option<quotree_core::QuotaId>, i32, bool) {
    (view.leaf, view.priority, view.preemptible)
}

/// Whether `other` certainly finds room wherever `one` does: its pods are the same, or they are no more and no larger.
fn asks_no_more(one: &WorkloadSpec, other: &WorkloadSpec) -> bool {
    if one.pods == other.pods && one.together == other.together {
        return true;
    }
    let ([a], [b]) = (one.pods.as_slice(), other.pods.as_slice()) else { return false };
    let room_for = |(name, amount): (&Name, i64)| amount <= b.template.request.get(name.as_str()).unwrap_or(0);
    let mut alike = (*a.template).clone();
    alike.request = b.template.request.clone();
    alike == *b.template && a.min <= b.min && one.together == other.together && a.template.request.iter().all(room_for)
}

/// The name of the job, training or task to which a core workload belongs; `None` for replicas of Deployments.
fn job_of(scenario: &Scenario, name: &str) -> Option<String> {
    let rest = |of: &str| name.strip_prefix(of).filter(|rest| rest.is_empty() || rest.starts_with('-'));
    let workload = scenario.workloads.iter().filter(|w| rest(&w.name).is_some()).max_by_key(|w| w.name.len())?;
    let kind = match &workload.kind {
        Kind::Workflow { tasks } => {
            let of =
                |task: &str| format!("{}-", rest(&workload.name).unwrap_or_default()).contains(&format!("-{task}-"));
            &tasks.iter().find(|task| of(task.name.as_str()))?.kind
        }
        kind => kind,
    };
    match kind {
        Kind::Job { .. } => name.rsplit_once('-').map(|(job, _)| job.to_owned()),
        Kind::Training { .. } => {
            let is_turn = |turn: &str| turn.bytes().all(|digit| digit.is_ascii_digit());
            let job = name.rsplit_once("-r").filter(|(_, turn)| is_turn(turn)).map_or(name, |(job, _)| job);
            Some(job.to_owned())
        }
        _ => None,
    }
}
