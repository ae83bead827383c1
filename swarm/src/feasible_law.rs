//! The law that a job which was proved impossible before the run never starts.

use crate::play::Played;
use quotree_core::WorkloadId;
use quotree_sim::{
    Scenario,
    feasible::{Kind as Finding, Limits, Question, Study},
    model::Kind,
    trace::{RunNames, TraceEvent},
};
use std::collections::BTreeSet;

/// The steps of the search.
const STEPS: u64 = 20_000;

/// The jobs that were proved impossible, and what became of them.
#[derive(Debug, Default)]
pub(crate) struct FeasibleLaw {
    never: BTreeSet<String>,
    /// All jobs, so that the longest name that matches is taken.
    jobs: BTreeSet<String>,
    broken: Option<String>,
}

impl FeasibleLaw {
    pub(crate) fn new(scenario: &Scenario) -> Self {
        let study = Study::new(&Question::from(scenario), Limits { steps: STEPS, losses: false });
        let mut law = Self::default();
        for workload in &scenario.workloads {
            law.jobs.insert(workload.name.clone());
            if let Kind::Workflow { tasks } = &workload.kind {
                law.jobs.extend(tasks.iter().map(|task| format!("{}-{}", workload.name, task.name)));
            }
        }
        for finding in &study.never {
            let workload = finding.place.and_then(|(workload, _)| scenario.workloads.get(workload));
            // A pod that its gang does not need says nothing about the gang.
            let is_needed = workload.is_none_or(|workload| match &workload.kind {
                Kind::Training { roles, .. } => roles.iter().all(|role| role.min > 0),
                Kind::Workflow { .. } => finding.kind != Finding::FitsNoNode,
                _ => true,
            });
            if is_needed {
                law.never.extend(finding.jobs.iter().cloned());
            }
        }
        law.jobs.extend(law.never.iter().cloned());
        law
    }

    /// How many jobs were proved impossible.
    pub(crate) fn proved(&self) -> u64 {
        self.never.len() as u64
    }

    pub(crate) fn observe(&mut self, what: TraceEvent, names: &dyn RunNames) {
        if let TraceEvent::Bind { pod, .. } = what
            && self.broken.is_none()
            && let Some(job) = self.job(pod.workload, names)
            && self.never.contains(&job)
        {
            self.broken = Some(format!("`{job}` was proved impossible, and a pod of it was bound"));
        }
    }

    /// The job that a core workload is of.
    fn job(&self, workload: WorkloadId, names: &dyn RunNames) -> Option<String> {
        let name = names.workload(workload);
        let mut rest = name.as_ref();
        loop {
            if self.jobs.contains(rest) {
                return Some(rest.to_owned());
            }
            let (before, number) = rest.rsplit_once('-')?;
            number.bytes().all(|byte| byte.is_ascii_digit()).then_some(())?;
            rest = before;
        }
    }

    pub(crate) fn report(self, played: &mut Played) {
        played.count("jobs proved impossible", self.proved());
        if let Some(message) = self.broken {
            played.breaks("feasible", message);
        }
    }
}
