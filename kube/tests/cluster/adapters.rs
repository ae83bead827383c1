//! The adapters at work on a cluster: tasks of the test, or on a real server the program itself.

use crate::world::World;
use quotree_k8s::LabelSelector;
use quotree_kube::{
    elect::{Candidate, lead},
    record::{Recording, Settings as RecordSettings},
    run::{Outlets, Runner},
    settings::{Mode, Settings},
    watch::streams::TreeSource,
};
use quotree_kube_testkit::real::Wire;
use std::{path::PathBuf, process::Stdio};
use tokio::{
    process::{Child, Command},
    task::JoinHandle,
};

/// An adapter at work.
pub(crate) enum Adapter {
    /// A task of the test, and what it records.
    Task(JoinHandle<()>, Recording),
    /// The program.
    Program(Child),
}

impl World {
    /// Starts the adapter, alone.
    pub(crate) async fn start(&mut self) {
        self.start_one(None).await;
    }

    /// Starts the adapter as one of several, by this identity.
    pub(crate) async fn start_candidate(&mut self, me: &str) {
        self.start_one(Some(me)).await;
    }

    async fn start_one(&mut self, me: Option<&str>) {
        let settings = Settings { managed: LabelSelector::default(), ..Settings::new(self.mode) };
        let clock = self.server.clock();
        let source = TreeSource { namespace: "kube-system".to_owned(), name: "tree".to_owned() };
        let client = self.server.client().await;
        let log: fn(&str) = |line| eprintln!("{line}");
        let mut candidate =
            me.map(|me| Candidate::new(client.clone(), "kube-system", "quotree-scheduler", me.to_owned(), clock));
        let record =
            RecordSettings { segment_bytes: self.segment_bytes, ..RecordSettings::new(self.recording.clone()) };
        let recording = Recording::start(record, me.unwrap_or("alone"), log).unwrap();
        let outlets = Outlets { log, board: self.board.clone(), tape: Some(recording.tape()) };
        let task = tokio::spawn(async move {
            let start = |fence| Runner::new(&client, client.clone(), settings, &source, clock, fence, outlets);
            let ended = lead(candidate.as_mut(), start).await;
            eprintln!("ended: {ended}");
        });
        self.laws.excuse();
        self.adapters.push(Adapter::Task(task, recording));
    }

    /// Starts the program itself on a real server; in memory the same as [`World::start`].
    pub(crate) async fn start_program(&mut self) {
        let Some(kubeconfig) = self.server.kubeconfig().await else { return self.start().await };
        self.start_program_with(kubeconfig);
    }

    fn start_program_with(&mut self, kubeconfig: PathBuf) {
        let mode = if self.mode == Mode::Bind { "bind" } else { "gate" };
        let mut program = Command::new(env!("CARGO_BIN_EXE_quotree-scheduler"));
        program.args(["--mode", mode, "--tree", "kube-system/tree", "--namespaces", "", "--lease", "", "--kubeconfig"]);
        program.arg(kubeconfig).arg("--record").arg(&self.recording).stdout(Stdio::null()).kill_on_drop(true);
        self.laws.excuse();
        self.adapters.push(Adapter::Program(program.spawn().unwrap()));
    }

    /// Starts the program at the other end of a wire to a real server.
    pub(crate) async fn start_wired_program(&mut self) -> Wire {
        let (wire, kubeconfig) = self.server.wire().await;
        self.start_program_with(kubeconfig);
        wire
    }

    /// Starts the program on a real server, as one of several of which one leads.
    pub(crate) async fn start_candidate_program(&mut self) {
        let kubeconfig = self.server.kubeconfig().await.expect("programs need a real server");
        let mut program = Command::new(env!("CARGO_BIN_EXE_quotree-scheduler"));
        program.args(["--tree", "kube-system/tree", "--namespaces", "", "--kubeconfig"]).arg(kubeconfig);
        program.stdout(Stdio::null()).kill_on_drop(true);
        self.adapters.push(Adapter::Program(program.spawn().unwrap()));
    }

    /// The process that holds the Lease.
    pub(crate) async fn leading_program(&self) -> u32 {
        let target = self.server.target();
        let path = target.cluster("coordination.k8s.io/v1", "namespaces/kube-system/leases/quotree-scheduler");
        let lease = target.get(&path).await.unwrap();
        let parts: Vec<&str> = lease.text("/spec/holderIdentity").rsplit('_').collect();
        parts[1].parse().unwrap()
    }

    /// Sends a signal to a process.
    pub(crate) fn signal(&self, process: u32, signal: &str) {
        let sent = std::process::Command::new("kill").args([signal, &process.to_string()]).status();
        assert!(sent.unwrap().success());
    }

    /// Whether a process has ended.
    pub(crate) fn has_ended(&mut self, process: u32) -> bool {
        self.adapters.iter_mut().any(|adapter| match adapter {
            Adapter::Program(program) if program.id() == Some(process) => program.try_wait().unwrap().is_some(),
            Adapter::Program(program) => program.id().is_none(),
            Adapter::Task(..) => false,
        })
    }

    /// Whether any program has ended by itself.
    pub(crate) fn a_program_has_ended(&mut self) -> bool {
        self.adapters.iter_mut().any(|adapter| match adapter {
            Adapter::Program(program) => program.try_wait().unwrap().is_some(),
            Adapter::Task(..) => false,
        })
    }

    /// Ends the oldest adapter at once, as `kill -9` does.
    pub(crate) fn kill(&mut self) {
        if self.adapters.is_empty() {
            return;
        }
        self.laws.excuse();
        match self.adapters.remove(0) {
            Adapter::Task(task, recording) => {
                task.abort();
                // What was handed over is written; the last decision may lack its end.
                drop(recording);
            }
            Adapter::Program(mut program) => program.start_kill().unwrap(),
        }
    }

    /// Nobody was admitted or evicted twice, and the laws have seen all that was.
    pub(crate) fn ends_well(&self) {
        assert!(self.twice.is_empty(), "carried out twice: {:?}", self.twice);
        let admissions = if self.mode == Mode::Bind { "Create pods/binding" } else { "Patch pods" };
        let admitted = self.writes.get(admissions).copied().unwrap_or_default() as u64;
        assert!(admitted > 0 && self.laws.admissions <= admitted, "{} of {admitted} admissions", self.laws.admissions);
        assert!(self.laws.admissions * 10 >= admitted * 9, "{} of {admitted} admissions", self.laws.admissions);
    }

    /// Ends all adapters, and replays what they have recorded. Gives the number of segments and of decisions.
    pub(crate) async fn replays(&mut self) -> (usize, u64) {
        while !self.adapters.is_empty() {
            self.kill();
        }
        tokio::task::yield_now().await;
        let (mut segments, mut agreed) = (0, 0);
        quotree_record::replay(&self.recording, |one, _| {
            assert_eq!(one.difference, None, "{}", one.file.display());
            (segments, agreed) = (segments + 1, agreed + one.agreed);
            true
        })
        .unwrap();
        (segments, agreed)
    }
}
