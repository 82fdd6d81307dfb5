//! Reading what the books look like from the company's own settings, in five calls.

use std::collections::BTreeMap;

use bokbro_app::error::Error;
use bokbro_domain::posting::{AccountRole, BookYear, Chart, swedish_day};
use bokbro_domain::said;
use bokbro_domain::vat::VatRate;
use jiff::civil::Date;
use rust_decimal::Decimal;

use super::api::Api;
use super::wire::{Account, BankAccount, Coding, CompanySettings, FiscalYear, day};
use crate::kit::{LooseText, path_segment, reasons};

/// Ledger account of claims on payment providers in the BAS chart.
const CLAIM: u16 = 1580;
/// Account of differences of öre in the BAS chart.
const ROUND_OFF: u16 = 3740;

/// Accounts of VAT on sales in the BAS chart, the usual one first. Which of Visma's VAT codes are about sales in Sweden is
/// not documented, so they are not asked.
const BAS_VAT: [(AccountRole, [u16; 2]); 3] = [
    (AccountRole::Vat25, [2611, 2610]),
    (AccountRole::Vat12, [2621, 2620]),
    (AccountRole::Vat6, [2631, 2630]),
];

/// Sales accounts of the BAS chart, which are taken before others of their rate.
const BAS_SALES: [(VatRate, u16); 4] =
    [(VatRate::Standard, 3001), (VatRate::Reduced, 3002), (VatRate::Low, 3003), (VatRate::Zero, 3004)];

/// Reads the chart. `named` is the ledger account of the bank account that the connection names, if it does.
pub(super) async fn read(api: &Api, named: Option<&str>) -> Result<Chart, Error> {
    let settings: Option<CompanySettings> = api.get("get_company_settings", "/v2/companysettings").await?;
    let years: Vec<FiscalYear> = api.list("list_fiscal_years", "/v2/fiscalyears", None).await?;
    let year = current(&years, swedish_day(api.now())).ok_or_else(|| reasons::no_year("Visma"))?;
    let codings: Vec<Coding> = api.list("list_codings", "/v2/articleaccountcodings", None).await?;
    let banks: Vec<BankAccount> = api.list("list_bank_accounts", "/v2/bankaccounts", None).await?;
    let mut accounts = sales_accounts(&codings);
    let path = format!("/v2/accounts/{}", path_segment(year.id.as_deref().unwrap_or_default()));
    accounts.extend(vat_accounts(&api.list("list_accounts", &path, None).await?));
    let mut payment_mode = None;
    if let Some((account, id)) = bank_account(&banks, named)? {
        accounts.insert(AccountRole::PaymentClaim, account);
        payment_mode = Some(id);
    }
    let locked = settings.and_then(|settings| day(&settings.accounting_locked_to));
    // What `BookkeepingMethod` counts is not documented, and nothing here depends on it: converting a draft books it as
    // the company's method wants.
    Ok(Chart {
        accounts,
        payment_mode,
        cash_method: false,
        locked_through: locked.max(locked_year(&years)),
        card_account: None,
        years: years.iter().filter_map(FiscalYear::days).map(|(from, to)| BookYear { from, to }).collect(),
    })
}

/// The year that holds today, or the last one when the new year has not been opened yet.
fn current(years: &[FiscalYear], today: Date) -> Option<&FiscalYear> {
    let of_today = years.iter().find(|year| year.holds(today));
    of_today.or_else(|| years.iter().max_by_key(|year| year.days().map(|(_, to)| to)))
}

/// The accounts of VAT on sales that the company has and uses.
fn vat_accounts(all: &[Account]) -> BTreeMap<AccountRole, u16> {
    let usable = |number: &u16| {
        all.iter().any(|account| {
            account.number.as_deref().is_some_and(|text| text.parse() == Ok(*number))
                && account.is_active.to_bool() != Some(false)
        })
    };
    let found = BAS_VAT.into_iter().map(|(role, usual)| (role, usual.into_iter().find(usable)));
    found.filter_map(|(role, number)| Some((role, number?))).collect()
}

/// Last day of the last locked year.
fn locked_year(years: &[FiscalYear]) -> Option<Date> {
    years.iter().filter(|year| year.is_locked()).filter_map(|year| Some(year.days()?.1)).max()
}

/// The accounts that articles can sell on, by rate: the BAS chart's when some coding has it, else the lowest. Differences
/// of öre need an account of a coding without VAT.
fn sales_accounts(codings: &[Coding]) -> BTreeMap<AccountRole, u16> {
    let mut accounts = BTreeMap::new();
    for (rate, usual) in BAS_SALES {
        let of_rate: Vec<u16> = codings
            .iter()
            .filter(|coding| coding.is_active.to_bool() != Some(false))
            .filter(|coding| coding.percent() == Some(Decimal::from(rate.percent())))
            .filter_map(Coding::account)
            .collect();
        let pick = |preferred: u16| {
            of_rate.iter().find(|account| **account == preferred).or(of_rate.iter().min()).copied()
        };
        accounts.extend(pick(usual).map(|account| (AccountRole::sales(rate), account)));
        if rate == VatRate::Zero {
            let sales = pick(usual);
            let round_off = Some(ROUND_OFF).filter(|account| of_rate.contains(account)).or(sales);
            accounts.extend(round_off.map(|account| (AccountRole::RoundOff, account)));
        }
    }
    accounts
}

/// Ledger account and id of the bank account that payments go to: the named one, else the one of the claim account.
fn bank_account(banks: &[BankAccount], named: Option<&str>) -> Result<Option<(u16, String)>, Error> {
    let is_usable = |bank: &&BankAccount| {
        bank.is_active.to_bool() != Some(false)
            && bank.currency_code.as_deref().is_none_or(|currency| currency == "SEK")
    };
    let number = |member: &LooseText| member.as_deref().and_then(|text| text.parse::<u16>().ok());
    let of = |account: u16| {
        let mut fitting: Vec<&String> = banks
            .iter()
            .filter(is_usable)
            .filter(|bank| number(&bank.ledger_account_number) == Some(account))
            .filter_map(|bank| bank.id.0.as_ref())
            .collect();
        fitting.sort();
        fitting.first().map(|id| (account, (*id).clone()))
    };
    let Some(named) = named else { return Ok(of(CLAIM)) };
    let found = named.trim().parse().ok().and_then(of);
    found.map(Some).ok_or_else(|| {
        let message = said!(
            "visma-no-named-bank-account",
            "no active bank account in Visma books on account {named}; add it there, or correct bank_account of the connection",
            named
        );
        Error::park("account_missing", message)
    })
}
