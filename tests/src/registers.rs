//! A ledger program's registers in memory, which do what a test says while they are read.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bokbro_app::error::Error;
use bokbro_app::memory::{ManualClock, MemoryStore};
use bokbro_app::ports::{
    Access, Accounting, Checkup, Clock as _, Contents, Entry, EntryField, Limited, Mapping, Mappings as _,
    OAuth, ParcelWebhooks, Payments, Providers, Register, RegisterKey, RegisterPage, Registers, Senders,
    Shipping, Span, TokenEndpoint, Vouchers, Webhooks,
};
use bokbro_domain::ids::Provider;
use bokbro_domain::money::{Currency, Money};
use jiff::Timestamp;

use crate::world::{World, provider, tenant};

/// The registers, by their entries' ids.
pub struct Books {
    state: Mutex<State>,
    clock: Arc<ManualClock>,
    store: Arc<MemoryStore>,
    /// Entries of a page.
    size: usize,
    /// How long a call takes.
    takes: Duration,
}

type Script = Box<dyn FnOnce(&Books) + Send>;

#[derive(Default)]
struct State {
    entries: BTreeMap<(Register, u32), (Entry, Timestamp)>,
    calls: Vec<Call>,
    /// How many calls there were in all.
    made: usize,
    /// Whether the call that is being answered fails.
    failing: bool,
    /// What is done before a call is answered, by the number of the call.
    scripts: BTreeMap<usize, Script>,
    /// Most entries that were read and not stored yet when the next page was asked for.
    held: usize,
    handed_out: usize,
}

/// A call as it was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    /// For a page.
    Page(Register, Span, u32),
    /// For one entry.
    Entry(Register, u32),
    /// A call that failed.
    Failed,
}

impl Books {
    /// Empty registers in place of those of the world's ledger program.
    pub fn instead(world: &mut World, size: usize) -> Arc<Self> {
        Self::instead_with(world, size, Duration::ZERO)
    }

    /// The same with pages that take their time.
    pub fn instead_with(world: &mut World, size: usize, takes: Duration) -> Arc<Self> {
        let (clock, store) = (world.clock.clone(), world.store.clone());
        let books = Arc::new(Self { state: Mutex::default(), clock, store, size, takes });
        let registers: Arc<dyn Registers> = books.clone();
        world.app.providers = Arc::new(With { others: world.app.providers.clone(), registers });
        books
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes or changes an entry now.
    pub fn put(&self, register: Register, entry: Entry) {
        let (id, now) = (entry.external_id.parse().unwrap(), self.clock.now());
        self.lock().entries.insert((register, id), (entry, now));
    }

    /// Makes customers and invoices with ids from 1 on.
    pub fn fill(&self, customers: u32, invoices: u32) {
        (1..=customers).for_each(|id| self.put(Register::Customers, customer(id)));
        (1..=invoices).for_each(|id| self.put(Register::Invoices, invoice(id)));
    }

    /// Deletes an entry.
    pub fn delete(&self, register: Register, id: u32) {
        self.lock().entries.remove(&(register, id)).unwrap();
    }

    /// Has something done just before the n-th call from now, from 0, is answered.
    pub fn before_call(&self, nth: usize, script: impl FnOnce(&Self) + Send + 'static) {
        let mut state = self.lock();
        let nth = state.made + nth;
        state.scripts.insert(nth, Box::new(script));
    }

    /// Has the n-th call from now, from 0, fail.
    pub fn fail_call(&self, nth: usize) {
        self.before_call(nth, |books| books.lock().failing = true);
    }

    /// The calls since the last time.
    pub fn calls(&self) -> Vec<Call> {
        std::mem::take(&mut self.lock().calls)
    }

    /// Most entries that were read and not stored yet when the next page was asked for.
    pub fn held(&self) -> usize {
        self.lock().held
    }

    /// The ids of a register.
    pub fn ids(&self, register: Register) -> Vec<String> {
        self.lock().entries.keys().filter(|(of, _)| *of == register).map(|(_, id)| id.to_string()).collect()
    }

    /// Notes a call; says whether it fails.
    fn begin(&self, call: Call) -> bool {
        let script = {
            let mut state = self.lock();
            let nth = state.made;
            state.made += 1;
            state.scripts.remove(&nth)
        };
        if let Some(script) = script {
            script(self);
        }
        self.clock.advance(self.takes);
        let mut state = self.lock();
        let fails = std::mem::take(&mut state.failing);
        state.calls.push(if fails { Call::Failed } else { call });
        fails
    }
}

fn no_answer() -> Error {
    Error::Unavailable { provider: "ledger".into(), step: "reading".into(), after: None, source: None }
}

#[async_trait]
impl Registers for Books {
    async fn page(
        &self,
        _access: &Access,
        register: Register,
        span: Span,
        number: u32,
    ) -> Result<RegisterPage, Error> {
        let stored = mapped(&self.store, register).await.len();
        if self.begin(Call::Page(register, span, number)) {
            return Err(no_answer());
        }
        let mut state = self.lock();
        let all: Vec<Entry> = state
            .entries
            .iter()
            .filter(|((of, _), (entry, changed))| *of == register && in_span(entry, *changed, span))
            .map(|(_, (entry, _))| entry.clone())
            .collect();
        let from = (usize::try_from(number).unwrap() - 1) * self.size;
        let entries: Vec<Entry> = all.iter().skip(from).take(self.size).cloned().collect();
        if span == Span::All {
            state.handed_out = if number == 1 { 0 } else { state.handed_out };
            state.held = state.held.max(state.handed_out.saturating_sub(stored) + entries.len());
            state.handed_out += entries.len();
        }
        Ok(RegisterPage {
            more: from + entries.len() < all.len(),
            total: Some(u64::try_from(all.len()).unwrap()),
            entries,
        })
    }

    async fn entry(
        &self,
        _access: &Access,
        register: Register,
        external_id: &str,
    ) -> Result<Option<Entry>, Error> {
        let id: u32 = external_id.parse().unwrap();
        if self.begin(Call::Entry(register, id)) {
            return Err(no_answer());
        }
        Ok(self.lock().entries.get(&(register, id)).map(|(entry, _)| entry.clone()))
    }
}

fn in_span(entry: &Entry, changed: Timestamp, span: Span) -> bool {
    match (span, &entry.contents) {
        (Span::All, _) | (Span::Days(..), Contents::Customer { .. }) => true,
        (Span::Since(since), _) => changed >= since,
        (Span::Days(from, to), Contents::Invoice { date, .. }) => {
            date.is_some_and(|date| (from..=to).contains(&date))
        }
    }
}

/// A customer with an e-mail address of its own.
pub fn customer(id: u32) -> Entry {
    let contents = Contents::Customer {
        organisation_number: None,
        email: Some(format!("buyer-{id}@example.se")),
        active: true,
    };
    Entry { external_id: id.to_string(), number: id.to_string(), changed_at: None, contents }
}

/// An invoice that is not ours, paid.
pub fn invoice(id: u32) -> Entry {
    let kronor = |minor| Some(Money::new(minor, Currency::SEK));
    let contents = Contents::Invoice {
        reference: None,
        customer_id: Some("1".to_owned()),
        customer_number: Some("1".to_owned()),
        date: Some("2026-11-20".parse().unwrap()),
        total: kronor(10_000),
        balance: kronor(0),
        booked: Some(true),
        canceled: false,
        credited: false,
        paid_on: Some("2026-11-20".parse().unwrap()),
    };
    Entry { external_id: id.to_string(), number: id.to_string(), changed_at: None, contents }
}

/// What is known of a register, sorted by id as a number where it is one.
pub async fn mapped(store: &MemoryStore, register: Register) -> Vec<Mapping> {
    mapped_at(store, "fortnox", register).await
}

/// The same at a ledger program of the test's choice.
pub async fn mapped_at(store: &MemoryStore, at: &str, register: Register) -> Vec<Mapping> {
    let of = RegisterKey { tenant: tenant(), provider: provider(at), register };
    let (mut all, mut cursor) = (Vec::new(), None);
    loop {
        let page = store.mappings_list(&of, 5_000, cursor.as_ref()).await.unwrap();
        all.extend(page.items);
        cursor = page.next;
        if cursor.is_none() {
            all.sort_by_key(|mapping| mapping.external_id.parse::<u64>().unwrap_or(u64::MAX));
            return all;
        }
    }
}

/// The providers as they are, with other registers.
struct With {
    others: Arc<dyn Providers>,
    registers: Arc<dyn Registers>,
}

impl Providers for With {
    fn payments(&self, provider: &Provider) -> Option<Arc<dyn Payments>> {
        self.others.payments(provider)
    }

    fn accounting(&self, provider: &Provider) -> Option<Arc<dyn Accounting>> {
        self.others.accounting(provider)
    }

    fn vouchers(&self, provider: &Provider) -> Option<Arc<dyn Vouchers>> {
        self.others.vouchers(provider)
    }

    fn registers(&self, provider: &Provider) -> Option<Arc<dyn Registers>> {
        self.others.accounting(provider).map(|_| self.registers.clone())
    }

    fn shipping(&self, provider: &Provider) -> Option<Shipping> {
        self.others.shipping(provider)
    }

    fn tokens(&self, provider: &Provider) -> Option<Arc<dyn TokenEndpoint>> {
        self.others.tokens(provider)
    }

    fn oauth(&self, provider: &Provider) -> Option<Arc<dyn OAuth>> {
        self.others.oauth(provider)
    }

    fn checkup(&self, provider: &Provider) -> Option<Arc<dyn Checkup>> {
        self.others.checkup(provider)
    }

    fn limited(&self, provider: &Provider) -> Option<Arc<dyn Limited>> {
        self.others.limited(provider)
    }

    fn entry_fields(&self, provider: &Provider) -> Option<&'static [EntryField]> {
        self.others.entry_fields(provider)
    }

    fn names(&self) -> Vec<Provider> {
        self.others.names()
    }
}

impl Senders for With {
    fn webhooks(&self, provider: &Provider) -> Option<Arc<dyn Webhooks>> {
        self.others.webhooks(provider)
    }

    fn parcel_webhooks(&self, provider: &Provider) -> Option<Arc<dyn ParcelWebhooks>> {
        self.others.parcel_webhooks(provider)
    }
}
