//! Sales and refunds of one day and of several, in one way of payment and in two.

use bokbro_app::ports::Directory as _;
use bokbro_domain::order::{OrderState, SyncState};
use bokbro_domain::posting::PostingProfile;
use bokbro_simulators::viva::Refund;
use bokbro_tests::world::{sample, tenant};
use serde_json::json;

use super::{BOTH, CARD, Program, SWISH, Shop, every_rate, one};

#[tokio::test]
async fn the_orders_of_a_day_are_one_voucher_with_every_rate() {
    for program in BOTH {
        let mut shop = Shop::open(program).await;
        let first = shop.sold("1", sample(), CARD).await;
        let second = shop.sold("2", every_rate(), CARD).await;
        let third = shop.sold("3", sample(), CARD).await;
        let event = shop.give_back(&third, Some("100.00")).await;
        shop.tell(&event).await;
        for id in [&first, &second, &third] {
            shop.waits(id, shop.today).await;
        }
        // Nothing is booked before the day is over, however often the schedule ticks, and nobody is nudged.
        let errors = shop.errors.len();
        for _ in 0..3 {
            shop.hour_passes().await;
        }
        assert_eq!((shop.vouchers().len(), shop.errors.len()), (0, errors));

        shop.day_ends().await;
        let vouchers = shop.vouchers();
        assert_eq!(vouchers.len(), 1, "{program:?}: {:?} {:?}", shop.parked().await, shop.errors);
        let voucher = &vouchers[0];
        // 747 + 1015 + 747 - 100 kr; tax by order and rate, rounded once.
        let expected = [
            (1580, 240_900),
            (2611, -42_820),
            (2621, -1_200),
            (2631, -600),
            (3001, -171_280),
            (3002, -10_000),
            (3003, -10_000),
            (3004, -5_000),
        ];
        assert_eq!(voucher.rows, expected.into(), "{program:?}");
        assert_eq!(voucher.date, shop.today.to_string());
        let said = format!("Dagsförsäljning viva card {}, 3 ordrar, 1 återbetalning", shop.today);
        assert!(voucher.text.starts_with(&said), "{}", voucher.text);
        let number = Some(number_of(program, &voucher.number));
        assert_eq!(
            shop.done(&[&first, &second, &third]).await,
            [[number.clone(), None], [number.clone(), None], [number.clone(), number]]
        );
        assert_eq!(shop.show(&third).await.state, OrderState::PartiallyRefunded);
        assert_eq!(shop.open_days().await, 0);
        let history = shop.history(&third).await;
        let told = ["day_joined", "day_joined", "credit_voucher_done", "voucher_done"];
        let ours: Vec<&String> = history.iter().filter(|event| told.contains(&event.as_str())).collect();
        assert_eq!(ours, told, "{history:?}");
        // All is done: more ticks do nothing.
        shop.day_ends().await;
        assert_eq!(shop.vouchers().len(), 1);
    }
}

/// A number as the order shows it: Fortnox's has its series before it.
fn number_of(program: Program, number: &str) -> String {
    match program {
        Program::Fortnox => format!("A{number}"),
        Program::Visma => number.to_owned(),
    }
}

#[tokio::test]
async fn a_refund_of_another_day_is_in_that_day_s_voucher() {
    for program in BOTH {
        let mut shop = Shop::open(program).await;
        let id = shop.sold("1", every_rate(), CARD).await;
        shop.day_ends().await;
        let [[first, none]] = shop.done(&[&id]).await.try_into().unwrap();
        assert_eq!(none, None);
        shop.morning();
        let event = shop.give_back(&id, Some("333.33")).await;
        shop.tell(&event).await;
        let tomorrow = shop.today.tomorrow().unwrap();
        shop.waits(&id, tomorrow).await;
        // The rest on the same day joins the same voucher.
        let event = shop.give_back(&id, None).await;
        shop.tell(&event).await;
        shop.waits(&id, tomorrow).await;
        shop.day_ends().await;
        let [[sale, credit]] = shop.done(&[&id]).await.try_into().unwrap();
        assert_eq!(sale, first);
        assert!(credit.is_some() && credit != sale, "{credit:?}");
        let vouchers = shop.vouchers();
        assert_eq!(vouchers.len(), 2);
        assert_eq!(vouchers[1].date, tomorrow.to_string());
        let taken_back = vouchers[0].rows.iter().map(|(account, sum)| (*account, -sum)).collect();
        assert_eq!(
            vouchers[1].rows, taken_back,
            "all of it is given back: the second is the first the other way"
        );
        assert!(vouchers[1].text.contains(", 2 återbetalningar"), "{}", vouchers[1].text);
    }
}

#[tokio::test]
async fn each_way_of_payment_has_its_own_voucher() {
    for program in BOTH {
        let mut shop = Shop::open(program).await;
        let card = shop.sold("1", sample(), CARD).await;
        let swish = shop.sold("2", one("106.00", "6"), SWISH).await;
        // What is given back on a Swish payment stays with Swish, whatever the refund is called.
        let event = shop.give_back(&swish, Some("53.00")).await;
        shop.tell(&event).await;
        shop.day_ends().await;
        let numbers = shop.done(&[&card, &swish]).await;
        assert!(numbers[0][0] != numbers[1][0] && numbers[1][0] == numbers[1][1], "{numbers:?}");
        let mut vouchers = shop.vouchers();
        vouchers.sort_by(|a, b| a.text.cmp(&b.text));
        assert_eq!(vouchers.len(), 2);
        assert!(vouchers[0].text.contains("viva card") && vouchers[1].text.contains("viva swish"));
        assert_eq!(vouchers[0].rows, [(1580, 74_700), (2611, -14_940), (3001, -59_760)].into());
        assert_eq!(vouchers[1].rows, [(1580, 5_300), (2631, -300), (3003, -5_000)].into());
    }
}

#[tokio::test]
async fn an_order_that_comes_late_is_in_the_next_voucher_of_its_day() {
    for program in BOTH {
        let mut shop = Shop::open(program).await;
        let early = shop.sold("1", sample(), CARD).await;
        // Paid on the same day, but the webshop posts it only after the night.
        let code = shop.checkout("106.00".parse().unwrap(), "2");
        let event = shop.pay(code).await;
        shop.day_ends().await;
        shop.done(&[&early]).await;
        assert_eq!(shop.vouchers().len(), 1);
        shop.morning();
        let mut body = one("106.00", "6");
        body["order_number"] = json!("2");
        body["viva_order_code"] = json!(code.0.to_string());
        let late = shop.post(&body).await.unwrap();
        shop.tell(&event).await;
        shop.waits(&late.id, shop.today).await;
        shop.hour_passes().await;
        let numbers = shop.done(&[&early, &late.id]).await;
        assert_ne!(numbers[0], numbers[1]);
        let vouchers = shop.vouchers();
        assert_eq!(vouchers.len(), 2);
        assert_eq!(
            (&vouchers[0].date, &vouchers[1].date),
            (&shop.today.to_string(), &shop.today.to_string())
        );
        assert_eq!(vouchers[1].rows, [(1580, 10_600), (2631, -600), (3003, -10_000)].into());
    }
}

#[tokio::test]
async fn an_order_given_back_before_it_was_heard_of_is_sold_and_given_back() {
    let mut shop = Shop::open(Program::Fortnox).await;
    let (order, _, event) = shop.sell("1", every_rate(), CARD).await;
    let payment = shop.viva.transactions()[0].transaction_id.clone();
    let wish = Refund { deliver: false, ..Refund::new(&payment) };
    shop.viva.refund(&wish).await.unwrap();
    shop.tell(&event).await;
    shop.day_ends().await;
    shop.done(&[&order.id]).await;
    let vouchers = shop.vouchers();
    assert_eq!(vouchers.len(), 1);
    assert!(vouchers[0].rows.is_empty(), "sale and refund come to nothing: {:?}", vouchers[0].rows);
    let rows = shop.documents("vouchers")[0]["VoucherRows"].as_array().unwrap().len();
    assert_eq!(rows, 16, "but both are shown");
}

#[tokio::test]
async fn a_profile_that_was_changed_does_not_change_what_was_begun() {
    for (before, after) in [
        (PostingProfile::VoucherPerDay, PostingProfile::Invoice),
        (PostingProfile::Invoice, PostingProfile::VoucherPerDay),
    ] {
        let mut shop = Shop::open(Program::Fortnox).await;
        let choose = async |shop: &Shop, profile| {
            let mut settings = shop.store.settings_get(&tenant()).await.unwrap().unwrap();
            settings.posting_profile = profile;
            shop.store.settings_put(&tenant(), &settings).await.unwrap();
        };
        choose(&shop, before).await;
        let id = shop.sold("1", sample(), CARD).await;
        choose(&shop, after).await;
        let event = shop.give_back(&id, Some("100.00")).await;
        shop.tell(&event).await;
        shop.day_ends().await;
        assert_eq!(shop.stands(&id).await.0, SyncState::Done, "{:?}", shop.errors);
        let by_day = before == PostingProfile::VoucherPerDay;
        let numbers = shop.show(&id).await.accounting.numbers;
        assert_eq!(numbers.contains_key("credit_voucher_number"), by_day, "{numbers:?}");
        assert_eq!(numbers.contains_key("credit_invoice_number"), !by_day, "{numbers:?}");
        assert_eq!(shop.documents("invoices").len(), if by_day { 0 } else { 2 });
        // The next order goes the new way.
        let next = shop.sold("2", sample(), CARD).await;
        assert_eq!(shop.show(&next).await.accounting.numbers.contains_key("invoice_number"), by_day);
    }
}
