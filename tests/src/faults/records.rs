//! What Bokbro itself keeps and shows of an order.

use std::collections::BTreeMap;

use bokbro_app::ports::{LedgerKey, Ledgers as _, Orders as _};
use bokbro_domain::effect::StepState;
use bokbro_domain::ids::Target;
use bokbro_domain::order::{OrderState, SyncState};
use bokbro_domain::posting::PostingProfile;

use super::books::{Books, Invoice, Payment};
use super::case::{Case, Program};
use super::oracle::reference;
use super::verdict::{Finding, Posted, Verdict, one, same};
use crate::world::{World, tenant};

/// Judges status, ledger, numbers and timeline of an order's books.
pub(super) async fn records(world: &World, case: &Case, books: &Books, posted: &Posted<'_>) -> Verdict {
    let order = posted.order;
    let key = LedgerKey { tenant: tenant(), order: order.id.clone(), target: Target::Accounting };
    let (shown, ledger) = world.store.ledger_load(&key).await.unwrap().unwrap();
    same("state of the order", &shown.state, &posted.state)?;
    same("state of its books", &shown.accounting.state, &SyncState::Done)?;
    same("what its books are told to have credited", &shown.accounting.credited, &posted.back())?;
    same("its message", &shown.accounting.message, &None)?;
    same("its parked item", &shown.accounting.parked, &None)?;
    same("its lease", &ledger.lease, &None)?;
    let open: Vec<_> = ledger.steps.iter().filter(|(_, step)| step.state != StepState::Done).collect();
    same("its open steps", &open, &Vec::new())?;
    same("the numbers that it shows", &shown.accounting.numbers, &numbers(case, books, posted)?)?;
    timeline(world, case, posted).await
}

fn found<'a>(books: &'a Books, reference: &str) -> Result<(&'a Invoice, Option<&'a Payment>), Finding> {
    let invoice = one("invoices", &books.invoices, reference, |one| one.reference == reference)?;
    Ok((invoice, books.payments.iter().find(|payment| payment.invoice == invoice.number)))
}

/// The numbers of its documents as the ledger program has them.
fn numbers(case: &Case, books: &Books, posted: &Posted<'_>) -> Result<BTreeMap<String, String>, Finding> {
    let id = posted.order.id.as_str();
    let (invoice, payment) = found(books, id)?;
    let mut numbers = BTreeMap::from([
        ("customer_number".to_owned(), invoice.customer.clone()),
        ("invoice_number".to_owned(), invoice.number.clone()),
    ]);
    let number = payment.and_then(|payment| payment.number.clone());
    numbers.extend(number.map(|number| ("payment_number".to_owned(), number)));
    if case.profile == PostingProfile::OrderAndInvoice {
        numbers.insert("order_number".to_owned(), invoice.order.clone().unwrap_or_default());
    }
    let (mut credits, mut payments, mut back) = (Vec::new(), Vec::new(), 0);
    for (amount, _) in posted.given_back {
        back += amount;
        let (credit, payment) = found(books, &reference(id, back))?;
        credits.push(credit.number.clone());
        payments.extend(payment.and_then(|payment| payment.number.clone()));
    }
    for (name, all) in [("credit_invoice_number", credits), ("credit_payment_number", payments)] {
        if !all.is_empty() {
            numbers.insert(name.to_owned(), all.join(", "));
        }
    }
    Ok(numbers)
}

/// The history tells of everything once.
async fn timeline(world: &World, case: &Case, posted: &Posted<'_>) -> Verdict {
    let mut told = world.store.timeline_list(&tenant(), &posted.order.id, 1_000, None).await.unwrap().items;
    told.retain(|entry| !entry.event.starts_with("parcel_"));
    let times = |event: &str| told.iter().filter(|entry| entry.event == event).count();
    let all = || {
        let told = told.iter().map(|e| format!("{} {} {}", e.at, e.event, e.message));
        told.collect::<Vec<_>>().join("; ")
    };
    same("how often its timeline tells order_accepted", &times("order_accepted"), &1)?;
    let last = match posted.state {
        OrderState::Refunded => "order_refunded",
        OrderState::PartiallyRefunded => "order_partially_refunded",
        OrderState::Paid | OrderState::Pending | OrderState::Cancelled => "order_paid",
    };
    for event in ["order_paid", "order_partially_refunded", "order_refunded"] {
        // What was given back at once was never just paid.
        if event == last || times(event) > 1 {
            same(&format!("how often its timeline tells {event} ({})", all()), &times(event), &1)?;
        }
    }
    let sale: &[&str] = match (case.program, case.profile) {
        (Program::Fortnox, PostingProfile::OrderAndInvoice) => {
            &["customer", "order", "invoice", "bookkeep_invoice", "payment", "bookkeep_payment"]
        }
        (Program::Fortnox, PostingProfile::CashInvoice) => &["customer", "invoice", "bookkeep_invoice"],
        (Program::Fortnox, _) => &["customer", "invoice", "bookkeep_invoice", "payment", "bookkeep_payment"],
        (Program::Visma | Program::VismaWithoutRotation, _) => &["customer", "draft", "invoice", "payment"],
    };
    let credit = sale.iter().filter(|step| !["customer", "order"].contains(step));
    let wanted = sale.iter().map(|step| (format!("{step}_done"), 1));
    let credits = posted.given_back.len();
    for (event, wanted) in wanted.chain(credit.map(|step| (format!("credit_{step}_done"), credits))) {
        same(&format!("how often its timeline tells {event} ({})", all()), &times(&event), &wanted)?;
    }
    let often = |event: &str| if event.starts_with("credit_") { credits } else { 1 };
    let done = told.iter().filter(|entry| entry.event.ends_with("_done"));
    let too_often = done.filter(|entry| times(&entry.event) > often(&entry.event));
    same(&format!("what its timeline tells too often ({})", all()), &too_often.count(), &0)
}
