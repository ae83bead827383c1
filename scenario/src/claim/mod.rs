//! `expect: [..]`: claims. Each states what must hold, and when. Every name in it is checked.

mod check;
mod compared;
mod summary;
mod usage;
mod what;
mod whose;

pub(crate) use check::Known;
pub(crate) use what::What;
pub(crate) use whose::Whose;

use crate::files::Files;
use check::Checking;
use quotree_core::Time;
use quotree_model::{Claim as Checked, Predicate as CheckedWhat, When};
use quotree_syntax::{At as Placed, Node, Positive, Read, Report, Shape, Span, Struct, group, record};
use std::collections::BTreeSet;

group! {
    /// Entries of `expect`: what must hold, and when. `StableFor` is evaluated at the end.
    pub(crate) enum Claim in "claim", "a claim wrapper" { At, Final, Always, Never, Eventually, Within, StableFor }
}

record! {
    /// The claim holds at a time, after all events of that time.
    pub(crate) struct At(time, claim) in "claim" {
        /// The time.
        time: Time => required,
        claim: Claimed => embedded,
    }
}

record! {
    /// The claim holds at the end.
    pub(crate) struct Final(claim) in "claim" {
        claim: Claimed => embedded,
    }
}

record! {
    /// The claim holds after every event.
    pub(crate) struct Always(claim) in "claim" {
        claim: Claimed => embedded,
    }
}

record! {
    /// The claim holds after no event.
    pub(crate) struct Never(claim) in "claim" {
        claim: Claimed => embedded,
    }
}

record! {
    /// The claim holds after some event, no later than this time.
    pub(crate) struct Eventually(claim, by) in "claim" {
        /// The latest time.
        by: Time => required,
        claim: Claimed => embedded,
    }
}

record! {
    /// The claim holds after every event between two times.
    pub(crate) struct Within(from, to, claim) in "claim" {
        /// From this time on.
        from: Time => required,
        /// Until this time.
        to: Time => required,
        claim: Claimed => embedded,
    }
}

record! {
    /// No pod was bound or evicted for this long before the end.
    pub(crate) struct StableFor(time) in "claim" {
        /// How long nothing changed.
        time: Positive => required,
        entry: Entry => embedded,
    }
}

record! {
    /// What must hold, for claims that state it.
    pub(crate) struct Claimed {
        /// What must hold.
        claim: What => required,
        entry: Entry => embedded,
    }
}

record! {
    /// The fields of every entry of `expect`.
    pub(crate) struct Entry {
        /// Why, in the author's words.
        because: String => "absent",
        /// Whether the claim may hold although there is nothing to evaluate: no pods, no workload, or nothing to
        /// compare. Otherwise it fails as vacuous.
        allow_empty: bool = false,
        /// The name by which `extends` replaces an entry.
        name: Placed<String> => "absent",
    }
}

impl Claim {
    /// The fields of every entry, and what must hold. `StableFor` states the latter by its own fields.
    fn parts(&self) -> (&Entry, Option<&What>) {
        match self {
            Self::At(At { claim, .. })
            | Self::Final(Final { claim, .. })
            | Self::Always(Always { claim, .. })
            | Self::Never(Never { claim, .. })
            | Self::Eventually(Eventually { claim, .. })
            | Self::Within(Within { claim, .. }) => (&claim.entry, claim.claim.as_ref()),
            Self::StableFor(stable) => (&stable.entry, None),
        }
    }

    fn when(&self, span: Span, report: &mut Report) -> Option<When> {
        Some(match self {
            Self::At(at) => When::At(at.time?),
            Self::Final(_) | Self::StableFor(_) => When::Final,
            Self::Always(_) => When::Always,
            Self::Never(_) => When::Never,
            Self::Eventually(eventually) => When::Eventually(eventually.by?),
            Self::Within(within) => {
                let (from, to) = (within.from?, within.to?);
                if from > to {
                    report.error(span, "the time span ends before it starts", "from must be at most to");
                    return None;
                }
                When::Within(from, to)
            }
        })
    }
}

/// Reads and checks all claims.
pub(crate) fn check(items: &[&Node], known: &Known<'_>, files: &mut Files<'_>, report: &mut Report) -> Vec<Checked> {
    let mut names: BTreeSet<String> = BTreeSet::new();
    let mut claims = Vec::new();
    for node in items {
        let Some(claim) = Claim::read(node, report) else { continue };
        let (Entry { name, .. }, _) = claim.parts();
        if let Some(name) = name.as_ref().filter(|name| !names.insert(name.value.clone())) {
            report.error(name.span, format!("duplicate claim `{}`", name.value), "this name is already used");
        }
        claims.extend(one(node, &claim, known, files, report));
    }
    claims
}

fn one(node: &Node, claim: &Claim, known: &Known<'_>, files: &mut Files<'_>, report: &mut Report) -> Option<Checked> {
    let when = claim.when(node.span, report);
    let (entry, what) = claim.parts();
    let what = match claim {
        Claim::StableFor(stable) => stable.time.map(|ms| CheckedWhat::StableFor { ms: ms.0 }),
        _ => what.and_then(|what| Checking { known, files, report }.what(what)),
    };
    let line = files.line(node.span);
    let (because, allow_empty) = (entry.because.clone(), entry.allow_empty);
    Some(Checked { text: text(node), line, because, allow_empty, when: when?, what: what? })
}

/// The claim on one line, without the fields that are absent.
fn text(node: &Node) -> String {
    let mut node = node.clone();
    if let Shape::Struct(Struct { fields, .. }) = &mut node.shape {
        fields.retain(|(name, _)| name.text != "because" && name.text != "name");
    }
    node.to_string()
}
