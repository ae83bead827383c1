//! What users want, checked by brute force: an entitled workload that could be helped is helped (V5), the set of victims
//! that is taken is the best, and no explanation denies that there is one.
//!
//! [`judge`] replays the log of a run. Whenever the scheduler is at rest it looks at every workload that is pending and
//! entitled (O1), and tries all sets of evictions over the whole cluster ([`sets`](self)), without the procedure of V5:
//! no candidates, no order, no bounds but the size of the world. It knows what the scheduler shows and what events said,
//! and shares no code that decides with the core or the reference.
#![expect(clippy::indexing_slicing, reason = "a place that is not there is a bug of the oracle and must stop the test")]

mod books;
mod picture;
mod sets;
mod shrink;
mod worth;

use crate::advice::helps_indeed;
use books::Books;
use picture::{Asked, Picture};
use quotree_core::{
    Action, BlockingReason, Entry, Event, Log, Plan, PodId, PodOutcome, PodState, Protected, Protection, Rule,
    Scheduler, Time, Verdict, WorkloadId,
};
use sets::{LegalSet, legal_sets};
use std::collections::BTreeSet;
use worth::worth;

pub use shrink::{scenario, shrunk};

/// What was found in one run.
#[derive(Debug, Clone, Default)]
pub struct Judged {
    /// What is wrong.
    pub violations: Vec<String>,
    /// How many entitled workloads were looked at that waited at rest.
    pub waiting: u64,
    /// How many plans took a set that V5 found, and were compared with all others.
    pub sets: u64,
    /// How many legal sets there were for those, the best one included.
    pub choices: u64,
    /// How many explanations were compared with what brute force finds.
    pub explained: u64,
    /// How many pieces of advice were tried.
    pub advice: u64,
}

/// Judges a run. `advice` says whether advice is tried, too, which costs the most.
#[must_use]
pub fn judge(log: &Log, advice: bool) -> Judged {
    let mut judged = Judged::default();
    let Ok(mut core) = Scheduler::new(&log.tree, log.policy.clone()) else { return judged };
    let mut books = Books::default();
    for entry in &log.entries {
        match entry {
            Entry::Event(event) => {
                drop(core.apply(event.clone()));
                books.note(event);
            }
            Entry::Decide { at, .. } => {
                let before = core.clone();
                let plan = core.decide(*at);
                judged.is_best(&before, &books, &plan, *at);
                books.carry_out(&plan, *at);
                if plan.is_empty() {
                    judged.rests(&core, &books, *at, advice);
                }
            }
        }
    }
    judged
}

impl Judged {
    fn violation(&mut self, what: String) {
        if self.violations.len() < 4 {
            self.violations.push(what);
        }
    }

    /// A scheduler that has decided to do nothing: nobody who is entitled could be helped, neither at this moment nor in
    /// the next one.
    fn rests(&mut self, core: &Scheduler, books: &Books, now: Time, advice: bool) {
        let Some(picture) = Picture::of(core, books, now) else { return };
        for asked in owed(core, &picture) {
            self.is_missed(core, &picture, asked);
            self.is_denied(core, &picture, asked);
            if advice && let Some(verdict) = core.explain(asked.id) {
                self.advice += verdict.helps.len() as u64;
                helps_indeed(core, &verdict, now).into_iter().for_each(|what| self.violation(what));
            }
        }
        let (mut later, next) = (core.clone(), now.after_ms(1));
        if later.apply(Event::Tick).is_err() || !later.decide(next).is_empty() {
            return;
        }
        let Some(picture) = Picture::of(&later, books, next) else { return };
        for asked in owed(&later, &picture) {
            self.waiting += 1;
            self.is_missed(&later, &picture, asked);
        }
    }

    /// An entitled workload waits although a legal set makes room.
    fn is_missed(&mut self, core: &Scheduler, picture: &Picture, asked: &Asked) {
        let Some(found) = legal_sets(picture, asked, false) else { return };
        let Some(best) = found.iter().min_by_key(|set| worth(picture, asked, set)) else { return };
        let pods = pods_of(picture, best);
        let confirmed = if is_placed_without(core, &pods, asked.id, picture.now) { "" } else { " (not confirmed!)" };
        let verdict = core.verdict(asked.id);
        let what = format!(
            "MISS at {:?}: {} is entitled and waits; without {} it is placed{confirmed}. The verdict: {verdict:?}",
            picture.now,
            asked.id,
            listed(&pods)
        );
        self.violation(what);
    }

    /// The verdict says that nothing helps although a set helps that is legal now or in the next moment.
    fn is_denied(&mut self, core: &Scheduler, picture: &Picture, asked: &Asked) {
        let (Some(found), Some(verdict)) = (legal_sets(picture, asked, true), core.verdict(asked.id)) else { return };
        self.explained += 1;
        let Some(set) = found.first() else { return };
        if let Some(word) = denial(&verdict, &pods_of(picture, set)) {
            let pods = listed(&pods_of(picture, set));
            self.violation(format!(
                "DENIED at {:?}: {word}, but {} is placed without {pods}: {verdict:?}",
                picture.now, asked.id
            ));
        }
    }

    /// The victims that V5 chose are the best set, without those that it can do without in the end (V2). Judged where the
    /// plan does nothing else before.
    fn is_best(&mut self, before: &Scheduler, books: &Books, plan: &Plan, now: Time) {
        let Some(Action::Evict { reason, .. }) = plan.actions.first() else { return };
        let Some(cause) = reason.cause.filter(|_| reason.chosen_by == Rule::V5 && reason.rule == Rule::R2) else {
            return;
        };
        let of = |action: &Action| match action {
            Action::Evict { pod, reason } if reason.cause == Some(cause) => Some(*pod),
            _ => None,
        };
        let victims: BTreeSet<PodId> = plan.actions.iter().map_while(of).collect();
        let Some(picture) = Picture::of(before, books, now) else { return };
        let Some(asked) = picture.asked.iter().find(|asked| asked.id == cause) else { return };
        let Some(found) = legal_sets(&picture, asked, false) else { return };
        self.sets += 1;
        self.choices += found.len() as u64;
        let best = found.iter().min_by_key(|set| (worth(&picture, asked, set), set.node(&picture)));
        let best: Option<BTreeSet<PodId>> = best.map(|set| pods_of(&picture, set));
        if best.as_ref().is_none_or(|best| !victims.is_subset(best)) {
            let all: Vec<String> = found
                .iter()
                .map(|s| format!("{} {:?}", listed(&pods_of(&picture, s)), worth(&picture, asked, s)))
                .collect();
            self.violation(format!(
                "NOT THE BEST at {now:?}: for {cause} {} go, and {} would be better\n{}",
                listed(&victims),
                best.map_or("nobody".to_owned(), |best| listed(&best)),
                all.join("\n")
            ));
        }
    }
}

/// The workloads that are pending and entitled, and that no strict queue keeps waiting.
fn owed<'a>(core: &Scheduler, picture: &'a Picture) -> Vec<&'a Asked> {
    let behind = |id: WorkloadId| matches!(core.bound_by(id), Some(BlockingReason::Behind { .. }));
    let waits: BTreeSet<WorkloadId> = core.waiting().into_iter().collect();
    let all = picture.asked.iter().filter(|asked| waits.contains(&asked.id) && picture.is_entitled(asked));
    all.filter(|asked| !behind(asked.id)).collect()
}

fn pods_of(picture: &Picture, set: &LegalSet) -> BTreeSet<PodId> {
    picture.pods.iter().enumerate().filter(|(i, _)| set.pods >> i & 1 == 1).map(|(_, pod)| pod.id).collect()
}

fn listed(pods: &BTreeSet<PodId>) -> String {
    pods.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

/// What in a verdict says that evictions do not help, although these pods are a legal set.
fn denial(verdict: &Verdict, set: &BTreeSet<PodId>) -> Option<String> {
    let spared = |class: &&Protected| matches!(class.shield, Protection::JustBound | Protection::ProtectedRuntime);
    let later = verdict.protected.iter().filter(spared).flat_map(|class| &class.who).any(|pod| set.contains(pod));
    for class in &verdict.protected {
        let hit = class.who.iter().any(|pod| set.contains(pod));
        match class.shield {
            Protection::NotEnough if !later => return Some("it says that all victims are not enough".to_owned()),
            Protection::NotEnough | Protection::OwnWorkload | Protection::JustBound | Protection::ProtectedRuntime => {}
            _ if hit && !class.who.is_empty() => return Some(format!("it says {:?} of a victim", class.shield)),
            _ => {}
        }
    }
    let unentitled = verdict.also.iter().any(|other| matches!(other.binding, BlockingReason::Unentitled { .. }));
    if unentitled || !verdict.entitled {
        return Some("it says that it is not entitled".to_owned());
    }
    verdict.cannot_run.as_ref().map(|why| format!("it says that it cannot run: {why:?}"))
}

/// Whether a workload is placed, and nobody evicted for it, in a world without these pods and without other pending ones:
/// the same question, asked of the scheduler by events.
fn is_placed_without(core: &Scheduler, pods: &BTreeSet<PodId>, id: WorkloadId, now: Time) -> bool {
    let mut without = core.clone();
    for other in core.waiting().into_iter().filter(|other| *other != id) {
        let pending = without.workload(other).map(|view| view.pods).unwrap_or_default();
        for pod in pending.iter().filter(|pod| pod.state == PodState::Pending) {
            drop(without.apply(Event::PodGone { pod: pod.id, outcome: PodOutcome::Deleted }));
        }
    }
    for pod in pods {
        drop(without.apply(Event::PodGone { pod: *pod, outcome: PodOutcome::Deleted }));
        let pending = without.workload(pod.workload).map(|view| view.pods).unwrap_or_default();
        for pod in pending.iter().filter(|pod| pod.state == PodState::Pending) {
            drop(without.apply(Event::PodGone { pod: pod.id, outcome: PodOutcome::Deleted }));
        }
    }
    let plan = without.decide(now.after_ms(1));
    let binds = plan.actions.iter().any(|action| matches!(action, Action::Bind { pod, .. } if pod.workload == id));
    binds && plan.actions.iter().all(|action| matches!(action, Action::Bind { .. }))
}
