//! The running stack's own contract: what stands in it, and whether an answer keeps to it.

use std::collections::BTreeMap;

use jsonschema::Validator;
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};

/// A contract that was read from `/openapi.json`.
pub struct Contract {
    /// The document.
    pub document: Value,
}

/// A route of the contract.
#[derive(Clone)]
pub struct Route {
    /// Method.
    pub method: Method,
    /// Path, with its parameters in braces.
    pub path: String,
    /// What the document says of it.
    pub about: Value,
}

/// An answer as it came.
#[derive(Debug)]
pub struct Answered {
    /// HTTP status.
    pub status: StatusCode,
    /// Media type, without parameters.
    pub media: String,
    /// The body as text.
    pub text: String,
    /// The body's JSON, null when it is none.
    pub body: Value,
}

impl Route {
    /// Its name in generated clients.
    pub fn id(&self) -> &str {
        self.about["operationId"].as_str().unwrap()
    }

    /// Who may call it; anyone without a role.
    pub fn role(&self) -> Option<&str> {
        self.about["x-role"].as_str()
    }

    /// The path with its parameters filled in, all others by the same text.
    pub fn at(&self, known: &BTreeMap<&str, String>, other: &str) -> String {
        let part = |part: &str| match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
            Some(name) => known.get(name).map_or_else(|| other.to_owned(), Clone::clone),
            None => part.to_owned(),
        };
        self.path.split('/').map(part).collect::<Vec<_>>().join("/")
    }

    /// The schema and the example of the body that it takes.
    pub fn posted(&self) -> Option<(&Value, &Value)> {
        let content = self.about["requestBody"]["content"].get("application/json")?;
        Some((&content["schema"], &content["example"]))
    }

    /// Names of its parameters in one place.
    pub fn parameters(&self, place: &str) -> Vec<&str> {
        let all = self.about["parameters"].as_array().unwrap().iter();
        all.filter(|one| one["in"] == place).map(|one| one["name"].as_str().unwrap()).collect()
    }
}

impl Contract {
    /// All routes.
    pub fn routes(&self) -> Vec<Route> {
        let mut routes = Vec::new();
        for (path, methods) in self.document["paths"].as_object().unwrap() {
            for (method, about) in methods.as_object().unwrap() {
                let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
                routes.push(Route { method, path: path.clone(), about: about.clone() });
            }
        }
        routes
    }

    /// The route of an id.
    #[track_caller]
    pub fn route(&self, id: &str) -> Route {
        let found = self.routes().into_iter().find(|route| route.id() == id);
        found.unwrap_or_else(|| panic!("there is no route {id}"))
    }

    /// What checks values against a schema of the document, formats too.
    #[track_caller]
    pub fn validator(&self, schema: &Value) -> Validator {
        let whole = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "allOf": [schema],
            "components": self.document["components"],
        });
        jsonschema::options().should_validate_formats(true).build(&whole).unwrap()
    }

    /// What is wrong with an answer by the contract; nothing when it keeps to it.
    pub fn wrong(&self, route: &Route, answered: &Answered) -> Option<String> {
        let Answered { status, media, body, text: _ } = answered;
        let told = route.about["responses"].get(status.as_str());
        let Some(told) = told else { return Some(format!("{status} is not promised: {body}")) };
        let Some(content) = told.get("content") else {
            return (!body.is_null()).then(|| format!("{status} has a body: {body}"));
        };
        let Some(content) = content.get(media) else { return Some(format!("{status} came as {media:?}")) };
        if media == "text/html" {
            return None;
        }
        let error = self.validator(&content["schema"]).validate(body).err()?;
        Some(format!("{status}: {error} at {}: {body}", error.instance_path()))
    }
}

/// Sends a request and reads what comes.
pub async fn ask(request: RequestBuilder) -> Answered {
    let answer = request.send().await.unwrap();
    let media = answer.headers().get("content-type").map_or("", |value| value.to_str().unwrap());
    let media = media.split(';').next().unwrap_or_default().to_owned();
    let status = answer.status();
    let text = answer.text().await.unwrap();
    let body = serde_json::from_str(&text).unwrap_or_default();
    Answered { status, media, text, body }
}
