//! Settings in a quota tree that comes from deployed quota objects. Only guarantees and limits can be set.

use super::{Change, descend::longest};
use quotree_core::{Name, QuotaSpec, TreeSpec};
use quotree_syntax::{Ident, Node, Report, Shape, Span, choices, quantity};

/// The amounts that can be set.
const FIELDS: [&str; 2] = ["min", "max"];

/// Sets an amount of a quota. The words of the path are `quota`, the name of the quota (none for the root), `min` or
/// `max`, and the resource.
pub(crate) fn set(tree: &mut TreeSpec, change: &Change, report: &mut Report) {
    let Some((at, path)) = change.path.split_first() else { return };
    let Some(end) = path.last().map(|last| at.span.to(last.span)) else { return };
    let names = || tree.quotas.iter().map(|quota| Some(quota.name.as_str()));
    let (place, used) = match path {
        [field, ..] if FIELDS.contains(&field.text.as_str()) => (0, 0),
        _ => match longest(path, names()) {
            Some(found) => found,
            None => {
                let known: Vec<&str> = names().flatten().collect();
                let wanted = path.first().map_or("", |word| word.text.as_str());
                report
                    .error(end, format!("there is no quota `{wanted}`"), "no such quota")
                    .did_you_mean(wanted, known.iter().copied())
                    .help(choices(&known));
                return;
            }
        },
    };
    let (Some(quota), Some([field, resource @ ..])) = (tree.quotas.get_mut(place), path.get(used..)) else {
        return unsettable(end, report);
    };
    if resource.is_empty() || !FIELDS.contains(&field.text.as_str()) {
        return unsettable(end, report);
    }
    amount(quota, field, resource, change, report);
}

fn amount(quota: &mut QuotaSpec, field: &Ident, resource: &[Ident], change: &Change, report: &mut Report) {
    let resource = resource.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(".");
    let span = Span::new(change.source, change.at..change.at + change.text.len());
    let node = Node { span, shape: Shape::String(change.text.trim().trim_matches('"').to_owned()) };
    let Some(amount) = quantity(&node, &resource, report) else { return };
    let amounts = if field.text == "min" { &mut quota.min } else { &mut quota.max };
    amounts.set(Name::from(resource.as_str()), amount);
}

fn unsettable(span: Span, report: &mut Report) {
    report
        .error(
            span,
            "of quota objects in a file of their own, only amounts of `min` and `max` can be set",
            "not settable",
        )
        .help("for example `quota.TEAM.min.cpu=20`; `quotree import` makes a scenario in which all fields can be set");
}
