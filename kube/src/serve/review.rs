//! Whether a caller may read: the API server says whose their token is (TokenReview), and whether its roles let them
//! (SubjectAccessReview of the path). Outcomes are remembered for a while.

use k8s_openapi::api::{
    authentication::v1::{TokenReview, TokenReviewSpec},
    authorization::v1::{NonResourceAttributes, SubjectAccessReview, SubjectAccessReviewSpec},
};
use kube::{Api, Client, api::PostParams};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// How long an outcome is remembered, as by the API server itself.
const REMEMBERED: Duration = Duration::from_secs(10);
/// How many outcomes are remembered at most.
const MOST: usize = 256;
/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// What the API server says of a caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// They may read.
    Allowed,
    /// Nobody knows them.
    Unknown,
    /// They may not.
    Forbidden,
    /// It does not answer.
    Silent,
}

/// Outcomes by token and path, and until when they count.
type Known = BTreeMap<(String, String), (Outcome, Instant)>;

/// Asks the API server.
#[derive(Clone)]
pub(super) struct Reviewer {
    client: Client,
    known: Arc<Mutex<Known>>,
}

impl std::fmt::Debug for Reviewer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Not the tokens.
        f.debug_struct("Reviewer").finish_non_exhaustive()
    }
}

impl Reviewer {
    pub(super) fn new(client: Client) -> Self {
        Self { client, known: Arc::default() }
    }

    /// Whether whoever has this token may get a path.
    pub(super) async fn check(&self, token: &str, path: &str) -> Outcome {
        if token.is_empty() {
            return Outcome::Unknown;
        }
        let key = (token.to_owned(), path.to_owned());
        let now = Instant::now();
        let known = |known: &Known| known.get(&key).filter(|(_, until)| now < *until).map(|(outcome, _)| *outcome);
        if let Some(outcome) = known(&self.known.lock().unwrap_or_else(PoisonError::into_inner)) {
            return outcome;
        }
        let asked = tokio::time::timeout(PATIENCE, self.ask(token, path)).await;
        let Ok(Ok(outcome)) = asked else { return Outcome::Silent };
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|_, (_, until)| now < *until);
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(key, (outcome, now + REMEMBERED));
        outcome
    }

    async fn ask(&self, token: &str, path: &str) -> kube::Result<Outcome> {
        let spec = TokenReviewSpec { token: Some(token.to_owned()), ..TokenReviewSpec::default() };
        let review = TokenReview { spec, ..TokenReview::default() };
        let reviews: Api<TokenReview> = Api::all(self.client.clone());
        let status = reviews.create(&PostParams::default(), &review).await?.status.unwrap_or_default();
        let Some(user) = status.user.filter(|_| status.authenticated == Some(true)) else {
            return Ok(Outcome::Unknown);
        };
        let attributes = NonResourceAttributes { path: Some(path.to_owned()), verb: Some("get".to_owned()) };
        let spec = SubjectAccessReviewSpec {
            user: user.username,
            groups: user.groups,
            uid: user.uid,
            extra: user.extra,
            non_resource_attributes: Some(attributes),
            ..SubjectAccessReviewSpec::default()
        };
        let review = SubjectAccessReview { spec, ..SubjectAccessReview::default() };
        let reviews: Api<SubjectAccessReview> = Api::all(self.client.clone());
        let status = reviews.create(&PostParams::default(), &review).await?.status.unwrap_or_default();
        Ok(if status.allowed { Outcome::Allowed } else { Outcome::Forbidden })
    }
}
