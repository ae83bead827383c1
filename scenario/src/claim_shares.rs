//! Claims about somebody's part of a figure: what a user, a group, a namespace, a quota or a workload uses and borrows, and what
//! of the cost, the waste and the time is theirs.

use super::{
    claim::{Reading, compared, has},
    reader::{Fields, Read, Variant},
    values::{Ms, Permille, quantity},
};
use quotree_model::{Of, ShareClaim, ShareFigure, What};

/// These are about a part always.
pub(super) const WHATS: [&str; 2] = ["BorrowedTime", "StarvedTime"];

/// These are where they say whose.
const WITH_OF: [&str; 8] =
    ["Used", "Borrowed", "EvictedInsideMin", "WastedEvictions", "Makespan", "Utilisation", "Cost", "Drained"];

/// Whether a claim is read here.
pub(super) fn is_one(variant: Variant<'_>) -> bool {
    WHATS.contains(&variant.name) || (WITH_OF.contains(&variant.name) && has(variant, "of"))
}

/// The fields that may stand without their names.
pub(super) fn positional(name: &str) -> &'static [&'static str] {
    match name {
        "BorrowedTime" | "StarvedTime" | "Used" | "Borrowed" => &["of", "resource"],
        "Utilisation" => &["resource"],
        _ => &[],
    }
}

impl Reading<'_, '_, '_> {
    pub(super) fn share(&mut self, fields: &mut Fields<'_>, variant: Variant<'_>) -> Option<What> {
        // Of a quota or a pool the figure is another one, and both are not meant.
        let other = match variant.name {
            "Used" | "Borrowed" => fields.node("quota"),
            "Cost" => fields.node("pool"),
            _ => None,
        };
        if let Some(node) = other {
            let title = format!("`{}` speaks of two things", variant.name);
            self.report.error(node.span, title, "either this or `of`");
        }
        let of = self.of(fields, "of", WHATS.contains(&variant.name).then_some(Of::All));
        let figure = match variant.name {
            "EvictedInsideMin" => Some(ShareFigure::InsideMin),
            "WastedEvictions" => Some(ShareFigure::Wasted),
            "Makespan" => Some(ShareFigure::Makespan),
            "Cost" => Some(ShareFigure::Cost),
            "Drained" => Some(ShareFigure::Drained),
            name => self.resource(fields).map(|resource| match name {
                "Used" => ShareFigure::Used(resource),
                "Borrowed" => ShareFigure::Borrowed(resource),
                "BorrowedTime" => ShareFigure::BorrowedTime(resource),
                "StarvedTime" => ShareFigure::StarvedTime(resource),
                _ => ShareFigure::Utilisation(resource),
            }),
        };
        let (compare, node) = compared(fields, variant, self.report)?;
        let figure = figure?;
        let value = match &figure {
            ShareFigure::Used(resource) | ShareFigure::Borrowed(resource) => {
                quantity(node, resource.as_str(), self.report).map(|amount| u128::try_from(amount).unwrap_or(0))
            }
            ShareFigure::Cost => quantity(node, "cost", self.report).map(|milli| u128::try_from(milli).unwrap_or(0)),
            ShareFigure::BorrowedTime(_) | ShareFigure::StarvedTime(_) | ShareFigure::Makespan => {
                Ms::read(node, self.report).map(|ms| u128::from(ms.0))
            }
            ShareFigure::Utilisation(_) => Permille::read(node, self.report).map(|permille| u128::from(permille.0)),
            _ => u64::read(node, self.report).map(u128::from),
        };
        Some(What::Share(ShareClaim { of: of?, figure, compare, value: value? }))
    }
}
