//! The template, the code and the docs name the same metrics and alarms.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use bokbro_app::metrics::METRICS;
use bokbro_app::ports::QueueName;
use bokbro_runtime::config::Role;
use saphyr::{LoadableYamlNode as _, Yaml};
use serde_json::Value;

use crate::tidy::files;

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)).unwrap()
}

/// Resources by logical id; the functions of CloudFormation are read as what they are applied to.
fn resources() -> BTreeMap<String, Value> {
    let text = read("template.yaml");
    let template = Yaml::load_from_str(&text).unwrap();
    let resources = json(&template[0])["Resources"].clone();
    serde_json::from_value(resources).unwrap()
}

fn json(yaml: &Yaml<'_>) -> Value {
    match yaml {
        Yaml::Tagged(_, inner) => json(inner),
        Yaml::Sequence(items) => Value::Array(items.iter().map(json).collect()),
        Yaml::Mapping(members) => {
            let member = |(name, value): (&Yaml<'_>, &Yaml<'_>)| (text(name), json(value));
            Value::Object(members.iter().map(member).collect())
        }
        _ => yaml
            .as_bool()
            .map(Value::from)
            .or_else(|| yaml.as_integer().map(Value::from))
            .unwrap_or_else(|| yaml.as_str().map_or(Value::Null, Value::from)),
    }
}

fn text(yaml: &Yaml<'_>) -> String {
    yaml.as_str().map_or_else(|| yaml.as_integer().unwrap().to_string(), str::to_owned)
}

fn of_type(kind: &str) -> BTreeMap<String, Value> {
    let found = resources().into_iter().filter(|(_, resource)| resource["Type"] == kind);
    found.map(|(name, resource)| (name, resource["Properties"].clone())).collect()
}

/// Alarms for people by what stands in their names behind the stage. Those that only take a deployment back are others.
fn alarms() -> BTreeMap<String, Value> {
    let functions = of_type("AWS::Serverless::Function");
    let take_back =
        functions.values().filter_map(|f| f["DeploymentPreference"]["Alarms"].as_array()).flatten();
    let take_back: BTreeSet<String> = take_back.map(|id| id.as_str().unwrap().to_owned()).collect();
    let mut alarms = of_type("AWS::CloudWatch::Alarm");
    alarms.retain(|id, _| !take_back.contains(id));
    let named = |(id, alarm): (String, Value)| {
        let name = alarm["AlarmName"].as_str().unwrap().strip_prefix("bokbro-${Stage}-");
        (name.unwrap_or_else(|| panic!("{id} has another name than the rest")).to_owned(), alarm)
    };
    alarms.into_iter().map(named).collect()
}

/// Our own metrics on the dashboard, each with the fields that it is shown by.
fn dashboard() -> BTreeMap<String, BTreeSet<Option<String>>> {
    let boards = of_type("AWS::CloudWatch::Dashboard");
    assert_eq!(boards.len(), 1);
    let body = boards.values().next().unwrap()["DashboardBody"].as_str().unwrap();
    let body: Value = serde_json::from_str(body).unwrap();
    let mut shown: BTreeMap<String, BTreeSet<Option<String>>> = BTreeMap::new();
    let metrics =
        body["widgets"].as_array().unwrap().iter().filter_map(|w| w["properties"]["metrics"].as_array());
    for row in metrics.flatten() {
        if row[0] == "Bokbro" {
            assert_eq!((&row[2], &row[3]), (&Value::from("stage"), &Value::from("${Stage}")), "{row}");
            shown.entry(row[1].as_str().unwrap().to_owned()).or_default().insert(None);
        } else if let Some(search) = row[0]["expression"].as_str() {
            let between = |before: &str, after: &str| {
                let rest = search.split_once(before).unwrap_or_else(|| panic!("{search}")).1;
                rest.split_once(after).unwrap().0.to_owned()
            };
            let field = between("{Bokbro,stage,", "}");
            shown.entry(between("MetricName=\"", "\"")).or_default().insert(Some(field));
        }
    }
    shown
}

#[test]
fn every_figure_is_on_the_dashboard_and_the_dashboard_shows_no_other() {
    let shown = dashboard();
    let known: BTreeSet<&str> = METRICS.iter().map(|metric| metric.name).collect();
    assert_eq!(shown.keys().map(String::as_str).collect::<BTreeSet<_>>(), known);
    for metric in METRICS {
        for field in shown[metric.name].iter().flatten() {
            assert_eq!(Some(field.as_str()), metric.by, "{} is not told apart by this", metric.name);
        }
    }
}

#[test]
fn every_figure_is_said_somewhere_and_explained() {
    let page = read("docs/LOGGING.md");
    let sources = files("rs");
    let constants: BTreeMap<String, String> = read("shared/app/src/metrics.rs")
        .lines()
        .filter_map(|line| line.strip_prefix("pub const ")?.split_once(": &str = \""))
        .map(|(constant, rest)| (rest.trim_end_matches("\";").to_owned(), constant.to_owned()))
        .collect();
    for metric in METRICS {
        let said = format!("{{ metrics::{} }} =", constants[metric.name]);
        let says = |(file, text): &&(String, String)| {
            (file.starts_with("shared/") || file.starts_with("functions/"))
                && !file.ends_with("_tests.rs")
                && text.contains(&said)
        };
        assert!(sources.iter().any(|source| says(&source)), "nobody says {}", metric.name);
        let unit = metric.unit.as_str();
        let row = page.lines().find(|line| line.starts_with(&format!("| `{}` |", metric.name)));
        let row = row.unwrap_or_else(|| panic!("docs/LOGGING.md has no row for {}", metric.name));
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        assert_eq!((cells[2], cells[3]), (unit, metric.by.unwrap_or("")), "{row}");
    }
    let rows = page
        .lines()
        .filter(|line| line.starts_with("| `") && METRICS.iter().any(|m| line.contains(m.unit.as_str())));
    let rows = rows.filter(|line| line.chars().nth(3).is_some_and(char::is_uppercase)).count();
    assert_eq!(rows, METRICS.len(), "docs/LOGGING.md explains a figure that nobody says");
}

#[test]
fn every_alarm_watches_what_there_is_and_tells_somebody() {
    for (name, alarm) in alarms() {
        if alarm["Namespace"] == "Bokbro" {
            let metric = alarm["MetricName"].as_str().unwrap();
            assert!(METRICS.iter().any(|known| known.name == metric), "{name}: nobody says {metric}");
            assert_eq!(
                alarm["Dimensions"],
                serde_json::json!([{"Name": "stage", "Value": "Stage"}]),
                "{name}"
            );
        }
        for actions in ["AlarmActions", "OKActions"] {
            assert_eq!(alarm[actions], serde_json::json!(["AlarmTopic"]), "{name}: {actions}");
        }
        assert!(alarm["TreatMissingData"].is_string(), "{name}: say what missing data means");
    }
}

#[test]
fn every_queue_and_every_function_is_watched() {
    let alarms = alarms();
    for queue in QueueName::ALL {
        let name = queue.as_str();
        for (alarm, metric, of) in [
            (format!("dead-letters-{name}"), "ApproximateNumberOfMessagesVisible", "DeadLetters"),
            (format!("oldest-message-{name}"), "ApproximateAgeOfOldestMessage", "Queue"),
        ] {
            let watching = &alarms[&alarm];
            assert_eq!(watching["MetricName"], metric, "{alarm}");
            let watched = watching["Dimensions"][0]["Value"].as_str().unwrap().to_lowercase();
            assert_eq!(watched, format!("{name}{of}.QueueName").to_lowercase(), "{alarm}");
        }
    }
    let functions = of_type("AWS::Serverless::Function");
    assert_eq!(functions.len(), Role::ALL.len());
    let roles = of_type("AWS::IAM::Role");
    for role in Role::ALL {
        let name = role.as_str();
        let (id, function) = functions
            .iter()
            .find(|(id, _)| id.to_lowercase() == format!("{name}function"))
            .unwrap_or_else(|| panic!("the template has no function {name}"));
        let alarm = &alarms[&format!("error-rate-{name}")];
        for metric in alarm["Metrics"].as_array().unwrap().iter().filter(|m| m["MetricStat"].is_object()) {
            assert_eq!(&metric["MetricStat"]["Metric"]["Dimensions"][0]["Value"], id, "error-rate-{name}");
        }
        let group = function["LoggingConfig"]["LogGroup"].as_str().unwrap();
        let group = of_type("AWS::Logs::LogGroup")[group]["LogGroupName"].clone();
        assert_eq!(
            group,
            format!("/bokbro/${{Stage}}/{name}"),
            "logs name the function as its log group does"
        );
        let role = &roles[function["Role"].as_str().unwrap().trim_end_matches(".Arn")];
        assert!(role.to_string().contains("xray:PutTraceSegments"), "{name} may not write its traces");
    }
}

#[test]
fn every_alarm_has_its_section_in_the_runbook_and_says_which() {
    let page = read("docs/runbooks/alarms.md");
    let sections: BTreeSet<&str> = page.lines().filter_map(|line| line.strip_prefix("## ")).collect();
    let mut named = BTreeSet::new();
    for (name, alarm) in alarms() {
        let description = alarm["AlarmDescription"].as_str().unwrap();
        let said =
            description.strip_suffix('.').and_then(|text| text.split_once("docs/runbooks/alarms.md, "));
        let section = said.unwrap_or_else(|| panic!("{name} does not end with its section: {description}")).1;
        assert!(name.starts_with(section), "{name} leads to {section}");
        let section = sections.get(section).unwrap_or_else(|| panic!("the runbook has no section {section}"));
        named.insert(*section);
    }
    assert_eq!(
        sections.difference(&named).collect::<Vec<_>>(),
        [&"First"],
        "sections of alarms that there are not"
    );
}
