//! The PAI tables of 2020: tasks become jobs, and machines become nodes. The files have no header line and may still be
//! in the tar archive in which they are distributed. Amounts are percent of a core and of a GPU, and GiB. A task
//! becomes a gang of its instances. It is submitted at its launch (the table has no submissions) and runs until its
//! end.

use super::{
    MAX_GPUS, NodeRow, NodeRows, RowProblem, Templates, TraceOptions, TraceRows, Users, WHOLE_GPU, namespace_of,
    openb::MODEL_LABEL,
    table::{self, Row},
};
use quotree_core::{Amounts, DeviceAsk, PodTemplate, Time, Unit, parse_quantity};
use quotree_model::TraceRow;
use std::collections::BTreeSet;

const TASKS: [&str; 10] = [
    "job_name",
    "task_name",
    "inst_num",
    "status",
    "start_time",
    "end_time",
    "plan_cpu",
    "plan_mem",
    "plan_gpu",
    "gpu_type",
];

const MACHINES: [&str; 5] = ["machine", "gpu_type", "cap_cpu", "cap_mem", "cap_gpu"];

/// The most instances of a task.
const MOST_INSTANCES: i64 = 1_000_000;

/// Reads a task table; good rows are returned even if others are bad.
pub(super) fn rows(bytes: &[u8], options: &TraceOptions) -> TraceRows {
    let (mut templates, mut users) = (Templates::default(), Users::default());
    let mut rows = Vec::new();
    let problems = table(&TASKS, bytes, options, |row| {
        let (start, end) = (row.seconds("start_time")?, row.cell("end_time"));
        if end.is_empty() {
            return Err(format!("the task has not ended; its status is `{}`", row.cell("status")));
        }
        let end = row.seconds("end_time")?;
        let runtime_ms =
            end.checked_sub(start).ok_or_else(|| format!("the task ended {} ms before it started", start - end))?;
        let pods = row.count("inst_num")?;
        let pods = u32::try_from(pods).ok().filter(|pods| *pods > 0 && i64::from(*pods) <= MOST_INSTANCES);
        let pods = pods.ok_or_else(|| format!("{} instances; expected 1 to {MOST_INSTANCES}", row.cell("inst_num")))?;
        let template = templates.share(template(row, options)?);
        let by = options.namespace_by.as_deref().unwrap_or(if row.has("user") { "user" } else { "gpu_type" });
        let whose = match row.cell(by) {
            // Tasks without GPUs have no type.
            "" if by == "gpu_type" => "cpu".to_owned(),
            text => text.to_ascii_lowercase(),
        };
        let namespace = namespace_of(options, &whose)?;
        let name = format!("{}-{}", row.cell("job_name"), row.cell("task_name"));
        let user = users.share(options, row.cell("user"));
        rows.push(TraceRow { user, pods, ..options.row(name, Time(start), runtime_ms, namespace, template) });
        Ok(())
    });
    TraceRows { rows, problems, ..TraceRows::default() }
}

/// Reads the rows below the header of the file. If the file has no header, `header` has the names of the columns.
fn table(
    header: &[&str],
    bytes: &[u8],
    options: &TraceOptions,
    read: impl FnMut(&Row<'_>) -> Result<(), String>,
) -> Vec<RowProblem> {
    let bytes = out_of_tar(bytes);
    let first = header.first().map_or(&b""[..], |column| column.as_bytes());
    let named = bytes.split(|byte| *byte == b'\n').next().is_some_and(|line| line.starts_with(first));
    if named {
        table::each_row(bytes, options.max_rows, header, read)
    } else {
        table::each_row_under(header, bytes, options.max_rows, read)
    }
}

/// The first file of a tar archive, even if the archive is truncated; other bytes unchanged.
fn out_of_tar(bytes: &[u8]) -> &[u8] {
    let size = bytes.get(124..136).filter(|_| bytes.get(257..262) == Some(b"ustar"));
    let size = size.and_then(|octal| std::str::from_utf8(octal).ok());
    let size = size.and_then(|octal| usize::from_str_radix(octal.trim_matches([' ', '\0']), 8).ok());
    match (size, bytes.get(512..)) {
        (Some(size), Some(rest)) => rest.get(..size).unwrap_or(rest),
        _ => bytes,
    }
}

/// A percentage in thousandths: `50.0` is 500.
fn percent(row: &Row<'_>, column: &str) -> Result<i64, String> {
    let text = row.cell(column);
    if text.is_empty() {
        return Ok(0);
    }
    let exact = parse_quantity(text, Unit::Milli).ok().filter(|amount| *amount >= 0 && amount % 100 == 0);
    exact.map(|amount| amount / 100).ok_or_else(|| {
        format!("`{text}` in `{column}` is not a percentage; expected 0 or more, with at most one decimal")
    })
}

fn gibibytes(row: &Row<'_>, column: &str) -> Result<i64, String> {
    let text = row.cell(column);
    let bytes = parse_quantity(&format!("{}Gi", if text.is_empty() { "0" } else { text }), Unit::Bytes);
    bytes
        .ok()
        .filter(|bytes| *bytes >= 0)
        .ok_or_else(|| format!("`{text}` in `{column}` is not an amount in GiB that gives whole bytes"))
}

/// The amounts of a task or machine, without those that are 0.
fn amounts(cpu: i64, memory: i64) -> Amounts {
    [("cpu", cpu), ("memory", memory)].into_iter().filter(|(_, amount)| *amount > 0).collect()
}

fn template(row: &Row<'_>, options: &TraceOptions) -> Result<PodTemplate, String> {
    let mut template = PodTemplate {
        request: amounts(percent(row, "plan_cpu")?, gibibytes(row, "plan_mem")?),
        ..PodTemplate::default()
    };
    let gpu = percent(row, "plan_gpu")?;
    if gpu > 0 {
        if gpu > i64::from(MAX_GPUS) * WHOLE_GPU || (gpu > WHOLE_GPU && gpu % WHOLE_GPU != 0) {
            return Err(format!(
                "`{}` percent of a GPU; expected a part of one GPU, or whole GPUs up to {MAX_GPUS}",
                row.cell("plan_gpu")
            ));
        }
        let count = u32::try_from((gpu / WHOLE_GPU).max(1)).unwrap_or(1);
        template.devices = Some(DeviceAsk { resource: options.resource.clone(), count, each: gpu.min(WHOLE_GPU) });
        template.request.set(options.resource.clone(), gpu);
        let model = row.cell("gpu_type");
        if !model.is_empty() {
            template.selector.push((MODEL_LABEL.into(), vec![model.into()]));
        }
    }
    if template.request.is_empty() {
        return Err("the task requests nothing".to_owned());
    }
    Ok(template)
}

/// Reads a machine table; good rows are returned even if others are bad.
pub(super) fn nodes(bytes: &[u8], options: &TraceOptions) -> NodeRows {
    let mut seen = BTreeSet::new();
    let mut rows = Vec::new();
    let problems = table(&MACHINES, bytes, options, |row| {
        let name = row.cell("machine").to_owned();
        let cores = row.count("cap_cpu")?;
        let cpu = cores.checked_mul(1000).ok_or_else(|| format!("{cores} cores are too many"))?;
        let mut node = NodeRow { name, allocatable: amounts(cpu, gibibytes(row, "cap_mem")?), ..NodeRow::default() };
        node.add_gpus(&options.resource, row.gpus("cap_gpu")?);
        if !node.devices.is_empty() {
            node.labels.push((MODEL_LABEL.into(), row.cell("gpu_type").into()));
        }
        if node.name.is_empty() || !seen.insert(node.name.clone()) {
            return Err(format!("duplicate or missing machine name `{}`", node.name));
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

    #[test]
    fn tasks_are_gangs_in_percent_and_bad_ones_are_refused_by_line() {
        let text = "j1,worker,2.0,Terminated,100.0,160.5,600.0,29.296875,50.0,MISC\n\
                    j1,ps,1.0,Terminated,90,160,400,1,,\n\
                    j2,tf,1.0,Running,90,,400,1,,\n\
                    j3,tf,1.0,Failed,90,80,400,1,,\n\
                    j4,tf,0.0,Failed,90,91,400,1,,\n\
                    j5,tf,1.0,Failed,90,91,400,1,150,T4\n\
                    j6,tf,1.0,Failed,90,91,33.333,1,100,T4\n\
                    j7,tf,1.0,Failed,90,91,,,0,\n\
                    j8,tf,1.0,Failed,90,91,100,1\n\
                    j9,tf,1.0,Failed,90,91,100,1,200.0,V100\n";
        for head in [String::new(), format!("{}\n", TASKS.join(","))] {
            let read = read_rows(TraceFormat::Pai, format!("{head}{text}").as_bytes(), &TraceOptions::default());
            let seen: Vec<_> =
                read.rows.iter().map(|r| (&*r.name, r.submit.0, r.runtime_ms, r.pods, r.namespace.as_str())).collect();
            assert_eq!(
                seen,
                [
                    ("j1-ps", 90_000, 70_000, 1, "cpu"),
                    ("j9-tf", 90_000, 1000, 1, "v100"),
                    ("j1-worker", 100_000, 60_500, 2, "misc")
                ]
            );
            let worker = &read.rows[2].template;
            assert_eq!(worker.request.to_string(), "6 cpu, 30000Mi memory, 500m nvidia.com/gpu");
            assert_eq!(worker.selector, [(MODEL_LABEL.into(), vec!["MISC".into()])]);
            assert_eq!(read.rows[1].template.devices.as_ref().map(|d| (d.count, d.each)), Some((2, 1000)));
            let first = u64::from(!head.is_empty());
            let lines: Vec<_> = read.problems.iter().map(|p| p.line - first).collect();
            assert_eq!(lines, [3, 4, 5, 6, 7, 8, 9], "{:?}", read.problems);
        }
    }

    #[test]
    fn a_users_column_is_the_namespace_where_there_is_one() {
        let text = format!("{},user\nj,t,1,Terminated,1,2,100,1,100,T4,Ada\n", TASKS.join(","));
        let read = read_rows(TraceFormat::Pai, text.as_bytes(), &TraceOptions::default());
        assert_eq!(read.rows[0].namespace.as_str(), "ada");
    }

    #[test]
    fn machines_are_read_out_of_a_tar_even_a_cut_one() {
        let text = "m1,P100,64,512,2\nm2,CPU,96,512,0\nm1,T4,96,512,2\nm3,T4,x,512,2\n";
        let mut tar = vec![0u8; 512];
        tar[124..135].copy_from_slice(format!("{:011o}", text.len()).as_bytes());
        tar[257..262].copy_from_slice(b"ustar");
        tar.extend(text.as_bytes());
        let cut = [&tar[..], &[0; 512]].concat();
        for bytes in [text.as_bytes(), &tar, &cut] {
            let read = read_nodes(TraceFormat::Pai, bytes, &TraceOptions::default());
            assert_eq!(read.rows.len(), 2);
            assert_eq!(read.rows[0].allocatable.to_string(), "64 cpu, 512Gi memory, 2 nvidia.com/gpu");
            assert_eq!(read.problems.iter().map(|p| p.line).collect::<Vec<_>>(), [3, 4]);
        }
    }
}
