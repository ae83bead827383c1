//! What goes wrong between the program and a real API server: the network (LF3, LF5), and a server that was restarted and has
//! forgotten what was watched (LF6). `.ci/soak` plays a tenth of the counts in full length, `.ci/run` each of them once and short.

use crate::{
    demo::{NAMESPACES, tree},
    kills::{Draw, comes_to_rest},
    server::Server,
    world::World,
};
use quotree_kube::settings::Mode;
use quotree_kube_testkit::real::{Broken, Wire};
use std::time::Duration;

/// Whether a tenth of the counts is played.
fn soaks() -> bool {
    std::env::var_os("QUOTREE_SOAK_ROUNDS").is_some()
}

/// The demo's cluster, and the program at the other end of a wire.
struct Wired {
    world: World,
    wire: Wire,
    wanted: Vec<usize>,
    draw: Draw,
}

impl Wired {
    async fn new(server: Server) -> Self {
        let mut world = World::new(server, Mode::Gate, &[("node-1", 20), ("node-2", 20)], &NAMESPACES, tree()).await;
        for namespace in NAMESPACES {
            world.replica_set(namespace, "work", 0, 5).await;
        }
        let wire = world.start_wired_program().await;
        Self { world, wire, wanted: vec![0; NAMESPACES.len()], draw: Draw(3) }
    }

    /// Two teams want other numbers of pods.
    async fn stir(&mut self) {
        for _ in 0..2 {
            let team = self.draw.below(4) as usize;
            self.wanted[team] = self.draw.below(7) as usize;
            self.world.scale(NAMESPACES[team], "work", self.wanted[team] as u32).await;
        }
    }

    /// Who shall run runs, and it is still the same process.
    async fn rests(&mut self, round: u64) {
        comes_to_rest(&mut self.world, &self.wanted, round).await;
        assert!(!self.world.a_program_has_ended(), "round {round}: the program has ended");
    }

    async fn ends(mut self, rounds: u64) {
        assert!(self.world.twice.is_empty(), "carried out twice: {:?}", self.world.twice);
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
        wired.wire.set(broken);
        wired.stir().await;
        wired.world.pass(seconds).await;
        wired.wire.set(Broken::Not);
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
        wired.wire.set(Broken::Stalled);
        wired.stir().await;
        wired.world.pass(2).await;
        wired.world.compact().await;
        wired.world.restart_server().await;
        wired.wire.set(Broken::Not);
        wired.wire.cut();
        wired.rests(round).await;
    }
    wired.ends(rounds).await;
}
