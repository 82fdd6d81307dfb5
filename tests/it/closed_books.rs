//! What is booked when, by accounting method, and days that cannot be booked on (requirement C5), for every way of posting.

use bokbro_app::ports::Clock as _;
use bokbro_domain::posting::PostingProfile::{self, CashInvoice, Invoice, OrderAndInvoice};
use bokbro_domain::posting::swedish_day;
use bokbro_simulators::fortnox::{AccountingMethod, FortnoxConfig};
use bokbro_simulators::kit::Fault;
use bokbro_simulators::visma::VismaConfig;
use bokbro_tests::office::Office;
use bokbro_tests::world::sample;
use serde_json::json;

use crate::refunds::{done, paid, tell};

/// Every way of posting in every ledger program that has it.
const WAYS: [(&str, PostingProfile); 5] = [
    ("fortnox", Invoice),
    ("fortnox", OrderAndInvoice),
    ("fortnox", CashInvoice),
    ("visma", Invoice),
    ("visma", CashInvoice),
];

async fn office(ledger: &str, profile: PostingProfile, cash_method: bool) -> Office {
    if ledger == "visma" {
        return Office::visma(profile, VismaConfig { cash_method, ..VismaConfig::default() }).await;
    }
    let accounting_method = if cash_method { AccountingMethod::Cash } else { AccountingMethod::Accrual };
    let config = FortnoxConfig { accounting_method, ..FortnoxConfig::default() };
    let office = Office::fortnox(profile, config).await;
    let account = json!({ "PreDefinedAccount": { "Account": 1580 } });
    office.by_hand("PUT", "/3/predefinedaccounts/CASHBYCARD", Some(account)).await;
    office
}

/// What stands in the books before the payment is registered, and after.
#[tokio::test]
async fn a_sale_is_booked_with_its_invoice_or_with_its_payment() {
    let sold = [(1580, "747.00"), (2611, "-149.40"), (3001, "-597.60")];
    for (ledger, profile) in WAYS {
        for cash_method in [false, true] {
            let case = format!("{ledger} {profile:?}, cash accounting: {cash_method}");
            let mut office = office(ledger, profile, cash_method).await;
            let has_payment = (ledger, profile) != ("fortnox", CashInvoice);
            let (order, _, event) = paid(&office, sample()).await;
            if has_payment {
                // Nobody lets the payment in, for now.
                let path =
                    if ledger == "visma" { "/v2/customerinvoices/{}/payments" } else { "/3/invoicepayments" };
                office.fail(Fault::status(400, "POST", path).times(1));
                tell(&mut office, &event).await;
                let before: Vec<(u64, String)> = office.balances().into_iter().collect();
                let invoiced = [(1510, "747.00"), (2611, "-149.40"), (3001, "-597.60")];
                let expected = if cash_method { &[][..] } else { &invoiced[..] };
                let expected: Vec<(u64, String)> =
                    expected.iter().map(|(account, balance)| (*account, (*balance).to_owned())).collect();
                assert_eq!(before, expected, "{case}: before the payment");
                office.retry().await;
            } else {
                tell(&mut office, &event).await;
            }
            done(&office, &order.id).await;
            let after: Vec<(u64, String)> = office.balances().into_iter().collect();
            assert_eq!(after, sold.map(|(account, balance)| (account, balance.to_owned())), "{case}");
            let vouchers = if has_payment && !cash_method { 2 } else { 1 };
            assert_eq!(office.vouchers().len(), vouchers, "{case}");
        }
    }
}

#[tokio::test]
async fn nothing_is_written_on_a_day_that_cannot_be_booked_on() {
    for (ledger, profile) in WAYS {
        for (trouble, code, words) in [
            ("locked_until", "period_locked", ["lies in the period locked through", "unlock it"]),
            ("remove_year", "financial_year_missing", ["no financial year holds", "open the year"]),
        ] {
            let case = format!("{ledger} {profile:?} {trouble}");
            let mut office = office(ledger, profile, false).await;
            let today = swedish_day(office.clock.now()).to_string();
            office.switch(&json!({ trouble: today }));
            let (order, _, event) = paid(&office, sample()).await;
            tell(&mut office, &event).await;
            let [waiting] = office.parked().await.try_into().unwrap();
            assert_eq!(waiting.code, code, "{case}: {}", waiting.message);
            for words in words {
                assert!(waiting.message.contains(words), "{case}: {}", waiting.message);
            }
            for kind in ["customers", "articles", "orders", "drafts", "invoices", "vouchers"] {
                assert!(office.held(kind).is_empty(), "{case}: {kind}");
            }
            let mended = match trouble {
                "locked_until" => json!({ "locked_until": "" }),
                _ => json!({ "open_year": today }),
            };
            office.switch(&mended);
            office.retry().await;
            done(&office, &order.id).await;
            assert_eq!(office.balances()[&1580], "747.00", "{case}");
        }
    }
}

/// A year that was opened since the chart was read is noticed without anybody's help.
#[tokio::test]
async fn a_year_that_was_opened_since_is_noticed() {
    for ledger in ["fortnox", "visma"] {
        let mut office = office(ledger, Invoice, false).await;
        let today = swedish_day(office.clock.now()).to_string();
        office.switch(&json!({ "remove_year": today }));
        let (_, _, event) = paid(&office, sample()).await;
        tell(&mut office, &event).await;
        assert_eq!(office.parked().await.len(), 1);
        office.switch(&json!({ "open_year": today }));
        office.clock.advance(std::time::Duration::from_secs(1_200));
        let (second, code) = office.order("2", sample()).await;
        let event = office.pay(code).await;
        tell(&mut office, &event).await;
        let order = office.show(&second.id).await;
        assert_eq!(order.accounting.state, bokbro_domain::order::SyncState::Done, "{ledger}");
    }
}
