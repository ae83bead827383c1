//! Job logs of Slurm: `sacct -P`, a table with `|` between its columns. A job becomes a gang with one pod for each of
//! its nodes, if its resources divide evenly. Otherwise it becomes one pod that requests everything. The account of a
//! job becomes the namespace of its pods. Job steps are parts of their job, and become no rows. Jobs that never started
//! have no run time, so they are left out and reported.

use super::{
    Templates, TraceOptions, TraceRows, Users,
    joblist::{moment, since_the_first},
    namespace_of,
    quota::{Fate, Field, Notes, Says, becomes, find_field, idle, lost, lost_unless},
    slurm,
    table::{self, Row},
};
use jiff::civil::DateTime;
use quotree_core::{Amounts, Name, PodTemplate, Time};
use quotree_model::{Limits, TraceRow};
use quotree_syntax::{Place, Span};
use std::collections::BTreeMap;

/// The most nodes of a job; more are an error of its row.
const MOST_NODES: i64 = 1_000_000;

/// How each column is handled.
pub(super) const COLUMNS: &[Field] = &[
    becomes("JobID", "the name of the job"),
    becomes("Account", "its namespace"),
    becomes("User", "its user"),
    becomes("Submit", "when it is submitted; times count from the first"),
    becomes("ElapsedRaw", "its run time, in seconds"),
    becomes("Elapsed", "its run time, if there is no `ElapsedRaw`"),
    becomes("State", "whether it started and ended"),
    becomes("AllocTRES", "what it requests; GPUs are `nvidia.com/gpu`"),
    becomes("ReqTRES", "what it requests, if `AllocTRES` is empty"),
    becomes("AllocCPUS", "its `cpu`, if there are no TRES"),
    becomes("NCPUS", "its `cpu`, if there are no TRES"),
    becomes("ReqCPUS", "its `cpu`, if there are no TRES"),
    becomes("ReqMem", "its `memory`, if there are no TRES"),
    becomes("NNodes", "the number of its pods, if everything divides by it"),
    becomes("AllocNodes", "the same, if there is no `NNodes`"),
    lost_unless("QOS", &["normal"], "a quality of service would have limits and a priority of its own"),
    lost_unless("Reservation", &["(null)"], "the job would run on nodes that are reserved for it"),
    lost_unless("Constraints", &["(null)"], "the job would run on nodes with these features"),
    lost("Dependency", "the job would wait for others"),
    lost("Licenses", "licences are not counted"),
    lost("Priority", "the priority was that of the multifactor plugin; here all jobs have the same"),
    lost("Partition", "partitions have nodes and limits of their own; here there is one cluster"),
    idle("*"),
];

/// Reads the whole log; good rows are returned even if others are bad.
pub(super) fn rows(bytes: &[u8], options: &TraceOptions) -> TraceRows {
    let mut reading = Reading {
        options,
        templates: Templates::default(),
        users: Users::default(),
        notes: Notes::default(),
        seen: BTreeMap::new(),
        dated: Vec::new(),
    };
    let mut problems = table::each_row_piped(bytes, options.max_rows, &["JobID", "Submit"], |row| reading.row(row));
    let Reading { notes, dated, .. } = reading;
    let start = dated.iter().map(|(moment, _)| *moment).min();
    let rows = since_the_first(dated, &mut problems);
    let place = |span: Span| {
        let before = bytes.get(..span.start as usize).unwrap_or(bytes);
        Place { path: String::new(), line: before.iter().filter(|byte| **byte == b'\n').count() + 1, column: 1 }
    };
    TraceRows { rows, problems, start, notes: notes.finish(place) }
}

struct Reading<'o> {
    options: &'o TraceOptions,
    templates: Templates,
    users: Users,
    notes: Notes,
    /// How often each job has occurred: a requeued job may occur again.
    seen: BTreeMap<String, u64>,
    dated: Vec<(DateTime, TraceRow)>,
}

impl Reading<'_> {
    fn row(&mut self, row: &Row<'_>) -> Result<(), String> {
        let id = row.cell("JobID");
        let at = Span::new(0, row.at..row.at);
        if id.contains('.') {
            self.notes.assumed("step", Says::Is, "a part of a job, which is read as a whole", at);
            return Ok(());
        }
        let runtime_ms = runtime(row)?;
        let ran = |column: &str| !row.has(column) || !row.cell(column).is_empty();
        let state = row.cell("State").split_whitespace().next().unwrap_or_default();
        let waits = matches!(state, "PENDING" | "REQUEUED" | "RESV_DEL_HOLD");
        if waits || (runtime_ms == 0 && (!ran("AllocTRES") || matches!(row.cell("Start"), "Unknown" | "None"))) {
            // The tasks of an array that wait are one row.
            let jobs = ("job", slurm::tasks(id));
            self.notes.lost_many(
                jobs,
                Says::Has("not started".to_owned()),
                "left out, since the run time is not known",
                at,
            );
            return Ok(());
        }
        if matches!(state, "RUNNING" | "SUSPENDED" | "COMPLETING") {
            let means = "the run time is that until the log was written";
            self.notes.assumed("job", Says::Has("not ended".to_owned()), means, at);
        }
        let (request, pods) = self.request(row, at)?;
        let whose = self.options.namespace_by.as_deref().unwrap_or("Account");
        let namespace = namespace_of(self.options, row.cell(whose))?;
        let moment = moment(row.cell("Submit"))?;
        for column in row.columns() {
            if let Some(Fate::Lost(means, neutral)) = find_field(COLUMNS, column).map(|field| field.fate) {
                let value = row.cell(column);
                if !value.is_empty() && !neutral.contains(&value) {
                    self.notes.lost("job", Says::Sets(column.to_owned()), means, at);
                }
            }
        }
        let times = self.seen.entry(id.to_owned()).or_default();
        *times += 1;
        let name = if *times == 1 { id.to_owned() } else { format!("{id}#{times}") };
        let user = self.users.share(self.options, row.cell("User"));
        let template = self.templates.share(PodTemplate { request, ..PodTemplate::default() });
        let (priority, limits) = (None, Limits::default());
        let row = TraceRow {
            name: name.into(),
            submit: Time(0),
            runtime_ms,
            namespace,
            user,
            priority,
            pods,
            template,
            limits,
            details: None,
        };
        self.dated.push((moment, row));
        Ok(())
    }

    /// What each pod requests, and how many pods there are.
    fn request(&mut self, row: &Row<'_>, at: Span) -> Result<(Amounts, u32), String> {
        let column = ["AllocTRES", "ReqTRES"].into_iter().find(|column| !row.cell(column).is_empty());
        let gpu: &Name = &self.options.resource;
        let named = |column: &str, what: String| format!("{what}, in `{column}`");
        let tres = slurm::tres(column.map_or("", |column| row.cell(column)), gpu)
            .map_err(|what| named(column.unwrap_or_default(), what))?;
        let mut amounts = tres.amounts;
        if tres.typed {
            let means = "the job would run on GPUs of that model; here on any";
            self.notes.lost("job", Says::Has("GPUs of a model".to_owned()), means, at);
        }
        for other in tres.others {
            self.notes.lost("job", Says::Sets(other.to_owned()), "quotree does not count it", at);
        }
        if column.is_none() {
            if let Some(cpus) = ["AllocCPUS", "NCPUS", "ReqCPUS"].into_iter().find(|column| row.has(column)) {
                amounts.set("cpu", row.count(cpus)?.checked_mul(1000).ok_or("too many processors")?);
            }
            // Before Slurm 21.08 `ReqMem` ended in `n` or `c`: for each node, or for each processor.
            let memory = row.cell("ReqMem");
            let each = match memory.strip_suffix(['n', 'c']) {
                Some(_) if memory.ends_with('c') => amounts.get("cpu").unwrap_or(1000) / 1000,
                Some(_) => nodes(row)?.max(1),
                None => 1,
            };
            let memory = memory.trim_end_matches(['n', 'c']);
            if !memory.is_empty() && memory != "0" {
                let bytes = slurm::memory(memory).map_err(|what| named("ReqMem", what))?;
                amounts.set("memory", bytes.checked_mul(each).ok_or("too much memory")?);
            }
        }
        let amounts: Amounts = amounts.iter().filter(|(_, amount)| *amount > 0).map(|(n, a)| (n.clone(), a)).collect();
        if amounts.is_empty() {
            return Err("the job requests nothing: no AllocTRES, ReqTRES or AllocCPUS".to_owned());
        }
        let nodes = tres.nodes.map_or_else(|| nodes(row), Ok)?;
        if nodes > MOST_NODES {
            return Err(format!("{nodes} nodes; expected at most {MOST_NODES}"));
        }
        // Whole processors and devices, whole bytes.
        let step = |name: &Name| if name == "memory" { nodes } else { nodes.saturating_mul(1000) };
        match u32::try_from(nodes) {
            Ok(pods) if pods > 1 && amounts.iter().all(|(name, amount)| amount % step(name) == 0) => {
                Ok((amounts.iter().map(|(name, amount)| (name.clone(), amount / nodes)).collect(), pods))
            }
            Ok(pods) => {
                if pods > 1 {
                    let says = Says::Has("an amount that does not divide by the number of nodes".to_owned());
                    self.notes.assumed("job", says, "one pod, which requests everything", at);
                }
                Ok((amounts, 1))
            }
            Err(_) => Ok((amounts, 1)),
        }
    }
}

/// The number of nodes; 1 if no column has it.
fn nodes(row: &Row<'_>) -> Result<i64, String> {
    match ["NNodes", "AllocNodes"].into_iter().find(|column| !row.cell(column).is_empty()) {
        Some(column) => row.count(column),
        None => Ok(1),
    }
}

/// How long a job ran.
fn runtime(row: &Row<'_>) -> Result<u64, String> {
    if !row.cell("ElapsedRaw").is_empty() {
        return row.seconds("ElapsedRaw");
    }
    if !row.has("Elapsed") {
        return Err("no column `Elapsed` or `ElapsedRaw`".to_owned());
    }
    let text = row.cell("Elapsed");
    let ms = slurm::elapsed(text).filter(|ms| *ms <= crate::MAX_MS);
    ms.ok_or_else(|| format!("`{text}` in `Elapsed` is not a duration such as `1-02:03:04`"))
}
