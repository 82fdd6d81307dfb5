//! The requests that go to Visma's API, as values.

use std::sync::Arc;

use bokbro_app::ports::Tokens;

use super::VismaUrls;
use crate::kit::{Auth, Request};

/// Reads the company's own settings.
pub(super) fn company_settings(urls: &VismaUrls, tokens: Arc<dyn Tokens>) -> Request {
    Request::get("get_company_settings", &urls.api, "/v2/companysettings", Auth::Bearer(tokens))
}
