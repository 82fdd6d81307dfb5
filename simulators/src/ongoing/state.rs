//! The rules of the warehouse: what a write does, what a work order of the staff does, and what is refused.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use serde_json::Value;

use super::config::{OngoingConfig, Switches};
use super::model::{
    Article, CANCELLED, Members, OPEN, Order, PICKED, Parcel, Refused, SENT, decimal, only, required, text,
};

/// Members of an order that the API knows.
const ORDER: &[&str] = &[
    "goodsOwnerId",
    "orderNumber",
    "deliveryDate",
    "referenceNumber",
    "goodsOwnerOrderId",
    "salesCode",
    "orderRemark",
    "deliveryInstruction",
    "servicePointCode",
    "freeText1",
    "freeText2",
    "freeText3",
    "orderType",
    "wayOfDelivery",
    "consignee",
    "emailNotification",
    "smsNotification",
    "telephoneNotification",
    "transporter",
    "returnTransporter",
    "orderLines",
    "customsInfo",
];
/// Members of its lines.
const LINE: &[&str] = &[
    "rowNumber",
    "articleNumber",
    "numberOfItems",
    "comment",
    "shouldBePicked",
    "serialNumber",
    "lineTotalCustomsValue",
];
/// Members of its consignee.
const CONSIGNEE: &[&str] = &[
    "customerNumber",
    "name",
    "address1",
    "address2",
    "address3",
    "postCode",
    "city",
    "countryCode",
    "countryStateCode",
    "remark",
    "doorCode",
];
/// Members of an article.
const ARTICLE: &[&str] = &[
    "articleGroup",
    "articleCategory",
    "articleColor",
    "articleSize",
    "goodsOwnerId",
    "articleNumber",
    "articleName",
    "productCode",
    "unitCode",
    "description",
    "isStockArticle",
    "supplierInfo",
    "barCodeInfo",
    "quantityPerPackage",
    "quantityPerPallet",
    "weight",
    "length",
    "width",
    "height",
    "volume",
    "purchasePrice",
    "stockValuationPrice",
    "customerPrice",
    "purcaseCurrencyCode",
    "countryOfOriginCode",
    "statisticsNumber",
];
/// How far back changes of stock may be asked for (apis/viva-ongoing-bank.md 2.3).
const STOCK_WINDOW: SignedDuration = SignedDuration::from_hours(24);

/// Everything the warehouse holds.
pub(crate) struct State {
    pub(crate) switches: Switches,
    goods_owners: Vec<u32>,
    /// Articles by goods owner and number.
    pub(crate) articles: BTreeMap<(u32, String), Article>,
    /// Orders by Ongoing's id.
    pub(crate) orders: BTreeMap<u64, Order>,
    next_id: u64,
    /// Goods owners with a write under way.
    writing: BTreeSet<u32>,
    /// Writes that came while another of the same goods owner was under way.
    pub(crate) collisions: u64,
}

/// What the staff does to an order.
#[derive(Clone, Debug, Default, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Work {
    /// Which order.
    pub order_number: String,
    /// Whose; the first goods owner when absent.
    #[serde(default)]
    pub goods_owner_id: Option<u32>,
    /// Its new status number.
    pub status: u32,
    /// Items picked by row number, for a partial pick; everything when absent and the status says picked.
    #[serde(default)]
    pub picked: Option<BTreeMap<String, Decimal>>,
    /// Numbers of the parcels that leave.
    #[serde(default)]
    pub parcels: Vec<String>,
    /// Whether a webhook tells of it.
    #[serde(default = "yes")]
    pub deliver: bool,
    /// Status number that the webhook names instead of the true one: it may be stale.
    #[serde(default)]
    pub told_status: Option<u32>,
}

fn yes() -> bool {
    true
}

impl State {
    pub(crate) fn new(config: &OngoingConfig) -> Self {
        Self {
            switches: config.switches.clone(),
            goods_owners: config.goods_owners.clone(),
            articles: BTreeMap::new(),
            orders: BTreeMap::new(),
            next_id: 50_160,
            writing: BTreeSet::new(),
            collisions: 0,
        }
    }

    /// Forgets everything but the switches.
    pub(crate) fn forget(&mut self) {
        self.articles.clear();
        self.orders.clear();
        self.collisions = 0;
    }

    fn id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    /// The goods owner that a request names, if the user may act for it.
    pub(crate) fn goods_owner(&self, id: Option<u64>) -> Result<u32, Refused> {
        let id = id.ok_or_else(|| Refused::bad("The goodsOwnerId field is required."))?;
        let known = self.goods_owners.iter().find(|known| u64::from(**known) == id);
        known.copied().ok_or_else(|| Refused::bad(format!("You do not have access to goods owner {id}.")))
    }

    /// Begins a write; another of the same goods owner may not be under way (apis/viva-ongoing-bank.md 2.4).
    pub(crate) fn begin_write(&mut self, goods_owner: u32) -> Result<(), Refused> {
        if self.writing.insert(goods_owner) {
            return Ok(());
        }
        self.collisions += 1;
        Err(Refused { status: 503, why: "The operation has timed out.".to_owned() })
    }

    /// Ends a write.
    pub(crate) fn end_write(&mut self, goods_owner: u32) {
        self.writing.remove(&goods_owner);
    }

    fn check(&self, members: &Members, known: &[&str]) -> Result<(), Refused> {
        if self.switches.unknown_members_refused { only(members, known) } else { Ok(()) }
    }

    /// An order by the goods owner's number.
    pub(crate) fn order_by_number(&self, goods_owner: u32, number: &str) -> Option<&Order> {
        self.orders.values().find(|order| order.goods_owner == goods_owner && order.number == number)
    }

    /// `PUT /articles`: creates or replaces by number; gives Ongoing's id.
    pub(crate) fn put_article(&mut self, members: Members, now: Timestamp) -> Result<u64, Refused> {
        let goods_owner = self.goods_owner(members.get("goodsOwnerId").and_then(Value::as_u64))?;
        self.check(&members, ARTICLE)?;
        let number = required(&members, "articleNumber")?.to_owned();
        if let Some(article) = self.articles.get_mut(&(goods_owner, number.clone())) {
            article.members.extend(members);
            return Ok(article.id);
        }
        let id = self.id();
        let article =
            Article { id, number: number.clone(), members, in_stock: Decimal::ZERO, stock_changed_at: now };
        self.articles.insert((goods_owner, number), article);
        Ok(id)
    }

    /// `PUT /orders`: creates or replaces by number until the warehouse has begun; gives the id and whether it is new.
    pub(crate) fn put_order(&mut self, members: Members, now: Timestamp) -> Result<(u64, bool), Refused> {
        let goods_owner = self.goods_owner(members.get("goodsOwnerId").and_then(Value::as_u64))?;
        self.check(&members, ORDER)?;
        let number = required(&members, "orderNumber")?.to_owned();
        required(&members, "deliveryDate")?;
        let consignee = members.get("consignee").and_then(Value::as_object);
        let consignee = consignee.ok_or_else(|| Refused::bad("The consignee field is required."))?;
        self.check(consignee, CONSIGNEE)?;
        self.check_lines(goods_owner, &members)?;
        let known = self.order_by_number(goods_owner, &number).map(|order| order.id);
        let Some(id) = known else {
            let id = self.id();
            let order = Order {
                id,
                goods_owner,
                number,
                members,
                status: OPEN,
                picked: BTreeMap::new(),
                parcels: Vec::new(),
                created_at: now,
                updated_at: now,
                status_changed_at: now,
                shipped_at: None,
                writes: 1,
            };
            self.orders.insert(id, order);
            return Ok((id, true));
        };
        let order = self.changeable(id)?;
        order.members = members;
        order.updated_at = now;
        order.writes += 1;
        Ok((id, false))
    }

    fn check_lines(&self, goods_owner: u32, members: &Members) -> Result<(), Refused> {
        let lines = match members.get("orderLines") {
            None | Some(Value::Null) => return Ok(()),
            Some(Value::Array(lines)) => lines,
            Some(_) => return Err(Refused::bad("orderLines must be a list.")),
        };
        let mut rows = BTreeSet::new();
        for line in lines {
            let line = line.as_object().ok_or_else(|| Refused::bad("An order line must be an object."))?;
            self.check(line, LINE)?;
            let row = required(line, "rowNumber")?;
            if !rows.insert(row) {
                return Err(Refused::bad(format!("The row number {row} is used more than once.")));
            }
            let article = required(line, "articleNumber")?;
            if !self.articles.contains_key(&(goods_owner, article.to_owned())) {
                return Err(Refused::bad(format!("The article {article} does not exist.")));
            }
        }
        Ok(())
    }

    fn changeable(&mut self, id: u64) -> Result<&mut Order, Refused> {
        let started_from = self.switches.started_from;
        let order = self.orders.get_mut(&id).ok_or_else(Refused::unknown)?;
        match order.status {
            CANCELLED => Err(Refused::bad("The order has been cancelled.")),
            status if status >= started_from => {
                Err(Refused::bad("The warehouse has already started working on the order."))
            }
            _ => Ok(order),
        }
    }

    /// Cancels an order until the warehouse has begun; again is refused.
    pub(crate) fn cancel(&mut self, id: u64, now: Timestamp) -> Result<(), Refused> {
        let order = self.changeable(id)?;
        order.status = CANCELLED;
        (order.status_changed_at, order.updated_at) = (now, now);
        Ok(())
    }

    /// What the staff does; gives the order as it is then.
    pub(crate) fn work(&mut self, work: &Work, now: Timestamp) -> Result<Order, Refused> {
        let goods_owner = work.goods_owner_id.or(self.goods_owners.first().copied()).unwrap_or_default();
        let id = self.order_by_number(goods_owner, &work.order_number).map(|order| order.id);
        let parcels: Vec<Parcel> = work.parcels.iter().map(|number| self.parcel(number)).collect();
        let order = id.and_then(|id| self.orders.get_mut(&id)).ok_or_else(Refused::unknown)?;
        let before: BTreeMap<String, Decimal> = order.picked.clone();
        if let Some(picked) = &work.picked {
            order.picked.clone_from(picked);
        } else if work.status >= PICKED && work.status < CANCELLED && order.picked.is_empty() {
            let lines =
                order.members.get("orderLines").and_then(Value::as_array).cloned().unwrap_or_default();
            let whole = lines.iter().filter_map(Value::as_object).filter_map(|line| {
                Some((
                    text(line, "rowNumber")?.to_owned(),
                    decimal(line, "numberOfItems").unwrap_or_default(),
                ))
            });
            order.picked = whole.collect();
        }
        order.status = work.status;
        (order.status_changed_at, order.updated_at) = (now, now);
        if work.status >= SENT && work.status < CANCELLED && order.shipped_at.is_none() {
            order.shipped_at = Some(now);
        }
        order.parcels.extend(parcels);
        let order = order.clone();
        self.take_from_stock(&order, &before, now);
        Ok(order)
    }

    fn parcel(&mut self, number: &str) -> Parcel {
        let tracking_url = Some(format!("https://track.example.se/{number}"));
        Parcel { id: self.id(), number: number.to_owned(), tracking_url, is_return: false }
    }

    fn take_from_stock(&mut self, order: &Order, before: &BTreeMap<String, Decimal>, now: Timestamp) {
        for line in order.lines().iter().filter_map(Value::as_object) {
            let (Some(row), Some(article)) = (text(line, "rowNumber"), text(line, "articleNumber")) else {
                continue;
            };
            let of = |picked: &BTreeMap<String, Decimal>| picked.get(row).copied().unwrap_or_default();
            let taken = of(&order.picked) - of(before);
            if let Some(article) = self.articles.get_mut(&(order.goods_owner, article.to_owned()))
                && !taken.is_zero()
            {
                article.in_stock -= taken;
                article.stock_changed_at = now;
            }
        }
    }

    /// Puts goods on the shelf.
    pub(crate) fn receive(
        &mut self,
        goods_owner: Option<u32>,
        article: &str,
        items: Decimal,
        now: Timestamp,
    ) -> Result<(), Refused> {
        let goods_owner = goods_owner.or(self.goods_owners.first().copied()).unwrap_or_default();
        let article =
            self.articles.get_mut(&(goods_owner, article.to_owned())).ok_or_else(Refused::unknown)?;
        article.in_stock += items;
        article.stock_changed_at = now;
        Ok(())
    }

    /// Articles of a goods owner by Ongoing's id, those whose stock changed since a time if one is named.
    pub(crate) fn articles_of(
        &self,
        goods_owner: u32,
        changed_from: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<Vec<&Article>, Refused> {
        if changed_from.is_some_and(|from| now.duration_since(from) > STOCK_WINDOW) {
            return Err(Refused::bad("stockInfoChangedFrom must be within 24 hours of the current time."));
        }
        let mut articles: Vec<&Article> = self
            .articles
            .iter()
            .filter(|((whose, _), _)| *whose == goods_owner)
            .map(|(_, article)| article)
            .filter(|article| changed_from.is_none_or(|from| article.stock_changed_at >= from))
            .collect();
        articles.sort_by_key(|article| article.id);
        Ok(articles)
    }

    /// Items of an article that are promised to orders and not picked yet.
    pub(crate) fn booked(&self, goods_owner: u32, article: &str) -> Decimal {
        let open = self.orders.values().filter(|o| o.goods_owner == goods_owner && o.status < PICKED);
        open.flat_map(|order| order.lines().iter().filter_map(Value::as_object))
            .filter(|line| text(line, "articleNumber") == Some(article))
            .map(|line| decimal(line, "numberOfItems").unwrap_or_default())
            .sum()
    }
}
