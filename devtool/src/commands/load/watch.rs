//! What the stack's processes use while the storm lasts.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tokio::time::{MissedTickBehavior, interval};

use crate::stack::Stack;
use crate::stack::processes::{self, Process};

/// Time between two looks.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// After this part of its work a process has filled every cache.
const FULL_AFTER: u32 = 5;

/// Looks at all processes of a stack.
pub(super) struct Watch {
    group: u32,
    /// Functions by the name that Lambda gives them, as people call them.
    functions: BTreeMap<String, String>,
    begun: Instant,
    looks: Vec<Look>,
}

/// One look: memory in KiB and processor time by process.
struct Look {
    at: Duration,
    seen: BTreeMap<(String, u32), (u64, Duration)>,
}

/// What all processes of one name used.
pub(super) struct Used {
    pub(super) name: String,
    /// How many there were at the end.
    pub(super) processes: usize,
    /// Memory of the largest one, in KiB: after a fifth of the time, in the middle, at the end.
    pub(super) resident: [u64; 3],
    /// By how many KiB the memory of the one that worked most has grown since its caches were full.
    pub(super) grown: Option<i64>,
    /// Processor time of all of them.
    pub(super) busy: Duration,
    /// How much of one processor that is.
    pub(super) share: f64,
}

/// The name of the emulator among the processes.
pub(super) const EMULATOR: &str = "the local AWS";
/// The name of this tool among them.
pub(super) const TOOL: &str = "senders, stand-ins and proxies";

impl Watch {
    /// Begins to watch.
    ///
    /// # Errors
    /// When the local AWS is gone.
    pub(super) fn new(stack: &Stack) -> Result<Self> {
        let group = stack.aws_pid().context("the local AWS is gone")?;
        let short = |id: &String| id.trim_end_matches("Function").to_lowercase();
        let functions = stack.functions().iter().map(|(id, function)| (function.name.clone(), short(id)));
        Ok(Self { group, functions: functions.collect(), begun: Instant::now(), looks: Vec::new() })
    }

    /// Looks again and again; ends by being dropped.
    ///
    /// # Errors
    /// When the system does not tell.
    pub(super) async fn look_on(&mut self) -> Result<Infallible> {
        let mut ticks = interval(LOOK_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let group = self.group;
            // Reading a hundred small files must not keep a delivery waiting.
            let all = tokio::task::spawn_blocking(move || processes::of_group(group)).await??;
            let named = all.iter().map(|process| (self.name_of(process), process));
            let mut seen: BTreeMap<_, _> =
                named.map(|(name, one)| ((name, one.pid), (one.resident, one.processor))).collect();
            let own = std::process::id();
            let used = (processes::resident(own)?, processes::processor(own)?);
            seen.insert((TOOL.to_owned(), own), used);
            self.looks.push(Look { at: self.begun.elapsed(), seen });
        }
    }

    fn name_of(&self, process: &Process) -> String {
        match &process.function {
            Some(function) => self.functions.get(function).unwrap_or(function).clone(),
            None => EMULATOR.to_owned(),
        }
    }

    /// What was seen, by name.
    pub(super) fn used(&self) -> Vec<Used> {
        used(&self.looks)
    }
}

fn used(looks: &[Look]) -> Vec<Used> {
    let Some((first, last)) = looks.first().zip(looks.last()) else { return Vec::new() };
    let lasted = (last.at - first.at).as_secs_f64().max(f64::EPSILON);
    let since = |part: Duration| looks.iter().find(|look| look.at - first.at >= part).unwrap_or(last);
    let (full, middle) = (since((last.at - first.at) / FULL_AFTER), since((last.at - first.at) / 2));
    let mut names: Vec<&String> =
        looks.iter().flat_map(|look| look.seen.keys()).map(|(name, _)| name).collect();
    names.sort();
    names.dedup();
    let figures = names.into_iter().map(|name| {
        let of = |look: &Look| -> BTreeMap<u32, (u64, Duration)> {
            let ours = look.seen.iter().filter(|((other, _), _)| other == name);
            ours.map(|((_, pid), used)| (*pid, *used)).collect()
        };
        let largest = |look| of(look).values().map(|(resident, _)| *resident).max().unwrap_or(0);
        // What a process had used before the first look is none of the storm's.
        let mut works: BTreeMap<u32, Vec<(Duration, u64)>> = BTreeMap::new();
        for look in looks {
            for (pid, (resident, time)) in of(look) {
                let born = of(first).get(&pid).map_or(Duration::ZERO, |(_, time)| *time);
                works.entry(pid).or_default().push((time.saturating_sub(born), resident));
            }
        }
        let busiest = works.values().max_by_key(|work| work.last().map(|(time, _)| *time));
        let ends = works.values().filter_map(|work| work.last());
        let busy: Duration = ends.map(|(time, _)| *time).sum();
        Used {
            name: name.clone(),
            processes: of(last).len(),
            resident: [full, middle, last].map(largest),
            grown: busiest.and_then(|work| grown(work)),
            busy,
            share: busy.as_secs_f64() / lasted,
        }
    });
    figures.collect()
}

/// By how much memory has grown since a process had done the first part of its work. By the clock, one that was hardly used
/// before would count as a leak.
fn grown(work: &[(Duration, u64)]) -> Option<i64> {
    let (done, at_last) = work.last()?;
    let (_, before) = work.iter().find(|(time, _)| *time >= *done / FULL_AFTER)?;
    Some(i64::try_from(*at_last).ok()? - i64::try_from(*before).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growth_is_that_of_one_process_and_time_is_that_of_all() {
        let look = |at, seen: &[(u32, u64, u64)]| Look {
            at: Duration::from_secs(at),
            seen: seen
                .iter()
                .map(|(pid, resident, time)| {
                    (("sync".to_owned(), *pid), (*resident, Duration::from_secs(*time)))
                })
                .collect(),
        };
        let looks = [
            look(5, &[(1, 900, 3)]),
            look(7, &[(1, 1_000, 4), (2, 1_200, 1)]),
            look(10, &[(1, 1_050, 5), (2, 1_200, 2), (3, 2_000, 1)]),
            look(15, &[(1, 1_100, 6), (3, 2_100, 2)]),
        ];
        let all = used(&looks);
        let [sync] = all.as_slice() else { panic!("one name") };
        assert_eq!((sync.processes, sync.resident), (2, [1_200, 2_000, 2_100]));
        // The first one worked most, and had done a fifth of it at the second look.
        assert_eq!(sync.grown, Some(100));
        // Three seconds, two and two, in ten.
        assert!((sync.share - 0.7).abs() < 1e-9, "{}", sync.share);
        assert!(used(&[]).is_empty());
    }
}
