//! What goes wrong between the program and a real API server: the network (LF3, LF5), and a server that was restarted and has
//! forgotten what was watched (LF6). `.ci/soak` plays a tenth of the counts in full length, `.ci/run` each of them once and short.

use crate::{
    kills::Draw,
    server::Server,
    shape::{Shape, soaks},
    world::World,
};
use quotree_kube::settings::Mode;
use quotree_kube_testkit::real::{Broken, Wire};
use std::time::Duration;

/// A cluster, and the program at the other end of a wire.
struct Wired {
    shape: Shape,
    world: World,
    wire: Wire,
    wanted: Vec<usize>,
    draw: Draw,
}

impl Wired {
    async fn new(server: Server) -> Self {
        let shape = Shape::of(&server);
        let mut world = shape.world(server, Mode::Gate).await;
        let wire = world.start_wired_program().await;
        Self { shape, world, wire, wanted: vec![0; shape.teams], draw: Draw(3) }
    }

    /// Half of the teams want other numbers of pods.
    async fn stir(&mut self) {
        for _ in 0..self.shape.teams / 2 {
            let team = self.draw.below(self.shape.teams as u64) as usize;
            self.wanted[team] = self.draw.below(6 * self.shape.unit as u64 + 1) as usize;
            self.world.scale(&self.shape.team(team), "work", self.wanted[team] as u32).await;
        }
    }

    /// Changes how the wire is.
    fn set(&mut self, broken: Broken) {
        self.wire.set(broken);
        self.world.laws.excuse();
    }

    /// Who shall run runs, and it is still the same process.
    async fn rests(&mut self, round: u64) {
        self.shape.comes_to_rest(&mut self.world, &self.wanted, round).await;
        assert!(!self.world.a_program_has_ended(), "round {round}: the program has ended");
    }

    async fn ends(mut self, rounds: u64) {
        self.world.ends_well();
        let (segments, agreed) = self.world.replays().await;
        assert!(segments > 0 && agreed > rounds, "{segments} segments, {agreed} decisions");
    }
}

/// The wire is broken for so long while teams change, and whole again.
async fn breaks(server: Server, broken: Broken, (rounds, seconds): (u64, u32)) {
    let mut wired = Wired::new(server).await;
    for round in 0..rounds {
        wired.stir().await;
        let pause = wired.draw.below(1500);
        wired.world.pass_ms(pause).await;
        wired.set(broken);
        wired.stir().await;
        wired.world.pass(seconds).await;
        wired.set(Broken::Not);
        wired.rests(round).await;
    }
    wired.ends(rounds).await;
}

/// LF3.
pub(crate) async fn connections_are_refused(server: Server) {
    breaks(server, Broken::Refused, if soaks() { (2, 60) } else { (1, 5) }).await;
}

/// LF5: watches stall, and so does all else.
pub(crate) async fn nothing_passes(server: Server) {
    breaks(server, Broken::Stalled, if soaks() { (10, 50) } else { (1, 5) }).await;
}

/// LF5: what the server sends comes late. A write of which the answer comes after more than ten seconds is asked after, and that
/// answer is as late; so the delay is shorter here than in memory, where only watches are late.
pub(crate) async fn answers_come_late(server: Server) {
    breaks(server, Broken::Slow(Duration::from_secs(4)), if soaks() { (10, 20) } else { (1, 8) }).await;
}

/// LF5: all connections are cut again and again.
pub(crate) async fn connections_are_cut(server: Server) {
    let rounds = if soaks() { 10 } else { 2 };
    let mut wired = Wired::new(server).await;
    for round in 0..rounds {
        for _ in 0..5 {
            wired.stir().await;
            let pause = wired.draw.below(1500);
            wired.world.pass_ms(pause).await;
            wired.wire.cut();
        }
        wired.rests(round).await;
    }
    wired.ends(rounds).await;
}

/// LF6: etcd is compacted and the API server restarted, which then knows nothing older: watches begin with a list.
pub(crate) async fn what_was_watched_is_forgotten(server: Server) {
    let rounds = if soaks() { 2 } else { 1 };
    let mut wired = Wired::new(server).await;
    for round in 0..rounds {
        wired.stir().await;
        wired.world.pass(2).await;
        // What changes now is not shown before the server has forgotten it.
        wired.set(Broken::Stalled);
        wired.stir().await;
        wired.world.pass(2).await;
        wired.world.compact().await;
        wired.world.restart_server().await;
        wired.set(Broken::Not);
        wired.wire.cut();
        wired.rests(round).await;
    }
    wired.ends(rounds).await;
}
