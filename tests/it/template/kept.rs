//! What is kept: queues, tables, secrets and logs are encrypted with our own key, and none is lost by mistake.

use serde_json::{Value, json};

use super::{Template, arn_of, key, many, short};

/// Receives before a message is a dead letter, as the tests' worlds have it too.
const RECEIVES: u64 = 5;

#[test]
fn the_key_changes_every_year_and_outlives_the_stack() {
    let template = Template::read();
    let key = template.resource("DataKey");
    assert_eq!(
        (&key["DeletionPolicy"], &key["UpdateReplacePolicy"], &key["Properties"]["EnableKeyRotation"]),
        (&json!("RetainExceptOnCreate"), &json!("Retain"), &json!(true))
    );
    // Whoever else is let in by the key itself is let in for something that it names.
    for statement in key["Properties"]["KeyPolicy"]["Statement"].as_array().unwrap() {
        let account = statement["Principal"]["AWS"]["Fn::Sub"].as_str();
        let whole = account.is_some_and(|account| account.ends_with(":root"));
        assert!(whole || statement["Condition"].is_object(), "{statement}");
        let wild = many(&statement["Action"]).iter().any(|action| action.as_str().unwrap().contains('*'));
        assert!(whole || !wild, "{statement}");
    }
}

#[test]
fn every_queue_is_encrypted_takes_tls_only_and_has_dead_letters() {
    let template = Template::read();
    let (_, policy) = template.of_type("AWS::SQS::QueuePolicy").next().unwrap();
    let statement = &policy["PolicyDocument"]["Statement"][0];
    assert_eq!(
        (&statement["Effect"], &statement["Principal"], &statement["Action"], &statement["Condition"]),
        (
            &json!("Deny"),
            &json!("*"),
            &json!("sqs:*"),
            &json!({ "Bool": { "aws:SecureTransport": "false" } })
        )
    );
    let over_tls = policy["Queues"].as_array().unwrap();
    let redrive = |queue: &Value| arn_of(&queue["RedrivePolicy"]["deadLetterTargetArn"]).map(str::to_owned);
    let dead: Vec<String> =
        template.of_type("AWS::SQS::Queue").filter_map(|(_, queue)| redrive(queue)).collect();
    for (name, queue) in template.of_type("AWS::SQS::Queue") {
        assert_eq!(queue["KmsMasterKeyId"], key(), "{name}");
        assert!(
            over_tls.contains(&json!({ "Ref": name })),
            "{name} takes plain HTTP: add it to QueuesOverTls"
        );
        assert!(queue["QueueName"]["Fn::Sub"].as_str().unwrap().starts_with("bokbro-${Stage}-"), "{name}");
        if let Some(letters) = redrive(queue) {
            assert_eq!(letters, format!("{}DeadLetters", name.strip_suffix("Queue").unwrap()));
            assert_eq!(queue["RedrivePolicy"]["maxReceiveCount"], RECEIVES, "{name}");
            let kept = |name: &str| template.resource(name)["Properties"]["MessageRetentionPeriod"].as_u64();
            assert!(kept(name) < kept(&letters), "{name}: a dead letter's days count from when it was sent");
        } else {
            assert!(dead.contains(&name.to_owned()), "{name} has no dead letters");
        }
    }
}

#[test]
fn a_queue_hides_a_message_for_six_times_as_long_as_its_worker_may_take() {
    let template = Template::read();
    let usual = &template.0["Globals"]["Function"]["Timeout"];
    let mut seen = 0;
    for (name, function) in template.functions() {
        let timeout = function.get("Timeout").unwrap_or(usual).as_u64().unwrap();
        for event in function["Events"].as_object().unwrap().values().filter(|event| event["Type"] == "SQS") {
            let event = &event["Properties"];
            let queue = &template.resource(arn_of(&event["Queue"]).unwrap())["Properties"];
            assert_eq!(queue["VisibilityTimeout"], timeout * 6, "{name}");
            assert_eq!(event["FunctionResponseTypes"], json!(["ReportBatchItemFailures"]), "{name}");
            seen += 1;
        }
    }
    assert_eq!(seen, 5);
}

#[test]
fn every_table_is_encrypted_can_go_back_in_time_and_is_hard_to_delete() {
    let template = Template::read();
    for (name, table) in template.of_type("AWS::DynamoDB::Table") {
        let expected = json!({ "SSEEnabled": true, "SSEType": "KMS", "KMSMasterKeyId": key() });
        assert_eq!(table["SSESpecification"], expected, "{name}");
        assert_eq!(table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"], true, "{name}");
        assert_eq!(
            table["DeletionProtectionEnabled"],
            json!({ "Fn::If": ["KeepsData", true, false] }),
            "{name}"
        );
        let resource = template.resource(name);
        assert_eq!(
            (&resource["DeletionPolicy"], &resource["UpdateReplacePolicy"]),
            (&json!("RetainExceptOnCreate"), &json!("Retain")),
            "{name}"
        );
    }
    assert_eq!(
        template.0["Conditions"]["KeepsData"],
        json!({ "Fn::Not": [{ "Fn::Equals": [{ "Ref": "Stage" }, "dev"] }] })
    );
}

#[test]
fn every_secret_is_encrypted_and_holds_nothing_that_the_template_knows() {
    let template = Template::read();
    let mut seen = 0;
    for (name, secret) in template.of_type("AWS::SecretsManager::Secret") {
        assert_eq!(secret["KmsKeyId"], key(), "{name}");
        assert!(secret["Name"]["Fn::Sub"].as_str().unwrap().starts_with("bokbro/${Stage}/app/"), "{name}");
        assert!(secret.get("GenerateSecretString").is_some(), "{name}");
        // The one text that is written out is a public client's id, which is none.
        if let Some(text) = secret.get("SecretString") {
            let public = json!({ "Fn::Sub": r#"{"client_id":"${PeoplePoolClient}"}"# });
            assert_eq!(text["Fn::If"], json!(["MakesUserPool", public, { "Ref": "AWS::NoValue" }]), "{name}");
        }
        seen += 1;
    }
    assert_eq!(seen, 4);
    // A parameter that is a secret would have to hide itself, and then still stand in some function's environment.
    for (name, parameter) in template.0["Parameters"].as_object().unwrap() {
        assert!(
            parameter.get("NoEcho").is_none(),
            "{name}: secrets are put into Secrets Manager, not into parameters"
        );
    }
}

#[test]
fn every_log_group_is_encrypted_and_ends() {
    let template = Template::read();
    for (name, group) in template.of_type("AWS::Logs::LogGroup") {
        assert_eq!(group["KmsKeyId"], key(), "{name}");
        let kept = group["RetentionInDays"]["Fn::FindInMap"]
            .as_array()
            .unwrap_or_else(|| panic!("{name} never ends"));
        assert_eq!((&kept[0], &kept[1]), (&json!("LogDays"), &json!({ "Ref": "Stage" })), "{name}");
        // The key lets CloudWatch Logs in for these names only.
        let expected = format!("/bokbro/${{Stage}}/{}", short(name, "LogGroup"));
        assert_eq!(group["LogGroupName"]["Fn::Sub"], expected);
    }
    for (name, function) in template.functions() {
        let group = function["LoggingConfig"]["LogGroup"]["Ref"].as_str().unwrap();
        assert_eq!(short(group, "LogGroup"), name, "each function has a log group of its own");
    }
    let stages = template.0["Parameters"]["Stage"]["AllowedValues"].as_array().unwrap();
    let days = template.0["Mappings"]["LogDays"].as_object().unwrap();
    assert!(
        stages.iter().all(|stage| days.contains_key(stage.as_str().unwrap())) && days.len() == stages.len()
    );
}
