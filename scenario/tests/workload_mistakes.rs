//! Mistakes in arrivals, dependencies and trainings: each is reported at its place, and all of them at once.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use quotree_scenario::{Diagnostic, Loaded, MapLoader, Severity, load};

/// A scenario that is valid except for its workloads, events and claims.
fn load_with(workloads: &str, rest: &str) -> Loaded {
    let text = format!(
        r#"Scenario(
    name: "x",
    cluster: Pool({{ "cpu": "100", "nvidia.com/gpu": "8" }}),
    quota: Quota(name: "root", min: {{ "cpu": "100" }}, max: {{ "cpu": "100" }}, namespaces: ["ns"]),
    workloads: [{workloads}],
    {rest}
)
"#
    );
    let loader = MapLoader::new().with("x.ron", text).with("good.txt", "5s\n\n1m30s # slow\n");
    load("x.ron", &loader.with("bad.txt", "5s\nsoon\n7\n").with("empty.txt", "# nothing\n"))
}

/// What is reported about a scenario, each as `underlined: title`.
fn told(loaded: &Loaded) -> Vec<String> {
    let line = |d: &Diagnostic| {
        let text = loaded.sources[d.source].text.get(d.span.clone()).unwrap();
        let help = if d.help.iter().any(|h| h.starts_with("did you mean")) { " (did you mean)" } else { "" };
        format!("{text}: {}{help}", d.title)
    };
    loaded.diagnostics.iter().filter(|d| d.severity == Severity::Error).map(line).collect()
}

fn job(more: &str) -> String {
    format!(r#"Job(name: "j", namespace: "ns", runtime: "1m", request: {{ "cpu": "1" }}, {more})"#)
}

fn training(more: &str) -> String {
    format!(r#"Training(name: "t", namespace: "ns", {more})"#)
}

const WORKER: &str = r#"Role(name: "worker", request: { "cpu": "1", "nvidia.com/gpu": "1" })"#;

#[test]
fn the_valid_scenario_is_accepted() {
    let good = [
        job(r#"arrivals: Poisson("1m", until: "1d"), deadline: "1h", retry_delay: "5s", runtime_limit: "2m""#),
        job(r#"arrivals: Times(["5s", "1s"])"#),
        job(r#"arrivals: Bursts(every: Exponential("1h"), size: 3, spread: "1m", count: 7)"#),
        r#"Job(name: "j", namespace: "ns", runtime: Empirical("good.txt"), request: { "cpu": "1" })"#.to_owned(),
        training(&format!(
            r#"runtime: "1h", framework: py_torch, roles: [Role(name: "master", request: {{}}), {WORKER}]"#
        )),
        training(&format!(r#"work: "1h", scaling: Table({{ 4: 3.5, 1: "100%" }}), roles: [{WORKER}]"#)),
        r#"CronJob(name: "c", namespace: "ns", every: "1h", count: 2, runtime: "1m", request: { "cpu": "1" })"#
            .to_owned(),
    ];
    for workload in good {
        let loaded = load_with(&workload, "");
        assert_eq!(told(&loaded), Vec::<String>::new(), "{workload}");
        assert!(loaded.scenario.is_some(), "{workload}");
    }
}

#[test]
fn every_mistake_is_reported() {
    let gang = |more: &str| training(&format!(r#"runtime: "1h", {more}"#));
    let roles = |roles: &str| gang(&format!("framework: MPI, roles: [{roles}]"));
    let rows: Vec<(String, &str)> = vec![
        // Arrivals.
        (job(r#"arrivals: Poisson("1m")"#), r#"Poisson("1m"): the arrivals of `j` never end"#),
        (job(r#"arrivals: Poison("1m", count: 1)"#), "Poison: `Poison` is not a pattern of arrivals (did you mean)"),
        (job(r#"arrivals: Every("0s", count: 1)"#), r#""0s": "#),
        (job(r#"arrivals: Every("1m", count: 0)"#), "0: `count` must be at least 1"),
        (job(r#"arrivals: Times([])"#), "[]: 0 times given; 1 to 1000000 are allowed"),
        (job(r#"arrivals: Diurnal("1m", hours: [1, 2], count: 1)"#), "[1, 2]: 2 hours given; a day has 24"),
        (job(r#"arrivals: Bursts(every: "0s", size: 1, count: 1)"#), r#""0s": the interval between bursts"#),
        (job(r#"arrivals: Bursts(every: "1s", size: 0, count: 1)"#), "0: a burst has 1 to 100000 instances"),
        (job(r#"arrivals: Every("1ms", until: "1d")"#), r#""j": `j` raises the number of pods to 86400000"#),
        (
            format!(
                r#"{}, Deployment(name: "j-0", namespace: "ns", request: {{}})"#,
                job(r#"arrivals: Every("1m", count: 3)"#)
            ),
            r#""j-0": `j-0` is also the name of an instance of `j`"#,
        ),
        (r#"Deployment(name: "d", namespace: "ns", request: {}, deadline: "1h")"#.to_owned(), "deadline: "),
        // Times.
        (
            r#"Job(name: "j", namespace: "ns", request: {}, runtime: Empirical("bad.txt"))"#.to_owned(),
            r#""bad.txt": `bad.txt` line 2: not a duration"#,
        ),
        (
            r#"Job(name: "j", namespace: "ns", request: {}, runtime: Empirical("bad.txt"))"#.to_owned(),
            r#""bad.txt": `bad.txt` line 3: not a duration"#,
        ),
        (
            r#"Job(name: "j", namespace: "ns", request: {}, runtime: Empirical("empty.txt"))"#.to_owned(),
            r#""empty.txt": `empty.txt`: the file contains no duration"#,
        ),
        (
            r#"Job(name: "j", namespace: "ns", request: {}, runtime: LogNormal(median: "1m", sigma: 11))"#.to_owned(),
            "11: `sigma` must be at most 10",
        ),
        // Trainings.
        (
            roles(&format!("{WORKER}, Role(name: \"luncher\", request: {{}})")),
            "\"luncher\": MPI has no role `luncher` (did you mean)",
        ),
        (roles(WORKER), "MPI needs a role `launcher`"),
        (
            roles(&format!("{WORKER}, Role(name: \"launcher\", replicas: 2, request: {{}})")),
            "\"launcher\": MPI has one `launcher`, not 2",
        ),
        (
            gang("framework: TensorFlow, roles: [Role(name: \"ps\", request: {})]"),
            "TensorFlow needs a role `worker`, `chief` or `master`",
        ),
        (gang(&format!("work: \"1h\", roles: [{WORKER}]")), "\"1h\": `runtime` and `work` exclude each other"),
        (training(&format!("roles: [{WORKER}]")), "Training: `Training` lacks `runtime`"),
        (
            training("work: \"1h\", roles: [Role(name: \"w\", request: { \"cpu\": \"1\" })]"),
            "\"1h\": `work` is GPU time",
        ),
        (
            gang(&format!("scaling: Table({{ 0: 1, 2: 2 }}), roles: [{WORKER}]")),
            "0: members and speeds must be above 0",
        ),
        (gang(&format!("scaling: Table({{ 2: 1, 2: 2 }}), roles: [{WORKER}]")), "2: duplicate speed of 2 members"),
        (
            gang(&format!("scaling: Serial(\"101%\"), roles: [{WORKER}]")),
            "\"101%\": a share of the work is at most 100%",
        ),
        (gang(&format!("on_loss: Weit, roles: [{WORKER}]")), "Weit: `Weit` is not a valid on loss (did you mean)"),
        // Cron jobs.
        (
            r#"CronJob(name: "c", namespace: "ns", every: "1h", runtime: "1m", request: {})"#.to_owned(),
            "CronJob: the arrivals of `c` never end",
        ),
        (
            r#"CronJob(name: "c", namespace: "ns", count: 1, runtime: "1m", request: {})"#.to_owned(),
            "CronJob: `CronJob` lacks `every`",
        ),
        // Tasks and roles: which fields belong to them, and which to the whole gang.
        (
            workflow(&[("a", &[])]).replace("after:", "priority: \"hih\", after:"),
            r#""hih": there is no priority class `hih`"#,
        ),
        (workflow(&[("a", &[])]).replace("after:", "deadline: \"0s\", after:"), r#""0s": "#),
        (
            workflow(&[("a", &[])]).replace("after:", "topology: Same(\"rack\"), after:"),
            "topology: `Job` has no field `topology`",
        ),
        (
            workflow(&[("a", &[])]).replace("tasks:", "topology: Same(\"rak\"), tasks:"),
            r#""rak": `rak` is not a valid level (did you mean)"#,
        ),
        (
            gang("roles: [Role(name: \"w\", priority: 3, request: { \"cpu\": \"1\" })]"),
            "priority: `Role` has no field `priority`",
        ),
    ];
    let mut failures = String::new();
    for (workload, wanted) in rows {
        let loaded = load_with(&workload, "");
        let told = told(&loaded);
        if !told.iter().any(|line| line.contains(wanted)) || loaded.scenario.is_some() {
            failures += &format!("\n{workload}\n  wanted {wanted}\n  told {told:#?}\n");
        }
    }
    assert_eq!(failures, "");
}

/// A workflow of jobs with these dependencies.
fn workflow(tasks: &[(&str, &[&str])]) -> String {
    let task = |(name, after): &(&str, &[&str])| {
        format!(r#"Job(name: "{name}", after: {after:?}, runtime: "1m", request: {{ "cpu": "1" }})"#)
    };
    let tasks: Vec<String> = tasks.iter().map(task).collect();
    format!(r#"Workflow(name: "flow", namespace: "ns", tasks: [{}])"#, tasks.join(", "))
}

#[test]
fn circles_are_named_in_order_and_all_at_once() {
    let loaded = load_with(
        &workflow(&[
            ("a", &["c"]),
            ("b", &["a"]),
            ("c", &["b", "free"]),
            ("free", &[]),
            ("self", &["self"]),
            ("x", &["y"]),
            ("y", &["x", "a"]),
            ("end", &["y", "free", "fre", "free"]),
        ]),
        "",
    );
    let mut told = told(&loaded);
    told.sort_unstable();
    let wanted = [
        r#""a": the dependencies of tasks form a cycle: `a` after `c` after `b` after `a`"#,
        r#""fre": there is no task `fre` (did you mean)"#,
        r#""free": `end` depends on `free` twice"#,
        r#""self": the dependencies of tasks form a cycle: `self` after `self`"#,
        r#""x": the dependencies of tasks form a cycle: `x` after `y` after `x`"#,
    ];
    assert_eq!(told, wanted);
    assert!(loaded.scenario.is_none());
}

#[test]
fn names_of_tasks_are_known_and_theirs() {
    let flow = workflow(&[("a", &[]), ("b", &["a"])]);
    let claim = |of: &str| format!("expect: [Final(Pods(of: {of}, running: 0))]");
    for (of, wanted) in [
        (r#"Task(workflow: "flow", task: "b")"#, None),
        (r#"Task("flow", "a")"#, None),
        (r#"Task(workflow: "flow", task: "c")"#, Some(r#""c": there is no task `c`"#)),
        (r#"Task(workflow: "flaw", task: "a")"#, Some(r#""flaw": there is no workflow `flaw` (did you mean)"#)),
    ] {
        let told = told(&load_with(&flow, &claim(of)));
        assert_eq!(told.first().map(|line| line.contains(wanted.unwrap_or("-"))), wanted.map(|_| true), "{told:?}");
    }
    let twice = told(&load_with(&workflow(&[("a", &[]), ("a", &[])]), ""));
    assert_eq!(twice, [r#""a": duplicate task `a`"#]);
    let taken = format!(r#"{flow}, Deployment(name: "flow-b", namespace: "ns", request: {{ "cpu": "1" }})"#);
    assert_eq!(told(&load_with(&taken, "")), [r#""flow-b": `flow-b` is also the name of a task of `flow`"#]);
    let scaled = r#"Deployment(name: "d", namespace: "ns", arrivals: Every("1h", count: 2), request: { "cpu": "1" })"#;
    let scaled = told(&load_with(scaled, r#"events: [At("1h", Scale(workload: "d", replicas: 3))]"#));
    assert_eq!(scaled, ["Scale: `d` recurs, so it cannot be scaled"]);
}

#[test]
fn a_chain_of_ten_thousand_tasks_loads_and_its_knot_is_found() {
    let names: Vec<String> = (0..10_000).map(|i| format!("t{i}")).collect();
    let mut tasks: Vec<(&str, Vec<&str>)> = names.iter().map(|name| (name.as_str(), vec![])).collect();
    for i in 1..tasks.len() {
        tasks[i].1.push(&names[i - 1]);
    }
    let borrowed = |tasks: &[(&str, Vec<&str>)]| {
        let tasks: Vec<(&str, &[&str])> = tasks.iter().map(|(name, after)| (*name, after.as_slice())).collect();
        load_with(&workflow(&tasks), "")
    };
    assert!(borrowed(&tasks).scenario.is_some());
    tasks[0].1.push(&names[9_999]);
    let told = told(&borrowed(&tasks));
    assert_eq!(told.len(), 1);
    assert!(told[0].starts_with(r#""t0": the dependencies of tasks form a cycle: `t0` after `t9999`"#));
}
