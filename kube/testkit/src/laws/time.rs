//! LI3 and LI8: what must happen in time.

use super::Checker;
use crate::amounts::Amounts;

impl Checker {
    /// Judges what only time breaks.
    pub(super) fn over_time(&mut self) {
        self.owed();
        self.torn();
    }

    /// Forgets since when anybody waits: nobody could serve them.
    pub fn excuse(&mut self) {
        self.owed.clear();
        self.torn.clear();
    }

    /// Whether the leaf of a namespace is owed a pod that waits there: with it, no quota above uses more than its min. A gang that
    /// is not complete waits for itself.
    fn is_owed(&self, namespace: &str) -> bool {
        let Some(waiting) = self.waiting.get(namespace).filter(|waiting| !waiting.is_empty()) else { return false };
        let path = self.tree.path(namespace);
        let Some(leaf) = path.first() else { return false };
        let used = self.used(*leaf);
        let Some(min) = self.tree.quotas.get(*leaf).map(|quota| &quota.min) else { return false };
        let fits = |requests: &Amounts| {
            min.iter().all(|(resource, min)| {
                let of = |amounts: &Amounts| amounts.get(resource).copied().unwrap_or(0);
                of(&used) + of(requests) <= *min
            })
        };
        // Single pods only: what a gang is owed depends on all of it.
        waiting.iter().filter_map(|uid| self.census.pods.get(uid)).any(|pod| pod.gang.is_none() && fits(&pod.requests))
    }

    /// The namespaces that are owed a pod now.
    pub fn owed_now(&self) -> Vec<String> {
        self.tree.leaves.keys().filter(|namespace| self.is_owed(namespace)).cloned().collect()
    }

    fn owed(&mut self) {
        let namespaces: Vec<String> = self.tree.leaves.keys().cloned().collect();
        for namespace in namespaces {
            if !self.budgets.is_empty() || !self.is_owed(&namespace) {
                self.owed.remove(&namespace);
                continue;
            }
            let since = *self.owed.entry(namespace.clone()).or_insert(self.now);
            let waits = self.now.duration_since(since).as_secs();
            if waits > self.limits.served_within {
                self.owed.insert(namespace.clone(), self.now);
                self.breaks("LI3", format!("{namespace} is owed a pod for {waits} s, and nothing is done"));
            }
        }
    }

    fn torn(&mut self) {
        let mut broken = Vec::new();
        for (gang, members) in &self.gangs {
            let pods = || members.iter().filter_map(|uid| self.census.pods.get(uid));
            let admitted = pods().filter(|pod| !pod.at().is_empty()).count();
            let min = pods().filter_map(|pod| pod.gang.as_ref()).map(|(_, min)| *min).max().unwrap_or(0);
            if admitted == 0 || admitted >= min {
                self.torn.remove(gang);
                continue;
            }
            let since = *self.torn.entry(gang.clone()).or_insert(self.now);
            if self.now.duration_since(since).as_secs() > self.limits.served_within + 60 {
                self.torn.insert(gang.clone(), self.now);
                broken.push(format!("gang {}/{} has {admitted} of {min} pods for more than a minute", gang.0, gang.1));
            }
        }
        broken.into_iter().for_each(|what| self.breaks("LI8", what));
    }
}
