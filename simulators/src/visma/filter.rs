//! `$filter`: the part of OData v4 that Visma documents (`apis/visma.md` 2).

use std::cmp::Ordering;
use std::mem::discriminant;

use jiff::Timestamp;
use rust_decimal::Decimal;

use super::call::day;
use super::errors::Refusal;
use crate::kit::json::{Json, Object};

/// A condition on a document.
#[derive(Debug, PartialEq)]
pub(super) enum Filter {
    And(Box<Filter>, Box<Filter>),
    Or(Box<Filter>, Box<Filter>),
    Compare(String, Operator, Comparable),
    Contains(String, String),
    /// Some item of a list fits.
    Any(String, Box<Filter>),
}

/// How a property is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Eq,
    Ne,
    Gt,
    Ge,
    Lt,
    Le,
}

impl Filter {
    /// Reads a filter.
    ///
    /// # Errors
    /// 6000 for what is no filter, 6001 for what looks like a date and is none.
    pub(super) fn parse(text: &str) -> Result<Self, Refusal> {
        let mut reader = Reader { tokens: tokens(text)?, at: 0, variable: None };
        let filter = reader.either()?;
        if reader.at < reader.tokens.len() {
            return Err(reader.nonsense());
        }
        Ok(filter)
    }

    /// The properties it looks at; those of a list's items as `Rows/Text`.
    pub(super) fn properties(&self) -> Vec<String> {
        match self {
            Self::And(left, right) | Self::Or(left, right) => {
                let mut all = left.properties();
                all.extend(right.properties());
                all
            }
            Self::Compare(name, ..) | Self::Contains(name, _) => vec![name.clone()],
            Self::Any(list, inner) => {
                inner.properties().into_iter().map(|name| format!("{list}/{name}")).collect()
            }
        }
    }

    /// Whether a document fits.
    pub(super) fn holds(&self, document: &Object) -> bool {
        match self {
            Self::And(left, right) => left.holds(document) && right.holds(document),
            Self::Or(left, right) => left.holds(document) || right.holds(document),
            Self::Contains(name, part) => document.text(name).contains(part.as_str()),
            Self::Any(list, inner) => document.objects(list).any(|item| inner.holds(item)),
            Self::Compare(name, operator, value) => {
                let order = document.get(name).and_then(|actual| Comparable::of(actual).against(value));
                match operator {
                    Operator::Eq => order == Some(Ordering::Equal),
                    Operator::Ne => order != Some(Ordering::Equal),
                    Operator::Gt => order == Some(Ordering::Greater),
                    Operator::Ge => order.is_some_and(Ordering::is_ge),
                    Operator::Lt => order == Some(Ordering::Less),
                    Operator::Le => order.is_some_and(Ordering::is_le),
                }
            }
        }
    }
}

/// A value as it is compared: numbers by value, times by moment, texts as they are.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Comparable {
    /// Null, or what cannot be compared.
    Null,
    Bool(bool),
    Number(Decimal),
    Moment(Timestamp),
    Text(String),
}

impl Comparable {
    pub(super) fn of(value: &Json) -> Self {
        match value {
            Json::Bool(flag) => Self::Bool(*flag),
            Json::Number(number) => Self::Number(*number),
            Json::Text(text) => moment(text).map_or_else(|| Self::Text(text.clone()), Self::Moment),
            Json::Null | Json::List(_) | Json::Object(_) => Self::Null,
        }
    }

    /// How it stands to another; `None` when the two are of different kinds.
    fn against(&self, other: &Self) -> Option<Ordering> {
        (discriminant(self) == discriminant(other)).then(|| self.cmp(other))
    }
}

/// A time, or a day's beginning.
fn moment(text: &str) -> Option<Timestamp> {
    // Most texts are none, and this is cheaper than trying.
    if text.as_bytes().get(4) != Some(&b'-') {
        return None;
    }
    let at_midnight = || day(text)?.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|zoned| zoned.timestamp());
    text.parse().ok().or_else(at_midnight)
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Open,
    Close,
    Comma,
    Text(String),
    Word(String),
}

fn tokens(text: &str) -> Result<Vec<Token>, Refusal> {
    let mut tokens = Vec::new();
    let mut rest = text.chars().peekable();
    while let Some(first) = rest.next() {
        tokens.push(match first {
            ' ' => continue,
            '(' => Token::Open,
            ')' => Token::Close,
            ',' => Token::Comma,
            '\'' => {
                let mut inside = String::new();
                loop {
                    match rest.next() {
                        None => return Err(Refusal::bad_query("a text in $filter does not end")),
                        Some('\'') if rest.next_if_eq(&'\'').is_some() => inside.push('\''),
                        Some('\'') => break,
                        Some(other) => inside.push(other),
                    }
                }
                Token::Text(inside)
            }
            other => {
                let mut word = String::from(other);
                while let Some(next) = rest.next_if(|next| !" (),'".contains(*next)) {
                    word.push(next);
                }
                Token::Word(word)
            }
        });
    }
    Ok(tokens)
}

struct Reader {
    tokens: Vec<Token>,
    at: usize,
    /// Name of the item inside a lambda.
    variable: Option<String>,
}

impl Reader {
    fn nonsense(&self) -> Refusal {
        Refusal::bad_query("$filter cannot be read")
    }

    fn next(&mut self) -> Option<Token> {
        self.at += 1;
        self.tokens.get(self.at - 1).cloned()
    }

    fn takes(&mut self, token: &Token) -> bool {
        let fits = self.tokens.get(self.at) == Some(token);
        self.at += usize::from(fits);
        fits
    }

    fn needs(&mut self, token: &Token) -> Result<(), Refusal> {
        if self.takes(token) { Ok(()) } else { Err(self.nonsense()) }
    }

    fn either(&mut self) -> Result<Filter, Refusal> {
        let mut left = self.both()?;
        while self.takes(&Token::Word("or".to_owned())) {
            left = Filter::Or(Box::new(left), Box::new(self.both()?));
        }
        Ok(left)
    }

    fn both(&mut self) -> Result<Filter, Refusal> {
        let mut left = self.one()?;
        while self.takes(&Token::Word("and".to_owned())) {
            left = Filter::And(Box::new(left), Box::new(self.one()?));
        }
        Ok(left)
    }

    fn one(&mut self) -> Result<Filter, Refusal> {
        match self.next() {
            Some(Token::Open) => {
                let inner = self.either()?;
                self.needs(&Token::Close)?;
                Ok(inner)
            }
            Some(Token::Word(word)) if word == "contains" => {
                self.needs(&Token::Open)?;
                let Some(Token::Word(name)) = self.next() else { return Err(self.nonsense()) };
                self.needs(&Token::Comma)?;
                let Some(Token::Text(part)) = self.next() else { return Err(self.nonsense()) };
                self.needs(&Token::Close)?;
                Ok(Filter::Contains(self.property(&name)?, part))
            }
            Some(Token::Word(word)) if word.ends_with("/any") => {
                self.needs(&Token::Open)?;
                let Some(Token::Word(variable)) = self.next() else { return Err(self.nonsense()) };
                let variable = variable.strip_suffix(':').ok_or_else(|| self.nonsense())?.to_owned();
                self.variable = Some(variable);
                let inner = self.either()?;
                self.variable = None;
                self.needs(&Token::Close)?;
                let list = self.property(word.trim_end_matches("/any"))?;
                Ok(Filter::Any(list, Box::new(inner)))
            }
            Some(Token::Word(name)) => {
                let Some(Token::Word(operator)) = self.next() else { return Err(self.nonsense()) };
                let operator = match operator.as_str() {
                    "eq" => Operator::Eq,
                    "ne" => Operator::Ne,
                    "gt" => Operator::Gt,
                    "ge" => Operator::Ge,
                    "lt" => Operator::Lt,
                    "le" => Operator::Le,
                    _ => return Err(self.nonsense()),
                };
                let value = match self.next() {
                    Some(Token::Text(text)) => Json::Text(text),
                    Some(Token::Word(word)) => literal(&word)?,
                    _ => return Err(self.nonsense()),
                };
                Ok(Filter::Compare(self.property(&name)?, operator, Comparable::of(&value)))
            }
            _ => Err(self.nonsense()),
        }
    }

    /// The property of a name; inside a lambda it begins with the item's.
    fn property(&self, name: &str) -> Result<String, Refusal> {
        match &self.variable {
            None => Ok(name.to_owned()),
            Some(variable) => name
                .strip_prefix(variable.as_str())
                .and_then(|rest| rest.strip_prefix('/'))
                .map(str::to_owned)
                .ok_or_else(|| self.nonsense()),
        }
    }
}

/// A literal without quotes: a boolean, null, a number, a time or an id.
fn literal(word: &str) -> Result<Json, Refusal> {
    match word {
        "true" | "false" => return Ok(Json::Bool(word == "true")),
        "null" => return Ok(Json::Null),
        _ => {}
    }
    if let Ok(number) = word.parse::<Decimal>() {
        return Ok(Json::Number(number));
    }
    let is_id = word.len() == 36 && word.chars().filter(|c| *c == '-').count() == 4;
    if is_id || moment(word).is_some() {
        return Ok(Json::Text(word.to_owned()));
    }
    if word.starts_with(|c: char| c.is_ascii_digit()) {
        return Err(Refusal::bad_date("a value in $filter"));
    }
    Err(Refusal::bad_query("a text in $filter stands without quotes"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kit::json::parse;

    fn fits(filter: &str) -> bool {
        let text = r#"{"Name":"O'Hara AB","IsActive":true,"TotalAmount":-10.5,"ChangedUtc":"2026-11-20T12:00:00Z",
            "InvoiceDate":"2026-11-20T00:00:00","Note":null,"Rows":[{"Text":"Order 1"},{"Text":"Olja"}]}"#;
        let Json::Object(document) = parse(text).unwrap() else { panic!("an object") };
        Filter::parse(filter).unwrap().holds(&document)
    }

    #[test]
    fn documented_filters_are_understood() {
        for (filter, expected) in [
            ("Name eq 'O''Hara AB'", true),
            ("Name eq 'O''Hara'", false),
            ("contains(Name,'Hara')", true),
            ("contains( Name , 'hara' )", false),
            ("IsActive eq true and TotalAmount lt -10", true),
            ("IsActive eq false or TotalAmount eq -10.50", true),
            ("(IsActive eq false or IsActive eq true) and Name ne 'x'", true),
            ("ChangedUtc ge 2026-11-20T12:00:00.00Z", true),
            ("ChangedUtc gt 2026-11-20T12:00:00.00Z", false),
            ("InvoiceDate eq 2026-11-20", true),
            ("Note eq null", true),
            ("Nothing eq 'x'", false),
            ("Rows/any(c: contains(c/Text,'Order'))", true),
            ("Rows/any(c: c/Text eq 'Salva')", false),
        ] {
            assert_eq!(fits(filter), expected, "{filter}");
        }
    }

    #[test]
    fn what_is_no_filter_is_refused_by_kind() {
        for (filter, code) in [
            ("", 6000),
            ("Name", 6000),
            ("Name like 'x'", 6000),
            ("Name eq x", 6000),
            ("Name eq 'x", 6000),
            ("Name eq 'x' Name", 6000),
            ("startswith(Name,'x')", 6000),
            ("Rows/any(c: contains(d/Text,'x'))", 6000),
            ("ChangedUtc ge 2026-13-40", 6001),
        ] {
            assert_eq!(Filter::parse(filter).unwrap_err().code, code, "{filter}");
        }
    }

    #[test]
    fn the_properties_of_a_filter_are_known() {
        let filter = Filter::parse("Rows/any(c: contains(c/Text,'x')) and (IsActive eq true)").unwrap();
        assert_eq!(filter.properties(), ["Rows/Text", "IsActive"]);
    }
}
