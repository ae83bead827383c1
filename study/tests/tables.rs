//! Every table of a run has the same cells in CSV, JSON and Parquet, and every column has its type.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test that cannot go on fails")]

use parquet::{
    file::reader::{FileReader, SerializedFileReader},
    record::Field,
};
use quotree_core::{Unit, parse_quantity};
use quotree_reports::{tables, visible};
use quotree_sim::{
    RunOptions,
    result::{RunResult, TimeMap},
    run,
    scenario::{MapLoader, load},
};
use quotree_study::write_parquet;
use serde_json::Value;
use std::{collections::BTreeSet, fs, io, path::Path};

/// Scenarios of the catalogue, which between them have rows for every table.
const SCENARIOS: [&str; 6] = [
    "nginx-40-core.ron",
    "people/user-in-two-groups.ron",
    "people/researcher-edits-refused.ron",
    "workloads/workflow-failed.ron",
    "datasets/first-and-second-pass.ron",
    "world/research-lab.ron",
];

const TABLES: [&str; 14] = [
    "claims",
    "datasets",
    "evictions",
    "failures",
    "groups",
    "instances",
    "jobs",
    "namespaces",
    "nodes",
    "pending",
    "quotas",
    "refusals",
    "users",
    "workloads",
];

/// Runs a scenario, which may extend those beside it.
fn result(file: &str) -> RunResult {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios").join(file);
    let beside = fs::read_dir(path.parent().unwrap()).unwrap().map(|entry| entry.unwrap().path());
    let scenarios = beside.filter(|path| path.extension().is_some_and(|ending| ending == "ron"));
    let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
    let loader = scenarios.fold(MapLoader::new(), |loader, path| loader.with(&name(&path), fs::read(&path).unwrap()));
    let scenario = load(&name(&path), &loader).scenario.unwrap();
    run(&scenario, &RunOptions { job_rows: usize::MAX, ..RunOptions::default() }, &mut ()).unwrap().result
}

fn written(write: impl FnOnce(&mut Vec<u8>) -> io::Result<()>) -> Vec<u8> {
    let mut file = Vec::new();
    write(&mut file).unwrap();
    file
}

/// The files of a table, read again: CSV with its header first, JSON, and the names and rows of Parquet.
struct Files {
    csv: Vec<Vec<String>>,
    json: Value,
    names: Vec<String>,
    rows: Vec<Vec<Field>>,
}

impl Files {
    /// The table at this place.
    fn of(result: &RunResult, place: usize) -> Self {
        let table = || tables(result).remove(place);
        let csv = written(|file| table().write_csv(file));
        let mut csv = csv::ReaderBuilder::new().has_headers(false).from_reader(&csv[..]);
        let csv = csv.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect();
        let json = serde_json::from_slice(&written(|file| table().write_json(file))).unwrap();
        let parquet = bytes::Bytes::from(written(|file| write_parquet(table(), file)));
        let parquet = SerializedFileReader::new(parquet).unwrap();
        let schema = parquet.metadata().file_metadata().schema();
        let names = schema.get_fields().iter().map(|field| field.name().to_owned()).collect();
        let rows = parquet.get_row_iter(None).unwrap();
        let rows = rows.map(|row| row.unwrap().into_columns().into_iter().map(|(_, field)| field).collect()).collect();
        Self { csv, json, names, rows }
    }
}

/// The name of a column in JSON and Parquet, from that in CSV.
fn exact(name: &str, kind: &str) -> String {
    match kind {
        "units" => format!("{name}_unit"),
        "unit_ms" => format!("{}_unit_ms", name.strip_suffix("_time_s").unwrap()),
        _ => name.to_owned(),
    }
}

/// The number that a field of CSV stands for.
fn number(field: &str, kind: &str, resource: &Value) -> i128 {
    let resource = || resource.as_str().unwrap();
    match kind {
        "units" => parse_quantity(field, Unit::of(resource())).unwrap().into(),
        "unit_ms" => {
            let (whole, part) = field.split_once('.').unwrap_or((field, ""));
            let millionths = format!("{whole}{part:0<6}").parse::<u128>().unwrap();
            i128::try_from(millionths * TimeMap::second(resource()) / 1_000_000).unwrap()
        }
        _ => field.parse().unwrap(),
    }
}

/// Compares a cell of the three files.
fn same(csv: &str, json: &Value, parquet: &Field, kind: &str, resource: &Value) {
    match (json, parquet) {
        (Value::Null, Field::Null) => assert_eq!(csv, ""),
        (Value::String(text), Field::Str(other)) if kind == "text" => {
            assert_eq!((text, csv), (other, visible(text).as_str()));
        }
        (Value::Bool(holds), Field::Bool(other)) if kind == "truth" => {
            assert_eq!((holds, csv), (other, holds.to_string().as_str()));
        }
        (Value::Number(_) | Value::String(_), Field::Long(_) | Field::Decimal(_)) => {
            let is_wide = matches!(kind, "unit_ms" | "money_milli");
            assert!(is_wide || matches!(kind, "count" | "ms" | "ratio_permille" | "units"), "{kind}");
            assert_eq!(is_wide, matches!(parquet, Field::Decimal(_)), "{kind}");
            let wanted = number(csv, kind, resource).to_string();
            assert_eq!(json.as_str().map_or_else(|| json.to_string(), str::to_owned), wanted);
            assert_eq!(parquet.to_string().trim_end_matches('.'), wanted);
        }
        _ => panic!("{kind}: {json} in JSON is {parquet} in Parquet"),
    }
}

#[test]
fn all_formats_of_all_tables_have_the_same_cells() {
    let (mut filled, mut empty, mut kinds, mut bounds) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new(), 0);
    for scenario in SCENARIOS {
        let result = result(scenario);
        for (place, table) in tables(&result).iter().enumerate() {
            let files = Files::of(&result, place);
            let columns: Vec<(&str, &str)> = files.json["columns"]
                .as_array()
                .unwrap()
                .iter()
                .map(|column| (column["name"].as_str().unwrap(), column["kind"].as_str().unwrap()))
                .collect();
            let [in_csv, in_parquet] = [&files.csv[0], &files.names];
            assert!(columns.iter().map(|(name, _)| *name).eq(in_parquet.iter().map(String::as_str)));
            assert!(columns.iter().zip(in_csv).all(|((name, kind), other)| *name == exact(other, kind)));
            let rows = files.json["rows"].as_array().unwrap();
            assert_eq!((in_csv.len(), files.csv.len() - 1, files.rows.len()), (columns.len(), rows.len(), rows.len()));
            for ((csv, json), parquet) in files.csv.iter().skip(1).zip(rows).zip(&files.rows) {
                assert_eq!((csv.len(), parquet.len()), (columns.len(), columns.len()));
                for (((name, kind), csv), parquet) in columns.iter().zip(csv).zip(parquet) {
                    same(csv, &json[name], parquet, kind, &json["resource"]);
                }
                // What is named as a lower bound is a number of this row.
                for name in json["at_least"].as_str().unwrap_or_default().split_whitespace() {
                    assert!(json[name].is_u64(), "{name}");
                    bounds += 1;
                }
            }
            kinds.extend(columns.iter().map(|(_, kind)| (*kind).to_owned()));
            if rows.is_empty() { &mut empty } else { &mut filled }.insert(table.name);
        }
    }
    assert!(empty.contains("refusals") && bounds > 0);
    assert_eq!(filled.into_iter().collect::<Vec<_>>(), TABLES);
    assert!(kinds.iter().eq(["count", "money_milli", "ms", "ratio_permille", "text", "truth", "unit_ms", "units"]));
}
