//! The adapter at work on a cluster: in memory, and what needs no faults of the server also on a real kube-apiserver where its
//! programs are (see `docs/testing.md`).

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod adapters;
mod confirm;
mod demo;
mod faults;
mod kills;
mod leader;
mod look;
mod memory;
mod packaging;
mod policies;
mod server;
mod shape;
mod storms;
mod tenancy;
mod users;
mod watches;
mod wires;
mod world;

/// Scenarios on the server in memory, in virtual time.
macro_rules! in_memory {
    ($($module:ident: $($scenario:ident)*;)*) => {
        mod in_memory { $(mod $module { $(
            #[tokio::test(start_paused = true)]
            async fn $scenario() {
                crate::$module::$scenario(crate::server::Server::fake()).await;
            }
        )* })* }
    };
}

/// Scenarios in real time, each on a real server of its own. Without its programs they are skipped.
macro_rules! on_a_real_server {
    ($($module:ident: $($scenario:ident)*;)*) => {
        mod on_a_real_server { $(mod $module { $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $scenario() {
                if let Some(server) = crate::server::Server::real(stringify!($scenario)).await {
                    crate::$module::$scenario(server).await;
                }
            }
        )* })* }
    };
}

in_memory! {
    demo: gate_mode_on_one_node gate_mode bind_mode_on_one_node bind_mode;
    faults: a_restart_in_gate_mode a_restart_in_bind_mode budgets_are_kept budgets_are_kept_in_bind_mode;
    kills: in_gate_mode in_bind_mode;
    leader: a_standby_takes_over_from_a_leader_that_is_killed;
    memory: a_tree_that_breaks_between_two_processes_evicts_nobody;
    storms: users_in_gate_mode users_in_bind_mode;
    tenancy: everybody_may_what_the_table_says;
    users: they_come_move_and_go groups_stay_while_work_runs tokens_end;
}

on_a_real_server! {
    confirm: kube_scheduler_preempts_unless_never pod_groups_by_version;
    demo: gate_mode bind_mode;
    faults: a_restart_in_gate_mode a_restart_in_bind_mode budgets_are_kept budgets_are_kept_in_bind_mode an_api_server_that_is_restarted;
    kills: in_gate_mode in_bind_mode;
    leader: a_standby_takes_over_from_a_leader_that_is_killed;
    memory: a_tree_that_breaks_between_two_processes_evicts_nobody;
    packaging: every_object_is_valid;
    storms: users_in_gate_mode users_in_bind_mode a_leader_that_is_stopped;
    policies: the_gate_comes_by_itself_and_only_we_remove_it nobody_passes_by_the_quota in_bind_mode_pods_name_us;
    tenancy: everybody_may_what_the_table_says nobody_gets_more_than_they_have a_token_is_given_and_taken_back;
    users: they_come_move_and_go groups_stay_while_work_runs tokens_end what_the_server_itself_refuses;
    wires: connections_are_refused nothing_passes answers_come_late connections_are_cut what_was_watched_is_forgotten;
}
