//! `quotree tenancy`: which users may use which leaf quotas, and why not the others.

use crate::{
    args::{Format, Tenancy as Args},
    exit::{Exit, Outcome, Trouble},
    load, runner,
    terminal::Terminal,
};
use quotree_core::Time;
use quotree_reports::tenancy_text;
use quotree_sim::{RunOptions, people::Tenancy};

pub(super) fn tenancy(args: &Args, terminal: Terminal) -> Outcome {
    let scenario = load::scenario(&args.file, &args.how.edits, terminal)?;
    let options = RunOptions {
        until: Some(args.at.unwrap_or(Time(0))),
        seed: args.how.seed,
        judge: false,
        job_rows: 0,
        pending_rows: 0,
        ..RunOptions::default()
    };
    let run = runner::run_plain(&scenario, &options, terminal)?;
    let mut tenancy = Tenancy::of(&run.result);
    if let Some(user) = &args.user {
        if !tenancy.users.iter().any(|tenant| tenant.user == *user) {
            let known: Vec<String> = tenancy.users.iter().map(|tenant| format!("`{}`", tenant.user)).collect();
            let known = match known.is_empty() {
                true => "the scenario declares no users".to_owned(),
                false => format!("the users are {}", super::first_of(&known)),
            };
            return Err(Trouble::invalid(format!("no user `{user}`; {known}")));
        }
        tenancy.users.retain(|tenant| tenant.user == *user);
    }
    terminal.show(&match args.format {
        Format::Text => tenancy_text(&tenancy, args.user.as_deref(), args.at.is_some(), terminal.wide()),
        Format::Json => super::pretty(&super::as_json("the tenancy", serde_json::to_value(&tenancy))?),
    })?;
    Ok(Exit::Fine)
}
