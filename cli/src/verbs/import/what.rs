//! Determines what is imported: the kind that the command names, or that the content of the files shows, and the files
//! of a folder.

use super::quotas;
use crate::{
    args::{Import as Args, ImportKind as K},
    exit::Trouble,
    files,
};
use clap::ValueEnum;
use quotree_sim::import::{
    TraceFormat,
    detect::{FileKind, Objects, detect},
    quota::QuotaFormat,
};
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

/// The extensions of the files that are read from a folder.
const ENDINGS: [&str; 3] = ["yaml", "yml", "json"];

/// The deepest nesting of folders.
const MOST_DEPTH: usize = 16;

/// What is imported.
pub(super) enum What {
    /// The file in the arguments, for the importer of its kind.
    One(Args),
    /// The recording of a live scheduler in this folder.
    Recording(PathBuf),
    /// Quota objects of one format in these files, possibly with objects of a cluster.
    Quotas(Args, QuotaFormat, quotas::Files),
}

/// Determines what the arguments request.
///
/// # Errors
/// If a file cannot be read, or is of no use for an import.
pub(super) fn what(given: &Args) -> Result<What, Trouble> {
    if let Some(folder) = &given.from_recording {
        let only = given.what.iter().all(|what| what.as_os_str() == "kubernetes");
        let hint = "`--from-recording DIR` goes with `quotree import kubernetes`, and with no other file";
        return if only { Ok(What::Recording(folder.clone())) } else { Err(Trouble::invalid(hint)) };
    }
    let (kind, paths) = split(given)?;
    let is_recording =
        |path: &PathBuf| quotree_record::folder::segments(path).is_ok_and(|segments| !segments.is_empty());
    if (given.from.is_some() || given.to.is_some()) && !paths.iter().all(is_recording) {
        return Err(Trouble::invalid("--from and --to choose a part of a recording: `--from-recording DIR`"));
    }
    if let [path] = paths.as_slice()
        && kind.is_none_or(|kind| kind == K::Kubernetes)
        && is_recording(path)
    {
        return Ok(What::Recording(path.clone()));
    }
    let mut args = given.clone();
    let [path] = paths.as_slice() else { return several(args, kind, &paths, Vec::new()) };
    args.file.clone_from(path);
    args.kind = kind;
    match kind {
        // A folder of series is read by its own importer.
        Some(K::HeliosDemand) => return Ok(What::One(args)),
        _ if path.is_dir() => {
            let (found, skipped) = of_folder(path)?;
            let is_series = |path: &PathBuf| {
                let bytes = files::bytes(path).unwrap_or_default();
                detect(&bytes) == Some(FileKind::Trace(TraceFormat::HeliosDemand))
            };
            if kind.is_none() && found.is_empty() && !skipped.is_empty() && skipped.iter().all(is_series) {
                return Ok(What::One(Args { kind: Some(K::HeliosDemand), ..args }));
            }
            if found.is_empty() {
                let hint =
                    "a folder is read as a set of YAML and JSON files; name the file, or the kind before the folder";
                return Err(Trouble::invalid(format!("`{}` contains no file with objects; {hint}", path.display())));
            }
            return several(args, kind, &found, skipped);
        }
        _ => {}
    }
    let bytes = bytes(path)?;
    let found = detect(&bytes);
    let quotas = |args, format, objects| {
        Ok(What::Quotas(args, format, quotas::Files::one(path.clone(), bytes.clone(), objects)))
    };
    if let (Some(kind), Some(FileKind::Mixed(mixed))) = (kind, &found)
        && let Some(format) = one_of(kind, mixed)
    {
        return quotas(args, format, Objects::default());
    }
    match (kind, found) {
        (None, Some(FileKind::Quotas(QuotaFormat::ElasticQuotaTree, objects))) if objects.is_dump() => {
            Ok(What::One(Args { kind: Some(K::Kubernetes), ..args }))
        }
        (Some(kind), Some(FileKind::Quotas(format, objects))) if formats(kind).contains(&format) => {
            quotas(args, format, objects)
        }
        (None, Some(FileKind::Quotas(format, objects))) => quotas(args, format, objects),
        (None, Some(FileKind::Trace(format))) => Ok(What::One(Args { kind: Some(of_trace(format)), ..args })),
        (None, Some(FileKind::Cluster(objects))) if objects.is_dump() => {
            Ok(What::One(Args { kind: Some(K::Kubernetes), ..args }))
        }
        (None, Some(other)) => Err(refused(path, &other)),
        (None, None) => Err(unknown(path)),
        // What the content does not show, the named importer tells.
        (Some(kind), found) => match formats(kind) {
            [format, ..] if found.is_none() || !has_trace(kind) => match found {
                Some(other) => Err(wrong(path, kind, &other)),
                None => quotas(args, *format, Objects::default()),
            },
            _ => Ok(What::One(args)),
        },
    }
}

/// The error that the content of a file does not match the kind in the arguments, if so.
pub(super) fn mismatch(args: &Args) -> Option<Trouble> {
    let kind = args.kind?;
    let found = detect(&files::bytes(&args.file).ok()?)?;
    let fits = match &found {
        FileKind::Trace(format) => of_trace(*format) == kind,
        FileKind::Cluster(objects) => kind == K::Kubernetes && objects.is_dump(),
        FileKind::Quotas(QuotaFormat::ElasticQuotaTree | QuotaFormat::ElasticQuota, objects) => {
            kind == K::Kubernetes && objects.is_dump()
        }
        _ => false,
    };
    (!fits).then(|| wrong(&args.file, kind, &found))
}

/// The kind and the files that the arguments name.
fn split(args: &Args) -> Result<(Option<K>, Vec<PathBuf>), Trouble> {
    let mut paths = args.what.clone();
    let first = paths.first().and_then(|first| first.to_str()).unwrap_or_default().to_owned();
    let named = K::from_str(&first, false).ok();
    if let [path] = paths.as_slice() {
        if files::is_standard(path) {
            return Ok((None, paths));
        }
        let missing = named.filter(|_| !Path::new(&first).exists());
        return match missing {
            Some(_) => Err(Trouble::invalid(format!("`import {first}` needs a file: `quotree import {first} FILE`"))),
            None => Ok((None, paths)),
        };
    }
    match named {
        Some(kind) => Ok((Some(kind), paths.split_off(1))),
        None if Path::new(&first).exists() => Ok((None, paths)),
        None => {
            let kinds: Vec<String> = K::value_variants().iter().map(|kind| name(*kind)).collect();
            let kinds = kinds.join(", ");
            Err(Trouble::invalid(format!("`{first}` is neither a file nor a kind; kinds are {kinds}")))
        }
    }
}

/// The name of a kind on the command line.
pub(super) fn name(kind: K) -> String {
    kind.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
}

/// The formats of quota objects that a kind reads.
const fn formats(kind: K) -> &'static [QuotaFormat] {
    match kind {
        K::ElasticQuotaTree => &[QuotaFormat::ElasticQuotaTree],
        K::ElasticQuota => &[QuotaFormat::ElasticQuota],
        K::Kueue => &[QuotaFormat::Kueue],
        K::Kai => &[QuotaFormat::Kai],
        K::Volcano => &[QuotaFormat::Volcano],
        K::Yunikorn => &[QuotaFormat::Yunikorn],
        K::Yarn => &[QuotaFormat::Yarn],
        K::Slurm => &[QuotaFormat::Slurm],
        _ => &[],
    }
}

/// The format that a kind reads, out of these.
fn one_of(kind: K, mixed: &BTreeSet<QuotaFormat>) -> Option<QuotaFormat> {
    formats(kind).iter().copied().find(|format| mixed.contains(format))
}

/// Whether a kind that reads quota objects also reads traces.
const fn has_trace(kind: K) -> bool {
    matches!(kind, K::Kueue | K::Kai | K::Slurm)
}

/// The kind of a trace.
const fn of_trace(format: TraceFormat) -> K {
    match format {
        TraceFormat::Philly => K::Philly,
        TraceFormat::Helios => K::Helios,
        TraceFormat::HeliosDemand => K::HeliosDemand,
        TraceFormat::Acme => K::Acme,
        TraceFormat::Muri => K::Muri,
        TraceFormat::Openb => K::Openb,
        TraceFormat::Pai => K::Pai,
        TraceFormat::Swf => K::Swf,
        TraceFormat::Kueue => K::Kueue,
        TraceFormat::Kai => K::Kai,
        TraceFormat::Armada => K::Armada,
        TraceFormat::Slurm => K::Slurm,
        TraceFormat::Kubernetes => K::Kubernetes,
        _ => K::Native,
    }
}

/// Combines several files into one import: all of them must have objects, of one scheduler and possibly of a cluster.
fn several(args: Args, kind: Option<K>, paths: &[PathBuf], mut skipped: Vec<PathBuf>) -> Result<What, Trouble> {
    let mut files = quotas::Files::default();
    let mut formats = kind.map(formats).unwrap_or_default().to_vec();
    let mut refused = Vec::new();
    for path in paths {
        let bytes = bytes(path)?;
        match detect(&bytes) {
            Some(FileKind::Quotas(format, objects)) if kind.is_none() || formats.contains(&format) => {
                if !formats.contains(&format) {
                    formats.push(format);
                }
                files.add(path.clone(), bytes, objects);
            }
            Some(FileKind::Cluster(objects)) => files.add(path.clone(), bytes, objects),
            Some(FileKind::Mixed(mixed)) if kind.is_some_and(|kind| one_of(kind, &mixed).is_some()) => {
                files.add(path.clone(), bytes, Objects::default());
            }
            // With a kind that was named, the queues of other schedulers are not meant.
            Some(FileKind::Quotas(..)) if !formats.is_empty() && kind.is_some() => skipped.push(path.clone()),
            Some(other) => refused.push(format!("`{}` is {other}", path.display())),
            // A file that is broken must be reported, not passed over.
            None if is_text(path) => files.add(path.clone(), bytes, Objects::default()),
            None => skipped.push(path.clone()),
        }
    }
    if let Some(first) = refused.first() {
        let more = if refused.len() > 1 { format!(", and {} more files", refused.len() - 1) } else { String::new() };
        let hint = "several files can be imported together only if each has quota objects of the same scheduler, or objects of a cluster";
        return Err(Trouble::invalid(format!("{first}{more}; {hint}")));
    }
    files.skipped = skipped;
    match formats.as_slice() {
        [format] => Ok(What::Quotas(args, *format, files)),
        [] => Err(Trouble::invalid(format!(
            "no quota objects in {} files{}",
            paths.len(),
            if files.is_dump() { "; import the dump with `quotree import kubernetes FILE`" } else { "" }
        ))),
        _ => {
            let names: Vec<&str> = formats.iter().map(|format| format.what()).collect();
            Err(Trouble::invalid(format!(
                "the files have quotas of several schedulers ({}); a scenario has one tree: name the kind, as in `quotree \
                 import volcano FOLDER`",
                names.join(", ")
            )))
        }
    }
}

/// The files of a folder that may contain objects, and the other files.
fn of_folder(folder: &Path) -> Result<(Vec<PathBuf>, Vec<PathBuf>), Trouble> {
    let (mut found, mut others) = (Vec::new(), Vec::new());
    search(folder, 0, &mut found, &mut others)?;
    if let ([], [only]) = (found.as_slice(), others.as_slice()) {
        return Ok((vec![only.clone()], Vec::new()));
    }
    Ok((found, others))
}

fn search(folder: &Path, depth: usize, found: &mut Vec<PathBuf>, others: &mut Vec<PathBuf>) -> Result<(), Trouble> {
    let cannot = |error: std::io::Error| Trouble::invalid(format!("cannot read `{}`: {error}", folder.display()));
    let entries: Result<Vec<_>, _> = std::fs::read_dir(folder).map_err(cannot)?.collect();
    let mut entries = entries.map_err(cannot)?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        let kind = entry.file_type().map_err(cannot)?;
        match () {
            () if entry.file_name().to_string_lossy().starts_with('.') => {}
            () if kind.is_dir() && depth < MOST_DEPTH => search(&path, depth + 1, found, others)?,
            () if is_text(&path) => found.push(path),
            () => others.push(path),
        }
    }
    Ok(())
}

/// Whether a file has an extension of YAML or JSON.
fn is_text(path: &Path) -> bool {
    let name = path.to_string_lossy();
    let name = name.trim_end_matches(".gz");
    ENDINGS.iter().any(|ending| name.ends_with(&format!(".{ending}")))
}

fn bytes(path: &Path) -> Result<Vec<u8>, Trouble> {
    files::bytes(path).map_err(|why| Trouble::invalid(format!("cannot read `{}`: {why}", path.display())))
}

/// The error for a file that no importer reads.
fn refused(path: &Path, kind: &FileKind) -> Trouble {
    let path = path.display();
    Trouble::invalid(match kind {
        FileKind::Scenario => format!("`{path}` is a scenario already; run it with `quotree run {path}`"),
        FileKind::Other { what, advice } => format!("`{path}` is {what}; {advice}"),
        FileKind::Mixed(_) => format!("`{path}` has {kind}; name the one to read, as in `quotree import kueue {path}`"),
        kind => format!("`{path}` has {kind}, and no pods, nodes or quotas"),
    })
}

/// The error for a file of another kind than the one in the arguments.
fn wrong(path: &Path, kind: K, found: &FileKind) -> Trouble {
    let (shown, kind) = (path.display(), name(kind));
    match found {
        FileKind::Cluster(objects) if !objects.is_dump() => refused(path, found),
        FileKind::Trace(_) | FileKind::Quotas(..) | FileKind::Cluster(_) => Trouble::invalid(format!(
            "`{shown}` is {found}, which `import {kind}` does not read; `quotree import {shown}` does"
        )),
        found => refused(path, found),
    }
}

/// The error for a file whose kind cannot be determined.
fn unknown(path: &Path) -> Trouble {
    let shown = path.display();
    if let Some(trouble) = quotas::syntax_errors(path) {
        return trouble;
    }
    Trouble::invalid(format!(
        "`{shown}`: cannot tell what it is; name its kind, as in `quotree import swf {shown}` (`quotree import --help` \
         lists them)"
    ))
}
