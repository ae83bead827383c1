//! The objects in a file of Kubernetes manifests: documents, and the items of lists. `kubectl` writes the kind of each
//! item. Go clients leave it out if the kind of the list implies it (a `PodList` has pods).

use super::{
    RowProblem,
    document::{Documents, Place, Taken},
};

/// An object of a cluster.
pub(super) struct Object<'d> {
    /// Its kind, such as `Pod`.
    pub(super) kind: &'d str,
    /// The API group, such as `policy`; empty for the core group.
    pub(super) group: &'d str,
    /// Where it is; problems name its kind and name.
    pub(super) place: Place<'d>,
}

/// All objects of a file, in its order, and the problems with everything that is not an object.
pub(super) fn objects(documents: &Documents) -> (Vec<Object<'_>>, Vec<RowProblem>) {
    let (mut found, mut problems) = (Vec::new(), Vec::new());
    for document in documents.all() {
        if let Err(problem) = add(document, &mut found, &mut problems) {
            problems.push(problem);
        }
    }
    (found, problems)
}

fn add<'d>(document: Place<'d>, found: &mut Vec<Object<'d>>, problems: &mut Vec<RowProblem>) -> Taken<()> {
    let kind = document.get("kind").text()?;
    let version = document.get("apiVersion").text()?;
    let items = document.get("items");
    if !items.is_there() && !kind.is_some_and(is_list) {
        found.extend(object(document, kind, version)?);
        return Ok(());
    }
    let of_items = kind.and_then(item_kind);
    for item in items.items()? {
        let read = || {
            let own = item.get("kind").text()?;
            let version = item.get("apiVersion").text()?.or(version.filter(|_| own.is_none()));
            object(item.clone(), own.or(of_items), version)
        };
        match read() {
            Ok(Some(object)) => found.push(object),
            Ok(None) => problems.push(item.refuse("an object without `kind`, in a list that does not say it either")),
            Err(problem) => problems.push(problem),
        }
    }
    Ok(())
}

fn object<'d>(place: Place<'d>, kind: Option<&'d str>, version: Option<&'d str>) -> Taken<Option<Object<'d>>> {
    let Some(kind) = kind.filter(|kind| !kind.is_empty()) else { return Ok(None) };
    let group = version.and_then(|version| version.rsplit_once('/')).map_or("", |(group, _)| group);
    let name = place.get("metadata").get("name").text()?.unwrap_or_default();
    let place = place.called(&format!("{kind} {name}"));
    Ok(Some(Object { kind, group, place }))
}

/// Whether a kind is a list.
pub(super) fn is_list(kind: &str) -> bool {
    kind.ends_with("List")
}

/// The kind of the items that the kind of a list implies; `None` if it implies none.
pub(super) fn item_kind(list: &str) -> Option<&str> {
    list.strip_suffix("List").filter(|kind| !kind.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_have_the_kind_of_their_list() {
        let text = "\
{kind: PodList, apiVersion: v1, items: [{metadata: {name: a}}, {kind: Node, apiVersion: x/v2, metadata: {name: b}}]}
---
{kind: PodGroupList, apiVersion: scheduling.volcano.sh/v1beta1, items: [{metadata: {name: g}}]}
---
{kind: Pod, apiVersion: v1, metadata: {name: c}}
---
{kind: List, items: [{metadata: {name: lost}}, {kind: [1]}]}
---
{items: [{kind: Pod, metadata: {name: d}}]}
---
{kind: List}
";
        let documents = Documents::read(text.as_bytes()).ok().unwrap();
        let (found, problems) = objects(&documents);
        let seen: Vec<_> = found
            .iter()
            .map(|object| {
                (object.kind, object.group, object.place.get("metadata").get("name").text().unwrap().unwrap())
            })
            .collect();
        let pod = |name| ("Pod", "", name);
        assert_eq!(
            seen,
            [pod("a"), ("Node", "x", "b"), ("PodGroup", "scheduling.volcano.sh", "g"), pod("c"), pod("d")]
        );
        assert_eq!(problems.iter().map(|problem| problem.line).collect::<Vec<_>>(), [7, 7]);
        assert!(problems[0].what.contains("without `kind`"), "{problems:?}");
    }
}
