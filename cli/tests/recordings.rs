//! Recordings of a live scheduler: `replay` and `import --from-recording`. `tests/data/recording` is that of the 40-core demo
//! (`QUOTREE_BLESS=1 cargo test -p quotree-kube --test cluster in_memory::demo::gate_mode` makes it anew).

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

const RECORDING: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/recording");

fn quotree(args: &[&str]) -> (i32, String, String) {
    let Output { status, stdout, stderr } = Command::new(env!("CARGO_BIN_EXE_quotree")).args(args).output().unwrap();
    (status.code().unwrap(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

/// A copy to damage.
fn copy(name: &str) -> PathBuf {
    let to = std::env::temp_dir().join(format!("quotree-recordings-{}-{name}", std::process::id()));
    let _ = fs::remove_dir_all(&to);
    fs::create_dir_all(&to).unwrap();
    for entry in fs::read_dir(RECORDING).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
    to
}

fn segments(folder: &Path) -> Vec<PathBuf> {
    quotree_record::folder::segments(folder).unwrap().into_iter().map(|(_, path)| path).collect()
}

/// Writes the lines of a segment anew, with right sums, as another program could have written them.
fn doctored(path: &Path, change: impl Fn(&mut serde_json::Value)) {
    use quotree_record::{Head, Line, write::Segment};
    let mut steps = quotree_record::Steps::open(path).unwrap();
    let mut lines = vec![Line::Head(Box::new(steps.head().clone()))];
    while let Some(step) = steps.step().unwrap() {
        lines.extend(step.lines.into_iter().map(|(_, line)| line));
        lines.extend(step.decision.map(|decision| Line::Decide(Box::new(decision))));
    }
    let folder = path.with_extension("new");
    let changed = |line: &Line| {
        let mut value = serde_json::to_value(line).unwrap();
        change(&mut value);
        serde_json::from_value::<Line>(value).unwrap()
    };
    let Line::Head(head) = changed(&lines[0]) else { panic!("a head") };
    let (mut segment, _) = Segment::begin(&folder, Head { follows: None, ..*head }).unwrap();
    for line in &lines[1..] {
        segment.take(&changed(line)).unwrap();
    }
    segment.end(quotree_record::Why::Stopped, 0).unwrap();
    fs::rename(segments(&folder)[0].as_path(), path).unwrap();
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn every_decision_of_a_recording_comes_out_again() {
    let (code, text, _) = quotree(&["replay", RECORDING]);
    assert_eq!(code, 0, "{text}");
    let last = text.lines().last().unwrap();
    assert!(last.starts_with("All ") && last.contains(" decisions equal the recorded ones ("), "{text}");
    assert_eq!(text.lines().count(), segments(Path::new(RECORDING)).len() + 1);
    let (code, json, _) = quotree(&["replay", RECORDING, "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((code, json["equal"].as_bool()), (0, Some(true)));
    assert_eq!(json["segments"][1]["follows"], true);
    // Each segment replays alone.
    for path in segments(Path::new(RECORDING)) {
        assert_eq!(quotree(&["replay", path.to_str().unwrap()]).0, 0);
    }
}

#[test]
fn the_demo_comes_to_the_same_rows_as_a_scenario() {
    let folder = copy("rows");
    let scenario = folder.join("demo.ron");
    let path = scenario.to_str().unwrap();
    let (code, _, stderr) = quotree(&["import", "kubernetes", "--from-recording", RECORDING, "--out", path]);
    assert_eq!((code, stderr.as_str()), (0, ""));
    let text = fs::read_to_string(&scenario).unwrap();
    for part in [
        "Deployment(name: \"nginx1\", namespace: \"namespace1\", submit: \"0s\", replicas: 5, request: { \"cpu\": \"5\" })",
        "NodePool(name: \"node\", count: 4, allocatable: { \"cpu\": \"10\"",
        "Scale(\"nginx1\", 0)",
        "policy: Capacity(respect_budgets: Always, stale_after: \"1m\", bind_back_off: \"1s\")",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert_eq!(text.matches("Deployment(").count(), 4, "evicted pods and those that replace them are one: {text}");
    // The rows of scenarios/nginx-40-core.ron, half a minute after each deployment.
    let at = |row: usize, of: &str| format!("At(\"{}s\", {of})", 30 + 60 * row);
    let mut claims = Vec::new();
    for (row, (running, evictions)) in
        [(vec![4], 0), (vec![4, 4], 0), (vec![3, 3, 2], 2), (vec![2, 2, 2, 2], 4)].into_iter().enumerate()
    {
        for (team, running) in running.iter().enumerate() {
            claims.push(at(row, &format!("Pods(of: Namespace(\"namespace{}\"), running: {running})", team + 1)));
        }
        claims.push(at(row, &format!("Evictions(exactly: {evictions})")));
    }
    let text = text.trim_end().strip_suffix(')').unwrap();
    fs::write(&scenario, format!("{text}    expect: [{}, Always(Invariants)],\n)\n", claims.join(", "))).unwrap();
    let (code, text, stderr) = quotree(&["check", path, "--audit"]);
    assert_eq!(code, 0, "{text}{stderr}");
    // The folder says by itself what it is.
    assert_eq!(quotree(&["import", RECORDING]).1, quotree(&["import", "kubernetes", "--from-recording", RECORDING]).1);
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_part_of_a_recording_begins_with_what_is_there() {
    let folder = copy("part");
    let scenario = folder.join("part.ron");
    let path = scenario.to_str().unwrap();
    let import = ["import", "kubernetes", "--from-recording", RECORDING, "--out", path];
    // The third team comes 120 s after the first, and the fourth after another minute.
    let (code, _, stderr) = quotree(&[&import[..], &["--from", "90s", "--to", "170s"]].concat());
    assert_eq!((code, stderr.as_str()), (0, ""));
    let text = fs::read_to_string(&scenario).unwrap();
    let teams: Vec<bool> = (1..=4).map(|team| text.contains(&format!("name: \"nginx{team}\""))).collect();
    assert_eq!(teams, [true, true, true, false], "{text}");
    assert_eq!((text.matches("submit: \"0s\"").count(), text.contains("Scale(")), (2, false), "{text}");
    let claims = "At(\"20s\", Pods(of: Namespace(\"namespace1\"), running: 4)), At(\"20s\", Pods(of: Namespace(\"namespace2\"), running: 4)), At(\"75s\", Pods(of: Namespace(\"namespace1\"), running: 3)), At(\"75s\", Pods(of: Namespace(\"namespace3\"), running: 2)), At(\"75s\", Evictions(exactly: 2)), Always(Invariants)";
    let text = text.trim_end().strip_suffix(')').unwrap();
    fs::write(&scenario, format!("{text}    expect: [{claims}],\n)\n")).unwrap();
    let (code, text, stderr) = quotree(&["check", path, "--audit"]);
    assert_eq!(code, 0, "{text}{stderr}");
    // All of it is the same as without a window.
    let whole = quotree(&["import", RECORDING]).1;
    assert_eq!(quotree(&["import", RECORDING, "--from", "1970-01-01", "--to", "2100-01-01"]).1, whole);
    for (arguments, why) in [
        (["--from", "noon", "--to", "2h"], "--from: `noon` is no time such as 2026-12-01T10:00:00Z"),
        (["--from", "2h", "--to", "1h"], "the window ends at "),
        (["--from", "30h", "--to", "31h"], "so nothing is in the window"),
        (["--from", "1980-01-01", "--to", "1981-01-01"], "it begins at "),
    ] {
        let (code, _, stderr) = quotree(&[&["import", RECORDING][..], &arguments].concat());
        assert!(code == 2 && stderr.contains(why), "{stderr}");
    }
    let (code, _, stderr) = quotree(&["import", "quotas.yaml", "--from", "1h"]);
    assert!(code == 2 && stderr.contains("--from and --to choose a part of a recording"), "{stderr}");
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn an_old_recording_is_marked_where_it_differs() {
    let folder = copy("old");
    let first = segments(&folder)[0].clone();
    for path in &segments(&folder)[1..] {
        fs::remove_file(path).unwrap();
    }
    let other_plan = |value: &mut serde_json::Value| {
        if let Some(digest) = value.pointer_mut("/decide/digest") {
            *digest = "00000000000000aa".into();
        }
    };
    // By the same rules, that is a mistake of the program.
    doctored(&first, other_plan);
    let path = folder.to_str().unwrap();
    let (code, text, _) = quotree(&["replay", path]);
    assert_eq!(code, 3, "{text}");
    assert!(text.contains("another plan (digest 00000000000000aa recorded, "), "{text}");
    assert!(text.contains("by the same rules that must not be: please report it"), "{text}");
    // By older rules, it may be meant, and says so.
    doctored(&first, |value| {
        if let Some(rules) = value.pointer_mut("/head/rules") {
            *rules = "0".into();
        }
    });
    let (code, text, _) = quotree(&["replay", path]);
    assert_eq!(code, 1, "{text}");
    assert!(text.contains("recorded by version 0 of the rules; this program has "), "{text}");
    assert!(text.contains("the rules have changed since, so that may be meant"), "{text}");
    // A recording of older rules without a difference is fine, and says so, too.
    fs::copy(segments(Path::new(RECORDING))[0].as_path(), &first).unwrap();
    doctored(&first, |value| {
        if let Some(rules) = value.pointer_mut("/head/rules") {
            *rules = "0".into();
        }
    });
    let (code, text, _) = quotree(&["replay", path]);
    assert!(code == 0 && text.contains("recorded by version 0 of the rules"), "{text}");
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn what_cannot_be_read_says_why() {
    let folder = copy("wrong");
    let all = segments(&folder);
    // The process was ended while it wrote the last one.
    let bytes = fs::read(all.last().unwrap()).unwrap();
    fs::write(all.last().unwrap(), &bytes[..bytes.len() - 40]).unwrap();
    let path = folder.to_str().unwrap();
    let (code, text, _) = quotree(&["replay", path]);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("it breaks off"), "{text}");
    // The first is another one than it was.
    doctored(&all[0], |_| {});
    let (code, text, _) = quotree(&["replay", path]);
    assert!(code == 0 && text.contains("it does not follow the segment before"), "{text}");
    // Somebody changed a byte.
    let mut bytes = fs::read(&all[0]).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0xff;
    fs::write(&all[0], bytes).unwrap();
    let (code, _, stderr) = quotree(&["replay", path]);
    assert!(code == 2 && stderr.contains("segment-000001.jsonl.zst: "), "{stderr}");
    // No recording at all.
    let (code, _, stderr) = quotree(&["import", "kubernetes", "--from-recording", env!("CARGO_MANIFEST_DIR")]);
    assert!(code == 2 && stderr.contains("has no segment-NNNNNN.jsonl.zst: it is no recording"), "{stderr}");
    let (code, _, stderr) = quotree(&["import", "kubernetes", "dump.json", "--from-recording", path]);
    assert!(code == 2 && stderr.contains("goes with `quotree import kubernetes`, and with no other file"), "{stderr}");
    fs::remove_dir_all(folder).unwrap();
}
