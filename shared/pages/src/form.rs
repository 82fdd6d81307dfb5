//! What somebody typed into a form: after a refusal it stands there again, so that nobody types it twice.

use bokbro_domain::order::FieldError;

/// The fields of a form that one of our pages has sent, in order. Some are credentials, so there is no way to print it.
#[derive(Clone)]
pub struct Form(Vec<(String, String)>);

impl FromIterator<(String, String)> for Form {
    fn from_iter<T: IntoIterator<Item = (String, String)>>(fields: T) -> Self {
        Self(fields.into_iter().collect())
    }
}

impl Form {
    /// A field's text without outer blanks; empty when it is missing.
    #[must_use]
    pub fn field(&self, name: &str) -> &str {
        self.0.iter().find(|(field, _)| field == name).map_or("", |(_, value)| value.trim())
    }

    /// All texts of a field that may come several times.
    #[must_use]
    pub fn all(&self, name: &str) -> Vec<&str> {
        self.0.iter().filter(|(field, _)| field == name).map(|(_, value)| value.as_str()).collect()
    }
}

/// A form that was refused.
#[derive(Clone, Copy)]
pub struct Refused<'a> {
    /// What is wrong with it.
    pub error: &'a FieldError,
    /// What was typed.
    pub form: &'a Form,
}

/// What a field holds when a page is shown: what was typed before a refusal, else what is stored.
pub(crate) fn value<'a>(typed: Option<&'a Form>, name: &str, stored: Option<&'a str>) -> Option<&'a str> {
    typed.map(|form| form.field(name)).or(stored).filter(|value| !value.is_empty())
}
