//! Writes the page of a report: `cargo run -p quotree-page --example page -- REPORT.json PAGE.html`.

use quotree_page::{model::Report, page};
use std::{env, error::Error, fs};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let (Some(from), Some(to)) = (arguments.next(), arguments.next()) else {
        return Err("give the report and the page to write".into());
    };
    let report: Report = serde_json::from_slice(&fs::read(from)?)?;
    fs::write(to, page(&report)?)?;
    Ok(())
}
