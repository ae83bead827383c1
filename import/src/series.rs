//! Helios demand series: for each minute, how many GPUs the jobs of one virtual cluster used and requested. The series
//! contains no jobs, so jobs are derived from it: when demand rises by n GPUs, n jobs of one GPU start, and when it
//! falls, the jobs that started last end. The demand of each minute is exactly that of the file.

use super::{MAX_MS, RowProblem, Templates, TraceOptions, TraceRows, joblist::moment, namespace_of, table};
use jiff::civil::DateTime;
use quotree_core::{Amounts, PodTemplate, Time};
use std::sync::Arc;

/// The largest number of GPUs in a cell; more are an error of its row.
const MOST_GPUS: i64 = 1_000_000;

/// The duration of the last row of a series.
const STEP_MS: u64 = 60_000;

/// The default namespace of all jobs.
const NAMESPACE: &str = "helios";

/// Reads the whole series; good rows are used even if others are bad.
pub(super) fn rows(bytes: &[u8], options: &TraceOptions) -> TraceRows {
    let mut series: Vec<(DateTime, u64, i64)> = Vec::new();
    let required = ["time", "running_gpu_num", "pending_gpu_num"];
    let mut problems = table::each_row(bytes, options.max_rows, &required, |row| {
        let at = moment(row.cell("time"))?;
        let demand = row.count("running_gpu_num")?.saturating_add(row.count("pending_gpu_num")?);
        if demand > MOST_GPUS {
            return Err(format!("{demand} GPUs; expected at most {MOST_GPUS}"));
        }
        if series.last().is_some_and(|(last, ..)| at <= *last) {
            return Err(format!("`{at}` is not later than the row before"));
        }
        let first = series.first().map_or(at, |(first, ..)| *first);
        let ms = u64::try_from(at.duration_since(first).as_millis()).ok().filter(|ms| *ms <= MAX_MS);
        series.push((at, ms.ok_or_else(|| format!("`{at}` is too far from the first, {first}"))?, demand));
        Ok(())
    });
    let namespace = match namespace_of(options, NAMESPACE) {
        Ok(namespace) => namespace,
        Err(what) => {
            problems.push(RowProblem { line: 0, what });
            return TraceRows { problems, ..TraceRows::default() };
        }
    };
    let request = Amounts::new().with(options.resource.clone(), 1000);
    let template = Templates::default().share(PodTemplate { request, ..PodTemplate::default() });
    let mut rows = Vec::new();
    let job = |begun: u64, end: u64, number: usize| {
        let (name, runtime_ms) = (format!("{namespace}-{number}"), end.saturating_sub(begun));
        options.row(name, Time(begun), runtime_ms, namespace.clone(), Arc::clone(&template))
    };
    let mut running: Vec<u64> = Vec::new();
    let end = series.last().map_or(0, |(_, ms, _)| ms.saturating_add(STEP_MS));
    for (ms, demand) in series.iter().map(|(_, ms, demand)| (*ms, *demand)).chain([(end, 0)]) {
        let demand = usize::try_from(demand).unwrap_or(0);
        running.resize_with(running.len().max(demand), || ms);
        if rows.len().saturating_add(running.len()) > options.max_rows {
            problems.push(RowProblem { line: 0, what: format!("at most {} jobs are supported", options.max_rows) });
            break;
        }
        while running.len() > demand
            && let Some(begun) = running.pop()
        {
            rows.push(job(begun, ms, rows.len() + 1));
        }
    }
    let start = series.first().map(|(first, ..)| *first);
    TraceRows { rows, problems, start, ..TraceRows::default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{TraceFormat, rows as read};

    #[test]
    fn demand_is_the_files_at_every_minute() {
        let text = "time,running_gpu_num,pending_gpu_num,idle\n\
                    2020-05-01 00:00:00,1,1,0\n\
                    2020-05-01 00:01:00,3,0,0\n\
                    2020-05-01 00:02:00,x,0,0\n\
                    2020-05-01 00:03:00,1,0,0\n\
                    2020-05-01 00:03:00,1,0,0\n\
                    2020-05-01 00:04:00,9999999,0,0\n\
                    2020-05-01 00:05:00,0,2,0\n";
        let options = TraceOptions { namespace: Some("vc".into()), ..TraceOptions::default() };
        let read = read(TraceFormat::HeliosDemand, text.as_bytes(), &options);
        assert_eq!(read.problems.iter().map(|p| p.line).collect::<Vec<_>>(), [4, 6, 7]);
        let at = |minute: u64| {
            let ms = minute * 60_000;
            read.rows.iter().filter(|r| r.submit.0 <= ms && ms < r.submit.0 + r.runtime_ms).count()
        };
        assert_eq!([0, 1, 2, 3, 4, 5, 6].map(at), [2, 3, 3, 1, 1, 2, 0]);
        assert!(read.rows.iter().all(|row| row.namespace.as_str() == "vc" && row.runtime_ms > 0));
    }
}
