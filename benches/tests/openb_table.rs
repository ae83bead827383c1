//! The published table of placement policies on the openb lists, a small part of it: `cargo run --release -p
//! quotree-benches --example openb_table` computes all of it, and docs/placement.md shows what came.

use expect_test::expect;
use quotree_benches::{openb, plain};
use quotree_core::{Placement, Policy};
use quotree_testkit::shared::shared;

const PUBLISHED_AT: usize = 130;

/// One seed is no mean of ten: their spread is up to 0.7 points about it. That the numbers stay the same to the last digit
/// is what this test is for, and that they are the published ones by and large.
#[test]
fn the_table_of_one_seed() {
    let Some(folder) = shared() else { return };
    let nodes = openb::nodes(&folder).unwrap();
    let capacity = openb::capacity(&nodes);
    let mut seen = String::new();
    for name in openb::LISTS {
        let list = openb::list(&folder, name).unwrap();
        let (pods, nodes) = (openb::draw(&list, capacity, 42), openb::renumber(&nodes, 42));
        for (policy, placement) in openb::policies(42) {
            let policy_of_run = Policy { placement, typical: openb::typical(&list), ..Policy::default() };
            let outcome = openb::place(&nodes, &pods, policy_of_run).unwrap();
            let ours = outcome.curve[PUBLISHED_AT].unwrap();
            let theirs = openb::published(&folder, name, policy).unwrap()[PUBLISHED_AT].unwrap();
            assert!((ours - theirs).abs() < 2000, "{name}, {policy}: {ours} thousandths of a per cent, not {theirs}");
            seen += &format!("{name} {policy} {}.{:03}, {} placed\n", ours / 1000, ours % 1000, outcome.placed);
        }
    }
    expect![[r#"
        default Random 88.416, 8249 placed
        default DotProd 90.968, 8075 placed
        default GpuClustering 91.770, 8137 placed
        default GpuPacking 92.037, 8157 placed
        default BestFit 92.989, 8211 placed
        default FGD 95.462, 8386 placed
        cpu200 Random 83.797, 8841 placed
        cpu200 DotProd 88.968, 8877 placed
        cpu200 GpuClustering 89.556, 8922 placed
        cpu200 GpuPacking 89.827, 8936 placed
        cpu200 BestFit 92.425, 9091 placed
        cpu200 FGD 94.991, 9106 placed
        gpushare100 Random 79.610, 11488 placed
        gpushare100 DotProd 82.557, 11557 placed
        gpushare100 GpuClustering 82.965, 11593 placed
        gpushare100 GpuPacking 82.980, 11596 placed
        gpushare100 BestFit 85.029, 11816 placed
        gpushare100 FGD 86.827, 11991 placed
        gpuspec33 Random 86.084, 8059 placed
        gpuspec33 DotProd 88.719, 7798 placed
        gpuspec33 GpuClustering 91.972, 8107 placed
        gpuspec33 GpuPacking 93.448, 8215 placed
        gpuspec33 BestFit 93.102, 8105 placed
        gpuspec33 FGD 94.854, 8405 placed
        multigpu50 Random 90.207, 5723 placed
        multigpu50 DotProd 95.138, 5035 placed
        multigpu50 GpuClustering 96.270, 5102 placed
        multigpu50 GpuPacking 96.236, 5080 placed
        multigpu50 BestFit 95.813, 5041 placed
        multigpu50 FGD 97.136, 5104 placed
    "#]]
    .assert_eq(&seen);
}

/// On few nodes that fill up, so that the plain scan is done soon.
#[test]
fn fgd_decides_as_a_plain_scan_does() {
    let Some(folder) = shared() else { return };
    let nodes = openb::nodes(&folder).unwrap();
    let list = openb::list(&folder, "gpuspec33").unwrap();
    let typical = openb::typical(&list);
    for seed in 1..4 {
        let nodes: Vec<_> = openb::renumber(&nodes, seed).into_iter().take(60).collect();
        let mut pods = openb::draw(&list, openb::capacity(&nodes), seed);
        pods.truncate(800);
        let policy = Policy { placement: Placement::Fgd, typical: typical.clone(), ..Policy::default() };
        let outcome = openb::place(&nodes, &pods, policy).unwrap();
        assert_eq!((outcome.placed, outcome.held), plain::place(&nodes, &pods, &typical), "seed {seed}");
        assert!(outcome.placed > 100 && (outcome.placed as usize) < pods.len(), "the nodes fill up");
    }
}
