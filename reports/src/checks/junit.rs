//! JUnit XML: a suite for each scenario, with one case for loading and running it, one for each claim, and one for each figure of its baseline.

use super::{BaselineState, Baselined, CheckOutcome, Checked, count};
use crate::format::short_reason;
use quotree_sim::result::ClaimResult;
use std::{fmt::Write, time::Duration};

/// Checks as JUnit XML. Each scenario is a suite. Its first case, `runs`, shows whether the scenario could be loaded
/// and run, and how long that took. The other cases are its claims, and the figures of its baseline; their time is 0, since
/// they are evaluated during the run.
#[must_use]
pub fn check_junit(checks: &[Checked]) -> String {
    let cases: usize = checks.iter().map(cases).sum();
    let failures: usize = checks.iter().map(failures).sum();
    let errors = count(checks, CheckOutcome::Invalid) + count(checks, CheckOutcome::Fault);
    let took: Duration = checks.iter().map(|one| one.took).sum();
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let _ = writeln!(
        xml,
        "<testsuites name=\"quotree check\" tests=\"{}\" failures=\"{failures}\" errors=\"{errors}\" time=\"{}\">",
        cases,
        seconds(took)
    );
    checks.iter().for_each(|one| suite(&mut xml, one));
    xml + "</testsuites>\n"
}

fn suite(xml: &mut String, one: &Checked) {
    let (name, file, took) = (escape(&one.scenario), escape(&one.file), seconds(one.took));
    let is_error = matches!(one.outcome, CheckOutcome::Invalid | CheckOutcome::Fault);
    let _ = writeln!(
        xml,
        "  <testsuite name=\"{name}\" file=\"{file}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" time=\"{took}\">",
        cases(one),
        failures(one),
        u8::from(is_error)
    );
    let runs = format!("    <testcase name=\"runs\" classname=\"{name}\" file=\"{file}\" time=\"{took}\"");
    if is_error {
        let what = if one.outcome == CheckOutcome::Fault { "internal error" } else { "invalid" };
        let trouble = escape(&one.trouble);
        let _ = writeln!(xml, "{runs}>\n      <error message=\"{what}\">{trouble}</error>\n    </testcase>");
    } else {
        let _ = writeln!(xml, "{runs}/>");
    }
    for claim in &one.claims {
        let case = format!(
            "    <testcase name=\"{}\" classname=\"{name}\" file=\"{file}\" line=\"{}\" time=\"0\"",
            escape(&format!("line {}: {}", claim.line, claim.claim)),
            claim.line
        );
        if claim.passed {
            let _ = writeln!(xml, "{case}/>");
        } else {
            let (seen, why) = (escape(&format!("observed: {}", claim.seen)), escape(&why(claim)));
            let _ = writeln!(xml, "{case}>\n      <failure message=\"{seen}\">{why}</failure>\n    </testcase>");
        }
    }
    one.baseline.iter().for_each(|baseline| outcome(xml, &name, baseline));
    xml.push_str("  </testsuite>\n");
}

/// How many cases a suite has.
fn cases(one: &Checked) -> usize {
    let baseline =
        one.baseline.as_ref().map_or(0, |baseline| baseline.figures.len() + usize::from(is_absent(baseline)));
    1 + one.claims.len() + baseline
}

/// How many of them fail.
fn failures(one: &Checked) -> usize {
    let absent = one.baseline.as_ref().is_some_and(|baseline| is_absent(baseline) && !baseline.passed());
    one.failed().count() + one.differing().count() + usize::from(absent)
}

/// Whether a baseline that should be there could not be compared, which is a case of its own.
const fn is_absent(baseline: &Baselined) -> bool {
    match baseline.state {
        BaselineState::Missing => baseline.is_required,
        BaselineState::OtherSeeds => true,
        BaselineState::Compared | BaselineState::Written => false,
    }
}

/// The cases of a baseline: one for each figure, or one that says why there are none.
fn outcome(xml: &mut String, name: &str, baseline: &Baselined) {
    let (file, note) = (escape(&baseline.file), escape(&baseline.note));
    let head = |case: &str, line: usize| {
        let case = escape(case);
        format!("    <testcase name=\"{case}\" classname=\"{name}\" file=\"{file}\" line=\"{line}\" time=\"0\"")
    };
    for figure in &baseline.figures {
        let case = head(&format!("outcome: {}", figure.figure), figure.line);
        if figure.passed {
            let _ = writeln!(xml, "{case}/>");
        } else {
            let says = escape(&figure.sentence());
            let _ = writeln!(xml, "{case}>\n      <failure message=\"{says}\">{note}</failure>\n    </testcase>");
        }
    }
    if is_absent(baseline) {
        let kind = if baseline.passed() { "skipped" } else { "failure" };
        let _ = writeln!(xml, "{}>\n      <{kind} message=\"{note}\"/>\n    </testcase>", head("outcome", 1));
    }
}

fn why(claim: &ClaimResult) -> String {
    let because = claim.because.iter().map(|because| format!("It should hold because: {because}"));
    let reasons = claim.explanations.iter().map(|text| short_reason(text));
    because.chain(reasons).collect::<Vec<_>>().join("\n")
}

fn seconds(took: Duration) -> String {
    format!("{}.{:03}", took.as_secs(), took.subsec_millis())
}

fn escape(text: &str) -> String {
    let shown: Vec<String> = text.split('\n').map(quotree_page::visible).collect();
    shown.join("\n").replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
