//! The verbs, one file each.

mod baseline;
mod check;
mod compare;
mod diff;
mod explain;
mod feasible;
mod figures;
mod fmt;
mod gates;
mod import;
mod inspect;
mod plan;
mod replay;
mod report;
mod rule;
mod run;
mod seeds;
mod shell;
mod shrink;
mod sides;
mod study;
mod swarm;
mod sweep;
mod tables;
mod tenancy;
mod validate;
mod worst;

use crate::{
    args::Verb,
    exit::{Exit, Outcome, Trouble},
    terminal::Terminal,
};
use rayon::{ThreadPool, ThreadPoolBuilder};
use std::path::PathBuf;

/// Runs a verb.
///
/// # Errors
/// If the verb could not be completed.
pub(crate) fn run(verb: Verb, terminal: Terminal) -> Outcome {
    match verb {
        Verb::Run(args) => run::run(&args, terminal),
        Verb::Report(args) => report::run(&args, terminal),
        Verb::Check(args) => check::check(&args, terminal),
        Verb::Inspect(args) => inspect::inspect(&args, terminal),
        Verb::Tenancy(args) => tenancy::tenancy(&args, terminal),
        Verb::Validate(args) => validate::validate(&args, terminal),
        Verb::Explain(args) => explain::explain(&args, terminal),
        Verb::Diff(args) => diff::diff(&args, terminal),
        Verb::Sweep(args) => sweep::sweep(&args, terminal),
        Verb::Plan(args) => plan::plan(&args, terminal),
        Verb::Compare(args) => compare::compare(&args, terminal),
        Verb::Feasible(args) => feasible::feasible(&args, terminal),
        Verb::Import(args) => import::import(&args, terminal),
        Verb::Replay(args) => replay::replay(&args, terminal),
        Verb::Swarm(args) => swarm::swarm(&args, terminal),
        Verb::Shrink(args) => shrink::shrink(&args, terminal),
        Verb::Fmt(args) => fmt::fmt(&args, terminal),
        Verb::Schema { reference } => {
            let scenario =
                if reference { quotree_sim::scenario::reference() } else { pretty(&quotree_sim::scenario::schema()) };
            terminal.emit(&scenario)?;
            Ok(Exit::Fine)
        }
    }
}

/// A value as JSON; `what` names the value in the error message.
///
/// # Errors
/// If the conversion failed.
fn as_json<T>(what: &str, made: serde_json::Result<T>) -> Result<T, Trouble> {
    made.map_err(|error| Trouble::fault(format!("cannot write {what} as JSON: {error}")))
}

/// A pool with this many threads, at most one for each core; without a number, with that many.
///
/// # Errors
/// If the system does not provide the threads.
fn threads(number: Option<usize>) -> Result<ThreadPool, Trouble> {
    let pool = ThreadPoolBuilder::new().num_threads(study::threads(number).get()).build();
    pool.map_err(|error| Trouble::invalid(format!("cannot start threads: {error}; a smaller `--jobs` needs fewer")))
}

/// A value as indented JSON with a newline at the end.
fn pretty(value: &serde_json::Value) -> String {
    quotree_reports::visible_json(format!("{value:#}\n"))
}

/// The lines that report which files were written.
fn wrote(files: &[PathBuf]) -> String {
    files.iter().map(|path| format!("wrote {}\n", path.display())).collect()
}

/// The first names of a list for a sentence, and the number of the others.
fn first_of(names: &[String]) -> String {
    const SHOWN: usize = 8;
    let first = names.get(..SHOWN).unwrap_or(names).join(", ");
    match names.len().saturating_sub(SHOWN) {
        0 => first,
        more => format!("{first} and {} more", quotree_reports::count(more as u128)),
    }
}
