//! `capacity-scheduler.xml` of YARN. A quota has the whole path of its queue as its name. `capacity` is the min and
//! `maximum-capacity` the max. Percents and weights are relative to the parent, and so to the cluster, whose size is
//! not in the file. Absolute amounts are not converted.

use super::{
    Draft, QuotaOptions,
    diagnostics::Diagnostics,
    field::{self, Field, becomes, idle, lost, lost_unless},
    forest::{Forest, Root},
    note::Says,
};
use quotree_core::{Amounts, Name, QuotaSpec, Unit};
use quotree_syntax::{Source, Span};
use roxmltree::{Document, Node, TextPos};
use std::collections::BTreeMap;

const PREFIX: &str = "yarn.scheduler.capacity.";

const CREATED: &str = "queues would be created as they are needed";

const USERS: &str = "each user of the queue would be limited by this";

const QUEUE: &[Field] = &[
    becomes("queues", "`children`"),
    becomes(
        "capacity",
        "`min`: amounts, or a part of the parent's (rounded down: memory to MiB, the rest to whole ones)",
    ),
    becomes("maximum-capacity", "`max`, likewise; 100 and -1 are the parent's"),
    becomes("max-parallel-apps", "`max_jobs`"),
    lost_unless("state", &["RUNNING"], "no new jobs would be accepted"),
    lost_unless("priority", &["0"], "queues of higher priority would be served first; the number is only shown"),
    lost_unless(
        "ordering-policy",
        &["fifo", "utilization"],
        "jobs or queues would be ordered by this; see the knob `order`",
    ),
    lost("ordering-policy.*", "jobs or queues would be ordered by this; see the knob `order`"),
    lost_unless("disable_preemption", &["false"], "its jobs would never be preempted"),
    lost_unless("intra-queue-preemption.disable_preemption", &["false"], "its jobs would not preempt each other"),
    lost_unless("user-limit-factor", &["-1", "-1.0"], USERS),
    lost_unless("minimum-user-limit-percent", &["100"], USERS),
    lost("user-settings.*", USERS),
    lost("maximum-applications", "jobs that run or wait would be limited together"),
    lost("maximum-am-resource-percent", "application masters would get at most this part of the queue"),
    lost("maximum-allocation*", "larger containers would be refused"),
    lost("maximum-application-lifetime", "a job would be stopped after this time"),
    lost("default-application-lifetime", "a job would be stopped after this time"),
    lost("default-application-priority", "jobs that name no priority would have this"),
    lost_unless("accessible-node-labels", &["*", " "], "the queue would use only nodes with these labels"),
    lost("accessible-node-labels.*", "on nodes with this label the queue would have other shares"),
    lost("default-node-label-expression", "jobs would run on nodes with this label"),
    lost_unless("acl_*", &["*", " "], "only these users could do that"),
    lost_unless("auto-create-child-queue.enabled", &["false"], CREATED),
    lost_unless("auto-queue-creation-v2.enabled", &["false"], CREATED),
    lost("auto-*", CREATED),
    lost("leaf-queue-template.*", CREATED),
    lost("multi-node-sorting.*", "nodes would be chosen by this; see the knob `placement`"),
    lost("reserv*", "time could be reserved ahead"),
];

const GLOBAL: &[Field] = &[
    lost_unless(
        "resource-calculator",
        &["org.apache.hadoop.yarn.util.resource.DominantResourceCalculator"],
        "only memory would count",
    ),
    lost("maximum-applications", "jobs that run or wait would be limited together"),
    lost("maximum-am-resource-percent", "application masters would get at most this part of a queue"),
    lost("max-parallel-apps", "each queue would run at most this many jobs"),
    lost_unless("user-limit-factor", &["-1", "-1.0"], USERS),
    lost_unless("minimum-user-limit-percent", &["100"], USERS),
    lost("queue-mappings*", "jobs would find their queue by these rules; here by their namespace"),
    lost("mapping-rule*", "jobs would find their queue by these rules; here by their namespace"),
    lost("workflow-priority-mappings*", "jobs of a workflow would have these priorities"),
    idle("node-locality-delay"),
    idle("rack-locality-*"),
    idle("per-node-heartbeat.*"),
    idle("schedule-asynchronously.*"),
    idle("legacy-queue-mode.enabled"),
    idle("application.fail-fast"),
    lost("*", "quotree does not know this property"),
];

pub(super) const FIELDS: &[(&str, &[Field])] = &[("queue", QUEUE), ("property", GLOBAL)];

/// The value of a property, and its place.
type Properties<'t> = BTreeMap<&'t str, (&'t str, Span)>;

pub(super) fn read(sources: &[Source], options: &QuotaOptions, diagnostics: &mut Diagnostics) -> Draft {
    let mut documents = Vec::new();
    for (source, file) in (0..).zip(sources) {
        diagnostics.source = source;
        match Document::parse(&file.text) {
            Ok(document) => documents.push((source, document)),
            Err(error) => {
                let at = offset(&file.text, error.pos());
                let span = diagnostics.span(&(at..at));
                diagnostics.error(span, format!("invalid XML: {error}"), "");
            }
        }
    }
    let mut properties = Properties::new();
    for (source, document) in &documents {
        diagnostics.source = *source;
        gather(document, &mut properties, diagnostics);
    }
    let mut forest = Forest::new("queue");
    let mut reading = Reading { properties, options, diagnostics, total: options.total.clone(), missing: false };
    let paths = reading.queues(&mut forest);
    reading.others(&paths);
    Draft { tree: forest.finish(Root::Cluster, options, diagnostics), ..Draft::default() }
}

/// The byte offset of a position.
fn offset(text: &str, at: TextPos) -> usize {
    let before = text.split_inclusive('\n').take(at.row.saturating_sub(1) as usize).map(str::len).sum::<usize>();
    let line = text.get(before..).unwrap_or_default();
    let column = line.char_indices().nth(at.col.saturating_sub(1) as usize).map_or(line.len(), |(at, _)| at);
    before + column
}

/// Collects the properties of a document. Of several with the same name, the last one counts, as in Hadoop.
fn gather<'t>(document: &'t Document<'_>, properties: &mut Properties<'t>, diagnostics: &mut Diagnostics) {
    let root = document.root_element();
    let span_of = |node: Node<'_, '_>, diagnostics: &Diagnostics| diagnostics.span(&node.range());
    if root.tag_name().name() != "configuration" {
        let span = span_of(root, diagnostics);
        diagnostics.error(
            span,
            format!("the root element is `{}`, expected `configuration`", root.tag_name().name()),
            "",
        );
        return;
    }
    for element in root.children().filter(Node::is_element) {
        let span = span_of(element, diagnostics);
        if element.tag_name().name() != "property" {
            let means = "quotree reads only properties";
            diagnostics.notes.lost(
                "element",
                Says::Has(format!("the name `{}`", element.tag_name().name())),
                means,
                span,
            );
            continue;
        }
        let child = |name: &str| element.children().find(|child| child.tag_name().name() == name);
        let text = |node: Option<Node<'t, '_>>| node.and_then(|node| node.text()).map(str::trim);
        let (Some(name), value) = (text(child("name")), child("value")) else {
            diagnostics.error(span, "a property without a `name`", "");
            continue;
        };
        let at = value.map_or(span, |value| span_of(value, diagnostics));
        if properties.insert(name, (text(value).unwrap_or_default(), at)).is_some() {
            let means = "the last counts";
            diagnostics.notes.assumed("property", Says::Has("the name of an earlier one".to_owned()), means, span);
        }
    }
}

struct Reading<'r, 't> {
    properties: Properties<'t>,
    options: &'r QuotaOptions,
    diagnostics: &'r mut Diagnostics,
    /// The size of the cluster: that of the options, or the capacity of `root` in amounts.
    total: Option<Amounts>,
    /// Whether it was reported that the size of the cluster is missing.
    missing: bool,
}

/// A part of the parent, as a fraction.
#[derive(Clone, Copy)]
struct Part {
    of: i128,
    whole: i128,
}

/// The capacity of a queue.
enum Capacity {
    Part(Part),
    Weight(i128),
    Amounts(Amounts),
}

impl<'t> Reading<'_, 't> {
    fn property(&self, queue: &str, name: &str) -> Option<(&'t str, Span)> {
        self.properties.get(format!("{PREFIX}{queue}.{name}").as_str()).copied().filter(|(text, _)| !text.is_empty())
    }

    fn children(&self, queue: &str) -> Vec<(&'t str, Span)> {
        let Some((text, span)) = self.property(queue, "queues") else { return Vec::new() };
        text.split(',').map(str::trim).filter(|name| !name.is_empty()).map(|name| (name, span)).collect()
    }

    /// Adds all queues below `root`, and returns their paths.
    fn queues(&mut self, forest: &mut Forest) -> Vec<String> {
        let Some((_, at)) = self.property("root", "queues") else {
            if self.diagnostics.report.errors() == 0 {
                let help = "it must have the property `yarn.scheduler.capacity.root.queues`";
                self.diagnostics.error(Span::new(0, 0..0), "no queue", "").help(help);
            }
            return Vec::new();
        };
        self.root_capacity();
        let mut root = QuotaSpec::new("root", None);
        if let Some(total) = &self.total {
            root = root.min(total.clone()).max(total.clone());
        }
        let cluster = root.clone();
        self.limits("root", &mut root, &cluster);
        forest.add_summing(root.clone(), at, self.diagnostics);
        let mut paths = vec!["root".to_owned()];
        let mut open = vec![("root".to_owned(), root)];
        while let Some((path, above)) = open.pop() {
            let children = self.children(&path);
            let capacities: Vec<Option<Capacity>> =
                children.iter().map(|(name, at)| self.capacity(&format!("{path}.{name}"), *at, &above.min)).collect();
            let weight = |capacity: &Option<Capacity>| match capacity {
                Some(Capacity::Weight(weight)) => *weight,
                _ => 0,
            };
            let weights = capacities.iter().map(weight).fold(0_i128, i128::saturating_add);
            for ((name, at), capacity) in children.iter().zip(capacities) {
                let own = format!("{path}.{name}");
                let at = self.property(&own, "capacity").map_or(*at, |(_, at)| at);
                let mut spec = QuotaSpec::new(&own, Some(&path));
                let part = match capacity {
                    Some(Capacity::Part(part)) => Some(part),
                    Some(Capacity::Weight(of)) => Some(Part { of, whole: weights.max(1) }),
                    Some(Capacity::Amounts(amounts)) => {
                        spec.min = amounts;
                        None
                    }
                    None => None,
                };
                if let Some(part) = part {
                    self.need_total(at);
                    spec.min = of(part, &above.min);
                }
                self.limits(&own, &mut spec, &above);
                forest.add(spec.clone(), at, self.diagnostics);
                paths.push(own.clone());
                open.push((own, spec));
            }
        }
        paths
    }

    /// Takes the capacity of `root`, where it is in amounts, as the size of the cluster.
    fn root_capacity(&mut self) {
        let Some((text, at)) = self.property("root", "capacity").filter(|(text, _)| text.starts_with('[')) else {
            return;
        };
        let capacity = self.amounts(text, at, &Amounts::new());
        if self.total.is_some() {
            let means = "the size of the cluster counts that --cluster gives";
            self.diagnostics.notes.assumed("root", Says::Sets("capacity".to_owned()), means, at);
        } else {
            self.total = Some(capacity);
        }
    }

    fn need_total(&mut self, at: Span) {
        if self.total.is_none() && !std::mem::replace(&mut self.missing, true) {
            let help = "say how large it is, for example --cluster cpu=400,memory=1600Gi";
            self.diagnostics.error(at, "shares are of a cluster whose size the file does not say", "").help(help);
        }
    }

    fn limits(&mut self, queue: &str, spec: &mut QuotaSpec, above: &QuotaSpec) {
        if let Some((text, at)) = self.property(queue, "maximum-capacity") {
            if text.starts_with('[') {
                spec.max = self.amounts(text, at, &above.max);
            } else if let Some(part) = percent(text) {
                if part.of != 0 && part.of < part.whole {
                    self.need_total(at);
                    spec.max = of(part, if above.max.is_empty() { &above.min } else { &above.max });
                }
            } else if !text.starts_with("-1") {
                self.wrong(text, at, "a maximum-capacity");
            }
        }
        // Without a limit of its own the queue may use what its parent may.
        for (name, most) in above.max.iter() {
            if spec.max.get(name.as_str()).is_none() {
                spec.max.set(name.clone(), most);
            }
        }
        if let Some((text, at)) = self.property(queue, "max-parallel-apps") {
            match text.parse() {
                Ok(jobs) => spec.max_jobs = Some(jobs),
                Err(_) => self.diagnostics.mistake(at, format!("`{text}` is not a number of jobs")),
            }
        }
        if let Some((text, _)) = self.property(queue, "priority") {
            spec.priority = text.parse().unwrap_or_default();
        }
    }

    fn wrong(&mut self, text: &str, at: Span, what: &str) {
        let help = "expected a percentage `12.5`, a weight `2w`, or amounts `[memory=10240,vcores=12]`";
        self.diagnostics.error(at, format!("`{text}` is not {what}"), "").help(help);
    }

    fn capacity(&mut self, queue: &str, at: Span, above: &Amounts) -> Option<Capacity> {
        let Some((text, at)) = self.property(queue, "capacity") else {
            self.diagnostics.error(at, format!("`{queue}` has no capacity"), "named here");
            return None;
        };
        if text.starts_with('[') {
            return Some(Capacity::Amounts(self.amounts(text, at, above)));
        }
        let weight = text.strip_suffix('w').map(|number| percent(number).map(|part| Capacity::Weight(part.of)));
        let read = weight.unwrap_or_else(|| percent(text).filter(|part| part.of <= part.whole).map(Capacity::Part));
        if read.is_none() {
            self.wrong(text, at, "a capacity");
        }
        read
    }

    /// `[memory=10240,vcores=12,yarn.io/gpu=4]`: memory without a unit is in MiB; percents are of `above`.
    fn amounts(&mut self, text: &str, at: Span, above: &Amounts) -> Amounts {
        let mut amounts = Amounts::new();
        let inside = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let Some(inside) = inside else {
            self.wrong(text, at, "a list of amounts");
            return amounts;
        };
        for part in inside.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let Some((name, value)) = part.split_once('=').map(|(name, value)| (name.trim(), value.trim())) else {
                self.wrong(part, at, "an amount");
                continue;
            };
            let resource = match name {
                "memory" | "memory-mb" => Name::from("memory"),
                "vcores" => Name::from("cpu"),
                "yarn.io/gpu" => self.options.gpu.clone(),
                name => Name::from(name),
            };
            if let Some(part) = value.strip_suffix('%').and_then(percent) {
                let whole = above.get(resource.as_str()).or_else(|| self.total.as_ref()?.get(resource.as_str()));
                self.need_total(at);
                amounts.set(resource.clone(), share(part, whole.unwrap_or(0), resource.as_str()));
                continue;
            }
            if value.strip_suffix('w').and_then(percent).is_some() {
                let title = format!("`{part}` is a weight of one resource, which is not read");
                let help =
                    format!("write a part or an amount, such as `{name}=25%`, or a weight `2w` of all resources");
                self.diagnostics.error(at, title, "").help(help);
                continue;
            }
            let bare = resource == "memory" && value.bytes().all(|byte| byte.is_ascii_digit());
            let value = if bare { format!("{value}Mi") } else { value.to_owned() };
            if let Some(amount) = self.diagnostics.quantity(resource.as_str(), &value, at, "capacity") {
                amounts.set(resource, amount);
            }
        }
        amounts
    }

    /// Reports the properties that are not read.
    fn others(&mut self, paths: &[String]) {
        let known: std::collections::BTreeSet<&str> = paths.iter().map(String::as_str).collect();
        for (name, (value, at)) in &self.properties {
            let Some(rest) = name.strip_prefix(PREFIX) else {
                field::tell_text(GLOBAL, "property", (name, value), *at, self.diagnostics);
                continue;
            };
            let queue = rest
                .match_indices('.')
                .map(|(i, _)| i)
                .rev()
                .find(|i| rest.get(..*i).is_some_and(|q| known.contains(q)));
            match queue.and_then(|i| rest.get(i + 1..)) {
                Some(of) if field::find(QUEUE, of).is_some() => {
                    let acl = of.starts_with("acl_") && value.is_empty();
                    field::tell_text(QUEUE, "queue", (of, if acl { " " } else { value }), *at, self.diagnostics);
                }
                _ if rest.starts_with("root.") => {
                    let means = "no property `queues` names the queue";
                    self.diagnostics.notes.lost(
                        "property",
                        Says::Has("a queue that is not there".to_owned()),
                        means,
                        *at,
                    );
                }
                _ => field::tell_text(GLOBAL, "property", (rest, value), *at, self.diagnostics),
            }
        }
        self.user_limits(paths);
    }

    /// Notes the leaves of which the file does not say how much one user gets.
    fn user_limits(&mut self, paths: &[String]) {
        const FACTOR: &str = "user-limit-factor";
        if self.properties.contains_key(format!("{PREFIX}{FACTOR}").as_str()) {
            return;
        }
        for path in paths {
            let is_open = self.children(path).is_empty() && self.property(path, FACTOR).is_none();
            let Some((_, at)) = self.property(path, "capacity").filter(|_| is_open) else { continue };
            let means = "a user could then use no more than the capacity of its queue; here all that the queue may use";
            self.diagnostics.notes.assumed("queue", Says::Has(format!("no {FACTOR}")), means, at);
        }
    }
}

/// A decimal number of percent, as a fraction.
fn percent(text: &str) -> Option<Part> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if (whole.is_empty() && fraction.is_empty()) || !digits(whole) || !digits(fraction) || text.len() > 16 {
        return None;
    }
    // Both are in units of the tenth digit behind the point, so that parts of siblings can be added.
    let number: i128 = format!("{whole}{fraction:0<10}").get(..whole.len() + 10)?.parse().ok()?;
    Some(Part { of: number, whole: 100 * 10_i128.pow(10) })
}

/// This part of these amounts.
fn of(part: Part, amounts: &Amounts) -> Amounts {
    amounts.iter().map(|(name, amount)| (name.clone(), share(part, amount, name.as_str()))).collect()
}

/// This part of an amount, rounded down so that the parts never exceed the whole.
fn share(part: Part, amount: i64, resource: &str) -> i64 {
    let exact = i128::from(amount).saturating_mul(part.of) / part.whole.max(1);
    let step = if Unit::of(resource) == Unit::Bytes { 1 << 20 } else { 1000 };
    i64::try_from(exact / step * step).unwrap_or(i64::MAX)
}
