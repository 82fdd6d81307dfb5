//! Items that wait for a human, one per trouble: a look-up by fingerprint makes the second one fail.

use async_trait::async_trait;
use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use bokbro_app::error::Error;
use bokbro_app::ports::{Cursor, Page, Parking};
use bokbro_app::records::Parked;
use bokbro_domain::ids::{ParkedId, TenantId};

use super::Hub;
use super::pages::Listing;
use super::transaction::{Condition, Outcome, Transaction};
use crate::failure::storage;
use crate::items::keys::{Key, PARKED, tenant_pk};
use crate::items::{Item, Unreadable, records, text};

/// Adds a parked item and its look-up to a transaction; says where the refusal will stand when one waits already.
pub(super) fn add(writes: &mut Transaction<'_>, tenant: &TenantId, parked: &Parked) -> usize {
    writes.put_if(records::to_item(Key::parked(tenant, &parked.id), parked), &Condition::absent());
    let pointer = records::pointer(Key::fingerprint(tenant, &parked.fingerprint), parked.id.as_str());
    writes.put_if(pointer, &Condition::absent())
}

/// The item that waits already, by its look-up.
pub(super) fn waiting(pointer: &Item) -> Result<ParkedId, Unreadable> {
    records::pointer_id(pointer, ParkedId::parse)
}

#[async_trait]
impl Parking for Hub {
    async fn park_once(&self, tenant: &TenantId, parked: &Parked) -> Result<bool, Error> {
        const STEP: &str = "parking an item";
        let mut writes = Transaction::on(&self.tables.hub);
        let pointer = add(&mut writes, tenant, parked);
        match writes.commit(&self.client, STEP).await? {
            Outcome::Committed => Ok(true),
            Outcome::Refused(refusals) if refusals.at(pointer).is_some() => Ok(false),
            Outcome::Refused(_) => Err(Error::Raced { step: STEP }),
        }
    }

    async fn parked_list(
        &self,
        tenant: &TenantId,
        limit: usize,
        cursor: Option<&Cursor>,
    ) -> Result<Page<Parked>, Error> {
        let listing = Listing::Table { pk: tenant_pk(tenant), prefix: PARKED, newest_first: true };
        let read = |item: &Item| records::from_item("parked item", item);
        self.page("listing parked items", &listing, limit, cursor, read).await
    }

    async fn parked_get(&self, tenant: &TenantId, id: &ParkedId) -> Result<Option<Parked>, Error> {
        const STEP: &str = "reading a parked item";
        let item = self.get(STEP, Key::parked(tenant, id)).await?;
        let read = |item: Item| records::from_item("parked item", &item);
        item.map(read).transpose().map_err(|e| Error::storage(STEP, e))
    }

    async fn parked_find(
        &self,
        tenant: &TenantId,
        fingerprint_begins: &str,
    ) -> Result<Option<Parked>, Error> {
        const STEP: &str = "finding a parked item";
        let Key { pk, sk } = Key::fingerprint(tenant, fingerprint_begins);
        let request = self.client.query().table_name(&self.tables.hub).consistent_read(true).limit(1);
        let request = request
            .key_condition_expression("pk = :pk AND begins_with(sk, :sk)")
            .expression_attribute_values(":pk", text(pk))
            .expression_attribute_values(":sk", text(sk));
        let output = request.send().await.map_err(storage(STEP))?;
        let Some(pointer) = output.items.and_then(|items| items.into_iter().next()) else { return Ok(None) };
        self.parked_get(tenant, &waiting(&pointer).map_err(|e| Error::storage(STEP, e))?).await
    }

    async fn parked_unlink(&self, tenant: &TenantId, parked: &Parked) -> Result<(), Error> {
        let request = self.client.delete_item().table_name(&self.tables.hub);
        let request = request.set_key(Some(Key::fingerprint(tenant, &parked.fingerprint).into_item()));
        // The look-up may lead to a younger item with the same trouble by now.
        let request = request.condition_expression("id = :id");
        match request.expression_attribute_values(":id", text(parked.id.as_str())).send().await {
            Ok(_) => Ok(()),
            Err(error) if error.code() == Some("ConditionalCheckFailedException") => Ok(()),
            Err(error) => Err(storage("unlinking a parked item")(error)),
        }
    }

    async fn parked_close(&self, tenant: &TenantId, id: &ParkedId) -> Result<(), Error> {
        let Some(parked) = self.parked_get(tenant, id).await? else { return Ok(()) };
        // The look-up goes first: an item without one is closed again with ease, the other way round the same trouble
        // could never be parked again.
        self.parked_unlink(tenant, &parked).await?;
        self.delete("closing a parked item", Key::parked(tenant, id)).await.map(|_| ())
    }
}
