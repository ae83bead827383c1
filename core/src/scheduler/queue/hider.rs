//! What hides the entitled workloads of a leaf, as its offer reports it to the quota above.

use super::entry::Seen;
use crate::scheduler::{
    quota::{Demand, Gates},
    state::AskId,
};

/// The request that hides the others of its leaf.
#[derive(Debug, Clone)]
pub(super) struct Hider {
    /// The hiding request.
    pub(super) ask: AskId,
    /// What the quotas above must leave so that the hiding request may be tried. Nothing if it is due.
    pub(super) needs: Option<Demand>,
}

impl Hider {
    /// Appends the needs of the hiding request to the amounts of an offer. They are negated, so that the minimum over a
    /// part has the largest needs.
    pub(super) fn write(hider: Option<&Self>, width: usize, amounts: &mut Vec<i64>) {
        match hider.and_then(|hider| hider.needs.as_ref()) {
            Some(needs) => amounts.extend(needs.iter().map(|amount| amount.saturating_neg())),
            None => amounts.resize(amounts.len() + width, i64::MAX),
        }
    }
}

/// Whether some entry of a part may be visible: nothing hides it, or the hiding request exceeds the limits.
pub(super) fn shows(seen: Seen<'_>, gates: &Gates) -> bool {
    let above = |(needs, limit): (&i64, &i64)| needs.saturating_neg() > *limit;
    seen.labels.shows || seen.hiders.iter().zip(&gates.limits).any(above)
}
