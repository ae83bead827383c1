//! The steps that pods and workloads go through, each keeping ledger, nodes, victims and waiting in agreement.

use super::{
    Scheduler,
    ledger::{Account, Row},
    nodes::{PodRef, Spot},
    order::{Key, Ratio},
    shapes::{Ask, AskId},
    view::PodState,
    workloads::{HoldId, Slot, Workload},
};
use crate::policy::{Order, Unquotaed};
use smallvec::SmallVec;
use std::cmp::Reverse;

impl Scheduler {
    /// The unit a workload waits for next: its gang's minimum, or one more of its pods; nothing if none waits.
    pub(super) fn next_ask(&mut self, slot: Slot) -> Option<(AskId, u32)> {
        let workload = self.workloads.at(slot);
        let waiting: SmallVec<[u32; 4]> = workload.in_state(PodState::Waiting).collect();
        if waiting.is_empty() {
            return None;
        }
        let untouched = waiting.len() == workload.pods.len();
        let mut members: SmallVec<[(u32, u32); 1]> = SmallVec::new();
        if untouched {
            members.extend(workload.sets.iter().filter(|set| set.min > 0).map(|set| (set.template, set.min)));
        }
        if members.is_empty() {
            let first = waiting.first().copied().unwrap_or_default();
            members.push((workload.template(first), 1));
        }
        let pods = members.iter().map(|(_, count)| count).sum();
        // The sums were checked when the workload was submitted.
        let total = self.shapes.total(&members).unwrap_or_default();
        let (preemptible, job) = (workload.preemptible, !workload.admitted);
        Some((self.shapes.ask(Ask { members, total, preemptible, job }), pods))
    }

    /// The ordinals that the next ask of a workload is about.
    pub(super) fn asked_pods(&self, slot: Slot, ask: &Ask) -> SmallVec<[u32; 4]> {
        let workload = self.workloads.at(slot);
        let mut chosen: SmallVec<[u32; 4]> = SmallVec::new();
        let mut waiting = workload.in_state(PodState::Waiting).peekable();
        if ask.pods() == 1 {
            chosen.extend(waiting.next());
            return chosen;
        }
        let mut wanted: SmallVec<[u32; 4]> = workload.sets.iter().map(|set| set.min).collect();
        for ordinal in waiting {
            let set = workload.pods.get(ordinal as usize).map_or(0, |pod| usize::from(pod.set));
            if let Some(left) = wanted.get_mut(set).filter(|left| **left > 0) {
                *left -= 1;
                chosen.push(ordinal);
            }
        }
        chosen
    }

    fn key(&self, slot: Slot) -> Key {
        let workload = self.workloads.at(slot);
        let share =
            if self.policy.order == Order::Share { self.dominant_share(workload.account) } else { Ratio::default() };
        Key { share, priority: Reverse(workload.priority), submitted: workload.submitted, id: workload.id, slot }
    }

    /// The largest used/min of an account over the governed resources.
    fn dominant_share(&self, account: Account) -> Ratio {
        let ratio = |r| Ratio { over: self.ledger.standing(account, r), of: self.min(account, r) };
        (0..self.tree.width()).map(ratio).max().unwrap_or_default()
    }

    /// Lines a workload up for its next unit, if it has one.
    pub(super) fn line_up(&mut self, slot: Slot) {
        let account = self.workloads.at(slot).account;
        let refused = account == self.ledger.outside() && self.policy.unquotaed == Unquotaed::Refuse;
        let Some((ask, _)) = self.next_ask(slot) else { return };
        let key = self.key(slot);
        self.workloads.at_mut(slot).waits = Some((ask, key));
        if refused {
            return;
        }
        match self.lines.at_mut(account) {
            None => self.join(ask, account, key),
            Some(line) => {
                let head = line.first().copied();
                line.insert((key, ask));
                if head.is_none_or(|head| (key, ask) < head) {
                    if let Some((old, old_ask)) = head {
                        self.waiting.remove((old_ask, account), old);
                    }
                    self.join(ask, account, key);
                }
            }
        }
    }

    fn join(&mut self, ask: AskId, account: Account, key: Key) {
        let mut waiting = std::mem::take(&mut self.waiting);
        let shape = self.shapes.get(ask);
        waiting.insert((ask, account), key, |q| self.gate(shape, q));
        self.waiting = waiting;
    }

    /// Takes a workload out of the line.
    pub(super) fn step_out(&mut self, slot: Slot) {
        let workload = self.workloads.at_mut(slot);
        let account = workload.account;
        let Some((ask, key)) = workload.waits.take() else { return };
        if account == self.ledger.outside() && self.policy.unquotaed == Unquotaed::Refuse {
            return;
        }
        match self.lines.at_mut(account) {
            None => self.waiting.remove((ask, account), key),
            Some(line) => {
                let led = line.first() == Some(&(key, ask));
                line.remove(&(key, ask));
                let next = line.first().copied();
                if led {
                    self.waiting.remove((ask, account), key);
                    if let Some((key, ask)) = next {
                        self.join(ask, account, key);
                    }
                }
            }
        }
    }

    /// The use of an account changed: gates above it, and its place by share, are looked at again.
    pub(super) fn touch(&mut self, account: Account) {
        let mut at = Some(account);
        while let Some(q) = at {
            self.waiting.touch(q);
            at = self.ledger.parent(q);
        }
        if self.policy.order == Order::Share {
            self.reorder(account);
        }
    }

    /// Puts everybody who waits at an account where its share now says (O1, `share`).
    fn reorder(&mut self, account: Account) {
        let cells: Vec<_> = self.waiting.cells_of(account).collect();
        for cell in cells {
            for old in self.waiting.keys_of(cell) {
                let new = self.key(old.slot);
                if new != old {
                    self.waiting.rekey(cell, old, new);
                    if let Some((_, key)) = &mut self.workloads.at_mut(old.slot).waits {
                        *key = new;
                    }
                }
            }
        }
    }

    /// A pod is on its way to, or on, its spot: it uses quota and node. The node is charged by the caller.
    pub(super) fn charge(&mut self, pod: PodRef, spot: Spot, state: PodState) {
        let account = self.workloads.at(pod.0).account;
        let preemptible = self.workloads.at(pod.0).preemptible;
        self.ledger.use_up(account, self.workloads.governed(pod, &self.shapes), preemptible);
        self.ledger.each(account, |ledger, q| *ledger.pods.at_mut(q) += 1);
        if let Some(row) = self.workloads.pod_mut(pod) {
            row.state = Some(state);
            row.spot = spot;
        }
        self.touch(account);
    }

    /// A workload counts as admitted from its first pod or hold on (A5).
    pub(super) fn set_admitted(&mut self, slot: Slot, admitted: bool) {
        let workload = self.workloads.at_mut(slot);
        if std::mem::replace(&mut workload.admitted, admitted) == admitted {
            return;
        }
        let account = workload.account;
        self.ledger.each(account, |ledger, q| {
            let jobs = ledger.jobs.at_mut(q);
            *jobs = if admitted { *jobs + 1 } else { jobs.saturating_sub(1) };
        });
        self.touch(account);
    }

    /// A pod is no more on its spot: quota and node are free of it.
    pub(super) fn discharge(&mut self, pod: PodRef, after: Option<PodState>) {
        let Some(row) = self.workloads.pod(pod).copied() else { return };
        let account = self.workloads.at(pod.0).account;
        let preemptible = self.workloads.at(pod.0).preemptible;
        let governed: Row = self.workloads.governed(pod, &self.shapes).clone();
        let hold = row.leaves_for.filter(|_| row.state == Some(PodState::Leaving));
        if row.state == Some(PodState::Leaving) {
            self.ledger.each(account, |ledger, q| ledger.leaving.sub(q, &governed));
            self.leaving_for_nobody.remove(&pod);
        }
        self.ledger.give_back(account, &governed, preemptible);
        self.ledger.each(account, |ledger, q| *ledger.pods.at_mut(q) -= 1);
        let template = self.shapes.templates.at(self.workloads.at(pod.0).template(pod.1));
        self.nodes.take(row.spot, template, pod);
        self.freed_nodes.push(row.spot.node);
        if let Some(row) = self.workloads.pod_mut(pod) {
            row.state = after;
            row.leaves_for = None;
        }
        self.touch(account);
        if let Some(hold) = hold {
            self.victim_left(hold, pod);
        }
    }

    /// An eviction of a running pod is under way.
    pub(super) fn set_leaving(&mut self, pod: PodRef, hold: Option<HoldId>) {
        let account = self.workloads.at(pod.0).account;
        let governed: Row = self.workloads.governed(pod, &self.shapes).clone();
        self.ledger.each(account, |ledger, q| ledger.leaving.add(q, &governed));
        if let Some(row) = self.workloads.pod_mut(pod) {
            row.state = Some(PodState::Leaving);
            row.leaves_for = hold;
        }
        if hold.is_none() {
            self.leaving_for_nobody.insert(pod);
        }
        self.touch(account);
    }

    /// Files a workload among the victims of its account, where it now belongs, or takes it out.
    pub(super) fn file_victim(&mut self, slot: Slot) {
        let workload = self.workloads.at(slot);
        let account = workload.account;
        let is_one = workload.preemptible
            && workload.pods.iter().any(|pod| pod.state == Some(PodState::Running))
            && workload.pods.iter().all(|pod| pod.state != Some(PodState::Binding));
        let now = is_one.then(|| workload.victim_key(slot));
        let before = std::mem::replace(&mut self.workloads.at_mut(slot).victim, now);
        if before == now {
            return;
        }
        if let Some(key) = before {
            self.victims.at_mut(account).remove(&key);
        }
        if let Some(key) = now {
            self.victims.at_mut(account).insert(key);
            self.wake_displacers(account, key.0);
        }
    }

    /// Drops a workload whose pods have all ended.
    pub(super) fn drop_if_ended(&mut self, slot: Slot) {
        if !self.workloads.at(slot).has_ended() {
            return;
        }
        self.step_out(slot);
        self.file_victim(slot);
        self.set_admitted(slot, false);
        self.workloads.remove(slot);
    }

    /// What all pods of a workload ask that have not ended, for `request` of the ledger.
    pub(super) fn requested(&self, workload: &Workload) -> Row {
        let mut sum: Row = (0..self.tree.width()).map(|_| 0).collect();
        for (ordinal, pod) in (0u32..).zip(&workload.pods) {
            if pod.state.is_some() {
                let governed = &self.shapes.templates.at(workload.template(ordinal)).governed;
                for (cell, amount) in sum.iter_mut().zip(governed) {
                    *cell += amount;
                }
            }
        }
        sum
    }
}
