//! One decision. First come timeouts, then the holds whose victims are gone, then every pending workload that may be
//! placed now, in order (O1).

mod attempt;
mod back_off;
mod next_moment;
mod overdue;
pub(crate) mod retry;
mod takeover;
mod vain;

use crate::{
    api::{Action, Plan, Preemption, WorkloadId},
    scheduler::{
        cluster::{Cluster, cannot_run},
        hold,
        queue::{Choice, Judge, RequestQueue},
        quota::Demand,
        state::AskId,
    },
};
use attempt::attempt;
use std::{cell::RefCell, collections::BTreeSet};
use vain::Foreseen;

/// Makes one decision. `retry` says whether an event came since the last one. Returns whether the next decision may find
/// more to do although nothing happens until then.
pub(crate) fn run(cluster: &mut Cluster, mut retry: bool, plan: &mut Plan) -> bool {
    // Timers and clocks; who has waited long enough after a failed bind (E6); what was bound at an earlier moment may be
    // evicted (R2(c)); requests that nobody has any more; excuses that no longer apply; fair shares (F3).
    retry |= overdue::take_timers(cluster);
    retry |= cluster.end_bind_protection();
    overdue::start_clocks(cluster);
    back_off::end_overdue(cluster);
    cluster.give_back_unused();
    cluster.quotas.forget_drained();
    cluster.nodes.forget_drained();
    cluster.refresh_shares();
    // Holds that have ended, that last too long (H2), and whose victims are gone (H3).
    hold::report_ended(cluster, plan);
    hold::expire(cluster, plan);
    hold::bind_ready(cluster, plan);
    // Evictions that make room for no workload: stale gangs (G3), usage above a lowered max (T4).
    overdue::evict_stale_gangs(cluster, plan);
    overdue::enforce_max(cluster, plan);
    // Every pending workload that may be placed now, until a round does nothing.
    loop {
        if retry {
            retry::after_event(cluster);
        }
        retry::update_queue(cluster);
        let before = plan.actions.len();
        while let Some(queue) = next_queue(cluster, plan) {
            let tried = plan.actions.len();
            attempt(cluster, queue, plan);
            if plan.actions.len() == tried {
                // It failed, so nothing has come free.
                cluster.queue.refresh(&cluster.quotas);
            } else {
                retry::update_queue(cluster);
            }
        }
        // What was done for one workload may help another that was tried before: it may wait for the same room.
        let done = plan.actions.get(before..).unwrap_or_default();
        retry = !done.is_empty() && may_help_others(cluster, done);
        if !retry {
            break;
        }
    }
    let gave_hope = retry::give_hope(cluster);
    // What was bound just now may be evicted from the next moment on (R2(c)).
    next_moment::wake_for_it(cluster);
    keep_last_verdicts(cluster, plan);
    gave_hope
}

/// Whether what was done may help a workload that was tried before. A bind leaves less of nodes and quotas, but can make
/// its leaf a borrower, from which others reclaim: so it helps nobody where nobody preempts. With lend floors (L3) usage
/// below a quota may lower what another request adds.
fn may_help_others(cluster: &Cluster, done: &[Action]) -> bool {
    done.iter().any(|action| !matches!(action, Action::Bind { .. }))
        || cluster.policy.preemption != Preemption::None
        || cluster.is_under_way()
        || cluster.quotas.ledger.any_lend_limit()
}

/// The next queue to try. A request that was expected to fit somewhere, but has lost the room to others, is marked as
/// without room on the way. Queues before it whose tries would fail count as tried.
fn next_queue(cluster: &mut Cluster, plan: &mut Plan) -> Option<RequestQueue> {
    loop {
        let hopeless = RefCell::new(Vec::new());
        let worth_a_search = cluster.worth_a_search();
        let Choice { next, hidden, passed, again } = look_for_next(cluster, worth_a_search.clone(), &hopeless);
        hidden.into_iter().for_each(|(leaf, by)| cluster.queue.tournament.note_hidden(leaf, by));
        for ask in hopeless.into_inner() {
            let failure = cluster.nodes.freed.failure();
            cluster.queue.tournament.note_failure(ask, failure);
        }
        passed.into_iter().for_each(|queue| vain::note(cluster, queue, worth_a_search.as_ref(), plan));
        if !again {
            let queue = next?;
            if is_barred(cluster, queue, worth_a_search.as_ref()) {
                cluster.queue.tournament.suspend(queue);
            } else if vain::is_first_try_in_vain(cluster, queue) {
                vain::note(cluster, queue, worth_a_search.as_ref(), plan);
            } else {
                return next;
            }
        }
        // Nothing has come free meanwhile.
        cluster.queue.refresh(&cluster.quotas);
    }
}

/// Whether a queue was chosen only because it is ready, but a limit of its path bars it: with lend floors (L3) the
/// tournament may admit too much. Such a queue is not due (W2). If it counted as tried, it would not be tried when
/// somebody begins to borrow later in the round.
fn is_barred(cluster: &Cluster, queue: RequestQueue, worth_a_search: Option<&Demand>) -> bool {
    let quotas = &cluster.quotas;
    let is_due = || {
        let tournament = &cluster.queue.tournament;
        tournament.is_due(queue, &quotas.gates(queue.leaf), worth_a_search.map(|limits| &**limits))
    };
    quotas.ledger.any_lend_limit() && !quotas.admits(cluster.workloads.interner.ask(queue.ask), queue.leaf) && !is_due()
}

fn look_for_next(cluster: &Cluster, worth_a_search: Option<Demand>, hopeless: &RefCell<Vec<AskId>>) -> Choice {
    let (quotas, nodes, workloads) = (&cluster.quotas, &cluster.nodes, &cluster.workloads);
    let ask = |queue: RequestQueue| workloads.interner.ask(queue.ask);
    let foreseen = Foreseen::new(cluster);
    let judge = Judge {
        share: |leaf| cluster.queue.share(leaf, quotas),
        // Where quotas have lend floors, the tournament may admit too much, and only the whole path decides (L3).
        admits: |queue: RequestQueue| !quotas.ledger.any_lend_limit() || quotas.admits(ask(queue), queue.leaf),
        can_run: |queue: RequestQueue| cannot_run(quotas, nodes, &workloads.interner, ask(queue), queue.leaf).is_none(),
        worth_a_search,
        has_room: |ask| {
            let has_room = retry::may_have_room(cluster, ask);
            if !has_room {
                hopeless.borrow_mut().push(ask);
            }
            has_room
        },
        would_fail: |queue: RequestQueue, slot| foreseen.would_fail(queue, slot),
    };
    cluster.queue.tournament.next(&judge)
}

/// Keeps only the last verdict on a workload that was tried several times, and none if it was placed in the end.
fn keep_last_verdicts(cluster: &Cluster, plan: &mut Plan) {
    if plan.verdicts.is_empty() || plan.actions.is_empty() {
        return;
    }
    let is_pending = |id: &WorkloadId| {
        let slot = cluster.workloads.slot(*id);
        slot.is_some_and(|slot| cluster.queue.pending(slot).is_some())
    };
    let mut seen = BTreeSet::new();
    plan.verdicts.reverse();
    plan.verdicts.retain(|verdict| is_pending(&verdict.workload) && seen.insert(verdict.workload));
    plan.verdicts.reverse();
}
