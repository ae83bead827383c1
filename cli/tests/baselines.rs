//! Baselines: what `check --bless` writes is what `check` compares, in every form of its output, and what people wrote in it stays.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod command;

use command::scratch;
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// Two teams, of which blue borrows what red is guaranteed; more jobs of red wait longer.
fn teams(red_jobs: u32, blue: &str) -> String {
    format!(
        r#"Scenario(
    name: "teams", world: World(until: "12h"),
    cluster: [NodePool(name: "n", count: 2, allocatable: {{ "cpu": "4", "memory": "16Gi" }})],
    quota: Quota(name: "root", min: {{ "cpu": "8" }}, max: {{ "cpu": "8" }}, children: [
        Quota(name: "red", min: {{ "cpu": "4" }}, namespaces: ["red"]),
        Quota(name: "{blue}", min: {{ "cpu": "4" }}, namespaces: ["blue"])]),
    workloads: [
        Job(name: "b", namespace: "blue", completions: 8, parallelism: 8, request: {{ "cpu": "1", "memory": "1Gi" }}, runtime: "6h"),
        Job(name: "r", namespace: "red", arrivals: Poisson("1h", until: "10h"), completions: {red_jobs}, parallelism: {red_jobs},
            request: {{ "cpu": "1" }}, runtime: "50m"),
    ],
    expect: [Final(Wait(of: Quota("red"), stat: P95, at_most: "11h"))],
)
"#
    )
}

struct Place(PathBuf);

impl Place {
    fn new(name: &str) -> Self {
        let place = Self(scratch(name));
        place.put("teams.ron", &teams(3, "blue"));
        place
    }

    fn put(&self, file: &str, text: &str) {
        fs::write(self.0.join(file), text).unwrap();
    }

    fn get(&self, file: &str) -> String {
        fs::read_to_string(self.0.join(file)).unwrap()
    }

    /// Exit code and all output of `quotree check`.
    fn check(&self, args: &[&str]) -> (i32, String) {
        run(&self.0, &[&["check", "teams.ron"], args].concat())
    }

    fn json(&self) -> Value {
        let (_, text) = self.check(&["--format", "json"]);
        let value: Value = serde_json::from_str(&text).unwrap();
        value.pointer("/files/0").unwrap().clone()
    }
}

fn run(folder: &Path, args: &[&str]) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_quotree"));
    let output = command.args(args).current_dir(folder).env("NO_COLOR", "1").output().unwrap();
    (output.status.code().unwrap(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
}

#[test]
fn what_is_blessed_is_equal_until_something_moves() {
    let place = Place::new("baseline-equal");
    assert_eq!(place.check(&["--bless"]).0, 0);
    let first = place.get("teams.outcome.yaml");
    let (code, text) = place.check(&[]);
    assert!(code == 0 && text.contains("figures"), "{text}");
    let (_, again) = place.check(&["--bless"]);
    assert!(again.contains("0 of them new or changed"), "{again}");
    assert_eq!(place.get("teams.outcome.yaml"), first);
    // Every tolerance is 0, and it is still equal: values are held exactly.
    let outcome = first.split_once("outcome:").unwrap().1;
    place.put("teams.outcome.yaml", &format!("tolerance: {{ default: 0% }}\noutcome:{outcome}"));
    assert_eq!(place.check(&[]).0, 0);
    // The figures are those of the run.
    let summary: Value = serde_json::from_str(&run(&place.0, &["run", "teams.ron", "--format", "json"]).1).unwrap();
    let evictions = summary.pointer("/metrics/evictions").unwrap().as_u64().unwrap();
    assert!(evictions > 0 && outcome.contains(&format!("    evictions: {evictions}\n")), "{outcome}");
    // A gate with the held value as its bound says whether the figure of the run is that value.
    for figure in ["wait.max", "wait.p95", "jain", "unfairness", "unmet.cpu", "lost-work"] {
        let held = outcome.lines().find_map(|line| line.strip_prefix(&format!("    {figure}: "))).unwrap();
        let held = held.trim_start_matches("at least ");
        let gate = |op: &str| {
            run(&place.0, &["diff", "teams.ron", "teams.ron", "--fail-if", &format!("{figure} {op} {held}")]).0
        };
        assert_eq!((gate("<"), gate(">=")), (0, 1), "{figure}: {held}");
    }
}

#[test]
fn a_change_is_shown_in_every_form_and_blessed_without_touching_what_people_wrote() {
    let place = Place::new("baseline-change");
    place.check(&["--bless"]);
    let head = "# ours\ntolerance:\n  wait: 10% or 1m # waits\n  default: any\n\n# below: theirs\n";
    place.put("teams.outcome.yaml", &format!("{head}{}", place.get("teams.outcome.yaml").split_at_outcome()));
    assert_eq!(place.check(&[]).0, 0);
    place.put("teams.ron", &teams(4, "blue"));
    let (code, text) = place.check(&["--annotate", "--junit", "j.xml", "--markdown", "m.md"]);
    assert_eq!(code, 1, "{text}");
    let file = place.get("teams.outcome.yaml");
    let line = file.lines().position(|line| line.starts_with("      wait.p95")).unwrap() + 1;
    assert!(text.contains(&format!("teams.outcome.yaml:{line}: wait.p95 of red\n")), "{text}");
    assert!(text.contains("worse; allowed: 10% or 1m") && text.contains("The scenario has changed since"), "{text}");
    assert!(text.contains(&format!("::error file=teams.outcome.yaml,line={line},")), "{text}");
    assert!(!text.contains("used."), "`any` compares nothing: {text}");
    let junit = place.get("j.xml");
    assert!(junit.contains("name=\"outcome: wait.p95 of red\""), "{junit}");
    let count = |what: &str| junit.matches(what).count();
    assert!(junit.contains(&format!("tests=\"{}\"", count("<testcase"))), "{junit}");
    assert!(junit.contains(&format!("failures=\"{}\"", count("<failure"))), "{junit}");
    assert!(place.get("m.md").contains("- `wait.p95 of red`: "), "{}", place.get("m.md"));
    let json = place.json();
    assert_eq!(json["outcome"], "failed");
    let differing = json["baseline"]["differing"].as_array().unwrap();
    assert!(differing.iter().any(|one| one["figure"] == "wait.p95 of red" && one["line"] == line), "{json}");
    let (code, text) = place.check(&["--bless"]);
    assert_eq!(code, 0, "{text}");
    assert!(place.get("teams.outcome.yaml").starts_with(&format!("{head}outcome:\n")));
    assert_eq!(place.check(&[]).0, 0);
}

/// The part of an outcome file that the command writes.
trait Parts {
    fn split_at_outcome(&self) -> &str;
}

impl Parts for String {
    fn split_at_outcome(&self) -> &str {
        &self[self.find("outcome:\n").unwrap()..]
    }
}

#[test]
fn the_same_scenario_with_another_outcome_is_a_change_of_quotree() {
    let place = Place::new("baseline-same");
    place.check(&["--bless"]);
    let text = place.get("teams.outcome.yaml");
    let line = text.lines().find(|line| line.starts_with("    evictions: ")).unwrap().to_owned();
    place.put("teams.outcome.yaml", &text.replacen(&line, "    evictions: 99", 1));
    let (code, text) = place.check(&[]);
    assert!(code == 1 && text.contains("quotree decides otherwise now"), "{text}");
    assert_eq!(place.check(&["--baselines", "ignore"]).0, 0);
}

#[test]
fn teams_come_and_go_and_so_must_their_figures() {
    let place = Place::new("baseline-teams");
    place.check(&["--bless"]);
    let text = place.get("teams.outcome.yaml").replace("tolerance:\n", "tolerance:\n  wait of blue: any\n");
    place.put("teams.outcome.yaml", &text);
    assert_eq!(place.check(&[]).0, 0);
    place.put("teams.ron", &teams(3, "azure"));
    let (code, text) = place.check(&[]);
    assert_eq!(code, 1, "{text}");
    for says in [
        "evictions of blue\n          this run does not have it",
        "evictions of azure\n          ",
        "is new: the baseline does not have it",
    ] {
        assert!(text.contains(says), "{says}: {text}");
    }
    place.check(&["--bless"]);
    let (code, text) = place.check(&[]);
    assert!(code == 1 && text.contains("teams.outcome.yaml:6: wait of blue\n"), "a tolerance is left over: {text}");
    assert!(!text.contains("--bless"), "it is no outcome: {text}");
}

#[test]
fn missing_baselines_matter_where_there_are_some_or_they_are_required() {
    let place = Place::new("baseline-missing");
    let (code, text) = place.check(&[]);
    assert!(code == 0 && !text.contains("baseline"), "{text}");
    let (code, text) = place.check(&["--baselines", "require", "--junit", "j.xml"]);
    assert!(code == 1 && text.contains("`quotree check teams.ron --bless` writes it"), "{text}");
    assert!(place.get("j.xml").contains("failures=\"1\""));
    place.check(&["--bless"]);
    assert_eq!(place.check(&["--baselines", "require"]).0, 0);
    place.put("other.ron", &teams(2, "blue").replace("\"teams\"", "\"other\""));
    for paths in [&["."][..], &["teams.ron", "teams.outcome.yaml", "other.ron"]] {
        let (code, text) = run(&place.0, &[&["check"], paths].concat());
        assert!(code == 0 && text.contains("1 scenario has no baseline") && text.contains("2 passed"), "{text}");
    }
    let (code, text) = run(&place.0, &["run", "teams.outcome.yaml"]);
    assert!(code == 2 && text.contains("is the outcome of a scenario, not a scenario"), "{text}");
}

#[test]
fn a_baseline_is_compared_by_its_own_seeds() {
    let place = Place::new("baseline-seeds");
    assert_eq!(place.check(&["--seeds", "1..3", "--bless"]).0, 0);
    assert!(place.get("teams.outcome.yaml").contains("seeds: 1..3\n"));
    for (args, code, says) in [
        (&["--seeds", "1..3"][..], 0, "figures"),
        (&["--seeds", "5"], 0, "figures"),
        (&[], 0, "is of seeds 1..3, which this check did not run"),
        (&["--baselines", "require"], 1, "`quotree check teams.ron --seeds 1..3` compares it"),
    ] {
        let (seen, text) = place.check(args);
        assert!(seen == code && text.contains(says), "{args:?}: {text}");
    }
}

#[test]
fn mistakes_in_the_file_are_all_named_with_their_places() {
    let place = Place::new("baseline-mistakes");
    place.check(&["--bless"]);
    let wrong = "tolerance:\n  wait.p96: 10%\n  evictions: 1.5\n  default: 10%\nextra: 1\noutcome:\n  seeds: 1\n  run:\n    wait.p95: 5 minutes\n    jain: 1.2345\n";
    place.put("teams.outcome.yaml", wrong);
    let (code, text) = place.check(&[]);
    assert_eq!(code, 2, "{text}");
    for place in ["yaml:2:3", "yaml:3:14", "yaml:5:1", "yaml:9:15", "yaml:10:11"] {
        assert!(text.contains(place), "{place}: {text}");
    }
    // One that is wrong for many figures is reported once, where it is written.
    place.put(
        "teams.outcome.yaml",
        "tolerance:\n  default: 10 percent\noutcome:\n  seeds: 1\n  run:\n    evictions: 1\n    jobs.failed: 2\n",
    );
    let (code, text) = place.check(&[]);
    assert!(code == 2 && text.contains("yaml:2:3") && text.contains("1 error, 0 warnings"), "{text}");
    // After a merge: the part of the command may be anything, for `--bless` writes it again.
    let torn = "tolerance:\n  default: 5%\noutcome:\n<<<<<<< ours\n  seeds: 1\n=======\n>>>>>>> theirs\n";
    place.put("teams.outcome.yaml", torn);
    assert_eq!(place.check(&[]).0, 2);
    assert_eq!(place.check(&["--bless"]).0, 0);
    assert!(place.get("teams.outcome.yaml").starts_with("tolerance:\n  default: 5%\noutcome:\n  scenario:"));
    assert_eq!(place.check(&[]).0, 0);
}

#[test]
fn what_cannot_be_blessed_is_refused_and_digests_keep_their_own() {
    let place = Place::new("baseline-refused");
    let (code, text) = place.check(&["--bless", "--set", "seed=3"]);
    assert!(code == 2 && text.contains("leave out `--set`"), "{text}");
    run(&place.0, &["fmt", "teams.ron", "--to", "yaml"]);
    let (code, text) = run(&place.0, &["check", ".", "--bless"]);
    assert!(code == 2 && text.contains("would have one outcome file"), "{text}");
    fs::remove_file(place.0.join("teams.yaml")).unwrap();
    assert_eq!(place.check(&["--bless", "--digests", "pins"]).0, 0);
    assert!(place.get("pins").contains(" teams.ron") && !place.0.join("teams.outcome.yaml").exists());
    assert_eq!(place.check(&["--digests", "pins"]).0, 0);
}
