//! Series in the data of the page: moments as differences, or the width of the buckets.

use crate::model::{Cluster, DeviceLoad, QuotaSeries, Series};
use serde::Serialize;

#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum SeriesOut {
    Steps { t: Vec<u64>, v: Vec<i64> },
    Buckets { w: u64, v: Vec<i64>, lo: Vec<i64>, hi: Vec<i64>, end: i64 },
}

impl SeriesOut {
    fn of(series: &Series) -> Self {
        match series {
            Series::Steps { at_ms, value } => {
                Self::Steps { t: super::columns::differences(at_ms.iter().copied()), v: value.clone() }
            }
            Series::Buckets { bucket_ms, min, max, mean, .. } => {
                Self::Buckets { w: *bucket_ms, v: mean.clone(), lo: min.clone(), hi: max.clone(), end: series.last() }
            }
        }
    }
}

#[derive(Serialize)]
pub(super) struct QuotaSeriesOut {
    quota: u32,
    resource: u32,
    min: SeriesOut,
    max: SeriesOut,
    used: SeriesOut,
    request: SeriesOut,
    borrowed: SeriesOut,
    lent: SeriesOut,
    held: SeriesOut,
    missed: SeriesOut,
    share: SeriesOut,
    used_unit_s: u128,
    borrowed_unit_s: u128,
    lent_unit_s: u128,
    missed_unit_s: u128,
    starved_unit_s: u128,
}

impl QuotaSeriesOut {
    pub(super) fn of(row: &QuotaSeries) -> Self {
        Self {
            quota: row.quota,
            resource: row.resource,
            min: SeriesOut::of(&row.min),
            max: SeriesOut::of(&row.max),
            used: SeriesOut::of(&row.used),
            request: SeriesOut::of(&row.request),
            borrowed: SeriesOut::of(&row.borrowed),
            lent: SeriesOut::of(&row.lent),
            held: SeriesOut::of(&row.held),
            missed: SeriesOut::of(&row.missed),
            share: SeriesOut::of(&row.share),
            used_unit_s: row.used_unit_s,
            borrowed_unit_s: row.borrowed_unit_s,
            lent_unit_s: row.lent_unit_s,
            missed_unit_s: row.missed_unit_s,
            starved_unit_s: row.starved_unit_s,
        }
    }
}

#[derive(Serialize)]
struct FitOut {
    each: i64,
    pods: SeriesOut,
}

#[derive(Serialize)]
struct ResourceOut {
    resource: u32,
    capacity: SeriesOut,
    allocated: SeriesOut,
    most_free: SeriesOut,
    fits: Vec<FitOut>,
}

#[derive(Serialize)]
pub(super) struct ClusterOut {
    resources: Vec<ResourceOut>,
    nodes_ready: SeriesOut,
    nodes_total: SeriesOut,
    unhealthy_devices: SeriesOut,
    pods_waiting: SeriesOut,
    pods_running: SeriesOut,
    jobs_pending: SeriesOut,
    jobs_running: SeriesOut,
    jobs_succeeded: SeriesOut,
    jobs_failed: SeriesOut,
    price_milli_per_hour: SeriesOut,
    device_memory_total: SeriesOut,
    device_memory_allocated: SeriesOut,
    device_memory_used: SeriesOut,
    duty_permille: SeriesOut,
}

impl ClusterOut {
    pub(super) fn of(cluster: &Cluster) -> Self {
        let resource = |row: &crate::model::ResourceSeries| ResourceOut {
            resource: row.resource,
            capacity: SeriesOut::of(&row.capacity),
            allocated: SeriesOut::of(&row.allocated),
            most_free: SeriesOut::of(&row.most_free),
            fits: row.fits.iter().map(|fit| FitOut { each: fit.each, pods: SeriesOut::of(&fit.pods) }).collect(),
        };
        Self {
            resources: cluster.resources.iter().map(resource).collect(),
            nodes_ready: SeriesOut::of(&cluster.nodes_ready),
            nodes_total: SeriesOut::of(&cluster.nodes_total),
            unhealthy_devices: SeriesOut::of(&cluster.unhealthy_devices),
            pods_waiting: SeriesOut::of(&cluster.pods_waiting),
            pods_running: SeriesOut::of(&cluster.pods_running),
            jobs_pending: SeriesOut::of(&cluster.jobs_pending),
            jobs_running: SeriesOut::of(&cluster.jobs_running),
            jobs_succeeded: SeriesOut::of(&cluster.jobs_succeeded),
            jobs_failed: SeriesOut::of(&cluster.jobs_failed),
            price_milli_per_hour: SeriesOut::of(&cluster.price_milli_per_hour),
            device_memory_total: SeriesOut::of(&cluster.device_memory_total),
            device_memory_allocated: SeriesOut::of(&cluster.device_memory_allocated),
            device_memory_used: SeriesOut::of(&cluster.device_memory_used),
            duty_permille: SeriesOut::of(&cluster.duty_permille),
        }
    }
}

#[derive(Serialize)]
pub(super) struct LoadOut {
    node: u32,
    device: u32,
    duty_permille: SeriesOut,
    memory_used: SeriesOut,
}

impl LoadOut {
    pub(super) fn of(row: &DeviceLoad) -> Self {
        Self {
            node: row.node,
            device: row.device,
            duty_permille: SeriesOut::of(&row.duty_permille),
            memory_used: SeriesOut::of(&row.memory_used),
        }
    }
}
