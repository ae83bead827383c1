//! TLS of the served port: a certificate and its key from files. They are read again while the process runs, since whoever issues
//! them, such as cert-manager, renews them long before they end.

use std::{
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        self, ServerConfig,
        crypto::ring,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
        server::{ClientHello, ResolvesServerCert},
        sign::CertifiedKey,
    },
};

/// How often the files are read again.
pub const EVERY: Duration = Duration::from_secs(10);

/// Where a certificate and its key are, as PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Files {
    /// The certificate, followed by those of its issuers.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// What is wrong with the files.
#[derive(Debug, thiserror::Error)]
pub enum Mistake {
    /// A file cannot be read.
    #[error("cannot read {}: {why}", .file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// What the system says.
        why: io::Error,
    },
    /// A file has no usable PEM section.
    #[error("{} has no usable {wanted} in PEM format", .file.display())]
    Pem {
        /// The file.
        file: PathBuf,
        /// What it should have.
        wanted: &'static str,
    },
    /// Certificate and key do not fit, or cannot be used.
    #[error("the key in {} cannot be used with the certificate in {}: {why}", .files.key.display(), .files.certificate.display())]
    Pair {
        /// The files.
        files: Files,
        /// Why.
        why: rustls::Error,
    },
}

/// The bytes of both files.
type Texts = (Vec<u8>, Vec<u8>);

/// A certificate that follows its files.
#[derive(Debug)]
pub struct Certificate {
    files: Files,
    current: Mutex<(Texts, Arc<CertifiedKey>)>,
}

impl Certificate {
    /// Reads a certificate.
    ///
    /// # Errors
    /// The first file that cannot be read or used.
    pub fn read(files: Files) -> Result<Arc<Self>, Mistake> {
        let texts = texts(&files)?;
        let key = pair(&files, &texts)?;
        Ok(Arc::new(Self { files, current: Mutex::new((texts, key)) }))
    }

    /// Reads the files again. Returns whether there is another certificate, which counts for connections from now on.
    ///
    /// # Errors
    /// If a file cannot be read or used: the certificate before stays. Certificate and key are two files, so one may be there
    /// before the other.
    pub fn refresh(&self) -> Result<bool, Mistake> {
        let texts = texts(&self.files)?;
        if self.current.lock().unwrap_or_else(PoisonError::into_inner).0 == texts {
            return Ok(false);
        }
        let key = pair(&self.files, &texts)?;
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = (texts, key);
        Ok(true)
    }

    /// Follows the files for ever. What cannot be used is reported once.
    pub async fn follow(self: Arc<Self>, report: fn(&str)) {
        let mut reported = String::new();
        loop {
            tokio::time::sleep(EVERY).await;
            let this = self.clone();
            let Ok(refreshed) = tokio::task::spawn_blocking(move || this.refresh()).await else { return };
            let state = match refreshed {
                Ok(false) => String::new(),
                Ok(true) => {
                    report("the certificate was renewed");
                    String::new()
                }
                Err(mistake) => format!("the certificate is not renewed, the one before stays: {mistake}"),
            };
            if !state.is_empty() && state != reported {
                report(&state);
            }
            reported = state;
        }
    }

    /// Accepts connections by this certificate: TLS 1.2 and 1.3.
    ///
    /// # Errors
    /// If the library cannot be configured so.
    pub fn acceptor(self: &Arc<Self>) -> Result<TlsAcceptor, rustls::Error> {
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let config = config.with_safe_default_protocol_versions()?.with_no_client_auth();
        let mut config = config.with_cert_resolver(self.clone());
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(TlsAcceptor::from(Arc::new(config)))
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current.lock().unwrap_or_else(PoisonError::into_inner).1.clone())
    }
}

fn texts(files: &Files) -> Result<Texts, Mistake> {
    let read = |file: &Path| std::fs::read(file).map_err(|why| Mistake::File { file: file.to_owned(), why });
    Ok((read(&files.certificate)?, read(&files.key)?))
}

/// The certificate and the key of these texts, if they belong together.
fn pair(files: &Files, (certificate, key): &Texts) -> Result<Arc<CertifiedKey>, Mistake> {
    let pem = |file: &Path, wanted| Mistake::Pem { file: file.to_owned(), wanted };
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(certificate).collect();
    let chain = chain.ok().filter(|chain| !chain.is_empty());
    let chain = chain.ok_or_else(|| pem(&files.certificate, "certificate"))?;
    let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| pem(&files.key, "private key"))?;
    let pair = CertifiedKey::from_der(chain, key, &ring::default_provider());
    pair.map(Arc::new).map_err(|why| Mistake::Pair { files: files.clone(), why })
}
