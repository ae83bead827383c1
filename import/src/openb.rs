//! The openb pod and node lists. A pod requests cpu, memory, and the same share of each of some GPUs of one node. It
//! may name the GPU models that it accepts, which become a selector on the label `gpu-model`. Its runtime is the
//! recorded one: from its scheduling (or, if it never was scheduled, its creation) to its deletion.

use super::{
    MAX_GPUS, NodeRow, NodeRows, RowProblem, Templates, TraceOptions, TraceRows, WHOLE_GPU, namespace_of,
    table::{self, Row},
};
use quotree_core::{Amounts, DeviceAsk, Name, PodTemplate, Time};
use std::collections::BTreeMap;

/// The label of the GPU model of a node.
pub(super) const MODEL_LABEL: &str = "gpu-model";

/// Reads a pod list; good rows are returned even if others are bad.
pub(super) fn rows(bytes: &[u8], options: &TraceOptions) -> TraceRows {
    let mut required =
        vec!["name", "cpu_milli", "memory_mib", "num_gpu", "gpu_milli", "creation_time", "deletion_time"];
    let by = options.namespace_by.as_deref().unwrap_or("qos");
    if options.namespace.is_none() {
        required.push(by);
    }
    let mut templates = Templates::default();
    let mut rows = Vec::new();
    let problems = table::each_row(bytes, options.max_rows, &required, |row| {
        let (submit, runtime_ms) = times(row)?;
        let template = templates.share(template(row, options)?);
        let namespace = namespace_of(options, &row.cell(by).to_ascii_lowercase())?;
        rows.push(options.row(row.cell("name").to_owned(), submit, runtime_ms, namespace, template));
        Ok(())
    });
    TraceRows { rows, problems, ..TraceRows::default() }
}

/// When the pod was created, and how long it ran, milliseconds.
fn times(row: &Row<'_>) -> Result<(Time, u64), String> {
    let created = row.seconds("creation_time")?;
    let deleted = row.seconds("deletion_time")?;
    let started = if row.cell("scheduled_time").is_empty() { created } else { row.seconds("scheduled_time")? };
    match deleted.checked_sub(started) {
        Some(runtime_ms) => Ok((Time(created), runtime_ms)),
        None => Err(format!("deleted at {deleted} ms, before it started at {started} ms")),
    }
}

fn template(row: &Row<'_>, options: &TraceOptions) -> Result<PodTemplate, String> {
    let mut request = host_amounts(row)?;
    let (count, each) = (row.count("num_gpu")?, row.count("gpu_milli")?);
    let mut template = PodTemplate::default();
    if count > 0 {
        if count > i64::from(MAX_GPUS) || each > WHOLE_GPU || each == 0 {
            return Err(format!("{count} GPUs of {each} thousandths; expected at most {MAX_GPUS} of 1 to {WHOLE_GPU}"));
        }
        request.set(options.resource.clone(), count.saturating_mul(each));
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        template.devices = Some(DeviceAsk { resource: options.resource.clone(), count, each });
        let models: Vec<Name> = row.cell("gpu_spec").split('|').filter(|m| !m.is_empty()).map(Name::from).collect();
        if !models.is_empty() {
            template.selector.push((MODEL_LABEL.into(), models));
        }
    }
    template.request = request;
    Ok(template)
}

/// The cpu and memory of a pod or node, without amounts of 0.
fn host_amounts(row: &Row<'_>) -> Result<Amounts, String> {
    let cpu = row.count("cpu_milli")?;
    let mib = row.count("memory_mib")?;
    let memory = mib.checked_mul(1 << 20).ok_or_else(|| format!("{mib} MiB is too large"))?;
    Ok([("cpu", cpu), ("memory", memory)].into_iter().filter(|(_, amount)| *amount > 0).collect())
}

/// Reads a node list; good rows are returned even if others are bad.
pub(super) fn nodes(bytes: &[u8], options: &TraceOptions) -> NodeRows {
    let required = ["sn", "cpu_milli", "memory_mib", "gpu", "model"];
    let mut seen = BTreeMap::new();
    let mut rows = Vec::new();
    let problems: Vec<RowProblem> = table::each_row(bytes, options.max_rows, &required, |row| {
        let name = row.cell("sn").to_owned();
        let mut node = NodeRow { name, allocatable: host_amounts(row)?, ..NodeRow::default() };
        node.add_gpus(&options.resource, row.gpus("gpu")?);
        if !row.cell("model").is_empty() {
            node.labels.push((MODEL_LABEL.into(), row.cell("model").into()));
        }
        if let Some(first) = seen.insert(node.name.clone(), row.number) {
            return Err(format!("duplicate node `{}`, first in row {first}", node.name));
        }
        rows.push(node);
        Ok(())
    });
    NodeRows { rows, problems }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{TraceFormat, nodes as read_nodes, rows as read_rows};

    const HEADER: &str = "name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos,pod_phase,creation_time,deletion_time,scheduled_time\n";

    fn pods(rows: &str) -> TraceRows {
        read_rows(TraceFormat::Openb, format!("{HEADER}{rows}").as_bytes(), &TraceOptions::default())
    }

    #[test]
    fn a_pod_runs_from_its_scheduling_to_its_deletion() {
        let read = pods(
            "a,6000,12288,1,460,,LS,Running,100,200,150\n\
                         b,6000,12288,0,0,,BE,Pending,90,200,\n\
                         c,6000,0,8,1000,V100M16|V100M32,Burstable,Running,300,301,300\n",
        );
        let seen: Vec<_> =
            read.rows.iter().map(|r| (&*r.name, r.submit.0, r.runtime_ms, r.namespace.as_str())).collect();
        assert_eq!(
            seen,
            [("b", 90_000, 110_000, "be"), ("a", 100_000, 50_000, "ls"), ("c", 300_000, 1000, "burstable")]
        );
        let shared = &read.rows[1].template;
        assert_eq!(shared.request.to_string(), "6 cpu, 12Gi memory, 460m nvidia.com/gpu");
        assert_eq!(shared.devices, Some(DeviceAsk { resource: "nvidia.com/gpu".into(), count: 1, each: 460 }));
        assert_eq!(read.rows[0].template.devices, None);
        let picky = &read.rows[2].template;
        assert_eq!(picky.selector, [(MODEL_LABEL.into(), vec!["V100M16".into(), "V100M32".into()])]);
        assert_eq!(picky.request.get("nvidia.com/gpu"), Some(8000));
    }

    #[test]
    fn bad_pods_are_refused_by_line() {
        let read = pods(
            "a,6000,1,1,1001,,LS,Running,1,2,1\n\
                         b,6000,1,65,1000,,LS,Running,1,2,1\n\
                         c,-1,1,1,1000,,LS,Running,1,2,1\n\
                         d,1,9223372036854775807,1,1000,,LS,Running,1,2,1\n\
                         e,1,1,1,1000,,LS,Running,,2,1\n\
                         f,1,1,1,1000,,LS,Running,1,2,3\n\
                         g,1,1,1,1000,,,Running,1,2,1\n\
                         h,1,1,1,1000,,LS,Running,1,2,1\n",
        );
        assert_eq!(read.rows.len(), 1);
        assert_eq!(read.problems.iter().map(|p| p.line).collect::<Vec<_>>(), [2, 3, 4, 5, 6, 7, 8]);
    }

    #[test]
    fn a_list_without_times_is_refused_as_a_whole() {
        let read = read_rows(
            TraceFormat::Openb,
            b"name,cpu_milli,memory_mib,num_gpu,gpu_milli\na,1,1,1,1000\n",
            &TraceOptions::default(),
        );
        let whats: Vec<_> = read.problems.iter().map(|p| p.what.as_str()).collect();
        assert_eq!(whats, ["no column `creation_time`", "no column `deletion_time`", "no column `qos`"]);
    }

    #[test]
    fn nodes_have_devices_and_a_model() {
        let text = "sn,cpu_milli,memory_mib,gpu,model\n\
                    n0,64000,262144,2,P100\nn1,96000,1,0,\nn0,1,1,1,G2\nn2,1,1,65,G2\nn3,x,1,1,G2\n";
        let read = read_nodes(TraceFormat::Openb, text.as_bytes(), &TraceOptions::default());
        assert_eq!(read.rows.len(), 2);
        assert_eq!(read.rows[0].allocatable.to_string(), "64 cpu, 256Gi memory, 2 nvidia.com/gpu");
        assert_eq!(read.rows[0].devices[0].count, 2);
        assert_eq!(read.rows[0].labels, [(MODEL_LABEL.into(), "P100".into())]);
        assert!(read.rows[1].devices.is_empty() && read.rows[1].labels.is_empty());
        assert_eq!(read.problems.iter().map(|p| p.line).collect::<Vec<_>>(), [4, 5, 6]);
    }
}
