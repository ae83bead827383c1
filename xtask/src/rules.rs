//! Every rule of the semantics that is built is cited by some test: in upper case anywhere in test code or in a scenario,
//! or in the name of a test function.

use crate::files::File;

/// The numbered rules that are built.
const RULES: &[&str] = &[
    "Q1", "Q2", "Q3", "Q4", "T1", "T2", "T3", "T4", "L1", "L2", "L3", "A1", "A2", "A3", "A4", "A5", "O1", "O2", "O3",
    "P1", "P2", "R1", "R2", "R3", "R4", "R5", "R6", "R7", "R8", "V1", "V2", "V3", "V4", "G1", "G2", "G3", "H1", "H2",
    "H3", "S1", "S2", "S3", "S4", "F1", "F2", "F3", "X1", "I1", "I2", "I3", "I4", "I5", "I6", "I7", "I8", "I12",
];

/// The rules that no test cites.
pub(crate) fn check(files: &[File]) -> Vec<String> {
    let cited = |rule: &&&str| !files.iter().any(|file| cites(file, rule));
    RULES.iter().filter(cited).map(|rule| format!("xtask/src/rules.rs: no test cites rule {rule}")).collect()
}

fn cites(file: &File, rule: &str) -> bool {
    let text = match () {
        () if file.path.starts_with("xtask/") => return false,
        () if file.path.starts_with("scenarios/") => &file.text,
        () if file.is_rust() && file.is_test() => &file.text,
        () if file.is_rust() => file.split().1,
        () => return false,
    };
    let lower = rule.to_lowercase();
    text.lines().any(|line| stands(line, rule) || line.trim_start().starts_with("fn ") && stands(line, &lower))
}

/// Whether the rule stands in the line as a word of its own; an underscore ends a word.
fn stands(line: &str, rule: &str) -> bool {
    line.match_indices(rule).any(|(at, _)| {
        let before = line.get(..at).is_some_and(|b| b.ends_with(char::is_alphanumeric));
        // `R2a` and `R2(a)` cite R2; `R20` does not.
        let after = line.get(at + rule.len()..).is_some_and(|a| a.starts_with(|c: char| c.is_ascii_digit()));
        !before && !after
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_cited_by_name_or_by_number() {
        let file = |path: &str, text: &str| File { path: path.to_owned(), text: text.to_owned() };
        assert!(cites(&file("core/tests/x.rs", "    fn v1_lowest_first() {"), "V1"));
        assert!(cites(&file("scenarios/x.ron", "because: \"V1: lowest first\""), "V1"));
        assert!(!cites(&file("core/tests/x.rs", "let v1 = 3;"), "V1"));
        assert!(!cites(&file("core/tests/x.rs", "fn v12_other() {"), "V1"));
        assert!(!cites(&file("core/src/x.rs", "/// V1"), "V1"));
        assert!(cites(&file("core/src/x.rs", "//! x\n#[cfg(test)]\nmod tests {\n// V1\n}"), "V1"));
    }
}
