//! What is set up in the program itself and only read by integrations.

use super::books::{Books, Document};
use super::call::{
    ANY_READ, Answer, BOOKS_READ, Call, Operation, Outcome, PURCHASE_READ, SALES_READ, operation, written,
};
use super::errors::Refusal;
use super::lists::{List, by_id};
use crate::kit::json::{Json, Object};

pub(super) const OPERATIONS: &[Operation] = &[
    operation("GET", "/v2/companysettings", SALES_READ, company_settings),
    operation("GET", "/v2/articleaccountcodings", SALES_READ, |books, call| {
        LIST.answer(call, &books.codings, &books.settings)
    }),
    operation("GET", "/v2/articleaccountcodings/{id}", SALES_READ, |books, call| {
        by_id(&books.codings, call.param(0), "the article account coding").map(Answer::shows)
    }),
    operation("GET", "/v2/units", SALES_READ, |books, call| LIST.answer(call, &books.units, &books.settings)),
    operation("GET", "/v2/units/{id}", SALES_READ, |books, call| {
        by_id(&books.units, call.param(0), "the unit").map(Answer::shows)
    }),
    operation("GET", "/v2/termsofpayments", SALES_READ, |books, call| {
        LIST.answer(call, &books.terms, &books.settings)
    }),
    operation("GET", "/v2/termsofpayments/{id}", SALES_READ, |books, call| {
        by_id(&books.terms, call.param(0), "the terms of payment").map(Answer::shows)
    }),
    operation("GET", "/v2/vatcodes", BOOKS_READ, |books, call| {
        LIST.answer(call, &books.vat_codes, &books.settings)
    }),
    operation("GET", "/v2/vatcodes/{id}", BOOKS_READ, |books, call| {
        by_id(&books.vat_codes, call.param(0), "the VAT code").map(Answer::shows)
    }),
    operation("GET", "/v2/accounts", BOOKS_READ, |books, call| {
        LIST.answer(call, &books.accounts, &books.settings)
    }),
    operation("GET", "/v2/accounts/{year}", BOOKS_READ, accounts_of_year),
    operation("GET", "/v2/accounts/{year}/{number}", BOOKS_READ, account),
    operation("GET", "/v2/fiscalyears", ANY_READ, |books, call| {
        LIST.answer(call, &books.years, &books.settings)
    }),
    operation("GET", "/v2/fiscalyears/{id}", ANY_READ, |books, call| {
        by_id(&books.years, call.param(0), "the fiscal year").map(Answer::shows)
    }),
    operation("GET", "/v2/bankaccounts", PURCHASE_READ, |books, call| {
        LIST.answer(call, &books.bank_accounts, &books.settings)
    }),
    operation("GET", "/v2/bankaccounts/{id}", PURCHASE_READ, |books, call| {
        by_id(&books.bank_accounts, call.param(0), "the bank account").map(Answer::shows)
    }),
];

/// Those that change say when; nothing else is known to be filterable.
const LIST: List = List { filterable: &["ModifiedUtc", "ChangedUtc"], parameters: &["vatRateDate"] };

fn company_settings(books: &mut Books, _: &Call) -> Outcome {
    let (company, settings) = (&books.company, &books.settings);
    let mut document = Object::default()
        .with("Name", company.name.as_str())
        .with("CorporateIdentityNumber", company.organisation_number.as_str())
        .with("VatCode", format!("SE{}01", company.organisation_number))
        .with("Address1", "Storgatan 1")
        .with("Address2", Json::Null)
        .with("PostalCode", "35230")
        .with("City", "Växjö")
        .with("CountryCode", "SE")
        .with("CurrencyCode", "SEK")
        .with("CompanyIdentifier", company.identifier.as_str())
        .with("CompanyStatus", 1_u32)
        .with("ProductVariant", 5_u32)
        .with("ActivatedModules", vec![Json::from("api_standard")])
        .with("NextCustomerNumber", Books::next_number(&books.customers, "CustomerNumber"))
        .with("NextCustomerInvoiceNumber", Books::next_number(&books.invoices, "InvoiceNumber"))
        .with("DomesticCurrencyRounding", u32::from(settings.whole_kronor))
        .with("ShowPricesExclVatPC", settings.prices_excl_vat)
        .with("UsesPaymentReferenceNumber", false)
        .with("KeepOriginalDraftDate", settings.keep_draft_date);
    // The description has no null here; what an unlocked company answers is not known.
    if let Some(through) = settings.locked_through {
        document.set("AccountingLockedTo", written(through));
    }
    Ok(Answer::shows(&document))
}

fn of_year(books: &Books, call: &Call) -> Result<Vec<Document>, Refusal> {
    let year = by_id(&books.years, call.param(0), "the fiscal year")?.text("Id");
    let found = books.accounts.iter().filter(|account| account.fields.text("FiscalYearId") == year);
    Ok(found.map(|one| Document { fields: one.fields.clone(), listed_from: one.listed_from }).collect())
}

fn accounts_of_year(books: &mut Books, call: &Call) -> Outcome {
    LIST.answer(call, &of_year(books, call)?, &books.settings)
}

fn account(books: &mut Books, call: &Call) -> Outcome {
    let accounts = of_year(books, call)?;
    let found = accounts.iter().find(|account| account.fields.text("Number") == call.param(1));
    found.map(|account| Answer::shows(&account.fields)).ok_or_else(|| Refusal::not_found("the account"))
}
