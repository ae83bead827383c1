//! Users, groups and datasets of the report.

use super::From;
use quotree_page::model::{Account, AmountTime, Dataset, Group, People, Report, User};
use quotree_sim::{
    history::JobHistory,
    people::Role,
    result::{TimeMap, WorkRow},
};

impl From<'_> {
    pub(super) fn people(&self, report: &mut Report) {
        let user = |row: &quotree_sim::result::UserRow| User {
            name: row.name.clone(),
            role: match row.role {
                Some(Role::Admin) => "admin",
                Some(Role::Researcher) => "researcher",
                None => "",
            }
            .to_owned(),
            groups: row.groups.clone(),
            account: self.account(&row.work, &|job| job.user.as_ref().is_some_and(|user| user.as_str() == row.name)),
        };
        let quota = |name: &String| {
            let place = self.history.quotas.iter().position(|quota| quota.name == *name);
            place.and_then(|place| u32::try_from(place).ok())
        };
        let group = |row: &quotree_sim::result::GroupRow| Group {
            name: row.name.clone(),
            quota: row.quota.as_ref().and_then(quota),
            members: row.members.clone(),
            account: self.account(&row.work, &|job| job.group.as_ref().is_some_and(|group| group.as_str() == row.name)),
        };
        report.people = People {
            users: self.result.users.iter().map(user).collect(),
            groups: self.result.groups.iter().map(group).collect(),
        };
    }

    pub(super) fn datasets(&self) -> Vec<Dataset> {
        let row = |row: &quotree_sim::result::DatasetRow| Dataset {
            name: row.name.clone(),
            namespace: row.namespace.clone(),
            phase: row.phase.to_owned(),
            size_bytes: row.size_bytes,
            cached_bytes: row.cache.as_ref().map_or(0, |cache| cache.cached_bytes),
            read_bytes: row.input.read_bytes.into(),
            hit_permille: row.input.hit_permille,
            rate_bytes_s: row.rate_bytes_s,
            wait_ms: row.input.wait_ms.into(),
            gpu_idle_ms: row.input.gpu_idle_ms.into(),
            saved_ms: row.input.saved_ms.into(),
        };
        self.result.datasets.iter().map(row).collect()
    }

    /// The account of some work. Its waits are those of the pods of its jobs, as in all tables of the report.
    fn account(&self, work: &WorkRow, is_of: &dyn Fn(&JobHistory) -> bool) -> Account {
        let (counts, share) = (work.counts, &work.share);
        let times = |times: &TimeMap| {
            let row = |(resource, number): (u32, &u32)| {
                let unit_s = times.get(super::name_of(self.history, *number)) / 1000;
                (unit_s > 0).then_some(AmountTime { resource, unit_s })
            };
            (0u32..).zip(self.order).filter_map(row).collect()
        };
        Account {
            pods: share.pods,
            running: counts.running,
            pending: counts.pending,
            succeeded: counts.succeeded,
            failed: counts.failed,
            evicted: counts.evicted,
            evicted_for: share.evicted_for,
            refused: work.refused,
            wait: self.wait_of_jobs(is_of),
            lost_work_ms: share.lost_work_ms,
            cost_milli: share.cost_milli,
            used: times(&share.used_time_s),
            borrowed: times(&share.borrowed_time_s),
            starved: times(&share.starved_time_s),
        }
    }
}
