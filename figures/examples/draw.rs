//! `cargo run -p quotree-figures --example draw -- DIR REPORT [REPORT]` draws the figures of a `report.json`, and of two the
//! comparison.

use quotree_page::model::Report;
use std::{env, error::Error, fs, path::Path};

fn main() -> Result<(), Box<dyn Error>> {
    let mut words = env::args().skip(1);
    let folder = words.next().ok_or("which folder?")?;
    let read =
        |path: String| -> Result<Report, Box<dyn Error>> { Ok(serde_json::from_str(&fs::read_to_string(path)?)?) };
    let reports = words.map(read).collect::<Result<Vec<Report>, _>>()?;
    let figures = match reports.as_slice() {
        [one] => quotree_figures::figures(one)?,
        [before, after] => vec![quotree_figures::before_after(before, after)?],
        _ => return Err("one report or two?".into()),
    };
    fs::create_dir_all(&folder)?;
    for figure in figures {
        fs::write(Path::new(&folder).join(figure.name).with_extension("svg"), &figure.svg)?;
        fs::write(Path::new(&folder).join(figure.name).with_extension("png"), figure.png()?)?;
    }
    Ok(())
}
