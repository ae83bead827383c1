//! Two processes, of which one leads.

use crate::{
    demo::{NAMESPACES, tree},
    server::Server,
    world::World,
};
use quotree_kube::settings::Mode;
use quotree_kube_testkit::faults::{Fault, Faults, Rule, Verb};

async fn world(server: Server) -> World {
    let mut world = World::new(server, Mode::Gate, &[("node-1", 56)], &NAMESPACES, tree()).await;
    world.start_candidate("one").await;
    world.pass(1).await;
    world.start_candidate("two").await;
    world.replica_set("namespace1", "nginx1", 5, 5).await;
    world.pass(10).await;
    assert_eq!((world.running().await, world.writes["Patch pods"]), (vec![4, 0, 0, 0], 4), "one of them writes");
    world
}

async fn holder(world: &World) -> String {
    let t = &world.namespaces["namespace1"];
    let path = t.cluster("coordination.k8s.io/v1", "namespaces/kube-system/leases/quotree-scheduler");
    t.get(&path).await.unwrap().text("/spec/holderIdentity").to_owned()
}

pub(crate) async fn a_standby_takes_over_from_a_leader_that_is_killed(server: Server) {
    let mut world = world(server).await;
    assert_eq!(holder(&world).await, "one");
    world.kill();
    world.replica_set("namespace2", "nginx2", 5, 5).await;
    world.pass(12).await;
    assert_eq!((holder(&world).await, world.running().await), ("one".to_owned(), vec![4, 0, 0, 0]), "not before time");
    world.comes_to(&[4, 4, 0, 0], 0, "after the other took over").await;
    assert_eq!(holder(&world).await, "two");
    world.replica_set("namespace3", "nginx3", 5, 5).await;
    world.comes_to(&[3, 3, 2, 0], 2, "with nginx3").await;
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_cannot_renew_stops_writing_in_time() {
    let mut world = world(Server::fake()).await;
    world.add_fault(Rule::on(Verb::Update, "leases", Fault::Status(503, None)).every(1));
    world.pass(12).await;
    world.replica_set("namespace2", "nginx2", 5, 5).await;
    world.pass(20).await;
    assert_eq!(world.running().await, [4, 0, 0, 0], "nobody leads, so nobody writes");
    world.fake().unwrap().set_faults(Faults::none());
    world.pass(20).await;
    assert_eq!((holder(&world).await, world.running().await), ("two".to_owned(), vec![4, 4, 0, 0]));
}
