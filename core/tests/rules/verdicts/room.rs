//! What room is missing (X1, P1, S4).

use super::told;
use quotree_core::Policy;

#[test]
fn x1_x3_of_room() {
    told(
        &Policy::default(),
        &[
            // Of a workload on two nodes, the pod on the one that suits could help.
            (
                "root 9/9; a<root 5/9; b<root 4/9",
                "2:z=y 2",
                &["submit 1 to b: 2 x2", "submit 2 to a: 1 on z=y"],
                2,
                &[
                    "P1 cpu 1000/0 of 0, nodes 2 other 1 full 1, n0 cpu 1000/0 [b 2000: 1], entitled",
                    "R2(b) within b cpu: 1 1",
                    "R5 NoHelp: 1",
                    "help: n0 cpu 1000",
                ],
            ),
            // A pod that uses nothing of what the node lacks is no help.
            (
                "root 9,9/9,9; a<root 5,5/9,9; b<root 4,4/9,9",
                "4,1",
                &["submit 1 to b: 1,0; submit 2 to b: 1,1", "submit 3 to a: 1,1"],
                3,
                &[
                    "P1 gpu 1000/0 of 0, nodes 1 full 1, n0 gpu 1000/0 [b 1000: 2], entitled",
                    "R2(b) within b gpu: 1 2",
                    "R5 NoHelp: 1",
                    "help: n0 gpu 1000",
                ],
            ),
            // Nodes by what rules them out; the closest of the others.
            (
                "root 9/9; a<root 9/9",
                "1 2 3:!t 4:z=y 2 1",
                &[
                    "cordon node 1; submit 1 to a: 4 on z=y",
                    "submit 2 to a: 2 non-preemptible on z=n; submit 3 to a: 1",
                ],
                2,
                &["P1 - 0/0 of 0, nodes 6 cordoned 1 tainted 1 other 4, entitled", "R5 NoHelp: 2"],
            ),
            (
                "root 9/9; a<root 9/9",
                "1 2 3 1",
                &["cordon node 2; submit 1 to a: 3"],
                1,
                &[
                    "P1 cpu 3000/2000 of 4000, nodes 4 cordoned 1 full 3, n1 cpu 3000/2000, n0 cpu 3000/1000, n3 cpu 3000/1000, entitled",
                    "help: n1 cpu 1000",
                ],
            ),
            (
                "root 9/9; a<root 9/9",
                "1 3 2",
                &["cordon node 1; cordon node 2; submit 1 to a: 2"],
                1,
                &[
                    "P1 cpu 2000/1000 of 1000, nodes 3 cordoned 2 full 1, n0 cpu 2000/1000, entitled",
                    "help: n0 cpu 1000",
                ],
            ),
            (
                "root 9/9; a<root 9/9",
                "3",
                &["cordon node 0; submit 1 to a: 2"],
                1,
                &["P1 - 0/0 of 0, nodes 1 cordoned 1, entitled", "help: uncordon n0"],
            ),
            (
                "root 9/9; a<root 9/9",
                "4 4",
                &["submit 1 to a: 2 non-preemptible; submit 2 to a: 3 non-preemptible", "submit 3 to a: 2 x2"],
                3,
                &[
                    "P1 cpu 2000/1000 of 1000, nodes 2 full 2, 1 stand on \"0\", n1 cpu 2000/1000, n0 cpu 2000/0 [a 5000: 1 2], entitled",
                    "R2(c) NonPreemptible: 1 2",
                    "R5 NoHelp: 1",
                    "help: n1 cpu 1000",
                ],
            ),
            (
                "root 9,9/9,9; a<root 9,9/9,9",
                "9,1:dev 1,2:dev",
                &["submit 1 to a: 1,0.6 x2 non-preemptible; submit 2 to a: 2,1"],
                2,
                &[
                    "P1 gpu 1000/400 of 1800, nodes 2 full 2, n0 gpu 1000/400, n1 cpu 2000/0 [a 1200: 1 1], entitled",
                    "R2(c) NonPreemptible: 2 1 1",
                    "help: n1 cpu 2000",
                ],
            ),
            (
                "root 9,9/9,9; a<root 9,9/9,9",
                "3,2:dev",
                &["submit 1 to a: 1,0.6 x2 non-preemptible; submit 2 to a: 1,0.7"],
                2,
                &[
                    "P1 gpu 700/400 of 800, nodes 1 in pieces 1, n0 gpu 700/400 [a 1200: 1 1], entitled",
                    "R2(c) NonPreemptible: 2 1 1",
                ],
            ),
            (
                "root 9,9/9,9; a<root 9,9/9,9",
                "1,1 2,1 1,2",
                &["submit 1 to a: 2,3"],
                1,
                &[
                    "P1 gpu 3000/1000 of 4000, nodes 3 full 3, n1 gpu 3000/1000, n0 cpu 2000/1000 and 1 more, n2 cpu 2000/1000 and 1 more, entitled",
                    "help: n1 gpu 2000",
                ],
            ),
            // On a node that does not suit, pods of the own leaf would pay, and others would not.
            (
                "root 9/9; a<root 1/9; b<root 1/9",
                "4:z=n",
                &[
                    "submit 1 to a: 1; submit 2 to b: 1 non-preemptible; submit 3 to a: 1 priority 9",
                    "node 1 up: 2:z=y; submit 4 to a: 2 priority 5 on z=n; submit 5 to b: 1 on z=y; submit 6 to a: 1 priority 9 on z=y",
                ],
                4,
                &[
                    "P1 cpu 2000/1000 of 1000, nodes 2 other 1 full 1, n0 cpu 2000/1000 [a 2000+2000: 1 3; b 1000+1000: 2]",
                    "R1 a cpu 2000/1000 [a 3000+2000: 1 3 6]",
                    "R2(c) NonPreemptible: 1 2",
                    "R1 Priority: 2 3 6",
                    "R6 NotEnough: 1 1",
                    "R5 NoHelp: 1",
                    "help: min a cpu 3000",
                    "help: n0 cpu 1000",
                ],
            ),
            // It borrows more than whoever it may displace frees.
            (
                "root 9/9; a<root 1/9; b<root 1/9",
                "4",
                &[
                    "submit 1 to a: 1; submit 2 to b: 1 non-preemptible; submit 3 to a: 1 priority 9",
                    "node 1 up: 1:z=y; submit 4 to a: 2 priority 5; submit 5 to b: 1 on z=y",
                ],
                4,
                &[
                    "P1 cpu 2000/1000 of 1000, nodes 2 full 2, n0 cpu 2000/1000, n1 cpu 2000/0 [a 2000+1000: 1 3; b 2000+1000: 2 5]",
                    "R1 a cpu 2000/1000 [a 2000+1000: 1 3]",
                    "R2(a) a cpu 2000/-1000 [a 2000+1000: 1 3]",
                    "R2(c) NonPreemptible: 1 2",
                    "R1 Priority: 1 3",
                    "R2(a) above a cpu by 3000: 1 5",
                    "R6 NotEnough: 1 1",
                    "help: min a cpu 2000",
                    "help: n0 cpu 1000",
                ],
            ),
        ],
    );
}
