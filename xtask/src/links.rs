//! Checks that links between documents lead to an existing file and heading or anchor, and that the catalogue of
//! scenarios lists exactly the existing ones.

use crate::files::{File, root};
use std::{
    collections::BTreeMap,
    path::{Component, Path, PathBuf},
};

/// All broken links, and all differences between the catalogue and the files.
pub(crate) fn check(files: &[File]) -> Vec<String> {
    let mut findings = Vec::new();
    let documents: BTreeMap<&str, &File> =
        files.iter().filter(|file| file.path.ends_with(".md")).map(|file| (file.path.as_str(), file)).collect();
    for file in documents.values() {
        for (number, target, anchor) in targets(file) {
            let path = from(&file.path, &target);
            if !root().join(&path).exists() {
                findings.push(format!("{}:{number}: the link leads nowhere: `{target}`", file.path));
            } else if let Some(document) = path.to_str().and_then(|path| documents.get(path))
                && !anchor.is_empty()
                && !anchors(document).contains(&anchor)
            {
                findings.push(format!("{}:{number}: `{}` has no heading `#{anchor}`", file.path, document.path));
            }
        }
    }
    findings.extend(catalogue(files));
    findings
}

/// The path of the target of a link; an empty target is the document itself.
fn from(document: &str, target: &str) -> PathBuf {
    let document = Path::new(document);
    let folder = document.parent().unwrap_or(Path::new(""));
    let joined = if target.is_empty() { document.to_path_buf() } else { folder.join(target) };
    let mut path = PathBuf::new();
    for part in joined.components() {
        match part {
            Component::ParentDir => drop(path.pop()),
            other => path.push(other),
        }
    }
    path
}

/// The anchors of a document that a link can name after `#`: its headings as GitHub writes them, and those it sets.
fn anchors(document: &File) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for (_, line) in unfenced(document) {
        if let Some(heading) = line.strip_prefix('#') {
            let slug = slug(heading.trim_start_matches('#').trim());
            let same = found.iter().filter(|other| **other == slug).count();
            found.push(if same == 0 { slug } else { format!("{slug}-{same}") });
        }
        found.extend(line.split("<a id=\"").skip(1).filter_map(|rest| rest.split('"').next()).map(str::to_owned));
    }
    found
}

fn slug(heading: &str) -> String {
    // Of a link in a heading, its text counts.
    let text: String = heading
        .split("](")
        .enumerate()
        .map(|(i, part)| if i == 0 { part } else { part.split_once(')').map_or("", |p| p.1) })
        .collect();
    let kept = text.to_lowercase().replace(' ', "-");
    kept.chars().filter(|c| c.is_alphanumeric() || matches!(c, '-' | '_')).collect()
}

/// The lines of a document with their numbers, without fenced code.
fn unfenced(file: &File) -> impl Iterator<Item = (usize, &str)> {
    let mut fenced = false;
    file.lines().filter(move |(_, line)| {
        let is_fence = line.trim_start().starts_with("```");
        fenced ^= is_fence;
        !fenced && !is_fence
    })
}

/// The relative targets of Markdown links with their lines, each with the anchor after `#`.
fn targets(file: &File) -> Vec<(usize, String, String)> {
    let mut found = Vec::new();
    for (number, line) in unfenced(file) {
        for (at, _) in line.match_indices("](") {
            let rest = line.get(at + 2..).unwrap_or_default();
            let target = rest.split([')', ' ']).next().unwrap_or_default();
            if !target.is_empty() && !target.contains("://") && !target.starts_with("mailto:") {
                let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
                found.push((number, path.to_owned(), anchor.to_owned()));
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

/// The names in code marks of the catalogue that do not exist; links are checked separately.
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
        let found = |number, path: &str, anchor: &str| (number, path.to_owned(), anchor.to_owned());
        assert_eq!(targets(&file), [found(1, "x.md", "part"), found(5, "", "here"), found(5, "z/", "")]);
    }

    #[test]
    fn headings_and_anchors_can_be_linked() {
        let text = "# R2(b) A `x_y`: more\n## [a](b.md) c\n```\n# not\n```\n<a id=\"r2\"></a>\n## A-b\n## A-b\n";
        let file = File { path: "docs/a.md".to_owned(), text: text.to_owned() };
        assert_eq!(anchors(&file), ["r2b-a-x_y-more", "a-c", "r2", "a-b", "a-b-1"]);
        assert_eq!(from("docs/a.md", "../b/./c.md"), Path::new("b/c.md"));
        assert_eq!(from("docs/a.md", ""), Path::new("docs/a.md"));
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
