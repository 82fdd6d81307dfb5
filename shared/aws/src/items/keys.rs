//! Keys of the hub table, all of them: what is not built here is not in the table.

use aws_sdk_dynamodb::types::AttributeValue;
use bokbro_app::ports::{LedgerKey, LimitKey, LookUp, LookUpKind, OpenKind, RegisterKey};
use bokbro_domain::day::DayId;
use bokbro_domain::ids::{JobId, OrderId, ParkedId, Provider, TenantId, TransactionId};
use bokbro_domain::order::OrderState;
use bokbro_domain::posting::CreditId;
use jiff::Timestamp;

use super::{Item, stamp, text};

/// Partition and sort key of one item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) pk: String,
    pub(crate) sk: String,
}

/// Sort keys of a partition that begin alike: one kind of item.
pub(crate) const ORDERS: &str = "O#";
pub(crate) const FACTS: &str = "P#";
pub(crate) const TIMELINE: &str = "H#";
pub(crate) const PARKED: &str = "X#";
pub(crate) const JOBS: &str = "J#";
pub(crate) const KEYS: &str = "B#";
pub(crate) const OPEN: &str = "ord_";
pub(crate) const STOCK: &str = "A#";
pub(crate) const DAYS: &str = "day_";
pub(crate) const JOINED: &str = "N#";
pub(crate) const MAPPINGS: &str = "I#";

/// Partition of a tenant's audit log.
pub(crate) fn audit_pk(tenant: &TenantId) -> String {
    format!("T#{tenant}#AUD")
}

/// Partition of the orders of a tenant that wait for something.
pub(crate) fn open_pk(tenant: &TenantId, kind: OpenKind) -> String {
    format!("T#{tenant}#OPEN#{}", kind.as_str())
}

/// Partition of what a warehouse has of a tenant's goods.
pub(crate) fn stock_pk(tenant: &TenantId, at: &Provider) -> String {
    format!("T#{tenant}#STOCK#{at}")
}

/// Partition of what is known of a register.
pub(crate) fn mappings_pk(of: &RegisterKey) -> String {
    format!("T#{}#M#{}#{}", of.tenant, of.provider, of.register.as_str())
}

/// Sort keys of the look-ups of orders by their invoices' numbers.
pub(crate) fn invoice_prefix(at: &Provider) -> String {
    format!("L#invoice#{at}#")
}

/// Partition of a tenant's batches of days.
pub(crate) fn days_pk(tenant: &TenantId) -> String {
    format!("T#{tenant}#DAYS")
}

/// Partition of those that need a worker.
pub(crate) fn open_days_pk(tenant: &TenantId) -> String {
    format!("T#{tenant}#OPEN#day")
}

/// Partition of a batch's entries.
pub(crate) fn day_pk(tenant: &TenantId, day: &DayId) -> String {
    format!("T#{tenant}#D#{day}")
}

/// Partition of what belongs to a tenant.
pub(crate) fn tenant_pk(tenant: &TenantId) -> String {
    format!("T#{tenant}")
}

/// Partition of what belongs to an order.
pub(crate) fn order_pk(tenant: &TenantId, order: &OrderId) -> String {
    format!("T#{tenant}#O#{order}")
}

/// Partition of the index by state.
pub(crate) fn state_pk(tenant: &TenantId, state: OrderState) -> String {
    format!("T#{tenant}#S#{}", state.as_str())
}

/// Sort key of the index by state: orders by their last change.
pub(crate) fn state_sk(updated_at: Timestamp, order: &OrderId) -> String {
    format!("{}#{order}", stamp(updated_at))
}

/// Partition of the index that holds the connections of all tenants.
pub(crate) const CONNECTIONS: &str = "CONNECTIONS";

/// Sort key of the index of connections.
pub(crate) fn connection_sk(tenant: &TenantId, provider: &Provider) -> String {
    format!("{tenant}#{provider}")
}

/// Stored names of the kinds of look-ups.
fn kind_name(kind: LookUpKind) -> &'static str {
    match kind {
        LookUpKind::OrderNumber => "order_number",
        LookUpKind::CheckoutCode => "viva_order_code",
        LookUpKind::Transaction => "transaction",
    }
}

impl Key {
    /// An order.
    pub(crate) fn order(tenant: &TenantId, id: &OrderId) -> Self {
        Self { pk: tenant_pk(tenant), sk: format!("{ORDERS}{id}") }
    }

    /// A value by which an order can be found.
    pub(crate) fn look_up(tenant: &TenantId, by: &LookUp) -> Self {
        let (kind, value) = match by {
            LookUp::OrderNumber(number) => (LookUpKind::OrderNumber, number.to_string()),
            LookUp::CheckoutCode(code) => (LookUpKind::CheckoutCode, code.to_string()),
            LookUp::Transaction(id) => (LookUpKind::Transaction, id.clone()),
        };
        Self { pk: tenant_pk(tenant), sk: format!("L#{}#{value}", kind_name(kind)) }
    }

    /// The trouble that a parked item is about; there is one waiting item per fingerprint.
    pub(crate) fn fingerprint(tenant: &TenantId, fingerprint: &str) -> Self {
        Self { pk: tenant_pk(tenant), sk: format!("L#parked#{fingerprint}") }
    }

    /// A payment fact.
    pub(crate) fn fact(tenant: &TenantId, order: &OrderId, transaction: &TransactionId) -> Self {
        Self { pk: order_pk(tenant, order), sk: format!("{FACTS}{transaction}") }
    }

    /// A ledger.
    pub(crate) fn ledger(key: &LedgerKey) -> Self {
        Self { pk: order_pk(&key.tenant, &key.order), sk: format!("E#{}", key.target.as_str()) }
    }

    /// An order that waits for something.
    pub(crate) fn open(tenant: &TenantId, kind: OpenKind, order: &OrderId) -> Self {
        Self { pk: open_pk(tenant, kind), sk: order.to_string() }
    }

    /// A batch of a day, with its ledger.
    pub(crate) fn day(tenant: &TenantId, day: &DayId) -> Self {
        Self { pk: days_pk(tenant), sk: day.to_string() }
    }

    /// A batch that needs a worker.
    pub(crate) fn open_day(tenant: &TenantId, day: &DayId) -> Self {
        Self { pk: open_days_pk(tenant), sk: day.to_string() }
    }

    /// An entry of a batch.
    pub(crate) fn joined(tenant: &TenantId, day: &DayId, order: &OrderId, credit: Option<CreditId>) -> Self {
        let credit = credit.map(|credit| format!("#{}", credit.0)).unwrap_or_default();
        Self { pk: day_pk(tenant, day), sk: format!("{JOINED}{order}{credit}") }
    }

    /// An entry of an order's history.
    pub(crate) fn timeline(tenant: &TenantId, order: &OrderId, entry: &str) -> Self {
        Self { pk: order_pk(tenant, order), sk: format!("{TIMELINE}{entry}") }
    }

    /// An item that waits for a human.
    pub(crate) fn parked(tenant: &TenantId, id: &ParkedId) -> Self {
        let ulid = id.as_str().strip_prefix("prk_").unwrap_or(id.as_str());
        Self { pk: tenant_pk(tenant), sk: format!("{PARKED}{ulid}") }
    }

    /// A limit on calls.
    pub(crate) fn limiter(key: &LimitKey) -> Self {
        Self { pk: format!("R#{}#{}", key.provider, key.key), sk: "R".to_owned() }
    }

    /// The turn of those of whom only one at a time may do something.
    pub(crate) fn turn(name: &str) -> Self {
        Self { pk: format!("TURN#{name}"), sk: "TURN".to_owned() }
    }

    /// How far a provider's list has been read.
    pub(crate) fn cursor(tenant: &TenantId, of: &Provider, entity: &str) -> Self {
        Self { pk: tenant_pk(tenant), sk: format!("K#{of}#{entity}") }
    }

    /// An article's stock.
    pub(crate) fn stock(tenant: &TenantId, at: &Provider, sku: &str) -> Self {
        Self { pk: stock_pk(tenant, at), sk: format!("{STOCK}{sku}") }
    }

    /// An entry of a register.
    pub(crate) fn mapping(of: &RegisterKey, external_id: &str) -> Self {
        Self { pk: mappings_pk(of), sk: format!("{MAPPINGS}{external_id}") }
    }

    /// The number of an order's invoice or credit invoice.
    pub(crate) fn invoice(tenant: &TenantId, at: &Provider, number: &str) -> Self {
        Self { pk: tenant_pk(tenant), sk: format!("{}{number}", invoice_prefix(at)) }
    }

    /// A run of a longer task.
    pub(crate) fn job(tenant: &TenantId, id: &JobId) -> Self {
        let ulid = id.as_str().strip_prefix("job_").unwrap_or(id.as_str());
        Self { pk: tenant_pk(tenant), sk: format!("{JOBS}{ulid}") }
    }

    /// An entry of the audit log.
    pub(crate) fn audit(tenant: &TenantId, entry: &str) -> Self {
        Self { pk: audit_pk(tenant), sk: entry.to_owned() }
    }

    /// A tenant's settings.
    pub(crate) fn settings(tenant: &TenantId) -> Self {
        Self { pk: tenant_pk(tenant), sk: "S".to_owned() }
    }

    /// A connection.
    pub(crate) fn connection(tenant: &TenantId, provider: &Provider) -> Self {
        Self { pk: tenant_pk(tenant), sk: format!("C#{provider}") }
    }

    /// Lease and version of a connection's tokens; apart from the connection, because others write it.
    pub(crate) fn tokens(tenant: &TenantId, provider: &Provider) -> Self {
        Self { pk: tenant_pk(tenant), sk: format!("TOKENS#{provider}") }
    }

    /// A webhook endpoint.
    pub(crate) fn endpoint(name: &str) -> Self {
        Self { pk: format!("W#{name}"), sk: "W".to_owned() }
    }

    /// An API key.
    pub(crate) fn api_key(sha256: &str) -> Self {
        Self { pk: format!("A#{sha256}"), sk: "A".to_owned() }
    }

    /// An API key among its tenant's.
    pub(crate) fn listed_api_key(tenant: &TenantId, id: &str) -> Self {
        Self { pk: tenant_pk(tenant), sk: format!("{KEYS}{id}") }
    }

    /// Somebody who has signed in.
    pub(crate) fn session(sha256: &str) -> Self {
        Self { pk: format!("Z#{sha256}"), sk: "Z".to_owned() }
    }

    /// A number that may be used once.
    pub(crate) fn nonce(sha256: &str) -> Self {
        Self { pk: format!("N#{sha256}"), sk: "N".to_owned() }
    }

    /// How often somebody came in a window of time.
    pub(crate) fn counter(subject: &str, window: i64) -> Self {
        Self { pk: format!("Q#{subject}"), sk: window.to_string() }
    }

    /// The key's attributes, alone for a read or with others around them for a write.
    pub(crate) fn into_item(self) -> Item {
        let attributes: [(&str, AttributeValue); 2] = [("pk", text(self.pk)), ("sk", text(self.sk))];
        attributes.map(|(name, value)| (name.to_owned(), value)).into()
    }
}
