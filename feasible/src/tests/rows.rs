//! Whole questions with the sentences that a planner reads.

use crate::{Answer, Limits, Question, Study};
use quotree_core::{Amounts, Level, Name, NodeSpec, PodTemplate, Policy, QuotaSpec, Time, TreeSpec};
use quotree_model::{Change, Cluster, DeviceUse, Kind, Node, Priority, QuotaEdit, Runtime, TimedChange, Workload};
use std::sync::Arc;

fn gpus(count: i64) -> Amounts {
    Amounts::new().with("gpu", count * 1000)
}

/// Nodes of `gpus` each, `racked` to a rack.
fn cluster(nodes: usize, each: i64, racked: usize) -> Cluster {
    let node = |at: usize| {
        let mut spec = NodeSpec::new(at as u32, gpus(each));
        spec.rack = Some(Name::from(format!("r{}", at / racked).as_str()));
        Node::new(format!("n{at}"), Name::from("pool"), spec)
    };
    Cluster { nodes: (0..nodes).map(node).collect(), ..Cluster::default() }
}

/// Two teams with these mins below a root.
fn tree(mins: &[(&str, i64)], max: i64) -> TreeSpec {
    let root = QuotaSpec::new("root", None).max(gpus(max)).min(gpus(max));
    let team =
        |(name, min): &(&str, i64)| QuotaSpec::new(name, Some("root")).min(gpus(*min)).max(gpus(max)).namespace(name);
    std::iter::once(root).chain(mins.iter().map(team)).collect()
}

fn workload(name: &str, namespace: &str, kind: Kind) -> Workload {
    Workload {
        name: name.into(),
        namespace: namespace.into(),
        user: None,
        priority: Priority::default(),
        preemptible: true,
        budget: None,
        together: None,
        eviction_grace: None,
        submit: Time(0),
        arrivals: None,
        deadline_ms: None,
        device_use: DeviceUse::default(),
        kind,
    }
}

fn pods(name: &str, namespace: &str, each: i64, count: u32) -> Workload {
    let template = Arc::new(PodTemplate { request: gpus(each), ..PodTemplate::default() });
    workload(name, namespace, Kind::Deployment { replicas: count, template })
}

fn gang(name: &str, namespace: &str, each: i64, count: u32, together: Option<Level>) -> Workload {
    let template = Arc::new(PodTemplate { request: gpus(each), ..PodTemplate::default() });
    let role = quotree_model::Role { name: "worker".into(), replicas: count, min: count, works: true, template };
    let kind = Kind::Training {
        roles: vec![role],
        work: quotree_model::Work::Runtime(Runtime::Forever),
        scaling: quotree_model::Scaling::Linear,
        checkpoints: quotree_model::Checkpoints { checkpoint: None, checkpoint_cost: quotree_model::Ms(0) },
        restart_overhead_ms: 0,
        max_restarts: None,
        runtime_limit_ms: None,
        on_loss: quotree_model::OnLoss::Wait,
        reads: None,
    };
    Workload { together, ..workload(name, namespace, kind) }
}

struct Asked {
    cluster: Cluster,
    tree: TreeSpec,
    workloads: Vec<Workload>,
    changes: Vec<TimedChange>,
}

impl Asked {
    fn study(&self, steps: u64) -> Study {
        let policy = Policy::default();
        let question = Question {
            cluster: &self.cluster,
            tree: &self.tree,
            policy: &policy,
            changes: &self.changes,
            has_faults: false,
            until: None,
            workloads: self.workloads.iter().collect(),
        };
        Study::new(&question, Limits { steps, losses: true })
    }

    fn said(&self) -> Vec<String> {
        let study = self.study(100_000);
        study.findings().iter().map(|finding| finding.sentence.clone()).collect()
    }
}

fn asked(cluster: Cluster, tree: TreeSpec, workloads: Vec<Workload>) -> Asked {
    Asked { cluster, tree, workloads, changes: Vec::new() }
}

#[test]
fn fragments_are_the_counterexample() {
    let mut asked = asked(cluster(3, 6, 3), tree(&[("nlp", 16)], 18), vec![pods("train", "nlp", 4, 9)]);
    let study = asked.study(1000);
    let said: Vec<&str> = study.findings().iter().map(|finding| &*finding.sentence).collect();
    assert_eq!(
        said,
        [
            "`nlp` is guaranteed 16 gpu, which covers 4 pods of `train` (4 gpu); the empty nodes do not hold them: 4 pods with \
          4 gpu each need room, and there is room for 3 (3 nodes of pool pool hold 1 each, 2 of 6 gpu left over)"
        ]
    );
    let help: Vec<&str> = study.findings().iter().flat_map(|finding| &finding.help).map(|help| &**help).collect();
    assert_eq!(
        help,
        [
            "1 more node like n0 (pool pool) would be enough (tried)",
            "lower the min of `nlp` by 1 pod (4 gpu), or let it run smaller pods"
        ]
    );
    // Pods of 3 fill nodes of 6; four nodes hold four pods of 4.
    asked.workloads = vec![pods("train", "nlp", 3, 9)];
    assert_eq!(asked.said(), [""; 0]);
    asked.workloads = vec![pods("train", "nlp", 4, 9)];
    asked.cluster = cluster(4, 6, 3);
    assert_eq!(asked.said(), [""; 0]);
}

#[test]
fn mins_that_only_fit_apart_are_named_together() {
    // Three pods of 3 and two of 2 are 13 GPUs, on 16; but beside a pod of 3 there is no room for one of 2.
    let mins = tree(&[("a", 9), ("b", 4), ("idle", 1)], 16);
    let asked = asked(
        cluster(4, 4, 4),
        mins,
        vec![pods("three", "a", 3, 5), pods("two", "b", 2, 5), pods("one", "idle", 1, 1)],
    );
    assert_eq!(asked.said(), [""; 0], "three nodes for the first, one for the second");
    let mins = tree(&[("a", 9), ("b", 6), ("idle", 1)], 16);
    let asked = Asked { tree: mins, ..asked };
    let said = asked.said();
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said.iter().all(|one| one.contains("`a`") && one.contains("`b`") && !one.contains("`idle`")), "{said:?}");
    assert!(said.iter().all(|one| one.ends_with("they need at least 5 nodes, and 4 take them")), "{said:?}");
}

#[test]
fn gangs_are_measured_by_their_domain_and_their_quota() {
    let racks = cluster(6, 4, 2);
    let teams = tree(&[("a", 24)], 24);
    let asked = asked(
        racks,
        teams,
        vec![
            gang("nine", "a", 1, 9, Some(Level::Rack)),
            gang("eight", "a", 1, 8, Some(Level::Rack)),
            gang("wide", "a", 1, 25, None),
        ],
    );
    assert_eq!(
        asked.said(),
        [
            "the 9 pods of `nine` must start in one rack, and no rack holds them: 9 pods with 1 gpu each need room, and there \
             is room for 8 (2 nodes of pool pool hold 4 each)",
            "the 25 pods of `wide` that must run together request 25 gpu, more than the max of `a` (24 gpu)",
        ]
    );
    let losses = asked.study(100_000).mins.map(|mins| mins.losses).unwrap_or_default();
    let honoured: Vec<bool> = losses.iter().map(|loss| loss.answer == Answer::Honoured).collect();
    assert_eq!(honoured, [true, true], "one gang of eight survives a node and a rack");
}

#[test]
fn what_an_event_may_mend_is_no_finding() {
    let mut asked = asked(cluster(4, 4, 2), tree(&[("a", 4)], 8), vec![gang("twelve", "a", 1, 12, None)]);
    assert_eq!(asked.said().len(), 1);
    let edit = |quota: &str, max: i64| TimedChange {
        at: Time(1000),
        by: None,
        change: Change::EditQuota {
            quota: quota.into(),
            edit: Box::new(QuotaEdit { max: gpus(max), ..QuotaEdit::default() }),
        },
    };
    asked.changes = vec![edit("root", 12)];
    assert_eq!(asked.said().len(), 1, "its leaf still has 8");
    asked.changes.push(edit("a", 12));
    assert_eq!(asked.said(), [""; 0]);
    // Without a max there is none until an event sets one.
    asked.changes = vec![edit("a", 4)];
    asked.tree = tree(&[("a", 4)], 12);
    asked.tree.quotas.iter_mut().for_each(|quota| quota.max = Amounts::new());
    assert_eq!(asked.said(), [""; 0]);
}

#[test]
fn pods_that_stay_must_fit_the_min_and_siblings_keep_what_they_do_not_lend() {
    let mut fixed = pods("fixed", "a", 3, 1);
    fixed.preemptible = false;
    let mut asked = asked(cluster(2, 4, 2), tree(&[("a", 2), ("b", 4)], 8), vec![fixed]);
    assert_eq!(
        asked.said(),
        ["a pod of `fixed` requests 3 gpu, and it may not be evicted, so it must fit the min of `a` (2 gpu) (A2)"]
    );
    asked.workloads = vec![pods("five", "a", 5, 1)];
    asked.cluster = cluster(2, 8, 2);
    assert_eq!(asked.said(), [""; 0], "b lends all of its 4");
    let b = asked.tree.quotas.iter_mut().find(|quota| quota.name == "b");
    b.into_iter().for_each(|quota| quota.lend = Some(Amounts::new()));
    assert_eq!(
        asked.said(),
        [
            "a pod of `five` requests 5 gpu, and of the max of `root` (8 gpu) other quotas below it never lend 4 gpu (L3)"
        ]
    );
}

#[test]
fn the_search_gives_up_honestly_and_large_clusters_are_cheap() {
    // 1000 nodes and 3000 pods of three sizes take one step for each pod.
    let mins = tree(&[("a", 3000), ("b", 3000), ("c", 2000)], 8000);
    let workloads = vec![pods("three", "a", 3, 1000), pods("three-more", "b", 3, 1000), pods("two", "c", 2, 1000)];
    let asked = asked(cluster(1000, 8, 10), mins, workloads);
    let together = |steps: u64| asked.study(steps).mins.map(|mins| mins.together);
    assert_eq!(together(100_000), Some(Answer::Honoured));
    assert_eq!(together(100), Some(Answer::Undecided(0)), "fewer steps than pods");
}
