//! What a company has from the start: years, accounts, codings and what else is set up in the program itself.

use jiff::Timestamp;
use jiff::civil::date;

use super::books::{Books, Document};
use super::call::{day_in_sweden, moment, written};
use crate::kit::json::{Json, Object};

/// Accounts of the BAS chart.
const ACCOUNTS: [(u32, &str); 17] = [
    (1510, "Kundfordringar"),
    (1580, "Fordringar för kontokort och kuponger"),
    (1910, "Kassa"),
    (1930, "Företagskonto"),
    (2611, "Utgående moms på försäljning inom Sverige, 25 %"),
    (2621, "Utgående moms på försäljning inom Sverige, 12 %"),
    (2631, "Utgående moms på försäljning inom Sverige, 6 %"),
    (2650, "Redovisningskonto för moms"),
    (3001, "Försäljning inom Sverige, 25 % moms"),
    (3002, "Försäljning inom Sverige, 12 % moms"),
    (3003, "Försäljning inom Sverige, 6 % moms"),
    (3004, "Försäljning inom Sverige, momsfri"),
    (3041, "Försäljning av tjänster inom Sverige, 25 % moms"),
    (3740, "Öres- och kronutjämning"),
    (4010, "Inköp av varor"),
    (6040, "Kontokortsavgifter"),
    (6570, "Bankkostnader"),
];

/// Name, kind, percent, account, and whether the account is for sales without VAT.
const CODINGS: [(&str, &str, u32, u32, bool); 5] = [
    ("Tjänster 25 %", "Service", 25, 3041, false),
    ("Varor 25 %", "Goods", 25, 3001, false),
    ("Varor 12 %", "Goods", 12, 3002, false),
    ("Varor 6 %", "Goods", 6, 3003, false),
    ("Varor momsfri", "Goods", 0, 3004, true),
];

/// Fills the registers.
pub(super) fn fill(books: &mut Books, now: Timestamp) {
    let this_year = day_in_sweden(now).year();
    for year in [this_year - 1, this_year] {
        open_year(books, year, now);
    }
    for (name, kind, percent, account, exempt) in CODINGS {
        let (subject, free): (Json, Json) =
            if exempt { (Json::Null, account.into()) } else { (account.into(), Json::Null) };
        let coding = Object::default()
            .with("Id", books.new_id())
            .with("Name", name)
            .with("Type", kind)
            .with("VatRate", percent.to_string())
            .with("IsActive", true)
            .with("VatRatePercent", percent)
            .with("DomesticSalesSubjectToVatAccountNumber", subject)
            .with("DomesticSalesVatExemptAccountNumber", free)
            .with("ChangedUtc", moment(now));
        books.codings.push(listed(coding, now));
    }
    for (name, code) in [("Timmar", "tim"), ("Styck", "st")] {
        let unit = Object::default()
            .with("Id", books.new_id())
            .with("Name", name)
            .with("Code", code)
            .with("Abbreviation", code)
            .with("AbbreviationEnglish", code);
        books.units.push(listed(unit, now));
    }
    for (name, days, kind, sales) in [
        ("30 dagar netto", 30_u32, 0_u32, true),
        ("Kontant", 0, 2, true),
        ("Förskott", 0, 0, false),
        ("Kortbetalning", 0, 3, true),
    ] {
        let terms = Object::default()
            .with("Id", books.new_id())
            .with("Name", name)
            .with("NumberOfDays", days)
            .with("TermsOfPaymentTypeId", kind)
            .with("AvailableForSales", sales)
            .with("AvailableForPurchase", true);
        books.terms.push(listed(terms, now));
    }
    for (code, percent, account) in [("MP1", 25_u32, 2611_u32), ("MP2", 12, 2621), ("MP3", 6, 2631)] {
        let related = Object::default().with("AccountNumber1", account);
        let vat_code = Object::default()
            .with("Id", books.new_id())
            .with("Code", code)
            .with("Description", format!("Utgående moms {percent} %"))
            .with("VatRate", percent)
            .with("OssCodeType", 0_u32)
            .with("RelatedAccounts", related);
        books.vat_codes.push(listed(vat_code, now));
    }
    set_bank_accounts(books, &[1930, 1580], now);
}

/// Adds the calendar year as a fiscal year, with its accounts.
pub(super) fn open_year(books: &mut Books, year: i16, now: Timestamp) {
    let id = books.new_id();
    for (number, name) in ACCOUNTS {
        let account = Object::default()
            .with("Name", name)
            .with("Number", number.to_string())
            .with("FiscalYearId", id.as_str())
            .with("IsActive", true)
            .with("ModifiedUtc", moment(now))
            .with("CreatedUtc", moment(now));
        books.accounts.push(listed(account, now));
    }
    let year = Object::default()
        .with("Id", id)
        .with("StartDate", written(date(year, 1, 1)))
        .with("EndDate", written(date(year, 12, 31)))
        .with("IsLockedForAccounting", false)
        // Which number is which method is not documented.
        .with("BookkeepingMethod", u32::from(books.settings.cash_method));
    books.years.push(listed(year, now));
}

/// Replaces the bank accounts by one for each of these ledger accounts.
pub(super) fn set_bank_accounts(books: &mut Books, ledger_accounts: &[u32], now: Timestamp) {
    books.bank_accounts.clear();
    for &account in ledger_accounts {
        let name = ACCOUNTS.iter().find(|(number, _)| *number == account).map_or("Konto", |(_, name)| *name);
        let bank_account = Object::default()
            .with("Id", books.new_id())
            .with("Name", name)
            .with("BankAccountType", if account == 1930 { 1_u32 } else { 5 })
            .with("IsActive", true)
            .with("LedgerAccountNumber", account)
            .with("IsDefaultChequeAccount", account == 1930)
            .with("CurrencyCode", "SEK")
            .with("ModifiedUtc", moment(now));
        books.bank_accounts.push(listed(bank_account, now));
    }
}

fn listed(fields: Object, now: Timestamp) -> Document {
    Document { fields, listed_from: now }
}
