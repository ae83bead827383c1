//! Parts of a quota tree or of a pool in a file that extends another. `quota` and `cluster` replace those of the base as
//! a whole, so a part alone is a mistake: `set` is what changes one quota or one pool.

use quotree_syntax::{Node, Report, Shape};

/// Whether `quota` is only a part of a tree: a list of quotas, or a quota without children and namespaces that is inside
/// the tree of the base. Reports it.
pub(crate) fn is_of_tree(tree: &Node, base: Option<&Node>, report: &mut Report) -> bool {
    let quota = match &tree.shape {
        Shape::List(items) => items.first(),
        // Without children and namespaces no pod could use it.
        _ => Some(tree).filter(|_| field(tree, "children").is_none() && field(tree, "namespaces").is_none()),
    };
    let name = quota.and_then(name_of);
    let is_list = matches!(tree.shape, Shape::List(_));
    let is_inner = || name.is_some_and(|name| base.is_some_and(|base| has_below(base, name)));
    if !is_list && !is_inner() {
        return false;
    }
    let title = "`quota` replaces the whole tree of the base, and this is a part of one";
    let path = example("quota", name.unwrap_or("NAME"), "max.cpu=12");
    report.error(tree.span, title, "not a tree").help(format!("to change one quota: {path}"));
    true
}

/// Whether `cluster` has a pool of the base with some of its fields only. Reports each.
pub(crate) fn are_of_pools(cluster: &[&Node], base: &[&Node], report: &mut Report) -> bool {
    let is_pool = |node: &Node| matches!(&node.shape, Shape::Struct(body) if body.name.as_ref().is_none_or(|name| name.text == "NodePool"));
    let mut found = false;
    for pool in cluster.iter().filter(|node| is_pool(node) && field(node, "allocatable").is_none()) {
        let Some(name) = name_of(pool).filter(|name| base.iter().any(|node| name_of(node) == Some(name))) else {
            continue;
        };
        let title = "`cluster` replaces all pools of the base, and this one lacks `allocatable`";
        let path = example("cluster", name, "count=5");
        report.error(pool.span, title, "a part of a pool").help(format!("to change one pool: {path}"));
        found = true;
    }
    found
}

fn example(list: &str, name: &str, rest: &str) -> String {
    format!("`set: [\"{list}.{name}.{rest}\"]`")
}

fn field<'n>(node: &'n Node, name: &str) -> Option<&'n Node> {
    let Shape::Struct(body) = &node.shape else { return None };
    body.fields.iter().find(|(ident, _)| ident.text == name).map(|(_, value)| value)
}

fn name_of(node: &Node) -> Option<&str> {
    match &field(node, "name")?.shape {
        Shape::String(text) | Shape::Word(text) | Shape::Number(text) => Some(text),
        _ => None,
    }
}

/// Whether a quota of this name is below this one. Brackets nest only so deep, and so does this.
fn has_below(tree: &Node, name: &str) -> bool {
    let Some(Shape::List(children)) = field(tree, "children").map(|node| &node.shape) else { return false };
    children.iter().any(|child| name_of(child) == Some(name) || has_below(child, name))
}
