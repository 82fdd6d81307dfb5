//! Lines are one flat object each, and what they say of metrics follows the format's specification.

use bokbro_app::metrics::{self, METRICS};
use serde_json::Value;

use super::testing::listen;

/// What is written while something runs.
fn said(filter: &str, run: impl FnOnce()) -> Vec<String> {
    let (written, _listening) = listen(filter);
    run();
    written.lines()
}

fn json(line: &str) -> Value {
    serde_json::from_str(line).unwrap()
}

#[test]
fn a_line_has_what_the_spans_around_say_and_no_member_twice() {
    let lines = said("info", || {
        let outer = tracing::info_span!("invoke", requestId = "r1", tenant = tracing::field::Empty);
        let _outer = outer.enter();
        outer.record("tenant", "demo");
        let inner = tracing::info_span!("message", correlation = "c1", attempt = 2_u32);
        let _inner = inner.enter();
        tracing::info!(tenant = "other", duration_ms = 12_i128, function = "liar", timestamp = 1, "hello");
    });
    assert_eq!(lines.len(), 1);
    let line = json(&lines[0]);
    for (name, value) in [
        ("message", "hello"),
        ("function", "accounting"),
        ("function_version", "7"),
        ("stage", "dev"),
        ("requestId", "r1"),
        ("tenant", "other"),
        ("correlation", "c1"),
        ("level", "INFO"),
    ] {
        assert_eq!(line[name], value, "{name}: {line}");
    }
    assert_eq!((&line["attempt"], &line["duration_ms"]), (&Value::from(2), &Value::from(12)));
    let twice =
        line.as_object().unwrap().keys().find(|key| lines[0].matches(&format!("\"{key}\":")).count() > 1);
    assert_eq!(twice, None, "{}", lines[0]);
    assert!(lines[0].starts_with(r#"{"timestamp":"#), "{}", lines[0]);
    assert!(line.get("_aws").is_none());
}

#[test]
fn figures_get_through_every_filter_and_the_rest_does_not() {
    let lines = said("error", || {
        let span = tracing::info_span!("message", correlation = "c1");
        let _span = span.enter();
        tracing::info!("hello");
        tracing::info!({ metrics::TICKS } = 1, "tick done");
        tracing::error!("bad");
    });
    let said: Vec<String> =
        lines.iter().map(|line| json(line)["message"].as_str().unwrap().to_owned()).collect();
    assert_eq!(said, ["tick done", "bad"]);
    assert!(lines.iter().all(|line| json(line)["correlation"] == "c1"));
}

#[test]
fn metrics_are_told_apart_by_stage_and_by_the_field_that_is_there() {
    let lines = said("info", || {
        tracing::info!(provider = "p", { metrics::SYNCED } = 1, { metrics::BOOKED_LAG } = Some(42_i64), "a");
        tracing::info!({ metrics::SYNCED } = 1, { metrics::BOOKED_LAG } = None::<i64>, "b");
    });
    let sets = |line: &Value| {
        let directives = line["_aws"]["CloudWatchMetrics"].as_array().unwrap().clone();
        let of = |d: &Value| format!("{} {}", d["Metrics"][0]["Name"], d["Dimensions"]);
        let mut sets: Vec<String> = directives.iter().map(of).collect();
        sets.sort();
        sets
    };
    let (a, b) = (json(&lines[0]), json(&lines[1]));
    assert_eq!(sets(&a), [r#""BookedLag" [["stage"]]"#, r#""Synced" [["stage"],["stage","provider"]]"#]);
    assert_eq!(sets(&b), [r#""Synced" [["stage"]]"#]);
    assert_eq!((&a["BookedLag"], b.get("BookedLag")), (&Value::from(42), None));
}

/// What the specification demands of a document, member by member.
#[track_caller]
fn assert_follows_the_specification(line: &str) {
    assert!(line.len() < 256 * 1024, "larger than a log event may be");
    let root = json(line);
    let meta = root["_aws"].as_object().unwrap();
    assert_eq!(meta.keys().collect::<Vec<_>>(), ["CloudWatchMetrics", "Timestamp"], "{line}");
    let at = meta["Timestamp"].as_i64().unwrap();
    assert!((1_600_000_000_000..10_000_000_000_000).contains(&at), "no milliseconds: {at}");
    let mut published = 0;
    for directive in meta["CloudWatchMetrics"].as_array().unwrap() {
        assert_eq!(
            directive.as_object().unwrap().keys().collect::<Vec<_>>(),
            ["Dimensions", "Metrics", "Namespace"]
        );
        let namespace = directive["Namespace"].as_str().unwrap();
        assert!((1..=255).contains(&namespace.len()) && !namespace.starts_with("AWS/"));
        let sets = directive["Dimensions"].as_array().unwrap();
        assert!(!sets.is_empty());
        for set in sets {
            let keys = set.as_array().unwrap();
            // Thirty by now; the published schema still says nine.
            assert!(keys.len() <= 9, "{line}");
            for key in keys {
                let value = root[key.as_str().unwrap()].as_str();
                assert!(value.is_some_and(|value| (1..=1024).contains(&value.len())), "{key}: {line}");
            }
        }
        let metrics = directive["Metrics"].as_array().unwrap();
        assert!((1..=100).contains(&metrics.len()));
        for metric in metrics {
            assert!(["Count", "Seconds", "None"].contains(&metric["Unit"].as_str().unwrap()), "{line}");
            let name = metric["Name"].as_str().unwrap();
            assert!((1..=255).contains(&name.len()) && root[name].is_number(), "{name}: {line}");
            published += 1;
        }
    }
    assert!((1..=100).contains(&published));
}

#[test]
fn every_figure_follows_the_format_s_specification_alone_and_with_all_others() {
    macro_rules! each {
        ($($name:ident),+ $(,)?) => {{
            let alone = said("info", || {
                $(tracing::info!(provider = "p", class = "retry", { metrics::$name } = 3, "one");)+
            });
            let together = said("info", || {
                tracing::info!(provider = "p", class = "retry", $({ metrics::$name } = 3,)+ "all");
            });
            (alone, together, [$(metrics::$name),+])
        }};
    }
    let (alone, together, names) = each!(
        WEBHOOKS,
        DUPLICATES,
        PAYMENTS_UNMATCHED,
        SYNCED,
        BOOKED_LAG,
        FAILED,
        PARKED,
        PARKED_WAITING,
        PROVIDER_LIMITED,
        OUTCOMES_UNKNOWN,
        OUTCOME_UNKNOWN_AGE,
        TOKEN_REFRESHES,
        TOKEN_REFRESHES_FAILED,
        CONSENT_DAYS_LEFT,
        CONNECTIONS_DOWN,
        TICKS,
    );
    assert_eq!(
        METRICS.iter().map(|metric| metric.name).collect::<Vec<_>>(),
        names,
        "a figure is missing here"
    );
    assert_eq!((alone.len(), together.len()), (METRICS.len(), 1));
    for line in alone.iter().chain(&together) {
        assert_follows_the_specification(line);
    }
    let line = json(&together[0]);
    assert_eq!(line["_aws"]["CloudWatchMetrics"].as_array().unwrap().len(), METRICS.len());
}
