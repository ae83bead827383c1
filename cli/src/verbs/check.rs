//! `quotree check`: runs scenarios in parallel and checks their claims. Prints one line each, in the order of the files.

use crate::{
    args::{Check as Args, Format, How},
    digests,
    exit::{Exit, Outcome, Trouble},
    files, load, runner,
    terminal::Terminal,
};
use indicatif::{ProgressBar, ProgressDrawTarget};
use quotree_reports::many;
use quotree_sim::{RunOptions, result::ClaimResult};
use rayon::prelude::*;
use std::{
    fmt::Write,
    path::{Path, PathBuf},
};

/// The result of one file.
struct Judged {
    path: PathBuf,
    name: String,
    exit: Exit,
    claims: usize,
    /// Claims that hold with a note.
    noted: Vec<ClaimResult>,
    failed: Vec<ClaimResult>,
    digest: String,
    /// The digest of all plans, if digests are compared.
    plans: Option<u64>,
    /// The error in the file, or the internal error.
    trouble: String,
}

pub(super) fn check(args: &Args, terminal: Terminal) -> Outcome {
    let paths = files::scenarios(&args.paths)?;
    if paths.is_empty() {
        return Err(Trouble::invalid("no scenario found: no file in these paths ends in .ron"));
    }
    let pool = super::threads(args.jobs)?;
    let bar = progress(terminal, paths.len());
    let judged: Vec<Judged> = pool.install(|| {
        let judge_one = |path: &PathBuf| {
            let judged = judge(path, args, terminal);
            bar.inc(1);
            judged
        };
        paths.par_iter().map(judge_one).collect()
    });
    bar.finish_and_clear();
    if let Some(path) = &args.junit {
        files::write(path, &junit(&judged))?;
    }
    terminal.show(&match args.format {
        Format::Text => text(&judged),
        Format::Json => super::pretty(&json(&judged)),
    })?;
    let exit = judged.iter().map(|one| one.exit).max().unwrap_or(Exit::Fine);
    let Some(path) = &args.pins.digests else { return Ok(exit) };
    let of_file = |one: &Judged| Some((files::slashed(&one.path), format!("{}-{:016x}", one.digest, one.plans?)));
    let compared = digests::compare(path, &judged.iter().filter_map(of_file).collect(), args.pins.bless)?;
    terminal.complain(&compared.text);
    Ok(exit.max(compared.exit))
}

fn progress(terminal: Terminal, files: usize) -> ProgressBar {
    const WORTH_SHOWING: usize = 4;
    let shown = terminal.watched && files >= WORTH_SHOWING;
    let target = if shown { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    ProgressBar::with_draw_target(Some(files as u64), target)
}

fn judge(path: &Path, args: &Args, terminal: Terminal) -> Judged {
    let mut judged = Judged {
        path: path.to_owned(),
        name: path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned()),
        exit: Exit::Fine,
        claims: 0,
        noted: Vec::new(),
        failed: Vec::new(),
        digest: String::new(),
        plans: None,
        trouble: String::new(),
    };
    let loaded = load::load(path, &How { seed: None, policy: None });
    let Some(scenario) = loaded.scenario else {
        judged.exit = Exit::Invalid;
        judged.trouble = load::refusal(&loaded, terminal.style.colour);
        return judged;
    };
    judged.name.clone_from(&scenario.name);
    let options = RunOptions { record: args.pins.digests.is_some(), ..RunOptions::default() };
    match runner::run(&scenario, &options, args.watch, &mut ()) {
        Ok(run) => {
            judged.plans = run.log.as_ref().map(digests::of_plans);
            judged.digest = run.result.digest;
            judged.claims = run.result.claims.results.len();
            let (passed, failed): (Vec<_>, _) = run.result.claims.results.into_iter().partition(|claim| claim.passed);
            judged.noted = passed.into_iter().filter(|claim| claim.note.is_some()).collect();
            judged.failed = failed;
            if !judged.failed.is_empty() {
                judged.exit = Exit::ClaimFailed;
            }
        }
        Err(trouble) => {
            judged.exit = trouble.exit;
            judged.trouble = trouble.message;
        }
    }
    judged
}

fn text(judged: &[Judged]) -> String {
    let width = judged.iter().map(|one| one.name.chars().count()).max().unwrap_or(0);
    let mut text = String::new();
    for one in judged {
        let (word, what) = match one.exit {
            Exit::Fine if one.noted.is_empty() => ("ok     ", many(one.claims as u64, "claim")),
            Exit::Fine => {
                let noted = many(one.noted.len() as u64, "note");
                ("ok     ", format!("{}, {noted}", many(one.claims as u64, "claim")))
            }
            Exit::ClaimFailed => {
                ("FAILED ", format!("{} of {} failed", one.failed.len(), many(one.claims as u64, "claim")))
            }
            Exit::Invalid => ("INVALID", "not run".to_owned()),
            Exit::Fault => ("FAULT  ", "internal error".to_owned()),
        };
        let _ = writeln!(text, "{word} {:<width$}  {what:<22}  {}", one.name, files::slashed(&one.path));
        for claim in &one.failed {
            let at = claim.at_ms.map(|ms| format!(" at {}", quotree_reports::moment(ms))).unwrap_or_default();
            let _ =
                writeln!(text, "        line {}: {}\n          observed{at}: {}", claim.line, claim.claim, claim.seen);
            if let Some(because) = &claim.because {
                let _ = writeln!(text, "          comment: {because}");
            }
            for explanation in &claim.explanations {
                let _ = writeln!(text, "          {}", quotree_reports::short_reason(explanation));
            }
        }
        for line in one.trouble.lines() {
            let _ = writeln!(text, "        {line}");
        }
    }
    let passed = judged.iter().filter(|one| one.exit == Exit::Fine).count();
    let invalid = judged.iter().filter(|one| one.exit == Exit::Invalid).count();
    let _ = write!(text, "{passed} passed, {} failed", judged.len() - passed - invalid);
    text.push_str(&if invalid > 0 { format!(", {invalid} invalid\n") } else { "\n".to_owned() });
    text
}

fn json(judged: &[Judged]) -> serde_json::Value {
    let passed = judged.iter().filter(|one| one.exit == Exit::Fine).count();
    let files: Vec<_> = judged
        .iter()
        .map(|one| {
            serde_json::json!({
                "file": files::slashed(&one.path),
                "scenario": one.name,
                "outcome": word(one.exit),
                "claims": one.claims,
                "noted": one.noted,
                "failed": one.failed,
                "digest": one.digest,
                "trouble": one.trouble,
            })
        })
        .collect();
    serde_json::json!({ "passed": passed, "failed": judged.len() - passed, "files": files })
}

const fn word(exit: Exit) -> &'static str {
    match exit {
        Exit::Fine => "passed",
        Exit::ClaimFailed => "failed",
        Exit::Invalid => "invalid",
        Exit::Fault => "fault",
    }
}

/// JUnit XML with one test case per file.
fn junit(judged: &[Judged]) -> String {
    let count = |exit: &[Exit]| judged.iter().filter(|one| exit.contains(&one.exit)).count();
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let (failures, errors) = (count(&[Exit::ClaimFailed]), count(&[Exit::Invalid, Exit::Fault]));
    let _ = writeln!(
        xml,
        "<testsuite name=\"quotree check\" tests=\"{}\" failures=\"{failures}\" errors=\"{errors}\">",
        judged.len()
    );
    for one in judged {
        let (name, file) = (escape(&one.name), escape(&files::slashed(&one.path)));
        let _ = write!(xml, "  <testcase name=\"{name}\" classname=\"{file}\"");
        if one.exit == Exit::Fine {
            xml.push_str("/>\n");
            continue;
        }
        let tag = if one.exit == Exit::ClaimFailed { "failure" } else { "error" };
        let claims = one.failed.iter().map(|c| format!("line {}: {}; observed {}\n", c.line, c.claim, c.seen));
        let message: String = claims.chain([one.trouble.clone()]).collect();
        let _ = writeln!(xml, "><{tag} message=\"{}\">{}</{tag}></testcase>", word(one.exit), escape(&message));
    }
    xml.push_str("</testsuite>\n");
    xml
}

fn escape(text: &str) -> String {
    let plain: String = text.chars().filter(|c| !c.is_control() || *c == '\n').collect();
    plain.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
