//! The requests of pods, by number: equal templates share one number (a shape), with their amounts by resource number.

use super::table::Table;
use crate::model::{Change, Scenario};
use indexmap::IndexMap;
use quotree_core::{Amounts, Name, PodTemplate};
use rustc_hash::FxBuildHasher;
use smallvec::SmallVec;
use std::sync::Arc;

/// The request of a shape: amounts by resource number.
pub(crate) type Row = SmallVec<[(u32, i64); 4]>;

/// All resources and all templates of a scenario, numbered.
#[derive(Debug)]
pub(crate) struct Shapes {
    resources: IndexMap<Name, (), FxBuildHasher>,
    numbers: IndexMap<Arc<PodTemplate>, u32, FxBuildHasher>,
    pub(crate) rows: Table<Row>,
    last: Option<(Arc<PodTemplate>, u32)>,
}

impl Shapes {
    /// The resources that a scenario names, in order of their names.
    pub(crate) fn new(scenario: &Scenario) -> Self {
        let mut resources: IndexMap<Name, (), FxBuildHasher> = IndexMap::default();
        let mut learn = |min: &Amounts, max: &Amounts| {
            resources.extend(min.iter().chain(max.iter()).map(|(name, _)| (name.clone(), ())));
        };
        scenario.tree.quotas.iter().for_each(|quota| learn(&quota.min, &quota.max));
        for event in &scenario.events {
            match &event.change {
                Change::ReplaceTree { tree } => tree.quotas.iter().for_each(|quota| learn(&quota.min, &quota.max)),
                Change::EditQuota { edit, .. } => learn(&edit.min, &edit.max),
                Change::Resize { request, .. } => learn(request, &Amounts::default()),
                _ => {}
            }
        }
        for node in &scenario.cluster.nodes {
            for (name, _) in node.spec.allocatable.iter() {
                if !resources.contains_key(name) {
                    resources.insert(name.clone(), ());
                }
            }
        }
        let mut shapes = Self { resources, numbers: IndexMap::default(), rows: Table::default(), last: None };
        for workload in &scenario.workloads {
            workload.kind.templates(&mut |template, _| shapes.learn(template));
        }
        shapes.resources.sort_unstable_keys();
        shapes.rows = shapes.numbers.keys().map(|t| shapes.row(t)).collect();
        shapes
    }

    fn learn(&mut self, template: &Arc<PodTemplate>) {
        if self.last.as_ref().is_some_and(|(known, _)| Arc::ptr_eq(known, template)) {
            return;
        }
        for (name, _) in template.request.iter() {
            if !self.resources.contains_key(name) {
                self.resources.insert(name.clone(), ());
            }
        }
        let next = u32::try_from(self.numbers.len()).unwrap_or(u32::MAX);
        let number = *self.numbers.entry(Arc::clone(template)).or_insert(next);
        self.last = Some((Arc::clone(template), number));
    }

    fn row(&self, template: &PodTemplate) -> Row {
        template.request.iter().filter_map(|(name, amount)| Some((self.resource(name.as_str())?, amount))).collect()
    }

    /// The number of a known template.
    pub(crate) fn number(&mut self, template: &Arc<PodTemplate>) -> u32 {
        if let Some((known, number)) = &self.last
            && Arc::ptr_eq(known, template)
        {
            return *number;
        }
        let number = self.numbers.get(template).copied().unwrap_or(0);
        self.last = Some((Arc::clone(template), number));
        number
    }

    /// Gives a template its number, and adds the row of the template if pods use it for the first time.
    pub(crate) fn add(&mut self, template: &Arc<PodTemplate>) -> u32 {
        self.learn(template);
        while self.rows.len() as usize <= self.numbers.len().saturating_sub(1) {
            let Some((new, _)) = self.numbers.get_index(self.rows.len() as usize) else { break };
            let row = self.row(&Arc::clone(new));
            self.rows.push(row);
        }
        self.number(template)
    }

    /// What a pod of a shape requests.
    pub(crate) fn template(&self, shape: u32) -> Option<&PodTemplate> {
        self.numbers.get_index(shape as usize).map(|(template, _)| &**template)
    }

    /// The number of a resource.
    pub(crate) fn resource(&self, name: &str) -> Option<u32> {
        self.resources.get_index_of(name).and_then(|i| u32::try_from(i).ok())
    }

    /// All resources, in order of their numbers, which is the order of their names.
    pub(crate) fn resources(&self) -> impl ExactSizeIterator<Item = &Name> {
        self.resources.keys()
    }
}
