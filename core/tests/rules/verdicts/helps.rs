//! The least that helps (X3).

use super::told;
use quotree_core::Policy;

#[test]
fn x3_of_the_least_that_helps() {
    told(
        &Policy::default(),
        &[
            (
                "root 6/6; a<root 1/6; b<root 2/6; c<root 3/6",
                "6",
                &["submit 1 to b: 3; submit 2 to b: 3", "submit 3 to a: 2"],
                3,
                &[
                    "A1 root cpu 2000/0 [b 6000+4000: 1 2]",
                    "P1 cpu 2000/0 of 0, nodes 1 full 1, n0 cpu 2000/0 [b 6000+4000: 1 2]",
                    "R2(a) a cpu 2000/1000",
                    "R2(a) above a cpu by 1000: 2 1 2",
                    "help: min a cpu 1000 from c",
                ],
            ),
            (
                "root 8/8; a<root 1/8; b<root 2/8; c<root 3/8; d<root 2/8",
                "8",
                &["submit 1 to b: 4; submit 2 to b: 4", "submit 3 to a: 2 non-preemptible"],
                3,
                &[
                    "A2 a cpu 2000/1000",
                    "A1 root cpu 2000/0 [b 8000+6000: 1 2]",
                    "P1 cpu 2000/0 of 0, nodes 1 full 1, n0 cpu 2000/0 [b 8000+6000: 1 2]",
                    "R5 NoHelp: 2",
                    "help: min a cpu 1000 from c",
                ],
            ),
            (
                "root 8/8; x<root 4/8; a<x 1/8; b<root 4/8",
                "8",
                &["submit 1 to b: 4; submit 2 to b: 4", "submit 3 to a: 3"],
                3,
                &[
                    "A1 root cpu 3000/0 [b 8000+4000: 1 2]",
                    "P1 cpu 3000/0 of 0, nodes 1 full 1, n0 cpu 3000/0 [b 8000+4000: 1 2]",
                    "R2(a) a cpu 3000/1000",
                    "R2(a) above a cpu by 2000: 2 1 2",
                    "help: min a cpu 2000",
                ],
            ),
            // Each ceiling alone is no help.
            (
                "root 8/8; x<root 4/5; a<x 1/3; b<root 4/8",
                "8",
                &["submit 1 to b: 1", "submit 3 to a: 6"],
                3,
                &["A1 a cpu 6000/3000", "A1 x cpu 6000/5000", "R5 NoHelp: 1"],
            ),
            (
                "root 8/8; x<root 4/5; a<x 1/3; b<root 4/8",
                "8",
                &["submit 1 to b: 1", "submit 3 to a: 4"],
                3,
                &["A1 a cpu 4000/3000", "R5 NoHelp: 1", "help: max a cpu 1000"],
            ),
            // A sibling that keeps less to itself is none of the changes that are tried.
            (
                "root 8/8; a<root 3/8; b<root 4/8 lend=2",
                "8",
                &["submit 1 to a: 5", "submit 2 to a: 2"],
                2,
                &["A1 root cpu 2000/1000 [a 5000+2000: 1]", "R1 Priority: 1 1", "help: max root cpu 1000"],
            ),
            // Beside a hold.
            (
                "root 9/9; a<root 2/2; b<root 1/9; c<root 1/9",
                "4:z=y",
                &["slow evictions; submit 1 to b: 4", "submit 2 to a: 2", "node 1 up: 2; submit 3 to c: 4 on z=y"],
                3,
                &[
                    "P1 cpu 4000/0 of 0, nodes 2 other 1 full 1, n0 cpu 4000/0 [b 4000+3000: 1]",
                    "R2(a) c cpu 4000/1000",
                    "R2(c) Leaving: 1 1",
                    "help: min c cpu 3000",
                    "help: n0 cpu 4000",
                ],
            ),
            (
                "root 4/4; a<root 2/2; b<root 2/4",
                "4",
                &["slow evictions; submit 1 to b: 4", "submit 2 to a: 2", "submit 3 to a: 1"],
                3,
                &[
                    "A1 a cpu 1000/0",
                    "A1 root cpu 1000/0 [b 4000+2000: 1]",
                    "P1 cpu 1000/0 of 0, nodes 1 full 1, n0 cpu 1000/0 [b 4000+2000: 1]",
                    "R2(a) a cpu 1000/0",
                    "R2(c) Leaving: 1 1",
                ],
            ),
            // Less than what is missing: the displaced one frees the rest.
            (
                "root 8/8; a<root 2/8; b<root 6/8",
                "4",
                &[
                    "submit 1 to a: 1; submit 2 to b: 2 non-preemptible; submit 3 to b: 1",
                    "submit 4 to a: 3 priority 1",
                ],
                4,
                &[
                    "P1 cpu 3000/1000 of 0, nodes 1 full 1, n0 cpu 3000/1000 without 1 [b 3000: 2 3; a 1000: 1]",
                    "R2(a) a cpu 3000/1000 [a 1000: 1]",
                    "R2(c) NonPreemptible: 1 2",
                    "R2(a) above a cpu by 2000: 1 3",
                    "R6 NotEnough: 1 1",
                ],
            ),
        ],
    );
}
