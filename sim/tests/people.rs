//! Users and groups: who may submit where, what is refused and how it is reported, mistakes in files, and accounts by
//! user and group whose numbers are computed by hand.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use quotree_core::Time;
use quotree_sim::{
    Observer, RunOptions,
    people::Tenancy,
    result::{RunResult, TimeMap},
    run,
    scenario::{Loaded, MapLoader, Severity, load},
    trace::{RunNames, TraceRecord},
};

/// Two leaves of 4 cores on 8; ada is in `one`, bob in both, eve is an admin in no group.
const HEAD: &str = r#"Scenario(
    name: "x",
    cluster: Pool({ "cpu": "8" }),
    quota: Quota(name: "root", min: { "cpu": "8" }, max: { "cpu": "8" }, children: [
        Quota(name: "a", min: { "cpu": "4" }, namespaces: ["a", "a2"]),
        Quota(name: "b", min: { "cpu": "4" }, namespaces: ["b"]),
    ]),
    users: [
        User(name: "ada", groups: ["one"]), User(name: "bob", groups: ["one", "two"]), User(name: "eve", role: Admin),
    ],
    groups: [Group(name: "one", quota: "a"), Group(name: "two", quota: "b")],
"#;

fn files(rest: &str) -> Loaded {
    let rows = "name,submit_s,runtime_s,namespace,user,cpu\n\
        1,0,10,a,ada,1\n2,0,10,b,ada,1\n3,5,10,b,ada,1\n4,5,20,b,bob,2\n5,5,10,a,zed,1\n6,5,10,a,,1\n";
    load("x.ron", &MapLoader::new().with("x.ron", format!("{HEAD}{rest})")).with("rows.csv", rows))
}

/// Keeps the lines of the trace about users and groups.
#[derive(Default)]
struct Lines(Vec<String>);

impl Observer for Lines {
    fn record(&mut self, record: &TraceRecord, names: &dyn RunNames) {
        let line = record.json(names);
        if ["refused", "refused_tree", "people", "tree"].contains(&line["what"].as_str().unwrap()) {
            self.0.push(line.to_string());
        }
    }
}

fn played(rest: &str) -> (RunResult, Vec<String>) {
    let loaded = files(rest);
    let errors: Vec<_> = loaded.diagnostics.iter().filter(|d| d.severity == Severity::Error).collect();
    assert!(errors.is_empty(), "{errors:?}");
    let (mut lines, options) = (Lines::default(), RunOptions { audit: true, ..RunOptions::default() });
    let result = run(&loaded.scenario.unwrap(), &options, &mut lines).unwrap().result;
    assert_eq!(result.breaches, []);
    (result, lines.0)
}

#[test]
fn refusals_are_in_the_summary_and_in_the_trace() {
    let (result, lines) = played(
        r#"workloads: [
            Job(name: "mine", namespace: "a", user: "ada", request: { "cpu": "1" }, runtime: "1h"),
            Job(name: "theirs", namespace: "b", user: "ada", request: { "cpu": "1" }, runtime: "1h"),
        ],
        events: [
            At("1m", EditQuota("a", weight: 2), by: "bob"),
            At("2m", MoveNamespace("a", to: "b"), by: "eve"),
            At("3m", RemoveGroup("one"), by: "eve"),
            At("4m", RemoveGroup("two"), by: "eve"),
            At("5m", MoveNamespace("a2", to: "b")),
        ]"#,
    );
    let told: Vec<_> = result.refusals.iter().map(|r| (r.at_ms, r.what.as_str(), r.by.as_deref(), r.reason)).collect();
    assert_eq!(
        told,
        [
            (0, "workload `theirs`", Some("ada"), "WrongGroup"),
            (60_000, "quota `a`", Some("bob"), "NotAdmin"),
            (120_000, "namespace `a`", Some("eve"), "NamespaceInUse"),
            (180_000, "group `one`", Some("eve"), "GroupAtWork"),
        ]
    );
    let why: Vec<_> = result.refusals.iter().map(|r| r.why.as_str()).collect();
    assert_eq!(why[0], "`ada` is not in group `two`, which alone may use `b`, the leaf of namespace `b`");
    assert_eq!(why[2], "namespace `a` has 1 running pod and may not move from its leaf (T3): mine-1");
    assert_eq!(why[3], "group `one` has 1 running pod: mine-1");
    let whats: Vec<&str> = lines.iter().map(|line| line.split("\"what\":\"").nth(1).unwrap()).collect();
    let whats: Vec<&str> = whats.iter().map(|rest| rest.split('"').next().unwrap()).collect();
    assert_eq!(whats, ["refused", "refused_tree", "refused_tree", "refused", "people", "tree"]);
    assert!(lines[0].contains(r#""by":"ada""#) && lines[0].contains(r#""reason":"WrongGroup""#), "{}", lines[0]);
    let quota = |namespace: &str| result.namespaces.iter().find(|n| n.name == namespace).unwrap().quota.clone();
    assert_eq!((quota("a").as_deref(), quota("a2").as_deref()), (Some("a"), Some("b")), "the first move was refused");
}

/// ada: one core for 10 s; her rows 2 and 3 are submitted to b. bob: two cores for 20 s. zed is not a user. Row 6 names
/// no user, and is not checked. So a uses 20 core-seconds, b 40, and all together 60.
#[test]
fn access_is_checked_for_each_row_of_a_trace_and_accounts_add_up() {
    let (result, _) = played(r#"workloads: [Trace(name: "jobs", format: Native, file: "rows.csv")]"#);
    let refusals: Vec<_> =
        result.refusals.iter().map(|r| (r.at_ms, r.by.as_deref().unwrap(), r.reason, r.times)).collect();
    assert_eq!(refusals, [(0, "ada", "WrongGroup", 2), (5_000, "zed", "UnknownUser", 1)]);
    let seconds = |time: &TimeMap| time.get("cpu") / TimeMap::second("cpu");
    let users: Vec<_> = result
        .users
        .iter()
        .map(|u| {
            (
                u.name.as_str(),
                u.role.is_some(),
                u.work.counts.succeeded,
                u.work.refused,
                seconds(&u.work.share.used_time_s),
            )
        })
        .collect();
    assert_eq!(
        users,
        [("ada", true, 1, 2, 10), ("bob", true, 1, 0, 40), ("eve", true, 0, 0, 0), ("zed", false, 0, 1, 0)]
    );
    let groups: Vec<_> = result.groups.iter().map(|g| (g.name.as_str(), seconds(&g.work.share.used_time_s))).collect();
    assert_eq!(groups, [("one", 10), ("two", 40)], "row 6 is no member's");
    let quotas: Vec<_> = result.quotas.iter().map(|q| (q.name.as_str(), seconds(&q.share.used_time_s))).collect();
    assert_eq!(quotas, [("root", 60), ("a", 20), ("b", 40)]);
    let jobs = &result.workloads[0];
    assert_eq!((jobs.counts.succeeded, jobs.refused, seconds(&jobs.share.used_time_s)), (3, 3, 60));
    let all = r#"workloads: [Trace(name: "jobs", format: Native, file: "rows.csv", user: "bob")]"#;
    let (result, _) = played(all);
    assert_eq!((result.users[1].work.counts.succeeded, result.refusals.len()), (6, 0), "all rows are bob's");
}

/// Each instance is checked, a workflow as a whole and not its tasks. ada has access to b from 25 s on: of the starts
/// at 0, 10, 20, 30 and 40 s two remain. Each runs 5 s on one core, and so do the two tasks of her workflow in a: 20 in
/// all.
#[test]
fn access_is_checked_for_each_instance_and_once_for_a_workflow() {
    let (result, _) = played(
        r#"workloads: [
            CronJob(
                name: "tick", namespace: "b", user: "ada", every: "10s", count: 5, runtime: "5s", request: { "cpu": "1" },
            ),
            Workflow(name: "flow", namespace: "a", user: "ada", tasks: [
                Job(name: "first", runtime: "5s", request: { "cpu": "1" }),
                Job(name: "then", after: ["first"], runtime: "5s", request: { "cpu": "1" }),
            ]),
            Workflow(name: "no", namespace: "b", user: "ada", tasks: [
                Job(name: "first", runtime: "5s", request: { "cpu": "1" }),
                Job(name: "then", after: ["first"], runtime: "5s", request: { "cpu": "1" }),
            ]),
        ],
        events: [At("25s", EditUser(user: "ada", groups: ["one", "two"]), by: "eve")],
        expect: [
            Final(Instances(of: User("ada"), submitted: 3, succeeded: 3, failed: 0)),
            Final(Instances(of: Group("two"), submitted: 2, succeeded: 2)),
            Final(Instances(of: Group("one"), submitted: 1)),
            Final(Instances(of: Task("flow", "then"), succeeded: 1)),
            Final(Instances(of: Workload("no"), submitted: 0, active: 0)),
            Final(Instances(of: All, submitted: 3)),
            Final(Pods(of: Workload("flow"), succeeded: 2)),
            Final(UsedTime(of: User("ada"), resource: "cpu", exactly: "20s")),
            Final(Refused(of: Workload("tick"), exactly: 3)),
            Final(Refused(of: Workload("no"), exactly: 1)),
        ]"#,
    );
    assert_eq!((result.claims.passed, result.claims.failed), (10, 0), "{:#?}", result.claims);
    let told: Vec<_> = result.refusals.iter().map(|r| (r.at_ms, r.what.as_str(), r.times)).collect();
    assert_eq!(told, [(0, "workload `tick`", 3), (0, "workload `no`", 1)]);
}

/// Rows 1 and 4 are ada's and bob's, row 6 has no user; the others are refused. Withdrawn at 20 s, only row 4 still
/// runs.
#[test]
fn outcomes_of_rows_are_counted_by_user_and_namespace() {
    let (result, _) = played(
        r#"workloads: [Trace(name: "jobs", format: Native, file: "rows.csv")],
        events: [At("20s", Withdraw("jobs"), by: "eve")],
        expect: [
            Final(Instances(of: User("ada"), submitted: 1, succeeded: 1, active: 0)),
            Final(Instances(of: User("bob"), submitted: 1, succeeded: 0, active: 0)),
            Final(Instances(of: Namespace("a"), submitted: 2, succeeded: 2)),
            Final(Instances(of: Quota("b"), submitted: 1, succeeded: 0)),
            Final(Instances(of: Workload("jobs"), submitted: 3, succeeded: 2, active: 0)),
        ]"#,
    );
    assert_eq!((result.claims.passed, result.claims.failed), (5, 0), "{:#?}", result.claims);
}

/// Row 4 is bob's. It is lost with the node at 15 s, and waits to be submitted again when the trace is withdrawn at 20
/// s.
#[test]
fn rows_to_be_retried_are_withdrawn_for_their_own_users() {
    let (result, _) = played(
        r#"world: World(recreate_delay: "1m"),
        workloads: [Trace(name: "jobs", format: Native, file: "rows.csv")],
        events: [At("15s", NodeDown("pool")), At("20s", Withdraw("jobs"), by: "eve")],
        expect: [
            At("15s", Instances(of: User("bob"), submitted: 1, active: 1)),
            At("20s", Instances(of: User("bob"), submitted: 1, succeeded: 0, active: 0)),
            At("20s", Instances(of: User("ada"), submitted: 1, succeeded: 1, active: 0)),
            At("20s", Instances(of: Workload("jobs"), submitted: 3, succeeded: 2, active: 0)),
        ]"#,
    );
    assert_eq!((result.claims.passed, result.claims.failed), (4, 0), "{:#?}", result.claims);
    let withdrawn: Vec<_> = result.users.iter().map(|u| u.work.share.instances.map_or(0, |i| i.withdrawn)).collect();
    assert_eq!(withdrawn, [0, 1, 0, 0]);
}

/// On 8 cores at 2 an hour, ada's six pods of a core and bob's two fill the cluster: a (min 4) borrows 4, and of eight
/// pods in order of start the last four borrow, two of ada's and both of bob's. At 30 s bob requests 3 cores in b,
/// which is guaranteed 4: the last three to start are evicted, bob's two and the last of ada's. At 60 s a drain deletes
/// the rest.
#[test]
fn every_part_of_a_figure_has_an_owner_and_the_parts_add_up() {
    let (result, _) = played(
        r#"workloads: [
            Job(name: "six", namespace: "a", user: "ada", completions: 6, parallelism: 6, runtime: "1h", request: { "cpu": "1" }),
            Job(name: "two", namespace: "a2", user: "bob", completions: 2, parallelism: 2, runtime: "1h", request: { "cpu": "1" }),
            Job(name: "late", namespace: "b", user: "bob", submit: "30s", runtime: "10s", request: { "cpu": "3" }),
        ],
        world: World(until: "60s"),
        events: [At("60s", Drain(node: "pool", within: "1s"))],
        expect: [
            At("29s", Borrowed(of: User("ada"), resource: "cpu", exactly: "2")),
            At("29s", Borrowed(of: Namespace("a2"), resource: "cpu", exactly: "2")),
            At("29s", Borrowed(of: Quota("b"), resource: "cpu", exactly: "0"), allow_empty: true, because: "bob comes later"),
            Final(BorrowedTime(of: All, resource: "cpu", at_least: "120s")),
            Final(Drained(of: User("bob"), at_least: 1)),
            Final(Drained(of: Quota("b"), exactly: 0)),
        ]"#,
    );
    assert_eq!(result.claims.failed, 0, "{:#?}", result.claims);
    let (whole, users) = (&result.metrics, &result.users);
    let sum =
        |of: &dyn Fn(&quotree_sim::result::WorkRow) -> u128| users.iter().map(|user| of(&user.work)).sum::<u128>();
    assert_eq!(sum(&|w| w.counts.evicted.into()), whole.evictions.into());
    assert_eq!(sum(&|w| w.share.evicted_for.into()), 3);
    assert_eq!(sum(&|w| w.share.evicted_by_rule.get("R2").copied().unwrap_or(0).into()), 3);
    assert_eq!(sum(&|w| w.share.pods.into()), whole.pods_submitted.into());
    assert_eq!(sum(&|w| w.share.drained.into()), whole.drained.into());
    assert_eq!(sum(&|w| w.share.borrowed_time_s.get("cpu")) / 1000, whole.borrowed_unit_s["cpu"]);
    assert_eq!(sum(&|w| w.share.starved_time_s.get("cpu")) / 1000, whole.starved_unit_s["cpu"]);
    assert_eq!(users.iter().map(|u| u.work.share.makespan_ms).max(), Some(whole.makespan_ms));
    assert_eq!(users.iter().map(|u| u.work.share.thrash_max).max(), Some(whole.thrash_max));
    // The parts of leaves and of namespaces are the same.
    let quotas = result.quotas.iter().filter(|q| q.parent.is_some()).map(|q| q.share.borrowed_time_s.get("cpu"));
    let namespaces = result.namespaces.iter().map(|n| n.share.borrowed_time_s.get("cpu"));
    let by_user = sum(&|w| w.share.borrowed_time_s.get("cpu"));
    assert_eq!((quotas.sum::<u128>(), namespaces.sum::<u128>()), (by_user, by_user));
    // The evicted pods are reported by name.
    let evicted: Vec<_> = result.evictions.iter().map(|e| e.user.as_deref().unwrap()).collect();
    assert_eq!(evicted, ["bob", "bob", "ada"]);
    assert!(!result.pending.is_empty() && result.pending.iter().all(|row| row.user.is_some()));
}

/// 20 MB at 1 MB/s are 20 s of input for 1 s of work: the pod waits for 19 s of input. A pod without a dataset never
/// waits for input.
#[test]
fn input_is_counted_by_user() {
    let (result, _) = played(
        r#"datasets: [Dataset(name: "d", namespace: "b", size: "20M", backend: "1MB/s")],
        workloads: [
            Job(name: "reads", namespace: "b", user: "bob", runtime: "1s", request: { "cpu": "1" }, reads: Reads("d")),
            Job(name: "computes", namespace: "a", user: "ada", runtime: "1s", request: { "cpu": "1" }),
        ],
        expect: [
            Final(InputWait(of: User("bob"), exactly: "19s")),
            Final(InputWait(of: Group("two"), exactly: "19s")),
            Final(InputWait(of: User("ada"), exactly: "0s")),
        ]"#,
    );
    assert_eq!((result.claims.passed, result.claims.failed), (3, 0), "{:#?}", result.claims);
}

#[test]
fn without_users_a_user_is_a_label_and_access_is_not_checked() {
    let (head, tail) = HEAD.split_once("    users:").unwrap();
    assert!(tail.contains("groups:"));
    let text = format!(
        "{head}workloads: [Job(name: \"j\", namespace: \"a\", user: \"mia\", request: {{ \"cpu\": \"1\" }}, runtime: \"1m\")],
        expect: [Final(Pods(of: User(\"mia\"), succeeded: 1))])"
    );
    let loaded = load("x.ron", &MapLoader::new().with("x.ron", text));
    assert_eq!(loaded.diagnostics, []);
    let result = run(&loaded.scenario.unwrap(), &RunOptions::default(), &mut ()).unwrap().result;
    assert_eq!((result.claims.passed, result.refusals.len(), result.users.len()), (1, 0, 1));
    assert_eq!(result.users[0].role, None);
}

#[test]
fn access_follows_the_users_and_the_tree_as_they_change() {
    let text = r#"workloads: [Job(name: "j", namespace: "stray", user: "ada", request: { "cpu": "1" }, runtime: "1m")],
        events: [
            At("1m", MoveNamespace("b")),
            At("1m", EditUser("eve", groups: ["two"])),
            At("2m", MoveNamespace("stray", to: "b")),
            At("3m", RemoveGroup("one")),
        ]"#;
    let at = |minutes: u64| {
        let scenario = files(text).scenario.unwrap();
        let options = RunOptions { until: Some(Time(minutes * 60_000)), ..RunOptions::default() };
        Tenancy::of(&run(&scenario, &options, &mut ()).unwrap().result)
    };
    let can = |tenancy: &Tenancy| -> Vec<String> {
        let of = |t: &quotree_sim::people::Tenant| {
            let leaves: Vec<_> = t.can.iter().map(|u| format!("{}={}", u.quota, u.namespaces.join("+"))).collect();
            format!("{} {}", t.user, t.nothing.clone().unwrap_or_else(|| leaves.join(" ")))
        };
        tenancy.users.iter().map(of).collect()
    };
    let rows = [
        (0, ["ada a=a+a2", "bob a=a+a2 b=b", "eve is in no group"], vec!["stray"]),
        (1, ["ada a=a+a2", "bob a=a+a2", "eve the leaf quotas of its groups have no namespace"], vec!["b", "stray"]),
        (2, ["ada a=a+a2", "bob a=a+a2 b=stray", "eve b=stray"], vec!["b"]),
        (3, ["ada is in no group", "bob b=stray", "eve b=stray"], vec!["b"]),
    ];
    for (minutes, wanted, homeless) in rows {
        let tenancy = at(minutes);
        assert_eq!(can(&tenancy), wanted, "at {minutes}m");
        assert_eq!(tenancy.namespaces_on_no_leaf, homeless, "at {minutes}m");
        assert_eq!(tenancy.admins, ["eve"]);
    }
    assert_eq!(at(3).leaves_without_group, ["a"]);
    assert_eq!(at(1).leaves_without_namespaces, ["b"]);
    let why: Vec<_> = at(0).users[0].cannot.iter().map(|c| format!("{}: {}", c.quota, c.why)).collect();
    assert_eq!(why, ["b: is not in group `two`"]);
}

/// The example of docs/scenario.md does what it claims.
#[test]
fn the_example_of_the_guide_holds() {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/scenario.md")).unwrap();
    let (_, rest) = text.split_once("\n## People\n").unwrap();
    let (_, rest) = rest.split_once("```ron scenario\n").unwrap();
    let example = rest.split("```").next().unwrap();
    let scenario = load("x.ron", &MapLoader::new().with("x.ron", example)).scenario.unwrap();
    let claims = run(&scenario, &RunOptions::default(), &mut ()).unwrap().result.claims;
    assert_eq!((claims.passed, claims.failed), (4, 0), "{:#?}", claims.results);
}

/// A refused edit has no part in those after it: at 3m only the weight changes, which moves nothing.
#[test]
fn t4_an_edit_is_made_to_the_tree_as_it_then_is() {
    let (result, _) = played(
        r#"workloads: [Deployment(name: "d", namespace: "a", user: "ada", replicas: 2, request: { "cpu": "1" })],
        events: [
            At("1m", MoveNamespace("a", to: "b"), by: "eve"),
            At("2m", Scale(workload: "d", replicas: 0), by: "ada"),
            At("3m", EditQuota("b", weight: 7), by: "eve"),
        ]"#,
    );
    assert_eq!(result.refusals.len(), 1);
    let home = result.namespaces.iter().find(|n| n.name == "a").unwrap();
    assert_eq!(home.quota.as_deref(), Some("a"));
}

/// What is written, and what is reported: severity, underlined text, part of the title or help.
const MISTAKES: &[(&str, Severity, &str, &str)] = &[
    ("users: []", Severity::Error, "users", "given twice"),
    (
        "workloads: [Deployment(name: \"w\", namespace: \"a\", user: \"adda\", request: {})]",
        E,
        "\"adda\"",
        "mean `ada`",
    ),
    ("workloads: [Deployment(name: \"w\", namespace: \"a\", request: {})]", W, "\"w\"", "names no user"),
    ("workloads: [Deployment(name: \"w\", namespace: \"a\", user: \"eve\", request: {})]", W, "\"eve\"", "in no group"),
    (
        "workloads: [Deployment(name: \"w\", namespace: \"b\", user: \"ada\", request: {})]",
        W,
        "\"ada\"",
        "not in group `two`",
    ),
    ("workloads: [Trace(name: \"t\", format: Native, file: \"rows.csv\")]", W, "\"rows.csv\"", "no user `zed`"),
    ("events: [At(\"1m\", Cordon(\"pool\"), by: \"adda\")]", E, "\"adda\"", "mean `ada`"),
    ("events: [At(\"1m\", EditQuota(\"a\", weight: 2), by: \"ada\")]", W, "EditQuota", "`ada` is a researcher"),
    ("events: [At(\"1m\", MoveNamespace(\"a\", to: \"root\"))]", E, "\"root\"", "not a leaf"),
    ("events: [At(\"1m\", AddUser(\"ada\"))]", W, "AddUser", "a user `ada` already"),
    ("events: [At(\"1m\", AddGroup(\"three\", quota: \"a\"))]", W, "AddGroup", "bound to group `one` already"),
    ("events: [At(\"1m\", EditUser(\"bob\", groups: [\"none\"]))]", W, "EditUser", "no group `none`"),
    ("events: [At(\"1m\", AddGroup(\"three\"))]", E, "AddGroup", "lacks `quota`"),
    ("events: [At(\"1m\", AddUser(\"zoe\", role: Boss))]", E, "Boss", "expected one of `Researcher`, `Admin`"),
    (
        "events: [At(\"1m\", ReplaceTree(Quota(name: \"root\", min: { \"cpu\": \"8\" }, max: { \"cpu\": \"8\" }, namespaces: [\"a\"])))]",
        W,
        "ReplaceTree",
        "`one` to `a`, `two` to `b`",
    ),
    ("expect: [Final(Pods(of: User(\"adda\"), running: 0))]", E, "\"adda\"", "mean `ada`"),
    ("expect: [Final(Pods(of: Group(\"tow\"), running: 0))]", E, "\"tow\"", "mean `two`"),
    ("expect: [Final(Refused(why: WrongGroop, exactly: 0))]", E, "WrongGroop", "mean `WrongGroup`"),
    ("expect: [Final(Refused(of: All))]", E, "Refused", "needs one of `exactly`"),
    ("expect: [Final(UsedTime(resource: \"cpu\", exactly: \"1\"))]", E, "\"1\"", "duration"),
];

const E: Severity = Severity::Error;
const W: Severity = Severity::Warning;

#[test]
fn every_mistake_is_reported_once_at_its_position() {
    assert_eq!(files("").diagnostics, []);
    let heads = [
        ("groups: [\"one\"])", "groups: [\"onne\"])", E, "\"onne\"", "mean `one`"),
        ("role: Admin", "rule: Admin", E, "rule", "mean `role`"),
        ("name: \"bob\"", "name: \"ada\"", E, "\"ada\"", "duplicate user `ada`"),
        ("name: \"two\", quota", "name: \"one\", quota", E, "\"one\"", "duplicate group `one`"),
        ("quota: \"b\")", "quota: \"root\")", E, "\"root\"", "not a leaf"),
        ("quota: \"b\")", "quota: \"a\")", E, "\"a\"", "already bound to group `one`"),
    ];
    let broken = heads.map(|(from, to, severity, text, told)| (HEAD.replacen(from, to, 1), "", severity, text, told));
    let tails = MISTAKES.iter().map(|(rest, severity, text, told)| (HEAD.to_owned(), *rest, *severity, *text, *told));
    for (head, rest, severity, text, told) in broken.into_iter().chain(tails) {
        let rows = "submit_s,runtime_s,namespace,user,cpu\n0,1,a,zed,1\n0,1,a,ada,1\n";
        let loaded = load("x.ron", &MapLoader::new().with("x.ron", format!("{head}{rest})")).with("rows.csv", rows));
        let found = loaded.diagnostics.iter().filter(|d| {
            let under = loaded.sources[d.source].text.get(d.span.clone()).unwrap_or_default();
            let said = d.title.contains(told) || d.label.contains(told) || d.help.iter().any(|h| h.contains(told));
            d.severity == severity && under == text && said
        });
        let all: Vec<String> = loaded.diagnostics.iter().map(ToString::to_string).collect();
        assert_eq!(found.count(), 1, "{rest}: {all:#?}");
        assert_eq!(loaded.scenario.is_none(), all.iter().any(|d| d.contains(": error:")), "{all:#?}");
    }
}
