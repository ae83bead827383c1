//! The scheduler as a program.

use clap::Parser;
use kube::{
    Client, Config,
    config::{KubeConfigOptions, Kubeconfig},
};
use quotree_kube::{
    config::Args,
    run::{Clock, Runner},
    write,
};
use std::{error::Error, process::ExitCode};

#[tokio::main(worker_threads = 2)]
async fn main() -> ExitCode {
    match start(&Args::parse()).await {
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
    let config = connection(args).await?;
    eprintln!("quotree-scheduler: {:?} mode, server {}, tree {}", settings.mode, config.cluster_url, args.tree);
    let reads = Client::try_from(config.clone())?;
    let writes = write::client(config)?;
    let log: fn(&str) = |line| println!("{line}");
    let mut runner = Runner::new(&reads, writes, settings, &tree, Clock::of_the_machine(), log);
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    // Whatever is in flight when the process ends is found by the next start, as after a crash.
    tokio::select! {
        () = runner.run() => Err("the watches have ended".into()),
        _ = terminate.recv() => Ok(()),
        stopped = tokio::signal::ctrl_c() => Ok(stopped?),
    }
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
