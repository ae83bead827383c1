//! An ElasticQuotaTree manifest as a scenario: the tree on a pool of the guaranteed size, without workloads.

use super::draft::{Draft, map};
use crate::{
    args::Import as Args,
    exit::{Exit, Trouble},
    snippets,
    terminal::Terminal,
    verbs::validate,
};
use quotree_core::{Amounts, TreeSpec};

pub(super) fn scenario(args: &Args, terminal: Terminal) -> Result<String, Trouble> {
    let checked = validate::manifest(&args.file)?;
    let drawn = snippets::draw(&checked.diagnostics, &checked.sources, terminal.colour_errors);
    let Some(tree) = checked.tree else { return Err(Trouble { exit: Exit::Invalid, message: drawn }) };
    if !drawn.is_empty() {
        terminal.complain(&drawn);
    }
    let size = size(&tree);
    let draft = Draft {
        name: "elastic-quota-tree".to_owned(),
        about: "The quota tree of a cluster, on a pool of the guaranteed size.".to_owned(),
        policy: None,
        until_ms: None,
        cluster: vec![format!("Pool({})", map(&size))],
        tree,
        workloads: Vec::new(),
        events: Vec::new(),
    };
    Ok(draft.text("// Add workloads to `workloads`, and replace the pool with nodes if placement matters.\n"))
}

/// The max of the root; for a resource that it does not limit, the sum of the max of the leaves.
fn size(tree: &TreeSpec) -> Amounts {
    let mut size = Amounts::new();
    for quota in &tree.quotas {
        for (name, amount) in quota.max.iter().chain(quota.min.iter()) {
            let seen = size.get(name.as_str()).unwrap_or(0);
            size.set(name.clone(), seen.max(amount));
        }
    }
    if let Some(root) = tree.quotas.iter().find(|quota| quota.parent.is_none()) {
        for (name, amount) in root.max.iter() {
            size.set(name.clone(), amount);
        }
    }
    size
}
