//! The tables of docs/traces.md are real results: these tests import and run every trace again and look up every row. The
//! traces are read from `../shared` next to the repository, or from `QUOTREE_SHARED`. Without them the tests print that they
//! were skipped; with `QUOTREE_REQUIRE_SHARED=1` they fail instead.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on fails")]

use serde_json::Value;
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    process::Command,
};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
const GPU: &str = "nvidia.com/gpu";

fn traces() -> Option<PathBuf> {
    let shared = std::env::var_os("QUOTREE_SHARED").map_or_else(|| Path::new(ROOT).join("../shared"), PathBuf::from);
    let traces = shared.join("traces");
    if traces.is_dir() {
        return Some(traces);
    }
    let required = std::env::var("QUOTREE_REQUIRE_SHARED").is_ok_and(|v| v == "1");
    assert!(!required, "{} is not there, and QUOTREE_REQUIRE_SHARED=1", traces.display());
    eprintln!("SKIPPED: {} is not there", traces.display());
    None
}

fn quotree(folder: &Path, args: &[&str]) -> Vec<u8> {
    let output = Command::new(env!("CARGO_BIN_EXE_quotree"))
        .current_dir(folder)
        .arg("--allow-outside")
        .args(args)
        .output()
        .unwrap();
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

fn run(folder: &Path, scenario: &str, more: &[&str]) -> Value {
    let file = format!("{scenario}.ron");
    let args = [&["run", &file, "--format", "json"], more].concat();
    serde_json::from_slice(&quotree(folder, &args)).unwrap()
}

fn scratch(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

fn guide() -> String {
    std::fs::read_to_string(Path::new(ROOT).join("docs/traces.md")).unwrap()
}

/// Fails and lists the rows that the document lacks.
fn look_for(rows: &[String]) {
    let guide = guide();
    let lacking: Vec<&str> = rows.iter().map(String::as_str).filter(|row| !guide.lines().any(|l| l == *row)).collect();
    assert!(lacking.is_empty(), "docs/traces.md lacks\n{}", lacking.join("\n"));
}

fn number(value: &Value, pointer: &str) -> u64 {
    value.pointer(pointer).and_then(Value::as_u64).unwrap_or_else(|| unreachable!("{pointer} of {value}"))
}

fn grouped(number: u64) -> String {
    quotree_reports::count(number.into())
}

/// Milliseconds over a count as seconds, to the nearest hundredth.
fn mean(sum_ms: u64, count: u64) -> String {
    let hundredths = (sum_ms * 2 / (count * 10)).div_ceil(2);
    format!("{}.{:02}", grouped(hundredths / 100), hundredths % 100)
}

fn seconds(ms: u64) -> String {
    grouped(ms / 1000)
}

fn min(quota: &Value) -> String {
    quota["min"].get(GPU).and_then(Value::as_str).unwrap_or("0").to_owned()
}

fn row(cells: &[String]) -> String {
    format!("| {} |", cells.join(" | "))
}

/// All waits of each job below a quota that ran, ascending, and how many jobs never ran.
struct Waits {
    ran: Vec<u64>,
    never: u64,
}

impl Waits {
    /// Below the quotas with these names.
    fn of(result: &Value, quotas: &BTreeSet<&str>) -> Self {
        let jobs = result["jobs"].as_array().unwrap().iter();
        let ours: Vec<&Value> = jobs.filter(|job| quotas.contains(job["quota"].as_str().unwrap())).collect();
        let started = ours.iter().filter(|job| !job["started_ms"].is_null());
        let mut ran: Vec<u64> = started.map(|job| number(job, "/wait_ms")).collect();
        ran.sort_unstable();
        let never = (ours.len() - ran.len()) as u64;
        Self { ran, never }
    }

    fn jobs(&self) -> u64 {
        self.ran.len() as u64 + self.never
    }

    /// A figure of the jobs that ran.
    fn told(&self, figure: impl Fn(&[u64]) -> String) -> String {
        if self.ran.is_empty() { "never".to_owned() } else { figure(&self.ran) }
    }

    fn mean(&self) -> String {
        self.told(|ran| mean(ran.iter().sum(), ran.len() as u64))
    }

    fn p99(&self) -> String {
        self.told(|ran| seconds(ran[(ran.len() * 99).div_ceil(100) - 1]))
    }

    fn longest(&self) -> String {
        self.told(|ran| seconds(ran[ran.len() - 1]))
    }
}

/// The names of a quota and of all quotas below it.
fn below<'a>(result: &'a Value, name: &'a str) -> BTreeSet<&'a str> {
    let mut names = BTreeSet::from([name]);
    // In tree order, a parent comes before its children.
    for quota in result["quotas"].as_array().unwrap() {
        if quota["parent"].as_str().is_some_and(|parent| names.contains(parent)) {
            names.insert(quota["name"].as_str().unwrap());
        }
    }
    names
}

/// The rows of a Philly table: the whole cluster, then each virtual cluster.
fn clusters(strict: &Value, borrowing: &Value, evicted: bool) -> Vec<String> {
    let pairs = strict["quotas"].as_array().unwrap().iter().zip(borrowing["quotas"].as_array().unwrap());
    pairs
        .filter(|(_, some)| number(some, "/wait/count") > 0)
        .map(|(none, some)| {
            let name = none["name"].as_str().unwrap();
            let [apart, shared] = [strict, borrowing].map(|result| Waits::of(result, &below(result, name)));
            let mut cells = vec![
                name.strip_prefix("vc-").unwrap_or("all").to_owned(),
                grouped(apart.jobs()),
                min(none),
                apart.mean(),
                shared.mean(),
            ];
            cells.extend([apart.p99(), shared.p99(), apart.longest(), shared.longest()]);
            cells.extend(evicted.then(|| grouped(number(some, "/evicted"))));
            row(&cells)
        })
        .collect()
}

/// The row of the whole cluster.
fn total(name: &str, result: &Value) -> String {
    let metric = |name: &str| number(result, &format!("/metrics/{name}"));
    let of_gpus = |name: &str| number(result, &format!("/metrics/{name}/nvidia.com~1gpu"));
    let permille = of_gpus("utilisation_permille");
    row(&[
        format!("`{name}`"),
        Waits::of(result, &below(result, result["quotas"][0]["name"].as_str().unwrap())).mean(),
        format!("{}.{} %", permille / 10, permille % 10),
        grouped(metric("evictions")),
        grouped(metric("wasted_evictions")),
        grouped(metric("thrash_max")),
        grouped(metric("lost_work_ms") / 3_600_000),
        grouped(of_gpus("borrowed_unit_s") / 86_400_000),
        grouped(of_gpus("starved_unit_s") / 86_400_000),
    ])
}

/// The rows of the leaves of an openb run.
fn leaves(name: &str, result: &Value) -> Vec<String> {
    let leaves = result["quotas"].as_array().unwrap().iter().filter(|quota| !quota["parent"].is_null());
    leaves
        .map(|leaf| {
            let waits = Waits::of(result, &below(result, leaf["name"].as_str().unwrap()));
            row(&[
                format!("`{name}`"),
                leaf["name"].as_str().unwrap().to_owned(),
                min(leaf),
                grouped(waits.ran.len() as u64),
                grouped(waits.never),
                waits.mean(),
                waits.p99(),
                waits.longest(),
                grouped(number(leaf, "/evicted")),
            ])
        })
        .collect()
}

#[test]
fn philly_in_virtual_clusters_matches_the_guide() {
    let Some(traces) = traces() else { return };
    let folder = scratch("philly-docs");
    let jobs = traces.join("philly/philly.csv.gz");
    let sizes = std::fs::read_to_string(traces.join("philly/philly_vc.csv")).unwrap();
    let mut rows = Vec::new();
    for divisor in [1, 4] {
        let scaled: Vec<String> = sizes
            .lines()
            .map(|line| match line.split_once(',') {
                Some((vc, nodes)) if nodes.parse::<u32>().is_ok() => {
                    format!("{vc},{}", nodes.parse::<u32>().unwrap() / divisor)
                }
                _ => line.to_owned(),
            })
            .collect();
        std::fs::write(folder.join("sizes.csv"), scaled.join("\n")).unwrap();
        let [name, strict] = [format!("philly-{divisor}"), format!("philly-{divisor}-strict")];
        let import = ["import", "philly", jobs.to_str().unwrap(), "--tree", "sizes.csv", "--out"];
        quotree(&folder, &[&import[..], &[&format!("{name}.ron")]].concat());
        quotree(&folder, &[&import[..], &[&format!("{strict}.ron"), "--no-borrowing"]].concat());
        let (borrowing, none) = (run(&folder, &name, &[]), run(&folder, &strict, &[]));
        rows.extend(clusters(&none, &borrowing, divisor > 1));
        rows.extend([total(&strict, &none), total(&name, &borrowing)]);
    }
    for (name, policy) in
        [("philly-4-hour", "Capacity(min_runtime: \"1h\")"), ("philly-4-off", "Capacity(reclaim: Off)")]
    {
        rows.push(total(name, &run(&folder, "philly-4", &["--policy", policy])));
    }
    assert_eq!(rows.len(), 38);
    look_for(&rows);
}

#[test]
fn openb_by_service_class_matches_the_guide() {
    let Some(traces) = traces() else { return };
    let folder = scratch("openb-docs");
    let [pods, nodes] =
        ["openb_pod_list_default.csv", "openb_node_list_gpu_node.csv"].map(|f| traces.join("openb").join(f));
    let import = ["import", "openb", pods.to_str().unwrap(), "--nodes", nodes.to_str().unwrap(), "--out"];
    quotree(&folder, &[&import[..], &["openb.ron"]].concat());
    quotree(&folder, &[&import[..], &["strict.ron", "--no-borrowing"]].concat());
    let (own, strict) = (run(&folder, "openb", &[]), run(&folder, "strict", &[]));
    assert_eq!(own["digest"], strict["digest"]);
    assert_eq!((number(&own, "/metrics/wait/max_ms"), number(&own, "/metrics/pods_succeeded")), (0, 8152));

    let guide = guide();
    for block in guide.split("```ron\n").skip(1).filter_map(|rest| rest.split("```\n").next()) {
        let Some((_, rest)) = block.split_once("name: \"openb-") else { continue };
        let name = rest.split('"').next().unwrap();
        std::fs::write(folder.join(format!("openb-{name}.ron")), block).unwrap();
    }
    let mut rows = Vec::new();
    for name in ["openb-six-strict", "openb-six", "openb-lent-strict", "openb-lent"] {
        let result = run(&folder, name, &[]);
        rows.extend(leaves(name, &result));
        rows.push(total(name, &result));
    }
    assert_eq!(rows.len(), 20);
    look_for(&rows);
}

#[test]
fn earth_by_day_matches_the_guide() {
    let Some(traces) = traces() else { return };
    let folder = scratch("earth-docs");
    let (series, sizes) = (traces.join("helios/Earth_vcs_may2020"), traces.join("helios/Earth_gpu_number.csv"));
    let import = ["import", "helios-demand", series.to_str().unwrap(), "--tree", sizes.to_str().unwrap(), "--out"];
    quotree(&folder, &[&import[..], &["earth.ron"]].concat());
    quotree(&folder, &[&import[..], &["earth-strict.ron", "--no-borrowing"]].concat());
    let (borrowing, none) = (run(&folder, "earth", &[]), run(&folder, "earth-strict", &[]));
    let mut rows = clusters(&none, &borrowing, true);
    rows.extend([total("earth-strict", &none), total("earth", &borrowing)]);

    for vc in ["vc6YE", "vchbv"] {
        std::fs::copy(series.join(format!("{vc}.csv.gz")), folder.join(format!("{vc}.csv.gz"))).unwrap();
    }
    let guide = guide();
    for block in guide.split("```ron\n").skip(1).filter_map(|rest| rest.split("```\n").next()) {
        let Some((_, rest)) = block.split_once("name: \"earth-") else { continue };
        let name = rest.split('"').next().unwrap();
        std::fs::write(folder.join(format!("earth-{name}.ron")), block).unwrap();
    }
    quotree(&folder, &["check", "earth-pair.ron"]);
    let (borrowing, none) = (run(&folder, "earth-pair", &[]), run(&folder, "earth-pair-strict", &[]));
    rows.extend(clusters(&none, &borrowing, true));
    rows.extend([total("earth-pair-strict", &none), total("earth-pair", &borrowing)]);
    assert_eq!(rows.len(), 17 + 2 + 3 + 2);
    look_for(&rows);
}

#[test]
fn lcg_as_a_tree_of_users_matches_the_guide() {
    let Some(traces) = traces() else { return };
    let folder = scratch("lcg-docs");
    let jobs = traces.join("swf/LCG.swf.gz");
    quotree(&folder, &["import", "swf", jobs.to_str().unwrap(), "--cpus", "2000", "--out", "lcg.ron"]);
    let result = run(&folder, "lcg", &[]);
    let quotas = result["quotas"].as_array().unwrap();
    let children = |name: &Value| quotas.iter().filter(|quota| &quota["parent"] == name).count();
    let leaves = quotas.iter().filter(|quota| children(&quota["name"]) == 0).count();
    assert_eq!((quotas.len(), leaves), (260, 231));
    // The five largest groups, and all.
    let mut groups: Vec<&Value> = quotas.iter().filter(|q| q["parent"].is_null() || q["parent"] == "swf").collect();
    groups.sort_by_key(|quota| std::cmp::Reverse(number(quota, "/wait/count")));
    let line = |quota: &&Value| {
        let waits = Waits::of(&result, &below(&result, quota["name"].as_str().unwrap()));
        row(&[
            if quota["parent"].is_null() { "all".to_owned() } else { quota["name"].as_str().unwrap().to_owned() },
            grouped(if quota["parent"].is_null() { leaves } else { children(&quota["name"]) } as u64),
            grouped(waits.ran.len() as u64),
            grouped(quota["min"]["cpu"].as_str().unwrap().parse().unwrap()),
            waits.mean(),
            waits.longest(),
            grouped(number(quota, "/evicted")),
        ])
    };
    look_for(&groups.iter().take(6).map(line).collect::<Vec<_>>());
}
