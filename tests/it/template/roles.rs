//! What each function may do, against what its code can do.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::reach::Sources;
use super::{Template, arn_of, key, many, short};

/// Workers, and the name of their queue in the code. The others are programs of their own.
const WORKERS: [(&str, &str); 5] = [
    ("payments", "Payments"),
    ("accounting", "Accounting"),
    ("warehouse", "Warehouse"),
    ("pulls", "Pulls"),
    ("replay", "Replays"),
];
/// What Lambda does in a worker's name to read its queue.
const POLLER: [&str; 3] = ["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"];
/// What the code could do by its types but does not, with the reason. It is not granted.
const NOT_DONE: [(&str, &str, &str); 3] = [
    (
        "warehouse",
        "secretsmanager:PutSecretValue",
        "warehouses let in by user and password, which do not rotate",
    ),
    ("warehouse", "secretsmanager:UpdateSecretVersionStage", "the same"),
    ("oauth", "secretsmanager:DeleteSecret", "a consent begins a connection; the API ends it"),
];
/// Where AWS, or time, leaves no choice but a pattern, with the reason.
const PATTERNS: [(&str, &str); 3] = [
    ("*", "X-Ray has no resources to name"),
    ("-??????", "Secrets Manager adds six letters of its own to a secret's name"),
    ("secret:bokbro/${Stage}/connections/*", "connections come while it runs"),
];

/// Actions of our data services that a role grants.
fn granted(statements: &[&Value]) -> BTreeSet<String> {
    let actions = statements.iter().flat_map(|statement| many(&statement["Action"]));
    let ours = ["dynamodb:", "sqs:", "secretsmanager:"];
    let actions = actions.map(|action| action.as_str().unwrap());
    actions
        .filter(|action| ours.iter().any(|service| action.starts_with(service)))
        .map(str::to_owned)
        .collect()
}

fn own_queue(worker: &str) -> String {
    let (_, queue) = WORKERS.iter().find(|(name, _)| *name == worker).unwrap();
    format!("{queue}Queue")
}

#[test]
fn each_function_may_do_what_its_code_can_do_and_nothing_else() {
    let (template, sources) = (Template::read(), Sources::read());
    let mut wrong = Vec::new();
    for (name, _) in template.functions() {
        let worker = WORKERS.iter().find(|(worker, _)| *worker == name);
        let mut can = match worker {
            Some((_, queue)) => sources.of_worker(queue),
            None => sources.of_program(&name),
        };
        if name == "replay" {
            can.extend(sources.of_program("replay"));
        }
        if worker.is_some() {
            can.extend(POLLER.map(str::to_owned));
        }
        for (_, action, _) in NOT_DONE.iter().filter(|(function, _, _)| *function == name) {
            assert!(can.remove(*action), "{name} cannot do {action} any more: take it out of NOT_DONE");
        }
        let may = granted(&template.grants(&name));
        wrong.extend(
            can.difference(&may).map(|action| format!("{name}: {action} can be called but is not granted")),
        );
        wrong.extend(
            may.difference(&can).map(|action| format!("{name}: {action} is granted but never called")),
        );
    }
    assert!(
        wrong.is_empty(),
        "Mend the roles in template.yaml; what the code only seems to do goes into NOT_DONE:\n  {}",
        wrong.join("\n  ")
    );
}

#[test]
fn nothing_is_granted_by_a_pattern_that_could_be_named() {
    let template = Template::read();
    let roles: Vec<_> = template.of_type("AWS::IAM::Role").collect();
    let mut used = BTreeSet::new();
    for (name, role) in &roles {
        assert!(role.get("ManagedPolicyArns").is_none(), "{name} has a policy that AWS may change");
        let trust = &role["AssumeRolePolicyDocument"]["Statement"][0];
        assert!(trust["Principal"]["Service"].is_string(), "{name}");
        for statement in super::statements(role) {
            assert_eq!(statement["Effect"], "Allow", "{name}: {statement}");
            assert!(statement.get("NotAction").is_none() && statement.get("NotResource").is_none(), "{name}");
            for action in many(&statement["Action"]) {
                assert!(!action.as_str().unwrap().contains('*'), "{name}: {action}");
            }
            for resource in many(&statement["Resource"]) {
                let text = resource.as_str().or_else(|| resource["Fn::Sub"].as_str()).unwrap_or_default();
                if !text.contains(['*', '?']) {
                    continue;
                }
                let known = PATTERNS
                    .iter()
                    .find(|(pattern, _)| text.ends_with(pattern) && (*pattern != "*" || text == "*"));
                let (pattern, _) = known.unwrap_or_else(|| panic!("{name}: {text} could be named"));
                used.insert(*pattern);
                if text == "*" {
                    let tracing = json!(["xray:PutTraceSegments", "xray:PutTelemetryRecords"]);
                    assert_eq!(statement["Action"], tracing, "{name}");
                }
            }
        }
    }
    assert_eq!(used.len(), PATTERNS.len(), "a pattern is not needed any more");
    // Each function has a role of its own.
    let own: BTreeSet<&str> =
        template.functions().map(|(_, function)| arn_of(&function["Role"]).unwrap()).collect();
    assert_eq!(own.len(), template.functions().count());
}

#[test]
fn each_function_sends_to_the_queues_that_it_knows_and_writes_into_its_own_log() {
    let template = Template::read();
    for (name, function) in template.functions() {
        let grants = template.grants(&name);
        let with = |action: &str| -> BTreeSet<String> {
            let statements =
                grants.iter().filter(|statement| many(&statement["Action"]).contains(&&json!(action)));
            let resources = statements.flat_map(|statement| many(&statement["Resource"]));
            resources.map(|resource| arn_of(resource).unwrap_or("a pattern").to_owned()).collect()
        };
        let log = function["LoggingConfig"]["LogGroup"]["Ref"].as_str().unwrap().to_owned();
        assert_eq!(with("logs:PutLogEvents"), BTreeSet::from([log]), "{name}");
        let known = template.variables(function);
        let known = known.iter().filter(|(variable, _)| variable.ends_with("_QUEUE_URL"));
        let known: BTreeSet<String> =
            known.map(|(_, value)| value["Ref"].as_str().unwrap().to_owned()).collect();
        assert_eq!(with("sqs:SendMessage"), known, "{name}");
        let mut read = with("sqs:ReceiveMessage");
        if WORKERS.iter().any(|(worker, _)| *worker == name) {
            assert!(read.remove(&own_queue(&name)), "{name} cannot read its queue");
        }
        let letters = template.variables(function);
        let letters = letters.iter().filter(|(variable, _)| variable.ends_with("_DEAD_LETTERS_URL"));
        let letters: BTreeSet<String> =
            letters.map(|(_, value)| value["Ref"].as_str().unwrap().to_owned()).collect();
        assert_eq!(read, letters, "{name}");
        let tables = template.variables(function).contains_key("BOKBRO_IDEMPOTENCY_TABLE");
        assert_eq!(with("dynamodb:PutItem").contains("IdempotencyTable"), tables, "{name}");
    }
}

#[test]
fn each_function_uses_the_key_through_the_services_that_it_calls() {
    let template = Template::read();
    for (name, _) in template.functions() {
        let grants = template.grants(&name);
        let calls = granted(&grants);
        let mut keys = grants.iter().filter(|statement| statement["Resource"] == key());
        let statement = keys.next().unwrap_or_else(|| panic!("{name} may not use the key"));
        assert!(keys.next().is_none(), "{name}");
        let through: BTreeSet<&str> = many(&statement["Condition"]["StringEquals"]["kms:ViaService"])
            .iter()
            .map(|service| {
                service["Fn::Sub"]
                    .as_str()
                    .unwrap()
                    .strip_suffix(".${AWS::Region}.${AWS::URLSuffix}")
                    .unwrap()
            })
            .collect();
        let expected: BTreeSet<&str> = calls.iter().map(|action| action.split(':').next().unwrap()).collect();
        assert_eq!(through, expected, "{name}");
        // Whoever sends a message or stores a secret has it encrypted; reading, and tables, need no more than the first two.
        let sends =
            ["sqs:SendMessage", "secretsmanager:PutSecretValue"].iter().any(|action| calls.contains(*action));
        let mut wanted = vec![json!("kms:Decrypt"), json!("kms:DescribeKey")];
        wanted.extend(sends.then(|| json!("kms:GenerateDataKey")));
        assert_eq!(statement["Action"], Value::Array(wanted), "{name}");
    }
}

#[test]
fn every_role_belongs_to_somebody() {
    let template = Template::read();
    let mut functions: BTreeSet<String> = template.functions().map(|(name, _)| name).collect();
    // The schedule's own.
    functions.insert("hourly".to_owned());
    let roles: BTreeSet<String> =
        template.of_type("AWS::IAM::Role").map(|(name, _)| short(name, "Role")).collect();
    assert_eq!(roles, functions);
}
