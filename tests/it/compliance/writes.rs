//! Every write of every provider: what is known of its outcome is what is said of it, and nothing is made twice.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use bokbro_app::error::{Disposition, Error, chain};
use bokbro_app::parked::actions_of;
use bokbro_app::ports::{Effector, Found, Providers as _, SendError};
use bokbro_connectors::registry::Registry;
use bokbro_domain::effect::{Intent, Ledger, Receipt, StepName};
use bokbro_domain::ids::Provider;
use bokbro_tests::compliance::{Calls, Candidate, Moment, Scene, Tap, Trouble};

use super::{every_candidate, registry};
use crate::secrecy::taps::capture_logs;

/// How long trouble closes a limit for everybody.
const PASSING: Duration = Duration::from_secs(60);

/// One order on its way.
struct Run {
    tap: Arc<Tap>,
    scene: Box<dyn Scene>,
    way: &'static str,
    number: u32,
    ledger: Ledger,
}

/// A world with nothing in it, and its first order.
async fn fresh(candidate: &Candidate, way: &'static str) -> Run {
    let tap = Arc::new(Tap::default());
    let scene = (candidate.start)(tap.clone()).await;
    Run { tap, scene, way, number: 1, ledger: Ledger::default() }
}

impl Run {
    async fn effector(&self) -> Box<dyn Effector> {
        self.scene.effector(self.way, self.number).await
    }

    /// What a step is about to be. A step that is not needed is none.
    async fn intent(&self, step: &StepName) -> Option<Intent> {
        self.effector().await.intent(step, &self.ledger).unwrap_or_else(|error| panic!("{step:?}: {error}"))
    }

    async fn look_up(&self, intent: &Intent) -> Result<Found, Error> {
        self.effector().await.look_up(intent, &self.ledger).await
    }

    async fn send(&mut self, intent: &Intent) -> Result<Receipt, SendError> {
        let now = self.scene.app().clock.now();
        self.ledger.mark_sent(intent, now);
        let sent = self.effector().await.send(intent, &self.ledger).await;
        match &sent {
            Ok(receipt) => self.ledger.mark_done(&intent.step, receipt.clone(), now),
            Err(SendError::Unknown(error)) => {
                self.ledger.mark_unknown(&intent.step, now, error.said());
            }
            Err(SendError::Rejected(reason)) => {
                self.ledger.mark_rejected(&intent.step, reason.message.clone())
            }
            Err(SendError::NotDone(_)) => {}
        }
        sent
    }

    /// Does a step as the engine does it: what may be there is looked for first.
    async fn step(&mut self, step: &StepName) {
        if self.ledger.receipt(&step.0).is_some() {
            return;
        }
        let Some(intent) = self.intent(step).await else { return };
        if (intent.may_exist || self.ledger.steps.contains_key(step))
            && let Found::Yes(receipt) = self.look_up(&intent).await.unwrap()
        {
            let now = self.scene.app().clock.now();
            self.ledger.mark_sent(&intent, now);
            self.ledger.mark_done(step, receipt, now);
        } else if let Err(error) = self.send(&intent).await {
            panic!("{step:?} of {}: {error:?}", self.way);
        }
    }

    /// Goes on to another order in the same world. What trouble there was has passed: limits are open again.
    async fn next(&mut self) {
        self.number += 1;
        self.ledger = Ledger::default();
        self.scene.app().clock.wait(PASSING).await;
    }

    /// Whether the engine would send a step now.
    async fn would_send(&self, step: &StepName) -> bool {
        match self.intent(step).await {
            Some(intent) => !intent.may_exist || self.look_up(&intent).await.unwrap() == Found::No,
            None => false,
        }
    }

    /// All steps, or those before one.
    async fn steps(&mut self, before: Option<&StepName>) {
        for step in self.effector().await.steps() {
            if Some(&step) == before {
                return;
            }
            self.step(&step).await;
        }
    }
}

#[tokio::test]
async fn steps_have_the_names_that_ledgers_know() {
    for (name, candidate) in every_candidate() {
        let mut steps = BTreeSet::new();
        for way in candidate.ways {
            let run = fresh(&candidate, way).await;
            let of_way = run.effector().await.steps();
            let unique: BTreeSet<&StepName> = of_way.iter().collect();
            assert_eq!(unique.len(), of_way.len(), "{name}: a step stands twice in {of_way:?}");
            steps.extend(of_way.into_iter().map(|step| step.0));
        }
        let frozen: BTreeSet<String> = candidate.steps.iter().map(|step| (*step).to_owned()).collect();
        assert_eq!(steps, frozen, "{name}: names of steps are stored in ledgers and never change");
    }
}

#[tokio::test]
async fn a_document_is_found_after_it_was_sent_and_not_before() {
    for (name, candidate) in every_candidate() {
        for way in candidate.ways {
            let mut run = fresh(&candidate, way).await;
            let mut needed = 0;
            for step in run.effector().await.steps() {
                let Some(intent) = run.intent(&step).await else { continue };
                let again = run.intent(&step).await.unwrap();
                assert_eq!(
                    (again.hash(), &again.reference),
                    (intent.hash(), &intent.reference),
                    "{name} {way} {step:?}: not the same for the same ledger"
                );
                let about = format!("{name} {way} {step:?}");
                needed += 1;
                run.tap.heard();
                assert_eq!(
                    run.look_up(&intent).await.unwrap(),
                    Found::No,
                    "{about}: found before it was sent"
                );
                let looked = run.tap.heard();
                assert!(
                    !looked.is_empty() && looked.iter().all(|call| !call.writes()),
                    "{about}: {looked:?}"
                );
                run.send(&intent).await.unwrap_or_else(|error| panic!("{about}: {error:?}"));
                let sent = run.tap.heard();
                assert!(sent.iter().any(|call| call.writes()), "{about}: nothing was sent");
                let found = run.look_up(&intent).await.unwrap();
                assert!(matches!(found, Found::Yes(_)), "{about}: not found after it was sent");
                assert!(run.tap.heard().iter().all(|call| !call.writes()), "{about}: a look-up wrote");
            }
            assert!(needed > 0, "{name} {way}: no step was needed");
        }
    }
}

#[tokio::test]
async fn a_document_of_another_order_is_never_adopted() {
    for (name, candidate) in every_candidate() {
        for way in candidate.ways {
            let mut run = fresh(&candidate, way).await;
            run.steps(None).await;
            let others = std::mem::take(&mut run.ledger);
            run.number = 2;
            for step in run.effector().await.steps() {
                let Some(intent) = run.intent(&step).await else { continue };
                let own = matches!(run.look_up(&intent).await.unwrap(), Found::Yes(_));
                let other = others.receipt(&step.0).map(|receipt| receipt.external_id.clone());
                for number in other.into_iter().chain(["987654321".to_owned()]) {
                    run.tap.heard();
                    let adopted = run.effector().await.adopt(&intent, &number, &run.ledger).await;
                    let about = format!("{name} {way} {step:?} {number}");
                    match adopted {
                        Ok(receipt) => assert!(own, "{about}: took {receipt:?}"),
                        Err(Error::Parked(reason)) => {
                            assert!(listed(&reason.code, &name), "{about}: {reason:?}")
                        }
                        Err(error) => panic!("{about}: {error:?}"),
                    }
                    assert!(run.tap.heard().iter().all(|call| !call.writes()), "{about}: adopting wrote");
                }
                run.step(&step).await;
            }
        }
    }
}

fn listed(code: &str, provider: &Provider) -> bool {
    actions_of(code, Some(provider.as_str())).is_some()
}

/// What must be said of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Said {
    /// Surely nothing was written, and it may be tried again.
    NotDone,
    /// The same, not before seven seconds are over.
    NotDoneFor7,
    /// It may have been written.
    Unknown,
    /// It may have been written; whoever has looked may say that it was.
    UnknownOrDone,
    /// Nothing was written, and never will be, or whoever refuses is to be asked again.
    Refused,
    /// With an access token: a new one is taken, once, and it is done. With anything else nobody is let in.
    DoneWithNewToken,
}

/// One of each kind; `kit/client_tests.rs` and the connectors' own tables have all of them.
fn troubles(quoted: &str) -> [(Trouble, usize, Said); 8] {
    use Moment::{After, Before};
    let answer = |moment, status, body: &str| Trouble::Answer(moment, status, None, body.to_owned());
    let page = "<html><body>Service Unavailable</body></html>";
    [
        (Trouble::NoConnection, 1, Said::NotDone),
        (Trouble::Silence(Before), 1, Said::Unknown),
        (Trouble::Silence(After), 1, Said::Unknown),
        (answer(After, 503, page), 1, Said::Unknown),
        (answer(After, 200, page), 1, Said::UnknownOrDone),
        (answer(Before, 401, ""), 1, Said::DoneWithNewToken),
        (Trouble::Answer(Before, 429, Some(7), String::new()), 1, Said::NotDoneFor7),
        (answer(Before, 400, quoted), 1_000, Said::Refused),
    ]
}

#[tokio::test]
async fn what_is_said_of_a_write_to_the_books_is_what_is_known_of_it() {
    every_trouble_at_every_step(|registry, name| registry.accounting(name).is_some()).await;
}

#[tokio::test]
async fn what_is_said_of_any_other_write_is_what_is_known_of_it() {
    every_trouble_at_every_step(|registry, name| registry.accounting(name).is_none()).await;
}

async fn every_trouble_at_every_step(chosen: impl Fn(&Registry, &Provider) -> bool) {
    let registry = registry();
    for (name, candidate) in every_candidate().into_iter().filter(|(name, _)| chosen(&registry, name)) {
        for way in candidate.ways {
            let mut run = fresh(&candidate, way).await;
            let steps = run.effector().await.steps();
            run.steps(None).await;
            let (with_one, sent) = (run.scene.documents(), run.ledger.clone());
            run.next().await;
            run.steps(None).await;
            let of_each = run.scene.documents() - with_one;
            for step in steps.iter().filter(|step| sent.steps.contains_key(*step)) {
                for at in 0..troubles("").len() {
                    run.next().await;
                    let mut expected = run.scene.documents() + of_each;
                    run.steps(Some(step)).await;
                    if !run.would_send(step).await {
                        // An order before it has made what all orders share.
                        (run, expected) = (fresh(&candidate, way).await, with_one);
                        run.steps(Some(step)).await;
                    }
                    let secrets = run.scene.secrets();
                    let (trouble, times, said) = troubles(&secrets.join(" "))[at].clone();
                    let about = format!("{name} {way} {} with {said:?} at {at}", step.0);
                    one_trouble(&mut run, step, (trouble, times, said), &about, &name).await;
                    run.steps(None).await;
                    assert_eq!(run.scene.documents(), expected, "{about}: not the same documents in the end");
                }
            }
        }
    }
}

/// Sends a step's request into trouble; what is said of it must be true.
async fn one_trouble(
    run: &mut Run,
    step: &StepName,
    (trouble, times, said): (Trouble, usize, Said),
    about: &str,
    name: &Provider,
) {
    let intent = run.intent(step).await.unwrap();
    let before = run.scene.documents();
    run.tap.heard();
    run.tap.script(Calls::Writes, trouble, times);
    let sent = run.send(&intent).await;
    assert!(run.tap.heal() > 0, "{about}: nothing was sent");
    let bearer = run.tap.heard().iter().any(|call| call.writes() && call.bearer);
    silent(&sent, &run.scene.secrets(), about);
    match (said, &sent) {
        (Said::NotDone, Err(SendError::NotDone(error))) => {
            assert!(passes(error) || matches!(error, Error::Consent { .. }), "{about}: {error:?}");
        }
        (Said::NotDoneFor7, Err(SendError::NotDone(error))) => {
            let now = run.scene.app().clock.now();
            let told = match error.disposition() {
                Disposition::Retry { after } => after.is_some_and(|after| after.as_secs() >= 7),
                Disposition::Later { at } => at.duration_since(now).as_secs() >= 6,
                Disposition::Done | Disposition::NeedsConsent | Disposition::Park => false,
            };
            assert!(told, "{about}: the wait is forgotten: {error:?}");
        }
        (Said::Unknown | Said::UnknownOrDone, Err(SendError::Unknown(error))) => {
            assert!(passes(error), "{about}: {error:?}");
        }
        (Said::UnknownOrDone, Ok(_)) => {}
        (Said::Refused, Err(SendError::Rejected(reason))) => {
            assert!(listed(&reason.code, name), "{about}: nothing helps against {}", reason.code);
        }
        (Said::Refused, Err(SendError::NotDone(_))) => {}
        (Said::DoneWithNewToken, Ok(_)) if bearer => {}
        (Said::DoneWithNewToken, Err(SendError::NotDone(Error::Consent { .. }))) if !bearer => {}
        (_, other) => panic!("{about}: {other:?}"),
    }
    run.scene.app().clock.wait(PASSING).await;
    if let Err(SendError::NotDone(_) | SendError::Rejected(_)) = sent {
        assert_eq!(run.scene.documents(), before, "{about}: something was written all the same");
        let found = run.look_up(&intent).await.unwrap();
        assert_eq!(found, Found::No, "{about}: it is there although it is said not to be");
    }
}

/// Whether trying again may help.
fn passes(error: &Error) -> bool {
    matches!(error.disposition(), Disposition::Retry { .. } | Disposition::Later { .. })
}

/// Finds no secret in what an outcome tells, however much of it is shown.
fn silent(outcome: &Result<Receipt, SendError>, secrets: &[String], about: &str) {
    let mut told = format!("{outcome:?}");
    if let Err(SendError::NotDone(error) | SendError::Unknown(error)) = outcome {
        told += &chain(error);
    }
    no_secret(&told, secrets, about);
}

fn no_secret(told: &dyn Debug, secrets: &[String], about: &str) {
    let told = format!("{told:?}");
    for secret in secrets {
        assert!(!told.contains(secret), "{about}: a secret is told");
    }
}

#[tokio::test]
async fn a_run_says_nothing_secret() {
    let logs = capture_logs();
    for (name, candidate) in every_candidate() {
        for way in candidate.ways {
            let mut run = fresh(&candidate, way).await;
            run.steps(None).await;
            let secrets = run.scene.secrets();
            assert!(!secrets.is_empty(), "{name} has no secret, so this test looks for nothing");
            no_secret(&run.ledger, &secrets, &format!("{name}: the ledger"));
            let logs = logs.text();
            assert!(logs.contains(&format!("\"provider\":\"{name}\"")), "{name}: no call is logged");
            no_secret(&logs, &secrets, &format!("{name}: the logs"));
            assert!(
                !logs.contains("Åsa Öberg") && !logs.contains("-1@example.se"),
                "{name}: the buyer is logged"
            );
        }
    }
}
