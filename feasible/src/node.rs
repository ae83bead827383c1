//! Equal nodes, what is free on them, and every way to put one pod on one (P1).
//!
//! Two ways that leave the same amounts and the same set of devices count as one way. So the states of a node are few,
//! and they are numbered.

use quotree_core::{Amounts, DeviceMode, DeviceSpec, Level, Name, NodeSpec, PodTemplate};
use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

/// The most ways to choose devices on one node that are looked at.
const MOST_WAYS: usize = 64;

/// A node for a question: the name of its pool, its own name, its specification.
pub(crate) type Given<'a> = (&'a Name, &'a str, Cow<'a, NodeSpec>);

/// Nodes that are equal to every pod of the question.
#[derive(Debug)]
pub(crate) struct Class<'a> {
    pub(crate) spec: Cow<'a, NodeSpec>,
    pub(crate) pool: &'a Name,
    /// One of them.
    pub(crate) first: &'a str,
    pub(crate) count: u32,
    /// The number of its rack and of its zone.
    pub(crate) domains: [Option<u32>; 2],
    /// Equal for classes that differ only in their domains.
    pub(crate) base: u32,
}

/// What is free on a node.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct State {
    class: u32,
    free: Vec<i64>,
    /// What each healthy device has free of its first and of its second resource, sorted.
    devices: Vec<Device>,
}

/// How a request is divided over devices: so many, so much of the first and of the second resource of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Ask {
    count: u32,
    each: i64,
    part: i64,
}

/// What devices have free, by how many; and how many more are to be chosen.
type Way = (Vec<(Device, u32)>, u32);

/// What a device has free of its first and of its second resource.
type Device = (i64, i64);

/// All nodes and pods of a question.
#[derive(Debug, Default)]
pub(crate) struct Nodes<'a> {
    pub(crate) resources: Vec<Name>,
    pub(crate) classes: Vec<Class<'a>>,
    /// The names of racks and zones.
    pub(crate) names: [Vec<String>; 2],
    pub(crate) pods: Vec<&'a PodTemplate>,
    numbers: BTreeMap<&'a PodTemplate, u32>,
    states: Vec<State>,
    ids: BTreeMap<State, u32>,
    moves: BTreeMap<(u32, u32), Rc<[u32]>>,
    holds: BTreeMap<(u32, u32), u64>,
    /// Whether some ways were left out, so that nothing can be said to be impossible because all were tried.
    pub(crate) left_out: bool,
}

/// The resource of this name in amounts, where absent is 0.
pub(crate) fn amount(amounts: &Amounts, resource: &Name) -> i64 {
    amounts.get(resource.as_str()).unwrap_or(0)
}

impl<'a> Nodes<'a> {
    /// Groups nodes. Costs their number times the logarithm of the number of different ones.
    pub(crate) fn new(given: impl Iterator<Item = Given<'a>>, pods: impl Iterator<Item = &'a PodTemplate>) -> Self {
        let mut nodes = Self::default();
        let (mut resources, mut labels) = (BTreeSet::new(), BTreeSet::new());
        for template in pods {
            if !nodes.numbers.contains_key(template) {
                nodes.numbers.insert(template, u32::try_from(nodes.pods.len()).unwrap_or(u32::MAX));
                nodes.pods.push(template);
                resources.extend(template.request.iter().filter(|(_, n)| *n > 0).map(|(name, _)| name.clone()));
                labels.extend(template.selector.iter().map(|(label, _)| label));
            }
        }
        nodes.resources = resources.into_iter().collect();
        let (mut known, mut bases, mut names) = (BTreeMap::new(), BTreeMap::new(), [BTreeMap::new(), BTreeMap::new()]);
        for (pool, first, spec) in given {
            let key = nodes.key(&spec, &labels);
            let base = bases.len() as u32;
            let base = *bases.entry(key).or_insert(base);
            let mut number = |at: usize, level: Level| {
                let name = spec.domain(level)?;
                let names: &mut BTreeMap<_, u32> = names.get_mut(at)?;
                let next = names.len() as u32;
                Some(*names.entry(name.clone()).or_insert_with(|| {
                    nodes.names.get_mut(at).into_iter().for_each(|all| all.push(domain_name(&spec, level)));
                    next
                }))
            };
            let domains = [number(0, Level::Rack), number(1, Level::Zone)];
            let at = *known.entry((base, domains)).or_insert(nodes.classes.len());
            match nodes.classes.get_mut(at) {
                Some(class) => class.count += 1,
                None => nodes.classes.push(Class { spec, pool, first, count: 1, domains, base }),
            }
        }
        nodes
    }

    /// What pods can distinguish of a node, apart from its domains.
    fn key(&self, spec: &NodeSpec, labels: &BTreeSet<&Name>) -> impl Ord + use<'a> {
        let free: Vec<i64> = self.resources.iter().map(|resource| amount(&spec.allocatable, resource)).collect();
        let devices: Vec<_> = spec.devices.iter().map(|d| (d.resource.clone(), d.count, d.each)).collect();
        let mut seen: Vec<_> = spec.labels.iter().filter(|(label, _)| labels.contains(label)).cloned().collect();
        let mut taints = spec.taints.clone();
        seen.sort_unstable();
        taints.sort_unstable();
        (free, devices, granularity(&spec.mode), spec.unhealthy, seen, taints)
    }

    /// The number of a template; it was given to [`new`](Self::new).
    pub(crate) fn number(&self, template: &PodTemplate) -> u32 {
        self.numbers.get(template).copied().unwrap_or(u32::MAX)
    }

    pub(crate) fn class(&self, class: u32) -> Option<&Class<'a>> {
        self.classes.get(class as usize)
    }

    /// The class of a node in this state.
    pub(crate) fn class_of(&self, state: u32) -> u32 {
        self.states.get(state as usize).map_or(u32::MAX, |state| state.class)
    }

    /// The domain of this level of a node in this state.
    pub(crate) fn domain(&self, state: u32, level: Level) -> Option<u32> {
        let class = self.class(self.class_of(state))?;
        class.domains.get(usize::from(level == Level::Zone)).copied().flatten()
    }

    /// What is free of a resource in a state.
    pub(crate) fn free(&self, state: u32, resource: usize) -> i64 {
        let state = self.states.get(state as usize);
        state.and_then(|state| state.free.get(resource)).copied().unwrap_or(0)
    }

    /// The state of an empty node.
    pub(crate) fn empty(&mut self, class: u32) -> u32 {
        let Some(spec) = self.class(class).map(|class| &class.spec) else { return u32::MAX };
        let free = self.resources.iter().map(|resource| {
            let ill = spec.devices.iter().filter(|devices| devices.resource == *resource).map(|devices| {
                let ill = spec.unhealthy.iter().filter(|device| *device < devices.count).count();
                devices.each.saturating_mul(i64::try_from(ill).unwrap_or(i64::MAX))
            });
            amount(&spec.allocatable, resource).saturating_sub(ill.sum())
        });
        let free = free.collect();
        let each = |at: usize| spec.devices.get(at).map_or(0, |devices| devices.each);
        let count = spec.devices.first().map_or(0, |devices| devices.count);
        let devices = (0..count).filter(|device| !spec.unhealthy.has(*device)).map(|_| (each(0), each(1))).collect();
        self.intern(State { class, free, devices })
    }

    fn intern(&mut self, state: State) -> u32 {
        if let Some(id) = self.ids.get(&state) {
            return *id;
        }
        let id = u32::try_from(self.states.len()).unwrap_or(u32::MAX);
        self.ids.insert(state.clone(), id);
        self.states.push(state);
        id
    }

    /// Whether labels and taints of a class let a pod in.
    pub(crate) fn is_open(&self, class: u32, pod: u32) -> bool {
        let (Some(class), Some(template)) = (self.class(class), self.pods.get(pod as usize)) else { return false };
        is_selected(&class.spec, template) && is_tolerated(&class.spec, template)
    }

    /// The states in which a pod can leave a node, without an order. None where it does not fit.
    pub(crate) fn moves(&mut self, state: u32, pod: u32) -> Rc<[u32]> {
        if let Some(found) = self.moves.get(&(state, pod)) {
            return Rc::clone(found);
        }
        let found: BTreeSet<u32> =
            self.place(state, pod).unwrap_or_default().into_iter().map(|next| self.intern(next)).collect();
        let found: Rc<[u32]> = found.into_iter().collect();
        self.moves.insert((state, pod), Rc::clone(&found));
        found
    }

    fn place(&mut self, state: u32, pod: u32) -> Option<Vec<State>> {
        let mut state = self.states.get(state as usize)?.clone();
        let template = *self.pods.get(pod as usize)?;
        if !self.is_open(state.class, pod) {
            return None;
        }
        for (resource, free) in self.resources.iter().zip(&mut state.free) {
            *free = free.checked_sub(amount(&template.request, resource)).filter(|left| *left >= 0)?;
        }
        let Some(ask) = ask(&self.class(state.class)?.spec, template)? else { return Some(vec![state]) };
        let mut groups: BTreeMap<Device, u32> = BTreeMap::new();
        for device in state.devices.iter().filter(|(first, second)| *first >= ask.each && *second >= ask.part) {
            *groups.entry(*device).or_default() += 1;
        }
        let mut ways: Vec<Way> = vec![(Vec::new(), ask.count)];
        for (device, count) in groups {
            let before = std::mem::take(&mut ways);
            for (chosen, left) in before {
                for taken in 0..=count.min(left) {
                    let more = (taken > 0).then_some((device, taken));
                    ways.push((chosen.iter().copied().chain(more).collect(), left - taken));
                }
            }
            if ways.len() > MOST_WAYS {
                self.left_out = true;
                // Those that take the most so far.
                ways.sort_by_key(|(_, left)| *left);
                ways.truncate(MOST_WAYS);
            }
        }
        let after = |(chosen, _): Way| {
            let mut next = state.clone();
            for (device, taken) in chosen {
                for _ in 0..taken {
                    let found = next.devices.iter_mut().find(|found| **found == device);
                    found.into_iter().for_each(|found| *found = (found.0 - ask.each, found.1 - ask.part));
                }
            }
            next.devices.sort_unstable();
            next
        };
        Some(ways.into_iter().filter(|(_, left)| *left == 0).map(after).collect())
    }

    /// How many pods of a kind an empty node of a class holds, exactly.
    pub(crate) fn holds(&mut self, class: u32, pod: u32) -> u64 {
        if let Some(holds) = self.holds.get(&(class, pod)) {
            return *holds;
        }
        let empty = self.empty(class);
        let holds = self.most(empty, pod).unwrap_or(0);
        self.holds.insert((class, pod), holds);
        holds
    }

    fn most(&self, state: u32, pod: u32) -> Option<u64> {
        let state = self.states.get(state as usize)?;
        let template = *self.pods.get(pod as usize)?;
        if !self.is_open(state.class, pod) {
            return None;
        }
        let ratio = |(resource, free): (&Name, &i64)| free.max(&0).checked_div(amount(&template.request, resource));
        let most = self.resources.iter().zip(&state.free).filter_map(ratio).min().unwrap_or(i64::MAX);
        let most = u64::try_from(most).unwrap_or(0);
        let Some(ask) = ask(&self.class(state.class)?.spec, template)? else { return Some(most) };
        let slots = |(first, second): &(i64, i64)| {
            let of = |free: i64, each: i64| free.checked_div(each).unwrap_or(i64::MAX);
            u64::try_from(of(*first, ask.each).min(of(*second, ask.part))).unwrap_or(0)
        };
        let slots: Vec<u64> = state.devices.iter().map(slots).collect();
        // k pods fit if the devices have k times as many slots, of which each pod uses at most one on each device.
        let fit = |k: u64| {
            let sum = slots.iter().map(|slots| u128::from(*slots.min(&k))).sum::<u128>();
            sum >= u128::from(k) * u128::from(ask.count)
        };
        let (mut low, mut high) = (0, most);
        while low < high {
            let middle = high - (high - low) / 2;
            if fit(middle) { low = middle } else { high = middle - 1 }
        }
        Some(low)
    }
}

/// The name of a domain, as a sentence has it.
fn domain_name(spec: &NodeSpec, level: Level) -> String {
    let zone = spec.zone.as_ref().map(ToString::to_string).unwrap_or_default();
    match (level, &spec.rack) {
        (Level::Rack, Some(rack)) if zone.is_empty() => rack.to_string(),
        (Level::Rack, Some(rack)) => format!("{zone}/{rack}"),
        _ => zone,
    }
}

pub(crate) fn is_selected(spec: &NodeSpec, template: &PodTemplate) -> bool {
    let has = |(label, values): &(Name, Vec<Name>)| {
        spec.labels.iter().any(|(name, value)| name == label && values.contains(value))
    };
    template.selector.iter().all(has)
}

pub(crate) fn is_tolerated(spec: &NodeSpec, template: &PodTemplate) -> bool {
    spec.taints.iter().all(|taint| template.tolerations.contains(taint))
}

/// A number for each way in which modes divide requests.
const fn granularity(mode: &DeviceMode) -> u8 {
    match mode {
        DeviceMode::Exclusive | DeviceMode::Topology { .. } => 1,
        DeviceMode::Share => 2,
        _ => 0,
    }
}

/// How a request is divided over the devices of a node. `Some(None)`: it needs none. `None`: it is not allowed there.
fn ask(spec: &NodeSpec, template: &PodTemplate) -> Option<Option<Ask>> {
    let requested = |devices: &DeviceSpec| template.request.get(devices.resource.as_str()).filter(|n| *n > 0);
    let explicit = |devices: &DeviceSpec| template.devices.as_ref().filter(|ask| ask.resource == devices.resource);
    let whole = granularity(&spec.mode) == 1;
    let one = |devices: &DeviceSpec| {
        if let Some(ask) = explicit(devices) {
            return (!whole || ask.each == devices.each).then_some(Some((ask.count, ask.each)));
        }
        let Some(amount) = requested(devices) else { return Some(None) };
        let is_whole = amount.checked_rem(devices.each)? == 0;
        let count = u32::try_from(amount.checked_div(devices.each)?).unwrap_or(u32::MAX);
        match (amount <= devices.each, is_whole) {
            (true, false) if whole => None,
            (true, _) => Some(Some((1, amount))),
            (false, true) if granularity(&spec.mode) != 2 => Some(Some((count, devices.each))),
            (false, _) => None,
        }
    };
    let (divided, second) = match spec.devices.as_slice() {
        [] => return Some(None),
        [devices] => (one(devices)?, None),
        [devices, second, ..] => {
            let divided = match (explicit(second), requested(devices)) {
                (Some(ask), amount) => {
                    let (amount, count) = (amount.unwrap_or(0), i64::from(ask.count));
                    (amount.checked_rem(count)? == 0).then_some(Some((ask.count, amount / count)))?
                }
                (None, None) => requested(second).map(|_| (1, 0)),
                (None, Some(_)) => one(devices)?,
            };
            (divided, Some(second))
        }
    };
    let Some((count, each)) = divided else { return Some(None) };
    let part = match second {
        None => 0,
        Some(second) => {
            let (amount, count) = (requested(second).unwrap_or(0), i64::from(count.max(1)));
            (amount % count == 0 && amount / count <= second.each).then_some(amount / count)?
        }
    };
    Some(Some(Ask { count, each, part }))
}
