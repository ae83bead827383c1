//! Reports to test the page with: the lab day (from a real run), and reports that lack something, are hostile, or are large.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, dead_code, reason = "for tests, each of which uses a part")]

use quotree_page::model::{
    Amount, AmountTime, Claim, Cluster, Job, JobState, Node, NodeSpan, NodeState, Placement, PlacementEnd, Pod, Quota,
    QuotaSeries, Report, Resource, ResourceKind, ResourceSeries, ResourceTotals, Run, SCHEMA, Series, Shape, Step,
    Wait, WaitQuantiles,
};

/// The day of a research lab.
pub(crate) fn lab() -> Report {
    serde_json::from_str(include_str!("../fixture/research-lab.json")).unwrap()
}

/// A run in which nothing happened.
pub(crate) fn empty() -> Report {
    Report { schema: SCHEMA, run: Run { scenario: "nothing".to_owned(), ..Run::default() }, ..Report::default() }
}

/// The lab without its quota tree.
pub(crate) fn without_quota() -> Report {
    let mut report = lab();
    report.quotas.clear();
    report.quota_series.clear();
    report.loans.clear();
    report.quota_edits.clear();
    report.findings.clear();
    report.evictions.clear();
    report.wait_steps.retain(|w| w.quota.is_none());
    report.placements.iter_mut().for_each(|p| p.eviction = None);
    report.jobs.iter_mut().for_each(|job| job.quota = None);
    report.wait_times.iter_mut().for_each(|w| w.quota = None);
    report.verdicts.clear();
    report.waits.iter_mut().for_each(|w| (w.verdict, w.quota) = (None, None));
    report.people.groups.clear();
    report.claims.iter_mut().for_each(|c| c.quotas.clear());
    report.resources.iter_mut().for_each(|r| r.governed = false);
    report
}

/// A run that fails claims, on cores alone, without a price, of three days, with work left at the end.
pub(crate) fn failed_without_gpu() -> Report {
    let cpu = 0;
    let day = 86_400_000;
    let resource = |name: &str, kind, unit: &str, units: &str, governed| Resource {
        name: name.to_owned(),
        short: if kind == ResourceKind::Cpu { "CPU" } else { "Memory" }.to_owned(),
        unit: unit.to_owned(),
        units: units.to_owned(),
        kind,
        governed,
    };
    let steps =
        |values: &[(u64, i64)]| Series::of(values.iter().map(|(at_ms, value)| Step { at_ms: *at_ms, value: *value }));
    let quota = |name: &str, parent, leaf| Quota { name: name.to_owned(), parent, leaf, ..Quota::default() };
    let series = |quota, used: &[(u64, i64)], borrowed: &[(u64, i64)]| QuotaSeries {
        quota,
        resource: cpu,
        min: steps(&[(0, 4000)]),
        max: steps(&[(0, -1)]),
        used: steps(used),
        request: steps(used),
        borrowed: steps(borrowed),
        used_unit_s: 6000 * 86_400,
        borrowed_unit_s: if borrowed.is_empty() { 0 } else { 2000 * 86_400 },
        ..QuotaSeries::default()
    };
    Report {
        schema: SCHEMA,
        run: Run {
            scenario: "three-days".to_owned(),
            policy: "capacity".to_owned(),
            end_ms: 3 * day,
            ..Run::default()
        },
        totals: quotree_page::model::Totals {
            pods_submitted: 2,
            pods_bound: 1,
            longest_wait_pod: Some(1),
            longest_wait_ms: 2 * day,
            resources: vec![ResourceTotals {
                resource: cpu,
                utilisation_permille: 750,
                used_unit_s: 6000 * 3 * 86_400,
                capacity_unit_s: 8000 * 3 * 86_400,
                borrowed_unit_s: 2000 * 86_400,
                ..ResourceTotals::default()
            }],
            ..Default::default()
        },
        resources: vec![
            resource("cpu", ResourceKind::Cpu, "core", "cores", true),
            resource("memory", ResourceKind::Bytes, "", "", false),
        ],
        quotas: vec![quota("root", None, false), quota("root.a", Some(0), true), quota("root.b", Some(0), true)],
        quota_series: vec![
            series(0, &[(0, 6000)], &[(day, 2000)]),
            series(1, &[(0, 6000)], &[(day, 2000)]),
            series(2, &[(0, 0)], &[]),
        ],
        cluster: Cluster {
            resources: vec![ResourceSeries {
                resource: cpu,
                capacity: steps(&[(0, 8000)]),
                allocated: steps(&[(0, 6000)]),
                most_free: steps(&[(0, 2000)]),
                fits: Vec::new(),
            }],
            nodes_ready: steps(&[(0, 1)]),
            nodes_total: steps(&[(0, 1)]),
            pods_waiting: steps(&[(day, 1)]),
            pods_running: steps(&[(0, 1)]),
            ..Cluster::default()
        },
        nodes: vec![Node {
            name: "node-0".to_owned(),
            pool: "pool".to_owned(),
            capacity: vec![Amount { resource: cpu, amount: 8000 }],
            spans: vec![NodeSpan { from_ms: 0, to_ms: 3 * day, state: NodeState::Ready, cause: String::new() }],
            ..Node::default()
        }],
        shapes: vec![Shape { request: vec![Amount { resource: cpu, amount: 6000 }], ..Shape::default() }],
        jobs: ["first", "second"].iter().zip(0..).map(|(name, i)| job(name, i * day, i == 0)).collect(),
        pods: ["first-1", "second-1"].iter().zip(0..).map(|(name, i)| pod(name, i, u64::from(i) * day)).collect(),
        placements: vec![Placement { pod: 0, node: 0, bound_ms: 0, running_ms: Some(0), ..Placement::default() }],
        waits: vec![Wait {
            pod: 1,
            from_ms: day,
            to_ms: 3 * day,
            rule: "P1".to_owned(),
            resource: Some(cpu),
            needed: Some(6000),
            available: Some(2000),
            ..Wait::default()
        }],
        claims: vec![
            Claim {
                claim: "Always(Invariants)".to_owned(),
                passed: true,
                expected: "always".to_owned(),
                seen: "no violation".to_owned(),
                at_ms: Some(3 * day),
                ..Claim::default()
            },
            Claim {
                claim: "Final(Pods(running: 2))".to_owned(),
                passed: false,
                expected: "2 running".to_owned(),
                seen: "1 running".to_owned(),
                at_ms: Some(3 * day),
                breach_from_ms: Some(2 * day),
                breach_to_ms: Some(3 * day),
                jobs: vec![1],
                ..Claim::default()
            },
        ],
        ..Report::default()
    }
}

fn job(name: &str, submitted_ms: u64, runs: bool) -> Job {
    Job {
        name: name.to_owned(),
        workload: name.to_owned(),
        kind: "Job".to_owned(),
        namespace: "a".to_owned(),
        quota: Some(1),
        submitted_ms,
        first_bound_ms: runs.then_some(submitted_ms),
        state: if runs { JobState::Running } else { JobState::Pending },
        gang: 1,
        gang_min: 1,
        request: vec![Amount { resource: 0, amount: 6000 }],
        used: vec![AmountTime { resource: 0, unit_s: if runs { 6000 * 3 * 86_400 } else { 0 } }],
        ..Job::default()
    }
}

fn pod(name: &str, job: u32, created_ms: u64) -> Pod {
    Pod { name: name.to_owned(), job, shape: 0, created_ms, ..Pod::default() }
}

/// Names that break pages which paste them into markup, scripts, addresses or lines.
pub(crate) const HOSTILE: [&str; 9] = [
    "<b>bold</b>",
    "</script><script>window.hacked = 1</script>",
    "\"><img src=x onerror=\"window.hacked = 1\">",
    "a'b\"c`d&amp;e",
    "line\u{2028}end\u{2029}\r\n",
    "😀 rocket 🚀 e\u{301}",
    "\u{202e}txt.exe",
    "javascript:window.hacked=1//#?s=job:x&t=1%41",
    "a-name-that-is-far-too-long-for-any-cell-of-any-table-and-goes-on-and-on-and-on-and-on-and-on-and-on-and-on-and-on-and-on",
];

/// The lab, with hostile names for everything that has one.
pub(crate) fn hostile() -> Report {
    let mut report = lab();
    let name = |i: usize| format!("{}{i}", HOSTILE[i % HOSTILE.len()]);
    report.run.scenario = HOSTILE[1].to_owned();
    report.run.about = HOSTILE[2].to_owned();
    report.run.policy = HOSTILE[0].to_owned();
    report.run.command = HOSTILE[3].to_owned();
    report.run.currency = HOSTILE[0].to_owned();
    for (i, quota) in report.quotas.iter_mut().enumerate() {
        quota.name = name(i + 1);
        quota.namespaces.iter_mut().chain(&mut quota.groups).for_each(|n| *n = name(i));
    }
    for (i, node) in report.nodes.iter_mut().enumerate() {
        node.name = name(i);
        (node.rack, node.model) = (Some(HOSTILE[i % 4].to_owned()), Some(name(i)));
        node.labels = vec![name(i)];
        node.spans.iter_mut().for_each(|span| span.cause = name(i));
    }
    for (i, job) in report.jobs.iter_mut().enumerate() {
        (job.name, job.kind, job.namespace) = (name(i), name(i), name(i));
        (job.user, job.framework) = (Some(name(i)), String::new());
    }
    report.pods.iter_mut().enumerate().for_each(|(i, pod)| (pod.name, pod.role) = (name(i), name(i)));
    for (i, user) in report.people.users.iter_mut().enumerate() {
        (user.name, user.role, user.groups) = (name(i), name(i), vec![name(i)]);
    }
    for (i, verdict) in report.verdicts.iter_mut().enumerate() {
        (verdict.binding.text, verdict.helps) = (name(i), vec![name(i)]);
        verdict.spared.iter_mut().for_each(|s| s.why = name(i));
        verdict.also.iter_mut().for_each(|o| o.text = name(i));
        (verdict.binding.needed, verdict.binding.rule) = (None, name(i));
    }
    report.waits.iter_mut().enumerate().for_each(|(i, wait)| wait.rule = name(i));
    report.evictions.iter_mut().enumerate().for_each(|(i, e)| (e.rule, e.reason) = (name(i), name(i)));
    for (i, refusal) in report.refusals.iter_mut().enumerate() {
        (refusal.what, refusal.by, refusal.why) = (name(i), Some(name(i)), name(i + 1));
    }
    for (i, claim) in report.claims.iter_mut().enumerate() {
        (claim.claim, claim.because) = (name(i), Some(name(i)));
        (claim.expected, claim.seen, claim.explanations) = (name(i), name(i), vec![name(i)]);
    }
    for (i, finding) in report.findings.iter_mut().enumerate() {
        use quotree_page::model::{Piece, SubjectKind};
        finding.pieces =
            vec![Piece::Text(name(i)), Piece::Subject { kind: SubjectKind::Job, name: name(i) }, Piece::Rule(name(i))];
    }
    report.incidents.iter_mut().for_each(|i| (i.what, i.kind) = (HOSTILE[1].to_owned(), HOSTILE[0].to_owned()));
    for (i, resource) in report.resources.iter_mut().enumerate() {
        (resource.name, resource.short) = (name(i), name(i));
        (resource.unit, resource.units) = (name(i), name(i));
    }
    report.rules.iter_mut().enumerate().for_each(|(i, r)| (r.title, r.text) = (name(i), name(i)));
    report.wait_times.iter_mut().enumerate().for_each(|(i, w)| w.rule = name(i));
    report.wait_steps.iter_mut().for_each(|w| {
        if !w.size.is_empty() {
            w.size = HOSTILE[1].to_owned();
        }
    });
    report.datasets.iter_mut().for_each(|d| (d.name, d.phase) = (HOSTILE[1].to_owned(), HOSTILE[0].to_owned()));
    report
}

/// So many jobs of one pod each, over thirty days, on 64 nodes, in twenty leaves of four branches.
pub(crate) fn large(jobs: u32) -> Report {
    let end_ms = 30 * 86_400_000;
    let mut report = lab();
    report.run.scenario = "large".to_owned();
    report.run.end_ms = end_ms;
    let leaf = |i: u32| Quota {
        name: format!("org.b{}.team-{i}", i % 4),
        parent: Some(1 + i % 4),
        leaf: true,
        min: vec![Amount { resource: 0, amount: 16_000 }],
        wait: WaitQuantiles { count: 1, ..WaitQuantiles::default() },
        ..Quota::default()
    };
    let inner = |name: String, parent| Quota { name, parent, ..Quota::default() };
    report.quotas = std::iter::once(inner("org".to_owned(), None))
        .chain((0..4).map(|b| inner(format!("org.b{b}"), Some(0))))
        .chain((0..20).map(leaf))
        .collect();
    let wave = |k: u64| Series::Buckets {
        bucket_ms: end_ms / 2000,
        min: (0..2000).map(|i| i64::try_from((i * k) % 12 * 1000).unwrap()).collect(),
        max: (0..2000).map(|i| i64::try_from((i * k) % 12 * 1000 + 8000).unwrap()).collect(),
        mean: (0..2000).map(|i| i64::try_from((i * k) % 12 * 1000 + 4000).unwrap()).collect(),
        last: None,
    };
    report.quota_series = (0..25_u32)
        .map(|q| QuotaSeries {
            quota: q,
            resource: 0,
            min: Series::of([Step { at_ms: 0, value: 16_000 }]),
            max: Series::of([Step { at_ms: 0, value: -1 }]),
            used: wave(u64::from(q) + 3),
            request: wave(u64::from(q) + 3),
            borrowed: Series::of([Step { at_ms: 0, value: 0 }]),
            lent: wave(2),
            missed: Series::of([Step { at_ms: 0, value: 0 }]),
            share: wave(5),
            used_unit_s: 1_000_000_000,
            ..QuotaSeries::default()
        })
        .collect();
    (report.loans, report.evictions, report.incidents, report.findings) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    (report.quota_edits, report.refusals, report.verdicts, report.loads) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    (report.wait_times, report.wait_steps, report.claims, report.waits) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let template = report.nodes[0].clone();
    report.nodes = (0..64)
        .map(|i| Node {
            name: format!("gpu-{i}"),
            rack: Some(format!("rack-{}", i / 8)),
            spans: vec![NodeSpan { from_ms: 0, to_ms: end_ms, state: NodeState::Ready, cause: String::new() }],
            ..template.clone()
        })
        .collect();
    (report.jobs, report.pods, report.placements) = (Vec::new(), Vec::new(), Vec::new());
    report.totals.longest_wait_pod = Some(0);
    // A generator of random numbers without state of its own: what varies in real runs must vary here, too, or it would
    // compress too well.
    let mix = |n: u64| {
        (n ^ (n >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd).rotate_left(31).wrapping_mul(0xc4ce_b9fe_1a85_ec53) >> 20
    };
    for i in 0..jobs {
        let n = u64::from(i);
        let submitted_ms = end_ms / u64::from(jobs) * n + mix(n) % 1000;
        let (wait, run) =
            (if mix(n + 1).is_multiple_of(3) { mix(n) % 3_600_000 } else { 0 }, 60_000 + mix(n + 7) % 20_000_000);
        let (bound, gone) = (submitted_ms + wait, (submitted_ms + wait + run).min(end_ms));
        let (quota, node) = (5 + u32::try_from(mix(n) % 20).unwrap(), u32::try_from(mix(n + 3) % 64).unwrap());
        report.jobs.push(Job {
            name: format!("job-{i}"),
            workload: "trace".to_owned(),
            kind: "row".to_owned(),
            namespace: format!("ns-{quota}"),
            quota: Some(quota),
            user: Some(format!("user-{}", mix(n) % 300)),
            submitted_ms,
            first_bound_ms: Some(bound),
            ended_ms: Some(gone),
            state: JobState::Succeeded,
            gang: 1,
            gang_min: 1,
            request: vec![Amount { resource: 0, amount: 1000 }],
            longest_wait_ms: wait,
            wait_ms: u128::from(wait),
            used: vec![AmountTime { resource: 0, unit_s: u128::from(run) }],
            cost_milli: u128::from(run) / 1000,
            ..Job::default()
        });
        report.pods.push(Pod {
            name: format!("job-{i}-1"),
            job: i,
            shape: 2,
            created_ms: submitted_ms,
            ended_ms: Some(gone),
            end: Some(PlacementEnd::Succeeded),
            ..Pod::default()
        });
        if wait > 0 {
            report.waits.push(Wait {
                pod: i,
                from_ms: submitted_ms,
                to_ms: bound,
                rule: "P1".to_owned(),
                resource: Some(0),
                needed: Some(1000),
                available: Some(0),
                ..Wait::default()
            });
        }
        report.placements.push(Placement {
            pod: i,
            node,
            devices: vec![u32::try_from(mix(n + 9) % 8).unwrap()],
            bound_ms: bound,
            running_ms: Some(bound + 2000),
            gone_ms: Some(gone),
            end: Some(PlacementEnd::Succeeded),
            ..Placement::default()
        });
    }
    report.placements.sort_by_key(|p| p.bound_ms);
    report.cluster.resources.iter_mut().for_each(|r| {
        (r.capacity, r.allocated, r.most_free) = (Series::of([Step { at_ms: 0, value: 512_000 }]), wave(11), wave(3))
    });
    report
}
