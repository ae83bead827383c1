//! The command as a person meets it: what is typed, what comes out, and how it ends.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use snapbox::{cmd::Command, file, str};
use std::path::{Path, PathBuf};

/// The command in the folder of the test data, undressed.
fn quotree(args: &[&str]) -> Command {
    Command::new(env!("CARGO_BIN_EXE_quotree")).current_dir(data()).env("NO_COLOR", "1").args(args)
}

fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data")
}

/// An empty folder of its own for a test.
fn scratch(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

#[test]
fn the_first_screen_is_short_and_names_the_demo() {
    quotree(&[]).assert().code(0).stdout_eq(file!["transcripts/first-screen.txt"]);
}

#[test]
fn every_verb_has_examples() {
    for verb in ["run", "check", "inspect", "validate", "explain", "diff", "import", "replay", "fmt"] {
        let output = quotree(&[verb, "--help"]).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains("Example") && text.contains(&format!("quotree {verb} ")), "{verb}: {text}");
    }
}

#[test]
fn what_is_wrong_with_a_scenario_comes_all_at_once() {
    quotree(&["run", "bad.ron"]).assert().code(2).stdout_eq("").stderr_eq(file!["transcripts/bad-scenario.txt"]);
}

#[test]
fn arguments_that_make_no_sense_are_refused() {
    quotree(&["run", "bad.ron", "--at", "soon"]).assert().code(2);
    quotree(&["run"]).assert().code(2);
    quotree(&["wander"]).assert().code(2);
    quotree(&["run", "missing.ron"]).assert().code(2);
    quotree(&["check", "missing.ron"]).assert().code(2);
    quotree(&["validate", "missing.yaml"]).assert().code(2).stderr_eq(str![[r#"
error: cannot read `missing.yaml`: no such file

"#]]);
}

#[test]
fn a_manifest_is_validated_with_places() {
    quotree(&["validate", "tree.yaml"]).assert().code(0).stdout_eq(str![[r#"
tree.yaml: valid, 3 quotas

"#]]);
    quotree(&["validate", "bad-tree.yaml"]).assert().code(2).stdout_eq(file!["transcripts/bad-tree.txt"]);
    let output = quotree(&["validate", "bad-tree.yaml", "--format", "json"]).output().unwrap();
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["valid"], false);
    assert_eq!((&json["diagnostics"][0]["line"], &json["diagnostics"][0]["column"]), (&9.into(), &16.into()));
}

#[test]
fn imports_are_scenarios_that_a_person_can_read() {
    for (name, args) in [
        ("philly-fifo", &["philly", "philly.csv", "--gpus", "16"][..]),
        ("philly-vc", &["philly", "philly.csv", "--tree", "philly_vc.csv"]),
        ("philly-vc-no-borrowing", &["philly", "philly.csv", "--tree", "philly_vc.csv", "--no-borrowing"]),
        ("openb", &["openb", "openb_pods.csv", "--nodes", "openb_nodes.csv"]),
        ("swf", &["swf", "log.swf"]),
        ("elastic-quota-tree", &["elastic-quota-tree", "tree.yaml"]),
    ] {
        let args = [&["import"], args].concat();
        let expected = snapbox::Data::read_from(&data().join(format!("../transcripts/import-{name}.ron")), None);
        quotree(&args).assert().code(0).stdout_eq(expected.raw());
    }
}

#[test]
fn an_imported_scenario_runs_from_where_it_is_written() {
    let folder = scratch("imported");
    let scenario = folder.join("deeper/fifo.ron");
    let path = scenario.to_str().unwrap();
    quotree(&["import", "philly", "philly.csv", "--gpus", "16", "--out", path]).assert().code(0).stdout_eq("");
    quotree(&["validate", path]).assert().code(0);
}

#[test]
fn imports_that_cannot_be_say_why() {
    quotree(&["import", "philly", "philly.csv"]).assert().code(2);
    quotree(&["import", "openb", "openb_pods.csv"]).assert().code(2);
    quotree(&["import", "swf", "philly.csv", "--cpus", "4"]).assert().code(2).stderr_eq(str![[r#"
error: `philly.csv` has no good row: line 1: 1 fields, but a job has 18

"#]]);
    quotree(&["import", "philly", "philly.csv", "--tree", "openb_nodes.csv"]).assert().code(2);
    quotree(&["import", "elastic-quota-tree", "bad-tree.yaml"]).assert().code(2);
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_quotree"))
        .args(["import", "swf", "log.swf"])
        .current_dir(data())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()), (Some(0), ""));
}

#[test]
fn what_is_no_log_or_summary_is_refused() {
    quotree(&["replay", "philly.csv"]).assert().code(2);
    quotree(&["diff", "two-teams.ron", "philly.csv"]).assert().code(2);
}
