//! Which jobs can never start. Every answer is about the best case: all nodes of the run at once, empty, each as good as
//! events make it; and an empty tree of quotas with the largest values that events give it.

use crate::{
    finding::{Finding, Kind},
    node::Nodes,
    pack::{Bins, Gang, Packed, Proof, pack},
    question::Question,
    quota::{self, Idle},
    unit::Unit,
    words,
};
use quotree_core::{Level, Name, PodTemplate};
use std::collections::{BTreeMap, BTreeSet};

/// The findings about units, and the names of those that were not decided.
pub(crate) fn never<'a>(question: &Question<'a>, units: &[Unit<'a>], steps: &mut u64) -> (Vec<Finding>, Vec<String>) {
    let tree = quota::most_generous(question.tree, question.policy, question.changes);
    let idle = tree.as_ref().map(|tree| Idle::new(tree, question.changes));
    let given = crate::question::at_best(question);
    let knows_nodes = given.is_some();
    let templates = || units.iter().flat_map(templates).map(|(template, _)| template);
    let nodes = Nodes::new(given.into_iter().flatten(), templates());
    let mut look = Look { nodes, idle, knows_nodes, domains: BTreeMap::new(), single: BTreeMap::new() };
    let (mut findings, mut undecided) = (Vec::new(), Vec::new());
    for unit in units {
        look.unit(unit, steps, &mut findings, &mut undecided);
    }
    (findings, undecided)
}

/// The templates of a unit with their index among those of the workload.
fn templates<'a>(unit: &Unit<'a>) -> Vec<(&'a PodTemplate, usize)> {
    let sets = unit.sets.iter().map(|(template, _)| *template);
    // Sets without a minimum keep their places between the others.
    let mut taken: BTreeSet<usize> = unit.elastic.iter().map(|(_, at)| *at).collect();
    let mut next = 0;
    let mut all: Vec<(&PodTemplate, usize)> = unit.elastic.iter().map(|(template, at)| (*template, *at)).collect();
    for template in sets {
        while taken.contains(&next) {
            next += 1;
        }
        taken.insert(next);
        all.push((template, next));
    }
    all.sort_by_key(|(_, at)| *at);
    all
}

struct Look<'a, 't> {
    nodes: Nodes<'a>,
    idle: Option<Idle<'t>>,
    knows_nodes: bool,
    /// By level: the different domains, each with its name.
    domains: BTreeMap<Level, Vec<(String, Bins)>>,
    /// Whether a pod fits a node, by kind.
    single: BTreeMap<u32, bool>,
}

impl<'a> Look<'a, '_> {
    fn unit(&mut self, unit: &Unit<'a>, steps: &mut u64, findings: &mut Vec<Finding>, undecided: &mut Vec<String>) {
        let leaf = self.leaf(unit.namespace);
        let quota = leaf.and_then(|leaf| Some(self.idle.as_ref()?.tree.name(leaf).clone()));
        let about = |kind, (sentence, help): (String, Vec<String>)| {
            Finding::new(kind, sentence, help).of(unit.workload, unit.template, unit.who.clone(), quota.clone())
        };
        let mut found = false;
        let mut seen = BTreeSet::new();
        let seen_pods = if self.knows_nodes { templates(unit) } else { Vec::new() };
        for (template, at) in seen_pods {
            let kind = self.nodes.number(template);
            if !seen.insert(kind) || self.fits_somewhere(kind) {
                continue;
            }
            let (sentence, help, unknown) = words::fits_no_node(&self.nodes, &unit.who, template);
            let finding = Finding::new(Kind::FitsNoNode, sentence, help);
            let finding = finding.of(unit.workload, unit.template + at, unit.who.clone(), quota.clone());
            findings.push(Finding { unknown, pods: 1, ..finding });
            found = true;
        }
        let limit = leaf.and_then(|leaf| self.idle.as_ref()?.limit(leaf, unit)).filter(|_| !unit.sets.is_empty());
        if let Some(limit) = limit {
            let kind = if limit.is_min { Kind::AboveMin } else { Kind::AboveMax };
            let finding = about(kind, words::above(&limit, unit));
            let (quota, resource) = (Some(limit.quota.clone()), Some(limit.resource.clone()));
            findings.push(Finding { quota, resource, pods: unit.pods(), ..finding });
            found = true;
        }
        if found || !self.knows_nodes || unit.pods() < 2 {
            return;
        }
        let pods: Vec<(u32, u32)> = unit.sets.iter().map(|(template, n)| (self.nodes.number(template), *n)).collect();
        let gang = Gang { pods, together: None };
        let mut closest: Option<((u8, i128), &String, &Bins, Proof)> = None;
        let domains = self.domains(unit.together);
        for (name, bins) in &domains {
            match pack(&mut self.nodes, bins, &[(gang.clone(), 1)], steps) {
                Packed::Fits => return,
                Packed::Undecided { .. } => {
                    undecided.push(unit.who.clone());
                    return;
                }
                Packed::Impossible(proof) => {
                    let better = words::closeness(&proof);
                    if closest.as_ref().is_none_or(|(before, ..)| better > *before) {
                        closest = Some((better, name, bins, proof));
                    }
                }
            }
        }
        let said = words::gang_fits_nowhere(
            &mut self.nodes,
            unit,
            closest.map(|(_, name, bins, proof)| (&**name, bins, proof)),
            domains.len(),
        );
        findings.push(Finding { pods: unit.pods(), ..about(Kind::GangFitsNowhere, said) });
    }

    fn leaf(&self, namespace: &Name) -> Option<quotree_core::QuotaId> {
        self.idle.as_ref()?.tree.leaf_of(namespace.as_str())
    }

    fn fits_somewhere(&mut self, kind: u32) -> bool {
        if let Some(fits) = self.single.get(&kind) {
            return *fits;
        }
        let fits = (0..self.nodes.classes.len() as u32).any(|class| self.nodes.holds(class, kind) > 0);
        self.single.insert(kind, fits);
        fits
    }

    /// The domains of a level that differ in more than their names; without a level, all nodes as one.
    fn domains(&mut self, level: Option<Level>) -> Vec<(String, Bins)> {
        let Some(level) = level else {
            return vec![(String::new(), bins_of(&mut self.nodes, |_, count| Some(count)))];
        };
        if let Some(known) = self.domains.get(&level) {
            return known.clone();
        }
        let made = domains(&mut self.nodes, level);
        self.domains.insert(level, made.clone());
        made
    }
}

/// The empty nodes of the classes that are kept, as many of each as it says.
pub(crate) fn bins_of(nodes: &mut Nodes<'_>, keep: impl Fn(u32, u32) -> Option<u32>) -> Bins {
    let classes: Vec<(u32, u32)> = (0..).zip(&nodes.classes).map(|(at, class)| (at, class.count)).collect();
    let kept = classes.into_iter().filter_map(|(class, count)| Some((class, keep(class, count)?)));
    let kept: Vec<(u32, u32)> = kept.filter(|(_, count)| *count > 0).collect();
    kept.into_iter().map(|(class, count)| (nodes.empty(class), count)).collect()
}

/// Classes of nodes with numbers of nodes.
type Members = Vec<(u32, u32)>;

/// The domains of a level that differ in more than their names, each with its name. A node is one of its class.
pub(crate) fn domains(nodes: &mut Nodes<'_>, level: Level) -> Vec<(String, Bins)> {
    let mut by_domain: BTreeMap<u32, Members> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    for (at, class) in (0..).zip(&nodes.classes) {
        let (domain, count) = match level {
            Level::Rack => (class.domains.first().copied().flatten(), class.count),
            Level::Zone => (class.domains.get(1).copied().flatten(), class.count),
            // All nodes of a class are alike.
            _ => (Some(class.base).filter(|base| seen.insert(*base)), 1),
        };
        if let Some(domain) = domain {
            by_domain.entry(domain).or_default().push((at, count));
        }
    }
    let mut different: BTreeMap<Members, (String, Members)> = BTreeMap::new();
    for (domain, members) in by_domain {
        let base = |class: u32| nodes.class(class).map_or(u32::MAX, |class| class.base);
        let mut signature: Members = members.iter().map(|(class, count)| (base(*class), *count)).collect();
        signature.sort_unstable();
        let name = match level {
            Level::Rack | Level::Zone => nodes.names.get(usize::from(level == Level::Zone)),
            _ => None,
        };
        let name = name.and_then(|names| names.get(domain as usize)).cloned().unwrap_or_default();
        different.entry(signature).or_insert((name, members));
    }
    let mut made = Vec::new();
    for (name, members) in different.into_values() {
        let bins = members.into_iter().map(|(class, count)| (nodes.empty(class), count)).collect();
        made.push((name, bins));
    }
    made
}
