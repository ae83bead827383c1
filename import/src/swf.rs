//! The Standard Workload Format: 18 or more fields a line, `;` comments, -1 for unknown values. A job becomes one pod
//! that requests the processors that the job used (or those that it requested, if the used ones are unknown). Its
//! namespace is composed of its group and its user. Times are those of the file; if the log is in Unix time, they count
//! from its first submission, as the format requires.

use super::{RowProblem, Templates, TraceOptions, TraceRows, Users, namespace_of, seconds_to_ms};
use quotree_core::{Amounts, PodTemplate, Time};
use quotree_model::TraceRow;

/// How many fields the format has; further fields are ignored.
const FIELDS: usize = 18;

/// A log whose first submission is at this time (in 2001) or later is read as Unix time, milliseconds.
const UNIX_MS: u64 = 1_000_000_000_000;

/// Reads the whole file; good rows are returned even if others are bad.
pub(super) fn rows(bytes: &[u8], options: &TraceOptions) -> TraceRows {
    let mut out = TraceRows::default();
    if let Some(by) = options.namespace_by.as_deref().filter(|by| column(by).is_none()) {
        let what = format!("no column `{by}`: SWF has user, group, application, queue and partition");
        out.problems.push(RowProblem { line: 0, what });
        return out;
    }
    let (mut templates, mut users) = (Templates::default(), Users::default());
    for (line, text) in (1..).zip(bytes.split(|byte| *byte == b'\n')) {
        let Ok(text) = std::str::from_utf8(text) else {
            out.problems.push(RowProblem { line, what: "the line is not valid UTF-8".to_owned() });
            continue;
        };
        let text = text.trim();
        if text.is_empty() || text.starts_with(';') {
            continue;
        }
        if out.rows.len() >= options.max_rows {
            out.problems.push(RowProblem { line, what: format!("at most {} rows are supported", options.max_rows) });
            break;
        }
        match row(text, options, &mut templates, &mut users) {
            Ok(row) => out.rows.push(row),
            Err(what) => out.problems.push(RowProblem { line, what }),
        }
    }
    from_unix_time(&mut out.rows);
    out
}

/// The index of the field that names the owner of a job.
fn column(name: &str) -> Option<usize> {
    Some(match name {
        "user" => 11,
        "group" => 12,
        "application" => 13,
        "queue" => 14,
        "partition" => 15,
        _ => return None,
    })
}

fn row(text: &str, options: &TraceOptions, templates: &mut Templates, users: &mut Users) -> Result<TraceRow, String> {
    let fields: Vec<&str> = text.split_ascii_whitespace().take(FIELDS).collect();
    if fields.len() < FIELDS {
        return Err(format!("{} fields, but a job has {FIELDS}", fields.len()));
    }
    let field = |place: usize| fields.get(place).copied().unwrap_or_default();
    let time = |place: usize, what: &str| {
        let text = field(place);
        seconds_to_ms(text).ok_or_else(|| match text {
            "-1" => format!("the {what} is unknown"),
            _ => format!("`{text}` is not a {what}; expected seconds, 0 or more"),
        })
    };
    let submit = Time(time(1, "submit time")?);
    let runtime_ms = time(3, "run time")?;
    let procs = [4, 7].into_iter().filter_map(|place| field(place).parse::<i64>().ok()).find(|procs| *procs > 0);
    let procs =
        procs.ok_or_else(|| format!("no number of processors: used `{}`, requested `{}`", field(4), field(7)))?;
    let amount = procs.checked_mul(1000).ok_or_else(|| format!("{procs} processors are too many"))?;
    let request = Amounts::new().with(options.resource.clone(), amount);
    let template = templates.share(PodTemplate { request, ..PodTemplate::default() });
    let whose = match options.namespace_by.as_deref() {
        Some(by) => field(column(by).unwrap_or(FIELDS)).to_owned(),
        None => format!("g{}-u{}", known(field(12)), known(field(11))),
    };
    let namespace = namespace_of(options, &whose)?;
    let user = match field(11) {
        unknown if unknown.starts_with('-') => options.user.clone(),
        number => users.share(options, &format!("u{number}")),
    };
    Ok(TraceRow { user, ..options.row(field(0).to_owned(), submit, runtime_ms, namespace, template) })
}

/// The text of a field. For -1 it is `x`, so that a namespace does not look like a command-line option.
fn known(text: &str) -> &str {
    if text.starts_with('-') { "x" } else { text }
}

/// Converts Unix times to times since the first submission; other times are unchanged.
fn from_unix_time(rows: &mut [TraceRow]) {
    let first = rows.iter().map(|row| row.submit.0).min().unwrap_or_default();
    if first >= UNIX_MS {
        for row in rows {
            row.submit = Time(row.submit.since(Time(first)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{TraceFormat, rows as read};

    fn options() -> TraceOptions {
        TraceOptions { resource: "cpu".into(), ..TraceOptions::default() }
    }

    #[test]
    fn jobs_are_read_and_bad_ones_refused_by_line() {
        let text = "; Version: 2.2\n\
            1 10 -1 1451 128 -1 -1 -1 -1 -1 -1 7 3 -1 -1 -1 -1 -1\n\
            \n\
            2 5 -1 10.5 -1 -1 -1 4 -1 -1 -1 7 -1 -1 2 -1 -1 -1 extra fields here\r\n\
            3 -1 -1 10 1 -1 -1 4 -1 -1 -1 7 1 -1 2 -1 -1 -1\n\
            4 5 -1 -2 1 -1 -1 4 -1 -1 -1 7 1 -1 2 -1 -1 -1\n\
            5 5 -1 -1 1 -1 -1 4 -1 -1 -1 7 1 -1 2 -1 -1 -1\n\
            6 5 -1 1 0 -1 -1 -1 -1 -1 -1 7 1 -1 2 -1 -1 -1\n\
            7 5 -1 1 9223372036854775807 -1 -1 -1 -1 -1 -1 7 1 -1 2 -1 -1 -1\n\
            8 5 -1 1\n";
        let read = read(TraceFormat::Swf, text.as_bytes(), &options());
        let seen: Vec<_> = read
            .rows
            .iter()
            .map(|r| (&*r.name, r.submit.0, r.runtime_ms, r.namespace.as_str(), r.template.request.to_string()))
            .collect();
        assert_eq!(
            seen,
            [("2", 5000, 10_500, "gx-u7", "4 cpu".to_owned()), ("1", 10_000, 1_451_000, "g3-u7", "128 cpu".to_owned())]
        );
        assert_eq!(read.problems.iter().map(|p| p.line).collect::<Vec<_>>(), [5, 6, 7, 8, 9, 10]);
        assert_eq!(read.problems[0].what, "the submit time is unknown");
    }

    #[test]
    fn a_log_in_unix_time_counts_from_its_first_job() {
        let text = "1 1356996695 0 1 1 -1 -1 1 -1 -1 1 1 1 -1 -1 -1 -1 -1\n\
                    0 1356996147 0 1 1 -1 -1 1 -1 -1 1 1 1 -1 -1 -1 -1 -1\n";
        let read = read(TraceFormat::Swf, text.as_bytes(), &options());
        assert_eq!(read.rows.iter().map(|r| r.submit.0).collect::<Vec<_>>(), [0, 548_000]);
    }

    #[test]
    fn jobs_can_be_told_apart_by_another_field_or_not_at_all() {
        let text = b"1 1 0 1 1 -1 -1 1 -1 -1 1 4 5 -1 6 -1 -1 -1\n";
        let name = |options| read(TraceFormat::Swf, text, &options).rows[0].namespace.to_string();
        assert_eq!(name(TraceOptions { namespace_by: Some("queue".into()), prefix: "q".into(), ..options() }), "q6");
        assert_eq!(name(TraceOptions { namespace: Some("all".into()), ..options() }), "all");
        let odd = TraceOptions { namespace_by: Some("colour".into()), ..options() };
        assert_eq!(read(TraceFormat::Swf, text, &odd).problems.len(), 1);
    }
}
