//! Claims that hold only because there is nothing to judge: nobody has pods, or nothing can be compared. They fail as
//! vacuous, unless they state that they may be empty.

use super::{ClaimState, selector::Selection};
use crate::{
    model::{FairnessFigure, JobFigure, Predicate, Selector},
    view::RunView,
};
use quotree_core::{Name, QuotaId};
use std::collections::BTreeMap;

impl ClaimState<'_> {
    /// Why there is nothing to judge now, if so.
    pub(super) fn vacuous(&mut self, view: &RunView<'_>) -> Option<String> {
        self.selection.resolve(view);
        self.by.resolve(view);
        let anybody = |selection: &Selection| selection.counts(view).made > 0 || selection.outcomes(view).submitted > 0;
        match &self.claim.what {
            // These are about quotas, nodes, datasets, people, and what the scheduler never does.
            Predicate::Used { .. }
            | Predicate::Borrowed { .. }
            | Predicate::Nodes(_)
            | Predicate::Dataset { .. }
            | Predicate::Refused { .. }
            | Predicate::CellsFeasible
            | Predicate::Invariants
            | Predicate::GangsWhole
            | Predicate::Digest(_)
            | Predicate::SameAs { .. }
            // That nothing was submitted is said by the claim itself.
            | Predicate::Instances { submitted: Some(_), .. }
            // Judged with the run alone.
            | Predicate::NotWorseThanAlone { .. } => None,
            Predicate::JobTime { figure, .. } if !self.has_job_times(view, *figure) => {
                let what = match figure {
                    JobFigure::Wait | JobFigure::FirstWait => "jobs",
                    JobFigure::Turnaround => "jobs that can end",
                    JobFigure::Slowdown => "jobs whose work has a known length",
                };
                Some(format!("{} no {what}", subject(self.selection.of())))
            }
            Predicate::Fairness { figure: FairnessFigure::MeanJain | FairnessFigure::MeanFairnessError, .. } => {
                let never = view.metrics.fairness_over_time().0.is_none();
                never.then(|| "there never were two leaves with a fair share to compare".to_owned())
            }
            Predicate::Fairness { figure, .. } => {
                let leaves = view.metrics.compared_leaves(view.scheduler, *figure == FairnessFigure::DominantShareGap);
                let what = if *figure == FairnessFigure::DominantShareGap {
                    "uses or requests anything"
                } else {
                    "has a fair share"
                };
                let few = ["no leaf", "only one leaf"].get(leaves)?;
                Some(format!("{few} {what}, so there is nothing to compare"))
            }
            _ if !anybody(&self.selection) => Some(format!("{} no pods", subject(self.selection.of()))),
            Predicate::Evictions { by: Some(_), .. } if !anybody(&self.by) => {
                Some(format!("{} no pods", subject(self.by.of())))
            }
            _ => None,
        }
    }

    /// What the reader should know although the claim holds: which leaves have no min for what their pods request.
    pub(super) fn note(&self, view: &RunView<'_>) -> Option<String> {
        let Predicate::Guaranteed { .. } = self.claim.what else { return None };
        let leaves = promised_nothing(view);
        let (first, more) = leaves.split_first()?;
        let others = match more.len() {
            0 => String::new(),
            1 => " and 1 other leaf".to_owned(),
            n => format!(" and {n} other leaves"),
        };
        let (its, it) = if more.is_empty() { ("its", "it") } else { ("their", "them") };
        Some(format!("no min of {first}{others} covers what {its} pods request, so this claim says nothing about {it}"))
    }
}

/// The leaves that have pods, none of which could ever be within the guarantee: each requests a resource in which the
/// leaf has no min.
fn promised_nothing(view: &RunView<'_>) -> Vec<Name> {
    let (tree, world) = (view.tree(), view.world);
    let mut covered: BTreeMap<u32, bool> = BTreeMap::new();
    for unit in world.units.iter() {
        let Some(leaf) = world.namespaces[unit.namespace].leaf else { continue };
        let is_covered = covered.entry(leaf).or_default();
        if *is_covered || unit.count == 0 {
            continue;
        }
        let row = &world.shapes.rows[world.pods[unit.first_pod].shape];
        let asked = |number: u32| row.iter().any(|(resource, amount)| *resource == number && *amount > 0);
        let mut guarantees = view.metrics.guarantees(tree, QuotaId(leaf)).filter(|(number, _)| asked(*number));
        *is_covered = guarantees.all(|(_, min)| min > 0);
    }
    let none = covered.into_iter().filter(|(_, covered)| !covered);
    none.map(|(leaf, _)| tree.name(QuotaId(leaf)).clone()).collect()
}

/// The subject of the sentence that something is empty, with the verb.
fn subject(of: Option<&Selector>) -> String {
    match of {
        None | Some(Selector::All) => "there are".to_owned(),
        Some(Selector::Namespace(name)) => format!("namespace {name} has"),
        Some(Selector::Quota(name)) => format!("quota {name} has"),
        Some(Selector::Workload(name)) => format!("workload {name} has"),
        Some(Selector::Task { workflow, task }) => format!("task {task} of {workflow} has"),
        Some(Selector::User(name)) => format!("user {name} has"),
        Some(Selector::Group(name)) => format!("group {name} has"),
    }
}
