//! What a reading of registers is made of, and where it stands.

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::ports::{Register, Span};
use crate::records::Job;
use crate::records::Reading;

/// What changed this long before the last reading is read again: clocks differ, lists lag, and an invoice that was read
/// while its order was being booked is looked at again when the order is done. Connectors add what they need themselves
/// where a provider's time zone is not known.
const OVERLAP: SignedDuration = SignedDuration::from_hours(1);
/// An order that is not done makes the next readings look back to its invoice, so far at most; after that the next
/// reading of everything tells.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_hours(24);

/// How far the registers of a connection have been read; the cursor of the list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Progress {
    /// By register.
    #[serde(default)]
    pub(super) registers: BTreeMap<String, Read>,
    /// The schedule's job, under way or not.
    #[serde(default)]
    pub(super) job: Option<bokbro_domain::ids::JobId>,
}

/// How far one register has been read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Read {
    /// Everything that changed before this has been read.
    pub(super) until: Option<Timestamp>,
    /// When the last reading of everything began that came to its end.
    pub(super) full: Option<Timestamp>,
    /// The oldest change that an order was not told of because it was not done.
    #[serde(default)]
    pub(super) waits: Option<Timestamp>,
    /// About how many entries are there.
    #[serde(default)]
    pub(super) entries: u64,
}

impl Progress {
    pub(super) fn of(&self, register: Register) -> Read {
        self.registers.get(register.as_str()).cloned().unwrap_or_default()
    }

    pub(super) fn put(&mut self, register: Register, read: Read) {
        self.registers.insert(register.as_str().to_owned(), read);
    }
}

impl Read {
    /// From when on changes are read; everything without it.
    pub(super) fn since(&self, now: Timestamp) -> Option<Timestamp> {
        let until = self.until?;
        let longest = now.saturating_sub(LONGEST_WAIT).unwrap_or(Timestamp::MIN);
        let from = self.waits.map_or(until, |waits| until.min(waits.max(longest)));
        Some(from.saturating_sub(OVERLAP).unwrap_or(Timestamp::MIN))
    }
}

/// A part of a reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Slice {
    pub(super) register: Register,
    pub(super) part: Part,
}

/// Which part of a register.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// Everything, and then what was known and has not been seen.
    All,
    /// Everything, without a word about what was not seen.
    Known,
    /// What has changed since the last time.
    Changes,
    /// Documents of these days.
    Days(Date, Date),
}

/// The parts in order; customers stand before the invoices that are to them.
pub(super) fn slices(reading: &Reading) -> Vec<Slice> {
    let both = |part| Register::ALL.map(|register| Slice { register, part }).to_vec();
    match reading {
        Reading::Changes => both(Part::Changes),
        Reading::Full => both(Part::All),
        Reading::Days { from, to } => {
            let mut slices = vec![Slice { register: Register::Customers, part: Part::Known }];
            let months = months(*from, *to).into_iter();
            slices.extend(
                months.map(|(first, last)| Slice {
                    register: Register::Invoices,
                    part: Part::Days(first, last),
                }),
            );
            slices
        }
    }
}

/// The months that the days lie in, the first and the last one cut to them.
fn months(from: Date, to: Date) -> Vec<(Date, Date)> {
    let (mut months, mut first) = (Vec::new(), from);
    while first <= to {
        let last = first.last_of_month().min(to);
        months.push((first, last));
        let Ok(next) = last.tomorrow() else { break };
        first = next;
    }
    months
}

/// Where a reading stands; kept in its job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Place {
    /// Which slice, from 0.
    pub(super) slice: usize,
    /// When the slice was begun.
    pub(super) begun: Timestamp,
    /// From when on changes are read, in a slice of changes.
    pub(super) since: Option<Timestamp>,
    /// What comes next.
    pub(super) at: At,
    /// Entries of the largest page of the slice so far.
    #[serde(default)]
    pub(super) size: u64,
    /// How many entries the slice had when its last page was read, where the provider tells.
    #[serde(default)]
    pub(super) total: Option<u64>,
    /// The oldest change in the slice that an order was not told of.
    #[serde(default)]
    pub(super) waits: Option<Timestamp>,
    /// Entries of the next page that are stored and counted already.
    #[serde(default)]
    pub(super) counted: usize,
    /// Entries found in the slice, less those that are gone.
    #[serde(default)]
    pub(super) more: i64,
}

/// What comes next in a slice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum At {
    /// This page, from 1.
    Page(u32),
    /// Those that were not seen.
    Unseen {
        /// Where the list of what is known goes on.
        cursor: Option<String>,
        /// How many were asked for so far.
        asked: u32,
    },
}

impl Place {
    /// The beginning of a slice.
    pub(super) fn begin(slice: usize, part: Option<Part>, read: &Read, now: Timestamp) -> Self {
        let since = match part {
            Some(Part::Changes) => read.since(now),
            Some(Part::All | Part::Known | Part::Days(..)) | None => None,
        };
        Self {
            slice,
            begun: now,
            since,
            at: At::Page(1),
            size: 0,
            total: None,
            waits: None,
            counted: 0,
            more: 0,
        }
    }

    /// What the provider is asked for.
    pub(super) fn span(&self, part: Part) -> Span {
        match part {
            Part::All | Part::Known => Span::All,
            Part::Changes => self.since.map_or(Span::All, Span::Since),
            Part::Days(from, to) => Span::Days(from, to),
        }
    }

    /// After when an entry of the slice was changed, where the provider does not tell of each.
    pub(super) fn changed_after(&self) -> Timestamp {
        self.since.map_or(self.begun, |since| since.saturating_add(OVERLAP).unwrap_or(Timestamp::MAX))
    }

    /// How many pages back entries may have moved up that stood behind the border, when there are fewer than before.
    pub(super) fn moved_up(&self, total: Option<u64>) -> u32 {
        let (Some(before), Some(now)) = (self.total, total) else { return 0 };
        let fewer = before.saturating_sub(now);
        u32::try_from(fewer.div_ceil(self.size.max(1))).unwrap_or(u32::MAX)
    }
}

/// How far a reading has come, for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shown {
    /// Which register is being read.
    pub register: Register,
    /// Which part of the reading, from 1.
    pub slice: usize,
    /// Of how many.
    pub slices: usize,
    /// Which page of the part comes next, from 1; none when what was not seen is being asked for.
    pub page: Option<u32>,
    /// Of about how many, where the provider tells.
    pub pages: Option<u64>,
}

/// How far a job that reads registers has come; none when it has not begun or is over.
#[must_use]
pub fn shown(job: &Job, reading: &Reading) -> Option<Shown> {
    let place: Place = serde_json::from_str(job.position.as_deref()?).ok()?;
    let slices = slices(reading);
    let slice = slices.get(place.slice)?;
    let page = match place.at {
        At::Page(page) => Some(page),
        At::Unseen { .. } => None,
    };
    let pages = place.total.filter(|_| place.size > 0).map(|total| total.div_ceil(place.size).max(1));
    Some(Shown { register: slice.register, slice: place.slice + 1, slices: slices.len(), page, pages })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    #[test]
    fn days_are_cut_into_months() {
        let months = |from: &str, to: &str| -> Vec<String> {
            months(day(from), day(to)).iter().map(|(a, b)| format!("{a}..{b}")).collect()
        };
        assert_eq!(months("2026-01-15", "2026-01-20"), ["2026-01-15..2026-01-20"]);
        assert_eq!(
            months("2025-12-31", "2026-03-01"),
            [
                "2025-12-31..2025-12-31",
                "2026-01-01..2026-01-31",
                "2026-02-01..2026-02-28",
                "2026-03-01..2026-03-01"
            ]
        );
        assert!(months("2026-01-02", "2026-01-01").is_empty());
    }

    #[test]
    fn the_next_reading_overlaps_and_looks_back_to_what_an_order_was_not_told() {
        let at = |text: &str| -> Timestamp { format!("2026-11-{text}:00Z").parse().unwrap() };
        let read = |waits: Option<&str>| Read {
            until: Some(at("20T08:00")),
            waits: waits.map(at),
            ..Read::default()
        };
        let now = at("20T09:00");
        assert_eq!(read(None).since(now), Some(at("20T07:00")));
        assert_eq!(read(Some("20T02:00")).since(now), Some(at("20T01:00")));
        assert_eq!(read(Some("20T08:30")).since(now), Some(at("20T07:00")));
        assert_eq!(read(Some("01T00:00")).since(now), Some(at("19T08:00")), "no further than a day");
        assert_eq!(Read::default().since(now), None);
    }

    #[test]
    fn a_total_that_shrank_leads_back_by_as_many_pages_as_it_takes() {
        let mut place = Place::begin(0, Some(Part::All), &Read::default(), Timestamp::UNIX_EPOCH);
        (place.size, place.total) = (500, Some(1_200));
        for (total, pages) in
            [(None, 0), (Some(1_300), 0), (Some(1_200), 0), (Some(1_199), 1), (Some(700), 1), (Some(699), 2)]
        {
            assert_eq!(place.moved_up(total), pages, "{total:?}");
        }
    }
}
