//! Label selectors, as a query writes them and as an object holds them, and field selectors.

use crate::{refusal::Refusal, value};
use serde_json::Value;

/// One term of a label selector.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Term {
    In(String, Vec<String>),
    NotIn(String, Vec<String>),
    Exists(String),
    Absent(String),
    Above(String, i64),
    Below(String, i64),
}

impl Term {
    fn selects(&self, object: &Value) -> bool {
        let of = |key: &str| value::label(object, key);
        let number = |key: &str| of(key).and_then(|text| text.parse::<i64>().ok());
        match self {
            Self::In(key, values) => of(key).is_some_and(|value| values.iter().any(|one| one == value)),
            Self::NotIn(key, values) => of(key).is_none_or(|value| values.iter().all(|one| one != value)),
            Self::Exists(key) => of(key).is_some(),
            Self::Absent(key) => of(key).is_none(),
            Self::Above(key, bound) => number(key).is_some_and(|number| number > *bound),
            Self::Below(key, bound) => number(key).is_some_and(|number| number < *bound),
        }
    }
}

/// What a list or watch asks for: the labels and fields of its objects.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selector {
    labels: Vec<Term>,
    /// Path, value, and whether it must be equal.
    fields: Vec<(String, String, bool)>,
}

impl Selector {
    /// The selector of a query. Which fields can be asked for depends on the kind.
    pub fn parse(labels: &str, fields: &str, group: &str, plural: &str) -> Result<Self, Refusal> {
        let mut selector = Self::default();
        for term in split(labels) {
            selector.labels.push(label_term(term).ok_or_else(|| unable(labels, term))?);
        }
        for term in fields.split(',').filter(|term| !term.is_empty()) {
            let (field, wanted, equal) = field_term(term).ok_or_else(|| unable(fields, term))?;
            if !fields_of(group, plural).contains(&field) {
                return Err(Refusal::bad_request(format!("field label not supported: {field}")));
            }
            selector.fields.push((field.to_owned(), wanted.to_owned(), equal));
        }
        Ok(selector)
    }

    /// The selector of a `LabelSelector` object, such as that of a disruption budget. One with no terms selects all
    /// objects; one that cannot be read, or is absent, selects none.
    pub fn of_object(selector: &Value) -> Option<Self> {
        selector.as_object()?;
        let mut terms = Vec::new();
        for (key, wanted) in value::at(selector, &["matchLabels"]).as_object().into_iter().flatten() {
            terms.push(Term::In(key.clone(), vec![wanted.as_str()?.to_owned()]));
        }
        for expression in value::items(selector, &["matchExpressions"]) {
            let key = value::text(expression, &["key"]).to_owned();
            let values = value::items(expression, &["values"]).iter();
            let values = values.filter_map(|one| one.as_str().map(str::to_owned)).collect();
            terms.push(match value::text(expression, &["operator"]) {
                "In" => Term::In(key, values),
                "NotIn" => Term::NotIn(key, values),
                "Exists" => Term::Exists(key),
                "DoesNotExist" => Term::Absent(key),
                _ => return None,
            });
        }
        Some(Self { labels: terms, fields: Vec::new() })
    }

    /// Whether an object is selected.
    pub fn selects(&self, object: &Value) -> bool {
        let field = |path: &str| {
            let path: Vec<&str> = path.split('.').collect();
            match value::at(object, &path) {
                Value::Bool(is) => is.to_string(),
                Value::String(text) => text.clone(),
                // A flag that is not set reads as false, a text as empty.
                _ if path.last().is_some_and(|last| FLAGS.contains(last)) => "false".to_owned(),
                _ => String::new(),
            }
        };
        self.labels.iter().all(|term| term.selects(object))
            && self.fields.iter().all(|(path, wanted, equal)| (field(path) == *wanted) == *equal)
    }

    /// Whether every object is selected.
    pub fn is_all(&self) -> bool {
        self.labels.is_empty() && self.fields.is_empty()
    }
}

const FLAGS: [&str; 2] = ["unschedulable", "hostNetwork"];

/// The fields that lists of a kind can be selected by.
fn fields_of(group: &str, plural: &str) -> Vec<&'static str> {
    let more: &[&str] = match (group, plural) {
        ("", "pods") => &[
            "spec.nodeName",
            "spec.restartPolicy",
            "spec.schedulerName",
            "spec.serviceAccountName",
            "spec.hostNetwork",
            "status.phase",
            "status.podIP",
            "status.podIPs",
            "status.nominatedNodeName",
        ],
        ("", "nodes") => &["spec.unschedulable"],
        ("", "namespaces") => &["status.phase"],
        ("", "secrets") => &["type"],
        ("" | "events.k8s.io", "events") => {
            &["reason", "type", "regarding.name", "regarding.uid", "involvedObject.name"]
        }
        _ => &[],
    };
    ["metadata.name", "metadata.namespace"].into_iter().chain(more.iter().copied()).collect()
}

fn unable(selector: &str, term: &str) -> Refusal {
    Refusal::bad_request(format!("unable to parse requirement: \"{term}\" in \"{selector}\""))
}

/// The terms of a label selector: at commas that are not within parentheses.
fn split(text: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0_i32;
    let at_comma = move |c: char| {
        depth += i32::from(c == '(') - i32::from(c == ')');
        c == ',' && depth == 0
    };
    text.split(at_comma).map(str::trim).filter(|term| !term.is_empty())
}

fn label_term(term: &str) -> Option<Term> {
    let owned = |text: &str| text.trim().to_owned();
    let set = |list: &str| -> Option<Vec<String>> {
        let inner = list.trim().strip_prefix('(')?.strip_suffix(')')?;
        Some(inner.split(',').map(owned).collect())
    };
    if let Some((key, list)) = term.split_once(" notin ") {
        return Some(Term::NotIn(owned(key), set(list)?));
    }
    if let Some((key, list)) = term.split_once(" in ") {
        return Some(Term::In(owned(key), set(list)?));
    }
    if let Some((key, value)) = term.split_once("!=") {
        return Some(Term::NotIn(owned(key), vec![owned(value)]));
    }
    if let Some((key, value)) = term.split_once("==").or_else(|| term.split_once('=')) {
        return Some(Term::In(owned(key), vec![owned(value)]));
    }
    if let Some((key, value)) = term.split_once('>') {
        return Some(Term::Above(owned(key), value.trim().parse().ok()?));
    }
    if let Some((key, value)) = term.split_once('<') {
        return Some(Term::Below(owned(key), value.trim().parse().ok()?));
    }
    let (key, absent) = term.strip_prefix('!').map_or((term, false), |key| (key, true));
    let key = owned(key);
    let is_key = !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || "-_./".contains(c));
    is_key.then_some(if absent { Term::Absent(key) } else { Term::Exists(key) })
}

fn field_term(term: &str) -> Option<(&str, &str, bool)> {
    if let Some((field, value)) = term.split_once("!=") {
        return Some((field, value, false));
    }
    term.split_once("==").or_else(|| term.split_once('=')).map(|(field, value)| (field, value, true))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_operator_selects_what_it_says() {
        let object = json!({ "metadata": { "name": "n", "labels": { "a": "1", "b.c/d": "x" } } });
        for (selector, expected) in [
            ("a=1", true),
            ("a==2", false),
            ("a!=2,b.c/d=x", true),
            ("none!=2", true),
            ("a in (2, 1)", true),
            ("a notin (2,1)", false),
            ("none notin (1)", true),
            ("b.c/d", true),
            ("!a", false),
            ("!none", true),
            ("a>0", true),
            ("a<1", false),
        ] {
            let parsed = Selector::parse(selector, "", "", "pods").unwrap();
            assert_eq!(parsed.selects(&object), expected, "{selector}");
        }
        assert!(Selector::parse("a in 1", "", "", "pods").is_err());
        assert!(Selector::parse("", "spec.nodeName=x", "", "configmaps").is_err());
        assert!(Selector::of_object(&json!({})).unwrap().selects(&object));
        assert!(Selector::of_object(&Value::Null).is_none());
    }
}
