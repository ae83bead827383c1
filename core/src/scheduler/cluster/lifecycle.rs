//! The steps that pods and workloads go through, each keeping ledger, nodes, victims and pending in agreement.

use crate::api::{EnforceMax, Order, Preemption, Unquotaed};
use crate::scheduler::{
    Scheduler,
    nodes::{Assignment, PodRef},
    queue::order::{Key, Ratio},
    quota::{
        admission::QuotaCheck,
        ledger::{QuotaSlot, Row},
    },
    state::{
        interner::{Ask, AskId},
        workloads::{HoldId, Workload, WorkloadSlot},
    },
    view::PodState,
};
use smallvec::SmallVec;
use std::cmp::Reverse;

impl Scheduler {
    /// The unit a workload waits for next: what its gang lacks of its minimum, or one more of its pods; nothing if none
    /// waits, or if too few wait to make the minimum full (G1).
    pub(crate) fn next_ask(&mut self, slot: WorkloadSlot) -> Option<AskId> {
        let workload = self.workloads.at(slot);
        let (preemptible, job) = (workload.preemptible, !workload.admitted);
        let first = workload.in_state(PodState::Waiting).next()?;
        if workload.evicted_whole {
            return None;
        }
        if workload.pods.len() == 1 {
            return Some(self.interner.single_pod_ask(workload.template(first), preemptible, job));
        }
        let lacking = workload.lacking();
        let mut members: SmallVec<[(u32, u32); 1]> = SmallVec::new();
        for (set, lacking) in workload.sets.iter().zip(&lacking).filter(|(_, lacking)| **lacking > 0) {
            members.push((set.template, *lacking));
        }
        if members.is_empty() {
            members.push((workload.template(first), 1));
        } else if !workload.can_fill(&lacking) {
            return None;
        }
        // The sums were checked when the workload was submitted.
        let total = self.interner.total(&members).unwrap_or_default();
        let workload = self.workloads.at(slot);
        let joins = workload.standing().next().map(|_| workload.id);
        let together = workload.together.map(|level| (level, joins));
        Some(self.interner.ask(Ask { members, total, preemptible, job, together }))
    }

    /// Lines a workload up for what it needs now, where that is something else than before (G1, G2).
    pub(crate) fn requeue_if_changed(&mut self, slot: WorkloadSlot) {
        let asks = self.workloads.at(slot).waits.map(|(ask, _)| ask);
        if self.workloads.at(slot).hold.is_none() && self.next_ask(slot) != asks {
            self.dequeue(slot);
            self.enqueue(slot);
        }
    }

    /// The ordinals that the ask of a pending workload is about.
    pub(crate) fn asked_pods(&self, slot: WorkloadSlot) -> SmallVec<[u32; 4]> {
        let workload = self.workloads.at(slot);
        if workload.pods.len() == 1 {
            return workload.in_state(PodState::Waiting).collect();
        }
        let mut lacking = workload.lacking();
        if lacking.iter().all(|count| *count == 0) {
            return workload.in_state(PodState::Waiting).take(1).collect();
        }
        let mut chosen: SmallVec<[u32; 4]> = SmallVec::new();
        for ordinal in workload.in_state(PodState::Waiting) {
            let set = workload.pods.get(ordinal as usize).map_or(0, |pod| usize::from(pod.set));
            if let Some(left) = lacking.get_mut(set).filter(|left| **left > 0) {
                *left -= 1;
                chosen.push(ordinal);
            }
        }
        chosen
    }

    pub(crate) fn key(&self, slot: WorkloadSlot) -> Key {
        let workload = self.workloads.at(slot);
        let share =
            if self.policy.order == Order::Share { self.dominant_share(workload.leaf) } else { Ratio::default() };
        Key { share, priority: Reverse(workload.priority), submitted: workload.submitted, id: workload.id, slot }
    }

    /// The largest used/min of an leaf over the governed resources.
    fn dominant_share(&self, leaf: QuotaSlot) -> Ratio {
        let ratio = |r| Ratio { over: self.ledger.projected_usage(leaf, r), of: self.min(leaf, r) };
        (0..self.tree.width()).map(ratio).max().unwrap_or_default()
    }

    /// Lines a workload up for its next unit, if it has one.
    pub(crate) fn enqueue(&mut self, slot: WorkloadSlot) {
        let leaf = self.workloads.at(slot).leaf;
        let refused = leaf == self.ledger.no_quota() && self.policy.unquotaed == Unquotaed::Refuse;
        let Some(ask) = self.next_ask(slot) else { return };
        let key = self.key(slot);
        self.workloads.at_mut(slot).waits = Some((ask, key));
        if refused {
            return;
        }
        let Some(line) = self.blocking_queues.at_mut(leaf) else { return self.join(ask, leaf, key) };
        let head = line.first().copied();
        line.insert(within_leaf(key));
        match head {
            Some(head) if head < within_leaf(key) => {}
            Some(head) => {
                if let Some((ask, key)) = self.workloads.at(head.slot).waits {
                    self.pending.remove((ask, leaf), key);
                }
                self.join(ask, leaf, key);
            }
            None => self.join(ask, leaf, key),
        }
    }

    fn join(&mut self, ask: AskId, leaf: QuotaSlot, key: Key) {
        let quota_check = QuotaCheck { tree: &self.tree, ledger: &self.ledger };
        let shape = self.interner.get(ask);
        self.pending.insert((ask, leaf), key, |q| quota_check.admission(shape, q));
    }

    /// Takes a workload out of the line.
    pub(crate) fn dequeue(&mut self, slot: WorkloadSlot) {
        let workload = self.workloads.at_mut(slot);
        let leaf = workload.leaf;
        let Some((ask, key)) = workload.waits.take() else { return };
        if leaf == self.ledger.no_quota() && self.policy.unquotaed == Unquotaed::Refuse {
            return;
        }
        let Some(line) = self.blocking_queues.at_mut(leaf) else { return self.pending.remove((ask, leaf), key) };
        let led = line.first() == Some(&within_leaf(key));
        line.remove(&within_leaf(key));
        let next = line.first().copied();
        if led {
            self.pending.remove((ask, leaf), key);
            if let Some(next) = next {
                let key = self.key(next.slot);
                if let Some((ask, waits)) = &mut self.workloads.at_mut(next.slot).waits {
                    *waits = key;
                    let ask = *ask;
                    self.join(ask, leaf, key);
                }
            }
        }
    }

    /// The use of an leaf changed: quota_check above it, and its place by share, are looked at again.
    pub(crate) fn touch(&mut self, leaf: QuotaSlot) {
        let mut at = Some(leaf);
        while let Some(q) = at {
            self.pending.touch(q);
            at = self.ledger.parent(q);
        }
        if self.policy.order == Order::Share {
            self.reorder(leaf);
        }
    }

    /// Puts everybody who waits at an leaf where its share now says (O1, `share`).
    fn reorder(&mut self, leaf: QuotaSlot) {
        let cells: Vec<_> = self.pending.queues_of(leaf).collect();
        for cell in cells {
            for old in self.pending.keys_of(cell) {
                let new = self.key(old.slot);
                if new != old {
                    self.pending.rekey(cell, old, new);
                    if let Some((_, key)) = &mut self.workloads.at_mut(old.slot).waits {
                        *key = new;
                    }
                }
            }
        }
    }

    /// A pod is on its way to, or on, its spot: it uses quota and node. The node is charged by the caller.
    pub(crate) fn charge(&mut self, pod: PodRef, spot: Assignment, state: PodState) {
        let leaf = self.workloads.at(pod.0).leaf;
        let preemptible = self.workloads.at(pod.0).preemptible;
        self.ledger.use_up(leaf, self.workloads.governed(pod, &self.interner), preemptible);
        self.ledger.each(leaf, |ledger, q| *ledger.pods.at_mut(q) += 1);
        if let Some(row) = self.workloads.pod_mut(pod) {
            row.state = Some(state);
            row.spot = spot;
        }
        self.touch(leaf);
    }

    /// A workload counts as admitted from its first pod or hold on (A5).
    pub(crate) fn set_admitted(&mut self, slot: WorkloadSlot, admitted: bool) {
        let workload = self.workloads.at_mut(slot);
        if std::mem::replace(&mut workload.admitted, admitted) == admitted {
            return;
        }
        let leaf = workload.leaf;
        self.ledger.each(leaf, |ledger, q| {
            let jobs = ledger.jobs.at_mut(q);
            *jobs = if admitted { *jobs + 1 } else { jobs.saturating_sub(1) };
        });
        self.touch(leaf);
    }

    /// A pod is no more on its spot: quota and node are free of it.
    pub(crate) fn discharge(&mut self, pod: PodRef, after: Option<PodState>) {
        let Some(row) = self.workloads.pod(pod).copied() else { return };
        let leaf = self.workloads.at(pod.0).leaf;
        let preemptible = self.workloads.at(pod.0).preemptible;
        let governed: Row = self.workloads.governed(pod, &self.interner).clone();
        let hold = row.leaves_for.filter(|_| row.state == Some(PodState::Leaving));
        if row.state == Some(PodState::Leaving) {
            self.ledger.each(leaf, |ledger, q| ledger.leaving.sub(q, &governed));
            self.unclaimed_terminating.remove(&self.workloads.id_of(pod));
        }
        self.ledger.give_back(leaf, &governed, preemptible);
        self.ledger.each(leaf, |ledger, q| *ledger.pods.at_mut(q) -= 1);
        let template = self.interner.templates.at(self.workloads.at(pod.0).template(pod.1));
        self.nodes.take(row.spot, template, pod);
        self.freed_nodes.push(row.spot.node);
        if let Some(row) = self.workloads.pod_mut(pod) {
            row.state = after;
            row.leaves_for = None;
        }
        self.touch(leaf);
        if let Some(hold) = hold {
            self.victim_left(hold, pod);
        }
    }

    /// An eviction of a pod that runs, or is being bound, is under way.
    pub(crate) fn set_leaving(&mut self, pod: PodRef, hold: Option<HoldId>) {
        let leaf = self.workloads.at(pod.0).leaf;
        let governed: Row = self.workloads.governed(pod, &self.interner).clone();
        self.ledger.each(leaf, |ledger, q| ledger.leaving.add(q, &governed));
        if let Some(row) = self.workloads.pod_mut(pod) {
            row.state = Some(PodState::Leaving);
            row.leaves_for = hold;
        }
        if hold.is_none() {
            self.unclaimed_terminating.insert(self.workloads.id_of(pod), pod);
        }
        self.touch(leaf);
    }

    /// Files a workload among the victims of its leaf, where it now belongs, or takes it out. What the same decision
    /// bound is no victim of it: no plan undoes itself, and one more decision without a fact is empty (S1).
    pub(crate) fn update_victim_index(&mut self, slot: WorkloadSlot) {
        if self.policy.preemption == Preemption::None && self.policy.enforce_max == EnforceMax::Never {
            return;
        }
        let workload = self.workloads.at(slot);
        let leaf = workload.leaf;
        let is_one = workload.preemptible && !workload.bound_this_cycle && workload.standing().next().is_some();
        let now = is_one.then(|| workload.victim_key(slot));
        let before = std::mem::replace(&mut self.workloads.at_mut(slot).victim, now);
        if before == now {
            return;
        }
        if let Some(key) = before {
            self.victims.at_mut(leaf).remove(&key);
        }
        if let Some(key) = now {
            self.victims.at_mut(leaf).insert(key);
            self.wake_displacers(leaf, key.0);
        }
    }

    /// Drops a workload whose pods have all ended.
    pub(crate) fn drop_if_ended(&mut self, slot: WorkloadSlot) {
        if !self.workloads.at(slot).has_ended() {
            return;
        }
        self.dequeue(slot);
        self.update_victim_index(slot);
        self.set_admitted(slot, false);
        self.workloads.remove(slot);
    }

    /// What all pods of a workload ask that have not ended, for `request` of the ledger.
    pub(crate) fn requested(&self, workload: &Workload) -> Row {
        let mut sum: Row = (0..self.tree.width()).map(|_| 0).collect();
        for (ordinal, pod) in (0u32..).zip(&workload.pods) {
            if pod.state.is_some() {
                let governed = &self.interner.templates.at(workload.template(ordinal)).governed;
                for (cell, amount) in sum.iter_mut().zip(governed) {
                    *cell += amount;
                }
            }
        }
        sum
    }
}

/// A key as it stands in a line: within one leaf shares are equal, and change for all at once.
fn within_leaf(key: Key) -> Key {
    Key { share: Ratio::default(), ..key }
}
