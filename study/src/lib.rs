//! Many runs of one scenario: over seeds, over settings, to find a value, to compare policies.
//!
//! A [`Study`] says what to run: a scenario, the cases ([`Cases`]: every combination of the values of its axes, or named changes),
//! and the seeds. [`Study::prepare`] checks every case before anything runs, and numbers the runs. A [`Runner`] runs them on several
//! threads and hands out the [`Facts`] of each; [`Outcomes`] keep them by number, so that nothing depends on the threads.
//! From these come claims over seeds ([`Verdict`]), spreads of figures ([`Spread`]) and tables.
//!
//! No file is written here, and there is no clock: callers do both.

mod axis;
mod baseline;
mod binding;
mod divergence;
mod facts;
mod gate;
mod judged;
mod parallel;
mod parquet;
mod record;
mod runner;
mod search;
mod seeds;
mod snapshot;
mod stats;
mod study;
mod tables;
mod text;
mod worst;

pub use axis::{Axis, MOST_RUNS, split_values};
pub use baseline::{BASELINE_ENDING, Baseline, Outcome};
pub use binding::{BindingLimit, binding_limits};
pub use divergence::{Decision, Divergence, divergence};
pub use facts::{Better, ClaimFact, Facts, Figure, Key, MEASURES, Measure, Unit};
pub use gate::{Gate, GateError, Gated};
pub use judged::{Judged, Verdict, is_same_run};
pub use parallel::Stop;
pub use parquet::write_parquet;
pub use record::Record;
pub use runner::{Failure, Outcomes, Ran, Runner, is_fault};
pub use search::{Search, search};
pub use seeds::{Seeds, listed};
pub use snapshot::Snapshot;
pub use stats::{Interval, Observed, Share, Spread};
pub use study::{Case, Cases, ClaimText, Prepared, Refused, Study};
pub use tables::{
    Pair, compare_sheet, figures_sheet, main_resource, pairs_sheet, runs_sheet, settings_sheet, teams_sheet,
    usual_figures,
};
pub use text::{claim_results, pairs_json, pairs_text, seeds_json, seeds_text, verdict_json};
pub use worst::{Badness, badness, run_each, with_worst_of, worst_domains, worst_of, worst_sentence};
