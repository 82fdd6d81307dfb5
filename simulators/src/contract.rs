//! Checks requests and answers against the providers' published OpenAPI descriptions, read from outside the project.

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use jsonschema::Validator;
use saphyr::{LoadableYamlNode, Scalar, Yaml};
use serde_json::{Map, Value, json};

/// Names in the record of observed types, and the schema that each is about.
const OBSERVED: &[(&str, &str)] = &[
    ("Customer", "fortnox_Customer"),
    ("Customers", "fortnox_CustomerListItem"),
    ("Order", "fortnox_Order"),
    ("OrderRow", "fortnox_Order_OrderRow"),
    ("Orders", "fortnox_OrderListItem"),
    ("Invoice", "fortnox_Invoice"),
    ("InvoiceRow", "fortnox_Invoice_InvoiceRow"),
    ("Invoices", "fortnox_InvoiceListItem"),
    ("Article", "fortnox_Article"),
    ("Articles", "fortnox_ArticleListItem"),
];

/// Query parameters of every list of Fortnox, which the description states only in prose (`apis/fortnox.md` 2.3).
const FORTNOX_LISTS: &[&str] =
    &["limit", "page", "offset", "sortby", "sortorder", "lastmodified", "financialyear", "financialyeardate"];

/// Lists of Fortnox that can be narrowed by date, which is stated in prose too.
const FORTNOX_DATED: &[&str] = &["/3/invoices", "/3/orders", "/3/offers", "/3/vouchers"];

/// Query parameters of every list of Visma (`apis/visma.md` 2).
const VISMA_LISTS: &[&str] = &["$filter", "$orderby", "$select", "$page", "$pagesize"];
/// What stands before every path of Visma's description.
const VISMA_BASE: &str = "/v2";

/// The folder with provider descriptions, from `BOKBRO_SPECS_DIR`. They are not part of the project.
#[must_use]
pub fn specs_dir() -> Option<PathBuf> {
    std::env::var_os("BOKBRO_SPECS_DIR").filter(|dir| !dir.is_empty()).map(PathBuf::from)
}

/// A description to check against.
pub struct OpenApi {
    paths: Map<String, Value>,
    /// As published, but a body may have no members that the description does not name.
    request_schemas: Value,
    /// The same for PUT; at Fortnox nothing is required, because it changes only what it names (`apis/fortnox.md` 2.2).
    update_schemas: Value,
    /// As published, widened by the types that recorded answers show.
    response_schemas: Value,
    /// Query parameters that every list takes.
    every_list: &'static [&'static str],
    validators: Mutex<HashMap<(Side, String), Arc<Validator>>>,
}

impl OpenApi {
    /// Reads Fortnox' description and the record of observed types below `dir`.
    ///
    /// # Errors
    /// When a file is missing or is not what it should be.
    pub fn fortnox(dir: &Path) -> io::Result<Self> {
        let read = |name: &str| -> io::Result<Value> {
            Ok(serde_json::from_str(&std::fs::read_to_string(dir.join("fortnox").join(name))?)?)
        };
        let mut description = read("openapi-fortnox.json")?;
        let observed = read("observed-json-types-2023-2024.json")?;
        let (Value::Object(paths), schemas) =
            (description["paths"].take(), description["components"]["schemas"].take())
        else {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the description has no paths"));
        };
        Ok(Self::new(paths, schemas, &observed))
    }

    /// Reads Visma's description below `dir`.
    ///
    /// # Errors
    /// When the file is missing or is not what it should be.
    pub fn visma(dir: &Path) -> io::Result<Self> {
        let wrong = |what: String| io::Error::new(io::ErrorKind::InvalidData, what);
        let text = std::fs::read_to_string(dir.join("visma/eaccounting-v2-openapi.yaml"))?;
        let documents = Yaml::load_from_str(&text).map_err(|error| wrong(error.to_string()))?;
        let mut description = documents.first().map(from_yaml).unwrap_or_default();
        let (Value::Object(paths), schemas) =
            (description["paths"].take(), description["components"]["schemas"].take())
        else {
            return Err(wrong("the description has no paths".to_owned()));
        };
        let paths = paths.into_iter().map(|(path, operations)| (format!("{VISMA_BASE}{path}"), operations));
        let mut request_schemas = schemas.clone();
        for schema in request_schemas.as_object_mut().into_iter().flat_map(Map::values_mut) {
            writable(schema);
        }
        Ok(Self {
            paths: paths.collect(),
            update_schemas: request_schemas.clone(),
            request_schemas,
            response_schemas: schemas,
            every_list: VISMA_LISTS,
            validators: Mutex::default(),
        })
    }

    fn new(paths: Map<String, Value>, schemas: Value, observed: &Value) -> Self {
        let (mut request_schemas, mut response_schemas) = (schemas.clone(), schemas);
        close(&mut request_schemas);
        widen(&mut response_schemas, observed);
        let mut update_schemas = request_schemas.clone();
        require_nothing(&mut update_schemas);
        Self {
            paths,
            request_schemas,
            update_schemas,
            response_schemas,
            every_list: FORTNOX_LISTS,
            validators: Mutex::default(),
        }
    }

    /// Checks a request: the operation exists, its query parameters are known, its body fits and has no members
    /// beyond the description. `path` is a path with or without query; `body` is `None` for a request without one.
    ///
    /// # Errors
    /// One sentence for everything that does not fit.
    pub fn validate_request(
        &self,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Result<(), Vec<String>> {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let operation = self.operation(method, path)?;
        let mut problems = Vec::new();
        for name in query.split('&').filter_map(|pair| pair.split('=').next()).filter(|name| !name.is_empty())
        {
            // The description writes `Date` where the guide and recorded calls write `date`.
            let stated = operation["parameters"].as_array().into_iter().flatten().any(|parameter| {
                parameter["in"] == "query"
                    && parameter["name"].as_str().is_some_and(|known| known.eq_ignore_ascii_case(name))
            });
            let by_date = ["fromdate", "todate"].contains(&name)
                && FORTNOX_DATED.iter().any(|list| path.starts_with(list));
            if !stated && !by_date && !self.every_list.contains(&name) {
                problems.push(format!("{method} {path} has no query parameter {name}"));
            }
        }
        let schema = operation["requestBody"]["content"]
            .as_object()
            .and_then(|content| content.values().next())
            .and_then(|content| content["schema"]["$ref"].as_str());
        match (schema, body) {
            (Some(schema), Some(body)) => problems.extend(self.check(
                if method == "PUT" { Side::Update } else { Side::Request },
                schema,
                body,
            )),
            (None, Some(_)) => problems.push(format!("{method} {path} takes no body")),
            (_, None) => {}
        }
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }

    /// Checks an answer's body, `None` when it is empty, against the schema of its status.
    ///
    /// # Errors
    /// One sentence for everything that does not fit.
    pub fn validate_response(
        &self,
        method: &str,
        path: &str,
        status: u16,
        body: Option<&Value>,
    ) -> Result<(), Vec<String>> {
        let path = path.split_once('?').map_or(path, |(path, _)| path);
        let responses = &self.operation(method, path)?["responses"];
        let stated = &responses[status.to_string()];
        if stated.is_null() && status < 400 {
            return Err(vec![format!("{method} {path} does not answer {status}")]);
        }
        let stated = if stated.is_null() { &responses["default"] } else { stated };
        let schema = stated["content"]
            .as_object()
            .and_then(|content| content.values().next())
            .and_then(|content| content["schema"]["$ref"].as_str());
        let problems = match (schema, body) {
            (Some(schema), Some(body)) => self.check(Side::Response, schema, body),
            (None, None) => Vec::new(),
            (Some(_), None) => vec![format!("{method} {path} answers {status} without a body")],
            (None, Some(_)) => vec![format!("{method} {path} answers {status} with a body")],
        };
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }

    /// The operation at a concrete path; a literal segment is preferred to a parameter.
    fn operation(&self, method: &str, path: &str) -> Result<&Value, Vec<String>> {
        let path = path.trim_end_matches('/');
        let fits = |template: &str| {
            template.split('/').count() == path.split('/').count()
                && template
                    .split('/')
                    .zip(path.split('/'))
                    .all(|(wanted, actual)| wanted.starts_with('{') || wanted == actual)
        };
        // Visma names the same parameter differently per method, which makes two templates of one path.
        self.paths
            .iter()
            .filter(|(template, _)| fits(template))
            .map(|(template, operations)| (template, &operations[method.to_lowercase()]))
            .filter(|(_, operation)| operation.is_object())
            .min_by_key(|(template, _)| template.matches('{').count())
            .map(|(_, operation)| operation)
            .ok_or_else(|| vec![format!("the description has no {method} {path}")])
    }

    fn check(&self, side: Side, reference: &str, body: &Value) -> Vec<String> {
        let mut validators = self.validators.lock().unwrap_or_else(PoisonError::into_inner);
        let validator = match validators.entry((side, reference.to_owned())) {
            Entry::Occupied(known) => known.get().clone(),
            Entry::Vacant(place) => {
                let schemas = match side {
                    Side::Request => &self.request_schemas,
                    Side::Update => &self.update_schemas,
                    Side::Response => &self.response_schemas,
                };
                let schema = json!({"$ref": reference, "components": {"schemas": schemas}});
                // Formats are checked in requests only: recorded answers show empty text for an unset date.
                let options = jsonschema::options().should_validate_formats(side != Side::Response);
                match options.build(&schema) {
                    Ok(validator) => place.insert(Arc::new(validator)).clone(),
                    Err(error) => return vec![format!("{reference} cannot be used: {error}")],
                }
            }
        };
        let problems = validator.iter_errors(body);
        problems.map(|problem| format!("{}: {problem}", problem.instance_path())).collect()
    }
}

/// What a body is, which decides how strictly it is read.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Side {
    Request,
    Update,
    Response,
}

/// Forbids members that an object's schema does not name.
fn close(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            if members.get("properties").is_some_and(Value::is_object) && members.contains_key("type") {
                members.insert("additionalProperties".to_owned(), false.into());
            }
            members.values_mut().for_each(close);
        }
        Value::Array(items) => items.iter_mut().for_each(close),
        _ => {}
    }
}

/// Takes away what only the provider sets, and dates their time: they are documented as days (`apis/visma.md` 2).
fn writable(schema: &mut Value) {
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        properties.retain(|_, property| property["readOnly"] != true);
        for property in properties.values_mut().filter(|property| property["format"] == "date-time") {
            property["format"] = "date".into();
        }
    }
}

/// The same as JSON. Dates and the like are texts there too.
fn from_yaml(yaml: &Yaml<'_>) -> Value {
    match yaml {
        Yaml::Value(Scalar::Boolean(flag)) => (*flag).into(),
        Yaml::Value(Scalar::Integer(number)) => (*number).into(),
        Yaml::Value(Scalar::FloatingPoint(number)) => number.into_inner().into(),
        Yaml::Value(Scalar::String(text)) => text.as_ref().into(),
        Yaml::Sequence(items) => items.iter().map(from_yaml).collect(),
        Yaml::Mapping(members) => members
            .iter()
            .filter_map(|(name, value)| Some((name.as_str()?.to_owned(), from_yaml(value))))
            .collect(),
        _ => Value::Null,
    }
}

/// Takes the lists of required members away.
fn require_nothing(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            if members.get("required").is_some_and(Value::is_array) {
                members.remove("required");
            }
            members.values_mut().for_each(require_nothing);
        }
        Value::Array(items) => items.iter_mut().for_each(require_nothing),
        _ => {}
    }
}

/// Accepts, besides what is published, the JSON types that recorded answers show, empty text where text was
/// recorded, and null for every property name that was recorded as null in any document.
fn widen(schemas: &mut Value, observed: &Value) {
    let mut nullable = BTreeSet::new();
    for (_, properties) in observed.as_object().into_iter().flatten() {
        for (name, types) in properties.as_object().into_iter().flatten() {
            if types.get("null").is_some() {
                nullable.insert(name.as_str());
            }
        }
    }
    for (schema_name, schema) in schemas.as_object_mut().into_iter().flatten() {
        let document =
            OBSERVED.iter().find(|(_, schema)| schema == schema_name).map(|(document, _)| *document);
        let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) else { continue };
        for (name, property) in properties {
            let mut types: BTreeSet<&str> = document
                .and_then(|document| observed[document][name].as_object())
                .into_iter()
                .flat_map(|types| types.keys().map(String::as_str))
                .collect();
            if nullable.contains(name.as_str()) {
                types.insert("null");
            }
            widen_property(property, &types);
        }
    }
}

fn widen_property(property: &mut Value, observed: &BTreeSet<&str>) {
    let Some(published) = property["type"].as_str().map(str::to_owned) else { return };
    let mut types = vec![published.as_str()];
    for observed in observed {
        let json_type = match *observed {
            "str" => "string",
            "num" => "number",
            "bool" => "boolean",
            "arr" => "array",
            "obj" => "object",
            _ => "null",
        };
        let stated = json_type == published || (json_type == "number" && published == "integer");
        if !stated {
            types.push(json_type);
        }
    }
    if let Some(words) = property.get_mut("enum").and_then(Value::as_array_mut) {
        if observed.contains("str") {
            words.push("".into());
        }
        if observed.contains("null") {
            words.push(Value::Null);
        }
    }
    property["type"] = json!(types);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn api() -> OpenApi {
        let paths = json!({
            "/3/things/{Id}": {"post": {"parameters": [{"name": "part", "in": "query"}],
                "requestBody": {"content": {"*/*": {"schema": {"$ref": "#/components/schemas/fortnox_Order"}}}},
                "responses": {"200": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/fortnox_Order"}}}}}}},
            "/3/things/all": {"post": {"responses": {"204": {}}}}
        });
        let schemas = json!({"fortnox_Order": {"type": "object", "required": ["A"], "properties": {
            "A": {"type": "string", "maxLength": 3}, "B": {"type": "number"}, "C": {"type": "string", "enum": ["x"]},
            "D": {"type": "string", "format": "date"}}}});
        let Value::Object(paths) = paths else { panic!("an object") };
        OpenApi::new(paths, schemas, &json!({"Order": {"B": {"str": 1}, "C": {"str": 2}, "D": {"null": 1}}}))
    }

    #[test]
    fn requests_must_fit_the_description_as_published() {
        let api = api();
        for (path, body, fits) in [
            ("/3/things/1", json!({"A": "abc", "D": "2026-01-31"}), true),
            ("/3/things/1/?part=x&limit=1", json!({"A": "abc"}), true),
            ("/3/things/1?other=x", json!({"A": "abc"}), false),
            ("/3/things/1", json!({"A": "abcd"}), false),
            ("/3/things/1", json!({}), false),
            ("/3/things/1", json!({"A": "a", "E": 1}), false),
            ("/3/things/1", json!({"A": "a", "B": "1"}), false),
            ("/3/things/1", json!({"A": "a", "D": "31/1"}), false),
            ("/3/things/all", json!({}), false),
            ("/3/nothing", json!({}), false),
        ] {
            assert_eq!(api.validate_request("POST", path, Some(&body)).is_ok(), fits, "{path} {body}");
        }
    }

    #[test]
    fn a_description_in_yaml_loses_what_only_the_provider_sets() {
        let text = "Thing:\n  required: [Name]\n  properties:\n    Id: {type: string, readOnly: true}\n    \
            Name: {type: string, maxLength: 5}\n    Day: {type: string, format: date-time}\n    \
            Share: {type: number, maximum: 0.5}\n  additionalProperties: false\n";
        let documents = Yaml::load_from_str(text).unwrap();
        let mut schema = from_yaml(&documents[0])["Thing"].take();
        writable(&mut schema);
        let expected = json!({"required": ["Name"], "additionalProperties": false, "properties": {
            "Name": {"type": "string", "maxLength": 5}, "Day": {"type": "string", "format": "date"},
            "Share": {"type": "number", "maximum": 0.5}}});
        assert_eq!(schema, expected);
    }

    #[test]
    fn answers_may_show_what_was_recorded() {
        let api = api();
        for (status, body, fits) in [
            (200, Some(json!({"A": "a", "B": "1", "C": "", "D": null, "E": 1})), true),
            (200, Some(json!({"A": 1})), false),
            (200, Some(json!({"A": "a", "C": "y"})), false),
            (200, None, false),
            (201, Some(json!({"A": "a"})), false),
        ] {
            let result = api.validate_response("POST", "/3/things/1", status, body.as_ref());
            assert_eq!(result.is_ok(), fits, "{status} {body:?}: {result:?}");
        }
        assert_eq!(api.validate_response("POST", "/3/things/all", 204, None), Ok(()));
    }
}
