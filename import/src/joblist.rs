//! Job lists: one job a row, with submission, run time and GPUs. Philly, Helios, Acme and Muri have different names of
//! columns and different notations of time, which a table in this file lists. Timestamps are read by the civil calendar
//! and converted to the time since the first one. A job becomes a gang with one pod for each node that it ran on, if
//! the list has the number of nodes and its GPUs divide evenly. Otherwise it becomes one pod that requests everything.

use super::{
    MAX_MS, RowProblem, Templates, TraceOptions, TraceRows, Users, namespace_of, seconds_to_ms, table, table::Row,
};
use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use quotree_core::{Amounts, PodTemplate, Time};
use quotree_model::{Limits, TraceRow};

/// The most nodes of a job; more are an error of its row.
const MOST_NODES: i64 = 1_000_000;

/// The notation of time in a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Clock {
    /// Submissions are timestamps, run times are decimal seconds.
    Calendar,
    /// Submissions and run times are whole milliseconds since the start.
    Millis,
}

/// The names of the columns of a list.
#[derive(Debug)]
pub(super) struct List {
    clock: Clock,
    /// The column with the name of the job; `None`: the number of its row is its name.
    name: Option<&'static str>,
    submit: &'static str,
    gpus: &'static str,
    /// The column that is used instead of the GPUs if the resource is `cpu`.
    cpus: Option<&'static str>,
    nodes: Option<&'static str>,
    priority: Option<&'static str>,
    /// The column with the owner of the job, who becomes its namespace. An error has the namespace of all jobs.
    whose: Result<&'static str, &'static str>,
}

pub(super) const PHILLY: List = List {
    clock: Clock::Calendar,
    name: None,
    submit: "timestamp",
    gpus: "num_gpus",
    cpus: None,
    nodes: None,
    priority: None,
    whose: Ok("cluster"),
};

pub(super) const HELIOS: List = List {
    clock: Clock::Calendar,
    name: Some("job_id"),
    submit: "submit_time",
    gpus: "gpu_num",
    cpus: Some("cpu_num"),
    nodes: Some("node_num"),
    priority: None,
    whose: Ok("vc"),
};

pub(super) const ACME: List = List { whose: Ok("type"), ..HELIOS };

pub(super) const MURI: List = List {
    clock: Clock::Millis,
    name: Some("job_id"),
    submit: "submit_time",
    gpus: "num_gpu",
    cpus: None,
    nodes: None,
    priority: Some("priority"),
    whose: Err("muri"),
};

impl List {
    /// The column of the requested amount.
    fn asked(&self, options: &TraceOptions) -> &'static str {
        self.cpus.filter(|_| options.resource.as_str() == "cpu").unwrap_or(self.gpus)
    }

    /// The column of the owner of a job.
    fn whose<'a>(&self, options: &'a TraceOptions) -> Option<&'a str> {
        match &options.namespace {
            Some(_) => None,
            None => options.namespace_by.as_deref().or(self.whose.ok()),
        }
    }

    /// When a job was submitted: a timestamp, or milliseconds since the start.
    fn submitted(&self, row: &Row<'_>) -> Result<(DateTime, u64), String> {
        match self.clock {
            Clock::Calendar => Ok((moment(row.cell(self.submit))?, 0)),
            Clock::Millis => Ok((DateTime::ZERO, millis(row, self.submit)?)),
        }
    }

    fn runtime_ms(&self, row: &Row<'_>) -> Result<u64, String> {
        let text = row.cell("duration");
        match self.clock {
            Clock::Millis => millis(row, "duration"),
            Clock::Calendar => {
                seconds_to_ms(text).ok_or_else(|| format!("`{text}` is not a duration; expected seconds, 0 or more"))
            }
        }
    }
}

/// Reads the whole file; good rows are returned even if others are bad.
pub(super) fn rows(list: &List, bytes: &[u8], options: &TraceOptions) -> TraceRows {
    let asked = list.asked(options);
    let whose = list.whose(options);
    let required = [Some(list.submit), Some("duration"), Some(asked), list.name, list.nodes, list.priority, whose];
    let required: Vec<&str> = required.into_iter().flatten().collect();
    let (mut templates, mut users) = (Templates::default(), Users::default());
    let mut dated: Vec<(DateTime, TraceRow)> = Vec::new();
    let mut problems = table::each_row(bytes, options.max_rows, &required, |row| {
        let (moment, ms) = list.submitted(row)?;
        let runtime_ms = list.runtime_ms(row)?;
        let total = row.count(asked)?;
        if total == 0 {
            return Err(format!("the job requests nothing: `{asked}` is 0"));
        }
        let (pods, each) = spread(total, list.nodes.map_or(Ok(1), |column| row.count(column))?)?;
        let amount = each.checked_mul(1000).ok_or_else(|| format!("{total} of `{asked}` is too large"))?;
        let request = Amounts::new().with(options.resource.clone(), amount);
        let template = templates.share(PodTemplate { request, ..PodTemplate::default() });
        let namespace = match (whose, list.whose) {
            (Some(column), _) => namespace_of(options, row.cell(column))?,
            (None, own) => namespace_of(options, own.err().unwrap_or_default())?,
        };
        let name = list.name.map_or_else(|| row.number.to_string(), |column| row.cell(column).to_owned());
        let priority = list.priority.map(|column| priority(row, column)).transpose()?;
        let (name, submit, user) = (name.into(), Time(ms), users.share(options, row.cell("user")));
        let limits = Limits::default();
        dated.push((
            moment,
            TraceRow { name, submit, runtime_ms, namespace, user, priority, pods, template, limits, details: None },
        ));
        Ok(())
    });
    let start = dated.iter().map(|(moment, _)| *moment).min().filter(|_| list.clock == Clock::Calendar);
    let rows = since_the_first(dated, &mut problems);
    TraceRows { rows, problems, start, ..TraceRows::default() }
}

/// How many pods a job has, and what each requests.
fn spread(total: i64, nodes: i64) -> Result<(u32, i64), String> {
    match u32::try_from(nodes) {
        Ok(pods) if pods > 1 && nodes <= MOST_NODES && total % nodes == 0 => Ok((pods, total / nodes)),
        _ if nodes > MOST_NODES => Err(format!("{nodes} nodes; expected at most {MOST_NODES}")),
        _ => Ok((1, total)),
    }
}

/// A timestamp; an offset from UTC is applied.
pub(super) fn moment(text: &str) -> Result<DateTime, String> {
    let offset = text.get(10..).is_some_and(|time| time.contains(['+', '-', 'Z', 'z']));
    let moment = match offset {
        true => text.parse::<Timestamp>().ok().map(|stamp| stamp.to_zoned(TimeZone::UTC).datetime()),
        false => text.parse().ok(),
    };
    moment.ok_or_else(|| format!("`{text}` is not a timestamp; expected one like `2017-10-09 07:01:55`"))
}

fn millis(row: &Row<'_>, column: &str) -> Result<u64, String> {
    let ms = u64::try_from(row.count(column)?).unwrap_or(u64::MAX);
    if ms <= MAX_MS { Ok(ms) } else { Err(format!("{ms} ms in `{column}` are too many")) }
}

fn priority(row: &Row<'_>, column: &str) -> Result<i32, String> {
    let text = row.cell(column);
    text.parse().map_err(|_| format!("`{text}` is not a priority; expected a whole number"))
}

/// Converts timestamps to milliseconds since the earliest of them.
pub(super) fn since_the_first(dated: Vec<(DateTime, TraceRow)>, problems: &mut Vec<RowProblem>) -> Vec<TraceRow> {
    let Some(first) = dated.iter().map(|(stamp, _)| *stamp).min() else { return Vec::new() };
    let after_first = |(stamp, mut row): (DateTime, TraceRow)| {
        let ms = u64::try_from(stamp.duration_since(first).as_millis()).ok().filter(|ms| *ms <= MAX_MS);
        row.submit = Time(row.submit.0.saturating_add(ms?));
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
    use crate::{TraceFormat, rows as read};

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
        assert_eq!(read.rows[0].template.request.to_string(), "8 nvidia.com/gpu");
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
    fn jobs_over_nodes_are_gangs_where_they_divide_evenly() {
        let text = "job_id,user,vc,gpu_num,cpu_num,node_num,state,submit_time,duration\n\
                    a,u,v,16,96,2,DONE,2020-06-09 18:41:01,10\n\
                    b,u,v,9,8,2,DONE,2020-06-09 18:41:02,10\n\
                    c,u,v,0,8,1,DONE,2020-06-09 18:41:03,10\n\
                    d,u,v,8,8,9999999,DONE,2020-06-09 18:41:03,10\n\
                    e,u,v,8.0,8,0,DONE,2020-06-09 18:41:04,10\n";
        let read_as = |resource: &str| {
            let options = TraceOptions { resource: resource.into(), ..TraceOptions::default() };
            read(TraceFormat::Helios, text.as_bytes(), &options)
        };
        let seen = |rows: &TraceRows| -> Vec<_> {
            rows.rows.iter().map(|r| (r.name.to_string(), r.pods, r.template.request.to_string())).collect()
        };
        let gpus = read_as("nvidia.com/gpu");
        let wanted = [("a", 2, "8 nvidia.com/gpu"), ("b", 1, "9 nvidia.com/gpu"), ("e", 1, "8 nvidia.com/gpu")];
        assert_eq!(seen(&gpus), wanted.map(|(name, pods, asked)| (name.to_owned(), pods, asked.to_owned())));
        assert_eq!(gpus.problems.iter().map(|p| p.line).collect::<Vec<_>>(), [4, 5]);
        assert_eq!(gpus.start.unwrap().to_string(), "2020-06-09T18:41:01");
        assert_eq!(seen(&read_as("cpu"))[2], ("c".to_owned(), 1, "8 cpu".to_owned()));
    }

    #[test]
    fn offsets_are_counted_in_and_milliseconds_are_the_files_own() {
        let text = "job_id,user,node_num,gpu_num,cpu_num,type,state,submit_time,duration\n\
                    a,u,1,8,1,Eval,DONE,2023-05-17 11:00:00+00:00,10\n\
                    b,u,1,8,1,Eval,DONE,2023-05-17 20:00:00+08:00,10.5\n";
        let acme = read(TraceFormat::Acme, text.as_bytes(), &TraceOptions::default());
        let seen: Vec<_> = acme.rows.iter().map(|r| (r.submit.0, r.runtime_ms, r.namespace.as_str())).collect();
        assert_eq!(seen, [(0, 10_000, "Eval"), (3_600_000, 10_500, "Eval")]);
        let text = "job_id,num_gpu,submit_time,duration,priority\n7,8,46122,2868,1\n8,8,1,2,high\n9,8,-1,2,0\n";
        let muri = read(TraceFormat::Muri, text.as_bytes(), &TraceOptions::default());
        let seen: Vec<_> = muri
            .rows
            .iter()
            .map(|r| (&*r.name, r.submit.0, r.runtime_ms, r.priority.unwrap(), r.namespace.as_str()))
            .collect();
        assert_eq!(seen, [("7", 46_122, 2868, 1, "muri")]);
        assert_eq!((muri.problems.len(), muri.start), (2, None));
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
