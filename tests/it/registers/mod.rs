//! Reading a ledger program's registers back: nothing missed, nothing doubled, nothing written there.

mod asked;
mod deaths;
mod engine;
mod fortnox;
mod many;
mod orders;
mod visma;

use std::time::Duration;

use bokbro_app::ports::{Jobs as _, Mapping, Register};
use bokbro_app::records::{Job, JobTask};
use bokbro_tests::registers::{Books, mapped};
use bokbro_tests::world::{World, tenant};

const HOUR: Duration = Duration::from_secs(3_600);
const WEEK: Duration = Duration::from_secs(7 * 24 * 3_600);

/// The jobs that read registers, newest first.
async fn jobs(world: &World) -> Vec<Job> {
    let all = world.store.jobs_list(&tenant(), 1_000, None).await.unwrap().items;
    all.into_iter().filter(|job| matches!(job.task, JobTask::Registers { .. })).collect()
}

/// What a job counted, by name; 0 when it did not.
#[track_caller]
fn counts<const N: usize>(job: &Job, names: [&str; N]) -> [u64; N] {
    names.map(|name| job.counts.get(name).copied().unwrap_or(0))
}

/// What is known is what is there: each entry once, none missing, none gone.
async fn all_known(world: &World, books: &Books) {
    for register in Register::ALL {
        let known = mapped(&world.store, register).await;
        let mut ids: Vec<String> = known.iter().filter(|m| !m.gone).map(|m| m.external_id.clone()).collect();
        let mut there = books.ids(register);
        (ids.sort(), there.sort()).0;
        assert_eq!(ids, there, "{register:?}");
    }
}

async fn one(world: &World, register: Register, id: &str) -> Mapping {
    let known = mapped(&world.store, register).await;
    known.into_iter().find(|mapping| mapping.external_id == id).unwrap()
}
