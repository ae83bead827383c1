//! Golden tests of every report of one hand-made result: the end of the demo, with one claim that fails.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use expect_test::{expect, expect_file};
use quotree_core::Amounts;
use quotree_reports::{
    By, SheetColumn, Style, Table, breakdown_text, diff, summary_json, summary_text, tables, tenancy_text, tree_svg,
};
use quotree_sim::people::{Role, Tenancy};
use quotree_sim::result::{
    AtLeast, ClaimResult, ClaimSummary, EndReason, EvictionRow, GroupRow, JobCounts, JobRow, JobState, Metrics,
    NamespaceRow, NodeRow, PendingRow, PodCounts, QuantityMap, QuotaRow, RunResult, ShareRow, SlowdownRow, SpreadRow,
    TimeMap, UserRow, WorkRow, WorkloadRow,
};

/// The tables of a result as CSV, by name.
fn tables_csv(result: &RunResult) -> Vec<(&'static str, String)> {
    let text = |table: Table<'_>| {
        let (name, mut bytes) = (table.name, Vec::new());
        table.write_csv(&mut bytes).unwrap();
        (name, String::from_utf8(bytes).unwrap())
    };
    tables(result).into_iter().map(text).collect()
}

fn cpu(cores: i64) -> QuantityMap {
    QuantityMap(if cores == 0 { Amounts::new() } else { Amounts::new().with("cpu", cores * 1000) })
}

/// This many cores for one hour.
fn cpu_hours(cores: i64) -> TimeMap {
    TimeMap(vec![("cpu".into(), u128::try_from(cores).unwrap() * 3600 * TimeMap::second("cpu"))])
}

fn work() -> WorkRow {
    let wait = waits(4, 0, 0);
    let (used, used_time_s) = (cpu(15), cpu_hours(15));
    let share = ShareRow { used_time_s, lost_work_ms: 60_000, ..ShareRow::default() };
    WorkRow { counts: counts([3, 2, 1]), wait, used, share, ..WorkRow::default() }
}

fn counts([running, pending, evicted]: [u64; 3]) -> PodCounts {
    PodCounts { running, pending, evicted, ..PodCounts::default() }
}

fn waits(count: u64, p50_ms: u64, max_ms: u64) -> SpreadRow {
    let sum_ms = u128::from(count * p50_ms);
    SpreadRow { count, sum_ms, p50_ms, p95_ms: max_ms, p99_ms: max_ms, max_ms, ..SpreadRow::default() }
}

/// The longest of these waits goes on.
fn open_waits(row: SpreadRow) -> SpreadRow {
    let at_least = AtLeast { mean: true, p95: true, p99: true, max: true, p50: false };
    SpreadRow { open: 1, at_least, ..row }
}

/// Two jobs: one has succeeded at its second attempt, one has never started.
fn jobs() -> Vec<JobRow> {
    let pending = JobRow {
        job: "nginx1-5".into(),
        workload: "nginx1".into(),
        kind: "Deployment",
        namespace: "namespace1".into(),
        quota: Some("root.a.1".into()),
        user: None,
        pods: 1,
        pods_min: 1,
        state: JobState::Pending,
        submitted_ms: 0,
        started_ms: None,
        ended_ms: None,
        first_wait_ms: 180_000,
        wait_ms: 180_000,
        longest_wait_ms: 180_000,
        at_least: true,
        turnaround_ms: None,
        slowdown_permille: None,
        attempts: 1,
        evictions: 0,
        lost_work_ms: 0,
    };
    let done = JobRow {
        job: "train".into(),
        workload: "train".into(),
        kind: "Training",
        namespace: "namespace3".into(),
        quota: None,
        user: Some("ada".into()),
        pods: 4,
        pods_min: 2,
        state: JobState::Succeeded,
        submitted_ms: 10_000,
        started_ms: Some(12_000),
        ended_ms: Some(150_000),
        first_wait_ms: 2_000,
        wait_ms: 62_000,
        longest_wait_ms: 60_000,
        at_least: false,
        turnaround_ms: Some(140_000),
        slowdown_permille: Some(1_867),
        attempts: 2,
        evictions: 1,
        lost_work_ms: 5_000,
    };
    vec![done, pending]
}

/// A share row with a value in most of its fields.
fn share(pods: u64, cores: i64) -> ShareRow {
    ShareRow {
        used_time_s: cpu_hours(cores),
        pods,
        evicted_for: pods / 2,
        drained: pods / 4,
        cost_milli: 1500 * u128::try_from(cores).unwrap(),
        borrowed_time_s: cpu_hours(cores / 2),
        ..ShareRow::default()
    }
}

/// A quota with this min, max and usage in cores.
fn quota(
    name: &str,
    parent: Option<&str>,
    [min, max, used]: [i64; 3],
    [running, pending, evicted]: [u64; 3],
) -> QuotaRow {
    QuotaRow {
        name: name.into(),
        parent: parent.map(Into::into),
        min: cpu(min),
        max: cpu(max),
        used: cpu(used),
        request: cpu(used + 5 * i64::try_from(pending).unwrap()),
        borrowed: cpu((used - min).max(0)),
        lent: cpu(if parent.is_some() { (min - used).max(0) } else { 0 }),
        held: cpu(0),
        counts: counts([running, pending, evicted]),
        wait: if name == "root.a.1" {
            open_waits(waits(5, 0, 180_000))
        } else {
            waits(running + evicted, 0, 60_000 * evicted)
        },
        share: share(running + evicted, used),
    }
}

/// The demo after nginx3: b.1 has reclaimed its min, a.1 and a.2 still borrow.
fn demo() -> RunResult {
    let tree = [
        ("root", None, [40, 40, 40], [8, 7, 2]),
        ("root.a", Some("root"), [20, 40, 30], [6, 4, 2]),
        ("root.a.1", Some("root.a"), [10, 20, 15], [3, 2, 1]),
        ("root.a.2", Some("root.a"), [10, 20, 15], [3, 2, 1]),
        ("root.b", Some("root"), [20, 40, 10], [2, 3, 0]),
        ("root.b.1", Some("root.b"), [10, 20, 10], [2, 3, 0]),
        ("root.b.2", Some("root.b"), [10, 20, 0], [0, 0, 0]),
    ];
    let namespaces = [
        ("namespace1", "root.a.1", [3, 2, 1]),
        ("namespace2", "root.a.2", [3, 2, 1]),
        ("namespace3", "root.b.1", [2, 3, 0]),
    ];
    let eviction = |pod: &str, namespace: &str, leaf: &str| EvictionRow {
        at_ms: 120_000,
        pod: pod.into(),
        workload: pod[..6].into(),
        namespace: namespace.into(),
        leaf: Some(leaf.into()),
        cause: Some("nginx3-0".into()),
        rule: "R2".into(),
        reason: format!("R2: nginx3-0 reclaims its guaranteed quota; {leaf} was 10 cpu above its min"),
        lost_ms: 60_000,
        user: Some("ada".into()),
        failed: false,
    };
    let waiting = |pod: &str, namespace: &str, leaf: &str, reason: &str| PendingRow {
        pod: pod.into(),
        workload: pod[..6].into(),
        namespace: namespace.into(),
        quota: Some(leaf.into()),
        pods: 1,
        since_ms: 0,
        rule: "A1".into(),
        reason: reason.into(),
        verdict: serde_json::Value::Null,
        user: None,
    };
    let full =
        "A1: the pod requests 5 cpu, and root already uses 40 of its max of 40 cpu; held by: root.a.1 15 cpu in 3 pods";
    let claim = |text: &str, line, passed: bool| ClaimResult {
        claim: text.into(),
        line,
        because: passed.then(|| "b.1 takes its min back, one pod from each sibling".into()),
        passed,
        vacuous: false,
        note: passed
            .then(|| "no min of root.b.2 covers what its pods request, so this claim says nothing about it".into()),
        seen: if passed { "3 running, 2 waiting".into() } else { "2".into() },
        at_ms: Some(180_000),
        explanations: if passed { vec![] } else { vec!["nginx1-4 was evicted for nginx3-0".into()] },
        expected: String::new(),
        expected_value: None,
        seen_value: None,
        breach_to_ms: None,
    };
    RunResult {
        scenario: "nginx-40-core".into(),
        starts_at: None,
        worst_outage: None,
        seed: 1,
        semantics: "1",
        policy: "capacity".into(),
        scenario_digest: "00000000000000000000000000000abc".into(),
        digest: "00000000000000000000000000000def".into(),
        end_s: 180,
        end_ms: 180_000,
        end: EndReason::Quiet,
        quiet_ms: Some(180_000),
        events: 1234,
        quotas: tree.map(|(name, parent, amounts, counts)| quota(name, parent, amounts, counts)).into(),
        namespaces: namespaces
            .map(|(name, leaf, [running, pending, evicted])| NamespaceRow {
                name: name.into(),
                quota: Some(leaf.into()),
                counts: counts([running, pending, evicted]),
                wait: waits(running + evicted, 0, 60_000 * evicted),
                share: ShareRow { pods: running + pending, used_time_s: cpu_hours(15), ..ShareRow::default() },
            })
            .into(),
        users: vec![
            UserRow { name: "ada".into(), role: Some(Role::Admin), groups: vec!["one".into()], work: work() },
            UserRow { name: "bob".into(), role: Some(Role::Researcher), groups: vec![], work: WorkRow::default() },
            UserRow {
                name: "x".into(),
                role: None,
                groups: vec![],
                work: WorkRow { refused: 3, ..WorkRow::default() },
            },
        ],
        groups: vec![
            GroupRow { name: "one".into(), quota: Some("root.a.1".into()), members: vec!["ada".into()], work: work() },
            GroupRow { name: "two".into(), quota: Some("root.b.2".into()), members: vec![], work: WorkRow::default() },
        ],
        workloads: vec![WorkloadRow {
            name: "nginx1".into(),
            namespace: "namespace1".into(),
            user: Some("ada".into()),
            kind: "Deployment",
            counts: counts([3, 2, 1]),
            refused: 0,
            wait: waits(4, 0, 0),
            share: ShareRow { used_time_s: cpu_hours(15), lost_work_ms: 60_000, ..ShareRow::default() },
            input: None,
            instances: None,
            tasks: vec![],
        }],
        jobs: jobs(),
        datasets: Vec::new(),
        nodes: vec![NodeRow {
            name: "node-0".into(),
            pool: "node".into(),
            up: true,
            schedulable: true,
            pods: 8,
            unhealthy: 0,
            capacity: cpu(56),
            allocatable: cpu(56),
            used: cpu(40),
        }],
        evictions: vec![eviction("nginx1-4", "namespace1", "root.a.1"), eviction("nginx2-4", "namespace2", "root.a.2")],
        pending: vec![
            waiting("nginx1-5", "namespace1", "root.a.1", full),
            waiting("nginx1-6", "namespace1", "root.a.1", full),
            waiting("nginx3-2", "namespace3", "root.b.1", "root.b.1 is at its min 10 and may not reclaim"),
        ],
        metrics: Metrics {
            pods_submitted: 17,
            pods_bound: 10,
            evictions: 2,
            evictions_by_rule: [("R2".to_owned(), 2)].into(),
            lost_work_ms: 120_000,
            jobs: JobCounts { submitted: 2, started: 1, succeeded: 1, failed: 0, withdrawn: 0 },
            wait: open_waits(waits(2, 62_000, 180_000)),
            first_wait: open_waits(waits(2, 2_000, 180_000)),
            turnaround: waits(1, 140_000, 140_000),
            slowdown: SlowdownRow {
                count: 1,
                mean_permille: 1_867,
                p50_permille: 1_867,
                p95_permille: 1_867,
                p99_permille: 1_867,
                max_permille: 1_867,
                ..SlowdownRow::default()
            },
            utilisation_permille: [("cpu".to_owned(), 931)].into(),
            starved_unit_s: [("cpu".to_owned(), 600_000)].into(),
            jain_permille: 980,
            ..Metrics::default()
        },
        claims: ClaimSummary {
            passed: 1,
            failed: 1,
            results: vec![
                claim("At 2m30s: Pods(of: namespace1, running: 3, pending: 2)", 31, true),
                claim("Final: Evictions == 4", 32, false),
            ],
        },
        pools: vec![],
        quota_drains: vec![],
        refusals: vec![],
        breaches: vec![],
        failures: vec![],
    }
}

#[test]
fn the_summary_of_the_demo() {
    expect![[r#"
        nginx-40-core  1 of 2 claims failed · policy capacity · seed 1 · ended at 3m · 1,234 events

        Quotas at 3m, in cpu
        QUOTA           MIN  MAX  USED  BORROWED                    RUNNING  PENDING  EVICTED  WAIT p95
        root             40   40    40         ·  ████████████████        8        7        2        2m
        ├─ root.a        20   40    30        10  ████████▓▓▓▓····        6        4        2        2m
        │  ├─ root.a.1   10   20    15         5  ████████▓▓▓▓····        3        2        1       ≥3m
        │  └─ root.a.2   10   20    15         5  ████████▓▓▓▓····        3        2        1        1m
        └─ root.b        20   40    10         ·  ████░░░░········        2        3        ·        0s
           ├─ root.b.1   10   20    10         ·  ████████········        2        3        ·        0s
           └─ root.b.2   10   20     ·         ·  ░░░░░░░░········        ·        ·        ·         ·
        █ used within min   ▓ borrowed   ░ unused min   · room up to max
        ≥ at least: some jobs still wait, or never started
        root.a.1 borrows 5 cpu; root.a.2 borrows 5 cpu. root.b lends 10 cpu; root.b.2 lends 10 cpu.

        NAMESPACE   QUOTA     RUNNING  PENDING  SUCCEEDED  FAILED  EVICTED  WAIT p50/p95/max
        namespace1  root.a.1        3        2          ·       ·        1      0s / 1m / 1m
        namespace2  root.a.2        3        2          ·       ·        1      0s / 1m / 1m
        namespace3  root.b.1        2        3          ·       ·        ·      0s / 0s / 0s

        2 evictions (2 by R2)
          at 2m  nginx1-4 (root.a.1)  R2: nginx3-0 reclaims its guaranteed quota; root.a.1 was 10 cpu above
              its min; lost 1m of work
          at 2m  nginx2-4 (root.a.2)  R2: nginx3-0 reclaims its guaranteed quota; root.a.2 was 10 cpu above
              its min; lost 1m of work

        3 pending pods
          root.a.1: nginx1-5, nginx1-6
              A1: the pod requests 5 cpu, and root already uses 40 of its max of 40 cpu
              held by: root.a.1 15 cpu in 3 pods
          root.b.1: nginx3-2
              root.b.1 is at its min 10 and may not reclaim (A1)

        Metrics from 0s to 3m, when nothing more could happen
          pods             17 submitted, 10 bindings, 0 succeeded, 0 failed
          jobs             2 submitted, 1 started, 1 succeeded, 0 failed
          wait             mean ≥1m 2s, p50 1m 2s, p95 ≥3m, p99 ≥3m, max ≥3m
          to first start   mean ≥2s, p50 2s, p95 ≥3m, p99 ≥3m, max ≥3m
          turnaround       mean 2m 20s, p50 2m 20s, p95 2m 20s, p99 2m 20s, max 2m 20s
          slowdown         mean 1.86, p50 1.86, p95 1.86, p99 1.86, max 1.86
          utilisation      cpu 93.1 %
          evictions        2, 0 of them wasted; 2m of work lost
          unmet guarantee  600 cpu-seconds below min while pods were pending
          fairness         Jain index 0.980 at the end; capacity below fair share 0.0 % at the end

        1 of 2 claims failed
          ✗ Final: Evictions == 4
              line 32: observed at 3m: 2
              nginx1-4 was evicted for nginx3-0
          ✓ At 2m30s: Pods(of: namespace1, running: 3, pending: 2)
              — b.1 takes its min back, one pod from each sibling
              note: no min of root.b.2 covers what its pods request, so this claim says nothing about it

        run digest 00000000000000000000000000000def · semantics version 1
        scenario digest 00000000000000000000000000000abc
    "#]]
    .assert_eq(&summary_text(&demo(), None, &[], Style::default()));
}

#[test]
fn a_narrow_terminal_drops_the_less_important_columns() {
    let text = summary_text(&demo(), None, &[], Style { width: 80, ..Style::default() });
    let table: Vec<_> = text.lines().skip(2).take(3).collect();
    expect![[r#"

        Quotas at 3m, in cpu
        QUOTA           MIN  MAX  USED  BORROWED  RUNNING  PENDING  EVICTED  WAIT p95"#]]
    .assert_eq(&table.join("\n"));
}

#[test]
fn colours_do_not_change_the_text() {
    let style = Style { colour: true, ..Style::default() };
    let coloured = summary_text(&demo(), None, &[], style);
    assert!(coloured.contains("\x1b[31m✗\x1b[0m"));
    let mut plain = String::new();
    for (i, piece) in coloured.split("\x1b[").enumerate() {
        plain.push_str(if i == 0 { piece } else { piece.split_once('m').unwrap().1 });
    }
    assert_eq!(plain, summary_text(&demo(), None, &[], Style::default()));
}

#[test]
fn long_tables_show_the_first_rows_and_count_the_rest() {
    let mut result = demo();
    result.quotas.extend((0..500).map(|i| quota(&format!("q{i}"), Some("root.b"), [0, 1, 0], [0; 3])));
    result.pending = vec![result.pending[0].clone(); 10_000];
    let text = summary_text(&result, None, &[], Style { rows: 20, ..Style::default() });
    assert!(text.contains("… and 487 more quotas"), "{text}");
    assert!(text.contains("10,000 pending pods") && text.contains("(10,000 pods)"), "{text}");
    assert!(text.lines().count() < 80);
}

#[test]
fn the_picture_is_byte_identical() {
    expect_file!["golden/demo.svg"].assert_eq(&tree_svg(&demo()));
}

#[test]
fn summary_json_keeps_the_order_of_its_fields() {
    let value: serde_json::Value = serde_json::from_str(&summary_json(&demo())).unwrap();
    let fields: Vec<_> = value.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        fields,
        [
            "scenario",
            "seed",
            "semantics",
            "policy",
            "scenario_digest",
            "digest",
            "end_s",
            "end_ms",
            "end",
            "quiet_ms",
            "events",
            "quotas",
            "namespaces",
            "users",
            "groups",
            "workloads",
            "jobs",
            "nodes",
            "evictions",
            "pending",
            "metrics",
            "claims"
        ]
    );
    assert_eq!(value["quotas"][2]["used"]["cpu"], "15");
    assert_eq!(
        (&value["users"][0]["role"], &value["users"][0]["used_time_s"]["cpu"]),
        (&"admin".into(), &"54000".into())
    );
}

#[test]
fn tables_as_csv() {
    let tables = tables_csv(&demo());
    let table = |name: &str| &tables.iter().find(|(n, _)| *n == name).unwrap().1;
    expect![[r#"
        quota,parent,resource,min,max,used,request,borrowed,lent,held,running,pending,evicted,jobs,wait_open,wait_sum_ms,wait_p50_ms,wait_p95_ms,wait_p99_ms,wait_max_ms,first_wait_p50_ms,first_wait_p95_ms,first_wait_max_ms,turnaround_p50_ms,turnaround_p95_ms,turnaround_max_ms,slowdown_p50_permille,slowdown_p95_permille,slowdown_max_permille,used_time_s,borrowed_time_s,starved_time_s,cost_milli,at_least
        root,,cpu,40,40,40,75,,,,8,7,2,10,0,0,0,120000,120000,120000,,,,,,,,,,144000,72000,0,60000,
        root.a,root,cpu,20,40,30,50,10,,,6,4,2,8,0,0,0,120000,120000,120000,,,,,,,,,,108000,54000,0,45000,
        root.a.1,root.a,cpu,10,20,15,25,5,,,3,2,1,5,1,0,0,180000,180000,180000,,,,,,,,,,54000,25200,0,22500,wait_sum_ms wait_p95_ms wait_p99_ms wait_max_ms
        root.a.2,root.a,cpu,10,20,15,25,5,,,3,2,1,4,0,0,0,60000,60000,60000,,,,,,,,,,54000,25200,0,22500,
        root.b,root,cpu,20,40,10,25,,10,,2,3,0,2,0,0,0,0,0,0,,,,,,,,,,36000,18000,0,15000,
        root.b.1,root.b,cpu,10,20,10,25,,,,2,3,0,2,0,0,0,0,0,0,,,,,,,,,,36000,18000,0,15000,
        root.b.2,root.b,cpu,10,20,,,,10,,0,0,0,0,0,0,0,0,0,0,,,,,,,,,,0,0,0,0,
    "#]].assert_eq(table("quotas"));
    expect![[r#"
        at_ms,pod,workload,namespace,leaf,cause,rule,reason,lost_ms,user
        120000,nginx1-4,nginx1,namespace1,root.a.1,nginx3-0,R2,R2: nginx3-0 reclaims its guaranteed quota; root.a.1 was 10 cpu above its min,60000,ada
        120000,nginx2-4,nginx2,namespace2,root.a.2,nginx3-0,R2,R2: nginx3-0 reclaims its guaranteed quota; root.a.2 was 10 cpu above its min,60000,ada
    "#]].assert_eq(table("evictions"));
    expect![[r#"
        user,role,groups,running,pending,succeeded,failed,evicted,refused,jobs,wait_open,wait_sum_ms,wait_p50_ms,wait_p95_ms,wait_p99_ms,wait_max_ms,first_wait_p50_ms,first_wait_p95_ms,first_wait_max_ms,turnaround_p50_ms,turnaround_p95_ms,turnaround_max_ms,slowdown_p50_permille,slowdown_p95_permille,slowdown_max_permille,lost_work_ms,pods,evicted_for,wasted_evictions,drained,deadlines_met,deadlines_missed,makespan_ms,cost_milli,resource,used,used_time_s,borrowed,borrowed_time_s,starved_time_s,at_least
        ada,admin,one,3,2,0,0,1,0,4,0,0,0,0,0,0,,,,,,,,,,60000,0,0,0,0,0,0,0,0,cpu,15,54000,,0,0,
        bob,researcher,,0,0,0,0,0,0,0,0,0,0,0,0,0,,,,,,,,,,0,0,0,0,0,0,0,0,0,,,,,,,
        x,,,0,0,0,0,0,3,0,0,0,0,0,0,0,,,,,,,,,,0,0,0,0,0,0,0,0,0,,,,,,,
    "#]].assert_eq(table("users"));
    let empty: Vec<&str> = tables.iter().filter(|(_, text)| text.lines().count() < 2).map(|(name, _)| *name).collect();
    assert_eq!(empty, ["refusals"]);
}

#[test]
fn every_column_has_a_type() {
    let column = |column: &SheetColumn| format!("{} {}", column.exact_name(), column.kind.name());
    let table = |table: &Table<'_>| {
        let columns: Vec<String> = table.columns.iter().map(column).collect();
        format!("{}: {}\n", table.name, columns.join(", "))
    };
    expect![[r#"
        quotas: quota text, parent text, resource text, min_unit units, max_unit units, used_unit units, request_unit units, borrowed_unit units, lent_unit units, held_unit units, running count, pending count, evicted count, jobs count, wait_open count, wait_sum_ms ms, wait_p50_ms ms, wait_p95_ms ms, wait_p99_ms ms, wait_max_ms ms, first_wait_p50_ms ms, first_wait_p95_ms ms, first_wait_max_ms ms, turnaround_p50_ms ms, turnaround_p95_ms ms, turnaround_max_ms ms, slowdown_p50_permille ratio_permille, slowdown_p95_permille ratio_permille, slowdown_max_permille ratio_permille, used_unit_ms unit_ms, borrowed_unit_ms unit_ms, starved_unit_ms unit_ms, cost_milli money_milli, at_least text
        namespaces: namespace text, quota text, running count, pending count, succeeded count, failed count, evicted count
        users: user text, role text, groups text, running count, pending count, succeeded count, failed count, evicted count, refused count, jobs count, wait_open count, wait_sum_ms ms, wait_p50_ms ms, wait_p95_ms ms, wait_p99_ms ms, wait_max_ms ms, first_wait_p50_ms ms, first_wait_p95_ms ms, first_wait_max_ms ms, turnaround_p50_ms ms, turnaround_p95_ms ms, turnaround_max_ms ms, slowdown_p50_permille ratio_permille, slowdown_p95_permille ratio_permille, slowdown_max_permille ratio_permille, lost_work_ms ms, pods count, evicted_for count, wasted_evictions count, drained count, deadlines_met count, deadlines_missed count, makespan_ms ms, cost_milli money_milli, resource text, used_unit units, used_unit_ms unit_ms, borrowed_unit units, borrowed_unit_ms unit_ms, starved_unit_ms unit_ms, at_least text
        groups: group text, quota text, members text, running count, pending count, succeeded count, failed count, evicted count, refused count, jobs count, wait_open count, wait_sum_ms ms, wait_p50_ms ms, wait_p95_ms ms, wait_p99_ms ms, wait_max_ms ms, first_wait_p50_ms ms, first_wait_p95_ms ms, first_wait_max_ms ms, turnaround_p50_ms ms, turnaround_p95_ms ms, turnaround_max_ms ms, slowdown_p50_permille ratio_permille, slowdown_p95_permille ratio_permille, slowdown_max_permille ratio_permille, lost_work_ms ms, pods count, evicted_for count, wasted_evictions count, drained count, deadlines_met count, deadlines_missed count, makespan_ms ms, cost_milli money_milli, resource text, used_unit units, used_unit_ms unit_ms, borrowed_unit units, borrowed_unit_ms unit_ms, starved_unit_ms unit_ms, at_least text
        refusals: at_ms ms, what text, by text, reason text, why text, times count
        workloads: workload text, namespace text, kind text, running count, pending count, succeeded count, failed count, evicted count, jobs count, wait_open count, wait_sum_ms ms, wait_p50_ms ms, wait_p95_ms ms, wait_p99_ms ms, wait_max_ms ms, first_wait_p50_ms ms, first_wait_p95_ms ms, first_wait_max_ms ms, turnaround_p50_ms ms, turnaround_p95_ms ms, turnaround_max_ms ms, slowdown_p50_permille ratio_permille, slowdown_p95_permille ratio_permille, slowdown_max_permille ratio_permille, user text, refused count, lost_work_ms ms, at_least text
        nodes: node text, pool text, up truth, schedulable truth, pods count, resource text, allocatable_unit units, used_unit units, capacity_unit units, unhealthy count
        evictions: at_ms ms, pod text, workload text, namespace text, leaf text, cause text, rule text, reason text, lost_ms ms, user text
        pending: pod text, workload text, namespace text, quota text, since_ms ms, rule text, reason text, user text, pods count
        claims: claim text, line count, passed truth, seen text, at_ms ms, because text
        jobs: job text, workload text, kind text, namespace text, quota text, user text, pods count, pods_min count, state text, submitted_ms ms, started_ms ms, ended_ms ms, first_wait_ms ms, wait_ms ms, longest_wait_ms ms, turnaround_ms ms, slowdown_permille ratio_permille, attempts count, evictions count, lost_work_ms ms, at_least text
    "#]].assert_eq(&tables(&demo()).iter().map(table).collect::<String>());
}

#[test]
fn usage_by_user_group_namespace_and_quota() {
    let tables =
        [By::User, By::Group, By::Namespace, By::Quota].map(|by| breakdown_text(&demo(), by, Style::default()));
    expect![[r#"

        Usage by user
        USER  RUNNING  PENDING  SUCCEEDED  FAILED  EVICTED  WAIT p50/p95/max  USAGE
        ada         3        2          ·       ·        1      0s / 0s / 0s  15.00 cpu-hours
        bob         ·        ·          ·       ·        ·                 ·  ·
        x           ·        ·          ·       ·        ·                 ·  ·

        USER  REFUSED  LOST WORK
        ada         ·         1m
        x           3          ·

        Usage by group
        GROUP  RUNNING  PENDING  SUCCEEDED  FAILED  EVICTED  WAIT p50/p95/max  USAGE
        one          3        2          ·       ·        1      0s / 0s / 0s  15.00 cpu-hours
        two          ·        ·          ·       ·        ·                 ·  ·

        GROUP  LOST WORK
        one           1m

        Usage by namespace
        NAMESPACE   RUNNING  PENDING  SUCCEEDED  FAILED  EVICTED  WAIT p50/p95/max  USAGE
        namespace1        3        2          ·       ·        1      0s / 1m / 1m  15.00 cpu-hours
        namespace2        3        2          ·       ·        1      0s / 1m / 1m  15.00 cpu-hours
        namespace3        2        3          ·       ·        ·      0s / 0s / 0s  15.00 cpu-hours

        Usage by quota
        QUOTA     RUNNING  PENDING  SUCCEEDED  FAILED  EVICTED  WAIT p50/p95/max  USAGE
        root            8        7          ·       ·        2      0s / 2m / 2m  40.00 cpu-hours
        root.a          6        4          ·       ·        2      0s / 2m / 2m  30.00 cpu-hours
        root.a.1        3        2          ·       ·        1    0s / ≥3m / ≥3m  15.00 cpu-hours
        root.a.2        3        2          ·       ·        1      0s / 1m / 1m  15.00 cpu-hours
        root.b          2        3          ·       ·        ·      0s / 0s / 0s  10.00 cpu-hours
        root.b.1        2        3          ·       ·        ·      0s / 0s / 0s  10.00 cpu-hours
        root.b.2        ·        ·          ·       ·        ·                 ·  ·

        QUOTA     EVICTIONS CAUSED  DRAINED    COST  BORROWED
        root                     5        2  60.000  20.00 cpu-hours
        root.a                   4        2  45.000  15.00 cpu-hours
        root.a.1                 2        1  22.500  7.00 cpu-hours
        root.a.2                 2        1  22.500  7.00 cpu-hours
        root.b                   1        ·  15.000  5.00 cpu-hours
        root.b.1                 1        ·  15.000  5.00 cpu-hours
    "#]]
    .assert_eq(&tables.concat());
}

#[test]
fn tenancy_lists_access_and_the_reasons_against_it() {
    let tenancy = Tenancy::of(&demo());
    expect![[r#"
        nginx-40-core at 3m

        USER  ROLE          GROUP  LEAF QUOTA  NAMESPACES              MIN     MAX     USED
        ada   admin         one    root.a.1    namespace1              10 cpu  20 cpu  15 cpu
        bob   researcher    ·      none        is in no group          ·       ·       ·
        x     (undeclared)  ·      none        is not a declared user  ·       ·       ·

        Admins: ada
        Leaf quotas without a group, so no user can use them: root.a.2, root.b.1
        Leaf quotas without a namespace, so nothing can be submitted to them: root.b.2
        Groups without members: two
    "#]]
    .assert_eq(&tenancy_text(&tenancy, None, true, Style::default()));
    expect![[r#"
        nginx-40-core at 3m

        USER  ROLE   GROUP  LEAF QUOTA  NAMESPACES                          MIN     MAX
        ada   admin  one    root.a.1    namespace1                          10 cpu  20 cpu
                     ·      root.a.2    no access: no group is bound to it  ·       ·
                     ·      root.b.1    no access: no group is bound to it  ·       ·
                     ·      root.b.2    no access: is not in group `two`    ·       ·
    "#]]
    .assert_eq(&tenancy_text(&tenancy, Some("ada"), false, Style::default()));
    let nobody = Tenancy { users: Vec::new(), ..tenancy };
    assert!(tenancy_text(&nobody, None, true, Style::default()).ends_with("without a user check.\n"));
}

#[test]
fn a_diff_lists_what_changed_by_kind() {
    let (a, mut b) = (demo(), demo());
    assert!(diff_of(&a, &b).is_empty());
    b.digest = "1".into();
    b.policy = "elastic_quota".into();
    b.quotas[2].used = cpu(10);
    b.quotas[2].wait.max_ms = 360_000;
    b.namespaces[0].counts.running = 2;
    b.namespaces.remove(2);
    b.evictions[1].pod = "nginx1-3".into();
    b.claims.results[1].passed = true;
    expect![[r#"
        nginx-40-core  different run digests, 5 values changed · no team is better or worse off

        Runs
                       FIRST         SECOND
            policy  capacity  elastic_quota

        Claims
                                         FIRST  SECOND
          Final: Evictions == 4  passed  false    true

        Namespaces
                               FIRST  SECOND
          namespace1  running      3       2  -1

        Quotas
                              FIRST  SECOND
          root.a.1  used cpu     15      10
                    wait max    ≥3m     ≥6m  +3m

        First eviction that differs: #2
          - at 2m nginx2-4 is evicted to make room for nginx3-0 (R2)
          + at 2m nginx1-3 is evicted to make room for nginx3-0 (R2)

        Only in the first run
          - namespace namespace3
    "#]]
    .assert_eq(&diff_of(&a, &b).text(Style::default()));
}

#[test]
fn the_table_of_jobs_is_the_same_as_text_csv_and_json() {
    let text = breakdown_text(&demo(), By::Job, Style::default());
    expect![[r#"

        Jobs
        JOB       QUOTA     STATE      FIRST WAIT   WAIT  TURNAROUND  SLOWDOWN  ATTEMPTS  EVICTED
        train     (none)    succeeded          2s  1m 2s      2m 20s      1.86         2        1
        nginx1-5  root.a.1  pending           ≥3m    ≥3m           ·         ·         1        ·
        (no room for KIND, PODS, SUBMITTED, LOST WORK; all with `--format json`)
    "#]]
    .assert_eq(&text);
    let tables = tables_csv(&demo());
    let (_, csv) = tables.iter().find(|(name, _)| *name == "jobs").unwrap();
    expect![[r#"
        job,workload,kind,namespace,quota,user,pods,pods_min,state,submitted_ms,started_ms,ended_ms,first_wait_ms,wait_ms,longest_wait_ms,turnaround_ms,slowdown_permille,attempts,evictions,lost_work_ms,at_least
        train,train,Training,namespace3,,ada,4,2,succeeded,10000,12000,150000,2000,62000,60000,140000,1867,2,1,5000,
        nginx1-5,nginx1,Deployment,namespace1,root.a.1,,1,1,pending,0,,,180000,180000,180000,,,1,0,0,first_wait_ms wait_ms longest_wait_ms
    "#]].assert_eq(csv);
    let json: serde_json::Value = serde_json::from_str(&summary_json(&demo())).unwrap();
    // `summary.json` has the same names and values: null is empty. It only says whether the waits are lower bounds, not which.
    let mut lines = csv.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let names = lines.next().unwrap();
    for (row, fields) in json["jobs"].as_array().unwrap().iter().zip(lines) {
        let row = row.as_object().unwrap();
        assert_eq!(row.len(), names.len());
        for (name, field) in names.iter().zip(fields) {
            match &row[*name] {
                serde_json::Value::Bool(at_least) => assert_eq!(*at_least, !field.is_empty()),
                serde_json::Value::Null => assert_eq!(field, ""),
                serde_json::Value::String(text) => assert_eq!(field, text),
                other => assert_eq!(field, other.to_string()),
            }
        }
    }
}

#[test]
fn a_difference_of_horizons_is_told() {
    let (a, mut b) = (demo(), demo());
    assert_eq!(diff_of(&a, &b).ends_ms, None);
    b.end_ms = 3_600_000;
    let diff = diff_of(&a, &b);
    assert_eq!(diff.ends_ms, Some((180_000, 3_600_000)));
    let told = "The runs end at different times, 3m and 1h, so amounts over time, counts and waits cannot be compared.";
    assert_eq!(diff.text(Style { width: 120, ..Style::default() }).lines().nth(1), Some(told));
}

fn diff_of(a: &RunResult, b: &RunResult) -> quotree_reports::Diff {
    let value = |result| serde_json::from_str(&summary_json(result)).unwrap();
    diff(&value(a), &value(b)).unwrap()
}

#[test]
fn a_file_that_is_not_a_summary_is_an_error() {
    let summary = serde_json::to_value(demo()).unwrap();
    let error = diff(&summary, &serde_json::json!({ "quotas": 3 })).unwrap_err();
    assert_eq!(error.to_string(), "the second file is not the summary.json of a run: it has no list `quotas`");
    assert!(diff(&serde_json::json!([]), &summary).is_err());
}
