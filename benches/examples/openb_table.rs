//! The published table of placement policies on the openb lists, beside ours: `cargo run --release -p quotree-benches
//! --example openb_table -- [SEEDS] [FIRST] [LIST]`. Prints it and the curves as they stand in docs/placement.md.

#![expect(clippy::print_stdout, reason = "a program that tells")]

use quotree_benches::openb;
use quotree_core::Policy;
use quotree_testkit::shared::shared;

/// How far from the published mean a mean of ten seeds may be, in thousandths of a per cent.
const TOLERANCE: i64 = 400;
const CURVE: [usize; 5] = [50, 80, 100, 115, 130];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut words = std::env::args().skip(1);
    let mut number = |usual| words.next().and_then(|word| word.parse::<u64>().ok()).unwrap_or(usual);
    let (seeds, first) = (number(10), number(42));
    let only = words.next();
    let Some(folder) = shared() else { return Ok(()) };
    let nodes = openb::nodes(&folder)?;
    let capacity = openb::capacity(&nodes);
    let (mut table, mut curves) = (Vec::new(), Vec::new());
    let mut far = 0;
    for name in openb::LISTS.iter().filter(|name| only.as_deref().is_none_or(|only| only == **name)) {
        let list = openb::list(&folder, name)?;
        let typical = openb::typical(&list);
        let mut sums = vec![vec![0; CURVE.len()]; 6];
        for seed in first..first + seeds {
            let pods = openb::draw(&list, capacity, seed);
            let nodes = openb::renumber(&nodes, seed);
            for ((_, placement), sums) in openb::policies(seed).into_iter().zip(&mut sums) {
                let policy = Policy { placement, typical: typical.clone(), ..Policy::default() };
                let outcome = openb::place(&nodes, &pods, policy)?;
                for (sum, per_cent) in sums.iter_mut().zip(CURVE) {
                    *sum += outcome.curve.get(per_cent).copied().flatten().unwrap_or(0);
                }
            }
        }
        for ((policy, _), sums) in openb::policies(first).into_iter().zip(sums) {
            let published = openb::published(&folder, name, policy)?;
            let theirs = CURVE.map(|per_cent| published.get(per_cent).copied().flatten().unwrap_or(0));
            let ours: Vec<i64> = sums.iter().map(|sum| sum / i64::try_from(seeds).unwrap_or(1)).collect();
            let (Some(our), Some(their)) = (ours.last(), theirs.last()) else { continue };
            far += u32::from((our - their).abs() > TOLERANCE);
            table.push(format!("| {name} | {policy} | {} | {} | {} |", show(*our), show(*their), signed(our - their)));
            let pairs: Vec<String> = ours
                .iter()
                .zip(theirs)
                .map(|(our, their)| format!("{} ({})", show(*our), signed(our - their)))
                .collect();
            curves.push(format!("| {name} | {policy} | {} |", pairs.join(" | ")));
            eprintln!("{}", table.last().map_or("", String::as_str));
        }
    }
    println!("| list | policy | ours | published | difference |\n|---|---|---|---|---|\n{}\n", table.join("\n"));
    let heads = CURVE.map(|per_cent| format!("at {per_cent} %")).join(" | ");
    println!(
        "| list | policy | {heads} |\n|---|---|{}|\n{}",
        "---|".repeat(CURVE.len() - 1) + "---",
        curves.join("\n")
    );
    if far > 0 && seeds >= 10 {
        return Err(format!("{far} results are more than 0.4 points from the published ones").into());
    }
    Ok(())
}

/// Thousandths as a number with two decimals.
fn show(thousandths: i64) -> String {
    let hundredths = (thousandths.abs() + 5) / 10;
    let sign = if thousandths < 0 && hundredths > 0 { "-" } else { "" };
    format!("{sign}{}.{:02}", hundredths / 100, hundredths % 100)
}

fn signed(thousandths: i64) -> String {
    let shown = show(thousandths);
    if shown.starts_with('-') { shown } else { format!("+{shown}") }
}
