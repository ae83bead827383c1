//! The Philly job list: `timestamp,duration,num_gpus,gpu_time,cluster`, one job a row, in no order. Timestamps are local
//! and without a zone; they become time since the first one by the civil calendar, so an hour the clock skipped counts
//! as an hour. A job is one pod that asks all its GPUs: what it needs to stand in a pool.

use super::{MAX_MS, RowProblem, Templates, TraceOptions, TraceRows, namespace_of, seconds_to_ms, table};
use crate::model::TraceRow;
use jiff::civil::DateTime;
use quotree_core::{Amounts, PodTemplate, Time};

/// The column that says whose a job is.
const CLUSTER: &str = "cluster";

/// Reads the whole file; good rows come out even if others are bad.
pub(super) fn rows(bytes: &[u8], options: &TraceOptions) -> TraceRows {
    let mut required = vec!["timestamp", "duration", "num_gpus"];
    let by = options.namespace_by.as_deref().unwrap_or(CLUSTER);
    if options.namespace.is_none() {
        required.push(by);
    }
    let mut templates = Templates::default();
    let mut dated: Vec<(DateTime, TraceRow)> = Vec::new();
    let mut problems = table::each_row(bytes, options.max_rows, &required, |row| {
        let stamp = row.cell("timestamp");
        let stamp: DateTime = stamp
            .parse()
            .map_err(|_| format!("`{stamp}` is no timestamp: one like `2017-10-09 07:01:55` was expected"))?;
        let text = row.cell("duration");
        let runtime_ms = seconds_to_ms(text)
            .ok_or_else(|| format!("`{text}` is no duration: seconds from 0 upwards were expected"))?;
        let gpus = row.count("num_gpus")?;
        let amount = gpus.checked_mul(1000).ok_or_else(|| format!("{gpus} GPUs are too many"))?;
        let request = Amounts::new().with(options.resource.clone(), amount);
        let template = templates.share(PodTemplate { request, ..PodTemplate::default() });
        let namespace = namespace_of(options, row.cell(by))?;
        let name = row.number.to_string().into_boxed_str();
        let priority = options.priority;
        dated.push((stamp, TraceRow { name, submit: Time(0), runtime_ms, namespace, priority, pods: 1, template }));
        Ok(())
    });
    let rows = since_the_first(dated, &mut problems);
    TraceRows { rows, problems }
}

/// Turns timestamps into milliseconds since the earliest of them.
fn since_the_first(dated: Vec<(DateTime, TraceRow)>, problems: &mut Vec<RowProblem>) -> Vec<TraceRow> {
    let Some(first) = dated.iter().map(|(stamp, _)| *stamp).min() else { return Vec::new() };
    let after_first = |(stamp, mut row): (DateTime, TraceRow)| {
        let ms = u64::try_from(stamp.duration_since(first).as_millis()).ok().filter(|ms| *ms <= MAX_MS);
        row.submit = Time(ms?);
        Some(row)
    };
    let count = dated.len();
    let rows: Vec<_> = dated.into_iter().filter_map(after_first).collect();
    if rows.len() < count {
        let what = format!("{} timestamps are too far from the first, {first}", count - rows.len());
        problems.push(RowProblem { line: 0, what });
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::{TraceFormat, rows as read};

    #[test]
    fn times_count_from_the_earliest_and_rows_come_out_sorted_stably() {
        let text = "timestamp,duration,num_gpus,gpu_time,cluster\n\
                    2017-10-09 07:01:55,66.0,1,66.0,11cb48\n\
                    2017-10-09 06:13:03,2951.5,8,1,6214e9\n\
                    2017-10-09 07:01:55,7.0,2,14.0,6214e9\n";
        let read = read(TraceFormat::Philly, text.as_bytes(), &TraceOptions::default());
        let seen: Vec<_> =
            read.rows.iter().map(|r| (&*r.name, r.submit.0, r.runtime_ms, r.namespace.as_str())).collect();
        assert_eq!(
            seen,
            [("2", 0, 2_951_500, "6214e9"), ("1", 2_932_000, 66_000, "11cb48"), ("3", 2_932_000, 7000, "6214e9")]
        );
        assert_eq!(read.rows[0].template.request.to_string(), "nvidia.com/gpu 8");
        assert_eq!(read.problems, []);
    }

    #[test]
    fn bad_rows_are_refused_by_line_and_the_others_read() {
        let text = "timestamp,duration,num_gpus,gpu_time,cluster\n\
                    yesterday,66.0,1,66.0,a\n\
                    2017-10-09 06:13:03,-1,1,1,a\n\
                    2017-10-09 06:13:03,1,1.5,1,a\n\
                    2017-10-09 06:13:03,1,9223372036854775807,1,a\n\
                    2017-10-09 06:13:03,1,1,1,\n\
                    2017-02-30 06:13:03,1,1,1,a\n\
                    2017-10-09 06:13:03,1\n\
                    2017-10-09 06:13:03,1,1,1,a\n";
        let read = read(TraceFormat::Philly, text.as_bytes(), &TraceOptions::default());
        assert_eq!(read.rows.len(), 1);
        assert_eq!(read.problems.iter().map(|p| p.line).collect::<Vec<_>>(), [2, 3, 4, 5, 6, 7, 8]);
        assert!(read.problems[0].what.contains("`yesterday`"), "{:?}", read.problems);
    }

    #[test]
    fn without_its_columns_the_file_is_refused_once() {
        let read = read(TraceFormat::Philly, b"a,b\n1,2\n3,4\n", &TraceOptions::default());
        assert_eq!(read.problems.len(), 4);
        assert!(read.problems.iter().all(|p| p.line == 1) && read.rows.is_empty());
    }

    #[test]
    fn any_bytes_end_in_problems() {
        for bytes in
            [&b"\xff\xfe\x00"[..], b"", b"timestamp", b"timestamp,duration,num_gpus,cluster\n\"\"\"\n\xff,\xff,,"]
        {
            let read = read(TraceFormat::Philly, bytes, &TraceOptions::default());
            assert!(read.rows.is_empty() && !read.problems.is_empty(), "{bytes:?}: {read:?}");
        }
    }
}
