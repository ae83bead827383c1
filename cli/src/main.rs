//! The `quotree` command: run, check, inspect, explain and compare quota-tree scenarios.
//!
//! All input and output is in this crate: arguments, files, threads, the terminal. Each verb has its own file in [`verbs`].
//! Every error ends in one of the exit codes of [`exit`].

mod args;
mod digests;
mod exit;
mod files;
mod interrupt;
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
    interrupt::report_size_limit();
    let args = args::Args::parse();
    let terminal = terminal::Terminal::of(args.color);
    if args.allow_outside {
        files::allow_outside();
    }
    let Some(verb) = args.verb else {
        let help = args::Args::command().render_help();
        return terminal.show(&help.to_string()).map_or_else(|trouble| trouble.exit, |()| exit::Exit::Fine).into();
    };
    // A panic must not look like a failed claim, so it has its own exit code.
    let done = std::panic::catch_unwind(|| verbs::run(verb, terminal));
    match done {
        Ok(Ok(exit)) => exit.into(),
        Ok(Err(trouble)) => {
            terminal.draw(&trouble.message);
            trouble.exit.into()
        }
        Err(_) => {
            terminal.complain("error: internal error in quotree; please report it together with the input file");
            exit::Exit::Fault.into()
        }
    }
}
