//! The claims of the report: what was expected and measured, when they did not hold, and which quotas, jobs and nodes
//! they are about.

use super::From;
use quotree_page::model::{Amount, Claim, JobIx, Measure, NodeIx, QuotaIx, Report};
use quotree_sim::{
    model::{NodeFigure, Predicate, Selector},
    result::{ClaimFigure, ClaimResult},
};

/// The most jobs, and the most nodes, that are listed as what a claim is about.
const NAMED: usize = 20;

impl From<'_> {
    pub(super) fn claim(&self, claim: &ClaimResult, report: &Report) -> Claim {
        let claims = &self.scenario.claims;
        let written = claims.iter().find(|other| other.line == claim.line && other.text == claim.claim);
        let what = written.map(|written| &written.what);
        Claim {
            claim: claim.claim.clone(),
            line: claim.line,
            because: claim.because.clone(),
            passed: claim.passed,
            expected: claim.expected.clone(),
            seen: claim.seen.clone(),
            expected_value: claim.expected_value.as_ref().and_then(|value| self.measure(value)),
            seen_value: claim.seen_value.as_ref().and_then(|value| self.measure(value)),
            at_ms: claim.at_ms,
            breach_from_ms: claim.at_ms.filter(|_| !claim.passed),
            breach_to_ms: claim.breach_to_ms,
            quotas: what.map(|what| quotas(what, report)).unwrap_or_default(),
            jobs: what.map(|what| jobs(what, report)).unwrap_or_default(),
            nodes: what.map(|what| nodes(what, report)).unwrap_or_default(),
            explanations: claim.explanations.clone(),
        }
    }

    fn measure(&self, value: &ClaimFigure) -> Option<Measure> {
        let signed = |n: u128| i64::try_from(n).unwrap_or(i64::MAX);
        Some(match value {
            ClaimFigure::Count(n) => Measure::Count(signed(*n)),
            ClaimFigure::Ms(ms) => Measure::Ms(u64::try_from(*ms).unwrap_or(u64::MAX)),
            ClaimFigure::Permille(n) => Measure::Permille(signed(*n)),
            ClaimFigure::MoneyMilli(n) => Measure::MoneyMilli(signed(*n)),
            ClaimFigure::Amount { resource, base_units } => {
                let place = self.history.resources.iter().position(|name| name.as_str() == resource)?;
                Measure::Amount(Amount { resource: self.resource(u32::try_from(place).ok()?), amount: *base_units })
            }
        })
    }
}

fn quotas(what: &Predicate, report: &Report) -> Vec<QuotaIx> {
    let named = |is: &dyn Fn(&quotree_page::model::Quota) -> bool| {
        (0..).zip(&report.quotas).filter(|(_, quota)| is(quota)).map(|(place, _)| place).collect()
    };
    match (what, what.selector()) {
        (Predicate::Used { quota, .. } | Predicate::Borrowed { quota, .. }, _) | (_, Some(Selector::Quota(quota))) => {
            named(&|other| other.name == quota.as_str())
        }
        (_, Some(Selector::Namespace(name))) => named(&|quota| quota.namespaces.iter().any(|own| own == name.as_str())),
        (_, Some(Selector::Group(name))) => named(&|quota| quota.groups.iter().any(|own| own == name.as_str())),
        _ => Vec::new(),
    }
}

fn jobs(what: &Predicate, report: &Report) -> Vec<JobIx> {
    let name = match what.selector() {
        Some(Selector::Workload(name)) => name,
        Some(Selector::Task { workflow, .. }) => workflow,
        _ => return Vec::new(),
    };
    let ours = (0..).zip(&report.jobs).filter(|(_, job)| job.workload == *name);
    ours.map(|(place, _)| place).take(NAMED).collect()
}

fn nodes(what: &Predicate, report: &Report) -> Vec<NodeIx> {
    let Predicate::Nodes(claim) = what else { return Vec::new() };
    let (NodeFigure::Up(Some(pool)) | NodeFigure::Time(Some(pool)) | NodeFigure::Cost(Some(pool))) = &claim.figure
    else {
        return Vec::new();
    };
    let ours = (0..).zip(&report.nodes).filter(|(_, node)| node.pool == pool.as_str());
    ours.map(|(place, _)| place).take(NAMED).collect()
}
