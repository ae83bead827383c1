//! Pods that will leave or enter nodes, as sums: terminating pods, and pods that holds will place (H1).

use crate::scheduler::state::{NodeSlot, Template};
use std::collections::BTreeMap;

/// The pods that will leave or enter one node.
#[derive(Debug, Clone, Default)]
pub(super) struct Settling {
    pub(super) terminating: u32,
    pub(super) promised: u32,
    /// By resource: what terminating pods free, less what pods of holds will use.
    pub(super) frees: Vec<i64>,
}

/// The pods that will leave or enter, by node.
#[derive(Debug, Clone, Default)]
pub(super) struct UnderWay(pub(super) BTreeMap<NodeSlot, Settling>);

impl UnderWay {
    /// Adds `sign` times a request to what will be free on a node.
    pub(super) fn add(&mut self, node: NodeSlot, template: &Template, sign: i64, count: impl Fn(&mut Settling)) {
        let settling = self.0.entry(node).or_default();
        count(settling);
        for (resource, amount) in &template.request {
            let at = usize::from(*resource);
            if settling.frees.len() <= at {
                settling.frees.resize(at + 1, 0);
            }
            if let Some(cell) = settling.frees.get_mut(at) {
                *cell += sign * amount;
            }
        }
        if settling.terminating == 0 && settling.promised == 0 {
            self.0.remove(&node);
        }
    }
}
