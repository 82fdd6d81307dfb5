//! What every connector needs and none should write again: sending, waiting, paging, logging and reading loose JSON.
//!
//! A connector states facts and builds [`Request`]s; [`Client`] sends them. It repeats only what is marked as
//! repeatable, and tells apart what surely was not done from what may have been done.

mod client;
mod loose;
mod oauth;
mod paging;
pub mod reasons;
mod request;
mod retry;
#[cfg(test)]
pub(crate) mod samples;
#[cfg(test)]
pub(crate) mod testing;
mod transport;

pub use client::{Client, Failure};
pub use loose::{Exact, LooseBool, LooseDecimal, LooseText};
pub use oauth::{OneToken, TokenRefusal, claims, consent_url, fetch_grant, form_request, revoke_token};
pub use paging::{PageOf, TooManyPages, all_pages};
pub use request::{Answer, Auth, Body, NotJson, Request, path_segment};
pub use transport::{Authorization, NoAnswer, Transport, Wire};
