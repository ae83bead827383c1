//! Progress of long runs: a line on stderr, only on a terminal, and only after a run has taken a while.

use crate::terminal::Terminal;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use quotree_core::Time;
use quotree_reports::{count, moment};
use std::time::{Duration, Instant};

/// Runs shorter than this show no progress.
const QUIET: Duration = Duration::from_millis(700);

/// The clock is read once in this many calls, since reading it is not free.
const EVERY: u32 = 1024;

/// Shows the progress of a run.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: Option<ProgressBar>,
    started: Instant,
    calls: u32,
    what: String,
}

impl Progress {
    pub(crate) fn new(terminal: Terminal, what: &str) -> Self {
        let bar = terminal.watched.then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
            bar.set_style(ProgressStyle::default_spinner());
            bar
        });
        Self { bar, started: Instant::now(), calls: 0, what: quotree_page::visible(what) }
    }

    /// Reports that the run has reached this time after this many events.
    pub(crate) fn at(&mut self, now: Time, events: u64) {
        self.calls = self.calls.wrapping_add(1);
        if !self.calls.is_multiple_of(EVERY) || self.started.elapsed() < QUIET {
            return;
        }
        if let Some(bar) = &self.bar {
            if bar.is_hidden() {
                bar.set_draw_target(ProgressDrawTarget::stderr());
            }
            bar.set_message(format!(
                "{}: simulated up to {}, {} events",
                self.what,
                moment(now.0),
                count(events.into())
            ));
            bar.tick();
        }
    }
}

/// Shows how many of many runs have ended, and how long the others will probably take.
#[derive(Debug)]
pub(crate) struct Runs {
    bar: ProgressBar,
    started: Instant,
    watched: bool,
}

impl Runs {
    /// Nothing has ended; `what` is counted.
    pub(crate) fn new(terminal: Terminal, what: &str) -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        let template = "{msg} {pos} of {len} [{wide_bar}] {elapsed} so far, about {eta} left";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.set_message(quotree_page::visible(what));
        Self { bar, started: Instant::now(), watched: terminal.watched }
    }

    /// Reports that so many of all have ended.
    pub(crate) fn done(&self, done: usize, of: usize) {
        self.bar.set_length(of as u64);
        self.bar.set_position(done as u64);
        if self.watched && self.bar.is_hidden() && self.started.elapsed() >= QUIET {
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
    }
}

impl Drop for Runs {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
