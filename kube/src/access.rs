//! `quotree-scheduler kubeconfig`: asks for an access, and writes it where only its owner reads it.

use jiff::Timestamp;
use quotree_kube::{
    config::{Access, Args},
    tenancy::{
        Places,
        kubeconfig::{HEAD, Wish, give, revoke, span},
    },
};
use std::{
    error::Error,
    fs,
    io::{ErrorKind, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

/// Gives somebody an access, or takes all of theirs back.
pub(crate) async fn kubeconfig(args: &Args, access: &Access) -> Result<(), Box<dyn Error>> {
    let seconds = access.seconds()?;
    if let Some(file) = &access.out {
        may_replace(file)?;
    }
    let config = super::connection(args).await?;
    let server = access.server.clone().unwrap_or_else(|| config.cluster_url.to_string());
    let client = kube::Client::try_from(config)?;
    let places = Places { system: access.system.clone(), users: args.accounts.clone() };
    let user = &access.user;
    if access.revoke {
        let count = revoke(&client, &places, user).await?;
        let taken = match count {
            0 => "none was given".to_owned(),
            1 => "1 access is taken back, within about ten seconds".to_owned(),
            count => format!("{count} accesses are taken back, within about ten seconds"),
        };
        println!("{user}: {taken}");
        return Ok(());
    }
    let wish = Wish { user: user.clone(), seconds, server: server.trim_end_matches('/').to_owned() };
    let given = give(&client, &places, &wish).await?;
    for note in &given.notes {
        eprintln!("quotree-scheduler: {note}");
    }
    match &access.out {
        Some(file) => write(file, &given.text).map_err(|error| format!("{}: {error}", file.display()))?,
        None => print!("{}", given.text),
    }
    let left = given.ends.duration_since(Timestamp::now()).as_secs();
    let ends = given.ends.strftime("%Y-%m-%d %H:%M UTC");
    eprintln!("{user} has access until {ends} ({}), and works in: {}", span(left), listed(&given.namespaces));
    eprintln!("take it back: quotree-scheduler kubeconfig {user} --revoke");
    Ok(())
}

fn listed(namespaces: &[String]) -> String {
    if namespaces.is_empty() { "no namespace".to_owned() } else { namespaces.join(", ") }
}

/// Whether a file may be replaced: there is none, or it is one of ours.
fn may_replace(file: &Path) -> Result<(), String> {
    match fs::read_to_string(file) {
        Ok(text) if text.starts_with(HEAD) => Ok(()),
        Ok(_) => Err(format!("--out: {} was not made by this command: name another file", file.display())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(format!("--out: {}: {error}", file.display())),
    }
}

/// Writes a file that only its owner may read, whole or not at all.
fn write(file: &Path, text: &str) -> std::io::Result<()> {
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.tmp", std::process::id()));
    let part = file.with_file_name(name);
    let written = || -> std::io::Result<()> {
        let mut options = fs::OpenOptions::new();
        let mut open = options.write(true).create_new(true).mode(0o600).open(&part)?;
        open.write_all(text.as_bytes())?;
        open.sync_all()?;
        fs::rename(&part, file)
    };
    written().inspect_err(|_| _ = fs::remove_file(&part))
}
