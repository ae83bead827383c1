//! An access for somebody, by the rights of an administrator: a token of their account in a kubeconfig. The token is bound to a
//! Secret, so deleting that takes it back before it ends.

use super::{OWNER, Places, objects};
use jiff::Timestamp;
use k8s_openapi::{
    api::{
        authentication::v1::{BoundObjectReference, TokenRequest, TokenRequestSpec},
        core::v1::{ConfigMap, Secret, ServiceAccount},
    },
    apimachinery::pkg::apis::meta::v1::ObjectMeta,
};
use kube::{
    Api, Client, Error, ResourceExt,
    api::{DeleteParams, ListParams, PostParams},
    core::DynamicObject,
};
use serde_json::Value;
use std::{collections::BTreeMap, fmt::Write as _, time::Duration};

/// The label of the Secrets to which tokens are bound.
pub const MARK: &str = "quotree.io/kubeconfig";
/// The annotation with the time at which the token of a Secret ends.
const ENDS: &str = "quotree.io/ends";
/// The shortest time that the API server gives a token for, seconds.
pub const SHORTEST: i64 = 600;

/// For whom, and for how long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// The User.
    pub user: String,
    /// For so many seconds.
    pub seconds: i64,
    /// The URL of the API server, as the user reaches it.
    pub server: String,
}

/// An access.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// The kubeconfig, as YAML.
    pub text: String,
    /// When the token ends: the API server may give less than it was asked for.
    pub ends: Timestamp,
    /// The namespaces that the user works in.
    pub namespaces: Vec<String>,
    /// What whoever asked should know.
    pub notes: Vec<String>,
}

/// Gives somebody an access.
///
/// # Errors
/// If there is no such user, if they have no account (their status says why), or what the API server refuses.
pub async fn give(client: &Client, places: &Places, wish: &Wish) -> Result<Given, String> {
    let user = &wish.user;
    check(user)?;
    let users: Api<DynamicObject> = Api::namespaced_with(client.clone(), &places.system, &objects::users());
    let found = users.get_opt(user).await.map_err(|error| said(&error, "read the User"))?;
    let found = found.ok_or_else(|| format!("there is no User {}/{user}; kubectl get users -A", places.system))?;
    let status = objects::user(&found).meta.status;
    let condition =
        |field: &str| status.pointer("/conditions/0").and_then(|one| one.get(field)).and_then(Value::as_str);
    let accounts: Api<ServiceAccount> = Api::namespaced(client.clone(), &places.users);
    let account = accounts.get_opt(user).await.map_err(|error| said(&error, "read the account"))?;
    let ours = account.is_some_and(|account| account.labels().get(OWNER).is_some_and(|owner| owner == user));
    if !ours {
        let why = condition("message").unwrap_or("the scheduler has not seen it yet; is it run with --users?");
        return Err(format!("User {user} has no account: {why}"));
    }
    let mut notes = Vec::new();
    if condition("status") != Some("True") {
        notes.push(format!("User {user} is not ready: {}", condition("message").unwrap_or("it has no status")));
    }
    let namespaces = status.get("namespaces").and_then(Value::as_array).into_iter().flatten();
    let namespaces: Vec<String> = namespaces.filter_map(Value::as_str).map(str::to_owned).collect();
    let maps: Api<ConfigMap> = Api::namespaced(client.clone(), &places.users);
    let root = maps.get_opt("kube-root-ca.crt").await.map_err(|error| said(&error, "read kube-root-ca.crt"))?;
    let root = root.and_then(|map| map.data?.get("ca.crt").cloned());
    if root.is_none() {
        notes.push(format!(
            "there is no ConfigMap {}/kube-root-ca.crt, so the kubeconfig names no certificate authority",
            places.users
        ));
    }
    let (token, ends) = token(client, &accounts, places, wish).await?;
    let given = ends.duration_since(Timestamp::now()).as_secs();
    if (given - wish.seconds).abs() > 60 {
        notes.push(format!("the API server gives {}, not {}", span(given), span(wish.seconds)));
    }
    let text = text(wish, root.as_deref(), &token, namespaces.first().map(String::as_str), ends);
    Ok(Given { text, ends, namespaces, notes })
}

/// A token that a new Secret ends, and when it ends by itself. Secrets whose tokens have ended are deleted.
async fn token(
    client: &Client,
    accounts: &Api<ServiceAccount>,
    places: &Places,
    wish: &Wish,
) -> Result<(String, Timestamp), String> {
    let secrets: Api<Secret> = Api::namespaced(client.clone(), &places.users);
    let now = Timestamp::now();
    for old in marked(&secrets, &wish.user).await? {
        let ended = old.annotations().get(ENDS).and_then(|ends| ends.parse::<Timestamp>().ok());
        if ended.is_some_and(|ends| ends < now) {
            delete(&secrets, &old.name_any()).await?;
        }
    }
    let ends = now.checked_add(Duration::from_secs(wish.seconds.unsigned_abs())).unwrap_or(now);
    let labels = [(OWNER, wish.user.as_str()), (MARK, "true")];
    let of =
        |pairs: &[(&str, &str)]| pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let secret = Secret {
        metadata: ObjectMeta {
            generate_name: Some(format!("kubeconfig-{}-", wish.user)),
            labels: Some(of(&labels)),
            annotations: Some(BTreeMap::from([(ENDS.to_owned(), ends.to_string())])),
            ..ObjectMeta::default()
        },
        ..Secret::default()
    };
    let secret = secrets.create(&PostParams::default(), &secret).await;
    let secret = secret.map_err(|error| said(&error, "create the Secret that the token is bound to"))?;
    let bound = BoundObjectReference {
        api_version: Some("v1".to_owned()),
        kind: Some("Secret".to_owned()),
        name: secret.metadata.name.clone(),
        uid: secret.metadata.uid.clone(),
    };
    let spec = TokenRequestSpec {
        audiences: Vec::new(),
        bound_object_ref: Some(bound),
        expiration_seconds: Some(wish.seconds),
    };
    let request = TokenRequest { spec, ..TokenRequest::default() };
    let answer = accounts
        .create_subresource::<_, TokenRequest>("token", &wish.user, &PostParams::default(), &request)
        .await
        .map_err(|error| said(&error, "request a token"))
        .and_then(|answer| answer.status.ok_or_else(|| "the API server gave no token".to_owned()));
    match answer {
        Ok(status) => Ok((status.token, status.expiration_timestamp.0)),
        Err(why) => {
            // Nothing is bound to it.
            delete(&secrets, &secret.name_any()).await?;
            Err(why)
        }
    }
}

/// Takes back all accesses of somebody that were given this way. Returns how many there were.
///
/// # Errors
/// What the API server refuses.
pub async fn revoke(client: &Client, places: &Places, user: &str) -> Result<usize, String> {
    check(user)?;
    let secrets: Api<Secret> = Api::namespaced(client.clone(), &places.users);
    let all = marked(&secrets, user).await?;
    for secret in &all {
        delete(&secrets, &secret.name_any()).await?;
    }
    Ok(all.len())
}

/// Whether a text can be the name of a User.
fn check(user: &str) -> Result<(), String> {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let is_name = !user.is_empty() && user.len() <= 63 && user.bytes().all(fits);
    is_name.then_some(()).ok_or_else(|| format!("`{user}` is no name of a User: small letters, digits and dashes"))
}

async fn marked(secrets: &Api<Secret>, user: &str) -> Result<Vec<Secret>, String> {
    let params = ListParams::default().labels(&format!("{OWNER}={user},{MARK}=true"));
    secrets.list(&params).await.map(|list| list.items).map_err(|error| said(&error, "list the Secrets of tokens"))
}

async fn delete(secrets: &Api<Secret>, name: &str) -> Result<(), String> {
    match secrets.delete(name, &DeleteParams::default()).await {
        Err(Error::Api(status)) if status.code == 404 => Ok(()),
        answer => answer.map(drop).map_err(|error| said(&error, "delete a Secret of a token")),
    }
}

fn said(error: &Error, what: &str) -> String {
    match error {
        Error::Api(status) => format!("cannot {what}: {}", status.message),
        error => format!("cannot {what}: {error}"),
    }
}

/// A time in words: `8 h`, `1 h 30 min`.
///
/// ```
/// use quotree_kube::tenancy::kubeconfig::span;
/// assert_eq!([span(28_799), span(5_400), span(600)], ["8 h", "1 h 30 min", "10 min"]);
/// ```
#[must_use]
pub fn span(seconds: i64) -> String {
    let minutes = (seconds + 30) / 60;
    match (minutes / 60, minutes % 60) {
        (0, minutes) => format!("{minutes} min"),
        (hours, 0) => format!("{hours} h"),
        (hours, minutes) => format!("{hours} h {minutes} min"),
    }
}

/// The first line of what this program writes.
pub const HEAD: &str = "# Made by `quotree-scheduler kubeconfig`.";

fn text(wish: &Wish, root: Option<&str>, token: &str, namespace: Option<&str>, ends: Timestamp) -> String {
    let user = &wish.user;
    // A JSON string is a YAML string in double quotes.
    let quoted = |text: &str| Value::from(text).to_string();
    let mut text = format!("{HEAD} For {user}, until {}.\n", ends.strftime("%Y-%m-%dT%H:%M:%SZ"));
    let _ = write!(
        text,
        "apiVersion: v1\nkind: Config\nclusters:\n- name: quotree\n  cluster:\n    server: {}\n",
        quoted(&wish.server)
    );
    if let Some(root) = root {
        let _ = writeln!(text, "    certificate-authority-data: {}", base64(root.as_bytes()));
    }
    let _ = write!(
        text,
        "users:\n- name: {0}\n  user:\n    token: {1}\ncontexts:\n- name: quotree\n  context:\n    cluster: quotree\n    user: {0}\n",
        quoted(user),
        quoted(token)
    );
    if let Some(namespace) = namespace {
        let _ = writeln!(text, "    namespace: {}", quoted(namespace));
    }
    text + "current-context: quotree\n"
}

/// Bytes in base64, with padding.
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |place: usize| u32::from(chunk.get(place).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for place in 0..4 {
            let letter = LETTERS.get((bits >> (18 - 6 * place) & 63) as usize).copied().unwrap_or(b'=');
            text.push(if place > chunk.len() { '=' } else { char::from(letter) });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_the_rfc() {
        let rows =
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("foobar", "Zm9vYmFy")];
        for (text, expected) in rows {
            assert_eq!(base64(text.as_bytes()), expected);
        }
    }
}
