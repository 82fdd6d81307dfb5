//! Turns, cursors and stock, in memory.

use async_trait::async_trait;
use bokbro_domain::ids::{Provider, TenantId};
use jiff::Timestamp;

use super::store::{MemoryStore, page};
use crate::error::Error;
use crate::ports::{Cursor, Cursors, Page, Stock, Stocks, Turn, Turns};

#[async_trait]
impl Turns for MemoryStore {
    async fn turn_take(
        &self,
        name: &str,
        owner: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Turn, Error> {
        let mut state = self.state();
        match state.turns.get(name) {
            Some((holder, held)) if holder != owner && *held > now => Ok(Turn::Held { until: *held }),
            _ => {
                state.turns.insert(name.to_owned(), (owner.to_owned(), until));
                Ok(Turn::Taken)
            }
        }
    }

    async fn turn_give_back(&self, name: &str, owner: &str) -> Result<(), Error> {
        let mut state = self.state();
        if state.turns.get(name).is_some_and(|(holder, _)| holder == owner) {
            state.turns.remove(name);
        }
        Ok(())
    }
}

#[async_trait]
impl Cursors for MemoryStore {
    async fn cursor_get(
        &self,
        tenant: &TenantId,
        of: &Provider,
        entity: &str,
    ) -> Result<Option<String>, Error> {
        Ok(self.state().cursors.get(&(tenant.clone(), of.clone(), entity.to_owned())).cloned())
    }

    async fn cursor_put(
        &self,
        tenant: &TenantId,
        of: &Provider,
        entity: &str,
        cursor: &str,
    ) -> Result<(), Error> {
        let key = (tenant.clone(), of.clone(), entity.to_owned());
        self.state().cursors.insert(key, cursor.to_owned());
        Ok(())
    }
}

#[async_trait]
impl Stocks for MemoryStore {
    async fn stocks_put(
        &self,
        tenant: &TenantId,
        at: &Provider,
        stocks: &[Stock],
        read_at: Timestamp,
    ) -> Result<(), Error> {
        let mut state = self.state();
        for stock in stocks {
            let key = (tenant.clone(), at.clone(), stock.sku.clone());
            state.stocks.insert(key, (stock.clone(), read_at));
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
        let state = self.state();
        let ours = state.stocks.iter().filter(|((whose, provider, _), _)| whose == tenant && provider == at);
        let items: Vec<(Stock, Timestamp)> = ours.map(|(_, stock)| stock.clone()).collect();
        let name = format!("stock of {tenant} at {at}");
        page(&name, &items, |(stock, _)| stock.sku.clone(), limit, cursor)
    }
}
