//! Writing files. A file is first written beside its place under another name, which it then changes: whatever stops the command (a
//! full disk, Ctrl-C, another writer), its place has either all of the old content or all of the new.

use super::inputs;
use crate::{exit::Trouble, interrupt};
use std::{
    collections::BTreeSet,
    fs::{self, File, OpenOptions},
    io::{self, BufWriter, ErrorKind, Write},
    path::{Path, PathBuf},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
};

/// The files that are being written now, by their temporary names.
static PARTS: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

fn parts() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    PARTS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Removes the files that are being written, when the command is ended from outside.
pub(crate) fn discard_parts() {
    for part in parts().iter() {
        let _ = fs::remove_file(part);
    }
}

/// Writes an output, and creates its folder if needed.
///
/// # Errors
/// If it cannot be written, or is also an input.
pub(crate) fn write(path: &Path, content: &(impl AsRef<[u8]> + ?Sized)) -> Result<(), Trouble> {
    let mut draft = Draft::begin(path)?;
    draft.put(content.as_ref())?;
    draft.finish()
}

/// As [`write()`], for a file that the command reads and then writes again on purpose.
///
/// # Errors
/// If it cannot be written.
pub(crate) fn rewrite(path: &Path, content: &(impl AsRef<[u8]> + ?Sized)) -> Result<(), Trouble> {
    let mut draft = Draft::unchecked(path)?;
    draft.put(content.as_ref())?;
    draft.finish()
}

/// A file that is being written piece by piece. It is in its place after [`Draft::finish`], and not before; dropped without, it
/// leaves nothing.
#[derive(Debug)]
pub(crate) struct Draft {
    /// The path as it was given, for messages.
    path: PathBuf,
    /// The temporary file and its place. Nothing for a device or a pipe, which is written to directly.
    part: Option<(PathBuf, PathBuf)>,
    file: BufWriter<File>,
}

impl Draft {
    /// Begins an output, and creates its folder if needed.
    ///
    /// # Errors
    /// If it cannot be written, or is also an input.
    pub(crate) fn begin(path: &Path) -> Result<Self, Trouble> {
        inputs::check(path)?;
        Self::unchecked(path)
    }

    fn unchecked(path: &Path) -> Result<Self, Trouble> {
        Self::open(path).map_err(|error| cannot_write(path, &error))
    }

    fn open(path: &Path) -> io::Result<Self> {
        let known = fs::metadata(path);
        match &known {
            Ok(of) if of.is_dir() => return Err(io::Error::new(ErrorKind::IsADirectory, "it is a folder, not a file")),
            // A rename would put a file in the place of the device, or of the file that stdout goes to.
            Ok(of) if !of.is_file() || path.starts_with("/dev") || path.starts_with("/proc") => {
                let file = BufWriter::new(OpenOptions::new().append(true).open(path)?);
                return Ok(Self { path: path.to_path_buf(), part: None, file });
            }
            Err(_) if fs::symlink_metadata(path).is_ok() => {
                return Err(io::Error::new(ErrorKind::NotFound, "it is a link to nothing"));
            }
            _ => {}
        }
        // Behind a link, the file that it leads to is replaced, not the link.
        let place = if known.is_ok() { fs::canonicalize(path)? } else { path.to_path_buf() };
        let folder = place.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        fs::create_dir_all(folder)?;
        interrupt::tidy_up();
        let (part, file) = new_part(folder)?;
        let draft = Self { path: path.to_path_buf(), part: Some((part, place)), file: BufWriter::new(file) };
        if let (Ok(known), Some((part, _))) = (known, &draft.part) {
            // The owner's choice who may read it stays.
            fs::set_permissions(part, known.permissions())?;
        }
        Ok(draft)
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), Trouble> {
        self.file.write_all(bytes).map_err(|error| cannot_write(&self.path, &error))
    }

    /// Puts the file in its place.
    ///
    /// # Errors
    /// If it cannot be written in full; its place is then as it was.
    pub(crate) fn finish(mut self) -> Result<(), Trouble> {
        let done = self.file.flush().and_then(|()| match &self.part {
            Some((part, place)) => fs::rename(part, place),
            None => Ok(()),
        });
        done.map_err(|error| cannot_write(&self.path, &error))?;
        if let Some((part, _)) = self.part.take() {
            parts().remove(&part);
        }
        Ok(())
    }
}

impl Write for Draft {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if let Some((part, _)) = &self.part {
            let _ = fs::remove_file(part);
            parts().remove(part);
        }
    }
}

/// Creates a file in a folder that no other writer has. Its name begins with a dot, and no command reads it.
fn new_part(folder: &Path) -> io::Result<(PathBuf, File)> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    const MOST_TRIED: u32 = 10_000;
    for _ in 0..MOST_TRIED {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let part = folder.join(format!(".quotree-{}-{number}.part", std::process::id()));
        match OpenOptions::new().write(true).create_new(true).open(&part) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
            Ok(file) => {
                parts().insert(part.clone());
                return Ok((part, file));
            }
        }
    }
    Err(io::Error::new(ErrorKind::AlreadyExists, "its folder has too many files `.quotree-*.part`: remove them"))
}

/// Creates a folder among the temporary files that no other user can read, under a name that nobody can guess and so create before.
///
/// # Errors
/// If it cannot be created.
pub(crate) fn private_folder() -> Result<PathBuf, Trouble> {
    use std::hash::{BuildHasher, RandomState};
    const MOST_TRIED: u32 = 100;
    let base = std::env::temp_dir();
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    for _ in 0..MOST_TRIED {
        // The keys of a new hasher are random.
        let path = base.join(format!("quotree-{:016x}", RandomState::new().hash_one(std::process::id())));
        match builder.create(&path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(cannot_write(&path, &error)),
            Ok(()) => return Ok(path),
        }
    }
    Err(cannot_write(
        &base,
        &io::Error::new(ErrorKind::AlreadyExists, "it has too many folders `quotree-*`: remove them"),
    ))
}

/// The output that could not be written, and why.
pub(crate) fn cannot_write(path: &Path, error: &io::Error) -> Trouble {
    if let Some(file) = path.ancestors().skip(1).find(|above| above.is_file()) {
        let (path, file) = (path.display(), file.display());
        return Trouble::invalid(format!("cannot write `{path}`: `{file}` is a file, not a folder: name a folder"));
    }
    Trouble::invalid(format!("cannot write `{}`: {error}", path.display()))
}
