//! The documents of one order in the books: contents, sums, days.

use std::collections::BTreeMap;

use bokbro_domain::posting::PostingProfile;
use rust_decimal::Decimal;

use super::books::{Books, Invoice, Payment, Voucher};
use super::case::Case;
use super::oracle::{NEAR, account, by_rate, from_ore, is_vat, net, reference, vat};
use super::verdict::{Finding, Posted, Verdict, one, same};

/// Claims on customers.
const RECEIVABLES: u64 = 1510;
/// Claims on the payment provider.
const CLAIM: u64 = 1580;

/// The sale and its credits, each with its payment.
pub(super) fn documents(case: &Case, books: &Books, posted: &Posted<'_>) -> Verdict {
    let (id, buys) = (posted.order.id.as_str(), posted.buys);
    let mut balances: BTreeMap<u64, Decimal> = BTreeMap::new();
    let total = from_ore(buys.total());
    let sale = document(books, id, total, case.day.date(), &mut balances)?;
    if !vat(buys).contains(&sale.vat) {
        same("VAT of the invoice", &sale.vat, &vat(buys)[0])?;
    }
    rows(sale, posted)?;
    if case.profile == PostingProfile::OrderAndInvoice {
        let order = one("orders of an order", &books.orders, id, |order| order.reference == id)?;
        same("invoice of the order", &order.invoice, &sale.number)?;
    }
    let customer = one("customers of an invoice", &books.customers, &sale.customer, |customer| {
        customer.number == sale.customer
    })?;
    same("buyer of the invoice", &customer.identity.as_str(), &buys.identity().unwrap_or_default())?;
    let mut back = 0;
    for (amount, date) in posted.given_back {
        back += amount;
        let credit = document(books, &reference(id, back), -from_ore(*amount), date, &mut balances)?;
        same("customer of the credit", &credit.customer, &sale.customer)?;
        if *amount == buys.total() {
            let turned = |invoice: &Invoice, sign: Decimal| -> Vec<String> {
                let row = |row: &super::books::Row| {
                    format!(
                        "{} at {}, VAT {}",
                        (row.quantity * sign).normalize(),
                        row.price.normalize(),
                        row.rate
                    )
                };
                invoice.rows.iter().map(row).collect()
            };
            same("rows of the credit", &turned(credit, -Decimal::ONE), &turned(sale, Decimal::ONE))?;
        }
    }
    left(posted, &balances)
}

/// One document with its payment and both vouchers, which are added to the balances.
fn document<'a>(
    books: &'a Books,
    reference: &str,
    total: Decimal,
    date: &str,
    balances: &mut BTreeMap<u64, Decimal>,
) -> Result<&'a Invoice, Finding> {
    let invoice = one("invoices of an order", &books.invoices, reference, |one| one.reference == reference)?;
    same("total of the invoice", &invoice.total, &total)?;
    same("day of the invoice", &invoice.date.as_str(), &date)?;
    same("that the invoice stands", &invoice.stands, &true)?;
    same("balance of the invoice", &invoice.balance, &Decimal::ZERO)?;
    let number = &invoice.number;
    let payment: &Payment =
        one("payments of an invoice", &books.payments, number, |one| one.invoice == *number)?;
    same("amount of the payment", &payment.amount, &total)?;
    same("day of the payment", &payment.date.as_str(), &date)?;
    same("account of the payment", &payment.account, &CLAIM.to_string())?;
    same("that the payment stands", &payment.stands, &true)?;
    for (kind, key, account) in
        [("invoice", &invoice.voucher, RECEIVABLES), ("payment", &payment.voucher, CLAIM)]
    {
        let voucher: &Voucher = one("vouchers of a document", &books.vouchers, kind, |one| one.key == *key)?;
        same(&format!("day of the voucher of the {kind}"), &voucher.date.as_str(), &date)?;
        let booked = voucher.entries.get(&account).copied().unwrap_or_default();
        same(&format!("what the voucher of the {kind} has on {account}"), &booked, &total)?;
        let sum: Decimal = voucher.entries.values().sum();
        same(&format!("what the voucher of the {kind} adds up to"), &sum, &Decimal::ZERO)?;
        for (account, amount) in &voucher.entries {
            *balances.entry(*account).or_default() += amount;
        }
    }
    Ok(invoice)
}

/// The rows of the sale: those of the order, in its order. Prices without VAT are off by öre, which rows after them make
/// up for.
fn rows(sale: &Invoice, posted: &Posted<'_>) -> Verdict {
    let lines = &posted.buys.lines;
    if sale.includes_vat || sale.rows.len() < lines.len() {
        same("number of rows of the invoice", &sale.rows.len(), &lines.len())?;
    }
    for (row, (quantity, price, rate)) in sale.rows.iter().zip(lines) {
        same("rate of a row", &row.rate, &Decimal::from(*rate))?;
        same("quantity of a row", &row.quantity, &Decimal::from(*quantity))?;
        let gross = from_ore(i64::from(*price));
        let price = if sale.includes_vat { gross } else { net(gross, *rate) };
        let near = if sale.includes_vat { Decimal::ZERO } else { NEAR };
        if (row.price - price).abs() > near {
            same("price of a row", &row.price, &price)?;
        }
    }
    for rest in sale.rows.iter().skip(lines.len()) {
        let amount = rest.quantity * rest.price;
        if amount.abs() > NEAR {
            same("a row for differences of öre", &amount, &Decimal::ZERO)?;
        }
    }
    Ok(())
}

/// What sale and credits leave on every account: the claim that the payment provider pays, to the öre, and every rate's
/// share of the sales and the VAT of what was kept.
fn left(posted: &Posted<'_>, balances: &BTreeMap<u64, Decimal>) -> Verdict {
    let buys = posted.buys;
    let kept = from_ore(buys.total() - posted.back());
    let on = |account: u64| balances.get(&account).copied().unwrap_or_default();
    same("what is left on the claim", &on(CLAIM), &kept)?;
    same("what is left on the receivables", &on(RECEIVABLES), &Decimal::ZERO)?;
    let share = kept / from_ore(buys.total());
    // Every credit rounds by itself.
    let near = NEAR * Decimal::from(posted.given_back.len() + 1);
    let mut vat_kept = Decimal::ZERO;
    for (rate, gross) in by_rate(buys) {
        let should = -net(gross * share, rate);
        vat_kept += gross * share + should;
        if (on(account(rate)) - should).abs() > near {
            same(&format!("what is left of the sales at {rate} %"), &on(account(rate)), &should)?;
        }
    }
    let vat: Decimal = balances.iter().filter(|(account, _)| is_vat(**account)).map(|(_, sum)| -*sum).sum();
    if (vat - vat_kept).abs() > near {
        same("what is left of the VAT", &vat, &vat_kept)?;
    }
    Ok(())
}
