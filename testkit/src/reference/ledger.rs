//! The ledger, counted from the pods and holds (L1 to L3): what each quota uses now, and after everything in progress
//! is done.

use super::state::{Ask, For, Hold, Reference, Stage};
use quotree_core::PodTemplate;

/// One amount for each quota and governed resource. The row after the last quota is for workloads without a quota.
#[derive(Debug, Clone)]
pub(super) struct Ledger {
    width: usize,
    /// Bound, being bound or terminating (L1).
    used: Vec<i64>,
    leaving: Vec<i64>,
    /// The asks of workloads with a hold (H1).
    held: Vec<i64>,
    /// Used or held by non-preemptible workloads (A2).
    non_preemptible: Vec<i64>,
    /// Used, as the parent counts it: a child counts at least what it keeps from lending (L3).
    effective: Vec<i64>,
    /// What holds add once their victims are gone.
    reserved: Vec<i64>,
    jobs: Vec<u32>,
}

impl Ledger {
    pub(super) fn used(&self, quota: usize, r: usize) -> i64 {
        self.used[quota * self.width + r]
    }

    /// Used, without terminating pods: what one more eviction would reduce.
    pub(super) fn live(&self, quota: usize, r: usize) -> i64 {
        self.used(quota, r) - self.leaving[quota * self.width + r]
    }

    /// The usage once terminating pods are gone and held capacity is bound.
    pub(super) fn standing(&self, quota: usize, r: usize) -> i64 {
        self.live(quota, r) + self.held[quota * self.width + r]
    }

    pub(super) fn non_preemptible(&self, quota: usize, r: usize) -> i64 {
        self.non_preemptible[quota * self.width + r]
    }

    /// The amounts that A1 compares with max.
    pub(super) fn charged(&self, quota: usize, r: usize) -> i64 {
        self.effective[quota * self.width + r] + self.reserved[quota * self.width + r]
    }

    pub(super) fn jobs(&self, quota: usize) -> u32 {
        self.jobs[quota]
    }

    fn add(&mut self, which: fn(&mut Self) -> &mut Vec<i64>, quota: usize, row: &[i64]) {
        add(which(self), quota, row, 1);
    }
}

impl Reference {
    /// The row of workloads without a quota.
    pub(super) fn outside(&self) -> usize {
        self.tree.quotas.len()
    }

    pub(super) fn row_of_leaf(&self, leaf: Option<usize>) -> usize {
        leaf.unwrap_or(self.outside())
    }

    /// The request of a pod for the governed resources.
    pub(super) fn row(&self, template: &PodTemplate) -> Vec<i64> {
        self.tree.governed.iter().map(|r| template.request.get(r.as_str()).unwrap_or(0)).collect()
    }

    /// The request of this pod for the governed resources.
    pub(super) fn row_of(&self, pod: quotree_core::PodId) -> Vec<i64> {
        self.row(&self.workload(pod.workload).sets[self.pod(pod).set].template)
    }

    /// The request of an ask for the governed resources.
    pub(super) fn total(&self, ask: &Ask) -> Vec<i64> {
        let mut total = vec![0; self.tree.governed.len()];
        for (template, count) in &ask.members {
            for (sum, amount) in total.iter_mut().zip(self.row(template)) {
                *sum += amount * i64::from(*count);
            }
        }
        total
    }

    /// The governed resources that an ask requests, with their amounts.
    pub(super) fn requested(&self, ask: &Ask) -> Vec<(usize, i64)> {
        self.total(ask).into_iter().enumerate().filter(|(_, amount)| *amount > 0).collect()
    }

    pub(super) fn ledger(&self) -> Ledger {
        self.ledger_with(None)
    }

    /// The ledger as it would be with an ask placed in a leaf.
    pub(super) fn ledger_with(&self, unit: Option<(usize, &Ask)>) -> Ledger {
        let width = self.tree.governed.len();
        let rows = self.outside() + 1;
        let zeros = || vec![0; rows * width];
        let mut ledger = Ledger {
            width,
            used: zeros(),
            leaving: zeros(),
            held: zeros(),
            non_preemptible: zeros(),
            effective: zeros(),
            reserved: zeros(),
            jobs: vec![0; rows],
        };
        for workload in self.workloads.values() {
            let leaf = self.row_of_leaf(workload.leaf);
            for pod in workload.pods.iter().filter(|pod| pod.is_placed()) {
                let row = self.row(&workload.sets[pod.set].template);
                for q in self.tree.path(leaf) {
                    ledger.add(|l| &mut l.used, q, &row);
                    if pod.leaves() {
                        ledger.add(|l| &mut l.leaving, q, &row);
                    }
                    if !workload.preemptible {
                        ledger.add(|l| &mut l.non_preemptible, q, &row);
                    }
                }
                ledger.add(|l| &mut l.effective, leaf, &row);
            }
            if workload.admitted() {
                for q in self.tree.path(leaf) {
                    ledger.jobs[q] += 1;
                }
            }
        }
        if let Some((leaf, ask)) = unit {
            let total = self.total(ask);
            ledger.add(|l| &mut l.effective, leaf, &total);
        }
        self.count_holds(&mut ledger);
        ledger
    }

    /// Adds the holds (H1): a quota is charged the most that it may come to use: with those of the holds, the oldest
    /// first, that add to it, or with all.
    fn count_holds(&self, ledger: &mut Ledger) {
        let own = std::mem::take(&mut ledger.effective);
        let gone_through = |own: &[i64], hold: &Hold| {
            let mut own = own.to_vec();
            add(&mut own, self.row_of_leaf(self.workload(hold.workload).leaf), &self.total(&hold.ask), 1);
            for (_, workload, pod) in
                self.placed_pods().filter(|(.., pod)| pod.stage == Stage::Leaving(For::Hold(hold.id)))
            {
                add(&mut own, self.row_of_leaf(workload.leaf), &self.row(&workload.sets[pod.set].template), -1);
            }
            own
        };
        for hold in &self.holds {
            let total = self.total(&hold.ask);
            for q in self.tree.path(self.row_of_leaf(self.workload(hold.workload).leaf)) {
                ledger.add(|l| &mut l.held, q, &total);
                if !hold.ask.preemptible {
                    ledger.add(|l| &mut l.non_preemptible, q, &total);
                }
            }
        }
        ledger.effective = self.rolled_up(&own);
        let all = self.holds.iter().fold(own.clone(), |own, hold| gone_through(&own, hold));
        if self.holds.is_empty() {
            return;
        }
        for (queue, all) in self.rolled_up(&all).into_iter().enumerate() {
            let (mut some, mut most) = (own.clone(), ledger.effective[queue]);
            for hold in &self.holds {
                let with = gone_through(&some, hold);
                let charge = self.rolled_up(&with)[queue];
                if charge > most {
                    (some, most) = (with, charge);
                }
            }
            ledger.reserved[queue] = most.max(all) - ledger.effective[queue];
        }
    }

    /// What each quota is charged for the usage of its leaves: its parent counts at least what it keeps from lending
    /// (L3).
    fn rolled_up(&self, own: &[i64]) -> Vec<i64> {
        let (mut effective, width) = (own.to_vec(), self.tree.governed.len());
        for (q, quota) in self.tree.quotas.iter().enumerate().rev() {
            let Some(parent) = quota.parent else { continue };
            for r in 0..width {
                effective[parent * width + r] += effective[q * width + r].max(quota.kept[r]);
            }
        }
        effective
    }
}

fn add(rows: &mut [i64], quota: usize, amounts: &[i64], sign: i64) {
    for (r, amount) in amounts.iter().enumerate() {
        rows[quota * amounts.len() + r] += sign * amount;
    }
}
