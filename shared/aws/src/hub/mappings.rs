//! Mappings of ledger programs' registers.

use std::collections::BTreeMap;

use async_trait::async_trait;
use bokbro_app::error::Error;
use bokbro_app::ports::{Cursor, Mapping, Mappings, Page, RegisterKey};
use bokbro_domain::ids::{OrderId, Provider, TenantId};

use super::Hub;
use super::pages::Listing;
use crate::items::keys::{Key, MAPPINGS, mappings_pk};
use crate::items::{mapping as items, records};

#[async_trait]
impl Mappings for Hub {
    async fn mappings_get(&self, of: &RegisterKey, external_ids: &[String]) -> Result<Vec<Mapping>, Error> {
        const STEP: &str = "reading a register's entries";
        let keys = external_ids.iter().map(|id| Key::mapping(of, id)).collect();
        let items = self.batch_get(STEP, keys).await?;
        items.iter().map(items::from_item).collect::<Result<_, _>>().map_err(|e| Error::storage(STEP, e))
    }

    async fn mappings_put(&self, of: &RegisterKey, mappings: &[Mapping]) -> Result<(), Error> {
        let items = mappings.iter().map(|mapping| items::to_item(of, mapping)).collect();
        self.batch_put("storing a register's entries", items).await
    }

    async fn mappings_list(
        &self,
        of: &RegisterKey,
        limit: usize,
        cursor: Option<&Cursor>,
    ) -> Result<Page<Mapping>, Error> {
        let listing = Listing::Table { pk: mappings_pk(of), prefix: MAPPINGS, newest_first: false };
        self.page("listing a register's entries", &listing, limit, cursor, items::from_item).await
    }

    async fn invoices_find(
        &self,
        tenant: &TenantId,
        at: &Provider,
        numbers: &[String],
    ) -> Result<BTreeMap<String, OrderId>, Error> {
        const STEP: &str = "finding the orders of invoices";
        let keys = numbers.iter().map(|number| Key::invoice(tenant, at, number)).collect();
        let items = self.batch_get(STEP, keys).await?;
        let read = items.iter().map(|item| {
            let order = records::pointer_id(item, OrderId::parse)?;
            Ok((items::number_of_invoice(at, item)?, order))
        });
        read.collect::<Result<_, crate::items::Unreadable>>().map_err(|e| Error::storage(STEP, e))
    }
}
