//! Jobs and the audit log, in memory.

use async_trait::async_trait;
use bokbro_domain::ids::{JobId, TenantId};

use super::store::{MemoryStore, page};
use crate::error::Error;
use crate::ports::{Audits, Cursor, Jobs, Page};
use crate::records::{AuditEntry, Job};

#[async_trait]
impl Jobs for MemoryStore {
    async fn job_put(&self, tenant: &TenantId, job: &Job) -> Result<(), Error> {
        self.state().jobs.insert((tenant.clone(), job.id.clone()), job.clone());
        Ok(())
    }

    async fn job_get(&self, tenant: &TenantId, id: &JobId) -> Result<Option<Job>, Error> {
        Ok(self.state().jobs.get(&(tenant.clone(), id.clone())).cloned())
    }

    async fn jobs_list(
        &self,
        tenant: &TenantId,
        limit: usize,
        cursor: Option<&Cursor>,
    ) -> Result<Page<Job>, Error> {
        let state = self.state();
        let mut jobs: Vec<Job> =
            state.jobs.iter().filter(|((whose, _), _)| whose == tenant).map(|(_, job)| job.clone()).collect();
        jobs.reverse();
        page(&format!("jobs of {tenant}"), &jobs, |job| job.id.to_string(), limit, cursor)
    }
}

#[async_trait]
impl Audits for MemoryStore {
    async fn audit_put(&self, tenant: &TenantId, entry: &AuditEntry) -> Result<(), Error> {
        self.state().audits.entry(tenant.clone()).or_default().push(entry.clone());
        Ok(())
    }

    async fn audits_list(
        &self,
        tenant: &TenantId,
        limit: usize,
        cursor: Option<&Cursor>,
    ) -> Result<Page<AuditEntry>, Error> {
        let state = self.state();
        let mut entries = state.audits.get(tenant).cloned().unwrap_or_default();
        entries.sort_by(|a, b| b.id.cmp(&a.id));
        page(&format!("audits of {tenant}"), &entries, |entry| entry.id.clone(), limit, cursor)
    }
}
