//! The demo of capacity scheduling, as in `scenarios/nginx-40-core.ron`: four teams share 40 cores, each with a guarantee
//! of 10 and a limit of 20.

use crate::{server::Server, world::World};
use quotree_kube::settings::Mode;
use serde_json::{Value, json};
use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
    process::Command,
};

pub(crate) fn tree() -> Value {
    let cpu = |cores: u32| json!({ "cpu": cores.to_string() });
    let leaf = |name: &str, namespace: &str| json!({ "name": name, "min": cpu(10), "max": cpu(20), "namespaces": [namespace] });
    json!({
        "name": "root", "min": cpu(40), "max": cpu(40), "children": [
            { "name": "root.a", "min": cpu(20), "max": cpu(40), "children": [
                leaf("root.a.1", "namespace1"), leaf("root.a.2", "namespace2"),
            ] },
            { "name": "root.b", "min": cpu(20), "max": cpu(40), "children": [
                leaf("root.b.1", "namespace3"), leaf("root.b.2", "namespace4"),
            ] },
        ],
    })
}

pub(crate) const NAMESPACES: [&str; 4] = ["namespace1", "namespace2", "namespace3", "namespace4"];

async fn demo(server: Server, mode: Mode, nodes: &[(&str, u32)]) {
    let mut world = World::new(server, mode, nodes, &NAMESPACES, tree()).await;
    world.segment_bytes = 20_000;
    world.start().await;
    // Who runs after each deployment, and evictions in total.
    let steps = [([4, 0, 0, 0], 0), ([4, 4, 0, 0], 0), ([3, 3, 2, 0], 2), ([2, 2, 2, 2], 4)];
    for (number, (running, evictions)) in (1..).zip(steps) {
        world.replica_set(&format!("namespace{number}"), &format!("nginx{number}"), 5, 5).await;
        world.comes_to(&running, evictions, &format!("with nginx{number}")).await;
    }
    world.a_while().await;
    // Reasons: in the condition of who waits, and in Events of who was evicted, and for whom.
    let waiting = world.waiting("namespace4").await;
    assert_eq!(waiting.len(), 3);
    for why in waiting {
        assert!(
            why.starts_with("Ceiling: A1: the pod requests 5 cpu, and root already uses 40 of its max of 40 cpu"),
            "{why}"
        );
    }
    let evicted = world.events("namespace1").await;
    assert_eq!(evicted.len(), 2, "{evicted:?}");
    for why in &evicted {
        let for_whom = why.contains("R2: namespace3/nginx3-") || why.contains("R2: namespace4/nginx4-");
        let sentence = why.contains("reclaims its guaranteed quota; root.a.1 was");
        assert!(why.starts_with("Preempted: ") && for_whom && sentence, "{why}");
    }
    let preemptors = world.events("namespace3").await;
    assert_eq!(preemptors.len(), 2, "{preemptors:?}");
    assert!(preemptors.iter().all(|why| why.starts_with("Preempting: evicts namespace")), "{preemptors:?}");
    // Room that is given back goes to those who wait, without an eviction.
    world.scale("namespace1", "nginx1", 0).await;
    world.comes_to(&[0, 3, 3, 2], 4, "without nginx1").await;
    world.a_while().await;
    // The reason of who was admitted late says so.
    let pods = world.pods("namespace2").await;
    let admitted = pods.iter().filter_map(crate::look::condition).filter(|why| why.starts_with("Admitted: "));
    assert!(admitted.count() >= 1);
    // At most three writes a pod, and one eviction.
    let writes = world.writes.clone();
    let admissions = if mode == Mode::Gate { "Patch pods" } else { "Create pods/binding" };
    assert_eq!(writes[admissions], 8 + 4 + 2, "{writes:?}");
    assert_eq!(writes["Create pods/eviction"], 4, "{writes:?}");
    status(&world.tree().await["status"]);
    let changes = world.writes.get("Patch elasticquotatrees").copied().unwrap_or_default();
    assert!((1..60).contains(&changes), "it is written when it changes, at most every 5 s: {changes}");
    metrics(&world.board.text(world.server.clock().now(), true));
    let (segments, agreed) = world.replays().await;
    if world.fake().is_some() && mode == Mode::Gate && nodes.len() == 4 {
        keep(&world.recording);
    }
    assert!(segments > 1 && agreed > 20, "{segments} segments, {agreed} decisions");
    what_if(&world.recording);
}

/// What the status of the tree says after the demo.
fn status(status: &Value) {
    let root = &status["root"];
    assert_eq!((root["name"].as_str(), root["used"]["cpu"].as_str()), (Some("root"), Some("40")), "{status}");
    let leaf = &root["children"][0]["children"][1];
    assert_eq!((leaf["name"].as_str(), leaf["namespaces"][0].as_str()), (Some("root.a.2"), Some("namespace2")));
    let of = |field: &str| leaf[field]["cpu"].as_str().unwrap_or_default().to_owned();
    assert_eq!([of("used"), of("guaranteed"), of("borrowed"), of("request")], ["15", "10", "5", "25"], "{leaf}");
    for condition in status["conditions"].as_array().unwrap() {
        assert_eq!(condition["status"], "True", "{condition}");
    }
}

/// What the metrics say after the demo.
fn metrics(text: &str) {
    let value = |row: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(row)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("{row} is not in\n{text}")).parse::<f64>().unwrap()
    };
    let quota = |queue: &str, kind: &str| {
        value(&format!("quotree_quota_resource{{queue=\"{queue}\",resource=\"cpu\",kind=\"{kind}\"}}"))
    };
    assert_eq!((quota("root", "used"), quota("root", "max"), quota("root.a.1", "min")), (40.0, 40.0, 10.0));
    assert_eq!((quota("root.a.2", "used"), quota("root.a.2", "borrowed"), quota("root.a.1", "lent")), (15.0, 5.0, 5.0));
    assert_eq!(value("quotree_quota_pods{queue=\"root.b.1\"}"), 3.0);
    assert_eq!(value("quotree_reclaim_victims_total{reason=\"R2\"}"), 4.0);
    assert_eq!(value("quotree_api_write_total{verb=\"evict\",code=\"201\"}"), 4.0);
    assert_eq!(value("quotree_pending_workloads{queue=\"root.b.2\",reason=\"Ceiling\"}"), 3.0);
    assert_eq!(value("quotree_ledger_drift{queue=\"\",resource=\"\"}"), 0.0);
    assert_eq!((value("quotree_ready"), value("quotree_leader"), value("quotree_core_refused_total")), (1.0, 1.0, 0.0));
    let watch = |what: &str| value(&format!("quotree_watch_{what}_total{{kind=\"pods\"}}"));
    assert_eq!((watch("relists"), watch("missed")), (0.0, 0.0), "the first list is no repetition");
    assert_eq!(value("quotree_admission_wait_seconds_count{queue=\"root.a.1\"}"), 4.0);
    assert!(value("quotree_record_segments_total") >= 1.0 && value("quotree_record_dropped_lines_total") == 0.0);
}

/// With `QUOTREE_BLESS=1`, the recording is kept for the tests of the command.
fn keep(recording: &Path) {
    if std::env::var_os("QUOTREE_BLESS").is_none() {
        return;
    }
    let to = Path::new(env!("CARGO_MANIFEST_DIR")).join("../cli/tests/data/recording");
    let _ = std::fs::remove_dir_all(&to);
    std::fs::create_dir_all(&to).unwrap();
    for (_, from) in quotree_record::folder::segments(recording).unwrap() {
        std::fs::copy(&from, to.join(from.file_name().unwrap())).unwrap();
    }
}

/// What the command makes of a recording: the decisions again, and a scenario with the same rows.
fn what_if(recording: &Path) {
    let Some(quotree) = command() else { return };
    let run = |args: &[&OsStr]| {
        let output = Command::new(&quotree).args(args).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert!(output.status.success(), "{args:?}: {}{}", text(&output.stdout), text(&output.stderr));
        text(&output.stdout)
    };
    let replayed = run(&["replay".as_ref(), recording.as_ref()]);
    assert!(replayed.contains("\nAll ") && replayed.contains(" decisions equal the recorded ones"), "{replayed}");
    let scenario = recording.join("demo.ron");
    let import = ["import", "kubernetes", "--from-recording"].map(OsStr::new);
    run(&[import.as_slice(), &[recording.as_ref(), "--out".as_ref(), scenario.as_ref()]].concat());
    let text = std::fs::read_to_string(&scenario).unwrap();
    let submits: Vec<u64> = (1..=4).map(|number| ms_of(&text, &format!("name: \"nginx{number}\""))).collect();
    let end = ms_of(&text, "Scale(\"nginx1\", 0)");
    let ends: Vec<u64> = submits.iter().skip(1).copied().chain([end]).collect();
    let rows = [([4, 0, 0, 0], 0), ([4, 4, 0, 0], 0), ([3, 3, 2, 0], 2), ([2, 2, 2, 2], 4)];
    let mut claims = String::new();
    for ((running, evictions), end) in rows.iter().zip(&ends) {
        // Just before the next deployment.
        let at = end - 1;
        // Nothing can be claimed of those that come later.
        let there = NAMESPACES.iter().zip(running).filter(|(_, running)| **running > 0);
        for (namespace, running) in there {
            claims += &format!("At(\"{at}ms\", Pods(of: Namespace({namespace:?}), running: {running})), ");
        }
        claims += &format!("At(\"{at}ms\", Evictions(exactly: {evictions})), ");
    }
    for (namespace, running) in NAMESPACES.iter().zip([0, 3, 3, 2]) {
        claims += &format!("Final(Pods(of: Namespace({namespace:?}), running: {running})), ");
    }
    let text = text.trim_end().strip_suffix(')').unwrap().to_owned();
    std::fs::write(
        &scenario,
        format!("{text}    expect: [{claims} Final(Evictions(exactly: 4)), Always(Invariants)],\n)\n"),
    )
    .unwrap();
    run(&["check".as_ref(), scenario.as_ref(), "--audit".as_ref()]);
}

/// The time in milliseconds of the line of a scenario with this text: `submit: "1m5s"`, or `At("1m5s", ..`.
fn ms_of(scenario: &str, of: &str) -> u64 {
    let line = scenario.lines().find(|line| line.contains(of)).unwrap_or_else(|| panic!("{of}: {scenario}"));
    let from = line.find("submit: \"").map(|at| at + 9).or_else(|| line.find("At(\"").map(|at| at + 4)).unwrap();
    let time = line[from..].split('"').next().unwrap();
    let (mut ms, mut number, mut unit) = (0, 0, String::new());
    for letter in time.chars().chain(['0']) {
        let Some(digit) = letter.to_digit(10) else {
            unit.push(letter);
            continue;
        };
        if !unit.is_empty() {
            ms += number
                * match unit.as_str() {
                    "h" => 3_600_000,
                    "m" => 60_000,
                    "s" => 1000,
                    _ => 1,
                };
            (number, unit) = (0, String::new());
        }
        number = number * 10 + u64::from(digit);
    }
    ms
}

/// The command, where it is built: beside the programs of this test.
fn command() -> Option<PathBuf> {
    let own = std::env::current_exe().unwrap();
    let command = own.parent()?.parent()?.join("quotree");
    if !command.exists() {
        assert!(
            std::env::var_os("QUOTREE_REQUIRE_APISERVER").is_none(),
            "cargo build -p quotree-cli makes {}",
            command.display()
        );
        eprintln!("skipped: import of the recording, without {}", command.display());
        return None;
    }
    Some(command)
}

const ONE: &[(&str, u32)] = &[("node-1", 56)];
const FOUR: &[(&str, u32)] = &[("node-1", 10), ("node-2", 10), ("node-3", 10), ("node-4", 10)];

pub(crate) async fn gate_mode(server: Server) {
    demo(server, Mode::Gate, FOUR).await;
}

pub(crate) async fn bind_mode(server: Server) {
    demo(server, Mode::Bind, FOUR).await;
}

pub(crate) async fn gate_mode_on_one_node(server: Server) {
    demo(server, Mode::Gate, ONE).await;
}

pub(crate) async fn bind_mode_on_one_node(server: Server) {
    demo(server, Mode::Bind, ONE).await;
}
