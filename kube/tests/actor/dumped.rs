//! A twin dumps what it knows by pages: every object once, by the names that users know.

use crate::facts::{START, begin, node, on, pod, settings, shown};
use quotree_core::Time;
use quotree_kube::{
    actor::{Actor, Feed, Twin},
    serve::dump::{Cursor, Expired, LIMIT, Page, Place},
    settings::Mode,
    watch::Fact,
};
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// Follows the pages of a dump from the first to the last one.
fn pages(twin: &Twin, limit: usize) -> Vec<Map<String, Value>> {
    let (mut all, mut from) = (Vec::new(), None);
    loop {
        let (fields, next) = twin.page(Page { from, limit }).unwrap();
        all.push(fields);
        // As a caller does, by the text of the token.
        from = next.map(|next| next.to_string().parse().unwrap());
        if from.is_none() {
            return all;
        }
    }
}

fn names(pages: &[Map<String, Value>], pointer: &[&str]) -> Vec<String> {
    let mut found: Vec<Value> = pages.iter().map(|page| Value::Object(page.clone())).collect();
    for key in pointer {
        found = found.iter().flat_map(|value| value[*key].as_array().cloned().unwrap_or_default()).collect();
    }
    found.iter().map(|value| value["name"].as_str().unwrap().to_owned()).collect()
}

/// A cluster with pods that run, wait and are being evicted, and a reservation.
fn cluster() -> Twin {
    let feed = Feed::default();
    let mut actor = Actor::new(settings(Mode::Gate)).fed(feed.clone());
    let running: Vec<_> = (0..4).map(|number| pod("a", &format!("runs-{number}"), number, 2)).collect();
    begin(&mut actor, running.iter().map(|pod| on(pod, "n0")));
    actor.take(node("n1", 2));
    actor.turn(Time(START));
    // It reclaims: a victim is chosen, and the pod holds what it frees.
    actor.take(shown(&pod("b", "reclaims", 7, 4)));
    actor.take(shown(&pod("a", "too-much", 8, 8)));
    actor.turn(Time(START + 20_000));
    let mut twin = Twin::default();
    twin.take(feed.take());
    assert_eq!(twin.take_difference(), None);
    twin
}

#[test]
fn every_object_is_on_one_page_whatever_their_size() {
    let twin = cluster();
    let whole = pages(&twin, LIMIT);
    assert_eq!(whole.len(), 1);
    let (nodes, pods) = (names(&whole, &["nodes"]), names(&whole, &["workloads", "pods"]));
    assert_eq!(nodes, ["n0", "n1"]);
    let wanted = ["a/runs-0", "a/runs-1", "a/runs-2", "a/runs-3", "a/too-much", "b/reclaims"];
    assert_eq!(pods.iter().collect::<BTreeSet<_>>(), wanted.map(str::to_owned).iter().collect());
    for limit in 1..10 {
        let pages = pages(&twin, limit);
        assert_eq!(pages.len(), (nodes.len() + pods.len()).div_ceil(limit), "{limit} on each");
        assert_eq!((names(&pages, &["nodes"]), names(&pages, &["workloads", "pods"])), (nodes.clone(), pods.clone()));
        let with_quotas = pages.iter().filter(|page| page.contains_key("quotas")).count();
        assert_eq!(with_quotas, 1, "the tree is on the first page");
    }
}

#[test]
fn states_and_reasons_are_those_that_users_see() {
    let twin = cluster();
    let page = Value::Object(pages(&twin, LIMIT).remove(0));
    let workload = |name: &str| page["workloads"].as_array().unwrap().iter().find(|one| one["name"] == name).unwrap();
    let runs = workload("a/runs-0");
    assert_eq!((runs["pods"][0]["state"].as_str(), runs["pods"][0]["node"].as_str()), (Some("running"), Some("n0")));
    assert_eq!((runs["quota"].as_str(), runs["reason"].as_str()), (Some("a"), None));
    let waits = workload("a/too-much");
    assert_eq!((waits["pods"][0]["state"].as_str(), waits["reason"].as_str()), (Some("waiting"), Some("Ceiling")));
    let reclaims = workload("b/reclaims");
    assert_eq!(reclaims["reason"], "Held");
    let victims = reclaims["reservation"]["waitsFor"].as_array().unwrap();
    assert!(
        !victims.is_empty()
            && victims.iter().all(|pod| workload(pod.as_str().unwrap())["pods"][0]["state"] == "leaving")
    );
    let quota = page["quotas"].as_array().unwrap().iter().find(|one| one["name"] == "a").unwrap();
    assert_eq!((quota["used"]["cpu"].as_str(), quota["min"]["cpu"].as_str()), (Some("8"), Some("4")));
    assert_eq!((quota["parent"].as_str(), quota["namespaces"][0].as_str()), (Some("root"), Some("a")));
    assert_eq!(page["policy"]["respect_budgets"], "Always");
}

#[test]
fn a_page_of_a_state_that_is_gone_is_refused() {
    let mut twin = cluster();
    let page = |begun| Page { from: Some(Cursor { begun, next: Place::Node(quotree_core::NodeId(0)) }), limit: 1 };
    assert!(twin.page(page(1)).is_ok());
    // The core begins anew: ids are given anew.
    let feed = Feed::default();
    let mut actor = Actor::new(settings(Mode::Gate)).fed(feed.clone());
    begin(&mut actor, []);
    actor.turn(Time(START));
    twin.take(feed.take());
    assert_eq!(twin.page(page(1)), Err(Expired));
    assert!(twin.page(page(2)).is_ok());
    actor.take(Fact::NodeGone("n0".into()));
    actor.turn(Time(START + 1));
    twin.take(feed.take());
    assert_eq!(names(&pages(&twin, 1), &["nodes"]), Vec::<String>::new(), "a node that is gone is not shown");
}

#[test]
fn a_twin_without_input_has_an_empty_page() {
    let (fields, next) = Twin::default().page(Page { from: None, limit: LIMIT }).unwrap();
    assert!(fields.is_empty() && next.is_none());
}
