//! What an edit of the tree changed, field by field.

use super::rows::Change;
use quotree_core::{Amounts, Name, QuotaSpec};
use std::collections::BTreeSet;

/// The changes from one tree to another; `place` finds a quota among all known, `number` a resource.
pub(super) fn changes(
    before: &[QuotaSpec],
    after: &[QuotaSpec],
    place: &dyn Fn(&Name) -> u32,
    number: &dyn Fn(&str) -> Option<u32>,
) -> Vec<Change> {
    let mut changes = Vec::new();
    for new in after {
        let quota = place(&new.name);
        let mut words = |field: &'static str, words: String| {
            changes.push(Change { quota, field, resource: None, before: None, after: None, words });
        };
        let Some(old) = before.iter().find(|old| old.name == new.name) else {
            words("quota", "added".to_owned());
            continue;
        };
        if old.parent != new.parent {
            words("parent", moved(old.parent.iter(), new.parent.iter()));
        }
        if old.namespaces != new.namespaces {
            words("namespaces", moved(old.namespaces.iter(), new.namespaces.iter()));
        }
        if old.weight != new.weight {
            let text = |weight: Option<u64>| weight.map_or_else(|| "none".to_owned(), |weight| weight.to_string());
            words("weight", format!("{} to {}", text(old.weight), text(new.weight)));
        }
        if (old.max_jobs, old.priority, &old.attributes, old.queueing, &old.cells)
            != (new.max_jobs, new.priority, &new.attributes, new.queueing, &new.cells)
        {
            words("settings", "other settings".to_owned());
        }
        let none = Amounts::new();
        let fields = [
            ("min", &old.min, &new.min),
            ("max", &old.max, &new.max),
            ("lend", old.lend.as_ref().unwrap_or(&none), new.lend.as_ref().unwrap_or(&none)),
        ];
        for (field, old, new) in fields {
            let names: BTreeSet<&Name> = old.iter().chain(new.iter()).map(|(name, _)| name).collect();
            for name in names {
                let (before, after) = (old.get(name.as_str()), new.get(name.as_str()));
                if before != after {
                    let resource = number(name.as_str());
                    changes.push(Change { quota, field, resource, before, after, words: String::new() });
                }
            }
        }
    }
    for old in before.iter().filter(|old| after.iter().all(|new| new.name != old.name)) {
        let words = "removed".to_owned();
        changes.push(Change {
            quota: place(&old.name),
            field: "quota",
            resource: None,
            before: None,
            after: None,
            words,
        });
    }
    changes
}

/// The change of a list in words: `a, b to c`.
fn moved<'a>(before: impl Iterator<Item = &'a Name>, after: impl Iterator<Item = &'a Name>) -> String {
    let list = |names: Vec<&str>| if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    format!("{} to {}", list(before.map(Name::as_str).collect()), list(after.map(Name::as_str).collect()))
}
