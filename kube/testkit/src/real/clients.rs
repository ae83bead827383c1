//! Clients of a real server: configurations, and kubeconfig files.

use super::{LaunchError, RealServer, Wire};
use serde_json::{Value, json};
use std::{fs, path::PathBuf};

impl RealServer {
    /// The configuration of the administrator's client.
    pub fn config(&self) -> kube::Config {
        let mut config = self.config_of_nobody();
        let file = |name: &str| Some(self.folder.join(name).display().to_string());
        config.auth_info.client_certificate = file("admin.crt");
        config.auth_info.client_key = file("admin.key");
        config
    }

    /// The configuration of a client with a token, which a TokenRequest gives.
    pub fn config_with(&self, token: &str) -> kube::Config {
        let mut config = self.config_of_nobody();
        config.auth_info.token = Some(token.to_owned().into());
        config
    }

    fn config_of_nobody(&self) -> kube::Config {
        let url = http::Uri::builder().scheme("https").authority(authority(self.port)).path_and_query("/");
        let mut config = kube::Config::new(url.build().unwrap_or_default());
        config.root_cert = Some(vec![self.authority.root.clone()]);
        config
    }

    /// Writes a kubeconfig of the administrator.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub fn kubeconfig(&self) -> Result<PathBuf, LaunchError> {
        let file = |name: &str| self.folder.join(name).display().to_string();
        let user = json!({ "client-certificate": file("admin.crt"), "client-key": file("admin.key") });
        self.write_kubeconfig("admin", &user, self.port)
    }

    /// Writes a kubeconfig of a client with a token.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub fn kubeconfig_with(&self, name: &str, token: &str) -> Result<PathBuf, LaunchError> {
        self.write_kubeconfig(name, &json!({ "token": token }), self.port)
    }

    /// Writes a kubeconfig of a client with a token that reaches the server by a wire.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub fn kubeconfig_by(&self, wire: &Wire, name: &str, token: &str) -> Result<PathBuf, LaunchError> {
        self.write_kubeconfig(name, &json!({ "token": token }), wire.port())
    }

    fn write_kubeconfig(&self, name: &str, user: &Value, port: u16) -> Result<PathBuf, LaunchError> {
        let file = self.folder.join(format!("{name}.kubeconfig"));
        let cluster = json!({
            "server": format!("https://{}", authority(port)),
            "certificate-authority": self.folder.join("ca.crt").display().to_string(),
        });
        let config = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "local",
            "clusters": [{ "name": "local", "cluster": cluster }],
            "users": [{ "name": name, "user": user }],
            "contexts": [{ "name": "local", "context": { "cluster": "local", "user": name } }],
        });
        fs::write(&file, format!("{config:#}\n"))?;
        Ok(file)
    }
}

fn authority(port: u16) -> String {
    format!("127.0.0.1:{port}")
}
