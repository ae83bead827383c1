//! Every whole scenario in docs/scenario.md loads, and every field of the language occurs in one of them.

use quotree_sim::{
    RunOptions, run,
    scenario::{MapLoader, load, load_tree, schema},
};

const DOCS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/scenario.md");

/// The fenced blocks with the text behind the fence.
fn blocks(text: &str) -> Vec<(String, String)> {
    let mut blocks = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if let Some(info) = line.strip_prefix("```") {
            let body: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            blocks.push((info.to_owned(), body.join("\n") + "\n"));
        }
    }
    blocks
}

#[test]
fn every_example_of_the_guide_loads_without_a_warning() {
    let text = std::fs::read_to_string(DOCS).unwrap();
    let blocks = blocks(&text);
    let csv = blocks.iter().find(|(info, _)| info == "text").unwrap().1.clone();
    let mut loader = MapLoader::new().with("jobs.csv", csv).with("durations.txt", "5m\n1h30m\n");
    // Files that an example includes are blocks of their own, with their names behind the fence.
    for (info, body) in &blocks {
        if let Some((_, name)) = info.rsplit_once(' ').filter(|(kind, _)| matches!(*kind, "text" | "json" | "ron tree"))
        {
            loader = loader.with(name, body.as_str());
        }
    }
    for (_, body) in blocks.iter().filter(|(info, _)| info.starts_with("ron scenario")) {
        let name = body.split("name: \"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
        loader = loader.with(&format!("{name}.ron"), body.as_str());
    }
    let mut count = 0;
    let is_example = |info: &str| info.starts_with("ron") || info.starts_with("yaml scenario");
    for (info, body) in blocks.iter().filter(|(info, _)| is_example(info)) {
        let path = if info.starts_with("ron") { "x.ron" } else { "x.yaml" };
        let loader = loader.clone().with(path, body.as_str());
        let diagnostics = if info.starts_with("ron tree") {
            load_tree(path, &loader).diagnostics
        } else {
            let loaded = load(path, &loader);
            if info.ends_with("durations.txt") || info.contains("that runs") {
                // Their claims hold, too.
                let run = run(loaded.scenario.as_ref().unwrap(), &RunOptions::default(), &mut ()).unwrap();
                assert!(run.result.claims.failed == 0 && run.result.claims.passed > 3, "{:#?}", run.result.claims);
            }
            loaded.diagnostics
        };
        let told: Vec<String> = diagnostics.iter().map(ToString::to_string).collect();
        assert_eq!(told.len(), usize::from(info.ends_with("one warning")), "{told:?}\n{body}");
        count += 1;
    }
    assert_eq!(count, 16);
}

/// Values that examples write without a struct name: they must appear in an example of their struct, written the same
/// way.
const WITHOUT_NAMES: [&str; 11] =
    ["times", "period", "speeds", "part", "level", "time", "change", "claim", "class", "group", "digest"];

#[test]
fn every_field_of_the_language_appears_in_an_example() {
    let text = std::fs::read_to_string(DOCS).unwrap();
    let examples: String = blocks(&text).into_iter().filter(|(i, _)| i.starts_with("ron")).map(|(_, b)| b).collect();
    let schema = schema();
    let mut missing = Vec::new();
    for (place, def) in schema["$defs"].as_object().unwrap() {
        let Some((_, name)) = place.rsplit_once('.') else { continue };
        // `bounds: (nodes: 64, ..)` is written without its name.
        let written = name == "Bounds" || examples.contains(&format!("{name}(")) || examples.contains(name);
        // In YAML, `kind` names the struct, and a struct may stand in place of the field that holds it.
        let is_of_yaml = |field: &str| field == "kind" || field.starts_with(|c: char| c.is_ascii_uppercase());
        let fields = def["properties"].as_object().into_iter().flat_map(|fields| fields.keys());
        for field in fields.filter(|field| !is_of_yaml(field)) {
            let by_name = examples.contains(&format!(" {field}: ")) || examples.contains(&format!("({field}: "));
            if !written || !(by_name || WITHOUT_NAMES.contains(&field.as_str())) {
                missing.push(format!("{place}.{field}"));
            }
        }
        if !written {
            missing.push(place.clone());
        }
    }
    assert_eq!(missing, [""; 0]);
}

#[test]
fn the_links_of_the_schema_exist() {
    let schema = schema();
    let text = schema.to_string();
    let mut count = 0;
    for reference in text.split("\"$ref\":\"#/$defs/").skip(1) {
        let name = reference.split('"').next().unwrap();
        assert!(schema["$defs"].get(name).is_some(), "no `{name}`");
        count += 1;
    }
    assert!(count > 50, "{count} references");
    assert_eq!(schema["$defs"]["quota.Quota"]["required"], serde_json::json!(["name"]));
}
