//! The quota tree of a random scenario. It is drawn, edited so that it stays valid (T2), and written as a scenario
//! value.

use crate::{
    draw::Draw,
    features::{Feature, Features},
    units::{Counted, Units, amounts_counted},
};
use quotree_sim::scenario::Value;

/// A quota with everything below it.
#[derive(Debug, Clone)]
pub(crate) struct Quota {
    name: String,
    min: Units,
    max: [Option<u64>; 3],
    lend: Option<Units>,
    max_jobs: Option<u64>,
    block: bool,
    namespaces: Vec<String>,
    children: Vec<Self>,
}

/// A tree of quotas.
#[derive(Debug, Clone)]
pub(crate) struct Tree {
    root: Quota,
    /// Which resources are governed (Q2).
    governed: [bool; 3],
    /// The resources that count as GPUs.
    gpus: Vec<Counted>,
    /// Whether children may be guaranteed more than their parent (T2).
    over_promised: bool,
}

/// Draws the quotas of a tree, from the root down.
struct TreeBuilder<'a> {
    draw: &'a mut Draw,
    features: &'a Features,
    namespaces: usize,
}

impl Tree {
    pub(crate) fn draw(
        draw: &mut Draw,
        features: &Features,
        total: Units,
        governed: [bool; 3],
        gpus: Vec<Counted>,
    ) -> Self {
        let mut builder = TreeBuilder { draw, features, namespaces: 0 };
        let root = builder.quota("root".to_owned(), total, total.map(Some), 0);
        let tree = Self { root, governed, gpus, over_promised: features.has(Feature::OverPromised) };
        debug_assert!(tree.is_valid(), "{tree:?}");
        tree
    }

    /// The namespaces of all leaves.
    pub(crate) fn namespaces(&self) -> Vec<String> {
        let mut all = Vec::new();
        self.root.each(&mut |quota| all.extend(quota.namespaces.iter().cloned()));
        all
    }

    /// The names of all leaves, in order.
    pub(crate) fn leaves(&self) -> Vec<String> {
        let mut all = Vec::new();
        self.root.each(&mut |quota| all.extend(quota.children.is_empty().then(|| quota.name.clone())));
        all
    }

    /// The leaf of a namespace.
    pub(crate) fn leaf_of(&self, namespace: &str) -> Option<String> {
        let mut leaf = None;
        self.root.each(&mut |quota| {
            if quota.namespaces.iter().any(|name| name == namespace) {
                leaf = Some(quota.name.clone());
            }
        });
        leaf
    }

    pub(crate) fn value(&self) -> Value {
        self.root.value(self.governed, &self.gpus)
    }

    fn is_valid(&self) -> bool {
        self.root.is_valid(self.over_promised)
    }

    /// How many quotas there are.
    fn len(&self) -> usize {
        let mut count = 0;
        self.root.each(&mut |_| count += 1);
        count
    }

    /// Changes min or max of one quota so that the tree stays valid; returns the event.
    pub(crate) fn edit(&mut self, draw: &mut Draw) -> Option<Value> {
        const TRIES: usize = 8;
        for _ in 0..TRIES {
            let mut edited = self.clone();
            let which = draw.between(0, edited.len() as u64 - 1);
            let resource = draw.one_of(&[0, 1, 2]).filter(|r| self.governed.get(*r) == Some(&true))?;
            let (of_min, most) = (draw.chance(60), draw.between(0, 24));
            // A max lowered to the min leaves the most usage above it (T4).
            let (cut, spare) = (draw.chance(60), draw.between(0, 2));
            let mut change = None;
            let gpus = self.gpus.clone();
            edited.root.nth(which, &mut |quota| {
                let mut row = [None; 3];
                let slot = row.get_mut(resource)?;
                let most = if cut && !of_min { *quota.min.get(resource)? + spare } else { most };
                *slot = Some(most);
                let field = if of_min { "min" } else { "max" };
                if of_min {
                    *quota.min.get_mut(resource)? = most;
                } else {
                    *quota.max.get_mut(resource)? = Some(most);
                }
                let fields = vec![("quota", Value::text(quota.name.clone())), (field, amounts_counted(row, &gpus))];
                change = Some(Value::fields("EditQuota", fields));
                Some(())
            });
            if edited.is_valid() {
                *self = edited;
                return change;
            }
        }
        None
    }

    /// Moves a namespace to another leaf, or to none; returns the event.
    pub(crate) fn move_namespace(&mut self, draw: &mut Draw) -> Option<Value> {
        let all = self.namespaces();
        let moved = draw.one_of(&(0..all.len()).collect::<Vec<_>>()).and_then(|i| all.get(i))?;
        let mut leaves = Vec::new();
        let mut number = 0;
        self.root.each(&mut |quota| {
            if quota.children.is_empty() {
                leaves.push(number);
            }
            number += 1;
        });
        let to = draw.one_of(&leaves)?;
        let nowhere = draw.chance(15);
        self.root.each_mut(&mut |quota| quota.namespaces.retain(|namespace| namespace != moved));
        if !nowhere {
            self.root.nth(to, &mut |quota| {
                quota.namespaces.push(moved.clone());
                Some(())
            });
        }
        Some(Value::tuple("ReplaceTree", vec![self.value()]))
    }
}

impl TreeBuilder<'_> {
    fn quota(&mut self, name: String, min: Units, max: [Option<u64>; 3], depth: u64) -> Quota {
        let deepest = if self.features.has(Feature::DeepTree) { 4 } else { 1 };
        let percent = if depth == 0 { 92 } else { 45 };
        let mut quota = Quota {
            name,
            min,
            max,
            lend: None,
            max_jobs: None,
            block: false,
            namespaces: Vec::new(),
            children: Vec::new(),
        };
        if self.features.has(Feature::Lend) && self.draw.chance(40) {
            quota.lend = Some(min.map(|most| self.draw.between(0, most)));
        }
        if self.features.has(Feature::MaxJobs) && self.draw.chance(25) {
            quota.max_jobs = Some(self.draw.between(1, 4));
        }
        if depth < deepest && self.draw.chance(percent) {
            self.children(&mut quota, depth);
            return quota;
        }
        quota.block = self.features.has(Feature::Block) && self.draw.chance(40);
        for _ in 0..self.draw.between(1, 2) {
            quota.namespaces.push(format!("ns{}", self.namespaces));
            self.namespaces += 1;
        }
        quota
    }

    fn children(&mut self, quota: &mut Quota, depth: u64) {
        let mut left = quota.min;
        let count = self.draw.between(1, 4);
        // Equal mins cause the most contention.
        let equal = self.draw.chance(50).then(|| quota.min.map(|all| all / count));
        for number in 0..count {
            let min = equal.unwrap_or_else(|| left.map(|most| self.draw.between(0, most)));
            if !self.features.has(Feature::OverPromised) {
                for (left, taken) in left.iter_mut().zip(min) {
                    *left -= taken;
                }
            }
            let mut max = quota.max;
            for (ceiling, least) in max.iter_mut().zip(min) {
                if self.features.has(Feature::NoMax) && self.draw.chance(50) {
                    *ceiling = None;
                } else if let Some(most) = ceiling.filter(|_| self.draw.chance(35)) {
                    *ceiling = Some(self.draw.between(least, most));
                }
            }
            let name = if depth == 0 { format!("q{number}") } else { format!("{}.{number}", quota.name) };
            let child = self.quota(name, min, max, depth + 1);
            quota.children.push(child);
        }
    }
}

impl Quota {
    fn each(&self, see: &mut dyn FnMut(&Self)) {
        see(self);
        for child in &self.children {
            child.each(see);
        }
    }

    fn each_mut(&mut self, change: &mut dyn FnMut(&mut Self)) {
        change(self);
        for child in &mut self.children {
            child.each_mut(change);
        }
    }

    /// Changes the quota with this number, counted in preorder from the root.
    fn nth(&mut self, number: u64, change: &mut dyn FnMut(&mut Self) -> Option<()>) {
        let mut at = 0;
        self.each_mut(&mut |quota| {
            if at == number {
                let _ = change(quota);
            }
            at += 1;
        });
    }

    fn is_valid(&self, over_promised: bool) -> bool {
        let within = |low: u64, high: Option<u64>| high.is_none_or(|high| low <= high);
        let own = self.min.iter().zip(self.max).all(|(min, max)| within(*min, max));
        let lend = self.lend.is_none_or(|lend| lend.iter().zip(self.min).all(|(lend, min)| *lend <= min));
        let below = self.children.iter().all(|child| {
            let mut ceilings = child.max.iter().zip(self.max);
            child.is_valid(over_promised) && ceilings.all(|(child, own)| child.is_none_or(|child| within(child, own)))
        });
        let promised = (0..3).all(|r| {
            let of = |quota: &Self| quota.min.get(r).copied().unwrap_or(0);
            over_promised || self.children.is_empty() || self.children.iter().map(of).sum::<u64>() <= of(self)
        });
        own && lend && below && promised
    }

    fn value(&self, governed: [bool; 3], gpus: &[Counted]) -> Value {
        let kept = |units: [Option<u64>; 3]| {
            let [cpu, memory, gpu] = governed;
            let [cores, bytes, quarters] = units;
            amounts_counted([cores.filter(|_| cpu), bytes.filter(|_| memory), quarters.filter(|_| gpu)], gpus)
        };
        let mut fields = vec![("name", Value::text(self.name.clone())), ("min", kept(self.min.map(Some)))];
        if self.max.iter().zip(governed).any(|(max, governed)| max.is_some() && governed) {
            fields.push(("max", kept(self.max)));
        }
        if let Some(lend) = self.lend {
            fields.push(("lend", kept(lend.map(Some))));
        }
        if let Some(most) = self.max_jobs {
            fields.push(("max_jobs", Value::number(most)));
        }
        if self.block {
            fields.push(("queueing", Value::word("Block")));
        }
        if !self.namespaces.is_empty() {
            fields.push(("namespaces", Value::List(self.namespaces.iter().map(Value::text).collect())));
        }
        if !self.children.is_empty() {
            let children = self.children.iter().map(|child| child.value(governed, gpus));
            fields.push(("children", Value::List(children.collect())));
        }
        Value::fields("Quota", fields)
    }
}
