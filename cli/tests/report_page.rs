//! The pages of real runs in a browser: quiet, the same figures as `summary.json`, three clicks from an unmet guarantee to the
//! pod, the rule and the victims. Without Chromium these tests are skipped, with `QUOTREE_REQUIRE_BROWSER=1` they fail.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

#[path = "../../page/tests/chrome/mod.rs"]
mod chrome;

use chrome::{Chrome, Look, Open, PHONE, WIDE, start};
use serde_json::{Value, json};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
const TABS: [&str; 7] = ["overview", "quotas", "cluster", "nodes", "jobs", "waits", "claims"];

/// The demo with two claims that fail, before those of the demo, which hold.
const FAILING: &str = r#"#![enable(implicit_some)]
Scenario(
    name: "failing",
    extends: "ROOT/scenarios/nginx-40-core.ron",
    expect: [
        Final(Evictions(exactly: 0), because: "nobody is evicted"),
        Always(Used(quota: "root.a", resource: "cpu", at_most: "20")),
    ],
)"#;

/// No pod at all, GPUs that are counted.
const NOTHING: &str = r#"#![enable(implicit_some)]
Scenario(
    name: "nothing",
    about: "Two nodes, and nothing to run.",
    cluster: [NodePool(name: "gpu", count: 2, allocatable: { "cpu": "16", "nvidia.com/gpu": "4" })],
    quota: Quota(name: "root", min: { "nvidia.com/gpu": "8" }, max: { "nvidia.com/gpu": "8" }, children: [Quota(name: "root.a", namespaces: ["a"], min: { "nvidia.com/gpu": "8" })]),
)"#;

/// Runs a scenario, of the catalogue or its text, and returns the folder of its report.
fn run(name: &str, scenario: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("report-page").join(name);
    fs::create_dir_all(&folder).unwrap();
    let file = if scenario.ends_with(".ron") {
        Path::new(ROOT).join(scenario)
    } else {
        let file = folder.join("scenario.ron");
        fs::write(&file, scenario.replace("ROOT", ROOT)).unwrap();
        file
    };
    let mut command = Command::new(env!("CARGO_BIN_EXE_quotree"));
    let output = command.args(["run", "--allow-outside"]).arg(file).arg("--out").arg(&folder).output().unwrap();
    let status = output.status.code();
    assert!(matches!(status, Some(0 | 1)), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    folder
}

fn open<'a>(chrome: &'a Chrome, folder: &Path, look: Look, hash: &str) -> Open<'a> {
    chrome.open_file(&folder.join("report.html"), look, hash)
}

fn summary(folder: &Path) -> Value {
    serde_json::from_slice(&fs::read(folder.join("summary.json")).unwrap()).unwrap()
}

/// The table of a panel, a list of cells a row.
fn rows(page: &Open<'_>, panel: &str) -> Vec<Vec<String>> {
    let rows = format!(
        "[...document.querySelectorAll('[data-panel={panel}] tbody tr')].map((tr) => [...tr.children].map((td) => td.innerText.trim()))"
    );
    serde_json::from_value(page.eval(&rows)).unwrap()
}

#[test]
fn every_tab_of_every_run_is_quiet() {
    let Some(chrome) = start("runs_are_quiet") else { return };
    let runs = [
        ("demo", "scenarios/nginx-40-core.ron", "all 25 claims hold"),
        ("lab", "scenarios/world/research-lab.ron", "all 21 claims hold"),
        ("failing", FAILING, "2 of 27 claims fail"),
        ("nothing", NOTHING, "nothing is claimed"),
    ];
    for (name, scenario, verdict) in runs {
        let folder = run(name, scenario);
        for look in [WIDE, PHONE] {
            let page = open(&chrome, &folder, look, "");
            assert!(page.text_of(".title .chip").contains(verdict), "{name}: {}", page.text_of(".title .chip"));
            for tab in TABS {
                page.eval(&format!("setTab({tab:?})"));
                page.settle();
                let widths = page.eval("[document.documentElement.scrollWidth, innerWidth]");
                assert!(widths[0].as_u64() <= widths[1].as_u64(), "{name}: {tab} is wider than the window: {widths}");
            }
            assert_eq!(page.problems(), Vec::<String>::new(), "{name}");
        }
        let still = open(&chrome, &folder, Look { scripts: false, ..WIDE }, "");
        let shown = "[...document.querySelectorAll('section[data-tab]')].every((x) => x.getClientRects().length)";
        assert_eq!(still.eval(shown), json!(true), "{name}: without scripts");
        assert!(still.text_of("body").contains("Who ran where"), "{name}: without scripts");
    }
    // A run that fails opens at the first moment at which a claim did not hold, and tells those claims first.
    let page = open(&chrome, &run("failing", FAILING), WIDE, "claims");
    assert_eq!(page.text_of("[data-panel=claims] tbody th"), "✕\nfails");
    assert!(page.text_of(".tabs a[href='#claims']").contains("✕ 2"));
}

#[test]
fn figures_are_those_of_the_summary() {
    let Some(chrome) = start("runs_figures") else { return };
    for (name, scenario, resource, unit) in [
        ("demo", "scenarios/nginx-40-core.ron", "cpu", "core"),
        ("lab", "scenarios/world/research-lab.ron", "nvidia.com/gpu", "GPU"),
    ] {
        let folder = run(name, scenario);
        let (summary, page) = (summary(&folder), open(&chrome, &folder, WIDE, "overview"));
        let (metrics, tiles) =
            (&summary["metrics"], page.eval("[...document.querySelectorAll('.tiles .v')].map((v) => v.innerText)"));
        let permille = metrics["utilisation_permille"][resource].as_f64().unwrap();
        assert_eq!(tiles[0], format!("{:.1} %", permille / 10.0), "{name}: utilisation");
        let hours = metrics["borrowed_unit_s"][resource].as_f64().unwrap() / 3_600_000.0;
        let borrowed =
            if hours >= 1.0 { format!("{hours:.0} {unit}-h") } else { format!("{:.0} {unit}-min", hours * 60.0) };
        assert_eq!(tiles[1], borrowed, "{name}: borrowed");
        assert_eq!(tiles[4], metrics["evictions"].to_string(), "{name}: evictions");
        // Every quota: counts, and use over time, which the series integrate to.
        for quota in summary["quotas"].as_array().unwrap() {
            let at = format!("data.quotas.findIndex((q) => q.name === {})", quota["name"]);
            let seen = page.eval(&format!("(({{ running, pending, evicted, wait }}) => [running, pending, evicted, wait.count])(data.quotas[{at}])"));
            assert_eq!(seen[0], quota["running"], "{name}: {}", quota["name"]);
            assert_eq!(seen[1], quota["pending"], "{name}: {}", quota["name"]);
            assert_eq!(seen[2], quota["evicted"], "{name}: {}", quota["name"]);
            let of = format!("seriesOf({at}, data.resources.findIndex((r) => r.name === {resource:?}))");
            let areas = page.eval(&format!("['used', 'borrowed', 'missed'].map((k) => [Math.floor(series.area({of}[k]) / 1000), {of}[k + '_unit_s']])"));
            for pair in areas.as_array().unwrap() {
                assert_eq!(pair[0], pair[1], "{name}: {} {areas}", quota["name"]);
            }
            let used: f64 = quota["used_time_s"][resource].as_str().map_or(0.0, |text| text.parse().unwrap());
            let page_used = areas[0][0].as_f64().unwrap() / 1000.0;
            assert!((used - page_used).abs() < 1.0, "{name}: {} used {used}, {page_used}", quota["name"]);
        }
        let roots = "data.series.filter((s) => data.quotas[s.quota].parent === undefined && data.resources[s.resource].name === NAME)";
        let roots = roots.replace("NAME", &format!("{resource:?}"));
        for kind in ["borrowed_unit_s", "lent_unit_s", "starved_unit_s"] {
            let sum = page.eval(&format!("{roots}.reduce((sum, s) => sum + (s.{kind} ?? 0), 0)"));
            assert_eq!(sum.as_f64(), metrics[kind][resource].as_f64(), "{name}: {kind}");
        }
        // Tables as they are shown.
        for row in rows(&page, "teams") {
            let quota =
                summary["quotas"].as_array().unwrap().iter().find(|q| q["name"] == row[0]).expect("the leaf is there");
            let count = quota["evicted"].to_string();
            let evicted = row.iter().rev().take(2).any(|cell| **cell == count);
            assert!(evicted || quota["evicted"] == 0, "{name}: {row:?}");
        }
        page.eval("setTab('waits')");
        page.settle();
        let evictions = summary["evictions"].as_array().unwrap();
        let shown = rows(&page, "evictions");
        assert_eq!(shown.len(), evictions.len(), "{name}: evictions");
        for (row, eviction) in shown.iter().zip(evictions) {
            assert_eq!(
                [&row[1], &row[4]],
                [&eviction["pod"], &eviction["rule"]].map(|v| v.as_str().unwrap()),
                "{name}"
            );
        }
        page.eval("setTab('nodes'); setMoment(data.end)");
        page.settle();
        let nodes: Vec<_> = rows(&page, "nodes").into_iter().map(|row| row[0].clone()).collect();
        let names: Vec<_> = summary["nodes"].as_array().unwrap().iter().map(|n| n["name"].as_str().unwrap()).collect();
        assert_eq!(nodes, names, "{name}: nodes");
    }
}

#[test]
fn three_clicks_and_keys_tell_why_a_pod_waits() {
    let Some(chrome) = start("runs_three_clicks") else { return };
    let page = open(&chrome, &run("lab", "scenarios/world/research-lab.ron"), WIDE, "overview");
    page.click(".tiles a[data-at]");
    assert_eq!(page.eval("state.tab"), json!("quotas"));
    let misses = "[...document.querySelectorAll('[data-panel=quotas] tbody tr')].find((tr) => tr.innerText.includes('misses')).querySelector('.link').id = 'misses'";
    page.eval(misses);
    page.click("#misses");
    assert!(page.text_of("#story").contains("of its guarantee"), "{}", page.text_of("#story"));
    page.click("#story .why .link");
    let story = page.text_of("#story");
    for part in ["resnet", "Why it waits", "H1", "evicts", "llm-worker-0", "R2", "01:00:30"] {
        assert!(story.contains(part), "{part}: {story}");
    }
    // The address brings the same back; Escape and the search work by keys alone.
    let hash = page.text("location.hash");
    let again = open(&chrome, &run("lab", "scenarios/world/research-lab.ron"), WIDE, hash.trim_start_matches('#'));
    assert_eq!(again.text_of("#story"), story);
    again.press("Escape");
    assert_eq!(again.eval("state.story"), json!(null));
    again.press("/");
    again.write("llm-worker-8");
    again.press("Enter");
    assert!(again.text_of("#story").contains("llm-worker-8"));
    assert_eq!(again.problems(), Vec::<String>::new());
}
