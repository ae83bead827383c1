//! The authority of a real server: its own certificate, those of clients, and the keys of service accounts.

use super::LaunchError;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Signs certificates into a folder.
#[derive(Debug)]
pub(super) struct Authority {
    folder: PathBuf,
    issuer: Issuer<'static, KeyPair>,
    /// Its own certificate, as DER.
    pub(super) root: Vec<u8>,
}

impl Authority {
    /// Writes the certificates of the authority (`ca.crt`) and of the server (`server.*`), and the keys of service accounts
    /// (`accounts.*`).
    pub(super) fn new(folder: &Path) -> Result<Self, LaunchError> {
        let mut authority = CertificateParams::new(Vec::new())?;
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        authority.distinguished_name.push(DnType::CommonName, "quotree test authority");
        let key = KeyPair::generate()?;
        let root = authority.self_signed(&key)?;
        fs::write(folder.join("ca.crt"), root.pem())?;
        let accounts = KeyPair::generate()?;
        fs::write(folder.join("accounts.key"), accounts.serialize_pem())?;
        fs::write(folder.join("accounts.pub"), accounts.public_key_pem())?;
        let root = root.der().to_vec();
        let authority = Self { folder: folder.to_owned(), issuer: Issuer::new(authority, key), root };
        let mut server = CertificateParams::new(vec!["127.0.0.1".to_owned(), "localhost".to_owned()])?;
        server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        authority.write("server", &server)?;
        Ok(authority)
    }

    /// Writes the certificate and key of a client, `FILE.crt` and `FILE.key`: the API server takes the name as that of the user.
    pub(super) fn client(&self, file: &str, user: &str, group: &str) -> Result<(), LaunchError> {
        let mut client = CertificateParams::new(Vec::new())?;
        client.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        client.distinguished_name.push(DnType::CommonName, user);
        client.distinguished_name.push(DnType::OrganizationName, group);
        self.write(file, &client)
    }

    fn write(&self, file: &str, parameters: &CertificateParams) -> Result<(), LaunchError> {
        let key = KeyPair::generate()?;
        fs::write(self.folder.join(format!("{file}.crt")), parameters.signed_by(&key, &self.issuer)?.pem())?;
        fs::write(self.folder.join(format!("{file}.key")), key.serialize_pem())?;
        Ok(())
    }
}
