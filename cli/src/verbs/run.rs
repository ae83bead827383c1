//! `quotree run`: runs a scenario, prints the outcome, and writes the requested files.

use crate::{
    args::{self, Format, Run as Args},
    exit::{Exit, Outcome, Trouble},
    files, load,
    runner::{self, Watcher},
    terminal::Terminal,
};
use quotree_reports::{By, breakdown_text, summary_json, summary_text, tables_csv, tree_svg};
use quotree_sim::{Run, RunOptions};
use std::{fs::File, io::BufWriter, path::Path};

pub(super) fn run(args: &Args, terminal: Terminal) -> Outcome {
    let scenario = load::scenario(&args.file, &args.how, terminal)?;
    let options =
        RunOptions { until: args.at, seed: args.how.seed, record: args.record.is_some(), ..RunOptions::default() };
    let trace = args.out.as_deref().map(trace_file).transpose()?;
    let mut watcher = Watcher::new(terminal, &scenario.name, trace);
    let run = runner::run(&scenario, &options, args.watch, &mut watcher)?;
    watcher.finish().map_err(|error| Trouble::invalid(format!("cannot write trace.jsonl: {error}")))?;
    if let Some(folder) = &args.out {
        write_all(folder, &run)?;
    }
    if let (Some(path), Some(log)) = (&args.record, &run.log) {
        let text = serde_json::to_string(log)
            .map_err(|error| Trouble::fault(format!("cannot write the log as JSON: {error}")))?;
        files::write(path, &format!("{text}\n"))?;
    }
    terminal.show(&match args.format {
        Format::Text => {
            let tables = args.by.iter().map(|by| breakdown_text(&run.result, by_of(*by), terminal.style));
            tables.fold(summary_text(&run.result, terminal.style), |text, table| text + &table)
        }
        Format::Json => summary_json(&run.result),
    })?;
    Ok(if run.result.claims.failed > 0 { Exit::ClaimFailed } else { Exit::Fine })
}

const fn by_of(by: args::By) -> By {
    match by {
        args::By::User => By::User,
        args::By::Group => By::Group,
        args::By::Namespace => By::Namespace,
        args::By::Quota => By::Quota,
    }
}

fn trace_file(folder: &Path) -> Result<BufWriter<File>, Trouble> {
    let path = folder.join("trace.jsonl");
    files::write(&path, "")?;
    let file = File::create(&path);
    let file = file.map_err(|error| Trouble::invalid(format!("cannot write `{}`: {error}", path.display())))?;
    Ok(BufWriter::new(file))
}

fn write_all(folder: &Path, run: &Run) -> Result<(), Trouble> {
    files::write(&folder.join("summary.json"), &summary_json(&run.result))?;
    files::write(&folder.join("tree.svg"), &tree_svg(&run.result))?;
    for (name, table) in tables_csv(&run.result) {
        files::write(&folder.join("tables").join(name), &table)?;
    }
    Ok(())
}
