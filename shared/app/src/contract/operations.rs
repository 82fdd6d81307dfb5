//! What each route of the JSON API promises, in the order of the list of routes.

use super::parameters::{
    CODE, CURSOR, IDEMPOTENCY_KEY, JOB_ID, KEY_ID, LIMIT, ORDER, ORDER_ID, PARKED_ID, PROVIDER, QUEUE, STATE,
};
use super::shapes;
use super::{Answer, Content, Operation, Parameter, Posted, Shape, Told};

pub use super::parameters::{DEFAULT_LIMIT, MAX_LIMIT};

const PAGED: &[Parameter] = &[LIMIT, CURSOR];
const OF_PROVIDER: &[Parameter] = &[PROVIDER];
const OF_ORDER: &[Parameter] = &[ORDER_ID];

const BUSY: Told =
    (503, "provider_busy", "The provider takes no more calls just now; `Retry-After` says when.");
const AWAY: Told = (503, "provider_unavailable", "The provider does not answer properly.");
const DISCONNECTED: Told = (409, "disconnected", "The connection was disconnected.");

const fn reads(
    id: &'static str,
    summary: &'static str,
    parameters: &'static [Parameter],
    answers: &'static [Answer],
) -> Operation {
    Operation { id, summary, parameters, body: None, answers, problems: &[] }
}

const fn one(status: u16, about: &'static str, shape: &'static Shape) -> Answer {
    Answer { status, about, content: Content::One(shape) }
}

const fn page(shape: &'static Shape) -> Answer {
    Answer { status: 200, about: "A page of the list.", content: Content::Page(shape) }
}

const fn body(shape: &'static Shape) -> Option<Posted> {
    Some(Posted { shape, required: true })
}

/// `GET /health`.
pub const HEALTH: Operation =
    reads("health", "Says that it runs.", &[], &[one(200, "It runs.", &shapes::HEALTH)]);

/// `GET /health/deep`.
pub const HEALTH_DEEP: Operation = reads(
    "health_deep",
    "Asks everything that it stands on: tables, queues, secrets, sign-in and the providers that are connected.",
    &[],
    &[
        one(200, "All is well.", &shapes::DEEP_HEALTH),
        one(503, "Something is not; `message` says what to do.", &shapes::DEEP_HEALTH),
    ],
);

/// `GET /openapi.json`.
pub const CONTRACT: Operation =
    reads("contract", "This contract.", &[], &[one(200, "OpenAPI 3.1.", &shapes::CONTRACT)]);

/// `POST /v1/orders`.
pub const ORDER_POST: Operation = Operation {
    body: body(&shapes::ORDER_IN),
    problems: &[
        (
            409,
            "already_exists",
            "Another order has the number, the code or the reference; `field` says which.",
        ),
        (409, "idempotency_key_reused", "The key came with another body before."),
    ],
    ..reads(
        "order_post",
        "Takes an order, once per Idempotency-Key and order number.",
        &[IDEMPOTENCY_KEY],
        &[
            one(201, "A new order.", &shapes::ORDER),
            one(200, "The order that the same key made before.", &shapes::ORDER),
        ],
    )
};

/// `POST /v1/orders/test`.
pub const ORDER_TEST: Operation = Operation {
    problems: &[(409, "production", "The installation is in production: no test orders are made there.")],
    ..reads(
        "order_test",
        "Makes a small test order, once per Idempotency-Key, with a page to pay it on where the payment provider opens one.",
        &[IDEMPOTENCY_KEY],
        &[
            one(201, "A new order.", &shapes::TEST_ORDER),
            one(200, "The order that the same key made before.", &shapes::TEST_ORDER),
        ],
    )
};

/// `GET /v1/orders`.
pub const ORDERS_LIST: Operation =
    reads("orders_list", "Lists orders, newest first.", &[LIMIT, CURSOR, STATE], &[page(&shapes::ORDER)]);

/// `POST /v1/orders/sync-pending`.
pub const ORDERS_SYNC: Operation = reads(
    "orders_sync_pending",
    "Looks at everything open now instead of within the hour.",
    &[],
    &[one(202, "The job that does it.", &shapes::JOB)],
);

/// `GET /v1/orders/{id}`.
pub const ORDER_SHOW: Operation = reads(
    "order_show",
    "Shows an order, how far books and parcel have come, and their numbers.",
    OF_ORDER,
    &[one(200, "The order.", &shapes::ORDER)],
);

/// `GET /v1/orders/{id}/timeline`.
pub const ORDER_TIMELINE: Operation = reads(
    "order_timeline",
    "Shows what happened to an order, oldest first.",
    &[ORDER_ID, LIMIT, CURSOR],
    &[page(&shapes::TIMELINE_ENTRY)],
);

/// `POST /v1/orders/{id}/sync`.
pub const ORDER_SYNC: Operation = reads(
    "order_sync",
    "Looks at an order now; what was refused is tried again.",
    OF_ORDER,
    &[one(202, "The order as it was when asked.", &shapes::ORDER)],
);

/// `POST /v1/orders/{id}/cancel`.
pub const ORDER_CANCEL: Operation = Operation {
    problems: &[(409, "already_paid", "The order has been paid: refund it at the payment provider.")],
    ..reads(
        "order_cancel",
        "Gives an unpaid order up; again is the same.",
        OF_ORDER,
        &[one(200, "The order.", &shapes::ORDER)],
    )
};

/// `GET /v1/stock`.
pub const STOCK_LIST: Operation = reads(
    "stock_list",
    "Lists what the warehouse had when it was last read.",
    PAGED,
    &[page(&shapes::STOCK)],
);

/// `GET /v1/parked`.
pub const PARKED_LIST: Operation = reads(
    "parked_list",
    "Lists what waits for a human, why, and what can be done about it.",
    &[LIMIT, CURSOR, CODE, ORDER],
    &[page(&shapes::PARKED)],
);

/// `POST /v1/parked/{id}/resolve`.
pub const PARKED_RESOLVE: Operation = Operation {
    body: body(&shapes::DECISION_IN),
    problems: &[
        (409, "action_not_available", "The item does not have this action."),
        (409, "order_busy", "The order is being worked on; try again."),
    ],
    ..reads(
        "parked_resolve",
        "Does what a human decided about an item, and takes it off the list.",
        &[PARKED_ID],
        &[one(200, "It is done.", &shapes::DECISION)],
    )
};

/// `GET /v1/dead-letters`.
pub const DEAD_LETTERS_LIST: Operation = reads(
    "dead_letters_list",
    "Lists messages that nobody could handle, newest first, on one page; `truncated` says whether there may be more.",
    &[QUEUE, LIMIT],
    &[page(&shapes::DEAD_LETTER)],
);

/// `POST /v1/dead-letters/replay`.
pub const DEAD_LETTERS_REPLAY: Operation = Operation {
    body: body(&shapes::REPLAY_IN),
    ..reads(
        "dead_letters_replay",
        "Sends dead letters again, some or all.",
        &[],
        &[one(202, "The job that does it.", &shapes::JOB)],
    )
};

/// `GET /v1/jobs`.
pub const JOBS_LIST: Operation =
    reads("jobs_list", "Lists longer tasks, newest first.", PAGED, &[page(&shapes::JOB)]);

/// `GET /v1/jobs/{id}`.
pub const JOB_SHOW: Operation = reads(
    "job_show",
    "Shows a longer task and how it goes.",
    &[JOB_ID],
    &[one(200, "The job.", &shapes::JOB)],
);

/// `GET /v1/audit`.
pub const AUDIT_LIST: Operation =
    reads("audit_list", "Lists who changed what, newest first.", PAGED, &[page(&shapes::AUDIT_ENTRY)]);

/// `GET /v1/settings`.
pub const SETTINGS_SHOW: Operation = reads(
    "settings_show",
    "Shows where payments come from, and where and how they are booked.",
    &[],
    &[one(200, "The choices; none yet for a new tenant.", &shapes::SETTINGS)],
);

/// `PUT /v1/settings`.
pub const SETTINGS_CHANGE: Operation = Operation {
    body: body(&shapes::SETTINGS_IN),
    ..reads(
        "settings_change",
        "Replaces the choices.",
        &[],
        &[one(200, "The choices as they are now.", &shapes::SETTINGS)],
    )
};

/// `GET /v1/api-keys`.
pub const API_KEYS_LIST: Operation =
    reads("api_keys_list", "Lists API keys, without what they open.", &[], &[page(&shapes::API_KEY)]);

/// `POST /v1/api-keys`.
pub const API_KEY_MAKE: Operation = Operation {
    body: body(&shapes::API_KEY_IN),
    problems: &[(409, "too_many_keys", "There are as many keys as there may be: revoke some.")],
    ..reads(
        "api_key_make",
        "Makes an API key and shows it this once.",
        &[],
        &[one(201, "The key.", &shapes::API_KEY)],
    )
};

/// `DELETE /v1/api-keys/{id}`.
pub const API_KEY_REVOKE: Operation = reads(
    "api_key_revoke",
    "Takes an API key away for good.",
    &[KEY_ID],
    &[one(200, "The key that was.", &shapes::API_KEY)],
);

/// `GET /v1/connections`.
pub const CONNECTIONS_LIST: Operation = reads(
    "connections_list",
    "Lists all providers and how the tenant is connected to them.",
    &[],
    &[page(&shapes::CONNECTION)],
);

/// `PUT /v1/connections/{provider}`.
pub const CONNECTION_ENTER: Operation = Operation {
    body: body(&shapes::CONNECTION_IN),
    problems: &[
        (422, "credentials_refused", "The provider does not let these credentials in; nothing was stored."),
        AWAY,
        BUSY,
    ],
    ..reads(
        "connection_enter",
        "Enters credentials and settings: checked at the provider first, never shown again.",
        OF_PROVIDER,
        &[one(200, "The connection.", &shapes::CONNECTION)],
    )
};

/// `DELETE /v1/connections/{provider}`.
pub const CONNECTION_DISCONNECT: Operation = reads(
    "connection_disconnect",
    "Disconnects: the consent is given back and the secrets are deleted.",
    OF_PROVIDER,
    &[one(200, "It is disconnected.", &shapes::DISCONNECTED)],
);

/// `GET /v1/connections/{provider}/health`.
pub const CONNECTION_CHECK: Operation = Operation {
    problems: &[DISCONNECTED, AWAY, BUSY],
    ..reads(
        "connection_health",
        "Asks the provider whether the connection works.",
        OF_PROVIDER,
        &[one(200, "What the check found.", &shapes::CONNECTION_HEALTH)],
    )
};

/// `POST /v1/connections/{provider}/refresh`.
pub const CONNECTION_REFRESH: Operation = Operation {
    problems: &[DISCONNECTED, AWAY, BUSY],
    ..reads(
        "connection_refresh",
        "Fetches a new access token now.",
        OF_PROVIDER,
        &[one(200, "Whether there is one.", &shapes::REFRESHED)],
    )
};

/// `POST /v1/connections/{provider}/sync`.
pub const CONNECTION_SYNC: Operation = Operation {
    body: Some(Posted { shape: &shapes::READING_IN, required: false }),
    problems: &[
        DISCONNECTED,
        (409, "needs_consent", "The provider does not let us in: connect it again first."),
        (409, "not_in_use", "The tenant's settings do not use the provider."),
        (409, "nothing_to_read", "The provider has nothing to read, or not that."),
    ],
    ..reads(
        "connection_sync",
        "Reads books, or parcels and stock, now instead of within the hour; without a body what has changed.",
        OF_PROVIDER,
        &[one(202, "It is being read.", &shapes::READ_ASKED)],
    )
};
