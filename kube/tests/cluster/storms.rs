//! What users and nodes do at the worst moment, on either server: a tenth of LF7 to LF9 where `.ci/soak` asks for it; and LF2 with
//! programs, of which the leader is stopped. The full counts are played in memory (`kube/tests/faults/`).

use crate::{kills::Draw, server::Server, shape::Shape, world::World};
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
fn same(mode: Mode, cores: u32, number: usize) -> Value {
    let mut spec = json!({
        "containers": [{ "name": "main", "image": "example.com/nginx:1", "resources": { "requests": { "cpu": cores.to_string() } } }],
        "terminationGracePeriodSeconds": 1,
    });
    match mode {
        Mode::Bind => spec["schedulerName"] = json!("quotree"),
        _ => spec["schedulingGates"] = json!([{ "name": "quotree.io/quota" }]),
    }
    json!({ "apiVersion": "v1", "kind": "Pod", "metadata": { "name": format!("same-{number}") }, "spec": spec })
}

/// LF9: what happens to the second node.
#[derive(Debug, Clone, Copy)]
enum Node {
    Shrinks,
    IsNotReady,
    IsGone,
}

impl Node {
    const PATH: &str = "/api/v1/nodes/node-2";

    /// Only with controllers is a node deleted: they delete its pods.
    fn of(round: u64, world: &World) -> Option<Self> {
        let kinds: &[Self] = if world.server.has_controllers() {
            &[Self::Shrinks, Self::IsNotReady, Self::IsGone]
        } else {
            &[Self::Shrinks, Self::IsNotReady]
        };
        (round % 2 == 1).then(|| kinds[(round / 2) as usize % kinds.len()])
    }

    async fn patch(world: &World, status: Value) {
        let path = format!("{}/status", Self::PATH);
        let patched = world.server.target().patch(&path, PatchType::Strategic, json!({ "status": status })).await;
        assert_eq!(patched.unwrap().code, 200);
    }

    async fn begins(self, world: &World) {
        match self {
            Self::Shrinks => Self::patch(world, json!({ "allocatable": { "cpu": "5" } })).await,
            Self::IsNotReady => {
                Self::patch(world, json!({ "conditions": [{ "type": "Ready", "status": "False" }] })).await;
            }
            Self::IsGone => {
                let gone = world.server.target().delete(Self::PATH, json!({})).await;
                assert_eq!(gone.unwrap().code, 200);
            }
        }
    }

    async fn ends(self, world: &mut World) {
        match self {
            Self::Shrinks => Self::patch(world, json!({ "allocatable": { "cpu": "20" } })).await,
            Self::IsNotReady => {
                Self::patch(world, json!({ "conditions": [{ "type": "Ready", "status": "True" }] })).await;
            }
            Self::IsGone => world.add_node("node-2", 20).await,
        }
    }
}

async fn users(server: Server, mode: Mode) {
    let rounds = rounds(&server, 4);
    let shape = Shape::of(&server);
    let mut world = shape.world(server, mode).await;
    let mut wanted = vec![0; shape.teams];
    world.start_program().await;
    let mut draw = Draw(11);
    for round in 0..rounds {
        for _ in 0..shape.teams / 2 {
            let team = draw.below(shape.teams as u64) as usize;
            wanted[team] = draw.below(6 * shape.unit as u64 + 1) as usize;
            world.scale(&shape.team(team), "work", wanted[team] as u32).await;
        }
        let node = Node::of(round, &world);
        if let Some(node) = node {
            node.begins(&world).await;
        }
        // LF7: pods come by names that there were a moment ago. LF8: pods of any kind are deleted.
        for turn in 0..6 {
            let pause = draw.below(1500);
            world.pass_ms(pause).await;
            let team = shape.team(draw.below(shape.teams as u64) as usize);
            let t = world.namespaces[&team].clone();
            let path = t.core(&format!("pods/same-{}", turn % 2));
            t.delete(&path, json!({ "gracePeriodSeconds": 0 })).await.unwrap();
            t.post(&t.core("pods"), same(mode, shape.cores, turn % 2)).await.unwrap();
            let pods = world.pods(&team).await;
            let victim = &pods[draw.below(pods.len() as u64) as usize]["metadata"]["name"];
            let grace = if draw.below(2) == 0 { json!({}) } else { json!({ "gracePeriodSeconds": 0 }) };
            t.delete(&t.core(&format!("pods/{}", victim.as_str().unwrap())), grace).await.unwrap();
        }
        world.pass(3).await;
        if let Some(node) = node {
            node.ends(&mut world).await;
        }
        if round % 3 == 2 || round + 1 == rounds {
            for team in 0..shape.teams {
                let t = world.namespaces[&shape.team(team)].clone();
                for number in 0..2 {
                    let path = t.core(&format!("pods/same-{number}"));
                    t.delete(&path, json!({ "gracePeriodSeconds": 0 })).await.unwrap();
                }
            }
            shape.comes_to_rest(&mut world, &wanted, round).await;
        }
    }
    // Names of pods that come again are another matter.
    world.twice.retain(|what| !what.contains("/same-"));
    world.ends_well();
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
    let shape = Shape::of(&server);
    let mut world = shape.world(server, Mode::Gate).await;
    world.laws.limits.lease = Some(("kube-system".to_owned(), "quotree-scheduler".to_owned()));
    for _ in 0..2 {
        world.start_candidate_program().await;
    }
    world.pass(10).await;
    let mut wanted = vec![0; shape.teams];
    let mut draw = Draw(5);
    for round in 0..rounds {
        let old = world.leading_program().await;
        world.signal(old, "-STOP");
        for (team, wanted) in wanted.iter_mut().enumerate() {
            *wanted = draw.below(5 * shape.unit as u64 + 1) as usize;
            world.scale(&shape.team(team), "work", *wanted as u32).await;
        }
        world.pass(30).await;
        assert_ne!(world.leading_program().await, old, "round {round}: another leads");
        world.signal(old, "-CONT");
        shape.comes_to_rest(&mut world, &wanted, round).await;
        assert!(world.has_ended(old), "round {round}: it has noticed that it does not lead");
        world.start_candidate_program().await;
    }
    world.ends_well();
}
