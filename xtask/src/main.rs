//! Repository checks of quotree: `cargo run -p xtask -- tidy` reads the tree and reports every violation of the
//! repository's conventions at once, each with its file and line. `cargo run -p xtask -- lines REVISION..` counts the
//! product lines of each crate, then and now. `cargo run -p xtask -- chart` writes the Helm chart.

mod chart;
mod circles;
mod deps;
mod files;
mod lines;
mod links;
mod rules;
mod text;

use std::process::ExitCode;

fn main() -> ExitCode {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    match wanted.split_first() {
        Some((verb, [])) if verb == "tidy" => check(),
        Some((verb, [])) if verb == "chart" => print(&chart::write().map(|()| String::new())),
        Some((verb, revisions)) if verb == "lines" => print(&lines::table(revisions)),
        _ => {
            eprintln!("usage: cargo run -p xtask -- tidy | chart | lines [REVISION..]");
            ExitCode::from(2)
        }
    }
}

fn print(table: &Result<String, String>) -> ExitCode {
    match table {
        Ok(table) => {
            print!("{table}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("xtask: {error}");
            ExitCode::FAILURE
        }
    }
}

fn check() -> ExitCode {
    match tidy() {
        Ok(findings) if findings.is_empty() => {
            println!("tidy: nothing to say");
            ExitCode::SUCCESS
        }
        Ok(findings) => {
            findings.iter().for_each(|finding| eprintln!("{finding}"));
            eprintln!("tidy: {} findings", findings.len());
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("tidy: {error}");
            ExitCode::FAILURE
        }
    }
}

/// All findings, in the order of the checks.
fn tidy() -> Result<Vec<String>, String> {
    let files = files::tracked()?;
    let mut findings = deps::check()?;
    findings.extend(circles::check(&files));
    findings.extend(text::check(&files));
    findings.extend(rules::check(&files));
    findings.extend(links::check(&files));
    findings.extend(chart::check(&files)?);
    Ok(findings)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_repository_is_tidy() {
        let findings = super::tidy().unwrap();
        assert!(findings.is_empty(), "\n{}\n", findings.join("\n"));
    }
}
