//! Steps in which a workload changes after it was submitted: its disruption budget, its
//! minimum, what one of its pods requests.

use super::{Driver, nth};
use crate::worlds::Step;
use quotree_core::{Event, NewBudget, PodId, PodOutcome, PodSet, PodTemplate, Time, WorkloadChange, WorkloadId};
use std::sync::Arc;

impl Driver<'_> {
    /// Carries out a change of a workload.
    pub(super) fn change_step(&mut self, step: Step) {
        match step {
            Step::Rebudget(k, n) => {
                if let Some(workload) = nth(&self.alive(), k) {
                    let named = n < self.world.budgets;
                    let budget = if named { NewBudget::Named(format!("b{n}").into()) } else { NewBudget::None };
                    self.change_workload(WorkloadChange { budget: Some(budget), ..WorkloadChange::of(workload) });
                }
            }
            Step::Minimum(k, min) => {
                if let Some(workload) = nth(&self.alive(), k) {
                    self.state_minimum(workload, min);
                    self.change_workload(WorkloadChange { min: Some(min), ..WorkloadChange::of(workload) });
                }
            }
            Step::Change(k, how) => self.change_pod(k, how),
            Step::TakeBack(others) => self.take_back(others),
            _ => {}
        }
    }

    /// Takes back evictions that are decided and not carried out.
    fn take_back(&mut self, mut others: usize) {
        let is_eviction = |event: &Event| matches!(event, Event::PodGone { outcome: PodOutcome::Evicted, .. });
        let decided: Vec<(Time, u32)> =
            self.agenda.iter().filter(|(_, event)| is_eviction(event)).map(|(key, _)| *key).collect();
        for key in decided {
            let Some(Event::PodGone { pod, .. }) = self.agenda.get(&key).cloned() else { continue };
            let stands = self.core().eviction_stands(pod);
            if let Some(reference) = &self.reference
                && reference.eviction_stands(pod) != stands
            {
                let other = reference.eviction_stands(pod);
                self.violation(format!(
                    "the core says of {pod} that its eviction stands: {stands:?}, the reference {other:?}"
                ));
            }
            let takes = stands == Some(false) || stands == Some(true) && others > 0;
            others -= usize::from(stands == Some(true) && others > 0);
            if takes {
                self.agenda.remove(&key);
                self.apply(Event::EvictWithdrawn { pod });
            }
        }
    }

    /// A pod requests something else, wherever it is.
    fn change_pod(&mut self, k: usize, how: usize) {
        let pods: Vec<PodId> = self
            .alive()
            .iter()
            .filter_map(|w| self.core().workload(*w))
            .flat_map(|w| w.pods)
            .map(|pod| pod.id)
            .collect();
        let Some(pod) = nth(&pods, k) else { return };
        let Some(template) = self.template(pod) else { return };
        let mut template = (*template).clone();
        let cpu = template.request.get("cpu").unwrap_or(0);
        match how % 5 {
            0 => template.request.set("cpu", cpu + 1000),
            1 if cpu > 0 => template.request.set("cpu", cpu - 1000),
            2 => template.selector = vec![("kind".into(), vec!["k0".into()])],
            3 => template.tolerations = vec!["taint".into()],
            _ => (template.selector, template.tolerations) = Default::default(),
        }
        let template = Arc::new(template);
        self.guests.insert(pod);
        self.state_template(pod, &template);
        self.apply(Event::PodChanged { pod, template });
    }

    /// Notes what a pod requests in the specification: its set is split.
    fn state_template(&mut self, pod: PodId, template: &Arc<PodTemplate>) {
        let Some(spec) = self.specs.get_mut(&pod.workload) else { return };
        let mut first = 0;
        let Some(at) = spec.pods.iter().position(|set| {
            let here = pod.ordinal < first + set.count;
            first += if here { 0 } else { set.count };
            here
        }) else {
            return;
        };
        let set = spec.pods.remove(at);
        let mut left = set.min;
        let (before, after) = (pod.ordinal - first, first + set.count - pod.ordinal - 1);
        let parts = [(before, &set.template), (1, template), (after, &set.template)];
        for (place, (count, template)) in (at..).zip(parts.into_iter().filter(|(count, _)| *count > 0)) {
            let min = left.min(count);
            left -= min;
            spec.pods.insert(place, PodSet { template: template.clone(), count, min });
        }
    }

    fn change_workload(&mut self, change: WorkloadChange) {
        self.apply(Event::WorkloadChanged(change));
    }

    /// Notes another minimum in the specification, with which the workload may be created again.
    fn state_minimum(&mut self, workload: WorkloadId, min: u32) {
        let Some(spec) = self.specs.get_mut(&workload) else { return };
        let mut left = min;
        for set in &mut spec.pods {
            set.min = left.min(set.count);
            left -= set.min;
        }
    }
}
