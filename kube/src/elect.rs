//! Leading by a Lease: taking it, renewing it, and closing the fence of the writer once it may be another's.

use crate::{
    clock::Clock,
    lease::{DEADLINE_MS, DURATION_S, LeaseFacts, Observer, RETRY_MS, Step},
    run::Runner,
    write::fence::Fence,
};
use k8s_openapi::{
    api::coordination::v1::{Lease, LeaseSpec},
    apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta},
};
use kube::{Api, Client, api::PostParams};
use std::time::Duration;

/// Takes part in the election by one Lease.
#[derive(Debug)]
pub struct Candidate {
    leases: Api<Lease>,
    name: String,
    me: String,
    clock: Clock,
    observer: Observer,
    fence: Fence,
}

impl Candidate {
    /// A candidate. The identity must be one that no other process ever has. The client must send nothing twice.
    #[must_use]
    pub fn new(client: Client, namespace: &str, name: &str, me: String, clock: Clock) -> Self {
        let leases = Api::namespaced(client, namespace);
        Self { leases, name: name.to_owned(), me, clock, observer: Observer::default(), fence: Fence::closed() }
    }

    /// The fence of this candidate: open while it leads.
    #[must_use]
    pub fn fence(&self) -> Fence {
        self.fence.clone()
    }

    /// Waits until it leads.
    pub async fn win(&mut self) {
        while !self.attempt().await {
            tokio::time::sleep(Duration::from_millis(RETRY_MS)).await;
        }
    }

    /// Renews until the Lease is lost: taken by another, or not renewed in time. The fence is closed by then.
    pub async fn hold(&mut self) {
        loop {
            tokio::time::sleep(Duration::from_millis(RETRY_MS)).await;
            self.attempt().await;
            if !self.fence.allows(self.clock.now()) {
                return self.fence.close();
            }
        }
    }

    /// Gives the Lease up, so that another need not wait.
    pub async fn release(&mut self) {
        self.fence.close();
        if let Ok(Some((facts, lease))) = self.read().await
            && facts.holder == self.me
        {
            // If this fails, the others wait for the duration of the Lease.
            let _ = self.write(lease, String::new(), facts.transitions).await;
        }
    }

    /// Looks at the Lease once, and takes or renews it. Returns whether it is ours.
    async fn attempt(&mut self) -> bool {
        let sent = self.clock.now();
        let patience = Duration::from_millis(DEADLINE_MS / 2);
        let won = tokio::time::timeout(patience, self.try_once()).await.unwrap_or(false);
        if won {
            self.fence.open_until(sent.after_ms(DEADLINE_MS));
        }
        won
    }

    async fn try_once(&mut self) -> bool {
        let Ok(found) = self.read().await else { return false };
        let facts = found.as_ref().map(|(facts, _)| facts);
        let step = self.observer.evaluate(&self.me, facts, self.clock.now());
        let transitions = facts.map_or(0, |facts| facts.transitions);
        let lease = found.map(|(_, lease)| lease);
        match (step, lease) {
            (Step::Create, _) => {
                let metadata = ObjectMeta { name: Some(self.name.clone()), ..ObjectMeta::default() };
                let lease = Lease { metadata, spec: Some(self.spec(self.me.clone(), 0, None)) };
                self.leases.create(&PostParams::default(), &lease).await.is_ok()
            }
            (Step::Renew, Some(lease)) => self.write(lease, self.me.clone(), transitions).await,
            (Step::Take, Some(lease)) => self.write(lease, self.me.clone(), transitions.saturating_add(1)).await,
            (Step::Wait(_), _) | (_, None) => false,
        }
    }

    async fn read(&self) -> Result<Option<(LeaseFacts, Lease)>, kube::Error> {
        let found = self.leases.get_opt(&self.name).await?;
        Ok(found.map(|lease| {
            let spec = lease.spec.clone().unwrap_or_default();
            let seconds = spec.lease_duration_seconds.unwrap_or(DURATION_S);
            let facts = LeaseFacts {
                version: lease.metadata.resource_version.clone().unwrap_or_default(),
                holder: spec.holder_identity.unwrap_or_default(),
                duration_ms: u64::try_from(seconds).unwrap_or(0).saturating_mul(1000),
                transitions: spec.lease_transitions.unwrap_or(0),
            };
            (facts, lease)
        }))
    }

    /// Replaces the Lease that was read. It has its resourceVersion, so a Lease that has changed meanwhile is left alone.
    async fn write(&self, lease: Lease, holder: String, transitions: i32) -> bool {
        let acquired = lease.spec.as_ref().filter(|spec| spec.holder_identity.as_ref() == Some(&holder));
        let acquired = acquired.and_then(|spec| spec.acquire_time.clone());
        let name = self.name.clone();
        let lease = Lease { spec: Some(self.spec(holder, transitions, acquired)), ..lease };
        self.leases.replace(&name, &PostParams::default(), &lease).await.is_ok()
    }

    fn spec(&self, holder: String, transitions: i32, acquired: Option<MicroTime>) -> LeaseSpec {
        let now = i64::try_from(self.clock.now().0).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
        let now = MicroTime(now.unwrap_or_default());
        LeaseSpec {
            holder_identity: Some(holder),
            lease_duration_seconds: Some(DURATION_S),
            acquire_time: acquired.or_else(|| Some(now.clone())),
            renew_time: Some(now),
            lease_transitions: Some(transitions),
            ..LeaseSpec::default()
        }
    }
}

/// Waits to lead, then works until that ends, and returns why it ended. Without a candidate it leads at once. The watches
/// start when it leads: what they list is then newer than all that the leader before has written.
pub async fn lead(candidate: Option<&mut Candidate>, start: impl FnOnce(Fence) -> Runner) -> &'static str {
    let Some(candidate) = candidate else {
        start(Fence::open()).run().await;
        return "the watches have ended";
    };
    candidate.win().await;
    let mut runner = start(candidate.fence());
    tokio::select! {
        () = runner.run() => "the watches have ended",
        () = candidate.hold() => "the Lease is lost",
    }
}
