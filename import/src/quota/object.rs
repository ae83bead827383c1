//! Kubernetes objects in files: documents, or the items of lists, in either notation.

use crate::yaml::{Node, Value, find, is_null, scalar};
use quotree_syntax::Span;

/// The documents of one file.
#[derive(Clone, Copy)]
pub(super) struct File<'n> {
    /// The index of the file.
    pub(super) source: u32,
    pub(super) documents: &'n [Node],
}

/// An object.
#[derive(Clone, Copy)]
pub(super) struct Object<'n> {
    pub(super) node: &'n Node,
    /// The index of its file.
    pub(super) source: u32,
    pub(super) kind: &'n str,
    /// The part of `apiVersion` before the `/`; empty for the core group.
    pub(super) group: &'n str,
    /// `metadata.name`; may be empty.
    pub(super) name: &'n str,
    /// `metadata.namespace`; may be empty.
    pub(super) namespace: &'n str,
    /// The place of the name, or of the object.
    pub(super) at: Span,
}

impl<'n> Object<'n> {
    /// A field of `spec`.
    pub(super) fn spec(&self, field: &str) -> Option<&'n Node> {
        find(self.node, "spec").and_then(|spec| find(spec, field)).filter(|node| !is_absent(node))
    }

    /// The text of a label.
    pub(super) fn label(&self, name: &str) -> Option<(&'n str, Span)> {
        self.mark("labels", name)
    }

    /// The text of an annotation.
    pub(super) fn annotation(&self, name: &str) -> Option<(&'n str, Span)> {
        self.mark("annotations", name)
    }

    fn mark(&self, field: &str, name: &str) -> Option<(&'n str, Span)> {
        let node = find(find(find(self.node, "metadata")?, field)?, name)?;
        Some((scalar(node)?, Span::new(self.source, node.span.clone())))
    }
}

fn is_absent(node: &Node) -> bool {
    scalar(node).is_some_and(is_null)
}

/// All objects of the files that have a kind.
pub(super) fn objects<'n>(files: &[File<'n>]) -> Vec<Object<'n>> {
    let mut found = Vec::new();
    for file in files {
        for document in file.documents {
            gather(document, file.source, None, &mut found);
        }
    }
    found
}

/// Collects the object at this node or, if the node is a list, its items. `inherited` is the kind and the apiVersion
/// that the items of a typed list leave out.
fn gather<'n>(node: &'n Node, source: u32, inherited: Option<(&'n str, &'n str)>, found: &mut Vec<Object<'n>>) {
    let text = |field: &str| find(node, field).and_then(scalar).filter(|text| !is_null(text));
    let (kind, version) = match (text("kind"), inherited) {
        (Some(kind), _) => (kind, text("apiVersion").unwrap_or_default()),
        (None, Some(inherited)) => inherited,
        (None, None) => return,
    };
    let group = version.split_once('/').map_or("", |(group, _)| group);
    if let Some(of) = kind.strip_suffix("List") {
        let items = match find(node, "items").map(|items| &items.value) {
            Some(Value::List(items)) => items.as_slice(),
            _ => &[],
        };
        let inherited = (!of.is_empty()).then_some((of, version));
        return items.iter().for_each(|item| gather(item, source, inherited, found));
    }
    let metadata = |field: &str| find(node, "metadata").and_then(|metadata| find(metadata, field));
    let name = metadata("name");
    let at = name.unwrap_or(node);
    let span = Span::new(source, at.span.clone());
    let text = |node: Option<&'n Node>| node.and_then(scalar).filter(|text| !is_null(text)).unwrap_or_default();
    let (name, namespace) = (text(name), text(metadata("namespace")));
    found.push(Object { node, source, kind, group, name, namespace, at: span });
}
