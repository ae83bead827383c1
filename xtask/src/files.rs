//! The text files of the repository that git tracks or would add, with their content.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// A text file of the repository.
pub(crate) struct File {
    /// The path from the root, with `/`.
    pub(crate) path: String,
    /// The content.
    pub(crate) text: String,
}

impl File {
    /// Whether it is Rust.
    pub(crate) fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    /// Whether all of it is test code: an integration test, a bench, a fuzz target, or the testkit.
    pub(crate) fn is_test(&self) -> bool {
        self.path.contains("/tests/") || self.path.starts_with("testkit/") || self.path.starts_with("fuzz/")
    }

    /// The text before the test module at its end, and the text from there on.
    pub(crate) fn split(&self) -> (&str, &str) {
        let at = self.text.find("\n#[cfg(test)]\nmod ").map_or(self.text.len(), |at| at + 1);
        self.text.split_at(at)
    }

    /// Lines with their numbers, from 1.
    pub(crate) fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.lines().enumerate().map(|(i, line)| (i + 1, line))
    }
}

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}

/// The output of a command, if it succeeds.
pub(crate) fn output(program: &str, arguments: &[&str]) -> Result<String, String> {
    let shown = || format!("`{program} {}`", arguments.join(" "));
    let out = Command::new(program).args(arguments).current_dir(root()).output();
    let out = out.map_err(|error| format!("{}: {error}", shown()))?;
    if !out.status.success() {
        return Err(format!("{} failed: {}", shown(), String::from_utf8_lossy(&out.stderr).trim()));
    }
    String::from_utf8(out.stdout).map_err(|_| format!("{} did not print text", shown()))
}

/// Every text file that is tracked, or new and not ignored. Binary files are skipped.
pub(crate) fn tracked() -> Result<Vec<File>, String> {
    let list = output("git", &["ls-files", "--cached", "--others", "--exclude-standard"])?;
    let mut paths: Vec<&str> = list.lines().collect();
    paths.sort_unstable();
    paths.dedup();
    // A link to a file is not read twice.
    let is_file = |path: &str| root().join(path).symlink_metadata().is_ok_and(|data| data.is_file());
    let read = |path: &str| Some(File { path: path.to_owned(), text: fs::read_to_string(root().join(path)).ok()? });
    Ok(paths.into_iter().filter(|path| is_file(path)).filter_map(read).collect())
}
