//! Steps about workloads and the tree: workloads that are submitted, change and end, and edits of quotas.

use super::{Driver, nth};
use crate::worlds::{Job, Step, Units, World};
use quotree_core::{Event, EventError, PodId, PodOutcome, PodSet, PodState, WorkloadChange, WorkloadId, WorkloadSpec};

impl Driver<'_> {
    pub(super) fn step(&mut self, step: Step, origin: usize) {
        match step {
            Step::Submit(job) => self.submit(job, origin),
            Step::Finish(k) => self.finish(k),
            Step::Withdraw(k) => {
                if let Some(workload) = nth(&self.alive(), k) {
                    self.apply(Event::WorkloadWithdrawn { workload });
                }
            }
            Step::NodeDown(_)
            | Step::NodeUp(_)
            | Step::Cordon(_)
            | Step::Unhealthy(..)
            | Step::ChangeMode(..)
            | Step::Drain(_) => self.node_step(step),
            Step::Edit(quota, min, max) => self.edit(quota, min, max),
            Step::Priority(k, priority) => {
                if let Some(workload) = nth(&self.alive(), k) {
                    self.counts_as_new(workload);
                    if let Some(spec) = self.specs.get_mut(&workload) {
                        spec.priority = priority;
                    }
                    let change = WorkloadChange { priority: Some(priority), ..WorkloadChange::of(workload) };
                    self.apply(Event::WorkloadChanged(change));
                }
            }
            Step::BindsFail(n) => self.failing_binds += n,
            Step::BindsElsewhere(n, by) => self.straying_binds = (n, by),
            Step::EvictionsFail(n) => self.failing_evictions += n,
            Step::Tick(ms) => self.advance(ms),
            Step::Fail(k) => {
                let pods = self.alive().into_iter().filter_map(|w| self.core().workload(w)).flat_map(|w| w.pods);
                let run: Vec<PodId> = pods.filter(|p| p.state == PodState::Running).map(|p| p.id).collect();
                if let Some(pod) = nth(&run, k) {
                    self.apply(Event::PodGone { pod, outcome: PodOutcome::Failed });
                }
            }
            Step::Grow(k, count) => {
                let workload = nth(&self.alive(), k);
                if let Some(workload) = workload {
                    self.counts_as_new(workload);
                    let set = self.specs.get_mut(&workload).and_then(|spec| {
                        let set = PodSet { count, min: 0, ..spec.pods.first()?.clone() };
                        spec.pods.push(set.clone());
                        Some(set)
                    });
                    let change = WorkloadChange { add_pods: set, ..WorkloadChange::of(workload) };
                    self.apply(Event::WorkloadChanged(change));
                }
            }
            Step::Found(k, node, state) => self.find(k, node, state),
            Step::Rebudget(..) | Step::Minimum(..) | Step::Change(..) | Step::TakeBack(_) => self.change_step(step),
            Step::Budget(n, allowed) => {
                if let Some(n) = n.checked_rem(self.world.budgets) {
                    self.apply(Event::BudgetChanged { budget: format!("b{n}").into(), allowed });
                }
            }
        }
    }

    pub(super) fn submit(&mut self, job: Job, origin: usize) {
        self.first.insert(origin, self.now);
        let id = WorkloadId(self.next_id);
        let spec = WorkloadSpec {
            id,
            namespace: if job.traits.names_leaf { "elsewhere".into() } else { format!("ns{}", job.leaf).into() },
            quota: job.traits.names_leaf.then(|| format!("q{}", job.leaf).into()),
            submitted: self.now,
            priority: job.priority,
            preemptible: job.preemptible,
            may_evict: !job.traits.evicts_nobody,
            pods: self.world.pods(&job).into_iter().collect(),
            budget: self.world.budget(job.leaf).map(Into::into),
            together: job.traits.together,
            replaces: None,
        };
        self.create(spec, origin);
    }

    pub(super) fn create(&mut self, spec: WorkloadSpec, origin: usize) {
        self.next_id += 1;
        self.specs.insert(spec.id, spec.clone());
        self.origins.insert(spec.id, origin);
        self.apply(Event::WorkloadSubmitted(spec));
    }

    /// The controller's reaction when all pods of a workload are lost: it creates the same workload again (O3).
    pub(super) fn recreate(&mut self, workload: WorkloadId) {
        if self.core().workload(workload).is_some() {
            self.apply(Event::WorkloadWithdrawn { workload });
        }
        let Some((mut spec, origin)) = self.specs.get(&workload).cloned().zip(self.origins.get(&workload).copied())
        else {
            return;
        };
        let wanted: u32 = spec.pods.iter().map(|set| set.count).sum();
        spec.pods.truncate(1);
        if let Some(first) = spec.pods.first_mut() {
            first.count = wanted.min(first.count);
        }
        spec.id = WorkloadId(self.next_id);
        if !self.world.keeps_age(origin) {
            spec.submitted = self.now;
        }
        spec.replaces = Some(workload);
        self.create(spec, origin);
    }

    pub(super) fn alive(&self) -> Vec<WorkloadId> {
        self.specs.keys().copied().filter(|w| self.core().workload(*w).is_some()).collect()
    }

    pub(super) fn states(&self, workload: WorkloadId) -> Vec<PodState> {
        self.core().workload(workload).map(|w| w.pods.iter().map(|p| p.state).collect()).unwrap_or_default()
    }

    pub(super) fn finish(&mut self, k: usize) {
        let quiet = |s: &PodState| matches!(s, PodState::Running | PodState::Pending);
        let mut runs = self.alive();
        runs.retain(|w| {
            let states = self.states(*w);
            states.contains(&PodState::Running) && states.iter().all(quiet)
        });
        let Some(workload) = nth(&runs, k) else { return };
        let pods = self.core().workload(workload).map(|w| w.pods).unwrap_or_default();
        for pod in pods.iter().filter(|p| p.state == PodState::Running) {
            self.apply(Event::PodGone { pod: pod.id, outcome: PodOutcome::Succeeded });
        }
        if self.core().workload(workload).is_some() {
            self.apply(Event::WorkloadWithdrawn { workload });
        }
    }

    pub(super) fn edit(&mut self, quota: usize, min: Units, max: Units) {
        let mut world = World { quotas: self.quotas.clone(), ..self.world.clone() };
        if let Some(slot) = world.quotas.get_mut(quota) {
            slot.min = min;
            slot.max = max;
        }
        let before = self.core().tree().len();
        let event = Event::TreeChanged(world.tree());
        match self.core.apply(event.clone()) {
            Ok(()) => {
                self.quotas = world.quotas;
                let alike = self.is_comparable();
                self.reference.iter_mut().filter(|_| alike).for_each(|reference| reference.apply(&event));
            }
            Err(EventError::InvalidTree(_)) if self.core().tree().len() == before => {}
            Err(error) => self.violation(format!("refused: {error}")),
        }
        self.audited("edit of the tree");
    }
}
