//! The adapter is killed at any moment, again and again, while replicas change (LF1): whatever was sent, half done or lost, the
//! next one comes to the same rest, and nobody is admitted or evicted twice. On a real server it is the program itself, by
//! `kill -9`.

use crate::{
    demo::{NAMESPACES, tree},
    server::Server,
    world::World,
};
use quotree_kube::settings::Mode;
use std::time::{Duration, Instant};

/// How often it is killed on a real server, in each mode; `.ci/soak` does so more often.
const ROUNDS: &str = "QUOTREE_SOAK_KILLS";

/// Numbers that look random and are the same in each run.
pub(crate) struct Draw(pub(crate) u64);

impl Draw {
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        (mixed ^ (mixed >> 27)) % end
    }
}

/// What is wrong with who runs, given who wants to: 8 pods fit in all, at most 4 of a team, and 2 of each are guaranteed.
fn wrong(wanted: &[usize], running: &[usize]) -> Option<String> {
    let (fit, all) = (wanted.iter().map(|pods| (*pods).min(4)).sum::<usize>().min(8), running.iter().sum::<usize>());
    let unfair = wanted.iter().zip(running).any(|(wanted, runs)| *runs > 4 || *runs < (*wanted).min(2));
    (all != fit || unfair).then(|| format!("{wanted:?} are wanted and {running:?} run"))
}

/// Lets time pass until nothing is wrong, and some seconds more.
pub(crate) async fn comes_to_rest(world: &mut World, wanted: &[usize], round: u64) {
    let since = Instant::now();
    let patience = if world.fake().is_some() { 0 } else { 90 };
    world.a_while().await;
    while wrong(wanted, &world.running().await).is_some() && since.elapsed() < Duration::from_secs(patience) {
        world.pass(1).await;
    }
    world.pass(3).await;
    if let Some(wrong) = wrong(wanted, &world.running().await) {
        panic!("round {round}: {wrong}");
    }
}

async fn kills(server: Server, mode: Mode, rounds: u64) {
    let mut world = World::new(server, mode, &[("node-1", 20), ("node-2", 20)], &NAMESPACES, tree()).await;
    let mut wanted = vec![0; NAMESPACES.len()];
    for namespace in NAMESPACES {
        world.replica_set(namespace, "work", 0, 5).await;
    }
    let mut draw = Draw(7);
    for round in 0..rounds {
        world.start_program().await;
        let pair = 2 * draw.below(2) as usize;
        let (teams, before_kill) = match round % 3 {
            // Two teams borrow all that the others do not use.
            0 => (vec![(pair, 6), (pair + 1, 6), (2 - pair, 0), (3 - pair, 0)], draw.below(3_000)),
            // Others want their guarantees back. Evictions are sent from ten seconds after the start on.
            1 => (
                (0..4).map(|team| (team, wanted[team].max(2 + draw.below(4) as usize))).collect(),
                10_000 + draw.below(3_000),
            ),
            _ => (vec![(draw.below(4) as usize, draw.below(7) as usize)], draw.below(2_000)),
        };
        for (team, pods) in teams {
            wanted[team] = pods;
            world.scale(NAMESPACES[team], "work", pods as u32).await;
        }
        world.pass_ms(before_kill).await;
        world.kill();
        if round % 3 != 1 {
            world.start_program().await;
            comes_to_rest(&mut world, &wanted, round).await;
            world.kill();
        }
    }
    world.start_program().await;
    comes_to_rest(&mut world, &wanted, rounds).await;
    assert!(world.twice.is_empty(), "carried out twice: {:?}", world.twice);
    assert!(world.evictions > 0 || rounds < 2, "somebody was evicted meanwhile");
    let (segments, agreed) = world.replays().await;
    assert!(segments as u64 >= rounds && agreed > rounds, "{segments} segments, {agreed} decisions");
}

/// How often the adapter is killed: in virtual time more often.
fn rounds(server: &Server) -> u64 {
    let given = std::env::var(ROUNDS).ok().and_then(|rounds| rounds.parse::<u64>().ok());
    match server {
        Server::Fake(_) => given.map_or(30, |rounds| rounds * 25),
        Server::Real(..) => given.unwrap_or(3),
    }
}

pub(crate) async fn in_gate_mode(server: Server) {
    let rounds = rounds(&server);
    kills(server, Mode::Gate, rounds).await;
}

pub(crate) async fn in_bind_mode(server: Server) {
    let rounds = rounds(&server);
    kills(server, Mode::Bind, rounds).await;
}
