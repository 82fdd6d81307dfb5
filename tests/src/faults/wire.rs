//! The wire between the connectors and the simulators: keeps their clocks together and has bad moments by script. What a
//! slow provider costs is simulated time.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bokbro_app::memory::ManualClock;
use bokbro_app::ports::{Clock as _, CrashPoints as _};
use bokbro_connectors::kit::{Answer, Authorization, NoAnswer, Request, Transport, Wire};
use bokbro_connectors::{fortnox, ongoing, visma, viva};
use jiff::{SignedDuration, Timestamp};

use super::case::{Program, Trouble};
use super::stage::Stage;
use crate::world::{Simulators, TIME_OUT};

/// When the transport gives an answer up, unless a request is more patient.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long after that a request may still take effect. With the longest lag of lists it stays below the settle time.
const LATE: SignedDuration = SignedDuration::from_secs(3);

/// A call of a provider, by the connector's own name for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Spot {
    /// The provider's name.
    pub provider: &'static str,
    /// The operation's name in logs.
    pub operation: &'static str,
}

impl Spot {
    /// Whether the call changes something at the provider.
    #[must_use]
    pub fn writes(&self) -> bool {
        let starts = ["create_", "bookkeep_", "date_", "price_", "convert_", "put_", "cancel_"];
        starts.iter().any(|start| self.operation.starts_with(start))
    }
}

/// Calls that no day makes, because they are no part of an order's way: the provider, the operation, and the file of the
/// test that asks for it with faults of its own.
pub const ELSEWHERE: &[(&str, &str, &str)] = &[
    ("viva", "create_order", "tests/it/test_orders.rs"),
    ("visma", "get_customer", "tests/it/registers"),
    ("fortnox", "list_vouchers", "tests/it/vouchers"),
    ("fortnox", "get_voucher", "tests/it/vouchers"),
    ("fortnox", "get_voucher_series", "tests/it/vouchers"),
    ("fortnox", "create_voucher", "tests/it/vouchers"),
    ("visma", "list_voucher_drafts", "tests/it/vouchers"),
    ("visma", "get_voucher_draft", "tests/it/vouchers"),
    ("visma", "create_voucher_draft", "tests/it/vouchers"),
    ("visma", "convert_voucher_draft", "tests/it/vouchers"),
    ("visma", "list_vouchers", "tests/it/vouchers"),
];

/// Every call that the connectors make, from their own lists, except those of [`ELSEWHERE`].
#[must_use]
pub fn spots() -> Vec<Spot> {
    let mut spots = spots_of(Program::Fortnox, true);
    for more in spots_of(Program::Visma, false) {
        if !spots.contains(&more) {
            spots.push(more);
        }
    }
    spots
}

/// The same of the providers of one day.
pub(super) fn spots_of(program: Program, ships: bool) -> Vec<Spot> {
    let ledger: &[&'static str] = match program {
        Program::Fortnox => &fortnox::OPERATIONS,
        Program::Visma | Program::VismaWithoutRotation => &visma::OPERATIONS,
    };
    let warehouse: &[&'static str] = if ships { &ongoing::OPERATIONS } else { &[] };
    // The token endpoint is no part of the API that the list is of.
    let lists = [
        (program.name(), ledger),
        (program.name(), &["fetch_token"]),
        (viva::NAME, &viva::OPERATIONS),
        (ongoing::NAME, warehouse),
    ];
    let all = lists
        .into_iter()
        .flat_map(|(provider, names)| names.iter().map(move |name| Spot { provider, operation: name }));
    all.filter(|spot| !is_elsewhere(spot)).collect()
}

fn is_elsewhere(spot: &Spot) -> bool {
    ELSEWHERE
        .iter()
        .any(|(provider, operation, _)| (*provider, *operation) == (spot.provider, spot.operation))
}

/// What goes wrong with one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// No connection comes about.
    NoConnection,
    /// The request is lost, and no answer comes.
    TimeOutBefore,
    /// The request takes effect, and no answer comes.
    TimeOutAfter,
    /// No answer comes, and a little later the request takes effect all the same.
    TimeOutLate,
    /// The connection breaks before the request takes effect.
    ResetBefore,
    /// The connection breaks after the request took effect.
    ResetAfter,
    /// 500 instead of the effect.
    Status500Before,
    /// 500 although the request took effect.
    Status500After,
    /// 503 instead of the effect.
    Status503Before,
    /// 503 although the request took effect.
    Status503After,
    /// 429 without a word on when to come again.
    Limited,
    /// 429 with `Retry-After`.
    LimitedFor7,
    /// 401.
    Status401,
    /// 403: a right, licence or consent is missing.
    Status403,
    /// A gateway's page with status 200 after the effect.
    HtmlPage,
    /// The right body under a wrong content type.
    OtherType,
    /// The effect, and half of the answer.
    Truncated,
    /// The effect, and an answer of 200 without a body.
    Empty,
    /// No effect, and an answer of 200 without a body.
    EmptyBefore,
    /// The answer takes as long as it may.
    Slow,
    /// The effect, and the platform ends the invocation before the answer comes.
    BeyondDeadline,
}

impl Fault {
    /// All of them.
    pub const ALL: [Self; 21] = [
        Self::ResetBefore,
        Self::ResetAfter,
        Self::TimeOutBefore,
        Self::TimeOutAfter,
        Self::TimeOutLate,
        Self::NoConnection,
        Self::Status500Before,
        Self::Status500After,
        Self::Status503Before,
        Self::Status503After,
        Self::Limited,
        Self::LimitedFor7,
        Self::Status401,
        Self::Status403,
        Self::HtmlPage,
        Self::OtherType,
        Self::Truncated,
        Self::Empty,
        Self::EmptyBefore,
        Self::Slow,
        Self::BeyondDeadline,
    ];
}

/// Sends over a real transport, with scripted troubles.
pub(super) struct FaultyWire {
    transport: Transport,
    simulators: Simulators,
    stage: Arc<Stage>,
    clock: OnceLock<Arc<ManualClock>>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    troubles: Vec<Trouble>,
    /// Requests that take effect although nobody waits for their answers any more.
    late: Vec<(Timestamp, Request, Authorization)>,
    hit: BTreeSet<(Spot, Fault)>,
    asked: BTreeSet<Spot>,
    /// Nothing goes wrong any more.
    healed: bool,
    unlisted: BTreeSet<&'static str>,
}

impl FaultyWire {
    pub(super) fn new(transport: Transport, simulators: Simulators, stage: Arc<Stage>) -> Self {
        Self { transport, simulators, stage, clock: OnceLock::new(), state: Mutex::default() }
    }

    /// The clock of the world that sends over this wire. The simulators follow it.
    pub(super) fn follow(&self, clock: Arc<ManualClock>) {
        self.clock.set(clock).ok();
        self.tick();
    }

    /// Sets the simulators' clocks.
    pub(super) fn tick(&self) {
        self.tick_to(self.now());
    }

    fn tick_to(&self, now: Timestamp) {
        self.simulators.fortnox.clock.set(now);
        self.simulators.visma.clock.set(now);
        self.simulators.viva.kit.clock.set(now);
        self.simulators.ongoing.kit.clock.set(now);
    }

    fn now(&self) -> Timestamp {
        self.clock.get().map_or(Timestamp::UNIX_EPOCH, |clock| clock.now())
    }

    fn pass(&self, time: Duration) {
        if let Some(clock) = self.clock.get() {
            clock.advance(time);
        }
        self.tick();
    }

    /// Scripts what goes wrong from now on, and forgets what was asked before.
    pub(super) fn script(&self, troubles: &[Trouble]) {
        *self.state() = State { troubles: troubles.to_vec(), ..State::default() };
    }

    /// Nothing goes wrong any more, except at the operations that only people set going.
    pub(super) fn heal(&self) {
        let mut state = self.state();
        state.healed = true;
        state.troubles.retain(|trouble| BY_HAND.contains(&trouble.spot.operation));
    }

    /// What went wrong where.
    pub(super) fn hit(&self) -> BTreeSet<(Spot, Fault)> {
        self.state().hit.clone()
    }

    /// What was asked for while something could go wrong with it.
    pub(super) fn asked(&self) -> BTreeSet<Spot> {
        self.state().asked.clone()
    }

    /// Operations that no list names.
    pub(super) fn unlisted(&self) -> BTreeSet<&'static str> {
        self.state().unlisted.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn provider_of(&self, request: &Request) -> &'static str {
        let simulators = &self.simulators;
        let urls = [
            (&simulators.fortnox.url, fortnox::NAME),
            (&simulators.visma.url, visma::NAME),
            (&simulators.ongoing.url, ongoing::NAME),
        ];
        urls.into_iter().find(|(url, _)| **url == request.base).map_or(viva::NAME, |(_, name)| name)
    }

    /// The fault of this call, if the script has one for it.
    fn take(&self, request: &Request) -> Option<Fault> {
        let spot = Spot { provider: self.provider_of(request), operation: request.operation };
        let mut state = self.state();
        if !spots().contains(&spot) && !is_elsewhere(&spot) {
            state.unlisted.insert(request.operation);
        }
        if !state.healed || BY_HAND.contains(&spot.operation) {
            state.asked.insert(spot);
        }
        let trouble = state.troubles.iter_mut().find(|trouble| trouble.spot == spot && trouble.times > 0)?;
        if trouble.after > 0 {
            trouble.after -= 1;
            return None;
        }
        trouble.times -= 1;
        let fault = trouble.fault;
        state.hit.insert((spot, fault));
        Some(fault)
    }

    /// Lets requests take effect whose time has come.
    pub(super) async fn arrive(&self) {
        loop {
            let now = self.now();
            let due = {
                let mut state = self.state();
                let at = state.late.iter().position(|(due, _, _)| *due <= now);
                at.map(|at| state.late.remove(at))
            };
            let Some((due, request, authorization)) = due else { break };
            self.tick_to(due);
            // Nobody waits for the answer.
            drop(self.transport.exchange(&request, &authorization).await);
        }
        self.tick();
    }
}

/// Operations of a check of a connection, which a person asks for after the bad day.
pub(super) const BY_HAND: [&str; 4] =
    ["get_company_information", "get_company_settings", "read_webhook_key", "list_statuses"];

/// A refusal for want of a right, in the provider's own words where it has some.
fn no_access(provider: &str) -> Answer {
    let words =
        r#"{"ErrorCode":4002,"DeveloperErrorMessage":"No access to module: api_standard","ErrorId":"1"}"#;
    answer(403, if provider == visma::NAME { words } else { "" })
}

fn answer(status: u16, body: &'static str) -> Answer {
    let content_type = Some(if body.starts_with('<') { "text/html" } else { "application/json" }.to_owned());
    Answer { status, retry_after: None, content_type, x_uid: None, body: body.into() }
}

#[async_trait]
impl Wire for FaultyWire {
    async fn exchange(&self, request: &Request, authorization: &Authorization) -> Result<Answer, NoAnswer> {
        self.arrive().await;
        let Some(fault) = self.take(request) else {
            return self.transport.exchange(request, authorization).await;
        };
        let patience = request.patience.unwrap_or(PATIENCE);
        let lost = |why: &'static str| Err(NoAnswer::MaybeSent(why.into()));
        let real = async || self.transport.exchange(request, authorization).await;
        match fault {
            Fault::NoConnection => Err(NoAnswer::NotSent("connection refused".into())),
            Fault::TimeOutBefore => {
                self.pass(patience);
                lost("timed out")
            }
            Fault::TimeOutAfter => {
                // At the last moment, so that lists still lag when the look-up comes.
                self.pass(patience);
                real().await?;
                lost("timed out")
            }
            Fault::TimeOutLate => {
                self.pass(patience);
                let due = self.now().saturating_add(LATE).unwrap_or(Timestamp::MAX);
                self.state().late.push((due, request.clone(), authorization.clone()));
                lost("timed out")
            }
            Fault::ResetBefore => lost("connection reset"),
            Fault::ResetAfter => {
                real().await?;
                lost("connection reset")
            }
            Fault::Status500Before => Ok(answer(500, "{}")),
            Fault::Status500After => real().await.map(|_| answer(500, "{}")),
            Fault::Status503Before => Ok(answer(503, "<html>Service Unavailable</html>")),
            Fault::Status503After => real().await.map(|_| answer(503, "<html>Service Unavailable</html>")),
            Fault::Limited => Ok(answer(429, "")),
            Fault::LimitedFor7 => Ok(Answer { retry_after: Some("7".to_owned()), ..answer(429, "") }),
            Fault::Status401 => Ok(answer(401, "")),
            Fault::Status403 => Ok(no_access(self.provider_of(request))),
            Fault::HtmlPage => real().await.map(|_| answer(200, "<html><body>Hello</body></html>")),
            Fault::OtherType => {
                let told = real().await?;
                Ok(Answer { content_type: Some("text/plain".to_owned()), ..told })
            }
            Fault::Truncated => {
                let told = real().await?;
                let body = told.body.slice(..told.body.len() / 2);
                Ok(Answer { body, ..told })
            }
            Fault::Empty => real().await.map(|_| answer(200, "")),
            Fault::EmptyBefore => Ok(answer(200, "")),
            Fault::Slow => {
                let told = real().await?;
                self.pass(patience.saturating_sub(Duration::from_secs(1)));
                Ok(told)
            }
            Fault::BeyondDeadline => {
                real().await?;
                self.pass(TIME_OUT + Duration::from_secs(1));
                self.stage.reached("during a call").await;
                lost("nobody waits any more")
            }
        }
    }
}
