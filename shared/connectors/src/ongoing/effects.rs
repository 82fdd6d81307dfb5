//! The way of one order into the warehouse, or out of it: its steps, what each sends, how each is found again.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bokbro_app::error::{Error, Reason};
use bokbro_app::ports::{Effector, Found, ParcelWish, SendError};
use bokbro_domain::effect::{Intent, Ledger, Receipt, StepName};
use bokbro_domain::ids::{OrderId, OrderNumber};
use bokbro_domain::order::{CANCELLATION, Order, PARCEL_ORDER};
use bokbro_domain::said;
use bokbro_domain::said::Said;
use bokbro_domain::shipment::Stage;
use jiff::{SignedDuration, Timestamp};

use super::api::{Api, Refused};
use super::map::{self, FoundOrder};
use super::requests::{NewArticle, NewOrder};
use crate::kit::reasons;

/// Names of the steps; they are stored in ledgers and must not change.
const ARTICLES: &str = "articles";
const ORDER: &str = "order";
const CANCEL: &str = "cancel";
/// With less than this left, the rest of the articles is left to the next invocation.
const ARTICLE_RESERVE: Duration = Duration::from_secs(15);
/// Longest reference of the articles that people are shown.
const LONGEST_REFERENCE: usize = 200;

/// The way of one order.
pub(super) struct Effects {
    api: Api,
    id: OrderId,
    number: OrderNumber,
    wish: ParcelWish,
    articles: Vec<NewArticle>,
    /// The parcel order; none when nothing in the order is picked.
    document: Option<NewOrder>,
    /// What the warehouse told last.
    stage: Option<Stage>,
    /// Ongoing's id of the order that the last look-up found.
    found: Mutex<Option<u64>>,
}

impl Effects {
    /// The way of an order.
    pub(super) fn new(api: Api, order: &Order, wish: ParcelWish) -> Self {
        let goods_owner = api.settings.goods_owner;
        Self {
            articles: map::articles(order, goods_owner),
            document: map::order(order, goods_owner),
            api,
            id: order.id.clone(),
            number: order.body.order_number.clone(),
            wish,
            stage: order.warehouse.shipment.as_ref().map(|shipment| shipment.stage),
            found: Mutex::default(),
        }
    }

    async fn find(&self) -> Result<Option<FoundOrder>, Error> {
        let found = self.api.find_order(self.number.as_str()).await?;
        let id = found.as_ref().map(|order| order.id);
        *self.found.lock().unwrap_or_else(PoisonError::into_inner) = id;
        Ok(found)
    }

    /// An order under our number that another system wrote: one sale must not be shipped twice, and theirs must not be
    /// overwritten (`apis/viva-ongoing-bank.md` 2.6).
    fn foreign(&self) -> Error {
        reasons::foreign_order("Ongoing", self.number.as_str())
    }

    fn begun(&self, found: &FoundOrder, what: Said) -> Reason {
        let message = said!(
            "ongoing-begun",
            "The warehouse has begun with order {number} (status {status}), so it cannot be {what} any more. Call the \
             warehouse, or take the parcel back when it returns.",
            number = self.number,
            status = found.shipment.status_text();
            what
        );
        Reason::new("picking_started", message)
    }

    async fn find_parcel_order(&self, document: &NewOrder) -> Result<Option<Receipt>, Error> {
        let Some(found) = self.find().await? else { return Ok(None) };
        if !found.is_of(&self.id) {
            return Err(self.foreign());
        }
        match found.shipment.stage {
            Stage::Cancelled => Err(reasons::parcel_canceled(self.number.as_str())),
            _ if found.has_contents_of(document) => Ok(Some(receipt(found.id))),
            Stage::Open => Ok(None),
            Stage::Picking | Stage::Shipped => Err(Error::Parked(self.begun(&found, changed()))),
        }
    }

    /// Whether the order is out of the warehouse, for which reason ever.
    async fn find_cancelled(&self) -> Result<Option<Receipt>, Error> {
        let found = self.find().await?;
        let Some(found) = found.filter(|found| found.is_of(&self.id)) else {
            return Ok(Some(told("was not needed: there is no such order of ours")));
        };
        match found.shipment.stage {
            Stage::Cancelled => Ok(Some(receipt(found.id))),
            Stage::Shipped => Ok(Some(told(&format!(
                "came too late: the parcel has left ({})",
                found.shipment.status_text()
            )))),
            Stage::Picking => Err(Error::Parked(self.begun(&found, canceled()))),
            Stage::Open => Ok(None),
        }
    }

    async fn send_articles(&self) -> Result<Receipt, SendError> {
        let missing = self.api.missing(&self.articles).await.map_err(SendError::NotDone)?;
        for article in &missing {
            if self.api.time_left() < ARTICLE_RESERVE {
                // Writing one again does no harm: the look-up of the next invocation finds what is there by now.
                let at = self.api.now().saturating_add(SignedDuration::from_secs(1));
                let what = "the rest of the articles".to_owned();
                return Err(SendError::NotDone(Error::Later { what, at: at.unwrap_or(Timestamp::MAX) }));
            }
            self.api.put_article(article).await.map_err(|refused| match refused {
                Refused::Final(reason) => SendError::Rejected(reason),
                Refused::Failed(error) => error,
            })?;
        }
        Ok(told(&format!("{} new", missing.len())))
    }

    async fn send_order(&self, document: &str) -> Result<Receipt, SendError> {
        match self.api.put_order(document).await {
            Ok(Some(id)) => Ok(Receipt { external_id: id, ..Receipt::default() }),
            // The id may be null although all went well (`apis/viva-ongoing-bank.md` 2.2).
            Ok(None) => match self.find().await {
                Ok(Some(found)) if found.is_of(&self.id) => Ok(receipt(found.id)),
                Ok(_) => Err(self.api.incomplete("put_order")),
                Err(error) => Err(SendError::Unknown(error)),
            },
            Err(Refused::Failed(error)) => Err(error),
            Err(Refused::Final(reason)) => match self.find().await {
                Ok(Some(found)) if found.is_of(&self.id) => {
                    Err(SendError::Rejected(self.begun(&found, changed())))
                }
                Ok(_) => Err(SendError::Rejected(reason)),
                // The refusal stands: nothing was written. Why it was refused is asked again later.
                Err(error) => Err(SendError::NotDone(error)),
            },
        }
    }

    async fn send_cancel(&self) -> Result<Receipt, SendError> {
        let known = *self.found.lock().unwrap_or_else(PoisonError::into_inner);
        let id = match known {
            Some(id) => id,
            None => match self.find().await.map_err(SendError::NotDone)? {
                Some(found) => found.id,
                None => return Ok(told("was not needed: there is no such order of ours")),
            },
        };
        match self.api.cancel_order(id).await {
            Ok(()) => Ok(receipt(id)),
            Err(Refused::Failed(error)) => Err(error),
            Err(Refused::Final(reason)) => match self.find_cancelled().await {
                Ok(Some(receipt)) => Ok(receipt),
                Ok(None) => {
                    tracing::info!(code = reason.code, "cancellation refused");
                    Err(SendError::Rejected(reasons::not_canceled(self.number.as_str())))
                }
                Err(Error::Parked(reason)) => Err(SendError::Rejected(reason)),
                Err(error) => Err(SendError::NotDone(error)),
            },
        }
    }

    fn unknown_step(step: &StepName) -> Error {
        reasons::unknown_step("Ongoing", step)
    }
}

fn changed() -> Said {
    said!("ongoing-what-changed", "changed")
}

fn canceled() -> Said {
    said!("ongoing-what-canceled", "canceled")
}

fn receipt(id: u64) -> Receipt {
    told(&id.to_string())
}

fn told(what: &str) -> Receipt {
    Receipt { external_id: what.to_owned(), ..Receipt::default() }
}

#[async_trait]
impl Effector for Effects {
    fn steps(&self) -> Vec<StepName> {
        let names: &[&str] = match self.wish {
            ParcelWish::Ship if self.document.is_none() => &[],
            ParcelWish::Ship => &[ARTICLES, ORDER],
            ParcelWish::Cancel => &[CANCEL],
        };
        names.iter().map(|name| StepName::from(*name)).collect()
    }

    fn intent(&self, step: &StepName, ledger: &Ledger) -> Result<Option<Intent>, Error> {
        let unwritable = |_| reasons::unwritable("Ongoing");
        let (reference, request) = match step.0.as_str() {
            ARTICLES => {
                let numbers: Vec<&str> = self.articles.iter().map(|a| a.article_number.as_str()).collect();
                let reference = numbers.join(", ").chars().take(LONGEST_REFERENCE).collect();
                (reference, serde_json::to_string(&self.articles).map_err(unwritable)?)
            }
            ORDER if ledger.receipt(CANCEL).is_some() => {
                let message = said!(
                    "ongoing-canceled-before",
                    "Order {number} was taken back from the warehouse when its money was given back. It is paid again: have it \
                     sent by hand.",
                    number = self.number
                );
                return Err(Error::park("canceled_before", message));
            }
            ORDER => (self.number.to_string(), serde_json::to_string(&self.document).map_err(unwritable)?),
            CANCEL => {
                let sent = ledger.steps.contains_key(&StepName::from(ORDER)) || self.stage.is_some();
                if !sent || matches!(self.stage, Some(Stage::Shipped | Stage::Cancelled)) {
                    return Ok(None);
                }
                (self.number.to_string(), self.number.to_string())
            }
            _ => return Err(Self::unknown_step(step)),
        };
        let replaces = step.0 != CANCEL;
        Ok(Some(Intent { step: step.clone(), reference, request, may_exist: true, replaces }))
    }

    async fn look_up(&self, intent: &Intent, _ledger: &Ledger) -> Result<Found, Error> {
        let found = match (intent.step.0.as_str(), &self.document) {
            (ARTICLES, _) => self.api.missing(&self.articles).await?.is_empty().then(|| told("all known")),
            (ORDER, Some(document)) => self.find_parcel_order(document).await?,
            (CANCEL, _) => self.find_cancelled().await?,
            _ => return Err(Self::unknown_step(&intent.step)),
        };
        Ok(found.map_or(Found::No, Found::Yes))
    }

    async fn adopt(&self, intent: &Intent, number: &str, ledger: &Ledger) -> Result<Receipt, Error> {
        if let Found::Yes(receipt) = self.look_up(intent, ledger).await? {
            return Ok(receipt);
        }
        Err(reasons::not_of_step("Ongoing", number, &intent.step))
    }

    async fn send(&self, intent: &Intent, _ledger: &Ledger) -> Result<Receipt, SendError> {
        match intent.step.0.as_str() {
            ARTICLES => self.send_articles().await,
            ORDER => self.send_order(&intent.request).await,
            CANCEL => self.send_cancel().await,
            _ => Err(SendError::NotDone(Self::unknown_step(&intent.step))),
        }
    }

    fn number_name(&self, step: &StepName) -> Option<&'static str> {
        match step.0.as_str() {
            ORDER => Some(PARCEL_ORDER),
            CANCEL => Some(CANCELLATION),
            _ => None,
        }
    }
}
