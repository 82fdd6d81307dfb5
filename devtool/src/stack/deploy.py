"""Deploys template.yaml into MiniStack and fills in what MiniStack leaves out (docs/adr/0005-local-aws.md).

Reads one JSON object from standard input:
    endpoint, region, stack, template   where and what to deploy
    parameters                          template parameters, name to value
    binaries                            name of a binary (BuildProperties.Binary) to the file that was built

Writes one JSON object to standard output:
    api_id                              the HTTP API that was made
    resources                           logical id to physical id
    outputs                             the stack's outputs, name to value
    functions                           logical id to {name, log_group, environment}
    left_out                            logical ids of what MiniStack cannot have
"""

import io
import json
import sys
import zipfile

import boto3
from botocore.config import Config
from samtranslator.yaml_helper import yaml_parse

BUCKET = "bokbro-local-artifacts"


def main():
    order = json.load(sys.stdin)

    def client(service):
        # Path-style addressing: a bucket as a host name would need DNS for 127.0.0.1.
        config = Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1})
        return boto3.client(
            service, endpoint_url=order["endpoint"], region_name=order["region"], config=config
        )

    with open(order["template"], encoding="utf-8") as file:
        template = yaml_parse(file.read())
    s3 = client("s3")
    upload_code(s3, template, order["binaries"])
    leave_out_deployments(template)
    left_out = leave_out_alarms(template)
    address = upload_template(s3, template)
    resources, outputs = create_stack(client("cloudformation"), address, order)
    api_id = add_routes(client("apigatewayv2"), client("lambda"), template, resources)
    enable_ttl(client("dynamodb"), template, resources)
    json.dump(
        {
            "api_id": api_id,
            "resources": resources,
            "outputs": outputs,
            "functions": describe_functions(client("lambda"), template, resources),
            "left_out": left_out,
        },
        sys.stdout,
    )


def of_type(template, kind):
    return [(name, r) for name, r in template["Resources"].items() if r["Type"] == kind]


def leave_out_alarms(template):
    """MiniStack refuses alarms on metric math. Nothing refers to an alarm, and nobody is woken up by a laptop."""
    names = [n for n, r in of_type(template, "AWS::CloudWatch::Alarm") if "Metrics" in r["Properties"]]
    for name in names:
        del template["Resources"][name]
    return names


def upload_code(s3, template, binaries):
    """Packs every binary once as `bootstrap` and points the functions at it, as `sam package` would."""
    s3.create_bucket(
        Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": s3.meta.region_name}
    )
    uploaded = {}
    for name, function in of_type(template, "AWS::Serverless::Function"):
        binary = function["Metadata"]["BuildProperties"]["Binary"]
        if binary not in uploaded:
            if binary not in binaries:
                raise SystemExit(f"{name} runs the binary {binary}, which was not built")
            archive = io.BytesIO()
            # Stored, not deflated: the archive travels one meter and debug binaries are large.
            with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as zipped:
                entry = zipfile.ZipInfo("bootstrap")
                entry.external_attr = 0o755 << 16
                with open(binaries[binary], "rb") as file:
                    zipped.writestr(entry, file.read())
            key = f"{binary}.zip"
            s3.put_object(Bucket=BUCKET, Key=key, Body=archive.getvalue())
            uploaded[binary] = key
        function["Properties"]["CodeUri"] = {"Bucket": BUCKET, "Key": uploaded[binary]}
    template.get("Globals", {}).get("Function", {}).pop("CodeUri", None)


def leave_out_deployments(template):
    """MiniStack has no CodeDeploy, and refuses a template that wants it. Versions and aliases are there."""
    functions = [function["Properties"] for _, function in of_type(template, "AWS::Serverless::Function")]
    for properties in [template.get("Globals", {}).get("Function", {}), *functions]:
        properties.pop("DeploymentPreference", None)


def upload_template(s3, template):
    """CloudFormation takes a template of this size from a bucket only, where `sam deploy` puts it too."""
    s3.put_object(Bucket=BUCKET, Key="template.json", Body=json.dumps(template).encode())
    return f"{s3.meta.endpoint_url}/{BUCKET}/template.json"


def create_stack(cloudformation, address, order):
    stack = order["stack"]
    cloudformation.create_stack(
        StackName=stack,
        TemplateURL=address,
        Parameters=[
            {"ParameterKey": k, "ParameterValue": v} for k, v in order["parameters"].items()
        ],
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
    )
    try:
        waiter = cloudformation.get_waiter("stack_create_complete")
        waiter.wait(StackName=stack, WaiterConfig={"Delay": 0.2, "MaxAttempts": 300})
    except Exception:
        events = cloudformation.describe_stack_events(StackName=stack)["StackEvents"]
        reasons = [
            f'{e["LogicalResourceId"]}: {e["ResourceStatusReason"]}'
            for e in events
            if e["ResourceStatus"].endswith("FAILED") and e.get("ResourceStatusReason")
        ]
        raise SystemExit("the stack was not created: " + ("; ".join(reasons) or "no reason given"))
    found = cloudformation.describe_stack_resources(StackName=stack)["StackResources"]
    described = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
    return (
        {r["LogicalResourceId"]: r["PhysicalResourceId"] for r in found},
        {o["OutputKey"]: o["OutputValue"] for o in described.get("Outputs", [])},
    )


def add_routes(gateway, functions, template, resources):
    """MiniStack makes the API without the routes of its body: add them from the functions' events."""
    (api, _), = of_type(template, "AWS::Serverless::HttpApi")
    api_id = resources[api]
    if gateway.get_routes(ApiId=api_id)["Items"]:
        raise SystemExit("MiniStack now makes the routes itself: remove add_routes")
    for name, function in of_type(template, "AWS::Serverless::Function"):
        events = function["Properties"].get("Events", {}).values()
        events = [e["Properties"] for e in events if e["Type"] == "HttpApi"]
        if not events:
            continue
        arn = functions.get_function(FunctionName=resources[name])["Configuration"]["FunctionArn"]
        integration = gateway.create_integration(
            ApiId=api_id,
            IntegrationType="AWS_PROXY",
            IntegrationUri=arn,
            PayloadFormatVersion="2.0",
            TimeoutInMillis=30000,
        )["IntegrationId"]
        for event in events:
            route = f'{event["Method"]} {event["Path"]}' if "Path" in event else "$default"
            gateway.create_route(
                ApiId=api_id, RouteKey=route, Target=f"integrations/{integration}"
            )
    return api_id


def enable_ttl(dynamodb, template, resources):
    """MiniStack's CloudFormation skips a table's TimeToLiveSpecification."""
    for name, table in of_type(template, "AWS::DynamoDB::Table"):
        ttl = table["Properties"].get("TimeToLiveSpecification")
        if ttl:
            dynamodb.update_time_to_live(
                TableName=resources[name],
                TimeToLiveSpecification={
                    "Enabled": ttl["Enabled"],
                    "AttributeName": ttl["AttributeName"],
                },
            )


def describe_functions(functions, template, resources):
    described = {}
    for name, _ in of_type(template, "AWS::Serverless::Function"):
        found = functions.get_function(FunctionName=resources[name])["Configuration"]
        described[name] = {
            "name": found["FunctionName"],
            "log_group": found["LoggingConfig"]["LogGroup"],
            "environment": found["Environment"]["Variables"],
        }
    return described


if __name__ == "__main__":
    main()
