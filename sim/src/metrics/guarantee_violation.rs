//! Whether a pod is taken out of a guarantee: the world's own judgement of R2(b), out of the world's own ledger.
//!
//! It knows nothing of plans: what counts is what every quota uses by pods that nobody has told to go, at the moment at
//! which the eviction is decided.

use crate::engine::Engine;
use quotree_core::QuotaId;

impl Engine<'_> {
    /// Whether a pod that is running goes for a unit of another leaf although in each governed resource that it uses some
    /// quota on its path, below what both have in common, stands within its guarantee.
    pub(crate) fn violates_guarantee(&self, pod: u32, cause: u32) -> bool {
        if cause >= self.world.units.len() {
            return false;
        }
        let leaf_of = |unit: u32| self.world.namespaces[self.world.units[unit].namespace].leaf.map(QuotaId);
        let (Some(from), taker) = (leaf_of(self.world.pods[pod].unit), leaf_of(cause)) else {
            return false;
        };
        if taker == Some(from) {
            return false;
        }
        let tree = self.core.scheduler().tree();
        let is_shared = |quota: QuotaId| taker.is_some_and(|taker| tree.is_under(taker, quota));
        let row = &self.world.shapes.rows[self.world.pods[pod].shape];
        !tree.governed().enumerate().any(|(place, name)| {
            let number = self.world.shapes.resource(name.as_str());
            let uses = number.filter(|n| row.iter().any(|(resource, amount)| resource == n && *amount > 0));
            let Some(number) = uses else { return false };
            let is_over = |quota: QuotaId| {
                let min = tree.min(quota).get(place).copied().unwrap_or(0);
                let below = tree.ids().filter(|q| tree.is_leaf(*q) && tree.is_under(*q, quota));
                let stays: i128 = below.map(|leaf| self.figures.ledger.stays(leaf.0, number)).sum();
                stays > i128::from(min)
            };
            tree.path(from).take_while(|quota| !is_shared(*quota)).all(is_over)
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        RunOptions,
        engine::Engine,
        scenario::{MapLoader, load},
    };
    use quotree_core::{Action, EvictReason, Plan, PodId, Rule, Time, WorkloadId};

    /// Branch p is guaranteed 6 and uses 6: `one` 4 of its 2, `two` 2 of its 4. Outside of it `other` uses 2 of 1.
    const WORLD: &str = r#"Scenario(name: "x", cluster: Pool({ "cpu": "9" }),
        quota: Quota(name: "root", min: { "cpu": "9" }, max: { "cpu": "9" }, children: [
            Quota(name: "p", min: { "cpu": "6" }, children: [
                Quota(name: "one", min: { "cpu": "2" }, namespaces: ["one"]),
                Quota(name: "two", min: { "cpu": "4" }, namespaces: ["two"]),
            ]),
            Quota(name: "other", min: { "cpu": "1" }, namespaces: ["other"]),
        ]),
        workloads: [
            Deployment(name: "a", namespace: "one", replicas: 4, request: { "cpu": "1" }),
            Deployment(name: "b", namespace: "two", replicas: 2, request: { "cpu": "1" }),
            Deployment(name: "c", namespace: "other", replicas: 2, request: { "cpu": "1" }),
        ])"#;

    /// Evicts these units one after the other for unit `cause`, whatever the rules say, and tells which were inside.
    fn forced(victims: &[u32], cause: u32) -> Vec<bool> {
        let scenario = load("x.ron", &MapLoader::new().with("x.ron", WORLD)).scenario.unwrap();
        let options = RunOptions { until: Some(Time(0)), ..RunOptions::default() };
        let mut nobody = ();
        let mut engine = Engine::at_its_end(&scenario, &options, &mut nobody);
        let reason = EvictReason {
            rule: Rule::R2,
            cause: Some(WorkloadId(cause)),
            leaf: None,
            common: None,
            resource: None,
            over: 0,
            priority: 0,
            budget_broken: false,
        };
        let pod = |unit: &u32| PodId { workload: WorkloadId(*unit), ordinal: 0 };
        let evict = |unit| Action::Evict { pod: pod(unit), reason: reason.clone() };
        let plan = Plan { actions: victims.iter().map(evict).collect(), ..Plan::default() };
        engine.enact(plan).unwrap();
        engine.figures.evictions.all.iter().map(|eviction| eviction.inside_min).collect()
    }

    #[test]
    fn i3_a_pod_is_inside_when_some_quota_below_the_common_one_is() {
        // Units are numbered as they come: 0 to 3 are a's, 4 and 5 b's, 6 and 7 c's.
        let rows: &[(&str, &[u32], u32, &[bool])] = &[
            ("c takes from a: branch p stands at its 6", &[0], 6, &[true]),
            ("b takes from a: one is over by two, and p is common", &[0, 1, 2], 4, &[false, false, true]),
            ("a takes from b: two is below its 4", &[4], 0, &[true]),
            ("a takes from c: other is over by one", &[6, 7], 0, &[false, true]),
            ("a takes from a: its own leaf", &[0, 1, 2, 3], 0, &[false; 4]),
        ];
        for (row, victims, cause, wanted) in rows {
            assert_eq!(forced(victims, *cause), *wanted, "{row}");
        }
    }
}
