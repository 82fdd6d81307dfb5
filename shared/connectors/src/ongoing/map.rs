//! Orders as Ongoing's documents, and Ongoing's documents as shipments. Pure.

use std::collections::BTreeMap;

use bokbro_app::ports::Stock;
use bokbro_domain::ids::OrderId;
use bokbro_domain::order::{LineKind, Order};
use bokbro_domain::posting::swedish_day;
use bokbro_domain::shipment::{Parcel, PickedLine, Shipment};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;

use super::auth::Settings;
use super::requests::{NewArticle, NewConsignee, NewLine, NewOrder, Notification};
use super::wire::{GotArticle, GotOrder, GotParcel, Tracking};
use crate::kit::{Exact, LooseText};

/// The articles that an order needs, each once. Their names are those of the order's lines.
pub(super) fn articles(order: &Order, goods_owner: u32) -> Vec<NewArticle> {
    let mut named: BTreeMap<&str, &str> = BTreeMap::new();
    for (sku, text, _) in goods(order) {
        named.entry(sku).or_insert(text);
    }
    let article = |(number, name): (&str, &str)| NewArticle {
        goods_owner_id: goods_owner,
        article_number: number.to_owned(),
        article_name: line(name),
    };
    named.into_iter().map(article).collect()
}

/// The lines that are picked: stock keeping unit, text, quantity.
fn goods(order: &Order) -> impl Iterator<Item = (&str, &str, Decimal)> {
    let lines = order.body.lines.iter().filter(|line| line.kind == LineKind::Goods);
    lines.filter_map(|line| Some((line.sku.as_deref()?, line.text.as_str(), line.quantity)))
}

/// The parcel order; `None` when nothing in the order is picked. Its number is the webshop's, because everybody who writes
/// orders for the goods owner must use the same; whose it is says the goods owner's own id of the order
/// (`apis/viva-ongoing-bank.md` 2.6).
pub(super) fn order(order: &Order, goods_owner: u32) -> Option<NewOrder> {
    let lines: Vec<NewLine> = goods(order)
        .enumerate()
        .map(|(index, (sku, _, quantity))| NewLine {
            row_number: (index + 1).to_string(),
            article_number: sku.to_owned(),
            number_of_items: Exact(quantity),
        })
        .collect();
    if lines.is_empty() {
        return None;
    }
    let customer = &order.body.customer;
    let to = customer.delivery.as_ref().unwrap_or(&customer.billing);
    let notify = |value: &Option<String>| {
        let value = value.as_deref().map(line).filter(|value| !value.is_empty())?;
        Some(Notification { to_be_notified: true, value })
    };
    // Noon is the same day in every time zone that the warehouse may reckon in.
    let day = swedish_day(order.payment.paid_at.unwrap_or(order.created_at));
    Some(NewOrder {
        goods_owner_id: goods_owner,
        order_number: order.body.order_number.to_string(),
        delivery_date: format!("{day}T12:00:00Z"),
        goods_owner_order_id: order.id.to_string(),
        consignee: NewConsignee {
            name: line(&to.name),
            address1: line(&to.address1),
            address2: to.address2.as_deref().map(line).filter(|text| !text.is_empty()),
            post_code: line(&to.zip),
            city: line(&to.city),
            country_code: to.country.clone(),
        },
        email_notification: notify(&customer.email),
        sms_notification: notify(&customer.phone),
        order_lines: lines,
    })
}

/// A text on one line.
fn line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// An order that was found at the warehouse.
pub(super) struct FoundOrder {
    pub(super) id: u64,
    /// The goods owner's own id of it: ours, another system's, or none.
    reference: Option<String>,
    pub(super) shipment: Shipment,
    got: GotOrder,
}

impl FoundOrder {
    /// Reads an order.
    pub(super) fn of(settings: &Settings, got: GotOrder) -> Self {
        Self {
            id: got.order_info.order_id,
            reference: got.order_info.goods_owner_order_id.0.clone(),
            shipment: shipment(settings, &got),
            got,
        }
    }

    /// The number, which is the key of every write.
    pub(super) fn number(&self) -> Option<&str> {
        self.got.order_info.order_number.as_deref()
    }

    /// Whether it was written for this order of ours.
    pub(super) fn is_of(&self, id: &OrderId) -> bool {
        self.reference.as_deref() == Some(id.as_str())
    }

    /// The order of ours that it may be for.
    pub(super) fn order(&self) -> Option<OrderId> {
        OrderId::parse(self.reference.as_deref()?).ok()
    }

    /// Whether it has the contents of a document, as far as they decide about what is picked and where it goes. Case and
    /// spacing may be the warehouse's own.
    pub(super) fn has_contents_of(&self, document: &NewOrder) -> bool {
        let wanted: BTreeMap<&str, (&str, Decimal)> = document
            .order_lines
            .iter()
            .map(|line| (line.row_number.as_str(), (line.article_number.as_str(), line.number_of_items.0)))
            .collect();
        let there: BTreeMap<&str, (&str, Decimal)> = self
            .got
            .order_lines
            .iter()
            .flatten()
            .filter_map(|line| {
                let article = line.article.as_ref()?.article_number.as_deref()?;
                Some((line.row_number.as_deref()?, (article, line.ordered_number_of_items.0?)))
            })
            .collect();
        let to = &document.consignee;
        let same = |sent: &str, there: &LooseText| squashed(sent) == squashed(there.as_deref().unwrap_or(""));
        wanted == there
            && self.got.consignee.as_ref().is_some_and(|there| {
                same(&to.name, &there.name)
                    && same(&to.address1, &there.address1)
                    && same(&to.post_code, &there.post_code)
                    && same(&to.city, &there.city)
            })
    }
}

fn squashed(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

fn shipment(settings: &Settings, got: &GotOrder) -> Shipment {
    let info = &got.order_info;
    let lines = got.order_lines.iter().flatten().map(|line| PickedLine {
        sku: line.article.as_ref().and_then(|article| article.article_number.0.clone()).unwrap_or_default(),
        ordered: line.ordered_number_of_items.0.unwrap_or_default(),
        picked: line.picked_number_of_items.0.unwrap_or_default(),
    });
    Shipment {
        order_id: info.order_id.to_string(),
        status: info.order_status.number,
        text: info.order_status.text.0.clone().unwrap_or_default(),
        stage: settings.stage(info.order_status.number),
        shipped_at: info.shipped_time.as_deref().and_then(time),
        parcels: parcels(got),
        lines: lines.collect(),
    }
}

/// The parcels that leave; those that are not numbered are known by the waybill.
fn parcels(got: &GotOrder) -> Vec<Parcel> {
    let url = |tracking: &Tracking| tracking.tracking_url.0.clone();
    let links: Vec<&Tracking> = got
        .tracking
        .iter()
        .flatten()
        .filter(|tracking| tracking.is_return.0 != Some(true) && tracking.waybill.0.is_some())
        .collect();
    let numbered = |parcel: &GotParcel| {
        let number = parcel.parcel_number.0.clone().filter(|_| parcel.is_return_parcel.0 != Some(true))?;
        let own = parcel.tracking.as_ref().and_then(url);
        let of_order =
            || links.iter().find(|link| link.waybill.0.as_ref() == Some(&number)).and_then(|l| url(l));
        Some(Parcel { url: own.or_else(of_order), number })
    };
    let parcels: Vec<Parcel> = got.parcels.iter().flatten().filter_map(numbered).collect();
    if !parcels.is_empty() {
        return parcels;
    }
    let link = |link: &&Tracking| Some(Parcel { number: link.waybill.0.clone()?, url: url(link) });
    links.iter().filter_map(link).collect()
}

/// Times are UTC, whether they say so or not (`apis/viva-ongoing-bank.md` 2.1).
fn time(text: &str) -> Option<Timestamp> {
    let plain = || text.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp());
    text.parse().ok().or_else(plain)
}

/// An article's stock; `None` for one without number or numbers.
pub(super) fn stock(article: &GotArticle) -> Option<Stock> {
    let info = article.inventory_info.as_ref()?;
    let on_hand = info.number_of_items.0?;
    // Older systems do not tell what is sellable.
    let sellable = info.sellable_number_of_items.0.unwrap_or(on_hand);
    Some(Stock { sku: article.article_number.0.clone()?, on_hand, sellable })
}
