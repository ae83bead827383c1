//! The plan of a dump: which rows its running and pending pods become, and what is reported.

use super::{
    dump::Dump,
    place::Nodes,
    pod_notes::Plan,
    row::row,
    units::{Candidate, candidate, units},
};
use crate::{RowProblem, Templates, TraceOptions};

/// Plans the rows of a dump.
pub(super) fn plan(dump: &Dump, options: &TraceOptions) -> Plan {
    let mut plan = Plan::default();
    let mut templates = Templates::default();
    let nodes = Nodes::of(dump);
    let mut candidates = Vec::new();
    for found in &dump.pods {
        candidates.extend(candidate(found, &nodes, &mut templates, &mut plan));
        if candidates.len() > options.max_rows {
            let what = format!("at most {} pods are supported", options.max_rows);
            plan.problems.push(RowProblem { line: 0, what });
            candidates.truncate(options.max_rows);
            break;
        }
    }
    let started = |c: &Candidate<'_>| c.pod.started_ms.filter(|_| c.bound).unwrap_or(c.pod.created_ms);
    let now = candidates.iter().map(started).max().unwrap_or(0);
    let first = candidates.iter().map(|c| c.pod.created_ms).min().unwrap_or(0);
    let mut units = units(&candidates, dump, options, &mut plan);
    units.sort_by_key(|unit| (!unit.bound(&candidates), unit.created(&candidates)));
    for unit in units {
        if let Some(row) = row(&unit, &candidates, dump, options, (first, now), &mut plan) {
            plan.rows.push(row);
        }
    }
    plan
}
