//! What a claim expects, in words and as a value with its unit.

use super::{job_times::JobTime, measure::Seen};
use crate::{
    model::{Compare, DatasetFigure, NodeFigure, Predicate, ShareFigure, When},
    result::ClaimFigure,
};
use quotree_core::Name;
use quotree_syntax::time_text;

/// The expectation in words (`at most 5m`, `2 running, 3 pending`), and its value, where there is one.
pub(super) fn expected(what: &Predicate, when: When) -> (String, Option<ClaimFigure>) {
    let (words, value) = bound(what);
    let words = if matches!(when, When::Never) && !words.is_empty() { format!("never {words}") } else { words };
    (words, value)
}

fn bound(what: &Predicate) -> (String, Option<ClaimFigure>) {
    let text = |words: String| (words, None);
    let counts = |all: &[(Option<u64>, &str)]| {
        let named: Vec<String> = all.iter().filter_map(|(n, what)| Some(format!("{} {what}", (*n)?))).collect();
        text(named.join(", "))
    };
    let number = |count: u128| Seen::Number(count);
    match what {
        Predicate::Pods { running, pending, succeeded, failed, .. } => {
            counts(&[(*running, "running"), (*pending, "pending"), (*succeeded, "succeeded"), (*failed, "failed")])
        }
        Predicate::Instances { submitted, succeeded, failed, active, skipped, .. } => counts(&[
            (*submitted, "submitted"),
            (*succeeded, "succeeded"),
            (*failed, "failed"),
            (*active, "active"),
            (*skipped, "skipped"),
        ]),
        Predicate::Used { resource, compare, amount, .. } | Predicate::Borrowed { resource, compare, amount, .. } => {
            of(*compare, &Seen::Amount(resource.clone(), *amount))
        }
        Predicate::Guaranteed { within_ms: 0 } => text("no leaf below its guarantee".to_owned()),
        Predicate::Guaranteed { within_ms } => {
            text(format!("no leaf below its guarantee for longer than {}", time_text(*within_ms)))
        }
        Predicate::Deadlines { compare, count, .. }
        | Predicate::Evictions { compare, count, .. }
        | Predicate::Bad { compare, count, .. }
        | Predicate::Refused { compare, count, .. } => of(*compare, &number((*count).into())),
        Predicate::Verdict { rule, .. } => text(format!("waits by rule {rule}")),
        Predicate::JobTime { figure, compare, value, .. } => of(*compare, &Seen::JobTime(JobTime::of(*figure, *value))),
        Predicate::Makespan { compare, ms }
        | Predicate::UsedTime { compare, ms, .. }
        | Predicate::LostWork { compare, ms, .. }
        | Predicate::InputWait { compare, ms, .. } => of(*compare, &Seen::Ms((*ms).into())),
        Predicate::Utilisation { compare, permille, .. } => mean(of(*compare, &Seen::Permille(*permille))),
        Predicate::Fairness { compare, permille, .. } => of(*compare, &Seen::Permille(*permille)),
        Predicate::Dataset { figure: Some((figure, compare, value)), .. } => match figure {
            DatasetFigure::Cached | DatasetFigure::HitRatio => of(*compare, &Seen::Permille(*value)),
            DatasetFigure::Rate => of(*compare, &Seen::Text(format!("{value} bytes/s"))),
            DatasetFigure::Saved | DatasetFigure::GpuSaved => of(*compare, &Seen::Ms((*value).into())),
        },
        Predicate::StableFor { ms } => text(format!("no bind or eviction for {}", time_text(*ms))),
        Predicate::Nodes(claim) => {
            let seen = match claim.figure {
                NodeFigure::Time(_) | NodeFigure::Estimate(_) | NodeFigure::Took(_) => Seen::Ms(claim.value),
                NodeFigure::Cost(_) => Seen::Thousandths(claim.value),
                _ => Seen::Number(claim.value),
            };
            of(claim.compare, &seen)
        }
        Predicate::Share(claim) => {
            let amount = |name: &Name| Seen::Amount(name.clone(), i64::try_from(claim.value).unwrap_or(i64::MAX));
            let seen = match &claim.figure {
                ShareFigure::Used(resource) | ShareFigure::Borrowed(resource) => amount(resource),
                ShareFigure::BorrowedTime(_) | ShareFigure::StarvedTime(_) | ShareFigure::Makespan => {
                    Seen::Ms(claim.value)
                }
                ShareFigure::Utilisation(_) => Seen::Permille(u64::try_from(claim.value).unwrap_or(u64::MAX)),
                ShareFigure::Cost => Seen::Thousandths(claim.value),
                _ => Seen::Number(claim.value),
            };
            let bound = of(claim.compare, &seen);
            if matches!(claim.figure, ShareFigure::Utilisation(_)) { mean(bound) } else { bound }
        }
        Predicate::Digest(digest) => text(Seen::Digest(*digest).to_string()),
        Predicate::GangsWhole => text("no gang below its minimum".to_owned()),
        Predicate::CellsFeasible | Predicate::Invariants => text("no violation".to_owned()),
        Predicate::SameAs { file, .. } => text(format!("the outcome of {file}")),
        Predicate::NotWorseThanAlone { permille, .. } => {
            text(format!("at most {} times its mean wait alone", Seen::Thousandths((*permille).into())))
        }
        Predicate::Dataset { bound, .. } => match bound {
            Some(true) => text("Bound".to_owned()),
            Some(false) => text("NotBound".to_owned()),
            None => text(String::new()),
        },
    }
}

fn of(compare: Compare, value: &Seen) -> (String, Option<ClaimFigure>) {
    let word = match compare {
        Compare::Equal => "exactly",
        Compare::AtMost => "at most",
        Compare::AtLeast => "at least",
    };
    (format!("{word} {value}"), value.figure())
}

/// Adds to the words that a figure is a mean over time, which its name alone does not show.
fn mean((words, value): (String, Option<ClaimFigure>)) -> (String, Option<ClaimFigure>) {
    (words + " on average since the start", value)
}
