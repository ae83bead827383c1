//! Restarts: a log is played, and at decisions a second scheduler is made from what a LIST of the cluster shows then (E4). At rest
//! it must evict nobody whom the first does not evict. While pods are on their way, leave, or have room held for them, it must
//! evict nobody whom the first would not evict if it were told its own tree once more, which ends all holds (T4): so a restart
//! loses holds, and nothing else.

use quotree_core::{Action, Entry, Event, Listing, Log, Plan, PodId, PodState, Scheduler, Time, WorkloadView};
use std::collections::BTreeSet;

fn evicted(plan: &Plan) -> BTreeSet<PodId> {
    let pod = |action: &Action| if let Action::Evict { pod, .. } = action { Some(*pod) } else { None };
    plan.actions.iter().filter_map(pod).collect()
}

/// Whether the first scheduler knows nothing that a LIST does not show, but clocks: no hold, nothing that a plan of this
/// moment bound, no workload that was evicted whole and waits for its controller, no pod that is on its way.
fn is_at_rest(core: &Scheduler, listing: &Listing) -> bool {
    let calm = |view: &WorkloadView| {
        let moves = |state| matches!(state, PodState::Binding | PodState::Terminating);
        !view.held && !view.pods.iter().any(|pod| moves(pod.state))
    };
    let views = listing.workloads().filter_map(|id| core.workload(id));
    listing.shows_all_but_holds(core) && views.into_iter().all(|view| calm(&view))
}

/// When a scheduler is restarted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Restart {
    /// At rest.
    AtRest,
    /// While pods are being bound, are leaving, or have room held for them.
    UnderWay,
}

/// What came of restarts.
#[derive(Debug, Clone, Default)]
pub struct Restarts {
    /// What is wrong.
    pub wrong: Vec<String>,
    /// How many were judged.
    pub judged: u32,
    /// In how many the second scheduler evicted somebody.
    pub evicting: u32,
    /// In how many the first had room held.
    pub holding: u32,
}

/// Restarts the scheduler of a log at each of its decisions that is of this kind.
#[must_use]
pub fn restarts(log: &Log, when: Restart) -> Restarts {
    let mut all = Restarts::default();
    let Ok(mut core) = Scheduler::new(&log.tree, log.policy.clone()) else { return all };
    let mut listing = Listing::new(&log.tree);
    let mut last_bind = None;
    for (number, entry) in log.entries.iter().enumerate() {
        match entry {
            Entry::Event(event) => {
                listing.note(event);
                if let Err(error) = core.apply(event.clone()) {
                    all.wrong.push(format!("entry {number}: {error}"));
                }
            }
            Entry::Decide { at, .. } => {
                // What a plan of this moment bound is spared (R2(c)), and a LIST does not show that.
                let comparable = last_bind.is_none_or(|bind| bind < *at) && listing.shows_all_but_holds(&core);
                let rests = comparable && is_at_rest(&core, &listing);
                let wanted = match when {
                    Restart::AtRest => rests,
                    Restart::UnderWay => !rests && comparable,
                };
                let again = wanted.then(|| Scheduler::new(listing.tree(), log.policy.clone()).ok()).flatten();
                let events = if wanted { listing.events(&core) } else { Vec::new() };
                let before = wanted.then(|| core.clone());
                let plan = core.decide(*at);
                if let Some((again, before)) = again.zip(before) {
                    judge(&mut all, (number, *at), (again, &events), (before, &plan), (&listing, when));
                }
                let binds = |action: &Action| matches!(action, Action::Bind { .. });
                last_bind = if plan.actions.iter().any(binds) { Some(*at) } else { last_bind };
                listing.carry_out(&plan);
            }
        }
    }
    all
}

/// Judges one restart: the second scheduler and what it is told, the first one and what it decides.
fn judge(
    all: &mut Restarts,
    (number, at): (usize, Time),
    (mut again, events): (Scheduler, &[Event]),
    (mut before, plan): (Scheduler, &Plan),
    (listing, when): (&Listing, Restart),
) {
    for event in events {
        if let Err(error) = again.apply(event.clone()) {
            all.wrong.push(format!("entry {number}: after a restart {error}: {event:?}"));
        }
    }
    let other = evicted(&again.decide(at));
    let mut allowed = evicted(plan);
    if when == Restart::UnderWay {
        all.holding += u32::from(listing.workloads().any(|id| before.workload(id).is_some_and(|view| view.held)));
        if let Err(error) = before.apply(Event::TreeChanged(listing.tree().clone())) {
            all.wrong.push(format!("entry {number}: its own tree is refused: {error}"));
        }
        allowed = evicted(&before.decide(at));
    }
    all.judged += 1;
    all.evicting += u32::from(!other.is_empty());
    if !other.is_subset(&allowed) {
        all.wrong.push(format!("entry {number}: after a restart {other:?} are evicted, without it {allowed:?}"));
    }
}
