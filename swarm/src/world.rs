//! Generates the scenario of a seed: its features, then its sizes, then its text, which is an ordinary scenario file.
//!
//! A scenario has two phases. In the *safety phase*, everything that was drawn happens: arrivals, faults, edits, lost
//! requests. At its end all nodes are up and schedulable. In the *calm phase* after it nothing is submitted or edited
//! and nothing fails, and the run continues until nothing more can happen. A run that does not come to rest ends at
//! `max_events`.

use crate::{
    datasets,
    draw::Draw,
    features::{Feature, Features},
    gpus::Gpus,
    nodes::Scale,
    people::{self, People},
    queues,
    topology::{self, Location},
    tree::Tree,
    units::{CPU, Counted, GPU, MEMORY, RESOURCES, Units, WHOLE_GPU, amounts, quantity, time},
    workloads,
};
use quotree_sim::scenario::Value;

/// A random scenario.
#[derive(Debug, Clone)]
pub struct World {
    /// Its features.
    pub features: Features,
    /// Its text, as in a scenario file.
    pub text: String,
}

impl World {
    /// The scenario of a seed.
    ///
    /// ```
    /// let world = quotree_swarm::World::draw(7);
    /// assert_eq!(world.text, quotree_swarm::World::draw(7).text);
    /// ```
    #[must_use]
    pub fn draw(seed: u64) -> Self {
        let features = Features::draw(&mut Draw::new(seed, "swarm/features"));
        let features = features.with_required(&mut Draw::new(seed, "swarm/needs"));
        let mut builder = WorldBuilder::new(seed, &features);
        let scenario = builder.scenario(seed);
        Self { text: format!("#![enable(implicit_some)]\n{}", scenario.to_text()), features }
    }
}

/// A pool of equal nodes.
#[derive(Debug)]
pub(crate) struct Pool {
    pub(crate) name: &'static str,
    pub(crate) count: u64,
    pub(crate) each: Units,
    pub(crate) tainted: bool,
    pub(crate) scale: Option<Scale>,
    pub(crate) location: Location,
}

/// A scenario that is being generated.
#[derive(Debug)]
pub(crate) struct WorldBuilder<'a> {
    pub(crate) features: &'a Features,
    pub(crate) draw: Draw,
    /// The random stream of node events. The draws from one stream do not affect those from another.
    pub(crate) node_draw: Draw,
    pub(crate) pools: Vec<Pool>,
    pub(crate) tree: Tree,
    pub(crate) namespaces: Vec<String>,
    /// The length of the safety phase, seconds.
    pub(crate) safety: u64,
    /// Edits and faults drawn so far, with their times.
    pub(crate) events: Vec<(u64, Value)>,
    pub(crate) budgets: u64,
    pub(crate) datasets: u64,
    /// The random stream of datasets.
    pub(crate) dataset_draw: Draw,
    /// The random streams of job queues, topology, GPUs, users, the knob `age`, refused evictions, resizes and restarts.
    pub(crate) queue_draw: Draw,
    pub(crate) topology_draw: Draw,
    pub(crate) gpu_draw: Draw,
    pub(crate) people_draw: Draw,
    pub(crate) age_draw: Draw,
    pub(crate) refusal_draw: Draw,
    pub(crate) resize_draw: Draw,
    pub(crate) restart_draw: Draw,
    pub(crate) gpus: Option<Gpus>,
    pub(crate) people: People,
}

impl<'a> WorldBuilder<'a> {
    fn new(seed: u64, features: &'a Features) -> Self {
        let mut draw = Draw::new(seed, "swarm/sizes");
        let mut node_draw = Draw::new(seed, "swarm/nodes");
        let mut pools = pools(&mut draw, features);
        let mut topology_draw = Draw::new(seed, "swarm/places");
        for pool in &mut pools {
            pool.scale = Scale::draw(&mut node_draw, features, pool.count);
            pool.location = Location::draw(&mut topology_draw, features);
        }
        let mut gpu_draw = Draw::new(seed, "swarm/gpus");
        let gpus = Gpus::draw(&mut gpu_draw, features, pools.len());
        let mut total: Units = [0; 3];
        for pool in &pools {
            for (sum, each) in total.iter_mut().zip(pool.each) {
                *sum += each * pool.count;
            }
        }
        let quarters = draw.one_of(&[3, 4, 4, 4, 4, 5]).unwrap_or(4);
        let total = total.map(|units| units * quarters / 4);
        let governs_memory = features.has(Feature::Memory) && !features.has(Feature::Ungoverned);
        let counted = gpus.as_ref().map_or_else(|| vec![Counted::GPUS], Gpus::counted);
        let tree = Tree::draw(&mut draw, features, total, [true, governs_memory, features.has(Feature::Gpus)], counted);
        let mut namespaces = tree.namespaces();
        if features.has(Feature::Unquotaed) {
            namespaces.push("stray".to_owned());
        }
        let safety = draw.one_of(&[300, 1_200, 3_600, 10_800]).unwrap_or(1_200);
        let budgets = if features.has(Feature::Budgets) { draw.between(1, 2) } else { 0 };
        let mut dataset_draw = Draw::new(seed, "swarm/datasets");
        let datasets = if features.has(Feature::Datasets) { dataset_draw.between(1, 2) } else { 0 };
        let mut builder = Self {
            features,
            draw,
            node_draw,
            pools,
            tree,
            namespaces,
            safety,
            events: Vec::new(),
            budgets,
            datasets,
            dataset_draw,
            queue_draw: Draw::new(seed, "swarm/queues"),
            topology_draw,
            gpu_draw,
            people_draw: Draw::new(seed, "swarm/people"),
            age_draw: Draw::new(seed, "swarm/age"),
            refusal_draw: Draw::new(seed, "swarm/refusals"),
            resize_draw: Draw::new(seed, "swarm/resizes"),
            restart_draw: Draw::new(seed, "swarm/restarts"),
            gpus,
            people: People::default(),
        };
        builder.people = people::people(&mut builder);
        builder
    }

    fn scenario(&mut self, seed: u64) -> Value {
        let first_tree = self.tree.value();
        let queues = queues::queues(self);
        people::edits(self);
        let workloads = workloads::workloads(self);
        let datasets = datasets::datasets(self);
        self.edits();
        self.faults();
        let faults = self.node_events();
        self.device_events();
        topology::outages(self);
        self.restarts();
        self.events.sort_by_key(|(at, _)| *at);
        let events = std::mem::take(&mut self.events);
        let events: Vec<Value> = events.into_iter().map(|(at, change)| people::event(self, time(at), change)).collect();
        let always = |what: Value| Value::tuple("Always", vec![what]);
        let whole = Value::tuple("Gang", vec![Value::word("never_partial")]);
        let mut fields = vec![
            ("name", Value::text(format!("swarm-{seed}"))),
            ("seed", Value::number(seed)),
            ("policy", self.policy()),
            ("world", self.world(&queues)),
            ("cluster", self.cluster()),
            ("quota", first_tree),
        ];
        if self.budgets > 0 {
            let allowed = |i| (Value::text(format!("b{i}")), Value::number(self.draw.between(0, 3)));
            fields.push(("budgets", Value::Map((0..self.budgets).map(allowed).collect())));
        }
        if !self.people.is_empty() {
            fields.extend(self.people.fields());
        }
        if !queues.all.is_empty() {
            fields.push(("queues", Value::List(queues.all)));
        }
        if !datasets.is_empty() {
            fields.push(("datasets", Value::List(datasets)));
        }
        fields.push(("workloads", Value::List(workloads)));
        if !events.is_empty() {
            fields.push(("events", Value::List(events)));
        }
        if !faults.is_empty() {
            fields.push(("faults", Value::List(faults)));
        }
        fields.push(("expect", Value::List(vec![always(Value::word("Invariants")), always(whole)])));
        Value::fields("Scenario", fields)
    }

    fn cluster(&self) -> Value {
        let total = |pool: &Pool| amounts(pool.each.map(|units| Some(units).filter(|n| *n > 0)));
        if !self.features.has(Feature::Nodes) {
            return self.pools.first().map_or(Value::Absent, |pool| Value::tuple("Pool", vec![total(pool)]));
        }
        let node_pool = |(number, pool): (usize, &Pool)| {
            let [cpu, memory, gpu] = pool.each;
            let mut fields = vec![
                ("name", Value::text(pool.name)),
                ("count", Value::number(pool.count)),
                ("allocatable", amounts([Some(cpu), Some(memory).filter(|n| *n > 0), None])),
                ("labels", Value::Map(vec![(Value::text("pool"), Value::text(pool.name))])),
            ];
            fields.extend(pool.location.fields(self.features, pool.count));
            if let Some(scale) = pool.scale {
                fields.push(("autoscale", scale.value()));
            }
            if pool.tainted {
                fields.push(("taints", Value::List(vec![Value::text("special")])));
            }
            if let Some(gpus) = self.gpus.as_ref().filter(|_| gpu > 0) {
                fields.push(("gpus", gpus.value(number, gpu / WHOLE_GPU)));
            } else if gpu > 0 {
                let of = |name: &str| Value::text(name);
                let devices = vec![
                    ("resource", of(RESOURCES.get(GPU).copied().unwrap_or_default())),
                    ("count", Value::number(gpu / WHOLE_GPU)),
                ];
                fields.push(("devices", Value::List(vec![Value::fields("Devices", devices)])));
            }
            Value::fields("NodePool", fields)
        };
        Value::List(self.pools.iter().enumerate().map(node_pool).collect())
    }

    /// Draws a time in the safety phase.
    pub(crate) fn random_time(&mut self) -> u64 {
        self.draw.between(0, self.safety)
    }

    /// Draws edits of the tree and of budgets.
    fn edits(&mut self) {
        let mut times = Vec::new();
        for (feature, most) in [(Feature::TreeEdits, 4), (Feature::EnforceMax, 2), (Feature::NamespaceMoves, 3)] {
            if self.features.has(feature) {
                let count = self.draw.between(1, most);
                times.extend((0..count).map(|_| (self.draw.between(1, self.safety), feature)));
            }
        }
        // Each edit is drawn for the tree that the earlier ones left.
        times.sort_unstable();
        for (at, feature) in times {
            let change = match feature {
                Feature::TreeEdits | Feature::EnforceMax => self.tree.edit(&mut self.draw),
                _ => self.tree.move_namespace(&mut self.draw),
            };
            self.events.extend(change.map(|change| (at, change)));
        }
        if self.features.has(Feature::BudgetEdits) && self.budgets > 0 {
            let at = self.random_time();
            let budget = format!("b{}", self.draw.between(0, self.budgets - 1));
            let allowed = Value::number(self.draw.between(0, 4));
            self.events
                .push((at, Value::fields("SetBudget", vec![("budget", Value::text(budget)), ("allowed", allowed)])));
        }
    }

    /// Draws nodes that fail or are cordoned, and that recover by the end of the safety phase.
    fn faults(&mut self) {
        for (feature, down, up) in [(Feature::NodeDown, "NodeDown", "NodeUp"), (Feature::Cordon, "Cordon", "Uncordon")]
        {
            let count = if self.features.has(feature) { self.draw.between(1, 3) } else { 0 };
            for _ in 0..count {
                let Some(node) = self.node() else { continue };
                let (from, to) = (self.random_time(), self.random_time());
                self.events.push((from.min(to), Value::tuple(down, vec![Value::text(node.clone())])));
                self.events.push((from.max(to), Value::tuple(up, vec![Value::text(node)])));
            }
        }
    }

    /// Draws restarts of the scheduler.
    fn restarts(&mut self) {
        let count = if self.features.has(Feature::Restarts) { self.restart_draw.between(1, 3) } else { 0 };
        for _ in 0..count {
            let at = self.restart_draw.between(1, self.safety);
            self.events.push((at, Value::fields("RestartScheduler", Vec::new())));
        }
    }

    fn node(&mut self) -> Option<String> {
        if !self.features.has(Feature::Nodes) {
            return Some("pool".to_owned());
        }
        let pools: Vec<(&'static str, u64)> = self.pools.iter().map(|pool| (pool.name, pool.count)).collect();
        let (name, count) = self.draw.one_of(&pools)?;
        Some(format!("{name}-{}", self.draw.between(0, count - 1)))
    }

    /// Draws a delay, fixed or random.
    pub(crate) fn delay(&mut self, least: u64, most: u64) -> Value {
        let (from, to) = (self.draw.between(least, most), self.draw.between(least, most));
        if self.draw.chance(50) {
            return time(from);
        }
        Value::tuple("Uniform", vec![time(from.min(to)), time(from.max(to))])
    }

    /// A quantity of whole or partial GPUs.
    pub(crate) fn gpu_quantity(units: u64) -> Value {
        Value::text(quantity(GPU, units))
    }
}

fn pools(draw: &mut Draw, features: &Features) -> Vec<Pool> {
    let nodes = features.has(Feature::Nodes);
    let count = if nodes && features.has(Feature::SeveralPools) { draw.between(2, 3) } else { 1 };
    let names = ["a", "b", "c"];
    let pool = |(number, name): (u64, &&'static str)| {
        let nodes = if nodes { draw.between(1, 5) } else { 1 };
        let mut each: Units = [draw.between(2, 24), 0, 0];
        each[CPU] = if nodes == 1 { each[CPU] * 2 } else { each[CPU] };
        each[MEMORY] = if features.has(Feature::Memory) { draw.between(2, 32) } else { 0 };
        if features.has(Feature::Gpus) && (number == 0 || draw.chance(50)) {
            each[GPU] = WHOLE_GPU * draw.one_of(&[1, 2, 4, 8]).unwrap_or(1);
        }
        Pool {
            name,
            count: nodes,
            each,
            tainted: number > 0 && draw.chance(40),
            scale: None,
            location: Location::default(),
        }
    };
    (0..count).zip(&names).map(pool).collect()
}
