//! `POST /v1/connections/{provider}/sync`: what of a ledger program's registers is to be read, read strictly.

use bokbro_domain::order::FieldError;
use bokbro_domain::said;
use jiff::civil::Date;
use serde_json::Value;

use super::fields::{Fields, no_boolean, read_json};
use crate::records::Reading;

/// Longest time that can be asked for at once, in years: more than books must be kept.
const LONGEST: i16 = 15;

/// Reads what was posted; nothing at all asks for what has changed.
///
/// # Errors
/// The first rule that is broken, with its field; field `""` when the body is not JSON at all.
pub fn read_reading(body: &[u8]) -> Result<Reading, FieldError> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(Reading::Changes);
    }
    let value = read_json(body)?;
    let mut fields = Fields::open("", &value)?;
    let full = match fields.optional("full") {
        None => false,
        Some(Value::Bool(full)) => *full,
        Some(_) => return Err(no_boolean("full")),
    };
    let from = read_day(&mut fields, "from")?;
    let to = read_day(&mut fields, "to")?;
    fields.finish()?;
    match (full, from, to) {
        (true, None, None) => Ok(Reading::Full),
        (false, None, None) => Ok(Reading::Changes),
        (true, ..) => {
            let message =
                said!("field-full-and-days", "reads everything: leave it out, or leave out from and to");
            Err(FieldError::new("full", message))
        }
        (false, Some(_), None) => {
            Err(FieldError::new("to", said!("field-no-to", "is missing; it goes with from")))
        }
        (false, None, Some(_)) => {
            Err(FieldError::new("from", said!("field-no-from", "is missing; it goes with to")))
        }
        (false, Some(from), Some(to)) if from > to => {
            let message = said!("field-to-before-from", "must not be before from, which is {from}", from);
            Err(FieldError::new("to", message))
        }
        (false, Some(from), Some(to)) if to.year() - from.year() > LONGEST => {
            let message =
                said!("field-many-years", "must not be more than {most} years before to", most = LONGEST);
            Err(FieldError::new("from", message))
        }
        (false, Some(from), Some(to)) => Ok(Reading::Days { from, to }),
    }
}

fn read_day(fields: &mut Fields<'_>, name: &'static str) -> Result<Option<Date>, FieldError> {
    let Some(text) = fields.text_or_none(name, 10)? else { return Ok(None) };
    let bad = || FieldError::new(name, said!("field-no-day", "must be a day such as 2026-01-31"));
    let day: Date = text.parse().map_err(|_| bad())?;
    // The parser takes other ways of writing too.
    if day.to_string() == text { Ok(Some(day)) } else { Err(bad()) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_wish_is_changes_everything_or_days() {
        let day = |text: &str| text.parse().unwrap();
        let days = Reading::Days { from: day("2026-01-01"), to: day("2026-06-30") };
        for (body, reading) in [
            ("", Reading::Changes),
            (" \n", Reading::Changes),
            ("{}", Reading::Changes),
            (r#"{"full":false}"#, Reading::Changes),
            (r#"{"full":true,"from":null}"#, Reading::Full),
            (r#"{"from":"2026-01-01","to":"2026-06-30"}"#, days),
        ] {
            assert_eq!(read_reading(body.as_bytes()), Ok(reading), "{body}");
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        let cases = [
            (json!([]), ""),
            (json!({"full": "yes"}), "full"),
            (json!({"full": true, "from": "2026-01-01", "to": "2026-01-31"}), "full"),
            (json!({"from": "2026-01-01"}), "to"),
            (json!({"to": "2026-01-01"}), "from"),
            (json!({"from": "2026-02-01", "to": "2026-01-31"}), "to"),
            (json!({"from": "1990-02-01", "to": "2026-01-31"}), "from"),
            (json!({"from": "2026-02-30", "to": "2026-03-31"}), "from"),
            (json!({"from": "20260201", "to": "2026-03-31"}), "from"),
            (json!({"from": 20260201, "to": "2026-03-31"}), "from"),
            (json!({"since": "2026-02-30"}), "since"),
            (json!({"": true}), "\"\""),
            (json!({"\n": true}), "\"\""),
        ];
        for (body, field) in cases {
            assert_eq!(read_reading(body.to_string().as_bytes()).unwrap_err().field, field, "{body}");
        }
        assert_eq!(read_reading(b"{").unwrap_err().field, "");
    }
}
