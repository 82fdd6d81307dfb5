//! What waits for a human, dead letters, jobs and the audit log.

use serde_json::{Value, json};

use super::connections::days;
use super::{
    about, any_text, count, id, list, map, names, object, one_of, or_null, provider, text, text_or_none, time,
};
use crate::contract::{Build, Shape};
use crate::parked::Action;
use crate::ports::QueueName;
use crate::replay::{MAX_IDS, MAX_PER_SECOND};

/// Something that waits for a human (`crate::wire::order_out::parked_json`).
pub const PARKED: Shape = Shape {
    name: "Parked",
    schema: |_| {
        object(
            &[
                ("id", id("prk_")),
                ("at", time()),
                ("code", about("Stable short name of the reason.", any_text())),
                ("reason", about("What happened and what to do.", any_text())),
                (
                    "actions",
                    about("What can be done about it.", list(names(Action::ALL.map(Action::as_str)))),
                ),
                ("order_id", or_null(id("ord_"))),
                ("target", or_null(names(["accounting", "warehouse"]))),
                ("details", map(any_text())),
                ("correlation_id", any_text()),
            ],
            &[],
        )
    },
    example: |build| {
        json!({"id": "prk_01KB0Q9A7XJ4A6C8E0G2J5K7M9", "at": "2026-11-21T08:27:00Z", "code": "unmatched_payment",
            "reason": "A payment of 747.00 SEK fits no order. Match it with its order, or dismiss it.",
            "actions": ["match", "retry", "dismiss"], "order_id": null, "target": null,
            "details": {"provider": Build::first(&build.payments),
                "transaction": "19e058a5-2b5b-4b4e-92d0-de9a73c8b3ae"},
            "correlation_id": "01KB0Q9A7WV5S3Q1N8M6K4H2F0"})
    },
};

/// A human's decision (`crate::parked::answer_read`).
pub const DECISION_IN: Shape = Shape {
    name: "DecisionIn",
    schema: |_| {
        let may = || ("reason", text_or_none(500));
        one_of(vec![
            object(&[("action", names(["retry", "send"]))], &[may()]),
            object(
                &[
                    ("action", names(["exists"])),
                    ("number", about("Of the document that is there.", text(40))),
                ],
                &[may()],
            ),
            object(&[("action", names(["match"])), ("order_id", id("ord_"))], &[may()]),
            object(&[("action", names(["dismiss"])), ("reason", text(500))], &[]),
        ])
    },
    example: |_| json!({"action": "dismiss", "reason": "Booked by hand as voucher A 217."}),
};

/// What was decided.
pub const DECISION: Shape = Shape {
    name: "Decision",
    schema: |_| {
        object(
            &[
                ("id", id("prk_")),
                ("action", names(Action::ALL.map(Action::as_str))),
                ("order_id", or_null(id("ord_"))),
            ],
            &[],
        )
    },
    example: |_| json!({"id": "prk_01KB0Q9A7XJ4A6C8E0G2J5K7M9", "action": "dismiss", "order_id": null}),
};

/// A message that nobody could handle (`crate::wire::work_out::dead_letter_json`).
pub const DEAD_LETTER: Shape = Shape {
    name: "DeadLetter",
    schema: |build| {
        object(
            &[
                ("id", any_text()),
                ("queue", queue()),
                ("tenant", or_null(any_text())),
                ("first_sent_at", or_null(time())),
                ("receives", or_null(count())),
                ("nudge", about("What it asks to look at.", or_null(nudge(build)))),
                ("unreadable", about("Why it cannot be read.", or_null(any_text()))),
                ("correlation_id", or_null(any_text())),
            ],
            &[],
        )
    },
    example: |_| {
        json!({"id": "7f8a2f0c-5f5e-4d6b-9d6e-2f3c1c9d7a11", "queue": "accounting", "tenant": "demo",
            "first_sent_at": "2026-11-21T08:26:10Z", "receives": 6,
            "nudge": {"kind": "order", "order_id": "ord_01KB0Q5V3XJ4A6C8E0G2J5K7M9"}, "unreadable": null,
            "correlation_id": "01KB0Q5V3X8K5T0V1R7W2M4N6P"})
    },
};

/// A wish to send dead letters again (`crate::wire::replay_in`).
pub const REPLAY_IN: Shape = Shape {
    name: "ReplayIn",
    schema: |_| {
        let rate = json!({"type": ["integer", "null"], "minimum": 1, "maximum": MAX_PER_SECOND});
        let common = || vec![("queue", or_null(queue())), ("per_second", rate.clone())];
        let ids = json!({"type": "array", "items": text(100), "minItems": 1, "maxItems": MAX_IDS});
        let (mut some, mut all) = (common(), common());
        some.push(("all", json!({"enum": [false, null]})));
        all.push(("ids", json!({"type": "null"})));
        one_of(vec![
            object(&[("ids", ids), ("reason", text(500))], &some),
            object(&[("all", json!({"const": true})), ("reason", text(500))], &all),
        ])
    },
    example: |_| json!({"all": true, "queue": "accounting", "reason": "The books were down.", "per_second": 5}),
};

/// One run of a longer task (`crate::wire::work_out::job_json`).
pub const JOB: Shape = Shape {
    name: "Job",
    schema: |build| {
        let progress = object(
            &[
                ("register", any_text()),
                ("part", count()),
                ("parts", count()),
                ("page", or_null(count())),
                ("pages", or_null(count())),
            ],
            &[],
        );
        let [from, to] = days();
        one_of(vec![
            job("sweep", vec![]),
            job(
                "replay",
                vec![
                    ("queues", list(queue())),
                    ("ids", or_null(list(any_text()))),
                    ("per_second", or_null(count())),
                ],
            ),
            job(
                "registers",
                vec![
                    ("provider", provider(build)),
                    ("read", names(["changes", "full", "days"])),
                    from,
                    to,
                    ("progress", or_null(progress)),
                ],
            ),
        ])
    },
    example: |_| {
        json!({"id": "job_01KB0QB2C3J4A6C8E0G2J5K7M9", "state": "done", "by": "bk_9f3a", "reason": null,
            "counts": {"nudged_accounting": 2}, "started_at": "2026-11-21T08:30:00Z",
            "updated_at": "2026-11-21T08:30:02Z", "finished_at": "2026-11-21T08:30:02Z", "attempts": 1,
            "error": null, "correlation_id": "01KB0QB2C2WT7R5P3M1K9H7F5D", "kind": "sweep"})
    },
};

/// One change that somebody made (`crate::wire::work_out::audit_json`).
pub const AUDIT_ENTRY: Shape = Shape {
    name: "AuditEntry",
    schema: |_| {
        object(
            &[
                ("id", any_text()),
                ("at", time()),
                ("who", any_text()),
                ("what", about("Stable short name.", any_text())),
                ("subject", any_text()),
                ("reason", or_null(any_text())),
                ("before", about("As it was.", json!({}))),
                ("after", about("As it is now.", json!({}))),
                ("correlation_id", any_text()),
            ],
            &[],
        )
    },
    example: |_| {
        json!({"id": "01KB0QD4E5V6W7X8Y9Z0A1B2C3", "at": "2026-11-21T08:31:00Z", "who": "asa@example.se",
            "what": "api_key_made", "subject": "key_01KB0Q5V3XJ4A6C8E0G2J5K7M9", "reason": null, "before": null,
            "after": {"name": "webshop", "role": "operator", "prefix": "bk_9f3a"},
            "correlation_id": "01KB0QD4E4T2R0P8M6K4H2F0DB"})
    },
};

fn queue() -> Value {
    names(QueueName::ALL.map(QueueName::as_str))
}

fn job(kind: &str, more: Vec<(&'static str, Value)>) -> Value {
    let mut members = vec![
        ("id", id("job_")),
        ("state", names(["waiting", "running", "done", "failed"])),
        ("by", any_text()),
        ("reason", or_null(any_text())),
        ("counts", map(count())),
        ("started_at", time()),
        ("updated_at", time()),
        ("finished_at", or_null(time())),
        ("attempts", count()),
        ("error", or_null(any_text())),
        ("correlation_id", any_text()),
        ("kind", names([kind])),
    ];
    members.extend(more);
    object(&members, &[])
}

fn nudge(build: &Build) -> Value {
    let of = |kind: &str, more: &[(&'static str, Value)]| {
        let members: Vec<_> = [("kind", names([kind]))].into_iter().chain(more.iter().cloned()).collect();
        object(&members, &[])
    };
    let (at, transaction) = (("provider", provider(build)), ("transaction", any_text()));
    let (order, job) = (("order_id", id("ord_")), ("job_id", id("job_")));
    one_of(vec![
        of("payment", &[at.clone(), ("event_type", count()), ("transaction", or_null(any_text()))]),
        of("order", std::slice::from_ref(&order)),
        of("day", &[("day", any_text())]),
        of("match", &[order, at.clone(), transaction]),
        of("parcel", &[at.clone(), ("order_number", any_text()), ("status", or_null(count()))]),
        of("sweep", std::slice::from_ref(&job)),
        of("replay", &[job]),
        of("connection", &[at]),
    ])
}
