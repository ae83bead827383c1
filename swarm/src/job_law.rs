//! The figures of jobs agree with each other, and with those of the whole run.

use crate::play::Played;
use quotree_sim::result::{JobRow, JobState, RunResult};

/// Checks that the figures of jobs agree with each other and with those of the whole.
pub(crate) fn judge(result: &RunResult, played: &mut Played) {
    let (metrics, rows) = (&result.metrics, &result.jobs);
    let wrong = |job: &&JobRow| {
        let lived = job.ended_ms.unwrap_or(result.end_ms).saturating_sub(job.submitted_ms);
        let started = job.started_ms.map_or(lived, |at| at.saturating_sub(job.submitted_ms));
        let closed = matches!(job.state, JobState::Succeeded | JobState::Failed | JobState::Withdrawn);
        let done = job.state == JobState::Succeeded;
        job.first_wait_ms != started
            || job.first_wait_ms > job.wait_ms
            || job.wait_ms > lived
            || job.longest_wait_ms > job.wait_ms
            || job.longest_wait_ms < job.first_wait_ms
            || closed != job.ended_ms.is_some()
            || (job.started_ms.is_none() && (done || !job.at_least))
            || job.turnaround_ms != done.then_some(lived)
            || (done && job.at_least)
            || job.attempts == 0
    };
    if let Some(job) = rows.iter().find(wrong) {
        played.breaks("jobs", format!("the figures of a job contradict each other: {job:?}"));
    }
    let lost: u128 = rows.iter().map(|job| u128::from(job.lost_work_ms)).sum();
    let waits: u128 = rows.iter().map(|job| u128::from(job.wait_ms)).sum();
    let open = rows.iter().filter(|job| job.at_least).count() as u64;
    let by_leaf =
        result.quotas.iter().filter(|quota| quota.parent.is_none()).map(|quota| quota.wait.count).sum::<u64>();
    let whole = (metrics.lost_work_ms, metrics.wait.sum_ms, metrics.wait.count);
    if (lost, waits, rows.len() as u64) != whole || by_leaf > whole.2 || open < metrics.wait.open {
        let message = format!(
            "the rows of {} jobs ({by_leaf} counted at roots, {open} still waiting) sum to {waits} ms of waits and {lost} ms of \
             lost work; the metrics of the run say {} jobs ({} still waiting), {} ms and {} ms",
            rows.len(),
            metrics.wait.count,
            metrics.wait.open,
            metrics.wait.sum_ms,
            metrics.lost_work_ms
        );
        played.breaks("jobs", message);
    }
}
