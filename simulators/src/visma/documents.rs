//! What drafts and invoices have in common: their rows, and what these add up to.

use rust_decimal::Decimal;

use super::books::Books;
use super::call::{Call, moment, written};
use super::config::CreditRows;
use super::errors::Refusal;
use super::fields::{Texts, copy_texts, date, decimal, flag, require};
use super::lists::by_id;
use crate::kit::json::{Json, Object};
use crate::kit::totals::{Line, Totals, add_up, round};

/// Texts of a draft; those that the description calls read-only are not among them.
const TEXTS: Texts = &[
    ("YourReference", 100),
    ("OurReference", 100),
    ("BuyersOrderReference", 35),
    ("ElectronicReference", 100),
    ("SubscriptionNumber", 100),
    ("ContractNumber", 100),
];

/// Texts that come from the customer when they are left out.
const ADDRESSES: Texts = &[
    ("InvoiceAddress1", 50),
    ("InvoiceAddress2", 50),
    ("DeliveryCustomerName", 50),
    ("DeliveryAddress1", 50),
    ("DeliveryAddress2", 50),
    ("DeliveryPostalCode", 10),
    ("DeliveryCity", 50),
    ("DeliveryCountryCode", 2),
];

/// Most decimals of a unit price while customer and currency are domestic, and of a quantity (`apis/visma.md` 2).
const DECIMALS: u32 = 2;

/// What is being written: the description demands more of a draft's rows than of an invoice's.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Draft,
    Invoice,
}

/// Checks a draft, or an invoice that never was one, and fills in what the program computes.
///
/// # Errors
/// When the body breaks a rule or names what does not exist.
pub(super) fn accept(books: &mut Books, call: &Call, kind: Kind) -> Result<Object, Refusal> {
    let input = call.input()?;
    require(&input, &["CustomerId", "EuThirdParty", "RotReducedInvoicingType"])?;
    let customer = by_id(&books.customers, input.text("CustomerId"), "the customer")?.clone();
    if !customer.flag("IsActive") {
        return Err(Refusal::not_now("The customer is not active"));
    }
    let private = customer.flag("IsPrivatePerson");
    let includes_vat = private && !books.settings.prices_excl_vat;
    let mut document = Object::default()
        .with("Id", books.new_id())
        .with("CustomerId", customer.text("Id"))
        .with("CustomerNumber", customer.text("CustomerNumber"))
        .with("CustomerName", customer.text("Name"))
        .with("CustomerIsPrivatePerson", private)
        .with("CreatedUtc", moment(call.now))
        .with("EuThirdParty", flag(&input, "EuThirdParty")?)
        .with("IsCreditInvoice", flag(&input, "IsCreditInvoice")?)
        .with("ReplaceUnitPriceWhenZero", flag(&input, "ReplaceUnitPriceWhenZero")?)
        .with("RotReducedInvoicingType", decimal(&input, "RotReducedInvoicingType", 0)?)
        .with("InvoiceCurrencyCode", customer.text("CurrencyCode"))
        .with("IncludesVat", includes_vat);
    copy_texts(&input, TEXTS, &mut document)?;
    copy_texts(&input, ADDRESSES, &mut document)?;
    for &(name, _) in ADDRESSES {
        if document.get(name) == Some(&Json::Null)
            && let Some(own) = customer.get(name)
        {
            document.set(name, own.clone());
        }
    }
    for (name, own) in [
        ("InvoiceCustomerName", "Name"),
        ("InvoicePostalCode", "InvoicePostalCode"),
        ("InvoiceCity", "InvoiceCity"),
        ("InvoiceCountryCode", "InvoiceCountryCode"),
    ] {
        document.set(name, customer.text(own));
    }
    let terms = match input.get("TermsOfPaymentId") {
        Some(Json::Text(id)) => by_id(&books.terms, id, "the terms of payment")?.clone(),
        _ => by_id(&books.terms, customer.text("TermsOfPaymentId"), "the terms of payment")?.clone(),
    };
    document.set("TermsOfPaymentId", terms.text("Id"));
    let day = date(&input, "InvoiceDate")?.unwrap_or_else(|| call.today());
    document.set("InvoiceDate", written(day));
    document.set("DueDate", written(date(&input, "DueDate")?.unwrap_or(day)));
    let inputs: Vec<Object> = input.objects("Rows").cloned().collect();
    let mut rows = Vec::new();
    for (index, row) in inputs.iter().enumerate() {
        rows.push(Json::from(accept_row(books, row, index + 1, kind)?));
    }
    document.set("Rows", rows);
    let totals = totals(books, &document);
    document.set("TotalAmount", totals.total);
    document.set("TotalVatAmount", totals.vat);
    document.set("TotalRoundings", totals.round_off);
    document.set("TotalAmountBaseCurrency", totals.total);
    document.set("TotalVatAmountBaseCurrency", totals.vat);
    Ok(document)
}

fn accept_row(books: &mut Books, input: &Object, line: usize, kind: Kind) -> Result<Object, Refusal> {
    let is_text = if kind == Kind::Draft {
        require(input, &["IsTextRow", "ReversedConstructionServicesVatFree"])?;
        flag(input, "IsTextRow")?
    } else {
        input.text("ArticleId").is_empty()
    };
    let mut row = Object::default()
        .with("Id", books.new_id())
        .with("LineNumber", line as u64)
        .with("IsTextRow", is_text)
        .with("ReversedConstructionServicesVatFree", flag(input, "ReversedConstructionServicesVatFree")?);
    copy_texts(input, &[("Text", 2000)], &mut row)?;
    if is_text {
        if row.text("Text").is_empty() {
            return Err(Refusal::invalid("Text", "is required in a text row"));
        }
        for name in ["ArticleId", "ArticleNumber", "VatRate"] {
            row.set(name, Json::Null);
        }
        return Ok(row);
    }
    let article = by_id(&books.articles, input.text("ArticleId"), "the article")?.clone();
    if !article.flag("IsActive") {
        return Err(Refusal::not_now("The article is not active"));
    }
    if row.text("Text").is_empty() {
        row.set("Text", article.text("Name"));
    }
    row.set("ArticleId", article.text("Id"));
    row.set("ArticleNumber", article.text("Number"));
    row.set("UnitPrice", decimal(input, "UnitPrice", DECIMALS)?);
    row.set("Quantity", decimal(input, "Quantity", DECIMALS)?);
    let discount = decimal(input, "DiscountPercentage", 4)?;
    if discount < Decimal::ZERO || discount > Decimal::ONE {
        return Err(Refusal::invalid("DiscountPercentage", "must be between 0 and 1"));
    }
    row.set("DiscountPercentage", discount);
    row.set("VatRate", books.coding_of(&article).0 / Decimal::ONE_HUNDRED);
    row.set("UnitAbbreviation", article.text("UnitAbbreviation"));
    let amount = row.number("UnitPrice") * row.number("Quantity") * (Decimal::ONE - discount);
    row.set("Amount", round(amount));
    Ok(row)
}

/// What the rows add up to. Credit invoices are negative as they should be (`apis/visma.md` 2.1).
pub(super) fn totals(books: &Books, document: &Object) -> Totals {
    let turned = document.flag("IsCreditInvoice") && books.settings.credit_rows == CreditRows::Turned;
    let sign = if turned { -Decimal::ONE } else { Decimal::ONE };
    let mut lines = Vec::new();
    for row in document.objects("Rows").filter(|row| !row.flag("IsTextRow")) {
        let Ok(article) = by_id(&books.articles, row.text("ArticleId"), "the article") else { continue };
        let (rate, account) = books.coding_of(article);
        lines.push(Line {
            account,
            rate,
            quantity: row.number("Quantity") * sign,
            price: row.number("UnitPrice"),
            discount: row.number("DiscountPercentage") * Decimal::ONE_HUNDRED,
            discount_is_percent: true,
            extra: false,
        });
    }
    let settings = &books.settings;
    add_up(&lines, document.flag("IncludesVat"), settings.vat_rounding, settings.whole_kronor)
}
