//! The words of a command, quoted for a shell.

use crate::args::Edits;

/// A word, in quotes where a shell needs them.
pub(super) fn word(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// The options that change a scenario, each with a space before it.
pub(super) fn edits(edits: &Edits) -> String {
    let policy = edits.policy.iter().map(|policy| format!(" --policy {}", word(policy)));
    let settings = edits.set.iter().map(|setting| format!(" --set {}", word(setting)));
    policy.chain(settings).collect()
}
