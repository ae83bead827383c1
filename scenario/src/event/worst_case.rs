//! Worst-case outages of a scenario: one choice is for all of them.

use super::{Change, Occurrence, ReadEvents};
use quotree_core::Name;
use quotree_model::{Change as Checked, NodeChange};
use quotree_syntax::Report;
use std::collections::BTreeSet;

/// Reports worst-case outages that try different domains.
pub(super) fn only_one(written: &[Occurrence<'_>], events: &mut ReadEvents, report: &mut Report) {
    let mut all: BTreeSet<Vec<&Name>> = BTreeSet::new();
    for timed in &events.changes {
        if let Checked::Nodes(NodeChange::Outage { candidates, .. }) = &timed.change
            && !candidates.is_empty()
        {
            all.insert(candidates.iter().map(|(name, _)| name).collect());
        }
    }
    let is_worst = |event: &&Occurrence<'_>| matches!(event.change.map(|change| &change.value), Some(Change::Outage(outage)) if outage.is_worst());
    if let Some(last) = written.iter().rfind(is_worst).filter(|_| all.len() > 1) {
        let title = "all worst-case outages of a scenario must try the same domains";
        report
            .error(last.span, title, "another outage tries others")
            .help("give them the same `worst`, `pool` and `zone`; one domain is then chosen for all of them");
    }
}
