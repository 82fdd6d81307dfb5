//! The provider stand-ins of a local stack.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use bokbro_simulators::fortnox::{self, Fortnox};
use bokbro_simulators::ongoing::{self, Ongoing};
use bokbro_simulators::signin::{self, SignIn};
use bokbro_simulators::visma::{self, Visma};
use bokbro_simulators::viva::{self, Viva};

use super::seed::Seed;

/// Running stand-ins. They stop when this is dropped.
pub(crate) struct Simulators {
    /// One ledger program.
    pub(crate) fortnox: fortnox::Handle,
    /// The payment provider.
    pub(crate) viva: viva::Handle,
    /// The other ledger program.
    pub(crate) visma: visma::Handle,
    /// The warehouse.
    pub(crate) ongoing: ongoing::Handle,
    /// Where people sign in.
    pub(crate) sign_in: signin::Handle,
}

impl Simulators {
    /// Starts all of them, each on a free port of 127.0.0.1, with the tenant that was made up; webhooks go to the stack
    /// at `base_url`.
    ///
    /// # Errors
    /// When there is no free port.
    pub(crate) async fn start(seed: &Seed, base_url: &str) -> Result<Self> {
        let mut account = seed.viva.clone();
        // Without anything connected there are no addresses that they could call.
        let address = |path: String| (!seed.empty).then(|| format!("{base_url}{path}"));
        account.switches.webhook_url = address(seed.webhook_path());
        let fortnox = Fortnox::start(seed.fortnox.clone()).await.context("Fortnox's stand-in")?;
        let viva = Viva::start(account).await.context("Viva's stand-in")?;
        let visma = Visma::start(seed.visma.clone()).await.context("Visma's stand-in")?;
        let mut warehouse = seed.ongoing.clone();
        warehouse.switches.webhook_url = address(seed.parcel_webhook_path());
        let ongoing = Ongoing::start(warehouse).await.context("Ongoing's stand-in")?;
        let sign_in = SignIn::start(seed.sign_in.clone()).await.context("the sign-in provider's stand-in")?;
        Ok(Self { fortnox, viva, visma, ongoing, sign_in })
    }

    /// Their origins by provider.
    pub(crate) fn urls(&self) -> BTreeMap<&'static str, &str> {
        BTreeMap::from([
            ("fortnox", self.fortnox.url.as_str()),
            ("ongoing", self.ongoing.url.as_str()),
            ("sign_in", self.sign_in.url.as_str()),
            ("visma", self.visma.url.as_str()),
            ("viva", self.viva.url.as_str()),
        ])
    }

    /// The template parameters that point the functions at them; each stands in for all hosts of its provider.
    pub(crate) fn parameters(&self) -> BTreeMap<String, String> {
        let (fortnox, visma, viva) = (&self.fortnox.url, &self.visma.url, &self.viva.url);
        [
            ("FortnoxApiUrl", fortnox),
            ("FortnoxAuthUrl", fortnox),
            ("VismaApiUrl", visma),
            ("VismaAuthUrl", visma),
            ("VivaApiUrl", viva),
            ("VivaAccountsUrl", viva),
            ("VivaBasicUrl", viva),
            ("OngoingApiUrl", &self.ongoing.url),
            ("SignInIssuer", &self.sign_in.url),
        ]
        .map(|(parameter, url)| (parameter.to_owned(), url.clone()))
        .into()
    }

    /// Stops them and waits until they have let go of their ports.
    pub(crate) async fn stop(self) {
        self.viva.stop().await;
        self.visma.stop().await;
        self.ongoing.stop().await;
        self.sign_in.stop().await;
        self.fortnox.stop().await;
    }
}
