//! Wishes to send dead letters again: `POST /v1/dead-letters/replay` and direct invocations, read strictly.

use bokbro_domain::ids::TenantId;
use bokbro_domain::order::FieldError;
use bokbro_domain::said;
use serde_json::Value;

use super::fields::{Fields, malformed, no_boolean, none_of, read_json, read_whole};
use crate::ports::QueueName;
use crate::replay::{Asked, MAX_IDS, MAX_PER_SECOND};

/// Reads what was posted.
///
/// # Errors
/// The first rule that is broken, with its field; field `""` when the body is not JSON at all.
pub fn read_replay(body: &[u8]) -> Result<Asked, FieldError> {
    let value = read_json(body)?;
    let mut fields = Fields::open("", &value)?;
    let asked = read_asked(&mut fields)?;
    fields.finish()?;
    Ok(asked)
}

/// Reads what the function was invoked with: the same, and whose dead letters. Without a tenant they are everybody's.
///
/// # Errors
/// The first rule that is broken, with its field.
pub fn read_invocation(event: &Value) -> Result<(Option<TenantId>, Asked), FieldError> {
    let mut fields = Fields::open("", event)?;
    let tenant = match fields.text_or_none("tenant", 100)? {
        Some(text) => {
            Some(TenantId::parse(&text).map_err(|e| malformed("tenant", format_args!("is not {e}")))?)
        }
        None => None,
    };
    let asked = read_asked(&mut fields)?;
    fields.finish()?;
    Ok((tenant, asked))
}

/// The queues of a name, all of them without one.
///
/// # Errors
/// When there is no such queue.
pub fn read_queues(name: Option<&str>) -> Result<Vec<QueueName>, FieldError> {
    match name {
        None => Ok(QueueName::ALL.into()),
        Some(name) => match QueueName::parse(name) {
            Some(queue) => Ok(vec![queue]),
            None => Err(none_of("queue", &QueueName::ALL.map(QueueName::as_str))),
        },
    }
}

fn read_asked(fields: &mut Fields<'_>) -> Result<Asked, FieldError> {
    let all = match fields.optional("all") {
        None => false,
        Some(Value::Bool(all)) => *all,
        Some(_) => return Err(no_boolean("all")),
    };
    let ids = fields.optional("ids").map(read_ids).transpose()?;
    if all == ids.is_some() {
        let message = said!(
            "field-which-letters",
            "say which dead letters: either their ids or \"all\": true, and not both"
        );
        return Err(FieldError::new("ids", message));
    }
    let queues = read_queues(fields.text_or_none("queue", 50)?.as_deref())?;
    let reason = fields.text("reason", 500)?;
    let per_second = fields.optional("per_second").map(read_rate).transpose()?;
    Ok(Asked { queues, ids, reason, per_second })
}

fn read_ids(value: &Value) -> Result<Vec<String>, FieldError> {
    let items = value.as_array().filter(|items| (1..=MAX_IDS).contains(&items.len()));
    let message = said!("field-no-ids", "must be a list of 1 to {most} ids", most = MAX_IDS);
    let items = items.ok_or_else(|| FieldError::new("ids", message))?;
    let read = |(index, item): (usize, &Value)| {
        let id = item.as_str().filter(|id| (1..=100).contains(&id.len()) && id.is_ascii());
        let message = said!("field-no-id", "must be an id as GET /v1/dead-letters shows it");
        id.map(str::to_owned).ok_or_else(|| FieldError::new(format!("ids[{index}]"), message))
    };
    let mut ids: Vec<String> = items.iter().enumerate().map(read).collect::<Result<_, _>>()?;
    ids.sort();
    ids.dedup();
    Ok(ids)
}

fn read_rate(value: &Value) -> Result<u32, FieldError> {
    let rate = read_whole(value).and_then(|rate| u32::try_from(rate).ok());
    let message = said!("field-no-number", "must be a whole number from 1 to {most}", most = MAX_PER_SECOND);
    rate.filter(|rate| (1..=MAX_PER_SECOND).contains(rate))
        .ok_or_else(|| FieldError::new("per_second", message))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_wish_names_all_or_some_with_a_reason() {
        let asked = read_replay(br#"{"all":true,"reason":"the books were down"}"#).unwrap();
        let reason = "the books were down".to_owned();
        assert_eq!(asked, Asked { queues: QueueName::ALL.into(), ids: None, reason, per_second: None });
        let body = json!({"ids": ["b", "a", "b"], "queue": "accounting", "reason": "r", "per_second": 5.0});
        let asked = read_replay(body.to_string().as_bytes()).unwrap();
        assert_eq!(asked.ids.unwrap(), ["a", "b"]);
        assert_eq!((asked.queues, asked.per_second), (vec![QueueName::Accounting], Some(5)));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let ids: Vec<String> = (0..=MAX_IDS).map(|n| n.to_string()).collect();
        let cases = [
            (json!([]), ""),
            (json!({"reason": "r"}), "ids"),
            (json!({"reason": "r", "all": false}), "ids"),
            (json!({"reason": "r", "all": true, "ids": ["a"]}), "ids"),
            (json!({"reason": "r", "all": "yes"}), "all"),
            (json!({"reason": "r", "ids": []}), "ids"),
            (json!({"reason": "r", "ids": "a"}), "ids"),
            (json!({"reason": "r", "ids": ids}), "ids"),
            (json!({"reason": "r", "ids": ["a", 1]}), "ids[1]"),
            (json!({"reason": "r", "ids": [""]}), "ids[0]"),
            (json!({"all": true}), "reason"),
            (json!({"all": true, "reason": " "}), "reason"),
            (json!({"all": true, "reason": "x".repeat(501)}), "reason"),
            (json!({"all": true, "reason": "r", "queue": "nobody"}), "queue"),
            (json!({"all": true, "reason": "r", "per_second": 0}), "per_second"),
            (json!({"all": true, "reason": "r", "per_second": 501}), "per_second"),
            (json!({"all": true, "reason": "r", "per_second": 1.5}), "per_second"),
            (json!({"all": true, "reason": "r", "persecond": 1}), "persecond"),
            (json!({"all": true, "reason": "r", "tenant": "demo"}), "tenant"),
        ];
        for (body, field) in cases {
            assert_eq!(read_replay(body.to_string().as_bytes()).unwrap_err().field, field, "{body}");
        }
        assert_eq!(read_replay(b"{").unwrap_err().field, "");
        let bad = json!({"all": true, "reason": "r", "tenant": "Not One"});
        assert_eq!(read_invocation(&bad).unwrap_err().field, "tenant");
    }

    #[test]
    fn an_invocation_may_be_for_everybody() {
        let (tenant, _) = read_invocation(&json!({"tenant": null, "all": true, "reason": "r"})).unwrap();
        assert_eq!(tenant, None);
        let (tenant, _) = read_invocation(&json!({"tenant": "demo", "all": true, "reason": "r"})).unwrap();
        assert_eq!(tenant.unwrap().as_str(), "demo");
    }
}
