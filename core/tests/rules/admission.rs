//! A1 to A5: who may be admitted at all.

use crate::check;
use quotree_core::{Policy, Unquotaed};
use quotree_testkit::table;

#[test]
fn a1_every_ceiling_of_the_path_binds() {
    check(
        "root 10/10; p<root 4/5; a<p 2/5; b<p 2/5",
        "100",
        &[
            ("+1 a 6", "| 1 A1@a"),
            ("+2 a 3", "bind 2 | 1 A1@a"),
            ("+3 b 3", "| 1 A1@a, 3 A1@p"),
            ("+4 b 2", "bind 4 | 1 A1@a, 3 A1@p"),
            ("done 2", "bind 3 | 1 A1@a"),
        ],
    );
}

#[test]
fn a1_a_gang_counts_as_its_sum() {
    check(
        "root 10/10; a<root 4/6",
        "100",
        &[("+1 a 2 x4", "| 1 A1@a"), ("+2 a 2 x3", "bind 2x3 | 1 A1@a"), ("+3 a 1", "| 1 A1@a, 3 A1@a")],
    );
}

#[test]
fn q2_ungoverned_resources_are_no_business_of_the_quota() {
    check(
        "root 4/4; a<root 4/4",
        "100,5",
        &[("+1 a 1,3", "bind 1"), ("+2 a 1,3", "| 2 P1"), ("+3 a 4,0", "| 2 P1, 3 A1@a")],
    );
}

#[test]
fn q3_absent_from_min_is_0_and_absent_from_max_is_unlimited() {
    check(
        "root 4/4; a<root -/-; b<root 2/4",
        "100",
        &[("+1 a 4", "bind 1"), ("+2 b 2", "evict 1 R2, bind 2 | 1' A1@root"), ("-2", "bind 1'")],
    );
}

#[test]
fn a2_non_preemptible_pods_stay_within_min() {
    check(
        "root 10/10; a<root 4/10",
        "100",
        &[
            ("+1 a 3 np", "bind 1"),
            ("+2 a 2 np", "| 2 A2@a"),
            ("+3 a 2", "bind 3 | 2 A2@a"),
            ("+4 a 1 np", "bind 4 | 2 A2@a"),
            ("done 1", "bind 2"),
        ],
    );
}

#[test]
fn a2_counts_the_whole_path() {
    check(
        "root 10/10; p<root 3/10; a<p 2/10; b<p 1/10",
        "100",
        &[("+1 a 2 np", "bind 1"), ("+2 b 1 np", "bind 2"), ("+3 b 1 np", "| 3 A2@b"), ("+4 b 6", "bind 4 | 3 A2@b")],
    );
}

#[test]
fn a3_borrowing_needs_no_permission() {
    check("root 10/10; a<root 2/10; b<root 8/10", "10", &[("+1 a 10", "bind 1"), ("+2 a 1", "| 2 A1@a")]);
}

#[test]
fn a4_a_pod_without_a_quota_is_refused() {
    check("root 4/4; a<root 4/4", "4", &[("+1 nowhere 1", "| 1 A4"), ("+2 a 4", "bind 2 | 1 A4"), ("-1", "")]);
}

#[test]
fn a4_scheduled_without_a_quota_it_is_the_first_victim_and_never_evicts() {
    let policy = Policy { unquotaed: Unquotaed::Schedule, ..Policy::default() };
    table::check(
        "root 4/4; a<root 2/4; b<root 2/4",
        "4",
        policy,
        &[
            ("+1 nowhere 2", "bind 1"),
            ("+2 b 2", "bind 2"),
            ("+3 nowhere 2 p9", "| 3 P1"),
            ("+4 a 2", "evict 1 R2, bind 4 | 3 P1, 1' P1"),
            ("-2", "bind 3 | 1' P1"),
        ],
    );
}

#[test]
fn a5_max_jobs_bounds_the_workloads_under_a_quota() {
    check(
        "root 10/10; p<root 10/10 jobs=3; a<p 5/10 jobs=2; b<p 5/10",
        "100",
        &[
            ("+1 a 1 x2", "bind 1x2"),
            ("+2 a 1", "bind 2"),
            ("+3 a 1", "| 3 A5@a"),
            ("+4 b 1", "bind 4 | 3 A5@a"),
            ("+5 b 1", "| 3 A5@a, 5 A5@p"),
            ("done 4", "bind 5 | 3 A5@a"),
            ("done 1", "bind 3"),
        ],
    );
}

#[test]
fn a5_further_members_of_an_admitted_job_are_no_job() {
    check(
        "root 4/4; a<root 0/4 jobs=1",
        "1",
        &[("+1 a 1 x2/1 & +2 a 1", "bind 1 | 1 P1, 2 A5@a"), ("up 1 2", "bind 1 | 2 A5@a")],
    );
}

#[test]
fn a5_who_borrows_comes_in_too_when_a_job_ends() {
    check(
        "root 10/10; a<root 0/10 jobs=1; b<root 0/10 jobs=2",
        "100",
        &[
            ("+1 a 1", "bind 1"),
            ("+2 a 1", "| 2 A5@a"),
            ("done 1", "bind 2"),
            ("+3 b 1 & +4 b 1 & +5 b 1", "bind 3, bind 4 | 5 A5@b"),
            ("done 4", "bind 5"),
        ],
    );
}
