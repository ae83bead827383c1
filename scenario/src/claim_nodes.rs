//! Claims about nodes: how many are up, how long they were there and what they cost, what drains and faults did, and how long
//! quotas that were cut took to be within their limits.

use super::{
    claim::{Reading, compared},
    reader::{At, Fields, Read, Variant, choice},
    values::{Ms, quantity},
};
use quotree_core::Name;
use quotree_model::{NodeClaim, NodeFigure, What};

/// The claims that are read here.
pub(super) const WHATS: [&str; 7] =
    ["NodesUp", "NodeTime", "Cost", "Drained", "FailedDrains", "NodeFailures", "QuotaDrain"];

/// The fields that may stand without their names.
pub(super) fn positional(name: &str) -> &'static [&'static str] {
    match name {
        "QuotaDrain" => &["quota", "figure"],
        "NodesUp" | "NodeTime" | "Cost" => &["pool"],
        _ => &[],
    }
}

impl Reading<'_, '_, '_> {
    pub(super) fn of_nodes(&mut self, fields: &mut Fields<'_>, variant: Variant<'_>) -> Option<What> {
        let before = self.report.errors();
        let figure = match variant.name {
            "NodesUp" => NodeFigure::Up(self.pool(fields)),
            "NodeTime" => NodeFigure::Time(self.pool(fields)),
            "Cost" => NodeFigure::Cost(self.pool(fields)),
            "Drained" => NodeFigure::Drained,
            "FailedDrains" => NodeFigure::FailedDrains,
            "NodeFailures" => NodeFigure::Failures,
            _ => {
                let quota = self.quota(fields);
                let words = [("Estimate", true), ("Took", false)];
                let figure = fields.required_node("figure", self.report);
                let estimate = figure.and_then(|node| choice(node, &words, self.report));
                match (quota, estimate) {
                    (Some(quota), Some(true)) => NodeFigure::Estimate(quota),
                    (Some(quota), Some(false)) => NodeFigure::Took(quota),
                    _ => NodeFigure::Drained,
                }
            }
        };
        if matches!(variant.name, "Cost" | "Drained") {
            fields.expect::<()>(&["of"]);
        }
        let (compare, node) = compared(fields, variant, self.report)?;
        let value = match figure {
            NodeFigure::Time(_) | NodeFigure::Estimate(_) | NodeFigure::Took(_) => {
                Ms::read(node, self.report).map(|ms| u128::from(ms.0))
            }
            NodeFigure::Cost(_) => quantity(node, "cost", self.report).map(|milli| u128::try_from(milli).unwrap_or(0)),
            _ => u64::read(node, self.report).map(u128::from),
        };
        let value = value?;
        (self.report.errors() == before).then_some(What::Nodes(NodeClaim { figure, compare, value }))
    }

    fn pool(&mut self, fields: &mut Fields<'_>) -> Option<Name> {
        let name = fields.optional::<At<Name>>("pool", self.report)?;
        self.check(&name, "pool", self.known.pools)
    }
}
