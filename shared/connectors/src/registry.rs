//! The providers that this build knows: one line each.

use std::sync::Arc;

use bokbro_app::ports::{
    Accounting, Checkup, Clock, EntryField, Limited, OAuth, ParcelWebhooks, Payments, Providers, Registers,
    Senders, Shipping, TokenEndpoint, Vouchers, Webhooks,
};
use bokbro_domain::ids::Provider;

use crate::external;
use crate::fortnox::{self, Fortnox, FortnoxUrls};
use crate::kit::{Transport, Wire};
use crate::ongoing::{self, Ongoing, OngoingUrls};
use crate::visma::{self, Visma, VismaUrls};
use crate::viva::{self, Viva, VivaUrls};

/// Where the providers are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Urls {
    /// Fortnox' hosts.
    pub fortnox: FortnoxUrls,
    /// Visma's hosts.
    pub visma: VismaUrls,
    /// Viva's hosts.
    pub viva: VivaUrls,
    /// Ongoing's host.
    pub ongoing: OngoingUrls,
}

impl Urls {
    /// The production hosts, except those for which `lookup` knows another under its name; an empty one counts as none.
    /// Stacks that run against stand-ins use this.
    #[must_use]
    pub fn overridden(lookup: &dyn Fn(&str) -> Option<String>) -> Self {
        let mut urls = Self::default();
        let hosts = [
            ("BOKBRO_FORTNOX_API_URL", &mut urls.fortnox.api),
            ("BOKBRO_FORTNOX_AUTH_URL", &mut urls.fortnox.auth),
            ("BOKBRO_VISMA_API_URL", &mut urls.visma.api),
            ("BOKBRO_VISMA_AUTH_URL", &mut urls.visma.auth),
            ("BOKBRO_VIVA_API_URL", &mut urls.viva.api),
            ("BOKBRO_VIVA_ACCOUNTS_URL", &mut urls.viva.accounts),
            ("BOKBRO_VIVA_BASIC_URL", &mut urls.viva.basic),
            ("BOKBRO_ONGOING_API_URL", &mut urls.ongoing.api),
        ];
        for (name, url) in hosts {
            if let Some(other) = lookup(name).filter(|other| !other.is_empty()) {
                other.trim_end_matches('/').clone_into(url);
            }
        }
        urls
    }
}

/// What one provider can do.
#[derive(Default)]
struct Capabilities {
    name: &'static str,
    payments: Option<Arc<dyn Payments>>,
    accounting: Option<Arc<dyn Accounting>>,
    vouchers: Option<Arc<dyn Vouchers>>,
    registers: Option<Arc<dyn Registers>>,
    shipping: Option<Shipping>,
    tokens: Option<Arc<dyn TokenEndpoint>>,
    oauth: Option<Arc<dyn OAuth>>,
    checkup: Option<Arc<dyn Checkup>>,
    limited: Option<Arc<dyn Limited>>,
    entry_fields: &'static [EntryField],
    /// Every call that the connector makes, by its name in logs.
    operations: &'static [&'static str],
}

/// All providers, over one transport.
pub struct Registry {
    known: Vec<Capabilities>,
}

impl Registry {
    /// All providers at these addresses.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new(urls: Urls, clock: Arc<dyn Clock>) -> Result<Self, reqwest::Error> {
        Ok(Self::over(urls, Arc::new(Transport::new()?), clock))
    }

    /// All providers over a wire of the caller's choice.
    #[must_use]
    pub fn over(urls: Urls, wire: Arc<dyn Wire>, clock: Arc<dyn Clock>) -> Self {
        let known = vec![
            fortnox(Arc::new(Fortnox::new(urls.fortnox, wire.clone(), clock.clone()))),
            visma(Arc::new(Visma::new(urls.visma, wire.clone(), clock.clone()))),
            viva(Arc::new(Viva::new(urls.viva, wire.clone(), clock.clone()))),
            ongoing(Arc::new(Ongoing::new(urls.ongoing, wire, clock))),
            Capabilities {
                name: external::NAME,
                shipping: Some(Shipping::Theirs),
                ..Capabilities::default()
            },
        ];
        Self { known }
    }

    /// Every call that a connector makes, by its name in logs; none of a provider that is not called, or not known.
    #[must_use]
    pub fn operations(&self, provider: &Provider) -> &'static [&'static str] {
        self.get(provider).map_or(&[], |known| known.operations)
    }

    fn get(&self, provider: &Provider) -> Option<&Capabilities> {
        self.known.iter().find(|known| known.name == provider.as_str())
    }
}

fn fortnox(it: Arc<Fortnox>) -> Capabilities {
    Capabilities {
        name: fortnox::NAME,
        accounting: Some(it.clone()),
        vouchers: Some(it.clone()),
        registers: Some(it.clone()),
        tokens: Some(it.clone()),
        oauth: Some(it.clone()),
        checkup: Some(it.clone()),
        limited: Some(it),
        entry_fields: fortnox::ENTRY_FIELDS,
        operations: &fortnox::OPERATIONS,
        ..Capabilities::default()
    }
}

fn ongoing(it: Arc<Ongoing>) -> Capabilities {
    Capabilities {
        name: ongoing::NAME,
        shipping: Some(Shipping::Ours(it.clone())),
        tokens: Some(it.clone()),
        checkup: Some(it),
        entry_fields: ongoing::ENTRY_FIELDS,
        operations: &ongoing::OPERATIONS,
        ..Capabilities::default()
    }
}

fn viva(it: Arc<Viva>) -> Capabilities {
    Capabilities {
        name: viva::NAME,
        payments: Some(it.clone()),
        tokens: Some(it.clone()),
        checkup: Some(it),
        entry_fields: viva::ENTRY_FIELDS,
        operations: &viva::OPERATIONS,
        ..Capabilities::default()
    }
}

fn visma(it: Arc<Visma>) -> Capabilities {
    Capabilities {
        name: visma::NAME,
        accounting: Some(it.clone()),
        vouchers: Some(it.clone()),
        registers: Some(it.clone()),
        tokens: Some(it.clone()),
        oauth: Some(it.clone()),
        checkup: Some(it.clone()),
        limited: Some(it),
        entry_fields: visma::ENTRY_FIELDS,
        operations: &visma::OPERATIONS,
        ..Capabilities::default()
    }
}

/// The senders of webhooks alone, for the function that takes deliveries and calls nobody.
#[derive(Debug, Clone, Copy, Default)]
pub struct Doorbells;

impl Senders for Doorbells {
    fn webhooks(&self, provider: &Provider) -> Option<Arc<dyn Webhooks>> {
        (provider.as_str() == viva::NAME).then(|| -> Arc<dyn Webhooks> { Arc::new(viva::Deliveries) })
    }

    fn parcel_webhooks(&self, provider: &Provider) -> Option<Arc<dyn ParcelWebhooks>> {
        (provider.as_str() == ongoing::NAME)
            .then(|| -> Arc<dyn ParcelWebhooks> { Arc::new(ongoing::Deliveries) })
    }
}

impl Senders for Registry {
    fn webhooks(&self, provider: &Provider) -> Option<Arc<dyn Webhooks>> {
        Doorbells.webhooks(provider)
    }

    fn parcel_webhooks(&self, provider: &Provider) -> Option<Arc<dyn ParcelWebhooks>> {
        Doorbells.parcel_webhooks(provider)
    }
}

impl Providers for Registry {
    fn payments(&self, provider: &Provider) -> Option<Arc<dyn Payments>> {
        self.get(provider)?.payments.clone()
    }

    fn accounting(&self, provider: &Provider) -> Option<Arc<dyn Accounting>> {
        self.get(provider)?.accounting.clone()
    }

    fn vouchers(&self, provider: &Provider) -> Option<Arc<dyn Vouchers>> {
        self.get(provider)?.vouchers.clone()
    }

    fn registers(&self, provider: &Provider) -> Option<Arc<dyn Registers>> {
        self.get(provider)?.registers.clone()
    }

    fn shipping(&self, provider: &Provider) -> Option<Shipping> {
        self.get(provider)?.shipping.clone()
    }

    fn tokens(&self, provider: &Provider) -> Option<Arc<dyn TokenEndpoint>> {
        self.get(provider)?.tokens.clone()
    }

    fn oauth(&self, provider: &Provider) -> Option<Arc<dyn OAuth>> {
        self.get(provider)?.oauth.clone()
    }

    fn checkup(&self, provider: &Provider) -> Option<Arc<dyn Checkup>> {
        self.get(provider)?.checkup.clone()
    }

    fn limited(&self, provider: &Provider) -> Option<Arc<dyn Limited>> {
        self.get(provider)?.limited.clone()
    }

    fn entry_fields(&self, provider: &Provider) -> Option<&'static [EntryField]> {
        Some(self.get(provider)?.entry_fields)
    }

    fn names(&self) -> Vec<Provider> {
        self.known.iter().filter_map(|known| Provider::parse(known.name).ok()).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;
    use crate::kit::testing::{Script, StillClock};

    #[test]
    fn every_folder_is_a_provider_and_every_provider_has_a_folder() {
        let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut folders: BTreeSet<String> = BTreeSet::new();
        for entry in std::fs::read_dir(src).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_dir() {
                folders.insert(entry.file_name().into_string().unwrap());
            }
        }
        for other in ["kit", "signin"] {
            assert!(folders.remove(other), "{other} is not where this test looks");
        }
        let registry =
            Registry::over(Urls::default(), Arc::new(Script::default()), Arc::new(StillClock::default()));
        let known: BTreeSet<String> = registry.known.iter().map(|one| one.name.to_owned()).collect();
        assert_eq!(known, folders, "add the provider to `Registry::over`, or remove its folder");
        for name in known {
            assert!(registry.get(&Provider::parse(&name).unwrap()).is_some(), "{name} is no provider name");
        }
    }

    #[test]
    fn providers_offer_what_they_can_and_no_more() {
        let registry =
            Registry::over(Urls::default(), Arc::new(Script::default()), Arc::new(StillClock::default()));
        let viva = Provider::parse("viva").unwrap();
        assert!(registry.payments(&viva).is_some());
        assert!(registry.webhooks(&viva).is_some());
        assert!(registry.tokens(&viva).is_some());
        assert!(registry.accounting(&viva).is_none());
        let fortnox = Provider::parse("fortnox").unwrap();
        assert!(registry.accounting(&fortnox).is_some());
        assert!(registry.registers(&fortnox).is_some());
        assert!(registry.vouchers(&fortnox).is_some());
        assert!(registry.tokens(&fortnox).is_some());
        assert!(registry.payments(&fortnox).is_none());
        assert!(registry.webhooks(&fortnox).is_none());
        let visma = Provider::parse("visma").unwrap();
        assert!(registry.tokens(&visma).is_some());
        assert!(registry.accounting(&visma).is_some());
        assert!(registry.registers(&visma).is_some());
        assert!(registry.vouchers(&visma).is_some());
        for (provider, consent) in [(&fortnox, true), (&visma, true), (&viva, false)] {
            assert_eq!(registry.oauth(provider).is_some(), consent, "{provider}");
            assert!(registry.checkup(provider).is_some(), "{provider}");
            assert!(registry.entry_fields(provider).is_some(), "{provider}");
            assert_eq!(registry.limited(provider).is_some(), consent, "{provider}");
        }
        let ongoing = Provider::parse("ongoing").unwrap();
        assert!(matches!(registry.shipping(&ongoing), Some(Shipping::Ours(_))));
        assert!(registry.parcel_webhooks(&ongoing).is_some());
        assert!(registry.checkup(&ongoing).is_some());
        let external = Provider::parse("external").unwrap();
        assert!(matches!(registry.shipping(&external), Some(Shipping::Theirs)));
        assert!(registry.tokens(&external).is_none());
        assert!(registry.shipping(&fortnox).is_none());
        let nobody = Provider::parse("nobody").unwrap();
        assert!(registry.tokens(&nobody).is_none());
        assert!(registry.entry_fields(&nobody).is_none());
    }

    #[test]
    fn hosts_are_overridden_by_name() {
        let lookup = |name: &str| match name {
            "BOKBRO_VIVA_API_URL" => Some("http://127.0.0.1:8080/".to_owned()),
            "BOKBRO_VIVA_BASIC_URL" => Some(String::new()),
            "BOKBRO_VISMA_AUTH_URL" => Some("http://127.0.0.1:8082".to_owned()),
            "BOKBRO_FORTNOX_AUTH_URL" => Some("http://127.0.0.1:8081".to_owned()),
            _ => None,
        };
        let urls = Urls::overridden(&lookup);
        assert_eq!(urls.viva.api, "http://127.0.0.1:8080");
        assert_eq!(urls.viva.basic, Urls::default().viva.basic);
        assert_eq!(urls.viva.accounts, Urls::default().viva.accounts);
        assert_eq!(urls.fortnox.auth, "http://127.0.0.1:8081");
        assert_eq!(urls.visma.auth, "http://127.0.0.1:8082");
        assert_eq!(urls.visma.api, Urls::default().visma.api);
        assert_eq!(urls.fortnox.api, Urls::default().fortnox.api);
    }
}
