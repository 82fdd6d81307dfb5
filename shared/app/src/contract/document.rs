//! The contract as OpenAPI 3.1.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{Answer, Build, Content, Described, Parameter, Place, Shape, Told, Verb, shapes};

/// The contract of these routes as an OpenAPI document.
#[must_use]
pub fn openapi(routes: &[Described], build: &Build) -> Value {
    let mut paths: Map<String, Value> = Map::new();
    for route in routes {
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        path[route.verb.as_str().to_lowercase()] = operation(route, build);
    }
    let schemas: Map<String, Value> =
        shapes::ALL.iter().map(|shape| (shape.name.to_owned(), (shape.schema)(build))).collect();
    json!({
        "openapi": "3.1.1",
        "info": {
            "title": "Bokbro",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "Paid orders of a webshop into books and parcels, exactly once.",
            "description": "Money and quantities are decimal strings; prices include VAT. Moments are RFC 3339 in UTC. \
                Objects take no members besides those described.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "apiKey": {"type": "http", "scheme": "bearer", "description": "An API key, `bk_…`."},
                "session": {"type": "apiKey", "in": "cookie", "name": "__Host-bokbro-session",
                    "description": "Somebody who has signed in."},
                "formToken": {"type": "apiKey", "in": "header", "name": "X-Form-Token",
                    "description": "The session's token, which changes need."},
            },
        },
    })
}

fn operation(route: &Described, build: &Build) -> Value {
    let about = route.operation;
    let mut operation = json!({
        "operationId": about.id,
        "summary": about.summary,
        "tags": [route.group()],
        "parameters": about.parameters.iter().map(|one| parameter(one, build)).collect::<Vec<_>>(),
        "responses": answers(about.answers, &route.problems(), build),
        "security": security(route),
    });
    if let Some(role) = route.role {
        operation["x-role"] = json!(role);
    }
    if let Some(body) = &about.body {
        let mut content = json!({"schema": reference(body.shape)});
        content["example"] = (body.shape.example)(build);
        operation["requestBody"] =
            json!({"required": body.required, "content": {"application/json": content}});
    }
    operation
}

fn parameter(parameter: &Parameter, build: &Build) -> Value {
    json!({
        "name": parameter.name,
        "in": parameter.place.as_str(),
        "required": parameter.place == Place::Path,
        "description": parameter.about,
        "schema": (parameter.schema)(build),
    })
}

fn security(route: &Described) -> Value {
    match (route.role, route.verb) {
        (None, _) => json!([]),
        (Some(_), Verb::Get) => json!([{"apiKey": []}, {"session": []}]),
        (Some(_), Verb::Post | Verb::Put | Verb::Delete) => {
            json!([{"apiKey": []}, {"session": [], "formToken": []}])
        }
    }
}

fn answers(good: &[Answer], problems: &[Told], build: &Build) -> Value {
    let mut all: Map<String, Value> =
        good.iter().map(|one| (one.status.to_string(), answer(one, build))).collect();
    let mut by_status: BTreeMap<u16, Vec<&Told>> = BTreeMap::new();
    for told in problems {
        by_status.entry(told.0).or_default().push(told);
    }
    for (status, told) in by_status {
        let about: Vec<String> = told.iter().map(|(_, code, when)| format!("`{code}`: {when}")).collect();
        let codes: Vec<&str> = told.iter().map(|(_, code, _)| *code).collect();
        let coded = json!({"properties": {"code": {"enum": codes}, "status": {"const": status}}});
        let schema = json!({"allOf": [reference(&shapes::PROBLEM), coded]});
        // Browsers get a page where programs get this.
        let answer = all.entry(status.to_string()).or_insert_with(|| json!({}));
        answer["description"] = json!(about.join(" "));
        answer["content"]["application/problem+json"] = json!({"schema": schema});
    }
    Value::Object(all)
}

fn answer(answer: &Answer, build: &Build) -> Value {
    let json =
        |schema: Value, example: Value| json!({"application/json": {"schema": schema, "example": example}});
    let content = match answer.content {
        Content::One(shape) => json(reference(shape), (shape.example)(build)),
        Content::Page(shape) => json(
            json!({
                "type": "object",
                "properties": {
                    "items": {"type": "array", "items": reference(shape)},
                    "next": {"type": ["string", "null"]},
                    "truncated": {"type": "boolean"},
                },
                "required": ["items", "next"],
                "additionalProperties": false,
            }),
            json!({"items": [(shape.example)(build)], "next": null}),
        ),
        Content::Html => json!({"text/html": {"schema": {"type": "string"}}}),
        Content::Elsewhere => {
            let location = json!({"Location": {"schema": {"type": "string", "format": "uri"}}});
            return json!({"description": answer.about, "headers": location});
        }
    };
    json!({"description": answer.about, "content": content})
}

fn reference(shape: &Shape) -> Value {
    json!({"$ref": format!("#/components/schemas/{}", shape.name)})
}
