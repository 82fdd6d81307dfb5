//! What stands between the functions and the local AWS: nothing, a counter, or a proxy with bad days.

use anyhow::Result;
use bokbro_simulators::aws::{AwsProxy, CONTROL, Faults};
use tokio::net::TcpListener;

use super::calls::Calls;
use super::proxy::Proxy;

/// What stands between the functions and the local AWS, for the price of one more hop.
pub(crate) enum Between {
    /// Nothing.
    Nothing,
    /// A counter of their calls.
    Counter(Calls),
    /// A proxy that has bad days when it is told to.
    Faults,
}

/// The same, running.
pub(crate) enum Passage {
    Nothing,
    Counter(Proxy),
    Faults(AwsProxy),
}

impl Passage {
    /// Starts it on the listener before `upstream`, an address without a trailing slash.
    ///
    /// # Errors
    /// When the listener is gone or a client cannot be made.
    pub(crate) fn start(between: &Between, listener: Option<TcpListener>, upstream: &str) -> Result<Self> {
        Ok(match (between, listener) {
            (Between::Nothing, _) | (_, None) => Self::Nothing,
            (Between::Counter(calls), Some(listener)) => {
                Self::Counter(Proxy::counting(listener, upstream.to_owned(), calls.clone())?)
            }
            (Between::Faults, Some(listener)) => Self::Faults(AwsProxy::serve(listener, upstream)?),
        })
    }

    /// The address that the functions call.
    pub(crate) fn url(&self) -> Option<&str> {
        match self {
            Self::Nothing => None,
            Self::Counter(proxy) => Some(proxy.url()),
            Self::Faults(proxy) => Some(&proxy.url),
        }
    }

    /// Where the proxy is told to have bad days, when it can have them.
    pub(crate) fn control(&self) -> Option<String> {
        match self {
            Self::Nothing | Self::Counter(_) => None,
            Self::Faults(proxy) => Some(format!("{}{CONTROL}", proxy.url)),
        }
    }

    /// What goes wrong in it, when it can have bad days.
    pub(crate) fn faults(&self) -> Option<&Faults> {
        match self {
            Self::Nothing | Self::Counter(_) => None,
            Self::Faults(proxy) => Some(&proxy.faults),
        }
    }

    /// Stops it at once.
    pub(crate) async fn stop(self) {
        match self {
            Self::Nothing => {}
            Self::Counter(proxy) => proxy.stop().await,
            Self::Faults(proxy) => proxy.stop().await,
        }
    }
}
