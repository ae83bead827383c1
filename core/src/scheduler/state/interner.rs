//! Interned requests: pods with the same template share one [`Template`], and pending workloads with the same request
//! share one [`Ask`].
//!
//! What the scheduler remembers about a request is stored once per ask, however many equal pods are pending. A sweep
//! (`sweep.rs`) frees what is no longer used, so that memory does not grow with all requests of the past.

use super::{
    keys::{AskId, ResourceId, TemplateId},
    row::Row,
    table::Slab,
};
use crate::{
    api::{DeviceAsk, EventError, Level, Name, NameMap, PodTemplate, WorkloadId},
    tree::QuotaTree,
};
use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;
use smallvec::SmallVec;
use std::sync::Arc;

/// The most distinct resources.
const MOST_RESOURCES: usize = 1024;

/// Unused templates and asks are not looked for while there are fewer than this.
pub(super) const LEAST: usize = 1 << 10;

/// A device request: `each` (base units) on each of `count` devices of one node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DeviceRequest {
    pub(crate) resource: ResourceId,
    pub(crate) count: u32,
    pub(crate) each: i64,
}

/// A pod template with resource numbers in place of names.
#[derive(Debug, Clone)]
pub(crate) struct Template {
    pub(crate) request: SmallVec<[(ResourceId, i64); 4]>,
    pub(crate) devices: SmallVec<[DeviceRequest; 1]>,
    pub(crate) selector: Vec<(Name, Vec<Name>)>,
    pub(crate) tolerations: Vec<Name>,
    /// The request, one amount a governed resource.
    pub(crate) governed: Row,
}

impl Template {
    /// What it requests of a resource, governed or not, by the number of the resource.
    pub(crate) fn amount(&self, resource: usize) -> i64 {
        if let Some(amount) = self.governed.get(resource) {
            return *amount;
        }
        self.request.iter().find(|(r, _)| usize::from(*r) == resource).map_or(0, |(_, amount)| *amount)
    }

    /// Whether it may be placed on the same nodes as another, and requests no less of anything there.
    pub(crate) fn asks_no_less_than(&self, other: &Self) -> bool {
        other.request.iter().all(|(r, amount)| *amount <= self.amount(usize::from(*r)))
            && (&self.devices, &self.selector, &self.tolerations)
                == (&other.devices, &other.selector, &other.tolerations)
    }
}

/// The request of one unit of admission: a single pod, the missing minimum of a gang, or one elastic member.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Ask {
    /// Templates with their number of pods, in the order of ordinals.
    pub(crate) members: SmallVec<[(TemplateId, u32); 1]>,
    /// The sum over all members, one amount a governed resource.
    pub(crate) total: Row,
    pub(crate) preemptible: bool,
    /// Whether others may be evicted for it (R9).
    pub(crate) may_evict: bool,
    /// Whether it counts as a job when it is admitted (A5). Elastic members do not.
    pub(crate) job: bool,
    /// The topology level on which its pods must share a domain, and the workload whose running pods already decide
    /// which domain that is.
    pub(crate) together: Option<(Level, Option<WorkloadId>)>,
}

impl Ask {
    /// The governed resources that it requests, with their amounts.
    pub(crate) fn requested(&self) -> impl Iterator<Item = (usize, i64)> + '_ {
        self.total.iter().copied().enumerate().filter(|(_, amount)| *amount > 0)
    }

    /// Whether it is for one pod.
    pub(crate) fn is_single(&self) -> bool {
        matches!(self.members.as_slice(), [(_, 1)])
    }

    /// An ask for nothing, for a search that only frees what others use (T4).
    pub(crate) fn nothing() -> Self {
        let (members, total) = (SmallVec::new(), SmallVec::new());
        Self { members, total, preemptible: true, may_evict: true, job: false, together: None }
    }
}

/// A template in both forms.
#[derive(Debug, Clone)]
pub(super) struct Interned {
    /// The template as it was submitted.
    spec: Arc<PodTemplate>,
    template: Template,
    /// The asks for a single pod with this template: preemptible or not, with evictions or without, a job or not.
    pub(super) single_pod_asks: [Option<AskId>; 8],
}

/// All resources that were ever mentioned, and the templates and asks in use.
#[derive(Debug, Clone, Default)]
pub(crate) struct Interner {
    resources: NameMap<()>,
    /// How many resources are governed.
    width: usize,
    pub(super) template_ids: IndexMap<Arc<PodTemplate>, TemplateId, FxBuildHasher>,
    pub(super) templates: Slab<TemplateId, Interned>,
    pub(super) ask_ids: IndexMap<Arc<Ask>, AskId, FxBuildHasher>,
    pub(super) asks: Slab<AskId, Arc<Ask>>,
    /// When there are this many templates and asks, the unused ones are looked for.
    pub(crate) sweep_at: usize,
}

impl Interner {
    pub(crate) fn new(tree: &QuotaTree) -> Self {
        let resources = tree.governed().map(|name| (name.clone(), ())).collect();
        Self { resources, width: tree.width(), sweep_at: LEAST, ..Self::default() }
    }

    /// The number of a resource; a new name gets the next one.
    pub(crate) fn resource(&mut self, name: &Name) -> Result<ResourceId, EventError> {
        let index = match self.resources.get_index_of(name) {
            Some(index) => index,
            None if self.resources.len() >= MOST_RESOURCES => {
                return Err(EventError::TooMany { what: "resources", most: MOST_RESOURCES });
            }
            None => self.resources.insert_full(name.clone(), ()).0,
        };
        Ok(u16::try_from(index).unwrap_or(u16::MAX))
    }

    /// The number of a resource that was mentioned before.
    pub(crate) fn resource_index(&self, name: &str) -> Option<usize> {
        self.resources.get_index_of(name)
    }

    pub(crate) fn resource_name(&self, id: ResourceId) -> Name {
        self.resources.get_index(usize::from(id)).map_or_else(|| Name::from(""), |(name, ())| name.clone())
    }

    /// How many ids of templates and asks were issued so far, each counted once.
    #[cfg(test)]
    pub(crate) fn issued(&self) -> usize {
        self.templates.issued().max(self.asks.issued())
    }

    /// The template of a pod.
    pub(crate) fn intern(&mut self, spec: &PodTemplate) -> Result<TemplateId, EventError> {
        if let Some(id) = self.template_ids.get(spec) {
            return Ok(*id);
        }
        check(spec)?;
        let mut request = SmallVec::new();
        for (name, amount) in spec.request.iter().filter(|(_, amount)| *amount > 0) {
            request.push((self.resource(name)?, amount));
        }
        let mut devices = SmallVec::new();
        if let Some(DeviceAsk { resource, count, each }) = &spec.devices {
            devices.push(DeviceRequest { resource: self.resource(resource)?, count: *count, each: *each });
        }
        let mut governed: Row = (0..self.width).map(|_| 0).collect();
        for (resource, amount) in &request {
            if let Some(cell) = governed.get_mut(usize::from(*resource)) {
                *cell = *amount;
            }
        }
        let (selector, tolerations) = (spec.selector.clone(), spec.tolerations.clone());
        let template = Template { request, devices, selector, tolerations, governed };
        let spec = Arc::new(spec.clone());
        let id = self.templates.add(Interned { spec: Arc::clone(&spec), template, single_pod_asks: [None; 8] });
        self.template_ids.insert(spec, id);
        Ok(id)
    }

    pub(crate) fn template(&self, id: TemplateId) -> &Template {
        &self.templates.at(id).template
    }

    /// A template as it was submitted.
    pub(crate) fn spec(&self, id: TemplateId) -> &PodTemplate {
        &self.templates.at(id).spec
    }

    /// The sum over members. [`EventError::Overflow`] where it does not fit 64 bits.
    pub(crate) fn total(&self, members: &[(TemplateId, u32)]) -> Result<Row, EventError> {
        let mut total: Row = (0..self.width).map(|_| 0).collect();
        for (template, count) in members {
            for (r, (cell, amount)) in total.iter_mut().zip(&self.template(*template).governed).enumerate() {
                let sum = amount.checked_mul(i64::from(*count)).and_then(|a| cell.checked_add(a));
                let overflow = || EventError::Overflow { resource: self.resource_name(u16::try_from(r).unwrap_or(0)) };
                *cell = sum.ok_or_else(overflow)?;
            }
        }
        Ok(total)
    }

    pub(crate) fn intern_ask(&mut self, ask: Ask) -> AskId {
        if let Some(id) = self.ask_ids.get(&ask) {
            return *id;
        }
        let ask = Arc::new(ask);
        let id = self.asks.add(Arc::clone(&ask));
        self.ask_ids.insert(ask, id);
        id
    }

    /// The ask for one pod.
    pub(crate) fn single_pod_ask(
        &mut self,
        template: TemplateId,
        preemptible: bool,
        may_evict: bool,
        job: bool,
    ) -> AskId {
        let kind = usize::from(preemptible) * 4 + usize::from(may_evict) * 2 + usize::from(job);
        if let Some(Some(ask)) = self.templates.at(template).single_pod_asks.get(kind) {
            return *ask;
        }
        let members = SmallVec::from_elem((template, 1), 1);
        let total = self.template(template).governed.clone();
        let ask = self.intern_ask(Ask { members, total, preemptible, may_evict, job, together: None });
        if let Some(slot) = self.templates.at_mut(template).single_pod_asks.get_mut(kind) {
            *slot = Some(ask);
        }
        ask
    }

    /// An ask that outlives a change of the state.
    pub(crate) fn shared_ask(&self, id: AskId) -> Arc<Ask> {
        Arc::clone(self.asks.at(id))
    }

    pub(crate) fn ask(&self, id: AskId) -> &Ask {
        self.asks.at(id)
    }
}

/// Refuses negative amounts, and device requests that disagree with the request.
fn check(spec: &PodTemplate) -> Result<(), EventError> {
    if let Some((resource, amount)) = spec.request.iter().find(|(_, amount)| *amount < 0) {
        return Err(EventError::NegativeAmount { resource: resource.clone(), amount });
    }
    let Some(ask) = &spec.devices else { return Ok(()) };
    let bad = |why| Err(EventError::BadDevices { resource: ask.resource.clone(), why });
    if ask.count == 0 || ask.each <= 0 {
        return bad("a request needs at least one device and a positive amount of each");
    }
    let wanted = ask.each.checked_mul(i64::from(ask.count));
    if wanted.is_none() || spec.request.get(ask.resource.as_str()) != wanted {
        return bad("the request must be the number of devices times the amount of each");
    }
    Ok(())
}
