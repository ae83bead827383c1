//! The served port by TLS: only by TLS, with a certificate that follows its files.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use clap::Parser;
use quotree_core::Time;
use quotree_kube::{
    clock::Clock,
    config::Args,
    serve::{
        Service,
        board::Board,
        tls::{Certificate, EVERY, Files, Mistake},
    },
    write::fence::Fence,
};
use rcgen::{CertifiedKey, KeyPair, generate_simple_self_signed};
use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{
    TlsConnector,
    rustls::{ClientConfig, RootCertStore, crypto::ring, pki_types::ServerName},
};

/// A folder with the files of a certificate.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("quotree-tls-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn files(&self) -> Files {
        Files { certificate: self.0.join("tls.crt"), key: self.0.join("tls.key") }
    }

    fn write(&self, certificate: &str, key: &str) {
        let files = self.files();
        std::fs::write(files.certificate, certificate).unwrap();
        std::fs::write(files.key, key).unwrap();
    }

    fn renew(&self, made: &CertifiedKey<KeyPair>) {
        self.write(&made.cert.pem(), &made.signing_key.serialize_pem());
    }
}

fn issued() -> CertifiedKey<KeyPair> {
    generate_simple_self_signed(vec!["quotree-scheduler.quotree-system.svc".to_owned()]).unwrap()
}

async fn serves(certificate: &Arc<Certificate>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let service = Service::new(Board::default(), Clock::starting_at(Time(0)), Fence::closed());
    tokio::spawn(service.with_tls(certificate).unwrap().serve(listener));
    address
}

/// The answer to a request for health by who trusts this certificate; none where no connection comes about.
async fn get(address: SocketAddr, trusts: &CertifiedKey<KeyPair>) -> Option<String> {
    let mut roots = RootCertStore::empty();
    roots.add(trusts.cert.der().clone()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let config = config.with_safe_default_protocol_versions().unwrap();
    let config = config.with_root_certificates(roots).with_no_client_auth();
    let name = ServerName::try_from("quotree-scheduler.quotree-system.svc").unwrap();
    let stream = TcpStream::connect(address).await.unwrap();
    let mut stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await.ok()?;
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: any\r\nConnection: close\r\n\r\n").await.unwrap();
    let mut text = Vec::new();
    // The end of the connection may come without a farewell.
    let _ = stream.read_to_end(&mut text).await;
    Some(String::from_utf8(text).unwrap())
}

#[tokio::test]
async fn a_renewed_certificate_counts_for_the_next_connection() {
    let (folder, first, second) = (Folder::new("renewed"), issued(), issued());
    folder.renew(&first);
    let certificate = Certificate::read(folder.files()).unwrap();
    let address = serves(&certificate).await;
    let answer = get(address, &first).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("ok\n"), "{answer}");
    assert_eq!(get(address, &second).await, None, "it has not been issued yet");
    assert!(!certificate.refresh().unwrap(), "nothing has changed");
    folder.renew(&second);
    assert!(certificate.refresh().unwrap());
    assert!(get(address, &second).await.is_some());
    assert_eq!(get(address, &first).await, None, "the one before is not served any more");
}

#[tokio::test]
async fn files_that_do_not_fit_leave_the_certificate_before() {
    let (folder, first, second) = (Folder::new("torn"), issued(), issued());
    folder.renew(&first);
    let certificate = Certificate::read(folder.files()).unwrap();
    let address = serves(&certificate).await;
    // The certificate is there before its key.
    folder.write(&second.cert.pem(), &first.signing_key.serialize_pem());
    let mistake = certificate.refresh().unwrap_err();
    assert!(matches!(mistake, Mistake::Pair { .. }), "{mistake}");
    assert!(get(address, &first).await.is_some());
    for (pem, key, wanted) in [
        ("", second.signing_key.serialize_pem(), "tls.crt has no usable certificate in PEM format"),
        (second.cert.pem().as_str(), String::new(), "tls.key has no usable private key in PEM format"),
    ] {
        folder.write(pem, &key);
        let mistake = certificate.refresh().unwrap_err().to_string();
        assert!(mistake.ends_with(wanted), "{mistake}");
    }
    std::fs::remove_file(folder.files().key).unwrap();
    let mistake = certificate.refresh().unwrap_err().to_string();
    assert!(mistake.starts_with("cannot read ") && mistake.contains("tls.key"), "{mistake}");
    assert!(get(address, &first).await.is_some());
    folder.renew(&second);
    assert!(certificate.refresh().unwrap());
}

#[tokio::test(start_paused = true)]
async fn the_files_are_looked_at_again_and_again() {
    let folder = Folder::new("followed");
    folder.renew(&issued());
    let certificate = Certificate::read(folder.files()).unwrap();
    tokio::spawn(certificate.clone().follow(|_| ()));
    for _ in 0..3 {
        folder.renew(&issued());
        tokio::time::sleep(EVERY + Duration::from_secs(1)).await;
        // What is there was taken already.
        assert!(!certificate.refresh().unwrap());
    }
}

#[tokio::test]
async fn nothing_is_served_in_plain_text() {
    let (folder, made) = (Folder::new("plain"), issued());
    folder.renew(&made);
    let address = serves(&Certificate::read(folder.files()).unwrap()).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: any\r\nConnection: close\r\n\r\n").await.unwrap();
    let mut text = Vec::new();
    let _ = stream.read_to_end(&mut text).await;
    assert!(!String::from_utf8_lossy(&text).contains("HTTP/1.1"), "{text:?}");
}

#[test]
fn both_files_are_named_and_only_where_something_is_served() {
    let parse = |line: &str| Args::try_parse_from(line.split(' '));
    let all = "quotree-scheduler --listen 127.0.0.1:0 --tls-cert-file c --tls-private-key-file k";
    let files = Files { certificate: "c".into(), key: "k".into() };
    assert_eq!(parse(all).unwrap().tls(), Some(files));
    assert_eq!(parse("quotree-scheduler --listen 127.0.0.1:0").unwrap().tls(), None);
    for line in [
        "quotree-scheduler --listen 127.0.0.1:0 --tls-cert-file c",
        "quotree-scheduler --listen 127.0.0.1:0 --tls-private-key-file k",
        "quotree-scheduler --tls-cert-file c --tls-private-key-file k",
    ] {
        assert!(parse(line).is_err(), "{line}");
    }
}
