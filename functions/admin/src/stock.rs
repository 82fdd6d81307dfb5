//! Stock over HTTP.

use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use bokbro_app::auth::Caller;
use bokbro_app::warehouse::stock_list;
use bokbro_app::wire::order_out::stock_json;

use crate::api::{Api, Query, correlation};
use crate::orders::{ListQuery, page_json, respond};

pub(crate) async fn list(
    State(platform): Api,
    Extension(caller): Extension<Caller>,
    Query(query): Query<ListQuery>,
) -> Response {
    let listed = async {
        let (limit, cursor) = (query.limit()?, query.cursor());
        stock_list(&platform.app, &caller.tenant, limit, cursor.as_ref()).await
    };
    respond(listed.await.map(|page| page_json(&page, stock_json)), &correlation(&platform))
}
