//! Watches that end, expire, repeat and come late: the adapter must know the same as after a new list.

use crate::{
    demo::{NAMESPACES, tree},
    server::Server,
    world::World,
};
use quotree_kube::settings::Mode;
use quotree_kube_testkit::faults::{Fault, Rule, Verb, WatchFault};
use std::time::Duration;

/// Plays the demo up to the first reclaim while the watches of pods and nodes go wrong.
async fn play(fault: WatchFault) {
    let mut world =
        World::new(Server::fake(), Mode::Gate, &[("node-1", 20), ("node-2", 20)], &NAMESPACES, tree()).await;
    for resource in ["pods", "nodes"] {
        world.add_fault(Rule::on(Verb::Watch, resource, Fault::Watch(fault.clone())).every(1));
    }
    world.start().await;
    for (number, running) in (1..).zip([[4, 0, 0, 0], [4, 4, 0, 0], [3, 3, 2, 0]]) {
        world.replica_set(&format!("namespace{number}"), &format!("nginx{number}"), 5, 5).await;
        world.pass(120).await;
        assert_eq!(world.running().await, running, "{fault:?} at nginx{number}");
    }
    assert_eq!(world.evictions, 2, "{fault:?}");
    assert!(world.faults > 2, "{fault:?}: {} faults", world.faults);
    // Whoever is deleted while nobody watches gives back what it used.
    world.scale("namespace1", "nginx1", 0).await;
    world.pass(120).await;
    assert_eq!((world.running().await, world.evictions), (vec![0, 4, 4, 0], 2), "{fault:?}");
}

#[tokio::test(start_paused = true)]
async fn watches_that_are_cut_go_on() {
    play(WatchFault::CutAfter(3)).await;
}

#[tokio::test(start_paused = true)]
async fn watches_that_expire_begin_with_a_list() {
    play(WatchFault::ExpiredAfter(2)).await;
}

#[tokio::test(start_paused = true)]
async fn events_that_come_twice_count_once() {
    play(WatchFault::Doubled).await;
}

#[tokio::test(start_paused = true)]
async fn events_that_come_late_are_waited_for() {
    play(WatchFault::Late(Duration::from_secs(10))).await;
}
