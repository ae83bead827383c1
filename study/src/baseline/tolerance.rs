//! How far a figure may be from its baseline: `10%`, `+10%`, `1m`, `10% or 1m`, `any`.

use crate::{
    facts::{Key, MEASURES, Unit},
    gate::{
        Bound,
        amount::{decimal, value},
    },
    stats::Observed,
};

/// How far a figure may be from its baseline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tolerance {
    /// As it was written.
    pub(super) text: String,
    /// It is enough to be within one of them; nothing accepts everything.
    terms: Option<Vec<Term>>,
}

/// One of the bounds of a tolerance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Term {
    /// Whether growth is bounded.
    up: bool,
    /// Whether decline is bounded.
    down: bool,
    /// The size of the change, not negative.
    size: Bound,
}

impl Tolerance {
    /// Reads a tolerance of a figure. A term without a sign bounds both directions.
    ///
    /// # Errors
    /// What is wrong, and what to write.
    pub(super) fn parse(key: &Key, text: &str) -> Result<Self, String> {
        let terms = match text.trim() {
            "any" => None,
            text => Some(text.split(" or ").map(|part| Term::parse(key, part.trim())).collect::<Result<_, _>>()?),
        };
        Ok(Self { text: text.trim().to_owned(), terms })
    }

    /// Whether it accepts everything, so that nothing is compared.
    pub(super) const fn accepts_everything(&self) -> bool {
        self.terms.is_none()
    }

    /// Whether a figure is near enough to its baseline. A lower bound may be any larger value, so it is near to another lower bound only.
    pub(super) fn accepts(&self, baseline: Observed, seen: Observed) -> bool {
        let Some(terms) = &self.terms else { return true };
        seen.at_least == baseline.at_least && terms.iter().any(|term| term.accepts(baseline.value, seen.value))
    }
}

impl Term {
    fn parse(key: &Key, text: &str) -> Result<Self, String> {
        let (up, down, amount) = match text.split_at_checked(1) {
            Some(("+", rest)) => (true, false, rest),
            Some(("-", rest)) => (false, true, rest),
            _ => (true, true, text),
        };
        let points = amount.strip_suffix("pp").filter(|_| key.measure().unit == Unit::Permille);
        let size = match (amount.strip_suffix('%'), points) {
            (Some(percent), _) => decimal(percent.trim_end(), 2).map(Bound::Relative),
            (None, Some(points)) => decimal(points.trim_end(), 1).map(Bound::Change),
            (None, None) => value(key, amount).map(Bound::Change),
        };
        let size = size.map_err(|what| {
            format!("`{text}` is no tolerance of `{}` ({what}): write {}", key.name(), expected(key.measure().unit))
        })?;
        Ok(Self { up, down, size })
    }

    fn accepts(self, baseline: i128, seen: i128) -> bool {
        let Some((change, most)) = self.size.sides(Some(baseline), Some(seen)) else { return false };
        (!self.up || change <= most) && (!self.down || -change <= most)
    }
}

/// What a tolerance may be.
const fn expected(unit: Unit) -> &'static str {
    match unit {
        Unit::Count => "`10%`, `+10%` (growth only), `3`, `10% or 3`, or `any`",
        Unit::Ms => "`10%`, `+10%` (growth only), `5m`, `10% or 5m`, or `any`",
        Unit::Permille => "`10%`, `+10%` (growth only), `2pp`, `10% or 2pp`, or `any`",
        Unit::Ratio => "`10%`, `-10%` (decline only), `0.05`, `10% or 0.05`, or `any`",
        Unit::MoneyMilli => "`10%`, `+10%` (growth only), `50`, `10% or 50`, or `any`",
        Unit::UnitSeconds => "`10%`, `+10%` (growth only), `2` (units times hours), `10% or 2`, or `any`",
    }
}

/// The word for the tolerance of figures that have none of their own.
pub(super) const DEFAULT: &str = "default";

/// The names by which a tolerance of a figure may be written, the most exact first: the name and its beginnings, up to a dot, first of
/// the team, then of all; then `default`.
pub(super) fn names(key: &Key) -> Vec<String> {
    let name = key.name();
    let ends = name.match_indices('.').map(|(at, _)| at).chain([name.len()]).collect::<Vec<_>>();
    let parts: Vec<&str> = ends.into_iter().rev().filter_map(|end| name.get(..end)).collect();
    let of_team = key.team.iter().flat_map(|team| parts.iter().map(move |part| format!("{part} of {team}")));
    of_team.chain(parts.iter().map(|part| (*part).to_owned())).chain([DEFAULT.to_owned()]).collect()
}

/// Whether a name stands for several figures: `wait`, which is the beginning of `wait.p95`.
pub(super) fn is_family(name: &str) -> bool {
    MEASURES.iter().any(|known| known.name.strip_prefix(name).is_some_and(|rest| rest.starts_with('.')))
        || MEASURES.iter().any(|known| known.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepts(figure: &str, tolerance: &str, baseline: i128, seen: i128) -> bool {
        let tolerance = Tolerance::parse(&Key::parse(figure).unwrap(), tolerance).unwrap();
        let exact = |value| Observed { value, at_least: false };
        tolerance.accepts(exact(baseline), exact(seen))
    }

    #[test]
    fn tolerances_are_exact_at_their_ends() {
        let rows = [
            ("wait.p95", "10%", 1000, 900..=1100),
            ("wait.p95", "+10%", 1000, 0..=1100),
            ("wait.p95", "-10%", 1000, 900..=9999),
            ("wait.p95", "2s", 5000, 3000..=7000),
            ("wait.p95", "10% or 1s", 5000, 4000..=6000),
            ("wait.p95", "0%", 1000, 1000..=1000),
            ("wait.p95", "10%", 0, 0..=0),
            ("evictions", "10% or 1", 0, 0..=1),
            ("evictions", "0.01%", 10_000, 9_999..=10_001),
            ("evictions", "0.01%", 9_999, 9_999..=9_999),
            ("unfairness", "1.5pp", 100, 85..=115),
            ("unfairness", "50%", 100, 50..=150),
            ("jain", "0.02", 980, 960..=1000),
            ("unmet.nvidia.com/gpu", "1", 0, 0..=3_600_000),
            ("evictions", "any", 0, 0..=9999),
        ];
        for (figure, tolerance, baseline, fine) in rows {
            for seen in
                [0, *fine.start() - 1, *fine.start(), *fine.end(), *fine.end() + 1].into_iter().filter(|n| *n >= 0)
            {
                let expected = fine.contains(&seen) || tolerance == "any" || (tolerance == "-10%" && seen > 9999);
                assert_eq!(accepts(figure, tolerance, baseline, seen), expected, "{figure} {tolerance}: {seen}");
            }
        }
    }

    #[test]
    fn a_lower_bound_is_near_to_another_one_only() {
        let tolerance = Tolerance::parse(&Key::parse("wait.max").unwrap(), "50%").unwrap();
        let [bound, exact] = [true, false].map(|at_least| Observed { value: 1000, at_least });
        assert!(tolerance.accepts(bound, bound) && tolerance.accepts(exact, exact));
        assert!(!tolerance.accepts(bound, exact) && !tolerance.accepts(exact, bound));
    }

    #[test]
    fn a_mistake_is_named_with_what_to_write() {
        let rows = [
            ("wait.p95", "10", "no tolerance of `wait.p95`"),
            ("wait.p95", "", "it is missing"),
            ("wait.p95", "10% or", "write `10%`"),
            ("evictions", "1.5", "it has decimals"),
            ("evictions", "+-3", "not a number"),
            ("jain", "2pp", "not a number"),
            ("evictions", "10%, 3", "not a number"),
        ];
        for (figure, text, says) in rows {
            let error = Tolerance::parse(&Key::parse(figure).unwrap(), text).unwrap_err();
            assert!(error.contains(says), "{text}: {error}");
        }
    }

    #[test]
    fn the_most_exact_name_is_first() {
        let key = Key::parse("wait.p95 of nlp").unwrap();
        assert_eq!(names(&key), ["wait.p95 of nlp", "wait of nlp", "wait.p95", "wait", "default"]);
    }
}
