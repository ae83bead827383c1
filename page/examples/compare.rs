//! Writes the page of two runs from their `report.json`: `cargo run -p quotree-page --example compare -- FILE A B`.

use quotree_page::model::Report;
use std::{env, error::Error, fs};

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = env::args().skip(1).collect();
    let [file, a, b] = words.as_slice() else { return Err("which file, and which two reports?".into()) };
    let read = |path: &str| -> Result<Report, Box<dyn Error>> { Ok(serde_json::from_str(&fs::read_to_string(path)?)?) };
    fs::write(file, quotree_page::compare(&read(a)?, &read(b)?))?;
    Ok(())
}
