//! What-if: victims taken and pods placed on the real state, and put back exactly as it was (R6).

use crate::scheduler::{
    Scheduler,
    nodes::{Assignment, PodRef},
    quota::ledger::Row,
    view::PodState,
};

/// What was changed on trial, in order.
#[derive(Debug, Default)]
pub(crate) struct Trial {
    /// Whether nodes are only looked at one by one, so that their index need not follow.
    pub(crate) quiet: bool,
    taken: Vec<PodRef>,
    placed: Vec<(PodRef, Assignment)>,
}

impl Trial {
    pub(crate) fn has_taken(&self, pod: PodRef) -> bool {
        self.taken.contains(&pod)
    }

    pub(crate) fn taken(&self) -> usize {
        self.taken.len()
    }

    pub(crate) fn placed(&self) -> &[(PodRef, Assignment)] {
        &self.placed
    }
}

impl Scheduler {
    /// Acts as if the pod were gone.
    pub(crate) fn trial_evict(&mut self, trial: &mut Trial, pod: PodRef) {
        self.lift(pod, true, trial.quiet);
        trial.taken.push(pod);
    }

    /// Puts a pod back.
    pub(crate) fn trial_restore(&mut self, trial: &mut Trial, pod: PodRef) {
        if let Some(at) = trial.taken.iter().rposition(|p| *p == pod) {
            trial.taken.remove(at);
            self.lift(pod, false, trial.quiet);
        }
    }

    /// Stands a pending pod on a node; its quota is not charged.
    pub(crate) fn trial_bind(&mut self, trial: &mut Trial, pod: PodRef, spot: Assignment) {
        let template = self.interner.templates.at(self.workloads.at(pod.0).template(pod.1));
        self.nodes.put(spot, template, pod);
        trial.placed.push((pod, spot));
    }

    /// Undoes placements until `left` remain.
    pub(crate) fn trial_unbind(&mut self, trial: &mut Trial, left: usize) {
        while trial.placed.len() > left {
            if let Some((pod, spot)) = trial.placed.pop() {
                let template = self.interner.templates.at(self.workloads.at(pod.0).template(pod.1));
                self.nodes.take(spot, template, pod);
            }
        }
    }

    /// Undoes everything.
    pub(crate) fn undo(&mut self, mut trial: Trial) {
        self.trial_unbind(&mut trial, 0);
        while let Some(pod) = trial.taken.pop() {
            self.lift(pod, false, trial.quiet);
        }
    }

    fn lift(&mut self, pod: PodRef, off: bool, quiet: bool) {
        let Some(row) = self.workloads.pod(pod).copied() else { return };
        let workload = self.workloads.at(pod.0);
        let (leaf, preemptible) = (workload.leaf, workload.preemptible);
        let template = self.interner.templates.at(workload.template(pod.1));
        let governed: &Row = &template.governed;
        let leaving = row.state == Some(PodState::Leaving);
        match (off, quiet) {
            (true, false) => self.nodes.take(row.spot, template, pod),
            (false, false) => self.nodes.put(row.spot, template, pod),
            _ => self.nodes.shift_quietly(row.spot, template, pod, off),
        }
        if off {
            self.ledger.give_back(leaf, governed, preemptible);
        } else {
            self.ledger.use_up(leaf, governed, preemptible);
        }
        if leaving {
            self.ledger.each(leaf, |ledger, q| {
                if off {
                    ledger.leaving.sub(q, governed);
                } else {
                    ledger.leaving.add(q, governed);
                }
            });
        }
    }

    /// Takes pods off their spots that only stand there to see whether they can.
    pub(crate) fn unplace(&mut self, spots: &[(PodRef, Assignment)]) {
        for (pod, spot) in spots {
            let template = self.interner.templates.at(self.workloads.at(pod.0).template(pod.1));
            self.nodes.take(*spot, template, *pod);
        }
    }
}
