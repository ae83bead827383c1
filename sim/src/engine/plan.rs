//! Carries out a plan of the scheduler: binds and evictions with the delays of the world, and their effects on gangs.

use super::Engine;
use crate::{
    options::RunError,
    trace::TraceEvent,
    world::{self, Touched},
};
use quotree_core::{Action, Plan};

impl Engine<'_> {
    /// Carries out a plan.
    pub(super) fn enact(&mut self, plan: Plan) -> Result<(), RunError> {
        self.metrics.decided(&plan, &self.world);
        self.timeline.decided(&plan, &self.world);
        if let Some(history) = &mut self.history {
            history.decided(&plan, &self.world);
        }
        self.world.fleet.note_demand(&plan);
        let mut touched = Touched::default();
        for action in plan.actions {
            match action {
                Action::Bind { pod, node, devices, .. } => {
                    touched.bound(&self.world, pod);
                    world::bind(&mut self.world, pod, node, devices)?;
                }
                Action::Evict { pod, reason } => {
                    let evicted = world::evict(&mut self.world, pod, &reason)?;
                    touched.evicted(evicted, pod);
                    // The ledger of the metrics still contains the pod.
                    self.metrics.evict_decided(&self.world, evicted, reason);
                }
                Action::Hold { workload, victims, .. } => self.world.trace(TraceEvent::Hold { workload, victims }),
                Action::Release { workload, reason } => {
                    self.metrics.released(workload, reason);
                    self.world.trace(TraceEvent::Release { workload });
                }
                _ => {}
            }
            self.deliver()?;
        }
        touched.settle(&mut self.world);
        self.deliver()
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

    /// Branch p is guaranteed 6 and uses 6: leaf `one` uses 4 of its 2, leaf `two` 2 of its 4. Outside of it, leaf
    /// `other` uses 2 of its 1.
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

    /// Evicts these units one after the other for unit `cause`, regardless of the rules. Returns which evictions
    /// violate a guarantee.
    fn forced(victims: &[u32], cause: u32) -> Vec<bool> {
        let scenario = load("x.ron", &MapLoader::new().with("x.ron", WORLD)).scenario.unwrap();
        let options = RunOptions { until: Some(Time(0)), ..RunOptions::default() };
        let mut nobody = ();
        let mut engine = Engine::at_its_end(&scenario, &options, &mut nobody);
        let reason = EvictReason {
            rule: Rule::R2,
            chosen_by: Rule::V1,
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
        engine.metrics.evictions.all.iter().map(|eviction| eviction.violates_guarantee).collect()
    }

    #[test]
    fn i3_a_guarantee_is_violated_when_some_quota_below_the_common_one_is_within_its_own() {
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
