//! A world whose tenant keeps its books at Visma, connected by a consent in a browser.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use bokbro_app::app::App;
use bokbro_app::oauth::{Outcome, oauth_start};
use bokbro_app::ports::Directory;
use bokbro_app::records::Settings;
use bokbro_connectors::kit::{Transport, Wire};
use bokbro_connectors::registry::{Registry, Urls};
use bokbro_domain::posting::PostingProfile;
use bokbro_simulators::kit::http_client;
use bokbro_simulators::visma::{self, Visma, VismaConfig};
use serde_json::Value;

use crate::browser::{ORIGIN, come_back_to, decide, deploy_key, provider};
use crate::world::{World, secrets, tenant};

/// The world, and the ledger program that its tenant uses.
pub struct VismaWorld {
    world: World,
    /// The ledger program.
    pub visma: visma::Handle,
    /// `customer_id` of the tenant's company.
    company: String,
}

impl Deref for VismaWorld {
    type Target = World;

    fn deref(&self) -> &World {
        &self.world
    }
}

impl DerefMut for VismaWorld {
    fn deref_mut(&mut self) -> &mut World {
        &mut self.world
    }
}

impl World {
    /// Has the tenant keep its books at the world's own Visma from now on, in the first of its companies.
    pub async fn book_with_visma(&self, config: &VismaConfig) {
        let fields =
            [("client_id", config.client_id.as_str()), ("client_secret", config.client_secret.as_str())];
        self.app.vault.secret_put("app/visma", &secrets(&fields)).await.unwrap();
        let settings = self.store.settings_get(&tenant()).await.unwrap().unwrap();
        let settings = Settings { accounting: Some(provider("visma")), ..settings };
        self.store.settings_put(&tenant(), &settings).await.unwrap();
        deploy_key(self).await;
        assert!(self.consent_at_visma().await);
    }

    /// A person gives consent at Visma in a browser; says whether it led to a connection.
    pub async fn consent_at_visma(&self) -> bool {
        let started = oauth_start(&self.app, &tenant(), &provider("visma"), false, ORIGIN).await;
        let callback = decide("visma", started.ok().unwrap()).await;
        matches!(come_back_to(self, "visma", &callback).await, Outcome::Connected { .. })
    }
}

impl VismaWorld {
    /// A tenant that takes payments and books invoices, connected and never used.
    pub async fn start() -> Self {
        Self::start_with(PostingProfile::Invoice, VismaConfig::default()).await
    }

    /// The same with a posting profile and a ledger program of the test's choice.
    pub async fn start_with(profile: PostingProfile, config: VismaConfig) -> Self {
        Self::start_over(Arc::new(Transport::new().unwrap()), profile, config).await
    }

    /// The same with a wire that the connectors send over.
    pub async fn start_over(wire: Arc<dyn Wire>, profile: PostingProfile, config: VismaConfig) -> Self {
        let visma = Visma::start(config.clone()).await.unwrap();
        Self::over(World::start().await, visma, wire, profile, &config).await
    }

    /// A world in which nothing has happened yet, with this ledger program in place of its own.
    pub async fn over(
        mut world: World,
        visma: visma::Handle,
        wire: Arc<dyn Wire>,
        profile: PostingProfile,
        config: &VismaConfig,
    ) -> Self {
        let company = config.companies[0].customer_id.clone();
        let mut urls = Urls::default();
        for url in [&mut urls.viva.api, &mut urls.viva.accounts, &mut urls.viva.basic] {
            url.clone_from(&world.viva.url);
        }
        for url in [&mut urls.visma.api, &mut urls.visma.auth] {
            url.clone_from(&visma.url);
        }
        let vault = world.app.vault.clone();
        let registry = Arc::new(Registry::over(urls, wire, world.clock.clone()));
        let (store, queues) = (world.store.clone(), world.queues.clone());
        let app = App::new(store, queues.clone(), queues, vault, world.clock.clone(), registry);
        world.app = app.dying_at(world.crash.clone());
        let settings = world.store.settings_get(&tenant()).await.unwrap().unwrap();
        let settings = Settings { posting_profile: profile, ..settings };
        world.store.settings_put(&tenant(), &settings).await.unwrap();
        world.book_with_visma(config).await;
        Self { world, visma, company }
    }

    /// Documents of one kind that the ledger program holds.
    pub fn books(&self, kind: &str) -> Vec<Value> {
        self.visma.books(&self.company)[kind].as_array().cloned().unwrap_or_default()
    }

    /// Does something in the ledger program as people do it there by hand; gives the answer's body.
    pub async fn by_hand(&self, method: &str, path: &str, body: Option<Value>) -> Value {
        let access = self.world.store.connection_get(&tenant(), &provider("visma")).await.unwrap().unwrap();
        let access = self.app.access.open(access).await.unwrap();
        let token = access.tokens.token().await.unwrap();
        let url = format!("{}/v2{path}", self.visma.url);
        let mut request = http_client().request(method.parse().unwrap(), url).bearer_auth(token.expose());
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.unwrap();
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert!(status.is_success(), "{method} {path} by hand: {status} {text}");
        serde_json::from_str(&text).unwrap_or_default()
    }
}
