//! The error that a pod or workload does not exist, with what may be meant instead.

use quotree_reports::moment;
use quotree_sim::result::RunResult;

/// The error that there is no such pod. It lists the names of the workloads.
pub(super) fn pod(pod: &str, result: &RunResult) -> String {
    let what = format!("workload `{pod}`");
    if let Some(row) = result.refusals.iter().find(|row| row.what == what) {
        return format!("`{pod}` has no pods: its submission was refused at {}: {}", moment(row.at_ms), row.why);
    }
    // Pods of a dump are named `NAMESPACE/POD`.
    let named = result.pending.iter().filter(|row| row.pod.rsplit('/').next() == Some(pod));
    let near: Vec<_> = named.map(|row| format!("`{}`", row.pod)).collect();
    if !near.is_empty() {
        return format!("there is no pod or workload `{pod}`; did you mean {}?", super::super::first_of(&near));
    }
    let names: Vec<_> = result.workloads.iter().map(|w| format!("`{}`", w.name)).collect();
    if names.is_empty() {
        return format!("there is no pod or workload `{pod}`: no workload has been submitted by that time");
    }
    format!("there is no pod or workload `{pod}`; the workloads are {}", super::super::first_of(&names))
}
