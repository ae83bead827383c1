//! Names and quantities of resources, with hints for the most frequent mistakes.

use super::tree::clip;
use quotree_core::{Unit, parse_quantity};

/// Common resources, of which a name may be a misspelling. Short names are left out: `gpu` is not a misspelling of
/// `cpu`.
const COMMON: [&str; 7] = [
    "memory",
    "ephemeral-storage",
    "nvidia.com/gpu",
    "amd.com/gpu",
    "google.com/tpu",
    "habana.ai/gaudi",
    "aws.amazon.com/neuron",
];

/// Why a text is not an amount of a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AmountError {
    /// What is wrong, in one clause.
    pub what: String,
    /// How to correct it, if known.
    pub help: Option<String>,
}

/// An amount of this resource in base units, which may be negative.
///
/// # Errors
/// If the text is no quantity, or is in bytes although the resource is counted: `8Gi` of a GPU.
///
/// ```
/// use quotree_syntax::parse_amount;
/// assert_eq!(parse_amount("nvidia.com/gpu", "500m"), Ok(500));
/// assert!(parse_amount("nvidia.com/gpu", "8Gi").unwrap_err().what.contains("counted in devices"));
/// ```
pub fn parse_amount(resource: &str, text: &str) -> Result<i64, AmountError> {
    if let Some(counted) = counted_in(text, resource) {
        let what = format!("`{}` is an amount of memory, and `{}` is counted in {counted}", clip(text), clip(resource));
        return Err(AmountError { what, help: Some(format!("write a number of {counted}, such as `8`")) });
    }
    parse_quantity(text, Unit::of(resource)).map_err(|error| AmountError { what: error.to_string(), help: None })
}

/// The unit of a resource that is not counted in bytes, if the amount has a suffix for bytes, such as `Gi`.
pub(crate) fn counted_in(text: &str, resource: &str) -> Option<&'static str> {
    let has_suffix = ["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"].iter().any(|suffix| text.ends_with(suffix));
    let counted = match resource.rsplit('/').next().unwrap_or_default() {
        "cpu" => "cores",
        "pods" => "pods",
        name if name == "gpu" || name.ends_with("-gpu") || name.ends_with("gpus") => "devices",
        _ => return None,
    };
    (has_suffix && Unit::of(resource) != Unit::Bytes).then_some(counted)
}

/// The common resource from which this name differs by one letter, if there is one.
///
/// ```
/// use quotree_syntax::misspelt_resource;
/// assert_eq!(misspelt_resource("nvida.com/gpu"), Some("nvidia.com/gpu"));
/// assert_eq!(misspelt_resource("gpu"), None);
/// ```
#[must_use]
pub fn misspelt_resource(name: &str) -> Option<&'static str> {
    if COMMON.contains(&name) || name.len() > 64 {
        return None;
    }
    COMMON.into_iter().find(|common| common.len().abs_diff(name.len()) <= 1 && strsim::osa_distance(common, name) == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_of_what_is_counted_are_refused_with_a_number() {
        for (resource, text, wanted) in [
            ("nvidia.com/gpu", "8Gi", Some("write a number of devices, such as `8`")),
            ("requests.nvidia.com/gpu", "1Mi", Some("write a number of devices, such as `8`")),
            ("cpu", "4Ki", Some("write a number of cores, such as `8`")),
            ("cpu", "4x", None),
        ] {
            assert_eq!(parse_amount(resource, text).unwrap_err().help.as_deref(), wanted, "{text} {resource}");
        }
        assert_eq!(parse_amount("memory", "8Gi"), Ok(8 << 30));
        assert_eq!(parse_amount("koordinator.sh/gpu-memory", "8Gi"), Ok((8 << 30) * 1000));
        assert_eq!(parse_amount("cpu", "4k"), Ok(4_000_000));
    }

    #[test]
    fn only_slips_of_one_letter_are_slips() {
        for (name, wanted) in [
            ("nvida.com/gpu", Some("nvidia.com/gpu")),
            ("nvidia.com/gpus", Some("nvidia.com/gpu")),
            ("nvidai.com/gpu", Some("nvidia.com/gpu")),
            ("memroy", Some("memory")),
            ("memory", None),
            ("google.com/gpu", Some("google.com/tpu")),
            ("cpu", None),
            ("gpu", None),
            ("example.com/gpu", None),
        ] {
            assert_eq!(misspelt_resource(name), wanted, "{name}");
        }
    }
}
