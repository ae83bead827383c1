//! What nodes will have free in the settled state: all terminating pods gone, and all pods of holds placed (H1).
//!
//! The sums are kept. So the test whether a pod would then fit looks only at the nodes with terminating pods: other
//! nodes will have at most what is available on them now.

use super::inventory::Nodes;
use crate::scheduler::state::{Assignment, Template, amount_of};

/// Whether a pod would fit on a node with terminating pods, once they have left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WouldFit {
    No,
    /// The amounts of some node are enough, but its devices decide.
    Perhaps,
    Yes,
}

impl Nodes {
    /// Counts a pod on a node as terminating.
    pub(crate) fn start_leaving(&mut self, at: Assignment, template: &Template) {
        self.under_way.add(at.node, template, 1, |settling| settling.terminating += 1);
    }

    /// Reverses [`start_leaving`](Self::start_leaving).
    pub(crate) fn stop_leaving(&mut self, at: Assignment, template: &Template) {
        self.under_way.add(at.node, template, -1, |settling| settling.terminating -= 1);
    }

    /// Counts a pod of a hold as expected on a node.
    pub(crate) fn promise(&mut self, at: Assignment, template: &Template) {
        self.under_way.add(at.node, template, -1, |settling| settling.promised += 1);
    }

    /// Reverses [`promise`](Self::promise).
    pub(crate) fn end_promise(&mut self, at: Assignment, template: &Template) {
        self.under_way.add(at.node, template, 1, |settling| settling.promised -= 1);
    }

    /// Whether a pod would fit on some node with terminating pods, in the settled state. No pod may be on trial.
    pub(crate) fn would_fit_when_settled(&self, template: &Template) -> WouldFit {
        let mut would = WouldFit::No;
        for (slot, settling) in self.under_way.0.iter().filter(|(_, settling)| settling.terminating > 0) {
            let node = self.at(*slot);
            let has = |r: u16| {
                let at = usize::from(r);
                amount_of(&node.free, at) + amount_of(&settling.frees, at)
            };
            let has_room = template.request.iter().all(|(r, amount)| has(*r) >= *amount);
            if has_room && self.is_suitable(*slot, template) {
                if node.devices.is_empty() {
                    return WouldFit::Yes;
                }
                would = WouldFit::Perhaps;
            }
        }
        would
    }

    /// For a node: the number of terminating pods, the number of pods that holds will place, and what they free of a
    /// resource together.
    #[cfg(test)]
    pub(crate) fn under_way(&self, node: crate::scheduler::state::NodeSlot, resource: usize) -> (u32, u32, i64) {
        let settling = self.under_way.0.get(&node);
        settling.map_or((0, 0, 0), |s| (s.terminating, s.promised, amount_of(&s.frees, resource)))
    }
}
