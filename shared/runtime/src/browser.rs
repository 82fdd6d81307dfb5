//! What browsers need: our own address, one cookie, and pages under the strictest policy.

use bokbro_app::pages::{Language, Page};
use bokbro_app::secret::SecretText;
use http::{Extensions, HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use lambda_http::request::RequestContext;

use crate::Platform;

/// Name of the cookie that ties a consent to one browser. With this prefix browsers keep it to our host, to HTTPS and to
/// the whole path, so that no neighbor under the same domain can set it.
const COOKIE: &str = "__Host-bokbro-oauth";
/// As long as a consent may take, in seconds.
const COOKIE_AGE: i64 = bokbro_app::oauth::STATE_LIFE.as_secs();
/// Nothing may be loaded, run, framed or posted: pages are text.
const POLICY: &str = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

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

/// The nonce in a browser's cookie.
#[must_use]
pub fn nonce(headers: &HeaderMap) -> Option<SecretText> {
    let cookies = headers.get_all(header::COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == COOKIE).map(|(_, value)| SecretText::new(value.to_owned()))
}

/// The `Set-Cookie` that gives a browser its nonce.
#[must_use]
pub fn nonce_cookie(nonce: &SecretText) -> Option<HeaderValue> {
    let text = SecretText::new(format!(
        "{COOKIE}={}; Max-Age={COOKIE_AGE}; Path=/; Secure; HttpOnly; SameSite=Lax",
        nonce.expose()
    ));
    let mut value = HeaderValue::from_str(text.expose()).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// The `Set-Cookie` that takes the nonce away again.
#[must_use]
pub fn no_cookie() -> HeaderValue {
    HeaderValue::from_static("__Host-bokbro-oauth=; Max-Age=0; Path=/; Secure; HttpOnly; SameSite=Lax")
}

/// A page as an answer. Its address may hold a code, so no other site is told of it.
#[must_use]
pub fn page_response<B: From<String>>(page: Page, language: Language) -> Response<B> {
    let mut response = Response::new(B::from(page.html));
    *response.status_mut() = StatusCode::from_u16(page.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers: [(HeaderName, &'static str); 7] = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_LANGUAGE, language.tag()),
        (header::VARY, "accept-language"),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
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
    fn a_nonce_goes_to_the_browser_and_comes_back() {
        let set = nonce_cookie(&SecretText::new("abc".to_owned())).unwrap();
        assert!(set.is_sensitive());
        let text = set.to_str().unwrap();
        for attribute in ["; Path=/", "; Secure", "; HttpOnly", "; SameSite=Lax", "; Max-Age=600"] {
            assert!(text.contains(attribute), "{text}");
        }
        assert!(!text.contains("Domain"), "{text}");
        assert!(no_cookie().to_str().unwrap().starts_with(&format!("{COOKIE}=; Max-Age=0;")));
        for cookies in [
            headers(&["__Host-bokbro-oauth=abc"]),
            headers(&["a=b;  __Host-bokbro-oauth=abc; c=d"]),
            headers(&["a=b", "__Host-bokbro-oauth=abc"]),
        ] {
            assert_eq!(nonce(&cookies).unwrap().expose(), "abc");
        }
        for cookies in [headers(&[]), headers(&["bokbro-oauth=abc"]), headers(&["x__Host-bokbro-oauth=abc"])]
        {
            assert!(nonce(&cookies).is_none());
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
    fn a_page_is_text_that_no_other_site_learns_of() {
        let page = Page { status: 503, html: "<!doctype html>".to_owned() };
        let response: Response<String> = page_response(page, Language::Swedish);
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        let header = |name: &str| response.headers()[name].to_str().unwrap();
        assert!(header("content-security-policy").starts_with("default-src 'none'"));
        assert_eq!((header("referrer-policy"), header("cache-control")), ("no-referrer", "no-store"));
        assert_eq!(header("content-language"), "sv");
    }
}
