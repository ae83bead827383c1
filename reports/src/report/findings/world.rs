//! Findings about work and nodes: what failed, which pods waited, which nodes were down, and what is unfinished at the
//! end.

use super::{About, episodes::Episodes, finding, permille, subject, text, worst};
use quotree_page::model::{Amount, Finding, FindingKind, Incident, JobState, Ms, Piece, SubjectKind, Wait};

impl About<'_> {
    pub(super) fn failed(&self, all: &mut Vec<Finding>) {
        let failed: Vec<_> = self.report.claims.iter().filter(|claim| !claim.passed).collect();
        if let Some(first) = failed.first() {
            let at = failed.iter().filter_map(|claim| claim.at_ms).min().unwrap_or(self.report.run.end_ms);
            let count = failed.len() as u64;
            let verb = if count == 1 { " claim failed: " } else { " claims failed, the first: " };
            let pieces =
                vec![Piece::Count(count), text(verb), text(format!("{}, observed: {}.", first.claim, first.seen))];
            all.push(finding(FindingKind::Failed, 3_000, at, pieces));
        }
        if let Some(first) = self.report.breaches.first() {
            let pieces = vec![
                Piece::Count(self.report.breaches.len() as u64),
                text(format!(" violations of invariants, the first: {}.", first.what)),
            ];
            all.push(finding(FindingKind::Failed, 4_000, first.at_ms, pieces));
        }
    }

    pub(super) fn waited(&self, all: &mut Vec<Finding>) {
        let totals = &self.report.totals;
        let Some(pod) = totals.longest_wait_pod.filter(|_| totals.longest_wait_ms > 0) else { return };
        let Some(row) = self.history.pods.get(pod as usize) else { return };
        let waits: Vec<&Wait> = self.report.waits.iter().filter(|wait| wait.pod == pod).collect();
        let longest = waits.iter().max_by_key(|wait| (wait.to_ms - wait.from_ms, std::cmp::Reverse(wait.from_ms)));
        let mut pieces = vec![
            subject(SubjectKind::Pod, &(self.pod_name)(pod)),
            text(" waited longest, "),
            Piece::Span(totals.longest_wait_ms),
        ];
        if let Some(wait) = longest {
            match wait.rule.as_str() {
                "suspended" => pieces.push(text(", mostly suspended in its job queue")),
                rule => pieces.extend([text(", mostly because of "), Piece::Rule(rule.to_owned())]),
            }
            if wait.quota.is_some() {
                pieces.extend([text(" at "), self.quota(wait.quota)]);
            }
            if let (Some(resource), Some(needed), Some(available)) = (wait.resource, wait.needed, wait.available) {
                pieces.extend([text(": it requests "), Piece::Amount(Amount { resource, amount: needed })]);
                pieces.push(text(", with "));
                pieces.push(match available {
                    ..=0 => text("none"),
                    _ => Piece::Amount(Amount { resource, amount: available }),
                });
                pieces.push(text(" left"));
            }
        }
        pieces.push(text("."));
        let weight = 300 + permille(totals.longest_wait_ms.into(), self.report.run.end_ms.into()) / 2;
        let began = longest.map_or(row.created_ms, |wait| began(wait, &waits));
        all.push(finding(FindingKind::Waited, weight, began, pieces));
    }

    pub(super) fn incidents(&self, all: &mut Vec<Finding>) {
        for incident in self.report.incidents.iter().filter(|incident| incident.kind != "scale_in") {
            let name = incident.what.strip_prefix("rack ");
            let one = incident.nodes.first().and_then(|node| self.report.nodes.get(*node as usize));
            let who = match (name, one, incident.nodes.len()) {
                (Some(rack), ..) => vec![text("Rack "), subject(SubjectKind::Rack, rack)],
                (None, Some(node), 1) => vec![subject(SubjectKind::Node, &node.name)],
                _ => vec![text(incident.what.clone())],
            };
            let mut pieces = who;
            let state = if incident.nodes_down { "down" } else { "drained" };
            match incident.to_ms {
                Some(to) => pieces.extend([text(format!(" was {state} for ")), Piece::Span(to - incident.from_ms)]),
                None => pieces.extend([text(format!(" is {state} since ")), Piece::Moment(incident.from_ms)]),
            }
            if let Some(gone) = incident.gone.iter().find(|amount| amount.resource == self.main) {
                pieces.extend([text(", with "), Piece::Amount(*gone)]);
            }
            let lost = incident.lost_pods.len() as u64;
            if lost > 0 {
                pieces.extend([
                    text("; "),
                    Piece::Count(lost),
                    text(if lost == 1 { " pod was lost" } else { " pods were lost" }),
                ]);
            }
            let cost = self.cost_of(incident);
            if cost > 0 && incident.nodes_down {
                pieces.extend([
                    text("; its nodes cost "),
                    Piece::MoneyMilli(cost),
                    text(" meanwhile (price times time)"),
                ]);
            }
            pieces.push(text("."));
            let weight = 400 + 50 * u64::from(incident.nodes_down) + lost.min(300);
            all.push(Finding {
                from_ms: Some(incident.from_ms),
                to_ms: incident.to_ms,
                ..finding(FindingKind::Incident, weight, incident.from_ms, pieces)
            });
        }
    }

    /// The outage at a moment, if there was one.
    pub(super) fn outage_at(&self, at: Ms) -> Option<&str> {
        let down = self.report.incidents.iter().filter(|incident| incident.nodes_down);
        let mut now = down.filter(|incident| incident.from_ms <= at && incident.to_ms.is_none_or(|to| at < to));
        now.next().map(|incident| incident.what.as_str())
    }

    /// The price of the nodes of an incident for its duration, thousandths.
    fn cost_of(&self, incident: &Incident) -> u128 {
        let ms = u128::from(incident.to_ms.unwrap_or(self.report.run.end_ms).saturating_sub(incident.from_ms));
        let nodes = incident.nodes.iter().filter_map(|node| self.report.nodes.get(*node as usize));
        nodes.map(|node| u128::from(node.price_milli_per_hour) * ms / 3_600_000).sum()
    }

    pub(super) fn fragmented(&self, all: &mut Vec<Finding>) {
        let main = |wait: &&quotree_page::model::Wait| wait.rule == "P1" && wait.resource == Some(self.main);
        let waits: Vec<_> = self.report.waits.iter().filter(main).collect();
        let Some(cluster) = self.report.cluster.resources.iter().find(|row| row.resource == self.main) else { return };
        let fits = |wait: &&&quotree_page::model::Wait| {
            let free = cluster.capacity.at(wait.from_ms).unwrap_or(0) - cluster.allocated.at(wait.from_ms).unwrap_or(0);
            wait.needed.is_some_and(|needed| free >= needed && needed > 0)
        };
        let sum: u128 = waits.iter().filter(fits).map(|wait| u128::from(wait.to_ms - wait.from_ms)).sum();
        let Some(first) = waits.iter().find(fits) else { return };
        let free = cluster.capacity.at(first.from_ms).unwrap_or(0) - cluster.allocated.at(first.from_ms).unwrap_or(0);
        let mut pieces = vec![
            text("Fragmentation: "),
            subject(SubjectKind::Pod, &(self.pod_name)(first.pod)),
            text(" requested "),
            self.amount(first.needed.unwrap_or(0)),
            text(" while "),
            self.amount(free),
            text(" were free, but not on one node; pods waited "),
            Piece::Span(u64::try_from(sum).unwrap_or(u64::MAX)),
            text(" for this reason, summed over pods"),
        ];
        let begins = waits.iter().filter(fits).map(|wait| wait.from_ms);
        pieces.extend(Episodes::at(begins).map(Episodes::pieces).unwrap_or_default());
        pieces.push(text("."));
        let whole = u128::from(self.report.run.end_ms).saturating_mul(self.history.pods.len() as u128);
        all.push(finding(FindingKind::Fragmented, 350 + permille(sum, whole), first.from_ms, pieces));
    }

    pub(super) fn refused(&self, all: &mut Vec<Finding>) {
        let Some(first) = self.report.refusals.first() else { return };
        let times: u64 = self.report.refusals.iter().map(|row| row.times.max(1)).sum();
        let mut pieces = vec![
            Piece::Count(times),
            text(if times == 1 { " request was refused: " } else { " requests were refused, the first: " }),
            text(first.what.clone()),
        ];
        if let Some(by) = &first.by {
            pieces.extend([text(", by "), subject(SubjectKind::User, by)]);
        }
        pieces.push(text(format!(": {}.", first.why.trim_end_matches('.'))));
        all.push(finding(FindingKind::Refused, 380, first.at_ms, pieces));
    }

    pub(super) fn lost(&self, all: &mut Vec<Finding>) {
        let late = self.report.jobs.iter().filter(|job| job.deadline_met == Some(false)).count() as u64;
        if late > 0 {
            let of = self.report.jobs.iter().filter(|job| job.deadline_ms.is_some()).count() as u64;
            let first = self
                .report
                .jobs
                .iter()
                .filter(|job| job.deadline_met == Some(false))
                .filter_map(|job| job.deadline_ms)
                .min();
            let pieces = vec![Piece::Count(late), text(" of "), Piece::Count(of), text(" deadlines were missed.")];
            all.push(finding(FindingKind::Lost, 700, first.unwrap_or(0), pieces));
        }
        if let Some(first) = self.report.failures.first() {
            let count = self.report.failures.len() as u64;
            let pieces = vec![
                Piece::Count(count),
                text(if count == 1 { " job failed: " } else { " jobs failed, the first: " }),
                text(format!("{} ({}).", first.what, first.why.trim_end_matches('.'))),
            ];
            all.push(finding(FindingKind::Lost, 600, first.at_ms, pieces));
        }
    }

    pub(super) fn unfinished(&self, all: &mut Vec<Finding>) {
        let (running, pending) = (self.report.totals.pods_running, self.report.totals.pods_pending);
        let open = self.report.jobs.iter().filter(|job| job.state == JobState::Pending).count() as u64;
        if pending > 0 {
            let mut pieces = vec![
                Piece::Count(pending),
                text(if pending == 1 {
                    " pod is still pending at the end"
                } else {
                    " pods are still pending at the end"
                }),
            ];
            if open > 0 {
                pieces.extend([
                    text("; "),
                    Piece::Count(open),
                    text(if open == 1 { " job never started" } else { " jobs never started" }),
                ]);
            }
            pieces.push(text("."));
            let weight = 320 + permille(pending.into(), self.report.totals.pods_submitted.into()) / 2;
            all.push(finding(FindingKind::Unfinished, weight, self.report.run.end_ms, pieces));
        } else if running > 0 {
            let pieces = vec![
                Piece::Count(running),
                text(if running == 1 { " pod still runs at the end." } else { " pods still run at the end." }),
            ];
            all.push(finding(FindingKind::Unfinished, 30, self.report.run.end_ms, pieces));
        } else if !self.history.pods.is_empty() {
            let pieces = vec![text("All work was done after "), Piece::Span(self.report.totals.makespan_ms), text(".")];
            all.push(finding(FindingKind::Note, 20, self.report.totals.makespan_ms, pieces));
        }
    }

    pub(super) fn use_of_all(&self, all: &mut Vec<Finding>) {
        let Some(row) = self.report.totals.resources.iter().find(|row| row.resource == self.main) else {
            return;
        };
        let name = self.report.resources.get(self.main as usize).map_or("", |r| r.short.as_str());
        let name = if name.is_empty() { "Memory" } else { name };
        let cluster = self.report.cluster.resources.iter().find(|row| row.resource == self.main);
        let peak = cluster.map(|row| worst(&row.allocated)).unwrap_or_default();
        if self.history.pods.is_empty() {
            return all.push(self.whole(finding(FindingKind::Idle, 30, 0, vec![text("No pod was submitted.")])));
        }
        let pieces = vec![
            text(format!("{name}: ")),
            Piece::Permille(row.utilisation_permille),
            text(" of the capacity was in use on average ("),
            self.time(row.used_unit_s),
            text("), and at most "),
            self.amount(peak.1),
            text(" at once."),
        ];
        all.push(self.whole(finding(FindingKind::Idle, 100, peak.0, pieces)));
        self.starts(all);
        if self.report.evictions.is_empty() {
            all.push(self.whole(finding(FindingKind::Note, 40, 0, vec![text("No pod was evicted.")])));
        }
        // Where nothing is guaranteed, there is nothing to say about guarantees.
        if self.series().all(|row| worst(&row.min).1 == 0) {
            return;
        }
        if self.series().all(|row| row.borrowed_unit_s == 0) {
            let pieces = vec![text("No quota used more than its guarantee: nothing was borrowed.")];
            all.push(self.whole(finding(FindingKind::Note, 35, 0, pieces)));
        }
        if self.series().all(|row| row.missed_unit_s == 0) {
            let pieces = vec![text("No pod was pending while its quota was below its guarantee.")];
            all.push(self.whole(finding(FindingKind::Note, 45, 0, pieces)));
        }
    }
    /// How many pods started, and how soon. A pod that never starts is in no quantile, so the sentence states how many
    /// pods it covers.
    fn starts(&self, all: &mut Vec<Finding>) {
        let totals = &self.report.totals;
        let (pods, started) = (totals.pods_submitted, totals.wait.count);
        let mut pieces =
            vec![Piece::Count(pods), text(if pods == 1 { " pod was submitted" } else { " pods were submitted" })];
        let wait = totals.wait;
        if started == pods {
            pieces.push(text(if pods == 1 { " and started" } else { " and all started" }));
        } else {
            pieces.extend([text(", "), Piece::Count(started), text(" started")]);
        }
        match (wait.p50_ms, wait.p95_ms, wait.max_ms) {
            _ if started == 0 => {}
            (.., 0) => pieces.push(text(" at once")),
            _ if started == 1 => pieces.extend([text(" after "), Piece::Span(wait.max_ms)]),
            (_, 0, _) => pieces.push(text(", at least 95 % of them at once")),
            (p50, p95, _) if p50 == p95 => pieces.extend([text(", 95 % of them within "), Piece::Span(p95)]),
            (p50, p95, _) => {
                let half = if p50 == 0 { text("at once") } else { Piece::Span(p50) };
                let within = if p50 == 0 { "" } else { "within " };
                pieces.extend([text(format!(", half of them {within}")), half]);
                pieces.extend([text(" and 95 % within "), Piece::Span(p95)]);
            }
        }
        pieces.extend([text("; "), Piece::Count(totals.pods_succeeded), text(" succeeded.")]);
        all.push(self.whole(finding(FindingKind::Note, 90, self.report.run.end_ms, pieces)));
    }
}

/// When a pod began to wait for the reason of a wait (its rule and quota). The scheduler may have tried the pod since,
/// with the same result.
fn began(wait: &Wait, of_pod: &[&Wait]) -> Ms {
    let same = |other: &&&Wait| other.rule == wait.rule && other.quota == wait.quota;
    let before = of_pod.iter().rev().filter(same).skip_while(|other| other.from_ms >= wait.from_ms);
    before.fold(wait.from_ms, |from, other| if other.to_ms == from { other.from_ms } else { from })
}
