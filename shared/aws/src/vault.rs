//! Secrets at rest in Secrets Manager, one flat JSON object of strings per secret.

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::error::ProvideErrorMetadata;
use bokbro_app::error::Error;
use bokbro_app::ports::{Vault, Versioned};
use bokbro_app::secret::{Credentials, NotCredentials};
use uuid::Uuid;

use crate::failure::storage;

const MISSING: &str = "ResourceNotFoundException";
const EXISTS: &str = "ResourceExistsException";
/// What the service answers when the version that should give a label away does not have it.
const NOT_CURRENT: &str = "InvalidParameterException";

/// Label of the version that counts.
const CURRENT: &str = "AWSCURRENT";
/// Label of the version that is durable but does not count yet.
const PENDING: &str = "AWSPENDING";

/// Secrets in Secrets Manager.
#[derive(Debug, Clone)]
pub struct SecretsVault {
    client: Client,
    prefix: String,
    /// Encrypts the secrets that are made here; empty for the account's own key.
    key: String,
}

impl SecretsVault {
    /// The secrets whose names begin with the prefix.
    pub(crate) fn new(config: &SdkConfig, prefix: String) -> Self {
        Self { client: Client::new(config), prefix, key: String::new() }
    }

    /// The same, but secrets that are made from now on are encrypted with the key of this ARN.
    #[must_use]
    pub fn encrypting_with(self, key: impl Into<String>) -> Self {
        Self { key: key.into(), ..self }
    }

    fn full_name(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }
}

impl SecretsVault {
    /// The version that has a label; none when there is no such secret or label.
    async fn labeled(&self, name: &str, label: &str) -> Result<Option<Versioned>, Error> {
        const STEP: &str = "reading a secret";
        let request = self.client.get_secret_value().secret_id(self.full_name(name)).version_stage(label);
        let output = match request.send().await {
            Ok(output) => output,
            Err(error) if error.code() == Some(MISSING) => return Ok(None),
            Err(error) => return Err(storage(STEP)(error)),
        };
        let text = output.secret_string().ok_or_else(|| Error::storage(STEP, NotCredentials))?;
        let credentials = Credentials::from_json(text).map_err(|e| Error::storage(STEP, e))?;
        Ok(Some(Versioned { credentials, version: output.version_id().unwrap_or_default().to_owned() }))
    }
}

#[async_trait]
impl Vault for SecretsVault {
    async fn secret_get(&self, name: &str) -> Result<Option<Versioned>, Error> {
        self.labeled(name, CURRENT).await
    }

    async fn secret_staged(&self, name: &str) -> Result<Option<Versioned>, Error> {
        self.labeled(name, PENDING).await
    }

    async fn secret_stage(&self, name: &str, credentials: &Credentials) -> Result<String, Error> {
        const STEP: &str = "staging a secret";
        // The token makes a repeat by the SDK store the same version.
        let token = Uuid::new_v4().to_string();
        let text = credentials.to_json();
        let request =
            self.client.put_secret_value().secret_id(self.full_name(name)).client_request_token(token);
        let output = request.version_stages(PENDING).secret_string(text.expose()).send().await;
        let output = output.map_err(|error| storage(STEP)(error))?;
        Ok(output.version_id().unwrap_or_default().to_owned())
    }

    async fn secret_promote(&self, name: &str, staged: &str, over: &str) -> Result<bool, Error> {
        const STEP: &str = "making a staged secret current";
        let request = self.client.update_secret_version_stage().secret_id(self.full_name(name));
        let request = request.version_stage(CURRENT).move_to_version_id(staged).remove_from_version_id(over);
        let Err(error) = request.send().await else { return Ok(true) };
        if error.code() != Some(NOT_CURRENT) {
            return Err(storage(STEP)(error));
        }
        // `over` is not current. Perhaps the SDK repeated a call whose answer got lost: then ours is.
        let current = self.secret_get(name).await?;
        Ok(current.is_some_and(|current| current.version == staged))
    }

    async fn secret_delete(&self, name: &str) -> Result<(), Error> {
        const STEP: &str = "deleting a secret";
        let request = self.client.delete_secret().secret_id(self.full_name(name));
        match request.force_delete_without_recovery(true).send().await {
            Ok(_) => Ok(()),
            Err(error) if error.code() == Some(MISSING) => Ok(()),
            Err(error) => Err(storage(STEP)(error)),
        }
    }

    async fn secret_put(&self, name: &str, credentials: &Credentials) -> Result<(), Error> {
        const STEP: &str = "storing a secret";
        let (name, text) = (self.full_name(name), credentials.to_json());
        // One token names one version, whichever of the calls below stores it.
        let token = Uuid::new_v4().to_string();
        let put = || {
            let request = self.client.put_secret_value().secret_id(&name).client_request_token(&token);
            request.secret_string(text.expose()).send()
        };
        match put().await {
            Ok(_) => return Ok(()),
            Err(error) if error.code() == Some(MISSING) => {}
            Err(error) => return Err(storage(STEP)(error)),
        }
        let create = self.client.create_secret().name(&name).client_request_token(&token);
        let create = create.set_kms_key_id(Some(self.key.clone()).filter(|key| !key.is_empty()));
        match create.secret_string(text.expose()).send().await {
            Ok(_) => Ok(()),
            // Somebody else made it since; their version stays as the previous one.
            Err(error) if error.code() == Some(EXISTS) => put().await.map(|_| ()).map_err(storage(STEP)),
            Err(error) => Err(storage(STEP)(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use bokbro_app::error::chain;
    use bokbro_app::secret::SecretText;
    use serde_json::json;

    use super::*;
    use crate::canned::{Answer, Canned};

    const SECRET: &str = "hunter2-0123456789";

    fn vault(canned: &Canned) -> SecretsVault {
        SecretsVault::new(&canned.config(), "bokbro/dev/".to_owned())
    }

    fn credentials() -> Credentials {
        Credentials::new([("client_secret".to_owned(), SecretText::new(SECRET.to_owned()))])
    }

    #[tokio::test]
    async fn secrets_are_read_under_the_prefix() {
        let canned = Canned::new([Answer::ok(json!({"SecretString": credentials().to_json().expose()}))]);
        let read = vault(&canned).secret_get("app/ledger").await.unwrap().unwrap();
        assert_eq!(read.credentials.get("client_secret").unwrap().expose(), SECRET);
        assert_eq!(canned.requests()[0].body["SecretId"], "bokbro/dev/app/ledger");
    }

    #[tokio::test]
    async fn a_missing_secret_is_none() {
        let canned = Canned::new([Answer::error(400, MISSING, "Secrets Manager can't find it")]);
        assert!(vault(&canned).secret_get("app/ledger").await.unwrap().is_none());
    }

    #[tokio::test]
    async fn a_secret_is_made_when_it_is_missing_and_one_token_names_the_version() {
        let answers = [
            Answer::error(400, MISSING, ""),
            Answer::error(400, EXISTS, ""),
            Answer::ok(json!({"VersionId": "1"})),
        ];
        let canned = Canned::new(answers);
        let vault = vault(&canned).encrypting_with("arn:aws:kms:key");
        vault.secret_put("app/ledger", &credentials()).await.unwrap();
        let requests = canned.requests();
        assert_eq!(requests[1].body["KmsKeyId"], "arn:aws:kms:key");
        let operations: Vec<&str> = requests.iter().map(|r| r.operation.as_str()).collect();
        let expected =
            ["PutSecretValue", "CreateSecret", "PutSecretValue"].map(|o| format!("secretsmanager.{o}"));
        assert_eq!(operations, expected);
        let tokens: Vec<_> =
            requests.iter().map(|r| r.body["ClientRequestToken"].as_str().unwrap()).collect();
        assert!(tokens.iter().all(|token| *token == tokens[0] && token.len() == 36), "{tokens:?}");
        assert_eq!(requests[1].body["Name"], "bokbro/dev/app/ledger");
    }

    #[tokio::test]
    async fn no_error_carries_a_secret_whatever_the_service_answers() {
        let echo = format!("bad request: {SECRET}");
        for answer in [
            || Answer::error(400, "InvalidRequestException", &format!("bad request: {SECRET}")),
            || Answer::raw(500, &format!("<html>{SECRET}</html>")),
            || Answer::ok(json!({"SecretString": format!("[\"{SECRET}\"]")})),
            || Answer::raw(200, &format!("{{\"SecretString\": \"{SECRET}")),
            Answer::lost,
        ] {
            let canned = Canned::new((0..4).map(|_| answer()));
            let error = vault(&canned).secret_get("app/ledger").await.err().unwrap();
            for text in [chain(&error), format!("{error:?}")] {
                assert!(!text.contains(SECRET) && !text.contains(&echo), "{text}");
            }
        }
    }
}
