//! The way of one voucher into each ledger program: once, whatever happens; nothing where nothing can be booked.

use bokbro_app::ports::{Clock as _, Directory as _, Effector};
use bokbro_domain::ids::Provider;
use bokbro_domain::posting::PostingProfile::Invoice;
use bokbro_domain::posting::swedish_day;
use bokbro_simulators::fortnox::FortnoxConfig;
use bokbro_simulators::visma::VismaConfig;
use bokbro_tests::engine::{DAY, Engine, of_day, sample_voucher};
use bokbro_tests::office::Office;
use bokbro_tests::world::tenant;
use serde_json::json;

use crate::crash_points::bad_answers;

/// What this file asks of a world.
trait OfDay {
    fn engine(&self, die_at: Option<usize>) -> Engine;
    async fn effector(&self) -> Box<dyn Effector>;
    fn has_one(&self, case: &str);
}

impl OfDay for Office {
    fn engine(&self, die_at: Option<usize>) -> Engine {
        Engine::new(self.clock.clone(), die_at)
    }

    /// The way of today's voucher.
    async fn effector(&self) -> Box<dyn Effector> {
        of_day(self, self.name(), sample_voucher(swedish_day(self.clock.now()))).await
    }

    /// Exactly one voucher is there, of these rows, and no draft.
    #[track_caller]
    fn has_one(&self, case: &str) {
        let vouchers = self.held("vouchers");
        assert_eq!((vouchers.len(), self.held("voucher_drafts").len()), (1, 0), "{} {case}", self.name());
        let expected = [(1580, "853"), (3001, "-597.60"), (2611, "-149.40"), (3003, "-100"), (2631, "-6")];
        assert_eq!(self.vouchers()[0], expected.map(|(account, amount)| (account, amount.parse().unwrap())));
    }
}

#[tokio::test]
async fn a_voucher_is_booked_once() {
    for office in Office::both(Invoice).await {
        let effector = office.effector().await;
        let mut engine = office.engine(None);
        let receipt = engine.settle(&*effector).await.unwrap();
        assert_eq!(receipt.external_id, "A1");
        office.has_one("");
        let calls = office.calls();
        assert_eq!(engine.settle(&*effector).await.unwrap().external_id, "A1");
        assert_eq!(office.calls(), calls, "what is done is not looked at again");
        let voucher = &office.held("vouchers")[0];
        let text = voucher["Description"].as_str().or(voucher["VoucherText"].as_str()).unwrap();
        assert_eq!(text, format!("Viva card, 2 orders ({DAY})"));
    }
}

#[tokio::test]
async fn a_voucher_survives_a_death_at_every_point() {
    let [fortnox, visma] = Office::both(Invoice).await;
    for (office, least) in [(fortnox, 6), (visma, 10)] {
        let mut engine = office.engine(None);
        engine.settle(&*office.effector().await).await.unwrap();
        let points = engine.passed;
        assert!(points >= least, "{points} points");
        for nth in 0..points {
            office.forget();
            let mut engine = office.engine(Some(nth));
            let receipt = engine.settle(&*office.effector().await).await.unwrap();
            assert_eq!(receipt.external_id, "A1", "died at {nth}");
            assert!(engine.passed > points, "nobody died at {nth}");
            office.has_one(&format!("died at {nth}"));
        }
    }
}

#[tokio::test]
async fn every_bad_answer_to_every_write_leaves_one_voucher() {
    let writes = [
        (Office::fortnox(Invoice, FortnoxConfig::default()).await, &["/3/vouchers"][..]),
        (
            Office::visma(Invoice, VismaConfig::default()).await,
            &["/v2/voucherdrafts", "/v2/voucherdrafts/{}/convert"],
        ),
    ];
    for (office, paths) in writes {
        for path in paths {
            for (name, fault) in bad_answers("POST", path) {
                for times in [1, 2] {
                    office.forget();
                    office.fail(fault.clone().times(times));
                    let case = format!("{name} x {times} at {path}");
                    let receipt = office.engine(None).settle(&*office.effector().await).await;
                    assert_eq!(receipt.unwrap().external_id, "A1", "{case}");
                    office.has_one(&case);
                }
            }
        }
    }
}

/// A year that is missing, a locked year and a locked period: nothing is written, a bookkeeper reads what to do, and once
/// it is done the voucher is booked.
#[tokio::test]
async fn nothing_is_written_on_a_day_that_cannot_be_booked_on() {
    for office in Office::both(Invoice).await {
        let today = swedish_day(office.clock.now()).to_string();
        let remove = json!({ "remove_year": today });
        let open = json!({ "open_year": today });
        let lock = json!({ "locked_until": today });
        for (bad, good, code, said) in [
            (lock, json!({ "locked_until": "" }), "period_locked", "unlock"),
            (remove, open, "financial_year_missing", "open it there and try again"),
        ] {
            office.switch(&bad);
            let effector = office.effector().await;
            let mut engine = office.engine(None);
            let reason = engine.settle(&*effector).await.unwrap_err();
            assert_eq!(reason.code, code, "{}: {}", office.name(), reason.message);
            assert!(reason.message.contains(said), "{}", reason.message);
            assert_eq!((office.held("vouchers").len(), office.held("voucher_drafts").len()), (0, 0));
            office.switch(&good);
            engine.settle_insisting(&*effector, true).await.unwrap();
            office.has_one(code);
            office.forget();
        }
    }
}

#[tokio::test]
async fn a_voucher_that_a_person_named_is_taken_when_it_fits() {
    for office in Office::both(Invoice).await {
        let effector = office.effector().await;
        office.engine(None).settle(&*effector).await.unwrap();
        let mut engine = office.engine(None);
        // Another worker knows of what was sent and not of what became of it.
        let steps = effector.steps();
        let last = steps.last().unwrap();
        for step in &steps {
            let intent = effector.intent(step, &engine.stored).unwrap().unwrap();
            engine.stored.mark_sent(&intent, office.clock.now());
            if step != last {
                engine.stored.mark_done(step, Default::default(), office.clock.now());
            }
        }
        let intent = effector.intent(last, &engine.stored).unwrap().unwrap();
        for (named, fits) in [("A1", true), ("a 1", true), ("A2", false), ("B1", false)] {
            let adopted = effector.adopt(&intent, named, &engine.stored).await;
            assert_eq!(adopted.is_ok(), fits, "{} {named}: {adopted:?}", office.name());
        }
    }
}

#[tokio::test]
async fn a_series_that_takes_no_vouchers_by_hand_is_told_of() {
    let office = Office::fortnox(Invoice, FortnoxConfig::default()).await;
    let Office::Fortnox(world) = &office else { panic!("not Fortnox") };
    let provider = Provider::parse("fortnox").unwrap();
    let mut connection = world.store.connection_get(&tenant(), &provider).await.unwrap().unwrap();
    for (series, what) in [("B", "takes no vouchers by hand"), ("X", "is not there")] {
        connection.settings.insert("voucher_series".to_owned(), series.to_owned());
        world.store.connection_put(&connection).await.unwrap();
        let reason = office.engine(None).settle(&*office.effector().await).await.unwrap_err();
        assert_eq!(reason.code, "voucher_series_closed");
        assert!(reason.message.contains(what), "{}", reason.message);
        assert!(office.held("vouchers").is_empty());
    }
}

#[tokio::test]
async fn a_draft_that_somebody_converted_is_the_voucher() {
    let office = Office::visma(Invoice, VismaConfig::default()).await;
    let Office::Visma(world) = &office else { panic!("not Visma") };
    let effector = office.effector().await;
    let mut engine = office.engine(None);
    let step = effector.steps()[0].clone();
    let intent = effector.intent(&step, &engine.stored).unwrap().unwrap();
    engine.stored.mark_sent(&intent, office.clock.now());
    let draft = effector.send(&intent, &engine.stored).await.unwrap();
    world.by_hand("POST", &format!("/voucherdrafts/{}/convert", draft.external_id), None).await;
    engine.stored.mark_done(&step, draft, office.clock.now());
    assert_eq!(engine.settle(&*effector).await.unwrap().external_id, "A1");
    office.has_one("converted by hand");
}
