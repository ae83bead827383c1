//! `quotree diff --seeds`: two scenarios, seed by seed.

use crate::{
    args::{Diff as Args, Edits, Format},
    exit::{Exit, Outcome, Trouble},
    files::{self, Disk},
    interrupt::{self, STOP},
    progress::Runs,
    terminal::Terminal,
    verbs::{gates, pretty, sides, study},
};
use quotree_study::{Cases, Facts, Pair, Runner, Seeds, Study, pairs_json, pairs_text};
use std::{ops::ControlFlow, path::Path};

/// Compares two scenarios, or one with and without changes, seed by seed.
pub(in crate::verbs) fn diff(args: &Args, seeds: &Seeds, terminal: Terminal) -> Outcome {
    let jobs = study::threads(args.jobs.jobs);
    let second = args.b.as_ref().unwrap_or(&args.a);
    let (first_disk, second_disk) = (Disk::of(&args.a), Disk::of(second));
    let side = |path: &Path, disk, edits: &Edits, seeds: Seeds| {
        if sides::is_run(path) {
            let path = path.display();
            return Err(Trouble::invalid(format!(
                "`{path}` is a run that has ended: `--seeds` needs scenarios, which it runs"
            )));
        }
        let study = Study { file: files::slashed(path), base: study::settings(edits), cases: Cases::one(), seeds };
        study::prepare_quietly(study, disk, false, jobs, terminal)
    };
    let a = side(&args.a, &first_disk, &Edits::default(), seeds.clone())?;
    study::warn(&a, &[], terminal);
    let b = side(second, &second_disk, &args.edits, Seeds::List(a.seeds.clone()))?;
    study::warn(&b, &a.warnings.0, terminal);
    let runner = Runner::new(jobs, &STOP);
    let (mut done, mut runs) = (0, vec![None; a.seeds.len()]);
    let guard = interrupt::watch();
    let progress = Runs::new(terminal, "compared");
    runner.pairs(&a, &b, &mut |place, ran| {
        if let Some(slot) = runs.get_mut(place) {
            *slot = Some(ran);
        }
        done += 1;
        progress.done(done, a.seeds.len());
        ControlFlow::Continue(())
    });
    drop((progress, guard));
    let mut pairs: Vec<(u64, &Facts, &Facts)> = Vec::new();
    for (seed, ran) in a.seeds.iter().zip(&runs) {
        match ran {
            Some(Ok((first, second))) => pairs.push((*seed, first, second)),
            Some(Err(failure)) => {
                let message = format!("seed {seed}: {}", failure.why);
                return Err(if failure.is_fault { Trouble::fault(message) } else { Trouble::invalid(message) });
            }
            None => {}
        }
    }
    let facts: Vec<(&Facts, &Facts)> = pairs.iter().map(|(_, first, second)| (*first, *second)).collect();
    let changes = Pair::all(&facts);
    let seeds: Vec<u64> = pairs.iter().map(|(seed, ..)| *seed).collect();
    let gated = gates::over_seeds(&args.fail_if, &pairs, args.must_hold)?;
    terminal.show(&match args.format {
        Format::Json => {
            let mut value = pairs_json((&a.name, &b.name), &seeds, &facts, &changes);
            gates::add_json(&mut value, &gated);
            pretty(&value)
        }
        Format::Text => {
            let text = pairs_text((&a.name, &b.name), &seeds, &facts, &changes, terminal.style);
            text + &gates::text(&gated)
        }
    })?;
    if pairs.len() < a.seeds.len() {
        terminal.complain(&format!("interrupted: {} of {} seeds were compared", pairs.len(), a.seeds.len()));
        return Ok(Exit::Interrupted);
    }
    Ok(gates::exit(&gated))
}
