//! `run --tables`: the tables of a run in several formats.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod command;

use command::{quotree_in, scratch};
use snapbox::{cmd::Command, str};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

const DEMO: &str = "scenarios/nginx-40-core.ron";

fn quotree(args: &[&str]) -> Command {
    quotree_in("..", args)
}

/// The tables that a run writes with these arguments, by the names of their files.
fn written(out: &Path, args: &[&str]) -> BTreeMap<PathBuf, Vec<u8>> {
    let run = ["run", DEMO, "--reasons", "0", "--out", out.to_str().unwrap()];
    quotree(&[&run, args].concat()).assert().code(0).stderr_eq("");
    let paths = fs::read_dir(out.join("tables")).unwrap().map(|entry| entry.unwrap().path());
    paths.map(|path| (path.file_name().unwrap().into(), fs::read(&path).unwrap())).collect()
}

#[test]
fn every_table_is_written_in_every_format_that_is_asked_for() {
    let csv = written(&scratch("tables/default"), &[]);
    assert!(csv.len() > 10 && csv.keys().all(|name| name.extension().unwrap() == "csv"));
    let mut all = written(&scratch("tables/all"), &["--tables", "parquet,json,csv"]);
    assert_eq!(all.len(), 3 * csv.len());
    for (name, content) in &csv {
        assert_eq!(all.remove(name).as_ref(), Some(content));
        let json = all.remove(&name.with_extension("json")).unwrap();
        let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
        assert_eq!(json["name"], name.file_stem().unwrap().to_str().unwrap());
        assert!(all.remove(&name.with_extension("parquet")).unwrap().ends_with(b"PAR1"));
    }
    let twice = written(&scratch("tables/twice"), &["--tables", "json", "--tables", "json"]);
    assert!(twice.len() == csv.len() && twice.keys().all(|name| name.extension().unwrap() == "json"));
}

#[test]
fn a_format_that_does_not_exist_is_refused_with_those_that_do() {
    let unknown = ["run", DEMO, "--out", "never", "--tables", "csv,xlsx"];
    quotree(&unknown).assert().code(2).stdout_eq("").stderr_eq(str![[r#"
error: invalid value 'xlsx' for '--tables <FORMATS>'
  [possible values: csv, json, parquet]

For more information, try '--help'.

"#]]);
    quotree(&["run", DEMO, "--tables", "json"]).assert().code(2).stdout_eq("").stderr_eq(str![[r#"
error: the following required arguments were not provided:
  --out <DIR>

Usage: quotree run --out <DIR> --tables <FORMATS> <FILE>

For more information, try '--help'.

"#]]);
}
