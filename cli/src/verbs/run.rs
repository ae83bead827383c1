//! `quotree run`: runs a scenario, prints the outcome, and writes the requested files.

use super::{figures, report, shell, tables};
use crate::{
    args::{self, Format, Run as Args, TableFile},
    exit::{Exit, Outcome, Trouble},
    files::{self, Draft},
    interrupt, load,
    runner::{self, Watcher},
    terminal::Terminal,
};
use quotree_reports::{
    By, Report, RunSource, brief_report, prometheus, summary_json, summary_markdown, summary_text, tree_svg,
    write_summary,
};
use quotree_sim::{Run, RunOptions, Scenario, result::EndReason};
use std::path::Path;

pub(super) fn run(args: &Args, terminal: Terminal) -> Outcome {
    if let Some(seeds) = &args.over.seeds {
        return super::seeds::run(args, seeds, terminal);
    }
    let printed = printed(args)?;
    let scenario = load::scenario(&args.file, &args.how.edits, terminal)?;
    let (scenario, worst) = super::worst::settle(scenario, args.how.seed, terminal)?;
    let options = RunOptions {
        until: args.at,
        seed: args.how.seed,
        record: args.record.is_some(),
        history: needs_history(args),
        job_rows: if needs_jobs(args) { usize::MAX } else { 0 },
        ..RunOptions::default()
    };
    files::outputs(outputs(args))?;
    let trace = args.out.as_deref().map(|folder| Draft::begin(&folder.join("trace.jsonl"))).transpose()?;
    let mut watcher = Watcher::new(terminal, &scenario.name, trace);
    let mut run = runner::run(&scenario, &options, args.watch, &mut watcher)?;
    run.result.worst_outage = worst;
    let trace = watcher.finish().map_err(|error| Trouble::invalid(format!("cannot write trace.jsonl: {error}")))?;
    if run.result.end == EndReason::Stopped {
        return interrupted(args, &scenario, &run, terminal);
    }
    trace.map_or(Ok(()), Draft::finish)?;
    if args.out.is_some() || args.open {
        runner::explain(&scenario, &mut run, args.how.seed, args.reasons, terminal)?;
    }
    let source = RunSource {
        file: files::slashed(&args.file),
        command: command(args),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    let is_shown = args.out.is_some() || args.open || args.markdown.is_some() || args.prometheus.is_some();
    let report_of = if is_shown { quotree_reports::report } else { brief_report };
    let report = report_of(&scenario, &run, &source);
    if let Some(folder) = &args.out {
        write_all(folder, &args.tables, &run, report.as_ref())?;
    }
    if let (Some(folder), Some(report)) = (&args.out, &report) {
        report::write(folder, report)?;
        figures::write(folder, report, &args.figures)?;
        files::write(&folder.join("summary.md"), &summary_markdown(report))?;
    }
    if args.open {
        let folder = args.out.clone().map_or_else(files::private_folder, Ok)?;
        if let Some(report) = report.as_ref().filter(|_| args.out.is_none()) {
            report::write(&folder, report)?;
        }
        report::open(&folder.join(report::PAGE))?;
    }
    if let (Some(path), Some(log)) = (&args.record, &run.log) {
        let text = super::as_json("the log", serde_json::to_string(log))?;
        files::write(path, &format!("{text}\n"))?;
    }
    if let (Some(path), Some(report)) = (args.markdown.as_deref().filter(|path| !files::is_standard(path)), &report) {
        files::write(path, &summary_markdown(report))?;
    }
    if let Some(path) = args.prometheus.as_deref().filter(|path| !files::is_standard(path)) {
        files::write(path, &prometheus(&run, report.as_ref()))?;
    }
    terminal.show(&match (printed, &report) {
        (Printed::Json, _) => summary_json(&run.result),
        (Printed::Prometheus, report) => prometheus(&run, report.as_ref()),
        (Printed::Markdown, Some(report)) => summary_markdown(report),
        (Printed::Text | Printed::Markdown, report) => {
            let by: Vec<By> = args.by.iter().map(|by| by_of(*by)).collect();
            summary_text(&run.result, report.as_ref(), &by, terminal.style)
        }
    })?;
    Ok(match run.result.claims.failed {
        _ if interrupt::is_asked() => Exit::Interrupted,
        0 => Exit::Fine,
        _ => Exit::ClaimFailed,
    })
}

/// Prints what is known of a run that was stopped. No file is written: it would look like that of a whole run.
fn interrupted(args: &Args, scenario: &Scenario, run: &Run, terminal: Terminal) -> Outcome {
    terminal.show(&match args.format {
        Format::Json => summary_json(&run.result),
        Format::Text => summary_text(&run.result, None, &[], terminal.style),
    })?;
    let (judged, all) = (run.result.claims.results.len(), scenario.claims.len());
    let mut sentence = format!(
        "interrupted at {} of simulated time: all figures end there, and {judged} of {} were decided",
        quotree_reports::moment(run.result.end_ms),
        quotree_reports::many(all as u64, "claim")
    );
    if args.out.is_some() || args.open || args.markdown.is_some() || args.prometheus.is_some() || args.record.is_some()
    {
        sentence += "; no report, table or log was written";
    }
    terminal.complain(&sentence);
    Ok(Exit::Interrupted)
}

/// What goes to stdout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Printed {
    Text,
    Json,
    Markdown,
    Prometheus,
}

/// Determines what goes to stdout; only one option may claim it.
fn printed(args: &Args) -> Result<Printed, Trouble> {
    let wanted = [
        (args.format == Format::Json, Printed::Json),
        (args.markdown.as_deref().is_some_and(files::is_standard), Printed::Markdown),
        (args.prometheus.as_deref().is_some_and(files::is_standard), Printed::Prometheus),
    ];
    let wanted: Vec<Printed> = wanted.into_iter().filter(|(is, _)| *is).map(|(_, printed)| printed).collect();
    match wanted.as_slice() {
        [] => Ok(Printed::Text),
        [one] => Ok(*one),
        _ => Err(Trouble::invalid("only one of `--format json`, `--markdown -` and `--prometheus -` can go to stdout")),
    }
}

/// The files that the arguments name, without those in the folder of `--out`.
fn outputs(args: &Args) -> impl Iterator<Item = &Path> {
    [&args.markdown, &args.prometheus, &args.record].into_iter().filter_map(Option::as_deref)
}

/// Whether the history of the run is needed: for the report, the findings, or the waits of pods.
fn needs_history(args: &Args) -> bool {
    let twins = args.out.is_some() || args.markdown.is_some() || args.prometheus.is_some();
    twins || args.open || args.format == Format::Text
}

/// Whether the table of jobs is needed: for every output except text without `--by job`.
fn needs_jobs(args: &Args) -> bool {
    args.format != Format::Text || args.out.is_some() || args.prometheus.is_some() || args.by.contains(&args::By::Job)
}

/// The command that repeats the run, without the options that only determine where output is written.
fn command(args: &Args) -> String {
    let mut command = format!("quotree run {}", shell::word(&files::slashed(&args.file)));
    if let Some(at) = args.at {
        command += &format!(" --at {}ms", at.0);
    }
    if let Some(seed) = args.how.seed {
        command += &format!(" --seed {seed}");
    }
    command + &shell::edits(&args.how.edits)
}

const fn by_of(by: args::By) -> By {
    match by {
        args::By::User => By::User,
        args::By::Group => By::Group,
        args::By::Namespace => By::Namespace,
        args::By::Quota => By::Quota,
        args::By::Job => By::Job,
    }
}

fn write_all(folder: &Path, formats: &[TableFile], run: &Run, report: Option<&Report>) -> Result<(), Trouble> {
    let failed = |error| Trouble::invalid(format!("cannot write below `{}`: {error}", folder.display()));
    let mut summary = Draft::begin(&folder.join("summary.json"))?;
    write_summary(&run.result, &mut summary).map_err(failed)?;
    summary.finish()?;
    files::write(&folder.join("tree.svg"), &tree_svg(&run.result))?;
    files::write(&folder.join("metrics.prom"), &prometheus(run, report))?;
    for format in TableFile::ALL.into_iter().filter(|format| formats.contains(format)) {
        for table in quotree_reports::tables(&run.result) {
            tables::write(&folder.join("tables"), table, format)?;
        }
    }
    Ok(())
}
