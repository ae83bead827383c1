//! What CI gets of checked scenarios: JUnit, Markdown and annotations say the same as the text, whatever names say.

use expect_test::expect;
use quotree_reports::{
    BaselineFigure, BaselineState, Baselined, CheckOutcome, Checked, Remark, check_annotations, check_json,
    check_junit, check_markdown, check_text,
};
use quotree_sim::result::ClaimResult;
use std::time::Duration;

fn claim(line: u32, claim: &str, seen: &str, passed: bool) -> ClaimResult {
    ClaimResult {
        claim: claim.to_owned(),
        line,
        because: None,
        passed,
        vacuous: false,
        seen: seen.to_owned(),
        note: None,
        at_ms: (!passed).then_some(60_000),
        explanations: Vec::new(),
        expected: String::new(),
        expected_value: None,
        seen_value: None,
        breach_to_ms: None,
    }
}

fn checked(scenario: &str, outcome: CheckOutcome, claims: Vec<ClaimResult>) -> Checked {
    Checked {
        file: format!("{scenario}.ron"),
        scenario: scenario.to_owned(),
        outcome,
        claims,
        remarks: Vec::new(),
        digest: "d".repeat(32),
        trouble: String::new(),
        over_seeds: None,
        baseline: None,
        starts_at: None,
        took: Duration::from_millis(1_250),
    }
}

fn three() -> Vec<Checked> {
    let mut noted = claim(7, "Final(Evictions(exactly: 0))", "0", true);
    noted.note = Some("nobody was evicted".to_owned());
    let mut fine = checked("fine", CheckOutcome::Passed, vec![noted]);
    fine.remarks.push(Remark {
        is_error: false,
        file: "tree.ron".into(),
        line: 3,
        column: 9,
        title: "no use: a".into(),
    });
    let mut failed = claim(9, "Always(Pods(of: User(\"a|b\"), running: 1))", "0, <none> & 100%", false);
    failed.because = Some("she pays".to_owned());
    let failed = checked("hostile <b>|@you", CheckOutcome::Failed, vec![claim(8, "x", "1", true), failed]);
    let mut invalid = checked("broken", CheckOutcome::Invalid, Vec::new());
    invalid.trouble = "error: `broken.ron` is a cluster dump\n```".to_owned();
    vec![fine, failed, invalid]
}

#[test]
fn text_has_a_line_a_scenario() {
    expect![[r#"
        ok      fine              1 claim, 1 note, 1 warning  fine.ron
        FAILED  hostile <b>|@you  1 of 2 claims failed    hostile <b>|@you.ron
                line 9: Always(Pods(of: User("a|b"), running: 1))
                  observed at 1m: 0, <none> & 100%
                  comment: she pays
        INVALID broken            not run                 broken.ron
                error: `broken.ron` is a cluster dump
                ```
        1 passed, 1 failed, 1 invalid
    "#]]
    .assert_eq(&check_text(&three()));
}

#[test]
fn junit_has_a_case_a_claim() {
    let xml = check_junit(&three());
    expect![[r#"
        <?xml version="1.0" encoding="UTF-8"?>
        <testsuites name="quotree check" tests="6" failures="1" errors="1" time="3.750">
          <testsuite name="fine" file="fine.ron" tests="2" failures="0" errors="0" time="1.250">
            <testcase name="runs" classname="fine" file="fine.ron" time="1.250"/>
            <testcase name="line 7: Final(Evictions(exactly: 0))" classname="fine" file="fine.ron" line="7" time="0"/>
          </testsuite>
          <testsuite name="hostile &lt;b&gt;|@you" file="hostile &lt;b&gt;|@you.ron" tests="3" failures="1" errors="0" time="1.250">
            <testcase name="runs" classname="hostile &lt;b&gt;|@you" file="hostile &lt;b&gt;|@you.ron" time="1.250"/>
            <testcase name="line 8: x" classname="hostile &lt;b&gt;|@you" file="hostile &lt;b&gt;|@you.ron" line="8" time="0"/>
            <testcase name="line 9: Always(Pods(of: User(&quot;a|b&quot;), running: 1))" classname="hostile &lt;b&gt;|@you" file="hostile &lt;b&gt;|@you.ron" line="9" time="0">
              <failure message="observed: 0, &lt;none&gt; &amp; 100%">It should hold because: she pays</failure>
            </testcase>
          </testsuite>
          <testsuite name="broken" file="broken.ron" tests="1" failures="0" errors="1" time="1.250">
            <testcase name="runs" classname="broken" file="broken.ron" time="1.250">
              <error message="invalid">error: `broken.ron` is a cluster dump
        ```</error>
            </testcase>
          </testsuite>
        </testsuites>
    "#]].assert_eq(&xml);
    let document = roxmltree::Document::parse(&xml).unwrap();
    let count = |tag: &str| document.descendants().filter(|node| node.has_tag_name(tag)).count();
    assert_eq!((count("testsuite"), count("testcase"), count("failure"), count("error")), (3, 6, 1, 1));
    let sum = |what: &str| document.root_element().attribute(what).unwrap().to_owned();
    assert_eq!([sum("tests"), sum("failures"), sum("errors"), sum("time")], ["6", "1", "1", "3.750"]);
}

#[test]
fn annotations_escape_what_the_runner_decodes() {
    expect![[r#"
        ::warning file=tree.ron,line=3,col=9::no use: a
        ::error file=hostile <b>|@you.ron,line=9,title=A claim of hostile <b>|@you failed::Always(Pods(of: User("a|b"), running: 1))%0Aobserved at 1m: 0, <none> & 100%25
        ::error file=broken.ron::error: `broken.ron` is a cluster dump%0A```
    "#]].assert_eq(&check_annotations(&three()));
}

#[test]
fn markdown_is_inert_and_fits_a_comment() {
    expect![[r###"
        ## ❌ quotree check: 1 passed, 1 failed, 1 invalid

        ### `hostile <b>|@you`

        - line 9: `Always(Pods(of: User("a|b"), running: 1))`
          - observed at 1m: 0, \<none\> \& 100%
          - it should hold because: she pays

        ### `broken`

        ````text
        error: `broken.ron` is a cluster dump
        ```
        ````

        | | scenario | claims | file |
        |---|---|---|---|
        | ❌ | `hostile <b>\|@you` | 1 of 2 claims failed | `hostile <b>\|@you.ron` |
        | ❌ | `broken` | not run | `broken.ron` |
        | ✅ | `fine` | 1 claim, 1 note, 1 warning | `fine.ron` |
    "###]]
    .assert_eq(&check_markdown(&three()));
    let bad = claim(1, &"`*<b>@x|".repeat(500), &"<i>".repeat(5_000), false);
    let many: Vec<Checked> = (0..500)
        .map(|n| checked(&format!("s{n}<b>|`"), CheckOutcome::Failed, vec![bad.clone(), bad.clone()]))
        .collect();
    let text = check_markdown(&many);
    assert!(text.len() < 65_536, "{} bytes", text.len());
    assert!(text.contains("more scenarios that did not pass"), "what is left out is counted");
    let html = pulldown_cmark::Parser::new_ext(&text, pulldown_cmark::Options::all())
        .filter(|event| matches!(event, pulldown_cmark::Event::Html(_) | pulldown_cmark::Event::InlineHtml(_)));
    assert_eq!(html.count(), 0, "no name becomes markup");
}

#[test]
fn a_baseline_is_shown_in_every_form_whatever_teams_are_called() {
    let figure = |figure: &str, passed| BaselineFigure {
        figure: figure.to_owned(),
        line: 7,
        expected: Some("1".to_owned()),
        seen: Some("2".to_owned()),
        tolerance: "10%".to_owned(),
        passed,
        says: "1 → 2 (+100.0 %), worse".to_owned(),
    };
    let mut one = checked("fine", CheckOutcome::Failed, vec![claim(7, "x", "1", true)]);
    one.baseline = Some(Baselined {
        file: "fine.outcome.yaml".to_owned(),
        state: BaselineState::Compared,
        figures: vec![figure("evictions", true), figure("evictions of <b>|`@you`\u{202e}", false)],
        note: "bless it".to_owned(),
        is_required: false,
    });
    let missing = |is_required, outcome| {
        let mut one = checked("none", outcome, Vec::new());
        let (file, note) = ("none.outcome.yaml".to_owned(), "there is none".to_owned());
        let state = BaselineState::Missing;
        one.baseline = Some(Baselined { file, state, figures: Vec::new(), note, is_required });
        one
    };
    let all = [one, missing(false, CheckOutcome::Passed), missing(true, CheckOutcome::Failed)];
    expect![[r#"
        FAILED  fine  1 claim, 1 of 2 figures off  fine.ron
                fine.outcome.yaml:7: evictions of <b>|`@you`⟨U+202E⟩
                  1 → 2 (+100.0 %), worse; allowed: 10%
                bless it
        ok      none  0 claims                none.ron
        FAILED  none  0 claims, no baseline   none.ron
                there is none
        1 passed, 2 failed
    "#]]
    .assert_eq(&check_text(&all));
    let xml = check_junit(&all);
    assert!(xml.contains("tests=\"7\" failures=\"2\" errors=\"0\""), "{xml}");
    assert_eq!((xml.matches("<testcase").count(), xml.matches("<failure").count()), (7, 2), "{xml}");
    let document = roxmltree::Document::parse(&xml).expect("valid XML");
    let cases = document.descendants().filter(|node| node.has_tag_name("testcase"));
    assert!(cases.filter_map(|case| case.attribute("name")).any(|name| name.starts_with("outcome: evictions of <b>")));
    let markdown = check_markdown(&all);
    assert!(markdown.contains("⟨U+202E⟩``: 1 → 2 (+100.0 %), worse; allowed: 10%"), "{markdown}");
    let annotated = check_annotations(&all);
    assert!(
        annotated.contains("::error file=fine.outcome.yaml,line=7,title=The outcome of fine is another::evictions"),
        "{annotated}"
    );
    assert!(
        annotated.contains("::error file=none.ron::there is none") && annotated.lines().count() == 2,
        "{annotated}"
    );
    let json = check_json(&all);
    let of = |file: usize, field: &str| json.pointer(&format!("/files/{file}/baseline/{field}")).cloned();
    assert_eq!(
        (of(0, "figures"), of(0, "passed"), of(2, "state")),
        (Some(2.into()), Some(false.into()), Some("missing".into()))
    );
    assert_eq!(of(0, "differing").and_then(|all| all.as_array().map(Vec::len)), Some(1));
}
