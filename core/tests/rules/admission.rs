//! A1 to A5: which workloads are admitted at all.

use crate::check;
use quotree_core::{Policy, Unquotaed};
use quotree_testkit::table;

#[test]
fn a1_every_ceiling_of_the_path_binds() {
    check(
        "root 10/10; p<root 4/5; a<p 2/5; b<p 2/5",
        "100",
        &[
            ("submit 1 to a: 6", "pending 1: A1 at a"),
            ("submit 2 to a: 3", "bind 2; pending 1: A1 at a"),
            ("submit 3 to b: 3", "pending 1: A1 at a, 3: A1 at p"),
            ("submit 4 to b: 2", "bind 4; pending 1: A1 at a, 3: A1 at p"),
            ("finish 2", "bind 3; pending 1: A1 at a"),
        ],
    );
}

#[test]
fn a1_a_gang_counts_as_its_sum() {
    check(
        "root 10/10; a<root 4/6",
        "100",
        &[
            ("submit 1 to a: 2 x4", "pending 1: A1 at a"),
            ("submit 2 to a: 2 x3", "bind 2 x3; pending 1: A1 at a"),
            ("submit 3 to a: 1", "pending 1: A1 at a, 3: A1 at a"),
        ],
    );
}

#[test]
fn q2_quotas_do_not_limit_ungoverned_resources() {
    check(
        "root 4/4; a<root 4/4",
        "100,5",
        &[
            ("submit 1 to a: 1,3", "bind 1"),
            ("submit 2 to a: 1,3", "pending 2: P1"),
            ("submit 3 to a: 4,0", "pending 2: P1, 3: A1 at a"),
        ],
    );
}

#[test]
fn q3_absent_from_min_is_0_and_absent_from_max_is_unlimited() {
    check(
        "root 4/4; a<root -/-; b<root 2/4",
        "100",
        &[
            ("submit 1 to a: 4", "bind 1"),
            ("submit 2 to b: 2", "evict 1 by R2; bind 2; pending 1': A1 at root"),
            ("withdraw 2", "bind 1'"),
        ],
    );
}

#[test]
fn a2_non_preemptible_pods_stay_within_min() {
    check(
        "root 10/10; a<root 4/10",
        "100",
        &[
            ("submit 1 to a: 3 non-preemptible", "bind 1"),
            ("submit 2 to a: 2 non-preemptible", "pending 2: A2 at a"),
            ("submit 3 to a: 2", "bind 3; pending 2: A2 at a"),
            ("submit 4 to a: 1 non-preemptible", "bind 4; pending 2: A2 at a"),
            ("finish 1", "bind 2"),
        ],
    );
}

#[test]
fn a2_the_min_of_every_quota_of_the_path_counts() {
    check(
        "root 10/10; p<root 3/10; a<p 2/10; b<p 1/10",
        "100",
        &[
            ("submit 1 to a: 2 non-preemptible", "bind 1"),
            ("submit 2 to b: 1 non-preemptible", "bind 2"),
            ("submit 3 to b: 1 non-preemptible", "pending 3: A2 at b"),
            ("submit 4 to b: 6", "bind 4; pending 3: A2 at b"),
        ],
    );
}

#[test]
fn a3_borrowing_needs_no_permission() {
    check(
        "root 10/10; a<root 2/10; b<root 8/10",
        "10",
        &[("submit 1 to a: 10", "bind 1"), ("submit 2 to a: 1", "pending 2: A1 at a")],
    );
}

#[test]
fn a4_a_pod_without_a_quota_is_refused() {
    check(
        "root 4/4; a<root 4/4",
        "4",
        &[
            ("submit 1 to nowhere: 1", "pending 1: A4"),
            ("submit 2 to a: 4", "bind 2; pending 1: A4"),
            ("withdraw 1", "nothing"),
        ],
    );
}

#[test]
fn a4_scheduled_without_a_quota_it_is_the_first_victim_and_never_evicts() {
    let policy = Policy { unquotaed: Unquotaed::Schedule, ..Policy::default() };
    table::check(
        "root 4/4; a<root 2/4; b<root 2/4",
        "4",
        policy,
        &[
            ("submit 1 to nowhere: 2", "bind 1"),
            ("submit 2 to b: 2", "bind 2"),
            ("submit 3 to nowhere: 2 priority 9", "pending 3: P1"),
            ("submit 4 to a: 2", "evict 1 by R2; bind 4; pending 3: P1, 1': P1"),
            ("withdraw 2", "bind 3; pending 1': P1"),
        ],
    );
}

#[test]
fn a5_max_jobs_bounds_the_workloads_under_a_quota() {
    check(
        "root 10/10; p<root 10/10 jobs=3; a<p 5/10 jobs=2; b<p 5/10",
        "100",
        &[
            ("submit 1 to a: 1 x2", "bind 1 x2"),
            ("submit 2 to a: 1", "bind 2"),
            ("submit 3 to a: 1", "pending 3: A5 at a"),
            ("submit 4 to b: 1", "bind 4; pending 3: A5 at a"),
            ("submit 5 to b: 1", "pending 3: A5 at a, 5: A5 at p"),
            ("finish 4", "bind 5; pending 3: A5 at a"),
            ("finish 1", "bind 3"),
        ],
    );
}

#[test]
fn a5_further_members_of_an_admitted_job_do_not_count() {
    check(
        "root 4/4; a<root 0/4 jobs=1",
        "1",
        &[
            ("submit 1 to a: 1 x2 min 1; submit 2 to a: 1", "bind 1; pending 1: P1, 2: A5 at a"),
            ("node 1 up: 2", "bind 1; pending 2: A5 at a"),
        ],
    );
}

#[test]
fn a5_a_borrower_is_admitted_when_a_job_ends() {
    check(
        "root 10/10; a<root 0/10 jobs=1; b<root 0/10 jobs=2",
        "100",
        &[
            ("submit 1 to a: 1", "bind 1"),
            ("submit 2 to a: 1", "pending 2: A5 at a"),
            ("finish 1", "bind 2"),
            ("submit 3 to b: 1; submit 4 to b: 1; submit 5 to b: 1", "bind 3; bind 4; pending 5: A5 at b"),
            ("finish 4", "bind 5"),
        ],
    );
}
