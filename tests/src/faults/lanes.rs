//! Queues and workers of a day: which worker moves when, who dies, and what comes back when.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bokbro_app::app::{App, Invocation};
use bokbro_app::error::{Disposition, Error, chain};
use bokbro_app::message::Envelope;
use bokbro_app::ports::{Clock as _, QueueName};
use bokbro_app::work::message_handle;
use bokbro_domain::retry::queue_wait;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::Notify;

use super::case::{At, Stop};
use super::stage::Stage;
use super::verdict::Finding;
use super::wire::FaultyWire;
use crate::world::{MAX_RECEIVES, TIME_OUT, World};

/// Workers at once.
const LANES: usize = 3;
/// More stops than any day that ends has.
const ENDLESS: u32 = 20_000;
/// A lease outlives its invocation by less than this.
const LEASE_OVER: SignedDuration = SignedDuration::from_secs(20);

/// A message outside its queue.
pub(super) struct Flying {
    pub(super) queue: QueueName,
    pub(super) message: Envelope,
    pub(super) receives: u32,
    pub(super) visible_at: Timestamp,
}

/// One invocation under way.
struct Worker {
    future: Pin<Box<dyn Future<Output = Result<(), Error>>>>,
    turn: Arc<Notify>,
    /// The message comes back at its `visible_at` unless it is deleted or given back before.
    flying: Flying,
    deadline: Timestamp,
    /// Where it stands; nowhere before its first turn.
    at: Option<String>,
    /// Stalled: how many stops of others it sleeps through once its lease is over.
    frozen: Option<u8>,
}

impl Worker {
    fn is_about_to_write(&self) -> bool {
        self.at.as_deref().is_some_and(|at| at.starts_with("before write"))
    }
}

/// One sandbox, in which invocations run one after the other; what the process remembers stays until it is killed.
struct Lane {
    app: App,
    worker: Option<Worker>,
}

/// All queues and workers of a day.
pub(super) struct Lanes {
    app: App,
    stage: Arc<Stage>,
    wire: Arc<FaultyWire>,
    lanes: Vec<Lane>,
    pub(super) flying: Vec<Flying>,
    pub(super) dead: Vec<Flying>,
    pub(super) errors: Vec<String>,
    stops: Vec<(At, Stop)>,
    seen: u32,
    writes: u32,
    invocations: u64,
    /// What the workers did, step by step.
    pub(super) story: Vec<String>,
}

impl Lanes {
    pub(super) fn new(app: App, stage: Arc<Stage>, wire: Arc<FaultyWire>, stops: Vec<(At, Stop)>) -> Self {
        let app = app.dying_at(stage.clone());
        let lanes = (0..LANES).map(|_| Lane { app: sandbox(&app, &stage), worker: None }).collect();
        let (flying, dead, errors) = (Vec::new(), Vec::new(), Vec::new());
        Self {
            app,
            stage,
            wire,
            lanes,
            flying,
            dead,
            errors,
            stops,
            seen: 0,
            writes: 0,
            invocations: 0,
            story: Vec::new(),
        }
    }

    /// From now on nobody dies.
    pub(super) fn heal(&mut self) {
        self.stops.clear();
    }

    /// Lets workers work until nothing is left that time alone would change, or until they have come so many stops far.
    ///
    /// # Errors
    /// When that never happens.
    pub(super) async fn settle_until(&mut self, world: &World, stop: Option<u32>) -> Result<(), Finding> {
        let mut current = None;
        let from = self.seen;
        loop {
            if stop.is_some_and(|stop| stop <= self.seen) {
                return Ok(());
            }
            if self.seen - from > ENDLESS {
                return Err(Finding::Endless(self.errors.iter().rev().take(5).cloned().collect()));
            }
            self.wire.arrive().await;
            self.collect(world);
            let now = world.clock.now();
            self.end_overdue(now);
            if let Some(lane) = self.thawed(now, false) {
                self.late_write(lane).await;
                continue;
            }
            let lane = current.take().filter(|lane| self.moves(*lane));
            let lane = lane.or_else(|| (0..LANES).find(|lane| self.moves(*lane)));
            let lane = match lane.or_else(|| self.start(now)) {
                Some(lane) => lane,
                None => match self.next_moment() {
                    Some(at) if at > now => {
                        world.clock.advance(Duration::try_from(at.duration_since(now)).unwrap());
                        continue;
                    }
                    // All lanes are stalled, or nothing is left.
                    _ => match self.thawed(now, true) {
                        Some(lane) => {
                            self.late_write(lane).await;
                            continue;
                        }
                        None => return Ok(()),
                    },
                },
            };
            if !self.advance(world, lane).await {
                continue;
            }
            current = match self.stop_here(lane) {
                None => Some(lane),
                Some(Stop::Switch) => {
                    let others = (1..LANES).map(|by| (lane + by) % LANES);
                    let other = others.into_iter().find(|other| self.moves(*other));
                    other.or_else(|| self.start(world.clock.now())).or(Some(lane))
                }
                Some(Stop::Kill) => {
                    self.kill(lane);
                    None
                }
                Some(Stop::Freeze(stops)) => {
                    if let Some(worker) = &mut self.lanes[lane].worker {
                        worker.frozen = Some(stops);
                    }
                    None
                }
            };
        }
    }

    /// Holds what was sent back until a time.
    pub(super) fn hold_back(&mut self, world: &World, until: Timestamp) {
        let from = self.flying.len();
        self.collect(world);
        for flying in self.flying.iter_mut().skip(from) {
            flying.visible_at = until;
        }
    }

    /// Takes what was sent.
    pub(super) fn collect(&mut self, world: &World) {
        let now = world.clock.now();
        for queue in QueueName::ALL {
            while let Some(message) = world.queues.take(queue) {
                let visible_at = message.not_before.unwrap_or(Timestamp::MIN).max(now);
                self.flying.push(Flying { queue, message, receives: 0, visible_at });
            }
        }
    }

    fn moves(&self, lane: usize) -> bool {
        self.lanes[lane].worker.as_ref().is_some_and(|worker| worker.frozen.is_none())
    }

    /// The platform ends invocations whose time is over. A stalled one is ended too, but its last write may be under way.
    fn end_overdue(&mut self, now: Timestamp) {
        for lane in 0..LANES {
            let over = |worker: &Worker| worker.frozen.is_none() && now > worker.deadline;
            if self.lanes[lane].worker.as_ref().is_some_and(over) {
                self.kill(lane);
            }
        }
    }

    /// A stalled worker whose late write arrives now.
    fn thawed(&self, now: Timestamp, at_last: bool) -> Option<usize> {
        (0..LANES).find(|lane| {
            self.lanes[*lane].worker.as_ref().is_some_and(|worker| {
                let over = worker.deadline.saturating_add(LEASE_OVER).is_ok_and(|at| at < now);
                worker.frozen.is_some_and(|stops| at_last || over && stops == 0)
            })
        })
    }

    /// The one write that was on its way, and then the end.
    async fn late_write(&mut self, lane: usize) {
        if let Some(worker) = &mut self.lanes[lane].worker
            && worker.is_about_to_write()
        {
            self.stage.turn(&worker.turn, true);
            tokio::select! {
                ended = &mut worker.future => drop(ended),
                _ = self.stage.stopped() => {}
            }
        }
        self.kill(lane);
    }

    /// The worker is gone with all that its process knew; its message comes back by itself.
    fn kill(&mut self, lane: usize) {
        self.story.push(format!("{} worker {lane} is gone", self.seen));
        if let Some(worker) = self.lanes[lane].worker.take() {
            self.back(worker.flying);
        }
        self.lanes[lane].app = sandbox(&self.app, &self.stage);
    }

    fn back(&mut self, flying: Flying) {
        if flying.receives >= MAX_RECEIVES {
            self.dead.push(flying);
        } else {
            self.flying.push(flying);
        }
    }

    /// Starts a worker on the message that has waited longest, if one waits and a lane is free.
    fn start(&mut self, now: Timestamp) -> Option<usize> {
        let lane = (0..LANES).find(|lane| self.lanes[*lane].worker.is_none())?;
        let waiting = self.flying.iter().enumerate().filter(|(_, flying)| flying.visible_at <= now);
        let (index, _) = waiting.min_by_key(|(_, flying)| flying.visible_at)?;
        let mut flying = self.flying.remove(index);
        flying.receives += 1;
        flying.visible_at = now + TIME_OUT * 6;
        self.invocations += 1;
        let deadline = now + TIME_OUT;
        let invocation = Invocation {
            owner: format!("invocation-{}", self.invocations),
            deadline,
            receive: flying.receives,
            place: flying.message.place,
            correlation: flying.message.correlation.clone(),
        };
        let (app, queue, message) = (self.lanes[lane].app.clone(), flying.queue, flying.message.clone());
        let future = Box::pin(async move { message_handle(&app, &invocation, queue, &message).await });
        let turn = Arc::new(Notify::new());
        self.lanes[lane].worker = Some(Worker { future, turn, flying, deadline, at: None, frozen: None });
        Some(lane)
    }

    /// When something happens by time alone.
    fn next_moment(&self) -> Option<Timestamp> {
        self.flying.iter().map(|flying| flying.visible_at).min()
    }

    /// Lets a worker go on to its next stop; says whether it stands there, or else has ended.
    async fn advance(&mut self, world: &World, lane: usize) -> bool {
        let Some(worker) = &mut self.lanes[lane].worker else { return false };
        self.stage.turn(&worker.turn, worker.at.is_some());
        let ended = tokio::select! {
            biased;
            ended = &mut worker.future => ended,
            at = self.stage.stopped() => {
                let (nth, queue) = (self.seen, worker.flying.queue.as_str());
                self.story.push(format!("{nth} {} worker {lane} of {queue} {at}", world.clock.now()));
                worker.at = Some(at);
                return true;
            }
        };
        let Some(Worker { flying, .. }) = self.lanes[lane].worker.take() else { return false };
        self.seen += 1;
        self.ended(world, flying, ended);
        false
    }

    /// What the queue does with a message, as the queue's adapter does it.
    fn ended(&mut self, world: &World, mut flying: Flying, ended: Result<(), Error>) {
        let how = ended.as_ref().map_or_else(|error| chain(error), |()| "well".to_owned());
        self.story.push(format!("{} ends: {how}", self.seen));
        let Err(error) = ended else { return };
        self.errors.push(chain(&error));
        let now = world.clock.now();
        flying.visible_at = match error.disposition() {
            Disposition::Later { at } => {
                flying.message.not_before = Some(at);
                flying.message.place = error.place().or(flying.message.place);
                flying.receives = 0;
                at.max(now)
            }
            Disposition::Retry { after: Some(after) } => now + after,
            Disposition::Retry { after: None } => now + queue_wait(flying.receives, world.clock.dice()),
            Disposition::Done | Disposition::NeedsConsent | Disposition::Park => return,
        };
        self.back(flying);
    }

    /// What the script says of this stop.
    fn stop_here(&mut self, lane: usize) -> Option<Stop> {
        let (nth, nth_write) = (self.seen, self.writes);
        self.seen += 1;
        let writes = self.lanes[lane].worker.as_ref().is_some_and(Worker::is_about_to_write);
        self.writes += u32::from(writes);
        for lane in &mut self.lanes {
            if let Some(stops) = lane.worker.as_mut().and_then(|worker| worker.frozen.as_mut()) {
                *stops = stops.saturating_sub(1);
            }
        }
        let is_here = |at: At| match at {
            At::Stop(stop) => u32::from(stop) == nth,
            At::Write(write) => writes && u32::from(write) == nth_write,
        };
        self.stops.iter().find(|(at, _)| is_here(*at)).map(|(_, stop)| *stop)
    }

    /// Sends dead letters again, as somebody does who replays them.
    pub(super) fn replay(&mut self, now: Timestamp) {
        for flying in self.dead.drain(..) {
            self.flying.push(Flying { receives: 0, visible_at: now, ..flying });
        }
    }
}

/// A process that knows nothing yet.
fn sandbox(app: &App, stage: &Arc<Stage>) -> App {
    app.clone().dying_at(stage.clone())
}
