//! Virtual clusters whose quotas change from day to day: the first day becomes the quota tree, every later change an
//! event. Also the demand series of Helios' virtual clusters under such a tree.

use super::{
    Named,
    draft::{Draft, map, time},
    joblist::{gpus, pool},
    listed, some_rows,
};
use crate::{args::Import as Args, exit::Trouble, terminal::Terminal};
use quotree_core::{Amounts, Name, QuotaSpec, TreeSpec};
use quotree_sim::{
    import::{self, DailyQuotas, DateTime, TraceFormat, TraceOptions},
    model::TraceRow,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

/// The tree of the first day and the changes after it, up to the last job.
fn tree(root: &str, days: &[DailyQuotas], rows: &[TraceRow], no_borrowing: bool) -> (i64, TreeSpec, Vec<String>) {
    let last = rows.iter().map(|row| row.submit).max().unwrap_or_default();
    let days: Vec<&DailyQuotas> = days.iter().take_while(|day| day.from <= last || day.from.0 == 0).collect();
    let sum =
        |day: &DailyQuotas| day.gpus.iter().map(|(_, count)| count).fold(0i64, |sum, count| sum.saturating_add(*count));
    let cluster = days.iter().map(|day| sum(day)).max().unwrap_or(0);
    let Some(first) = days.first() else { return (0, TreeSpec::default(), Vec::new()) };
    let mut names: Vec<&str> = first.gpus.iter().map(|(vc, _)| vc.as_str()).collect();
    let known: BTreeSet<&str> = names.iter().copied().collect();
    let others: BTreeSet<&Name> =
        rows.iter().map(|row| &row.namespace).filter(|n| !known.contains(n.as_str())).collect();
    names.extend(others.iter().map(|name| name.as_str()));
    let min: BTreeMap<&str, i64> = first.gpus.iter().map(|(vc, count)| (vc.as_str(), *count)).collect();
    // A virtual cluster that may borrow has no max of its own, which would have to change every day.
    let leaf = |vc: &&str| {
        let min = gpus(min.get(vc).copied().unwrap_or(0));
        let max = if no_borrowing { min.clone() } else { Amounts::new() };
        QuotaSpec::new(&format!("vc-{vc}"), Some(root)).min(min).max(max).namespace(vc)
    };
    let all = QuotaSpec::new(root, None).min(gpus(sum(first))).max(gpus(sum(first)));
    let tree = std::iter::once(all).chain(names.iter().map(leaf)).collect();
    let edits = days.windows(2).filter_map(|pair| match pair {
        [before, after] => Some(changes(root, before, after, (sum(before), sum(after)), no_borrowing)),
        _ => None,
    });
    (cluster, tree, edits.flatten().collect())
}

/// The changes of one day, in an order that keeps the tree valid (T2): the root grows first, leaves grow last.
fn changes(root: &str, before: &DailyQuotas, after: &DailyQuotas, sums: (i64, i64), no_borrowing: bool) -> Vec<String> {
    let at = time(after.from.0);
    let edit = |quota: &str, count: i64, max: bool| {
        let max = if max { format!(", max: {}", map(&gpus(count))) } else { String::new() };
        format!("At({at:?}, EditQuota({quota:?}, min: {}{max}))", map(&gpus(count)))
    };
    let mut lines = Vec::new();
    let vcs = || before.gpus.iter().zip(&after.gpus);
    let whole = edit(root, sums.1, true);
    lines.extend((sums.1 > sums.0).then(|| whole.clone()));
    let leaf = |(_, (vc, count)): (&(String, i64), &(String, i64))| edit(&format!("vc-{vc}"), *count, no_borrowing);
    lines.extend(vcs().filter(|((_, before), (_, after))| after < before).map(leaf));
    lines.extend(vcs().filter(|((_, before), (_, after))| after > before).map(leaf));
    lines.extend((sums.1 < sums.0).then_some(whole));
    lines
}

/// A scenario with quotas that change from day to day, and the comment above it. The caller adds the workloads.
pub(super) fn by_day(
    name: &str,
    rows: &[TraceRow],
    start: DateTime,
    args: &Args,
    terminal: Terminal,
) -> Result<(Draft, String), Trouble> {
    let sizes = args.tree.as_ref().ok_or_else(|| {
        Trouble::invalid("`import helios-demand` needs `--tree FILE` with the GPUs of each virtual cluster by day")
    })?;
    let sizes = Named::read(sizes, args)?;
    let (days, problems) = import::daily_quotas(&sizes.bytes, start);
    if days.is_empty() {
        let problems = listed(&problems);
        return Err(Trouble::invalid(format!(
            "`{}` has no valid row (expected `date,VC..,total`){problems}",
            sizes.name
        )));
    }
    let note = sizes.note(days.len(), "days on which quotas change", &problems, terminal);
    let (cluster, tree, events) = tree(name, &days, rows, args.no_borrowing);
    let cluster = args.gpus.map_or(cluster, i64::from);
    let borrowing = if args.no_borrowing { "none may borrow" } else { "each may borrow what the others do not use" };
    let draft = Draft {
        name: format!("{name}-by-day"),
        about: format!(
            "Jobs of {name} on {cluster} GPUs; the quotas of the virtual clusters change from day to day; {borrowing}."
        ),
        policy: None,
        until_ms: None,
        cluster: pool(cluster),
        tree,
        workloads: Vec::new(),
        events,
        ..Draft::default()
    };
    Ok((draft, note))
}

/// A demand series, or a folder of them, with the quotas of `--tree`.
pub(super) fn series(args: &Args, terminal: Terminal) -> Result<String, Trouble> {
    let mut notes = String::new();
    let (mut rows, mut workloads, mut start) = (Vec::new(), Vec::new(), None);
    for path in paths(&args.file)? {
        let file = Named::read(&path, args)?;
        let stem = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let vc = stem.split('.').next().unwrap_or_default().to_owned();
        let options = TraceOptions { namespace: Some(vc.as_str().into()), ..TraceOptions::default() };
        let read = import::rows(TraceFormat::HeliosDemand, &file.bytes, &options);
        some_rows(&file, &read, args)?;
        if start.is_some_and(|start| Some(start) != read.start) {
            return Err(Trouble::invalid(format!(
                "`{}` does not start at the same time as the other series",
                file.name
            )));
        }
        start = read.start;
        notes.push_str(&file.note(read.rows.len(), "jobs of one GPU", &read.problems, terminal));
        let skip = if read.problems.is_empty() { "" } else { ", bad_rows: Skip" };
        workloads
            .push(format!("Trace(name: {vc:?}, format: HeliosDemand, file: {:?}, namespace: {vc:?}{skip})", file.name));
        rows.extend(read.rows);
    }
    let start =
        start.ok_or_else(|| Trouble::invalid(format!("`{}` contains no demand series", args.file.display())))?;
    let (draft, note) = by_day("helios", &rows, start, args, terminal)?;
    notes.push_str(&note);
    Ok(Draft { workloads, ..draft }.text(&notes))
}

/// The series of a folder in order of file names, or the one file.
fn paths(path: &std::path::Path) -> Result<Vec<PathBuf>, Trouble> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let cannot = |error: std::io::Error| Trouble::invalid(format!("cannot read `{}`: {error}", path.display()));
    let entries: Result<Vec<_>, _> = std::fs::read_dir(path).map_err(cannot)?.collect();
    let mut paths: Vec<PathBuf> = entries.map_err(cannot)?.into_iter().map(|entry| entry.path()).collect();
    paths.retain(|path| path.to_string_lossy().trim_end_matches(".gz").ends_with(".csv"));
    paths.sort();
    Ok(paths)
}
