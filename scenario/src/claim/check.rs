//! Turns written claims into claims of the model: every name is looked up, and quantities get the unit of their
//! resource.

use super::{
    compared::{Compared, lacks},
    summary::outcome,
    what::{self, DrainFigure, Phase, What},
    whose::Whose,
};
use crate::{bandwidth::Bandwidth, dataset::ReadDataset, files::Files, trace::read_file};
use quotree_core::Name;
use quotree_model::{
    BadEviction, Compare, DatasetFigure, JobFigure, NodeClaim, NodeFigure, Predicate as Checked, Selector, ShareClaim,
    ShareFigure,
};
use quotree_syntax::{At, Ms, Permille, Quantity, Read, Report, Span, choices};
use std::collections::{BTreeMap, BTreeSet};

/// The names that claims may use.
pub(crate) struct Known<'a> {
    pub(crate) namespaces: &'a BTreeSet<Name>,
    pub(crate) quotas: &'a BTreeSet<Name>,
    pub(crate) workloads: &'a BTreeSet<Name>,
    /// The tasks of each workflow.
    pub(crate) tasks: &'a BTreeMap<Name, BTreeSet<Name>>,
    pub(crate) resources: &'a BTreeSet<Name>,
    pub(crate) users: &'a BTreeSet<Name>,
    pub(crate) groups: &'a BTreeSet<Name>,
    pub(crate) pools: &'a BTreeSet<Name>,
    pub(crate) datasets: &'a [ReadDataset],
}

/// The rules that a verdict can name: those that block a workload, and those that protect pods from eviction.
const RULES: [&str; 15] =
    ["A1", "A2", "A4", "A5", "O2", "P1", "H1", "R1", "R2(a)", "R2(b)", "R2(c)", "R5", "R6", "R7", "R8"];

pub(super) struct Checking<'a, 'l, 'r> {
    pub(super) known: &'a Known<'a>,
    pub(super) files: &'r mut Files<'l>,
    pub(super) report: &'r mut Report,
}

impl Checking<'_, '_, '_> {
    pub(super) fn what(&mut self, what: &What) -> Option<Checked> {
        Some(match what {
            What::Pods(read) => {
                let what::Pods { running, pending, succeeded, failed, .. } = *read;
                self.counts(read.counts.0, "Pods", read.span, "running, pending, succeeded and failed")?;
                Checked::Pods { of: self.of(read.of.as_ref())?, running, pending, succeeded, failed }
            }
            What::Instances(read) => {
                let what::Instances { submitted, succeeded, failed, active, skipped, .. } = *read;
                let counts = "submitted, succeeded, failed, active and skipped";
                self.counts(read.counts.0, "Instances", read.span, counts)?;
                Checked::Instances { of: self.of(read.of.as_ref())?, submitted, succeeded, failed, active, skipped }
            }
            What::MetDeadlines(read) => {
                let (of, (compare, count)) = (self.of(read.of.as_ref())?, read.compared.0?);
                Checked::Deadlines { of, met: true, compare, count }
            }
            What::MissedDeadlines(read) => {
                let (of, (compare, count)) = (self.of(read.of.as_ref())?, read.compared.0?);
                Checked::Deadlines { of, met: false, compare, count }
            }
            What::Used(_) | What::Borrowed(_) | What::BorrowedTime(_) | What::StarvedTime(_) | What::UsedTime(_) => {
                return self.resource_claim(what);
            }
            What::Evictions(_)
            | What::EvictedFrom(_)
            | What::EvictedInsideMin(_)
            | What::EvictionCycles(_)
            | What::WastedEvictions(_) => return self.evictions(what),
            What::Guaranteed(read) => Checked::Guaranteed { within_ms: read.within.0 },
            What::Verdict(read) => return self.verdict(read),
            What::Wait(read) => {
                let (of, stat, (compare, ms)) = (self.of(read.of.as_ref())?, read.stat?, read.compared.0?);
                let figure = if read.first { JobFigure::FirstWait } else { JobFigure::Wait };
                Checked::JobTime { of, figure, stat, compare, value: ms.0 }
            }
            What::Turnaround(read) => {
                let (of, stat, (compare, ms)) = (self.of(read.of.as_ref())?, read.stat?, read.compared.0?);
                Checked::JobTime { of, figure: JobFigure::Turnaround, stat, compare, value: ms.0 }
            }
            What::Slowdown(read) => {
                let (of, stat, (compare, ratio)) = (self.of(read.of.as_ref())?, read.stat?, read.compared.0?);
                Checked::JobTime { of, figure: JobFigure::Slowdown, stat, compare, value: ratio.0 }
            }
            What::Makespan(read) => {
                let (compare, ms) = read.compared.0?;
                match &read.of {
                    Some(of) => self.share(of, ShareFigure::Makespan, compare, u128::from(ms.0))?,
                    None => Checked::Makespan { compare, ms: ms.0 },
                }
            }
            What::Utilisation(read) => {
                let (resource, (compare, permille)) = (self.resource(read.resource.as_ref())?, read.compared.0?);
                match &read.of {
                    Some(of) => self.share(of, ShareFigure::Utilisation(resource), compare, u128::from(permille.0))?,
                    None => Checked::Utilisation { resource, compare, permille: permille.0 },
                }
            }
            What::LostWork(read) => {
                let (of, (compare, ms)) = (self.of(read.of.as_ref())?, read.compared.0?);
                Checked::LostWork { of, compare, ms: ms.0 }
            }
            What::Refused(read) => {
                let of = self.anybody(read.of.as_ref())?;
                let (compare, count) = read.compared.0?;
                Checked::Refused { of, why: read.why, compare, count }
            }
            What::Dataset(read) => return self.dataset(read),
            What::InputWait(read) => {
                let (of, (compare, ms)) = (self.of(read.of.as_ref())?, read.compared.0?);
                Checked::InputWait { of, gpus: false, compare, ms: ms.0 }
            }
            What::GpuIdle(read) => {
                let (of, (compare, ms)) = (self.of(read.of.as_ref())?, read.compared.0?);
                Checked::InputWait { of, gpus: true, compare, ms: ms.0 }
            }
            What::Fairness(read) => {
                let (figure, (compare, permille)) = (read.figure?, read.compared.0?);
                Checked::Fairness { figure, compare, permille: permille.0 }
            }
            What::NotWorseThanAlone(read) => {
                Checked::NotWorseThanAlone { of: self.of(read.of.as_ref())?, permille: read.factor?.0 }
            }
            What::Gang(read) => read.claim.map(|_| Checked::GangsWhole)?,
            What::CellsFeasible(_) => Checked::CellsFeasible,
            What::Invariants(_) => Checked::Invariants,
            What::Digest(read) => Checked::Digest(read.digest?.0),
            What::SameAs(read) => return self.same_as(read),
            What::NodesUp(_)
            | What::NodeTime(_)
            | What::Cost(_)
            | What::Drained(_)
            | What::FailedDrains(_)
            | What::NodeFailures(_)
            | What::QuotaDrain(_) => return self.nodes(what),
        })
    }

    /// Reports a claim that states none of its counts.
    fn counts(&mut self, given: bool, name: &str, span: Span, counts: &str) -> Option<()> {
        if !given {
            let title = format!("`{name}` claims no count");
            self.report.error(span, title, format!("at least one of {counts}"));
        }
        given.then_some(())
    }

    /// The selector, if it is given; `Some(None)` means everybody.
    fn anybody(&mut self, whose: Option<&Whose>) -> Option<Option<Selector>> {
        match whose {
            None => Some(None),
            whose => self.of(whose).map(Some),
        }
    }

    fn share(&mut self, of: &Whose, figure: ShareFigure, compare: Compare, value: u128) -> Option<Checked> {
        Some(Checked::Share(ShareClaim { of: self.of(Some(of))?, figure, compare, value }))
    }

    /// Claims about a resource that the selected work uses or lacks.
    fn resource_claim(&mut self, what: &What) -> Option<Checked> {
        match what {
            What::Used(what::Used { quota, of, resource, compared, span }) => {
                let names = (quota.as_ref(), of.as_ref(), resource.as_ref());
                self.amount("Used", *span, names, compared)
            }
            What::Borrowed(what::Borrowed { quota, of, resource, compared, span }) => {
                let names = (quota.as_ref(), of.as_ref(), resource.as_ref());
                self.amount("Borrowed", *span, names, compared)
            }
            What::UsedTime(read) => {
                let (of, resource) = (self.of(read.of.as_ref()), self.resource(read.resource.as_ref()));
                let (of, resource, (compare, ms)) = (of?, resource?, read.compared.0?);
                Some(Checked::UsedTime { of, resource, compare, ms: ms.0 })
            }
            What::BorrowedTime(what::BorrowedTime { of, resource, compared, .. }) => {
                self.time(of.as_ref(), resource.as_ref(), compared, ShareFigure::BorrowedTime)
            }
            What::StarvedTime(what::StarvedTime { of, resource, compared, .. }) => {
                self.time(of.as_ref(), resource.as_ref(), compared, ShareFigure::StarvedTime)
            }
            _ => None,
        }
    }

    fn time(
        &mut self,
        of: Option<&Whose>,
        resource: Option<&At<Name>>,
        compared: &Compared<Ms>,
        figure: fn(Name) -> ShareFigure,
    ) -> Option<Checked> {
        let (of, resource) = (self.of(of), self.resource(resource));
        let (of, figure, (compare, ms)) = (of?, figure(resource?), compared.0?);
        Some(Checked::Share(ShareClaim { of, figure, compare, value: u128::from(ms.0) }))
    }

    /// The claims `Used` and `Borrowed`, about a quota or about selected work.
    fn amount(
        &mut self,
        name: &str,
        span: Span,
        (quota, of, resource): (Option<&At<Name>>, Option<&Whose>, Option<&At<Name>>),
        compared: &Compared<Quantity>,
    ) -> Option<Checked> {
        match (quota, of) {
            (Some(quota), Some(_)) => self.two_things(name, quota.span),
            (None, None) => {
                self.report.error(span, format!("`{name}` lacks `quota`"), "`quota` is missing");
            }
            _ => {}
        }
        let quota = quota.and_then(|quota| self.check(quota, "quota", self.known.quotas));
        let of = self.anybody(of)?;
        let resource = self.resource(resource)?;
        let (compare, amount) = compared.0.as_ref()?;
        let (compare, amount) = (*compare, amount.amount(resource.as_str(), self.report)?);
        Some(match of {
            Some(of) => {
                let figure = if name == "Used" { ShareFigure::Used(resource) } else { ShareFigure::Borrowed(resource) };
                Checked::Share(ShareClaim { of, figure, compare, value: u128::try_from(amount).unwrap_or(0) })
            }
            None if name == "Used" => Checked::Used { quota: quota?, resource, compare, amount },
            None => Checked::Borrowed { quota: quota?, resource, compare, amount },
        })
    }

    fn two_things(&mut self, name: &str, span: Span) {
        self.report.error(span, format!("`{name}` has two subjects"), "give either this or `of`");
    }

    fn evictions(&mut self, what: &What) -> Option<Checked> {
        Some(match what {
            What::Evictions(read) => {
                let (of, by) = (self.anybody(read.of.as_ref()), self.anybody(read.by.as_ref()));
                let (of, by, (compare, count)) = (of?, by?, read.compared.0?);
                Checked::Evictions { of, by, compare, count }
            }
            What::EvictedFrom(read) => {
                let quota = self.check(read.quota.as_ref()?, "quota", self.known.quotas)?;
                let (compare, count) = if read.compared.given { read.compared.value? } else { (Compare::AtLeast, 1) };
                Checked::Evictions { of: Some(Selector::Quota(quota)), by: None, compare, count }
            }
            What::EvictionCycles(read) => {
                let (compare, count) = read.compared.0?;
                Checked::Bad { kind: BadEviction::Cycle, compare, count }
            }
            What::EvictedInsideMin(what::EvictedInsideMin { of, compared, .. }) => {
                let (compare, count) = compared.0?;
                match of {
                    Some(of) => self.share(of, ShareFigure::InsideMin, compare, u128::from(count))?,
                    None => Checked::Bad { kind: BadEviction::InsideMin, compare, count },
                }
            }
            What::WastedEvictions(what::WastedEvictions { of, compared, .. }) => {
                let (compare, count) = compared.0?;
                match of {
                    Some(of) => self.share(of, ShareFigure::Wasted, compare, u128::from(count))?,
                    None => Checked::Bad { kind: BadEviction::Wasted, compare, count },
                }
            }
            _ => return None,
        })
    }

    fn verdict(&mut self, read: &what::Verdict) -> Option<Checked> {
        let of = read.of.as_ref().and_then(|of| self.of(Some(of)));
        let rule = read.rule.as_ref()?;
        let plain = |rule: &str| rule.replace(['(', ')'], "").to_ascii_lowercase();
        let Some(known) = RULES.iter().find(|known| plain(known) == plain(&rule.value)) else {
            self.report
                .error(rule.span, format!("`{}` is not a rule that a verdict can cite", rule.value), "unknown rule")
                .help(choices(&RULES));
            return None;
        };
        Some(Checked::Verdict { of: of?, rule: (*known).to_owned() })
    }

    fn dataset(&mut self, read: &what::Dataset) -> Option<Checked> {
        let figure = match (&read.figure, read.compared.given) {
            (Some(_), false) => {
                lacks("Dataset", read.span, self.report);
                return None;
            }
            (None, true) => {
                self.report.error(read.span, "`Dataset` has a comparison but no `figure`", "`figure` is missing");
                return None;
            }
            (None, false) => None,
            (Some(figure), true) => {
                let (figure, (compare, value)) = (figure.value?, read.compared.value.as_ref()?);
                let value = match figure {
                    DatasetFigure::Cached | DatasetFigure::HitRatio => Permille::read(&value.0, self.report)?.0,
                    DatasetFigure::Rate => Bandwidth::read(&value.0, self.report)?.0,
                    DatasetFigure::Saved | DatasetFigure::GpuSaved => Ms::read(&value.0, self.report)?.0,
                };
                Some((figure, *compare, value))
            }
        };
        if read.phase.is_none() && figure.is_none() {
            let label = "give `phase`, or `figure` with a comparison";
            self.report.error(read.span, "`Dataset` needs `phase` or `figure`", label);
        }
        let name = read.dataset.as_ref()?;
        let Some(dataset) = self.known.datasets.iter().position(|known| known.dataset.name == name.value) else {
            let names: BTreeSet<Name> = self.known.datasets.iter().map(|known| known.dataset.name.clone()).collect();
            return self.check(name, "dataset", &names).and(None);
        };
        let bound = match &read.phase {
            Some(phase) => Some(phase.value? == Phase::Bound),
            None => None,
        };
        Some(Checked::Dataset { dataset, bound, figure })
    }

    fn nodes(&mut self, what: &What) -> Option<Checked> {
        let (figure, compared) = match what {
            What::NodesUp(read) => (NodeFigure::Up(self.pool(read.pool.as_ref())?), number(&read.compared)),
            What::NodeTime(read) => (NodeFigure::Time(self.pool(read.pool.as_ref())?), duration(&read.compared)),
            What::FailedDrains(read) => (NodeFigure::FailedDrains, number(&read.compared)),
            What::NodeFailures(read) => (NodeFigure::Failures, number(&read.compared)),
            What::Drained(read) => {
                if let (Some(of), Some((compare, value))) = (&read.of, number(&read.compared)) {
                    return self.share(of, ShareFigure::Drained, compare, value);
                }
                (NodeFigure::Drained, number(&read.compared))
            }
            What::Cost(read) => {
                if let (Some(pool), Some(_)) = (&read.pool, &read.of) {
                    self.two_things("Cost", pool.span);
                }
                let (compare, cost) = read.compared.0.as_ref()?;
                let cost = u128::try_from(cost.amount("cost", self.report)?).unwrap_or(0);
                if let Some(of) = &read.of {
                    return self.share(of, ShareFigure::Cost, *compare, cost);
                }
                (NodeFigure::Cost(self.pool(read.pool.as_ref())?), Some((*compare, cost)))
            }
            What::QuotaDrain(read) => {
                let quota = self.check(read.quota.as_ref()?, "quota", self.known.quotas)?;
                let figure = match read.figure? {
                    DrainFigure::Estimate => NodeFigure::Estimate(quota),
                    DrainFigure::Took => NodeFigure::Took(quota),
                };
                (figure, duration(&read.compared))
            }
            _ => return None,
        };
        let (compare, value) = compared?;
        Some(Checked::Nodes(NodeClaim { figure, compare, value }))
    }

    fn same_as(&mut self, read: &what::SameAs) -> Option<Checked> {
        let file = read.file.as_ref()?;
        let bytes = read_file(file, self.files, self.report)?;
        match outcome(&bytes) {
            Ok((rows, evictions)) => Some(Checked::SameAs { file: file.value.0.clone(), rows, evictions }),
            Err(why) => {
                let title = format!("`{}` is not a summary: {why}", file.value.0);
                self.report.error(file.span, title, "a summary.json was expected");
                None
            }
        }
    }

    /// The pool of a claim, if it names one; `None` if there is no such pool.
    fn pool(&mut self, name: Option<&At<Name>>) -> Option<Option<Name>> {
        match name {
            Some(name) => self.check(name, "pool", self.known.pools).map(Some),
            None => Some(None),
        }
    }

    fn resource(&mut self, name: Option<&At<Name>>) -> Option<Name> {
        self.check(name?, "resource", self.known.resources)
    }

    pub(super) fn check(&mut self, name: &At<Name>, what: &str, known: &BTreeSet<Name>) -> Option<Name> {
        if known.contains(&name.value) {
            return Some(name.value.clone());
        }
        let title = format!("there is no {what} `{}`", name.value);
        self.report
            .error(name.span, title, format!("unknown {what}"))
            .did_you_mean(name.value.as_str(), known.iter().map(Name::as_str));
        None
    }
}

fn number(compared: &Compared<u64>) -> Option<(Compare, u128)> {
    compared.0.map(|(compare, count)| (compare, u128::from(count)))
}

fn duration(compared: &Compared<Ms>) -> Option<(Compare, u128)> {
    compared.0.map(|(compare, ms)| (compare, u128::from(ms.0)))
}
