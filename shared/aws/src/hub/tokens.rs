//! Lease and version of connections' tokens; the tokens themselves are in the vault.

use async_trait::async_trait;
use bokbro_app::error::Error;
use bokbro_app::ports::{Guard, TokenStates};
use bokbro_domain::ids::{Provider, TenantId};
use bokbro_domain::token::TokenState;

use super::Hub;
use super::ledgers::condition;
use crate::items::keys::Key;
use crate::items::token;

#[async_trait]
impl TokenStates for Hub {
    async fn token_state(&self, tenant: &TenantId, to: &Provider) -> Result<TokenState, Error> {
        const STEP: &str = "reading a token's state";
        let item = self.get(STEP, Key::tokens(tenant, to)).await?;
        let state =
            item.map(|item| token::from_item(&item)).transpose().map_err(|e| Error::storage(STEP, e))?;
        Ok(state.unwrap_or_default())
    }

    async fn token_state_put(
        &self,
        tenant: &TenantId,
        to: &Provider,
        guard: &Guard,
        state: &TokenState,
    ) -> Result<(), Error> {
        let item = token::to_item(tenant, to, state);
        self.put_guarded("writing a token's state", item, &condition(guard)).await
    }
}
