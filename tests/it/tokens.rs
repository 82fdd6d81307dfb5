//! The token protocol against workers that die, freeze and race, and a provider that rotates.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bokbro_app::error::Error;
use bokbro_app::memory::{ManualClock, MemoryStore, MemoryVault};
use bokbro_app::ports::{
    Clock, CrashPoints, GrantKind, Guard, TokenEndpoint, TokenGrant, TokenStates, Tokens, Vault, Versioned,
};
use bokbro_app::records::{Connection, ConnectionState};
use bokbro_app::secret::{Credentials, SecretText};
use bokbro_app::tokens::{LeasedTokens, TokenMemory};
use bokbro_domain::ids::{Provider, TenantId};
use bokbro_domain::said::Said;
use bokbro_domain::token::TokenState;
use futures::future::join_all;
use jiff::Timestamp;
use proptest::prelude::*;
use tokio::sync::Notify;

const SECRET: &str = "connections/demo/ledger";

fn tenant() -> TenantId {
    TenantId::parse("demo").unwrap()
}

fn ledger() -> Provider {
    Provider::parse("ledger").unwrap()
}

fn secret(text: impl Into<String>) -> SecretText {
    SecretText::new(text.into())
}

/// How the provider deals with refresh tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Habit {
    ClientCredentials,
    /// Each refresh gives another refresh token; the old one is dead at once.
    Rotating,
    /// The refresh token stays.
    Reusable,
}

/// The provider: knows the one refresh token that is alive, and counts the calls.
struct Issuer {
    habit: Habit,
    live: Mutex<String>,
    calls: AtomicU64,
}

impl Issuer {
    fn grant(&self, refresh: Option<String>) -> TokenGrant {
        let nth = self.calls.load(Ordering::SeqCst);
        TokenGrant {
            access_token: secret(format!("access-{nth}")),
            expires_in: Duration::from_secs(3600),
            refresh_token: refresh.map(secret),
        }
    }

    fn live(&self) -> String {
        self.live.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[async_trait]
impl TokenEndpoint for Issuer {
    fn app_secret(&self) -> Option<&str> {
        None
    }

    fn grant_kind(&self, _: &Connection) -> GrantKind {
        match self.habit {
            Habit::ClientCredentials => GrantKind::ClientCredentials,
            Habit::Rotating | Habit::Reusable => GrantKind::RefreshToken,
        }
    }

    fn refresh_life(&self) -> Option<Duration> {
        None
    }

    async fn client_credentials(
        &self,
        _: &Connection,
        _: &Credentials,
        _: &Credentials,
    ) -> Result<TokenGrant, Error> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        tokio::task::yield_now().await;
        Ok(self.grant(None))
    }

    async fn refresh(
        &self,
        _: &Connection,
        _: &Credentials,
        token: &SecretText,
    ) -> Result<TokenGrant, Error> {
        let nth = self.calls.fetch_add(1, Ordering::SeqCst) + 1;
        {
            let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
            if *live != token.expose() {
                return Err(Error::Consent {
                    provider: "ledger".into(),
                    message: Said::quoted("invalid_grant"),
                });
            }
            if self.habit == Habit::Rotating {
                *live = format!("refresh-{nth}");
            }
        }
        tokio::task::yield_now().await;
        Ok(self.grant((self.habit == Habit::Rotating).then(|| self.live())))
    }
}

/// What decides about the workers' fates: seeded, so that a failing case can be run again.
struct Fate {
    clock: ManualClock,
    deadly: bool,
    deaths_left: AtomicU64,
    /// From now on nobody freezes or dies.
    calm: AtomicBool,
    /// A worker died between the provider's answer and the staging of what may be a token: no protocol can help then.
    lost: AtomicBool,
}

impl Fate {
    fn roll(&self, sides: u64) -> u64 {
        self.clock.dice() % sides
    }
}

/// Time that only fate moves; waiting lets the others run.
struct FateClock(Arc<Fate>);

#[async_trait]
impl Clock for FateClock {
    fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    async fn wait(&self, _: Duration) {
        tokio::task::yield_now().await;
    }

    fn dice(&self) -> u64 {
        self.0.clock.dice()
    }
}

/// One worker's way to the world: every step may be slow or its last.
struct Worker {
    fate: Arc<Fate>,
    vault: Arc<MemoryVault>,
    store: Arc<MemoryStore>,
    dead: Notify,
    /// It has a token in hand that nobody else knows of.
    in_hand: AtomicBool,
}

impl Worker {
    async fn step(&self) {
        for _ in 0..self.fate.roll(4) {
            tokio::task::yield_now().await;
        }
        match self.fate.roll(40) {
            _ if self.fate.calm.load(Ordering::SeqCst) => {}
            // Frozen for longer than any lease.
            0 => self.fate.clock.advance(Duration::from_secs(70)),
            1 if self.fate.deadly && self.dies() => {
                if self.in_hand.load(Ordering::SeqCst) {
                    self.fate.lost.store(true, Ordering::SeqCst);
                }
                self.dead.notify_one();
                std::future::pending::<()>().await;
            }
            _ => {}
        }
        tokio::task::yield_now().await;
    }

    fn dies(&self) -> bool {
        let left = &self.fate.deaths_left;
        left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1)).is_ok()
    }
}

#[async_trait]
impl CrashPoints for Worker {
    async fn reached(&self, point: &str) {
        if point == "after the token call" {
            self.in_hand.store(true, Ordering::SeqCst);
        }
        self.step().await;
    }
}

#[async_trait]
impl Vault for Worker {
    async fn secret_get(&self, name: &str) -> Result<Option<Versioned>, Error> {
        self.step().await;
        self.vault.secret_get(name).await
    }

    async fn secret_put(&self, name: &str, credentials: &Credentials) -> Result<(), Error> {
        self.vault.secret_put(name, credentials).await
    }

    async fn secret_staged(&self, name: &str) -> Result<Option<Versioned>, Error> {
        self.step().await;
        self.vault.secret_staged(name).await
    }

    async fn secret_stage(&self, name: &str, credentials: &Credentials) -> Result<String, Error> {
        self.step().await;
        let staged = self.vault.secret_stage(name, credentials).await;
        self.in_hand.store(false, Ordering::SeqCst);
        self.step().await;
        staged
    }

    async fn secret_promote(&self, name: &str, staged: &str, over: &str) -> Result<bool, Error> {
        self.step().await;
        let promoted = self.vault.secret_promote(name, staged, over).await;
        self.step().await;
        promoted
    }

    async fn secret_delete(&self, name: &str) -> Result<(), Error> {
        self.vault.secret_delete(name).await
    }
}

#[async_trait]
impl TokenStates for Worker {
    async fn token_state(&self, tenant: &TenantId, to: &Provider) -> Result<TokenState, Error> {
        self.step().await;
        self.store.token_state(tenant, to).await
    }

    async fn token_state_put(
        &self,
        tenant: &TenantId,
        to: &Provider,
        guard: &Guard,
        state: &TokenState,
    ) -> Result<(), Error> {
        self.step().await;
        let put = self.store.token_state_put(tenant, to, guard, state).await;
        self.step().await;
        put
    }
}

struct Bench {
    fate: Arc<Fate>,
    issuer: Arc<Issuer>,
    vault: Arc<MemoryVault>,
    store: Arc<MemoryStore>,
}

impl Bench {
    async fn new(habit: Habit, seed: u64, deaths: u64) -> Self {
        let clock = ManualClock::new("2026-11-20T12:00:00Z".parse().unwrap(), seed);
        let fate = Arc::new(Fate {
            clock,
            deadly: deaths > 0,
            deaths_left: AtomicU64::new(deaths),
            calm: AtomicBool::new(false),
            lost: AtomicBool::new(false),
        });
        let issuer = Issuer { habit, live: Mutex::new("refresh-0".into()), calls: AtomicU64::new(0) };
        let vault = Arc::new(MemoryVault::default());
        let entered = Credentials::default().with("refresh_token", secret("refresh-0"));
        vault.secret_put(SECRET, &entered).await.unwrap();
        Self { fate, issuer: Arc::new(issuer), vault, store: Arc::new(MemoryStore::default()) }
    }

    fn worker(&self) -> (Arc<Worker>, LeasedTokens) {
        let worker = Arc::new(Worker {
            fate: self.fate.clone(),
            vault: self.vault.clone(),
            store: self.store.clone(),
            dead: Notify::new(),
            in_hand: AtomicBool::new(false),
        });
        let connection = Connection {
            tenant: tenant(),
            provider: ledger(),
            state: ConnectionState::Healthy,
            settings: [].into(),
            chart: None,
        };
        let tokens = LeasedTokens {
            connection: Arc::new(connection),
            app: Credentials::default(),
            endpoint: self.issuer.clone(),
            vault: worker.clone(),
            secret: SECRET.into(),
            states: worker.clone(),
            clock: Arc::new(FateClock(self.fate.clone())),
            crash: worker.clone(),
            memory: tokio::sync::Mutex::new(TokenMemory::default()),
        };
        (worker, tokens)
    }

    /// Runs a worker that asks for a token some times, with a 401 in between; `None` when it died.
    async fn run(&self, times: u64) -> Option<Result<SecretText, Error>> {
        let (worker, tokens) = self.worker();
        let work = async {
            let mut last = tokens.token().await;
            for _ in 1..times {
                if let Ok(token) = &last {
                    tokens.refused(token).await;
                }
                last = tokens.token().await;
            }
            last
        };
        tokio::select! {
            last = work => Some(last),
            () = worker.dead.notified() => None,
        }
    }

    /// Whether the refresh token that is alive at the provider stands in the vault.
    async fn keeps_the_live_token(&self) -> bool {
        let live = self.issuer.live();
        let holds = |secret: Option<Versioned>| {
            secret
                .and_then(|s| s.credentials.get("refresh_token").map(|token| token.expose() == live))
                .unwrap_or(false)
        };
        holds(self.vault.secret_get(SECRET).await.unwrap())
            || holds(self.vault.secret_staged(SECRET).await.unwrap())
    }

    fn calls(&self) -> u64 {
        self.issuer.calls.load(Ordering::SeqCst)
    }
}

#[tokio::test]
async fn sixty_four_workers_make_one_call_and_all_get_its_token() {
    for habit in [Habit::ClientCredentials, Habit::Rotating, Habit::Reusable] {
        let bench = Bench::new(habit, 1, 0).await;
        // Nobody freezes here: a lease that runs out is another test's.
        let calm = |_| {
            let (_, mut tokens) = bench.worker();
            (tokens.vault, tokens.states) = (bench.vault.clone(), bench.store.clone());
            tokens.crash = Arc::new(bokbro_app::app::NoCrash);
            tokens
        };
        let workers: Vec<LeasedTokens> = (0..64).map(calm).collect();
        let got = join_all(workers.iter().map(LeasedTokens::token)).await;
        let got: Vec<String> = got.into_iter().map(|token| token.unwrap().expose().to_owned()).collect();
        assert_eq!(bench.calls(), 1, "{habit:?}");
        assert!(got.iter().all(|token| token == "access-1"), "{habit:?}: {got:?}");
    }
}

#[tokio::test]
async fn a_token_stored_by_a_dead_worker_is_used_without_a_call() {
    // Fate kills at a chosen point; everything before it is stored.
    for point in ["after staging the token", "after storing the token"] {
        let bench = Bench::new(Habit::Rotating, 1, 0).await;
        let (_, mut dying) = bench.worker();
        let crash = Arc::new(bokbro_tests::crash::DieAt::default());
        let points = [
            "after taking the token lease",
            "before the token call",
            "after the token call",
            "after staging the token",
            "after storing the token",
        ];
        crash.arm(points.iter().position(|p| *p == point));
        dying.crash = crash.clone();
        (dying.vault, dying.states) = (bench.vault.clone(), bench.store.clone());
        tokio::select! {
            _ = dying.token() => panic!("it lives"),
            () = crash.dying() => {}
        }
        assert_eq!(crash.passed().last().map(String::as_str), Some(point));
        bench.fate.clock.advance(Duration::from_secs(61));
        let token = bench.run(1).await.unwrap().unwrap();
        assert_eq!((token.expose(), bench.calls()), ("access-1", 1), "{point}");
    }
}

#[tokio::test]
async fn a_rotated_token_that_nobody_stored_ends_the_connection_at_once() {
    let bench = Bench::new(Habit::Rotating, 1, 0).await;
    let (_, mut dying) = bench.worker();
    let crash = Arc::new(bokbro_tests::crash::DieAt::default());
    crash.arm(Some(2));
    dying.crash = crash.clone();
    tokio::select! {
        _ = dying.token() => panic!("it lives"),
        () = crash.dying() => {}
    }
    bench.fate.clock.advance(Duration::from_secs(61));
    assert!(matches!(bench.run(1).await, Some(Err(Error::Consent { .. }))));
    let calls = bench.calls();
    assert!(matches!(bench.run(1).await, Some(Err(Error::Consent { .. }))));
    assert_eq!(bench.calls(), calls, "a consent that has ended burns no calls");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever happens to the workers, the newest refresh token that was staged is the one that the next worker uses; the
    /// connection is lost only when a worker died with the only copy in its hands.
    #[test]
    fn the_newest_refresh_token_is_never_lost(seed in any::<u64>(), workers in 2usize..6, times in 1u64..4, deaths in 0u64..3) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let bench = Bench::new(Habit::Rotating, seed, deaths).await;
            join_all((0..workers).map(|_| bench.run(times))).await;
            // A quiet worker comes when all leases and cool-downs are over.
            bench.fate.clock.advance(Duration::from_secs(2 * 3600));
            bench.fate.calm.store(true, Ordering::SeqCst);
            let kept = bench.keeps_the_live_token().await;
            let died_with_it = bench.fate.lost.load(Ordering::SeqCst);
            prop_assert!(kept || died_with_it, "nobody died with the token in hand, and it is gone");
            let last = bench.run(1).await.unwrap();
            prop_assert_eq!(last.is_ok(), kept, "after {} calls: {:?}", bench.calls(), last.err());
            prop_assert!(!kept || bench.keeps_the_live_token().await, "the last worker lost it");
            Ok(())
        })?;
    }
}
