//! What hides the entitled workloads of a leaf, as an offer tells it to the quota above.

use super::entry::Seen;
use crate::scheduler::{
    quota::{Demand, Gates},
    state::AskId,
};

/// What hides the others of its leaf.
#[derive(Debug, Clone)]
pub(super) struct Hider {
    /// Of this request.
    pub(super) ask: AskId,
    /// What the quotas above must leave, so that it is tried. Nothing if it is due.
    pub(super) needs: Option<Demand>,
}

impl Hider {
    /// Adds what it needs to the amounts of an offer, negated, so that the least is of the largest.
    pub(super) fn write(hider: Option<&Self>, width: usize, amounts: &mut Vec<i64>) {
        match hider.and_then(|hider| hider.needs.as_ref()) {
            Some(needs) => amounts.extend(needs.iter().map(|amount| amount.saturating_neg())),
            None => amounts.resize(amounts.len() + width, i64::MAX),
        }
    }
}

/// Whether something of a part may show: nothing hides it, or what does is above the limits.
pub(super) fn shows(seen: Seen<'_>, gates: &Gates) -> bool {
    let above = |(needs, limit): (&i64, &i64)| needs.saturating_neg() > *limit;
    seen.labels.shows || seen.hiders.iter().zip(&gates.limits).any(above)
}
