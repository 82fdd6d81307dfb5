//! Where webhooks may come from: the networks of each provider that the deployment names.
//!
//! An address is no proof, so that a webhook stays a hint wherever it comes from; this keeps strangers from asking at all.

use std::collections::BTreeMap;
use std::net::IpAddr;

use bokbro_domain::ids::Provider;
use ipnet::IpNet;
use lambda_http::request::RequestContext;

/// What the deployment names cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "BOKBRO_WEBHOOK_SOURCES: {part} is not provider=network,network with addresses or networks such as 203.0.113.0/28"
)]
pub struct UnreadableSource {
    /// What is wrong.
    pub part: String,
}

/// The networks that webhooks may come from, by provider.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sources(BTreeMap<Provider, Vec<IpNet>>);

impl Sources {
    /// Reads `provider=network,network` with spaces between providers. A provider with nothing behind `=` is let in from
    /// anywhere, as is one that is not named.
    ///
    /// # Errors
    /// When something is no provider's name or no network.
    pub fn parse(text: &str) -> Result<Self, UnreadableSource> {
        let mut sources = BTreeMap::new();
        for part in text.split_whitespace() {
            let unreadable = || UnreadableSource { part: part.to_owned() };
            let (provider, networks) = part.split_once('=').ok_or_else(unreadable)?;
            let provider = Provider::parse(provider).map_err(|_| unreadable())?;
            let networks = networks.split(',').filter(|network| !network.is_empty());
            let networks: Option<Vec<IpNet>> = networks.map(network).collect();
            let networks = networks.ok_or_else(unreadable)?;
            if !networks.is_empty() {
                sources.insert(provider, networks);
            }
        }
        Ok(Self(sources))
    }

    /// Whether a provider's webhook may come from an address. Where networks are named, an unknown address is none of them.
    #[must_use]
    pub fn admit(&self, provider: &Provider, source: Option<IpAddr>) -> bool {
        self.0.get(provider).is_none_or(|networks| {
            source.is_some_and(|source| networks.iter().any(|network| network.contains(&source)))
        })
    }
}

fn network(text: &str) -> Option<IpNet> {
    text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}

/// The address that a request came from, as the gateway saw it. What a sender says of itself in headers does not count.
#[must_use]
pub fn source_address(context: &RequestContext) -> Option<IpAddr> {
    match context {
        RequestContext::ApiGatewayV2(context) => context.http.source_ip.as_deref()?.parse().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admits(sources: &str, provider: &str, source: &str) -> bool {
        let provider = Provider::parse(provider).unwrap();
        Sources::parse(sources).unwrap().admit(&provider, source.parse().ok())
    }

    #[test]
    fn only_named_networks_are_let_in_and_anybody_where_none_is_named() {
        let some = "acme=203.0.113.7,198.51.100.16/28,2001:db8::/32 other=192.0.2.1";
        for (sources, provider, source, expected) in [
            (some, "acme", "203.0.113.7", true),
            (some, "acme", "203.0.113.8", false),
            (some, "acme", "198.51.100.16", true),
            (some, "acme", "198.51.100.31", true),
            (some, "acme", "198.51.100.32", false),
            (some, "acme", "2001:db8::1", true),
            (some, "acme", "192.0.2.1", false),
            (some, "other", "192.0.2.1", true),
            (some, "third", "192.0.2.1", true),
            (some, "acme", "", false),
            (some, "acme", "203.0.113.7, 10.0.0.1", false),
            ("acme=", "acme", "192.0.2.1", true),
            ("", "acme", "", true),
        ] {
            assert_eq!(admits(sources, provider, source), expected, "{sources}: {provider} from {source:?}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        for text in
            ["acme", "acme=here", "acme=203.0.113.7/33", "acme=203.0.113", "=203.0.113.7", "Ac Me=1.2.3.4"]
        {
            let part = text.split(' ').next().unwrap().to_owned();
            assert_eq!(Sources::parse(text).unwrap_err(), UnreadableSource { part });
        }
    }
}
