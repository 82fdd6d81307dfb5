//! Turns, cursors and stock.

use async_trait::async_trait;
use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure;
use bokbro_app::error::Error;
use bokbro_app::ports::{Cursor, Cursors, Page, Stock, Stocks, Turn, Turns};
use bokbro_domain::ids::{Provider, TenantId};
use jiff::Timestamp;

use super::Hub;
use super::pages::Listing;
use crate::failure::storage;
use crate::items::keys::{Key, STOCK, stock_pk};
use crate::items::{Item, stamp, text, warehouse as items};

#[async_trait]
impl Turns for Hub {
    async fn turn_take(
        &self,
        name: &str,
        owner: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Turn, Error> {
        const STEP: &str = "taking a turn";
        // The owner's own turn is his again: the SDK repeats a write whose answer got lost.
        let request = self
            .client
            .put_item()
            .table_name(&self.tables.hub)
            .set_item(Some(items::turn(name, owner, until)))
            .condition_expression("attribute_not_exists(pk) OR lease_until <= :now OR lease_owner = :owner")
            .expression_attribute_values(":now", text(stamp(now)))
            .expression_attribute_values(":owner", text(owner))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let Err(error) = request.send().await else { return Ok(Turn::Taken) };
        match error.as_service_error() {
            Some(PutItemError::ConditionalCheckFailedException(failed)) => {
                let until = failed.item().map(items::turn_until).transpose();
                let until = until.map_err(|e| Error::storage(STEP, e))?.unwrap_or(now);
                Ok(Turn::Held { until })
            }
            _ if error.code() == Some("TransactionConflictException") => Err(Error::Raced { step: STEP }),
            _ => Err(storage(STEP)(error)),
        }
    }

    async fn turn_give_back(&self, name: &str, owner: &str) -> Result<(), Error> {
        let request = self
            .client
            .delete_item()
            .table_name(&self.tables.hub)
            .set_key(Some(Key::turn(name).into_item()))
            .condition_expression("lease_owner = :owner")
            .expression_attribute_values(":owner", text(owner));
        match request.send().await {
            Ok(_) => Ok(()),
            // It was over, and is somebody else's by now.
            Err(error) if error.code() == Some("ConditionalCheckFailedException") => Ok(()),
            Err(error) => Err(storage("giving a turn back")(error)),
        }
    }
}

#[async_trait]
impl Cursors for Hub {
    async fn cursor_get(
        &self,
        tenant: &TenantId,
        of: &Provider,
        entity: &str,
    ) -> Result<Option<String>, Error> {
        const STEP: &str = "reading a cursor";
        let item = self.get(STEP, Key::cursor(tenant, of, entity)).await?;
        item.map(|item| items::cursor_text(&item)).transpose().map_err(|e| Error::storage(STEP, e))
    }

    async fn cursor_put(
        &self,
        tenant: &TenantId,
        of: &Provider,
        entity: &str,
        cursor: &str,
    ) -> Result<(), Error> {
        self.put("moving a cursor", items::cursor(tenant, of, entity, cursor)).await
    }
}

#[async_trait]
impl Stocks for Hub {
    async fn stocks_put(
        &self,
        tenant: &TenantId,
        at: &Provider,
        stocks: &[Stock],
        read_at: Timestamp,
    ) -> Result<(), Error> {
        for stock in stocks {
            self.put("storing stock", items::stock(tenant, at, stock, read_at)).await?;
        }
        Ok(())
    }

    async fn stocks_list(
        &self,
        tenant: &TenantId,
        at: &Provider,
        limit: usize,
        cursor: Option<&Cursor>,
    ) -> Result<Page<(Stock, Timestamp)>, Error> {
        let listing = Listing::Table { pk: stock_pk(tenant, at), prefix: STOCK, newest_first: false };
        let read = |item: &Item| items::stock_from_item(item);
        self.page("listing stock", &listing, limit, cursor, read).await
    }
}
