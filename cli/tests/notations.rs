//! Scenarios in YAML and JSON on the command line: they run, are checked and converted, and wrong files get clear errors.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod command;

use command::{quotree_in, scratch};
use snapbox::{cmd::Command, file, str};
use std::path::{Path, PathBuf};

/// The command in the folder of the test data, without colours.
fn quotree(args: &[&str]) -> Command {
    quotree_in("tests/data", args)
}

fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data")
}

fn stdout(args: &[&str]) -> String {
    String::from_utf8(quotree(args).output().unwrap().stdout).unwrap()
}

#[test]
fn a_scenario_in_yaml_runs_with_the_quota_file_that_is_deployed() {
    quotree(&["validate", "two-teams.yaml"]).assert().code(0).stdout_eq(str![[r#"
two-teams.yaml: valid, 3 quotas, 1 node, 2 workloads, 2 claims

"#]]);
    quotree(&["check", "two-teams.yaml"]).assert().code(0).stderr_eq("");
    quotree(&["explain", "two-teams.yaml", "first", "--at", "30s"]).assert().code(0);
    quotree(&["diff", "two-teams.yaml", "two-teams.ron"]).assert().code(0);
}

#[test]
fn all_errors_of_a_scenario_in_yaml_are_reported_together() {
    quotree(&["run", "bad.yaml"]).assert().code(2).stdout_eq("").stderr_eq(file!["transcripts/bad-yaml.txt"]);
    let json: serde_json::Value = serde_json::from_str(&stdout(&["validate", "bad.yaml", "--format", "json"])).unwrap();
    assert_eq!((&json["diagnostics"][0]["line"], &json["diagnostics"][0]["column"]), (&3.into(), &65.into()));
}

#[test]
fn fmt_writes_other_notations_that_mean_the_same() {
    quotree(&["fmt", "--help"]).assert().code(0).stdout_eq(file!["transcripts/fmt-help.txt"]);
    let folder = scratch("notations");
    let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    std::fs::copy(data().join("people.ron"), path("a.ron")).unwrap();
    let yaml = stdout(&["fmt", &path("a.ron"), "--to", "yaml", "--out", "-"]);
    snapbox::assert_data_eq!(&yaml, file!["transcripts/people.yaml"].raw());
    for (from, to) in [("a.ron", "yaml"), ("a.yaml", "json")] {
        quotree(&["fmt", &path(from), "--to", to]).assert().code(0);
        quotree(&["fmt", &path(from), "--to", to]).assert().code(2);
    }
    let run = |name: &str| -> serde_json::Value {
        serde_json::from_str(&stdout(&["run", &path(name), "--format", "json"])).unwrap()
    };
    let (ron, yaml, json) = (run("a.ron"), run("a.yaml"), run("a.json"));
    assert!(ron["digest"].is_string());
    assert_eq!([&ron["digest"], &ron["quotas"], &ron["jobs"]], [&yaml["digest"], &yaml["quotas"], &yaml["jobs"]]);
    assert_eq!([&ron["digest"], &ron["quotas"], &ron["jobs"]], [&json["digest"], &json["quotas"], &json["jobs"]]);
    // All three are found in their folder.
    assert_eq!(stdout(&["check", &path("")]).lines().filter(|line| line.starts_with("ok ")).count(), 3);
    quotree(&["fmt", "two-teams.yaml"]).assert().code(2).stderr_eq(str![[r#"
error: `two-teams.yaml` is YAML; `fmt` formats RON, and `fmt --to` writes a file in another notation

"#]]);
    quotree(&["shrink", "two-teams.yaml"]).assert().code(2).stderr_eq(str![[r#"
error: `two-teams.yaml` is YAML, and `shrink` works on RON; `quotree fmt two-teams.yaml --to ron` writes it

"#]]);
}

#[test]
fn an_import_may_be_written_in_yaml() {
    let folder = scratch("imported-yaml");
    let out = folder.join("tree.yaml");
    quotree(&["import", "tree.yaml", "--out", out.to_str().unwrap()]).assert().code(0);
    let text = std::fs::read_to_string(&out).unwrap();
    assert!(text.starts_with('#') && text.contains("\nquota:\n"), "{text}");
    quotree(&["validate", out.to_str().unwrap()]).assert().code(0);
}

#[test]
fn a_file_of_another_kind_is_told_what_it_is_and_who_reads_it() {
    let folder = scratch("kinds");
    for (name, text, error) in [
        (
            "pods.yaml",
            "apiVersion: v1\nkind: PodList\nitems:\n- metadata: {name: a}\n",
            str![[r#"
error: `pods.yaml` is objects of a cluster (1 Pod), not a scenario
  = help: `quotree import pods.yaml --out NAME.ron` makes a scenario of it

"#]],
        ),
        (
            "kueue.yaml",
            "apiVersion: kueue.x-k8s.io/v1beta1\nkind: ClusterQueue\nmetadata: {name: q}\n",
            str![[r#"
error: `kueue.yaml` is queues of Kueue (1 ClusterQueue), not a scenario
  = help: `quotree import kueue.yaml --out NAME.ron` makes a scenario of it
  = help: `quotree validate kueue.yaml` checks it; a scenario in the same folder can use it with `quota: "kueue.yaml"`

"#]],
        ),
        (
            "yaml.ron",
            "# a\nname: a\ncluster: []\n",
            str![[r#"
error: this is YAML, and the file is named `.ron`
 --> yaml.ron:1:1
  |
1 | # a
  | ^^^ YAML begins like this
  |
  = help: name it `.yaml`, and name it so where it is included

1 error, 0 warnings

"#]],
        ),
        (
            "open.ron",
            "Scenario(\n    name: \"a\",\n    cluster: [\n    seed: 1,\n)\n",
            str![[r#"
error: unclosed bracket: `]` is missing before the `)` of line 5
 --> open.ron:3:14
  |
3 |     cluster: [
  |              ^ opened here

1 error, 0 warnings

"#]],
        ),
    ] {
        std::fs::write(folder.join(name), text).unwrap();
        let command = Command::new(env!("CARGO_BIN_EXE_quotree")).current_dir(&folder).env("NO_COLOR", "1");
        command.args(["run", name]).assert().code(2).stdout_eq("").stderr_eq(error);
    }
}
