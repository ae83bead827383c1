//! Datasets in whole runs: every number was computed by hand from docs/datasets.md.
#![expect(clippy::unwrap_used, reason = "test support: a failure is a failed test")]

use quotree_sim::{
    Run, RunOptions, run,
    scenario::{MapLoader, load},
};

fn played(text: &str) -> Run {
    let loaded = load("x.ron", &MapLoader::new().with("x.ron", text));
    let told: Vec<String> = loaded.diagnostics.iter().map(ToString::to_string).collect();
    assert_eq!(told, Vec::<String>::new());
    let scenario = loaded.scenario.unwrap();
    let options = RunOptions { audit: true, ..RunOptions::default() };
    let (one, two) = (run(&scenario, &options, &mut ()).unwrap(), run(&scenario, &options, &mut ()).unwrap());
    assert_eq!(serde_json::to_string(&one.result).unwrap(), serde_json::to_string(&two.result).unwrap());
    assert_eq!(one.result.breaches, []);
    for claim in &one.result.claims.results {
        assert!(claim.passed, "{}\nseen {} at {:?}", claim.claim, claim.seen, claim.at_ms);
    }
    one
}

/// A world of four nodes of four cores each, with these further fields.
fn world(fields: &str) -> Run {
    played(&format!(
        r#"Scenario(name: "x", cluster: [NodePool(name: "n", count: 4, allocatable: {{ "cpu": "4" }})],
        quota: Quota(name: "root", min: {{ "cpu": "16" }}, max: {{ "cpu": "16" }}, namespaces: ["ns"]), {fields})"#
    ))
}

/// 100 GB at 1 GB/s.
const PLAIN: &str = r#"datasets: [Dataset(name: "d", namespace: "ns", size: "100G", backend: "1GB/s")],"#;

fn training(members: u32, min: u32, runtime: &str, reads: &str) -> String {
    format!(
        r#"Training(name: "t", namespace: "ns", runtime: "{runtime}", reads: Reads("d", {reads}), roles: [
            Role(name: "worker", replicas: {members}, min: {min}, request: {{ "cpu": "4" }})])"#
    )
}

#[test]
fn a_step_takes_the_longer_of_compute_and_input_or_their_sum() {
    // 100 s of input.
    for (runtime, prefetch, end) in
        [("60s", true, 100_000), ("60s", false, 160_000), ("130s", true, 130_000), ("130s", false, 230_000)]
    {
        let t = training(2, 2, runtime, &format!("prefetch: {prefetch}"));
        let run = world(&format!("{PLAIN} workloads: [{t}]"));
        assert_eq!(run.result.metrics.makespan_ms, end, "{runtime} {prefetch}");
        let computes = if runtime == "60s" { 60_000 } else { 130_000 };
        assert_eq!(run.result.workloads[0].input.unwrap().wait_ms, end - computes);
    }
}

#[test]
fn fewer_members_compute_more_slowly_and_read_as_fast() {
    // Four members take 100 s to compute and, sharing the backend, 100 s to read. At 50 s two are lost: computing takes
    // twice as long from then on, reading as long as before. With prefetch, 1 GB/s: 50 GB are left, and take 100 s
    // at 0.5 GB/s. One after the other, 1 / (1 + 1) GB/s: 75 GB are left, and take 225 s at 1 / (1 + 2) GB/s.
    for (prefetch, end) in [(true, 150_000), (false, 275_000)] {
        let t = training(4, 2, "100s", &format!("prefetch: {prefetch}"));
        let events = r#"events: [At("50s", NodeDown("n-2")), At("50s", NodeDown("n-3"))],"#;
        let run = world(&format!("{PLAIN} {events} workloads: [{t}]"));
        assert_eq!(run.result.metrics.makespan_ms, end, "{prefetch}");
        assert_eq!(run.result.workloads[0].input.unwrap().read_bytes, 100_000_000_000);
    }
}

#[test]
fn input_since_the_checkpoint_is_read_again() {
    // 200 s of input for 100 s of steps. At 125 s 62.5 s are done and 60 s are saved: 2.5 s are lost. From 200 s, after
    // 5 s of start-up, the other 40 s of steps take 80 s.
    let run = world(&format!(
        r#"{PLAIN} events: [At("125s", NodeDown("n-0")), At("125s", NodeDown("n-1")), At("125s", NodeDown("n-2")),
        At("125s", NodeDown("n-3")), At("200s", NodeUp("n-0"))],
        workloads: [Training(name: "t", namespace: "ns", runtime: "100s", checkpoint: "10s", restart_overhead: "5s",
            reads: Reads("d", passes: 2), roles: [Role(name: "worker", request: {{ "cpu": "4" }})])],
        expect: [Final(LostWork(exactly: "2.5s"))]"#
    ));
    assert_eq!(run.result.metrics.makespan_ms, 285_000);
    assert_eq!(run.result.workloads[0].input.unwrap().read_bytes, 205_000_000_000);
}

#[test]
fn a_retried_pod_of_a_job_reads_the_input_that_was_not_saved() {
    // 40 GB alone at 1 GB/s for 10 s of work. Lost at 22 s, 5.5 s are done and 4 s are saved: 6 of 10 s are left, 24
    // GB.
    let run = world(&format!(
        r#"{PLAIN} events: [At("22s", NodeDown("n-0"))],
        workloads: [Job(name: "j", namespace: "ns", runtime: "10s", checkpoint: "2s", request: {{ "cpu": "4" }},
            reads: Reads("d", bytes: "40G"))], expect: [Final(LostWork(exactly: "1.5s"))]"#
    ));
    assert_eq!(run.result.metrics.makespan_ms, 46_000);
}

#[test]
fn readers_share_the_backend_and_free_their_share_when_they_end() {
    // Two pods of a job and, from 20 s, a training of two: at 20 s each pod has 10 of its 30 GB. Four share until the
    // training is withdrawn at 60 s: 10 GB more each. Two share again: the last 10 GB take 20 s.
    let t = training(2, 2, "1s", "passes: 5").replace("runtime", "submit: \"20s\", runtime");
    let run = world(&format!(
        r#"{PLAIN} events: [At("60s", Withdraw("t"))], workloads: [Job(name: "j", namespace: "ns", completions: 2,
            parallelism: 2, runtime: "1s", request: {{ "cpu": "4" }}, reads: Reads("d", bytes: "30G")), {t}]"#
    ));
    assert_eq!(run.result.metrics.makespan_ms, 80_000);
    let read = |i: usize| run.result.workloads[i].input.unwrap().read_bytes;
    assert_eq!((read(0), read(1)), (60_000_000_000, 20_000_000_000));
}

#[test]
fn only_members_of_reading_roles_share_the_backend() {
    // A training of one worker and three other members, beside a job: each gets half of the backend if the other
    // members do not read, and the training four fifths if they do. 50 GB.
    for (roles, end) in [(r#", roles: ["worker"]"#, [100_000, 100_000]), ("", [62_500, 100_000])] {
        let run = world(&format!(
            r#"{PLAIN} workloads: [Training(name: "t", namespace: "ns", runtime: "1s", reads: Reads("d", bytes: "50G"{roles}),
            roles: [Role(name: "ps", replicas: 3, request: {{ "cpu": "1" }}), Role(name: "worker", request: {{ "cpu": "4" }})]),
            Job(name: "j", namespace: "ns", runtime: "1s", request: {{ "cpu": "4" }}, reads: Reads("d", bytes: "50G"))],
            expect: [At("{}ms", Pods(of: Workload("t"), succeeded: 4)), At("{}ms", Pods(of: Workload("t"), running: 4))]"#,
            end[0],
            end[0] - 1
        ));
        assert_eq!(run.result.metrics.makespan_ms, end[1], "{roles}");
    }
}

#[test]
fn a_scaling_curve_changes_the_compute_rate_only() {
    // Two members are 1.6 times as fast as one: their steps take 80 s, and so does the input. At 40 s one is lost with
    // half of the work done; the remaining one needs 64 s for the other half.
    let fields = r#"events: [At("40s", NodeDown("n-3")), At("40s", NodeDown("n-2")), At("40s", NodeDown("n-1"))],
        workloads: [Training(name: "t", namespace: "ns", runtime: "80s", scaling: Table({ 1: "100%", 2: "160%" }),
            reads: Reads("d", bytes: "80G"), roles: [Role(name: "worker", replicas: 2, min: 1, request: { "cpu": "4" })])],
        expect: [At("103.999s", Pods(of: Workload("t"), running: 1))]"#;
    let run = world(&format!("{PLAIN} {fields}"));
    assert_eq!(run.result.metrics.makespan_ms, 104_000);
}

#[test]
fn checkpoint_costs_are_part_of_computing() {
    // 100 s of work with nine checkpoints of 2 s: 118 s of computing. With prefetch, 100 s of input fit into that; one
    // after the other, they take 218 s. The same for a pod of a job.
    for (prefetch, end) in [(true, 118_000), (false, 218_000)] {
        let reads = format!("prefetch: {prefetch}");
        let t =
            training(1, 1, "100s", &reads).replace("runtime", "checkpoint: \"10s\", checkpoint_cost: \"2s\", runtime");
        assert_eq!(world(&format!("{PLAIN} workloads: [{t}]")).result.metrics.makespan_ms, end);
        let j = format!(
            r#"Job(name: "j", namespace: "ns", runtime: "100s", checkpoint: "10s", checkpoint_cost: "2s",
            request: {{ "cpu": "4" }}, reads: Reads("d", {reads}))"#
        );
        assert_eq!(world(&format!("{PLAIN} workloads: [{j}]")).result.metrics.makespan_ms, end);
    }
}

#[test]
fn runtime_limits_include_waiting_for_input() {
    // 100 s of input for 10 s of work: within a limit of 100 s, not of 99.999 s.
    for (limit, failed) in [("100s", 0), ("99.999s", 1)] {
        let t = training(1, 1, "10s", "").replace("runtime", &format!("runtime_limit: \"{limit}\", runtime"));
        let j = format!(
            r#"Job(name: "j", namespace: "ns", runtime: "10s", runtime_limit: "{limit}", request: {{ "cpu": "4" }},
            reads: Reads("d"))"#
        );
        for workload in [t, j] {
            let run = world(&format!("{PLAIN} workloads: [{workload}]"));
            assert_eq!(run.result.metrics.pods_failed, failed, "{workload}");
            assert_eq!(run.result.metrics.pods_succeeded, 1 - failed, "{workload}");
        }
    }
}

#[test]
fn tasks_and_instances_read_and_count_as_one() {
    // A job reads 20 GB in 20 s, then a training 30 GB in 30 s; the second instance arrives at 60 s. Then two cron jobs
    // of 5 GB.
    let run = world(&format!(
        r#"{PLAIN} workloads: [
            Workflow(name: "w", namespace: "ns", arrivals: Every(period: "60s", count: 2), tasks: [
                Job(name: "prepare", runtime: "1s", request: {{ "cpu": "4" }}, reads: Reads("d", bytes: "20G")),
                Training(name: "train", after: ["prepare"], runtime: "1s", reads: Reads("d", bytes: "30G"),
                    roles: [Role(name: "worker", request: {{ "cpu": "4" }})])]),
            CronJob(name: "c", namespace: "ns", submit: "120s", every: "60s", count: 2, runtime: "1s", request: {{ "cpu": "1" }},
                reads: Reads("d", bytes: "5G"))],
        expect: [At("49.999s", Pods(of: Workload("w"), succeeded: 1)), At("50s", Pods(of: Workload("w"), succeeded: 2)),
            At("110s", Pods(of: Workload("w"), succeeded: 4)), Final(InputWait(of: Workload("w"), exactly: "96s")),
            Final(InputWait(of: Task("w", "train"), exactly: "58s"))]"#
    ));
    assert_eq!(run.result.metrics.makespan_ms, 185_000);
    let input = |i: usize| run.result.workloads[i].input.unwrap();
    assert_eq!((input(0).read_bytes, input(0).took_ms), (100_000_000_000, 100_000));
    assert_eq!((input(1).read_bytes, input(1).wait_ms), (10_000_000_000, 8_000));
}

#[test]
fn roles_that_do_not_work_do_not_read_unless_they_are_named() {
    // Beside a job that reads: a launcher and a worker share the backend with it in halves, or in thirds.
    for (roles, end) in [("", 100_000), (r#", roles: ["worker", "launcher"]"#, 75_000)] {
        let run = world(&format!(
            r#"{PLAIN} workloads: [Training(name: "t", namespace: "ns", framework: MPI, runtime: "1s",
            reads: Reads("d", bytes: "50G"{roles}), roles: [Role(name: "launcher", request: {{ "cpu": "1" }}),
            Role(name: "worker", request: {{ "cpu": "4" }})]),
            Job(name: "j", namespace: "ns", runtime: "1s", request: {{ "cpu": "4" }}, reads: Reads("d", bytes: "50G"))],
            expect: [At("{end}ms", Pods(of: Workload("t"), succeeded: 2)), At("{}ms", Pods(of: Workload("t"), running: 2))]"#,
            end - 1
        ));
        assert_eq!(run.result.metrics.makespan_ms, 100_000, "{roles}");
    }
}

fn cached(more: &str) -> String {
    format!(
        r#"datasets: [Dataset(name: "d", namespace: "ns", size: "100G", backend: "1GB/s", accelerate: Accelerate(
            quota: "200G", tier: SSD, local: "10GB/s", remote: "2GB/s", request: {{ "cpu": "1" }}{more}))],"#
    )
}

#[test]
fn a_pod_on_a_node_with_a_worker_reads_locally_and_a_gang_as_its_slowest_member() {
    // The second pass: 10 s at 10 GB/s, 50 s at 2 GB/s. Of two members only one has a worker on its node, and each
    // reads its half: 2 x 2 GB/s. With a worker on each of two nodes, 2 x 10 GB/s.
    let one = |cpus: u32| format!(r#"roles: [Role(name: "worker", request: {{ "cpu": "{cpus}" }})]"#);
    let two = r#"roles: [Role(name: "worker", replicas: 2, request: { "cpu": "3" })]"#.to_owned();
    let on_each = r#", workers: 2, selector: { "pool": "b" }"#;
    let rows = [
        ("", one(3), 110_000),
        ("", one(4), 150_000),
        ("", two.clone(), 125_000),
        (on_each, two.replace("request", "selector: { \"pool\": \"b\" }, request"), 105_000),
    ];
    for (more, roles, end) in rows {
        let run = played(&format!(
            r#"Scenario(name: "x", cluster: [NodePool(name: "a", count: 2, allocatable: {{ "cpu": "4" }}),
                NodePool(name: "b", count: 2, allocatable: {{ "cpu": "4" }}, labels: {{ "pool": "b" }})],
            policy: Capacity(placement: {}),
            quota: Quota(name: "root", min: {{ "cpu": "16" }}, max: {{ "cpu": "16" }}, namespaces: ["ns"]), {}
            workloads: [Training(name: "t", namespace: "ns", runtime: "1s", reads: Reads("d", passes: 2), {roles})])"#,
            if more.is_empty() { "BestFit" } else { "Spread" },
            cached(more)
        ));
        assert_eq!(run.result.metrics.makespan_ms, end, "{roles}");
    }
}

#[test]
fn a_cache_that_is_slower_than_the_backend_costs_time() {
    // 100 GB at 1 GB/s, then at 0.5 GB/s: 300 s instead of 200 s.
    let slow = cached("").replace("10GB/s", "500MB/s").replace("2GB/s", "500MB/s");
    let run = world(&format!("{slow} workloads: [{}]", training(1, 1, "1s", "passes: 2")));
    let row = &run.result.datasets[0];
    assert_eq!((run.result.metrics.makespan_ms, row.input.saved_ms), (300_000, -100_000));
    assert_eq!((row.rate_bytes_s, row.busy_ms), (666_666_666, 300_000));
}

#[test]
fn without_workers_the_dataset_is_not_bound_and_nothing_is_cached() {
    let run = world(&format!(
        r#"{} events: [At("150s", Withdraw("d-cache"))], workloads: [{}], expect: [
            At("149.999s", Dataset("d", phase: Bound, figure: Cached, exactly: "100%")),
            At("150s", Dataset("d", phase: NotBound, figure: Cached, exactly: "0%")),
            Final(Dataset("d", figure: HitRatio, exactly: "25%"))]"#,
        cached("").replace("10GB/s", "2GB/s"),
        training(1, 1, "1s", "passes: 4")
    ));
    // 100 s, 50 s, and then two passes from the backend.
    assert_eq!(run.result.metrics.makespan_ms, 350_000);
    assert_eq!(run.result.datasets[0].cache.as_ref().unwrap().lost_bytes, 100_000_000_000);
}

#[test]
fn a_preload_stops_at_the_high_mark_and_waits_for_workers() {
    // One of two workers of 60 GB runs and is filled to 57 GB by 57 s; the other one finds a node at 100 s: all 100 GB
    // fit below 114, and the 43 GB that are missing are loaded by 143 s.
    let run = world(
        r#"datasets: [Dataset(name: "d", namespace: "ns", size: "100G", backend: "1GB/s", preload: true,
            accelerate: Accelerate(workers: 2, quota: "60G", tier: HDD, local: "2GB/s", remote: "2GB/s", request: { "cpu": "4" }))],
        events: [At("0s", Cordon("n-1")), At("0s", Cordon("n-2")), At("0s", Cordon("n-3")), At("100s", Uncordon("n-3"))],
        expect: [At("56s", Dataset("d", figure: Cached, exactly: "56%")), At("100s", Dataset("d", figure: Cached, exactly: "57%")),
            At("142.999s", Dataset("d", figure: Cached, at_most: "99.9%"))]"#,
    );
    let cache = run.result.datasets[0].cache.as_ref().unwrap();
    assert_eq!((cache.preload, cache.preload_done_ms, cache.cached_permille), ("done", Some(143_000), 1000));
    assert_eq!(cache.preload_bytes, 100_000_000_000);
}

#[test]
fn the_worked_example_of_the_guide_holds() {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/datasets.md")).unwrap();
    let example = text.split("```ron scenario\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    assert!(played(example).result.claims.passed > 3);
}

#[test]
fn mistakes_are_reported_with_their_positions() {
    let rows = [
        (
            r#"datasets: [Dataset(name: "d", namespace: "ns", size: "1G", backend: "1Gb/s")]"#,
            "unknown unit of bandwidth",
        ),
        (r#"datasets: [Dataset(name: "d", namespace: "ns", size: "0", backend: "1GB/s")]"#, "expected 1 to"),
        (r#"datasets: [Dataset(name: "d", namespace: "ns", size: "2Pi", backend: "1GB/s")]"#, "expected 1 to"),
        (
            r#"datasets: [Dataset(name: "d", namespace: "ns", size: "1G", backend: "1GB/s", preload: true)]"#,
            "a preload needs a cache",
        ),
        (
            r#"datasets: [Dataset(name: "d", namespace: "ns", size: "1G", backend: "1GB/s"),
               Dataset(name: "d", namespace: "ns", size: "1G", backend: "1GB/s")]"#,
            "duplicate dataset `d`",
        ),
        (r#"datasets: [Dataset(name: "d", size: "1G", backend: "1GB/s")]"#, "lacks `namespace`"),
        (
            r#"datasets: [Dataset(name: "d", namespace: "ns", size: "1G", backend: "1GB/s", accelerate: Accelerate(
               quota: "1G", high: "50%", low: "60%", local: "1GB/s", remote: "1GB/s", request: {}))]"#,
            "the low mark is above the high mark",
        ),
        (
            r#"datasets: [Dataset(name: "d", namespace: "ns", size: "1G", backend: "1GB/s", accelerate: Accelerate(
               quota: "1G", local: "1GB/s", remote: "1GB/s", request: { "memory": "1M" }))]"#,
            "requests less memory than that",
        ),
        (
            r#"datasets: [Dataset(name: "d", namespace: "ns", size: "1G", backend: "1GB/s", accelerate: Accelerate(
               quota: "1G", tier: SSD, local: "1GB/s", remote: "1GB/s", request: {}))],
               workloads: [Deployment(name: "d-cache", namespace: "ns", request: {})]"#,
            "duplicate workload `d-cache`",
        ),
        (r#"expect: [Final(Dataset("d", phase: Bound))]"#, "there is no dataset `d`"),
    ];
    for (fields, wanted) in rows {
        told(fields, wanted);
    }
    let reading = [
        (
            r#"Job(name: "j", namespace: "ns", runtime: "1s", request: {}, reads: Reads("e"))"#,
            "there is no dataset `e`",
        ),
        (r#"Job(name: "j", namespace: "ns", runtime: Forever, request: {}, reads: Reads("d"))"#, "forever cannot read"),
        (r#"Job(name: "j", namespace: "ns", runtime: "1s", request: {}, reads: Reads("d", passes: 0))"#, "at least 1"),
        (
            r#"Job(name: "j", namespace: "ns", runtime: "1s", request: {}, reads: Reads("d", passes: 2, bytes: "1G"))"#,
            "exclude each other",
        ),
        (
            r#"Job(name: "j", namespace: "ns", runtime: "1s", request: {}, reads: Reads("d", passes: 100001))"#,
            "at most 1Ei in 100000 passes",
        ),
        (
            r#"Job(name: "j", namespace: "ns", runtime: "1s", request: {}, reads: Reads("d", roles: ["a"]))"#,
            "only a Training",
        ),
        (
            r#"Training(name: "t", namespace: "ns", runtime: "1s", reads: Reads("d", roles: ["b"]),
               roles: [Role(name: "a", request: {})])"#,
            "there is no role `b`",
        ),
        (r#"Deployment(name: "w", namespace: "ns", request: {}, reads: Reads("d"))"#, "has no field `reads`"),
    ];
    for (workload, wanted) in reading {
        told(&format!("{PLAIN} workloads: [{workload}]"), wanted);
    }
    let claims = [
        (r#"Dataset("d")"#, "`Dataset` needs `phase` or `figure`"),
        (r#"Dataset("d", figure: Cached)"#, "needs one of `exactly`"),
        (r#"Dataset("d", figure: Rate, at_least: "50%")"#, "is not a bandwidth"),
        (r#"Dataset("d", figure: Fast, at_least: "50%")"#, "`Fast` is not a valid"),
    ];
    for (claim, wanted) in claims {
        told(&format!("{PLAIN} expect: [Final({claim})]"), wanted);
    }
}

fn told(fields: &str, wanted: &str) {
    let text = format!(
        r#"Scenario(name: "x", cluster: Pool({{ "cpu": "9" }}),
        quota: Quota(name: "root", min: {{ "cpu": "9" }}, max: {{ "cpu": "9" }}, namespaces: ["ns"]), {fields})"#
    );
    let loaded = load("x.ron", &MapLoader::new().with("x.ron", &*text));
    let told: Vec<String> = loaded.diagnostics.iter().map(ToString::to_string).collect();
    assert!(told.iter().any(|line| line.contains(wanted)), "{fields}\n{told:#?}");
}
