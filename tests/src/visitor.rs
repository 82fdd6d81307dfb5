//! Somebody with a browser: keeps cookies, follows where pages lead, and sends the forms that they show.

use std::collections::BTreeMap;

use reqwest::{Client, Method, Response, StatusCode, Url};
use uuid::Uuid;

use crate::stack::Stack;

/// The e-mail address of somebody whom the sign-in service's stand-in knows.
pub fn person(name: &str) -> String {
    format!("{name}@demobolaget.example")
}

/// Somebody with a browser of their own.
pub struct Visitor {
    client: Client,
    base: Url,
    address: String,
    cookies: BTreeMap<String, String>,
}

/// A page as the browser shows it.
#[derive(Debug)]
pub struct Shown {
    /// Where the browser has ended up, path and query.
    pub at: String,
    /// HTTP status.
    pub status: StatusCode,
    /// The document.
    pub html: String,
}

impl Shown {
    /// What stands in the field with this id; empty when nothing does.
    pub fn field(&self, id: &str) -> &str {
        let field = self.html.split(&format!("id=\"{id}\"")).nth(1).expect("a field with this id");
        let field = field.split('>').next().unwrap_or_default();
        field.split("value=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_default()
    }
}

impl Visitor {
    /// A browser that knows nothing yet.
    pub fn to(stack: &Stack) -> Self {
        let base = Url::parse(stack.text("/base_url")).unwrap();
        let [one, two, three, ..] = Uuid::new_v4().into_bytes();
        let address = format!("10.{one}.{two}.{three}");
        Self { client: bokbro_simulators::kit::http_client(), base, address, cookies: BTreeMap::new() }
    }

    /// The address that they come from, which no other visitor has.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Somebody who has signed in with this e-mail address.
    pub async fn signed_in(stack: &Stack, email: &str) -> Self {
        let mut visitor = Self::to(stack);
        let shown = visitor.sign_in(email).await;
        assert_eq!(shown.status, StatusCode::OK, "{}", shown.html);
        visitor
    }

    /// Goes through the sign-in and says where it ends.
    pub async fn sign_in(&mut self, email: &str) -> Shown {
        let begun = self.send(Method::GET, "/app/sign-in/start", &[]).await;
        let mut page = Url::parse(begun.headers()["location"].to_str().unwrap()).unwrap();
        page.query_pairs_mut().append_pair("login_hint", email);
        let back = self.client.get(page).send().await.unwrap();
        let back = Url::parse(back.headers()["location"].to_str().unwrap()).unwrap();
        self.get(&format!("{}?{}", back.path(), back.query().unwrap_or_default())).await
    }

    /// Opens a page.
    pub async fn get(&mut self, path: &str) -> Shown {
        self.follow(Method::GET, path.to_owned(), &[]).await
    }

    /// Sends a form of our pages, with the token of the session.
    pub async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Shown {
        let page = self.get("/app").await;
        let token = page.form_token();
        let fields: Vec<(&str, &str)> =
            fields.iter().copied().chain([("form_token", token.as_str())]).collect();
        self.follow(Method::POST, path.to_owned(), &fields).await
    }

    /// Sends fields as they are.
    pub async fn post_bare(&mut self, path: &str, fields: &[(&str, &str)]) -> Shown {
        self.follow(Method::POST, path.to_owned(), fields).await
    }

    /// The value of a cookie.
    pub fn cookie(&self, name: &str) -> Option<&str> {
        self.cookies.get(name).map(String::as_str)
    }

    /// One request, without following.
    pub async fn send(&mut self, method: Method, path: &str, fields: &[(&str, &str)]) -> Response {
        let mut request = self.client.request(method.clone(), self.base.join(path).unwrap());
        request = request.header("x-local-source", &self.address);
        if method == Method::POST {
            request = request.form(fields).header("sec-fetch-site", "same-origin");
        }
        let kept: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        if !kept.is_empty() {
            request = request.header("cookie", kept.join("; "));
        }
        let answer = request.send().await.unwrap();
        for set in answer.headers().get_all("set-cookie") {
            let (name, rest) = set.to_str().unwrap().split_once('=').unwrap();
            let (value, attributes) = rest.split_once(';').unwrap_or((rest, ""));
            if attributes.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        answer
    }

    async fn follow(&mut self, method: Method, path: String, fields: &[(&str, &str)]) -> Shown {
        let (mut at, mut method) = (path, method);
        for _ in 0..5 {
            let answer = self.send(method, &at, fields).await;
            let status = answer.status();
            match answer.headers().get("location").filter(|_| status.is_redirection()) {
                Some(location) => location.to_str().unwrap().clone_into(&mut at),
                None => return Shown { at, status, html: answer.text().await.unwrap() },
            }
            method = Method::GET;
        }
        panic!("{at} leads nowhere")
    }
}

impl Shown {
    /// The token that forms of the page carry.
    pub fn form_token(&self) -> String {
        let at = self.html.find("name=\"form_token\"").unwrap_or_else(|| panic!("no form: {}", self.html));
        let value = self.html[at..].split("value=\"").nth(1).unwrap();
        value.split('"').next().unwrap().to_owned()
    }
}
