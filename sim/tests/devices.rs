//! Devices and topology in scenario files: mistakes are reported where they are made, refusals appear in the notes, and
//! claims that should fail do.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use quotree_sim::scenario::{Diagnostic, Loader, MapLoader, Severity, load};
use quotree_sim::{RunOptions, result::RunResult, run};

const CATALOGUE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../scenarios/");

fn text(file: &str, changes: &[(&str, &str)]) -> String {
    let text = std::fs::read_to_string(format!("{CATALOGUE}{file}")).unwrap();
    changes.iter().fold(text, |text, (from, to)| {
        assert!(text.contains(from), "`{from}` is not in {file}");
        text.replacen(from, to, 1)
    })
}

fn played(file: &str, changes: &[(&str, &str)]) -> RunResult {
    let loader: &dyn Loader = &MapLoader::new().with("x.ron", text(file, changes));
    let loaded = load("x.ron", loader);
    let told: Vec<String> = loaded.diagnostics.iter().map(ToString::to_string).collect();
    let scenario = loaded.scenario.unwrap_or_else(|| panic!("{file}: {told:?}"));
    run(&scenario, &RunOptions::default(), &mut ()).unwrap().result
}

fn failed(file: &str, changes: &[(&str, &str)]) -> Vec<String> {
    let claims = played(file, changes).claims;
    claims.results.into_iter().filter(|claim| !claim.passed).map(|claim| claim.claim).collect()
}

/// The first error, or else the first warning: the text it underlines, and what it says.
fn told(file: &str, change: (&str, &str)) -> (Severity, String, String) {
    let loaded = load("x.ron", &MapLoader::new().with("x.ron", text(file, &[change])));
    let worst = |diagnostic: &&Diagnostic| diagnostic.severity == Severity::Error;
    let first = loaded.diagnostics.iter().find(worst).or(loaded.diagnostics.first());
    let first = first.unwrap_or_else(|| panic!("{change:?} is no mistake"));
    let source = loaded.sources.get(first.source).unwrap();
    (first.severity, source.text.get(first.span.clone()).unwrap().to_owned(), first.title.clone())
}

#[test]
fn mistakes_are_reported_where_they_are_made() {
    use Severity::{Error as E, Warning as W};
    let share = "devices/share.ron";
    let relabel = "devices/relabel.ron";
    let rack = "topology/same-rack.ron";
    let rows = [
        (
            share,
            ("gpu_count: 2", "gpu_count: 3"),
            E,
            "3",
            "20 of `aliyun.com/gpu-mem` cannot be split evenly over 3 GPUs",
        ),
        (share, ("gpu_count: 2", "gpu_count: 0"), E, "0", "0 GPUs; expected 1 to 64"),
        (share, (", memory: 16", ""), E, "Gpus(count: 2, mode: Share)", "GPUs that are shared by memory need `memory`"),
        (share, ("memory: 16", "memory: 0"), E, "0", "0 GiB per GPU; expected 1 to 1000000"),
        (share, ("mode: Share", "mode: Shared"), E, "Shared", "`Shared` is not a valid mode"),
        (share, ("count: 2,", "count: 65,"), E, "65", "65 GPUs; expected 1 to 64"),
        (
            "devices/topology.ron",
            ("[2]", "[2, 3]"),
            E,
            "[2, 3]",
            "island sizes must ascend from 2 on, each a multiple of the one before",
        ),
        (
            "devices/topology.ron",
            ("device: 1,", "device: 4,"),
            E,
            "4",
            "there is no device 4: the node has devices 0 to 3",
        ),
        (relabel, (", mode: Share", ""), E, "\"gpu-0\"", "`Relabel` has neither `mode` nor `labels`"),
        (
            relabel,
            (
                "gpus: Gpus(count: 2, mode: Exclusive, memory: 16)",
                "devices: [Devices(resource: \"nvidia.com/gpu\", count: 2)]",
            ),
            E,
            "\"gpu-0\"",
            "the node pool of this node does not define its GPUs",
        ),
        (relabel, ("Exclusive, memory: 16", "Exclusive"), E, "Share", "GPUs that are shared by memory need `memory`"),
        (rack, ("Same(\"rack\")", "Same(\"row\")"), E, "\"row\"", "`row` is not a valid level"),
        (
            rack,
            ("racks: 3", "racks: 7"),
            E,
            "7",
            "7 racks for 6 nodes; expected at least 1 and at most the number of nodes",
        ),
        (rack, ("racks: 3", "rack: \"r\", racks: 3"), E, "3", "`rack` and `racks` exclude each other"),
        (
            "devices/cells.ron",
            ("{ \"8\": 1 }", "{ \"node\": 1 }"),
            E,
            "\"node\"",
            "a cell of `node` devices: 1 to 64 are allowed",
        ),
        (
            "devices/cells.ron",
            ("{ \"8\": 1 }", "{ \"8\": 2 }"),
            W,
            "\"a\"",
            "the healthy devices form only 2 of the 3 guaranteed cells of 8 devices",
        ),
        (
            "devices/cells.ron",
            ("max: { \"aliyun.com/gpu\": \"16\" },", "max: { \"aliyun.com/gpu\": \"16\" }, cells: { \"8\": 1 },"),
            E,
            "{ \"8\": 1 }",
            "only a leaf quota can guarantee cells",
        ),
    ];
    for (file, change, severity, underlined, title) in rows {
        assert_eq!(told(file, change), (severity, underlined.to_owned(), title.to_owned()), "{change:?}");
    }
}

/// The refusal names only the pod that has a GPU of the old mode; the second time there is none.
#[test]
fn a_refused_relabelling_is_reported_with_the_pods() {
    let notes = played("devices/relabel.ron", &[]).refusals;
    let notes: Vec<_> = notes.into_iter().map(|note| (note.at_ms, note.what, note.why)).collect();
    let why = "the devices of gpu-0 are used and may not change: whole-1";
    assert_eq!(notes, [(300_000, "relabel gpu-0".to_owned(), why.to_owned())]);
}

/// GPU memory appears at 15m, with `Relabel`: 16 GiB on each of two GPUs. Requests for more get a warning.
#[test]
fn resources_that_a_relabelling_adds_are_known() {
    let told = |change: (&str, &str)| -> Vec<String> {
        let text = text("devices/relabel.ron", &[change]);
        load("x.ron", &MapLoader::new().with("x.ron", text)).diagnostics.into_iter().map(|d| d.title).collect()
    };
    assert_eq!(told(("", "")), Vec::<String>::new());
    let larger = told(("{ \"aliyun.com/gpu-mem\": \"16\" }", "{ \"aliyun.com/gpu-mem\": \"33\" }"));
    let beyond = "`memory` requests 33 aliyun.com/gpu-mem, and the largest node has 32 aliyun.com/gpu-mem";
    assert!(larger.iter().any(|title| title.contains(beyond)), "{larger:?}");
}

/// One of four GPUs is unhealthy: 3 of 4 are available.
#[test]
fn a_node_reports_what_its_unhealthy_devices_leave() {
    let result = played("devices/unhealthy-capacity.ron", &[("until: \"1h\"", "until: \"30m\"")]);
    let node = &result.nodes[0];
    let gpus = |amounts: &quotree_sim::result::QuantityMap| amounts.0.get("nvidia.com/gpu");
    assert_eq!((gpus(&node.capacity), gpus(&node.allocatable), node.unhealthy), (Some(4000), Some(3000), 1));
    // 60 GPU-minutes of 4 x 15 + 3 x 15.
    assert_eq!(result.metrics.utilisation_permille["nvidia.com/gpu"], 571);
}

/// Two nodes of eight GPUs cannot be guaranteed while a GPU of one is unhealthy: from 10m to 15m, and with two fours
/// from 20m to 30m.
#[test]
fn unavailable_cells_fail_the_claim_and_are_reported_once_each() {
    let result = played("devices/cells.ron", &[("Within(\"0s\", \"9m\"", "Within(\"0s\", \"11m\"")]);
    let missed: Vec<String> = result.claims.results.iter().filter(|c| !c.passed).map(|c| c.seen.clone()).collect();
    assert_eq!(missed, ["the healthy devices form only 1 of the 2 guaranteed cells of 8 devices"]);
    let notes: Vec<_> = result.refusals.iter().map(|note| (note.at_ms, note.what.as_str())).collect();
    assert_eq!(notes, [(600_000, "guaranteed cells"), (1_200_000, "guaranteed cells")]);
}

/// Without the feature that each scenario is about, its claims would fail.
#[test]
fn without_the_feature_the_claims_fail() {
    for (file, change) in [
        ("devices/exclusive.ron", ("mode: Exclusive", "mode: Fraction")),
        ("devices/spread.ron", (", choice: Spread", "")),
        ("devices/topology.ron", (", islands: [2]", "")),
        ("devices/unhealthy.ron", (", pods: Lost", "")),
        (
            "topology/same-rack.ron",
            (
                "topology: Same(\"rack\"),\n            roles: [Role(name: \"worker\", replicas: 9",
                "\n            roles: [Role(name: \"worker\", replicas: 9",
            ),
        ),
        ("topology/reclaim-in-one-rack.ron", ("racks: 2", "rack: \"one\"")),
    ] {
        assert_eq!(failed(file, &[]), Vec::<String>::new(), "{file}");
        assert!(!failed(file, &[change]).is_empty(), "{file} without {change:?} claims the same");
    }
}
