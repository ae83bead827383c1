//! Tests of the importers with the real traces, which are not part of the repository. They are read from `../shared` next to
//! it, or from `QUOTREE_SHARED`. Without them these tests print that they were skipped; with `QUOTREE_REQUIRE_SHARED=1`
//! they fail instead.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use quotree_sim::{
    import::{self, TraceFormat, TraceOptions, TraceRows},
    model::TraceRow,
};
use serde_json::Value;
use std::{cmp::Reverse, collections::BinaryHeap, ffi::OsStr, io::Read, path::PathBuf, process::Command};

/// The path of a trace, if it exists.
fn place(path: &str) -> PathBuf {
    let root = std::env::var_os("QUOTREE_SHARED")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared"), PathBuf::from);
    root.join("traces").join(path)
}

/// The bytes of a trace, decompressed; nothing if the traces are absent and not required.
fn trace(path: &str) -> Option<Vec<u8>> {
    let path = place(path);
    let Ok(bytes) = std::fs::read(&path) else {
        let required = std::env::var("QUOTREE_REQUIRE_SHARED").is_ok_and(|v| v == "1");
        assert!(!required, "{} cannot be read, and QUOTREE_REQUIRE_SHARED=1", path.display());
        eprintln!("SKIPPED: {} cannot be read", path.display());
        return None;
    };
    if path.extension().is_none_or(|extension| extension != "gz") {
        return Some(bytes);
    }
    let mut unpacked = Vec::new();
    flate2::read::MultiGzDecoder::new(bytes.as_slice()).read_to_end(&mut unpacked).unwrap();
    Some(unpacked)
}

fn read(format: TraceFormat, path: &str, resource: &str) -> Option<TraceRows> {
    let options = TraceOptions { resource: resource.into(), ..TraceOptions::default() };
    Some(import::rows(format, &trace(path)?, &options))
}

/// The mean wait of a strict FIFO queue on a pool of `gpus`, in hundredths of a second, rounded: a reference that does not
/// use the scheduler.
fn mean_wait_cs(rows: &[TraceRow], gpus: i64) -> u128 {
    let mut free = gpus * 1000;
    let mut ends: BinaryHeap<Reverse<(u64, i64)>> = BinaryHeap::new();
    let (mut now, mut waits) = (0, 0u128);
    for row in rows {
        let asked = row.template.request.get("nvidia.com/gpu").unwrap();
        now = now.max(row.submit.0);
        while let Some(Reverse((end, freed))) = ends.peek().copied()
            && (end <= now || free < asked)
        {
            ends.pop();
            now = now.max(end);
            free += freed;
        }
        assert!(free >= asked, "a job of {asked} never fits");
        free -= asked;
        ends.push(Reverse((now + row.runtime_ms, asked)));
        waits += u128::from(now - row.submit.0);
    }
    (waits / 5 / rows.len() as u128).div_ceil(2)
}

#[test]
fn philly_as_one_strict_fifo_has_the_published_mean_waits() {
    let Some(read) = read(TraceFormat::Philly, "philly/philly.csv.gz", "nvidia.com/gpu") else { return };
    assert_eq!((read.rows.len(), read.problems.len()), (82_247, 0));
    let means = [520, 640, 800, 1024].map(|gpus| mean_wait_cs(&read.rows, gpus));
    assert_eq!(means, [42_912_888, 3_316_673, 70_955, 1148]);
}

#[test]
fn openb_has_its_pods_and_nodes() {
    let Some(read) = read(TraceFormat::Openb, "openb/openb_pod_list_default.csv", "nvidia.com/gpu") else { return };
    assert_eq!((read.rows.len(), read.problems.len()), (8152, 0));
    let gpus: i64 = read.rows.iter().filter_map(|row| row.template.request.get("nvidia.com/gpu")).sum();
    assert_eq!(gpus / 100, 60_868, "6086.8 GPUs");
    let fractions = read.rows.iter().filter(|row| row.template.devices.as_ref().is_some_and(|d| d.each < 1000));
    assert_eq!(fractions.count(), 3078);
    let of = |qos: &str| read.rows.iter().filter(|row| row.namespace == qos).count();
    assert_eq!(["ls", "be", "burstable", "guaranteed"].map(of), [4647, 3398, 100, 7]);

    let Some(bytes) = trace("openb/openb_node_list_gpu_node.csv") else { return };
    let nodes = import::nodes(TraceFormat::Openb, &bytes, &TraceOptions::default());
    assert_eq!((nodes.rows.len(), nodes.problems.len()), (1213, 0));
    let sum = |resource: &str| nodes.rows.iter().filter_map(|node| node.allocatable.get(resource)).sum::<i64>();
    assert_eq!((sum("nvidia.com/gpu"), sum("cpu"), sum("memory") >> 30), (6_212_000, 107_018_000, 492_020));
}

#[test]
fn openb_variants_are_read_and_lists_without_times_are_errors() {
    let Some(read33) = read(TraceFormat::Openb, "openb/openb_pod_list_gpuspec33.csv.gz", "nvidia.com/gpu") else {
        return;
    };
    assert_eq!(read33.rows.iter().filter(|row| !row.template.selector.is_empty()).count(), 2388);
    let Some(multi) = read(TraceFormat::Openb, "openb/openb_pod_list_multigpu20.csv.gz", "nvidia.com/gpu") else {
        return;
    };
    assert_eq!((multi.rows.len(), multi.problems.len()), (0, 3));
}

#[test]
fn swf_logs_have_their_jobs_and_skip_jobs_that_did_not_run() {
    for (path, jobs, refused) in [
        ("swf/LCG.swf.gz", 188_041, 0),
        ("swf/NASA-iPSC-1993-3.1-cln.swf.gz", 18_239, 0),
        ("swf/wagap-2013.swf.gz", 17_898, 2),
    ] {
        let Some(read) = read(TraceFormat::Swf, path, "cpu") else { return };
        assert_eq!((read.rows.len(), read.problems.len()), (jobs, refused), "{path}: {:?}", read.problems);
    }
}

#[test]
fn muri_lists_have_their_jobs_and_gpu_days() {
    for (path, jobs, days) in [
        ("muri/trace1.csv.gz", 1494, 15_971),
        ("muri/trace2.csv.gz", 5755, 34_336),
        ("muri/trace3.csv.gz", 992, 4862),
        ("muri/trace4.csv.gz", 2638, 8537),
    ] {
        let Some(read) = read(TraceFormat::Muri, path, "nvidia.com/gpu") else { return };
        assert_eq!((read.rows.len(), read.problems.len()), (jobs, 0), "{path}: {:?}", read.problems);
        let gpu_ms = |row: &TraceRow| {
            let gpus = row.template.request.get("nvidia.com/gpu").unwrap() / 1000;
            i128::from(gpus) * i128::from(row.runtime_ms)
        };
        assert_eq!(read.rows.iter().map(gpu_ms).sum::<i128>() / 86_400_000, days, "{path}");
        assert!(read.rows.iter().any(|row| row.priority == Some(1)), "{path}");
    }
}

#[test]
fn pai_machines_are_read_from_the_tar_file() {
    let Some(bytes) = trace("pai-2020/pai_machine_spec.tar.gz") else { return };
    let read = import::nodes(TraceFormat::Pai, &bytes, &TraceOptions::default());
    assert_eq!((read.rows.len(), read.problems.len()), (1897, 0), "{:?}", read.problems.first());
    let gpus: i64 = read.rows.iter().filter_map(|node| node.allocatable.get("nvidia.com/gpu")).sum();
    assert_eq!(gpus, 6_742_000);
    let of = |model: &str| read.rows.iter().filter(|node| node.labels.iter().any(|(_, m)| m.as_str() == model)).count();
    assert_eq!(["P100", "T4", "MISC", "V100M32", "V100"].map(of), [798, 497, 280, 135, 104]);
}

#[test]
fn helios_demand_has_the_published_mean() {
    for (vc, jobs, running, pending) in
        [("vc6YE", 11_327, 187.746_931, 19.896_730), ("vchbv", 26_154, 26.307_885, 0.570_855)]
    {
        let path = format!("helios/Earth_vcs_may2020/{vc}.csv.gz");
        let Some(read) = read(TraceFormat::HeliosDemand, &path, "nvidia.com/gpu") else { return };
        assert_eq!((read.rows.len(), read.problems.len()), (jobs, 0), "{vc}");
        assert_eq!(read.start.unwrap().to_string(), "2020-05-01T00:00:00");
        // The mean demand over the month, computed without the importer.
        let minutes: u64 = read.rows.iter().map(|row| row.runtime_ms / 60_000).sum();
        let mean = minutes as f64 / 44_640.0;
        assert!((mean - running - pending).abs() < 1e-5, "{vc}: {mean}");
    }
}

#[test]
fn earth_changes_its_quotas_on_twenty_days() {
    let Some(bytes) = trace("helios/Earth_gpu_number.csv") else { return };
    let (days, problems) = import::daily_quotas(&bytes, "2020-04-01T00:00:00".parse().unwrap());
    assert_eq!((days.len(), problems.len()), (21, 0), "{problems:?}");
    let gpus = |day: usize, vc: &str| days[day].gpus.iter().find(|(name, _)| name == vc).unwrap().1;
    assert_eq!((gpus(0, "vc6YE"), gpus(0, "vchbv")), (128, 112));
    assert!(days.iter().all(|day| day.gpus.len() == 25));
}

/// Imports Philly with these arguments, runs the scenario, and returns its summary.
fn philly(name: &str, args: &[&str]) -> Value {
    let scenario = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.ron"));
    let quotree = |args: &[&OsStr]| {
        let output = Command::new(env!("CARGO_BIN_EXE_quotree")).arg("--allow-outside").args(args).output().unwrap();
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    };
    let trace = place("philly/philly.csv.gz");
    let mut import: Vec<&OsStr> = vec!["import".as_ref(), "philly".as_ref(), trace.as_ref()];
    import.extend(args.iter().map(|arg| OsStr::new(*arg)));
    import.extend([OsStr::new("--out"), scenario.as_ref()]);
    quotree(&import);
    serde_json::from_slice(&quotree(&["run".as_ref(), scenario.as_ref(), "--format".as_ref(), "json".as_ref()]))
        .unwrap()
}

/// The mean wait in hundredths of a second, rounded.
fn mean_cs(wait: &Value) -> u64 {
    let (sum, count) = (wait["sum_ms"].as_u64().unwrap(), wait["count"].as_u64().unwrap());
    (sum / 5 / count).div_ceil(2)
}

#[test]
fn philly_through_the_scheduler_matches_the_reference_queue() {
    if trace("philly/philly.csv.gz").is_none() {
        return;
    }
    for (gpus, mean) in [("520", 42_912_888), ("640", 3_316_673), ("800", 70_955), ("1024", 1148)] {
        let summary = philly(&format!("philly-{gpus}"), &["--gpus", gpus]);
        let metrics = &summary["metrics"];
        assert_eq!((mean_cs(&metrics["wait"]), metrics["wait"]["count"].as_u64()), (mean, Some(82_247)), "{gpus} GPUs");
    }
}

#[test]
fn borrowing_makes_no_virtual_cluster_of_philly_wait_longer() {
    if trace("philly/philly.csv.gz").is_none() {
        return;
    }
    let sizes = place("philly/philly_vc.csv");
    let tree = ["--tree", sizes.to_str().unwrap()];
    let with = philly("philly-vc", &tree);
    let without = philly("philly-vc-strict", &[&tree[..], &["--no-borrowing"]].concat());
    let pairs = || with["quotas"].as_array().unwrap().iter().zip(without["quotas"].as_array().unwrap());
    assert_eq!(pairs().count(), 16);
    for (with, without) in pairs().filter(|(_, without)| without["wait"]["count"] != 0) {
        assert!(mean_cs(&with["wait"]) <= mean_cs(&without["wait"]), "{with} {without}");
    }
    assert!(mean_cs(&with["metrics"]["wait"]) < mean_cs(&without["metrics"]["wait"]));
    assert_eq!(with["metrics"]["pods_succeeded"], 82_247);
}
