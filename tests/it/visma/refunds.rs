//! Money given back on what is booked in Visma, whichever way Visma takes rows and payments of a credit invoice.

use std::collections::BTreeMap;

use bokbro_domain::order::{OrderState, SyncState};
use bokbro_domain::posting::PostingProfile;
use bokbro_simulators::kit::{Fault, Kind};
use bokbro_simulators::visma::{CreditPayments, CreditRows, VismaConfig};
use bokbro_tests::visma_world::VismaWorld;
use bokbro_tests::world::sample;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::flows::{company, line};
use super::money;
use crate::refunds::{done, give_back, give_back_as, paid, tell, two_rates};

async fn world(config: VismaConfig) -> VismaWorld {
    VismaWorld::start_with(PostingProfile::Invoice, config).await
}

/// The way that needs most of the connector: drafts are priced anew, and the first payment is refused.
fn odd() -> VismaConfig {
    VismaConfig {
        prices_excl_vat: true,
        credit_rows: CreditRows::AsWritten,
        credit_payments: CreditPayments::Positive,
        ..VismaConfig::default()
    }
}

/// Balance of every account over all vouchers, each of which must balance.
fn balances(world: &VismaWorld) -> BTreeMap<u64, Decimal> {
    let mut balances: BTreeMap<u64, Decimal> = BTreeMap::new();
    for voucher in world.books("vouchers") {
        let mut sum = Decimal::ZERO;
        for row in voucher["Rows"].as_array().unwrap() {
            let side = |name: &str| row[name].to_string().parse::<Decimal>().unwrap();
            let moved = side("DebitAmount") - side("CreditAmount");
            *balances.entry(row["AccountNumber"].as_u64().unwrap()).or_default() += moved;
            sum += moved;
        }
        assert!(sum.is_zero(), "a voucher does not balance: {voucher}");
    }
    balances.retain(|_, balance| !balance.is_zero());
    balances
}

fn totals(world: &VismaWorld) -> Vec<String> {
    world.books("invoices").iter().map(|invoice| money(&invoice["TotalAmount"])).collect()
}

/// Every invoice is settled, and no draft is left.
#[track_caller]
fn all_settled(world: &VismaWorld) {
    for invoice in world.books("invoices") {
        assert_eq!(money(&invoice["RemainingAmount"]), "0.00", "{invoice}");
    }
    assert_eq!(world.books("drafts"), Vec::<Value>::new());
}

fn payments(world: &VismaWorld) -> Vec<String> {
    world.books("payments").iter().map(|payment| money(&payment["PaymentAmount"])).collect()
}

#[tokio::test]
async fn everything_given_back_leaves_every_account_at_zero_whichever_way_credits_go() {
    for (prices_excl_vat, whole_kronor) in [(false, false), (true, false), (false, true)] {
        for credit_rows in [CreditRows::Turned, CreditRows::AsWritten] {
            for credit_payments in [CreditPayments::Negative, CreditPayments::Positive] {
                let config = VismaConfig {
                    prices_excl_vat,
                    whole_kronor,
                    credit_rows,
                    credit_payments,
                    ..VismaConfig::default()
                };
                let mut world = world(config).await;
                let (order, _, event) = paid(&world, two_rates()).await;
                tell(&mut world, &event).await;
                let event = give_back(&world, None).await;
                tell(&mut world, &event).await;
                let order = done(&world, &order.id).await;
                let case = format!("{prices_excl_vat} {whole_kronor} {credit_rows:?} {credit_payments:?}");
                assert_eq!(order.state, OrderState::Refunded, "{case}");
                assert_eq!(totals(&world), ["853.00", "-853.00"], "{case}");
                let back = if credit_payments == CreditPayments::Negative { "-853.00" } else { "853.00" };
                assert_eq!(payments(&world), ["853.00", back], "{case}");
                assert_eq!(balances(&world), BTreeMap::new(), "{case}");
                all_settled(&world);
                let numbers = &order.accounting.numbers;
                assert_eq!((&*numbers["invoice_number"], &*numbers["credit_invoice_number"]), ("1", "2"));
                let credit = &world.books("invoices")[1];
                assert_eq!(credit["OurReference"], json!(format!("{}-credit-85300", order.id)));
                assert_eq!(credit["IsCreditInvoice"], json!(true));
                assert_eq!((world.books("customers").len(), world.books("articles").len()), (1, 2));
            }
        }
    }
}

#[tokio::test]
async fn parts_given_back_are_credited_each_by_itself() {
    for config in [VismaConfig::default(), odd()] {
        let mut world = world(config).await;
        let (order, _, event) = paid(&world, two_rates()).await;
        tell(&mut world, &event).await;
        for (amount, left) in [(Some("100.00"), "753.00"), (Some("0.42"), "752.58"), (None, "0")] {
            let event = give_back(&world, amount).await;
            tell(&mut world, &event).await;
            done(&world, &order.id).await;
            let claim = balances(&world).get(&1580).copied().unwrap_or_default();
            assert_eq!(claim, left.parse::<Decimal>().unwrap());
        }
        assert_eq!(totals(&world), ["853.00", "-100.00", "-0.42", "-752.58"]);
        all_settled(&world);
        // Tax is rounded in each credit by itself, so some öre may be left on it and on the sales.
        let rests = balances(&world);
        assert!(rests.values().all(|rest| rest.abs() < Decimal::new(5, 2)), "{rests:?}");
        assert_eq!(done(&world, &order.id).await.accounting.numbers["credit_invoice_number"], "2, 3, 4");
    }
}

/// Prices without VAT have two decimals, and a part may need an article for öre that the sale did without.
#[tokio::test]
async fn a_company_s_credits_are_booked_to_the_ore() {
    let cases = [
        (json!([line("25", "3", "10.01")]), "30.03"),
        (json!([line("12", "1.2345", "99.90"), line("25", "1000", "0.37")]), "493.33"),
        (
            json!([
                line("25", "1", "125.00"),
                {"kind": "discount", "sku": null, "text": "Rabatt", "quantity": "1", "unit_price": "-10.00", "vat_rate": "25"},
            ]),
            "115.00",
        ),
    ];
    for (lines, total) in cases {
        for credit_rows in [CreditRows::Turned, CreditRows::AsWritten] {
            let mut world = world(VismaConfig { credit_rows, ..VismaConfig::default() }).await;
            let (order, _, event) = paid(&world, company(lines.clone(), total)).await;
            tell(&mut world, &event).await;
            for amount in [Some("0.42"), None] {
                let event = give_back(&world, amount).await;
                tell(&mut world, &event).await;
                done(&world, &order.id).await;
            }
            let rest = total.parse::<Decimal>().unwrap() - Decimal::new(42, 2);
            assert_eq!(totals(&world), [total.to_owned(), "-0.42".to_owned(), format!("{:.2}", -rest)]);
            assert!(world.books("invoices").iter().all(|invoice| invoice["IncludesVat"] == json!(false)));
            assert_eq!(balances(&world).get(&1580), None);
            all_settled(&world);
        }
        let mut world = world(VismaConfig::default()).await;
        let (order, _, event) = paid(&world, company(lines, total)).await;
        tell(&mut world, &event).await;
        let event = give_back(&world, None).await;
        tell(&mut world, &event).await;
        done(&world, &order.id).await;
        assert_eq!(balances(&world), BTreeMap::new());
    }
}

#[tokio::test]
async fn every_spelling_of_a_reversal_is_credited_once() {
    for spelling in [json!({}), json!({ "negative_amount": true }), json!({ "status_id": "R" })] {
        let mut world = world(VismaConfig::default()).await;
        let (order, _, event) = paid(&world, sample()).await;
        tell(&mut world, &event).await;
        let event = give_back_as(&world, Some("100.00"), spelling.clone()).await;
        for _ in 0..3 {
            tell(&mut world, &event).await;
        }
        done(&world, &order.id).await;
        assert_eq!(totals(&world), ["747.00", "-100.00"], "{spelling}");
    }
}

#[tokio::test]
async fn two_parts_that_are_seen_at_once_are_two_credits() {
    let mut world = world(VismaConfig::default()).await;
    let (order, _, event) = paid(&world, sample()).await;
    tell(&mut world, &event).await;
    let first = give_back(&world, Some("100.00")).await;
    // Not within the same moment, which the payment provider's times do not tell apart.
    world.viva.kit.clock.advance(jiff::SignedDuration::from_secs(1));
    let second = give_back(&world, Some("50.00")).await;
    world.webhook(&second).await;
    world.webhook(&first).await;
    world.settle().await;
    done(&world, &order.id).await;
    assert_eq!(totals(&world), ["747.00", "-100.00", "-50.00"]);
    all_settled(&world);
}

#[tokio::test]
async fn what_was_given_back_before_it_was_booked_is_a_sale_and_its_credit() {
    for (amount, state, credit, left) in [
        (None, OrderState::Refunded, "-747.00", None),
        (Some("100.00"), OrderState::PartiallyRefunded, "-100.00", Some(Decimal::from(647))),
    ] {
        let mut world = world(VismaConfig::default()).await;
        let (order, _, payment) = paid(&world, sample()).await;
        let reversal = give_back(&world, amount).await;
        world.webhook(&reversal).await;
        world.webhook(&payment).await;
        world.settle().await;
        assert_eq!(done(&world, &order.id).await.state, state);
        assert_eq!(totals(&world), ["747.00", credit]);
        assert_eq!(balances(&world).get(&1580).copied(), left);
        all_settled(&world);
    }
}

/// One run with a refund and a death at the n-th point after the money was given back.
async fn run(nth: Option<usize>) -> Vec<String> {
    let mut world = world(odd()).await;
    let (order, _, event) = paid(&world, sample()).await;
    tell(&mut world, &event).await;
    let event = give_back(&world, Some("100.00")).await;
    world.crash.arm(nth);
    tell(&mut world, &event).await;
    let passed = world.crash.passed();
    done(&world, &order.id).await;
    assert_eq!(totals(&world), ["747.00", "-100.00"], "death at {nth:?}");
    assert_eq!(payments(&world), ["747.00", "100.00"], "death at {nth:?}");
    all_settled(&world);
    passed
}

#[tokio::test]
async fn a_credit_survives_a_death_at_every_point() {
    let points = run(None).await;
    for step in ["draft", "price_draft", "invoice", "payment"] {
        for place in ["before send of", "after send of", "after write of intent of"] {
            let wanted = format!("{place} {step}.credit_10000");
            assert!(points.contains(&wanted), "no crash point {wanted:?} in {points:?}");
        }
    }
    for nth in 0..points.len() {
        run(Some(nth)).await;
    }
}

#[tokio::test]
async fn every_bad_answer_to_a_credit_s_writes_leaves_one_credit() {
    let writes = [
        ("POST", "/v2/customerinvoicedrafts"),
        ("PUT", "/v2/customerinvoicedrafts/{}"),
        ("POST", "/v2/customerinvoicedrafts/{}/convert"),
        ("POST", "/v2/customerinvoices/{}/payments"),
        ("GET", "/v2/customerinvoices/{}"),
    ];
    for (method, path) in writes {
        let faults = [
            Fault::new(Kind::Reset, method, path),
            Fault::new(Kind::DropAfterCommit, method, path),
            Fault::status(500, method, path).after_commit(),
            Fault::status(429, method, path),
        ];
        for fault in faults {
            let mut world = world(odd()).await;
            let (order, _, event) = paid(&world, sample()).await;
            tell(&mut world, &event).await;
            let event = give_back(&world, Some("100.00")).await;
            world.visma.faults.add(fault.clone());
            tell(&mut world, &event).await;
            done(&world, &order.id).await;
            assert_eq!(totals(&world), ["747.00", "-100.00"], "{fault:?}");
            assert_eq!(payments(&world), ["747.00", "100.00"], "{fault:?}");
            all_settled(&world);
        }
    }
}

/// The code of what stopped the order, with what it says.
async fn stopped(world: &VismaWorld) -> (String, String) {
    let parked = world.parked().await;
    assert_eq!(parked.len(), 1, "{parked:?}");
    (parked[0].code.clone(), parked[0].message.to_string())
}

#[tokio::test]
async fn a_credit_invoice_that_cannot_be_paid_is_left_to_a_person() {
    for (credit_payments, says) in [
        (CreditPayments::Refused, "can be paid neither way"),
        (CreditPayments::Doubling, "-200.00 kr is shown as left"),
    ] {
        let mut world = world(VismaConfig { credit_payments, ..VismaConfig::default() }).await;
        let (order, _, event) = paid(&world, sample()).await;
        tell(&mut world, &event).await;
        let event = give_back(&world, Some("100.00")).await;
        tell(&mut world, &event).await;
        let (code, reason) = stopped(&world).await;
        assert_eq!(code, "visma_credit_unpaid");
        assert!(reason.contains("credit invoice 2") && reason.contains(says), "{reason}");
        assert_eq!(world.show(&order.id).await.accounting.state, SyncState::NeedsAttention);
        assert_eq!(totals(&world), ["747.00", "-100.00"]);
        let paid = world.books("payments").len();
        // Another nudge pays nothing more.
        tell(&mut world, &event).await;
        assert_eq!(world.books("payments").len(), paid);
    }
}

#[tokio::test]
async fn what_a_person_has_credited_is_not_credited_again() {
    let mut world = world(VismaConfig::default()).await;
    let (_, _, event) = paid(&world, sample()).await;
    tell(&mut world, &event).await;
    world.visma.configure(&json!({ "credit": 1 })).unwrap();
    let event = give_back(&world, None).await;
    tell(&mut world, &event).await;
    let (code, reason) = stopped(&world).await;
    assert_eq!(code, "credited_by_hand");
    assert!(reason.contains("invoice 1 in Visma") && reason.contains("by invoice 2"), "{reason}");
    assert_eq!(totals(&world), ["747.00", "-747.00"]);
    assert_eq!((world.books("payments").len(), world.books("drafts").len()), (1, 0));
}

/// A person, or Visma itself, ties our credit to the sale: it is ours all the same.
#[tokio::test]
async fn a_credit_of_ours_that_is_tied_to_the_sale_does_not_stop_the_next() {
    let mut world = world(VismaConfig::default()).await;
    let (order, _, event) = paid(&world, sample()).await;
    tell(&mut world, &event).await;
    for (amount, credit) in [("100.00", 2), ("50.00", 3)] {
        let event = give_back(&world, Some(amount)).await;
        tell(&mut world, &event).await;
        done(&world, &order.id).await;
        world.visma.configure(&json!({ "set_off": [1, credit] })).unwrap();
    }
    assert_eq!(totals(&world), ["747.00", "-100.00", "-50.00"]);
}
