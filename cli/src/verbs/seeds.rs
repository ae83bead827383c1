//! `run`, `check` and `diff` over several seeds.

mod check;
mod diff;
mod run;

pub(super) use check::judge;
pub(super) use diff::diff;
pub(super) use run::run;
