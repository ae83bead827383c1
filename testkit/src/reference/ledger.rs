//! The ledger, recounted from the pods and holds (L1 to L3): what each quota uses, and what will stand there.

use super::state::{Ask, For, Reference, Stage};
use quotree_core::PodTemplate;

/// One amount a quota and governed resource. The row after the last quota is of those that have none.
#[derive(Debug, Clone)]
pub(super) struct Ledger {
    width: usize,
    /// Bound, being bound or leaving (L1).
    used: Vec<i64>,
    leaving: Vec<i64>,
    /// What workloads with a hold ask for (H1).
    held: Vec<i64>,
    /// Used or held by the non-preemptible (A2).
    firm: Vec<i64>,
    /// Used, as the quota above counts it: a child counts at least what it keeps (L3).
    solid: Vec<i64>,
    /// Hold by hold, what it needs beyond what its victims still use.
    reserved: Vec<i64>,
    jobs: Vec<u32>,
}

impl Ledger {
    pub(super) fn used(&self, quota: usize, r: usize) -> i64 {
        self.used[quota * self.width + r]
    }

    /// Used, without what leaves: what one more eviction would eat into.
    pub(super) fn live(&self, quota: usize, r: usize) -> i64 {
        self.used(quota, r) - self.leaving[quota * self.width + r]
    }

    /// Who will stand when everything under way is done.
    pub(super) fn standing(&self, quota: usize, r: usize) -> i64 {
        self.live(quota, r) + self.held[quota * self.width + r]
    }

    pub(super) fn firm(&self, quota: usize, r: usize) -> i64 {
        self.firm[quota * self.width + r]
    }

    pub(super) fn solid(&self, quota: usize, r: usize) -> i64 {
        self.solid[quota * self.width + r]
    }

    /// What A1 compares with max.
    pub(super) fn charged(&self, quota: usize, r: usize) -> i64 {
        self.solid(quota, r) + self.reserved[quota * self.width + r]
    }

    pub(super) fn jobs(&self, quota: usize) -> u32 {
        self.jobs[quota]
    }

    fn add(&mut self, which: fn(&mut Self) -> &mut Vec<i64>, quota: usize, row: &[i64]) {
        let start = quota * self.width;
        for (r, amount) in row.iter().enumerate() {
            which(self)[start + r] += amount;
        }
    }
}

impl Reference {
    /// The row of those without a quota.
    pub(super) fn outside(&self) -> usize {
        self.tree.quotas.len()
    }

    pub(super) fn row_of_leaf(&self, leaf: Option<usize>) -> usize {
        leaf.unwrap_or(self.outside())
    }

    /// What a pod asks of the governed resources.
    pub(super) fn row(&self, template: &PodTemplate) -> Vec<i64> {
        self.tree.governed.iter().map(|r| template.request.get(r.as_str()).unwrap_or(0)).collect()
    }

    /// What this pod asks of the governed resources.
    pub(super) fn row_of(&self, pod: quotree_core::PodId) -> Vec<i64> {
        self.row(&self.at(pod.workload).sets[self.pod(pod).set].template)
    }

    /// What a unit asks of the governed resources.
    pub(super) fn total(&self, ask: &Ask) -> Vec<i64> {
        let mut total = vec![0; self.tree.governed.len()];
        for (template, count) in &ask.members {
            for (sum, amount) in total.iter_mut().zip(self.row(template)) {
                *sum += amount * i64::from(*count);
            }
        }
        total
    }

    /// The governed resources that a unit asks for, with how much.
    pub(super) fn requested(&self, ask: &Ask) -> Vec<(usize, i64)> {
        self.total(ask).into_iter().enumerate().filter(|(_, amount)| *amount > 0).collect()
    }

    pub(super) fn ledger(&self) -> Ledger {
        let width = self.tree.governed.len();
        let rows = self.outside() + 1;
        let zeros = || vec![0; rows * width];
        let mut ledger = Ledger {
            width,
            used: zeros(),
            leaving: zeros(),
            held: zeros(),
            firm: zeros(),
            solid: zeros(),
            reserved: zeros(),
            jobs: vec![0; rows],
        };
        for workload in self.work.values() {
            let leaf = self.row_of_leaf(workload.leaf);
            for pod in workload.pods.iter().filter(|pod| pod.stands()) {
                let row = self.row(&workload.sets[pod.set].template);
                for q in self.tree.path(leaf) {
                    ledger.add(|l| &mut l.used, q, &row);
                    if pod.leaves() {
                        ledger.add(|l| &mut l.leaving, q, &row);
                    }
                    if !workload.preemptible {
                        ledger.add(|l| &mut l.firm, q, &row);
                    }
                }
                ledger.add(|l| &mut l.solid, leaf, &row);
            }
            if workload.admitted() {
                for q in self.tree.path(leaf) {
                    ledger.jobs[q] += 1;
                }
            }
        }
        self.count_holds(&mut ledger);
        self.roll_up(&mut ledger);
        ledger
    }

    fn count_holds(&self, ledger: &mut Ledger) {
        for hold in &self.holds {
            let total = self.total(&hold.ask);
            let leaf = self.row_of_leaf(self.at(hold.workload).leaf);
            let victims = self.standing_pods().filter(|(_, _, pod)| pod.stage == Stage::Leaving(For::Hold(hold.id)));
            let victims: Vec<_> =
                victims.map(|(_, w, pod)| (self.row_of_leaf(w.leaf), self.row(&w.sets[pod.set].template))).collect();
            for q in self.tree.path(leaf) {
                ledger.add(|l| &mut l.held, q, &total);
                if !hold.ask.preemptible {
                    ledger.add(|l| &mut l.firm, q, &total);
                }
                let mut need = total.clone();
                for (_, row) in victims.iter().filter(|(leaf, _)| self.tree.is_under(*leaf, q)) {
                    for (need, amount) in need.iter_mut().zip(row) {
                        *need -= amount;
                    }
                }
                need.iter_mut().for_each(|need| *need = (*need).max(0));
                ledger.add(|l| &mut l.reserved, q, &need);
            }
        }
    }

    /// A quota counts for the one above at least what it keeps for itself (L3).
    fn roll_up(&self, ledger: &mut Ledger) {
        for (q, quota) in self.tree.quotas.iter().enumerate().rev() {
            let Some(parent) = quota.parent else { continue };
            let counted: Vec<i64> = (0..ledger.width).map(|r| ledger.solid(q, r).max(quota.kept[r])).collect();
            ledger.add(|l| &mut l.solid, parent, &counted);
        }
    }
}
