//! Reading what the books look like from the company's own settings: five calls, and one more for every further 500
//! accounts of the chart.

use std::collections::BTreeMap;

use bokbro_app::error::Error;
use bokbro_domain::posting::{AccountRole, BookYear, Chart};
use jiff::civil::Date;

use super::api::Api;
use super::wire::{Account, FinancialYear, LockedPeriod, ModeOfPayment, PredefinedAccount, account, text};
use crate::kit::reasons;

/// Predefined accounts and what they are for (`apis/fortnox.md` 2.9). Fortnox predefines only one sales account.
const PREDEFINED: [(&str, AccountRole); 5] = [
    ("SALES", AccountRole::Sales25),
    ("ROUNDOFF", AccountRole::RoundOff),
    ("OUTVAT_MP1", AccountRole::Vat25),
    ("OUTVAT_MP2", AccountRole::Vat12),
    ("OUTVAT_MP3", AccountRole::Vat6),
];

/// The predefined account that cash invoices paid by card are booked on (`apis/fortnox.md` 2.9).
const CASH_BY_CARD: &str = "CASHBYCARD";

/// Accounts of the BAS chart that are used when the company has them and has predefined no other.
const BAS: [(AccountRole, u16); 7] = [
    (AccountRole::PaymentClaim, 1580),
    (AccountRole::Sales12, 3002),
    (AccountRole::Sales6, 3003),
    (AccountRole::Sales0, 3004),
    (AccountRole::Vat25, 2611),
    (AccountRole::Vat12, 2621),
    (AccountRole::Vat6, 2631),
];

/// Reads the chart. `mode` is the code of the way of payment that the connection names, if it does.
pub(super) async fn read(api: &Api, mode: Option<&str>) -> Result<Chart, Error> {
    let years: Vec<FinancialYear> =
        api.list("list_financial_years", "/3/financialyears", "FinancialYears", &[]).await?;
    let year = current(&years, api.today()).ok_or_else(|| reasons::no_year("Fortnox"))?;
    let predefined: Vec<PredefinedAccount> =
        api.list("list_predefined_accounts", "/3/predefinedaccounts", "PreDefinedAccounts", &[]).await?;
    let modes: Vec<ModeOfPayment> =
        api.list("list_modes_of_payment", "/3/modesofpayments", "ModesOfPayments", &[]).await?;
    let locked: Option<LockedPeriod> =
        api.get("get_locked_period", "/3/settings/lockedperiod", "LockedPeriod").await?;
    let mut query = vec![("sortby", "number")];
    if let Some(id) = text(&year.id) {
        query.push(("financialyear", id));
    }
    let accounts: Vec<Account> = api.list("list_accounts", "/3/accounts", "Accounts", &query).await?;
    Ok(chart(&years, year, &predefined, &modes, locked, &accounts, mode))
}

/// The year that holds today, or the last one when the new year has not been opened yet.
fn current(years: &[FinancialYear], today: Date) -> Option<&FinancialYear> {
    let of_today = years.iter().find(|year| year.holds(today));
    of_today.or_else(|| years.iter().max_by_key(|year| year.days().map(|(_, to)| to)))
}

/// Puts the chart together from what was read.
fn chart(
    years: &[FinancialYear],
    year: &FinancialYear,
    predefined: &[PredefinedAccount],
    modes: &[ModeOfPayment],
    locked: Option<LockedPeriod>,
    all: &[Account],
    wanted_mode: Option<&str>,
) -> Chart {
    let mut accounts = BTreeMap::new();
    let of_name = |name: &str| {
        let entry = predefined.iter().find(|entry| text(&entry.name) == Some(name))?;
        account(&entry.account)
    };
    for (name, role) in PREDEFINED {
        accounts.extend(of_name(name).map(|number| (role, number)));
    }
    let usable = |number: u16| {
        all.iter()
            .any(|entry| account(&entry.number) == Some(number) && entry.active.to_bool() != Some(false))
    };
    for (role, number) in BAS.into_iter().filter(|(_, number)| usable(*number)) {
        accounts.entry(role).or_insert(number);
    }
    let of_code = |code: &str| modes.iter().find(|mode| text(&mode.code) == Some(code));
    let named = wanted_mode.and_then(of_code).and_then(|mode| account(&mode.account_number));
    if let Some(number) = named {
        accounts.entry(AccountRole::PaymentClaim).or_insert(number);
    }
    let claim = accounts.get(&AccountRole::PaymentClaim).copied();
    let on_claim = modes.iter().filter(|mode| claim.is_some() && account(&mode.account_number) == claim);
    // Several ways of payment may book on the account: the named one, else the first by code.
    let payment_mode =
        on_claim.filter_map(|mode| text(&mode.code)).min_by_key(|code| (wanted_mode != Some(*code), *code));
    Chart {
        accounts,
        payment_mode: payment_mode.map(str::to_owned),
        card_account: of_name(CASH_BY_CARD),
        cash_method: text(&year.accounting_method) == Some("CASH"),
        locked_through: locked.and_then(|period| text(&period.end_date)?.parse().ok()),
        years: years.iter().filter_map(FinancialYear::days).map(|(from, to)| BookYear { from, to }).collect(),
    }
}
