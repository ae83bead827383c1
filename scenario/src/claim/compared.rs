//! The claimed value of a figure: exactly one of `exactly`, `at_most` and `at_least`.

use quotree_model::Compare;
use quotree_syntax::{Fields, Given, Part, Read, Report, Row, Span};

const COMPARES: [(&str, Compare, &str); 3] =
    [("exactly", Compare::Equal, "`==`"), ("at_most", Compare::AtMost, "`<=`"), ("at_least", Compare::AtLeast, "`>=`")];

/// A required comparison; nothing if it is missing or invalid.
#[derive(Debug, Clone)]
pub(crate) struct Compared<T>(pub(super) Option<(Compare, T)>);

impl<T: Read> Part for Compared<T> {
    fn rows() -> Vec<Row> {
        COMPARES.map(|(name, _, about)| Row::of::<T>(name, "one of the three", &[about])).into()
    }

    fn take(fields: &mut Fields<'_>, report: &mut Report) -> Self {
        let compared = Optionally::<T>::take(fields, report);
        if !compared.given {
            lacks(&fields.name, fields.span, report);
        }
        Self(compared.value)
    }
}

/// An optional comparison.
#[derive(Debug, Clone)]
pub(crate) struct Optionally<T> {
    pub(super) given: bool,
    pub(super) value: Option<(Compare, T)>,
}

impl<T: Read> Part for Optionally<T> {
    fn rows() -> Vec<Row> {
        Compared::<T>::rows()
    }

    fn take(fields: &mut Fields<'_>, report: &mut Report) -> Self {
        let mut found: Option<(Compare, Given<T>)> = None;
        for (name, compare, _) in COMPARES {
            let Some(value) = fields.optional::<Given<T>>(name, report) else { continue };
            if found.is_some() {
                let title = format!("`{}` has more than one comparison", fields.name);
                report.error(value.span, title, "give only one of `exactly`, `at_most` and `at_least`");
                return Self { given: true, value: None };
            }
            found = Some((compare, value));
        }
        let given = found.is_some();
        Self { given, value: found.and_then(|(compare, given)| given.value.map(|value| (compare, value))) }
    }
}

/// Reports that a comparison is missing.
pub(super) fn lacks(name: &str, span: Span, report: &mut Report) {
    let title = format!("`{name}` needs one of `exactly`, `at_most` and `at_least`");
    report.error(span, title, "the comparison is missing");
}

/// Whether a claim has any field besides its subject.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SaysSomething(pub(super) bool);

impl Part for SaysSomething {
    fn rows() -> Vec<Row> {
        Vec::new()
    }

    fn take(fields: &mut Fields<'_>, _: &mut Report) -> Self {
        Self(fields.has_more_than(&["of"]))
    }
}
