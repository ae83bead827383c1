//! Why a workload waits: what binds, who holds it, whom a rule protects, and what would help (X1, X3).
//!
//! It looks at the state as it is; what would help is tried on a copy. In plans a verdict is told in full only where tree
//! and cluster are small, and without what would help; asked for by [`Scheduler::explain`] it always is, and with it.

use super::{
    Scheduler,
    candidates::Right,
    ledger::{Account, cell},
    nodes::{Node, RuledOut},
    shapes::{Ask, Template},
    view::PodState,
    workloads::Slot,
};
use crate::{
    ids::{NodeId, QuotaId},
    plan::{Binding, Bound, Help, Holder, NodeTally, Protected, Rule, Verdict},
    policy::Unquotaed,
};
use std::{cmp::Reverse, collections::BTreeMap};

impl Scheduler {
    /// The verdict on a workload that was just tried; in full where that is cheap.
    pub(super) fn verdict(&self, slot: Slot, bounds_hit: Vec<Bound>) -> Option<Verdict> {
        let detail = self.policy.bounds.detail as usize;
        let full = self.tree.len().max(self.nodes.by_id.len()).max(self.workloads.len()) <= detail;
        self.explained(slot, bounds_hit, full)
    }

    pub(super) fn explained(&self, slot: Slot, bounds_hit: Vec<Bound>, full: bool) -> Option<Verdict> {
        let workload = self.workloads.at(slot);
        let mut verdict = Verdict {
            workload: workload.id,
            binding: Binding::NoQuota,
            entitled: false,
            holders: Vec::new(),
            protected: Vec::new(),
            bounds_hit,
            helps: Vec::new(),
        };
        if let Some(hold) = workload.hold.and_then(|id| self.holds.get(&id)) {
            verdict.binding = Binding::Held { leaving: crate::table::narrow(hold.victims.len()) };
            verdict.entitled = true;
            return Some(verdict);
        }
        let (ask, key) = workload.waits?;
        let account = workload.account;
        if account == self.ledger.outside() && self.policy.unquotaed == Unquotaed::Refuse {
            return Some(verdict);
        }
        let head = self.lines.at(account).as_ref().and_then(|line| line.first());
        if let Some(head) = head.filter(|head| head.id != key.id) {
            verdict.binding = Binding::Behind { head: head.id };
            return Some(verdict);
        }
        let ask = self.shapes.get(ask);
        verdict.entitled = self.entitled(ask, account);
        verdict.binding = self.barred(ask, account).unwrap_or_else(|| self.no_room(ask, full));
        if full {
            let (scope, resource) = self.contested(&verdict.binding);
            verdict.holders = self.holders(scope, resource);
            verdict.protected = self.protected(slot, ask);
        }
        Some(verdict)
    }

    /// Below which quota, and of what, something is missing.
    fn contested(&self, binding: &Binding) -> (Account, Option<usize>) {
        match binding {
            Binding::Ceiling { quota, resource, .. } | Binding::Guarantee { quota, resource, .. } => {
                (quota.0, self.tree.resource_index(resource.as_str()))
            }
            Binding::Jobs { quota, .. } => (quota.0, None),
            Binding::Room { resource, .. } => (0, resource.as_ref().and_then(|r| self.tree.resource_index(r.as_str()))),
            _ => (0, None),
        }
    }

    fn holders(&self, scope: Account, resource: Option<usize>) -> Vec<Holder> {
        let leaves = self.tree.ids().filter(|q| self.tree.is_leaf(*q) && self.tree.is_under(*q, QuotaId(scope)));
        let holder = |quota: QuotaId| {
            let used = resource.map_or(0, |r| cell(self.ledger.used.row(quota.0), r));
            let borrowed = resource.map_or(0, |r| (used - self.min(quota.0, r)).max(0));
            Holder { quota, pods: *self.ledger.pods.at(quota.0), used, borrowed }
        };
        let mut holders: Vec<Holder> =
            leaves.map(holder).filter(|h| h.pods > 0 && (h.used > 0 || resource.is_none())).collect();
        holders.sort_by_key(|holder| (Reverse(holder.used), holder.quota));
        holders
    }

    /// Every pod that runs, counted by the first rule that keeps it from being taken for this workload.
    fn protected(&self, slot: Slot, ask: &Ask) -> Vec<Protected> {
        let mut counts: BTreeMap<Rule, u32> = BTreeMap::new();
        let own = self.workloads.at(slot).account;
        for other in self.workloads.sorted() {
            let victim = self.workloads.at(other);
            let pods = crate::table::narrow(victim.standing().count()) + victim.count(PodState::Leaving);
            if pods > 0 && other != slot {
                let rule = self.protection(slot, ask, other, victim.account == own);
                *counts.entry(rule).or_default() += pods;
            }
        }
        counts.into_iter().map(|(rule, pods)| Protected { rule, pods }).collect()
    }

    fn protection(&self, slot: Slot, ask: &Ask, other: Slot, same_leaf: bool) -> Rule {
        let (workload, victim) = (self.workloads.at(slot), self.workloads.at(other));
        let right = if same_leaf { Right::Priority } else { Right::Reclaim };
        if !self.has_right(right) {
            return Rule::R8;
        }
        let young = self.policy.min_runtime_ms > 0 && victim.started().after_ms(self.policy.min_runtime_ms) > self.now;
        if !victim.preemptible || young || victim.fresh || victim.standing().next().is_none() {
            return Rule::R2c;
        }
        if same_leaf {
            return if self.is_displaceable(workload, victim) { Rule::R6 } else { Rule::R1 };
        }
        let Some(reach) = self.reach(ask, workload.account) else { return Rule::R2a };
        let common = self.tree.common(QuotaId(workload.account), QuotaId(victim.account));
        if !self.tree.is_under(common, QuotaId(reach)) {
            return Rule::R2a;
        }
        let over = |r: usize| {
            let mut branch = self.ledger.path(victim.account).take_while(|q| *q != common.0);
            branch.all(|q| self.ledger.live(q, r) > self.floor(q, r))
        };
        let contested = ask.requested().map(|(r, _)| r);
        if !contested.into_iter().any(over) {
            return Rule::R2b;
        }
        let left = victim.budget.as_ref().and_then(|budget| self.budgets.get(budget));
        if left.is_some_and(|left| (*left as usize) < victim.unit(|_| true).len()) { Rule::R7 } else { Rule::R6 }
    }

    /// No node has room: which resource, and what rules the nodes out (P1).
    fn no_room(&self, ask: &Ask, full: bool) -> Binding {
        let total = crate::table::narrow(self.nodes.by_id.len());
        let mut nodes = NodeTally { total, ..NodeTally::default() };
        let nothing = Binding::Room { resource: None, needed: 0, available: 0, nodes, placed: 0 };
        let Some((id, count)) = ask.members.first().copied().filter(|_| full) else { return nothing };
        let template = self.shapes.templates.at(id);
        let mut lacks: BTreeMap<u16, (u32, i64)> = BTreeMap::new();
        let mut placed = 0u32;
        for node in self.nodes.sorted() {
            match self.nodes.ruled_out(node, template) {
                Some(RuledOut::Cordoned) => nodes.unschedulable += 1,
                Some(RuledOut::Tainted) => nodes.tainted += 1,
                Some(RuledOut::Unselected) => nodes.unselected += 1,
                None => {
                    let row = self.nodes.at(node);
                    placed = placed.saturating_add(how_many(row, template));
                    tally(row, template, &mut nodes, &mut lacks);
                }
            }
        }
        let worst = lacks.iter().max_by_key(|(r, (count, _))| (*count, Reverse(**r)));
        let (resource, needed, available) = match worst {
            Some((r, (_, most))) => {
                let needed = template.request.iter().find(|(q, _)| q == r).map_or(0, |(_, amount)| *amount);
                (Some(self.shapes.resource_name(*r)), needed, *most)
            }
            None => (None, 0, 0),
        };
        Binding::Room { resource, needed, available, nodes, placed: placed.min(count) }
    }

    /// Single changes each of which would place the workload now: every one is tried on a copy of the state (X3).
    pub(super) fn helps(&self, slot: Slot, binding: &Binding) -> Vec<Help> {
        let workload = self.workloads.at(slot);
        let Some((ask, _)) = workload.waits else { return Vec::new() };
        let ask = self.shapes.get(ask);
        let mut helps = Vec::new();
        for q in self.ledger.path(workload.account).filter(|q| self.quota(*q).is_some()) {
            for (r, amount) in ask.requested() {
                let Some(resource) = self.tree.resource_name(r) else { continue };
                let short = self.ledger.standing(q, r).saturating_add(amount).saturating_sub(self.guarantee(q, r));
                if short > 0 && !self.is_inner_root(q) {
                    helps.push(Help::MoreMin { quota: QuotaId(q), resource: resource.clone(), by: short });
                }
                let over = self.ledger.charged(q, r).saturating_add(amount).saturating_sub(self.max(q, r));
                if over > 0 {
                    helps.push(Help::MoreMax { quota: QuotaId(q), resource: resource.clone(), by: over });
                }
            }
        }
        if matches!(binding, Binding::Room { .. }) {
            helps.extend(self.node_closest_to_room(ask));
        }
        helps.retain(|help| self.clone().is_placed_by(slot, help));
        helps
    }

    /// Whether a workload would be placed with this change.
    fn is_placed_by(&mut self, slot: Slot, help: &Help) -> bool {
        match help {
            Help::MoreMin { quota, resource, by } => self.tree.raise(*quota, resource, *by, 0),
            Help::MoreMax { quota, resource, by } => self.tree.raise(*quota, resource, 0, *by),
            Help::FreeOnNode { node, resource, by } => {
                self.nodes.enlarge(*node, self.shapes.resources.get_index_of(resource), *by)
            }
        }
        let Some((ask, _)) = self.workloads.at(slot).waits else { return false };
        let ask = self.shapes.get(ask).clone();
        if self.barred(&ask, self.workloads.at(slot).account).is_none() && self.place(slot).is_some() {
            return true;
        }
        let rights = [Right::Reclaim, Right::Priority];
        rights.into_iter().any(|right| self.find_plan(slot, &ask, right, &mut Vec::new()).is_some())
    }

    /// The node on which the least of one resource is missing.
    fn node_closest_to_room(&self, ask: &Ask) -> Option<Help> {
        let (id, _) = ask.members.first()?;
        let template = self.shapes.templates.at(*id);
        let mut best: Option<(i64, NodeId, u16)> = None;
        for node in self.nodes.sorted().into_iter().filter(|node| self.nodes.is_suitable(*node, template)) {
            let row = self.nodes.at(node);
            let lack = |(r, amount): &(u16, i64)| (*amount - row.available(*r), row.id, *r);
            let mut missing = template.request.iter().map(lack).filter(|(by, ..)| *by > 0);
            if let (Some(one), None) = (missing.next(), missing.next()) {
                best = Some(best.map_or(one, |best| best.min(one)));
            }
        }
        best.map(|(by, node, r)| Help::FreeOnNode { node, resource: self.shapes.resource_name(r), by })
    }
}

/// How many pods of a template a node has room for.
fn how_many(node: &Node, template: &Template) -> u32 {
    if node.choose(template).is_none() {
        return 0;
    }
    let most = template.request.iter().map(|(r, amount)| node.available(*r) / (*amount).max(1)).min();
    u32::try_from(most.unwrap_or(i64::from(u32::MAX))).unwrap_or(u32::MAX)
}

fn tally(node: &Node, template: &Template, nodes: &mut NodeTally, lacks: &mut BTreeMap<u16, (u32, i64)>) {
    let mut full = false;
    for (r, amount) in &template.request {
        let available = node.available(*r);
        if available < *amount {
            full = true;
            let (count, most) = lacks.entry(*r).or_insert((0, 0));
            *count += 1;
            *most = (*most).max(available);
        }
    }
    if full {
        nodes.full += 1;
    } else if node.choose(template).is_none() {
        nodes.fragmented += 1;
        let device = node.banks.first().map(|bank| {
            let free = bank.free.iter().zip(&bank.reserved).map(|(f, r)| f - r).max();
            (bank.resource, free.unwrap_or_default())
        });
        if let Some((r, free)) = device {
            let (count, most) = lacks.entry(r).or_insert((0, 0));
            *count += 1;
            *most = (*most).max(free);
        }
    }
}
