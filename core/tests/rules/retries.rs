//! W1 to W4: which pending workloads a decision tries again, and which it need not.

use crate::check;
use quotree_core::Policy;
use quotree_testkit::table::Game;

/// Plays a row; the workloads that were tried in vain, in order.
fn tried(game: &mut Game, row: &str) -> Vec<u32> {
    game.row(row).unwrap();
    game.tried()
}

/// 2 and 3 ask for the same, so 3 is not tried once 2 has failed; 4 asks for something else.
#[test]
fn w1_of_equal_asks_only_the_first_is_tried() {
    let mut game = Game::new("root 9/9; a<root 0/9", "4", Policy::default()).unwrap();
    let first = "submit 1 to a: 3; submit 2 to a: 2; submit 3 to a: 2; submit 4 to a: 4";
    assert_eq!(tried(&mut game, first), [2, 4]);
    assert_eq!(tried(&mut game, "withdraw 2"), [0; 0], "3 would fail for the same reason");
}

/// a has no min and all its pods have the same priority, so 2 may evict nobody: it waits for room.
#[test]
fn w2_what_found_no_room_is_tried_again_when_a_node_has_room_for_it() {
    let mut game = Game::new("root 9/9; a<root 0/9", "4", Policy::default()).unwrap();
    assert_eq!(tried(&mut game, "submit 1 to a: 3; submit 2 to a: 2"), [2]);
    assert_eq!(tried(&mut game, "wait 1000 ms"), [0; 0], "nothing came free");
    assert_eq!(tried(&mut game, "node 1 up: 1"), [0; 0], "the new node is too small");
    assert_eq!(game.row("node 2 up: 2").unwrap(), "bind 2");
}

/// b uses its min and loses nothing; c borrows, but too little. a is entitled, and may find a victim after any event.
#[test]
fn w2_a_workload_that_may_preempt_is_tried_again_after_every_event() {
    let mut game = Game::new("root 9/9; a<root 2/9; b<root 4/9; c<root 0/9", "4 1", Policy::default()).unwrap();
    assert_eq!(tried(&mut game, "submit 1 to b: 4; submit 3 to c: 1"), [0; 0]);
    assert_eq!(tried(&mut game, "wait 1000 ms; submit 2 to a: 2"), [2]);
    assert_eq!(tried(&mut game, "wait 1000 ms"), [2]);
}

/// Nobody borrows, so no search for victims finds any. Room is enough to be tried again.
#[test]
fn w2_where_nobody_borrows_nobody_searches_for_victims() {
    let mut game = Game::new("root 9/9; a<root 2/9; b<root 4/9", "4", Policy::default()).unwrap();
    assert_eq!(tried(&mut game, "submit 1 to b: 4"), [0; 0]);
    assert_eq!(tried(&mut game, "submit 2 to a: 2"), [2], "it came just now");
    assert_eq!(tried(&mut game, "wait 1000 ms"), [0; 0]);
    assert_eq!(game.row("finish 1").unwrap(), "bind 2");
}

/// The only GPU is used within a guarantee, and c borrows cores: to evict it gives a no GPU.
#[test]
fn w2_who_lacks_what_no_borrower_uses_does_not_search_for_victims() {
    let tree = "root 9,2/20,2; a<root 1,1/9,2; b<root 1,1/9,2; c<root -,-/9,2";
    let mut game = Game::new(tree, "9,1", Policy::default()).unwrap();
    assert_eq!(tried(&mut game, "submit 1 to b: 1,1; submit 2 to c: 8,0"), [0; 0]);
    assert_eq!(tried(&mut game, "wait 1000 ms; submit 3 to a: 1,1"), [3]);
    assert_eq!(tried(&mut game, "wait 1000 ms"), [0; 0]);
    assert_eq!(tried(&mut game, "node 1 up: 0,1"), [3], "a GPU is free, and c uses cores");
    assert_eq!(game.row("node 2 up: 1,1").unwrap(), "bind 3");
}

/// When 1 ends, the limits admit 3, which no node has room for. Its try fails, and then 4 is the first of its leaf: it is
/// entitled, and goes before 5. That holds although one search passes over 3.
#[test]
fn w2_o1_whoever_would_fail_lets_the_entitled_behind_it_go_first() {
    let tree = "root 14,6/14,6; a<root 7,0/14,2; b<root 6,6/14,6";
    let mut game = Game::new(tree, "7,6 5,0", Policy::default()).unwrap();
    let first = "submit 1 to b: 0,4 priority 3; submit 2 to b: 5,2 priority 3; submit 3 to a: 4,1 priority 3";
    let barred = "bind 1 on node 0; bind 2 on node 0; pending 3: A1 at root";
    assert_eq!(game.row(first).unwrap(), barred, "the root has no memory left for 3");
    let then = "finish 1; submit 4 to a: 3,0 priority 1; submit 5 to b: 5,0 priority 3";
    assert_eq!(game.row(then).unwrap(), "bind 4 on node 1; pending 3: P1, 5: P1");
}

/// 2 and 3 have room for one of them. Once 2 is placed, no pod of 3 fits on the node that became free, so 3 is not tried.
#[test]
fn w2_room_that_has_gone_to_another_is_no_room() {
    let mut game = Game::new("root 9/9; a<root 0/9", "4", Policy::default()).unwrap();
    assert_eq!(tried(&mut game, "submit 1 to a: 4; submit 2 to a: 3; submit 3 to a: 2"), [2, 3]);
    assert_eq!(tried(&mut game, "finish 1"), [0; 0]);
    assert_eq!(game.pods("a"), (1, 1), "2 runs, 3 waits");
}

/// When 1 ends, the min of a covers both 2 and 3. 2 takes it, and 3 would fail: nothing is gained by trying it.
#[test]
fn w2_what_the_leaf_covers_no_more_is_not_tried() {
    let mut game = Game::new("root 9/9; a<root 3/3", "9", Policy::default()).unwrap();
    assert_eq!(tried(&mut game, "submit 1 to a: 3; submit 2 to a: 3; submit 3 to a: 2"), [2, 3]);
    assert_eq!(tried(&mut game, "finish 1"), [0; 0]);
    assert_eq!(game.pods("a"), (1, 1), "2 runs, 3 waits");
}

/// When 1 ends, 2 is placed. The min of a covers 4 no more, so 4 keeps 5 from nothing: 5 is entitled and goes before 3 of b.
#[test]
fn w2_o1_who_is_covered_no_more_does_not_keep_others_from_going_first() {
    check(
        "root 9/9; a<root 3/3; b<root 0/9",
        "3",
        &[
            ("submit 1 to a: 3", "bind 1"),
            (
                "submit 2 to a: 2; submit 3 to b: 1; submit 4 to a: 3; submit 5 to a: 1",
                "pending 2: A1 at a, 3: P1, 4: A1 at a, 5: A1 at a",
            ),
            ("finish 1", "bind 2; bind 5; pending 3: P1, 4: A1 at a"),
        ],
    );
}

/// 2 finds no victim in b, which is within its min, until 3 is placed and b borrows: the same decision tries 2 again.
#[test]
fn w4_what_a_decision_does_may_help_who_was_tried_before() {
    check(
        "root 9/9; a<root 3/9; b<root 2/9",
        "4:z=x 1:z=y",
        &[
            ("no recreation; submit 1 to b: 2", "bind 1 on node 0"),
            ("submit 2 to a: 3 on z=x; submit 3 to b: 1 on z=y", "bind 3 on node 1; evict 1 by R2; bind 2 on node 0"),
        ],
    );
}

/// q has too little memory left for 2, so 2 is not tried while nobody borrows. Once 3 is placed, b borrows cores: 2 is
/// entitled, and goes before 4. So it does where a quota has a lend floor, and the limits of each quota do not decide.
#[test]
fn w2_o1_l3_who_is_barred_is_tried_as_soon_as_somebody_borrows() {
    for lend in ["", " lend=3,0"] {
        check(
            &format!("root 9,-/9,-; q<root 4,-/9,2{lend}; a<q 2,-/9,-; b<q 2,-/9,-"),
            "9,9",
            &[
                ("no recreation; submit 1 to b: 2,1", "bind 1"),
                ("submit 2 to a: 2,2", "pending 2: A1 at q"),
                ("submit 3 to b: 1,0; submit 4 to b: 1,0", "bind 3; evict 1 by R2; bind 4; bind 2"),
            ],
        );
    }
}
