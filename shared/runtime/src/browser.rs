//! What browsers need: our own address, cookies, their language, and pages as answers.

use std::net::{IpAddr, Ipv6Addr};

use bokbro_app::language::Language;
use bokbro_app::secret::SecretText;
use http::{Extensions, HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use lambda_http::request::RequestContext;

use crate::Platform;

/// A cookie of ours. With this prefix in their names browsers keep them to our host, to HTTPS and to the whole path, so
/// that no neighbor under the same domain can set one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cookie {
    /// Ties a consent to one browser.
    Consent,
    /// Ties a sign-in to one browser.
    Visit,
    /// Somebody is signed in.
    Session,
}

impl Cookie {
    fn name(self) -> &'static str {
        match self {
            Self::Consent => "__Host-bokbro-oauth",
            Self::Visit => "__Host-bokbro-sign-in",
            Self::Session => "__Host-bokbro-session",
        }
    }

    /// How long it is kept, in seconds.
    fn age(self) -> i64 {
        match self {
            Self::Consent => bokbro_app::oauth::STATE_LIFE.as_secs(),
            Self::Visit => bokbro_app::signin::VISIT_LIFE.as_secs(),
            Self::Session => bokbro_app::signin::SESSION_LIFE.as_secs(),
        }
    }

    /// What a browser has kept.
    #[must_use]
    pub fn read(self, headers: &HeaderMap) -> Option<SecretText> {
        cookie(headers, self.name()).map(|value| SecretText::new(value.to_owned()))
    }

    /// The `Set-Cookie` that has a browser keep something.
    #[must_use]
    pub fn keep(self, kept: &SecretText) -> Option<HeaderValue> {
        self.set(kept.expose(), self.age())
    }

    /// The `Set-Cookie` that has a browser forget it.
    #[must_use]
    pub fn forget(self) -> Option<HeaderValue> {
        self.set("", 0)
    }

    fn set(self, value: &str, age: i64) -> Option<HeaderValue> {
        let name = self.name();
        let attributes = "Path=/; Secure; HttpOnly; SameSite=Lax";
        let text = SecretText::new(format!("{name}={value}; Max-Age={age}; {attributes}"));
        let mut value = HeaderValue::from_str(text.expose()).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}

/// Name of the cookie that remembers which language somebody chose; it says nothing else, so it needs no protection.
pub const LANGUAGE: &str = "bokbro-language";

/// What a browser speaks: what somebody chose, else what it says itself.
#[must_use]
pub fn language(headers: &HeaderMap) -> Language {
    let chosen = cookie(headers, LANGUAGE).and_then(Language::parse);
    let accepted = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    chosen.unwrap_or_else(|| Language::accepted(accepted))
}

fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let cookies = headers.get_all(header::COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(found, _)| *found == name).map(|(_, value)| value)
}

/// Where browsers find us, without a trailing slash: as configured, or else the host that API Gateway took the request
/// for. The `Host` and `X-Forwarded-Host` headers are the caller's words and count for nothing.
#[must_use]
pub fn origin(platform: &Platform, extensions: &Extensions) -> Option<String> {
    platform.public_url.clone().or_else(|| gateway_origin(extensions))
}

fn gateway_origin(extensions: &Extensions) -> Option<String> {
    match extensions.get::<RequestContext>() {
        Some(RequestContext::ApiGatewayV2(context)) => {
            context.domain_name.as_ref().map(|domain| format!("https://{domain}"))
        }
        _ => None,
    }
}

/// The address that a request came from, as API Gateway saw it. `X-Forwarded-For` is the caller's word and counts for
/// nothing. Of an IPv6 address the network alone, because its owner has all of it.
#[must_use]
pub fn source(extensions: &Extensions) -> String {
    let Some(RequestContext::ApiGatewayV2(context)) = extensions.get::<RequestContext>() else {
        return String::new();
    };
    let address = context.http.source_ip.as_deref().unwrap_or_default();
    match address.parse() {
        Ok(IpAddr::V6(address)) => Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).to_string(),
        Ok(IpAddr::V4(_)) | Err(_) => address.to_owned(),
    }
}

/// A page as an answer.
#[must_use]
pub fn page_response<B: From<String>>(status: u16, html: String, language: Language) -> Response<B> {
    let mut response = Response::new(B::from(html));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers: [(HeaderName, &'static str); 3] = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_LANGUAGE, language.tag()),
        (header::VARY, "cookie, accept-language"),
    ];
    for (name, value) in headers {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(cookies: &[&'static str]) -> HeaderMap {
        cookies.iter().map(|cookie| (header::COOKIE, HeaderValue::from_static(cookie))).collect()
    }

    #[test]
    fn what_a_browser_keeps_comes_back() {
        let set = Cookie::Consent.keep(&SecretText::new("abc".to_owned())).unwrap();
        assert!(set.is_sensitive());
        let text = set.to_str().unwrap();
        for attribute in ["; Path=/", "; Secure", "; HttpOnly", "; SameSite=Lax", "; Max-Age=600"] {
            assert!(text.contains(attribute), "{text}");
        }
        assert!(!text.contains("Domain"), "{text}");
        let gone = Cookie::Consent.forget().unwrap();
        assert!(gone.to_str().unwrap().starts_with("__Host-bokbro-oauth=; Max-Age=0;"));
        for cookies in [
            headers(&["__Host-bokbro-oauth=abc"]),
            headers(&["a=b;  __Host-bokbro-oauth=abc; c=d"]),
            headers(&["a=b", "__Host-bokbro-oauth=abc"]),
        ] {
            assert_eq!(Cookie::Consent.read(&cookies).unwrap().expose(), "abc");
            assert!(Cookie::Session.read(&cookies).is_none());
        }
        for cookies in [headers(&[]), headers(&["bokbro-oauth=abc"]), headers(&["x__Host-bokbro-oauth=abc"])]
        {
            assert!(Cookie::Consent.read(&cookies).is_none());
        }
    }

    #[test]
    fn no_header_decides_where_we_are() {
        assert_eq!(gateway_origin(&Extensions::new()), None);
        let mut context = aws_lambda_events::apigw::ApiGatewayV2httpRequestContext::default();
        context.domain_name = Some("bokbro.example".to_owned());
        let mut extensions = Extensions::new();
        extensions.insert(RequestContext::ApiGatewayV2(context));
        assert_eq!(gateway_origin(&extensions).as_deref(), Some("https://bokbro.example"));
    }

    #[test]
    fn what_somebody_chose_counts_more_than_what_the_browser_says() {
        let spoken = |cookie: &'static str, accepted: &'static str| {
            let mut headers = headers(&[cookie]);
            headers.insert(header::ACCEPT_LANGUAGE, HeaderValue::from_static(accepted));
            language(&headers)
        };
        for (cookie, accepted, expected) in [
            ("a=b; bokbro-language=sv", "en", Language::Swedish),
            ("bokbro-language=en", "sv", Language::English),
            ("bokbro-language=de", "sv", Language::Swedish),
            ("a=b", "sv-SE,en;q=0.5", Language::Swedish),
            ("a=b", "de", Language::English),
        ] {
            assert_eq!(spoken(cookie, accepted), expected, "{cookie}, {accepted}");
        }
    }

    #[test]
    fn no_header_decides_where_a_request_comes_from() {
        assert_eq!(source(&Extensions::new()), "");
        for (told, taken) in [
            ("203.0.113.7", "203.0.113.7"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
            ("not an address", "not an address"),
        ] {
            let mut context = aws_lambda_events::apigw::ApiGatewayV2httpRequestContext::default();
            context.http.source_ip = Some(told.to_owned());
            let mut extensions = Extensions::new();
            extensions.insert(RequestContext::ApiGatewayV2(context));
            assert_eq!(source(&extensions), taken);
        }
    }

    #[test]
    fn a_page_says_its_language_and_what_that_hangs_on() {
        let response: Response<String> = page_response(503, "<!doctype html>".to_owned(), Language::Swedish);
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        let header = |name: &str| response.headers()[name].to_str().unwrap();
        assert_eq!((header("content-language"), header("vary")), ("sv", "cookie, accept-language"));
    }
}
