//! What the world sees: the HTTP API, where people sign in, and how a new version takes over.

use bokbro_app::signin::CALLBACK_PATH;
use serde_json::{Value, json};

use super::Template;
use crate::tidy::files;

/// Routes as `METHOD /path`, and `$default`.
fn routes(template: &Template) -> Vec<String> {
    let events =
        template.functions().flat_map(|(_, function)| function["Events"].as_object().unwrap().values());
    let http = events.filter(|event| event["Type"] == "HttpApi").map(|event| &event["Properties"]);
    http.map(|event| match event["Path"].as_str() {
        Some(path) => format!("{} {path}", event["Method"].as_str().unwrap()),
        None => "$default".to_owned(),
    })
    .collect()
}

#[test]
fn no_other_caller_can_take_the_requests_that_webhooks_may_make() {
    let template = Template::read();
    let (_, api) = template.of_type("AWS::Serverless::HttpApi").next().unwrap();
    let rate = |settings: &Value| settings["ThrottlingRateLimit"].as_u64().unwrap();
    let everybody = rate(&api["DefaultRouteSettings"]);
    let settings = api["RouteSettings"].as_object().unwrap();
    let routes = routes(&template);
    for (route, own) in settings {
        assert!(routes.contains(route), "{route} has a limit but is no route");
        assert!(own["ThrottlingBurstLimit"].as_u64().unwrap() >= rate(own), "{route}");
    }
    // A route with settings of its own has a bucket of its own; all of the API and the pages is one route.
    for route in routes.iter().filter(|route| *route != "$default") {
        let own = settings.get(route).unwrap_or_else(|| panic!("{route} shares its limit with strangers"));
        assert_eq!(rate(own) > everybody, route.starts_with("POST /webhooks/"), "{route}");
    }
}

#[test]
fn the_access_log_holds_no_path_no_query_and_nothing_that_was_sent() {
    let template = Template::read();
    let (_, api) = template.of_type("AWS::Serverless::HttpApi").next().unwrap();
    let log = &api["AccessLogSettings"];
    assert_eq!(log["DestinationArn"], json!({ "Fn::GetAtt": "AccessLogGroup.Arn" }));
    let format: Value = serde_json::from_str(log["Format"].as_str().unwrap()).unwrap();
    let harmless = [
        "requestTimeEpoch",
        "requestId",
        "routeKey",
        "httpMethod",
        "status",
        "identity.sourceIp",
        "responseLength",
        "responseLatency",
        "integrationLatency",
        "integrationStatus",
        "error.message",
        "xrayTraceId",
    ];
    for (name, value) in format.as_object().unwrap() {
        let variable = value.as_str().unwrap().strip_prefix("$context.").unwrap();
        assert!(
            harmless.contains(&variable),
            "{name}: {variable} may hold a code, a name of an endpoint or a body"
        );
    }
}

#[test]
fn a_new_version_takes_over_slowly_and_errors_take_it_back() {
    let template = Template::read();
    let globals = &template.0["Globals"]["Function"];
    let kind = json!({ "Fn::If": ["KeepsData", "Canary10Percent5Minutes", "AllAtOnce"] });
    assert_eq!(
        (&globals["AutoPublishAlias"], &globals["DeploymentPreference"]["Type"]),
        (&json!("live"), &kind)
    );
    for (name, function) in template.functions() {
        assert_eq!(
            function["AutoPublishAliasAllProperties"], true,
            "{name}: a change of settings must be a version too"
        );
        let alarms = function["DeploymentPreference"]["Alarms"].as_array().unwrap();
        let watched = alarms.iter().any(|alarm| {
            let alarm = &template.resource(alarm["Ref"].as_str().unwrap())["Properties"];
            let live = json!({ "Name": "Resource", "Value": { "Fn::Sub": format!("${{{}}}:live", logical(&template, &name)) } });
            alarm["Namespace"] == "AWS/Lambda"
                && alarm["MetricName"] == "Errors"
                && alarm["Dimensions"].as_array().unwrap().contains(&live)
        });
        assert!(watched, "{name}: no alarm looks at the errors of the version that takes over");
    }
}

/// A function's name in the template.
fn logical(template: &Template, function: &str) -> String {
    let wanted = format!("{function}function");
    let mut names = template.of_type("AWS::Serverless::Function").map(|(name, _)| name.to_owned());
    names.find(|name| name.to_lowercase() == wanted).unwrap()
}

#[test]
fn the_schedule_asks_the_version_that_is_live() {
    let template = Template::read();
    let role = &template.resource("HourlyRole")["Properties"];
    let statement = super::statements(role)[0];
    assert_eq!(statement["Resource"], json!({ "Ref": "SchedulerFunction.Alias" }));
}

#[test]
fn nobody_lets_themselves_in_and_who_comes_in_comes_back_to_us() {
    let template = Template::read();
    let pool = &template.resource("PeoplePool")["Properties"];
    assert_eq!(pool["AdminCreateUserConfig"]["AllowAdminCreateUserOnly"], true);
    assert_eq!(pool["MfaConfiguration"], "OPTIONAL");
    assert_eq!(pool["DeletionProtection"], json!({ "Fn::If": ["KeepsData", "ACTIVE", "INACTIVE"] }));
    let client = &template.resource("PeoplePoolClient")["Properties"];
    assert_eq!(
        (&client["GenerateSecret"], &client["AllowedOAuthFlows"], &client["PreventUserExistenceErrors"]),
        (&json!(false), &json!(["code"]), &json!("ENABLED"))
    );
    let admin: String = files("rs")
        .into_iter()
        .filter(|(name, _)| name == "functions/admin/src/routes.rs")
        .map(|(_, text)| text)
        .collect();
    for (urls, path) in [("CallbackURLs", CALLBACK_PATH), ("LogoutURLs", "/app/signed-out")] {
        let either = client[urls][0]["Fn::If"].as_array().unwrap();
        for address in &either[1..] {
            assert!(address["Fn::Sub"].as_str().unwrap().ends_with(path), "{urls}: {address}");
        }
        assert!(admin.contains(path) || path == CALLBACK_PATH, "{path} is no page");
    }
}

#[test]
fn the_user_pool_has_a_group_for_each_role() {
    let template = Template::read();
    let mut groups: Vec<&str> = template
        .of_type("AWS::Cognito::UserPoolGroup")
        .map(|(_, group)| group["GroupName"]["Fn::Sub"].as_str().unwrap().strip_prefix("${Tenant}:").unwrap())
        .collect();
    groups.sort_unstable();
    assert_eq!(groups, ["bookkeeper", "operator", "owner", "viewer"]);
    assert!(groups.iter().all(|role| bokbro_app::records::Role::parse(role).is_some()));
}

#[test]
fn what_belongs_to_the_user_pool_is_made_with_it_only() {
    let template = Template::read();
    for (name, resource) in template.0["Resources"].as_object().unwrap() {
        let cognito = resource["Type"].as_str().unwrap().starts_with("AWS::Cognito::");
        assert_eq!(cognito, resource["Condition"] == "MakesUserPool", "{name}");
    }
}
