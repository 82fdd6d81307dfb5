//! One invocation's part of a reading: page by page, and then what was known and has not been seen.

use std::sync::Arc;

use bokbro_domain::ids::{Provider, TenantId};
use jiff::{SignedDuration, Timestamp};

use super::position::{At, Part, Place, Progress, Slice};
use super::{begin, progress_put};
use crate::app::{App, Invocation};
use crate::error::Error;
use crate::ports::{Access, Cursor, RegisterKey, Registers};
use crate::records::Job;

/// Time that a page may take: a run with less left stops.
const RESERVE: SignedDuration = SignedDuration::from_secs(25);
/// Calls between two places in the provider's waiting line: about as many as an order has. Orders that wait stand in the
/// same line, so that a reading delays each of them by no more than one order would.
const CALLS_PER_PLACE: u32 = 5;
/// Entries of our own list that are looked through at once.
const LISTED: usize = 200;
/// How many entries that were not seen are asked for one by one in a reading; the rest waits for the next one.
const MOST_ASKED: u32 = 500;

/// One invocation at a reading.
pub(super) struct Run<'a> {
    pub(super) app: &'a App,
    pub(super) invocation: &'a Invocation,
    pub(super) tenant: &'a TenantId,
    pub(super) provider: &'a Provider,
    pub(super) registers: Arc<dyn Registers>,
    pub(super) access: Access,
    pub(super) slices: Vec<Slice>,
    pub(super) progress: Progress,
    pub(super) job: Job,
    pub(super) place: Place,
    /// Calls made since the start of the invocation.
    pub(super) paced: u32,
}

impl Run<'_> {
    /// Goes on until everything is read, or time is short; says which.
    pub(super) async fn all(&mut self) -> Result<bool, Error> {
        while let Some(slice) = self.slices.get(self.place.slice).copied() {
            if self.short(RESERVE) {
                return Ok(false);
            }
            match self.place.at.clone() {
                At::Page(number) => {
                    if !self.page(slice, number).await? {
                        return Ok(false);
                    }
                }
                At::Unseen { cursor, asked } => {
                    if !self.unseen(slice, cursor, asked).await? {
                        return Ok(false);
                    }
                }
            }
            self.app.crash.reached("after a page of a register").await;
            self.note().await?;
        }
        Ok(true)
    }

    /// Whether less time than this is left.
    pub(super) fn short(&self, reserve: SignedDuration) -> bool {
        self.invocation.deadline.duration_since(self.app.clock.now()) < reserve
    }

    pub(super) fn key(&self, slice: Slice) -> RegisterKey {
        RegisterKey { tenant: self.tenant.clone(), provider: self.provider.clone(), register: slice.register }
    }

    pub(super) fn count(&mut self, what: &str, how_many: usize) {
        if how_many > 0 {
            *self.job.counts.entry(what.to_owned()).or_default() +=
                u64::try_from(how_many).unwrap_or(u64::MAX);
        }
    }

    /// Keeps the place.
    async fn note(&mut self) -> Result<(), Error> {
        self.job.position = serde_json::to_string(&self.place).ok();
        self.job.updated_at = self.app.clock.now();
        self.app.jobs.job_put(self.tenant, &self.job).await
    }

    /// Before a call. Whoever finds the provider busy goes to the end of the line, behind the orders that wait.
    async fn pace(&mut self) -> Result<(), Error> {
        if self.paced.is_multiple_of(CALLS_PER_PLACE) {
            let place = self.invocation.place.filter(|_| self.paced == 0);
            self.access.pace.admit(place).await?;
        }
        self.paced += 1;
        self.count("calls", 1);
        Ok(())
    }

    /// Reads one page; says whether all of it is stored.
    async fn page(&mut self, slice: Slice, number: u32) -> Result<bool, Error> {
        self.pace().await?;
        let asked_at = self.app.clock.now();
        let span = self.place.span(slice.part);
        let page = self.registers.page(&self.access, slice.register, span, number).await?;
        self.place.size = self.place.size.max(u64::try_from(page.entries.len()).unwrap_or(u64::MAX));
        if !self.store(slice, page.entries, asked_at).await? {
            return Ok(false);
        }
        let back = self.place.moved_up(page.total).min(number.saturating_sub(1));
        self.place.total = page.total.or(self.place.total);
        if back > 0 {
            // Entries have left, and others have moved up over the border into pages that were read already.
            self.place.at = At::Page(number - back);
        } else if page.more {
            self.place.at = At::Page(number.saturating_add(1));
        } else if slice.part == Part::All {
            self.place.at = At::Unseen { cursor: None, asked: 0 };
        } else {
            self.end(slice).await?;
        }
        Ok(true)
    }

    /// Asks for those of one page of our own list that the reading has not seen; says whether it got through the page.
    async fn unseen(&mut self, slice: Slice, cursor: Option<String>, mut asked: u32) -> Result<bool, Error> {
        let key = self.key(slice);
        let from = cursor.clone().map(Cursor);
        let page = self.app.mappings.mappings_list(&key, LISTED, from.as_ref()).await?;
        let begun = self.place.begun;
        let unseen = page.items.into_iter().filter(|known| !known.gone && known.seen < begun);
        for known in unseen {
            if asked >= MOST_ASKED {
                tracing::warn!(tenant = %self.tenant, provider = %self.provider, "more entries were not seen than are asked for");
                return self.end(slice).await.map(|()| true);
            }
            if self.short(RESERVE) {
                return Ok(false);
            }
            self.pace().await?;
            asked += 1;
            self.place.at = At::Unseen { cursor: cursor.clone(), asked };
            let asked_at = self.app.clock.now();
            match self.registers.entry(&self.access, slice.register, &known.external_id).await? {
                Some(entry) => drop(self.store(slice, vec![entry], asked_at).await?),
                None => self.gone(slice, known, asked_at).await?,
            }
            self.app.crash.reached("after an entry that was not seen").await;
        }
        match page.next {
            Some(next) => self.place.at = At::Unseen { cursor: Some(next.0), asked },
            None => self.end(slice).await?,
        }
        Ok(true)
    }

    /// The slice has come to its end: only now is it noted how far the register has been read.
    async fn end(&mut self, slice: Slice) -> Result<(), Error> {
        let mut read = self.progress.of(slice.register);
        let all = match slice.part {
            Part::All => {
                read.full = Some(self.place.begun);
                true
            }
            Part::Changes => self.place.since.is_none(),
            Part::Known | Part::Days(..) => {
                self.next();
                return Ok(());
            }
        };
        read.until = Some(self.place.begun);
        read.waits = self.place.waits;
        let more = self.place.more;
        read.entries = match self.place.total.filter(|_| all) {
            Some(total) => total,
            None => read.entries.saturating_add_signed(more),
        };
        self.progress.put(slice.register, read);
        progress_put(self.app, self.tenant, self.provider, &self.progress).await?;
        self.app.crash.reached("after moving the cursor of a register").await;
        self.next();
        Ok(())
    }

    fn next(&mut self) {
        let now: Timestamp = self.app.clock.now();
        self.place = begin(&self.slices, self.place.slice + 1, &self.progress, now);
    }
}
