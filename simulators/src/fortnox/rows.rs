//! The rows of orders and invoices, and the totals that follow from them.

use rust_decimal::Decimal;

use super::books::{Books, Entry, position};
use super::chart;
use super::errors::Refusal;
use super::fields::{Field, initial, merge};
use super::json::{Json, Object};
use super::totals::{Line, Totals, add_up};

/// Where a kind of document keeps its rows.
pub(super) struct Form {
    /// Name of the row list.
    pub(super) rows: &'static str,
    pub(super) fields: &'static [Field],
}

/// Completes rows as they came in with articles, accounts and rates, and gives each a new id.
pub(super) fn complete(books: &mut Books, form: &Form, rows: Vec<Object>) -> Result<Vec<Json>, Refusal> {
    let mut completed = Vec::new();
    for given in rows {
        let mut row = initial(form.fields);
        let article = given.text("ArticleNumber");
        if article.is_empty() && given.text("Description").is_empty() && given.get("AccountNumber").is_none()
        {
            return Err(Refusal::not_now("En rad saknar artikelnummer och beskrivning."));
        }
        if !article.is_empty() {
            let at = position(&books.articles, "ArticleNumber", article)
                .ok_or_else(|| Refusal::invalid(2_001_302, format!("Kunde inte hitta artikel {article}.")))?;
            let article = &books.articles[at].fields;
            for (of_row, of_article) in
                [("Description", "Description"), ("AccountNumber", "SalesAccount"), ("VAT", "VAT")]
            {
                if let Some(value) = article.get(of_article) {
                    row.set(of_row, value.clone());
                }
            }
        }
        merge(&mut row, given);
        if row.get("VAT").is_none() {
            row.set("VAT", 25_u32);
        }
        let rate = u32::try_from(row.number("VAT")).ok().filter(|rate| [25, 12, 6, 0].contains(rate));
        let rate = rate.ok_or_else(|| Refusal::not_now("Kunde inte hämta/hitta moms."))?;
        if row.get("AccountNumber").is_none() {
            row.set("AccountNumber", chart::sales_account(rate));
        }
        row.set("RowId", books.next_row_id());
        completed.push(row);
    }
    Ok(completed.into_iter().map(Json::from).collect())
}

/// Lays an update's rows over the old ones: by `RowId` where given, else by position; old rows that are not
/// mentioned go (`apis/fortnox.md` 2.2).
pub(super) fn replace(old: &[Object], new: Vec<Object>) -> Result<Vec<Object>, Refusal> {
    let mut rows = Vec::new();
    for (index, given) in new.into_iter().enumerate() {
        let base = match given.get("RowId") {
            Some(id) => {
                old.iter().find(|row| row.get("RowId") == Some(id)).ok_or_else(Refusal::wrong_data)?
            }
            None => match old.get(index) {
                Some(row) => row,
                None => &Object::default(),
            },
        };
        let mut row = base.clone();
        merge(&mut row, given);
        rows.push(row);
    }
    Ok(rows)
}

/// Writes every sum into the document and its rows.
pub(super) fn sum_up(books: &Books, form: &Form, document: &mut Object) {
    let with_vat = document.flag("VATIncluded");
    let mut rows: Vec<Json> = document.list(form.rows).to_vec();
    for row in &mut rows {
        if let Json::Object(row) = row {
            let line = line(row);
            row.set("Total", line.total());
            if row.get("PriceExcludingVAT").is_some() {
                row.set("PriceExcludingVAT", super::totals::round(line.excluding_vat(line.price, with_vat)));
                row.set(
                    "TotalExcludingVAT",
                    super::totals::round(line.excluding_vat(line.total(), with_vat)),
                );
            }
        }
    }
    document.set(form.rows, rows);
    let totals = totals(books, form, document);
    let [freight_vat, fee_vat] = [0, 1].map(|at| totals.extra_vat.get(at).copied().unwrap_or_default());
    for (name, amount) in [
        ("FreightVAT", freight_vat),
        ("AdministrationFeeVAT", fee_vat),
        ("Gross", totals.gross),
        ("Net", totals.net),
        ("TotalVAT", totals.vat),
        ("RoundOff", totals.round_off),
        ("Total", totals.total),
        ("TotalToPay", totals.total),
        ("ContributionValue", totals.net),
        ("ContributionPercent", if totals.net.is_zero() { Decimal::ZERO } else { Decimal::ONE_HUNDRED }),
    ] {
        document.set(name, amount);
    }
}

fn totals(books: &Books, form: &Form, document: &Object) -> Totals {
    let mut lines: Vec<Line> = document.objects(form.rows).map(line).collect();
    // Freight and fee are taxed at 25 %; which rate Fortnox takes depends on company settings.
    for (field, account) in [("Freight", "FREIGHT"), ("AdministrationFee", "ADMFEE")] {
        lines.push(Line {
            account: books.predefined(account),
            rate: Decimal::from(25),
            quantity: Decimal::ONE,
            price: document.number(field),
            discount: Decimal::ZERO,
            discount_is_percent: true,
            extra: true,
        });
    }
    add_up(&lines, document.flag("VATIncluded"), books.settings.vat_rounding, books.settings.whole_kronor)
}

fn line(row: &Object) -> Line {
    Line {
        account: u32::try_from(row.number("AccountNumber")).unwrap_or_default(),
        rate: row.number("VAT"),
        quantity: row.number("DeliveredQuantity"),
        price: row.number("Price"),
        discount: row.number("Discount"),
        discount_is_percent: row.text("DiscountType") == "PERCENT",
        extra: false,
    }
}

/// What a document credits: sales, tax and rounding, in the document's currency. Sums to minus its total.
pub(super) fn credited(books: &Books, form: &Form, document: &Object) -> Vec<Entry> {
    let totals = totals(books, form, document);
    let mut entries: Vec<Entry> = totals.sales.iter().map(|(&account, &amount)| (account, -amount)).collect();
    for (rate, amount) in &totals.vat_by_rate {
        let account = u32::try_from(*rate).ok().and_then(chart::vat_account);
        entries.extend(account.map(|name| (books.predefined(name), -amount)));
    }
    entries.push((books.predefined("ROUNDOFF"), -totals.round_off));
    entries
}
