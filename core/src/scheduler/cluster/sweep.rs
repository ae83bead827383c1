//! Gives back what was interned for requests that nobody has any more.

use super::groups::Cluster;

impl Cluster {
    /// Gives back the templates and asks that no workload, no hold and no list of queues names, once they may be many.
    /// Constant on average for each request that comes.
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
