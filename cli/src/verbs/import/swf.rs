//! A log in the Standard Workload Format as a scenario: one pool of processors, groups and their users as a quota tree, with
//! mins in proportion to demand.

use super::{
    Named,
    draft::{Draft, split},
    some_rows,
};
use crate::{args::Import as Args, exit::Trouble, terminal::Terminal};
use quotree_core::{Amounts, QuotaSpec, TreeSpec};
use quotree_sim::{
    import::{self, TraceFormat, TraceOptions},
    model::TraceRow,
};
use std::collections::BTreeMap;

const CPU: &str = "cpu";

pub(super) fn scenario(args: &Args, terminal: Terminal) -> Result<String, Trouble> {
    let file = Named::read(&args.file, args)?;
    let options = TraceOptions { resource: CPU.into(), ..TraceOptions::default() };
    let read = import::rows(TraceFormat::Swf, &file.bytes, &options);
    some_rows(&file, &read, args)?;
    let notes = file.note(read.rows.len(), "jobs", &read.problems, terminal);
    let largest = read.rows.iter().filter_map(asked).max().unwrap_or(0) / 1000;
    let cpus =
        args.cpus.map(i64::from).or_else(|| max_procs(&file.bytes)).ok_or_else(|| {
            Trouble::invalid("`import swf` needs `--cpus N`: the log has no header line `; MaxProcs: N`")
        })?;
    if cpus < largest {
        terminal.complain(&format!(
            "warning: the largest job requests {largest} processors, more than the {cpus} of the cluster: it never starts"
        ));
    }
    let skip = if read.problems.is_empty() { "" } else { ", bad_rows: Skip" };
    let trace = format!("Trace(name: \"swf\", format: Swf, file: {:?}, resource: \"{CPU}\"{skip})", file.name);
    let draft = Draft {
        name: "swf".to_owned(),
        about: format!("Jobs of a parallel machine on {cpus} processors; groups and their users are the quota tree."),
        policy: None,
        until_ms: None,
        cluster: vec![format!("Pool({{ \"{CPU}\": \"{cpus}\" }})")],
        tree: tree(&read.rows, cpus, args.no_borrowing),
        workloads: vec![trace],
        ..Draft::default()
    };
    Ok(draft.text(&notes))
}

fn asked(row: &TraceRow) -> Option<i64> {
    row.template.request.get(CPU)
}

/// The number of processors according to the header of the log.
fn max_procs(bytes: &[u8]) -> Option<i64> {
    let lines = bytes.split(|byte| *byte == b'\n').take_while(|line| line.starts_with(b";") || line.is_empty());
    let texts = lines.filter_map(|line| std::str::from_utf8(line).ok());
    let mut values = texts.filter_map(|line| line.trim_start_matches(';').trim().strip_prefix("MaxProcs:"));
    values.find_map(|value| value.trim().parse().ok()).filter(|procs| *procs > 0)
}

/// The work of each user, sorted by length of the name, then by name.
type Users<'a> = BTreeMap<(usize, &'a str), u128>;

/// The groups with their users; `g3-u7` is user 7 of group 3.
fn tree(rows: &[TraceRow], cpus: i64, no_borrowing: bool) -> TreeSpec {
    // Shorter names come first, so that the numbers in them are in order.
    let mut groups: BTreeMap<(usize, &str), Users<'_>> = BTreeMap::new();
    for row in rows {
        let user = row.namespace.as_str();
        let group = user.split_once('-').map_or(user, |(group, _)| group);
        let work = u128::try_from(asked(row).unwrap_or(0)).unwrap_or(0).saturating_mul(u128::from(row.runtime_ms));
        let users = groups.entry((group.len(), group)).or_default();
        let sum = users.entry((user.len(), user)).or_default();
        *sum = sum.saturating_add(work);
    }
    let amounts = |count: i64| Amounts::new().with(CPU, count.saturating_mul(1000));
    let quota = |name: &str, parent: &str, min: i64| {
        let max = if no_borrowing { min } else { cpus };
        QuotaSpec::new(name, Some(parent)).min(amounts(min)).max(amounts(max))
    };
    let mut tree = vec![QuotaSpec::new("swf", None).min(amounts(cpus)).max(amounts(cpus))];
    let sum = |users: &Users<'_>| users.values().fold(0u128, |sum, work| sum.saturating_add(*work));
    let shares = split(cpus, &groups.values().map(sum).collect::<Vec<_>>());
    for (((_, group), users), share) in groups.iter().zip(shares) {
        tree.push(quota(group, "swf", share));
        let works: Vec<u128> = users.values().copied().collect();
        for (((_, user), _), share) in users.iter().zip(split(share, &works)) {
            tree.push(quota(user, group, share).namespace(user));
        }
    }
    tree.into_iter().collect()
}
