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
use crate::model::{Kind, Runtime, Workload};
use quotree_core::{Amounts, DeviceAsk, Name, PodTemplate, Time, Unit};
use std::{collections::BTreeMap, sync::Arc};

/// A workload with the places that later checks speak of.
#[derive(Debug, Clone)]
pub(crate) struct ReadWorkload {
    pub(crate) workload: Workload,
    pub(crate) name: Span,
    pub(crate) namespace: Span,
    pub(crate) user: Option<At<Name>>,
    pub(crate) budget: Option<At<Name>>,
    /// The priority class it names.
    pub(crate) class: Option<Name>,
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

/// Reads one workload.
pub(crate) fn read(node: &Node, context: &mut Context<'_, '_>, report: &mut Report) -> Option<ReadWorkload> {
    let variant = variant(node, &KINDS, "a kind of workload", report)?;
    let mut fields = variant.fields(&[], report);
    let name = fields.required::<At<Name>>("name", report);
    let priority_node = fields.node("priority");
    let class = priority_node.and_then(class);
    let priority = priority_node.and_then(|node| priority(node, context, report)).unwrap_or(0);
    let user = fields.optional::<At<Name>>("user", report);
    let user_name = user.as_ref().map(|user| user.value.clone());
    let preemptible = fields.or("preemptible", true, report);
    let budget = fields.optional::<At<Name>>("budget", report);
    let eviction_grace = fields.node("eviction_grace");
    let eviction_grace = eviction_grace.and_then(|node| latency("eviction_grace", node, context.files, report));
    let gangs = matches!(variant.name, "Training" | "Trace");
    let together = if gangs { gpus::together(&mut fields, report) } else { None };
    if variant.name == "Trace" {
        let rows = trace::rows(&mut fields, priority, user_name.clone(), context.files, report);
        fields.finish(report);
        let (name, (rows, file)) = (name?, rows?);
        let namespace = rows.first().map_or_else(|| Name::from(""), |row| row.namespace.clone());
        let submit = rows.first().map_or(Time(0), |row| row.submit);
        let budget_name = budget.as_ref().map(|b| b.value.clone());
        let kind = Kind::Trace { rows };
        let text = name.value.to_string();
        let workload = Workload {
            name: text,
            namespace,
            user: user_name,
            priority,
            preemptible,
            budget: budget_name,
            together,
            eviction_grace,
            submit,
            arrivals: None,
            deadline_ms: None,
            kind,
        };
        let (name, namespace, requests) = (name.span, file.span, vec![file.span]);
        return Some(ReadWorkload { workload, name, namespace, user, budget, class, requests, arrivals: None });
    }
    let namespace = fields.required::<At<Name>>("namespace", report);
    let submit = fields.or("submit", Time(0), report);
    let mut requests = Vec::new();
    let (arriving, arrivals) = if variant.name == "CronJob" {
        (Some(variant.span), arrivals::cron(&mut fields, report))
    } else {
        let node = fields.node("arrivals");
        (node.map(|node| node.span), node.and_then(|node| arrivals::read(node, context.files, report)))
    };
    let deadline: Option<Positive> =
        if variant.name == "Deployment" { None } else { fields.optional("deadline", report) };
    let kind = match variant.name {
        "Deployment" => {
            let replicas = fields.or("replicas", 1, report);
            let template = template(&mut fields, variant, &mut requests, report);
            Some(Kind::Deployment { replicas, template })
        }
        "Job" | "CronJob" => job(&mut fields, variant, &mut requests, context, report),
        "Workflow" => {
            let node = fields.required_node("tasks", report);
            let tasks = node.and_then(|node| workflow::tasks(node, &mut requests, context, report));
            tasks.map(|tasks| Kind::Workflow { tasks })
        }
        _ => training::read(&mut fields, &mut requests, context, report),
    };
    fields.finish(report);
    let (name, namespace, kind) = (name?, namespace?, kind?);
    if arriving.is_some() && arrivals.is_none() {
        return None;
    }
    let workload = Workload {
        name: name.value.to_string(),
        namespace: namespace.value,
        user: user_name,
        priority,
        preemptible,
        budget: budget.as_ref().map(|b| b.value.clone()),
        together,
        eviction_grace,
        submit,
        arrivals,
        deadline_ms: deadline.map(|ms| ms.0),
        kind,
    };
    let (name, namespace) = (name.span, namespace.span);
    Some(ReadWorkload { workload, name, namespace, user, budget, class, requests, arrivals: arriving })
}

/// The class that a priority names.
fn class(node: &Node) -> Option<Name> {
    match &node.shape {
        Shape::String(class) => Some(Name::from(class.as_str())),
        _ => None,
    }
}

/// A number, or the name of a class.
pub(crate) fn priority(node: &Node, context: &Context<'_, '_>, report: &mut Report) -> Option<i32> {
    if let Shape::String(class) = &node.shape {
        let known = context.classes.get(class.as_str());
        if known.is_none() {
            let names = context.classes.keys().map(Name::as_str);
            report
                .error(node.span, format!("there is no priority class `{class}`"), "unknown class")
                .did_you_mean(class, names)
                .help("classes are declared at the top: `classes: { \"high\": 100 }`");
        }
        return known.copied();
    }
    i32::read(node, report)
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
    let checkpoint_ms = fields.optional::<Positive>("checkpoint", report).map(|ms| ms.0);
    let checkpoint_cost_ms = fields.or("checkpoint_cost", Ms(0), report).0;
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
