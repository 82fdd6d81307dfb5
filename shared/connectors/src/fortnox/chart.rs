//! Reading what the books look like from the company's own settings: five calls, and one more for every further 500
//! accounts of the chart.

use std::collections::BTreeMap;

use bokbro_app::error::Error;
use bokbro_domain::posting::{AccountRole, Chart};
use jiff::civil::Date;

use super::api::Api;
use super::wire::{Account, FinancialYear, LockedPeriod, ModeOfPayment, PredefinedAccount, account, text};

/// Predefined accounts and what they are for (`apis/fortnox.md` 2.9). Fortnox predefines only one sales account.
const PREDEFINED: [(&str, AccountRole); 2] =
    [("SALES", AccountRole::Sales25), ("ROUNDOFF", AccountRole::RoundOff)];

/// Accounts of the BAS chart that are used when the company has them.
const BAS: [(AccountRole, u16); 4] = [
    (AccountRole::PaymentClaim, 1580),
    (AccountRole::Sales12, 3002),
    (AccountRole::Sales6, 3003),
    (AccountRole::Sales0, 3004),
];

/// Reads the chart. `mode` is the code of the way of payment that the connection names, if it does.
pub(super) async fn read(api: &Api, mode: Option<&str>) -> Result<Chart, Error> {
    let years: Vec<FinancialYear> =
        api.list("list_financial_years", "/3/financialyears", "FinancialYears", &[]).await?;
    let year = current(&years, api.today()).ok_or_else(|| {
        Error::park(
            "financial_year_missing",
            "the company has no financial year in Fortnox; open one and try again",
        )
    })?;
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
    Ok(chart(year, &predefined, &modes, locked, &accounts, mode))
}

/// The year that holds today, or the last one when the new year has not been opened yet.
fn current(years: &[FinancialYear], today: Date) -> Option<&FinancialYear> {
    let date = |member: &crate::kit::LooseText| text(member).and_then(|day| day.parse::<Date>().ok());
    let holds = |year: &&FinancialYear| {
        date(&year.from_date).is_some_and(|from| from <= today)
            && date(&year.to_date).is_some_and(|to| today <= to)
    };
    years.iter().find(holds).or_else(|| years.iter().max_by_key(|year| date(&year.to_date)))
}

/// Puts the chart together from what was read.
fn chart(
    year: &FinancialYear,
    predefined: &[PredefinedAccount],
    modes: &[ModeOfPayment],
    locked: Option<LockedPeriod>,
    all: &[Account],
    wanted_mode: Option<&str>,
) -> Chart {
    let mut accounts = BTreeMap::new();
    for (name, role) in PREDEFINED {
        let of_name = predefined.iter().find(|entry| text(&entry.name) == Some(name));
        accounts.extend(of_name.and_then(|entry| account(&entry.account)).map(|number| (role, number)));
    }
    let usable = |number: u16| {
        all.iter()
            .any(|entry| account(&entry.number) == Some(number) && entry.active.to_bool() != Some(false))
    };
    accounts.extend(BAS.into_iter().filter(|(_, number)| usable(*number)));
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
        cash_method: text(&year.accounting_method) == Some("CASH"),
        locked_through: locked.and_then(|period| text(&period.end_date)?.parse().ok()),
    }
}
