//! `template.yaml` against what the code is and does: nothing is open, unencrypted, undeletable by mistake, or granted in vain.

mod environment;
mod front;
mod guide;
mod kept;
mod reach;
mod roles;

use std::fs;
use std::path::Path;

use saphyr::{LoadableYamlNode, Scalar, Yaml};
use serde_json::{Map, Value, json};

/// The template with its short forms (`!Ref X`) written out (`{"Ref": "X"}`, `{"Fn::Sub": …}`).
struct Template(Value);

impl Template {
    fn read() -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../template.yaml");
        let text = fs::read_to_string(path).unwrap();
        Self(long(&Yaml::load_from_str(&text).unwrap()[0]))
    }

    /// Name and properties of each resource of a type.
    fn of_type<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = (&'a str, &'a Value)> {
        let resources = self.0["Resources"].as_object().unwrap();
        let found = resources.iter().filter(move |(_, resource)| resource["Type"] == kind);
        found.map(|(name, resource)| (name.as_str(), &resource["Properties"]))
    }

    fn resource(&self, name: &str) -> &Value {
        let resource = &self.0["Resources"][name];
        assert!(resource.is_object(), "template.yaml has no resource {name}");
        resource
    }

    /// The functions as `webhook`, `admin` and so on, with their properties.
    fn functions(&self) -> impl Iterator<Item = (String, &Value)> {
        let named = |(name, function)| (short(name, "Function"), function);
        self.of_type("AWS::Serverless::Function").map(named)
    }

    /// Variables of a function, those of all functions included.
    fn variables(&self, function: &Value) -> Map<String, Value> {
        let of = |at: &Value| at["Environment"]["Variables"].as_object().unwrap().clone();
        let mut variables = of(&self.0["Globals"]["Function"]);
        variables.extend(of(function));
        variables
    }

    /// Statements of the role of a function.
    fn grants(&self, function: &str) -> Vec<&Value> {
        let (mut letters, mut role) = (function.chars(), String::new());
        role.extend(letters.next().unwrap().to_uppercase());
        role.extend(letters);
        statements(&self.resource(&format!("{role}Role"))["Properties"])
    }
}

/// All statements of a role's own policies.
fn statements(role: &Value) -> Vec<&Value> {
    let policies = role["Policies"].as_array().into_iter().flatten();
    policies.flat_map(|policy| policy["PolicyDocument"]["Statement"].as_array().unwrap()).collect()
}

/// `PaymentsQueue` without `Queue`, in small letters.
fn short(name: &str, ending: &str) -> String {
    name.strip_suffix(ending).unwrap_or_else(|| panic!("{name} does not end with {ending}")).to_lowercase()
}

/// One or many, as IAM writes them.
fn many(value: &Value) -> Vec<&Value> {
    value.as_array().map_or_else(|| vec![value], |values| values.iter().collect())
}

/// The resource whose ARN a value is.
fn arn_of(value: &Value) -> Option<&str> {
    value["Fn::GetAtt"].as_str()?.strip_suffix(".Arn")
}

/// ARN of the key that everything is encrypted with.
fn key() -> Value {
    json!({ "Fn::GetAtt": "DataKey.Arn" })
}

fn long(yaml: &Yaml<'_>) -> Value {
    match yaml {
        Yaml::Value(Scalar::Null) => Value::Null,
        Yaml::Value(Scalar::Boolean(value)) => json!(value),
        Yaml::Value(Scalar::Integer(value)) => json!(value),
        Yaml::Value(Scalar::String(value)) => json!(value),
        Yaml::Sequence(items) => items.iter().map(long).collect(),
        Yaml::Mapping(pairs) => {
            let pair = |(name, value): (&Yaml<'_>, _)| (long(name).as_str().unwrap().to_owned(), long(value));
            Value::Object(pairs.iter().map(pair).collect())
        }
        Yaml::Tagged(tag, inner) => {
            let name = match tag.suffix.as_str() {
                "Ref" | "Condition" => tag.suffix.clone(),
                function => format!("Fn::{function}"),
            };
            Value::Object(Map::from_iter([(name, long(inner))]))
        }
        other => panic!("the template has no use for {other:?}"),
    }
}
