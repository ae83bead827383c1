//! Where the programs of a real cluster are, or why a test that needs them is skipped.

use std::{
    env,
    io::Write,
    path::{Path, PathBuf},
};

/// The module file that says which version of Kubernetes is built.
const TOOLS: &str = include_str!("../../../tools/go.mod");

/// Set to anything, a test that finds no programs fails instead of being skipped.
pub const REQUIRE: &str = "QUOTREE_REQUIRE_APISERVER";

/// The programs of a real cluster. The API server and its store are always there; the others where `kube/tools/build --all`
/// has made them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Programs {
    pub(super) etcd: PathBuf,
    pub(super) apiserver: PathBuf,
    pub(super) scheduler: Option<PathBuf>,
    pub(super) controllers: Option<PathBuf>,
    /// KWOK, and the stages that it plays.
    pub(super) kwok: Option<(PathBuf, PathBuf)>,
}

/// No programs, where they are required.
#[derive(Debug, thiserror::Error)]
#[error("there is no kube-apiserver and etcd in {}: kube/tools/build makes them", .0.display())]
pub struct Missing(PathBuf);

impl Missing {
    /// That there are none where they are looked for.
    pub fn here() -> Self {
        Self(Programs::folder())
    }
}

impl Programs {
    /// The folder that is looked at: the one that `KUBEBUILDER_ASSETS` names, else the one into which `kube/tools/build` writes
    /// if it is there, else `/usr/local/kubebuilder/bin`.
    pub fn folder() -> PathBuf {
        if let Some(folder) = env::var_os("KUBEBUILDER_ASSETS") {
            return folder.into();
        }
        let built = cache().join("quotree").join(format!("kubernetes-{}", version()));
        if built.is_dir() { built } else { "/usr/local/kubebuilder/bin".into() }
    }

    /// Those in [`Programs::folder`]; `TEST_ASSET_ETCD` and `TEST_ASSET_KUBE_APISERVER` name others. None if either of these
    /// two is missing.
    pub fn find() -> Option<Self> {
        Self::find_in(&Self::folder())
    }

    fn find_in(folder: &Path) -> Option<Self> {
        let there = |path: PathBuf| path.is_file().then_some(path);
        let named =
            |variable: &str, name: &str| there(env::var_os(variable).map_or_else(|| folder.join(name), PathBuf::from));
        Some(Self {
            etcd: named("TEST_ASSET_ETCD", "etcd")?,
            apiserver: named("TEST_ASSET_KUBE_APISERVER", "kube-apiserver")?,
            scheduler: there(folder.join("kube-scheduler")),
            controllers: there(folder.join("kube-controller-manager")),
            kwok: there(folder.join("kwok")).zip(there(folder.join("kwok-stages.yaml"))),
        })
    }

    /// The programs for a test, or `None` if it is skipped, which standard error says even of a test that passes.
    ///
    /// # Errors
    ///
    /// If there are none and [`REQUIRE`] is set.
    pub fn for_test(test: &str) -> Result<Option<Self>, Missing> {
        let found = Self::find();
        if found.is_none() {
            if env::var_os(REQUIRE).is_some() {
                return Err(Missing::here());
            }
            skipped(test, &Missing::here().to_string());
        }
        Ok(found)
    }

    /// Whether the kube-scheduler and the controller manager are there.
    pub fn has_controllers(&self) -> bool {
        self.scheduler.is_some() && self.controllers.is_some()
    }
}

/// Says on standard error that a test is skipped, and why. Not by `eprintln!`, which shows nothing of a test that passes.
pub fn skipped(test: &str, why: &str) {
    let _ = std::io::stderr().write_all(format!("skipped: {test}: {why}\n").as_bytes());
}

fn cache() -> PathBuf {
    let folder = |variable: &str| env::var_os(variable).filter(|folder| !folder.is_empty()).map(PathBuf::from);
    folder("XDG_CACHE_HOME").unwrap_or_else(|| folder("HOME").unwrap_or_default().join(".cache"))
}

/// The version of Kubernetes in `kube/tools/go.mod`.
fn version() -> &'static str {
    TOOLS.lines().find_map(|line| line.strip_prefix("require k8s.io/kubernetes ")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_read_where_the_build_reads_it() {
        assert!(version().starts_with("v1."), "{:?}", version());
    }

    #[test]
    fn a_folder_without_programs_has_none() {
        assert_eq!(Programs::find_in(Path::new("/nonexistent")), None);
    }
}
