//! What is counted and measured: the names of figures, which stand as fields on lines that are logged anyway.
//!
//! A use case that logs what happened adds the figure to the same line, `{ metrics::DUPLICATES } = 1`; the runtime turns
//! every line with such a field into a metric (`docs/adr/0029-figures-are-fields-of-log-lines.md`). Without a runtime it is
//! a field like any other. `docs/LOGGING.md` tells what each figure means.

/// Webhooks that were made durable.
pub const WEBHOOKS: &str = "Webhooks";
/// Webhooks that had been dealt with before.
pub const DUPLICATES: &str = "Duplicates";
/// Payments that were parked because they fit no order.
pub const PAYMENTS_UNMATCHED: &str = "Unmatched";
/// Orders that are complete at one of their targets: booked, or sent to the warehouse.
pub const SYNCED: &str = "Synced";
/// Seconds from an order's payment until its sale was in the books.
pub const BOOKED_LAG: &str = "BookedLag";
/// Messages whose handling failed.
pub const FAILED: &str = "Failed";
/// Items that were parked.
pub const PARKED: &str = "Parked";
/// Items that wait for a human when a sweep passes by.
pub const PARKED_WAITING: &str = "ParkedWaiting";
/// Calls that a provider answered with 429.
pub const PROVIDER_LIMITED: &str = "ProviderLimited";
/// Writes of which no answer told what became.
pub const OUTCOMES_UNKNOWN: &str = "OutcomeUnknown";
/// Seconds that the oldest write of a tenant has waited for a human to say what became of it.
pub const OUTCOME_UNKNOWN_AGE: &str = "OutcomeUnknownAge";
/// Access tokens that were fetched.
pub const TOKEN_REFRESHES: &str = "TokenRefreshes";
/// Access tokens that could not be fetched or stored.
pub const TOKEN_REFRESHES_FAILED: &str = "TokenRefreshesFailed";
/// Whole days until the first consent lapses that nobody uses.
pub const CONSENT_DAYS_LEFT: &str = "ConsentDaysLeft";
/// Connections whose provider does not let us in, as the hourly tick finds them.
pub const CONNECTIONS_DOWN: &str = "ConnectionsDown";
/// Hourly ticks that looked at every connection.
pub const TICKS: &str = "Ticks";

/// Field that says which provider a figure is about.
pub const PROVIDER: &str = "provider";
/// Field that says what happens next with a message that failed.
pub const CLASS: &str = "class";

/// What a figure is measured in, by its name at CloudWatch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// How many.
    Count,
    /// Seconds.
    Seconds,
    /// Something that CloudWatch has no unit for.
    None,
}

impl Unit {
    /// The name at CloudWatch.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Count => "Count",
            Self::Seconds => "Seconds",
            Self::None => "None",
        }
    }
}

/// A figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metric {
    /// Its name, which is also the field's.
    pub name: &'static str,
    /// What it is measured in.
    pub unit: Unit,
    /// The field by whose few values it is told apart, besides the sum over all of them. Never the tenant: each value of
    /// each figure costs money every month.
    pub by: Option<&'static str>,
}

const fn metric(name: &'static str, unit: Unit, by: Option<&'static str>) -> Metric {
    Metric { name, unit, by }
}

/// Every figure.
pub const METRICS: &[Metric] = &[
    metric(WEBHOOKS, Unit::Count, Some(PROVIDER)),
    metric(DUPLICATES, Unit::Count, None),
    metric(PAYMENTS_UNMATCHED, Unit::Count, None),
    metric(SYNCED, Unit::Count, Some(PROVIDER)),
    metric(BOOKED_LAG, Unit::Seconds, None),
    metric(FAILED, Unit::Count, Some(CLASS)),
    metric(PARKED, Unit::Count, None),
    metric(PARKED_WAITING, Unit::Count, None),
    metric(PROVIDER_LIMITED, Unit::Count, Some(PROVIDER)),
    metric(OUTCOMES_UNKNOWN, Unit::Count, Some(PROVIDER)),
    metric(OUTCOME_UNKNOWN_AGE, Unit::Seconds, None),
    metric(TOKEN_REFRESHES, Unit::Count, Some(PROVIDER)),
    metric(TOKEN_REFRESHES_FAILED, Unit::Count, Some(PROVIDER)),
    metric(CONSENT_DAYS_LEFT, Unit::None, Some(PROVIDER)),
    metric(CONNECTIONS_DOWN, Unit::Count, Some(PROVIDER)),
    metric(TICKS, Unit::Count, None),
];

/// The figure of this name.
#[must_use]
pub fn metric_of(field: &str) -> Option<&'static Metric> {
    METRICS.iter().find(|metric| metric.name == field)
}
