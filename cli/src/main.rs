//! The `quotree` command: run, check, inspect, explain and compare quota-tree scenarios.
//!
//! Everything ambient lives in this crate: arguments, files, threads, the terminal. What a verb does is in its own file
//! under [`verbs`]; what goes wrong ends in one of the exit codes of [`exit`].

mod args;
mod digests;
mod exit;
mod files;
mod load;
mod progress;
mod runner;
mod snippets;
mod span;
mod terminal;
mod verbs;

use clap::{CommandFactory, Parser};
use std::process::ExitCode;

fn main() -> ExitCode {
    let args = args::Args::parse();
    let terminal = terminal::Terminal::of(args.color);
    let Some(verb) = args.verb else {
        let help = args::Args::command().render_help();
        return terminal.show(&help.to_string()).map_or(exit::Exit::Fault, |()| exit::Exit::Fine).into();
    };
    // A fault of ours must not look like a claim that failed: it gets its own code.
    let done = std::panic::catch_unwind(|| verbs::run(verb, terminal));
    match done {
        Ok(Ok(exit)) => exit.into(),
        Ok(Err(trouble)) => {
            terminal.complain(&trouble.message);
            trouble.exit.into()
        }
        Err(_) => {
            terminal.complain("error: quotree itself failed; please report this with the file that did it");
            exit::Exit::Fault.into()
        }
    }
}
