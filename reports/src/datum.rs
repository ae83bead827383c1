//! What a column and a cell of a table are. Every format writes the same cells from these.

use crate::format;
use quotree_core::Name;
use quotree_sim::result::TimeMap;
use serde_json::{Number, Value, json};
use std::borrow::Cow;

/// What the values of a column are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// Text.
    Text,
    /// Whether something holds.
    Truth,
    /// A whole number.
    Count,
    /// Milliseconds.
    Ms,
    /// Thousandths of a whole.
    Permille,
    /// Thousandths: a ratio, or an index.
    Ratio,
    /// Thousandths of the currency.
    MoneyMilli,
    /// Base units of this resource times seconds.
    UnitSeconds(String),
    /// Base units of the resource that the row names ([`Datum::Amount`]).
    Units,
    /// Base units of the resource that the row names times milliseconds ([`Datum::AmountTime`]).
    UnitMs,
    /// Numbers whose unit another column of the row names.
    Mixed,
}

impl Kind {
    /// The kind as JSON and the metadata of Parquet name it.
    ///
    /// ```
    /// assert_eq!(quotree_reports::Kind::Ratio.name(), "ratio_permille");
    /// ```
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Truth => "truth",
            Self::Count => "count",
            Self::Ms => "ms",
            Self::Permille => "permille",
            Self::Ratio => "ratio_permille",
            Self::MoneyMilli => "money_milli",
            Self::UnitSeconds(_) => "unit_seconds",
            Self::Units => "units",
            Self::UnitMs => "unit_ms",
            Self::Mixed => "mixed",
        }
    }
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SheetColumn {
    /// Its name in CSV, JSON and Parquet; empty if only the text has it. Names of numbers end in their unit: `wait_p95_ms`.
    pub name: String,
    /// Its head in text; empty if the text leaves it out.
    pub head: String,
    /// What its values are.
    pub kind: Kind,
    /// The order in which columns are left out of a narrow text: the highest number first, and 0 last.
    pub spare: u8,
}

impl SheetColumn {
    /// A column that no text leaves out.
    #[must_use]
    pub fn new(name: impl Into<String>, head: impl Into<String>, kind: Kind) -> Self {
        Self { name: name.into(), head: head.into(), kind, spare: 0 }
    }

    /// Its name in JSON and Parquet. Amounts of a resource have another name there than in CSV: CSV has the quantity as Kubernetes
    /// writes it (`min` is `500m`), the others have the number of base units (`min_unit` is 500).
    ///
    /// ```
    /// use quotree_reports::{Kind, SheetColumn};
    /// assert_eq!(SheetColumn::new("wait_p95_ms", "", Kind::Ms).exact_name(), "wait_p95_ms");
    /// assert_eq!(SheetColumn::new("min", "", Kind::Units).exact_name(), "min_unit");
    /// assert_eq!(SheetColumn::new("used_time_s", "", Kind::UnitMs).exact_name(), "used_unit_ms");
    /// ```
    #[must_use]
    pub fn exact_name(&self) -> Cow<'_, str> {
        match self.kind {
            Kind::Units => format!("{}_unit", self.name).into(),
            Kind::UnitMs => format!("{}_unit_ms", self.name.trim_end_matches("_time_s")).into(),
            _ => self.name.as_str().into(),
        }
    }

    /// The column as JSON: name, kind, and the resource of amounts of one.
    ///
    /// ```
    /// let column = quotree_reports::SheetColumn::new("at_ms", "", quotree_reports::Kind::Ms);
    /// assert_eq!(column.json().to_string(), r#"{"name":"at_ms","kind":"ms"}"#);
    /// ```
    #[must_use]
    pub fn json(&self) -> Value {
        let (name, kind) = (self.exact_name(), self.kind.name());
        match &self.kind {
            Kind::UnitSeconds(resource) => json!({ "name": name, "kind": kind, "resource": resource }),
            _ => json!({ "name": name, "kind": kind }),
        }
    }
}

/// A cell.
///
/// ```
/// use quotree_reports::Datum;
/// assert_eq!(Datum::from("nlp"), Datum::Text("nlp".into()));
/// assert_eq!(Datum::from(None::<u64>), Datum::None);
/// assert_eq!(Datum::from(7u64).or_more(true), Datum::AtLeast(7));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Datum {
    /// Nothing: the row does not have it.
    None,
    /// Text.
    Text(String),
    /// Whether something holds.
    Truth(bool),
    /// A number, in the unit of its column.
    Whole(i128),
    /// A number that is a lower bound.
    AtLeast(i128),
    /// A number in a unit of its own, for columns of mixed units.
    Measured {
        /// What it is.
        kind: Kind,
        /// The number.
        value: i128,
        /// Whether it is a lower bound.
        at_least: bool,
    },
    /// An amount of a resource, for columns of [`Kind::Units`].
    Amount {
        /// The resource.
        resource: Name,
        /// Base units.
        base_units: i64,
    },
    /// An amount of a resource over time, for columns of [`Kind::UnitMs`].
    AmountTime {
        /// The resource.
        resource: Name,
        /// Base units times milliseconds.
        base_unit_ms: u128,
    },
}

impl Datum {
    /// The same number as a lower bound, if it is one.
    #[must_use]
    pub fn or_more(self, is_bound: bool) -> Self {
        match self {
            Self::Whole(number) if is_bound => Self::AtLeast(number),
            other => other,
        }
    }

    /// Whether it is a lower bound.
    #[must_use]
    pub const fn is_bound(&self) -> bool {
        matches!(self, Self::AtLeast(_) | Self::Measured { at_least: true, .. })
    }

    /// The number, in the unit of its column; of an amount, base units.
    ///
    /// ```
    /// use quotree_reports::Datum;
    /// assert_eq!(Datum::Amount { resource: "cpu".into(), base_units: 500 }.number(), Some(500));
    /// assert_eq!(Datum::from("500m").number(), None);
    /// ```
    #[must_use]
    pub fn number(&self) -> Option<i128> {
        match self {
            Self::None | Self::Text(_) | Self::Truth(_) => None,
            Self::Whole(number) | Self::AtLeast(number) | Self::Measured { value: number, .. } => Some(*number),
            Self::Amount { base_units, .. } => Some((*base_units).into()),
            Self::AmountTime { base_unit_ms, .. } => Some(whole(*base_unit_ms)),
        }
    }

    /// The cell in CSV. Nothing is an empty field, numbers are exact, amounts are quantities, and amounts over time decimals of units
    /// times seconds.
    pub(crate) fn field(&self) -> String {
        match self {
            Self::None => String::new(),
            Self::Text(text) => quotree_page::visible(text),
            Self::Truth(holds) => holds.to_string(),
            Self::Whole(number) | Self::AtLeast(number) | Self::Measured { value: number, .. } => number.to_string(),
            Self::Amount { resource, base_units } => format::amount(resource.as_str(), *base_units),
            Self::AmountTime { resource, base_unit_ms } => TimeMap::text(resource.as_str(), *base_unit_ms),
        }
    }

    /// The cell in JSON. An empty cell is `null`, and a number beyond 64 bits is a string.
    pub(crate) fn json(&self) -> Value {
        match (self, self.number()) {
            (Self::Text(text), _) => text.as_str().into(),
            (Self::Truth(holds), _) => (*holds).into(),
            (_, None) => Value::Null,
            (_, Some(number)) => Number::from_i128(number).map_or_else(|| number.to_string().into(), Value::Number),
        }
    }
}

/// No figure of a run comes near the end of this range.
fn whole(number: u128) -> i128 {
    i128::try_from(number).unwrap_or(i128::MAX)
}

impl From<&str> for Datum {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<bool> for Datum {
    fn from(holds: bool) -> Self {
        Self::Truth(holds)
    }
}

impl From<u128> for Datum {
    fn from(number: u128) -> Self {
        Self::Whole(whole(number))
    }
}

impl From<u64> for Datum {
    fn from(number: u64) -> Self {
        Self::Whole(number.into())
    }
}

impl From<u32> for Datum {
    fn from(number: u32) -> Self {
        Self::Whole(number.into())
    }
}

impl From<i64> for Datum {
    fn from(number: i64) -> Self {
        Self::Whole(number.into())
    }
}

impl<T: Into<Self>> From<Option<T>> for Datum {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::None, Into::into)
    }
}
