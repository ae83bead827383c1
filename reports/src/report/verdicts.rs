//! Full reasons in the report. Equal reasons are stored once, and each wait refers to its reason.

use super::From;
use quotree_core::NodeTest;
use quotree_page::model::{
    Amount, Closest, Holder, NodeCheck, NodeTally, Obstacle, QuotaIx, Report, Spared, Verdict, VerdictIx,
};
use quotree_sim::history::{ObstacleHistory, VerdictHistory};
use std::collections::BTreeMap;

impl From<'_> {
    /// Fills in the full reasons. Returns, for each question (pod and moment), which reason answers it.
    pub(super) fn verdicts(
        &self,
        histories: &[VerdictHistory],
        report: &mut Report,
    ) -> BTreeMap<(u32, u64), VerdictIx> {
        let names: BTreeMap<&str, QuotaIx> =
            (0..).zip(&self.history.quotas).map(|(place, quota)| (quota.name.as_str(), place)).collect();
        let quota = |name: &Option<quotree_core::Name>| names.get(name.as_ref()?.as_str()).copied();
        let mut known: BTreeMap<String, VerdictIx> = BTreeMap::new();
        let mut of = BTreeMap::new();
        for history in histories {
            let verdict = self.verdict(history, &quota);
            let Ok(key) = serde_json::to_string(&verdict) else { continue };
            let next = VerdictIx::try_from(report.verdicts.len()).unwrap_or(VerdictIx::MAX);
            let place = *known.entry(key).or_insert(next);
            if place == next {
                report.verdicts.push(verdict);
            }
            of.insert((history.pod, history.at_ms), place);
        }
        of
    }

    fn verdict(
        &self,
        history: &VerdictHistory,
        quota: &dyn Fn(&Option<quotree_core::Name>) -> Option<QuotaIx>,
    ) -> Verdict {
        let obstacle = |obstacle: &ObstacleHistory| Obstacle {
            rule: obstacle.rule.clone(),
            text: obstacle.text.clone(),
            quota: quota(&obstacle.quota),
            resource: obstacle.resource.map(|number| self.resource(number)),
            needed: obstacle.amounts.map(|(needed, _)| needed),
            available: obstacle.amounts.map(|(_, available)| available),
        };
        Verdict {
            binding: obstacle(&history.binding),
            entitled: history.entitled,
            free: history.free,
            fragmented: history.fragmented,
            head: history.head.clone(),
            holders: (history.holders.iter())
                .map(|holder| Holder {
                    quota: quota(&holder.quota),
                    used: holder.used,
                    borrowed: holder.borrowed,
                    pods: holder.pods,
                    who: holder.who.clone(),
                })
                .collect(),
            also: history.also.iter().map(obstacle).collect(),
            spared: (history.spared.iter())
                .map(|spared| Spared {
                    rule: spared.rule.clone(),
                    why: spared.why.clone(),
                    pods: spared.pods,
                    who: spared.who.clone(),
                })
                .collect(),
            helps: history.helps.clone(),
            bounds_hit: history.bounds_hit.iter().map(|limit| (*limit).to_owned()).collect(),
            nodes: history.nodes.map(|n| NodeTally {
                total: n.total,
                full: n.full,
                fragmented: n.fragmented,
                elsewhere: n.elsewhere,
                tainted: n.tainted,
                unselected: n.unselected,
                unschedulable: n.unschedulable,
            }),
            closest: (history.closest.iter())
                .filter_map(|near| {
                    Some(Closest {
                        node: self.node_index(near.node),
                        resource: self.resource(near.resource?),
                        needed: near.needed,
                        available: near.available,
                        taken: near.taken.clone(),
                    })
                })
                .collect(),
            checks: (history.checks.iter())
                .map(|check| NodeCheck {
                    node: self.node_index(check.node),
                    failed: check.failed.map_or("up", test).to_owned(),
                    lacks: check.lacks.map(|(number, amount)| Amount { resource: self.resource(number), amount }),
                })
                .collect(),
        }
    }
}

/// The word for a test in the report format.
const fn test(test: NodeTest) -> &'static str {
    match test {
        NodeTest::Topology => "topology",
        NodeTest::Schedulable => "schedulable",
        NodeTest::Taint => "taint",
        NodeTest::Selector => "selector",
        NodeTest::Devices => "devices",
        _ => "room",
    }
}
