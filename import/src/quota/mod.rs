//! Readers of deployed quota objects: those of schedulers of Kubernetes, of YARN and of Slurm. Each reader returns a
//! quota tree, and reports what has no place in quotree's model and what it assumed. Mistakes are diagnostics with
//! file, line and column.

mod diagnostics;
mod elastic_quota;
mod elastic_quota_tree;
mod field;
mod forest;
mod kai;
mod kueue;
mod note;
mod object;
mod sacctmgr;
mod volcano;
mod yarn;
mod yunikorn;

pub use field::{Fate, Field};
pub(crate) use field::{becomes, find as find_field, idle, lost, lost_unless};
pub(crate) use note::Notes;
pub use note::{Note, Says};
pub use quotree_k8s::quota::take_max_jobs;

use crate::yaml::Node;
use diagnostics::Diagnostics;
use object::{File, Object};
use quotree_core::{Amounts, Name, OverPromised, TreeSpec};
use quotree_syntax::{Diagnostic, Place, Severity, Source, Span};
use std::collections::BTreeMap;

/// The formats of quota objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum QuotaFormat {
    /// `ElasticQuotaTree` of ACK.
    ElasticQuotaTree,
    /// `ElasticQuota` of scheduler-plugins (flat) and of Koordinator (a tree by labels).
    ElasticQuota,
    /// `ClusterQueue`, `Cohort`, `LocalQueue`, `ResourceFlavor` and `WorkloadPriorityClass` of Kueue.
    Kueue,
    /// `Queue` of KAI.
    Kai,
    /// `Queue` of Volcano.
    Volcano,
    /// `queues.yaml` of YuniKorn.
    Yunikorn,
    /// `capacity-scheduler.xml` of YARN.
    Yarn,
    /// Accounts of Slurm: `sacctmgr dump`, or `sacctmgr show associations -P`.
    Slurm,
}

impl QuotaFormat {
    /// All formats.
    pub const ALL: [Self; 8] = [
        Self::ElasticQuotaTree,
        Self::ElasticQuota,
        Self::Kueue,
        Self::Kai,
        Self::Volcano,
        Self::Yunikorn,
        Self::Yarn,
        Self::Slurm,
    ];

    /// The name of the format in a sentence.
    #[must_use]
    pub const fn what(self) -> &'static str {
        match self {
            Self::ElasticQuotaTree => "an ElasticQuotaTree",
            Self::ElasticQuota => "ElasticQuotas",
            Self::Kueue => "queues of Kueue",
            Self::Kai => "queues of KAI",
            Self::Volcano => "queues of Volcano",
            Self::Yunikorn => "queues of YuniKorn",
            Self::Yarn => "a capacity-scheduler.xml of YARN",
            Self::Slurm => "accounts of Slurm",
        }
    }

    /// For each kind of object of the format: how its fields are handled.
    #[must_use]
    pub const fn fields(self) -> &'static [(&'static str, &'static [Field])] {
        match self {
            Self::ElasticQuotaTree => elastic_quota_tree::FIELDS,
            Self::ElasticQuota => elastic_quota::FIELDS,
            Self::Kueue => kueue::FIELDS,
            Self::Kai => kai::FIELDS,
            Self::Volcano => volcano::FIELDS,
            Self::Yunikorn => yunikorn::FIELDS,
            Self::Yarn => yarn::FIELDS,
            Self::Slurm => sacctmgr::FIELDS,
        }
    }

    /// The format to which objects of this kind and API group belong.
    #[must_use]
    pub fn of(kind: &str, group: &str) -> Option<Self> {
        match (kind, group) {
            ("ElasticQuotaTree", _) => Some(Self::ElasticQuotaTree),
            ("ElasticQuota", _) => Some(Self::ElasticQuota),
            ("ClusterQueue" | "Cohort" | "LocalQueue", "kueue.x-k8s.io" | "") => Some(Self::Kueue),
            ("Queue", "scheduling.run.ai") => Some(Self::Kai),
            ("Queue", "scheduling.volcano.sh") => Some(Self::Volcano),
            _ => None,
        }
    }
}

/// How quota objects are read.
#[derive(Debug, Clone)]
pub struct QuotaOptions {
    /// The resource name for GPUs, in formats without resource names.
    pub gpu: Name,
    /// The size of the cluster, if it is known.
    pub total: Option<Amounts>,
    /// Whether a parent whose children are guaranteed more than it has is an error.
    pub over_promised: OverPromised,
    /// Whether the mins of parents are raised to the sum of their children's.
    pub derive_mins: bool,
}

impl Default for QuotaOptions {
    fn default() -> Self {
        Self { gpu: "nvidia.com/gpu".into(), total: None, over_promised: OverPromised::Error, derive_mins: false }
    }
}

/// The quotas of one file or several, with everything that was noticed while reading them.
#[derive(Debug, Clone, Default)]
pub struct Quotas {
    /// The tree; `None` if there is an error.
    pub tree: Option<TreeSpec>,
    /// Priority classes.
    pub classes: Vec<(Name, i32)>,
    /// The policy settings that are nearest, as scenarios write them, such as `reclaim: Off`.
    pub knobs: Vec<String>,
    /// Notes about settings that have no place in the model, and about assumptions.
    pub notes: Vec<Note>,
    /// Mistakes and oddities in order of place, each with its source.
    pub diagnostics: Vec<Diagnostic>,
    /// The files that the tree was read from. The places of diagnostics refer to them.
    pub sources: Vec<Source>,
    /// Objects of kinds that this reader does not read, by kind.
    pub others: BTreeMap<String, u64>,
}

/// The result of a reader, before positions are converted to places.
#[derive(Debug, Default)]
struct Draft {
    tree: TreeSpec,
    classes: Vec<(Name, i32)>,
    knobs: Vec<String>,
    others: BTreeMap<String, u64>,
}

/// Reads quota objects of one format from one file or several.
///
/// ```
/// use quotree_import::quota::{QuotaFormat, QuotaOptions, read};
/// use quotree_syntax::Source;
/// let text = "apiVersion: scheduling.volcano.sh/v1beta1\nkind: Queue\nmetadata: {name: q}\nspec: {deserved: {cpu: 4}}\n";
/// let source = Source { path: "queue.yaml".into(), text: text.into() };
/// let read = read(QuotaFormat::Volcano, vec![source], &QuotaOptions::default());
/// assert_eq!(read.tree.unwrap().quotas[0].min.get("cpu"), Some(4000));
/// ```
#[must_use]
pub fn read(format: QuotaFormat, sources: Vec<Source>, options: &QuotaOptions) -> Quotas {
    let mut diagnostics = Diagnostics::default();
    let draft = match format {
        QuotaFormat::Yarn => yarn::read(&sources, options, &mut diagnostics),
        QuotaFormat::Slurm => sacctmgr::read(&sources, options, &mut diagnostics),
        _ => {
            let documents: Vec<Vec<Node>> = (0..)
                .zip(&sources)
                .map(|(source, file)| {
                    diagnostics.source = source;
                    diagnostics.documents(&file.text)
                })
                .collect();
            let files: Vec<File<'_>> =
                (0..).zip(&documents).map(|(source, documents)| File { source, documents }).collect();
            of_files(format, &files, &sources, options, &mut diagnostics)
        }
    };
    finish(draft, diagnostics, sources)
}

/// Reads quota objects from the documents of one file, which is source 0. Places have only byte positions.
pub(crate) fn of_documents(format: QuotaFormat, documents: &[Node], options: &QuotaOptions) -> Quotas {
    let mut diagnostics = Diagnostics::default();
    let draft = of_files(format, &[File { source: 0, documents }], &[], options, &mut diagnostics);
    finish(draft, diagnostics, Vec::new())
}

fn finish(draft: Draft, diagnostics: Diagnostics, sources: Vec<Source>) -> Quotas {
    let Diagnostics { report, notes, .. } = diagnostics;
    let diagnostics = report.finish(&sources);
    let usable = diagnostics.iter().all(|diagnostic| diagnostic.severity == Severity::Warning);
    Quotas {
        tree: Some(draft.tree).filter(|tree| usable && !tree.quotas.is_empty()),
        classes: draft.classes,
        knobs: draft.knobs,
        notes: notes.finish(|span| place(&sources, span)),
        diagnostics,
        sources,
        others: draft.others,
    }
}

/// The place of a span as path, line and column.
fn place(sources: &[Source], span: Span) -> Place {
    sources.get(span.source as usize).map_or_else(Place::default, |source| {
        let (line, column) = source.line_column(span.start as usize);
        Place { path: source.path.clone(), line, column }
    })
}

/// Reads the quotas of a format that is written in YAML, and counts the objects of other kinds.
fn of_files(
    format: QuotaFormat,
    files: &[File<'_>],
    sources: &[Source],
    options: &QuotaOptions,
    diagnostics: &mut Diagnostics,
) -> Draft {
    if format == QuotaFormat::Yunikorn {
        return yunikorn::read(files, sources, options, diagnostics);
    }
    let all = object::objects(files);
    let belongs = |object: &&Object<'_>| {
        QuotaFormat::of(object.kind, object.group) == Some(format)
            || (format == QuotaFormat::Kueue && kueue::ALSO.contains(&object.kind))
            || object.kind == "PriorityClass"
    };
    let (own, others): (Vec<Object<'_>>, Vec<Object<'_>>) = all.iter().partition(belongs);
    let mut draft = match format {
        QuotaFormat::ElasticQuotaTree => elastic_quota_tree::read(&own, options, diagnostics),
        QuotaFormat::ElasticQuota => elastic_quota::read(&own, options, diagnostics),
        QuotaFormat::Kueue => kueue::read(&own, options, diagnostics),
        QuotaFormat::Kai => kai::read(&own, options, diagnostics),
        _ => volcano::read(&own, options, diagnostics),
    };
    draft.classes = kueue::classes(&own, diagnostics);
    for object in &others {
        *draft.others.entry(object.kind.to_owned()).or_default() += 1;
    }
    let is_broken = diagnostics.report.errors() > 0;
    if draft.tree.quotas.is_empty() && !is_broken {
        let seen: Vec<String> = draft.others.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
        let seen = if seen.is_empty() { "no object with a kind".to_owned() } else { seen.join(", ") };
        let at = Span::new(0, 0..0);
        diagnostics.error(at, format!("no {}; there is {seen}", kinds(format)), "");
    }
    draft
}

fn kinds(format: QuotaFormat) -> String {
    format.fields().first().map_or_else(String::new, |(kind, _)| (*kind).to_owned())
}
