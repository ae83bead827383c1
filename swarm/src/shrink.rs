//! Reduces a failing scenario to the parts that its failure needs.
//!
//! It edits the values of the scenario, not its bytes: entries of lists, maps and structs are removed (with everything
//! that mentions them), quotas are replaced by one of their children, namespaces are merged, and numbers, amounts and
//! times become smaller. An edit is kept only if the file still loads and still fails in the same way
//! ([`Failure::kind`]). Edits are tried in a fixed order and counted, so the result is always the same and the search
//! always ends.

use crate::{
    play::{Failure, NO_END, Played, ends, play},
    shrink_moves,
};
use quotree_sim::{
    Scenario,
    scenario::{Diagnostic, Loaded, Loader, Source, Value, load},
};

/// Which failure to keep, and how long to search.
#[derive(Debug, Clone, Default)]
pub struct ShrinkOptions {
    /// A part of the kind or message of the failure to keep; `None`: the first failure.
    pub wanted: Option<String>,
    /// The most candidates that are run; 0: the default.
    pub steps: u32,
}

impl ShrinkOptions {
    /// The default number of candidates.
    pub const STEPS: u32 = 3_000;
}

/// A smaller scenario that fails in the same way.
#[derive(Debug, Clone)]
pub struct Shrunk {
    /// Its text, formatted; without the comments of the original.
    pub text: String,
    /// The failure.
    pub failure: Failure,
    /// Candidates that were run.
    pub tried: u32,
    /// Candidates that were kept.
    pub kept: u32,
    /// How many values the original had, and how many are left.
    pub values: (usize, usize),
    /// Whether no edit was left to try; otherwise the limit of candidates was reached.
    pub done: bool,
}

/// Why a scenario cannot be shrunk.
#[derive(Debug)]
pub enum Unshrinkable {
    /// The file does not load.
    Invalid(Vec<Diagnostic>, Vec<Source>),
    /// It does not fail.
    Fine,
    /// It fails, but not in the wanted way.
    Otherwise(Vec<Failure>),
}

/// Shrinks the scenario at `path`; `loader` reads it and the files that it includes. Included files do not change.
///
/// # Errors
/// [`Unshrinkable`].
pub fn shrink(
    path: &str,
    loader: &dyn Loader,
    options: &ShrinkOptions,
    progress: &mut dyn FnMut(u32, usize),
) -> Result<Shrunk, Unshrinkable> {
    let Loaded { scenario, diagnostics, sources } = load(path, loader);
    let text = sources.first().map_or("", |source| source.text.as_str());
    let (Some(scenario), Ok(value)) = (scenario, Value::parse(text)) else {
        return Err(Unshrinkable::Invalid(diagnostics, sources));
    };
    let first = play(&scenario);
    let failure = wanted(&first, options)?;
    let most = if options.steps == 0 { ShrinkOptions::STEPS } else { options.steps };
    let before = value.clone();
    let mut search =
        Search { path, loader, best: value, failure, cap: cap(&first, &scenario), tried: 0, kept: 0, most, progress };
    // What fails by its text alone, without comments and layout, can be worked on.
    let done = search.run();
    let values = (shrink_moves::count(&before), shrink_moves::count(&search.best));
    Ok(Shrunk {
        text: file(&search.best),
        failure: search.failure,
        tried: search.tried,
        kept: search.kept,
        values,
        done,
    })
}

fn file(value: &Value) -> String {
    format!("#![enable(implicit_some)]\n{}", value.to_text())
}

fn wanted(played: &Played, options: &ShrinkOptions) -> Result<Failure, Unshrinkable> {
    let is_it = |failure: &&Failure| options.wanted.as_ref().is_none_or(|part| failure.to_string().contains(part));
    match played.failures.iter().find(is_it) {
        Some(failure) => Ok(failure.clone()),
        None if played.failures.is_empty() => Err(Unshrinkable::Fine),
        None => Err(Unshrinkable::Otherwise(played.failures.clone())),
    }
}

/// The most events of a candidate's run. Smaller scenarios need fewer events than the original, and an endless run has
/// its own limit.
fn cap(first: &Played, scenario: &Scenario) -> u64 {
    let most = scenario.world.max_events;
    if first.events > 0 { first.events.saturating_mul(10).saturating_add(1_000).min(most) } else { most }
}

/// How a candidate compares with the current scenario.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fit {
    /// It fails in the same way.
    Same,
    /// It does not fail, or it fails in another way.
    Other,
    /// It does not even load.
    Invalid,
}

struct Search<'a> {
    path: &'a str,
    loader: &'a dyn Loader,
    best: Value,
    failure: Failure,
    /// The most events of a candidate's run.
    cap: u64,
    tried: u32,
    kept: u32,
    most: u32,
    progress: &'a mut dyn FnMut(u32, usize),
}

impl Search<'_> {
    /// Repeats all edits until none is kept; returns false if the limit of candidates was reached before.
    fn run(&mut self) -> bool {
        loop {
            let kept = self.kept;
            self.leave_out();
            self.each(shrink_moves::simpler);
            self.each_whole(shrink_moves::merged_namespaces);
            self.each(shrink_moves::smaller);
            if self.tried >= self.most {
                return false;
            }
            if self.kept == kept {
                return true;
            }
        }
    }

    /// Removes entries, first many at a time, then fewer.
    fn leave_out(&mut self) {
        let mut place = 0;
        while let Some(path) = shrink_moves::paths(&self.best).get(place).cloned() {
            let mut size = shrink_moves::at(&self.best, &path).map_or(0, shrink_moves::entries);
            while size > 0 {
                let mut from = 0;
                while from < shrink_moves::at(&self.best, &path).map_or(0, shrink_moves::entries) {
                    if self.tried >= self.most {
                        return;
                    }
                    let Some((without, names)) = shrink_moves::without(&self.best, &path, from..from + size) else {
                        break;
                    };
                    let fit = self.attempt(without.clone());
                    // What is left may mention what is gone.
                    let mentions = fit == Fit::Invalid && !names.is_empty();
                    if fit == Fit::Same
                        || mentions && self.attempt(shrink_moves::unmentioned(without, &names)) == Fit::Same
                    {
                        continue;
                    }
                    from += size;
                }
                size /= 2;
            }
            place += 1;
        }
    }

    /// Replaces each value by a suggested smaller one, as long as a replacement is kept.
    fn each(&mut self, suggest: fn(&Value) -> Vec<Value>) {
        let mut place = 0;
        while let Some(path) = shrink_moves::paths(&self.best).get(place).cloned() {
            let suggestions = shrink_moves::at(&self.best, &path).map(suggest).unwrap_or_default();
            let taken = !shrink_moves::is_guard(&self.best, &path)
                && suggestions.into_iter().any(|suggestion| {
                    let mut candidate = self.best.clone();
                    shrink_moves::set(&mut candidate, &path, suggestion);
                    self.tried < self.most && self.attempt(candidate) == Fit::Same
                });
            place += usize::from(!taken);
        }
    }

    fn each_whole(&mut self, suggest: fn(&Value) -> Vec<Value>) {
        while self.tried < self.most {
            let suggestions = suggest(&self.best);
            if !suggestions.into_iter().any(|candidate| self.tried < self.most && self.attempt(candidate) == Fit::Same)
            {
                return;
            }
        }
    }

    /// Runs a candidate and keeps it if it fails in the same way.
    fn attempt(&mut self, candidate: Value) -> Fit {
        self.tried += 1;
        let with = With { path: self.path, text: file(&candidate), rest: self.loader };
        let Some(mut scenario) = load(self.path, &with).scenario else { return Fit::Invalid };
        if self.failure.kind == NO_END && scenario.world.max_events > self.cap {
            return Fit::Other;
        }
        scenario.world.max_events = scenario.world.max_events.min(self.cap);
        // An endless run is recognised without checking its decisions.
        let played = if self.failure.kind == NO_END { ends(&scenario) } else { play(&scenario) };
        let Some(failure) = played.failures.into_iter().find(|f| f.kind == self.failure.kind) else {
            return Fit::Other;
        };
        (self.best, self.failure) = (candidate, failure);
        self.kept += 1;
        (self.progress)(self.tried, shrink_moves::count(&self.best));
        Fit::Same
    }
}

/// The files of a loader, where one file has another text.
struct With<'a> {
    path: &'a str,
    text: String,
    rest: &'a dyn Loader,
}

impl Loader for With<'_> {
    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        if path == self.path { Ok(self.text.clone().into_bytes()) } else { self.rest.read(path) }
    }
}
