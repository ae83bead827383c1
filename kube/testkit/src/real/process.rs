//! A program that runs until it is dropped, and the log that it writes.

use super::LaunchError;
use std::{
    fs, io,
    net::TcpListener,
    path::{Path, PathBuf},
    process::Stdio,
};
use tokio::process::{Child, Command};

/// A program that runs.
#[derive(Debug)]
pub(super) struct Process {
    name: &'static str,
    log: PathBuf,
    child: Child,
}

impl Process {
    /// Starts a program. What it writes goes to `NAME.log` in the folder.
    pub(super) fn start(
        program: &Path,
        folder: &Path,
        name: &'static str,
        flags: &[String],
    ) -> Result<Self, LaunchError> {
        let log = folder.join(format!("{name}.log"));
        let file = fs::OpenOptions::new().create(true).append(true).open(&log)?;
        let mut command = Command::new(program);
        command.args(flags).current_dir(folder).stdin(Stdio::null());
        command.stdout(file.try_clone()?).stderr(file).kill_on_drop(true);
        Ok(Self { name, log, child: command.spawn()? })
    }

    /// Ends it, as `kill -9` does, and waits for its end.
    pub(super) async fn kill(&mut self) -> io::Result<()> {
        self.child.kill().await
    }

    /// An error if it has ended.
    pub(super) fn check(&mut self) -> Result<(), LaunchError> {
        match self.child.try_wait()? {
            Some(status) => Err(self.failed(format!("ended with {status}"))),
            None => Ok(()),
        }
    }

    /// The error that it did something, with the end of its log.
    pub(super) fn failed(&self, what: String) -> LaunchError {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        let log = lines.get(lines.len().saturating_sub(20)..).unwrap_or_default().join("\n");
        LaunchError::Program { program: self.name, what, log }
    }
}

/// `--name=value`.
pub(super) fn flag(name: &str, value: impl std::fmt::Display) -> String {
    format!("--{name}={value}")
}

/// Ports that are free now.
pub(super) fn free_ports<const N: usize>() -> io::Result<[u16; N]> {
    let listeners: Vec<TcpListener> = (0..N).map(|_| TcpListener::bind(("127.0.0.1", 0))).collect::<Result<_, _>>()?;
    let mut ports = [0; N];
    for (port, listener) in ports.iter_mut().zip(&listeners) {
        *port = listener.local_addr()?.port();
    }
    Ok(ports)
}
