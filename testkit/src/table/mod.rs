//! Rule tables: a tree, a cluster, and rows. The left column of a row is what happens, the right one what the scheduler
//! makes of it. If any row comes out differently, the failure shows the whole table as it was played.
//!
//! A **tree** is written `root 10/10; a<root 4/6; b<root 6/6 lend=2`: the name of a quota, its parent, its min and max,
//! then `lend=` (the most it lends), `jobs=` (the most workloads at once), `weight=`, `ns=` (its namespaces, by default
//! one of the leaf's own name) and `block` (nobody passes the head of its queue). Amounts are `cpu` or `cpu,gpu`; `-` is
//! none. A **cluster** is a list of nodes, numbered from 0, each its amounts and options: `8,2:dev,zone=a,!gpu,in.z.r` is
//! a node of 8 cpu and 2 gpu, which are devices, with a label, a taint, and a place in rack r of zone z.
//!
//! Each row is a second later than the row before. What happens in a row, joined by `; `, happens before the scheduler
//! decides:
//!
//! | in the left column | what happens |
//! |---|---|
//! | `submit 1 to a: 4` | workload 1 is created in namespace a: one pod that requests 4 cpu |
//! | `... x3`, `... x3 min 2` | a gang of three such pods, of which all, or two, must run together |
//! | `... priority 5`, `... non-preemptible`, `... budget n` | its priority (0 by default); it is never evicted; its disruption budget |
//! | `... quota b`, `... evicts-nobody` | the leaf that it names, whatever its namespace (T1); nobody is evicted for it (R9) |
//! | `... job` | created again, it is as old as it was (O3); without this word it is a new pod |
//! | `... on zone=a`, `... tolerates t`, `... in one rack` | its node selector, toleration and topology constraint |
//! | `withdraw 1`, `finish 1`, `fail 1` | the workload is deleted; all its running pods succeed; one of them fails |
//! | `terminate 1`, `terminate 1 x2` | somebody else deletes its running pods, or two of them: they begin to leave |
//! | `gone 1` | its leaving pods are gone |
//! | `next bind goes to node 2` | the next bind puts its pod there, wherever the plan put it (E3) |
//! | `eviction fails 1` | the evictions of it under way cannot be done (E2) |
//! | `eviction taken back 1` | the caller takes back the evictions of it (E2) |
//! | `eviction seen 1` | its pods that are evicted are seen to be leaving |
//! | `find 1`, `find 1 x2 on node 3` | its pending pods, or two of them, are found running on node 0, or 3 (E1) |
//! | `find 1 binding`, `find 1 terminating` | they are found there in another state |
//! | `recreate 1` | its controller creates it again after it was lost |
//! | `priority 1: 5`, `grow 1 by 2` | it gets another priority; two more elastic pods |
//! | `preemptible 1`, `non-preemptible 1` | from now on it may, or may not, be evicted |
//! | `budget of 1: n`, `budget of 1: none` | it gets another disruption budget, or none |
//! | `minimum 1: 2` | from now on two of its pods must run together |
//! | `pod 1 requests 3`, `pod 1 x2 requests 3` | the running pods of it, or if none runs the pending ones, request 3 cpu, or two of them do |
//! | `pod 1 on zone=a`, `pod 1 tolerates t` | likewise, they get another node selector or toleration |
//! | `node 2 up: 4`, `node 2 changes: 4`, `node 2 down`, `cordon node 2` | a node joins, changes, is lost, takes no new pods |
//! | `budget n allows 1`, `wait 50 ms`, `next bind fails` | a disruption budget; time passes; the next bind is refused |
//! | `slow evictions` | from now on an evicted pod keeps its place until `gone` |
//! | `no recreation` | from now on no controller creates evicted workloads again |
//! | `tree root ...` | the tree is replaced by the one in the rest of the row |
//!
//! The right column lists the actions in the order in which the scheduler took them, then the pending workloads, each with
//! the rule that keeps it pending and the quota where it does: `evict 2 x2 by R1; bind 1 on node 0; pending 2': A1 at a`.
//! `x2` counts pods, `on node` is shown where there are several nodes, `2'` is what the controller created in place of the
//! evicted 2. `hold 1` says that resources are reserved for 1 until its victims are gone, `release 1: ...` why such a
//! reservation ended. `nothing` says that there was no action and nothing is pending.

mod game;
mod outcome;
mod read;

pub use game::Game;
pub use read::{amounts, tree};

use quotree_core::Policy;

/// Recreated workloads count up from the first by this much.
const RECREATED: u32 = 100;

/// Why a table cannot be read, as text.
type Malformed = String;

/// Plays the rows and compares what comes of each.
///
/// # Panics
/// When a row comes out differently, when an invariant breaks, or when the table cannot be read. The message has them all.
pub fn check(tree: &str, cluster: &str, policy: Policy, rows: &[(&str, &str)]) {
    let mut report = Vec::new();
    let mut failed = false;
    match Game::new(tree, cluster, policy) {
        Err(why) => {
            failed = true;
            report.push(why);
        }
        Ok(mut game) => {
            for (row, expected) in rows {
                let actual = game.row(row).unwrap_or_else(|why| format!("MALFORMED: {why}"));
                let broken = game.broken();
                let same = actual == *expected && broken.is_empty();
                failed |= !same;
                let mark = if same { " " } else { "X" };
                report.push(format!("{mark} {row:40} {actual}"));
                if !same {
                    report.push(format!("  {:40} {expected}   <- expected", ""));
                }
                report.extend(broken.into_iter().map(|invariant| format!("  BROKEN {invariant}")));
            }
        }
    }
    assert!(!failed, "\n{tree}\n{cluster}\n{}\n", report.join("\n"));
}
