//! The connectors' registers over real HTTP: every page, once, in as few calls as paging allows.

mod fortnox;
mod visma;

use std::collections::BTreeMap;
use std::sync::Arc;

use bokbro_app::error::Error;
use bokbro_app::ports::{Access, Contents, Entry, Register, Registers, Span};
use bokbro_domain::ids::Provider;
use bokbro_tests::world::{World, tenant};
use jiff::civil::Date;

/// A ledger program's registers, opened.
pub(crate) struct Reader {
    registers: Arc<dyn Registers>,
    access: Access,
}

/// What a reading of a register has brought.
#[derive(Debug, Default)]
pub(crate) struct Read {
    pub(crate) entries: Vec<Entry>,
    pub(crate) pages: u32,
    /// What each page told of the whole.
    pub(crate) totals: Vec<u64>,
}

impl Reader {
    /// The registers of the tenant's ledger program.
    pub(crate) async fn of(world: &World, name: &str) -> Self {
        let provider = Provider::parse(name).unwrap();
        let connection = world.app.directory.connection_get(&tenant(), &provider).await.unwrap().unwrap();
        Self {
            registers: world.app.providers.registers(&provider).unwrap(),
            access: world.app.access.open(connection).await.unwrap(),
        }
    }

    /// Reads a register to its end.
    pub(crate) async fn all(&self, register: Register, span: Span) -> Result<Read, Error> {
        self.all_while(register, span, async |_| {}).await
    }

    /// The same, with something happening after each page.
    pub(crate) async fn all_while(
        &self,
        register: Register,
        span: Span,
        after: impl AsyncFn(u32),
    ) -> Result<Read, Error> {
        let mut read = Read::default();
        loop {
            read.pages += 1;
            let page = self.registers.page(&self.access, register, span, read.pages).await?;
            read.entries.extend(page.entries);
            read.totals.extend(page.total);
            if !page.more {
                return Ok(read);
            }
            after(read.pages).await;
        }
    }

    /// One entry as it is now.
    pub(crate) async fn entry(&self, register: Register, id: &str) -> Option<Entry> {
        self.registers.entry(&self.access, register, id).await.unwrap()
    }

    /// Every kind of read once, so that all of them have been spoken.
    pub(crate) async fn speak(&self) {
        let since = Span::Since("2020-01-01T00:00:00Z".parse().unwrap());
        let days = Span::Days("2020-01-01".parse().unwrap(), "2030-12-31".parse().unwrap());
        for register in Register::ALL {
            for span in [Span::All, since, days] {
                let read = self.all(register, span).await.unwrap();
                assert!(!read.entries.is_empty(), "{register:?} {span:?}");
            }
            let first = &self.all(register, Span::All).await.unwrap().entries[0];
            assert!(self.entry(register, &first.external_id).await.is_some());
        }
    }
}

impl Read {
    /// How often each id came.
    fn ids(&self) -> BTreeMap<&str, u32> {
        let mut ids = BTreeMap::new();
        for entry in &self.entries {
            *ids.entry(entry.external_id.as_str()).or_default() += 1;
        }
        ids
    }

    /// So many entries, each once.
    #[track_caller]
    fn is_each_once_of(&self, many: usize) {
        assert_eq!((self.entries.len(), self.ids().len()), (many, many));
    }

    /// The same, told of by every page.
    #[track_caller]
    fn is_each_once(&self, many: usize) {
        self.is_each_once_of(many);
        assert!(self.totals.iter().all(|total| *total == many as u64), "{:?}", self.totals);
    }

    /// The ids of the invoices of these days.
    fn of_days(&self, first: Date, last: Date) -> Vec<&str> {
        let is_of = |entry: &&Entry| match entry.contents {
            Contents::Invoice { date, .. } => date.is_some_and(|date| (first..=last).contains(&date)),
            Contents::Customer { .. } => false,
        };
        self.entries.iter().filter(is_of).map(|entry| entry.external_id.as_str()).collect()
    }
}
