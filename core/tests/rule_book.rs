//! Every rule that a reason can cite stands in the rule book, where its link leads.

use quotree_core::Rule;
use serde::{
    Deserialize,
    de::{
        IntoDeserializer,
        value::{Error, StrDeserializer},
    },
};

const BOOK: &str = include_str!("../../docs/rules.md");

fn rule(name: &str) -> Result<Rule, Error> {
    let name: StrDeserializer<'_, Error> = name.into_deserializer();
    Rule::deserialize(name)
}

#[test]
fn every_rule_has_its_heading_where_its_link_leads() {
    // Which variants there are, the error tells: unknown variant `?`, expected one of `A1`, `A2`, ..
    let variants = rule("?").unwrap_err().to_string();
    let rules: Vec<Rule> = variants.split('`').skip(3).step_by(2).map(|name| rule(name).unwrap()).collect();
    assert!(rules.len() >= 20, "{variants}");
    for rule in rules {
        let doc = rule.doc();
        let anchor = doc.link.strip_prefix("docs/rules.md#").unwrap();
        assert!(BOOK.contains(&format!("<a id=\"{anchor}\"></a>\n\n### {rule} ")), "{rule}: {}", doc.link);
        assert!(!doc.sentence.is_empty(), "{rule}");
    }
}
