//! The tables of a result, one file each. Each column is stated once, with its name, what it is, and where a row has it; text, CSV,
//! JSON and Parquet have the same cells.

use crate::{
    datum::{Datum, Kind},
    fields::{Fields, Long},
    instances, jobs,
    table::Table,
    tree::governed,
};
use quotree_core::Name;
use quotree_sim::{
    people::Role,
    result::{
        ClaimResult, DatasetRow, EvictionRow, FailureRow, GroupRow, NamespaceRow, NodeRow, PendingRow, PodCounts,
        QuotaRow, RefusalRow, RunResult, ShareRow, SpreadRow, UserRow, WorkRow, WorkloadRow,
    },
};
use std::collections::BTreeSet;

/// The tables of a result. Jobs, datasets, instances and failures have a table only if there are any.
///
/// ```
/// use quotree_sim::{RunOptions, run, scenario::{MapLoader, load}};
/// let text = r#"Scenario(
///     name: "one job",
///     cluster: Pool({ "cpu": "4" }),
///     quota: Quota(name: "root", min: { "cpu": "1500m" }, max: { "cpu": "4" }, namespaces: ["a"]),
///     workloads: [Job(name: "j", namespace: "a", request: { "cpu": "1" }, runtime: "1h")],
/// )"#;
/// let scenario = load("x.ron", &MapLoader::new().with("x.ron", text)).scenario.unwrap();
/// let result = run(&scenario, &RunOptions::default(), &mut ()).unwrap().result;
/// let json = quotree_reports::tables(&result).remove(0).json();
/// assert_eq!((&json["name"], &json["rows"][0]["resource"]), (&"quotas".into(), &"cpu".into()));
/// // CSV has the quantity `1.5` in the column `min`, JSON and Parquet the number of thousandths.
/// assert_eq!(json["rows"][0]["min_unit"], 1500);
/// ```
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
    tables.extend((!result.jobs.is_empty()).then(|| jobs::table(result)));
    tables.extend((!result.datasets.is_empty()).then(|| datasets(result)));
    tables.extend(instances::table(result));
    tables.extend((!result.failures.is_empty()).then(|| failures(result)));
    tables
}

/// Pods by state, and evictions.
fn counts<'r>() -> Fields<'r, PodCounts> {
    Fields::<PodCounts>::new()
        .count("running", |n| n.running)
        .count("pending", |n| n.pending)
        .count("succeeded", |n| n.succeeded)
        .count("failed", |n| n.failed)
        .count("evicted", |n| n.evicted)
}

/// Waits of jobs: how many jobs, how many still wait, and quantiles.
fn waits<'r>() -> Fields<'r, SpreadRow> {
    Fields::<SpreadRow>::new()
        .count("jobs", |s| s.count)
        .count("wait_open", |s| s.open)
        .ms("wait_sum_ms", |s| Datum::from(s.sum_ms).or_more(s.at_least.mean))
        .ms("wait_p50_ms", |s| Datum::from(s.p50_ms).or_more(s.at_least.p50))
        .ms("wait_p95_ms", |s| Datum::from(s.p95_ms).or_more(s.at_least.p95))
        .ms("wait_p99_ms", |s| Datum::from(s.p99_ms).or_more(s.at_least.p99))
        .ms("wait_max_ms", |s| Datum::from(s.max_ms).or_more(s.at_least.max))
}

/// Quantiles of another time of jobs; nothing where there is none.
fn spread<'r>(of: &str) -> Fields<'r, SpreadRow> {
    let some = |s: &SpreadRow, ms: u64, is_bound| (s.count > 0).then(|| Datum::from(ms).or_more(is_bound));
    Fields::<SpreadRow>::new()
        .ms(&format!("{of}_p50_ms"), move |s| some(s, s.p50_ms, s.at_least.p50))
        .ms(&format!("{of}_p95_ms"), move |s| some(s, s.p95_ms, s.at_least.p95))
        .ms(&format!("{of}_max_ms"), move |s| some(s, s.max_ms, s.at_least.max))
}

/// The times of jobs other than their waits.
fn times<'r>() -> Fields<'r, ShareRow> {
    let some =
        |s: &ShareRow, permille: u64, is_bound| (s.slowdown.count > 0).then(|| Datum::from(permille).or_more(is_bound));
    Fields::<ShareRow>::new()
        .part(|s| &s.first_wait, spread("first_wait"))
        .part(|s| &s.turnaround, spread("turnaround"))
        .field("slowdown_p50_permille", Kind::Ratio, move |s| some(s, s.slowdown.p50_permille, s.slowdown.at_least.p50))
        .field("slowdown_p95_permille", Kind::Ratio, move |s| some(s, s.slowdown.p95_permille, s.slowdown.at_least.p95))
        .field("slowdown_max_permille", Kind::Ratio, move |s| some(s, s.slowdown.max_permille, s.slowdown.at_least.max))
}

fn quotas(result: &RunResult) -> Table<'_> {
    let resources = governed(&result.quotas);
    let long = move |of| resources.clone().into_iter().map(move |resource| Long { of, resource: Some(resource) });
    Fields::<Long<'_, QuotaRow>>::new()
        .text("quota", |q| &q.of.name)
        .maybe("parent", |q| q.of.parent.as_deref())
        .resource()
        .amount("min", |q| &q.min)
        .amount("max", |q| &q.max)
        .amount("used", |q| &q.used)
        .amount("request", |q| &q.request)
        .amount("borrowed", |q| &q.borrowed)
        .amount("lent", |q| &q.lent)
        .amount("held", |q| &q.held)
        .count("running", |q| q.of.counts.running)
        .count("pending", |q| q.of.counts.pending)
        .count("evicted", |q| q.of.counts.evicted)
        .part(|q| &q.of.wait, waits())
        .part(|q| &q.of.share, times())
        .time("used_time_s", |q| &q.share.used_time_s)
        .time("borrowed_time_s", |q| &q.share.borrowed_time_s)
        .time("starved_time_s", |q| &q.share.starved_time_s)
        .field("cost_milli", Kind::MoneyMilli, |q| q.of.share.cost_milli)
        .table("quotas", result.quotas.iter().flat_map(long))
        .with_bounds()
}

fn datasets(result: &RunResult) -> Table<'_> {
    Fields::<DatasetRow>::new()
        .text("dataset", |d| &d.name)
        .text("namespace", |d| &d.namespace)
        .text("phase", |d| d.phase)
        .count("size_bytes", |d| d.size_bytes)
        .count("cached_bytes", |d| d.cache.as_ref().map_or(0, |cache| cache.cached_bytes))
        .count("read_bytes", |d| d.input.read_bytes)
        .count("hit_bytes", |d| d.input.hit_bytes)
        .count("rate_bytes_s", |d| d.rate_bytes_s)
        .ms("wait_ms", |d| d.input.wait_ms)
        .ms("gpu_idle_ms", |d| d.input.gpu_idle_ms)
        .ms("saved_ms", |d| d.input.saved_ms)
        .ms("gpu_saved_ms", |d| d.input.gpu_saved_ms)
        .table("datasets", result.datasets.iter())
}

fn namespaces(result: &RunResult) -> Table<'_> {
    Fields::<NamespaceRow>::new()
        .text("namespace", |n| &n.name)
        .maybe("quota", |n| n.quota.as_deref())
        .part(|n| &n.counts, counts())
        .table("namespaces", result.namespaces.iter())
}

fn users(result: &RunResult) -> Table<'_> {
    let role = |role: Role| Datum::Text(format!("{role:?}").to_lowercase());
    let fields = Fields::<Long<'_, UserRow>>::new()
        .text("user", |u| &u.of.name)
        .field("role", Kind::Text, move |u| u.of.role.map(role))
        .field("groups", Kind::Text, |u| Datum::Text(u.of.groups.join(" ")));
    let rows = result.users.iter().flat_map(|of| used(&of.work).into_iter().map(move |resource| Long { of, resource }));
    works(fields, |user| &user.work).table("users", rows).with_bounds()
}

fn groups(result: &RunResult) -> Table<'_> {
    let fields = Fields::<Long<'_, GroupRow>>::new()
        .text("group", |g| &g.of.name)
        .maybe("quota", |g| g.of.quota.as_deref())
        .field("members", Kind::Text, |g| Datum::Text(g.of.members.join(" ")));
    let rows =
        result.groups.iter().flat_map(|of| used(&of.work).into_iter().map(move |resource| Long { of, resource }));
    works(fields, |group| &group.work).table("groups", rows).with_bounds()
}

/// The work of users or groups.
fn works<'r, T: 'r>(fields: Fields<'r, Long<'r, T>>, work: fn(&T) -> &WorkRow) -> Fields<'r, Long<'r, T>> {
    let whole = Fields::<WorkRow>::new()
        .part(|w| &w.counts, counts())
        .count("refused", |w| w.refused)
        .part(|w| &w.wait, waits())
        .part(|w| &w.share, times())
        .ms("lost_work_ms", |w| w.share.lost_work_ms)
        .count("pods", |w| w.share.pods)
        .count("evicted_for", |w| w.share.evicted_for)
        .count("wasted_evictions", |w| w.share.wasted_evictions)
        .count("drained", |w| w.share.drained)
        .count("deadlines_met", |w| w.share.instances.unwrap_or_default().deadlines_met)
        .count("deadlines_missed", |w| w.share.instances.unwrap_or_default().deadlines_missed)
        .ms("makespan_ms", |w| w.share.makespan_ms)
        .field("cost_milli", Kind::MoneyMilli, |w| w.share.cost_milli);
    fields
        .part(move |row| work(row.of), whole)
        .resource()
        .amount("used", move |of| &work(of).used)
        .time("used_time_s", move |of| &work(of).share.used_time_s)
        .amount("borrowed", move |of| &work(of).borrowed)
        .time("borrowed_time_s", move |of| &work(of).share.borrowed_time_s)
        .time("starved_time_s", move |of| &work(of).share.starved_time_s)
}

/// The resources that work used, or nothing once. Who starves may have used nothing of a resource.
fn used(work: &WorkRow) -> Vec<Option<Name>> {
    let share = &work.share;
    let named = share.used_time_s.0.iter().chain(&share.starved_time_s.0).map(|(name, _)| name.clone());
    let names: BTreeSet<Name> = named.collect();
    if names.is_empty() { vec![None] } else { names.into_iter().map(Some).collect() }
}

fn refusals(result: &RunResult) -> Table<'_> {
    Fields::<RefusalRow>::new()
        .ms("at_ms", |r| r.at_ms)
        .text("what", |r| &r.what)
        .maybe("by", |r| r.by.as_deref())
        .text("reason", |r| r.reason)
        .text("why", |r| &r.why)
        .count("times", |r| r.times)
        .table("refusals", result.refusals.iter())
}

fn workloads(result: &RunResult) -> Table<'_> {
    Fields::<WorkloadRow>::new()
        .text("workload", |w| &w.name)
        .text("namespace", |w| &w.namespace)
        .text("kind", |w| w.kind)
        .part(|w| &w.counts, counts())
        .part(|w| &w.wait, waits())
        .part(|w| &w.share, times())
        .maybe("user", |w| w.user.as_deref())
        .count("refused", |w| w.refused)
        .ms("lost_work_ms", |w| w.share.lost_work_ms)
        .table("workloads", result.workloads.iter())
        .with_bounds()
}

fn nodes(result: &RunResult) -> Table<'_> {
    let rows = result
        .nodes
        .iter()
        .flat_map(|of| of.capacity.0.iter().map(move |(resource, _)| Long { of, resource: Some(resource.clone()) }));
    Fields::<Long<'_, NodeRow>>::new()
        .text("node", |n| &n.of.name)
        .text("pool", |n| &n.of.pool)
        .truth("up", |n| n.of.up)
        .truth("schedulable", |n| n.of.schedulable)
        .count("pods", |n| n.of.pods)
        .resource()
        .amount("allocatable", |n| &n.allocatable)
        .amount("used", |n| &n.used)
        .amount("capacity", |n| &n.capacity)
        .count("unhealthy", |n| n.of.unhealthy)
        .table("nodes", rows)
}

fn evictions(result: &RunResult) -> Table<'_> {
    Fields::<EvictionRow>::new()
        .ms("at_ms", |e| e.at_ms)
        .text("pod", |e| &e.pod)
        .text("workload", |e| &e.workload)
        .text("namespace", |e| &e.namespace)
        .maybe("leaf", |e| e.leaf.as_deref())
        .maybe("cause", |e| e.cause.as_deref())
        .text("rule", |e| &e.rule)
        .text("reason", |e| &e.reason)
        .ms("lost_ms", |e| e.lost_ms)
        .maybe("user", |e| e.user.as_deref())
        .table("evictions", result.evictions.iter())
}

fn pending(result: &RunResult) -> Table<'_> {
    Fields::<PendingRow>::new()
        .text("pod", |p| &p.pod)
        .text("workload", |p| p.workload.as_str())
        .text("namespace", |p| p.namespace.as_str())
        .maybe("quota", |p| p.quota.as_ref().map(Name::as_str))
        .ms("since_ms", |p| p.since_ms)
        .text("rule", |p| p.rule.as_str())
        .text("reason", |p| p.reason.as_str())
        .maybe("user", |p| p.user.as_ref().map(Name::as_str))
        .count("pods", |p| p.pods)
        .table("pending", result.pending.iter())
}

fn claims(result: &RunResult) -> Table<'_> {
    Fields::<ClaimResult>::new()
        .text("claim", |c| &c.claim)
        .count("line", |c| c.line.into())
        .truth("passed", |c| c.passed)
        .text("seen", |c| &c.seen)
        .ms("at_ms", |c| c.at_ms)
        .maybe("because", |c| c.because.as_deref())
        .table("claims", result.claims.results.iter())
}

fn failures(result: &RunResult) -> Table<'_> {
    Fields::<FailureRow>::new()
        .ms("at_ms", |f| f.at_ms)
        .text("what", |f| &f.what)
        .text("why", |f| &f.why)
        .table("failures", result.failures.iter())
}
