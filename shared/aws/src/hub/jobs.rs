//! Jobs and the audit log.

use async_trait::async_trait;
use bokbro_app::error::Error;
use bokbro_app::ports::{Audits, Cursor, Jobs, Page};
use bokbro_app::records::{AuditEntry, Job};
use bokbro_domain::ids::{JobId, TenantId};
use jiff::{SignedDuration, Timestamp};

use super::Hub;
use super::pages::Listing;
use crate::items::keys::{JOBS, Key, audit_pk, tenant_pk};
use crate::items::{Item, number, records};

/// How long a job is kept.
const JOB_LIFE: SignedDuration = SignedDuration::from_hours(90 * 24);

#[async_trait]
impl Jobs for Hub {
    async fn job_put(&self, tenant: &TenantId, job: &Job) -> Result<(), Error> {
        let mut item = records::to_item(Key::job(tenant, &job.id), job);
        let expires_at = job.started_at.saturating_add(JOB_LIFE).unwrap_or(Timestamp::MAX);
        item.insert("expires_at".to_owned(), number(expires_at.as_second()));
        self.put("storing a job", item).await
    }

    async fn job_get(&self, tenant: &TenantId, id: &JobId) -> Result<Option<Job>, Error> {
        const STEP: &str = "reading a job";
        let item = self.get(STEP, Key::job(tenant, id)).await?;
        item.map(|item| records::from_item("job", &item)).transpose().map_err(|e| Error::storage(STEP, e))
    }

    async fn jobs_list(
        &self,
        tenant: &TenantId,
        limit: usize,
        cursor: Option<&Cursor>,
    ) -> Result<Page<Job>, Error> {
        let listing = Listing::Table { pk: tenant_pk(tenant), prefix: JOBS, newest_first: true };
        let read = |item: &Item| records::from_item("job", item);
        self.page("listing jobs", &listing, limit, cursor, read).await
    }
}

#[async_trait]
impl Audits for Hub {
    async fn audit_put(&self, tenant: &TenantId, entry: &AuditEntry) -> Result<(), Error> {
        let item = records::to_item(Key::audit(tenant, &entry.id), entry);
        self.put("writing the audit log", item).await
    }

    async fn audits_list(
        &self,
        tenant: &TenantId,
        limit: usize,
        cursor: Option<&Cursor>,
    ) -> Result<Page<AuditEntry>, Error> {
        let listing = Listing::Table { pk: audit_pk(tenant), prefix: "", newest_first: true };
        let read = |item: &Item| records::from_item("audit entry", item);
        self.page("listing the audit log", &listing, limit, cursor, read).await
    }
}
