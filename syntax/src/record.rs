//! Records: each field of the language is defined in one place.
//!
//! ```
//! use quotree_syntax::{At, Ms, record};
//! use quotree_core::Name;
//!
//! record! {
//!     /// When work is saved.
//!     pub struct Checkpoints {
//!         /// Work that was done is kept in multiples of this.
//!         checkpoint: Ms => "absent",
//!         /// How long the work stops for each checkpoint.
//!         checkpoint_cost: Ms = Ms(0),
//!     }
//! }
//! record! {
//!     /// Equal pods that end.
//!     pub struct Job(name) in "workload" {
//!         /// Unique in the scenario.
//!         name: At<Name> => required,
//!         /// How many pods must succeed.
//!         completions: u32 = 1,
//!         checkpoints: Checkpoints => embedded,
//!     }
//! }
//! ```
//!
//! From this the macro generates the struct, the function that reads it ([`Part::take`]), and the rows of the schema
//! and of the reference page ([`Part::rows`]). A field is stated in one of four ways:
//!
//! - `name: T => required`: it must be given. The struct holds `Option<T>`: `None` means that it is missing or invalid,
//!   and that an error was reported. Reading continues, so that all mistakes of a file are reported at once.
//! - `name: T => "text"`: it may be given. The struct holds `Option<T>`, and the reference page shows the text as its default.
//! - `name: T = value`: it has a default. The struct holds `T`.
//! - `name: T => embedded`: the fields of another record, shared by several.
//!
//! `struct Job(name)` says which fields may be written without their names, in this order; `in "workload"` names the group of
//! the language that the record belongs to. A record without a group is only embedded. Whatever is not a plain field, such as
//! "exactly one of these three", implements [`Part`] by hand.

use crate::{Fields, Node, Read, Report, Variant};

/// A field, as the schema and the reference page show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its name.
    pub name: &'static str,
    /// What it contains.
    pub kind: String,
    /// `required`, or its default.
    pub default: String,
    /// What it means.
    pub about: String,
}

impl Row {
    /// The row of a field of type `T`; `about` contains the lines of its doc comment.
    #[must_use]
    pub fn of<T: Read>(name: &'static str, default: &str, about: &[&str]) -> Self {
        let (kind, about) = (T::kind(), sentence(about));
        Self { name: plain(name), kind, default: default.to_owned(), about }
    }
}

/// A doc comment as one line.
#[must_use]
pub fn sentence(lines: &[&str]) -> String {
    lines.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ")
}

/// The field's name, also if it is a keyword of Rust, such as `r#for`.
#[must_use]
pub fn plain(name: &'static str) -> &'static str {
    name.strip_prefix("r#").unwrap_or(name)
}

/// Fields that are read together.
pub trait Part: Sized {
    /// The fields, for the schema and the reference page.
    fn rows() -> Vec<Row>;
    /// Reads them, and reports all mistakes.
    fn take(fields: &mut Fields<'_>, report: &mut Report) -> Self;
}

/// A named struct of the language.
pub trait Record: Part {
    /// Its name.
    const NAME: &'static str;
    /// The group that it belongs to.
    const GROUP: &'static str;
    /// Its description, by lines.
    const ABOUT: &'static [&'static str];
    /// The fields that may be given by position, in this order.
    const POSITIONAL: &'static [&'static str];

    /// Reads it from a struct with its name.
    fn open(variant: Variant<'_>, report: &mut Report) -> Self {
        let mut fields = variant.fields(Self::POSITIONAL, Self::rows, report);
        let record = Self::take(&mut fields, report);
        fields.finish(report);
        record
    }

    /// Its entry in the schema.
    #[must_use]
    fn ty() -> Type {
        Type { name: Self::NAME, about: sentence(Self::ABOUT), positional: Self::POSITIONAL, rows: Self::rows() }
    }
}

/// A record whose name is optional.
#[derive(Debug, Clone)]
pub struct Unnamed<T>(pub T);

impl<T: Record> Read for Unnamed<T> {
    fn kind() -> String {
        T::GROUP.to_owned()
    }

    fn read(node: &Node, report: &mut Report) -> Option<Self> {
        Variant::unnamed(node, T::NAME, report).map(|variant| Self(T::open(variant, report)))
    }
}

/// A named struct, as the schema and the reference page show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Type {
    /// Its name.
    pub name: &'static str,
    /// Its description.
    pub about: String,
    /// The fields that may be given by position, in this order.
    pub positional: &'static [&'static str],
    /// Its fields.
    pub rows: Vec<Row>,
}

/// A group: structs of which a value of the language can be one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Its name.
    pub name: &'static str,
    /// Its description.
    pub about: String,
    /// The structs.
    pub types: Vec<Type>,
    /// Of several structs, the name of the one that is meant where none is named.
    pub otherwise: Option<&'static str>,
}

impl Group {
    /// The struct that is meant where none is named: the only one, or one that the group has for this.
    #[must_use]
    pub fn implied(&self) -> Option<&Type> {
        match self.types.as_slice() {
            [only] => Some(only),
            types => types.iter().find(|ty| Some(ty.name) == self.otherwise),
        }
    }

    /// A group that consists of one record.
    #[must_use]
    pub fn one<T: Record>(about: &str) -> Self {
        Self { name: T::GROUP, about: about.to_owned(), types: vec![T::ty()], otherwise: None }
    }
}

/// Defines a record: see the [module](mod@crate::record).
#[macro_export]
macro_rules! record {
    (
        $(#[doc = $about:literal])+
        $vis:vis struct $name:ident $(($($positional:ident),+))? $(in $group:literal)? {
            $(
                $(#[doc = $doc:literal])*
                $field:ident: $ty:ty $(= $default:expr)? $(=> $how:tt)?
            ),* $(,)?
        }
    ) => {
        $(#[doc = $about])+
        #[derive(Debug, Clone)]
        $vis struct $name {
            $(
                #[doc = concat!("Where its name stands; it is of the group ", $group, ".")]
                #[allow(dead_code, reason = "not every record is pointed at")]
                pub span: $crate::Span,
            )?
            $(
                $(#[doc = $doc])*
                pub $field: $crate::record!(@type $ty, $(= $default)? $(=> $how)?),
            )*
        }

        impl $crate::Part for $name {
            fn rows() -> Vec<$crate::Row> {
                #[allow(unused_mut, reason = "a record may have no fields")]
                let mut rows = Vec::new();
                $($crate::record!(@row rows, $field, $ty, [$($doc),*], $(= $default)? $(=> $how)?);)*
                rows
            }

            #[allow(unused_variables, reason = "a record may have no fields")]
            fn take(fields: &mut $crate::Fields<'_>, report: &mut $crate::Report) -> Self {
                Self {
                    $(span: { let _ = $group; fields.span },)?
                    $($field: $crate::record!(@take fields, report, $field, $ty, $(= $default)? $(=> $how)?),)*
                }
            }
        }

        $crate::record!(@record $name, [$($about),+], [$($($positional),+)?], $($group)?);
    };

    (@record $name:ident, [$($about:literal),+], [$($positional:ident),*],) => {};
    (@record $name:ident, [$($about:literal),+], [$($positional:ident),*], $group:literal) => {
        impl $crate::Record for $name {
            const NAME: &'static str = stringify!($name);
            const GROUP: &'static str = $group;
            const ABOUT: &'static [&'static str] = &[$($about),+];
            const POSITIONAL: &'static [&'static str] = &[$(stringify!($positional)),*];
        }

        impl $crate::Read for $name {
            fn kind() -> String {
                $group.to_owned()
            }

            fn read(node: &$crate::Node, report: &mut $crate::Report) -> Option<Self> {
                let what = format!("`{}(..)`", stringify!($name));
                let variant = $crate::variant(node, &[stringify!($name)], &what, report)?;
                Some(<Self as $crate::Record>::open(variant, report))
            }
        }
    };

    (@type $ty:ty, = $default:expr) => { $ty };
    (@type $ty:ty, => embedded) => { $ty };
    (@type $ty:ty, => $how:tt) => { Option<$ty> };

    (@row $rows:ident, $field:ident, $ty:ty, [$($doc:literal),*], = $default:expr) => {{
        let default: $ty = $default;
        let default = <$ty as $crate::Read>::show(&default);
        $rows.push($crate::Row::of::<$ty>(stringify!($field), &default, &[$($doc),*]));
    }};
    (@row $rows:ident, $field:ident, $ty:ty, [$($doc:literal),*], => embedded) => {
        $rows.extend(<$ty as $crate::Part>::rows());
    };
    (@row $rows:ident, $field:ident, $ty:ty, [$($doc:literal),*], => required) => {
        $rows.push($crate::Row::of::<$ty>(stringify!($field), "required", &[$($doc),*]));
    };
    (@row $rows:ident, $field:ident, $ty:ty, [$($doc:literal),*], => $default:literal) => {
        $rows.push($crate::Row::of::<$ty>(stringify!($field), $default, &[$($doc),*]));
    };

    (@take $fields:ident, $report:ident, $field:ident, $ty:ty, = $default:expr) => {
        $fields.optional($crate::plain(stringify!($field)), $report).unwrap_or_else(|| $default)
    };
    (@take $fields:ident, $report:ident, $field:ident, $ty:ty, => embedded) => {
        <$ty as $crate::Part>::take($fields, $report)
    };
    (@take $fields:ident, $report:ident, $field:ident, $ty:ty, => required) => {
        $fields.required($crate::plain(stringify!($field)), $report)
    };
    (@take $fields:ident, $report:ident, $field:ident, $ty:ty, => $default:literal) => {
        $fields.optional($crate::plain(stringify!($field)), $report)
    };
}

/// Defines a group: a value that is one of several records. In notations that need not name it, `{ A, B } else A` means
/// `A` where no name is given.
///
/// ```
/// use quotree_syntax::{Ms, group, record};
/// record! {
///     /// At `submit`, and then with this period.
///     pub struct Every(period) in "arrivals" {
///         /// The period.
///         period: Ms => required,
///     }
/// }
/// record! {
///     /// With exponential gaps.
///     pub struct Poisson(mean) in "arrivals" {
///         /// The mean gap.
///         mean: Ms => required,
///     }
/// }
/// group! {
///     /// When the instances of a workload arrive.
///     pub enum Pattern in "arrivals", "a pattern of arrivals" { Every, Poisson }
/// }
/// ```
#[macro_export]
macro_rules! group {
    (
        $(#[doc = $about:literal])+
        $vis:vis enum $name:ident in $group:literal, $what:literal { $($member:ident),+ $(,)? } $(else $otherwise:ident)?
    ) => {
        $(#[doc = $about])+
        #[derive(Debug, Clone)]
        $vis enum $name {
            $(#[allow(missing_docs, reason = "the record says what it is")] $member($member),)+
        }

        impl $name {
            /// The group, for the schema and the reference page.
            $vis fn group() -> $crate::Group {
                let about = $crate::sentence(&[$($about),+]);
                let types = vec![$(<$member as $crate::Record>::ty()),+];
                let otherwise = [$(stringify!($otherwise))?].into_iter().next();
                $crate::Group { name: $group, about, types, otherwise }
            }

            /// The name of the record.
            #[allow(dead_code, reason = "not every group needs it")]
            $vis const fn name(&self) -> &'static str {
                match self {
                    $(Self::$member(_) => stringify!($member),)+
                }
            }

            /// The place of that name.
            #[allow(dead_code, reason = "not every group needs it")]
            $vis const fn span(&self) -> $crate::Span {
                match self {
                    $(Self::$member(record) => record.span,)+
                }
            }
        }

        impl $crate::Read for $name {
            fn kind() -> String {
                $group.to_owned()
            }

            fn read(node: &$crate::Node, report: &mut $crate::Report) -> Option<Self> {
                let variant = $crate::variant(node, &[$(stringify!($member)),+], $what, report)?;
                $(
                    if variant.name == stringify!($member) {
                        return Some(Self::$member(<$member as $crate::Record>::open(variant, report)));
                    }
                )+
                None
            }
        }
    };
}

/// Defines the words of a field that contains one of several: `words! { Queueing: Skip, Block }`. If a word differs
/// from the name of its variant, it is written `MEM = Mem`.
#[macro_export]
macro_rules! words {
    ($ty:ty: $($word:ident $(= $variant:ident)?),+ $(,)?) => {
        impl $crate::Read for $ty {
            fn kind() -> String {
                format!("one of {}", [$(stringify!($word)),+].join(", "))
            }

            fn show(&self) -> String {
                let words = [$((stringify!($word), $crate::words!(@of $ty, $word $($variant)?))),+];
                words.iter().find(|(_, value)| value == self).map_or_else(String::new, |(word, _)| format!("`{word}`"))
            }

            fn read(node: &$crate::Node, report: &mut $crate::Report) -> Option<Self> {
                $crate::choice(node, &[$((stringify!($word), $crate::words!(@of $ty, $word $($variant)?))),+], report)
            }
        }
    };
    (@of $ty:ty, $word:ident) => { <$ty>::$word };
    (@of $ty:ty, $word:ident $variant:ident) => { <$ty>::$variant };
}
