//! `sweep`: the same bytes whatever the threads, after an interruption, and from parts put together; its tables are recounted
//! from single runs. Studies that cannot be meant are refused before anything runs.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test that cannot go on fails")]

mod command;

use command::{quotree_in, scratch};
use serde_json::Value;
use snapbox::cmd::Command;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

const LAB: &str = "scenarios/world/research-lab.ron";
const SWEEP: [&str; 8] =
    ["sweep", LAB, "--set", "cluster.gpu.count=7,9", "--set", "policy.reclaim=Min,Off", "--seeds", "3"];

fn quotree(args: &[&str]) -> Command {
    quotree_in("..", args)
}

fn sweep(out: &Path, more: &[&str]) -> String {
    let output = quotree(&[&SWEEP[..], &["--out", out.to_str().unwrap()], more].concat()).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The tables and the figure of a sweep, by file name.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let all = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file());
    all.map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read(&path).unwrap())).collect()
}

/// The files with finished runs.
fn parts(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder.join("runs")).unwrap().map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn bytes_are_the_same_for_any_threads_interruption_and_parts() {
    let [one, four, torn, parted] = ["one", "four", "torn", "parted"].map(|name| scratch(&format!("sweep/{name}")));
    sweep(&one, &["--jobs", "1"]);
    let wanted = files(&one);
    assert_eq!(wanted.len(), 12, "{:?}", wanted.keys());
    sweep(&four, &["--jobs", "4"]);
    assert!(files(&four) == wanted);
    // What an interruption leaves: some lines, and one that was not written in full.
    fs::create_dir_all(torn.join("runs")).unwrap();
    fs::copy(one.join("sweep.json"), torn.join("sweep.json")).unwrap();
    let lines = fs::read_to_string(parts(&one)[0].as_path()).unwrap();
    let kept: Vec<&str> = lines.lines().take(5).collect();
    let next = lines.lines().nth(5).unwrap();
    fs::write(torn.join("runs/0000.jsonl"), format!("{}\n{}", kept.join("\n"), &next[..next.len() / 2])).unwrap();
    let said = sweep(&torn, &[]);
    assert!(said.contains("5 were there already"), "{said}");
    assert!(files(&torn) == wanted);
    // Only what was missing was run.
    let new = parts(&torn).iter().map(|part| fs::read_to_string(part).unwrap().lines().count()).sum::<usize>();
    assert_eq!(new, 6 + 7);
    // Three parts in folders of their own, copied into one; nothing is left to run.
    fs::create_dir_all(parted.join("runs")).unwrap();
    for part in 1..=3 {
        let own = scratch(&format!("sweep/part-{part}"));
        sweep(&own, &["--shard", &format!("{part}/3")]);
        assert!(!own.join("runs.csv").exists());
        for file in parts(&own) {
            fs::copy(&file, parted.join("runs").join(file.file_name().unwrap())).unwrap();
        }
        fs::copy(own.join("sweep.json"), parted.join("sweep.json")).unwrap();
    }
    let before = parts(&parted).len();
    let said = sweep(&parted, &[]);
    assert!(said.contains("12 were there already"), "{said}");
    assert!(files(&parted) == wanted);
    assert_eq!(parts(&parted).len(), before);
}

#[test]
fn a_wider_sweep_runs_only_what_is_new() {
    let out = scratch("sweep/wider");
    sweep(&out, &[]);
    let mut wider = SWEEP;
    wider[3] = "cluster.gpu.count=7..9";
    let output = quotree(&[&wider[..], &["--out", out.to_str().unwrap()]].concat()).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("6 settings · 3 seeds · 18 runs · 12 were there already"), "{said}");
    // Another scenario in the same folder has other keys.
    let mut other = SWEEP;
    other[5] = "policy.reclaim=FairShare";
    let output = quotree(&[&other[..], &["--out", out.to_str().unwrap()]].concat()).output().unwrap();
    assert!(!String::from_utf8(output.stdout).unwrap().contains("already"));
}

#[test]
fn the_table_is_that_of_the_single_runs() {
    let output =
        quotree(&[&SWEEP[..], &["--show", "wait.p95 of nlp", "--show", "evictions", "--format", "json"]].concat());
    let table: Value = serde_json::from_slice(&output.output().unwrap().stdout).unwrap();
    let rows = table["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 4);
    for row in rows {
        let (count, reclaim) = (row["cluster.gpu.count"].as_str().unwrap(), row["policy.reclaim"].as_str().unwrap());
        let single = ["1", "2", "3"].map(|seed| -> Value {
            let set = [format!("cluster.gpu.count={count}"), format!("policy.reclaim={reclaim}")];
            let args = ["run", LAB, "--seed", seed, "--set", &set[0], "--set", &set[1], "--format", "json"];
            serde_json::from_slice(&quotree(&args).output().unwrap().stdout).unwrap()
        });
        let evictions = single.iter().map(|s| s["metrics"]["evictions"].as_u64().unwrap()).collect::<Vec<_>>();
        assert_eq!(row["evictions.mean"], evictions.iter().sum::<u64>() / 3);
        assert_eq!(row["evictions.p95"], *evictions.iter().max().unwrap());
        assert_eq!(row["evictions.p5"], *evictions.iter().min().unwrap());
        let nlp = |s: &Value| s["quotas"].as_array().unwrap().iter().find(|q| q["name"] == "nlp").unwrap().clone();
        let mut waits: Vec<u64> = single.iter().map(|s| nlp(s)["wait"]["p95_ms"].as_u64().unwrap()).collect();
        waits.sort_unstable();
        assert_eq!(row["nlp.wait_p95_ms.p50"], waits[1]);
        let held = |place: usize| single.iter().all(|s| s["claims"]["results"][place]["passed"] == true);
        let claims = single[0]["claims"]["results"].as_array().unwrap().len();
        assert_eq!(row["claims_held"], (0..claims).filter(|place| held(*place)).count());
    }
}

#[test]
fn csv_json_and_text_have_the_same_rows() {
    let stdout = |format: &str| quotree(&[&SWEEP[..], &["--format", format]].concat()).output().unwrap().stdout;
    let json: Value = serde_json::from_slice(&stdout("json")).unwrap();
    let csv = String::from_utf8(stdout("csv")).unwrap();
    let mut lines = csv.lines();
    let head: Vec<&str> = lines.next().unwrap().split(',').collect();
    let columns: Vec<&str> = json["columns"].as_array().unwrap().iter().map(|c| c["name"].as_str().unwrap()).collect();
    assert_eq!(head, columns);
    for (line, row) in lines.zip(json["rows"].as_array().unwrap()) {
        for (value, column) in line.split(',').zip(&columns) {
            let wanted = row[*column].as_str().map_or_else(|| row[*column].to_string(), str::to_owned);
            assert_eq!(value, wanted, "{column}");
        }
    }
    let text = String::from_utf8(stdout("text")).unwrap();
    assert_eq!(text.lines().filter(|line| line.starts_with("7 ") || line.starts_with("9 ")).count(), 4, "{text}");
}

#[test]
fn what_cannot_be_meant_is_refused_before_anything_runs() {
    for (args, why) in [
        (&["--set", "cluster.gpu.count=16..8"][..], "the range goes backwards"),
        (&["--set", "cluster.gpu.count=8.."], "no end that is a whole number"),
        (&["--set", "cluster.gpu.count=8..x"], "no end that is a whole number"),
        (&["--set", "cluster.gpu.count=1.5..2"], "a range goes over whole numbers"),
        (&["--set", "cluster.gpu.count=1..9..0"], "the step of a range is at least 1"),
        (&["--set", "cluster.gpu.count=1..=9"], "a range includes both of its ends"),
        (&["--set", "cluster.gpu.count=8Gi..16Mi"], "have the same unit"),
        (&["--set", "cluster.gpu.count=1..1000000000"], "this range has 1,000,000,000 values"),
        (
            &["--set", "cluster.gpu.count=-9223372036854775808..9223372036854775807"],
            "18,446,744,073,709,551,616 values",
        ),
        (&["--set", "cluster.gpu.count="], "there is no value"),
        (&["--set", "cluster.gpu.count=8,,9"], "there is no value after the comma"),
        (&["--set", "cluster.gpu.count=8,9,8"], "`8` is given twice"),
        (&["--set", "cluster.gpu.count"], "there is no `=`"),
        (&["--set", "cluster.gpu.count=1..1000", "--set", "cluster.cpu.count=1..1000"], "1,000,000 runs"),
        (&["--set", "cluster.gpu.count=1..1000", "--seeds", "1000"], "1,000,000 runs"),
        (&["--set", "cluster.gpu.count=1,2", "--set", "cluster.gpu.count=3"], "`cluster.gpu.count` is set twice"),
        (&["--set", "seed=1..3"], "given by `--seeds`"),
        (&["--set", "cluster.gpy.count=1..3"], "`cluster` has no entry `gpy`"),
        (&["--set", "cluster.gpu.count=8,eight"], "1 of 2 settings is invalid"),
        (&["--set", "cluster.gpu.count=8", "--show", "wait.p96"], "there is no figure `wait.p96`"),
        (&["--set", "cluster.gpu.count=8", "--show", "wait.p95 of npl"], "there is no leaf quota `npl`"),
        (&["--set", "cluster.gpu.count=8", "--shard", "0/4"], "is no part"),
        (&["--set", "cluster.gpu.count=8", "--shard", "5/4"], "is no part"),
        (&["--set", "cluster.gpu.count=8", "--shard", "1/2"], "--out"),
        (&["--set", "cluster.gpu.count=8", "--out", "scenarios"], "is not the folder of a sweep"),
    ] {
        let output = quotree(&[&["sweep", LAB], args].concat()).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{args:?}: {said}");
        assert!(output.stdout.is_empty(), "{args:?}");
        assert!(said.contains(why), "{args:?}: {said}");
    }
    // All mistakes at once.
    let output = quotree(&["sweep", LAB, "--set", "cluster.gpu.count=9..8", "--set", "policy.order=,Fifo"]).output();
    let said = String::from_utf8(output.unwrap().stderr).unwrap();
    assert!(said.contains("backwards") && said.contains("there is no value"), "{said}");
}

#[test]
fn invalid_settings_can_be_skipped() {
    let args = ["sweep", LAB, "--set", "cluster.gpu.count=8,eight,9", "--skip-invalid"];
    let output = quotree(&args).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(text.contains("1 run of invalid settings skipped"), "{text}");
    assert!(text.contains("\n8 ") && text.contains("\n9 ") && !text.contains("eight"), "{text}");
}

#[test]
fn ctrl_c_ends_a_sweep_and_the_same_command_goes_on() {
    let out = scratch("sweep/interrupted");
    let long = ["sweep", LAB, "--set", "cluster.gpu.count=6..45", "--seeds", "200", "--jobs", "1", "--out"];
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_quotree"))
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .args(long)
        .arg(&out)
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    // Once it has finished some runs.
    let some =
        || out.join("runs").is_dir() && parts(&out).iter().any(|part| fs::metadata(part).unwrap().len() > 50_000);
    while !some() {
        assert!(child.try_wait().unwrap().is_none());
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let pid = child.id().to_string();
    assert!(std::process::Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(130), "{said}");
    assert!(said.contains("interrupted: ") && said.contains("of 8,000 runs ended"), "{said}");
    assert!(said.contains("the same command goes on from there"), "{said}");
    assert!(!out.join("runs.csv").exists());
    // What was finished is there: a smaller sweep of the same settings finds it.
    let kept: usize = parts(&out).iter().map(|part| fs::read_to_string(part).unwrap().lines().count()).sum();
    let smaller = ["sweep", LAB, "--set", "cluster.gpu.count=6", "--seeds", "200", "--out", out.to_str().unwrap()];
    let text = String::from_utf8(quotree(&smaller).output().unwrap().stdout).unwrap();
    assert!(text.contains(&format!("{} were there already", kept.min(200))), "{kept}: {text}");
}

#[test]
fn parquet_has_the_cells_of_the_table() {
    let out = scratch("sweep/parquet");
    sweep(&out, &[]);
    for table in ["settings", "runs", "teams"] {
        let bytes = fs::read(out.join(table).with_extension("parquet")).unwrap();
        assert!(bytes.starts_with(b"PAR1") && bytes.ends_with(b"PAR1"), "{table}");
    }
}
