//! What every server must do: each case runs against the server in memory, in the same process and over loopback, and
//! against a real kube-apiserver where its programs are (see `docs/testing.md`).

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod access;
mod applies;
mod custom;
mod deletes;
mod discovery;
mod evictions;
mod fixtures;
mod lists;
mod nodes;
mod objects;
mod patches;
mod pods;
mod watches;

use futures::{FutureExt, future::BoxFuture};
use quotree_kube_testkit::{
    FakeServer, Target,
    real::{Programs, RealServer},
};

/// A case: its name, and what it does with a server and a namespace of its own.
type Case = (&'static str, fn(Target) -> BoxFuture<'static, ()>);

macro_rules! suite {
    ($($module:ident: $($case:ident)*;)*) => {
        /// All cases, for servers that are expensive to start.
        const CASES: &[Case] = &[$($((
            concat!(stringify!($module), "::", stringify!($case)),
            |target| $module::$case(target).boxed(),
        ),)*)*];

        /// Each case on a server of its own, in this process.
        mod fake {
            $(mod $module { $(
                #[tokio::test]
                async fn $case() {
                    let server = quotree_kube_testkit::FakeServer::new();
                    let target = quotree_kube_testkit::Target::fake(&server, server.client());
                    crate::$module::$case(target.within("case").await.unwrap()).await;
                }
            )* })*
        }
    };
}

suite! {
    objects: creates_and_reads refuses_wrong_creates replaces_with_preconditions moves_generation keeps_what_does_not_change
        generates_names leases_need_their_version events_are_kept config_of_unknown_namespace dry_run_writes_nothing;
    lists: selects_by_labels selects_by_fields pages_show_one_state pages_expire exact_and_future_versions;
    watches: shows_changes_from_a_version starts_with_the_state sends_initial_events_and_says_so ends_in_time
        leaves_the_selection refuses_wrong_options shows_the_version_of_an_end;
    patches: merge json strategic_merge media_types preconditions status_apart;
    applies: creates_and_owns conflicts_and_force removes_what_is_no_longer_stated status_by_apply
        custom_conditions_by_type updates_take_fields;
    deletes: pods_wait_for_their_grace grace_becomes_shorter finalizers_hold preconditions_of_deletes collections
        namespaces_terminate;
    pods: defaults gates_are_only_removed gated_pods_are_narrowed specs_are_fixed binding binding_refused priority_classes
        new_nodes_are_tainted resize;
    evictions: without_budget budget_is_taken budget_is_spent two_budgets negative_budget unobserved_budget
        pending_and_ended_pass_over eviction_preconditions unready_pods;
    nodes: kubelet_runs_and_ends kubelet_refuses_what_does_not_fit;
    access: roles_decide reviews tokens_of_service_accounts impersonation;
    custom: registered_kinds_work generation_without_status_subresource definitions_end several_versions protected_groups;
    discovery: groups_and_resources unknown_paths with_the_client;
}

/// Runs all cases on one server, each in a namespace of its own, and reports all that fail.
async fn run_all(target: &Target, at_once: usize) {
    use futures::StreamExt;
    let run = |(name, case): &Case| {
        let (name, case, target) = (*name, *case, target.clone());
        async move {
            let namespace = name.replace("::", "-").replace('_', "-");
            let of_its_own = target.within(&namespace).await.expect("a namespace");
            let outcome = tokio::spawn(case(of_its_own)).await;
            outcome.err().map(|error| match error.try_into_panic() {
                Ok(panic) => {
                    let text = panic.downcast_ref::<String>().cloned();
                    let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
                    format!("{name}: {}", text.unwrap_or_default())
                }
                Err(error) => format!("{name}: {error}"),
            })
        }
    };
    let failures: Vec<String> = futures::stream::iter(CASES.iter().map(run))
        .buffer_unordered(at_once)
        .filter_map(async |failed| failed)
        .collect()
        .await;
    assert!(failures.is_empty(), "{} of {} cases fail:\n{}", failures.len(), CASES.len(), failures.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_loopback() {
    let server = FakeServer::new();
    let listening = server.listen().await.unwrap();
    let client = kube::Client::try_from(fixtures::quiet(listening.config().unwrap())).unwrap();
    // One at a time: the cases move the time of the server.
    run_all(&Target::fake(&server, client), 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_real_server() {
    let Some(programs) = Programs::for_test("conformance").unwrap() else { return };
    let server = RealServer::start(&programs).await.unwrap();
    let client = kube::Client::try_from(fixtures::quiet(server.config())).unwrap();
    run_all(&Target::real(client), 4).await;
}
