//! What the scenario states about the jobs and pods of a history: names, kinds, requests. This is the same for all
//! instances of a workload. So rows do not contain it, and it is computed only when it is needed.

use super::{Amount, History, JobHistory, PodHistory};
use crate::{
    model::{Kind, Scenario, Task, Workload},
    world::{NONE, Origin, kind_of, labelled_name, owner_name, task_of},
};
use quotree_core::{Amounts, Name};

/// What the scenario states about a job.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JobStated {
    /// Its kind.
    pub kind: &'static str,
    /// Its priority.
    pub priority: i32,
    /// Whether it may be evicted.
    pub preemptible: bool,
    /// The number of its pods when it is complete, and its minimum.
    pub gang: (u32, u32),
    /// What the complete gang requests.
    pub request: Vec<Amount>,
}

impl JobHistory {
    fn origin(&self) -> Origin {
        let [number, task, row] = [self.number, self.task, self.row].map(|part| part.unwrap_or(NONE));
        Origin { workload: self.workload, number, task, row }
    }

    fn workload<'s>(&self, scenario: &'s Scenario) -> Option<&'s Workload> {
        scenario.workloads.get(self.workload as usize)
    }

    fn task<'s>(&self, scenario: &'s Scenario) -> Option<&'s Task> {
        task_of(self.workload(scenario)?, self.origin().task)
    }

    /// Its name. `scenario` is the scenario of the run, here and below.
    #[must_use]
    pub fn name(&self, scenario: &Scenario) -> String {
        let kind = self.workload(scenario).map(|workload| &workload.kind);
        match (kind, self.row) {
            (Some(Kind::Trace { rows, .. }), Some(row)) => {
                rows.get(row as usize).map_or_else(String::new, |row| row.name.to_string())
            }
            _ => owner_name(scenario, self.workload, self.origin().number, self.origin().task),
        }
    }

    /// Its deadline, milliseconds.
    #[must_use]
    pub fn deadline_ms(&self, scenario: &Scenario) -> Option<u64> {
        let workload = self.workload(scenario)?;
        let limit = match (self.task(scenario), &workload.kind, self.row) {
            (Some(task), ..) => task.deadline_ms,
            (None, Kind::Trace { rows, limits, .. }, Some(row)) => {
                rows.get(row as usize).and_then(|row| row.limits.or(*limits).deadline_ms)
            }
            _ => workload.deadline_ms,
        };
        limit.map(|ms| self.submitted_ms.saturating_add(ms))
    }

    /// The fewest pods with which it runs.
    #[must_use]
    pub fn gang_min(&self, scenario: &Scenario) -> u32 {
        let kind = self.workload(scenario).and_then(|workload| kind_of(workload, self.origin().task));
        match (kind, self.row) {
            (Some(Kind::Training { roles, .. }), _) => roles.iter().map(|role| role.min).sum(),
            (Some(Kind::Trace { rows, .. }), Some(row)) => {
                rows.get(row as usize).map_or(0, |row| row.sets().map(|(_, pods)| pods).sum())
            }
            (Some(Kind::Trace { .. }) | None, _) => 0,
            _ => 1,
        }
    }

    /// Everything that the scenario states about it; `resources` are those of the history.
    #[must_use]
    pub fn stated(&self, scenario: &Scenario, resources: &[Name]) -> JobStated {
        let Some(workload) = self.workload(scenario) else { return JobStated::default() };
        let Some(kind) = kind_of(workload, self.origin().task) else { return JobStated::default() };
        let mut stated = JobStated {
            kind: if self.task(scenario).is_some() { kind.name() } else { workload.kind_name() },
            priority: workload.priority.number,
            preemptible: workload.preemptible,
            ..JobStated::default()
        };
        let mut sum = |amounts: &Amounts, pods: u32| add(resources, &mut stated.request, amounts, pods);
        let pods = match kind {
            Kind::Deployment { replicas, template } => {
                sum(&template.request, *replicas);
                *replicas
            }
            Kind::Job { completions, parallelism, template, .. } => {
                let pods = (*completions).min(*parallelism);
                sum(&template.request, pods);
                pods
            }
            Kind::Training { roles, .. } => {
                roles.iter().for_each(|role| sum(&role.template.request, role.replicas));
                roles.iter().map(|role| role.replicas).sum()
            }
            Kind::Trace { rows, .. } => {
                let Some(row) = self.row.and_then(|row| rows.get(row as usize)) else { return stated };
                row.sets().for_each(|(template, pods)| sum(&template.request, pods));
                stated.priority = row.priority.unwrap_or(stated.priority);
                let details = row.details.as_ref();
                stated.preemptible = details.and_then(|details| details.preemptible).unwrap_or(stated.preemptible);
                row.sets().map(|(_, pods)| pods).sum()
            }
            Kind::Workflow { .. } => 1,
        };
        stated.gang = (pods, self.gang_min(scenario));
        stated
    }
}

impl History {
    /// The name of a pod.
    #[must_use]
    pub fn pod_name(&self, scenario: &Scenario, pod: &PodHistory) -> String {
        let of = self.jobs.get(pod.job as usize).map(JobHistory::origin);
        of.map_or_else(String::new, |of| labelled_name(scenario, of, pod.label))
    }

    /// The role of a pod; empty if its job has only one.
    #[must_use]
    pub fn role<'s>(&self, scenario: &'s Scenario, pod: &PodHistory) -> &'s str {
        let job = self.jobs.get(pod.job as usize);
        let kind = job.and_then(|job| kind_of(job.workload(scenario)?, job.origin().task));
        match kind {
            Some(Kind::Training { roles, .. }) => {
                roles.get(pod.label.role as usize).map_or("", |role| role.name.as_str())
            }
            _ => "",
        }
    }
}

/// Adds the requests of `pods` equal pods to `sum`.
fn add(resources: &[Name], sum: &mut Vec<Amount>, amounts: &Amounts, pods: u32) {
    for (name, amount) in amounts.iter() {
        // Resources are in order of their names.
        let place = resources.binary_search_by(|other| other.as_str().cmp(name.as_str()));
        let Some(resource) = place.ok().and_then(|place| u32::try_from(place).ok()) else { continue };
        let more = amount.saturating_mul(i64::from(pods));
        match sum.iter_mut().find(|(other, _)| *other == resource) {
            Some((_, all)) => *all = all.saturating_add(more),
            None => sum.push((resource, more)),
        }
    }
}
