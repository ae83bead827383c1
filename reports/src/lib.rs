//! Summaries, tables and pictures of a finished quotree run. The simulator measures, and this crate only formats: every
//! function turns a value into a string, without files, terminal or clock.

mod checks;
mod claims;
mod datasets;
mod datum;
mod diff;
mod fields;
mod figures;
mod findings;
mod fleet;
mod format;
mod grid;
mod instances;
mod jobs;
mod json;
mod layout;
mod markdown;
mod pending;
mod people;
mod picture;
mod prometheus;
mod report;
mod sheet;
mod style;
mod summary;
mod table;
mod tables;
mod tree;

pub use checks::{
    BaselineFigure, BaselineState, Baselined, CheckOutcome, Checked, Remark, check_annotations, check_json,
    check_junit, check_markdown, check_text,
};
pub use datum::{Datum, Kind, SheetColumn};
pub use diff::{Bound, Change, Diff, DiffError, Outcome, Pair, Team, Teams, diff};
pub use findings::findings_text;
pub use format::{count, date, many, moment, percent, short_reason, span};
pub use json::{summary_json, write_summary};
pub use layout::wrap;
pub use markdown::summary_markdown;
pub use people::{By, breakdown_text, tenancy_text};
pub use picture::tree_svg;
pub use prometheus::prometheus;
pub use quotree_page::model::{Report, SCHEMA};
pub use quotree_page::{visible, visible_json};
pub use report::{RunSource, brief_report, report, report_html, report_json};
pub use sheet::{Sheet, shown};
pub use style::Style;
pub use summary::{nodes_text, state_text, summary_text};
pub use table::Table;
pub use tables::tables;
