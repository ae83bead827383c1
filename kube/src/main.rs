//! The scheduler as a program.

mod access;

use clap::Parser;
use hyper::header;
use kube::{
    Config,
    client::ClientBuilder,
    config::{KubeConfigOptions, Kubeconfig},
};
use quotree_kube::{
    act::json,
    clock::Clock,
    config::{Args, Command, Log},
    elect::{Candidate, lead},
    record::Recording,
    run::{Outlets, Runner},
    serve::{Service, board::Board, heard::Hearing, tls::Certificate},
    watch::streams::Heard,
    write::{self, fence::Fence},
};
use std::{error::Error, process::ExitCode};
use tokio::net::TcpListener;

#[tokio::main(worker_threads = 2)]
async fn main() -> ExitCode {
    let args = Args::parse();
    let result = match &args.command {
        Some(Command::Kubeconfig(access)) => access::kubeconfig(&args, access).await,
        None => start(&args).await,
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("quotree-scheduler: {error}");
            ExitCode::from(2)
        }
    }
}

/// Runs until the process is asked to end.
async fn start(args: &Args) -> Result<(), Box<dyn Error>> {
    let (settings, tree) = (args.settings()?, args.tree_source()?);
    let (record, listen) = (args.recording()?, args.listen()?);
    let certificate =
        args.tls().map(Certificate::read).transpose().map_err(|error| format!("--tls-cert-file: {error}"))?;
    let clock = Clock::of_the_machine();
    let me = identity(clock);
    let mut config = connection(args).await?;
    config.headers.push((header::USER_AGENT, user_agent(&me)?));
    eprintln!("quotree-scheduler: {:?} mode, server {}, tree {}", settings.mode, config.cluster_url, args.tree);
    let (places, memory) = (args.places(), args.memory()?);
    let log: fn(&str) = match args.log {
        Log::Text => |line| println!("{line}"),
        Log::Json => |line| println!("{}", json::line(line)),
    };
    let board = Board::default();
    let hearing = Hearing(Heard { board: board.clone(), clock });
    let reads = ClientBuilder::try_from(config.clone())?.with_layer(&hearing).build();
    let writes = write::client(config)?;
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    let mut candidate =
        args.lease()?.map(|(namespace, name)| Candidate::new(writes.clone(), &namespace, &name, me.clone(), clock));
    // Dropped last: by then all lines are there.
    let recording =
        record.map(|settings| Recording::start(settings, &me, |line| eprintln!("quotree-scheduler: {line}")));
    let recording = recording.transpose().map_err(|error| format!("--record: {error}"))?;
    if let Some(address) = listen {
        let fence = candidate.as_ref().map_or_else(Fence::open, Candidate::fence);
        let listener = TcpListener::bind(address).await.map_err(|error| format!("--listen {address}: {error}"))?;
        let scheme = if certificate.is_some() { "https" } else { "http" };
        eprintln!("quotree-scheduler: serves {scheme}://{}/metrics", listener.local_addr()?);
        let service = Service::new(board.clone(), clock, fence).describing(&settings);
        let service = if args.authorize { service.authorizing(writes.clone()) } else { service };
        let service = match certificate {
            Some(certificate) => {
                let service = service.with_tls(&certificate)?;
                tokio::spawn(certificate.follow(|line| eprintln!("quotree-scheduler: {line}")));
                service
            }
            None => service,
        };
        tokio::spawn(service.serve(listener));
    }
    // Whatever is in flight when the process ends is found by the next start, as after a crash.
    let result = tokio::select! {
        ended = lead(candidate.as_mut(), |fence| {
            let tape = recording.as_ref().map(Recording::tape);
            let outlets = Outlets { log, board: board.clone(), tape };
            let runner = Runner::new(&reads, writes.clone(), settings, &tree, clock, fence.clone(), outlets);
            let mut runner = runner.with_pod_groups(&reads);
            if let Some(place) = &memory {
                runner = runner.with_memory(writes.clone(), place, &tree, fence.clone());
            }
            if args.log == Log::Json {
                runner = runner.with_structured_log();
            }
            match places {
                Some(places) => runner.with_users(&reads, writes, places, fence),
                None => runner,
            }
        }) => {
            Err(ended.into())
        }
        _ = terminate.recv() => Ok(()),
        stopped = tokio::signal::ctrl_c() => stopped.map_err(Into::into),
    };
    if let Some(candidate) = &mut candidate {
        candidate.release().await;
    }
    result
}

/// An identity that no other process ever has: the host, the process, and when it started.
fn identity(clock: Clock) -> String {
    let host = std::env::var("HOSTNAME").unwrap_or_else(|_| "host".to_owned());
    format!("{host}_{}_{}", std::process::id(), clock.now().0)
}

/// What the audit log and `managedFields` call this process: the program, and the identity that also holds the Lease.
fn user_agent(me: &str) -> Result<header::HeaderValue, header::InvalidHeaderValue> {
    header::HeaderValue::from_str(&format!("quotree-scheduler/{} ({me})", env!("CARGO_PKG_VERSION")))
}

/// Where the API server is, and who we are.
async fn connection(args: &Args) -> Result<Config, Box<dyn Error>> {
    let options = KubeConfigOptions { context: args.context.clone(), ..KubeConfigOptions::default() };
    Ok(match &args.kubeconfig {
        Some(file) => Config::from_custom_kubeconfig(Kubeconfig::read_from(file)?, &options).await?,
        None if args.context.is_some() => Config::from_kubeconfig(&options).await?,
        None => Config::infer().await?,
    })
}
