//! The overview and orders as pages.

use axum::Extension;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use bokbro_app::orders::{self, Posted, Refusal};
use bokbro_app::overview::{guide_show, overview_show};
use bokbro_app::ports::{Cursor, LookUp, OrderFilter, Page};
use bokbro_app::test_orders::{order_test, payment_page};
use bokbro_domain::ids::{CheckoutCode, OrderId, OrderNumber, TenantId};
use bokbro_domain::order::{Order, OrderState};
use bokbro_pages::orders as page_of;
use bokbro_pages::orders::{Parcels, Shown, Wanted};
use bokbro_pages::{guide, overview};
use bokbro_runtime::Platform;
use serde::Deserialize;

use super::{Guest, redirect, refused, show};
use crate::api::{Api, Origin};
use crate::orders::read_id;

/// Orders on a page.
const PAGE: usize = 50;
/// Entries of the timeline that are shown.
const TIMELINE: usize = 200;

pub(crate) async fn overview(State(platform): Api, Extension(guest): Extension<Guest>) -> Response {
    match overview_show(&platform.app, &guest.caller.tenant, guest.caller.role).await {
        Ok(shown) => show(&guest, &guest.texts.get("nav-overview"), &overview::page(&guest.frame(), &shown)),
        Err(error) => refused(&error.into(), &guest, &platform),
    }
}

pub(crate) async fn guide(
    State(platform): Api,
    Extension(guest): Extension<Guest>,
    Origin(origin): Origin,
) -> Response {
    match guide_show(&platform.app, &guest.caller.tenant).await {
        Ok(shown) => {
            let urls = shown.webhooks.iter().zip(origin.iter().cycle());
            let urls: Vec<String> =
                urls.map(|((to, name), origin)| format!("{origin}/webhooks/{to}/{name}")).collect();
            let body = guide::page(&guest.frame(), &shown, &urls, platform.stage);
            show(&guest, &guest.texts.get("guide"), &body)
        }
        Err(error) => refused(&error.into(), &guest, &platform),
    }
}

pub(crate) async fn test(State(platform): Api, Extension(guest): Extension<Guest>) -> Response {
    match order_test(&platform.app, guest.by(), platform.stage, None).await {
        Ok(Posted::Created(order) | Posted::Repeated(order)) => redirect(&page_of::path(&order)),
        Err(refusal) => refused(&refusal, &guest, &platform),
    }
}

/// `?q=&state=&cursor=`.
#[derive(Deserialize)]
pub(crate) struct ListQuery {
    q: Option<String>,
    state: Option<String>,
    cursor: Option<String>,
}

pub(crate) async fn list(
    State(platform): Api,
    Extension(guest): Extension<Guest>,
    Query(query): Query<ListQuery>,
) -> Response {
    let text = query.q.unwrap_or_default().trim().to_owned();
    let wanted = Wanted { state: query.state.as_deref().and_then(OrderState::parse), text };
    let tenant = &guest.caller.tenant;
    let shown = async {
        let page = found(&platform, tenant, &wanted, query.cursor.map(Cursor)).await?;
        Ok((page, parcels(&platform, tenant).await?))
    };
    match shown.await {
        Ok((page, parcels)) => {
            let title = guest.texts.get("nav-orders");
            let body = page_of::list(&guest.frame(), &wanted, &page.items, parcels, page.next.as_ref());
            show(&guest, &title, &body)
        }
        Err(refusal) => refused(&refusal, &guest, &platform),
    }
}

/// Who sends the tenant's parcels.
async fn parcels(platform: &Platform, tenant: &TenantId) -> Result<Parcels, Refusal> {
    Ok(Parcels::of(platform.app.directory.settings_get(tenant).await?.as_ref()))
}

/// The orders that somebody is looking for: the one of a number, id or code, else all by state.
async fn found(
    platform: &Platform,
    tenant: &TenantId,
    wanted: &Wanted,
    cursor: Option<Cursor>,
) -> Result<Page<Order>, Refusal> {
    let app = &platform.app;
    if wanted.text.is_empty() {
        let filter = OrderFilter { state: wanted.state };
        return orders::orders_list(app, tenant, &filter, PAGE, cursor.as_ref()).await;
    }
    let mut by = vec![LookUp::Transaction(wanted.text.clone())];
    by.extend(OrderNumber::parse(&wanted.text).ok().map(LookUp::OrderNumber));
    by.extend(CheckoutCode::parse(&wanted.text).ok().map(LookUp::CheckoutCode));
    let mut ids: Vec<OrderId> = OrderId::parse(&wanted.text).into_iter().collect();
    for by in by {
        ids.extend(app.orders.order_find(tenant, &by).await?);
    }
    ids.dedup();
    let mut items = Vec::new();
    for id in ids {
        items.extend(app.orders.order_get(tenant, &id).await?);
    }
    Ok(Page { items, next: None })
}

pub(crate) async fn detail(
    State(platform): Api,
    Extension(guest): Extension<Guest>,
    Path(id): Path<String>,
) -> Response {
    let (app, tenant) = (&platform.app, &guest.caller.tenant);
    let found = async {
        let id = read_id(&id)?;
        let order = orders::order_get(app, tenant, &id).await?;
        let timeline = orders::order_timeline(app, tenant, &id, TIMELINE, None).await?;
        let page = payment_page(app, &order).await?;
        Ok((order, timeline, page, parcels(&platform, tenant).await?))
    };
    match found.await {
        Ok((order, timeline, page, parcels)) => {
            let title = format!("{} {}", guest.texts.get("order-number"), order.body.order_number);
            let shown = Shown {
                order: &order,
                timeline: &timeline.items,
                more: timeline.next.is_some(),
                parcels,
                pay_at: page.as_deref(),
            };
            show(&guest, &title, &page_of::detail(&guest.frame(), &shown))
        }
        Err(refusal) => refused(&refusal, &guest, &platform),
    }
}

pub(crate) async fn sync(
    State(platform): Api,
    Extension(guest): Extension<Guest>,
    Path(id): Path<String>,
) -> Response {
    let done = async {
        let (app, tenant) = (&platform.app, &guest.caller.tenant);
        orders::order_sync(app, tenant, &read_id(&id)?, &guest.correlation).await
    };
    back_to_order(done.await, &guest, &platform)
}

pub(crate) async fn cancel(
    State(platform): Api,
    Extension(guest): Extension<Guest>,
    Path(id): Path<String>,
) -> Response {
    let done = async {
        let (app, tenant) = (&platform.app, &guest.caller.tenant);
        orders::order_cancel(app, tenant, &read_id(&id)?, &guest.correlation).await
    };
    back_to_order(done.await, &guest, &platform)
}

fn back_to_order(done: Result<Order, Refusal>, guest: &Guest, platform: &Platform) -> Response {
    match done {
        Ok(order) => redirect(&page_of::path(&order)),
        Err(refusal) => refused(&refusal, guest, platform),
    }
}
