//! Secrets at rest in Secrets Manager, one flat JSON object of strings per secret.

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::error::ProvideErrorMetadata;
use bokbro_app::error::Error;
use bokbro_app::ports::Vault;
use bokbro_app::secret::{Credentials, NotCredentials};
use uuid::Uuid;

use crate::failure::storage;

const MISSING: &str = "ResourceNotFoundException";
const EXISTS: &str = "ResourceExistsException";

/// Secrets in Secrets Manager.
#[derive(Debug, Clone)]
pub struct SecretsVault {
    client: Client,
    prefix: String,
}

impl SecretsVault {
    /// The secrets whose names begin with the prefix.
    pub(crate) fn new(config: &SdkConfig, prefix: String) -> Self {
        Self { client: Client::new(config), prefix }
    }

    fn full_name(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }
}

#[async_trait]
impl Vault for SecretsVault {
    async fn secret_get(&self, name: &str) -> Result<Option<Credentials>, Error> {
        const STEP: &str = "reading a secret";
        let output = match self.client.get_secret_value().secret_id(self.full_name(name)).send().await {
            Ok(output) => output,
            Err(error) if error.code() == Some(MISSING) => return Ok(None),
            Err(error) => return Err(storage(STEP)(error)),
        };
        let text = output.secret_string().ok_or_else(|| Error::storage(STEP, NotCredentials))?;
        Credentials::from_json(text).map(Some).map_err(|e| Error::storage(STEP, e))
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
        assert_eq!(read.get("client_secret").unwrap().expose(), SECRET);
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
        vault(&canned).secret_put("app/ledger", &credentials()).await.unwrap();
        let requests = canned.requests();
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
