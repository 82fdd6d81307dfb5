//! Refusals in the envelope that Visma publishes (`apis/visma.md` 3).

use super::call::Answer;
use crate::kit::json::{Json, Object};

/// Why a call has no effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) code: u32,
    /// Name of the exception, then what is wrong.
    text: String,
    /// The field that is wrong, when it is one.
    field: Option<&'static str>,
}

impl Refusal {
    pub(super) fn new(status: u16, code: u32, text: impl Into<String>) -> Self {
        Self { status, code, text: text.into(), field: None }
    }

    /// A body that does not pass the model's rules.
    pub(super) fn invalid(field: &'static str, what: &str) -> Self {
        let text = format!("DataModelValidationException - {field} {what}");
        Self { field: Some(field), ..Self::new(400, 2000, text) }
    }

    /// A thing that a path or a body names and that does not exist. The description declares 404 for few paths, and 400
    /// for all.
    pub(super) fn not_found(what: &str) -> Self {
        Self::new(400, 3000, format!("ResourceNotFoundException - {what} was not found"))
    }

    /// A number that another one has. Whether the status is 400 or 409 is not known (`apis/visma.md` 2.3).
    pub(super) fn taken(status: u16, what: &str) -> Self {
        Self::new(status, 4000, format!("ConflictException - {what} already exists"))
    }

    /// What the state of a document does not allow.
    pub(super) fn not_now(what: &str) -> Self {
        Self::new(400, 4002, format!("CanNotBeCreatedOrUpdatedException - {what}"))
    }

    pub(super) fn bad_query(what: &str) -> Self {
        Self::new(400, 6000, format!("QueryParameterException - {what}"))
    }

    pub(super) fn bad_date(what: &str) -> Self {
        Self::new(400, 6001, format!("InvalidInputException - {what} is not a date"))
    }

    pub(super) fn too_many(most: usize, seconds: i64) -> Self {
        let text = format!(
            "API calls quota exceeded! maximum admitted {most} per Minute. Try again in {seconds} seconds."
        );
        Self::new(429, 4010, text)
    }

    /// The answer; the id is what support asks for.
    pub(super) fn answer(&self, error_id: String) -> Answer {
        let errors = self.field.map(|field| {
            let error = Object::default().with("Field", field).with("ErrorCode", self.code.to_string());
            Json::from(error.with("Message", self.text.as_str()).with("Key", Json::Null))
        });
        let body = Object::default()
            .with("ErrorCode", self.code)
            .with("DeveloperErrorMessage", self.text.as_str())
            .with("ErrorId", error_id)
            .with("Errors", errors.into_iter().collect::<Vec<_>>());
        Answer { status: self.status, body: Some(body.into()) }
    }
}
