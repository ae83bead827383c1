//! Writes the pages of the reports of the tests into a folder: `cargo run -p quotree-page --example pages -- DIR`.

#[path = "../tests/worlds/mod.rs"]
mod worlds;

use std::{env, error::Error, fs, path::Path};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = env::args().nth(1).ok_or("give the folder to write into")?;
    let all = [
        ("lab", worlds::lab()),
        ("empty", worlds::empty()),
        ("without-quota", worlds::without_quota()),
        ("failed", worlds::failed_without_gpu()),
        ("hostile", worlds::hostile()),
        ("large", worlds::large(10_000)),
        ("huge", worlds::large(env::args().nth(2).map_or(Ok(200_000), |n| n.parse())?)),
    ];
    fs::create_dir_all(&folder)?;
    for (name, report) in all {
        fs::write(Path::new(&folder).join(format!("{name}.html")), quotree_page::page(&report)?)?;
    }
    let compared = quotree_page::compare(&worlds::lab(), &worlds::failed_without_gpu());
    fs::write(Path::new(&folder).join("compare.html"), compared)?;
    Ok(())
}
