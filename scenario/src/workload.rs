//! `workloads: [..]`: Deployment, Job, Training, CronJob, Workflow and Trace.

use super::{
    arrivals,
    dataset::{self, ReadDataset},
    diagnostic::{Report, Span},
    files::Files,
    gpus,
    reader::{At, Fields, Read, Variant, variant},
    syntax::{Node, Shape},
    times::{self, latency},
    trace, training,
    values::{Ms, Positive, entries, quantity},
    workflow,
};
use quotree_core::{Amounts, DeviceAsk, Level, Name, PodTemplate, Time, Unit};
use quotree_model::{Arrivals, Kind, Priority, Runtime, Workload};
use std::{collections::BTreeMap, sync::Arc};

/// A workload with the places that later checks speak of.
#[derive(Debug, Clone)]
pub(crate) struct ReadWorkload {
    pub(crate) workload: Workload,
    pub(crate) name: Span,
    pub(crate) namespace: Span,
    pub(crate) user: Option<At<Name>>,
    pub(crate) budget: Option<At<Name>>,
    /// One a template: a Deployment's and Job's own, a Training's by role, a Workflow's by task; a Trace's file.
    pub(crate) requests: Vec<Span>,
    /// Where it says how it arrives.
    pub(crate) arrivals: Option<Span>,
}

/// What is known before workloads are read.
pub(crate) struct Context<'a, 'l> {
    pub(crate) classes: &'a BTreeMap<Name, i32>,
    pub(crate) datasets: &'a [ReadDataset],
    pub(crate) files: &'a mut Files<'l>,
}

/// The kinds of workload.
const KINDS: [&str; 6] = ["Deployment", "Job", "Training", "CronJob", "Workflow", "Trace"];

/// What is read of a workload according to its kind.
struct Body {
    namespace: At<Name>,
    submit: Time,
    /// When it arrives, and where that is said.
    arrivals: Option<(Arrivals, Span)>,
    deadline_ms: Option<u64>,
    kind: Kind,
}

/// Reads one workload.
pub(crate) fn read(node: &Node, context: &mut Context<'_, '_>, report: &mut Report) -> Option<ReadWorkload> {
    let variant = variant(node, &KINDS, "a kind of workload", report)?;
    let mut fields = variant.fields(&[], report);
    let name = fields.required::<At<Name>>("name", report);
    let priority = fields.node("priority").and_then(|node| priority(node, context, report)).unwrap_or_default();
    let user = fields.optional::<At<Name>>("user", report);
    let preemptible = fields.or("preemptible", true, report);
    let budget = fields.optional::<At<Name>>("budget", report);
    let eviction_grace = fields.node("eviction_grace");
    let eviction_grace = eviction_grace.and_then(|node| latency("eviction_grace", node, context.files, report));
    let gangs = matches!(variant.name, "Training" | "Workflow" | "Trace");
    let together = if gangs { fields.node("topology").and_then(|node| gpus::together(node, report)) } else { None };
    let mut requests = Vec::new();
    let body = match variant.name {
        "Trace" => {
            let user = user.as_ref().map(|user| user.value.clone());
            traced(&mut fields, (priority.number, user), &mut requests, context.files, report)
        }
        _ => body(&mut fields, variant, (&priority, together), &mut requests, context, report),
    };
    fields.finish(report);
    let (name, body) = (name?, body?);
    let (arrivals, arriving) = body.arrivals.unzip();
    let workload = Workload {
        name: name.value.to_string(),
        namespace: body.namespace.value,
        user: user.as_ref().map(|user| user.value.clone()),
        priority,
        preemptible,
        budget: budget.as_ref().map(|budget| budget.value.clone()),
        together,
        eviction_grace,
        submit: body.submit,
        arrivals,
        deadline_ms: body.deadline_ms,
        kind: body.kind,
    };
    let (name, namespace) = (name.span, body.namespace.span);
    Some(ReadWorkload { workload, name, namespace, user, budget, requests, arrivals: arriving })
}

/// The rows of a trace: where and when is theirs, and stands for the trace where its file is named.
fn traced(
    fields: &mut Fields<'_>,
    stated: (i32, Option<Name>),
    requests: &mut Vec<Span>,
    files: &mut Files<'_>,
    report: &mut Report,
) -> Option<Body> {
    let limits = trace::limits(fields, report);
    let (checkpoint_ms, checkpoint_cost_ms) = checkpoints(fields, report);
    let (rows, file) = trace::rows(fields, stated, files, report)?;
    requests.push(file.span);
    let first = rows.first();
    let namespace = first.map_or_else(|| Name::from(""), |row| row.namespace.clone());
    Some(Body {
        namespace: At { value: namespace, span: file.span },
        submit: first.map_or(Time(0), |row| row.submit),
        arrivals: None,
        deadline_ms: None,
        kind: Kind::Trace { rows, limits, checkpoint_ms, checkpoint_cost_ms },
    })
}

/// What is not a trace; `stated` is what tasks have that say nothing themselves.
fn body(
    fields: &mut Fields<'_>,
    variant: Variant<'_>,
    stated: (&Priority, Option<Level>),
    requests: &mut Vec<Span>,
    context: &mut Context<'_, '_>,
    report: &mut Report,
) -> Option<Body> {
    let namespace = fields.required::<At<Name>>("namespace", report);
    let submit = fields.or("submit", Time(0), report);
    let (arriving, arrivals) = if variant.name == "CronJob" {
        (Some(variant.span), arrivals::cron(fields, report))
    } else {
        let node = fields.node("arrivals");
        (node.map(|node| node.span), node.and_then(|node| arrivals::read(node, context.files, report)))
    };
    let deadline_ms = if variant.name == "Deployment" { None } else { deadline(fields, report) };
    let kind = match variant.name {
        "Deployment" => {
            let replicas = fields.or("replicas", 1, report);
            let template = template(fields, variant, requests, report);
            Some(Kind::Deployment { replicas, template })
        }
        "Job" | "CronJob" => job(fields, variant, requests, context, report),
        "Workflow" => {
            let node = fields.required_node("tasks", report);
            let tasks = node.and_then(|node| workflow::tasks(node, stated, requests, context, report));
            tasks.map(|tasks| Kind::Workflow { tasks })
        }
        _ => training::read(fields, requests, context, report),
    };
    let (namespace, kind) = (namespace?, kind?);
    let arrivals = match arriving {
        Some(span) => Some((arrivals?, span)),
        None => None,
    };
    Some(Body { namespace, submit, arrivals, deadline_ms, kind })
}

/// After how much work it is saved, and what that costs.
pub(crate) fn checkpoints(fields: &mut Fields<'_>, report: &mut Report) -> (Option<u64>, u64) {
    let every = fields.optional::<Positive>("checkpoint", report).map(|ms| ms.0);
    (every, fields.or("checkpoint_cost", Ms(0), report).0)
}

/// After how long it should be done.
pub(crate) fn deadline(fields: &mut Fields<'_>, report: &mut Report) -> Option<u64> {
    fields.optional::<Positive>("deadline", report).map(|ms| ms.0)
}

/// A number, or the name of a class.
pub(crate) fn priority(node: &Node, context: &Context<'_, '_>, report: &mut Report) -> Option<Priority> {
    let Shape::String(class) = &node.shape else { return i32::read(node, report).map(Priority::from) };
    let Some(number) = context.classes.get(class.as_str()) else {
        let names = context.classes.keys().map(Name::as_str);
        report
            .error(node.span, format!("there is no priority class `{class}`"), "unknown class")
            .did_you_mean(class, names)
            .help("classes are declared at the top: `classes: { \"high\": 100 }`");
        return None;
    };
    Some(Priority { number: *number, class: Some(class.as_str().into()) })
}

/// Reads what a job is, but for its place and name.
pub(crate) fn job(
    fields: &mut Fields<'_>,
    variant: Variant<'_>,
    requests: &mut Vec<Span>,
    context: &mut Context<'_, '_>,
    report: &mut Report,
) -> Option<Kind> {
    let completions = positive_count(fields, "completions", 1, report);
    let parallelism = positive_count(fields, "parallelism", 1, report);
    let backoff_limit = fields.or("backoff_limit", 6, report);
    let retry_delay_ms = fields.or("retry_delay", Ms(0), report).0;
    let template = template(fields, variant, requests, report);
    let (checkpoint_ms, checkpoint_cost_ms) = checkpoints(fields, report);
    let runtime_limit_ms = fields.optional::<Positive>("runtime_limit", report).map(|ms| ms.0);
    let reads = fields.node("reads");
    let runtime =
        fields.required_node("runtime", report).and_then(|node| times::runtime(node, context.files, report))?;
    let reads =
        reads.and_then(|node| dataset::reads(node, None, runtime == Runtime::Forever, context.datasets, report));
    Some(Kind::Job {
        completions,
        parallelism,
        backoff_limit,
        template,
        runtime,
        checkpoint_ms,
        checkpoint_cost_ms,
        retry_delay_ms,
        runtime_limit_ms,
        reads,
    })
}

pub(crate) fn positive_count(fields: &mut Fields<'_>, field: &'static str, default: u32, report: &mut Report) -> u32 {
    let Some(count) = fields.optional::<At<u32>>(field, report) else { return default };
    if count.value == 0 {
        report.error(count.span, format!("`{field}` must be at least 1"), "0 makes no sense here");
        return default;
    }
    count.value
}

/// What each pod asks: `request`, `devices`, `selector`, `tolerations`.
pub(crate) fn template(
    f: &mut Fields<'_>,
    of: Variant<'_>,
    requests: &mut Vec<Span>,
    report: &mut Report,
) -> Arc<PodTemplate> {
    let mut template = PodTemplate::default();
    let request = f.required_node("request", report);
    requests.push(request.map_or(of.span, |node| node.span));
    if let Some(node) = request {
        template.request = Amounts::read(node, report).unwrap_or_default();
    }
    if let Some(node) = f.node("devices") {
        devices(node, &mut template, report);
    }
    gpus::split(f, &mut template, report);
    if let Some(node) = f.node("selector") {
        let what = "a map of labels such as { \"model\": [\"A100\", \"V100\"] }";
        for (label, value) in entries(node, what, report).unwrap_or_default() {
            let values = match &value.shape {
                Shape::List(_) => Vec::<Name>::read(value, report),
                _ => Name::read(value, report).map(|name| vec![name]),
            };
            template.selector.push((label.value, values.unwrap_or_default()));
        }
    }
    template.tolerations = f.or("tolerations", Vec::new(), report);
    Arc::new(template)
}

/// `devices: Devices(resource: "nvidia.com/gpu", count: 2, each: "500m")`: what they add up to is requested, too.
fn devices(node: &Node, template: &mut PodTemplate, report: &mut Report) {
    let Some(variant) = variant(node, &["Devices"], "`Devices(..)`", report) else { return };
    let mut fields = variant.fields(&[], report);
    let resource = fields.required::<At<Name>>("resource", report);
    let count = positive_count(&mut fields, "count", 1, report);
    let each_node = fields.node("each");
    let unit = resource.as_ref().map_or("", |r| r.value.as_str());
    let whole = if Unit::of(unit) == Unit::Milli { 1000 } else { 1 };
    let each = each_node.map_or(Some(whole), |node| quantity(node, unit, report));
    fields.finish(report);
    let (Some(resource), Some(each)) = (resource, each) else { return };
    let Some(sum) = each.checked_mul(i64::from(count)).filter(|sum| *sum > 0) else {
        report.error(node.span, "the devices add up to nothing, or to more than 64 bits", "out of range");
        return;
    };
    match template.request.get(resource.value.as_str()) {
        Some(stated) if stated != sum => {
            let show = |amount| Amounts::new().with(resource.value.clone(), amount);
            let title = format!("the devices add up to {}, but request says {}", show(sum), show(stated));
            report.error(node.span, title, "does not add up").help("leave the resource out of `request`");
        }
        _ => template.request.set(resource.value.clone(), sum),
    }
    template.devices = Some(DeviceAsk { resource: resource.value, count, each });
}

impl ReadWorkload {
    /// How many pods one instance has, as far as the workload itself says.
    pub(crate) fn pods(&self) -> u64 {
        let mut sum: u64 = 0;
        self.workload.kind.templates(&mut |_, count| sum = sum.saturating_add(count));
        sum
    }
}
