//! What a cluster knows of its workloads and a scheduler does not show: what their pods request, when they started, and
//! what is left of disruption budgets. Kept from the events and plans of a log.

use quotree_core::{Action, Event, Name, Plan, PodTemplate, Time, WorkloadId};
use std::{collections::BTreeMap, sync::Arc};

/// The pods of a workload, by ordinal, and its minimums.
#[derive(Debug, Clone, Default)]
pub(crate) struct Book {
    /// For each pod, the index of its template.
    pub(crate) pods: Vec<usize>,
    /// What the pods request, and how many of each must run together.
    pub(crate) sets: Vec<(Arc<PodTemplate>, u32)>,
    pub(crate) budget: Option<Name>,
    /// When the last of its pods started.
    pub(crate) started: Time,
    /// When pods of it were bound last.
    pub(crate) bound: Option<Time>,
}

/// All workloads that were ever submitted.
#[derive(Debug, Clone, Default)]
pub(crate) struct Books {
    pub(crate) workloads: BTreeMap<WorkloadId, Book>,
    pub(crate) budgets: BTreeMap<Name, u32>,
}

impl Book {
    fn add(&mut self, template: &Arc<PodTemplate>, count: u32, min: u32) {
        let known = self.sets.iter().position(|(known, _)| known == template);
        let set = known.unwrap_or_else(|| {
            self.sets.push((template.clone(), min));
            self.sets.len() - 1
        });
        self.pods.extend((0..count).map(|_| set));
    }
}

impl Books {
    pub(crate) fn note(&mut self, event: &Event) {
        match event {
            Event::WorkloadSubmitted(spec) => {
                let mut book = Book { budget: spec.budget.clone(), ..Book::default() };
                spec.pods.iter().for_each(|set| book.add(&set.template, set.count, set.min));
                self.workloads.insert(spec.id, book);
            }
            Event::WorkloadChanged(change) => {
                if let (Some(book), Some(set)) = (self.workloads.get_mut(&change.workload), &change.add_pods) {
                    book.add(&set.template, set.count, 0);
                }
            }
            Event::PodBound { pod, at, .. } => {
                if let Some(book) = self.workloads.get_mut(&pod.workload) {
                    book.started = book.started.max(*at);
                }
            }
            Event::BudgetChanged { budget, allowed } => {
                self.budgets.insert(budget.clone(), *allowed);
            }
            _ => {}
        }
    }

    pub(crate) fn carry_out(&mut self, plan: &Plan, now: Time) {
        for action in &plan.actions {
            match action {
                Action::Bind { pod, .. } => {
                    if let Some(book) = self.workloads.get_mut(&pod.workload) {
                        book.bound = Some(now);
                    }
                }
                Action::Evict { pod, .. } => {
                    let budget = self.workloads.get(&pod.workload).and_then(|book| book.budget.clone());
                    if let Some(left) = budget.and_then(|budget| self.budgets.get_mut(&budget)) {
                        *left = left.saturating_sub(1);
                    }
                }
                _ => {}
            }
        }
    }
}
