//! Whether demands fit on the nodes, with or without a domain, and if not, why and what is enough.

use crate::{
    demand::{Demand, Look},
    finding::{Finding, Kind},
    mins::{Answer, Loss},
    never::bins_of,
    node::Class,
    pack::{Bins, Gang, Packed, Proof, pack},
    words,
};
use quotree_core::{Level, Name, PodTemplate};
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

/// The maximum number of domains (nodes or racks) whose loss is checked.
const MOST_LOSSES: usize = 1000;

/// A domain that is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lost {
    Nothing,
    /// One node of a class.
    Node(u32),
    Rack(u32),
}

impl Look<'_, '_> {
    /// Packs demands. `only_promised`: with the guaranteed resources only.
    fn pack(&mut self, demands: &[&Demand], bins: &Bins, only_promised: bool, steps: &mut u64) -> Packed {
        let mut all: Vec<(usize, u64)> = demands.iter().flat_map(|demand| demand.units.iter().copied()).collect();
        all.sort_by_cached_key(|(at, _)| (Reverse(self.size(*at)), *at));
        let number = |template: &PodTemplate| {
            let part = self.promised.get(template).filter(|_| only_promised);
            self.nodes.number(part.unwrap_or(template))
        };
        let gang = |(at, times): &(usize, u64)| {
            let unit = self.units.get(*at)?;
            let pods = unit.sets.iter().map(|(template, pods)| (number(template), *pods)).collect();
            Some((Gang { pods, together: unit.together }, *times))
        };
        let gangs: Vec<(Gang, u64)> = all.iter().filter_map(gang).collect();
        pack(&mut self.nodes, bins, &gangs, steps)
    }

    /// The empty nodes without a lost domain.
    fn bins(&mut self, lost: Lost) -> Bins {
        let left = |(at, class): (u32, &Class<'_>)| {
            let gone = match lost {
                Lost::Node(class) => u32::from(at == class),
                Lost::Rack(rack) if class.domains.first() == Some(&Some(rack)) => class.count,
                Lost::Rack(_) | Lost::Nothing => 0,
            };
            (at, class.count.saturating_sub(gone))
        };
        let left: BTreeMap<u32, u32> = (0..).zip(&self.nodes.classes).map(left).collect();
        bins_of(&mut self.nodes, |class, _| left.get(&class).copied())
    }

    /// Whether these demands fit. If not, they are first reduced to those that are needed for the proof.
    pub(crate) fn answer(&mut self, demands: &[&Demand], lost: Lost, steps: &mut u64) -> Answer {
        let bins = self.bins(lost);
        let proof = match self.pack(demands, &bins, false, steps) {
            Packed::Fits => return Answer::Honoured,
            Packed::Undecided { steps } => return Answer::Undecided(steps),
            Packed::Impossible(proof) => proof,
        };
        match self.pack(demands, &bins, true, steps) {
            Packed::Impossible(proof) => {
                let (kept, proof) = self.reduced(demands, &bins, (true, proof), steps);
                Answer::Not(Box::new(self.finding(&kept, &bins, (true, proof), lost, steps)))
            }
            Packed::Undecided { steps } => Answer::Undecided(steps),
            Packed::Fits => {
                let (kept, proof) = self.reduced(demands, &bins, (false, proof), steps);
                Answer::OtherResources(Box::new(self.finding(&kept, &bins, (false, proof), lost, steps)))
            }
        }
    }

    /// The demands without those that the proof does not need.
    fn reduced<'d>(
        &mut self,
        demands: &[&'d Demand],
        bins: &Bins,
        (only_promised, mut proof): (bool, Proof),
        steps: &mut u64,
    ) -> (Vec<&'d Demand>, Proof) {
        let mut kept: Vec<&Demand> = demands.to_vec();
        let mut at = 0;
        while at < kept.len() && kept.len() > 1 {
            let one = kept.remove(at);
            match self.pack(&kept, bins, only_promised, steps) {
                Packed::Impossible(found) => proof = found,
                _ => {
                    kept.insert(at, one);
                    at += 1;
                }
            }
        }
        (kept, proof)
    }

    fn finding(
        &mut self,
        kept: &[&Demand],
        bins: &Bins,
        (only_promised, proof): (bool, Proof),
        lost: Lost,
        steps: &mut u64,
    ) -> Finding {
        let said: Vec<String> = kept
            .iter()
            .map(|demand| {
                let min = self.tree.named(self.tree.min(demand.leaf), 0);
                words::guaranteed(self.tree.name(demand.leaf), &min, &self.list(demand))
            })
            .collect();
        let lost = self.lost_name(lost);
        let sentence = words::cannot_honour(&said, &words::proof(&mut self.nodes, bins, &proof), &lost);
        let mut help = Vec::new();
        if let Some((class, more)) = self.more_nodes(kept, bins, (only_promised, proof), steps)
            && let Some(class) = self.nodes.class(class)
        {
            help.push(words::more_nodes(class.first, class.pool.as_str(), more));
        }
        let names: Vec<Name> = kept.iter().map(|demand| self.tree.name(demand.leaf).clone()).collect();
        if only_promised {
            help.push(words::less(&self.nodes, &proof, &names));
        }
        let kind = if kept.len() > 1 { Kind::MinsNotTogether } else { Kind::MinNotHonoured };
        let jobs = kept.iter().flat_map(|demand| self.list(demand)).map(|(unit, _)| unit.who.clone()).collect();
        let pods = kept.iter().map(|demand| self.pods(demand)).sum();
        Finding { jobs, quota: names.first().cloned(), quotas: names, pods, ..Finding::new(kind, sentence, help) }
    }

    /// How many more nodes of a class are enough, as far as up to 1024 are.
    fn more_nodes(
        &mut self,
        kept: &[&Demand],
        bins: &Bins,
        (only_promised, proof): (bool, Proof),
        steps: &mut u64,
    ) -> Option<(u32, u32)> {
        const MOST: u32 = 1024;
        let pods: Vec<u32> = match proof {
            Proof::Holds { pod, .. } => vec![pod],
            _ => {
                let units = kept.iter().flat_map(|demand| self.list(demand));
                units.flat_map(|(unit, _)| unit.sets.iter().map(|(template, _)| self.nodes.number(template))).collect()
            }
        };
        let classes: Vec<u32> = (0..).zip(&self.nodes.classes).map(|(at, _)| at).collect();
        let best = classes.into_iter().max_by_key(|class| {
            let holds = pods.iter().map(|pod| self.nodes.holds(*class, *pod)).fold(0, u64::saturating_add);
            (holds, Reverse(*class))
        })?;
        let empty = self.nodes.empty(best);
        let mut enough = |more: u32| {
            let mut with = bins.clone();
            let count = with.entry(empty).or_default();
            *count = count.saturating_add(more);
            self.pack(kept, &with, only_promised, steps) == Packed::Fits
        };
        let mut high = 1;
        while !enough(high) {
            high *= 2;
            if high > MOST {
                return None;
            }
        }
        let mut low = high / 2;
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            if enough(middle) { high = middle } else { low = middle }
        }
        Some((best, high))
    }

    /// The domains of a level that differ in more than their names.
    fn domains(&self, level: Level) -> Vec<Lost> {
        let classes = || (0..).zip(&self.nodes.classes);
        let mut seen = BTreeSet::new();
        if level == Level::Node {
            let different = classes().filter(|(_, class)| seen.insert(class.base));
            return different.map(|(at, _)| Lost::Node(at)).collect();
        }
        let mut racks: BTreeMap<u32, Vec<(u32, u32)>> = BTreeMap::new();
        for (_, class) in classes() {
            if let Some(rack) = class.domains.first().copied().flatten() {
                racks.entry(rack).or_default().push((class.base, class.count));
            }
        }
        let mut alike = BTreeSet::new();
        racks.iter_mut().for_each(|(_, members)| members.sort_unstable());
        racks
            .into_iter()
            .filter(|(_, members)| alike.insert(members.clone()))
            .map(|(rack, _)| Lost::Rack(rack))
            .collect()
    }

    /// Whether the demands fit without any one domain of a level; nothing where the level has no domains.
    pub(crate) fn loss(&mut self, level: Level, demands: &[&Demand], steps: &mut u64) -> Option<Loss> {
        let domains = self.domains(level);
        let kinds = Some(domains.len()).filter(|kinds| *kinds > 0)?;
        let mut undecided = (kinds > MOST_LOSSES).then_some(0);
        for lost in domains.into_iter().take(MOST_LOSSES) {
            match self.answer(demands, lost, steps) {
                Answer::Undecided(after) => undecided = Some(after),
                Answer::Not(found) => {
                    let domain = Some(self.lost_name(lost));
                    return Some(Loss { level, kinds, domain, answer: Answer::Not(found) });
                }
                _ => {}
            }
        }
        let answer = undecided.map_or(Answer::Honoured, Answer::Undecided);
        Some(Loss { level, kinds, domain: None, answer })
    }

    fn lost_name(&self, lost: Lost) -> String {
        let rack = |rack: u32| self.nodes.names.first().and_then(|names| names.get(rack as usize));
        match lost {
            Lost::Nothing => String::new(),
            Lost::Node(class) => {
                self.nodes.class(class).map_or_else(String::new, |class| format!("node {}", class.first))
            }
            Lost::Rack(number) => rack(number).map_or_else(String::new, |rack| format!("rack {rack}")),
        }
    }
}
