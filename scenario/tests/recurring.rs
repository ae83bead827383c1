//! Recurring events are the single events that they stand for; worst-case outages know their domains; mistakes are
//! reported once, at their place.
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use quotree_core::{Name, Time};
use quotree_model::{Change, Scenario, Start};
use quotree_scenario::{Loaded, MapLoader, Notation, convert, load};

fn with(world: &str, events: &str) -> Loaded {
    let text = format!(
        r#"Scenario(
    name: "x", {world}
    cluster: [NodePool(name: "n", count: 4, racks: 2, zone: "z", allocatable: {{ "cpu": "8" }})],
    quota: Quota(name: "root", min: {{ "cpu": "32" }}, max: {{ "cpu": "32" }}, namespaces: ["ns"]),
    workloads: [Deployment(name: "web", namespace: "ns", replicas: 1, request: {{ "cpu": "1" }}, submit: "0s")],
    events: [
        {events}
    ],
)"#
    );
    load("x.ron", &MapLoader::new().with("x.ron", text))
}

fn good(world: &str, events: &str) -> Scenario {
    let loaded = with(world, events);
    assert!(loaded.diagnostics.is_empty(), "{:?}", loaded.diagnostics);
    loaded.scenario.expect("a scenario without mistakes")
}

fn said(world: &str, events: &str) -> Vec<String> {
    with(world, events)
        .diagnostics
        .iter()
        .map(|found| format!("{}:{}: {}", found.place.line, found.place.column, found.title))
        .collect()
}

const DAYS: &str = r#"world: World(until: "3d"),"#;

#[test]
fn a_recurring_event_is_the_single_events() {
    let times =
        |events: &str| -> Vec<u64> { good(DAYS, events).events.iter().map(|timed| timed.at.0 / 3_600_000).collect() };
    assert_eq!(times(r#"Every("1d", Scale("web", 3), at: "22h")"#), [22, 46, 70]);
    assert_eq!(times(r#"Every("1d", Scale("web", 3), at: "12h", count: 2)"#), [12, 36]);
    assert_eq!(times(r#"Every("12h", Scale("web", 3), at: "12h", until: "36h")"#), [12, 24], "not at `until` itself");
    assert_eq!(times(r#"Every("36h", Scale("web", 3), at: "36h")"#), [36, 72], "the end of the world has its events");
    let both = good(DAYS, r#"Every("1d", Scale("web", 3), at: "8h"), Every("1d", Scale("web", 1), at: "20h")"#);
    let one_by_one = good(
        DAYS,
        r#"At("8h", Scale("web", 3)), At("20h", Scale("web", 1)), At("32h", Scale("web", 3)), At("44h", Scale("web", 1)),
        At("56h", Scale("web", 3)), At("68h", Scale("web", 1))"#,
    );
    assert_eq!(format!("{:?}", both.events), format!("{:?}", one_by_one.events));
    // Each time, the next two spare nodes join.
    let grown = good(DAYS, r#"Every("1d", AddNodes("n", count: 2), at: "1h")"#);
    assert_eq!(grown.cluster.nodes.iter().filter(|node| node.spare).count(), 6);
}

#[test]
fn recurring_events_are_said_the_same_in_yaml() {
    let ron = r#"Scenario(name: "x", events: [Every("1d", Scale("web", 3), at: "22h"), At("1h", Outage(worst: Rack, for: "1h"))])"#;
    let yaml = convert("x.ron", ron, Notation::Yaml).unwrap().text;
    let back = convert("x.yaml", &yaml, Notation::Ron).unwrap().text;
    assert!(yaml.contains("Every") && yaml.contains("worst: Rack"), "{yaml}");
    assert!(back.contains(r#"at: "22h""#) && back.contains("worst: Rack"), "{back}");
}

#[test]
fn mistakes_of_recurring_events_are_said_once() {
    let endless = said("", r#"Every("1d", Scale("web", 3))"#);
    assert!(endless.iter().any(|one| one.contains("recurs without end")), "{endless:?}");
    assert_eq!(said(DAYS, r#"Every("1h", Scale("wep", 3), at: "1h")"#), ["7:27: there is no workload `wep`"]);
    let often = said(DAYS, r#"Every("1ms", Scale("web", 3), at: "1h")"#);
    assert_eq!(often.len(), 1, "{often:?}");
    assert!(often[0].contains("are made 100000 times at most in sum"), "{often:?}");
    let never = said(DAYS, r#"Every("1d", Scale("web", 3), at: "1h", until: "1h")"#);
    assert_eq!(never, ["7:9: this event has no effect: it is never made"]);
}

#[test]
fn a_worst_case_outage_knows_its_domains() {
    let names = |events: &str| -> Vec<Name> { good(DAYS, events).outage_candidates() };
    assert_eq!(names(r#"At("1h", Outage(worst: Rack, for: "1h"))"#), ["n-rack-0", "n-rack-1"]);
    assert_eq!(names(r#"At("1h", Outage(worst: Node, pool: "n", for: "1h"))"#), ["n-0", "n-1", "n-2", "n-3"]);
    assert_eq!(names(r#"At("1h", Outage(worst: Zone, for: "1h"))"#), ["z"]);
    assert!(names(r#"At("1h", Outage(rack: "n-rack-0", for: "1h"))"#).is_empty());
    // The choice of a domain gives the scenario in which it is named, in each occurrence.
    let worst = good(DAYS, r#"Every("1d", Outage(worst: Rack, for: "1h"), at: "1h")"#).with_outage_of(1);
    let named = good(DAYS, r#"Every("1d", Outage(rack: "n-rack-1", for: "1h"), at: "1h")"#);
    let nodes = |scenario: &Scenario| -> Vec<(Time, Vec<u32>)> {
        let of = |change: &Change| match change {
            Change::Nodes(quotree_model::NodeChange::Outage { nodes, .. }) => nodes.to_vec(),
            _ => Vec::new(),
        };
        scenario.events.iter().map(|timed| (timed.at, of(&timed.change))).collect()
    };
    assert_eq!(nodes(&worst), nodes(&named));
    assert_eq!(nodes(&worst).len(), 3);
    let mixed = said(DAYS, r#"At("1h", Outage(worst: Rack, for: "1h")), At("2h", Outage(worst: Node, for: "1h"))"#);
    assert_eq!(mixed, ["7:54: all worst-case outages of a scenario must try the same domains"]);
    let named = said(DAYS, r#"At("1h", Outage(worst: Rack, rack: "n-rack-0", for: "1h"))"#);
    assert_eq!(named, ["7:44: `worst` tries all domains; at most a `pool` or a `zone` limits them"]);
    let none = said(DAYS, r#"At("1h", Outage("n-0"))"#);
    assert_eq!(none, ["7:18: `Outage` lacks `for`"]);
}

#[test]
fn the_start_may_have_an_offset() {
    let start = |text: &str| {
        with(&format!(r#"world: World(until: "3d", starts_at: "{text}"),"#), "")
            .scenario
            .and_then(|s| s.world.starts_at)
    };
    let shown = |text: &str| start(text).map(|start: Start| start.to_string());
    assert_eq!(shown("2026-03-01T08:00Z").as_deref(), Some("2026-03-01T08:00:00Z"));
    assert_eq!(shown("2026-03-01T08:00+01:00").as_deref(), Some("2026-03-01T08:00:00+01:00"));
    assert_eq!(shown("2026-03-01T08:00:30-05:30").as_deref(), Some("2026-03-01T08:00:30-05:30"));
    assert_eq!(shown("2026-03-01T08:00").as_deref(), Some("2026-03-01T08:00:00"));
    assert_eq!(shown("2026-03-01").as_deref(), Some("2026-03-01T00:00:00"));
    for wrong in [
        "2026-02-30T08:00Z",
        "2026-03-01T08:00+25:00",
        "2026-03-01T08:00 Europe/Berlin",
        "tomorrow",
        "2026-03-01T08:00+1",
    ] {
        assert_eq!(start(wrong), None, "{wrong}");
    }
}

#[test]
fn the_digest_does_not_depend_on_which_fields_are_named() {
    let digest = |events: &str| good(DAYS, events).digest;
    let forms = [
        r#"Every("1d", Scale("web", 3), at: "22h")"#,
        r#"Every(every: "1d", change: Scale("web", 3), at: "22h")"#,
        r#"Every("1d", at: "22h", change: Scale(workload: "web", replicas: 3))"#,
        r#"Every(at: "22h", change: Scale("web", replicas: 3), every: "1d")"#,
    ];
    let digests = forms.map(&digest);
    assert_eq!(digests, [digests[0]; 4]);
    let once = [r#"At("1h", Scale("web", 3))"#, r#"At(change: Scale(replicas: 3, workload: "web"), time: "1h")"#];
    assert_eq!(digest(once[0]), digest(once[1]));
    // The pattern of arrivals of the same name.
    let patterns = [r#"arrivals: Every("6h", until: "2d")"#, r#"arrivals: Every(until: "2d", period: "6h")"#];
    let job = |pattern: &str| {
        let text = with(DAYS, "").sources.first().expect("a file").text.clone();
        let job = format!(
            r#"workloads: [Job(name: "j", namespace: "ns", request: {{ "cpu": "1" }}, runtime: "1h", {pattern}), "#
        );
        let loaded = load("x.ron", &MapLoader::new().with("x.ron", text.replace("workloads: [", &job)));
        assert!(loaded.diagnostics.is_empty(), "{:?}", loaded.diagnostics);
        loaded.scenario.expect("a scenario without mistakes").digest
    };
    assert_eq!(job(patterns[0]), job(patterns[1]));
}
