//! Registers that an integration reads before it writes: accounts, years, settings, modes and terms of payment.

use jiff::Timestamp;
use jiff::civil::Date;

use super::books::{Books, Document, Year, position};
use super::call::{Answer, Call, Operation, Outcome, operation};
use super::chart::{CURRENCIES, TERMS_OF_PAYMENT};
use super::config::AccountingMethod;
use super::documents::MODE_OF_PAYMENT;
use super::errors::{Refusal, UNRECORDED};
use super::fields::{accept, initial, merge};
use super::json::{Json, Object};
use super::lists::{List, Search, as_it_is, no_filter};

pub(super) const OPERATIONS: &[Operation] = &[
    operation("GET", "/3/accounts", "bookkeeping", list_accounts),
    operation("GET", "/3/accounts/{number}", "bookkeeping", show_account),
    operation("GET", "/3/financialyears", "bookkeeping", list_years),
    operation("GET", "/3/financialyears/{id}", "bookkeeping", show_year),
    operation("GET", "/3/predefinedaccounts", "settings", list_predefined),
    operation("GET", "/3/predefinedaccounts/{name}", "settings", show_predefined),
    operation("PUT", "/3/predefinedaccounts/{name}", "settings", change_predefined),
    operation("GET", "/3/modesofpayments", "settings", list_modes),
    operation("POST", "/3/modesofpayments", "settings", create_mode),
    operation("GET", "/3/modesofpayments/{code}", "settings", show_mode),
    operation("GET", "/3/termsofpayments", "settings", list_terms),
    operation("GET", "/3/termsofpayments/{code}", "settings", show_terms),
    operation("GET", "/3/currencies", "currency", list_currencies),
    operation("GET", "/3/currencies/{code}", "currency", show_currency),
    operation("GET", "/3/settings/lockedperiod", "settings", locked_period),
    operation("GET", "/3/settings/company", "settings", company_settings),
    operation("GET", "/3/companyinformation", "companyinformation", company_information),
];

/// A register's entry as something to list; registers do not change, so it is as old as time.
pub(super) fn listed(fields: Object) -> Document {
    Document { fields, modified: Timestamp::UNIX_EPOCH, listed_from: Timestamp::UNIX_EPOCH }
}

/// A list without search of its own.
const fn plain(envelope: &'static str, fields: &'static [&'static str]) -> List {
    List { envelope, fields, search: &[], sort: &[], filter: no_filter, item: as_it_is }
}

fn account(number: u32, name: &str, year: u32) -> Object {
    Object::default()
        .with("@url", format!("https://api.fortnox.se/3/accounts/{number}"))
        .with("Active", true)
        .with("BalanceBroughtForward", 0_u32)
        .with("CostCenterSettings", "ALLOWED")
        .with("Description", name)
        .with("Number", number)
        .with("ProjectSettings", "ALLOWED")
        .with("SRU", 7000_u32)
        .with("VATCode", "")
        .with("Year", year)
}

/// The year of a `financialyear` id or `financialyeardate`, or the latest.
fn asked_year(books: &Books, call: &Call) -> u32 {
    let by_date = call.query.get("financialyeardate").and_then(|text| text.parse::<Date>().ok());
    let asked = by_date.and_then(|date| books.year_of(date)).map(|year| year.id);
    let by_id = call.query.get("financialyear").and_then(|text| text.parse().ok());
    asked.or(by_id).or_else(|| books.years.iter().map(|year| year.id).max()).unwrap_or_default()
}

fn list_accounts(books: &mut Books, call: &Call) -> Outcome {
    const LIST: List = List {
        envelope: "Accounts",
        fields: &[
            "@url",
            "Active",
            "BalanceBroughtForward",
            "CostCenterSettings",
            "Description",
            "Number",
            "ProjectSettings",
            "SRU",
            "VATCode",
            "Year",
        ],
        search: &[
            ("lastmodified", Search::Any),
            ("sru", Search::Exactly("SRU")),
            ("financialyear", Search::Any),
            ("financialyeardate", Search::Any),
        ],
        sort: &[("number", "Number")],
        filter: no_filter,
        item: as_it_is,
    };
    let year = asked_year(books, call);
    let accounts: Vec<Document> =
        books.accounts.iter().map(|(&number, name)| listed(account(number, name, year))).collect();
    LIST.answer(call, accounts.iter())
}

fn show_account(books: &mut Books, call: &Call) -> Outcome {
    call.only_parameters(&["financialyear", "financialyeardate"])?;
    let number = call.param(0).parse::<u32>().unwrap_or_default();
    // Recorded in lower case, unlike other look-ups.
    let missing = || Refusal::Envelope {
        status: 404,
        code: 2_000_423,
        message: "Kan inte hitta kontot.".to_owned(),
        upper_case: false,
    };
    let name = books.accounts.get(&number).ok_or_else(missing)?;
    let found = account(number, name, asked_year(books, call))
        .with("BalanceCarriedForward", 0_u32)
        .with("OpeningQuantities", Vec::new())
        .with("TransactionInformation", "")
        .with("TransactionInformationSettings", "ALLOWED");
    Ok(Answer::shows("Account", found))
}

fn year(year: &Year, method: AccountingMethod) -> Object {
    Object::default()
        .with("@url", format!("https://api.fortnox.se/3/financialyears/{}", year.id))
        .with("Id", year.id)
        .with("FromDate", year.from)
        .with("ToDate", year.to)
        .with("AccountChartType", "BAS 2026")
        .with("AccountingMethod", if method == AccountingMethod::Cash { "CASH" } else { "ACCRUAL" })
}

fn list_years(books: &mut Books, call: &Call) -> Outcome {
    const LIST: List = List {
        search: &[("Date", Search::Any), ("date", Search::Any), ("financialyeardate", Search::Any)],
        ..plain(
            "FinancialYears",
            &["@url", "Id", "FromDate", "ToDate", "AccountChartType", "AccountingMethod"],
        )
    };
    let day = ["Date", "date", "financialyeardate"].iter().find_map(|name| call.query.get(*name));
    let day = day.map(|text| text.parse::<Date>().map_err(|_| Refusal::bad_parameter())).transpose()?;
    let years: Vec<Document> = books
        .years
        .iter()
        .filter(|year| day.is_none_or(|day| year.from <= day && day <= year.to))
        .map(|found| listed(year(found, books.settings.accounting_method)))
        .collect();
    LIST.answer(call, years.iter())
}

fn show_year(books: &mut Books, call: &Call) -> Outcome {
    let found = books.years.iter().find(|year| year.id.to_string() == call.param(0));
    let found = found.ok_or_else(|| Refusal::not_found(UNRECORDED, "Kan inte hitta räkenskapsåret."))?;
    Ok(Answer::shows("FinancialYear", year(found, books.settings.accounting_method)))
}

fn predefined(name: &str, number: u32) -> Object {
    Object::default()
        .with("@url", format!("https://api.fortnox.se/3/predefinedaccounts/{name}"))
        .with("Name", name)
        .with("Account", number)
}

fn list_predefined(books: &mut Books, call: &Call) -> Outcome {
    const LIST: List = plain("PreDefinedAccounts", &["@url", "Name", "Account"]);
    let all: Vec<Document> =
        books.predefined.iter().map(|(name, &number)| listed(predefined(name, number))).collect();
    LIST.answer(call, all.iter())
}

fn show_predefined(books: &mut Books, call: &Call) -> Outcome {
    let name = call.param(0);
    let number = books.predefined.get(name).copied();
    let number =
        number.ok_or_else(|| Refusal::not_found(2_001_403, "Kan inte hitta det förvalda kontot."))?;
    Ok(Answer::shows("PreDefinedAccount", predefined(name, number)))
}

fn change_predefined(books: &mut Books, call: &Call) -> Outcome {
    let name = call.param(0);
    let wrong = || Refusal::invalid(2_001_265, "Ogiltigt konto.");
    let number = call.input("PreDefinedAccount")?.number("Account");
    let number = u32::try_from(number).ok().filter(|number| books.accounts.contains_key(number));
    let number = number.ok_or_else(wrong)?;
    let known = books.predefined.get_mut(name);
    *known.ok_or_else(|| Refusal::invalid(2_000_729, "Ogiltigt förvalt konto."))? = number;
    Ok(Answer::shows("PreDefinedAccount", predefined(name, number)))
}

fn list_modes(books: &mut Books, call: &Call) -> Outcome {
    const LIST: List = plain("ModesOfPayments", &["@url", "Code", "Description", "AccountNumber"]);
    LIST.answer(call, books.modes.iter())
}

fn create_mode(books: &mut Books, call: &Call) -> Outcome {
    let given = accept(&call.input("ModeOfPayment")?, MODE_OF_PAYMENT, &|account| {
        books.accounts.contains_key(&account)
    })?;
    for field in ["Code", "AccountNumber"] {
        if given.text(field).is_empty() {
            return Err(Refusal::missing(field));
        }
    }
    if position(&books.modes, "Code", given.text("Code")).is_some() {
        return Err(Refusal::not_now("Betalningssättet finns redan."));
    }
    let mut mode = initial(MODE_OF_PAYMENT);
    merge(&mut mode, given);
    let url = format!("https://api.fortnox.se/3/modesofpayments/{}", mode.text("Code"));
    let document = books.written(mode.clone().with("@url", url), call.now);
    books.modes.push(document);
    Ok(Answer::created("ModeOfPayment", mode, "modesofpayments"))
}

fn show_mode(books: &mut Books, call: &Call) -> Outcome {
    let at = position(&books.modes, "Code", call.param(0))
        .ok_or_else(|| Refusal::not_found(UNRECORDED, "Kan inte hitta betalningssättet."))?;
    Ok(Answer::shows("ModeOfPayment", books.modes[at].fields.clone()))
}

fn terms(code: &str, description: &str) -> Object {
    Object::default()
        .with("@url", format!("https://api.fortnox.se/3/termsofpayments/{code}"))
        .with("Code", code)
        .with("Description", description)
}

fn list_terms(_: &mut Books, call: &Call) -> Outcome {
    const LIST: List = plain("TermsOfPayments", &["@url", "Code", "Description"]);
    let all: Vec<Document> = TERMS_OF_PAYMENT.iter().map(|(code, name)| listed(terms(code, name))).collect();
    LIST.answer(call, all.iter())
}

fn show_terms(_: &mut Books, call: &Call) -> Outcome {
    let (code, name) = TERMS_OF_PAYMENT
        .iter()
        .find(|(code, _)| *code == call.param(0))
        .ok_or_else(|| Refusal::not_found(2_000_429, "Kan inte hitta betalningsvillkoret."))?;
    Ok(Answer::shows("TermsOfPayment", terms(code, name)))
}

fn currency(code: &str, name: &str, rate: u32) -> Object {
    Object::default()
        .with("@url", format!("https://api.fortnox.se/3/currencies/{code}"))
        .with("Code", code)
        .with("Description", name)
        .with("BuyRate", rate)
        .with("SellRate", rate)
        .with("Unit", 1_u32)
        .with("IsAutomatic", false)
}

fn list_currencies(_: &mut Books, call: &Call) -> Outcome {
    const LIST: List =
        plain("Currencies", &["@url", "Code", "Description", "BuyRate", "SellRate", "Unit", "IsAutomatic"]);
    let all: Vec<Document> =
        CURRENCIES.iter().map(|&(code, name, rate)| listed(currency(code, name, rate))).collect();
    LIST.answer(call, all.iter())
}

fn show_currency(_: &mut Books, call: &Call) -> Outcome {
    let &(code, name, rate) = CURRENCIES
        .iter()
        .find(|(code, _, _)| *code == call.param(0))
        .ok_or_else(|| Refusal::not_found(2_000_427, "Kan inte hitta valutan."))?;
    Ok(Answer::shows("Currency", currency(code, name, rate)))
}

fn locked_period(books: &mut Books, _: &Call) -> Outcome {
    let mut period = Object::default();
    if let Some(until) = books.settings.locked_until {
        period.set("EndDate", until);
    }
    Ok(Answer::shows("LockedPeriod", period))
}

fn company_settings(books: &mut Books, _: &Call) -> Outcome {
    let settings = address(Object::default().with("Name", books.tenant.name.as_str()), "Country", "Sverige")
        .with("DatabaseNumber", books.tenant.database_number.as_str())
        .with("VATNumber", "SE556000475401")
        .with("TaxEnabled", true)
        .with("Email", "")
        .with("BG", "");
    Ok(Answer::shows("CompanySettings", settings))
}

fn company_information(books: &mut Books, _: &Call) -> Outcome {
    // A number here, text in the settings (`apis/fortnox.md` appendix).
    let number: Json = match books.tenant.database_number.parse::<u32>() {
        Ok(number) => number.into(),
        Err(_) => books.tenant.database_number.as_str().into(),
    };
    let information =
        address(Object::default().with("CompanyName", books.tenant.name.as_str()), "VisitCountryCode", "SE")
            .with("DatabaseNumber", number);
    Ok(Answer::shows("CompanyInformation", information))
}

fn address(company: Object, country_field: &str, country: &str) -> Object {
    company
        .with("Address", "Storgatan 1")
        .with("City", "Växjö")
        .with("CountryCode", "SE")
        .with("OrganizationNumber", "556000-4754")
        .with("ZipCode", "352 30")
        .with(country_field, country)
}
