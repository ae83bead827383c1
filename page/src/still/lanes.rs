//! The rows of a node in the static placement chart. A node with devices has a row for each. A node that only counts
//! GPUs has a row for each GPU, and a pod is drawn on the lowest rows that are free. A node without GPUs has as many
//! rows as pods ran at once.

use super::{Context, at};
use crate::model::{Amount, Node, Placement, ResourceIx, ResourceKind};

/// The most rows of a node without GPUs.
const MOST: usize = 16;

/// The pods that ran on a node, each with its first row and its number of rows.
pub(super) struct Lanes<'a> {
    pub(super) rows: usize,
    pub(super) bars: Vec<(&'a Placement, usize, usize)>,
}

pub(super) fn amount(amounts: &[Amount], resource: ResourceIx) -> i64 {
    amounts.iter().find(|a| a.resource == resource).map_or(0, |a| a.amount)
}

/// The resource that counts the GPUs of a node, and how many it has.
pub(super) fn gpus(context: &Context<'_>, node: &Node) -> Option<(ResourceIx, usize)> {
    if node.devices > 0 {
        return Some((node.device_resource?, usize::try_from(node.devices).ok()?));
    }
    let is_gpu = |a: &&Amount| at(&context.report.resources, a.resource).is_some_and(|r| r.kind == ResourceKind::Gpu);
    let counted = node.capacity.iter().filter(is_gpu).find(|a| a.amount >= 1000)?;
    Some((counted.resource, usize::try_from(counted.amount / 1000).ok()?))
}

/// The rows of a node, with the pods that ran on them.
pub(super) fn lanes<'a>(context: &Context<'a>, index: u32, node: &Node) -> Lanes<'a> {
    let here = context.report.placements.iter().filter(|p| p.node == index);
    let gpus = gpus(context, node);
    let mut until = vec![0; gpus.map_or(0, |(_, count)| count)];
    let mut bars = Vec::new();
    for placement in here {
        if let (Some(first), Some(last)) = (placement.devices.first(), placement.devices.last()) {
            let place = |device: u32| usize::try_from(device).unwrap_or(0);
            bars.push((placement, place(*first), place(*last) + 1 - place(*first)));
            continue;
        }
        let asks = gpus.map_or(1, |(resource, _)| {
            let shape = at(&context.report.pods, placement.pod).and_then(|pod| at(&context.report.shapes, pod.shape));
            let asks = shape.map_or(0, |shape| amount(&shape.request, resource));
            usize::try_from((asks + 999) / 1000).unwrap_or(0)
        });
        let gone = placement.gone_ms.unwrap_or(u64::MAX);
        let mut left = asks;
        for (row, free_from) in until.iter_mut().enumerate().filter(|(_, free)| **free <= placement.bound_ms).take(asks)
        {
            *free_from = gone;
            left -= 1;
            match bars.last_mut() {
                Some((last, first, count)) if std::ptr::eq(*last, placement) && *first + *count == row => *count += 1,
                _ => bars.push((placement, row, 1)),
            }
        }
        if gpus.is_none() && left > 0 && until.len() < MOST {
            bars.push((placement, until.len(), 1));
            until.push(gone);
        }
    }
    Lanes { rows: until.len().max(1), bars }
}
