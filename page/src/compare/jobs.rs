//! Jobs of both runs, matched by name: those that waited longer or shorter, ended sooner or later, or were evicted.

use super::{
    Both,
    change::{Change, Good},
    only,
};
use crate::{
    html::Html,
    model::{Job, JobState},
    still::{
        none,
        table::{Cell, table as write_table},
    },
    units,
};
use std::collections::BTreeMap;

/// A job of both runs.
struct Pair<'a> {
    before: &'a Job,
    wait: Change<'a>,
    done: Change<'a>,
    evictions: Change<'a>,
    cost: Change<'a>,
}

/// The jobs that differ.
pub(super) struct Jobs<'a> {
    changed: Vec<Pair<'a>>,
    in_both: usize,
    only_before: usize,
    only_after: usize,
}

/// The jobs that differ, the most changed first.
pub(super) fn jobs<'a>(both: &Both<'a>) -> Jobs<'a> {
    let (before, after) = (&both.before.report.jobs, &both.after.report.jobs);
    let later: BTreeMap<&str, &Job> = after.iter().rev().map(|job| (job.name.as_str(), job)).collect();
    let earlier: BTreeMap<&str, &Job> = before.iter().rev().map(|job| (job.name.as_str(), job)).collect();
    let pairs = earlier.values().filter_map(|job| later.get(job.name.as_str()).map(|other| pair(both, job, other)));
    let mut changed: Vec<Pair<'a>> = pairs.collect();
    let in_both = changed.len();
    changed.retain(|pair| [&pair.wait, &pair.done, &pair.evictions].iter().any(|change| change.size() > 0));
    changed.sort_by_key(|pair| {
        let sizes = [&pair.done, &pair.wait, &pair.evictions].map(Change::size);
        (std::cmp::Reverse(sizes), pair.before.submitted_ms, &pair.before.name)
    });
    Jobs { changed, in_both, only_before: earlier.len() - in_both, only_after: later.len() - in_both }
}

fn pair<'a>(both: &Both<'a>, before: &'a Job, after: &'a Job) -> Pair<'a> {
    let done = |job: &Job| {
        let is_done = job.state == JobState::Succeeded;
        job.ended_ms.filter(|_| is_done).map(|ended| ended.saturating_sub(job.submitted_ms))
    };
    Pair {
        before,
        wait: Change::span((before.longest_wait_ms, after.longest_wait_ms)),
        done: Change::open_span(done(before), done(after), "not done"),
        evictions: Change::count((before.evictions, after.evictions), Good::Less),
        cost: Change::money(both, (before.cost_milli, after.cost_milli)),
    }
}

impl Jobs<'_> {
    /// The line below the heading.
    pub(super) fn says(&self) -> String {
        let (changed, in_both) = (units::count(self.changed.len() as u64), units::many(self.in_both as u64, "job"));
        format!(
            "{changed} of {in_both} that both runs have differ. Most changed first, by the time from submission to success.{}",
            only(self.only_before, self.only_after, "job")
        )
    }

    /// Writes the table.
    pub(super) fn table(&self, html: &mut Html, both: &Both<'_>) {
        if self.changed.is_empty() {
            return none(html, "No job waited, ended or was evicted differently.");
        }
        let headings = [
            ("Job", false),
            ("Team", false),
            ("Submission to success", true),
            ("Longest wait of a pod", true),
            ("Evictions", true),
            ("Cost", true),
        ];
        let cells = self.changed.iter().map(|pair| {
            vec![
                Cell::Name(&pair.before.name),
                Cell::Team(pair.before.quota),
                pair.done.cell(),
                pair.wait.cell(),
                pair.evictions.cell(),
                pair.cost.cell(),
            ]
        });
        write_table(html, &both.before, "Jobs in both runs", &headings, self.changed.len(), cells);
    }
}
