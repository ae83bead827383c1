//! The demo row by row, with the same outcome on several clusters; variations of it; and five pods that under weaker
//! rules would evict each other for ever.

use crate::check;
use quotree_core::{Action, Help, Policy, Rule, VictimOrder, WorkloadId};
use quotree_testkit::table::Game;

const TREE: &str = "root 40/40; root.a<root 20/40; root.b<root 20/40; \
    root.a.1<root.a 10/20 ns=namespace1; root.a.2<root.a 10/20 ns=namespace2; \
    root.b.1<root.b 10/20 ns=namespace3; root.b.2<root.b 10/20 ns=namespace4";

/// Five replicas of 5 cpu, numbered from `first`.
fn deployment(namespace: u32, first: u32) -> String {
    let pods: Vec<String> = (first..first + 5).map(|id| format!("submit {id} to namespace{namespace}: 5")).collect();
    pods.join("; ")
}

/// Running and pending pods of the four namespaces.
fn pods(game: &Game) -> [(usize, usize); 4] {
    [1, 2, 3, 4].map(|n| game.pods(&format!("namespace{n}")))
}

fn play(cluster: &str, policy: Policy, deployments: u32) -> Game {
    let mut game = Game::new(TREE, cluster, policy).unwrap();
    for n in 1..=deployments {
        game.row(&deployment(n, 5 * n)).unwrap();
    }
    assert_eq!(game.broken(), Vec::<String>::new());
    game
}

#[test]
fn the_demo_comes_out_the_same_on_a_pool_on_one_node_and_on_four() {
    for cluster in ["40", "56", "10 10 10 10"] {
        let rows = [
            (1, [(4, 1), (0, 0), (0, 0), (0, 0)], 0),
            (2, [(4, 1), (4, 1), (0, 0), (0, 0)], 0),
            (3, [(3, 2), (3, 2), (2, 3), (0, 0)], 2),
            (4, [(2, 3), (2, 3), (2, 3), (2, 3)], 4),
        ];
        for (deployments, wanted, evictions) in rows {
            let game = play(cluster, Policy::default(), deployments);
            assert_eq!(pods(&game), wanted, "after nginx{deployments} on {cluster}");
            assert_eq!(game.evictions(), evictions, "after nginx{deployments} on {cluster}");
        }
    }
}

#[test]
fn the_demo_takes_one_pod_each_from_both_siblings() {
    let game = play("56", Policy::default(), 3);
    let mut victims: Vec<String> = Vec::new();
    for action in game.plans().iter().flat_map(|p| &p.actions) {
        if let Action::Evict { reason, .. } = action {
            victims.push(game.core().tree().name(reason.leaf.unwrap()).to_string());
        }
    }
    victims.sort();
    assert_eq!(victims, ["root.a.1", "root.a.2"]);
}

#[test]
fn the_demo_names_the_rule_that_keeps_the_last_replica_pending() {
    // In the first two steps it is the max of the leaf, then the max of the root.
    for (deployments, workload) in [(1, 9), (2, 14), (4, 24)] {
        let verdict = play("56", Policy::default(), deployments).core().explain(WorkloadId(workload)).unwrap();
        assert_eq!(verdict.binding.rule(), Rule::A1, "{:?}", verdict.binding);
    }
}

#[test]
fn on_ten_nodes_of_4_cores_nothing_runs_and_nothing_is_evicted() {
    let game = play("4 4 4 4 4 4 4 4 4 4", Policy::default(), 4);
    assert_eq!(pods(&game), [(0, 5); 4]);
    assert_eq!(game.evictions(), 0);
    assert_eq!(game.core().explain(WorkloadId(5)).unwrap().binding.rule().to_string(), "P1");
}

#[test]
fn case_1_a_branch_at_its_min_loses_nothing() {
    check(
        TREE,
        "40",
        &[
            (
                "submit 1 to namespace1: 5; submit 2 to namespace1: 5; submit 3 to namespace1: 5; submit 4 to namespace1: 5",
                "bind 1; bind 2; bind 3; bind 4",
            ),
            (
                "submit 5 to namespace3: 5; submit 6 to namespace3: 5; submit 7 to namespace3: 5; submit 8 to namespace3: 5",
                "bind 5; bind 6; bind 7; bind 8",
            ),
            ("submit 9 to namespace4: 5", "evict 8 by R2; bind 9; pending 8': A1 at root"),
        ],
    );
}

#[test]
fn case_2_latest_started_alone_would_be_unfair() {
    let policy = Policy { victims: VictimOrder::Latest, ..Policy::default() };
    let game = play("56", policy, 3);
    assert_eq!(pods(&game), [(4, 1), (2, 3), (2, 3), (0, 0)]);
}

#[test]
fn case_3_scaling_to_0_frees_quota_for_the_oldest_pending_pods() {
    let mut game = play("56", Policy::default(), 4);
    game.row("withdraw 5; withdraw 6; withdraw 7; withdraw 8; withdraw 9").unwrap();
    assert_eq!(pods(&game), [(0, 0), (3, 2), (3, 2), (2, 3)]);
    assert_eq!(game.evictions(), 4);
}

#[test]
fn case_4_low_priorities_of_a_leaf_above_its_min_are_evicted_first() {
    check(
        TREE,
        "40",
        &[
            ("submit 1 to namespace1: 5; submit 2 to namespace1: 5 priority -1", "bind 1; bind 2"),
            ("submit 3 to namespace1: 5; submit 4 to namespace1: 5", "bind 3; bind 4"),
            (
                "submit 5 to namespace2: 5; submit 6 to namespace2: 5; submit 7 to namespace2: 5; submit 8 to namespace2: 5",
                "bind 5; bind 6; bind 7; bind 8",
            ),
            ("submit 9 to namespace3: 5", "evict 2 by R2; bind 9; pending 2': A1 at root"),
        ],
    );
}

#[test]
fn case_5_borrowing_one_resource_bars_from_reclaiming_another() {
    let tree = "root 20,4/20,4; a<root 2,2/20,4; b<root 18,2/20,4";
    let mut game = Game::new(tree, "20,4", Policy::default()).unwrap();
    game.row("submit 1 to b: 1,1; submit 2 to b: 1,1; submit 3 to b: 1,1; submit 4 to b: 1,1").unwrap();
    assert_eq!(game.row("submit 5 to a: 4,1").unwrap(), "pending 5: A1 at root");
    let verdict = game.core().explain(WorkloadId(5)).unwrap();
    assert!(!verdict.entitled);
    let a = game.core().tree().by_name("a").unwrap();
    let b = game.core().tree().by_name("b");
    let more = Help::MoreMin { quota: a, resource: "cpu".into(), by: 2000, from: b };
    assert!(verdict.helps.contains(&more), "{:?}", verdict.helps);
    assert_eq!(game.evictions(), 0);
}

#[test]
fn s2_the_five_pods_come_to_rest_after_one_eviction() {
    check(
        "root 6/6; a<root 5/6; b<root 1/2",
        "6",
        &[
            ("submit 1 to a: 4 priority 2", "bind 1"),
            ("submit 2 to b: 2 priority 2", "bind 2"),
            ("submit 3 to a: 1 priority 1", "evict 2 by R2; bind 3; pending 2': A1 at root"),
            ("submit 4 to a: 2 priority 2", "pending 4: A1 at a, 2': A1 at root"),
            ("submit 5 to b: 1", "bind 5; pending 4: A1 at a, 2': A1 at b"),
            ("wait 1000 ms", "pending 4: A1 at a, 2': A1 at b"),
        ],
    );
}
