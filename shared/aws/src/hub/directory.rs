//! Tenants' settings, connections and webhook endpoints: one document each.

use async_trait::async_trait;
use bokbro_app::error::Error;
use bokbro_app::ports::{Cursor, Directory, Endpoints, Page};
use bokbro_app::records::{Connection, Endpoint, Settings};
use bokbro_domain::ids::{Provider, TenantId};
use serde::de::DeserializeOwned;

use super::Hub;
use super::pages::Listing;
use crate::items::keys::Key;
use crate::items::{Item, records};

impl Hub {
    pub(super) async fn record<T: DeserializeOwned>(
        &self,
        kind: &'static str,
        key: Key,
    ) -> Result<Option<T>, Error> {
        const STEP: &str = "reading the directory";
        let item = self.get(STEP, key).await?;
        item.map(|item| records::from_item(kind, &item)).transpose().map_err(|e| Error::storage(STEP, e))
    }
}

#[async_trait]
impl Directory for Hub {
    async fn settings_get(&self, tenant: &TenantId) -> Result<Option<Settings>, Error> {
        self.record("settings", Key::settings(tenant)).await
    }

    async fn settings_put(&self, tenant: &TenantId, settings: &Settings) -> Result<(), Error> {
        self.put("storing settings", records::to_item(Key::settings(tenant), settings)).await
    }

    async fn connection_get(&self, tenant: &TenantId, to: &Provider) -> Result<Option<Connection>, Error> {
        self.record("connection", Key::connection(tenant, to)).await
    }

    async fn connection_put(&self, connection: &Connection) -> Result<(), Error> {
        self.put("storing a connection", records::connection(connection)).await
    }

    async fn connections_list(
        &self,
        limit: usize,
        cursor: Option<&Cursor>,
    ) -> Result<Page<Connection>, Error> {
        let read = |item: &Item| records::from_item("connection", item);
        self.page("listing connections", &Listing::Connections, limit, cursor, read).await
    }

    async fn endpoint_put(&self, endpoint: &Endpoint) -> Result<(), Error> {
        self.put("storing a webhook endpoint", records::to_item(Key::endpoint(&endpoint.name), endpoint))
            .await
    }
}

#[async_trait]
impl Endpoints for Hub {
    async fn endpoint_get(&self, name: &str) -> Result<Option<Endpoint>, Error> {
        self.record("webhook endpoint", Key::endpoint(name)).await
    }
}
