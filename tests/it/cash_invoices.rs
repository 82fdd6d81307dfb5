//! Invoices that are paid as they are made (kontantfaktura), in both ledger programs.

use bokbro_domain::order::SyncState;
use bokbro_domain::posting::PostingProfile::CashInvoice;
use bokbro_simulators::fortnox::{AccountingMethod, FortnoxConfig};
use bokbro_simulators::visma::VismaConfig;
use bokbro_tests::office::Office;
use bokbro_tests::world::{World, sample};
use serde_json::{Value, json};

use crate::crash_points::bad_answers;
use crate::refunds::{done, give_back, paid, tell, two_rates};

/// Fortnox with card payments of cash invoices on the account of the payment provider.
async fn fortnox(accounting_method: AccountingMethod) -> Office {
    let config = FortnoxConfig { accounting_method, ..FortnoxConfig::default() };
    let office = Office::fortnox(CashInvoice, config).await;
    on_account(&office, 1580).await;
    office
}

/// Says in Fortnox on which account card payments of cash invoices land.
async fn on_account(office: &World, account: u32) {
    let body = json!({ "PreDefinedAccount": { "Account": account } });
    office.by_hand("PUT", "/3/predefinedaccounts/CASHBYCARD", Some(body)).await;
}

/// Visma, where invoices on terms of card are paid as they are made, or are not.
async fn visma(cash_terms_pay: bool) -> Office {
    Office::visma(CashInvoice, VismaConfig { cash_terms_pay, ..VismaConfig::default() }).await
}

async fn everywhere() -> Vec<(&'static str, Office)> {
    vec![
        ("Fortnox", fortnox(AccountingMethod::Accrual).await),
        ("Fortnox, cash accounting", fortnox(AccountingMethod::Cash).await),
        ("Visma", visma(false).await),
        ("Visma, paid at once", visma(true).await),
    ]
}

/// Payments that were registered, which Fortnox never needs.
fn payments(office: &Office) -> usize {
    office.held(if office.name() == "visma" { "payments" } else { "invoice_payments" }).len()
}

/// What an order over 853 kronor leaves in the books.
fn sold() -> Vec<(u64, String)> {
    [(1580, "853.00"), (2611, "-149.40"), (2631, "-6.00"), (3001, "-597.60"), (3003, "-100.00")]
        .map(|(account, balance)| (account, balance.to_owned()))
        .into()
}

#[tokio::test]
async fn money_lands_on_the_claim_without_a_receivable() {
    for (case, mut office) in everywhere().await {
        let (order, _, event) = paid(&office, two_rates()).await;
        tell(&mut office, &event).await;
        let order = done(&office, &order.id).await;
        assert_eq!(office.balances().into_iter().collect::<Vec<_>>(), sold(), "{case}");
        let [invoice] = office.held("invoices").try_into().unwrap();
        assert!(order.accounting.numbers.contains_key("invoice_number"), "{case}");
        if office.name() == "fortnox" {
            let kind = (&invoice["InvoiceType"], &invoice["PaymentWay"], &invoice["Booked"]);
            assert_eq!(kind, (&json!("CASHINVOICE"), &json!("CARD"), &json!(true)), "{case}");
            assert_eq!((payments(&office), office.vouchers().len()), (0, 1), "{case}");
            assert!(!order.accounting.numbers.contains_key("payment_number"), "{case}");
        } else {
            let at_once = case.ends_with("at once");
            assert_eq!(payments(&office), usize::from(!at_once), "{case}");
            assert_eq!(invoice["PaymentStatus"], 0, "{case}");
        }
    }
}

#[tokio::test]
async fn nothing_is_sent_while_the_money_would_land_elsewhere() {
    let mut office = Office::fortnox(CashInvoice, FortnoxConfig::default()).await;
    let (order, _, event) = paid(&office, two_rates()).await;
    tell(&mut office, &event).await;
    let [waiting] = office.parked().await.try_into().unwrap();
    assert_eq!(waiting.code, "cash_account_differs");
    for word in ["CASHBYCARD", "1930", "1580"] {
        assert!(waiting.message.contains(word), "{}", waiting.message);
    }
    assert!(office.held("customers").is_empty() && office.held("invoices").is_empty());
    on_account(&office, 1580).await;
    office.retry().await;
    done(&office, &order.id).await;
    assert_eq!(office.balances().into_iter().collect::<Vec<_>>(), sold());
}

#[tokio::test]
async fn whatever_is_given_back_is_credited_in_cash_too() {
    for (case, mut office) in everywhere().await {
        let (order, _, event) = paid(&office, two_rates()).await;
        tell(&mut office, &event).await;
        for (amount, left) in [(Some("100.00"), Some("753.00")), (None, None)] {
            let event = give_back(&office, amount).await;
            tell(&mut office, &event).await;
            done(&office, &order.id).await;
            assert_eq!(office.balances().get(&1580).map(String::as_str), left, "{case}");
        }
        assert_eq!(office.held("invoices").len(), 3, "{case}");
        if office.name() == "fortnox" {
            assert!(office.held("invoices").iter().all(|one| one["InvoiceType"] == "CASHINVOICE"));
            assert_eq!((payments(&office), office.vouchers().len()), (0, 3), "{case}");
        }
        let rests = office.balances().into_values().map(|rest| rest.parse::<f32>().unwrap().abs());
        assert!(rests.fold(0.0, f32::max) < 0.05, "{case}: {:?}", office.balances());
    }
}

/// Runs the main job with a worker dying at the n-th crash point; gives the points of the dying run.
async fn dies_at(mut office: Office, case: &str, nth: Option<usize>) -> Vec<String> {
    let (order, _, event) = paid(&office, sample()).await;
    office.crash.arm(nth);
    tell(&mut office, &event).await;
    let points = office.crash.passed();
    let shown = office.show(&order.id).await;
    let died = nth.and_then(|n| points.get(n).cloned()).unwrap_or_default();
    assert_eq!(shown.accounting.state, SyncState::Done, "{case} died {died}: {:?}", office.parked().await);
    let balances: Vec<String> = office.balances().into_values().collect();
    assert_eq!(balances, ["747.00", "-149.40", "-597.60"], "{case} died {died}");
    assert_eq!((office.held("invoices").len(), office.held("customers").len()), (1, 1), "{case} died {died}");
    points
}

async fn dies_everywhere(case: &str, start: impl AsyncFn() -> Office) {
    let points = dies_at(start().await, case, None).await;
    assert!(points.contains(&"after send of invoice".to_owned()), "{points:?}");
    for nth in 0..points.len() {
        dies_at(start().await, case, Some(nth)).await;
    }
}

#[tokio::test]
async fn a_cash_invoice_in_fortnox_survives_a_death_at_every_point() {
    dies_everywhere("Fortnox", async || fortnox(AccountingMethod::Accrual).await).await;
}

#[tokio::test]
async fn a_cash_invoice_in_visma_survives_a_death_at_every_point() {
    dies_everywhere("Visma", async || visma(false).await).await;
}

#[tokio::test]
async fn a_cash_invoice_that_visma_pays_survives_a_death_at_every_point() {
    dies_everywhere("Visma, paid at once", async || visma(true).await).await;
}

#[tokio::test]
async fn every_bad_answer_to_a_cash_invoice_leaves_one() {
    for (method, path) in [("POST", "/3/invoices"), ("PUT", "/3/invoices/{}/bookkeep")] {
        for (name, fault) in bad_answers(method, path) {
            for times in [1, 2] {
                let office = fortnox(AccountingMethod::Accrual).await;
                office.fail(fault.clone().times(times));
                dies_at(office, &format!("{name} x {times} at {method} {path}"), None).await;
            }
        }
    }
}

/// There is no payment that could write the difference off.
#[tokio::test]
async fn rounding_to_whole_kronor_is_told_of_before_anything_is_booked() {
    let config = FortnoxConfig { whole_kronor: true, ..FortnoxConfig::default() };
    let mut office = Office::fortnox(CashInvoice, config).await;
    on_account(&office, 1580).await;
    let mut body = sample();
    body["lines"][1]["unit_price"] = json!("49.40");
    body["total"] = json!("747.40");
    let (_, _, event) = paid(&office, body).await;
    tell(&mut office, &event).await;
    let [waiting] = office.parked().await.try_into().unwrap();
    assert_eq!(waiting.code, "payment_differs", "{}", waiting.message);
    assert!(waiting.message.contains("rounding to whole kronor"), "{}", waiting.message);
    assert_eq!(office.vouchers(), Vec::<Vec<_>>::new());
}

#[tokio::test]
async fn a_company_without_terms_of_card_is_told_of_them() {
    let mut office = visma(false).await;
    office.switch(&json!({ "only_days": true }));
    let (_, _, event) = paid(&office, sample()).await;
    tell(&mut office, &event).await;
    let [waiting] = office.parked().await.try_into().unwrap();
    assert_eq!(waiting.code, "visma_without_cash_terms", "{}", waiting.message);
    assert!(waiting.message.contains("terms of payment by card"), "{}", waiting.message);
    assert_eq!((office.held("drafts"), office.held("invoices")), (Vec::<Value>::new(), Vec::new()));
}
