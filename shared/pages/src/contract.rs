//! The API's contract for people: routes with what they take and answer.

use bokbro_app::contract::shapes;
use bokbro_app::contract::{Answer, Build, Content, Described, Parameter, Posted, Shape, Told};
use maud::{Markup, html};
use serde_json::Value;

use crate::catalog::Texts;
use crate::layout::Frame;

/// The page.
#[must_use]
pub fn page(frame: &Frame<'_>, routes: &[Described], build: &Build) -> Markup {
    let texts = frame.texts;
    let header = "Authorization: Bearer bk_…";
    html! {
        p { (texts.get("api-intro")) " " a href="/openapi.json" { "openapi.json" } " (OpenAPI 3.1). " (texts.get("api-in-english")) }
        p { (texts.with("api-key-how", &[("header", header.into())])) }
        ul.routes {
            @for route in routes {
                li { a href=(format!("#{}", route.operation.id)) { code { (route.verb.as_str()) " " (route.path) } } }
            }
        }
        @for route in routes { (described(texts, route, build)) }
        h2 #shapes { (texts.get("api-shapes")) }
        @for shape in shapes::ALL {
            section aria-labelledby=(anchor(shape)) {
                h3 id=(anchor(shape)) { (shape.name) }
                (example(texts, shape, build))
            }
        }
    }
}

fn described(texts: Texts, route: &Described, build: &Build) -> Markup {
    let about = route.operation;
    html! {
        section aria-labelledby=(about.id) {
            h2 id=(about.id) { code { (route.verb.as_str()) " " (route.path) } }
            p lang="en" { (about.summary) }
            p {
                (texts.get("api-role")) ": "
                @match route.role {
                    Some(role) => { (texts.get(&format!("role-{}", role.as_str()))) }
                    None => { (texts.get("api-anyone")) }
                }
            }
            @if !about.parameters.is_empty() { (parameters(texts, about.id, about.parameters, build)) }
            @if let Some(body) = &about.body { (posted(texts, body, build)) }
            h3 { (texts.get("api-answers")) }
            ul { @for one in about.answers { li { (answer(texts, one)) } } }
            @let problems = route.problems();
            @if !problems.is_empty() { (refusals(texts, &problems)) }
        }
    }
}

fn parameters(texts: Texts, id: &str, parameters: &[Parameter], build: &Build) -> Markup {
    html! {
        h3 { (texts.get("api-parameters")) }
        div.scroll tabindex="0" role="region" aria-label=(format!("{}: {id}", texts.get("api-parameters"))) {
            table {
                thead {
                    tr {
                        th scope="col" { (texts.get("api-parameter")) }
                        th scope="col" { (texts.get("api-place")) }
                        th scope="col" { (texts.get("api-about")) }
                        th scope="col" { (texts.get("api-values")) }
                    }
                }
                tbody {
                    @for one in parameters {
                        tr {
                            th scope="row" { code { (one.name) } }
                            td { (texts.get(&format!("api-place-{}", one.place.as_str()))) }
                            td lang="en" { (one.about) }
                            td { code { (values(&(one.schema)(build))) } }
                        }
                    }
                }
            }
        }
    }
}

/// What a parameter may be, in short.
fn values(schema: &Value) -> String {
    let text = |name: &str| schema[name].as_str().map(str::to_owned);
    if let Some(known) = schema["enum"].as_array() {
        return known.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" | ");
    }
    if let (Some(least), Some(most)) = (schema["minimum"].as_u64(), schema["maximum"].as_u64()) {
        return format!("{least}–{most}");
    }
    text("pattern").or_else(|| text("type")).unwrap_or_default()
}

fn posted(texts: Texts, body: &Posted, build: &Build) -> Markup {
    html! {
        h3 {
            (texts.get("api-body")) ": " (body.shape.name)
            @if !body.required { " (" (texts.get("api-body-optional")) ")" }
        }
        (example(texts, body.shape, build))
    }
}

fn answer(texts: Texts, answer: &Answer) -> Markup {
    let link = |shape: &Shape| html! { a href=(format!("#{}", anchor(shape))) { (shape.name) } };
    html! {
        (answer.status) " "
        @match answer.content {
            Content::One(shape) => { (link(shape)) }
            Content::Page(shape) => { (texts.get("api-page-of")) " " (link(shape)) }
            Content::Html => { (texts.get("api-web-page")) }
            Content::Elsewhere => { code { "Location" } }
        }
        ": " span lang="en" { (answer.about) }
    }
}

fn refusals(texts: Texts, problems: &[Told]) -> Markup {
    html! {
        details {
            summary { (texts.get("api-refusals")) }
            ul { @for (status, code, when) in problems { li { (status) " " code { (code) } ": " span lang="en" { (when) } } } }
        }
    }
}

fn example(texts: Texts, shape: &Shape, build: &Build) -> Markup {
    let shown = (shape.example)(build);
    let label = format!("{}: {}", texts.get("api-example"), shape.name);
    html! { pre.scroll tabindex="0" role="region" aria-label=(label) { code { (format!("{shown:#}")) } } }
}

fn anchor(shape: &Shape) -> String {
    format!("shape-{}", shape.name)
}
