//! Puts what people change on record.

use bokbro_domain::ids::{CorrelationId, TenantId};
use serde_json::Value;

use crate::app::App;
use crate::error::Error;
use crate::records::AuditEntry;

/// Who asks for a change, and in answer to which request.
#[derive(Debug, Clone, Copy)]
pub struct By<'a> {
    /// Whose data they change.
    pub tenant: &'a TenantId,
    /// The API key's first characters, or who signed in.
    pub who: &'a str,
    /// Ties it to the request.
    pub correlation: &'a CorrelationId,
}

/// What was changed. No secrets.
#[derive(Debug, Clone, Default)]
pub struct Changed {
    /// Why, when the person said so.
    pub reason: Option<String>,
    /// As it was.
    pub before: Option<Value>,
    /// As it is now.
    pub after: Option<Value>,
}

/// Adds an entry to the audit log; `what` is a stable short name, `settings_changed` say.
///
/// # Errors
/// When the table fails.
pub async fn audit_add(
    app: &App,
    by: By<'_>,
    what: &str,
    subject: &str,
    changed: Changed,
) -> Result<(), Error> {
    let entry = AuditEntry {
        id: app.stamps.ulid(&*app.clock).to_string(),
        at: app.clock.now(),
        who: by.who.to_owned(),
        what: what.to_owned(),
        subject: subject.to_owned(),
        reason: changed.reason,
        before: changed.before,
        after: changed.after,
        correlation: by.correlation.clone(),
    };
    app.audits.audit_put(by.tenant, &entry).await
}
