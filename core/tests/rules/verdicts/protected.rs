//! Whom which rule protects (X1).

use super::told;
use quotree_core::{Floor, Policy, Preemption, RespectBudgets, Unquotaed};

#[test]
fn x1_of_whom_which_rule_protects() {
    let free = Policy { unquotaed: Unquotaed::Schedule, ..Policy::default() };
    let tree = "root 4/4; a<root 2/4; b<root 2/4";
    told(
        &free,
        &[
            // Pods without a quota go for whoever is entitled at the root.
            (
                "root 9/9; a<root 2/9; b<root 2/9",
                "4",
                &["submit 1 to -: 2 non-preemptible; submit 2 to -: 1; submit 3 to b: 1", "submit 4 to a: 2"],
                4,
                &[
                    "P1 cpu 2000/1000 of 0, nodes 1 full 1, n0 cpu 2000/1000 without 2 [- 3000: 1 2; b 1000: 3], entitled",
                    "R2(c) NonPreemptible: 1 1",
                    "R2(b) within b cpu: 1 3",
                    "R6 NotEnough: 1 2",
                    "help: n0 cpu 1000",
                    "help: 1 preemptible",
                ],
            ),
            (
                "root 9/9; x<root 2/9; a<x 2/9; b<root 2/9",
                "4",
                &["submit 1 to -: 1; submit 2 to x: 1; submit 3 to b: 2", "submit 4 to a: 3"],
                4,
                &[
                    "P1 cpu 3000/0 of 0, nodes 1 full 1, n0 cpu 3000/0 [- 2000: 1 2; b 2000: 3]",
                    "R2(a) a cpu 3000/2000",
                    "R2(a) above a cpu by 1000: 3 1 2 3",
                    "help: n0 cpu 3000",
                ],
            ),
            (
                "root 9/9; a<root 1/9; b<root 2/9",
                "4",
                &["submit 1 to -: 2; submit 2 to -: 1; submit 3 to b: 1", "submit 4 to a: 2"],
                4,
                &[
                    "P1 cpu 2000/0 of 0, nodes 1 full 1, n0 cpu 2000/0 [- 3000: 1 2; b 1000: 3]",
                    "R2(a) a cpu 2000/1000",
                    "R2(a) above a cpu by 1000: 3 1 2 3",
                    "help: min a cpu 1000",
                    "help: n0 cpu 2000",
                ],
            ),
        ],
    );
    let always = Policy { respect_budgets: RespectBudgets::Always, ..Policy::default() };
    told(
        &always,
        &[
            (
                tree,
                "4",
                &[
                    "budget x allows 1; submit 1 to b: 1 x2 budget x; submit 2 to b: 1 non-preemptible; submit 3 to b: 1 non-preemptible",
                    "submit 4 to a: 1",
                ],
                4,
                &[
                    "A1 root cpu 1000/0 [b 4000+2000: 1 1 2 3], entitled",
                    "P1 cpu 1000/0 of 0, nodes 1 full 1, n0 cpu 1000/0 [b 4000+2000: 1 1 2 3]",
                    "R2(c) NonPreemptible: 2 2 3",
                    "R7 budget x: 2 1 1",
                    "help: 2 preemptible",
                    "help: 3 preemptible",
                ],
            ),
            (
                tree,
                "4",
                &[
                    "budget x allows 1; budget y allows 0; submit 1 to b: 1 budget x; submit 2 to b: 1 budget y; submit 3 to b: 2 non-preemptible",
                    "submit 4 to a: 2",
                ],
                4,
                &[
                    "A1 root cpu 2000/0 [b 4000+2000: 1 2 3], entitled",
                    "P1 cpu 2000/0 of 0, nodes 1 full 1, n0 cpu 2000/0 [b 4000+2000: 1 2 3]",
                    "R2(c) NonPreemptible: 1 3",
                    "R7 budget y: 1 2",
                    "R6 NotEnough: 1 1",
                    "help: 3 preemptible",
                ],
            ),
            (
                tree,
                "4",
                &[
                    "budget x allows 0; submit 1 to b: 1 budget x; submit 2 to b: 1 budget x; submit 3 to a: 1 non-preemptible; submit 4 to a: 1",
                    "submit 5 to a: 2 priority 1",
                ],
                5,
                &[
                    "A1 root cpu 2000/0 [a 2000: 3 4; b 2000: 1 2]",
                    "P1 cpu 2000/0 of 0, nodes 1 full 1, n0 cpu 2000/0 [a 2000: 3 4; b 2000: 1 2]",
                    "R2(a) a cpu 2000/0 [a 2000: 3 4]",
                    "R2(c) NonPreemptible: 1 3",
                    "R2(a) above a cpu by 2000: 2 1 2",
                    "R6 NotEnough: 1 4",
                    "help: 3 preemptible",
                ],
            ),
        ],
    );
    told(
        &Policy::default(),
        &[
            // By default budgets are broken where nothing else helps: they protect nobody.
            (
                "root 5/5; a<root 2/5; b<root 3/5",
                "3 1 1",
                &[
                    "budget x allows 0; submit 1 to b: 3 non-preemptible; submit 2 to b: 1 budget x; submit 3 to b: 1",
                    "submit 4 to a: 2",
                ],
                4,
                &[
                    "A1 root cpu 2000/0 [b 5000+2000: 1 2 3], entitled",
                    "P1 cpu 2000/1000 of 2000, nodes 3 full 3, without 3 2, n1 cpu 2000/1000, n2 cpu 2000/1000, n0 cpu 2000/0 [b 5000+2000: 1 2 3]",
                    "R2(c) NonPreemptible: 1 1",
                    "R6 NotEnough: 2 2 3",
                    "help: n1 cpu 1000",
                    "help: 1 preemptible",
                ],
            ),
            // Above its guarantee in one of the two that a node lacks: it could be taken, but that is not enough.
            (
                "root 20,9/20,9; a<root 6,4/20,9; b<root 4,1/20,9",
                "5,3",
                &["submit 1 to b: 2,1; submit 2 to b: 2,1; submit 3 to a: 1,1 non-preemptible", "submit 4 to a: 5,3"],
                4,
                &[
                    "P1 cpu 5000/2000 of 0, nodes 1 full 1, n0 cpu 5000/2000 and 1 more without 2 [b 4000: 1 2; a 1000: 3], entitled",
                    "R2(c) NonPreemptible: 1 3",
                    "R6 NotEnough: 2 1 2",
                ],
            ),
        ],
    );
    let both = Policy { unquotaed: Unquotaed::Schedule, ..always.clone() };
    told(
        &both,
        &[(
            "root 9/9; a<root 2/9; b<root 2/9",
            "4",
            &[
                "budget x allows 0; submit 1 to -: 2 non-preemptible; submit 2 to -: 1 budget x; submit 3 to b: 1",
                "submit 4 to a: 2",
            ],
            4,
            &[
                "P1 cpu 2000/0 of 0, nodes 1 full 1, n0 cpu 2000/0 [- 3000: 1 2; b 1000: 3], entitled",
                "R2(c) NonPreemptible: 1 1",
                "R2(b) within b cpu: 1 3",
                "R7 budget x: 1 2",
                "help: n0 cpu 2000",
                "help: 1 preemptible",
            ],
        )],
    );
    let young = Policy { min_runtime_ms: 5000, ..Policy::default() };
    told(
        &young,
        &[
            (
                tree,
                "4",
                &["submit 1 to b: 4", "submit 2 to a: 1"],
                2,
                &[
                    "A1 root cpu 1000/0 [b 4000+2000: 1], entitled",
                    "P1 cpu 1000/0 of 0, nodes 1 full 1, n0 cpu 1000/0 [b 4000+2000: 1]",
                    "R2(c) ProtectedRuntime: 1 1",
                ],
            ),
            (
                "root 9/9; a<root 4/9; b<root 1/9",
                "1 1",
                &["submit 1 to b: 1; submit 2 to b: 1", "wait 3999 ms; submit 3 to a: 2"],
                3,
                &[
                    "P1 cpu 2000/0 of 0, nodes 2 full 2, n0 cpu 2000/0, n1 cpu 2000/0 [b 2000+1000: 1 2], entitled",
                    "R2(c) ProtectedRuntime: 2 1 2",
                    "help: n0 cpu 2000",
                ],
            ),
            (
                "root 9/9; a<root 4/9; b<root 1/9",
                "1 1",
                &["submit 1 to b: 1; submit 2 to b: 1", "wait 4000 ms; submit 3 to a: 2"],
                3,
                &[
                    "P1 cpu 2000/1000 of 0, nodes 2 full 2, n0 cpu 2000/1000 without 1, n1 cpu 2000/1000 without 2 [b 2000+1000: 1 2], entitled",
                    "R6 NotEnough: 2 1 2",
                    "help: n0 cpu 1000",
                ],
            ),
        ],
    );
    let strict = Policy { floor: Floor::Strict, ..Policy::default() };
    told(
        &strict,
        &[
            (
                "root 5/5; a<root 3/5; b<root 2/5",
                "5",
                &[
                    "submit 1 to b: 1 x2; submit 2 to b: 1 non-preemptible; submit 3 to a: 2 non-preemptible",
                    "submit 4 to a: 1",
                ],
                4,
                &[
                    "A1 root cpu 1000/0 [b 3000+1000: 1 1 2; a 2000: 3], entitled",
                    "P1 cpu 1000/0 of 0, nodes 1 full 1, n0 cpu 1000/0 [b 3000+1000: 1 1 2; a 2000: 3]",
                    "R2(c) NonPreemptible: 2 2 3",
                    "R2(b) within b cpu: 2 1 1",
                    "help: 2 preemptible",
                ],
            ),
            (
                "root 9/9; a<root 4/9; b<root 1/9",
                "1 1",
                &["submit 1 to b: 1; submit 2 to b: 1 non-preemptible", "submit 3 to a: 2"],
                3,
                &[
                    "P1 cpu 2000/1000 of 0, nodes 2 full 2, n0 cpu 2000/1000 without 1, n1 cpu 2000/0 [b 2000+1000: 1 2], entitled",
                    "R2(c) NonPreemptible: 1 2",
                    "R6 NotEnough: 1 1",
                    "help: n0 cpu 1000",
                ],
            ),
        ],
    );
    let off = Policy { preemption: Preemption::None, ..Policy::default() };
    told(
        &off,
        &[(
            tree,
            "4",
            &["submit 1 to b: 3; submit 2 to a: 1", "submit 3 to a: 1 priority 9"],
            3,
            &[
                "A1 root cpu 1000/0 [b 3000+1000: 1; a 1000: 2], entitled",
                "P1 cpu 1000/0 of 0, nodes 1 full 1, n0 cpu 1000/0 [b 3000+1000: 1; a 1000: 2]",
                "R8 Policy: 2 1 2",
            ],
        )],
    );
}
