//! The law of restarts (E4): the first decision of a scheduler that was made from what a LIST shows evicts nobody whom the one
//! before it would not evict, had that received its own tree once more, which ends all holds (T4), and news of every workload,
//! which ends what it spared after failed evictions (E2). So a restart loses holds, the time that clocks have counted, and who
//! was spared, and nothing else that decides about evictions.

use crate::play::Played;
use quotree_core::{Action, Event, Listing, Plan, PodId, Scheduler, Time, WorkloadChange};
use std::collections::BTreeSet;

/// A restart whose first decision was not made yet.
#[derive(Debug)]
pub(crate) struct RestartLaw {
    /// The scheduler before it.
    before: Scheduler,
    /// Whether a LIST shows all that decides, but holds and clocks.
    is_comparable: bool,
}

impl RestartLaw {
    pub(crate) fn new(before: Scheduler, listing: &Listing) -> Self {
        let mut law = Self { is_comparable: listing.shows_all_but_holds(&before), before };
        for id in listing.workloads().filter(|id| law.before.workload(*id).is_some()).collect::<Vec<_>>() {
            law.follow(&Event::WorkloadChanged(WorkloadChange::of(id)));
        }
        law.follow(&Event::TreeChanged(listing.tree().clone()));
        law
    }

    /// Something happened between the restart and the decision.
    pub(crate) fn follow(&mut self, event: &Event) {
        self.is_comparable &= self.before.apply(event.clone()).is_ok();
    }

    /// Judges the first decision after the restart.
    pub(crate) fn judge(mut self, plan: &Plan, at: Time, played: &mut Played) {
        played.count("restarts", 1);
        if !self.is_comparable {
            return;
        }
        played.count("restarts judged", 1);
        let (other, allowed) = (evicted(plan), evicted(&self.before.decide(at)));
        if !other.is_subset(&allowed) {
            let message =
                format!("at {} ms a restarted scheduler evicts {other:?}, the one before it {allowed:?}", at.0);
            played.breaks("E4", message);
        }
    }
}

fn evicted(plan: &Plan) -> BTreeSet<PodId> {
    let pod = |action: &Action| if let Action::Evict { pod, .. } = action { Some(*pod) } else { None };
    plan.actions.iter().filter_map(pod).collect()
}
