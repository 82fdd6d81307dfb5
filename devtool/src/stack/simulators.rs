//! The provider stand-ins of a local stack.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use bokbro_simulators::fortnox::{self, Fortnox, FortnoxConfig};
use bokbro_simulators::viva::{self, Viva, VivaConfig};

/// Running stand-ins. They stop when this is dropped.
pub(crate) struct Simulators {
    fortnox: fortnox::Handle,
    viva: viva::Handle,
}

impl Simulators {
    /// Starts all of them, each on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// When there is no free port.
    pub(crate) async fn start() -> Result<Self> {
        let fortnox = Fortnox::start(FortnoxConfig::default()).await.context("Fortnox's stand-in")?;
        let viva = Viva::start(VivaConfig::default()).await.context("Viva's stand-in")?;
        Ok(Self { fortnox, viva })
    }

    /// Their origins by provider.
    pub(crate) fn urls(&self) -> BTreeMap<&'static str, &str> {
        BTreeMap::from([("fortnox", self.fortnox.url.as_str()), ("viva", self.viva.url.as_str())])
    }

    /// The template parameters that point the functions at them; each stands in for all hosts of its provider.
    pub(crate) fn parameters(&self) -> BTreeMap<String, String> {
        let (fortnox, viva) = (&self.fortnox.url, &self.viva.url);
        [
            ("FortnoxApiUrl", fortnox),
            ("FortnoxAuthUrl", fortnox),
            ("VivaApiUrl", viva),
            ("VivaAccountsUrl", viva),
            ("VivaBasicUrl", viva),
        ]
        .map(|(parameter, url)| (parameter.to_owned(), url.clone()))
        .into()
    }

    /// Stops them and waits until they have let go of their ports.
    pub(crate) async fn stop(self) {
        self.viva.stop().await;
        self.fortnox.stop().await;
    }
}
