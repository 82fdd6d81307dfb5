//! The verdict on a day: what the simulators hold, against what was paid.

use std::collections::{BTreeMap, BTreeSet};

use bokbro_app::ports::{LedgerKey, Ledgers as _, Orders as _};
use bokbro_domain::effect::StepState;
use bokbro_domain::ids::Target;
use bokbro_domain::order::{Order, OrderState, SyncState};
use bokbro_domain::posting::PostingProfile;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::bench::AMOUNT_DIFFERS;
use super::case::{Buys, Case, Pays};
use super::oracle::{from_ore, kronor, rows, rows_of, text, vat};
use crate::world::{World, tenant};

/// What is wrong at the end of a day.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Finding {
    /// More of a kind than was paid for.
    #[error("{count} {kind} instead of {wanted}")]
    Doubled {
        /// Which kind of document.
        kind: &'static str,
        /// How many there are.
        count: usize,
        /// How many there should be.
        wanted: usize,
    },
    /// Fewer of a kind than was paid for.
    #[error("{count} {kind} instead of {wanted}: {why}")]
    Missing {
        /// Which kind of document.
        kind: &'static str,
        /// How many there are.
        count: usize,
        /// How many there should be.
        wanted: usize,
        /// What Bokbro says of it.
        why: String,
    },
    /// A document or record is not what it should be.
    #[error("{what} is {is}, not {should}")]
    Wrong {
        /// What.
        what: String,
        /// What it is.
        is: String,
        /// What it should be.
        should: String,
    },
    /// Work that never ends.
    #[error("the work never ends: {0:?}")]
    Endless(Vec<String>),
}

type Verdict = Result<(), Finding>;

/// An order of the case and what Bokbro calls it.
pub(super) type Posted<'a> = (&'a Buys, &'a Order);

fn same<T: PartialEq + std::fmt::Debug>(what: &str, is: &T, should: &T) -> Verdict {
    if is == should {
        return Ok(());
    }
    Err(Finding::Wrong { what: what.to_owned(), is: format!("{is:?}"), should: format!("{should:?}") })
}

fn count(kind: &'static str, count: usize, wanted: usize, why: impl FnOnce() -> String) -> Verdict {
    match count.cmp(&wanted) {
        std::cmp::Ordering::Equal => Ok(()),
        std::cmp::Ordering::Greater => Err(Finding::Doubled { kind, count, wanted }),
        std::cmp::Ordering::Less => Err(Finding::Missing { kind, count, wanted, why: why() }),
    }
}

/// Documents in the books by kind.
pub(super) struct Books(Value);

impl Books {
    pub(super) fn of(world: &World) -> Self {
        Self(world.fortnox.books(crate::world::COMPANY))
    }

    fn all(&self, kind: &str) -> &[Value] {
        self.0[kind].as_array().map(Vec::as_slice).unwrap_or_default()
    }

    /// Number of the order or invoice that a step made for an order, as a person finds it by its reference.
    pub(super) fn number_of(&self, step: &str, reference: &str) -> Option<String> {
        let kind = ["order", "invoice"].into_iter().find(|kind| *kind == step)?;
        let all = self.all(&format!("{kind}s"));
        let ours = all.iter().find(|one| text(one, "ExternalInvoiceReference1") == reference)?;
        Some(text(ours, "DocumentNumber").to_owned())
    }

    /// How many documents of each kind there are.
    pub(super) fn counts(&self) -> BTreeMap<String, usize> {
        let kinds = self.0.as_object().into_iter().flatten();
        kinds.map(|(kind, all)| (kind.clone(), all.as_array().map_or(0, Vec::len))).collect()
    }
}

fn is_booked(buys: &Buys) -> bool {
    matches!(buys.pays, Pays::All | Pays::AfterRefusal)
}

/// Judges the books and our own records. `why` is what workers said last.
pub(super) async fn judge(
    world: &World,
    case: &Case,
    posted: &[Posted<'_>],
    dead: usize,
    why: &[String],
) -> Verdict {
    let books = Books::of(world);
    let booked: Vec<&Posted<'_>> = posted.iter().filter(|(buys, _)| is_booked(buys)).collect();
    counted(world, case, &books, &booked, why).await?;
    for (buys, order) in &booked {
        documents(case, &books, buys, order)?;
        records(world, case, &books, order).await?;
    }
    for (buys, order) in posted.iter().filter(|(buys, _)| !is_booked(buys)) {
        let shown = world.show(&order.id).await;
        same("state of an order that was not paid in full", &shown.state, &OrderState::Pending)?;
        same(
            "its total at the payment provider",
            &from_ore(buys.total()),
            &from_ore(order.body.total.minor),
        )?;
    }
    same("dead letters", &dead, &0)?;
    let mut parked: Vec<String> =
        world.parked().await.into_iter().map(|one| format!("{} {:?}", one.code, one.order)).collect();
    parked.sort();
    let short = posted.iter().filter(|(buys, _)| buys.pays == Pays::Short);
    let mut should: Vec<String> =
        short.map(|(_, order)| format!("{AMOUNT_DIFFERS} {:?}", Some(&order.id))).collect();
    should.sort();
    same("what is parked", &parked, &should)
}

/// As many of each kind as were paid for.
async fn counted(
    world: &World,
    case: &Case,
    books: &Books,
    booked: &[&Posted<'_>],
    why: &[String],
) -> Verdict {
    let mut states = Vec::new();
    for (_, order) in booked {
        let shown = world.show(&order.id).await;
        states.push(format!("{:?} {:?}", shown.state, shown.accounting));
    }
    for parked in world.parked().await {
        states.push(format!("parked {}: {}", parked.code, parked.message));
    }
    let why = || format!("{states:?}; {:?}", why.iter().rev().take(6).collect::<Vec<_>>());
    let paid = booked.len();
    let known: BTreeSet<&str> = booked.iter().filter_map(|(buys, _)| buys.identity()).collect();
    let unknown = booked.iter().filter(|(buys, _)| buys.identity().is_none()).count();
    let ordered = if case.profile == PostingProfile::OrderAndInvoice { paid } else { 0 };
    count("invoices", books.all("invoices").len(), paid, why)?;
    count("orders", books.all("orders").len(), ordered, why)?;
    count("payments", books.all("invoice_payments").len(), paid, why)?;
    count("customers", books.all("customers").len(), known.len() + unknown, why)?;
    count("vouchers", books.all("vouchers").len(), paid * 2, why)
}

/// The one whose member is this value.
fn one<'a>(kind: &'static str, all: &'a [Value], member: &str, value: &str) -> Result<&'a Value, Finding> {
    let found: Vec<&Value> = all.iter().filter(|one| plain(&one[member]) == value).collect();
    count(kind, found.len(), 1, || format!("{member} {value}"))?;
    Ok(found[0])
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The documents of one order: contents, sums, days.
fn documents(case: &Case, books: &Books, buys: &Buys, order: &Order) -> Verdict {
    let total = from_ore(buys.total());
    let reference = order.id.as_str();
    let invoice = one("invoices of an order", books.all("invoices"), "ExternalInvoiceReference1", reference)?;
    let number = text(invoice, "DocumentNumber");
    same("total of the invoice", &kronor(&invoice["Total"]), &total)?;
    let computed = kronor(&invoice["TotalVAT"]);
    if !vat(buys).contains(&computed) {
        same("VAT of the invoice", &computed, &vat(buys)[0])?;
    }
    same("rows of the invoice", &rows_of(invoice), &rows(buys))?;
    same("day of the invoice", &text(invoice, "InvoiceDate"), &case.day.date())?;
    same("invoice bookkept", &invoice["Booked"], &json!(true))?;
    same("invoice canceled", &invoice["Cancelled"], &json!(false))?;
    same("balance of the invoice", &kronor(&invoice["Balance"]), &Decimal::ZERO)?;
    if case.profile == PostingProfile::OrderAndInvoice {
        let ordered = one("orders of an order", books.all("orders"), "ExternalInvoiceReference1", reference)?;
        same("invoice of the order", &plain(&ordered["InvoiceReference"]), &number.to_owned())?;
    }
    let payment = one("payments of an invoice", books.all("invoice_payments"), "InvoiceNumber", number)?;
    same("amount of the payment", &kronor(&payment["Amount"]), &total)?;
    same("day of the payment", &text(payment, "PaymentDate"), &case.day.date())?;
    same("account of the payment", &plain(&payment["ModeOfPaymentAccount"]), &"1580".to_owned())?;
    same("payment bookkept", &payment["Booked"], &json!(true))?;
    let customers = books.all("customers");
    let customer =
        one("customers of an invoice", customers, "CustomerNumber", text(invoice, "CustomerNumber"))?;
    let identity = match buys.buyer {
        2 => text(customer, "OrganisationNumber").to_owned(),
        _ => text(customer, "Email").to_lowercase(),
    };
    same("buyer of the invoice", &identity.as_str(), &buys.identity().unwrap_or_default())?;
    for (kind, document) in [("invoice", invoice), ("payment", payment)] {
        let series = text(document, "VoucherSeries");
        let of = |voucher: &&Value| {
            text(voucher, "VoucherSeries") == series
                && plain(&voucher["VoucherNumber"]) == plain(&document["VoucherNumber"])
        };
        let vouchers: Vec<&Value> = books.all("vouchers").iter().filter(of).collect();
        count("vouchers of a document", vouchers.len(), 1, || kind.to_owned())?;
        let debit = vouchers[0]["VoucherRows"].as_array().into_iter().flatten();
        let debit: Decimal = debit.map(|row| kronor(&row["Debit"])).sum();
        same(&format!("debit of the voucher of the {kind}"), &debit, &total)?;
        same(
            &format!("day of the voucher of the {kind}"),
            &text(vouchers[0], "TransactionDate"),
            &case.day.date(),
        )?;
    }
    Ok(())
}

/// What Bokbro itself keeps and shows of an order.
async fn records(world: &World, case: &Case, books: &Books, order: &Order) -> Verdict {
    let key = LedgerKey { tenant: tenant(), order: order.id.clone(), target: Target::Accounting };
    let (shown, ledger) = world.store.ledger_load(&key).await.unwrap().unwrap();
    same("state of the order", &shown.state, &OrderState::Paid)?;
    same("state of its books", &shown.accounting.state, &SyncState::Done)?;
    same("its message", &shown.accounting.message, &None)?;
    same("its parked item", &shown.accounting.parked, &None)?;
    same("its lease", &ledger.lease, &None)?;
    let open: Vec<_> = ledger.steps.iter().filter(|(_, step)| step.state != StepState::Done).collect();
    same("its open steps", &open, &Vec::new())?;

    let invoice = one("invoices", books.all("invoices"), "ExternalInvoiceReference1", order.id.as_str())?;
    let number = text(invoice, "DocumentNumber");
    let payment = one("payments", books.all("invoice_payments"), "InvoiceNumber", number)?;
    let mut should = BTreeMap::from([
        ("customer_number".to_owned(), text(invoice, "CustomerNumber").to_owned()),
        ("invoice_number".to_owned(), number.to_owned()),
        ("payment_number".to_owned(), plain(&payment["Number"])),
    ]);
    let mut steps = vec!["customer", "invoice", "bookkeep_invoice", "payment", "bookkeep_payment"];
    if case.profile == PostingProfile::OrderAndInvoice {
        should.insert("order_number".to_owned(), plain(&invoice["OrderReference"]));
        steps.push("order");
    }
    same("the numbers that it shows", &shown.accounting.numbers, &should)?;

    let told = world.store.timeline_list(&tenant(), &order.id, 1_000, None).await.unwrap().items;
    let times = |event: &str| told.iter().filter(|entry| entry.event == event).count();
    for event in ["order_accepted", "order_paid"] {
        same(&format!("how often its timeline tells {event}"), &times(event), &1)?;
    }
    for step in steps {
        let event = format!("{step}_done");
        let what = || {
            let told: Vec<String> =
                told.iter().map(|e| format!("{} {} {}", e.at, e.event, e.message)).collect();
            format!("how often its timeline tells {event} ({})", told.join("; "))
        };
        same(&what(), &times(&event), &1)?;
    }
    let often = told.iter().filter(|entry| times(&entry.event) > 1 && entry.event.ends_with("_done"));
    same("what its timeline tells twice", &often.count(), &0)
}
