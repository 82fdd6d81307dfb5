//! Routes of the functions that speak with providers and with browsers on their way to a provider's consent page.

use super::parameters::{CONSENT_CODE, CONSENT_ERROR, CONSENT_STATE, ENDPOINT, PROVIDER, SERVICE};
use super::{Answer, Content, Described, Operation, Posted, Verb, shapes};
use crate::records::Role;

const UNKNOWN: super::Told = (404, "unknown_endpoint", "There is no such webhook endpoint.");
const NO_WEBHOOKS: super::Told = (404, "not_found", "The provider has no such webhooks.");
const NOT_FROM_THERE: super::Told =
    (403, "not_from_there", "The installation takes the provider's deliveries from other addresses alone.");
const NOT_STORED: super::Told = (503, "not_stored", "The event could not be stored: send it again.");

const HANDSHAKE: Operation = Operation {
    id: "webhook_handshake",
    summary: "Answers the provider that asks whether the endpoint is ours.",
    parameters: &[PROVIDER, ENDPOINT],
    body: None,
    answers: &[Answer { status: 200, about: "It is.", content: Content::One(&shapes::HANDSHAKE) }],
    problems: &[NOT_FROM_THERE, UNKNOWN, NO_WEBHOOKS, NOT_STORED],
};

const RECEIVE: Operation = Operation {
    id: "webhook_receive",
    summary: "Keeps a provider's event; a header with the endpoint's secret must come along where the provider sends one.",
    parameters: &[PROVIDER, ENDPOINT],
    body: Some(Posted { shape: &shapes::EVENT_IN, required: true }),
    answers: &[Answer { status: 200, about: "It is kept.", content: Content::One(&shapes::ACCEPTED) }],
    problems: &[
        (400, "not_an_event", "The body is not an event of the provider."),
        (401, "not_theirs", "The delivery does not carry the endpoint's secret."),
        NOT_FROM_THERE,
        UNKNOWN,
        NO_WEBHOOKS,
        NOT_STORED,
    ],
};

const CONSENT_START: Operation = Operation {
    id: "consent_start",
    summary: "Sends a browser to the provider's consent page; tells a program that accepts JSON where it is.",
    parameters: &[PROVIDER, SERVICE],
    body: None,
    answers: &[
        Answer {
            status: 200,
            about: "Where the consent page is.",
            content: Content::One(&shapes::CONSENT_PAGE),
        },
        Answer { status: 302, about: "To the consent page.", content: Content::Elsewhere },
    ],
    problems: &[
        (400, "no_origin", "The request does not tell its host."),
        (409, "app_credentials_missing", "Our own credentials at the provider are not set up."),
    ],
};

const CONSENT_CALLBACK: Operation = Operation {
    id: "consent_callback",
    summary: "Takes the browser back from the consent page, and shows a page that says how it went.",
    parameters: &[PROVIDER, CONSENT_STATE, CONSENT_CODE, CONSENT_ERROR],
    body: None,
    answers: &[
        Answer { status: 200, about: "It is connected, or was refused there.", content: Content::Html },
        Answer {
            status: 400,
            about: "It was begun in another browser, or too long ago.",
            content: Content::Html,
        },
        Answer { status: 404, about: "There is no such provider.", content: Content::Html },
        Answer {
            status: 503,
            about: "Something of ours, or of the provider, failed.",
            content: Content::Html,
        },
    ],
    problems: &[(400, "no_origin", "The request does not tell its host.")],
};

/// What the functions beside the API answer.
pub const ELSEWHERE: [Described; 4] = [
    Described {
        verb: Verb::Get,
        path: "/oauth/{provider}/start",
        role: Some(Role::Owner),
        operation: &CONSENT_START,
    },
    Described {
        verb: Verb::Get,
        path: "/oauth/{provider}/callback",
        role: None,
        operation: &CONSENT_CALLBACK,
    },
    Described { verb: Verb::Get, path: "/webhooks/{provider}/{endpoint}", role: None, operation: &HANDSHAKE },
    Described { verb: Verb::Post, path: "/webhooks/{provider}/{endpoint}", role: None, operation: &RECEIVE },
];
