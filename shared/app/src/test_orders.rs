//! Test orders: a small order that goes the whole way from payment to books, for whoever has just connected everything.
//!
//! The payment page is opened before the order is stored, because the order is found by its code from then on. What is on
//! record before is the wish itself, under the number that the page carries; a page whose order never came to be is heard of
//! by nobody and expires.

use bokbro_domain::ids::{CheckoutCode, OrderNumber, TenantId};
use bokbro_domain::money::{Currency, Money};
use bokbro_domain::order::{Address, Customer, CustomerKind, Line, LineKind, Order, OrderBody, OrderState};
use bokbro_domain::said;
use bokbro_domain::vat::VatRate;
use rust_decimal::Decimal;

use crate::app::App;
use crate::audit::{By, Changed, audit_add};
use crate::error::{Error, chain};
use crate::orders::{Posted, Refusal, accept, check_key, order_get, sha256};
use crate::ports::{CheckoutWish, LookUp, OrderFilter};
use crate::records::{ConnectionState, Settings};
use crate::wire::fields::malformed;

/// What the numbers of test orders begin with.
const PREFIX: &str = "TEST-";
/// Characters of a number behind that.
const NUMBER: usize = 10;
/// Latest orders among which the usual VAT rate is looked for.
const LATEST: usize = 10;
/// Öre for one of the two goods.
const PRICE: i64 = 500;
/// Öre for shipping.
const SHIPPING: i64 = 200;

/// Whether an installation books what merchants really sell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// It does.
    Production,
    /// It is there for trying out.
    Trial,
}

impl Stage {
    /// The stage that an installation was given by name. Without one it counts as production, where less is allowed.
    #[must_use]
    pub fn named(name: Option<&str>) -> Self {
        match name {
            Some("dev" | "staging") => Self::Trial,
            Some(_) | None => Self::Production,
        }
    }
}

/// Whether an order was made to try things out.
#[must_use]
pub fn is_test(order: &Order) -> bool {
    order.body.order_number.as_str().starts_with(PREFIX)
}

/// Makes a test order, with a page to pay it on when the payment provider opens one; the same again for the same key.
///
/// # Errors
/// `Conflict` in production; `Invalid` when the key breaks a rule.
pub async fn order_test(app: &App, by: By<'_>, stage: Stage, key: Option<&str>) -> Result<Posted, Refusal> {
    if stage == Stage::Production {
        return Err(Refusal::Conflict {
            code: "production",
            field: None,
            message: said!(
                "conflict-test-in-production",
                "This installation is in production: a test order would end up in real books. Install one of stage dev \
                      or staging to try things out."
            ),
        });
    }
    let number = order_number(app, key.map(check_key).transpose()?)?;
    if let Some(order) = made_before(app, by.tenant, &number).await? {
        return Ok(Posted::Repeated(order));
    }
    let latest = app.orders.orders_list(by.tenant, &OrderFilter::default(), LATEST, None).await?;
    let mut body = body(number, usual_rate(&latest.items));
    body.check().map_err(Refusal::Invalid)?;
    audit_add(app, by, "test_order_made", body.order_number.as_str(), Changed::default()).await?;
    body.checkout_code = payment_page_open(app, by, &body).await?;
    let number = body.order_number.clone();
    let told = said!("told-test-order", "Test order made; waits for its payment.");
    match accept(app, by.tenant, body, None, by.correlation, told).await {
        // Somebody else was quicker with the same key.
        Err(Refusal::Conflict { .. }) if key.is_some() => match made_before(app, by.tenant, &number).await? {
            Some(order) => Ok(Posted::Repeated(order)),
            None => Err(Refusal::Failed(Error::Raced { step: "making a test order" })),
        },
        accepted => accepted,
    }
}

/// Address of the page on which an order can be paid, while it waits for that.
///
/// # Errors
/// When the table fails.
pub async fn payment_page(app: &App, order: &Order) -> Result<Option<String>, Error> {
    let waits = order.state == OrderState::Pending;
    let Some(code) = order.body.checkout_code.filter(|_| waits) else { return Ok(None) };
    let settings = app.directory.settings_get(&order.tenant).await?;
    let payments = settings.and_then(|settings| app.providers.payments(&settings.payments));
    Ok(payments.map(|payments| payments.checkout_page(code)))
}

/// A number that shows what the order is for. The same key gives the same number, which only one order can have.
fn order_number(app: &App, key: Option<&str>) -> Result<OrderNumber, Refusal> {
    let unique = match key {
        Some(key) => sha256(key.as_bytes()).to_uppercase().chars().take(NUMBER).collect::<String>(),
        None => {
            let ulid = app.stamps.ulid(&*app.clock).to_string();
            ulid.chars().skip(ulid.len() - NUMBER).collect()
        }
    };
    let number = OrderNumber::parse(&format!("{PREFIX}{unique}"));
    number.map_err(|wrong| Refusal::Invalid(malformed("order_number", format_args!("is {wrong}"))))
}

async fn made_before(app: &App, tenant: &TenantId, number: &OrderNumber) -> Result<Option<Order>, Refusal> {
    match app.orders.order_find(tenant, &LookUp::OrderNumber(number.clone())).await? {
        Some(id) => order_get(app, tenant, &id).await.map(Some),
        None => Ok(None),
    }
}

/// The rate of the goods that were sold last.
fn usual_rate(latest: &[Order]) -> VatRate {
    let sold = latest.iter().filter(|order| !is_test(order)).flat_map(|order| &order.body.lines);
    let mut goods = sold.filter(|line| line.kind == LineKind::Goods);
    goods.next().map_or(VatRate::Standard, |line| line.vat_rate)
}

fn body(order_number: OrderNumber, vat_rate: VatRate) -> OrderBody {
    let kronor = |minor| Money::new(minor, Currency::SEK);
    let line = |kind, text: &str, quantity: i64, price| Line {
        kind,
        sku: (kind == LineKind::Goods).then(|| "BOKBRO-TEST".to_owned()),
        text: text.to_owned(),
        quantity: Decimal::from(quantity),
        unit_price: kronor(price),
        vat_rate,
    };
    OrderBody {
        order_number,
        currency: Currency::SEK,
        checkout_code: None,
        payment_reference: None,
        customer: Customer {
            kind: CustomerKind::Private,
            name: "Testköpare Bokbro".to_owned(),
            email: Some("testkopare@example.com".to_owned()),
            phone: None,
            organisation_number: None,
            billing: Address {
                name: "Testköpare Bokbro".to_owned(),
                address1: "Testgatan 1".to_owned(),
                address2: None,
                zip: "11122".to_owned(),
                city: "Stockholm".to_owned(),
                country: "SE".to_owned(),
            },
            delivery: None,
        },
        lines: vec![
            line(LineKind::Goods, "Testvara, ska inte skickas", 2, PRICE),
            line(LineKind::Shipping, "Testfrakt", 1, SHIPPING),
        ],
        total: kronor(2 * PRICE + SHIPPING),
    }
}

/// Opens a page for the order at the payment provider. Without one the order can be paid all the same: its payment is found
/// by the order's number.
async fn payment_page_open(app: &App, by: By<'_>, body: &OrderBody) -> Result<Option<CheckoutCode>, Refusal> {
    let Some(Settings { payments: provider, .. }) = app.directory.settings_get(by.tenant).await? else {
        return Ok(None);
    };
    let connection = app.directory.connection_get(by.tenant, &provider).await?;
    let connection = connection.filter(|connection| connection.state != ConnectionState::Disconnected);
    let (Some(connection), Some(payments)) = (connection, app.providers.payments(&provider)) else {
        return Ok(None);
    };
    let wish = CheckoutWish {
        amount: body.total,
        order_number: body.order_number.clone(),
        text: format!("Testorder {}", body.order_number),
    };
    let opened = async { payments.checkout_open(&app.access.open(connection).await?, &wish).await };
    match opened.await {
        Ok(code) => Ok(Some(code)),
        Err(error) => {
            let (tenant, correlation) = (by.tenant, by.correlation);
            tracing::warn!(%tenant, %provider, %correlation, error = chain(&error), "no payment page for a test order");
            Ok(None)
        }
    }
}

#[cfg(test)]
mod tests {
    use bokbro_domain::ids::OrderId;
    use jiff::Timestamp;

    use super::*;

    fn order(number: &str, rate: VatRate) -> Order {
        let id = OrderId::parse("ord_01ARZ3NDEKTSV4RRFFQ69G5FAV").unwrap();
        let body = body(OrderNumber::parse(number).unwrap(), rate);
        Order::new(id, TenantId::parse("demo").unwrap(), body, Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn a_test_order_keeps_to_the_rules_of_orders() {
        for rate in VatRate::ALL {
            let order = order("TEST-1", rate);
            order.body.check().unwrap();
            assert!(is_test(&order) && order.body.total.minor == 1_200);
        }
    }

    #[test]
    fn the_usual_rate_is_that_of_the_goods_sold_last() {
        let (test, food, book) =
            (order("TEST-1", VatRate::Zero), order("1", VatRate::Reduced), order("2", VatRate::Low));
        for (latest, rate) in [
            (vec![], VatRate::Standard),
            (vec![test.clone()], VatRate::Standard),
            (vec![test.clone(), food.clone(), book.clone()], VatRate::Reduced),
            (vec![book, test, food], VatRate::Low),
        ] {
            assert_eq!(usual_rate(&latest), rate);
        }
    }

    #[test]
    fn only_stages_for_trying_out_take_test_orders() {
        for (name, stage) in [
            (Some("dev"), Stage::Trial),
            (Some("staging"), Stage::Trial),
            (Some("prod"), Stage::Production),
            (Some("production"), Stage::Production),
            (Some(""), Stage::Production),
            (None, Stage::Production),
        ] {
            assert_eq!(Stage::named(name), stage, "{name:?}");
        }
    }
}
