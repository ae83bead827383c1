//! How the cost is computed, in words and prices. The page shows this wherever it shows money.

use super::Context;
use crate::{
    html::Html,
    model::{Node, ResourceKind},
};

/// The most pools whose price is shown.
const MOST_POOLS: usize = 6;

/// How the cost of this run is computed; nothing if nothing has a price.
pub(crate) fn says(context: &Context<'_>) -> Option<String> {
    let mut pools: Vec<(&str, String)> = Vec::new();
    for node in &context.report.nodes {
        if node.price_milli_per_hour > 0 && pools.iter().all(|(pool, _)| *pool != node.pool) {
            pools.push((&node.pool, format!("{} {}", crate::html::visible(&node.pool), price(context, node))));
        }
    }
    if pools.is_empty() {
        return None;
    }
    let mut prices: Vec<&str> = pools.iter().take(MOST_POOLS).map(|(_, price)| price.as_str()).collect();
    if pools.len() > MOST_POOLS {
        prices.push("…");
    }
    let currency = if !context.report.run.currency.is_empty() { "" } else { " The scenario names no currency." };
    let totals = &context.report.totals;
    let all = totals.cost_milli.map_or_else(String::new, |all| {
        let idle = context.units.money(totals.cost_idle_milli.unwrap_or(0));
        format!("All nodes cost {}, of which {idle} is idle capacity. ", context.units.money(all))
    });
    Some(format!(
        "{all}Cost: from its bind until it is gone, a pod pays the largest fraction that it requests of any resource of its node, \
         times the price of the node. What no pod pays for is the cost of idle capacity. Prices: {}.{currency}",
        prices.join(", ")
    ))
}

/// The price of a node; if it has GPUs, the price for a GPU.
fn price(context: &Context<'_>, node: &Node) -> String {
    let is_gpu = |resource| context.units.resource(resource).is_some_and(|r| r.kind == ResourceKind::Gpu);
    let gpus = node.capacity.iter().find(|a| a.amount > 0 && is_gpu(a.resource));
    let milli = u128::from(node.price_milli_per_hour);
    match gpus.and_then(|a| u128::try_from(a.amount).ok()) {
        Some(amount) => format!("{} a GPU-hour", context.units.money(milli * 1000 / amount)),
        None => format!("{} a node-hour", context.units.money(milli)),
    }
}

/// Writes this text below a table with money.
pub(crate) fn note(html: &mut Html, context: &Context<'_>) {
    if let Some(text) = says(context) {
        html.leaf("p", &[("class", "sub")], text);
    }
}
