//! Converts jobs with requests of any resources (quotree's own format, Slurm) to a scenario with one pool. Each
//! namespace becomes a leaf quota with a min in proportion to its demand. For Slurm, the accounts of `--tree` become
//! the quotas instead.

use super::{
    Named, demand,
    draft::{Draft, map},
    good_rows,
    notices::Notices,
    quotas, some_rows,
};
use crate::{
    args::Import as Args,
    exit::{Exit, Trouble},
    files, snippets,
    terminal::Terminal,
};
use quotree_core::{Amounts, Name, QuotaSpec, TreeSpec};
use quotree_reports::many;
use quotree_sim::{
    import::{
        self, TraceFormat, TraceOptions,
        quota::{self, QuotaFormat, QuotaOptions},
    },
    model::TraceRow,
    scenario::Source,
};
use std::{collections::BTreeSet, path::Path};

pub(super) fn scenario(format: TraceFormat, args: &Args, terminal: Terminal) -> Result<String, Trouble> {
    let name = format!("{format:?}").to_lowercase();
    let file = Named::read(&args.file, args)?;
    // A trace without namespaces has one.
    let header = file.bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let has = |column: &str| String::from_utf8_lossy(header).split([',', '|']).any(|name| name.trim() == column);
    let alone = format == TraceFormat::Native && !has("namespace");
    let namespace = alone.then(|| Name::from(name.as_str()));
    let of_all = if alone { format!(", namespace: {name:?}") } else { String::new() };
    let read = import::rows(format, &file.bytes, &TraceOptions { namespace, ..TraceOptions::default() });
    some_rows(&file, &read, args)?;
    let largest = largest(&read.rows);
    let Some(total) = args.cluster.as_deref().map(quotas::cluster).transpose()? else {
        return Err(Trouble::invalid(format!(
            "the log does not contain the size of the cluster: add --cluster with at least {}, which the largest jobs request",
            option(&largest)
        )));
    };
    for (resource, most) in largest.iter().filter(|(name, most)| total.get(name.as_str()).unwrap_or(0) < *most) {
        let most = Amounts::new().with(resource.clone(), most);
        terminal.complain(&format!("warning: a job requests {most}, more than the cluster has: it never starts"));
    }
    let mut notices = Notices::of(&read.notes);
    let tree = match &args.tree {
        Some(path) => accounts(path, &read.rows, &total, args, &mut notices, terminal)?,
        None => demand::tree(&name, &read.rows, &total, args.no_borrowing),
    };
    notices.complain(args.strict, terminal)?;
    good_rows(&file, &read.problems, args.strict)?;
    let mut notes = file.note(read.rows.len(), "jobs", &read.problems, terminal);
    notes.push_str(&notices.comments());
    let skip = if read.problems.is_empty() { "" } else { ", bad_rows: Skip" };
    let leaves = if args.tree.is_some() {
        "the accounts of Slurm are the quota tree"
    } else {
        "one leaf quota per namespace, with a min in proportion to its demand"
    };
    let draft = Draft {
        about: format!("{} of {format:?} on {total}; {leaves}.", many(read.rows.len() as u64, "job")),
        cluster: vec![format!("Pool({})", map(&total))],
        tree,
        workloads: vec![format!("Trace(name: {name:?}, format: {format:?}, file: {:?}{of_all}{skip})", file.name)],
        name,
        ..Draft::default()
    };
    Ok(draft.text(&notes))
}

/// The most that one job requests of each resource.
fn largest(rows: &[TraceRow]) -> Amounts {
    let mut largest = Amounts::new();
    for row in rows {
        for (resource, each) in row.template.request.iter() {
            let all = each.saturating_mul(i64::from(row.pods));
            let most = largest.get(resource.as_str()).unwrap_or(0).max(all);
            largest.set(resource.clone(), most);
        }
    }
    largest
}

/// Amounts in the notation of `--cluster`.
fn option(amounts: &Amounts) -> String {
    let part = |(name, amount): (&Name, i64)| {
        let unit = quotree_core::Unit::of(name.as_str());
        format!("{name}={}", quotree_core::QuantityText { amount, unit })
    };
    amounts.iter().map(part).collect::<Vec<_>>().join(",")
}

/// The accounts of a file as the tree, with a leaf for each account that occurs only in the log.
fn accounts(
    path: &Path,
    rows: &[TraceRow],
    total: &Amounts,
    args: &Args,
    notices: &mut Notices,
    terminal: Terminal,
) -> Result<TreeSpec, Trouble> {
    let source = Source { path: files::slashed(path), text: files::text(path)? };
    let options = QuotaOptions { total: Some(total.clone()), derive_mins: args.derive_mins, ..QuotaOptions::default() };
    let read = quota::read(QuotaFormat::Slurm, vec![source], &options);
    let drawn = snippets::draw(&read.diagnostics, &read.sources, terminal.colour_errors);
    let Some(mut tree) = read.tree else { return Err(Trouble { exit: Exit::Invalid, message: drawn }) };
    if !drawn.is_empty() {
        terminal.draw(&drawn);
    }
    let notes = Notices::of(&read.notes);
    notices.lost.extend(notes.lost);
    notices.assumed.extend(notes.assumed);
    let known: BTreeSet<Name> = tree.quotas.iter().flat_map(|quota| quota.namespaces.iter().cloned()).collect();
    let missing: BTreeSet<&Name> =
        rows.iter().map(|row| &row.namespace).filter(|name| !known.contains(*name)).collect();
    let root = tree.quotas.iter().find(|quota| quota.parent.is_none()).map(|root| root.name.clone());
    for name in &missing {
        let free = !tree.quotas.iter().any(|quota| quota.name == **name);
        let own = if free { name.to_string() } else { format!("{name}-jobs") };
        tree.quotas.push(QuotaSpec::new(&own, root.as_ref().map(Name::as_str)).namespace(name.as_str()));
    }
    if !missing.is_empty() {
        let first: Vec<String> = missing.iter().take(5).map(|name| format!("`{name}`")).collect();
        let count = many(missing.len() as u64, "account");
        notices.assumed.push(format!(
            "{count} of the log {} not in `--tree`: each is below the root ({})",
            if missing.len() == 1 { "is" } else { "are" },
            first.join(", ")
        ));
    }
    Ok(tree)
}
