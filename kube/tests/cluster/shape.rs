//! How large the cluster is in which things go wrong again and again: that of the demo, or on a real server 50 nodes and 1,000 pods where
//! `.ci/soak` asks for it.

use crate::{server::Server, world::World};
use quotree_kube::settings::Mode;
use serde_json::{Value, json};

/// The size of a cluster. All teams have the same min and max, and the mins add up to what the nodes offer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    /// How many nodes there are, each of 20 cores.
    pub(crate) nodes: u32,
    /// How many teams there are: blocks of four, each of two pairs.
    pub(crate) teams: usize,
    /// What a pod requests, cores.
    pub(crate) cores: u32,
    /// A number of pods: the min of a team is enough for 2 units, its max for 4.
    pub(crate) unit: usize,
}

const NODE: u32 = 20;
const DEMO: Shape = Shape { nodes: 2, teams: 4, cores: 5, unit: 1 };
const LARGE: Shape = Shape { nodes: 50, teams: 20, cores: 1, unit: 25 };

/// Whether `.ci/soak` runs the tests.
pub(crate) fn soaks() -> bool {
    std::env::var_os("QUOTREE_SOAK_ROUNDS").is_some()
}

impl Shape {
    /// The shape for a server.
    pub(crate) fn of(server: &Server) -> Self {
        if soaks() && server.has_controllers() { LARGE } else { DEMO }
    }

    /// How long everything may take to come to rest on a real server, seconds.
    pub(crate) const fn patience(self) -> u64 {
        if self.unit > 1 { 240 } else { 90 }
    }

    /// The namespace of a team.
    pub(crate) fn team(self, team: usize) -> String {
        let width = if self.teams > 9 { 2 } else { 1 };
        format!("namespace{:0width$}", team + 1)
    }

    /// The quotas: pairs of teams below the root.
    fn tree(self) -> Value {
        let cpu = |pods: usize| json!({ "cpu": (pods * self.cores as usize).to_string() });
        let pair = |pair: usize| {
            let leaf = |team: usize| {
                let (name, namespace) = (format!("root.{pair}.{team}"), self.team(team));
                json!({ "name": name, "min": cpu(2 * self.unit), "max": cpu(4 * self.unit), "namespaces": [namespace] })
            };
            json!({
                "name": format!("root.{pair}"), "min": cpu(4 * self.unit), "max": cpu(8 * self.unit),
                "children": [leaf(2 * pair), leaf(2 * pair + 1)],
            })
        };
        let pairs: Vec<Value> = (0..self.teams / 2).map(pair).collect();
        json!({ "name": "root", "min": cpu(self.fit()), "max": cpu(self.fit()), "children": pairs })
    }

    /// How many pods fit in all.
    const fn fit(self) -> usize {
        2 * self.unit * self.teams
    }

    /// The cluster, and a ReplicaSet `work` of each team that wants nothing yet.
    pub(crate) async fn world(self, server: Server, mode: Mode) -> World {
        let nodes: Vec<(String, u32)> = (1..=self.nodes).map(|node| (format!("node-{node}"), NODE)).collect();
        let nodes: Vec<(&str, u32)> = nodes.iter().map(|(name, cores)| (name.as_str(), *cores)).collect();
        let teams: Vec<String> = (0..self.teams).map(|team| self.team(team)).collect();
        let names: Vec<&str> = teams.iter().map(String::as_str).collect();
        let mut world = World::new(server, mode, &nodes, &names, self.tree()).await;
        // So small that a run has several.
        world.segment_bytes = 8_000 * self.unit as u64;
        for team in &names {
            world.replica_set(team, "work", 0, self.cores).await;
        }
        world
    }

    /// What is wrong with who runs, given how many pods each team wants.
    fn wrong(self, wanted: &[usize], running: &[usize]) -> Option<String> {
        let (most, owed) = (4 * self.unit, 2 * self.unit);
        let fit = wanted.iter().map(|pods| (*pods).min(most)).sum::<usize>().min(self.fit());
        let all = running.iter().sum::<usize>();
        let unfair = wanted.iter().zip(running).any(|(wanted, runs)| *runs > most || *runs < (*wanted).min(owed));
        (all != fit || unfair).then(|| format!("{wanted:?} are wanted and {running:?} run, {all} of {fit}"))
    }

    /// Lets time pass until nothing is wrong, and some seconds more.
    pub(crate) async fn comes_to_rest(self, world: &mut World, wanted: &[usize], round: u64) {
        let patience = if world.fake().is_some() { 0 } else { self.patience() };
        let since = std::time::Instant::now();
        world.a_while().await;
        while self.wrong(wanted, &world.running().await).is_some() && since.elapsed().as_secs() < patience {
            world.pass(1).await;
        }
        world.pass(3).await;
        if let Some(wrong) = self.wrong(wanted, &world.running().await) {
            panic!("round {round}: {wrong}");
        }
        world.shows_a_recount().await;
    }
}
