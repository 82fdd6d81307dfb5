//! Variables of functions: what the code reads is what the template sets, and none is a secret.

use std::cell::RefCell;
use std::collections::BTreeSet;

use bokbro_connectors::registry::Urls;
use bokbro_runtime::config::{Config, Role};
use serde_json::Value;

use super::Template;

const ROLES: [(&str, Role); 9] = [
    ("webhook", Role::Webhook),
    ("admin", Role::Admin),
    ("oauth", Role::Oauth),
    ("payments", Role::Payments),
    ("accounting", Role::Accounting),
    ("warehouse", Role::Warehouse),
    ("pulls", Role::Pulls),
    ("scheduler", Role::Scheduler),
    ("replay", Role::Replay),
];

/// Variables that a program reads before it knows which function it is.
const BESIDES: [&str; 1] = ["BOKBRO_SYNC_ROLE"];

/// What each variable is set to here; yes to those that ask for no more than that.
const VALUE: &str = "true";

/// The names that something looks up, with what it found there.
fn looked_up<T>(
    set: &BTreeSet<String>,
    read: impl FnOnce(&dyn Fn(&str) -> Option<String>) -> T,
) -> (T, BTreeSet<String>) {
    let asked = RefCell::new(BTreeSet::new());
    let read = read(&|name: &str| {
        asked.borrow_mut().insert(name.to_owned());
        set.contains(name).then(|| VALUE.to_owned())
    });
    (read, asked.into_inner())
}

#[test]
fn each_function_gets_the_variables_that_it_reads_and_no_others() {
    let template = Template::read();
    let mut functions: Vec<String> = template.functions().map(|(name, _)| name).collect();
    functions.sort();
    let mut known = ROLES.map(|(name, _)| name.to_owned());
    known.sort();
    assert_eq!(functions, known, "say in this test which role a function has");
    let mut wrong = Vec::new();
    for (name, function) in template.functions() {
        let role = ROLES.iter().find(|(known, _)| *known == name).unwrap().1;
        let set: BTreeSet<String> = template.variables(function).keys().cloned().collect();
        let (config, mut read) = looked_up(&set, |lookup| Config::read(role, lookup));
        let config = config.unwrap_or_else(|missing| panic!("{name}: {missing}"));
        // Needed by no one are the addresses of providers: without them they are the real ones.
        read.extend(looked_up(&set, Urls::overridden).1);
        read.extend(BESIDES.map(str::to_owned));
        wrong.extend(set.difference(&read).map(|variable| format!("{name} never reads {variable}")));
        for variable in &set {
            let others: BTreeSet<String> = set.iter().filter(|other| *other != variable).cloned().collect();
            let (without, _) = looked_up(&others, |lookup| Config::read(role, lookup));
            let without_url = looked_up(&others, Urls::overridden).0;
            let same = without.as_ref() == Ok(&config) && without_url == looked_up(&set, Urls::overridden).0;
            // The log filter is what it is without one, too.
            if same && !BESIDES.contains(&variable.as_str()) && variable != "BOKBRO_LOG" {
                wrong.push(format!("{name}: {variable} changes nothing"));
            }
        }
    }
    assert!(wrong.is_empty(), "Take these out of template.yaml, or read them:\n  {}", wrong.join("\n  "));
}

#[test]
fn the_workers_are_told_which_of_them_they_are() {
    let template = Template::read();
    for (name, function) in template.functions() {
        let told = template.variables(function).get("BOKBRO_SYNC_ROLE").cloned();
        let program =
            &template.resource(&format!("{}{}Function", name[..1].to_uppercase(), &name[1..]))["Metadata"];
        let is_worker = program["BuildProperties"]["Binary"] == "sync";
        assert_eq!(told, is_worker.then(|| Value::String(name.clone())), "{name}");
    }
}

#[test]
fn no_variable_is_a_secret() {
    let template = Template::read();
    let secrets: Vec<&str> = template.of_type("AWS::SecretsManager::Secret").map(|(name, _)| name).collect();
    for (name, function) in template.functions() {
        for (variable, value) in template.variables(function) {
            let text = value.to_string();
            assert!(!text.contains("{{resolve:"), "{name}: {variable} is read out of a secret at deployment");
            assert!(!secrets.iter().any(|secret| text.contains(secret)), "{name}: {variable} is of a secret");
            assert!(
                !["PASSWORD", "TOKEN", "API_KEY", "CLIENT_SECRET"].iter().any(|word| variable.contains(word)),
                "{name}: {variable}"
            );
        }
    }
}
