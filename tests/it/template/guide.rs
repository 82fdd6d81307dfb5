//! What `docs/DEPLOY.md` promises a newcomer is there, and nothing that they need is left out.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Template, many};
use crate::tidy::files;

fn guide() -> String {
    files("md").into_iter().find(|(name, _)| name == "docs/DEPLOY.md").unwrap().1
}

#[test]
fn every_parameter_is_explained() {
    let (template, guide) = (Template::read(), guide());
    for (name, parameter) in template.0["Parameters"].as_object().unwrap() {
        assert!(guide.contains(&format!("`{name}`")), "docs/DEPLOY.md does not tell what {name} is");
        assert!(parameter["Description"].is_string(), "{name}");
        assert!(parameter.get("Default").is_some(), "{name} would have to be set by everybody");
    }
}

#[test]
fn every_output_that_the_guide_names_is_one() {
    let (template, guide) = (Template::read(), guide());
    for output in guide.split('<').skip(1).filter_map(|rest| rest.split('>').next()) {
        let named = output.starts_with(char::is_uppercase);
        assert!(!named || template.0["Outputs"].get(output).is_some(), "there is no output {output}");
    }
}

#[test]
fn the_settings_of_each_stage_are_parameters() {
    let template = Template::read();
    let (_, config) = files("toml").into_iter().find(|(name, _)| name == "samconfig.toml").unwrap();
    let mut seen = 0;
    for setting in config.lines().filter_map(|line| line.trim().strip_prefix('"')) {
        let name = setting.split('=').next().unwrap();
        assert!(
            template.0["Parameters"].get(name).is_some(),
            "samconfig.toml sets {name}, which is no parameter"
        );
        seen += 1;
    }
    assert!(seen >= 6, "samconfig.toml is not read any more");
}

#[test]
fn who_deploys_may_make_what_the_template_wants() {
    let template = Template::read();
    let (_, policy) = files("json").into_iter().find(|(name, _)| name == "docs/deploy-policy.json").unwrap();
    // A managed policy holds no more, white space left out.
    assert!(policy.split_whitespace().collect::<String>().len() <= 6_144);
    let policy: Value = serde_json::from_str(&policy).unwrap();
    let statements = policy["Statement"].as_array().unwrap();
    let actions = statements.iter().flat_map(|statement| many(&statement["Action"]));
    let allowed: BTreeSet<&str> =
        actions.map(|action| action.as_str().unwrap().split(':').next().unwrap()).collect();
    let mut needed = BTreeSet::from(["cloudformation", "s3"]);
    for resource in template.0["Resources"].as_object().unwrap().values() {
        let kind = resource["Type"].as_str().unwrap();
        needed.extend(match kind.split("::").nth(1).unwrap() {
            "Serverless" if kind.ends_with("::HttpApi") => vec!["apigateway"],
            // With its alias, its event sources and the deployment of new versions.
            "Serverless" => vec!["lambda", "codedeploy", "scheduler"],
            "IAM" => vec!["iam"],
            "KMS" => vec!["kms"],
            "SQS" => vec!["sqs"],
            "SNS" => vec!["sns"],
            "DynamoDB" => vec!["dynamodb"],
            "SecretsManager" => vec!["secretsmanager"],
            "Logs" => vec!["logs"],
            "CloudWatch" => vec!["cloudwatch"],
            "Cognito" => vec!["cognito-idp"],
            "Lambda" => vec!["lambda"],
            "Scheduler" => vec!["scheduler"],
            other => panic!("say here what it takes to make a resource of AWS::{other}, and allow it in docs/deploy-policy.json"),
        });
    }
    let missing: Vec<_> = needed.difference(&allowed).collect();
    assert!(missing.is_empty(), "docs/deploy-policy.json lacks {missing:?}");
}
