//! Every mistake is reported at its place: a table of mistakes with line, column and the underlined text.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use quotree_scenario::{Diagnostic, Loaded, MapLoader, Severity, load, load_tree};

/// A valid scenario; each test breaks it in one place.
const GOOD: &str = r#"Scenario(
    name: "good",
    policy: Capacity(),
    cluster: [NodePool(name: "node", count: 2, allocatable: { "cpu": "10", "memory": "1Gi" })],
    quota: Quota(name: "root", min: { "cpu": "20" }, max: { "cpu": "20" }, children: [
        Quota(name: "a", min: { "cpu": "10" }, max: { "cpu": "20" }, namespaces: ["ns-a"]),
        Quota(name: "b", min: { "cpu": "10" }, max: { "cpu": "20" }, namespaces: ["ns-b"]),
    ]),
    classes: { "high": 100 },
    workloads: [
        Deployment(name: "web", namespace: "ns-a", replicas: 2, request: { "cpu": "5" }, submit: "1m"),
        Job(name: "job", namespace: "ns-b", priority: "high", request: { "cpu": "500m" }, runtime: "10m"),
    ],
    events: [
        At("5m", Scale(workload: "web", replicas: 0)),
    ],
    expect: [
        At("2m", Pods(of: Namespace("ns-a"), running: 2)),
    ],
)
"#;

fn load_text(text: &str) -> Loaded {
    load("x.ron", &MapLoader::new().with("x.ron", text))
}

fn underlined<'a>(loaded: &'a Loaded, diagnostic: &Diagnostic) -> &'a str {
    loaded.sources[diagnostic.source].text.get(diagnostic.span.clone()).unwrap()
}

#[test]
fn the_valid_scenario_is_accepted() {
    let loaded = load_text(GOOD);
    assert_eq!(loaded.diagnostics, []);
    assert!(loaded.scenario.is_some());
}

/// What is replaced, by what, and what is reported: severity, line:column, underlined text, part of the title or help.
type Row = (&'static str, &'static str, Severity, &'static str, &'static str, &'static str);

const E: Severity = Severity::Error;
const W: Severity = Severity::Warning;

const ROWS: &[Row] = &[
    // Resizes.
    (
        "Scale(workload: \"web\", replicas: 0)",
        "Resize(\"wob\", { \"cpu\": \"1\" })",
        E,
        "15:25",
        "\"wob\"",
        "no workload `wob`",
    ),
    ("Scale(workload: \"web\", replicas: 0)", "Resize(\"web\")", E, "15:18", "Resize", "`Resize` lacks `request`"),
    // Probabilities.
    ("policy: Capacity()", "world: World(lost_evictions: \"100%\")", E, "3:34", "\"100%\"", "must be below 100%"),
    ("policy: Capacity()", "world: World(failed_binds: 1)", E, "3:32", "1", "must be below 100%"),
    ("policy: Capacity()", "world: World(eviction_retry: \"0s\")", E, "3:34", "\"0s\"", "0"),
    // Syntax.
    ("replicas: 2, ", "replicas: 2 ", E, "11:64", "request", "expected `,` or `)`, found `request`"),
    ("name: \"good\"", "name: \"good", E, "2:11", "\"", "unclosed string"),
    ("replicas: 2", "replicas: 0x10", E, "11:62", "0x10", "not a plain decimal number"),
    ("name: \"web\"", "name: \"w\\qb\"", E, "11:28", "\\q", "unknown escape"),
    ("submit: \"1m\"", "submit: ", E, "11:98", ")", "expected a value, found `)`"),
    ("name: \"good\"", "name: 'good'", E, "2:11", "'", "unexpected character"),
    ("{ \"high\": 100 }", "{ \"high\" 100 }", E, "9:23", "100", "expected `:`"),
    (
        "classes: { \"high\": 100 }",
        "classes: { \"high\": 100 ]",
        E,
        "9:14",
        "{",
        "unclosed bracket: `}` is missing before the `]` of line 9",
    ),
    ("Scenario(", "#![enable(magic)]\nScenario(", E, "1:1", "#![enable(magic)]", "unknown file header"),
    ("Scenario(", "/* open\nScenario(", E, "1:1", "/*", "unclosed comment"),
    ("name: \"good\",", "name: \"good\", # mine", E, "2:19", "# mine", "write `//` before a comment"),
    // Fields.
    ("replicas: 2", "replica: 2", E, "11:52", "replica", "did you mean `replicas`?"),
    ("replicas: 2", "replicas: 2, replicas: 3", E, "11:65", "replicas", "given twice"),
    ("namespace: \"ns-a\", ", "", E, "11:9", "Deployment", "`Deployment` lacks `namespace`"),
    ("name: \"good\",", "", E, "1:1", "Scenario", "`Scenario` lacks `name`"),
    ("policy:", "polcy:", E, "3:5", "polcy", "did you mean `policy`?"),
    ("replicas: 2", "2", E, "11:52", "2", "an unnamed value"),
    ("policy: Capacity()", "matrix: {}", E, "3:5", "matrix", "not supported yet"),
    // Values.
    ("\"cpu\": \"5\" }, submit", "\"cpu\": 5 }, submit", E, "11:83", "5", "put it in quotes: \"5\""),
    ("\"cpu\": \"5\" }, submit", "\"cpu\": \"5x\" }, submit", E, "11:83", "\"5x\"", "not a quantity"),
    ("\"cpu\": \"5\" }, submit", "\"cpu\": \"-5\" }, submit", E, "11:83", "\"-5\"", "negative"),
    ("\"cpu\": \"5\" }, submit", "\"cpu\": \"0.0001\" }, submit", E, "11:83", "\"0.0001\"", "too precise"),
    ("\"cpu\": \"5\" }, submit", "\"cpu\": \"5\", \"cpu\": \"6\" }, submit", E, "11:88", "\"cpu\"", "duplicate key"),
    (
        "\"cpu\": \"5\" }, submit",
        "\"nvidia.com/gpu\": \"8Gi\" }, submit",
        E,
        "11:94",
        "\"8Gi\"",
        "is an amount of memory, and `nvidia.com/gpu` is counted in devices",
    ),
    (
        "\"cpu\": \"5\" }, submit",
        "\"nvida.com/gpu\": \"5\" }, submit",
        E,
        "11:76",
        "\"nvida.com/gpu\"",
        "did you mean `nvidia.com/gpu`?",
    ),
    ("\"1Gi\"", "\"9223372036854775808\"", E, "4:86", "\"9223372036854775808\"", "too large"),
    ("submit: \"1m\"", "submit: \"1 minute\"", E, "11:98", "\"1 minute\"", "is not a duration"),
    ("submit: \"1m\"", "submit: 60", E, "11:98", "60", "for seconds, write \"60s\""),
    ("runtime: \"10m\"", "runtime: \"0s\"", E, "12:100", "\"0s\"", "must be longer than 0"),
    (
        "runtime: \"10m\"",
        "runtime: Uniform(\"5s\", \"1s\")",
        E,
        "12:100",
        "Uniform(\"5s\", \"1s\")",
        "ends before it starts",
    ),
    ("replicas: 2", "replicas: -2", E, "11:62", "-2", "a whole number, 0 or more"),
    ("replicas: 2", "replicas: 10000000000", E, "11:62", "10000000000", "a whole number from 0"),
    ("namespace: \"ns-a\"", "namespace: ns", E, "11:44", "ns", "put it in quotes: \"ns\""),
    ("[\"ns-a\"]", "\"ns-a\"", E, "6:82", "\"ns-a\"", "expected a list"),
    // Choices.
    ("Capacity()", "Kueue()", E, "3:13", "Kueue", "expected `Capacity`"),
    ("Capacity()", "Capacity(order: Fifoo)", E, "3:29", "Fifoo", "did you mean `Fifo`?"),
    ("Capacity()", "Capacity(placement: Random)", E, "3:33", "Random", "`Random` lacks `seed`"),
    ("Deployment(", "Deploymnt(", E, "11:9", "Deploymnt", "did you mean `Deployment`?"),
    ("Scale(", "Scal(", E, "15:18", "Scal", "did you mean `Scale`?"),
    ("Pods(", "Pod(", E, "18:18", "Pod", "did you mean `Pods`?"),
    // Names.
    ("name: \"job\"", "name: \"web\"", E, "12:19", "\"web\"", "duplicate workload `web`"),
    ("priority: \"high\"", "priority: \"hgih\"", E, "12:55", "\"hgih\"", "did you mean `high`?"),
    ("workload: \"web\"", "workload: \"wbe\"", E, "15:34", "\"wbe\"", "did you mean `web`?"),
    ("Scale(workload: \"web\"", "Scale(workload: \"job\"", E, "15:18", "Scale", "not a Deployment"),
    (
        "Scale(workload: \"web\", replicas: 0)",
        "NodeDown(\"node-2\")",
        E,
        "15:27",
        "\"node-2\"",
        "did you mean `node-0`?",
    ),
    ("Namespace(\"ns-a\")", "Namespace(\"ns-c\")", E, "18:37", "\"ns-c\"", "did you mean `ns-a`?"),
    ("Namespace(\"ns-a\")", "Quota(\"c\")", E, "18:33", "\"c\"", "there is no quota `c`"),
    ("name: \"web\"", "budget: \"x\", name: \"web\"", E, "11:28", "\"x\"", "there is no budget `x`"),
    ("namespace: \"ns-a\"", "namespace: \"ns-x\"", W, "11:44", "\"ns-x\"", "no leaf quota"),
    ("name: \"web\"", "name: \"\"", E, "11:26", "\"\"", "a name is empty"),
    // The tree (T2).
    ("name: \"b\"", "name: \"a\"", E, "7:21", "\"a\"", "duplicate quota name"),
    (
        "Quota(name: \"a\", min: { \"cpu\": \"10\" }",
        "Quota(name: \"a\", min: { \"cpu\": \"11\" }",
        E,
        "5:46",
        "\"20\"",
        "the children's mins sum to 21 cpu",
    ),
    (
        "max: { \"cpu\": \"20\" }, namespaces: [\"ns-b\"]",
        "max: { \"cpu\": \"21\" }, namespaces: [\"ns-b\"]",
        E,
        "7:62",
        "\"21\"",
        "the parent's max",
    ),
    (
        "max: { \"cpu\": \"20\" }, namespaces: [\"ns-b\"]",
        "max: { \"cpu\": \"5\" }, namespaces: [\"ns-b\"]",
        E,
        "7:40",
        "\"10\"",
        "exceeds max 5",
    ),
    ("[\"ns-b\"]", "[\"ns-b\", \"ns-a\"]", E, "7:91", "\"ns-a\"", "already attached to `a`"),
    (
        "min: { \"cpu\": \"20\" }, max: { \"cpu\": \"20\" }, children",
        "min: { \"cpu\": \"20\" }, max: { \"cpu\": \"30\" }, children",
        W,
        "5:46",
        "\"20\"",
        "they should be equal",
    ),
    ("count: 2", "count: 1", W, "5:68", "\"20\"", "exceeds the cluster capacity (10 cpu)"),
    (", namespaces: [\"ns-b\"]", "", W, "7:21", "\"b\"", "the leaf has no namespace"),
    // Sizes.
    ("count: 2", "count: 1000001", E, "4:45", "1000001", "at most 1000000"),
    ("replicas: 2", "replicas: 4000000000", E, "11:26", "\"web\"", "at most 10000000 are allowed"),
    ("replicas: 0", "replicas: 4000000000", E, "15:51", "4000000000", "at most 10000000 are allowed"),
    (
        "\"cpu\": \"5\" }, submit",
        "\"cpu\": \"11\" }, submit",
        W,
        "11:74",
        "{ \"cpu\": \"11\" }",
        "requests 11 cpu, and the largest node has 10 cpu",
    ),
    ("\"cpu\": \"5\" }, submit", "\"cpus\": \"5\" }, submit", W, "11:74", "{ \"cpus\": \"5\" }", "did you mean `cpu`?"),
    (
        "Job(name: \"job\", namespace: \"ns-b\", priority: \"high\", request: { \"cpu\": \"500m\" }",
        "Training(name: \"gang\", namespace: \"ns-b\", roles: [Role(name: \"worker\", replicas: 5, request: { \"cpu\": \"5\" })]",
        W,
        "12:24",
        "\"gang\"",
        "request 25 cpu, more than the max of `b` (20 cpu)",
    ),
    // Claims and events.
    (
        "Pods(of: Namespace(\"ns-a\"), running: 2)",
        "Makespan(exactly: \"1s\", at_most: \"2s\")",
        E,
        "18:51",
        "\"2s\"",
        "has more than one comparison",
    ),
    ("running: 2)", ")", E, "18:18", "Pods", "claims no count"),
    (
        "Pods(of: Namespace(\"ns-a\"), running: 2)",
        "Evictions()",
        E,
        "18:18",
        "Evictions",
        "needs one of `exactly`, `at_most` and `at_least`",
    ),
    ("Pods(of: Namespace(\"ns-a\"), running: 2)", "Verdict(of: All, rule: \"Z9\")", E, "18:41", "\"Z9\"", "not a rule"),
    (
        "Pods(of: Namespace(\"ns-a\"), running: 2)",
        "Used(quota: \"a\", resource: \"gpu\", exactly: \"1\")",
        E,
        "18:45",
        "\"gpu\"",
        "no resource `gpu`",
    ),
    ("Pods(of: Namespace(\"ns-a\"), running: 2)", "Digest(\"12\")", E, "18:25", "\"12\"", "32 hex digits"),
    ("Pods(of: Namespace(\"ns-a\"), running: 2)", "SameAs(\"gone.json\")", E, "18:25", "\"gone.json\"", "no such file"),
    (
        "Scale(workload: \"web\", replicas: 0)",
        "EditQuota(\"a\", min: { \"cpu\": \"15\" })",
        E,
        "15:18",
        "EditQuota",
        "mins sum to 25 cpu",
    ),
    (
        "policy: Capacity()",
        "world: World(eviction_grace: \"5m\"), policy: Capacity(hold_timeout: \"1m\")",
        W,
        "3:49",
        "Capacity(hold_timeout: \"1m\")",
        "may repeat",
    ),
    ("policy: Capacity()", "world: World(until: \"3m\")", W, "15:12", "\"5m\"", "the run ends before it"),
    ("policy: Capacity()", "include: [\"gone.ron\"]", E, "3:15", "\"gone.ron\"", "no such file"),
    ("policy: Capacity()", "extends: \"x.ron\"", E, "3:14", "\"x.ron\"", "in a cycle"),
    ("policy: Capacity()", "include: [\"../../..\"]", E, "3:15", "\"../../..\"", "names a folder"),
];

#[test]
fn every_mistake_is_reported_at_its_position() {
    let mut failures = String::new();
    for (from, to, severity, place, text, says) in ROWS {
        assert!(GOOD.contains(from), "`{from}` is not in the good scenario");
        let loaded = load_text(&GOOD.replacen(from, to, 1));
        let is_it = |d: &&Diagnostic| {
            let (line, column) = d.line_column();
            let said = d.title.contains(says) || d.help.iter().any(|h| h.contains(says)) || d.label.contains(says);
            said && d.severity == *severity && format!("{line}:{column}") == *place && underlined(&loaded, d) == *text
        };
        let told = loaded.diagnostics.iter().any(|d| is_it(&d));
        let consistent = loaded.scenario.is_none() == loaded.diagnostics.iter().any(|d| d.severity == E);
        if !told || !consistent {
            failures += &format!("\n`{to}`: wanted {severity} {place} `{text}` {says}; told:\n");
            for d in &loaded.diagnostics {
                failures += &format!("  {d} `{}` [{}] {:?}\n", underlined(&loaded, d), d.label, d.help);
            }
        }
    }
    assert_eq!(failures, "");
}

#[test]
fn all_mistakes_of_a_file_are_reported_at_once_and_none_twice() {
    let text = GOOD
        .replacen("seed: 1", "", 1)
        .replacen("count: 2", "count: \"two\"", 1)
        .replacen("submit: \"1m\"", "submit: \"1x\"", 1)
        .replacen("\"500m\"", "\"500q\"", 1)
        .replacen("runtime: \"10m\"", "rntime: \"10m\"", 1)
        .replacen("workload: \"web\"", "workload: \"wob\"", 1)
        .replacen("running: 2", "runing: 2", 1);
    let loaded = load_text(&text);
    let told: Vec<String> = loaded.diagnostics.iter().map(ToString::to_string).collect();
    let wanted = [
        "x.ron:4:45: error: expected a whole number from 0 to 4294967295, found the string \"two\"",
        "x.ron:11:98: error: `1x` is not a duration: unknown unit `x`; use d, h, m, s or ms",
        "x.ron:12:81: error: `500q` is not a quantity; expected a number with an optional suffix, such as `100m`, `1.5`, `16Gi` or `2e3`",
        "x.ron:12:91: error: `Job` has no field `rntime`",
        "x.ron:15:34: error: there is no workload `wob`",
        "x.ron:18:46: error: `Pods` has no field `runing`",
    ];
    assert_eq!(told.iter().filter(|t| t.contains("error")).collect::<Vec<_>>(), wanted.iter().collect::<Vec<_>>());
}

#[test]
fn the_value_of_a_misspelt_field_is_checked_all_the_same() {
    let text = GOOD.replacen("runtime: \"10m\"", "runtim: \"10x\"", 1).replacen("runtime: \"10m\"", "", 1);
    let loaded = load_text(&text);
    let told: Vec<String> = loaded.diagnostics.iter().map(ToString::to_string).collect();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].ends_with("`Job` has no field `runtim`"), "{told:?}");
    assert!(told[1].contains("`10x` is not a duration"), "{told:?}");
    // Other fields of the struct are not suggested as misspellings of a missing one.
    let tree = load_tree("t.ron", &MapLoader::new().with("t.ron", "Quota(min: { \"cpu\": \"1\" }, nam: \"root\")"));
    let told: Vec<String> = tree.diagnostics.iter().map(ToString::to_string).collect();
    assert!(told.iter().all(|t| !t.contains("lacks")), "{told:?}");
}

#[test]
fn t2_a_tree_of_ten_thousand_nodes_with_five_hundred_findings_gives_five_hundred() {
    let mut text =
        String::from("Quota(name: \"root\", min: { \"cpu\": \"20k\" }, max: { \"cpu\": \"20k\" }, children: [\n");
    for i in 0..10_000 {
        let min = if i % 20 == 0 { 3 } else { 1 };
        text += &format!(
            "Quota(name: \"q{i}\", min: {{ \"cpu\": \"{min}\" }}, max: {{ \"cpu\": \"2\" }}, namespaces: [\"n{i}\"]),\n"
        );
    }
    text += "])\n";
    let loaded = load_tree("tree.ron", &MapLoader::new().with("tree.ron", text.as_str()));
    assert!(loaded.tree.is_none());
    assert_eq!(loaded.diagnostics.len(), 500);
    for (i, diagnostic) in loaded.diagnostics.iter().enumerate() {
        assert_eq!(diagnostic.line_column().0, 2 + i * 20, "{diagnostic}");
        assert_eq!(&text[diagnostic.span.clone()], "\"3\"");
    }
    // The same inside a scenario, where the tree is compared with the cluster, too.
    let whole = format!("Scenario(name: \"big\", cluster: Pool({{ \"cpu\": \"20k\" }}), quota: {text})");
    let loaded = load_text(&whole);
    assert_eq!(loaded.diagnostics.iter().filter(|d| d.severity == E).count(), 500);

    let good = text.replace("\"3\"", "\"2\"");
    let loaded = load_tree("tree.ron", &MapLoader::new().with("tree.ron", good));
    assert_eq!(loaded.tree.unwrap().quotas.len(), 10_001);
}

#[test]
fn absurd_files_are_refused_in_bounded_time() {
    let deep = "[".repeat(1_000_000);
    let quotas = "Quota(name: \"a\", children: [".repeat(10_000);
    let wide = format!("Scenario({})", (0..100_000).map(|i| format!("f{i}: 1,")).collect::<String>());
    let map = format!("Scenario(classes: {{{}}})", "\"a\": 1,".repeat(100_000));
    let digits =
        format!("Scenario(seed: {}, world: World(until: \"{}s\"))", "9".repeat(1_000_000), "9".repeat(1_000_000));
    let name = format!("Scenario(name: \"{}\")", "n".repeat(1_000_000));
    let garbage = "])}:,\"\n".repeat(50_000);
    for text in [deep, quotas, wide, map, digits, name, garbage, String::new(), "\u{feff}".into()] {
        let loaded = load_text(&text);
        assert!(loaded.scenario.is_none());
        assert!(!loaded.diagnostics.is_empty());
        assert!(loaded.diagnostics.iter().all(|d| d.title.len() < 1000), "titles stay short");
    }
}

#[test]
fn invalid_text_and_missing_files_are_reported() {
    let loaded = load("x.ron", &MapLoader::new().with("x.ron", b"Scenario(name: \"\xff\")".to_vec()));
    assert!(loaded.diagnostics.iter().any(|d| d.to_string() == "x.ron:1:17: error: the file is not valid UTF-8"));
    let loaded = load("gone.ron", &MapLoader::new());
    assert_eq!(loaded.diagnostics[0].to_string(), "gone.ron:1:1: error: cannot read `gone.ron`: no such file");
}

#[test]
fn several_files_are_one_scenario() {
    let base = r#"Scenario(name: "base", include: ["pools.ron", "tree.ron"], classes: { "high": 1, "low": -1 }, workloads: [
        Deployment(name: "one", namespace: "ns", request: { "cpu": "1" }),
        Deployment(name: "two", namespace: "ns", request: { "cpu": "1" }),
    ])"#;
    let over = r#"Scenario(name: "over", extends: "lib/base.ron", classes: { "high": 9 }, workloads: [
        Deployment(name: "two", namespace: "ns", replicas: 7, priority: "high", request: { "cpu": "1" }),
        Deployment(name: "three", namespace: "ns", priority: "low", request: { "cpu": "1" }),
    ])"#;
    let pools = r#"(cluster: [NodePool(name: "n", allocatable: { "cpu": "10" })])"#;
    let tree = r#"Quota(name: "root", min: { "cpu": "10" }, max: { "cpu": "10" }, namespaces: ["ns"])"#;
    let loader = MapLoader::new().with("over.ron", over).with("lib/base.ron", base);
    let loader = loader.with("lib/pools.ron", pools).with("lib/tree.ron", tree);
    let loaded = load("over.ron", &loader);
    assert_eq!(loaded.diagnostics, []);
    let paths: Vec<&str> = loaded.sources.iter().map(|s| s.path.as_str()).collect();
    assert_eq!(paths, ["over.ron", "lib/base.ron", "lib/pools.ron", "lib/tree.ron"]);
    let scenario = loaded.scenario.unwrap();
    assert_eq!(scenario.name, "over");
    let workloads: Vec<(&str, i32)> = scenario.workloads.iter().map(|w| (w.name.as_str(), w.priority.number)).collect();
    assert_eq!(workloads, [("one", 0), ("two", 9), ("three", -1)]);

    // A field that two included files set is reported where it appears the second time.
    let twice = loader.with("lib/pools.ron", "(quota: Quota(name: \"other\"))");
    let loaded = load("over.ron", &twice);
    let Some(told) = loaded.diagnostics.iter().find(|d| d.title.contains("also given in an included file")) else {
        panic!("not told: {:?}", loaded.diagnostics)
    };
    assert_eq!(told.place.path, "lib/tree.ron");
}

#[test]
fn bad_rows_of_a_trace_are_reported_by_line_at_the_file() {
    let text = GOOD.replacen(
        "Job(name: \"job\", namespace: \"ns-b\", priority: \"high\", request: { \"cpu\": \"500m\" }, runtime: \"10m\")",
        "Trace(name: \"t\", file: \"t.csv\", format: Native)",
        1,
    );
    let rows = "name,submit_s,runtime_s,namespace,cpu\na,0,1,ns-b,1\nb,zero,1,ns-b,1\nc,0,1,ns-b,1x\n";
    let loaded = load("x.ron", &MapLoader::new().with("x.ron", text.as_str()).with("t.csv", rows));
    let told: Vec<&str> = loaded.diagnostics.iter().map(|d| d.title.as_str()).collect();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].starts_with("`t.csv` line 3: column `submit_s`: `zero` is not a time"), "{told:?}");
    assert!(told[1].starts_with("`t.csv` line 4: column `cpu`: `1x` is not a quantity"), "{told:?}");
    assert_eq!(underlined(&loaded, &loaded.diagnostics[0]), "\"t.csv\"");

    let good = load("x.ron", &MapLoader::new().with("x.ron", text).with("t.csv", &rows[..51]));
    assert_eq!(good.diagnostics, []);
}

#[test]
fn an_invalid_cluster_causes_no_errors_about_quotas_and_pods() {
    let text = r#"Scenario(
    name: "x",
    cluster: Pool({ "cpu": "10 cores" }),
    quota: Quota(name: "root", min: { "cpu": "10" }, max: { "cpu": "10" }, namespaces: ["ns"]),
    workloads: [Deployment(name: "web", namespace: "ns", request: { "cpu": "2" })],
)"#;
    let loaded = load("x.ron", &MapLoader::new().with("x.ron", text));
    let told: Vec<String> = loaded.diagnostics.iter().map(ToString::to_string).collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].starts_with("x.ron:3:28: error: `10 cores` is not a quantity"), "{told:?}");
}
