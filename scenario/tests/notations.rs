//! Scenarios in YAML and JSON: they mean what the same scenario in RON means, keep the comments, fit the schema, and
//! have their mistakes reported at their places.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod schema_check;

use quotree_scenario::{Loader, Notation, Value, convert, load, load_tree, schema};
use std::path::{Path, PathBuf};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../scenarios");

/// The files of the catalogue, and one more in the place of another.
struct Instead<'a> {
    path: &'a str,
    text: &'a str,
}

impl Loader for Instead<'_> {
    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        if path == self.path {
            return Ok(self.text.as_bytes().to_vec());
        }
        std::fs::read(path).map_err(|error| error.to_string())
    }
}

fn catalogue(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            catalogue(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "ron") {
            found.push(path);
        }
    }
}

/// Everything that a scenario means.
fn meaning(path: &str, text: &str) -> String {
    let loaded = load(path, &Instead { path, text });
    let Some(mut scenario) = loaded.scenario else { return format!("{:#?}", loaded.diagnostics) };
    scenario.digest = 0;
    for claim in &mut scenario.claims {
        (claim.line, claim.text) = (0, String::new());
    }
    format!("{scenario:#?}")
}

fn in_notation(path: &str, text: &str, to: Notation) -> (String, String) {
    let converted = convert(path, text, to).unwrap_or_else(|errors| unreachable!("{path}: {errors:?}\n{text}"));
    (path.replace(".ron", &format!(".{}", to.extension())), converted.text)
}

#[test]
fn the_catalogue_means_the_same_in_every_notation() {
    let mut paths = Vec::new();
    catalogue(Path::new(ROOT), &mut paths);
    assert!(paths.len() > 40, "{}", paths.len());
    let schema = schema();
    for path in paths {
        let path = path.to_str().unwrap();
        let text = std::fs::read_to_string(path).unwrap();
        let (yaml_path, yaml) = in_notation(path, &text, Notation::Yaml);
        let (json_path, json) = in_notation(path, &text, Notation::Json);
        let value: serde_json::Value = serde_json::from_str(&json).unwrap();
        let file = if Value::parse(&text).is_ok_and(|value| value.to_text().starts_with("Quota")) {
            "quota"
        } else {
            "file.Scenario"
        };
        schema_check::check(&schema, file, &value).unwrap_or_else(|error| unreachable!("{path}: {error}\n{json}"));
        for comment in quotree_syntax::comments(&text).iter().flat_map(|comment| &comment.lines) {
            assert!(yaml.contains(comment.as_str()), "{path}: lost `{comment}`:\n{yaml}");
        }
        let (_, back) = in_notation(&yaml_path, &yaml, Notation::Ron);
        // Fields that need no name come first in RON; from then on nothing changes.
        let (_, again) = in_notation(path, &back, Notation::Yaml);
        let (_, back_again) = in_notation(&yaml_path, &again, Notation::Ron);
        assert_eq!(back_again, back, "{path}: there and back");
        if text.contains("Trace(") || !text.contains("cluster") {
            continue;
        }
        let wanted = meaning(path, &text);
        for (path, text) in [(&yaml_path, &yaml), (&json_path, &json), (&path.to_owned(), &back)] {
            let seen = meaning(path, text);
            let differing = wanted.lines().zip(seen.lines()).find(|(a, b)| a != b);
            assert!(wanted == seen, "{path}: {differing:?}\n{text}");
        }
    }
}

#[test]
fn the_schema_refuses_what_is_no_scenario() {
    let schema = schema();
    for (text, fits) in [
        (
            r#"{"name": "a", "workloads": [{"kind": "Job", "name": "j", "namespace": "n", "runtime": "1h", "request": {"cpu": 1}}]}"#,
            true,
        ),
        (
            r#"{"name": "a", "workloads": [{"Job": {"name": "j", "namespace": "n", "request": {}, "runtime": {"Uniform": ["1h", "2h"]}}}]}"#,
            true,
        ),
        (r#"{"name": "a", "quota": "quota.yaml", "expect": [{"At": {"time": "1h", "Pods": {"running": 1}}}]}"#, true),
        (r#"{"name": "a", "workloads": [{"kind": "Jop", "name": "j"}]}"#, false),
        (r#"{"name": "a", "workloads": [{"name": "j"}]}"#, false),
        (r#"{"name": "a", "seed": "one"}"#, false),
        (r#"{"name": "a", "policy": {"order": "Lifo"}}"#, false),
        (r#"{"name": "a", "expct": []}"#, false),
    ] {
        let seen = schema_check::check(&schema, "file.Scenario", &serde_json::from_str(text).unwrap());
        assert_eq!(seen.is_ok(), fits, "{text}: {seen:?}");
    }
}

const GOOD: &str = "\
name: good
cluster:
- {kind: NodePool, name: node, count: 2, allocatable: {cpu: 10}}
quota:
  name: root
  min: {cpu: 20}
  max: {cpu: 20}
  children:
  - {name: a, min: {cpu: 10}, namespaces: [ns-a]}
  - {name: b, min: {cpu: 10}, namespaces: [ns-b]}
workloads:
- kind: Job
  name: job
  namespace: ns-a
  request: {cpu: 500m}
  runtime: {Exponential: 10m}
expect:
- Final: {Pods: {of: {Workload: job}, succeeded: 1}}
- Always: Invariants
";

/// What is replaced, by what, and what is reported: line:column, underlined text, part of the title, part of the help.
const MISTAKES: &[(&str, &str, &str, &str, &str, &str)] = &[
    ("name: job", "name: job\n  name: twice", "14:3", "name", "duplicate key `name`", ""),
    (
        "namespace: ns-a",
        "namspace: ns-a",
        "14:3",
        "namspace",
        "`Job` has no field `namspace`",
        "did you mean `namespace`?",
    ),
    ("kind: Job", "kind: Jop", "12:9", "Jop", "`Jop` is not a kind of workload", "did you mean `Job`?"),
    (
        "- kind: Job\n  name",
        "- Job:\n  name",
        "13:3",
        "name",
        "`name` stands beside `Job`, not in it",
        "indent the fields below `Job:`",
    ),
    (
        "- kind: Job\n  name",
        "- name",
        "12:3",
        "name",
        "this workload does not say its kind",
        "write `kind: Job` beside the fields",
    ),
    (
        "{cpu: 500m}",
        "{nvida.com/gpu: 1}",
        "15:13",
        "nvida.com/gpu",
        "unknown resource `nvida.com/gpu`",
        "did you mean `nvidia.com/gpu`?",
    ),
    ("{cpu: 500m}", "{nvidia.com/gpu: 8Gi}", "15:29", "8Gi", "`8Gi` is an amount of memory", ""),
    ("{Exponential: 10m}", "10", "16:12", "10", "expected a duration string", "write \"10s\""),
    (
        "{Exponential: 10m}",
        "{Exponentail: 10m}",
        "16:13",
        "Exponentail",
        "`Exponentail` is not a duration",
        "did you mean `Exponential`?",
    ),
    ("Workload: job", "Workload: jop", "18:33", "jop", "workload `jop`", "did you mean `job`?"),
    (
        "- Always: Invariants",
        "- Always: Invariant",
        "19:11",
        "Invariant",
        "`Invariant` is not a claim",
        "did you mean `Invariants`?",
    ),
    ("workloads:", "workload:", "11:1", "workload", "`Scenario` has no field `workload`", "did you mean `workloads`?"),
    ("namespaces: [ns-a]}", "namespaces: [ns-a}", "9:43", "[", "unclosed bracket: `]` is missing", ""),
    ("  request: {cpu: 500m}", " request: {cpu: 500m}", "15:2", "", "invalid YAML", ""),
    ("count: 2", "count: two", "3:39", "two", "expected a whole number", ""),
    (
        "- Always: Invariants\n",
        "---\nname: second\n",
        "20:1",
        "name",
        "a second document in the file",
        "a file holds one scenario",
    ),
];

#[test]
fn mistakes_in_yaml_are_reported_at_their_places() {
    let loaded = load("x.yaml", &Instead { path: "x.yaml", text: GOOD });
    assert_eq!(loaded.diagnostics, []);
    for (from, to, place, underlined, title, help) in MISTAKES {
        assert!(GOOD.contains(from), "{from}");
        let text = GOOD.replacen(from, to, 1);
        let loaded = load("x.yaml", &Instead { path: "x.yaml", text: &text });
        assert!(loaded.scenario.is_none(), "{to}");
        let shown = |d: &quotree_scenario::Diagnostic| {
            let (line, column) = d.line_column();
            (format!("{line}:{column}"), text[d.span.clone()].to_owned(), d.title.clone(), d.help.join("; "))
        };
        let all: Vec<_> = loaded.diagnostics.iter().map(shown).collect();
        let fits = |(at, under, what, helps): &(String, String, String, String)| {
            at == place && under == underlined && what.contains(title) && helps.contains(help)
        };
        assert!(all.iter().any(fits), "{to}: {all:#?}");
        assert!(all.iter().all(|(.., what, _)| !what.contains("RON")), "{to}: {all:#?}");
    }
}

#[test]
fn broken_json_is_told_in_terms_of_json() {
    for (text, wanted) in [
        ("{\"name\": \"a\",}", "x.json:1:14: error: invalid JSON: trailing comma"),
        ("{\"name\": \"a\"\n\"seed\": 1}", "x.json:2:1: error: invalid JSON: expected `,` or `}`"),
        (
            "{\"name\": \"a\", \"nam\": 1, \"cluster\": [], \"quota\": {}}",
            "x.json:1:15: error: `Scenario` has no field `nam`",
        ),
        (
            "{\n\t\"name\": \"a\",\n\t\"seed\": -1\n}",
            "x.json:3:10: error: expected a whole number, 0 or more, found the number -1",
        ),
        ("", "x.json:1:1: error: invalid JSON: EOF while parsing a value"),
    ] {
        let loaded = load("x.json", &Instead { path: "x.json", text });
        let all: Vec<_> = loaded.diagnostics.iter().map(ToString::to_string).collect();
        assert!(all.iter().any(|one| one == wanted), "{text}: {all:#?}");
    }
}

#[test]
fn a_file_in_another_notation_than_its_name_says_is_told_so() {
    for (path, text, wanted) in [
        ("x.ron", "# a comment\nname: a\n", "this is YAML, and the file is named `.ron`"),
        ("x.ron", "{\"name\": \"a\"}", "this is JSON, and the file is named `.ron`"),
        ("x.yaml", "// a comment\nScenario(name: \"a\")", "this is RON, and the file is named `.yaml`"),
        ("x.json", "name: a\n", "this is YAML, and the file is named `.json`"),
    ] {
        let loaded = load(path, &Instead { path, text });
        let titles: Vec<_> = loaded.diagnostics.iter().map(|d| d.title.as_str()).collect();
        assert_eq!(titles, [wanted], "{text}");
    }
}

#[test]
fn the_quota_may_be_the_file_that_is_deployed() {
    const TREE: &str = "apiVersion: scheduling.sigs.k8s.io/v1beta1\nkind: ElasticQuotaTree\nspec:\n  root:\n    name: root\n    \
                        min: {cpu: 20}\n    max: {cpu: 20}\n    children:\n    - {name: a, min: {cpu: 10}, max: {cpu: 20}, namespaces: [ns-a]}\n";
    let start = GOOD.find("quota:\n").unwrap();
    let end = GOOD.find("workloads:").unwrap();
    let text = format!("{}quota: tree.yaml\n{}", &GOOD[..start], &GOOD[end..]);
    let with = |tree: &str| {
        let loader = quotree_scenario::MapLoader::new().with("d/x.yaml", text.as_str()).with("d/tree.yaml", tree);
        load("d/x.yaml", &loader)
    };
    let loaded = with(TREE);
    assert_eq!(loaded.diagnostics, []);
    assert_eq!(loaded.scenario.unwrap().tree.quotas.len(), 2);
    // The file may hold a tree in the notation of scenarios.
    assert!(with("name: root\nmin: {cpu: 20}\nmax: {cpu: 20}\nnamespaces: [ns-a]\n").scenario.is_some());
    for (tree, wanted) in [
        (TREE.replace("min: {cpu: 10}", "min: {cpu: 30}"), "d/tree.yaml:9:"),
        (TREE.replace("min: {cpu: 10}", "min: {cpu: x}"), "d/tree.yaml:9:28: error: min of `cpu`"),
        (
            "kind: Pod\napiVersion: v1\n".to_owned(),
            "d/x.yaml:4:8: error: `tree.yaml` is objects of a cluster (1 Pod), not a quota tree",
        ),
        ("name: a\ncluster: []\nquota: {}\n".to_owned(), "d/x.yaml:4:8: error: `tree.yaml` holds no quota tree"),
    ] {
        let loaded = with(&tree);
        let all: Vec<_> = loaded.diagnostics.iter().map(ToString::to_string).collect();
        assert!(loaded.scenario.is_none() && all.iter().any(|one| one.starts_with(wanted)), "{tree}: {all:#?}");
    }
}

#[test]
fn a_tree_alone_is_read_in_every_notation() {
    for (path, text) in [
        ("t.yaml", "name: root\nmin: {cpu: 4}\nmax: {cpu: 4}\nnamespaces: [a]\n"),
        ("t.yaml", "Quota: {name: root, min: {cpu: 4}, max: {cpu: 4}, namespaces: [a]}\n"),
        ("t.json", r#"{"kind": "Quota", "name": "root", "min": {"cpu": 4}, "max": {"cpu": "4"}, "namespaces": ["a"]}"#),
    ] {
        let loaded = load_tree(path, &Instead { path, text });
        assert!(loaded.alone && loaded.tree.is_some(), "{text}: {:?}", loaded.diagnostics);
    }
}
