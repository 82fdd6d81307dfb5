//! What stores keep besides orders and ledgers: settings, connections, webhook endpoints, keys, history, parked items.

use std::collections::BTreeMap;

use bokbro_domain::ids::{CorrelationId, JobId, OrderId, ParkedId, Provider, Target, TenantId};
use bokbro_domain::posting::{AccountRole, Chart, PostingProfile};
use bokbro_domain::said::Said;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// A tenant's own choices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// Where payments come from.
    pub payments: Provider,
    /// Which books, if any.
    pub accounting: Option<Provider>,
    /// Which warehouse, if any.
    pub warehouse: Option<Provider>,
    /// Which documents a paid order becomes.
    #[serde(default)]
    pub posting_profile: PostingProfile,
    /// Accounts that differ from the provider's own settings.
    #[serde(default)]
    pub accounts: BTreeMap<AccountRole, u16>,
    /// The ledger's code of the way of payment, when it differs.
    #[serde(default)]
    pub payment_mode: Option<String>,
}

/// Whether a connection works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConnectionState {
    /// Entered and never tried.
    Unchecked,
    /// Works.
    Healthy,
    /// Consent, licence or credentials are gone; waits for a human.
    NeedsConsent,
    /// Taken back by a human: its secrets are deleted, its history is kept.
    Disconnected,
}

impl ConnectionState {
    /// The state's name in the catalog and in logs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unchecked => "unchecked",
            Self::Healthy => "healthy",
            Self::NeedsConsent => "needs_consent",
            Self::Disconnected => "disconnected",
        }
    }
}

/// One tenant's connection to one provider. No secret: those are in the vault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connection {
    /// Whose.
    pub tenant: TenantId,
    /// To whom.
    pub provider: Provider,
    /// Whether it works.
    pub state: ConnectionState,
    /// The provider's own settings by name that are no secrets: its tenant id, merchant id, source code.
    #[serde(default)]
    pub settings: BTreeMap<String, String>,
    /// The chart of accounts as last read from the provider.
    #[serde(default)]
    pub chart: Option<ReadChart>,
}

/// A chart of accounts and when it was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadChart {
    /// The chart.
    pub chart: Chart,
    /// When it was read from the provider.
    pub read_at: Timestamp,
}

/// A webhook address that a provider was given; the name in the path is unguessable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// The path segment.
    pub name: String,
    /// Whose.
    pub tenant: TenantId,
    /// From whom.
    pub provider: Provider,
    /// What the handshake answers with. The provider publishes it by asking, so it is no secret.
    pub handshake_key: String,
    /// SHA-256 in hex of the secret that deliveries carry, from providers that have such a thing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_sha256: Option<String>,
}

/// What the holder of an API key or a session may do; each role includes those below it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Look.
    Viewer,
    /// Post orders, nudge, replay.
    Operator,
    /// Connections and parked items.
    Bookkeeper,
    /// Everything.
    Owner,
}

impl Role {
    /// All of them, the least first.
    pub const ALL: [Self; 4] = [Self::Viewer, Self::Operator, Self::Bookkeeper, Self::Owner];

    /// The role's name in the API, in settings and in claims.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Bookkeeper => "bookkeeper",
            Self::Owner => "owner",
        }
    }

    /// Reads the role's name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == name)
    }
}

/// An API key as stored: its hash stands in the table's key, never the key itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiKey {
    /// Whose orders it may touch.
    pub tenant: TenantId,
    /// What it may do.
    pub role: Role,
    /// First characters, so that people can tell keys apart.
    pub prefix: String,
    /// `key_` and a ULID; empty for keys that were made before they had one.
    #[serde(default)]
    pub id: String,
    /// What people call it.
    #[serde(default)]
    pub name: String,
    /// When it was made.
    #[serde(default)]
    pub created_at: Timestamp,
    /// When it was used last, within the hour.
    #[serde(default)]
    pub used_at: Option<Timestamp>,
}

/// Somebody who has signed in, for as long as that counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Who it is, as the sign-in provider knows them.
    pub subject: String,
    /// Who it is, for people and for the audit log: the e-mail address as a rule.
    pub name: String,
    /// What they may do, and where.
    pub grants: BTreeMap<TenantId, Role>,
    /// Where they are just now.
    pub tenant: TenantId,
    /// What every form of theirs carries, so that no other site can send one.
    pub form_token: String,
    /// When they signed in.
    pub signed_in_at: Timestamp,
    /// When they must sign in again.
    pub expires_at: Timestamp,
}

impl Session {
    /// What they may do where they are.
    #[must_use]
    pub fn role(&self) -> Option<Role> {
        self.grants.get(&self.tenant).copied()
    }
}

/// One entry of an order's history, for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimelineEntry {
    /// ULID; entries sort by it.
    pub id: String,
    /// When.
    pub at: Timestamp,
    /// Stable short name, `invoice_created` say.
    pub event: String,
    /// What happened, for people; no personal data, no secrets.
    pub message: Said,
    /// Ties it to the outside event that set it in motion.
    pub correlation: CorrelationId,
}

/// Something that waits for a human.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parked {
    /// `prk_` and a ULID.
    pub id: ParkedId,
    /// Since when.
    pub at: Timestamp,
    /// Stable short name of the reason.
    pub code: String,
    /// What happened and what to do, for people.
    pub message: Said,
    /// Alike for the same trouble: it is parked once however often it comes.
    pub fingerprint: String,
    /// Which order, when it is known.
    pub order: Option<OrderId>,
    /// Which target, when it is about one.
    pub target: Option<Target>,
    /// Ids and amounts that help to look; no personal data, no secrets.
    #[serde(default)]
    pub details: BTreeMap<String, String>,
    /// Ties it to the outside event that set it in motion.
    pub correlation: CorrelationId,
}

/// One run of a longer task, as people watch it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// `job_` and a ULID.
    pub id: JobId,
    /// What it does.
    pub task: JobTask,
    /// How it stands.
    pub state: JobState,
    /// Who asked for it: `schedule`, or the API key's first characters.
    pub by: String,
    /// Why, when a person said so.
    #[serde(default)]
    pub reason: Option<String>,
    /// How much of what, by name: `nudged_accounting`, `replayed`.
    #[serde(default)]
    pub counts: BTreeMap<String, u64>,
    /// Where a run that stopped for lack of time left off; only the job's own worker reads it.
    #[serde(default)]
    pub position: Option<String>,
    /// When it was asked for.
    pub started_at: Timestamp,
    /// When it last got on.
    pub updated_at: Timestamp,
    /// When it ended, well or not.
    #[serde(default)]
    pub finished_at: Option<Timestamp>,
    /// How often it was begun.
    #[serde(default)]
    pub attempts: u32,
    /// What went wrong last, outer message only.
    #[serde(default)]
    pub error: Option<Said>,
    /// Ties it to the outside event that set it in motion.
    pub correlation: CorrelationId,
}

impl Job {
    /// A job that nobody has begun.
    #[must_use]
    pub fn waiting(id: JobId, task: JobTask, by: &str, now: Timestamp, correlation: &CorrelationId) -> Self {
        Self {
            id,
            task,
            state: JobState::Waiting,
            by: by.to_owned(),
            reason: None,
            counts: BTreeMap::new(),
            position: None,
            started_at: now,
            updated_at: now,
            finished_at: None,
            attempts: 0,
            error: None,
            correlation: correlation.clone(),
        }
    }
}

/// How often a job is begun in all before only a human begins it again.
pub const JOB_ATTEMPTS: u32 = 5;

/// What a job does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum JobTask {
    /// Looks for everything of the tenant that was left behind.
    Sweep,
    /// Sends dead letters again.
    Replay {
        /// Names of the queues whose dead letters they are.
        queues: Vec<String>,
        /// Which messages; all when there is no list.
        #[serde(default)]
        ids: Option<Vec<String>>,
        /// How many a second at most.
        #[serde(default)]
        per_second: Option<u32>,
        /// Whether they are those of all tenants: the account's operator asked, not a tenant.
        #[serde(default)]
        everybody: bool,
    },
    /// Reads the registers of a ledger program back.
    Registers {
        /// Which.
        provider: Provider,
        /// What of them.
        #[serde(flatten)]
        reading: Reading,
    },
}

/// What is read of a ledger program's registers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "read", rename_all = "snake_case")]
pub enum Reading {
    /// What has changed since the last time.
    Changes,
    /// Everything; what was known and is not there is looked for.
    Full,
    /// Invoices of these days, first and last included, and all customers.
    Days {
        /// The first day.
        from: Date,
        /// The last day.
        to: Date,
    },
}

/// How a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    /// Not begun.
    Waiting,
    /// Under way.
    Running,
    /// Ended well.
    Done,
    /// Ended badly; the next sweep tries again a few times.
    Failed,
}

/// One change that somebody made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// ULID; entries sort by it.
    pub id: String,
    /// When.
    pub at: Timestamp,
    /// The API key's first characters, or who signed in.
    pub who: String,
    /// Stable short name, `dead_letters_replayed` say.
    pub what: String,
    /// What it was done to: an order's or parked item's id, a queue.
    pub subject: String,
    /// Why, when a person said so.
    #[serde(default)]
    pub reason: Option<String>,
    /// As it was; no secrets.
    #[serde(default)]
    pub before: Option<serde_json::Value>,
    /// As it is now; no secrets.
    #[serde(default)]
    pub after: Option<serde_json::Value>,
    /// Ties it to the request.
    pub correlation: CorrelationId,
}
