//! What users and nodes do at the worst moment, on either server: a tenth of LF7 to LF9 where `.ci/soak` asks for it; and LF2 with
//! programs, of which the leader is stopped. The full counts are played in memory (`kube/tests/faults/`).

use crate::{
    demo::{NAMESPACES, tree},
    kills::{Draw, comes_to_rest},
    server::Server,
    world::World,
};
use quotree_kube::settings::Mode;
use quotree_kube_testkit::store::PatchType;
use serde_json::{Value, json};

/// How many rounds are played on a real server; `.ci/soak` plays more.
const ROUNDS: &str = "QUOTREE_SOAK_ROUNDS";

fn rounds(server: &Server, few: u64) -> u64 {
    let given = std::env::var(ROUNDS).ok().and_then(|rounds| rounds.parse::<u64>().ok());
    match server {
        Server::Fake(_) => 20,
        Server::Real(..) => given.unwrap_or(few),
    }
}

/// A pod by a name that comes again, of which nobody takes care.
fn same(mode: Mode, number: usize) -> Value {
    let mut spec = json!({
        "containers": [{ "name": "main", "image": "example.com/nginx:1", "resources": { "requests": { "cpu": "5" } } }],
        "terminationGracePeriodSeconds": 1,
    });
    match mode {
        Mode::Bind => spec["schedulerName"] = json!("quotree"),
        _ => spec["schedulingGates"] = json!([{ "name": "quotree.io/quota" }]),
    }
    json!({ "apiVersion": "v1", "kind": "Pod", "metadata": { "name": format!("same-{number}") }, "spec": spec })
}

/// LF9: the second node offers so many cores.
async fn resize(world: &World, cores: u32) {
    let t = world.server.target();
    let path = t.cluster("v1", "nodes/node-2/status");
    let body = json!({ "status": { "allocatable": { "cpu": cores.to_string() } } });
    assert_eq!(t.patch(&path, PatchType::Merge, body).await.unwrap().code, 200);
}

async fn users(server: Server, mode: Mode) {
    let rounds = rounds(&server, 4);
    let mut world = World::new(server, mode, &[("node-1", 20), ("node-2", 20)], &NAMESPACES, tree()).await;
    let mut wanted = vec![0; NAMESPACES.len()];
    for namespace in NAMESPACES {
        world.replica_set(namespace, "work", 0, 5).await;
    }
    world.start_program().await;
    let mut draw = Draw(11);
    for round in 0..rounds {
        for team in [draw.below(4) as usize, draw.below(4) as usize] {
            wanted[team] = draw.below(7) as usize;
            world.scale(NAMESPACES[team], "work", wanted[team] as u32).await;
        }
        if round % 3 == 2 {
            resize(&world, 5).await;
        }
        // LF7: pods come by names that there were a moment ago. LF8: pods of any kind are deleted.
        for turn in 0..6 {
            let pause = draw.below(1500);
            world.pass_ms(pause).await;
            let team = NAMESPACES[draw.below(4) as usize];
            let t = world.namespaces[team].clone();
            let path = t.core(&format!("pods/same-{}", turn % 2));
            t.delete(&path, json!({ "gracePeriodSeconds": 0 })).await.unwrap();
            t.post(&t.core("pods"), same(mode, turn % 2)).await.unwrap();
            let pods = world.pods(team).await;
            let victim = &pods[draw.below(pods.len() as u64) as usize]["metadata"]["name"];
            let grace = if draw.below(2) == 0 { json!({}) } else { json!({ "gracePeriodSeconds": 0 }) };
            t.delete(&t.core(&format!("pods/{}", victim.as_str().unwrap())), grace).await.unwrap();
        }
        world.pass(3).await;
        if round % 3 == 2 {
            resize(&world, 20).await;
        }
        if round % 3 == 2 || round + 1 == rounds {
            for team in NAMESPACES {
                let t = world.namespaces[team].clone();
                for number in 0..2 {
                    let path = t.core(&format!("pods/same-{number}"));
                    t.delete(&path, json!({ "gracePeriodSeconds": 0 })).await.unwrap();
                }
            }
            comes_to_rest(&mut world, &wanted, round).await;
        }
    }
    // Names of pods that come again are another matter.
    world.twice.retain(|what| !what.contains("/same-"));
    assert!(world.twice.is_empty(), "carried out twice: {:?}", world.twice);
    let (segments, agreed) = world.replays().await;
    assert!(segments > 0 && agreed > rounds, "{segments} segments, {agreed} decisions");
}

pub(crate) async fn users_in_gate_mode(server: Server) {
    users(server, Mode::Gate).await;
}

pub(crate) async fn users_in_bind_mode(server: Server) {
    users(server, Mode::Bind).await;
}

/// LF2: two programs, of which the one that leads is stopped for half a minute.
pub(crate) async fn a_leader_that_is_stopped(server: Server) {
    let rounds = rounds(&server, 1).div_ceil(4);
    let mut world = World::new(server, Mode::Gate, &[("node-1", 20), ("node-2", 20)], &NAMESPACES, tree()).await;
    for namespace in NAMESPACES {
        world.replica_set(namespace, "work", 0, 5).await;
    }
    for _ in 0..2 {
        world.start_candidate_program().await;
    }
    world.pass(10).await;
    let mut wanted = vec![0; NAMESPACES.len()];
    let mut draw = Draw(5);
    for round in 0..rounds {
        let old = world.leading_program().await;
        world.signal(old, "-STOP");
        for team in 0..4 {
            wanted[team] = draw.below(6) as usize;
            world.scale(NAMESPACES[team], "work", wanted[team] as u32).await;
        }
        world.pass(30).await;
        assert_ne!(world.leading_program().await, old, "round {round}: another leads");
        world.signal(old, "-CONT");
        comes_to_rest(&mut world, &wanted, round).await;
        assert!(world.has_ended(old), "round {round}: it has noticed that it does not lead");
        world.start_candidate_program().await;
    }
    assert!(world.twice.is_empty(), "carried out twice: {:?}", world.twice);
}
