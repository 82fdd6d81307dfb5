//! The JSON API, and pages for people.

mod api;
mod connections;
mod health;
mod keys;
mod orders;
mod pages;
mod parked;
mod routes;
mod settings;
mod stock;
mod work;

use std::sync::Arc;

use bokbro_runtime::Platform;
use bokbro_runtime::config::Role;
use lambda_http::Error;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let platform = Arc::new(Platform::start(Role::Admin).await?.with_dead_letters().with_sign_in());
    lambda_http::run(routes::router(platform)).await
}
