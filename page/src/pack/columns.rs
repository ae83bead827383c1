//! Rows as columns. A column compresses to a fraction of the same values row by row. A value that can be derived from
//! another column is replaced by [`SAME`].

use crate::model::{Amount, AmountTime, JobState, PlacementEnd, Report, at};
use serde::{Serialize, Serializer};
use std::{collections::BTreeMap, ops::Not};

/// Written instead of a value that can be derived from another column.
const SAME: i64 = -2;

/// Words that recur.
#[derive(Default)]
pub(super) struct Dictionary<'a> {
    pub(super) names: Vec<&'a str>,
    places: BTreeMap<&'a str, i64>,
}

impl<'a> Dictionary<'a> {
    /// The index of a word; -1 for an empty one.
    fn place(&mut self, word: &'a str) -> i64 {
        if word.is_empty() {
            return -1;
        }
        let next = i64::try_from(self.names.len()).unwrap_or(i64::MAX);
        *self.places.entry(word).or_insert_with(|| {
            self.names.push(word);
            next
        })
    }

    fn optional(&mut self, word: Option<&'a String>) -> i64 {
        word.map_or(-1, |word| self.place(word))
    }
}

/// Names with numbers: those of the instances of a workload have a stem and a number, as in `sweep-7`.
#[derive(Default)]
struct Numbered<'a> {
    next: BTreeMap<&'a str, (&'a str, u64)>,
}

impl<'a> Numbered<'a> {
    /// Whether a name is the one that a reader expects next: the stem of the workload's last name, and its number plus
    /// one. The first expected name is the name of the workload with number 0.
    fn is_next(&mut self, workload: &'a str, name: &'a str) -> bool {
        let next = self.next.entry(workload).or_insert((workload, 0));
        // A number that the page's script reads and writes in the same way.
        let number = |n: &str| n.parse::<u64>().ok().filter(|number| n.len() <= 15 && number.to_string() == n);
        let Some((stem, number)) = name.rsplit_once('-').and_then(|(stem, n)| Some((stem, number(n)?))) else {
            return false;
        };
        std::mem::replace(next, (stem, number.saturating_add(1))) == (stem, number)
    }
}

/// Lists that recur.
pub(super) struct Lists<T> {
    lists: Vec<Vec<T>>,
    places: BTreeMap<Vec<[i64; 2]>, i64>,
}

impl<T> Default for Lists<T> {
    fn default() -> Self {
        Self { lists: Vec::new(), places: BTreeMap::new() }
    }
}

impl<T: Serialize> Serialize for Lists<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.lists.serialize(serializer)
    }
}

impl<T: Clone> Lists<T> {
    fn place(&mut self, list: &[T], key: impl Fn(&T) -> [i64; 2]) -> i64 {
        let next = i64::try_from(self.lists.len()).unwrap_or(i64::MAX);
        *self.places.entry(list.iter().map(key).collect()).or_insert_with(|| {
            self.lists.push(list.to_vec());
            next
        })
    }
}

fn amounts_place(lists: &mut Lists<Amount>, amounts: &[Amount]) -> i64 {
    lists.place(amounts, |a| [i64::from(a.resource), a.amount])
}

/// The difference of each value from the one before.
pub(super) fn differences(values: impl Iterator<Item = u64>) -> Vec<u64> {
    let mut last = 0;
    let mut from_last = |value: u64| {
        let difference = value.saturating_sub(last);
        last = last.max(value);
        difference
    };
    values.map(&mut from_last).collect()
}

/// Differences of indices, which can also decrease.
fn place_differences(values: impl Iterator<Item = u32>) -> Vec<i64> {
    let mut last = 0;
    values.map(|value| i64::from(value) - std::mem::replace(&mut last, i64::from(value))).collect()
}

/// A moment relative to another.
fn from(moment: u64, other: u64) -> i64 {
    let [moment, other] = [moment, other].map(|ms| i64::try_from(ms).unwrap_or(i64::MAX));
    moment.saturating_sub(other)
}

/// A later moment relative to a first one; -1 if there is none.
fn after(moment: Option<u64>, first: u64) -> i64 {
    moment.and_then(|moment| i64::try_from(moment.saturating_sub(first)).ok()).unwrap_or(-1)
}

/// A moment that is often equal to a known one: [`SAME`] in that case.
fn after_or_same(moment: Option<u64>, first: u64, known: Option<u64>) -> i64 {
    if moment.is_some() && moment == known { SAME } else { after(moment, first) }
}

/// What can be derived from the pods of each job, so that it need not be written: usage by resource, and when the first
/// pod was bound.
fn follows(report: &Report) -> (Vec<Vec<u128>>, Vec<Option<u64>>) {
    let mut used = vec![vec![0_u128; report.jobs.len()]; report.resources.len()];
    let mut bound = vec![None; report.jobs.len()];
    for placement in &report.placements {
        let Some(pod) = at(&report.pods, placement.pod) else { continue };
        if let Some(first) = usize::try_from(pod.job).ok().and_then(|job| bound.get_mut(job)) {
            *first = Some(first.map_or(placement.bound_ms, |ms: u64| ms.min(placement.bound_ms)));
        }
        let time = placement.gone_ms.unwrap_or(report.run.end_ms).saturating_sub(placement.bound_ms);
        for amount in at(&report.shapes, pod.shape).map_or(&[][..], |shape| &shape.request) {
            let column = usize::try_from(amount.resource).ok().and_then(|r| used.get_mut(r));
            let sum = column.and_then(|column| usize::try_from(pod.job).ok().and_then(|job| column.get_mut(job)));
            if let (Some(sum), Ok(units)) = (sum, u128::try_from(amount.amount)) {
                *sum += units * u128::from(time);
            }
        }
    }
    (used, bound)
}

fn place(at: Option<u32>) -> i64 {
    at.map_or(-1, i64::from)
}

const fn state_word(state: JobState) -> &'static str {
    match state {
        JobState::Pending => "pending",
        JobState::Running => "running",
        JobState::Interrupted => "interrupted",
        JobState::Succeeded => "succeeded",
        JobState::Failed => "failed",
        JobState::Withdrawn => "withdrawn",
    }
}

const fn end_word(end: Option<PlacementEnd>) -> &'static str {
    match end {
        None => "",
        Some(PlacementEnd::Succeeded) => "succeeded",
        Some(PlacementEnd::Failed) => "failed",
        Some(PlacementEnd::Lost) => "lost",
        Some(PlacementEnd::Evicted) => "evicted",
        Some(PlacementEnd::Drained) => "drained",
        Some(PlacementEnd::Deleted) => "deleted",
        Some(PlacementEnd::BindFailed) => "bind_failed",
    }
}

#[derive(Serialize, Default)]
pub(super) struct Jobs<'a> {
    /// The name; `None` if it is the expected next name, such as `sweep-7` after `sweep-6`.
    name: Vec<Option<&'a str>>,
    workload: Vec<i64>,
    kind: Vec<i64>,
    namespace: Vec<i64>,
    quota: Vec<i64>,
    user: Vec<i64>,
    priority: Vec<i32>,
    submitted: Vec<u64>,
    bound: Vec<i64>,
    ended: Vec<i64>,
    state: Vec<i64>,
    gang: Vec<u32>,
    gang_min: Vec<u32>,
    request: Vec<i64>,
    longest: Vec<i64>,
    waited: Vec<i128>,
    used: Vec<Vec<i128>>,
    evictions: Vec<u32>,
    evicted_for: Vec<u32>,
    lost: Vec<u32>,
    lost_work: Vec<u128>,
    cost: Vec<u128>,
    deadline: Vec<i64>,
    met: Vec<i64>,
}

impl<'a> Jobs<'a> {
    pub(super) fn of(report: &'a Report, words: &mut Dictionary<'a>, amounts: &mut Lists<Amount>) -> Self {
        let jobs = &report.jobs;
        let (used, first_bound) = follows(report);
        let amount =
            |rows: &[AmountTime], resource: u32| rows.iter().find(|u| u.resource == resource).map_or(0, |u| u.unit_s);
        let used = (0..).zip(&used).map(|(resource, column)| {
            let one = |(job, sum): (&crate::model::Job, &u128)| {
                let unit_s = amount(&job.used, resource);
                if unit_s == sum / 1000 { i128::from(SAME) } else { i128::try_from(unit_s).unwrap_or(i128::MAX) }
            };
            jobs.iter().zip(column).map(one).collect()
        });
        let mut out = Self {
            submitted: differences(jobs.iter().map(|j| j.submitted_ms)),
            used: used.collect(),
            ..Self::default()
        };
        let mut numbered = Numbered::default();
        for (job, first_bound) in jobs.iter().zip(first_bound) {
            out.name.push(numbered.is_next(&job.workload, &job.name).not().then_some(&job.name));
            out.workload.push(words.place(&job.workload));
            out.kind.push(words.place(if job.framework.is_empty() { &job.kind } else { &job.framework }));
            out.namespace.push(words.place(&job.namespace));
            out.quota.push(place(job.quota));
            out.user.push(words.optional(job.user.as_ref()));
            out.priority.push(job.priority);
            out.bound.push(after_or_same(job.first_bound_ms, job.submitted_ms, first_bound));
            out.ended.push(after(job.ended_ms, job.submitted_ms));
            out.state.push(words.place(state_word(job.state)));
            out.gang.push(job.gang);
            out.gang_min.push(job.gang_min);
            out.request.push(amounts_place(amounts, &job.request));
            let at_first = job.first_bound_ms.map(|ms| ms.saturating_sub(job.submitted_ms));
            out.longest.push(after_or_same(Some(job.longest_wait_ms), 0, at_first));
            let is_longest = job.wait_ms == u128::from(job.longest_wait_ms);
            out.waited.push(if is_longest { SAME.into() } else { i128::try_from(job.wait_ms).unwrap_or(i128::MAX) });
            out.evictions.push(job.evictions);
            out.evicted_for.push(job.evicted_for);
            out.lost.push(job.lost_pods);
            out.lost_work.push(job.lost_work_ms);
            out.cost.push(job.cost_milli);
            out.deadline.push(after(job.deadline_ms, job.submitted_ms));
            out.met.push(job.deadline_met.map_or(-1, i64::from));
        }
        out
    }
}

#[derive(Serialize)]
pub(super) struct Pods<'a> {
    /// The name of the pod, without the name of the job if it begins with that.
    name: Vec<&'a str>,
    stem: Vec<u8>,
    job: Vec<i64>,
    shape: Vec<u32>,
    /// The creation, relative to the submission of the job.
    created: Vec<i64>,
    ended: Vec<i64>,
    end: Vec<i64>,
    replaces: Vec<i64>,
}

impl<'a> Pods<'a> {
    pub(super) fn of(report: &'a Report, words: &mut Dictionary<'a>) -> Self {
        let pods = &report.pods;
        let job = |pod: &crate::model::Pod| at(&report.jobs, pod.job);
        let rest = |p: &'a crate::model::Pod| job(p).and_then(|job| p.name.strip_prefix(job.name.as_str()));
        Self {
            name: pods.iter().map(|p| rest(p).unwrap_or(&p.name)).collect(),
            stem: pods.iter().map(|p| rest(p).is_some().into()).collect(),
            job: place_differences(pods.iter().map(|p| p.job)),
            shape: pods.iter().map(|p| p.shape).collect(),
            created: pods.iter().map(|p| from(p.created_ms, job(p).map_or(0, |job| job.submitted_ms))).collect(),
            ended: pods
                .iter()
                .map(|p| after_or_same(p.ended_ms, p.created_ms, job(p).and_then(|job| job.ended_ms)))
                .collect(),
            end: pods.iter().map(|p| words.place(end_word(p.end))).collect(),
            replaces: pods.iter().map(|p| place(p.replaces)).collect(),
        }
    }
}

#[derive(Serialize)]
pub(super) struct Placements {
    pod: Vec<i64>,
    node: Vec<u32>,
    /// The bind, relative to the creation of the pod.
    bound: Vec<i64>,
    running: Vec<i64>,
    leaving: Vec<i64>,
    gone: Vec<i64>,
    end: Vec<i64>,
    eviction: Vec<i64>,
    devices: Vec<i64>,
    borrowed: Vec<i64>,
}

impl Placements {
    pub(super) fn of(
        report: &Report,
        words: &mut Dictionary<'_>,
        amounts: &mut Lists<Amount>,
        sets: &mut Lists<u32>,
    ) -> Self {
        let all = &report.placements;
        let set = |devices: &Vec<u32>, sets: &mut Lists<u32>| {
            if devices.is_empty() { -1 } else { sets.place(devices, |d| [i64::from(*d), 0]) }
        };
        let borrowed = |b: &Vec<Amount>, lists: &mut Lists<Amount>| {
            if b.is_empty() { -1 } else { amounts_place(lists, b) }
        };
        Self {
            pod: place_differences(all.iter().map(|p| p.pod)),
            node: all.iter().map(|p| p.node).collect(),
            bound: all
                .iter()
                .map(|p| from(p.bound_ms, at(&report.pods, p.pod).map_or(0, |pod| pod.created_ms)))
                .collect(),
            running: all.iter().map(|p| after(p.running_ms, p.bound_ms)).collect(),
            leaving: all.iter().map(|p| after(p.leaving_ms, p.bound_ms)).collect(),
            gone: all
                .iter()
                .map(|p| after_or_same(p.gone_ms, p.bound_ms, at(&report.pods, p.pod).and_then(|pod| pod.ended_ms)))
                .collect(),
            end: all.iter().map(|p| words.place(end_word(p.end))).collect(),
            eviction: all.iter().map(|p| place(p.eviction)).collect(),
            devices: all.iter().map(|p| set(&p.devices, sets)).collect(),
            borrowed: all.iter().map(|p| borrowed(&p.borrowed, amounts)).collect(),
        }
    }
}

#[derive(Serialize)]
pub(super) struct Waits {
    pod: Vec<i64>,
    from: Vec<u64>,
    to: Vec<i64>,
    rule: Vec<i64>,
    quota: Vec<i64>,
    resource: Vec<i64>,
    needed: Vec<i64>,
    available: Vec<i64>,
    verdict: Vec<i64>,
    until: Vec<i64>,
}

impl Waits {
    pub(super) fn of<'a>(report: &'a Report, words: &mut Dictionary<'a>) -> Self {
        let all = &report.waits;
        Self {
            pod: place_differences(all.iter().map(|w| w.pod)),
            from: differences(all.iter().map(|w| w.from_ms)),
            to: all.iter().map(|w| after(Some(w.to_ms), w.from_ms)).collect(),
            rule: all.iter().map(|w| words.place(&w.rule)).collect(),
            quota: all.iter().map(|w| place(w.quota)).collect(),
            resource: all.iter().map(|w| place(w.resource)).collect(),
            needed: all.iter().map(|w| w.needed.unwrap_or(0)).collect(),
            available: all.iter().map(|w| w.available.unwrap_or(0)).collect(),
            verdict: all.iter().map(|w| place(w.verdict)).collect(),
            until: all.iter().map(|w| after(w.victims_until_ms, w.from_ms)).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_add_up_to_the_values() {
        assert_eq!(differences([3, 5, 5, 9].into_iter()), [3, 2, 0, 4]);
        assert_eq!(place_differences([3, 1, 1, 4].into_iter()), [3, -2, 0, 3]);
        assert_eq!([after(None, 5), after(Some(5), 5), after(Some(9), 5)], [-1, 0, 4]);
    }

    #[test]
    fn names_that_count_follow() {
        let mut names = Numbered::default();
        let all = [
            ("a", "a"),
            ("a", "a-0"),
            ("b", "c-1"),
            ("a", "a-1"),
            ("b", "c-2"),
            ("a", "a-03"),
            ("a", "a-2"),
            ("a", "a-4"),
        ];
        let next = all.map(|(workload, name)| names.is_next(workload, name));
        assert_eq!(next, [false, true, false, true, true, false, true, false]);
    }

    #[test]
    fn what_recurs_is_stored_once() {
        let mut words = Dictionary::default();
        assert_eq!(["a", "", "b", "a"].map(|word| words.place(word)), [0, -1, 1, 0]);
        let mut lists = Lists::default();
        assert_eq!([vec![1, 2], vec![3], vec![1, 2]].map(|l| lists.place(&l, |d| [i64::from(*d), 0])), [0, 1, 0]);
    }
}
