//! Accounts of Slurm, from `sacctmgr dump CLUSTER` or `sacctmgr show associations -P`. An account is a quota: its group
//! limits are its max, and its fair share is its weight. Slurm has no guarantees, so there are no mins. The users of an
//! account are not quotas; their limits are reported.

use super::{
    Draft, QuotaOptions,
    diagnostics::Diagnostics,
    field::{self, Field, becomes, idle, lost, lost_unless},
    forest::{Forest, Root},
    note::Says,
};
use crate::slurm;
use quotree_core::{Amounts, Name, QuotaSpec};
use quotree_syntax::{Source, Span};
use std::collections::{BTreeMap, BTreeSet};

const EACH: &str = "each job would be limited by this";

const USERS: &str = "each user of the account would be limited by this";

const PENDING: &str = "jobs that run or wait would be limited together";

const TIME: &str = "the work of all jobs would be limited by this";

const ACCOUNT: &[Field] = &[
    becomes("Fairshare", "`weight`"),
    becomes("GrpTRES", "`max`"),
    becomes("GrpCPUs", "`max` of cpu"),
    becomes("GrpJobs", "`max_jobs`"),
    lost("GrpNodes", "nodes are not counted"),
    lost("GrpMem", "give memory as GrpTRES"),
    lost("GrpSubmit*", PENDING),
    lost("GrpJobsAccrue", "only this many waiting jobs would gain priority by age"),
    lost("GrpWall", TIME),
    lost("GrpTRESMins", TIME),
    lost("GrpTRESRunMins", TIME),
    lost("GrpCPUMins", TIME),
    lost("GrpCPURunMins", TIME),
    lost("MaxJobsAccrue", USERS),
    lost("MaxJobs", USERS),
    lost("MaxSubmit*", USERS),
    lost("MaxTRES*", EACH),
    lost("MaxCPU*", EACH),
    lost("MaxNodes*", EACH),
    lost("MaxWall*", EACH),
    lost("MinPrioThresh*", "jobs of lower priority would reserve nothing"),
    lost_unless("Priority", &["0"], "its jobs would have this priority"),
    lost_unless("QOS*", &["normal"], "these qualities of service would be allowed"),
    lost_unless("DefaultQOS", &["normal"], "its jobs would have this quality of service"),
    idle("DefQOS"),
    idle("Description"),
    idle("Organization"),
    idle("Flags"),
    idle("Comment"),
    idle("Classification"),
];

const USER: &[Field] = &[
    idle("DefaultAccount"),
    idle("AdminLevel"),
    idle("DefaultWCKey"),
    idle("WCKeys"),
    idle("Coordinator"),
    lost_unless("Fairshare", &["1", "parent"], "the users of an account would share by this"),
    lost_unless("QOS*", &["normal"], "these qualities of service would be allowed"),
    lost_unless("DefaultQOS", &["normal"], "their jobs would have this quality of service"),
    lost_unless("Priority", &["0"], "their jobs would have this priority"),
    lost("Partition", "the limits would hold in this partition only"),
    lost("*", "the user would be limited by this"),
];

pub(super) const FIELDS: &[(&str, &[Field])] =
    &[("account", ACCOUNT), ("user", USER), ("job (`sacct -P`)", crate::sacct::COLUMNS)];

/// The account above all others.
const ROOT: &str = "root";

/// An account, or a user of an account.
struct Entry<'t> {
    account: &'t str,
    /// The user; empty for the account itself.
    user: &'t str,
    /// The parent of an account.
    parent: &'t str,
    options: Vec<(&'t str, &'t str, Span)>,
    at: Span,
}

pub(super) fn read(sources: &[Source], options: &QuotaOptions, diagnostics: &mut Diagnostics) -> Draft {
    let mut forest = Forest::new("account");
    let mut entries = Vec::new();
    for (source, file) in (0..).zip(sources) {
        diagnostics.source = source;
        let is_table = file.text.lines().next().is_some_and(|line| line.contains('|'));
        let read = if is_table { table(&file.text, diagnostics) } else { dump(&file.text, diagnostics) };
        entries.extend(read);
    }
    let mut parents: BTreeSet<&str> = BTreeSet::new();
    let mut staffed: BTreeMap<&str, Span> = BTreeMap::new();
    for entry in &entries {
        if entry.user.is_empty() {
            parents.insert(entry.parent);
        } else {
            staffed.entry(entry.account).or_insert(entry.at);
        }
    }
    let at = entries.first().map_or(Span::default(), |entry| entry.at);
    if !entries.iter().any(|entry| entry.account == ROOT && entry.user.is_empty()) && !entries.is_empty() {
        forest.add(QuotaSpec::new(ROOT, None), at, diagnostics);
    }
    for entry in &entries {
        if entry.user.is_empty() {
            let parent = (entry.account != ROOT).then_some(if entry.parent.is_empty() { ROOT } else { entry.parent });
            let mut spec = QuotaSpec::new(entry.account, parent);
            account(entry, &mut spec, options, diagnostics);
            if !parents.contains(entry.account) && entry.account != ROOT {
                spec.namespaces.push(entry.account.into());
            }
            forest.add(spec, entry.at, diagnostics);
        } else {
            for (name, value, span) in &entry.options {
                field::tell_text(USER, "user", (name, value), *span, diagnostics);
            }
        }
    }
    // A quota with children has no namespace, so the jobs of its own users get a leaf beside the children.
    for (account, at) in staffed.iter().filter(|(account, _)| parents.contains(**account) && **account != ROOT) {
        let mut spec = QuotaSpec::new(&format!("{account}-users"), Some(account));
        spec.namespaces.push(Name::from(*account));
        forest.add(spec, *at, diagnostics);
        let means = "they use a quota of their own below it";
        diagnostics.notes.assumed("account", Says::Has("users and accounts below it".to_owned()), means, *at);
    }
    if forest.is_empty() && diagnostics.report.errors() == 0 {
        diagnostics.error(
            Span::new(0, 0..0),
            "no account: expected lines such as `Account - 'physics':Fairshare=10`",
            "",
        );
    } else {
        let means =
            "a fair share orders jobs and promises nothing, so no quota has a min; add mins where you want guarantees";
        diagnostics.notes.assumed("tree", Says::Has("no guarantees".to_owned()), means, at);
    }
    Draft { tree: forest.finish(Root::Cluster, options, diagnostics), ..Draft::default() }
}

/// The limits of an account.
fn account(entry: &Entry<'_>, spec: &mut QuotaSpec, options: &QuotaOptions, diagnostics: &mut Diagnostics) {
    for (name, value, span) in &entry.options {
        field::tell_text(ACCOUNT, "account", (name, value), *span, diagnostics);
        match *name {
            // -1 clears a limit.
            _ if value.is_empty() || *value == "-1" => {}
            "Fairshare" if *value == "parent" => {
                let means = "its users would compete directly with the users of its parent";
                diagnostics.notes.lost("account", Says::Sets("Fairshare=parent".to_owned()), means, *span);
            }
            "Fairshare" => match value.parse() {
                Ok(weight) => spec.weight = Some(weight),
                Err(_) => diagnostics.mistake(*span, format!("`{value}` is not a fair share; expected a whole number")),
            },
            "GrpJobs" => match value.parse() {
                Ok(jobs) => spec.max_jobs = Some(jobs),
                Err(_) => diagnostics.mistake(*span, format!("`{value}` is not a number of jobs")),
            },
            "GrpTRES" => limit(value, *span, spec, options, diagnostics),
            "GrpCPUs" => limit(&format!("cpu={value}"), *span, spec, options, diagnostics),
            _ => {}
        }
    }
}

fn limit(text: &str, span: Span, spec: &mut QuotaSpec, options: &QuotaOptions, diagnostics: &mut Diagnostics) {
    match slurm::tres(text, &options.gpu) {
        Ok(tres) => {
            let max: Amounts = spec.max.iter().chain(tres.amounts.iter()).map(|(n, a)| (n.clone(), a)).collect();
            spec.max = max;
            if tres.typed {
                let means = "GPUs of one model would be limited; here all GPUs are";
                diagnostics.notes.lost("account", Says::Sets("GrpTRES of gres/gpu:MODEL".to_owned()), means, span);
            }
            for other in tres.others.into_iter().chain(tres.nodes.map(|_| "node")) {
                let means = "quotree does not count it";
                diagnostics.notes.lost("account", Says::Sets(format!("GrpTRES of {other}")), means, span);
            }
        }
        Err(what) => diagnostics.mistake(span, what),
    }
}

/// Lines of a text with the place of each.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.split('\n').scan(0, |start, line| {
        let at = *start;
        *start += line.len() + 1;
        Some((at, line.trim_end_matches('\r')))
    })
}

/// `sacctmgr dump`: `Account - 'name':Option=value:..`, below the last `Parent - 'name'`.
fn dump<'t>(text: &'t str, diagnostics: &mut Diagnostics) -> Vec<Entry<'t>> {
    let mut entries = Vec::new();
    let mut parent = ROOT;
    for (start, line) in lines(text).filter(|(_, line)| !line.trim().is_empty() && !line.trim().starts_with('#')) {
        let at = diagnostics.span(&(start..start + line.len()));
        let Some((kind, rest)) = line.split_once(" - ") else {
            diagnostics.error(at, "not a line of `sacctmgr dump`", "expected `Account - 'name':Option=value`");
            continue;
        };
        let mut parts = parts(rest, start + kind.len() + 3).into_iter();
        let name = parts.next().map(|(_, name)| unquoted(name)).unwrap_or_default();
        if name.is_empty() {
            diagnostics.error(at, format!("`{}` without a name", kind.trim()), "");
            continue;
        }
        let mut options = Vec::new();
        for (place, part) in parts.filter(|(_, part)| !part.is_empty()) {
            let span = diagnostics.span(&(place..place + part.len()));
            match part.split_once('=') {
                Some((key, value)) => options.push((key.trim_end_matches(['+', '-']), unquoted(value), span)),
                None => diagnostics.mistake(span, format!("`{part}` is not of the form `Option=value`")),
            }
        }
        match kind.trim() {
            "Parent" => parent = name,
            "Cluster" => entries.push(Entry { account: ROOT, user: "", parent: "", options, at }),
            "Account" if name == ROOT => {
                if let Some(root) = entries.iter_mut().find(|entry: &&mut Entry<'_>| entry.account == ROOT) {
                    root.options.extend(options);
                }
            }
            "Account" => entries.push(Entry { account: name, user: "", parent, options, at }),
            "User" => entries.push(Entry { account: parent, user: name, parent: "", options, at }),
            "QOS" => diagnostics.skipped("QOS", "a quality of service would have limits and a priority of its own", at),
            "TRES" => {}
            other => diagnostics.mistake(at, format!("`{other}` is not a line of `sacctmgr dump`")),
        }
    }
    entries
}

/// The parts between colons, each with its place. A colon in quotes, in a time or in `gres/gpu:a100` is not a
/// separator.
fn parts(text: &str, start: usize) -> Vec<(usize, &str)> {
    let (mut parts, mut from, mut quoted) = (Vec::new(), 0, false);
    let divides = |from: usize, i: usize| {
        let before = text.get(from..i).and_then(|part| part.rsplit([',', '=']).next()).unwrap_or_default();
        let after = text.get(i + 1..).unwrap_or_default();
        !before.starts_with("gres/") && (after.is_empty() || after.starts_with(|c: char| c.is_alphabetic() || c == ':'))
    };
    for (i, byte) in text.bytes().enumerate() {
        match byte {
            b'\'' => quoted = !quoted,
            b':' if !quoted && divides(from, i) => {
                parts.push((start + from, text.get(from..i).unwrap_or_default()));
                from = i + 1;
            }
            _ => {}
        }
    }
    parts.push((start + from, text.get(from..).unwrap_or_default()));
    parts
}

fn unquoted(text: &str) -> &str {
    let text = text.trim();
    text.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')).unwrap_or(text)
}

/// `sacctmgr show associations -P`: a table with a line for each account and for each of its users.
fn table<'t>(text: &'t str, diagnostics: &mut Diagnostics) -> Vec<Entry<'t>> {
    let mut lines = lines(text);
    let header: Vec<&str> = lines.next().map(|(_, line)| line.split('|').map(str::trim).collect()).unwrap_or_default();
    let column = |name: &str| header.iter().position(|known| known.eq_ignore_ascii_case(name));
    let (account, user) = (column("Account"), column("User"));
    let parent = column("ParentName").or(column("Par Name"));
    let first = diagnostics.span(&(0..text.find('\n').unwrap_or(text.len())));
    let (Some(account), Some(user)) = (account, user) else {
        diagnostics.error(first, "not a table of associations: no columns `Account` and `User`", "");
        return Vec::new();
    };
    if parent.is_none() {
        let means =
            "all accounts are right below the root; export with `format=Account,User,ParentName,Share,GrpTRES,GrpJobs`";
        diagnostics.notes.assumed("table", Says::Has("no column `ParentName`".to_owned()), means, first);
    }
    let mut entries = Vec::new();
    for (start, line) in lines.filter(|(_, line)| !line.trim().is_empty()) {
        let at = diagnostics.span(&(start..start + line.len()));
        let cells: Vec<&str> = line.split('|').collect();
        if cells.len() != header.len() {
            diagnostics.error(at, format!("{} cells, but the header has {} columns", cells.len(), header.len()), "");
            continue;
        }
        let cell = |i: usize| cells.get(i).copied().unwrap_or_default().trim();
        let mut options = Vec::new();
        let mut place = start;
        for (name, value) in header.iter().zip(&cells) {
            let span = diagnostics.span(&(place..place + value.len()));
            place += value.len() + 1;
            let name = match *name {
                "Share" => "Fairshare",
                "Def QOS" => "DefQOS",
                "Cluster" | "Account" | "User" | "ParentName" | "Par Name" | "ParentID" | "ID" | "Lineage" | "" => {
                    continue;
                }
                name => name,
            };
            let value = value.trim();
            if !value.is_empty() {
                options.push((name, value, span));
            }
        }
        let parent = parent.map(cell).unwrap_or_default();
        entries.push(Entry { account: cell(account), user: cell(user), parent, options, at });
    }
    entries
}
