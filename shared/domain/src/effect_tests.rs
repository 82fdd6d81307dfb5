//! The ledger's decisions, as a table and as a model that crashes anywhere.

use proptest::prelude::*;

use super::*;
use crate::testing::at;

fn intent(request: &str) -> Intent {
    Intent {
        step: "invoice".into(),
        reference: "ord_1".into(),
        request: request.into(),
        may_exist: false,
        replaces: false,
    }
}

fn now() -> Timestamp {
    at("2026-11-20T11:00:00Z")
}

fn with(state: StepState, attempt: u32) -> Ledger {
    let mut ledger = Ledger::default();
    for _ in 0..attempt {
        ledger.mark_sent(&intent("a"), now());
    }
    let step = StepName::from("invoice");
    match state {
        StepState::Sent => {}
        StepState::Done => ledger.mark_done(&step, Receipt::default(), now()),
        StepState::Unknown => ledger.mark_unknown(&step, now(), Said::quoted("no answer")),
        StepState::Rejected => ledger.mark_rejected(&step, Said::quoted("no")),
    }
    ledger
}

#[test]
fn every_state_of_a_step_has_its_one_action() {
    let settled = now() + SignedDuration::from_secs(10);
    let look_up = |may_send| Action::LookUp { absent_counts_from: settled, may_send };
    let look_first = Action::LookUp { absent_counts_from: Timestamp::MIN, may_send: true };
    let cases: Vec<(&str, Ledger, &str, bool, Action)> = vec![
        ("never sent", Ledger::default(), "a", false, Action::Send),
        ("done", with(StepState::Done, 1), "a", false, Action::AlreadyDone),
        ("done with another request", with(StepState::Done, 1), "b", false, Action::Conflict),
        ("worker died", with(StepState::Sent, 1), "a", false, look_up(true)),
        ("worker died, request changed", with(StepState::Sent, 1), "b", false, Action::Conflict),
        ("no answer", with(StepState::Unknown, 1), "a", false, look_up(true)),
        ("no answer, last try", with(StepState::Unknown, 4), "a", false, look_up(false)),
        ("no answer, a human insists", with(StepState::Unknown, 4), "a", true, look_up(true)),
        ("refused", with(StepState::Rejected, 1), "a", false, Action::Rejected),
        ("refused, a human insists", with(StepState::Rejected, 1), "a", true, look_first.clone()),
        ("refused, then mended", with(StepState::Rejected, 1), "b", false, look_first),
    ];
    for (name, ledger, request, insist, expected) in cases {
        assert_eq!(ledger.decide(&intent(request), Patience::default(), insist), expected, "{name}");
    }
}

#[test]
fn a_document_that_is_written_by_number_takes_changes() {
    let changed = Intent { replaces: true, ..intent("b") };
    let now_or_later = |from| Action::LookUp { absent_counts_from: from, may_send: true };
    let settled = now() + SignedDuration::from_secs(10);
    for (state, expected) in [
        (StepState::Done, now_or_later(Timestamp::MIN)),
        (StepState::Sent, now_or_later(settled)),
        (StepState::Unknown, now_or_later(settled)),
        (StepState::Rejected, now_or_later(Timestamp::MIN)),
    ] {
        assert_eq!(with(state, 1).decide(&changed, Patience::default(), false), expected, "{state:?}");
    }
    let same = Intent { replaces: true, ..intent("a") };
    assert_eq!(with(StepState::Done, 1).decide(&same, Patience::default(), true), Action::AlreadyDone);
}

#[test]
fn what_may_exist_is_looked_up_before_the_first_send() {
    let customer = Intent { may_exist: true, ..intent("a") };
    let expected = Action::LookUp { absent_counts_from: Timestamp::MIN, may_send: true };
    assert_eq!(Ledger::default().decide(&customer, Patience::default(), false), expected);
    let forgetful = Patience { look_first: true, ..Patience::default() };
    assert_eq!(Ledger::default().decide(&intent("a"), forgetful, false), expected, "the table was restored");
}

#[test]
fn a_lease_is_held_until_it_ends_and_fences_rise() {
    let until = now() + SignedDuration::from_secs(60);
    let first = Ledger::default().take("a", now(), until).unwrap();
    assert_eq!(first.take("b", now(), until), Err(Held { until }));
    let second = first.take("b", until, until + SignedDuration::from_secs(60)).unwrap();
    assert_eq!((first.fence, second.fence), (1, 2));
    let mut released = second;
    released.release();
    // Whoever read it before it was released writes on condition of fence 2 and is refused.
    assert_eq!(released.take("c", now(), until).unwrap().fence, 4);
}

#[test]
fn an_intent_that_never_left_is_taken_back() {
    let mut ledger = Ledger::default();
    ledger.mark_sent(&intent("a"), now());
    ledger.withdraw(&"invoice".into(), None);
    assert_eq!(ledger, Ledger::default());
    let unknown = with(StepState::Unknown, 1);
    let mut again = unknown.clone();
    let before = again.steps.get(&"invoice".into()).cloned();
    again.mark_sent(&intent("a"), now());
    again.withdraw(&"invoice".into(), before);
    assert_eq!(again, unknown, "an older unknown send stays unknown");
}

#[test]
fn a_human_s_word_gives_a_step_its_tries_back() {
    let patience = Patience::default();
    let mut ledger = with(StepState::Unknown, patience.max_attempts);
    let may_send = |ledger: &Ledger| match ledger.decide(&intent("a"), patience, false) {
        Action::LookUp { may_send, .. } => may_send,
        other => panic!("{other:?}"),
    };
    assert!(!may_send(&ledger));
    ledger.begin_anew(&"invoice".into());
    for _ in 1..patience.max_attempts {
        ledger.mark_sent(&intent("a"), now());
        assert!(may_send(&ledger));
    }
    ledger.mark_sent(&intent("a"), now());
    assert!(!may_send(&ledger));
}

/// What happens to one send in the model below.
#[derive(Debug, Clone, Copy)]
enum Fate {
    DiesBeforeSend,
    DiesAfterSend,
    LostBeforeCommit,
    LostAfterCommit,
    Answered,
    AnsweredAndDies,
}

proptest! {
    /// A worker that follows `decide` through any row of deaths and lost answers leaves at most one document, and one
    /// exactly once it says done.
    #[test]
    fn any_row_of_mishaps_leaves_one_document(fates in prop::collection::vec(prop_oneof![
        Just(Fate::DiesBeforeSend), Just(Fate::DiesAfterSend), Just(Fate::LostBeforeCommit),
        Just(Fate::LostAfterCommit), Just(Fate::Answered), Just(Fate::AnsweredAndDies)], 1..12)) {
        let patience = Patience { max_attempts: 100, ..Patience::default() };
        let step = StepName::from("invoice");
        let (mut stored, mut documents, mut time) = (Ledger::default(), 0u32, now());
        for fate in fates {
            time += SignedDuration::from_secs(70);
            let mut ledger = stored.take("worker", time, time + SignedDuration::from_secs(65)).unwrap();
            match ledger.decide(&intent("a"), patience, false) {
                Action::AlreadyDone => { prop_assert_eq!(documents, 1); continue; }
                Action::LookUp { absent_counts_from, .. } => {
                    prop_assert!(absent_counts_from <= time);
                    if documents > 0 {
                        ledger.mark_done(&step, Receipt::default(), time);
                        ledger.release();
                        stored = ledger;
                        continue;
                    }
                }
                Action::Send => {}
                other => prop_assert!(false, "{other:?}"),
            }
            ledger.mark_sent(&intent("a"), time);
            stored = ledger.clone();
            match fate {
                Fate::DiesBeforeSend => continue,
                Fate::DiesAfterSend | Fate::AnsweredAndDies => { documents += 1; continue; }
                Fate::LostBeforeCommit => ledger.mark_unknown(&step, time, Said::quoted("no answer")),
                Fate::LostAfterCommit => { documents += 1; ledger.mark_unknown(&step, time, Said::quoted("no answer")); }
                Fate::Answered => { documents += 1; ledger.mark_done(&step, Receipt::default(), time); }
            }
            ledger.release();
            stored = ledger;
            prop_assert!(documents <= 1);
        }
        prop_assert!(documents <= 1);
    }
}
