//! Frees the interned templates and asks of requests that no workload has any more.

use super::groups::Cluster;

impl Cluster {
    /// Frees the templates and asks that no workload, no hold and no list of queues refers to, once there may be many.
    /// Takes constant time on average for each new request.
    pub(crate) fn give_back_unused(&mut self) {
        let Some(mut in_use) = self.workloads.interner.begin_sweep() else { return };
        for workload in self.workloads.iter() {
            workload.sets.iter().for_each(|set| in_use.template(set.template));
        }
        self.queue.asks().for_each(|ask| in_use.ask(ask));
        self.holds.iter().for_each(|(_, hold)| in_use.ask(hold.ask));
        let workloads = self.workloads.len();
        for template in self.workloads.interner.end_sweep(in_use, workloads) {
            self.nodes.forget_template(template);
        }
    }
}
