//! The format of reports: it is read back as it was written, older and newer reports can be read, and every field is documented.

use quotree_page::model::{Finding, FindingKind, Piece, Report, SCHEMA, Series, SubjectKind};
use serde_json::Value;
use std::collections::BTreeSet;

#[test]
fn an_empty_report_can_be_read() {
    let report: Report = serde_json::from_str("{\"schema\": 1, \"something_new\": [1]}").unwrap();
    assert_eq!(report, Report { schema: SCHEMA, ..Report::default() });
}

#[test]
fn integrals_above_64_bits_are_kept() {
    let mut report = Report::default();
    report.totals.lost_work_ms = u128::MAX;
    let text = serde_json::to_string(&report).unwrap();
    assert_eq!(serde_json::from_str::<Report>(&text).unwrap(), report);
}

#[test]
fn sentences_have_names_for_their_pieces() {
    let finding = Finding {
        kind: FindingKind::TakenBack,
        weight: 1,
        at_ms: 2,
        from_ms: None,
        to_ms: None,
        pieces: vec![
            Piece::Subject { kind: SubjectKind::Quota, name: "a".to_owned() },
            Piece::Text(" waited ".to_owned()),
            Piece::Span(3),
        ],
    };
    let text = serde_json::to_string(&finding).unwrap();
    let expected = r#"{"kind":"taken_back","weight":1,"at_ms":2,"pieces":[{"subject":{"kind":"quota","name":"a"}},{"text":" waited "},{"span":3}]}"#;
    assert_eq!(text, expected);
    assert_eq!(serde_json::from_str::<Finding>(&text).unwrap(), finding);
}

/// All names of fields in a value.
fn fields(value: &Value, names: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            for (name, value) in map {
                names.insert(name.clone());
                fields(value, names);
            }
        }
        Value::Array(rows) => rows.iter().for_each(|row| fields(row, names)),
        _ => {}
    }
}

#[test]
fn every_field_is_documented() {
    let document = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/report-format.md")).unwrap();
    let report = Report {
        cluster: quotree_page::model::Cluster { duty_permille: Series::of([]), ..Default::default() },
        ..Report::default()
    };
    let mut names = BTreeSet::new();
    fields(&serde_json::to_value(&report).unwrap(), &mut names);
    assert!(names.len() > 80, "{}", names.len());
    let missing: Vec<&String> = names.iter().filter(|name| !document.contains(&format!("`{name}`"))).collect();
    // Figures of the whole run are documented once, in metrics.md.
    let metrics = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/metrics.md")).unwrap();
    let missing: Vec<&&String> = missing.iter().filter(|name| !metrics.contains(&format!("`{name}`"))).collect();
    assert_eq!(missing, Vec::<&&String>::new());
}
