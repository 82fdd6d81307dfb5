//! What AWS invokes the functions with: the files under `events/`, and beside each the answer that it must get.
//!
//! `events/webhook/handshake.json` is an event for `WebhookFunction`; `events/webhook/handshake.expected.json` is its
//! expected answer: an object says which members must be there and how, other members may be there too; lists have just
//! these items; a text may have [placeholders](PLACEHOLDERS), also where the answer has a number. `body` is written as JSON when the answer's body is JSON.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// Name of the endpoint to which the payment provider's events in `events/` come.
pub const ENDPOINT: &str = "wh_demo";
/// Name of the endpoint to which the warehouse's events in `events/` come.
pub const PARCEL_ENDPOINT: &str = "wh_parcels";
/// The token that the warehouse's events in `events/` carry.
pub const PARCEL_TOKEN: &str = "local-webhook-token";
/// The API key that requests in `events/` carry.
pub const API_KEY: &str = "bk_local_made_up_key";

/// What may stand for a part of an expected text: anything, an id of 26 letters and digits (ULID), a moment in UTC.
pub const PLACEHOLDERS: [&str; 3] = ["<any>", "<ulid>", "<time>"];

const EXPECTED: &str = ".expected.json";

/// One event and its expected answer.
pub struct Event {
    /// `webhook/handshake`.
    pub name: String,
    /// The folder that it lies in, `webhook`, which is also the function's name.
    pub folder: String,
    /// The event's file.
    pub file: PathBuf,
    /// What the function is invoked with.
    pub payload: Value,
    /// What it must answer.
    pub expected: Value,
}

impl Event {
    /// The function's logical id in the template, `WebhookFunction`.
    #[must_use]
    pub fn function(&self) -> String {
        let (first, rest) = self.folder.split_at(self.folder.len().min(1));
        format!("{}{rest}Function", first.to_uppercase())
    }
}

/// Reads the folder `events`, in the order of the names.
///
/// # Errors
/// When a file cannot be read, is not JSON, or one of the two is missing; the error names it.
pub fn events(folder: &Path) -> io::Result<Vec<Event>> {
    let mut events = Vec::new();
    for group in sorted(folder)? {
        let files = sorted(&group)?;
        for file in &files {
            let path = file.to_string_lossy();
            if let Some(event) = path.strip_suffix(EXPECTED) {
                let event = PathBuf::from(format!("{event}.json"));
                if !files.contains(&event) {
                    return Err(io::Error::other(format!("{path} expects an answer to no event")));
                }
            } else if let Some(stem) = path.strip_suffix(".json") {
                let folder = text(group.file_name());
                events.push(Event {
                    name: format!("{folder}/{}", text(file.file_stem())),
                    folder,
                    file: file.clone(),
                    payload: read(file)?,
                    expected: read(Path::new(&format!("{stem}{EXPECTED}")))?,
                });
            }
        }
    }
    Ok(events)
}

fn sorted(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths =
        fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}

fn text(name: Option<&std::ffi::OsStr>) -> String {
    name.unwrap_or_default().to_string_lossy().into_owned()
}

fn read(file: &Path) -> io::Result<Value> {
    let named = |error: String| io::Error::other(format!("{}: {error}", file.display()));
    let text = fs::read_to_string(file).map_err(|error| named(error.to_string()))?;
    serde_json::from_str(&text).map_err(|error| named(error.to_string()))
}

/// Where an answer differs from the expected one, a sentence each; none when it is as it should be.
#[must_use]
pub fn differences(expected: &Value, answer: &Value) -> Vec<String> {
    let mut found = Vec::new();
    compare("answer", expected, answer, &mut found);
    found
}

fn compare(at: &str, expected: &Value, answer: &Value, found: &mut Vec<String>) {
    match (expected, answer) {
        (Value::Object(members), Value::Object(answered)) => {
            for (name, expected) in members {
                let at = format!("{at}.{name}");
                match answered.get(name) {
                    Some(answer) => compare(&at, expected, answer, found),
                    None => found.push(format!("{at} is missing, expected {expected}")),
                }
            }
        }
        (Value::Array(items), Value::Array(answered)) if items.len() == answered.len() => {
            for (index, (expected, answer)) in items.iter().zip(answered).enumerate() {
                compare(&format!("{at}[{index}]"), expected, answer, found);
            }
        }
        // The body of an HTTP answer is a text that holds JSON.
        (Value::Object(_) | Value::Array(_), Value::String(text)) => match serde_json::from_str(text) {
            Ok(answer @ (Value::Object(_) | Value::Array(_))) => compare(at, expected, &answer, found),
            _ => found.push(format!("{at} is {answer}, expected {expected}")),
        },
        (Value::String(pattern), Value::String(text)) if matches(pattern, text) => {}
        (Value::String(pattern), Value::Number(number)) if matches(pattern, &number.to_string()) => {}
        (expected, answer) if expected == answer => {}
        (expected, answer) => found.push(format!("{at} is {answer}, expected {expected}")),
    }
}

/// Whether a text is the pattern with something fitting in place of each placeholder.
fn matches(pattern: &str, text: &str) -> bool {
    let places = PLACEHOLDERS.iter().filter_map(|place| Some((pattern.find(place)?, *place)));
    let Some((at, place)) = places.min_by_key(|(at, _)| *at) else { return pattern == text };
    let (before, rest) = (&pattern[..at], &pattern[at + place.len()..]);
    let Some(text) = text.strip_prefix(before) else { return false };
    let ends = (0..=text.len()).filter(|end| text.is_char_boundary(*end));
    ends.into_iter().any(|end| fits(place, &text[..end]) && matches(rest, &text[end..]))
}

fn fits(place: &str, text: &str) -> bool {
    match place {
        "<ulid>" => text.len() == 26 && text.chars().all(|c| c.is_ascii_alphanumeric()),
        "<time>" => text.ends_with('Z') && text.parse::<jiff::Timestamp>().is_ok(),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_function_is_called_as_its_folder() {
        let event = |folder: &str| Event {
            name: String::new(),
            folder: folder.to_owned(),
            file: PathBuf::new(),
            payload: Value::Null,
            expected: Value::Null,
        };
        assert_eq!(event("webhook").function(), "WebhookFunction");
        assert_eq!(event("oauth").function(), "OauthFunction");
    }

    #[test]
    fn texts_fit_their_patterns_or_do_not() {
        let ulid = "01KAFQ3C5E0000000000000000";
        for (pattern, text, wanted) in [
            ("plain", "plain", true),
            ("plain", "plain ", false),
            ("a<any>c", "abcc", true),
            ("a<any>c", "abcd", false),
            ("<any>", "", true),
            ("<any>å<any>", "blå bär", true),
            ("ord_<ulid>", &format!("ord_{ulid}"), true),
            ("ord_<ulid>", &format!("job_{ulid}"), false),
            ("<ulid>", &ulid[1..], false),
            ("at <time>.", "at 2026-11-20T10:00:00.5Z.", true),
            ("<time>", "2026-11-20", false),
            ("<p>", "<p>", true),
        ] {
            assert_eq!(matches(pattern, text), wanted, "{pattern} {text}");
        }
    }

    #[test]
    fn what_is_expected_must_be_there_and_more_may_be() {
        let answer = json!({
            "statusCode": 200,
            "headers": { "content-type": "application/json", "x": "y" },
            "body": r#"{"id": "ord_01KAFQ3C5E0000000000000000", "lines": [1, 2]}"#,
        });
        for (expected, wrong) in [
            (json!({ "statusCode": 200 }), 0),
            (json!({ "statusCode": 201, "headers": { "x": "z" }, "cookies": [] }), 3),
            (json!({ "body": { "id": "ord_<ulid>", "lines": [1, 2] } }), 0),
            (json!({ "statusCode": "20<any>" }), 0),
            (json!({ "statusCode": "4<any>" }), 1),
            (json!({ "body": { "lines": [1] } }), 1),
            (json!({ "body": ["x"] }), 1),
            (json!({ "body": "<any>lines<any>" }), 0),
            (json!("text"), 1),
        ] {
            let found = differences(&expected, &answer);
            assert_eq!(found.len(), wrong, "{expected}: {found:?}");
        }
    }
}
