//! A cluster on this machine: etcd, kube-apiserver, kube-scheduler, the controller manager and KWOK, built by
//! `kube/tools/build --all`. It prints the path of the administrator's kubeconfig once all is ready, and ends with its input or by
//! Ctrl-C.
//!
//! ```sh
//! cargo run -p quotree-kube-testkit --example cluster
//! ```

use quotree_kube_testkit::real::{Missing, Programs, RealServer};
use std::{error::Error, io::Read};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let programs = Programs::find().ok_or_else(Missing::here)?;
    let mut server = RealServer::start_cluster(&programs).await?;
    server.add_kwok()?;
    println!("{}", server.kubeconfig()?.display());
    let input = tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new()));
    tokio::select! {
        _ = input => {}
        _ = tokio::signal::ctrl_c() => {}
    }
    Ok(())
}
