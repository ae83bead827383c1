//! No input causes a panic. Text that is accepted as RON is accepted by the `ron` crate, too. Formatting does not
//! change the meaning.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use proptest::prelude::*;
use quotree_scenario::{MapLoader, Notation, convert, format, load, load_tree};

fn demo() -> String {
    std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../scenarios/nginx-40-core.ron")).unwrap()
}

/// In every notation.
fn try_all(bytes: &[u8]) {
    for path in ["x.ron", "x.yaml", "x.json", "x"] {
        try_as(path, bytes);
    }
    if let Some(even) = std::str::from_utf8(bytes).ok().and_then(|text| format(text).ok()) {
        assert_eq!(format(&even).unwrap(), even, "formatting twice changes nothing");
    }
}

fn try_as(path: &str, bytes: &[u8]) {
    let loader = MapLoader::new().with(path, bytes);
    let loaded = load(path, &loader);
    assert_eq!(loaded.scenario.is_none(), loaded.diagnostics.iter().any(|d| d.to_string().contains(": error: ")));
    for diagnostic in &loaded.diagnostics {
        let source = &loaded.sources[diagnostic.source];
        assert!(source.text.get(diagnostic.span.clone()).is_some(), "a span on character boundaries: {diagnostic:?}");
        assert_eq!(source.line_column(diagnostic.span.start), diagnostic.line_column());
    }
    let _ = load_tree(path, &loader);
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    for to in Notation::ALL {
        let Ok(converted) = convert(path, text, to) else { continue };
        let name = format!("x.{}", to.extension());
        let again = convert(&name, &converted.text, to).map(|again| again.text);
        // What is no scenario may be written as something else that is none.
        if loaded.scenario.is_some() {
            assert_eq!(again.as_ref(), Ok(&converted.text), "{path} {text:?}");
        }
    }
}

#[test]
fn no_prefix_of_the_demo_panics() {
    let demo = demo();
    for end in 0..demo.len() {
        try_all(&demo.as_bytes()[..end]);
    }
}

#[test]
fn formatting_the_demo_keeps_its_meaning() {
    let demo = demo();
    let even = format(&demo).unwrap();
    assert_eq!(format(&even).unwrap(), even);
    let read = |text: &str| {
        let scenario = load("x.ron", &MapLoader::new().with("x.ron", text)).scenario.unwrap();
        format!(
            "{:?}{:?}{:?}{:?}",
            scenario.tree,
            scenario.workloads,
            scenario.cluster,
            scenario.claims.iter().map(|c| &c.text).collect::<Vec<_>>()
        )
    };
    assert_eq!(read(&even), read(&demo));
    assert_eq!(even, demo, "the demo is kept formatted");
}

/// Samples without our extension of RON: named fields after positional values.
const SAMPLES: &[&str] = &[
    r#"Quota(name: "a", min: { "cpu": "5", }, children: [Quota(name: "b"), ], /* c */ weight: 3)"#,
    r#"#![enable(implicit_some)] (name: "x", list: [1, -2, +3, 1.5, 1_000], none: None, some: Some("a"), flag: true)"#,
    r##"Scenario(a: "\n\t\"\\\x41\u{1f600}", b: r#"raw " string"#, c: Uniform("1s", "2s"), d: Forever, e: ())"##,
    "// only\nCapacity(order: Fifo, bounds: (nodes: 1))\n// end",
];

#[test]
fn what_is_accepted_as_ron_the_ron_crate_accepts() {
    let options = ron::Options::default().with_default_extension(ron::extensions::Extensions::IMPLICIT_SOME);
    for sample in SAMPLES {
        assert!(format(sample).is_ok(), "{sample}");
        options.from_str::<ron::Value>(sample).unwrap_or_else(|error| unreachable!("{sample}: {error}"));
        let even = format(sample).unwrap();
        assert_eq!(options.from_str::<ron::Value>(&even).unwrap(), options.from_str::<ron::Value>(sample).unwrap());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        try_all(&bytes);
    }

    #[test]
    fn random_syntax_never_panics(text in "([(){}\\[\\]:,\"#/*\\\\ \n]|Quota|Scenario|name|\"a\"|5|r#|None|At|é){0,60}") {
        try_all(text.as_bytes());
    }

    #[test]
    fn random_yaml_never_panics(text in "([\\[{}\\]:,\"'#|>*&\\\\ \n-]|name: |quota|kind: |Job|Quota|At|- |  |a|5|null|é){0,60}") {
        try_all(text.as_bytes());
    }

    #[test]
    fn a_demo_with_a_random_edit_never_panics(at in 0usize..4000, cut in 0usize..40, insert in "[(){}\\[\\]:,\"#a5é\\\\ ]{0,4}") {
        let mut text = demo();
        let mut at = at.min(text.len());
        while !text.is_char_boundary(at) { at -= 1; }
        let mut end = (at + cut).min(text.len());
        while !text.is_char_boundary(end) { end += 1; }
        text.replace_range(at..end, &insert);
        try_all(text.as_bytes());
    }
}
