//! Steps in which a workload changes after it was submitted: its disruption budget, its minimum.

use super::{Driver, nth};
use crate::worlds::Step;
use quotree_core::{Event, NewBudget, WorkloadChange, WorkloadId};

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
            _ => {}
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
