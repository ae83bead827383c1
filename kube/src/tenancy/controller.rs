//! The controller of users and groups: watches, and the writes that lead from what is there to what must be. Each pass looks at
//! all that is known, so it does not matter what was missed; what is taken away goes before what is given.

use super::{
    Groups, OWNER, Places, View,
    grants::{Fit, Grant, Key, Made, fit},
    objects::{self, bound},
    plan::{Plan, Said, World, plan},
    status::status,
    write::{Hand, Of, resource},
};
use crate::{
    clock::Clock,
    watch::{Fact, Store},
    write::fence::Fence,
};
use futures::{StreamExt, stream::BoxStream, stream::SelectAll};
use kube::{
    Api, Client, ResourceExt,
    core::{ApiResource, DynamicObject},
    runtime::{
        WatchStreamExt,
        watcher::{self, Event, watcher},
    },
};
use quotree_core::Name;
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};
use tokio::{
    sync::{mpsc::Sender, watch::Receiver},
    time::Instant,
};

/// After something has changed, further changes are waited for so long.
const LINGER: Duration = Duration::from_millis(100);
/// After a write has failed, all is looked at again.
const AGAIN: Duration = Duration::from_secs(5);
/// All is looked at again although nothing was heard.
const RESYNC: Duration = Duration::from_secs(60);
/// After so many seconds the API server ends a watch.
const WATCH_SECONDS: u32 = 45;

/// What is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Source {
    Users,
    Groups,
    Made(Made),
}

const SOURCES: [Source; 5] = [
    Source::Users,
    Source::Groups,
    Source::Made(Made::Account),
    Source::Made(Made::Binding),
    Source::Made(Made::ClusterBinding),
];

/// The objects of a kind, by namespace and name.
#[derive(Debug, Default)]
struct Mirror {
    objects: BTreeMap<(Name, Name), DynamicObject>,
    /// What a list has shown so far.
    listed: Option<BTreeMap<(Name, Name), DynamicObject>>,
    synced: bool,
}

impl Mirror {
    /// Takes what a watch shows. Returns whether anything has changed.
    fn take(&mut self, event: Event<DynamicObject>) -> bool {
        let key = |object: &DynamicObject| {
            (Name::from(object.namespace().unwrap_or_default()), Name::from(object.name_any()))
        };
        match event {
            Event::Init => _ = self.listed.insert(BTreeMap::new()),
            Event::InitApply(object) => _ = self.listed.get_or_insert_default().insert(key(&object), object),
            Event::InitDone => {
                self.objects = self.listed.take().unwrap_or_default();
                self.synced = true;
                return true;
            }
            Event::Apply(object) => {
                self.objects.insert(key(&object), object);
                return true;
            }
            Event::Delete(object) => return self.objects.remove(&key(&object)).is_some(),
        }
        false
    }

    fn named<T>(&self, read: impl Fn(&DynamicObject) -> T) -> BTreeMap<Name, T> {
        self.objects.iter().map(|((_, name), object)| (name.clone(), read(object))).collect()
    }
}

/// The controller.
pub struct Controller {
    hand: Hand,
    reads: Client,
    /// The scheduler hears of groups here: their leaves stay in the tree.
    facts: Sender<Fact>,
    /// The scheduler shows the tree here.
    view: Receiver<Option<View>>,
    log: fn(&str),
    mirrors: BTreeMap<Source, Mirror>,
    /// The groups that were reported to the scheduler last.
    reported: Option<Groups>,
    /// What failed in the last pass, by user; said in their status.
    failed: BTreeMap<Name, String>,
}

impl std::fmt::Debug for Controller {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Controller").field("mirrors", &self.mirrors).finish_non_exhaustive()
    }
}

impl Controller {
    /// A controller that has seen nothing. Nothing is written while the fence is closed. `writes` must be a client that sends nothing
    /// twice.
    #[must_use]
    pub fn new(
        (reads, writes): (&Client, Client),
        places: Places,
        (clock, fence): (Clock, Fence),
        facts: Sender<Fact>,
        view: Receiver<Option<View>>,
        log: fn(&str),
    ) -> Self {
        let mirrors = SOURCES.into_iter().map(|source| (source, Mirror::default())).collect();
        let hand = Hand { client: writes, places, fence, clock };
        Self { hand, reads: reads.clone(), facts, view, log, mirrors, reported: None, failed: BTreeMap::new() }
    }

    /// Works until nobody listens any more.
    pub async fn run(mut self) {
        let mut events = self.watches();
        let mut look = Instant::now() + RESYNC;
        loop {
            tokio::select! {
                Some((source, event)) = events.next() => if !self.take(source, event).await { continue },
                changed = self.view.changed() => if changed.is_err() { return },
                () = tokio::time::sleep_until(look) => {}
            }
            // What belongs together often comes one after the other.
            let until = Instant::now() + LINGER;
            while let Ok(Some((source, event))) = tokio::time::timeout_at(until, events.next()).await {
                self.take(source, event).await;
            }
            if self.report_groups().await.is_err() {
                return;
            }
            let well = self.pass().await;
            look = Instant::now() + if well { RESYNC } else { AGAIN };
        }
    }

    fn watches(&self) -> SelectAll<BoxStream<'static, (Source, watcher::Result<Event<DynamicObject>>)>> {
        let config = watcher::Config::default().timeout(WATCH_SECONDS);
        let places = &self.hand.places;
        let within = |place: &str, resource: ApiResource| Api::namespaced_with(self.reads.clone(), place, &resource);
        let streams = SOURCES.into_iter().map(|source| {
            let (api, config) = match source {
                Source::Users => (within(&places.system, objects::users()), config.clone()),
                Source::Groups => (within(&places.system, objects::groups()), config.clone()),
                // All of them: one that is not ours keeps its name.
                Source::Made(Made::Account) => (within(&places.users, resource(Made::Account)), config.clone()),
                Source::Made(made) => {
                    (Api::all_with(self.reads.clone(), &resource(made)), config.clone().labels(OWNER))
                }
            };
            watcher(api, config).default_backoff().map(move |event| (source, event)).boxed()
        });
        futures::stream::select_all(streams)
    }

    /// Takes what a watch shows. Returns whether that changes anything.
    async fn take(&mut self, source: Source, event: watcher::Result<Event<DynamicObject>>) -> bool {
        match event {
            Ok(event) => self.mirrors.get_mut(&source).is_some_and(|mirror| mirror.take(event)),
            Err(error) => {
                (self.log)(&format!("users: the watch of {source:?}: {error}"));
                false
            }
        }
    }

    /// Reports to the scheduler which leaves have groups.
    async fn report_groups(&mut self) -> Result<(), ()> {
        let Some(mirror) = self.mirrors.get(&Source::Groups).filter(|mirror| mirror.synced) else { return Ok(()) };
        let groups = bound(&mirror.named(objects::group));
        if self.reported.as_ref() == Some(&groups) {
            return Ok(());
        }
        let first = self.reported.replace(groups.clone()).is_none();
        self.facts.send(Fact::Groups(groups)).await.map_err(drop)?;
        if first {
            self.facts.send(Fact::Synced(Store::Groups)).await.map_err(drop)?;
        }
        Ok(())
    }

    /// The objects of one source.
    fn objects(&self, source: Source) -> impl Iterator<Item = (&(Name, Name), &DynamicObject)> {
        self.mirrors.get(&source).into_iter().flat_map(|mirror| &mirror.objects)
    }

    /// What is there of a kind that is made, by its key.
    fn made(&self) -> BTreeMap<Key, &DynamicObject> {
        let all = [Made::Account, Made::Binding, Made::ClusterBinding].into_iter();
        let of = |made| {
            let objects = self.objects(Source::Made(made));
            objects.map(move |((space, name), object)| {
                (Key { made, namespace: space.clone(), name: name.clone() }, object)
            })
        };
        all.flat_map(of).collect()
    }

    /// One pass over all that is known. Returns whether nothing failed.
    async fn pass(&mut self) -> bool {
        let view = self.view.borrow_and_update().clone();
        // Without a tree in force nobody knows who may work where, so nobody loses anything.
        let Some(view) = view.filter(|_| self.mirrors.values().all(|mirror| mirror.synced)) else { return true };
        let (Some(users), Some(groups)) = (self.mirrors.get(&Source::Users), self.mirrors.get(&Source::Groups)) else {
            return true;
        };
        let world = World { users: users.named(objects::user), groups: groups.named(objects::group), view };
        let mut plan = plan(&world, &self.hand.places);
        let mut failed = self.keeps(&world, &mut plan).await;
        self.refuse_taken(&mut plan);
        failed.extend(self.make(&plan).await);
        self.failed.clone_from(&failed);
        let said = self.say(&world, plan).await;
        failed.is_empty() && said
    }

    /// Adds our finalizer before anything is granted. Whoever cannot have it is granted nothing new.
    async fn keeps(&self, world: &World, plan: &mut Plan) -> BTreeMap<Name, String> {
        let mut failed = BTreeMap::new();
        for (name, _) in world.users.iter().filter(|(_, user)| !user.meta.kept && !user.meta.leaving) {
            let object = self.objects(Source::Users).find(|((_, its), _)| its == name);
            let Some((_, object)) = object else { continue };
            if let Err(why) = self.hand.keep(Of::User, object, true).await {
                plan.grants.retain(|grant| grant.user() != name);
                failed.insert(name.clone(), why);
            }
        }
        failed
    }

    /// An account that was there before is not given to a user.
    fn refuse_taken(&self, plan: &mut Plan) {
        let made = self.made();
        let mut taken = BTreeSet::new();
        for grant in plan.grants.iter().filter(|grant| matches!(grant, Grant::Account(_))) {
            let Some(there) = made.get(&grant.key(&self.hand.places)) else { continue };
            if fit(&value(there), &grant.object(&self.hand.places)) == Fit::Taken {
                taken.insert(grant.user().clone());
            }
        }
        plan.grants.retain(|grant| !taken.contains(grant.user()));
        for name in taken {
            let message = format!(
                "there is a ServiceAccount {}/{name} that was not made for this user; delete it",
                self.hand.places.users
            );
            plan.users.insert(name, Said { ready: false, reason: "NameTaken", message, namespaces: Vec::new() });
        }
    }

    /// Takes away what is not wanted, then makes what is. Returns what failed, by user.
    async fn make(&self, plan: &Plan) -> BTreeMap<Name, String> {
        let mut failed = BTreeMap::new();
        let made = self.made();
        let places = &self.hand.places;
        let wanted: BTreeMap<Key, &Grant> = plan.grants.iter().map(|grant| (grant.key(places), grant)).collect();
        for (key, there) in &made {
            let Some(owner) = there.labels().get(OWNER) else { continue };
            let goes = wanted.get(key).is_none_or(|grant| fit(&value(there), &grant.object(places)) == Fit::Other);
            if goes {
                (self.log)(&format!("users: takes {} from {owner}", words(key)));
                if let Err(why) = self.hand.delete(key, there.uid()).await {
                    failed.insert(owner.as_str().into(), format!("{} is not deleted: {why}", words(key)));
                }
            }
        }
        for grant in &plan.grants {
            let (key, object) = (grant.key(places), grant.object(places));
            if made.get(&key).is_some_and(|there| fit(&value(there), &object) == Fit::Same) {
                continue;
            }
            (self.log)(&format!("users: gives {} to {}", words(&key), grant.user()));
            if let Err(why) = self.hand.apply(&key, &object).await {
                failed.insert(grant.user().clone(), format!("{} is not written: {why}", words(&key)));
            }
        }
        failed
    }

    /// Writes statuses, and lets go what may go. Returns whether nothing failed.
    async fn say(&self, world: &World, plan: Plan) -> bool {
        let mut well = true;
        let now = self.hand.clock.now();
        let left: BTreeSet<String> =
            self.made().values().filter_map(|object| object.labels().get(OWNER).cloned()).collect();
        for (of, source, all) in [(Of::User, Source::Users, &plan.users), (Of::Group, Source::Groups, &plan.groups)] {
            for ((_, name), object) in self.objects(source) {
                let Some(said) = all.get(name) else { continue };
                let mut said = said.clone();
                if let Some(why) = self.failed.get(name).filter(|_| of == Of::User) {
                    said = Said { ready: false, reason: "NotWritten", message: why.clone(), ..said };
                }
                let meta = match of {
                    Of::User => world.users.get(name).map(|user| &user.meta),
                    Of::Group => world.groups.get(name).map(|group| &group.meta),
                };
                let Some(meta) = meta else { continue };
                let may_go = meta.leaving
                    && match of {
                        Of::User => !left.contains(name.as_str()),
                        Of::Group => plan.done.contains(name),
                    };
                let written = if may_go && meta.kept {
                    self.hand.keep(of, object, false).await
                } else if of == Of::Group && !meta.kept && !meta.leaving {
                    self.hand.keep(of, object, true).await
                } else {
                    Ok(())
                };
                let status = status(&said, &meta.status, meta.generation, now);
                let shown =
                    if may_go || status == meta.status { Ok(()) } else { self.hand.status(of, name, &status).await };
                for why in [written, shown].into_iter().filter_map(Result::err) {
                    (self.log)(&format!("users: {of:?} {name} is not written: {why}"));
                    well = false;
                }
            }
        }
        well
    }
}

/// An object as its fields.
fn value(object: &DynamicObject) -> Value {
    serde_json::to_value(object).unwrap_or_default()
}

/// A key in words: `RoleBinding vision/quotree-user-alice`.
fn words(key: &Key) -> String {
    let kind = match key.made {
        Made::Account => "ServiceAccount",
        Made::Binding => "RoleBinding",
        Made::ClusterBinding => "ClusterRoleBinding",
    };
    let slash = if key.namespace == "" { "" } else { "/" };
    format!("{kind} {}{slash}{}", key.namespace, key.name)
}
