//! Links between documents lead somewhere, and the catalogue of scenarios lists what there is.

use crate::files::{File, root};
use std::path::Path;

/// All links that lead nowhere, and all differences between the catalogue and the files.
pub(crate) fn check(files: &[File]) -> Vec<String> {
    let mut findings = Vec::new();
    for file in files.iter().filter(|file| file.path.ends_with(".md")) {
        for (number, target) in targets(file) {
            let folder = Path::new(&file.path).parent().unwrap_or(Path::new(""));
            if !root().join(folder).join(&target).exists() {
                findings.push(format!("{}:{number}: the link leads nowhere: `{target}`", file.path));
            }
        }
    }
    findings.extend(catalogue(files));
    findings
}

/// Relative targets of Markdown links with their lines; fenced code is passed over.
fn targets(file: &File) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut fenced = false;
    for (number, line) in file.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        }
        if fenced {
            continue;
        }
        for (at, _) in line.match_indices("](") {
            let rest = line.get(at + 2..).unwrap_or_default();
            let target = rest.split([')', ' ', '#']).next().unwrap_or_default();
            let elsewhere = target.is_empty() || target.contains("://") || target.starts_with("mailto:");
            if !elsewhere {
                found.push((number, target.to_owned()));
            }
        }
    }
    found
}

fn catalogue(files: &[File]) -> Vec<String> {
    const CATALOGUE: &str = "scenarios/README.md";
    let scenarios = || files.iter().filter_map(|f| f.path.strip_prefix("scenarios/")).filter(|p| p.ends_with(".ron"));
    let Some(readme) = files.iter().find(|file| file.path == CATALOGUE) else {
        return scenarios().next().map(|_| format!("{CATALOGUE}:1: there is none")).into_iter().collect();
    };
    let names = |readme: &File, name: &str| {
        readme.text.contains(&format!("({name})")) || readme.text.contains(&format!("`{name}`"))
    };
    // A folder may have a catalogue of its own, which the one above links.
    let in_its_folder = |name: &str| {
        let Some((folder, file)) = name.rsplit_once('/') else { return false };
        let own = files.iter().find(|readme| readme.path == format!("scenarios/{folder}/README.md"));
        own.is_some_and(|own| names(own, file)) && readme.text.contains(&format!("({folder}/README.md)"))
    };
    let listed = |name: &str| names(readme, name) || in_its_folder(name);
    scenarios()
        .filter(|name| !listed(name))
        .map(|name| format!("{CATALOGUE}:1: the scenario `{name}` is not listed"))
        .chain(ghosts(readme, &scenarios().collect::<Vec<_>>()))
        .collect()
}

/// What the catalogue lists in code marks that does not exist; links are checked as links.
fn ghosts(readme: &File, scenarios: &[&str]) -> Vec<String> {
    let mut findings = Vec::new();
    for (number, line) in readme.lines() {
        for name in line.split('`').skip(1).step_by(2).filter(|name| name.ends_with(".ron") && !name.contains(' ')) {
            if !scenarios.contains(&name) && !root().join(name).exists() {
                findings.push(format!("{}:{number}: there is no scenario `{name}`", readme.path));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_in_code_and_to_the_net_are_passed_over() {
        let text = "[a](x.md#part) [b](https://e.org/x)\n```\n[c](y.md)\n```\n[d](#here) [e](z/) ";
        let file = File { path: "docs/a.md".to_owned(), text: text.to_owned() };
        assert_eq!(targets(&file), [(1, "x.md".to_owned()), (5, "z/".to_owned())]);
    }

    #[test]
    fn a_scenario_is_listed_above_or_in_its_folder() {
        let file = |path: &str, text: &str| File { path: path.to_owned(), text: text.to_owned() };
        let world = |above: &str| {
            let own = file("scenarios/x/README.md", "[a](a.ron)");
            catalogue(&[
                file("scenarios/README.md", above),
                own,
                file("scenarios/x/a.ron", ""),
                file("scenarios/x/b.ron", ""),
            ])
        };
        let missing = |name: &str| format!("scenarios/README.md:1: the scenario `{name}` is not listed");
        assert_eq!(world("[x](x/README.md)"), [missing("x/b.ron")]);
        assert_eq!(world("[b](x/b.ron)"), [missing("x/a.ron")]);
    }

    #[test]
    fn a_listed_scenario_must_exist() {
        let file = File { path: "scenarios/README.md".to_owned(), text: "| `a.ron` | `b.ron` |".to_owned() };
        assert_eq!(ghosts(&file, &["a.ron"]), ["scenarios/README.md:1: there is no scenario `b.ron`"]);
    }
}
