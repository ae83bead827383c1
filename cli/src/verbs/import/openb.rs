//! The openb lists as a scenario: real nodes, and a leaf a class of service with a min in proportion to its demand.

use super::{
    Named,
    draft::{Draft, split},
    some_rows,
};
use crate::{args::Import as Args, exit::Trouble, terminal::Terminal};
use quotree_core::{Amounts, Name, QuotaSpec, TreeSpec, Unit};
use quotree_sim::{
    import::{self, TraceFormat, TraceOptions},
    model::TraceRow,
};
use std::collections::BTreeMap;

pub(super) fn scenario(args: &Args, terminal: Terminal) -> Result<String, Trouble> {
    let nodes_path =
        args.nodes.as_ref().ok_or_else(|| Trouble::invalid("--nodes FILE is needed: openb pods run on nodes"))?;
    let options = TraceOptions::default();
    let (pods_file, nodes_file) = (Named::read(&args.file, args)?, Named::read(nodes_path, args)?);
    let pods = import::rows(TraceFormat::Openb, &pods_file.bytes, &options);
    some_rows(&pods_file, &pods)?;
    let nodes = import::nodes(TraceFormat::Openb, &nodes_file.bytes, &options);
    if let Some(problem) = nodes.problems.first() {
        let count = nodes.problems.len();
        return Err(Trouble::invalid(format!(
            "`{}`: {count} bad rows, the first in line {}: {}",
            nodes_file.name, problem.line, problem.what
        )));
    }
    let mut notes = pods_file.note(pods.rows.len(), "pods", &pods.problems, terminal);
    notes.push_str(&nodes_file.note(nodes.rows.len(), "nodes", &nodes.problems, terminal));
    let mut total = Amounts::new();
    for (name, amount) in nodes.rows.iter().flat_map(|node| node.allocatable.iter()) {
        total.set(name.clone(), total.get(name.as_str()).unwrap_or(0).saturating_add(amount));
    }
    let skip = if pods.problems.is_empty() { "" } else { ", bad_rows: Skip" };
    let draft = Draft {
        name: "openb",
        about: "The openb pods on the openb nodes, a leaf a class of service; mins in proportion to demand.".to_owned(),
        policy: None,
        cluster: vec![format!("Nodes(name: \"openb\", format: Openb, file: {:?})", nodes_file.name)],
        tree: tree(&pods.rows, &total, args.no_borrowing),
        workloads: vec![format!("Trace(name: \"openb\", format: Openb, file: {:?}{skip})", pods_file.name)],
    };
    Ok(draft.text(&notes))
}

/// The namespaces as leaves. Demand is what pods ask times how long they run.
fn tree(rows: &[TraceRow], total: &Amounts, no_borrowing: bool) -> TreeSpec {
    let mut demand: BTreeMap<&Name, BTreeMap<&str, u128>> = BTreeMap::new();
    for row in rows {
        let of = demand.entry(&row.namespace).or_default();
        for (name, amount) in row.template.request.iter() {
            let work = u128::try_from(amount).unwrap_or(0).saturating_mul(u128::from(row.runtime_ms));
            let sum = of.entry(name.as_str()).or_default();
            *sum = sum.saturating_add(work);
        }
    }
    let mut mins: Vec<Amounts> = vec![Amounts::new(); demand.len()];
    for (name, amount) in total.iter() {
        // Whole cores, GPUs and GiB: nobody promises thousandths.
        let unit = if Unit::of(name.as_str()) == Unit::Bytes { 1 << 30 } else { 1000 };
        let weights: Vec<u128> = demand.values().map(|of| of.get(name.as_str()).copied().unwrap_or(0)).collect();
        for (min, share) in mins.iter_mut().zip(split(amount / unit, &weights)) {
            min.set(name.clone(), share.saturating_mul(unit));
        }
    }
    let leaves = demand.keys().zip(mins).map(|(namespace, min)| {
        let max = if no_borrowing { min.clone() } else { total.clone() };
        QuotaSpec::new(&format!("openb-{namespace}"), Some("openb")).min(min).max(max).namespace(namespace.as_str())
    });
    let root = QuotaSpec::new("openb", None).min(total.clone()).max(total.clone());
    std::iter::once(root).chain(leaves).collect()
}
