//! P1 with a topology level: gangs whose pods must share a node, rack or zone.

use crate::check;

const ROOM: &str = "root 99/99; a<root 99/99";

/// The fullest rack with room for all is chosen: r1 has 5 free, r2 has 6, and r0 with 4 has too little.
#[test]
fn p1_the_fullest_domain_that_fits_is_taken() {
    check(
        ROOM,
        "2:in..r0 2:in..r0 2:in..r1 3:in..r1 3:in..r2 3:in..r2",
        &[
            ("submit 1 to a: 1 x5 in one rack", "bind 1 x2 on node 2; bind 1 x3 on node 3"),
            ("submit 2 to a: 1 x4 in one rack", "bind 2 x2 on node 0; bind 2 x2 on node 1"),
        ],
    );
}

/// Racks of one name in two zones are two racks; a node without a rack is in none. Among equals the first by name is
/// chosen.
#[test]
fn p1_racks_are_those_of_their_zone() {
    check(
        ROOM,
        "2:in.z1.r 2:in.z0.r 4",
        &[
            ("submit 1 to a: 1 x3 in one rack", "pending 1: P1"),
            ("withdraw 1", "nothing"),
            ("submit 2 to a: 1 x2 in one rack", "bind 2 x2 on node 1"),
            ("submit 3 to a: 1 x2 in one rack", "bind 3 x2 on node 0"),
            ("submit 4 to a: 1 x3 in one node", "bind 4 x3 on node 2"),
        ],
    );
}

/// A single pod may run anywhere, and so may a gang without a level.
#[test]
fn p1_single_pods_and_gangs_without_a_level_ignore_domains() {
    check(
        ROOM,
        "1 1",
        &[
            ("submit 1 to a: 1 in one rack", "bind 1 on node 0"),
            ("withdraw 1", "nothing"),
            ("submit 2 to a: 1 x2", "bind 2 on node 0; bind 2 on node 1"),
        ],
    );
}

/// A zone contains its racks: four pods that must share a zone do not fit in any one rack, but do fit in the zone.
#[test]
fn p1_a_zone_is_all_of_its_racks() {
    let cluster = "2:in.z0.r0 1:in.z0.r1 2:in.z1.r2 2:in.z1.r3";
    check(ROOM, cluster, &[("submit 1 to a: 1 x4 in one rack", "pending 1: P1")]);
    check(ROOM, cluster, &[("submit 1 to a: 1 x4 in one zone", "bind 1 x2 on node 2; bind 1 x2 on node 3")]);
    check(ROOM, cluster, &[("submit 1 to a: 1 x3 in one zone", "bind 1 on node 1; bind 1 x2 on node 0")]);
}

/// Elastic members join the others or wait: r1 is free, but theirs is r0.
#[test]
fn p1_elastic_members_join_the_others() {
    check(
        ROOM,
        "3:in..r0 4:in..r1",
        &[
            ("submit 1 to a: 1 x4 min 2 in one rack", "bind 1 x3 on node 0; pending 1: P1"),
            ("submit 2 to a: 1 x2 min 2 in one rack", "bind 2 x2 on node 1; pending 1: P1"),
            ("withdraw 2; grow 1 by 1", "pending 1: P1"),
            // That another gang with the same request finds no room in its rack does not matter here.
            ("submit 3 to a: 1 x3 min 2 in one rack", "bind 3 x3 on node 1; pending 1: P1"),
        ],
    );
}

/// Victims are evicted in the domain where that costs least: in r0 two pods would have to go, in r1 one; b borrows them
/// all.
#[test]
fn p1_v3_victims_are_evicted_in_the_cheapest_domain() {
    check(
        "root 8/8; a<root 4/8; b<root 0/8",
        "2:in..r0 2:in..r0 2:in..r1 2:in..r1",
        &[
            ("no recreation", "nothing"),
            (
                "submit 1 to b: 2; submit 2 to b: 2; submit 3 to b: 2",
                "bind 1 on node 0; bind 2 on node 1; bind 3 on node 2",
            ),
            ("submit 4 to a: 2 x2 in one rack", "evict 3 by R2; bind 4 on node 3; bind 4 on node 2"),
        ],
    );
}

/// The free amount of a rack is measured in cpu if no device is requested: r1 has less cpu, r0 less gpu.
#[test]
fn p1_racks_are_measured_in_cpu() {
    let cluster = "5,2:in..r0 4,9:in..r1";
    check(
        "root 99,99/99,99; a<root 99,99/99,99",
        cluster,
        &[("submit 1 to a: 1,1 x2 in one rack", "bind 1 x2 on node 1")],
    );
}

/// A gang holds two nodes of one rack; when one of them moves to another rack, the hold ends.
#[test]
fn h3_p1_a_holder_whose_nodes_no_longer_share_a_rack_loses_its_hold() {
    check(
        "root 8/8; a<root 4/8; b<root 0/8",
        "2:in..r0 2:in..r0",
        &[
            ("slow evictions; no recreation; submit 1 to b: 2", "bind 1 on node 0"),
            ("submit 2 to a: 2 x2 in one rack", "evict 1 by R2; hold 2; pending 2: H1"),
            ("node 1 changes: 2:in..r1", "pending 2: H1"),
            ("gone 1", "release 2: no longer fits; pending 2: P1"),
        ],
    );
}
