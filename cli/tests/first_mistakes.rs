//! Mistakes of a first user: each is one clear error that points at its place, and nothing is written.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod command;

use command::{quotree_in, scratch};
use std::{fs, path::Path};

const LAB: &str = "scenarios/world/research-lab.ron";

/// What a command says on stderr; its exit code must be this.
fn says(args: &[&str], exit: i32) -> String {
    let output = quotree_in("..", args).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(exit), "{args:?}: {said}");
    said
}

#[test]
fn what_is_wrong_with_every_value_is_one_error_at_its_place() {
    let claim = "Evictions(exactly: 0)";
    let find =
        |find: &'static str, such_that: &'static str| vec!["plan", LAB, "--find", find, "--such-that", such_that];
    for (args, place) in [
        (find("cluster.gpx.count=4..40", claim), "`cluster` has no entry `gpx`\n --> --find:1:9\n"),
        (find("cluster.gpu.count=8..4", claim), "the range goes backwards\n --> --find:1:19\n"),
        (find("cluster.gpu.count=4..8", "Wait(stat: P95 at_most: \"1m\")"), "found `at_most`\n --> --such-that:1:16\n"),
        (find("cluster.gpu.count=4..8", ""), "the claim is empty\n --> --such-that:1:1\n"),
        (vec!["plan", "none.ron", "--find", "world.until=1h..9h"], "cannot read `none.ron`: no such file\n"),
        (vec!["sweep", LAB, "--set", "cluster.gpu.cuont=7..9"], "`NodePool` has no field `cuont`\n --> --set:1:13\n"),
        (vec!["compare", LAB, "--policies", "Capacity(,"], "unclosed bracket: `)` is missing\n --> --policies:1:9\n"),
        (vec!["feasible", LAB, "--set", "cluster.gpu.count=x"], "found the string \"x\"\n --> --set:1:19\n"),
    ] {
        let said = says(&args, 2);
        assert!(said.contains(place), "{args:?}: {said}");
        let errors = said.lines().filter(|line| line.starts_with("error: ")).count();
        assert!(errors == 1 && said.contains("\n1 error, 0 warnings"), "{args:?}: {said}");
    }
    let said = says(&["compare", LAB, "--policies", "Capacity(), Nope()"], 2);
    assert!(said.contains(" --> --policies:1:13\n") && said.contains("1 of 2 settings is invalid"), "{said}");
    let said = says(&["plan", "cli/tests/data/tree.yaml", "--find", "world.until=1h..2h"], 2);
    assert!(said.contains("quotree import"), "{said}");
}

#[test]
fn a_file_of_edits_is_the_place_of_its_mistakes() {
    let edits = scratch("first_mistakes/edits").join("edits.txt");
    fs::write(&edits, "# one more rack\n\n --set cluster.gpu.cuont=3\n").unwrap();
    let said = says(&["compare", LAB, "--edits", edits.to_str().unwrap()], 2);
    assert!(said.contains("edits.txt:3:20\n"), "{said}");
}

#[test]
fn outputs_that_cannot_be_are_refused_before_anything_is_written() {
    let folder = scratch("first_mistakes/outputs");
    let at = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let scenario = at("two.ron");
    fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/two-teams.ron"), &scenario).unwrap();
    let (outcome, page) = (at("two.outcome.yaml"), at("page.html"));
    let said = says(&["check", &scenario, "--bless", "--junit", &outcome], 2);
    assert!(said.contains("two outputs would go to the same file"), "{said}");
    let said = says(&["check", &scenario, "--bless", "--digests", &scenario], 2);
    assert!(said.contains("two.ron:1: expected `digest key`\n") && said.lines().count() == 2, "{said}");
    let said = says(&["diff", &scenario, "--set", "seed=2", "--fail-if", "wait.p95 of rde > 1m", "--html", &page], 2);
    assert!(said.contains("there is no leaf quota `rde`"), "{said}");
    let said = says(&["sweep", &scenario, "--set", "seed_of=1", "--out", &scenario], 2);
    assert!(said.contains("`Scenario` has no field `seed_of`"), "{said}");
    let said = says(&["sweep", &scenario, "--set", "quota.red.max.cpu=3..4", "--out", &scenario], 2);
    assert!(said.contains("two.ron` is a file, not a folder"), "{said}");
    let left: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["two.ron"]);
}

#[test]
fn a_warning_of_both_sides_is_shown_once() {
    let said = says(&["diff", LAB, "--set", "seed=2"], 0);
    assert_eq!(said.matches("this request will be refused").count(), 1, "{said}");
    let said = says(&["diff", LAB, "--set", "seed=2", "--seeds", "2"], 0);
    assert_eq!(said.matches("this request will be refused").count(), 1, "{said}");
}

#[test]
fn a_strict_import_skips_no_row() {
    let log = scratch("first_mistakes/strict").join("sacct.txt");
    let rows = "JobID|Account|Submit|ElapsedRaw|State|AllocTRES\n1|a|2024-03-01T08:00:00|60|COMPLETED|cpu=4\n2|a|never|60|COMPLETED|cpu=4\n";
    fs::write(&log, rows).unwrap();
    let import = ["import", log.to_str().unwrap(), "--cluster", "cpu=8"];
    assert!(says(&import, 0).contains("1 invalid row skipped"));
    let said = says(&[&import[..], &["--strict"]].concat(), 2);
    assert!(said.contains("has 1 invalid row, which --strict does not skip:\n  line 3: "), "{said}");
}

#[test]
fn what_nobody_uses_or_can_start_is_said_on_the_first_screen() {
    let folder = scratch("first_mistakes/screen");
    let file = folder.join("small.ron");
    let text = r#"Scenario(
    name: "small",
    cluster: Pool({ "cpu": "8" }),
    quota: Quota(name: "root", min: { "cpu": "8" }, max: { "cpu": "8" }, children: [
        Quota(name: "idle", max: { "cpu": "4" }, namespaces: ["idle"]),
        Quota(name: "large", min: { "cpu": "2" }, namespaces: ["large"]),
        Quota(name: "never", min: { "cpu": "2" }, namespaces: ["never"]),
        Quota(name: "fits", min: { "cpu": "2" }, namespaces: ["fits"]),
    ]),
    workloads: [
        Job(name: "l", namespace: "large", runtime: "1h", request: { "cpu": "4" }),
        Job(name: "n", namespace: "never", runtime: "1h", request: { "cpu": "9" }),
        Job(name: "f", namespace: "fits", runtime: "1h", request: { "cpu": "1" }),
    ],
)"#;
    fs::write(&file, text).unwrap();
    let shows = |args: &[&str]| String::from_utf8(quotree_in("..", args).output().unwrap().stdout).unwrap();
    let file = file.to_str().unwrap();
    let quota = shows(&["explain", file, "--quota", "idle"]);
    assert!(quota.contains("cpu: idle uses 0, requests 0 and is guaranteed nothing, at most 4\n"), "{quota}");
    let feasible = shows(&["feasible", file]);
    for line in [
        "large, min 2 cpu: no job is small enough for it\n",
        "never, min 2 cpu: its jobs can never start, as above\n",
        "fits, min 2 cpu: can be honoured\n",
    ] {
        assert!(feasible.contains(line), "{feasible}");
    }
    assert!(!feasible.contains("without node"), "a pool without nodes loses none: {feasible}");
}

#[test]
fn a_pod_of_a_dump_is_named_with_its_namespace() {
    let folder = scratch("first_mistakes/dump");
    let dump = "kind: PodList\napiVersion: v1\nitems:\n- metadata: {name: web-0, namespace: web, creationTimestamp: \"2026-05-01T10:00:00Z\"}\n  spec: {containers: [{name: web, resources: {requests: {cpu: 9}}}]}\n";
    fs::write(folder.join("pods.yaml"), dump).unwrap();
    let text = r#"Scenario(
    name: "dumped",
    world: World(until: "1h"),
    cluster: Pool({ "cpu": "4" }),
    quota: Quota(name: "root", min: { "cpu": "4" }, max: { "cpu": "4" }, namespaces: ["web"]),
    workloads: [Trace(name: "pods", file: "pods.yaml", format: Kubernetes)],
)"#;
    let file = folder.join("dumped.ron");
    fs::write(&file, text).unwrap();
    let said = says(&["explain", file.to_str().unwrap(), "web-0"], 2);
    assert!(said.contains("there is no pod or workload `web-0`; did you mean `web/web-0`?"), "{said}");
    let said = says(&["explain", file.to_str().unwrap(), "web-1"], 2);
    assert!(said.contains("the workloads are `pods`"), "{said}");
}
