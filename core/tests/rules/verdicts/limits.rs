//! Limits of quota, who holds what is missing, and what is under way (X1).

use super::told;
use quotree_core::Policy;

#[test]
fn x1_x3_of_ceilings_guarantees_and_jobs() {
    told(
        &Policy::default(),
        &[
            // Pods of c stand below no ceiling that is full.
            (
                "root 9/9; x<root 4/4; a<x 2/4; b<x 2/4; c<root 1/9",
                "9",
                &["submit 1 to a: 1; submit 2 to b: 2; submit 3 to c: 1; submit 4 to a: 1", "submit 5 to a: 1"],
                5,
                &[
                    "A1 x cpu 1000/0 [a 2000: 1 4; b 2000: 2]",
                    "R2(a) a cpu 1000/0 [a 2000: 1 4]",
                    "R1 Priority: 2 1 4",
                    "R2(a) above a cpu by 1000: 1 2",
                    "R5 NoHelp: 1",
                    "help: max x cpu 1000",
                ],
            ),
            // A guarantee is held by what may not be evicted, and by that only.
            (
                "root 4/4; a<root 2/4; b<root 2/4",
                "4",
                &[
                    "submit 1 to a: 1 non-preemptible; submit 2 to a: 1; submit 3 to b: 1 non-preemptible",
                    "submit 4 to a: 2 non-preemptible",
                ],
                4,
                &[
                    "A2 a cpu 2000/1000 [a 1000: 1]",
                    "A1 root cpu 2000/1000 [a 2000: 1 2; b 1000: 3]",
                    "P1 cpu 2000/1000 of 1000, nodes 1 full 1, n0 cpu 2000/1000 [a 2000: 1 2; b 1000: 3]",
                    "R5 NoHelp: 3",
                ],
            ),
            (
                "root 4/4; x<root 3/4; a<x 2/4; b<x 1/4; c<root 1/4",
                "9",
                &[
                    "submit 1 to a: 2 non-preemptible; submit 2 to b: 1; submit 3 to c: 1 non-preemptible",
                    "submit 4 to a: 1 non-preemptible",
                ],
                4,
                &[
                    "A2 a cpu 1000/0 [a 2000: 1]",
                    "A1 root cpu 1000/0 [a 2000: 1; b 1000: 2; c 1000: 3]",
                    "R5 NoHelp: 3",
                ],
            ),
            // Of jobs, whoever stands or holds counts.
            (
                "root 9/9; a<root 9/9 jobs=2; b<root 0/9",
                "9",
                &["submit 1 to a: 1; submit 2 to a: 1 x2; submit 3 to b: 1", "submit 4 to a: 1"],
                4,
                &["A5 a 2 jobs [a 0: 1 2 2], entitled", "R5 NoHelp: 4", "help: jobs a 3"],
            ),
            (
                "root 4/4; a<root 4/4 jobs=1; b<root 0/4",
                "4",
                &["slow evictions; submit 1 to b: 4", "submit 2 to a: 1", "submit 3 to a: 1"],
                3,
                &[
                    "A1 root cpu 1000/0 [b 4000+4000: 1], entitled",
                    "A5 a 1 jobs [a 0: 2]",
                    "P1 cpu 1000/0 of 0, nodes 1 full 1, n0 cpu 1000/0 [b 4000+4000: 1]",
                    "R5 NoHelp: 1",
                ],
            ),
            // Of two resources one is missing, and some use none of it.
            (
                "root 4,2/4,2; a<root 1,1/4,2; b<root 3,1/4,2",
                "9,9",
                &["submit 1 to b: 1,0; submit 2 to b: 1,1; submit 3 to a: 1,1", "submit 4 to a: 1,1"],
                4,
                &[
                    "A1 root gpu 1000/0 [a 1000: 3; b 1000: 2]",
                    "R2(a) a cpu 1000/0 [a 1000: 3]",
                    "R2(a) a gpu 1000/0 [a 1000: 3]",
                    "R1 Priority: 1 3",
                    "R2(a) above a cpu by 1000: 1 2",
                    "R5 NoHelp: 1",
                    "help: max root gpu 1000",
                ],
            ),
            // Within its guarantee in one, above it in the other.
            (
                "root 4,4/4,4; a<root 1,1/4,4; b<root 3,3/4,4",
                "9,9",
                &["submit 1 to b: 2,2; submit 2 to a: 0,1; submit 3 to b: 1,1", "submit 4 to a: 1,1"],
                4,
                &[
                    "A1 root gpu 1000/0 [b 3000: 1 3; a 1000: 2]",
                    "R2(a) a gpu 1000/0 [a 1000: 2]",
                    "R1 Priority: 1 2",
                    "R2(a) above a gpu by 1000: 2 1 3",
                    "help: max root gpu 1000",
                ],
            ),
            (
                "root 4,4/4,4; a<root 3,2/4,4; b<root 1,2/4,4",
                "9,9",
                &["submit 1 to a: 1,2 non-preemptible; submit 2 to b: 1,1; submit 3 to b: 2,1", "submit 4 to a: 1,1"],
                4,
                &[
                    "A1 root cpu 1000/0 [b 3000+2000: 2 3; a 1000: 1]",
                    "A1 root gpu 1000/0 [a 2000: 1; b 2000: 2 3]",
                    "R2(a) a gpu 1000/0 [a 2000: 1]",
                    "R2(c) NonPreemptible: 1 1",
                    "R2(a) above a gpu by 1000: 2 2 3",
                ],
            ),
        ],
    );
}

#[test]
fn x1_of_what_leaves() {
    told(
        &Policy::default(),
        &[
            (
                "root 4/4; a<root 2/4; b<root 2/4",
                "4",
                &["slow evictions; submit 1 to b: 2 x2", "submit 2 to a: 1", "submit 3 to a: 1"],
                3,
                &[
                    "A1 root cpu 1000/0 [b 4000+2000: 1 1], entitled",
                    "P1 cpu 1000/0 of 0, nodes 1 full 1, n0 cpu 1000/0 [b 4000+2000: 1 1]",
                    "H1 2 leave",
                    "R2(c) Leaving: 2 1 1",
                ],
            ),
            (
                "root 4/4; a<root 2/4; b<root 2/4",
                "4",
                &["slow evictions; submit 1 to b: 4", "submit 2 to a: 1", "submit 3 to a: 1"],
                2,
                &["H1 holds, 1 leave, entitled"],
            ),
            (
                "root 4/4; a<root 2/4; b<root 2/4",
                "4",
                &["slow evictions; submit 1 to b: 4", "submit 2 to a: 1", "submit 3 to a: 1"],
                3,
                &[
                    "A1 root cpu 1000/0 [b 4000+2000: 1], entitled",
                    "P1 cpu 1000/0 of 0, nodes 1 full 1, n0 cpu 1000/0 [b 4000+2000: 1]",
                    "H1 1 leave",
                    "R2(c) Leaving: 1 1",
                ],
            ),
            (
                "root 4/4; a<root 2/4; b<root 2/4",
                "4",
                &["slow evictions; submit 1 to b: 2 x2 min 1", "submit 2 to a: 2", "submit 3 to b: 1"],
                3,
                &[
                    "A1 b cpu 1000/0 [b 4000+2000: 1 1]",
                    "A1 root cpu 1000/0 [b 4000+2000: 1 1]",
                    "P1 cpu 1000/0 of 0, nodes 1 full 1, n0 cpu 1000/0 [b 4000+2000: 1 1]",
                    "R2(a) b cpu 1000/0 [b 4000+2000: 1 1]",
                    "R2(c) Leaving: 1 1",
                    "R1 Priority: 1 1",
                ],
            ),
            (
                "root 4/4; a<root 2/4; b<root 1/4; c<root 1/4",
                "4",
                &["slow evictions; submit 1 to b: 4", "submit 2 to a: 2", "submit 3 to c: 3"],
                3,
                &[
                    "A1 root cpu 3000/0 [b 4000+3000: 1]",
                    "P1 cpu 3000/0 of 0, nodes 1 full 1, n0 cpu 3000/0 [b 4000+3000: 1]",
                    "R2(a) c cpu 3000/1000",
                    "R2(c) Leaving: 1 1",
                ],
            ),
            (
                "root 9/9; a<root 2/9; b<root 1/9; c<root 1/9",
                "4",
                &["slow evictions; submit 1 to b: 4", "submit 2 to a: 2", "submit 3 to c: 3"],
                3,
                &[
                    "P1 cpu 3000/0 of 0, nodes 1 full 1, n0 cpu 3000/0 [b 4000+3000: 1]",
                    "R2(a) c cpu 3000/1000",
                    "R2(c) Leaving: 1 1",
                    "help: n0 cpu 3000",
                ],
            ),
            (
                "root 4/4; a<root 4/4; b<root 0/4 block",
                "4",
                &["submit 1 to a: 3; submit 2 to b: 2", "submit 3 to b: 1"],
                3,
                &["O2 behind 2"],
            ),
        ],
    );
}
