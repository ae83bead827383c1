//! The folder of a sweep: finished runs, keyed by content, so that nothing is run twice.
//!
//! `runs/*.jsonl` have a line for each finished run. Every start of a sweep adds a file of its own, so that several processes can
//! share a folder, and folders can be put together by copying. A line that was not written in full is ignored.

use crate::{exit::Trouble, files};
use quotree_study::{Outcomes, Prepared, Ran, Record};
use serde_json::json;
use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions},
    io::{ErrorKind, Write},
    path::{Path, PathBuf},
};

/// What every file of a sweep says it is.
const FORMAT: &str = "quotree sweep 1";
/// The description of the last sweep in a folder.
const ABOUT: &str = "sweep.json";

pub(super) struct Folder {
    path: PathBuf,
    known: BTreeMap<String, Ran>,
    /// The file for new lines, once there is one.
    file: Option<(PathBuf, File)>,
}

impl Folder {
    /// Opens or creates the folder, and reads all finished runs in it.
    ///
    /// # Errors
    /// If it has other files, or cannot be read or written.
    pub(super) fn open(path: &Path, study: &Prepared<'_>) -> Result<Self, Trouble> {
        let about = path.join(ABOUT);
        let is_sweep = || files::peek_text(&about).is_ok_and(|text| text.contains(FORMAT));
        if about.exists() && !is_sweep() {
            let about = about.display();
            return Err(Trouble::invalid(format!(
                "`{about}` is not that of a sweep of this version: give another `--out`"
            )));
        }
        if !about.exists() && path.read_dir().is_ok_and(|mut entries| entries.next().is_some()) {
            let path = path.display();
            return Err(Trouble::invalid(format!(
                "`{path}` has files, and is not the folder of a sweep: give another `--out`"
            )));
        }
        let cases = &study.study.cases;
        let axes: Vec<_> = match cases {
            quotree_study::Cases::Product(axes) => {
                axes.iter().map(|axis| json!({ "path": axis.path, "values": axis.values })).collect()
            }
            quotree_study::Cases::Named(_) => Vec::new(),
        };
        let value = json!({
            "format": FORMAT,
            "version": env!("CARGO_PKG_VERSION"),
            "semantics": quotree_core::SEMANTICS_VERSION,
            "scenario": study.name,
            "file": study.study.file,
            "axes": axes,
            "seeds": study.seeds,
        });
        files::write(&about, &crate::verbs::pretty(&value))?;
        let mut folder = Self { path: path.to_path_buf(), known: BTreeMap::new(), file: None };
        folder.read()?;
        Ok(folder)
    }

    fn read(&mut self) -> Result<(), Trouble> {
        let folder = self.path.join("runs");
        let cannot = |error: std::io::Error| Trouble::invalid(format!("cannot read `{}`: {error}", folder.display()));
        let entries = match folder.read_dir() {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            entries => entries.map_err(cannot)?,
        };
        let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>, _>>().map_err(cannot)?;
        paths.sort();
        for path in paths.iter().filter(|path| path.extension().is_some_and(|ending| ending == "jsonl")) {
            let bytes = files::peek(path)
                .map_err(|why| Trouble::invalid(format!("cannot read `{}`: {why}", path.display())))?;
            for line in String::from_utf8_lossy(&bytes).lines() {
                if let Some(Record { key, ran }) = Record::read(line) {
                    self.known.insert(key, ran);
                }
            }
        }
        Ok(())
    }

    /// Fills in the outcomes that the folder has. Returns how many.
    pub(super) fn recall(&mut self, study: &Prepared<'_>, outcomes: &mut Outcomes) -> usize {
        let known = |number: &usize| Some((*number, self.known.get(&study.key(*number)?)?.clone()));
        let found: Vec<(usize, Ran)> = (0..study.runs()).filter_map(|number| known(&number)).collect();
        let count = found.len();
        found.into_iter().for_each(|(number, ran)| outcomes.keep(number, ran));
        self.known.clear();
        count
    }

    /// Adds a finished run.
    ///
    /// # Errors
    /// If it cannot be written.
    pub(super) fn keep(&mut self, study: &Prepared<'_>, number: usize, ran: &Ran) -> Result<(), Trouble> {
        let Some(key) = study.key(number) else { return Ok(()) };
        let line = Record { key, ran: ran.clone() }.line() + "\n";
        let (path, file) = match &mut self.file {
            Some(open) => open,
            None => self.file.insert(new_file(&self.path.join("runs"))?),
        };
        // In one piece: what is torn is the last line, which is then ignored.
        file.write_all(line.as_bytes())
            .map_err(|error| Trouble::invalid(format!("cannot write `{}`: {error}", path.display())))
    }
}

/// Creates a file that nobody else has.
fn new_file(folder: &Path) -> Result<(PathBuf, File), Trouble> {
    let cannot =
        |path: &Path, error: &std::io::Error| Trouble::invalid(format!("cannot write `{}`: {error}", path.display()));
    fs::create_dir_all(folder).map_err(|error| cannot(folder, &error))?;
    // The process id keeps files of machines that share no folder apart when they are copied into one.
    let process = std::process::id();
    for number in 0..u32::MAX {
        let path = folder.join(format!("{process:08x}-{number:04}.jsonl"));
        match OpenOptions::new().append(true).create_new(true).open(&path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(cannot(&path, &error)),
            Ok(file) => return Ok((path, file)),
        }
    }
    Err(Trouble::invalid(format!("`{}` has too many files", folder.display())))
}
