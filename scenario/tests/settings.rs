//! `--set PATH=VALUE`: any field of a scenario, by path. A scenario with a setting is the scenario in which the value is
//! written: the same model and the same digest. Mistakes point at their place in the setting.

use quotree_scenario::{MapLoader, Setting, load, load_with};

const LAB: &str = r#"Scenario(
    name: "lab",
    policy: Capacity(order: GuaranteedFirst),
    cluster: [NodePool(name: "gpu", count: 2, allocatable: { "cpu": "8", "nvidia.com/gpu": "4" })],
    quota: Quota(name: "root", min: { "nvidia.com/gpu": "8" }, max: { "nvidia.com/gpu": "8" }, children: [
        Quota(name: "team.a", min: { "nvidia.com/gpu": "4" }, namespaces: ["a"]),
        Quota(name: "team.b", min: { "nvidia.com/gpu": "2" }, namespaces: ["b"]),
    ]),
    budgets: { "web": 1 },
    workloads: [
        Job(name: "train", namespace: "a", submit: "0s", runtime: "10m", request: { "nvidia.com/gpu": "1" }),
        Deployment(name: "web", namespace: "b", replicas: 2, request: { "cpu": "1" }, budget: "web"),
    ],
    events: [At("5m", Scale("web", replicas: 3))],
    expect: [Final(Evictions(exactly: 0))],
)"#;

/// What a scenario means, with its digest; or its first error.
fn meaning(path: &str, text: &str, settings: &[&str]) -> String {
    let files = MapLoader::new().with(path, text).with("base.ron", LAB).with(
        "quota.yaml",
        "apiVersion: scheduling.sigs.k8s.io/v1beta1\nkind: ElasticQuotaTree\nmetadata: {name: t, namespace: kube-system}\nspec:\n  root:\n    name: root\n    min: {nvidia.com/gpu: 8}\n    max: {nvidia.com/gpu: 8}\n    children:\n    - {name: team-a, namespaces: [a], min: {nvidia.com/gpu: 4}, max: {nvidia.com/gpu: 8}}\n    - {name: team-b, namespaces: [b], min: {nvidia.com/gpu: 2}, max: {nvidia.com/gpu: 8}}\n",
    );
    let settings: Vec<Setting> = settings.iter().copied().map(Setting::new).collect();
    let loaded = load_with(path, &settings, &files);
    match loaded.scenario {
        // A claim that is set has no line in a file.
        Some(mut scenario) => {
            scenario.claims.iter_mut().for_each(|claim| claim.line = 0);
            format!("{scenario:?}")
        }
        None => loaded.diagnostics.first().map_or_else(String::new, |first| format!("{first} {:?}", first.help)),
    }
}

#[test]
fn a_value_that_is_set_is_the_value_that_is_written() {
    for (setting, written, instead) in [
        ("seed=7", "policy:", "seed: 7, policy:"),
        ("name=other", "name: \"lab\"", "name: \"other\""),
        ("policy=Capacity(order: Fifo)", "GuaranteedFirst", "Fifo"),
        ("policy.order=Fifo", "GuaranteedFirst", "Fifo"),
        ("policy.bounds.nodes=9", "order: GuaranteedFirst", "order: GuaranteedFirst, bounds: (nodes: 9)"),
        ("world.until=1h", "policy:", "world: World(until: \"1h\"), policy:"),
        ("cluster.gpu.count=3", "count: 2", "count: 3"),
        ("cluster.0.count=3", "count: 2", "count: 3"),
        ("cluster.gpu.allocatable.nvidia.com/gpu=5", "\"nvidia.com/gpu\": \"4\" })]", "\"nvidia.com/gpu\": \"5\" })]"),
        ("quota.team.a.min.nvidia.com/gpu=3", "\"4\" }, namespaces", "\"3\" }, namespaces"),
        ("quota.children.team.a.min.nvidia.com/gpu=3", "\"4\" }, namespaces", "\"3\" }, namespaces"),
        (
            "quota.team.b.max={nvidia.com/gpu: 6}",
            "namespaces: [\"b\"]",
            "namespaces: [\"b\"], max: { \"nvidia.com/gpu\": \"6\" }",
        ),
        ("quota.team.b.weight=2", "namespaces: [\"b\"]", "namespaces: [\"b\"], weight: 2"),
        ("workloads.train.runtime=20m", "10m", "20m"),
        ("workloads.web.replicas=4", "replicas: 2", "replicas: 4"),
        ("workloads.web.request.cpu=500m", "\"cpu\": \"1\"", "\"cpu\": \"500m\""),
        ("events.0.time=6m", "\"5m\"", "\"6m\""),
        ("budgets.web=0", "\"web\": 1", "\"web\": 0"),
        ("budgets.api=2", "\"web\": 1", "\"web\": 1, \"api\": 2"),
        ("expect=[Final(Evictions(exactly: 1))]", "exactly: 0", "exactly: 1"),
    ] {
        assert!(LAB.contains(written), "{written}");
        let wanted = meaning("main.ron", &LAB.replace(written, instead), &[]);
        assert!(wanted.starts_with("Scenario"), "{setting}: {wanted}");
        assert_eq!(meaning("main.ron", LAB, &[setting]), wanted, "{setting}");
        // Set in a scenario that extends the file, it is the same.
        let above = "Scenario(name: \"lab\", extends: \"base.ron\")";
        if !setting.starts_with("name=") {
            assert_eq!(meaning("main.ron", above, &[setting]), wanted, "{setting} in a base");
        }
    }
}

#[test]
fn later_settings_win_and_see_earlier_ones() {
    let twice = meaning("main.ron", LAB, &["seed=3", "cluster.gpu.name=big", "cluster.big.count=5", "seed=4"]);
    assert_eq!(
        twice,
        meaning(
            "main.ron",
            &LAB.replace("\"gpu\", count: 2", "\"big\", count: 5").replace("policy:", "seed: 4, policy:"),
            &[]
        )
    );
}

#[test]
fn the_digest_is_that_of_what_is_said_not_of_how_it_is_written() {
    let digest = |text: &str| load("main.ron", &MapLoader::new().with("main.ron", text)).scenario.unwrap().digest;
    assert_eq!(digest(LAB), digest(&LAB.replace("\n    ", " // A comment.\n  ")));
    assert_ne!(digest(LAB), digest(&LAB.replace("10m", "11m")));
}

#[test]
fn a_tree_in_a_file_of_its_own_can_be_set() {
    let tree = LAB.find("quota: Quota").unwrap()..LAB.find("budgets:").unwrap();
    let mut text = LAB.to_owned();
    text.replace_range(tree, "quota: \"quota.yaml\",\n    ");
    let set = meaning("main.ron", &text, &["quota.team-a.min.nvidia.com/gpu=1"]);
    assert!(set.starts_with("Scenario"), "{set}");
    assert_ne!(set, meaning("main.ron", &text, &[]));
    // What a setting promises too much is an error, as in a file.
    let broken = meaning("main.ron", &text, &["quota.team-a.min.nvidia.com/gpu=7"]);
    assert!(broken.starts_with("main.ron:5:") && broken.contains("9 nvidia.com/gpu"), "{broken}");
    let refused = meaning("main.ron", &text, &["quota.team-a.namespaces=[x]"]);
    assert!(
        refused.starts_with("--set:1:1: error: of quota objects in a file of their own, only amounts"),
        "{refused}"
    );
    let unknown = meaning("main.ron", &text, &["quota.team-x.min.cpu=1"]);
    assert!(unknown.starts_with("--set:1:1: error: there is no quota `team-x`"), "{unknown}");
}

#[test]
fn mistakes_point_at_their_place() {
    for (setting, error) in [
        ("seed", "--set:1:1: error: a setting is `PATH=VALUE`"),
        ("sed=7", "--set:1:1: error: `Scenario` has no field `sed` [\"did you mean `seed`?\""),
        ("include=[a]", "--set:1:1: error: `Scenario` has no field `include`"),
        ("seed=x", "--set:1:6: error: expected a whole number"),
        ("seed.x=1", "--set:1:6: error: `seed` has no fields: its value is a whole number"),
        ("cluster.gpus.count=3", "--set:1:9: error: `cluster` has no entry `gpus` [\"did you mean `gpu`?\""),
        ("cluster.gpu.cout=3", "--set:1:13: error: `NodePool` has no field `cout` [\"did you mean `count`?\""),
        ("quota.team.c.min.cpu=1", "--set:1:7: error: there is no quota `team.c`, and `Quota` has no such field"),
        ("quota.team.a.min.nvidia.com/gpu=8Gi", "--set:1:33: error: `8Gi` is an amount of memory"),
        ("quota.team.a.min.nvidia.com/gpu=9", "main.ron:5:"),
        ("policy.order=Fifoo", "--set:1:14: error: `Fifoo` is not a valid order"),
        ("policy=Capacity(", "--set:1:"),
        ("expect.0.x=1", "--set:1:10: error: "),
    ] {
        let found = meaning("main.ron", LAB, &[setting]);
        assert!(found.starts_with(error), "{setting}: {found}");
    }
}

#[test]
fn a_scenario_sets_fields_of_the_one_that_it_extends() {
    let wanted =
        meaning("main.ron", &LAB.replace("count: 2", "count: 3").replace("\"2\" }, names", "\"3\" }, names"), &[]);
    let ron = r#"Scenario(name: "lab", extends: "base.ron", set: ["cluster.gpu.count=3", "quota.team.b.min.nvidia.com/gpu=3"])"#;
    assert_eq!(meaning("main.ron", ron, &[]), wanted);
    let yaml = "name: lab\nextends: base.ron\nset:\n- cluster.gpu.count=3\n- quota.team.b.min.nvidia.com/gpu=3\n";
    assert_eq!(meaning("main.yaml", yaml, &[]), wanted);
    let without_base = LAB.replace("policy:", "set: [\"seed=3\"], policy:");
    for (text, error) in [
        (
            r#"Scenario(name: "a", extends: "base.ron", set: ["cluster.gpus.count=3"])"#,
            "main.ron:1:57: error: `cluster` has no entry `gpus`",
        ),
        (r#"Scenario(name: "a", extends: "base.ron", set: "seed")"#, "main.ron:1:48: error: a setting is `PATH=VALUE`"),
        (&without_base, "main.ron:3:11: error: `set` changes fields of a base"),
    ] {
        let found = meaning("main.ron", text, &[]);
        assert!(found.starts_with(error), "{found}");
    }
    let yaml = "name: a\nextends: base.ron\nset:\n- seed=x\n";
    let found = meaning("main.yaml", yaml, &[]);
    assert!(found.starts_with("main.yaml:4:8: error: expected a whole number"), "{found}");
}

#[test]
fn the_short_name_of_a_resource_is_named() {
    let said = |setting: &str| meaning("lab.ron", LAB, &[setting]);
    let short = said("quota.team.a.min.gpu=3");
    assert!(short.contains("did you mean `nvidia.com/gpu`?"), "{short}");
    let other = said("quota.team.a.min.cpu=3");
    assert!(other.contains("the min of `root` does not name `cpu`, only nvidia.com/gpu"), "{other}");
}

#[test]
fn a_part_of_a_tree_or_of_a_pool_is_refused_and_names_what_changes_one() {
    let of =
        |fields: &str| meaning("main.ron", &format!("Scenario(name: \"a\", extends: \"base.ron\", {fields})"), &[]);
    let tree = "`quota` replaces the whole tree of the base, and this is a part of one";
    let pool = "`cluster` replaces all pools of the base, and this one lacks `allocatable`";
    for (fields, title, help) in [
        ("quota: [Quota(name: \"team.a\", weight: 2)]", tree, "`set: [\\\"quota.team.a.max.cpu=12\\\"]`"),
        ("quota: Quota(name: \"team.b\", weight: 2)", tree, "`set: [\\\"quota.team.b.max.cpu=12\\\"]`"),
        ("cluster: [NodePool(name: \"gpu\", count: 5)]", pool, "`set: [\\\"cluster.gpu.count=5\\\"]`"),
    ] {
        let found = of(fields);
        assert!(found.contains(title) && found.contains(help), "{fields}: {found}");
    }
    let yaml = "name: a\nextends: base.ron\nquota:\n- {name: team.a, weight: 2}\n";
    assert!(meaning("main.yaml", yaml, &[]).contains(tree));
    // Whole trees and pools are none of these.
    let whole = "quota: Quota(name: \"root\", min: { \"nvidia.com/gpu\": \"8\" }, max: { \"nvidia.com/gpu\": \"8\" }, namespaces: [\"a\", \"b\"])";
    let pool = "cluster: [NodePool(name: \"gpu\", count: 5, allocatable: { \"nvidia.com/gpu\": \"4\" })]";
    for fields in [whole, pool] {
        assert!(!of(fields).contains(": error: "), "{}", of(fields));
    }
}

#[test]
fn with_a_wrong_setting_only_that_is_reported() {
    let racks = LAB.replace("count: 2", "count: 2, racks: 2").replace("order: GuaranteedFirst", "ordre: Fifo");
    let files = MapLoader::new().with("lab.ron", racks.as_str());
    let found = load_with("lab.ron", &[Setting::new("cluster.gpu.count=x")], &files).diagnostics;
    let shown: Vec<_> = found.iter().map(ToString::to_string).collect();
    assert!(shown.len() == 1 && shown[0].starts_with("--set:1:19: error: expected a whole number"), "{shown:?}");
    let found = load_with("lab.ron", &[Setting::new("cluster.gpu.count=2")], &files).diagnostics;
    assert!(found.iter().any(|one| one.place.path == "lab.ron"), "{found:?}");
}

#[test]
fn claims_are_lines_of_their_own_with_their_places() {
    let files = MapLoader::new().with("lab.ron", LAB);
    let of = |claims: &[&str]| load_with("lab.ron", &[Setting::claims(claims.iter().copied())], &files);
    let written =
        LAB.replace("expect: [Final(Evictions(exactly: 0))]", "expect: [Final(Invariants), Always(Guaranteed)]");
    let scenario = of(&["Invariants", " Always(Guaranteed)"]).scenario.unwrap();
    let other = load("lab.ron", &MapLoader::new().with("lab.ron", written)).scenario.unwrap();
    assert_eq!((scenario.digest, scenario.claims.len()), (other.digest, 2));
    for (claims, error) in [
        (
            &["Evictions(exactly: 0)", "Wait(stat: P95 at_most: \"1m\")"][..],
            "--such-that:2:16: error: expected `,` or `)`",
        ),
        (&["Wiat(stat: P95)"], "--such-that:1:1: error: `Wiat` is not a claim"),
        (&["Always(Pods(of: Quota(\"x\"), running: 1))"], "--such-that:1:23: error: there is no quota `x`"),
        (&["Invariants", " "], "--such-that:2:1: error: the claim is empty"),
    ] {
        let found = of(claims).diagnostics;
        assert!(found.first().is_some_and(|one| one.to_string().starts_with(error)), "{claims:?}: {found:?}");
    }
}
