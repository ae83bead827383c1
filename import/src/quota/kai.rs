//! `Queue` of KAI: `quota` is the guarantee and `limit` the limit, separately for CPU (in thousandths of a core),
//! memory (in millions of bytes) and GPUs. -1 is "unlimited", and a limit that is absent or 0 allows nothing above the
//! quota.

use super::{
    Draft, QuotaOptions,
    diagnostics::Diagnostics,
    field::{self, Field, becomes, holds, idle, lost, lost_unless},
    forest::{Forest, Root},
    note::Says,
    object::Object,
};
use crate::yaml::{Node, find};
use quotree_core::{Name, QuotaSpec, Unit, parse_quantity};
use quotree_syntax::Span;

const SHARE: &[Field] = &[
    becomes("quota", "`min`; -1 is all that `limit` allows"),
    becomes("limit", "`max`; absent or 0: the quota; -1: none"),
    becomes("overQuotaWeight", "`weight`, if it is the same for all resources of the queue"),
];

const SPEC: &[Field] = &[
    becomes("displayName", "`attributes`"),
    becomes("parentQueue", "the parent"),
    holds("resources", &[holds("cpu", SHARE), holds("memory", SHARE), holds("gpu", SHARE)]),
    lost_unless("priority", &["100"], "queues of higher priority would be served first; the number is only shown"),
    lost("preemptMinRuntime", "its own queue could not preempt a job for this long; see the knob `min_runtime`"),
    lost("reclaimMinRuntime", "other queues could not preempt a job for this long; see the knob `min_runtime`"),
];

pub(super) const FIELDS: &[(&str, &[Field])] = &[(
    "Queue",
    &[
        idle("apiVersion"),
        idle("kind"),
        holds("metadata", &[becomes("name", "`name`"), idle("*")]),
        holds("spec", SPEC),
        idle("status"),
    ],
)];

pub(super) fn read(objects: &[Object<'_>], options: &QuotaOptions, diagnostics: &mut Diagnostics) -> Draft {
    let mut forest = Forest::new("Queue");
    for object in objects.iter().filter(|object| object.kind == "Queue") {
        diagnostics.source = object.source;
        FIELDS.iter().for_each(|(kind, fields)| field::tell(fields, kind, "", object.node, diagnostics));
        if object.name.is_empty() {
            diagnostics.error(object.at, "a Queue has no `metadata.name`", "");
            continue;
        }
        let mut spec = QuotaSpec::new(object.name, diagnostics.text(object.spec("parentQueue"), "parentQueue"));
        if let Some(name) = diagnostics.text(object.spec("displayName"), "displayName") {
            spec.attributes.push(("displayName".into(), name.into()));
        }
        if let Some(text) = diagnostics.text(object.spec("priority"), "priority") {
            spec.priority = text.parse().unwrap_or_default();
        }
        let mut weights = Vec::new();
        for (field, resource) in
            [("cpu", Name::from("cpu")), ("memory", Name::from("memory")), ("gpu", options.gpu.clone())]
        {
            let Some(share) = object.spec("resources").and_then(|resources| find(resources, field)) else { continue };
            let (quota, limit) = (bound(share, "quota", field, diagnostics), bound(share, "limit", field, diagnostics));
            let (quota, limit) = (quota.unwrap_or(Bound::Of(0)), limit.unwrap_or(Bound::Of(0)));
            set(&mut spec, &resource, quota, limit, object.at, diagnostics);
            weights.extend(diagnostics.count(find(share, "overQuotaWeight"), "overQuotaWeight", u64::from(u32::MAX)));
        }
        if weights.windows(2).all(|pair| matches!(pair, [a, b] if a == b)) {
            spec.weight = weights.first().copied();
        } else {
            let means =
                "each resource would be shared by a weight of its own; quotree has one weight, and here shares by min";
            diagnostics.notes.lost("Queue", Says::Sets("resources.*.overQuotaWeight".to_owned()), means, object.at);
        }
        forest.add_summing(spec, object.at, diagnostics);
    }
    Draft { tree: forest.finish(Root::Above("kai"), options, diagnostics), ..Draft::default() }
}

/// A quota or a limit, in base units.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Bound {
    Unlimited,
    Of(i64),
}

fn bound(share: &Node, field: &str, resource: &str, diagnostics: &mut Diagnostics) -> Option<Bound> {
    let node = find(share, field);
    let text = diagnostics.text(node, field)?;
    let whole = text.strip_suffix(".0").unwrap_or(text);
    if whole == "-1" {
        return Some(Bound::Unlimited);
    }
    // CPU is in thousandths of a core, memory in millions of bytes, so both are whole numbers here.
    let (unit, factor) = match resource {
        "cpu" => (Unit::Bytes, 1),
        "memory" => (Unit::Bytes, 1_000_000),
        _ => (Unit::Milli, 1),
    };
    let number = Some(whole).filter(|text| text.ends_with(|c: char| c.is_ascii_digit()));
    let amount = number.and_then(|text| parse_quantity(text, unit).ok()).and_then(|n| n.checked_mul(factor));
    if let Some(amount) = amount.filter(|amount| *amount >= 0) {
        return Some(Bound::Of(amount));
    }
    let span = diagnostics.span(&node?.span);
    let of = match resource {
        "cpu" => "thousandths of a core",
        "memory" => "millions of bytes",
        _ => "GPUs",
    };
    diagnostics
        .error(span, format!("`{text}` is not a {field} of {resource}"), "")
        .help(format!("write a number of {of}, or -1"));
    None
}

fn set(spec: &mut QuotaSpec, resource: &Name, quota: Bound, limit: Bound, at: Span, diagnostics: &mut Diagnostics) {
    let min = match (quota, limit) {
        (Bound::Of(quota), _) => quota,
        (Bound::Unlimited, Bound::Of(limit)) => limit,
        (Bound::Unlimited, Bound::Unlimited) => {
            let means = "all of it would be within quota; here no limit, and no guarantee beyond that of children";
            let says = Says::Has(format!("unlimited quota and limit of {resource}"));
            diagnostics.notes.assumed("Queue", says, means, at);
            0
        }
    };
    if min > 0 {
        spec.min.set(resource.clone(), min);
    }
    match limit {
        Bound::Unlimited => {}
        Bound::Of(limit) => spec.max.set(resource.clone(), limit.max(min)),
    }
}
