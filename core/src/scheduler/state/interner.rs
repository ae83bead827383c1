//! What workloads ask, interned: pods that look alike share one template, units that wait alike share one ask.
//!
//! Everything that is remembered about pending is remembered per ask, so ten thousand equal pods cost one memory.

use crate::{
    api::{DeviceAsk, EventError, Level, Name, NameMap, PodTemplate, WorkloadId},
    scheduler::state::table::{Table, narrow},
    tree::QuotaTree,
};
use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;
use smallvec::SmallVec;

use crate::scheduler::quota::ledger::Row;

/// A resource, by order of first mention; the governed ones come first, in the tree's order.
pub(crate) type ResourceId = u16;
pub(crate) type TemplateId = u32;
pub(crate) type AskId = u32;

const MOST_RESOURCES: usize = 1024;

/// Devices as a template asks for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Devices {
    pub(crate) resource: ResourceId,
    pub(crate) count: u32,
    pub(crate) each: i64,
}

/// A pod's looks, resolved.
#[derive(Debug, Clone)]
pub(crate) struct Template {
    pub(crate) request: SmallVec<[(ResourceId, i64); 4]>,
    pub(crate) devices: SmallVec<[Devices; 1]>,
    pub(crate) selector: Vec<(Name, Vec<Name>)>,
    pub(crate) tolerations: Vec<Name>,
    /// The request, one amount a governed resource.
    pub(crate) governed: Row,
}

/// What one unit asks that is admitted whole: a single_pod_ask pod, the minimum of a gang, or one elastic member.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Ask {
    /// Templates with counts, in order of ordinals.
    pub(crate) members: SmallVec<[(TemplateId, u32); 1]>,
    /// The sum, one amount a governed resource.
    pub(crate) total: Row,
    pub(crate) preemptible: bool,
    /// Whether it counts as a job when it is admitted (A5): elastic members do not.
    pub(crate) job: bool,
    /// The level of topology on which they must stand together, and with whose members that stand already: where one
    /// finds no room, another may.
    pub(crate) together: Option<(Level, Option<WorkloadId>)>,
}

impl Ask {
    /// The governed resources it asks for.
    pub(crate) fn requested(&self) -> impl Iterator<Item = (usize, i64)> + '_ {
        self.total.iter().copied().enumerate().filter(|(_, amount)| *amount > 0)
    }
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Interner {
    pub(crate) resources: NameMap<()>,
    width: usize,
    known: IndexMap<PodTemplate, TemplateId, FxBuildHasher>,
    pub(crate) templates: Table<Template>,
    asks: IndexMap<Ask, (), FxBuildHasher>,
    /// The asks for one pod of each template: preemptible or not, a job or not.
    single_pod_ask: Table<[Option<AskId>; 4]>,
}

impl Interner {
    pub(crate) fn new(tree: &QuotaTree) -> Self {
        let resources = tree.governed().map(|name| (name.clone(), ())).collect();
        Self { resources, width: tree.width(), ..Self::default() }
    }

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

    pub(crate) fn resource_name(&self, id: ResourceId) -> Name {
        self.resources.get_index(usize::from(id)).map_or_else(|| Name::from(""), |(name, ())| name.clone())
    }

    pub(crate) fn template(&mut self, spec: &PodTemplate) -> Result<TemplateId, EventError> {
        if let Some(id) = self.known.get(spec) {
            return Ok(*id);
        }
        check(spec)?;
        let mut request = SmallVec::new();
        for (name, amount) in spec.request.iter().filter(|(_, amount)| *amount > 0) {
            request.push((self.resource(name)?, amount));
        }
        let mut devices = SmallVec::new();
        if let Some(DeviceAsk { resource, count, each }) = &spec.devices {
            devices.push(Devices { resource: self.resource(resource)?, count: *count, each: *each });
        }
        let mut governed: Row = (0..self.width).map(|_| 0).collect();
        for (resource, amount) in &request {
            if let Some(cell) = governed.get_mut(usize::from(*resource)) {
                *cell = *amount;
            }
        }
        let (selector, tolerations) = (spec.selector.clone(), spec.tolerations.clone());
        let id = self.templates.push(Template { request, devices, selector, tolerations, governed });
        self.known.insert(spec.clone(), id);
        Ok(id)
    }

    /// The sum over members; nothing where it leaves 64 bits, with the resource it happens in.
    pub(crate) fn total(&self, members: &[(TemplateId, u32)]) -> Result<Row, EventError> {
        let mut total: Row = (0..self.width).map(|_| 0).collect();
        for (template, count) in members {
            for (r, (cell, amount)) in total.iter_mut().zip(&self.templates.at(*template).governed).enumerate() {
                let sum = amount.checked_mul(i64::from(*count)).and_then(|a| cell.checked_add(a));
                let overflow = || EventError::Overflow { resource: self.resource_name(u16::try_from(r).unwrap_or(0)) };
                *cell = sum.ok_or_else(overflow)?;
            }
        }
        Ok(total)
    }

    /// A template as it was submitted.
    #[expect(clippy::expect_used, reason = "ids come from this table")]
    pub(crate) fn spec(&self, id: TemplateId) -> &PodTemplate {
        self.known.get_index(id as usize).expect("a template this table handed out").0
    }

    pub(crate) fn ask(&mut self, ask: Ask) -> AskId {
        narrow(self.asks.insert_full(ask, ()).0)
    }

    /// The ask for one pod.
    pub(crate) fn single_pod_ask(&mut self, template: TemplateId, preemptible: bool, job: bool) -> AskId {
        if self.single_pod_ask.len() <= template as usize {
            self.single_pod_ask.resize_with(template as usize + 1, Default::default);
        }
        let kind = usize::from(preemptible) * 2 + usize::from(job);
        if let Some(Some(ask)) = self.single_pod_ask.at(template).get(kind) {
            return *ask;
        }
        let members = SmallVec::from_elem((template, 1), 1);
        let total = self.templates.at(template).governed.clone();
        let ask = self.ask(Ask { members, total, preemptible, job, together: None });
        if let Some(slot) = self.single_pod_ask.at_mut(template).get_mut(kind) {
            *slot = Some(ask);
        }
        ask
    }

    #[expect(clippy::expect_used, reason = "ids come from this table")]
    pub(crate) fn get(&self, id: AskId) -> &Ask {
        self.asks.get_index(id as usize).expect("an ask this table handed out").0
    }
}

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

/// How a plain amount of a device resource is split_over_devices over devices that hold `each`: whole ones, or one fraction.
pub(crate) fn split_over_devices(resource: ResourceId, amount: i64, each: i64) -> Option<Devices> {
    if amount <= each {
        return Some(Devices { resource, count: 1, each: amount });
    }
    let whole = amount % each == 0;
    whole.then(|| Devices { resource, count: u32::try_from(amount / each).unwrap_or(u32::MAX), each })
}
