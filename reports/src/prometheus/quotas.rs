//! Quotas at the end: the metrics of Koordinator about elastic quotas, those of Kueue about cluster queues, and all
//! figures under names of quotree.

use super::{
    cluster::phases,
    text::{Kind, Sample, Text, amount},
};
use crate::tree::governed;
use quotree_core::{Name, Unit};
use quotree_sim::{
    Run,
    result::{QuantityMap, QuotaRow, ShareRow, TimeMap},
};
use std::collections::BTreeSet;

/// The amounts of a quota that a metric family exports.
type Of = fn(&QuotaRow) -> &QuantityMap;
/// The amounts over time that a metric family exports.
type Over = fn(&ShareRow) -> &TimeMap;

pub(super) fn write(run: &Run, text: &mut Text) {
    let quotas = &run.result.quotas;
    let resources = governed(quotas);
    let parents: BTreeSet<&str> = quotas.iter().filter_map(|quota| quota.parent.as_deref()).collect();
    full(quotas, &resources, text);
    koordinator(run, &resources, &parents, text);
    let leaves: Vec<&QuotaRow> = quotas.iter().filter(|quota| !parents.contains(quota.name.as_str())).collect();
    kueue(&leaves, &resources, text);
}

fn full(quotas: &[QuotaRow], resources: &[Name], text: &mut Text) {
    let kinds: [(&str, Of); 7] = [
        ("min", |quota| &quota.min),
        ("max", |quota| &quota.max),
        ("used", |quota| &quota.used),
        ("request", |quota| &quota.request),
        ("borrowed", |quota| &quota.borrowed),
        ("lent", |quota| &quota.lent),
        ("held", |quota| &quota.held),
    ];
    let mut samples = Vec::new();
    for quota in quotas {
        for resource in resources.iter().map(Name::as_str) {
            for (kind, of) in kinds {
                // Who has no max is not limited; everything else is 0 where it is not there.
                let units = of(quota).0.get(resource);
                let Some(units) = units.or((kind != "max").then_some(0)) else { continue };
                let labels =
                    [("quota", quota.name.as_str()), ("parent", parent(quota)), ("resource", resource), ("type", kind)];
                samples.push(Sample::new(&labels, amount(resource, units)));
            }
        }
    }
    text.family(
        "quotree_quota_resource",
        Kind::Gauge,
        "Amounts of a quota with all below it: cores, devices, bytes. A quota without a limit has no max.",
        samples,
    );
    let times: [(&str, Over); 3] = [
        ("used", |share| &share.used_time_s),
        ("borrowed", |share| &share.borrowed_time_s),
        ("unmet_guarantee", |share| &share.starved_time_s),
    ];
    let mut samples = Vec::new();
    for quota in quotas {
        for (kind, of) in times {
            for (resource, time) in &of(&quota.share).0 {
                let resource = resource.as_str();
                let labels = [("quota", quota.name.as_str()), ("resource", resource), ("type", kind)];
                samples.push(Sample::new(&labels, TimeMap::text(resource, *time)));
            }
        }
    }
    text.family(
        "quotree_quota_resource_seconds_total",
        Kind::Counter,
        "Amounts of a quota with all below it, over time: cores, devices, bytes times seconds.",
        samples,
    );
    let pods = quotas.iter().flat_map(|quota| phases(quota.counts).map(move |(phase, n)| (quota, phase, n)));
    text.family(
        "quotree_quota_pods",
        Kind::Gauge,
        "Pods of a quota and all below it, by phase.",
        pods.map(|(quota, phase, n)| Sample::new(&[("quota", &quota.name), ("phase", phase)], n)),
    );
    text.family(
        "quotree_quota_evictions_total",
        Kind::Counter,
        "Evictions of pods of a quota and all below it.",
        quotas.iter().map(|quota| Sample::new(&[("quota", &quota.name)], quota.counts.evicted)),
    );
}

fn parent(quota: &QuotaRow) -> &str {
    quota.parent.as_deref().unwrap_or_default()
}

/// Amounts as Koordinator exports them: cpu in thousandths of a core, everything else in whole units.
fn koordinator(run: &Run, resources: &[Name], parents: &BTreeSet<&str>, text: &mut Text) {
    type Units<'a> = &'a dyn Fn(&QuotaRow, &str) -> Option<i64>;
    type Field<'a> = (&'a str, Units<'a>);
    let runtime = |quota: &QuotaRow, resource: &str| fair_share(run, &quota.name, resource);
    let spec: [Field<'_>; 2] =
        [("min", &|quota, resource| quota.min.0.get(resource)), ("max", &|quota, resource| quota.max.0.get(resource))];
    let status: [Field<'_>; 3] = [
        ("used", &|quota, resource| quota.used.0.get(resource)),
        ("request", &|quota, resource| quota.request.0.get(resource)),
        ("runtime", &runtime),
    ];
    let families: [(&str, &str, &[Field<'_>]); 2] = [
        ("scheduler_elastic_quota_spec", "Min and max of an elastic quota; cpu in thousandths of a core.", &spec),
        (
            "scheduler_elastic_quota_status",
            "What an elastic quota uses, requests, and may use by its fair share; cpu in thousandths of a core.",
            &status,
        ),
    ];
    for (name, help, fields) in families {
        let mut samples = Vec::new();
        for quota in &run.result.quotas {
            for (field, of) in fields {
                for resource in resources.iter().map(Name::as_str) {
                    let Some(units) = of(quota, resource) else { continue };
                    let units = match Unit::of(resource) {
                        // Kubernetes rounds a fraction of what it counts up.
                        Unit::Milli if resource != "cpu" => units / 1000 + i64::from(units % 1000 > 0),
                        _ => units,
                    };
                    let is_parent = parents.contains(quota.name.as_str()).to_string();
                    let labels = [
                        ("name", quota.name.as_str()),
                        ("resource", resource),
                        ("tree", ""),
                        ("is_parent", &is_parent),
                        ("parent", parent(quota)),
                        ("field", *field),
                    ];
                    samples.push(Sample::new(&labels, units));
                }
            }
        }
        text.family(name, Kind::Gauge, help, samples);
    }
}

/// The fair share of a quota at the end, if the run collected its history.
fn fair_share(run: &Run, quota: &str, resource: &str) -> Option<i64> {
    let history = run.history.as_deref()?;
    let number = |place: Option<usize>| place.and_then(|place| u32::try_from(place).ok());
    let quota = number(history.quotas.iter().position(|other| other.name == quota))?;
    let resource = number(history.resources.iter().position(|other| other.as_str() == resource))?;
    history.quota_lines.iter().find(|row| (row.quota, row.resource) == (quota, resource))?.share.now()
}

/// The metrics of Kueue: a leaf is a cluster queue, and its parent is the cohort. There is only one flavor.
fn kueue(leaves: &[&QuotaRow], resources: &[Name], text: &mut Text) {
    type Units = fn(&QuotaRow, &str) -> Option<i64>;
    let families: [(&str, &str, Units); 4] = [
        ("kueue_cluster_queue_nominal_quota", "The guarantee (min) of a leaf.", |quota, resource| {
            quota.min.0.get(resource)
        }),
        (
            "kueue_cluster_queue_borrowing_limit",
            "How far a leaf may go beyond its guarantee: max less min. Absent without a limit.",
            |quota, resource| {
                let min = quota.min.0.get(resource).unwrap_or(0);
                quota.max.0.get(resource).map(|max| max.saturating_sub(min))
            },
        ),
        ("kueue_cluster_queue_resource_usage", "What the pods of a leaf use.", |quota, resource| {
            Some(quota.used.0.get(resource).unwrap_or(0))
        }),
        (
            "kueue_cluster_queue_resource_reservation",
            "What the pods of a leaf use, and what is reserved for workloads that wait for their victims to leave.",
            |quota, resource| {
                let of = |map: &QuantityMap| map.0.get(resource).unwrap_or(0);
                Some(of(&quota.used).saturating_add(of(&quota.held)))
            },
        ),
    ];
    for (name, help, of) in families {
        let mut samples = Vec::new();
        for quota in leaves {
            for resource in resources.iter().map(Name::as_str) {
                let Some(units) = of(quota, resource) else { continue };
                let labels = [
                    ("cohort", parent(quota)),
                    ("cluster_queue", quota.name.as_str()),
                    ("flavor", "default"),
                    ("resource", resource),
                ];
                samples.push(Sample::new(&labels, amount(resource, units)));
            }
        }
        text.family(name, Kind::Gauge, help, samples);
    }
}
