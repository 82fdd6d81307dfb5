//! One effector, driven as the app's own engine drives it, by a worker that can die at any point: for effectors whose flow
//! is tested elsewhere.

use std::sync::Arc;
use std::time::Duration;

use bokbro_app::error::{Disposition, Error, Reason};
use bokbro_app::memory::ManualClock;
use bokbro_app::ports::{Clock as _, Effector, Found, SendError};
use bokbro_domain::effect::{Action, Intent, Ledger, Patience, Receipt};
use bokbro_domain::money::{Currency, Money};
use bokbro_domain::posting::{DayVoucher, VoucherRow};
use bokbro_domain::said::Said;
use jiff::civil::Date;

use crate::world::{World, provider, tenant};

/// Marker of [`sample_voucher`].
pub const DAY: &str = "day_viva-card_1";

/// Two orders of a day, 853 kr at 25 % and 6 %.
pub fn sample_voucher(date: Date) -> DayVoucher {
    let row = |account, minor, text: &str| VoucherRow {
        account,
        amount: Money::new(minor, Currency::SEK),
        text: text.to_owned(),
    };
    DayVoucher {
        reference: DAY.to_owned(),
        date,
        text: "Viva card, 2 orders".to_owned(),
        rows: vec![
            row(1580, 85_300, "Viva"),
            row(3001, -59_760, "Försäljning 25 %"),
            row(2611, -14_940, "Moms 25 %"),
            row(3003, -10_000, "Försäljning 6 %"),
            row(2631, -600, "Moms 6 %"),
        ],
    }
}

/// The way of a day's voucher into the tenant's books.
pub async fn of_day(world: &World, ledger: &str, voucher: DayVoucher) -> Box<dyn Effector> {
    let (app, provider) = (&world.app, provider(ledger));
    let connection = app.directory.connection_get(&tenant(), &provider).await.unwrap().unwrap();
    let access = app.access.open(connection).await.unwrap();
    app.providers.vouchers(&provider).unwrap().effector(access, voucher)
}

/// What ends a worker's run before it is done.
#[derive(Debug)]
pub enum Stopped {
    /// It died.
    Died,
    /// It could not go on.
    Failed(Error),
}

impl From<Error> for Stopped {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// A ledger in storage, and the workers that come to it one after the other.
pub struct Engine {
    /// What survives a death.
    pub stored: Ledger,
    clock: Arc<ManualClock>,
    die_at: Option<usize>,
    /// Points passed by all workers.
    pub passed: usize,
}

impl Engine {
    /// An engine whose worker dies at the n-th point, if at any.
    pub fn new(clock: Arc<ManualClock>, die_at: Option<usize>) -> Self {
        Self { stored: Ledger::default(), clock, die_at, passed: 0 }
    }

    /// Sends workers until one is done, or until a human must act; gives the last step's receipt.
    ///
    /// # Errors
    /// The reason why it was parked.
    pub async fn settle(&mut self, effector: &dyn Effector) -> Result<Receipt, Reason> {
        self.settle_insisting(effector, false).await
    }

    /// The same when a human insists: what was refused is sent again.
    ///
    /// # Errors
    /// The reason why it was parked.
    pub async fn settle_insisting(
        &mut self,
        effector: &dyn Effector,
        mut insist: bool,
    ) -> Result<Receipt, Reason> {
        loop {
            let wait = match self.work(effector, insist).await {
                Ok(receipt) => return Ok(receipt),
                Err(Stopped::Died) => Duration::from_secs(60),
                Err(Stopped::Failed(Error::Parked(reason))) => return Err(reason),
                Err(Stopped::Failed(error)) => match error.disposition() {
                    Disposition::Retry { after } => after.unwrap_or(Duration::from_secs(2)),
                    Disposition::Later { at } => {
                        Duration::try_from(at.duration_since(self.clock.now())).unwrap_or_default()
                    }
                    other => panic!("{other:?}: {error}"),
                },
            };
            insist = false;
            self.clock.advance(wait);
        }
    }

    /// One worker's run.
    async fn work(&mut self, effector: &dyn Effector, insist: bool) -> Result<Receipt, Stopped> {
        let mut ledger = self.stored.clone();
        let mut last = Receipt::default();
        for step in effector.steps() {
            let Some(intent) = effector.intent(&step, &ledger)? else { continue };
            match ledger.decide(&intent, Patience::default(), insist) {
                Action::AlreadyDone => {}
                Action::Send => self.send(effector, &intent, &mut ledger).await?,
                Action::LookUp { absent_counts_from, may_send } => {
                    self.point()?;
                    match effector.look_up(&intent, &ledger).await? {
                        Found::Yes(receipt) => ledger.mark_done(&step, receipt, self.clock.now()),
                        Found::No if self.clock.now() < absent_counts_from => {
                            let after = Some(Duration::from_secs(2));
                            return Err(Error::NotYet { what: "the outcome".to_owned(), after }.into());
                        }
                        Found::No => {
                            assert!(may_send, "given up");
                            self.send(effector, &intent, &mut ledger).await?;
                        }
                    }
                }
                other @ (Action::Conflict | Action::Rejected) => {
                    return Err(Error::park("refused_before", Said::quoted(format!("{other:?}"))).into());
                }
            }
            last = ledger.receipt(&step.0).cloned().unwrap_or_default();
            self.store(&ledger)?;
        }
        Ok(last)
    }

    async fn send(
        &mut self,
        effector: &dyn Effector,
        intent: &Intent,
        ledger: &mut Ledger,
    ) -> Result<(), Stopped> {
        let step = &intent.step;
        let before = ledger.steps.get(step).cloned();
        ledger.mark_sent(intent, self.clock.now());
        self.store(ledger)?;
        self.point()?;
        let sent = effector.send(intent, ledger).await;
        self.point()?;
        let (ended, now) = match sent {
            Ok(receipt) => {
                ledger.mark_done(step, receipt, self.clock.now());
                return Ok(());
            }
            Err(SendError::NotDone(error)) => {
                ledger.withdraw(step, before);
                (error, None)
            }
            Err(SendError::Unknown(error)) => (error, Some(self.clock.now())),
            Err(SendError::Rejected(reason)) => {
                ledger.mark_rejected(step, reason.message.clone());
                (Error::Parked(reason), None)
            }
        };
        if let Some(now) = now {
            ledger.mark_unknown(step, now, ended.said());
        }
        self.store(ledger)?;
        let unknown = now.map(|_| Error::NotYet { what: ended.to_string(), after: None });
        Err(unknown.unwrap_or(ended).into())
    }

    fn store(&mut self, ledger: &Ledger) -> Result<(), Stopped> {
        self.point()?;
        self.stored = ledger.clone();
        self.point()
    }

    fn point(&mut self) -> Result<(), Stopped> {
        let here = self.passed;
        self.passed += 1;
        if self.die_at == Some(here) { Err(Stopped::Died) } else { Ok(()) }
    }
}
