//! What people do after a bad day: check connections, give consent anew, and look whether a document is there.

use std::collections::BTreeSet;
use std::time::Duration;

use bokbro_app::connections::{connection_health, connection_refresh};
use bokbro_app::parked::{Answer, parked_resolve};
use bokbro_app::ports::TokenStates as _;
use bokbro_app::records::Parked;
use bokbro_connectors::{ongoing, visma, viva};
use bokbro_domain::effect::Patience;
use bokbro_domain::ids::{OrderId, Target};

use super::books::Books;
use super::day::{Day, deliver};
use super::verdict::Finding;
use super::wire::{BY_HAND, Fault};
use crate::world::{provider, tenant};

/// How often somebody asks a connection that does not answer.
const PATIENT: u32 = 5;
/// What an order is parked for when every try of a step ended without an answer.
const OUTCOME_UNKNOWN: &str = "outcome_unknown";
/// What it is parked for when a refusal does not say why.
const NO_CODE: &str = "visma_http_";

impl Day<'_> {
    fn providers(&self) -> Vec<&'static str> {
        let mut all = vec![self.case.program.name(), viva::NAME];
        all.extend(self.case.ships.then_some(ongoing::NAME));
        all
    }

    async fn has_ended(&self, name: &str) -> bool {
        let state = self.world.store.token_state(&tenant(), &provider(name)).await.unwrap();
        state.ended.is_some()
    }

    async fn waits_for_consent(&self) -> bool {
        self.world.parked().await.iter().any(|parked| parked.code == "needs_consent")
    }

    /// What waits for a consent waits: nudges and repeated webhooks book and send nothing there.
    pub(super) async fn nothing_before_consent(&mut self) -> Result<(), Finding> {
        let hit = self.wire.hit();
        let refused = hit.iter().filter(|(spot, fault)| {
            *fault == Fault::Status403 && !BY_HAND.contains(&spot.operation) && spot.provider != viva::NAME
        });
        let refused: BTreeSet<&str> = refused.map(|(spot, _)| spot.provider).collect();
        if refused.is_empty() || !self.waits_for_consent().await {
            return Ok(());
        }
        let before = self.counts(&refused);
        for told in &self.told {
            deliver(&self.world, told.paid.as_deref()).await;
            self.nudge(&told.order).await;
        }
        self.settled().await?;
        let after = self.counts(&refused);
        if before == after {
            return Ok(());
        }
        Err(Finding::Wrong {
            what: "what is there while a consent is missing".to_owned(),
            is: format!("{after:?}"),
            should: format!("{before:?}"),
        })
    }

    /// How many documents these providers hold.
    fn counts(&self, of: &BTreeSet<&str>) -> Vec<(&'static str, usize)> {
        let mut counts = Vec::new();
        if of.contains(self.case.program.name()) {
            counts.extend(Books::of(&self.world, self.case.program).counts());
        }
        if of.contains(ongoing::NAME) {
            counts.push(("parcels", self.world.parcels().len()));
        }
        counts
    }

    /// Somebody checks the connections when something waits for them. Otherwise the next sweep does, except where the token
    /// endpoint has refused us: that is for people, and where a refresh token was lost they give consent anew.
    pub(super) async fn mend(&mut self) {
        let mut ended = BTreeSet::new();
        for name in self.providers() {
            if self.has_ended(name).await {
                ended.insert(name);
            }
        }
        if !self.waits_for_consent().await || !(self.case.checks || !ended.is_empty()) {
            return;
        }
        for name in self.providers() {
            let works = self.check(name).await;
            if !works && name == visma::NAME && ended.contains(name) && !self.world.consent_at_visma().await {
                self.lanes.errors.push("a new consent leads to no connection".to_owned());
            }
        }
    }

    /// Checks a connection until it works or patience ends; says whether it works.
    async fn check(&mut self, name: &str) -> bool {
        let (provider, correlation) = (provider(name), self.correlation());
        for _ in 0..PATIENT {
            let app = &self.world.app;
            if let Ok(health) = connection_health(app, &tenant(), &provider, &correlation).await
                && health.healthy
            {
                return true;
            }
            // User and password are nothing to refresh.
            if name != ongoing::NAME {
                let refreshed = connection_refresh(app, &tenant(), &provider, &correlation).await;
                self.lanes.errors.extend(refreshed.err().map(|error| error.to_string()));
            }
            self.world.clock.advance(Duration::from_secs(60));
        }
        false
    }

    /// After as many disturbances as a step has tries, a human looks whether the document exists and says so. Before that
    /// nobody should have to.
    pub(super) async fn look_by_hand(&mut self) {
        let tries = usize::try_from(Patience::default().max_attempts).unwrap();
        let garbled = self.wire.hit().iter().any(|(_, fault)| *fault == Fault::Truncated);
        for parked in self.world.parked().await {
            let answer = match parked.code.as_str() {
                OUTCOME_UNKNOWN if self.case.disturbances() >= tries => match self.found(&parked) {
                    Some(number) => Answer::Exists { number },
                    None => Answer::Send,
                },
                // A refusal of which half was lost: nobody can tell why it was refused.
                code if garbled && (code.starts_with(NO_CODE) || code.ends_with("_refused")) => Answer::Retry,
                _ => continue,
            };
            let (app, correlation) = (&self.world.app, self.correlation());
            let seen = Some("seen by hand");
            let (tenant, who) = (tenant(), "bk_hand");
            let resolved = parked_resolve(app, &tenant, who, &parked.id, &answer, seen, &correlation).await;
            self.lanes.errors.extend(resolved.err().map(|error| error.to_string()));
        }
    }

    /// The document that a parked step made, if somebody who looks finds it.
    fn found(&self, parked: &Parked) -> Option<String> {
        let step = parked.details.get("step")?;
        if parked.target == Some(Target::Warehouse) {
            let order = parked.order.as_ref().map(OrderId::as_str)?;
            let ours = |id: &serde_json::Value| id.as_str() == Some(order);
            let parcels = self.world.parcels();
            let parcel = parcels.iter().find(|one| one.members.get("goodsOwnerOrderId").is_some_and(ours));
            return parcel.filter(|_| step == "order").map(|parcel| parcel.id.to_string());
        }
        let own = step.split_once('.').map_or(step.as_str(), |(own, _)| own);
        Books::of(&self.world, self.case.program).number_of(own, parked.details.get("reference")?)
    }
}
