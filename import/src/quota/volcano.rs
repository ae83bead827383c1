//! `Queue` of Volcano. `deserved` is what a queue may reclaim from others, so it is the min. `guarantee` is reserved
//! for the queue even when idle, so it is the part of min that is not lent. `capability` is the max.

use super::{
    Draft, QuotaOptions,
    diagnostics::Diagnostics,
    field::{self, Field, becomes, holds, idle, lost, lost_unless},
    forest::{Forest, Root},
    note::Says,
    object::Object,
};
use crate::yaml::find;
use quotree_core::{Amounts, Queueing, QuotaSpec};

const SPEC: &[Field] = &[
    becomes("weight", "`weight`; without `deserved` it does not become a guarantee"),
    becomes("capability", "`max`"),
    becomes("deserved", "`min`"),
    holds("guarantee", &[becomes("resource", "the part of `min` that is not lent (`lend`)")]),
    becomes("parent", "the parent; absent: `root`"),
    becomes("dequeueStrategy", "`queueing: Block` for `fifo`"),
    lost_unless("reclaimable", &["true"], "other queues would never reclaim from this queue"),
    lost_unless("priority", &["0"], "queues of higher priority would be served first"),
    lost("affinity", "its pods would run on these groups of nodes"),
    lost("extendClusters", "its jobs would be sent to these clusters, too"),
    idle("type"),
];

pub(super) const FIELDS: &[(&str, &[Field])] = &[(
    "Queue",
    &[
        idle("apiVersion"),
        idle("kind"),
        holds("metadata", &[becomes("name", "`name`"), idle("*")]),
        holds("spec", SPEC),
        holds("status", &[lost_unless("state", &["Open"], "no new jobs would be accepted"), idle("*")]),
    ],
)];

pub(super) fn read(objects: &[Object<'_>], options: &QuotaOptions, diagnostics: &mut Diagnostics) -> Draft {
    let mut forest = Forest::new("Queue");
    let queues: Vec<&Object<'_>> = objects.iter().filter(|object| object.kind == "Queue").collect();
    let has_root = queues.iter().any(|object| object.name == "root");
    for object in queues {
        diagnostics.source = object.source;
        FIELDS.iter().for_each(|(kind, fields)| field::tell(fields, kind, "", object.node, diagnostics));
        if object.name.is_empty() {
            diagnostics.error(object.at, "a Queue has no `metadata.name`", "");
            continue;
        }
        let parent = diagnostics.text(object.spec("parent"), "parent").filter(|parent| *parent != "root" || has_root);
        let parent = parent.or((has_root && object.name != "root").then_some("root"));
        let mut spec = QuotaSpec::new(object.name, parent);
        let deserved = diagnostics.amounts(object.spec("deserved"), "deserved");
        let kept = object.spec("guarantee").and_then(|guarantee| find(guarantee, "resource"));
        let kept = diagnostics.amounts(kept, "guarantee.resource");
        spec.max = diagnostics.amounts(object.spec("capability"), "capability");
        spec.min = deserved.clone();
        for (name, amount) in kept.iter() {
            spec.min.set(name.clone(), amount.max(deserved.get(name.as_str()).unwrap_or(0)));
        }
        if !kept.is_empty() {
            let lend = spec.min.iter().map(|(name, min)| (name.clone(), min - kept.get(name.as_str()).unwrap_or(0)));
            spec.lend = Some(lend.collect::<Amounts>());
        }
        spec.weight = diagnostics.count(object.spec("weight"), "weight", u64::from(u32::MAX));
        if spec.weight.is_some() && spec.min.is_empty() && object.name != "root" {
            let means = "the proportion plugin would guarantee it a share by weight; here it has no guarantee, and borrows unused capacity by that weight";
            diagnostics.notes.assumed("Queue", Says::Has("a weight and nothing deserved".to_owned()), means, object.at);
        }
        if diagnostics.text(object.spec("dequeueStrategy"), "dequeueStrategy") == Some("fifo") {
            spec.queueing = Queueing::Block;
        }
        forest.add_summing(spec, object.at, diagnostics);
    }
    let root = if has_root { Root::Cluster } else { Root::Above("root") };
    Draft { tree: forest.finish(root, options, diagnostics), ..Draft::default() }
}
