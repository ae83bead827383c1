//! Quotree's own trace format: a CSV file with a header. `submit_s` and `runtime_s` (decimal seconds, exact to the
//! millisecond) are required; `name`, `namespace`, `user`, `priority`, `pods`, `deadline_s`, `runtime_limit_s` and
//! `backoff_limit` are optional. Every other column is a resource that each pod requests, as a quantity; an empty cell
//! requests none.

use super::{RowProblem, Templates, TraceOptions, TraceRows, Users, seconds_to_ms, table::plain};
use csv::StringRecord;
use quotree_core::{Amounts, Name, PodTemplate, Time, Unit, parse_quantity};
use quotree_model::{Limits, TraceRow};
use std::collections::BTreeMap;

/// Reads the whole file; good rows are returned even if others are bad.
pub(super) fn rows(bytes: &[u8], options: &TraceOptions) -> TraceRows {
    let mut out = TraceRows::default();
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(bytes);
    let columns = match reader.headers() {
        Ok(header) => Columns::of(header, options),
        Err(error) => Err(vec![error.to_string()]),
    };
    let columns = match columns {
        Ok(columns) => columns,
        Err(problems) => {
            out.problems = problems.into_iter().map(|what| RowProblem { line: 1, what }).collect();
            return out;
        }
    };
    let (templates, users, namespaces) = (Templates::default(), Users::default(), BTreeMap::new());
    let mut reading = Reading { columns, options, templates, users, namespaces };
    let mut record = StringRecord::new();
    let mut count = 0;
    loop {
        let line = reader.position().line();
        match reader.read_record(&mut record) {
            Ok(false) => return out,
            Ok(true) => {
                let line = record.position().map_or(line, csv::Position::line);
                count += 1;
                if count > options.max_rows {
                    let what = format!("at most {} rows are supported", options.max_rows);
                    out.problems.push(RowProblem { line, what });
                    return out;
                }
                match reading.row(count, &record) {
                    Ok(row) => out.rows.push(row),
                    Err(what) => out.problems.push(RowProblem { line, what }),
                }
            }
            Err(error) => {
                let line = error.position().map_or(line, csv::Position::line);
                out.problems.push(RowProblem { line, what: plain(&error) });
                if matches!(error.kind(), csv::ErrorKind::Io(_)) {
                    return out;
                }
            }
        }
    }
}

/// Columns that are not resources.
const KNOWN: [&str; 10] = [
    "name",
    "submit_s",
    "runtime_s",
    "namespace",
    "user",
    "priority",
    "pods",
    "deadline_s",
    "runtime_limit_s",
    "backoff_limit",
];

/// The indices of the columns.
struct Columns {
    name: Option<usize>,
    submit: usize,
    runtime: usize,
    namespace: Option<usize>,
    user: Option<usize>,
    priority: Option<usize>,
    pods: Option<usize>,
    deadline: Option<usize>,
    runtime_limit: Option<usize>,
    backoff_limit: Option<usize>,
    resources: Vec<(usize, Name)>,
}

impl Columns {
    fn of(header: &StringRecord, options: &TraceOptions) -> Result<Self, Vec<String>> {
        let mut problems = Vec::new();
        let mut seen = BTreeMap::new();
        for (i, column) in header.iter().enumerate() {
            if seen.insert(column, i).is_some() {
                problems.push(format!("duplicate column `{column}`"));
            }
            if column.is_empty() {
                problems.push(format!("column {} has no name", i + 1));
            }
        }
        let by = options.namespace_by.as_deref().unwrap_or("namespace");
        let submit = seen.get("submit_s").copied();
        let runtime = seen.get("runtime_s").copied();
        for (column, there) in [("submit_s", submit), ("runtime_s", runtime)] {
            if there.is_none() {
                problems.push(format!("no column `{column}`"));
            }
        }
        if options.namespace.is_none() && !seen.contains_key(by) {
            problems.push(format!("no column `{by}`, and the scenario names no namespace for the trace"));
        }
        let known = [&KNOWN[..], &[by]].concat();
        let resources = header.iter().enumerate().filter(|(_, column)| !known.contains(column));
        let resources = resources.map(|(i, column)| (i, Name::from(column))).collect();
        match (submit, runtime) {
            (Some(submit), Some(runtime)) if problems.is_empty() => Ok(Self {
                name: seen.get("name").copied(),
                submit,
                runtime,
                namespace: seen.get(by).copied(),
                user: seen.get("user").copied(),
                priority: seen.get("priority").copied(),
                pods: seen.get("pods").copied(),
                deadline: seen.get("deadline_s").copied(),
                runtime_limit: seen.get("runtime_limit_s").copied(),
                backoff_limit: seen.get("backoff_limit").copied(),
                resources,
            }),
            _ => Err(problems),
        }
    }
}

struct Reading<'a> {
    columns: Columns,
    options: &'a TraceOptions,
    templates: Templates,
    users: Users,
    namespaces: BTreeMap<String, Name>,
}

impl Reading<'_> {
    fn row(&mut self, number: usize, record: &StringRecord) -> Result<TraceRow, String> {
        let cell = |column: Option<usize>| column.and_then(|i| record.get(i)).filter(|text| !text.is_empty());
        let time = |column: usize, what: &str| {
            let text = record.get(column).unwrap_or_default();
            seconds_to_ms(text).ok_or_else(|| {
                format!(
                    "column `{what}`: `{text}` is not a time; expected seconds, 0 or more, with at most three decimals"
                )
            })
        };
        let submit = Time(time(self.columns.submit, "submit_s")?);
        let runtime_ms = time(self.columns.runtime, "runtime_s")?;
        let whole = |text: &str, what: &str| format!("column `{what}`: `{text}` is not a whole number");
        let priority = cell(self.columns.priority).map(|text| text.parse().map_err(|_| whole(text, "priority")));
        let losses =
            cell(self.columns.backoff_limit).map(|text| text.parse().map_err(|_| whole(text, "backoff_limit")));
        let span = |column: Option<usize>, what: &str| match cell(column).zip(column) {
            Some((_, column)) => match time(column, what)? {
                0 => Err(format!("column `{what}`: 0 is not allowed")),
                ms => Ok(Some(ms)),
            },
            None => Ok(None),
        };
        let limits = Limits {
            deadline_ms: span(self.columns.deadline, "deadline_s")?,
            runtime_limit_ms: span(self.columns.runtime_limit, "runtime_limit_s")?,
            backoff_limit: losses.transpose()?,
        };
        let pods = match cell(self.columns.pods) {
            Some(text) => text.parse().ok().filter(|pods| *pods > 0),
            None => Some(1),
        };
        let pods = pods.ok_or_else(|| {
            let text = cell(self.columns.pods).unwrap_or_default();
            format!("`{text}` is not a number of pods; expected a whole number, 1 or more")
        })?;
        let namespace = self.namespace(cell(self.columns.namespace))?;
        let mut request = Amounts::new();
        for (i, resource) in &self.columns.resources {
            let Some(text) = cell(Some(*i)) else { continue };
            let amount = parse_quantity(text, Unit::of(resource.as_str()))
                .map_err(|error| format!("column `{resource}`: {error}"))?;
            if amount < 0 {
                return Err(format!("column `{resource}`: `{text}` is negative"));
            }
            if amount > 0 {
                request.set(resource.clone(), amount);
            }
        }
        let name = cell(self.columns.name).map_or_else(|| number.to_string(), str::to_owned).into_boxed_str();
        let template = self.templates.share(PodTemplate { request, ..PodTemplate::default() });
        let user = self.users.share(self.options, cell(self.columns.user).unwrap_or_default());
        let priority = priority.transpose()?;
        Ok(TraceRow { name, submit, runtime_ms, namespace, user, priority, pods, template, limits, details: None })
    }

    fn namespace(&mut self, cell: Option<&str>) -> Result<Name, String> {
        if let Some(fixed) = &self.options.namespace {
            return Ok(fixed.clone());
        }
        let text = cell.ok_or("the namespace is empty")?;
        if let Some(known) = self.namespaces.get(text) {
            return Ok(known.clone());
        }
        let name = Name::from(format!("{}{text}", self.options.prefix));
        self.namespaces.insert(text.to_owned(), name.clone());
        Ok(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good_rows_come_out_and_bad_ones_are_named_by_line() {
        let text = "name,submit_s,runtime_s,namespace,priority,pods,cpu,memory\n\
                    a,0.5,10,ns1,3,2,500m,1Gi\n\
                    b,1,-2,ns1,0,1,1,\n\
                    c,0,1.2345,ns1,0,1,1,\n\
                    d,0,1,ns1,high,1,1,\n\
                    e,0,1,ns1,0,0,1,\n\
                    f,0,1,,0,1,1,\n\
                    g,0,1,ns1,0,1,1.0001,\n\
                    h,0,1,ns1\n\
                    i,0.25,1.125,ns1,,,,\n";
        let read = super::super::rows(super::super::TraceFormat::Native, text.as_bytes(), &TraceOptions::default());
        let good: Vec<_> = read.rows.iter().map(|r| (&*r.name, r.submit.0, r.runtime_ms, r.pods, r.priority)).collect();
        assert_eq!(good, [("i", 250, 1125, 1, None), ("a", 500, 10_000, 2, Some(3))]);
        assert_eq!(read.rows[1].template.request.to_string(), "500m cpu, 1Gi memory");
        assert_eq!(read.problems.iter().map(|p| p.line).collect::<Vec<_>>(), [3, 4, 5, 6, 7, 8, 9]);
        assert!(read.problems[6].what.contains("4 cells"), "{:?}", read.problems[6]);
    }

    #[test]
    fn a_header_without_its_columns_is_one_problem_each() {
        let read = rows(b"name,submit\na,1\n", &TraceOptions::default());
        let what: Vec<_> = read.problems.iter().map(|p| p.what.as_str()).collect();
        assert_eq!(what.len(), 3, "{what:?}");
        assert!(read.problems.iter().all(|p| p.line == 1));
    }

    #[test]
    fn limits_are_read_where_they_are_named() {
        let text = "submit_s,runtime_s,deadline_s,runtime_limit_s,backoff_limit\n\
                    1,1,2.5,,\n2,1,,60,0\n3,1,0,,\n4,1,,soon,\n5,1,,,-1\n";
        let options = TraceOptions { namespace: Some("n".into()), ..TraceOptions::default() };
        let read = rows(text.as_bytes(), &options);
        let seen: Vec<_> = read.rows.iter().map(|row| row.limits).collect();
        let first = Limits { deadline_ms: Some(2500), ..Limits::default() };
        let second = Limits { runtime_limit_ms: Some(60_000), backoff_limit: Some(0), ..Limits::default() };
        assert_eq!(seen, [first, second]);
        assert_eq!(read.problems.iter().map(|p| p.line).collect::<Vec<_>>(), [4, 5, 6]);
        assert!(read.rows.iter().all(|row| row.template.request.is_empty()), "limits are no resources");
    }

    #[test]
    fn too_many_rows_are_refused() {
        let options = TraceOptions { namespace: Some("n".into()), max_rows: 2, ..TraceOptions::default() };
        let read = rows(b"submit_s,runtime_s\n1,1\n2,1\n3,1\n4,1\n", &options);
        assert_eq!(read.rows.len(), 2);
        assert_eq!(read.problems, [RowProblem { line: 4, what: "at most 2 rows are supported".into() }]);
    }
}
