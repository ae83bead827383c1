//! Every table of a result as CSV, one file for each table. Tables with amounts have one row for each resource (long
//! form), so that a spreadsheet can sort them. Amounts are Kubernetes quantities, times are milliseconds.

use crate::{format, instances, jobs, tree::governed};
use quotree_core::Name;
use quotree_sim::{
    people::Role,
    result::{FailureRow, QuantityMap, RunResult, ShareRow, SpreadRow, TimeMap, WorkRow},
};
use std::{
    collections::BTreeSet,
    fmt,
    io::{self, Write},
};

/// A table whose rows are created while it is written, so that a large table needs no memory.
pub struct Table<'r> {
    /// The name of its file.
    pub name: &'static str,
    /// The names of the columns, separated by spaces.
    head: String,
    rows: Box<dyn Iterator<Item = Vec<String>> + 'r>,
}

impl Table<'_> {
    /// Writes the table as CSV, row by row.
    ///
    /// # Errors
    /// If `file` cannot be written.
    pub fn write(self, file: impl Write) -> io::Result<()> {
        let mut writer = csv::Writer::from_writer(file);
        writer.write_record(self.head.split(' ')).map_err(io::Error::from)?;
        for row in self.rows {
            writer.write_record(row.iter().map(|field| quotree_page::visible(field))).map_err(io::Error::from)?;
        }
        writer.flush()
    }
}

impl fmt::Debug for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Table").field("name", &self.name).field("head", &self.head).finish_non_exhaustive()
    }
}

/// The tables of a result. Jobs, datasets, instances and failures have a table only if there are any.
#[must_use]
pub fn tables(result: &RunResult) -> Vec<Table<'_>> {
    let mut tables = vec![
        quotas(result),
        namespaces(result),
        users(result),
        groups(result),
        refusals(result),
        workloads(result),
        nodes(result),
        evictions(result),
        pending(result),
        claims(result),
    ];
    if !result.jobs.is_empty() {
        let (head, rows) = jobs::csv(result);
        tables.push(table("jobs.csv", &head, rows));
    }
    if !result.datasets.is_empty() {
        tables.push(datasets(result));
    }
    let (head, rows) = instances::table(result);
    if !rows.is_empty() {
        tables.push(table("instances.csv", head, rows.into_iter()));
    }
    if !result.failures.is_empty() {
        let row = |f: &FailureRow| vec![f.at_ms.to_string(), f.what.clone(), f.why.clone()];
        tables.push(table("failures.csv", "at_ms what why", result.failures.iter().map(row)));
    }
    tables
}

/// A table of rows below the names of their columns, which `head` separates by spaces.
fn table<'r>(name: &'static str, head: &str, rows: impl Iterator<Item = Vec<String>> + 'r) -> Table<'r> {
    Table { name, head: head.to_owned(), rows: Box::new(rows) }
}

fn amount(map: &QuantityMap, resource: &Name) -> String {
    map.0.get(resource.as_str()).map(|amount| format::amount(resource.as_str(), amount)).unwrap_or_default()
}

fn maybe(text: Option<&impl ToString>) -> String {
    text.map(ToString::to_string).unwrap_or_default()
}

/// The columns of [`waits`].
const WAITS: &str = "jobs wait_open wait_sum_ms wait_p50_ms wait_p95_ms wait_p99_ms wait_max_ms wait_at_least \
    first_wait_p50_ms first_wait_p95_ms first_wait_max_ms turnaround_p50_ms turnaround_p95_ms turnaround_max_ms \
    slowdown_p50_permille slowdown_p95_permille slowdown_max_permille";

/// The columns for waits of jobs: how many jobs, how many still wait, and quantiles. `wait_at_least` names the figures
/// that are lower bounds.
fn waits(wait: &SpreadRow, share: &ShareRow) -> impl Iterator<Item = String> {
    let counts = [wait.count.to_string(), wait.open.to_string(), wait.sum_ms.to_string()];
    let times = [wait.p50_ms, wait.p95_ms, wait.p99_ms, wait.max_ms].map(|ms| ms.to_string());
    let three = |spread: &SpreadRow| {
        let none = spread.count == 0;
        [spread.p50_ms, spread.p95_ms, spread.max_ms].map(|ms| if none { String::new() } else { ms.to_string() })
    };
    let slow = &share.slowdown;
    let slow = [slow.p50_permille, slow.p95_permille, slow.max_permille]
        .map(|permille| if slow.count == 0 { String::new() } else { permille.to_string() });
    let rest = [three(&share.first_wait), three(&share.turnaround), slow].into_iter().flatten();
    counts.into_iter().chain(times).chain([wait.at_least.names().join(" ")]).chain(rest)
}

fn quotas(result: &RunResult) -> Table<'_> {
    let resources = governed(&result.quotas);
    let head = format!(
        "quota parent resource min max used request borrowed lent held running pending evicted {WAITS} used_time_s \
        borrowed_time_s starved_time_s cost_milli"
    );
    let rows = result.quotas.iter().flat_map(move |q| {
        resources.clone().into_iter().map(move |resource| {
            let mut row = vec![q.name.clone(), maybe(q.parent.as_ref()), resource.to_string()];
            let maps = [&q.min, &q.max, &q.used, &q.request, &q.borrowed, &q.lent, &q.held];
            row.extend(maps.map(|map| amount(map, &resource)));
            row.extend([q.counts.running, q.counts.pending, q.counts.evicted].map(|n| n.to_string()));
            row.extend(waits(&q.wait, &q.share));
            let times = [&q.share.used_time_s, &q.share.borrowed_time_s, &q.share.starved_time_s];
            row.extend(times.map(|times| TimeMap::text(resource.as_str(), times.get(resource.as_str()))));
            row.push(q.share.cost_milli.to_string());
            row
        })
    });
    table("quotas.csv", &head, rows)
}

fn datasets(result: &RunResult) -> Table<'_> {
    let head = "dataset namespace phase size_bytes cached_bytes read_bytes hit_bytes rate_bytes_s wait_ms gpu_idle_ms \
    saved_ms gpu_saved_ms";
    let rows = result.datasets.iter().map(|d| {
        let mut row = vec![d.name.clone(), d.namespace.clone(), d.phase.to_owned()];
        let cached = d.cache.as_ref().map_or(0, |cache| cache.cached_bytes);
        let counts = [d.size_bytes, cached, d.input.read_bytes, d.input.hit_bytes, d.rate_bytes_s];
        row.extend(counts.into_iter().chain([d.input.wait_ms, d.input.gpu_idle_ms]).map(|n| n.to_string()));
        row.extend([d.input.saved_ms, d.input.gpu_saved_ms].map(|n| n.to_string()));
        row
    });
    table("datasets.csv", head, rows)
}

fn namespaces(result: &RunResult) -> Table<'_> {
    let head = "namespace quota running pending succeeded failed evicted";
    let rows = result.namespaces.iter().map(|n| {
        let mut row = vec![n.name.clone(), maybe(n.quota.as_ref())];
        row.extend(n.counts.all().map(|n| n.to_string()));
        row
    });
    table("namespaces.csv", head, rows)
}

fn role(role: Option<Role>) -> String {
    role.map(|role| format!("{role:?}").to_lowercase()).unwrap_or_default()
}

fn users(result: &RunResult) -> Table<'_> {
    let rows = result.users.iter().map(|u| (vec![u.name.clone(), role(u.role), u.groups.join(" ")], &u.work));
    works("users.csv", "user role groups", rows)
}

fn groups(result: &RunResult) -> Table<'_> {
    let rows =
        result.groups.iter().map(|g| (vec![g.name.clone(), maybe(g.quota.as_ref()), g.members.join(" ")], &g.work));
    works("groups.csv", "group quota members", rows)
}

/// The work of users or groups in the long form: one row for each used resource, or one row if none was used.
fn works<'r>(name: &'static str, head: &str, rows: impl Iterator<Item = (Vec<String>, &'r WorkRow)> + 'r) -> Table<'r> {
    let head = format!(
        "{head} running pending succeeded failed evicted refused {WAITS} lost_work_ms pods evicted_for \
         wasted_evictions drained deadlines_met deadlines_missed makespan_ms cost_milli resource used used_time_s \
         borrowed borrowed_time_s starved_time_s"
    );
    let long = |(mut row, w): (Vec<String>, &WorkRow)| {
        row.extend(w.counts.all().into_iter().chain([w.refused]).map(|n| n.to_string()));
        row.extend(waits(&w.wait, &w.share));
        row.push(w.share.lost_work_ms.to_string());
        let (share, jobs) = (&w.share, w.share.instances.unwrap_or_default());
        let counts = [share.pods, share.evicted_for, share.wasted_evictions, share.drained];
        row.extend(counts.into_iter().chain([jobs.deadlines_met, jobs.deadlines_missed]).map(|n| n.to_string()));
        row.extend([share.makespan_ms.to_string(), share.cost_milli.to_string()]);
        let with = |cells: [String; 6]| row.iter().cloned().chain(cells).collect::<Vec<_>>();
        // Who starves may have used nothing of it.
        let named = w.share.used_time_s.0.iter().chain(&share.starved_time_s.0).map(|(name, _)| name);
        let names: BTreeSet<&Name> = named.collect();
        if names.is_empty() {
            return vec![with(Default::default())];
        }
        let resource = |name: &Name| {
            let time = |map: &TimeMap| TimeMap::text(name.as_str(), map.get(name.as_str()));
            let [used, borrowed] = [&w.used, &w.borrowed].map(|map| amount(map, name));
            let times = (time(&w.share.used_time_s), time(&share.borrowed_time_s), time(&share.starved_time_s));
            with([name.to_string(), used, times.0, borrowed, times.1, times.2])
        };
        names.into_iter().map(resource).collect()
    };
    table(name, &head, rows.flat_map(long))
}

fn refusals(result: &RunResult) -> Table<'_> {
    let head = "at_ms what by reason why times";
    let rows = result.refusals.iter().map(|r| {
        let why = [r.what.clone(), maybe(r.by.as_ref()), r.reason.to_owned(), r.why.clone()];
        std::iter::once(r.at_ms.to_string()).chain(why).chain([r.times.to_string()]).collect()
    });
    table("refusals.csv", head, rows)
}

fn workloads(result: &RunResult) -> Table<'_> {
    let head =
        format!("workload namespace kind running pending succeeded failed evicted {WAITS} user refused lost_work_ms");
    let rows = result.workloads.iter().map(|w| {
        let mut row = vec![w.name.clone(), w.namespace.clone(), w.kind.to_owned()];
        row.extend(w.counts.all().map(|n| n.to_string()));
        row.extend(waits(&w.wait, &w.share));
        row.extend([maybe(w.user.as_ref()), w.refused.to_string(), w.share.lost_work_ms.to_string()]);
        row
    });
    table("workloads.csv", &head, rows)
}

fn nodes(result: &RunResult) -> Table<'_> {
    let head = "node pool up schedulable pods resource allocatable used capacity unhealthy";
    let rows = result.nodes.iter().flat_map(|n| {
        n.capacity.0.iter().map(move |(resource, _)| {
            let facts = [n.name.clone(), n.pool.clone(), n.up.to_string(), n.schedulable.to_string()];
            let mut row = facts.to_vec();
            row.push(n.pods.to_string());
            row.extend([resource.to_string(), amount(&n.allocatable, resource), amount(&n.used, resource)]);
            row.extend([amount(&n.capacity, resource), n.unhealthy.to_string()]);
            row
        })
    });
    table("nodes.csv", head, rows)
}

fn evictions(result: &RunResult) -> Table<'_> {
    let head = "at_ms pod workload namespace leaf cause rule reason lost_ms user";
    let rows = result.evictions.iter().map(|e| {
        let mut row = vec![e.at_ms.to_string(), e.pod.clone(), e.workload.clone(), e.namespace.clone()];
        row.extend([maybe(e.leaf.as_ref()), maybe(e.cause.as_ref()), e.rule.clone(), e.reason.clone()]);
        row.extend([e.lost_ms.to_string(), maybe(e.user.as_ref())]);
        row
    });
    table("evictions.csv", head, rows)
}

fn pending(result: &RunResult) -> Table<'_> {
    let head = "pod workload namespace quota since_ms rule reason user pods";
    let rows = result.pending.iter().map(|p| {
        let mut row = vec![p.pod.clone(), p.workload.to_string(), p.namespace.to_string(), maybe(p.quota.as_ref())];
        row.extend([p.since_ms.to_string(), p.rule.to_string(), p.reason.to_string(), maybe(p.user.as_ref())]);
        row.push(p.pods.to_string());
        row
    });
    table("pending.csv", head, rows)
}

fn claims(result: &RunResult) -> Table<'_> {
    let head = "claim line passed seen at_ms because";
    let rows = result.claims.results.iter().map(|c| {
        let at = c.at_ms.map(|ms| ms.to_string()).unwrap_or_default();
        let mut row = vec![c.claim.clone(), c.line.to_string(), c.passed.to_string(), c.seen.clone(), at];
        row.push(maybe(c.because.as_ref()));
        row
    });
    table("claims.csv", head, rows)
}
