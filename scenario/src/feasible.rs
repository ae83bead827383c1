//! Warnings about jobs that can never start and guarantees that the nodes cannot honour: the findings of
//! [`quotree_feasible`], each at the place that it is about.
//!
//! Costs the number of nodes and rows, times a logarithm, and the number of different pods times that of different nodes.
//! The search counts its steps and says nothing where it does not decide; `quotree feasible` searches longer.

use crate::{assemble::Parts, checks::MAX_TRACE_WARNINGS, quota::ReadTree};
use quotree_core::Name;
use quotree_feasible::{Finding, Kind, Limits, Question, Study};
use quotree_model::Kind as WorkloadKind;
use quotree_syntax::{Report, Span};
use std::collections::{BTreeMap, BTreeSet};

/// The steps of the search.
const STEPS: u64 = 20_000;

/// The most warnings about workloads that are no traces.
const MAX_WARNINGS: usize = 20;

/// Reports the findings. What was reported before is left out: `is_short`, that the nodes have less than the guarantees
/// in sum, and `no_min`, the leaves with a min, but none of a resource.
pub(crate) fn check(
    parts: &Parts,
    tree: &ReadTree,
    (is_short, no_min): (bool, &BTreeSet<(Name, Name)>),
    report: &mut Report,
) {
    let question = Question {
        cluster: &parts.cluster,
        tree: &tree.spec,
        policy: &parts.policy,
        changes: &parts.events.changes,
        has_faults: parts.has_faults,
        until: parts.world.until,
        workloads: parts.workloads.iter().map(|read| &read.workload).collect(),
    };
    let study = Study::new(&question, Limits { steps: STEPS, losses: false });
    let mut said: BTreeMap<Option<usize>, usize> = BTreeMap::new();
    let is_said = |finding: &Finding| match (finding.kind, &finding.quota, &finding.resource) {
        (Kind::NoQuota, ..) => true,
        (Kind::AboveMin, Some(quota), Some(resource)) => no_min.contains(&(quota.clone(), resource.clone())),
        _ => false,
    };
    for finding in study.findings().into_iter().filter(|finding| !is_said(finding)) {
        let Some(place) = place(finding, parts, tree) else { continue };
        if !finding.kind.is_never() {
            // What an edit of nodes or quotas will change is not a mistake of the scenario.
            if !study.changes && !is_short {
                warn(finding, place, parts, report);
            }
            continue;
        }
        let trace = finding.place.map(|(workload, _)| workload).filter(|workload| is_trace(parts, *workload));
        let count = said.entry(trace).or_default();
        *count += 1;
        match *count - trace.map_or(MAX_WARNINGS, |_| MAX_TRACE_WARNINGS).min(*count) {
            0 => warn(finding, place, parts, report),
            1 => {
                let help = "`quotree feasible` lists all jobs that can never start";
                report.warning(place, "more jobs can never start", "this is one of them").help(help);
            }
            _ => {}
        }
    }
}

fn warn(finding: &Finding, place: Span, parts: &Parts, report: &mut Report) {
    let mut help = report.warning(place, finding.sentence.clone(), finding.kind.label());
    if let Some(unknown) = &finding.unknown {
        let nodes = parts.cluster.nodes.iter();
        let known: BTreeSet<&str> =
            nodes.flat_map(|node| node.spec.allocatable.iter()).map(|(resource, _)| resource.as_str()).collect();
        help = help.did_you_mean(unknown.as_str(), known);
    }
    for one in &finding.help {
        help = help.help(one.clone());
    }
}

fn is_trace(parts: &Parts, workload: usize) -> bool {
    let kind = parts.workloads.get(workload).map(|read| &read.workload.kind);
    matches!(kind, Some(WorkloadKind::Trace { .. }))
}

fn place(finding: &Finding, parts: &Parts, tree: &ReadTree) -> Option<Span> {
    let Some((workload, template)) = finding.place else {
        return tree.name_span(finding.quota.as_ref()?.as_str());
    };
    let read = parts.workloads.get(workload)?;
    // A gang is more than one request; a pod is its own.
    let is_gang = finding.pods > 1 && !is_trace(parts, workload);
    Some(read.requests.get(template).copied().filter(|_| !is_gang).unwrap_or(read.name))
}
