//! The adapter is killed at any moment, again and again, while replicas change (LF1): whatever was sent, half done or lost, the
//! next one comes to the same rest, and nobody is admitted or evicted twice. On a real server it is the program itself, by
//! `kill -9`.

use crate::{server::Server, shape::Shape};
use quotree_kube::settings::Mode;

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

async fn kills(server: Server, mode: Mode, rounds: u64) {
    let shape = Shape::of(&server);
    let mut world = shape.world(server, mode).await;
    let mut wanted = vec![0; shape.teams];
    let mut draw = Draw(7);
    for round in 0..rounds {
        world.start_program().await;
        let before_kill = match round % 3 {
            // Evictions are sent from ten seconds after the start on.
            1 => 10_000 + draw.below(3_000),
            _ => draw.below(3_000),
        };
        for block in (0..shape.teams).step_by(4) {
            let pair = 2 * draw.below(2) as usize;
            let teams = match round % 3 {
                // Two teams borrow all that the others do not use.
                0 => vec![(pair, 6 * shape.unit), (pair + 1, 6 * shape.unit), (2 - pair, 0), (3 - pair, 0)],
                // Others want their guarantees back.
                1 => (0..4)
                    .map(|team| (team, wanted[block + team].max((2 + draw.below(4) as usize) * shape.unit)))
                    .collect(),
                _ => vec![(draw.below(4) as usize, draw.below(6 * shape.unit as u64 + 1) as usize)],
            };
            for (team, pods) in teams {
                wanted[block + team] = pods;
                world.scale(&shape.team(block + team), "work", pods as u32).await;
            }
        }
        world.pass_ms(before_kill).await;
        world.kill();
        if round % 3 != 1 {
            world.start_program().await;
            shape.comes_to_rest(&mut world, &wanted, round).await;
            world.kill();
        }
    }
    world.start_program().await;
    shape.comes_to_rest(&mut world, &wanted, rounds).await;
    world.ends_well();
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
