//! Every table of a result as CSV, one file for each table. Amounts are in the long form, one row for each resource, so
//! that a spreadsheet can sort them. Amounts are Kubernetes quantities, times are milliseconds.

use crate::{format, instances, jobs, tree::governed};
use quotree_core::Name;
use quotree_sim::{
    people::Role,
    result::{FailureRow, QuantityMap, RunResult, ShareRow, SpreadRow, TimeMap, WorkRow},
};
use std::collections::BTreeSet;

/// The tables of a result: file name and content. Jobs, datasets, instances and failures have a table only if there
/// are any.
#[must_use]
pub fn tables_csv(result: &RunResult) -> Vec<(&'static str, String)> {
    let mut tables = vec![
        ("quotas.csv", quotas(result)),
        ("namespaces.csv", namespaces(result)),
        ("users.csv", users(result)),
        ("groups.csv", groups(result)),
        ("refusals.csv", refusals(result)),
        ("workloads.csv", workloads(result)),
        ("nodes.csv", nodes(result)),
        ("evictions.csv", evictions(result)),
        ("pending.csv", pending(result)),
        ("claims.csv", claims(result)),
    ];
    if !result.jobs.is_empty() {
        let (head, rows) = jobs::csv(result);
        tables.push(("jobs.csv", table(&head, rows)));
    }
    if !result.datasets.is_empty() {
        tables.push(("datasets.csv", datasets(result)));
    }
    let (head, rows) = instances::table(result);
    if !rows.is_empty() {
        tables.push(("instances.csv", table(head, rows.into_iter())));
    }
    if !result.failures.is_empty() {
        let row = |f: &FailureRow| vec![f.at_ms.to_string(), f.what.clone(), f.why.clone()];
        tables.push(("failures.csv", table("at_ms what why", result.failures.iter().map(row))));
    }
    tables
}

/// Rows as CSV below the names of their columns, which `head` separates by spaces; writing to a `Vec` cannot fail.
fn table(head: &str, rows: impl Iterator<Item = Vec<String>>) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let mut written = writer.write_record(head.split(' '));
    for row in rows {
        written = written.and_then(|()| writer.write_record(row));
    }
    let bytes = written.ok().and_then(|()| writer.into_inner().ok()).unwrap_or_default();
    String::from_utf8(bytes).unwrap_or_default()
}

fn amount(map: &QuantityMap, resource: &Name) -> String {
    map.0.get(resource.as_str()).map(|amount| format::amount(resource.as_str(), amount)).unwrap_or_default()
}

fn maybe(text: Option<&String>) -> String {
    text.cloned().unwrap_or_default()
}

/// The columns of [`waits`].
const WAITS: &str = "jobs wait_open wait_sum_ms wait_p50_ms wait_p95_ms wait_p99_ms wait_max_ms wait_at_least \
    first_wait_p50_ms first_wait_p95_ms first_wait_max_ms turnaround_p50_ms turnaround_p95_ms turnaround_max_ms \
    slowdown_p50_permille slowdown_p95_permille slowdown_max_permille";

/// Times of jobs: how many, how many go on, and quantiles. `wait_at_least` names the figures that are lower bounds.
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

fn quotas(result: &RunResult) -> String {
    let resources = governed(&result.quotas);
    let head = format!(
        "quota parent resource min max used request borrowed lent held running pending evicted {WAITS} used_time_s \
        borrowed_time_s starved_time_s cost_milli"
    );
    let rows = result.quotas.iter().flat_map(|q| {
        resources.iter().map(move |resource| {
            let mut row = vec![q.name.clone(), maybe(q.parent.as_ref()), resource.to_string()];
            let maps = [&q.min, &q.max, &q.used, &q.request, &q.borrowed, &q.lent, &q.held];
            row.extend(maps.map(|map| amount(map, resource)));
            row.extend([q.counts.running, q.counts.pending, q.counts.evicted].map(|n| n.to_string()));
            row.extend(waits(&q.wait, &q.share));
            let times = [&q.share.used_time_s, &q.share.borrowed_time_s, &q.share.starved_time_s];
            row.extend(times.map(|times| TimeMap::text(resource.as_str(), times.get(resource.as_str()))));
            row.push(q.share.cost_milli.to_string());
            row
        })
    });
    table(&head, rows)
}

fn datasets(result: &RunResult) -> String {
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
    table(head, rows)
}

fn namespaces(result: &RunResult) -> String {
    let head = "namespace quota running pending succeeded failed evicted";
    let rows = result.namespaces.iter().map(|n| {
        let mut row = vec![n.name.clone(), maybe(n.quota.as_ref())];
        row.extend(n.counts.all().map(|n| n.to_string()));
        row
    });
    table(head, rows)
}

fn users(result: &RunResult) -> String {
    let role = |role: &Option<Role>| role.map(|role| format!("{role:?}").to_lowercase()).unwrap_or_default();
    let rows = result.users.iter().map(|u| (vec![u.name.clone(), role(&u.role), u.groups.join(" ")], &u.work));
    works("user role groups", rows)
}

fn groups(result: &RunResult) -> String {
    let rows =
        result.groups.iter().map(|g| (vec![g.name.clone(), maybe(g.quota.as_ref()), g.members.join(" ")], &g.work));
    works("group quota members", rows)
}

/// The work of users or groups in the long form: one row for each resource used, or one row if none was used.
fn works<'a>(head: &str, rows: impl Iterator<Item = (Vec<String>, &'a WorkRow)>) -> String {
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
    table(&head, rows.flat_map(long))
}

fn refusals(result: &RunResult) -> String {
    let head = "at_ms what by reason why times";
    let rows = result.refusals.iter().map(|r| {
        let why = [r.what.clone(), maybe(r.by.as_ref()), r.reason.to_owned(), r.why.clone()];
        std::iter::once(r.at_ms.to_string()).chain(why).chain([r.times.to_string()]).collect()
    });
    table(head, rows)
}

fn workloads(result: &RunResult) -> String {
    let head =
        format!("workload namespace kind running pending succeeded failed evicted {WAITS} user refused lost_work_ms");
    let rows = result.workloads.iter().map(|w| {
        let mut row = vec![w.name.clone(), w.namespace.clone(), w.kind.to_owned()];
        row.extend(w.counts.all().map(|n| n.to_string()));
        row.extend(waits(&w.wait, &w.share));
        row.extend([maybe(w.user.as_ref()), w.refused.to_string(), w.share.lost_work_ms.to_string()]);
        row
    });
    table(&head, rows)
}

fn nodes(result: &RunResult) -> String {
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
    table(head, rows)
}

fn evictions(result: &RunResult) -> String {
    let head = "at_ms pod workload namespace leaf cause rule reason lost_ms user";
    let rows = result.evictions.iter().map(|e| {
        let mut row = vec![e.at_ms.to_string(), e.pod.clone(), e.workload.clone(), e.namespace.clone()];
        row.extend([maybe(e.leaf.as_ref()), maybe(e.cause.as_ref()), e.rule.clone(), e.reason.clone()]);
        row.extend([e.lost_ms.to_string(), maybe(e.user.as_ref())]);
        row
    });
    table(head, rows)
}

fn pending(result: &RunResult) -> String {
    let head = "pod workload namespace quota since_ms rule reason user";
    let rows = result.pending.iter().map(|p| {
        let mut row = vec![p.pod.clone(), p.workload.clone(), p.namespace.clone(), maybe(p.quota.as_ref())];
        row.extend([p.since_ms.to_string(), p.rule.clone(), p.reason.clone(), maybe(p.user.as_ref())]);
        row
    });
    table(head, rows)
}

fn claims(result: &RunResult) -> String {
    let head = "claim line passed seen at_ms because";
    let rows = result.claims.results.iter().map(|c| {
        let at = c.at_ms.map(|ms| ms.to_string()).unwrap_or_default();
        let mut row = vec![c.claim.clone(), c.line.to_string(), c.passed.to_string(), c.seen.clone(), at];
        row.push(maybe(c.because.as_ref()));
        row
    });
    table(head, rows)
}
