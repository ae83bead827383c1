//! The command line from outside: arguments, output and exit code.

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

#[test]
fn the_first_screen_is_short_and_names_the_demo() {
    quotree(&[]).assert().code(0).stdout_eq(file!["transcripts/first-screen.txt"]);
}

#[test]
fn every_verb_has_examples() {
    for verb in [
        "run", "check", "inspect", "tenancy", "validate", "explain", "diff", "import", "replay", "swarm", "shrink",
        "fmt",
    ] {
        let output = quotree(&[verb, "--help"]).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains("Example") && text.contains(&format!("quotree {verb} ")), "{verb}: {text}");
    }
}

#[test]
fn swarm_prints_what_it_observed_whatever_the_number_of_jobs() {
    quotree(&["swarm", "--help"]).assert().code(0).stdout_eq(file!["transcripts/swarm-help.txt"]);
    let args = ["swarm", "--seeds", "12", "--first", "3"];
    quotree(&args).assert().code(0).stdout_eq(file!["transcripts/swarm.txt"]).stderr_eq("");
    let one = quotree(&[&args[..], &["--jobs", "1", "--format", "json"]].concat()).output().unwrap();
    let two = quotree(&[&args[..], &["--jobs", "3", "--format", "json"]].concat()).output().unwrap();
    assert_eq!(one.stdout, two.stdout, "however many run at once");
    let json: serde_json::Value = serde_json::from_slice(&one.stdout).unwrap();
    assert_eq!((&json["worlds"], &json["failed"]), (&12.into(), &0.into()));
    quotree(&["swarm", "--seeds", "0"]).assert().code(2).stdout_eq("");
    quotree(&["swarm"]).assert().code(2).stdout_eq("");
}

#[test]
fn shrink_reduces_a_failing_scenario() {
    quotree(&["shrink", "--help"]).assert().code(0).stdout_eq(file!["transcripts/shrink-help.txt"]);
    let shrunk = quotree(&["shrink", "too-hopeful.ron"]).assert().code(0);
    shrunk.stdout_eq(file!["transcripts/shrink.ron"].raw()).stderr_eq(file!["transcripts/shrink.txt"]);
    let small = scratch("shrink").join("small.ron");
    let path = small.to_str().unwrap();
    quotree(&["shrink", "too-hopeful.ron", "--claim", "Evictions", "--out", path]).assert().code(0);
    quotree(&["fmt", "--check", path]).assert().code(0);
    quotree(&["check", path]).assert().code(1);
    quotree(&["shrink", "too-hopeful.ron", "--claim", "law: S3"]).assert().code(2).stdout_eq("");
    quotree(&["shrink", "two-teams.ron"]).assert().code(2).stderr_eq(str![[r#"
error: `two-teams.ron` does not fail: all its claims hold and no check finds an error, so it cannot be shrunk

"#]]);
    quotree(&["shrink", "bad.ron"]).assert().code(2).stderr_eq(file!["transcripts/bad-scenario.txt"]);
}

#[test]
fn all_errors_of_a_scenario_are_reported_together() {
    quotree(&["run", "bad.ron"]).assert().code(2).stdout_eq("").stderr_eq(file!["transcripts/bad-scenario.txt"]);
}

#[test]
fn invalid_arguments_are_errors() {
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
fn diagnostics_of_a_manifest_have_places() {
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
fn tenancy_prints_access_and_the_reasons_against_it() {
    quotree(&["tenancy", "--help"]).assert().code(0).stdout_eq(file!["transcripts/tenancy-help.txt"]);
    quotree(&["tenancy", "people.ron"]).assert().code(0).stdout_eq(file!["transcripts/tenancy.txt"]);
    let one = ["tenancy", "people.ron", "--user", "bob", "--at", "1m"];
    quotree(&one).assert().code(0).stdout_eq(file!["transcripts/tenancy-user.txt"]);
    let output = quotree(&[&one[..], &["--format", "json"]].concat()).output().unwrap();
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["users"][0]["can"][0]["used"]["cpu"], "3");
    assert_eq!(json["users"][0]["cannot"][0]["why"], "is not in group `red`");
    quotree(&["tenancy", "people.ron", "--user", "bobb"]).assert().code(2).stdout_eq("");
    quotree(&["tenancy", "two-teams.ron"]).assert().code(0).stdout_eq(str![[r#"
two-teams at 0s
The scenario declares no users: every submission is accepted without a user check.

"#]]);
    quotree(&["tenancy", "bad.ron"]).assert().code(2).stderr_eq(file!["transcripts/bad-scenario.txt"]);
}

#[test]
fn run_prints_refusals_and_usage_tables() {
    let args = ["run", "people.ron", "--by", "user", "--by", "group"];
    quotree(&args)
        .assert()
        .code(0)
        .stdout_eq(file!["transcripts/run-by.txt"])
        .stderr_eq(file!["transcripts/people.txt"]);
    quotree(&["explain", "people.ron", "wrong"]).assert().code(2).stderr_eq(str![[r#"
warning: root / spare: the leaf has no namespace, so no pod can use it
 --> people.ron:8:21
  |
8 |         Quota(name: "spare"),
  |                     ^^^^^^^ no namespace

warning: namespace `nowhere` is attached to no leaf quota, so its pods stay pending (A4)
  --> people.ron:24:38
   |
24 |         Job(name: "lost", namespace: "nowhere", user: "amy", request: { "cpu": "1" }, runtime: "30m", submit: "30s"),
   |                                      ^^^^^^^^^ no quota
   |
   = help: add it to the `namespaces` of a leaf quota, or set `unquotaed: Schedule` in the policy to run its pods without a quota

warning: this request will be refused: `bob` is a researcher, and only an admin may do this
  --> people.ron:28:19
   |
28 |         At("10m", EditQuota("red", weight: 2), by: "bob"),
   |                   ^^^^^^^^^ this event has no effect

0 errors, 3 warnings
error: `wrong` has no pods: its submission was refused at 30s: `bob` is not in group `red`, which alone may use `red`, the leaf of namespace `red`

"#]]);
    quotree(&["run", "people.ron", "--by", "colour"]).assert().code(2);
}

#[test]
fn imports_are_readable_scenarios() {
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
fn an_imported_scenario_runs_from_its_folder() {
    let folder = scratch("imported");
    let scenario = folder.join("deeper/fifo.ron");
    let path = scenario.to_str().unwrap();
    quotree(&["import", "philly", "philly.csv", "--gpus", "16", "--out", path]).assert().code(0).stdout_eq("");
    quotree(&["validate", path]).assert().code(0);
}

#[test]
fn failed_imports_say_why() {
    quotree(&["import", "philly", "philly.csv"]).assert().code(2);
    quotree(&["import", "openb", "openb_pods.csv"]).assert().code(2);
    quotree(&["import", "swf", "philly.csv", "--cpus", "4"]).assert().code(2).stderr_eq(str![[r#"
error: `philly.csv` is a Philly job list, which `import swf` does not read; `quotree import philly.csv` does

"#]]);
    quotree(&["import", "philly", "philly.csv", "--tree", "openb_nodes.csv"]).assert().code(2);
    quotree(&["import", "elastic-quota-tree", "bad-tree.yaml"]).assert().code(2);
}

/// A copy of the realistic quota files of the importers.
fn quota_file(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../import/tests/quota").join(name).to_str().unwrap().to_owned()
}

#[test]
fn an_import_finds_out_what_a_file_is() {
    let folder = scratch("found-out");
    let out = folder.join("out.ron");
    let out = out.to_str().unwrap();
    for (args, name) in [
        (&["philly.csv", "--gpus", "16"][..], "philly-fifo"),
        (&["openb_pods.csv", "--nodes", "openb_nodes.csv"], "openb"),
        (&["log.swf"], "swf"),
        (&["tree.yaml"], "elastic-quota-tree"),
    ] {
        let expected = snapbox::Data::read_from(&data().join(format!("../transcripts/import-{name}.ron")), None);
        quotree(&[&["import"], args].concat()).assert().code(0).stdout_eq(expected.raw());
    }
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios/samples");
    for (file, options) in [
        ("helios-demand", &["--tree", "helios-demand-gpus.csv"][..]),
        ("native-checkpoints.csv", &["--cluster", "cpu=64,nvidia.com/gpu=64"]),
        ("native.csv", &["--cluster", "cpu=64,nvidia.com/gpu=64"]),
        ("cluster-dump.json", &[]),
        ("kai-like.yaml", &[]),
        ("armada-like-workload.yaml", &["--nodes", "armada-like-cluster.yaml"]),
    ] {
        let args = [&["import", file], options, &["--out", out]].concat();
        quotree(&args).current_dir(&samples).assert().code(0);
        quotree(&["validate", out, "--allow-outside"]).assert().code(0);
    }
    for (file, options, root) in [
        ("elastic-quota-tree.yaml", &[][..], "root"),
        ("elastic-quota-flat.yaml", &[], "elastic-quotas"),
        ("elastic-quota-koordinator.yaml", &[], "koordinator-root-quota"),
        ("kueue.yaml", &[], "all-teams"),
        ("kai.yaml", &[], "kai"),
        ("volcano.yaml", &[], "root"),
        ("yunikorn.yaml", &["--cluster", "cpu=200,memory=1Ti,nvidia.com/gpu=16"], "root"),
        ("capacity-scheduler.xml", &["--cluster", "cpu=200,memory=1Ti"], "root"),
        ("slurm-associations.cfg", &["--cluster", "cpu=2048,memory=8Ti,nvidia.com/gpu=64"], "root"),
        ("sacct.txt", &["--cluster", "cpu=2048,memory=8Ti,nvidia.com/gpu=64"], "slurm"),
    ] {
        let file = quota_file(file);
        let args = [&["import", file.as_str()], options, &["--out", out]].concat();
        quotree(&args).assert().code(0).stdout_eq("");
        let written = std::fs::read_to_string(out).unwrap();
        assert!(written.contains(&format!("quota: Quota(name: \"{root}\"")), "{file}: {written}");
        quotree(&["validate", out, "--allow-outside"]).assert().code(0);
        if !file.ends_with("sacct.txt") {
            let strict = [&args[..], &["--strict"]].concat();
            let fine = file.ends_with("elastic-quota-flat.yaml");
            quotree(&strict).assert().code(if fine { 0 } else { 2 });
        }
    }
}

#[test]
fn a_job_log_of_slurm_runs_under_its_accounts() {
    let folder = scratch("slurm");
    let (out, log, accounts) = (folder.join("out.ron"), quota_file("sacct.txt"), quota_file("slurm-associations.cfg"));
    let out = out.to_str().unwrap();
    let base = ["import", log.as_str()];
    quotree(&base).assert().code(2).stderr_eq(str![[r#"
error: the log does not contain the size of the cluster: add --cluster with at least cpu=64,memory=512Gi,nvidia.com/gpu=16, which the largest jobs request

"#]]);
    let cluster = ["--cluster", "cpu=2048,memory=8Ti,nvidia.com/gpu=64", "--out", out];
    quotree(&[&base[..], &["--tree", accounts.as_str()], &cluster].concat()).assert().code(0);
    quotree(&["run", out, "--allow-outside"]).assert().code(0);
}

#[test]
fn a_folder_of_objects_is_one_import() {
    let folder = scratch("folder-of-objects");
    let write = |name: &str, text: &str| std::fs::write(folder.join(name), text).unwrap();
    write(
        "queue.yaml",
        "kind: ClusterQueue\nmetadata: {name: q}\nspec: {cohort: c, resourceGroups: [{flavors: [{name: f, resources: [{name: cpu, nominalQuota: 4}]}]}]}\n",
    );
    write("local.yml", "kind: LocalQueue\nmetadata: {name: l, namespace: team}\nspec: {clusterQueue: q}\n");
    write(
        "nodes.json",
        r#"{"kind": "List", "items": [{"kind": "Node", "metadata": {"name": "n"}, "status": {"allocatable": {"cpu": "8"}}}]}"#,
    );
    write("README.md", "notes");
    let folder = folder.to_str().unwrap();
    let output = quotree(&["import", folder]).output().unwrap();
    let (text, told) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert_eq!(output.status.code(), Some(0), "{told}");
    assert!(text.contains("Nodes(name: \"kubernetes\"") && text.contains("namespaces: [\"team\"]"), "{text}");
    assert!(told.contains("1 file of the folder"), "{told}");
    std::fs::write(
        format!("{folder}/other.yaml"),
        "apiVersion: scheduling.volcano.sh/v1beta1\nkind: Queue\nmetadata: {name: v}\n",
    )
    .unwrap();
    quotree(&["import", folder]).assert().code(2);
    // Named, the queues of one of the two are read.
    quotree(&["import", "kueue", folder]).assert().code(0);
    quotree(&["import", "volcano", folder]).assert().code(0);
    quotree(&["import", "kueue", folder, "--strict"]).assert().code(2);
    std::fs::write(format!("{folder}/other.yaml"), "kind: ClusterQueue\nmetadata: {name: [\n").unwrap();
    let output = quotree(&["import", folder]).output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(
        output.status.code() == Some(2) && told.contains("other.yaml:2:18"),
        "a broken file is not passed over: {told}"
    );
}

#[test]
fn a_file_of_the_wrong_kind_is_told_with_the_command_that_takes_it() {
    let kueue = quota_file("kueue.yaml");
    for verb in ["run", "check", "inspect", "tenancy"] {
        let output = quotree(&[verb, &kueue]).output().unwrap();
        let told = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.status.code(), Some(2));
        assert!(told.contains("is queues of Kueue") && told.contains("quotree import"), "{verb}: {told}");
    }
    for (args, told) in [
        (&["kubernetes", kueue.as_str()][..], "which `import kubernetes` does not read"),
        (&["volcano", kueue.as_str()], "which `import volcano` does not read"),
        (&["volcano", "people.ron"], "is a scenario already"),
        (&["two-teams.ron"], "is a scenario already; run it with `quotree run two-teams.ron`"),
        (&["openb_nodes.csv"], "is an openb node list; import the pod list, and give this with `--nodes`"),
        (&["swf"], "`import swf` needs a file"),
        (&["swaf", "log.swf"], "neither a file nor a kind"),
        (&["log.swf", "--derive-mins"], "`--derive-mins` does not apply to `import swf`"),
        (&[kueue.as_str(), "--cluster", "cpu=8Gi"], "`8Gi` is an amount of memory"),
    ] {
        let output = quotree(&[&["import"], args].concat()).output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(2) && text.contains(told), "{args:?}: {text}");
    }
}

#[test]
fn a_tree_that_promises_too_much_can_go_on() {
    let folder = scratch("promises");
    let tree = folder.join("tree.yaml");
    let text = "apiVersion: scheduling.sigs.k8s.io/v1beta1\nkind: ElasticQuotaTree\nspec:\n  root:\n    name: r\n    min: {cpu: 10}\n    max: {cpu: 10}\n    children:\n    - {name: a, namespaces: [a], min: {cpu: 8}}\n    - {name: b, namespaces: [b], min: {cpu: 4}}\n";
    std::fs::write(&tree, text).unwrap();
    let import = |more: &[&str]| quotree(&[&["import", tree.to_str().unwrap()], more].concat()).output().unwrap();
    let refused = import(&[]);
    let told = String::from_utf8(refused.stderr).unwrap();
    assert!(refused.status.code() == Some(2) && told.contains("--over-promised warn"), "{told}");
    let warned = import(&["--over-promised", "warn"]);
    let written = String::from_utf8(warned.stdout).unwrap();
    assert!(warned.status.code() == Some(0) && written.contains("over_promised: Warn"), "{written}");
}

#[test]
fn many_diagnostics_are_cut_and_counted() {
    let folder = scratch("many-diagnostics");
    let leaf = |i: usize| format!("    - {{name: q{i}, namespaces: [n{i}], min: {{cpu: x}}}}\n");
    let leaves: String = (0..500).map(leaf).collect();
    let text = format!(
        "apiVersion: scheduling.sigs.k8s.io/v1beta1\nkind: ElasticQuotaTree\nspec:\n  root:\n    name: r\n    children:\n{leaves}"
    );
    std::fs::write(folder.join("tree.yaml"), text).unwrap();
    let output = quotree(&["import", folder.join("tree.yaml").to_str().unwrap()]).output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(told.matches("is not a quantity").count(), 50);
    assert!(told.trim_end().ends_with("… and 450 more: 500 errors, 0 warnings"), "{told}");
}

#[test]
fn a_closed_pipe_is_not_an_error() {
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
fn files_that_are_not_a_log_or_summary_are_errors() {
    quotree(&["replay", "philly.csv"]).assert().code(2);
    quotree(&["diff", "two-teams.ron", "philly.csv"]).assert().code(2);
}

#[test]
fn run_prints_the_outcome() {
    quotree(&["run", "two-teams.ron"]).assert().code(0).stdout_eq(file!["transcripts/run.txt"]).stderr_eq("");
    quotree(&["inspect", "two-teams.ron", "--at", "30s"]).assert().code(0).stdout_eq(file!["transcripts/inspect.txt"]);
    let waits = ["explain", "two-teams.ron", "--pod", "first-5", "--at", "30s"];
    quotree(&waits).assert().code(0).stdout_eq(file!["transcripts/explain.txt"]);
    let story = ["explain", "two-teams.ron", "--pod", "first-4"];
    quotree(&story).assert().code(0).stdout_eq(file!["transcripts/explain-story.txt"]);
}

#[test]
fn check_prints_one_line_per_scenario_and_the_failed_claims() {
    let args = ["check", "two-teams.ron", "too-hopeful.ron", "--doublecheck", "--audit"];
    quotree(&args).assert().code(1).stdout_eq(file!["transcripts/check.txt"]);
    quotree(&["check", "two-teams.ron"]).assert().code(0);
}

#[test]
fn the_audit_of_some_decisions_needs_the_audit() {
    let args = ["check", "two-teams.ron", "too-hopeful.ron", "--audit", "--audit-every", "3"];
    quotree(&args).assert().code(1).stdout_eq(file!["transcripts/check.txt"]);
    let refused = |args: &[&str], why: &str| {
        let output = quotree(&[&["run", "two-teams.ron"], args].concat()).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(2) && output.stdout.is_empty() && said.contains(why), "{said}");
    };
    refused(&["--audit-every", "3"], "--audit");
    refused(&["--audit", "--audit-every", "0"], "invalid value '0' for '--audit-every <N>'");
}

#[test]
fn claims_about_who_never_starts_fail_and_vacuous_ones_too() {
    quotree(&["check", "starved.ron"]).assert().code(1).stdout_eq(file!["transcripts/check-starved.txt"]);
    quotree(&["run", "starved.ron", "--by", "job"]).assert().code(1).stdout_eq(file!["transcripts/run-starved.txt"]);
    let output = quotree(&["check", "starved.ron", "--format", "json"]).output().unwrap();
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let one = &json["files"][0];
    let vacuous = one["failed"].as_array().unwrap().iter().map(|claim| claim["vacuous"] == true).collect::<Vec<_>>();
    assert_eq!(vacuous, [false, false, true, true]);
    assert_eq!(
        one["noted"][0]["note"],
        "no min of poor covers what its pods request, so this claim says nothing about it"
    );
}

#[test]
fn check_of_a_folder_does_not_depend_on_the_number_of_jobs() {
    let folder = scratch("check");
    for name in ["two-teams.ron", "too-hopeful.ron", "bad.ron"] {
        std::fs::copy(data().join(name), folder.join(name)).unwrap();
    }
    std::fs::write(folder.join("part.ron"), "// A tree for others.\nQuota(name: \"root\")\n").unwrap();
    let junit = folder.join("claims.xml");
    let check = |jobs: &str| {
        let args = ["check", ".", "--jobs", jobs, "--junit", junit.to_str().unwrap()];
        let output = quotree(&args).current_dir(&folder).output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let (code, text) = check("1");
    assert_eq!((code, text.lines().last()), (Some(2), Some("1 passed, 1 failed, 1 invalid")), "{text}");
    assert!(!text.contains("part.ron"), "{text}");
    assert_eq!(check("4"), (code, text));
    let xml = std::fs::read_to_string(junit).unwrap();
    assert!(xml.contains("tests=\"9\" failures=\"1\" errors=\"1\""), "{xml}");
}

#[test]
fn check_writes_what_ci_shows() {
    let folder = scratch("check-ci");
    std::fs::copy(data().join("too-hopeful.ron"), folder.join("too-hopeful.ron")).unwrap();
    let warned = r#"Scenario(name: "warned", cluster: [Pool({ "cpu": "4" })], quota: Quota(name: "root"))"#;
    std::fs::write(folder.join("warned.ron"), warned).unwrap();
    let check = |more: &[&str]| {
        let args = [&["check", "."], more].concat();
        let output = quotree(&args).current_dir(&folder).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout), text(output.stderr))
    };
    let (code, text, annotations) = check(&["--annotate"]);
    assert_eq!(code, Some(1), "a failed claim, warnings are allowed");
    assert!(text.contains("ok      warned") && text.contains("0 claims, 1 warning"), "{text}");
    assert!(
        annotations.contains("::error file=too-hopeful.ron,line=17,title=A claim of too-hopeful failed::"),
        "{annotations}"
    );
    assert!(annotations.contains("::warning file=warned.ron,line=1,col="), "{annotations}");
    let (code, text, annotations) = check(&["--annotate", "--deny-warnings"]);
    assert_eq!(code, Some(2), "warnings are denied");
    assert!(
        text.contains("INVALID warned") && annotations.contains("::error file=warned.ron,line=1"),
        "{text}{annotations}"
    );
    let (_, markdown, _) = check(&["--markdown", "-"]);
    assert!(markdown.starts_with("## ❌ quotree check: 1 passed, 1 failed\n"), "{markdown}");
    assert_eq!(check(&["--markdown", "-", "--format", "json"]).0, Some(2), "one of them goes to stdout");
}

#[test]
fn the_files_of_a_run_can_be_replayed_and_compared() {
    let folder = scratch("out");
    let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let (out, log) = (path("a"), path("log.json"));
    quotree(&["run", "two-teams.ron", "--out", &out, "--record", &log, "--doublecheck"]).assert().code(0);
    for name in ["report.html", "report.json", "summary.json", "trace.jsonl", "tree.svg", "tables/quotas.csv"] {
        assert!(std::fs::metadata(folder.join("a").join(name)).unwrap().len() > 0, "{name}");
    }
    let trace = std::fs::read_to_string(folder.join("a/trace.jsonl")).unwrap();
    let evictions = trace.lines().filter(|line| line.contains("\"what\":\"evict\"")).count();
    assert_eq!(evictions, 2);
    let replay = quotree(&["replay", &log]).assert().code(0);
    assert!(String::from_utf8_lossy(&replay.get_output().stdout).contains("decisions equal the recorded ones"));

    let summary = path("a/summary.json");
    quotree(&["diff", &summary, "two-teams.ron"]).assert().code(0).stdout_eq(str![[r#"
The two runs are equal: they have the same digest and the same summary.

"#]]);
    let changed = folder.join("strict.ron");
    let text = std::fs::read_to_string(data().join("two-teams.ron")).unwrap();
    std::fs::write(
        &changed,
        text.replace("max: { \"cpu\": \"4\" }, namespaces", "max: { \"cpu\": \"2\" }, namespaces"),
    )
    .unwrap();
    let args = ["diff", "two-teams.ron", changed.to_str().unwrap()];
    quotree(&args).assert().code(0).stdout_eq(file!["transcripts/diff.txt"]);
}

#[test]
fn markdown_and_metrics_are_written_or_printed() {
    let folder = scratch("twins");
    let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let (out, comment, metrics) = (path("out"), path("comment.md"), path("metrics.prom"));
    let args = ["run", "too-hopeful.ron", "--out", &out, "--markdown", &comment, "--prometheus", &metrics];
    quotree(&args).assert().code(1);
    let read = |path: &str| std::fs::read_to_string(path).unwrap();
    assert!(read(&comment).starts_with("## ❌ `too-hopeful`: 1 of 3 claims failed\n"), "{}", read(&comment));
    assert_eq!(read(&path("out/metrics.prom")), read(&metrics));
    // The command that runs it again does not say where its outcome goes.
    assert_eq!(read(&path("out/summary.md")), read(&comment));
    let printed = |args: &[&str]| String::from_utf8(quotree(args).output().unwrap().stdout).unwrap();
    assert_eq!(printed(&["run", "too-hopeful.ron", "--markdown", "-"]), read(&comment));
    assert_eq!(printed(&["run", "too-hopeful.ron", "--prometheus", "-"]), read(&metrics));
    assert_eq!(printed(&["report", &out, "--markdown", "-"]), read(&comment));
    let both = ["run", "too-hopeful.ron", "--prometheus", "-", "--format", "json"];
    quotree(&both).assert().code(2).stdout_eq("").stderr_eq(str![[r#"
error: only one of `--format json`, `--markdown -` and `--prometheus -` can go to stdout

"#]]);
}

#[test]
fn a_report_is_rendered_again_from_its_data() {
    let folder = scratch("report");
    let out = folder.to_str().unwrap();
    quotree(&["run", "two-teams.ron", "--out", out]).assert().code(0);
    let page = std::fs::read_to_string(folder.join("report.html")).unwrap();
    std::fs::remove_file(folder.join("report.html")).unwrap();
    let again = quotree(&["report", out]).assert().code(0);
    let said = String::from_utf8_lossy(&again.get_output().stdout).into_owned();
    assert!(said.lines().filter(|line| line.starts_with("- ")).count() >= 5, "{said}");
    assert_eq!(std::fs::read_to_string(folder.join("report.html")).unwrap(), page);

    std::fs::write(folder.join("report.json"), "{ \"schema\": 99 }").unwrap();
    let refused = quotree(&["report", out]).assert().code(2);
    let why = String::from_utf8_lossy(&refused.get_output().stderr).into_owned();
    assert!(why.contains("has version 99 of the format"), "{why}");
    std::fs::remove_file(folder.join("report.json")).unwrap();
    let refused = quotree(&["report", out]).assert().code(2);
    let why = String::from_utf8_lossy(&refused.get_output().stderr).into_owned();
    assert!(why.contains("--out"), "{why}");
}

#[test]
fn figures_end_at_until_or_the_difference_is_told() {
    let folder = scratch("until");
    let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let text = std::fs::read_to_string(data().join("two-teams.ron")).unwrap();
    for (name, until) in [("short.ron", "2m"), ("long.ron", "1h")] {
        std::fs::write(path(name), text.replace("about:", &format!("world: World(until: \"{until}\"),\n    about:")))
            .unwrap();
    }
    let window = |args: &[&str]| {
        let text = String::from_utf8(quotree(args).output().unwrap().stdout).unwrap();
        text.lines().find(|line| line.starts_with("Metrics")).unwrap().to_owned()
    };
    assert_eq!(window(&["run", "two-teams.ron"]), "Metrics from 0s to 1m, when nothing more could happen");
    assert_eq!(window(&["run", "two-teams.ron", "--at", "30s"]), "Metrics from 0s to 30s");
    let long = path("long.ron");
    assert_eq!(
        window(&["run", &long]),
        "Metrics from 0s to 1h (`until` of the scenario; after 1m nothing more could happen)"
    );
    for verb in ["run", "inspect", "tenancy"] {
        quotree(&[verb, &long, "--at", "2h"]).assert().code(2).stdout_eq("").stderr_eq(str![[r#"
error: `two-teams`: 2h is after the end of the scenario, which has `until: 1h`; give a time up to that, or raise `until`

"#]]);
    }
    quotree(&["explain", &long, "first-1", "--at", "2h"]).assert().code(2).stdout_eq("");
    // A scenario without `until` is followed to the end of the other one. Two different ends are told.
    let ends = |a: &str, b: &str| -> serde_json::Value {
        let output = quotree(&["diff", a, b, "--format", "json"]).output().unwrap();
        serde_json::from_slice::<serde_json::Value>(&output.stdout).unwrap()["ends_ms"].clone()
    };
    assert_eq!(ends("two-teams.ron", &long), serde_json::Value::Null);
    assert_eq!(ends(&long, "two-teams.ron"), serde_json::Value::Null);
    assert_eq!(ends(&path("short.ron"), &long), serde_json::json!([120_000, 3_600_000]));
}

#[test]
fn replay_finds_a_modified_log() {
    let folder = scratch("tampered");
    let log = folder.join("log.json");
    quotree(&["run", "two-teams.ron", "--record", log.to_str().unwrap()]).assert().code(0);
    let text = std::fs::read_to_string(&log).unwrap();
    let mut value: serde_json::Value = serde_json::from_str(&text).unwrap();
    let last =
        value["entries"].as_array_mut().unwrap().iter_mut().rfind(|entry| entry.get("Decide").is_some()).unwrap();
    last["Decide"]["digest"] = 1.into();
    std::fs::write(&log, value.to_string()).unwrap();
    quotree(&["replay", log.to_str().unwrap()]).assert().code(3);
}

#[test]
fn policy_overrides_the_scenario() {
    let evictions = |policy: &str| {
        let output = quotree(&["run", "two-teams.ron", "--policy", policy, "--format", "json"]).output().unwrap();
        let summary: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        summary["evictions"].as_array().unwrap().len()
    };
    assert_eq!([evictions("Capacity()"), evictions("Capacity(reclaim: Off)")], [2, 0]);
    quotree(&["run", "two-teams.ron", "--policy", "Capacity(order: Lifo)"]).assert().code(2);
}

#[test]
fn json_of_equal_runs_is_byte_identical() {
    let run = || quotree(&["run", "two-teams.ron", "--format", "json"]).output().unwrap().stdout;
    assert_eq!(run(), run());
    let at = |args: &[&str]| -> serde_json::Value {
        serde_json::from_slice(&quotree(args).output().unwrap().stdout).unwrap()
    };
    let state = at(&["inspect", "two-teams.ron", "--at", "30s", "--format", "json"]);
    assert_eq!(state["namespaces"][0]["running"], 4);
    assert!(state.get("metrics").is_none() && state["pending"].as_array().unwrap().len() == 1);
    let why = at(&["explain", "two-teams.ron", "--pod", "first", "--at", "30s", "--format", "json"]);
    assert_eq!(why["pending"][0]["verdict"]["resource"], "cpu");
}

#[test]
fn explain_of_an_unknown_pod_is_an_error() {
    quotree(&["explain", "two-teams.ron", "--pod", "third"]).assert().code(2).stderr_eq(str![[r#"
error: there is no pod or workload `third`; the workloads are `first`, `second`

"#]]);
}

#[test]
fn explain_says_when_a_pod_comes() {
    // A workload of the scenario, and a pod that its Deployment creates once it is there.
    for name in ["second", "second-1"] {
        let said = format!("{name} at 1s\n\n{name} is not submitted yet; it is submitted at 1m\n");
        quotree(&["explain", "two-teams.ron", name, "--at", "1s"]).assert().code(0).stdout_eq(said).stderr_eq("");
    }
    let json =
        quotree(&["explain", "two-teams.ron", "second", "--at", "1s", "--format", "json"]).output().unwrap().stdout;
    let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
    assert_eq!((&json["comes_at_ms"], &json["pods"]), (&60_000.into(), &serde_json::json!([])));
    quotree(&["explain", "two-teams.ron", "third", "--at", "1s"]).assert().code(2);
}

#[test]
fn explain_prints_the_rule_book() {
    quotree(&["explain", "--rule", "R2"]).assert().code(0).stdout_eq(file!["transcripts/rule.txt"]).stderr_eq("");
    quotree(&["explain", "--rule", "w"]).assert().code(0).stdout_eq(file!["transcripts/rule-chapter.txt"]);
    quotree(&["explain", "--rules"]).assert().code(0).stdout_eq(file!["transcripts/rules.txt"]);
    let text = |args: &[&str]| String::from_utf8(quotree(args).output().unwrap().stdout).unwrap();
    assert_eq!(text(&["explain", "--rule"]), text(&["explain", "--rules"]));
    let part = text(&["explain", "--rule", "R2(b)"]);
    assert!(part.starts_with("R2(b) "), "{part}");
    assert_eq!([text(&["explain", "--rule", "R2b"]), text(&["explain", "--rule", "r2b"])], [part.as_str(), &part]);
    assert!(text(&["explain", "--rule", "R2", "--color", "always"]).starts_with("\x1b[1mR2 "));
    assert!(text(&["explain", "--rule", "vocabulary"]).contains("\nborrowed               used above min\n"));

    let json = |args: &[&str]| -> serde_json::Value {
        let args = [&["explain", "--format", "json"], args].concat();
        serde_json::from_slice(&quotree(&args).output().unwrap().stdout).unwrap()
    };
    let rule = json(&["--rule", "R2"]);
    assert_eq!((&rule["rule"], &rule["tests"][1]["file"]), (&"R2".into(), &"scenarios/nginx-40-core.ron".into()));
    assert!(!rule["text"].as_str().unwrap().contains('\n'), "{rule}");
    assert_eq!(json(&["--rules"])[0]["chapter"], "Q. Quantities");
    assert_eq!(json(&["--rule", "W"])["rules"][0]["rule"], "W1");

    quotree(&["explain", "--rule", "G10"]).assert().code(2).stdout_eq("").stderr_eq(str![[r#"
error: there is no rule `G10`: the nearest are G1, G2, G3; `quotree explain --rules` lists all rules

"#]]);
    quotree(&["explain", "--rule", "9"]).assert().code(2).stderr_eq(str![[r#"
error: there is no rule `9`: `quotree explain --rules` lists all rules

"#]]);
    quotree(&["explain", "--rule", "R2", "--at", "1m"]).assert().code(2);
    quotree(&["explain", "two-teams.ron", "first", "--rule", "R2"]).assert().code(2);
}

#[test]
fn fmt_formats_every_file_and_reports_invalid_ones() {
    let folder = scratch("fmt");
    let (odd, bad) = (folder.join("odd.ron"), folder.join("bad.ron"));
    std::fs::write(&odd, "Scenario( name:\"odd\",\n  seed : 3 // small\n)").unwrap();
    std::fs::write(&bad, "Scenario( name: \"bad\n").unwrap();
    let path = folder.to_str().unwrap();
    quotree(&["fmt", "--check", odd.to_str().unwrap()]).assert().code(1);
    quotree(&["fmt", path]).assert().code(2);
    quotree(&["fmt", "--check", odd.to_str().unwrap()]).assert().code(0).stdout_eq("");
    let formatted = std::fs::read_to_string(&odd).unwrap();
    assert_eq!(formatted, "Scenario(name: \"odd\",\n    seed: 3, // small\n)\n");
    quotree(&["fmt", "--check", "two-teams.ron"]).assert().code(0);
}
