//! A fresh AWS account for one test, in the emulator that the environment names, with the tables of the template.

use std::path::Path;

use aws_config::{Region, SdkConfig};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::Credentials;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
    ProjectionType, ScalarAttributeType,
};
use bokbro_aws::{Clients, Tables};
use saphyr::{LoadableYamlNode, Yaml};
use uuid::Uuid;

/// Address of the emulator.
const ENDPOINT: &str = "BOKBRO_TEST_AWS_ENDPOINT";

/// An account that no other test uses.
pub struct Account {
    /// Configuration whose credentials belong to the account.
    pub config: SdkConfig,
    /// Adapters over it.
    pub clients: Clients,
}

impl Account {
    /// Adapters that call the account at another address, a proxy before it say.
    #[must_use]
    pub fn through(&self, endpoint: &str) -> Clients {
        Clients::from_config(self.config.clone().into_builder().endpoint_url(endpoint).build())
    }
}

/// A fresh account; `None`, and a line that says so, when no emulator is named. The emulator takes a 12-digit access
/// key for an account number.
pub async fn fresh_account() -> Option<Account> {
    #[expect(clippy::disallowed_methods, reason = "tests take the emulator's address from the environment")]
    let endpoint = std::env::var(ENDPOINT).ok().filter(|endpoint| !endpoint.is_empty());
    let Some(endpoint) = endpoint else {
        #[expect(clippy::print_stderr, reason = "a skipped test must say so")]
        {
            eprintln!(
                "SKIPPED: {ENDPOINT} is not set, so nothing was tested against DynamoDB, SQS or Secrets Manager"
            );
        }
        return None;
    };
    let number = format!("{:012}", Uuid::new_v4().as_u128() % 1_000_000_000_000);
    let credentials = Credentials::new(number, "local", None, None, "test");
    let loader = Clients::loader().endpoint_url(endpoint).credentials_provider(credentials);
    let config = loader.region(Region::from_static("eu-north-1")).load().await;
    Some(Account { clients: Clients::from_config(config.clone()), config })
}

/// Creates both tables in the account as the template describes them.
pub async fn create_tables(account: &Account) -> Tables {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../template.yaml");
    let text = std::fs::read_to_string(&path).unwrap();
    let template = Yaml::load_from_str(&text).unwrap();
    let resources = template[0].as_mapping_get("Resources").unwrap();
    let client = Client::new(&account.config);
    let tables = Tables { hub: "hub".to_owned(), idempotency: "idempotency".to_owned() };
    for (resource, name) in [("HubTable", &tables.hub), ("IdempotencyTable", &tables.idempotency)] {
        let properties = at(at(resources, resource), "Properties");
        let attributes = list(properties, "AttributeDefinitions").map(|attribute| {
            AttributeDefinition::builder()
                .attribute_name(text_at(attribute, "AttributeName"))
                .attribute_type(ScalarAttributeType::from(text_at(attribute, "AttributeType")))
                .build()
                .unwrap()
        });
        let indexes: Vec<GlobalSecondaryIndex> = match properties.as_mapping_get("GlobalSecondaryIndexes") {
            Some(_) => list(properties, "GlobalSecondaryIndexes").map(index).collect(),
            None => Vec::new(),
        };
        client
            .create_table()
            .table_name(name)
            .billing_mode(BillingMode::PayPerRequest)
            .set_attribute_definitions(Some(attributes.collect()))
            .set_key_schema(Some(key_schema(properties)))
            .set_global_secondary_indexes((!indexes.is_empty()).then_some(indexes))
            .send()
            .await
            .unwrap();
    }
    tables
}

fn index(yaml: &Yaml<'_>) -> GlobalSecondaryIndex {
    let projection = ProjectionType::from(text_at(at(yaml, "Projection"), "ProjectionType"));
    GlobalSecondaryIndex::builder()
        .index_name(text_at(yaml, "IndexName"))
        .set_key_schema(Some(key_schema(yaml)))
        .projection(Projection::builder().projection_type(projection).build())
        .build()
        .unwrap()
}

fn key_schema(yaml: &Yaml<'_>) -> Vec<KeySchemaElement> {
    let elements = list(yaml, "KeySchema").map(|element| {
        KeySchemaElement::builder()
            .attribute_name(text_at(element, "AttributeName"))
            .key_type(KeyType::from(text_at(element, "KeyType")))
            .build()
            .unwrap()
    });
    elements.collect()
}

fn at<'a, 'b>(yaml: &'a Yaml<'b>, name: &str) -> &'a Yaml<'b> {
    yaml.as_mapping_get(name).unwrap_or_else(|| panic!("template.yaml has no {name}"))
}

fn list<'a, 'b>(yaml: &'a Yaml<'b>, name: &str) -> impl Iterator<Item = &'a Yaml<'b>> {
    at(yaml, name).as_vec().unwrap().iter()
}

fn text_at<'a>(yaml: &'a Yaml<'_>, name: &str) -> &'a str {
    at(yaml, name).as_str().unwrap()
}
