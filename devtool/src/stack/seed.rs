//! The tenant `demo`: what it takes for an order to be paid and booked, made up anew for each stack.

use anyhow::Result;
use bokbro_app::auth::api_key_store;
use bokbro_app::ports::{Directory, Vault};
use bokbro_app::records::{Connection, ConnectionState, Endpoint, Role, Settings};
use bokbro_app::secret::{Credentials, SecretText};
use bokbro_app::webhooks::token_sha256;
use bokbro_domain::ids::{Provider, TenantId};
use bokbro_domain::posting::PostingProfile;
use bokbro_simulators::aws::events;
use bokbro_simulators::fortnox::{FortnoxConfig, TenantConfig};
use bokbro_simulators::ongoing::OngoingConfig;
use bokbro_simulators::signin::SignInConfig;
use bokbro_simulators::visma::VismaConfig;
use bokbro_simulators::viva::VivaConfig;
use serde_json::{Value, json};
use uuid::Uuid;

use super::inside::Inside;
use super::ledger::LedgerProgram;

/// The tenant of the local stack.
pub(crate) const TENANT: &str = "demo";

/// Names, keys and credentials of the tenant. The stand-ins are configured with the same ones.
pub(crate) struct Seed {
    /// Where the tenant keeps its books.
    pub(crate) ledger: LedgerProgram,
    /// Whether the tenant has nothing yet: no connections, no settings, no API key.
    pub(crate) empty: bool,
    /// The account at the payment provider, as its stand-in knows it.
    pub(crate) viva: VivaConfig,
    /// The app at Fortnox, as its stand-in knows it.
    pub(crate) fortnox: FortnoxConfig,
    /// The app at Visma, as its stand-in knows it.
    pub(crate) visma: VismaConfig,
    /// The tenant's account at the warehouse, as its stand-in knows it.
    pub(crate) ongoing: OngoingConfig,
    /// Who can sign in, as the sign-in provider's stand-in knows them.
    pub(crate) sign_in: SignInConfig,
    /// The tenant's company at Fortnox.
    pub(crate) company: TenantConfig,
    api_key: String,
    endpoint: String,
    parcel_endpoint: String,
    /// What the warehouse's webhooks carry.
    parcel_token: String,
}

impl Seed {
    /// Makes names and keys up. Those that open something are drawn from the system's randomness.
    pub(crate) fn new(ledger: LedgerProgram, empty: bool) -> Self {
        let random = || Uuid::new_v4().simple();
        let company = TenantConfig::new("1000001", "Demobolaget AB");
        let parcel_token = random().to_string();
        let mut ongoing = OngoingConfig::default();
        ongoing.switches.webhook_token = (!empty).then(|| parcel_token.clone());
        // What a person's consent would have left behind; Visma has no other way in.
        let consent = match ledger {
            LedgerProgram::Fortnox => None,
            LedgerProgram::Visma => Some(random().to_string()),
        };
        Self {
            ledger,
            empty,
            ongoing,
            viva: VivaConfig::default(),
            visma: VismaConfig { refresh_token: consent, ..VismaConfig::default() },
            sign_in: SignInConfig::default(),
            fortnox: FortnoxConfig { tenants: vec![company.clone()], ..FortnoxConfig::default() },
            company,
            api_key: format!("bk_{}{}", random(), random()),
            endpoint: format!("wh_{}", random()),
            parcel_endpoint: format!("wh_{}", random()),
            parcel_token,
        }
    }

    /// The tenant whose names and keys stand in the files of `events/`, for a stack that is asked with them.
    pub(crate) fn of_events(ledger: LedgerProgram) -> Self {
        let mut seed = Self::new(ledger, false);
        events::API_KEY.clone_into(&mut seed.api_key);
        events::ENDPOINT.clone_into(&mut seed.endpoint);
        events::PARCEL_ENDPOINT.clone_into(&mut seed.parcel_endpoint);
        events::PARCEL_TOKEN.clone_into(&mut seed.parcel_token);
        seed.ongoing.switches.webhook_token = Some(seed.parcel_token.clone());
        seed
    }

    /// The API key, of role owner.
    pub(crate) fn api_key(&self) -> &str {
        &self.api_key
    }

    /// `customer_id` of the tenant's company at Visma.
    pub(crate) fn visma_company(&self) -> &str {
        self.visma.companies.first().map_or("", |company| &company.customer_id)
    }

    /// The goods owner at the warehouse.
    fn goods_owner(&self) -> String {
        self.ongoing.goods_owners.first().copied().unwrap_or_default().to_string()
    }

    /// Path of the webhook endpoint.
    pub(crate) fn webhook_path(&self) -> String {
        format!("/webhooks/viva/{}", self.endpoint)
    }

    /// Path of the endpoint for webhooks about parcels.
    pub(crate) fn parcel_webhook_path(&self) -> String {
        format!("/webhooks/ongoing/{}", self.parcel_endpoint)
    }

    /// The part of `.local/stack.json` that tells of the tenant. All values are made up and good for this stack alone.
    pub(crate) fn describe(&self) -> Value {
        let mut visma = json!({
            "client_id": self.visma.client_id,
            "client_secret": self.visma.client_secret,
        });
        if let Some(refresh_token) = &self.visma.refresh_token {
            visma["company_id"] = json!(self.visma_company());
            visma["refresh_token"] = json!(refresh_token);
        }
        let mut told = json!({
            "tenant": TENANT,
            "accounting": self.ledger.provider(),
            "viva_key": self.viva.webhook_key,
            "credentials": {
                "fortnox": {
                    "client_id": self.fortnox.client_id,
                    "client_secret": self.fortnox.client_secret,
                    "tenant_id": self.company.database_number,
                },
                "visma": visma,
                "sign_in": {
                    "client_id": self.sign_in.client_id,
                    "client_secret": self.sign_in.client_secret,
                },
                "viva": {
                    "merchant_id": self.viva.merchant_id,
                    "api_key": self.viva.api_key,
                    "client_id": self.viva.client_id,
                    "client_secret": self.viva.client_secret,
                },
                "ongoing": {
                    "warehouse": self.ongoing.warehouse,
                    "goods_owner_id": self.goods_owner(),
                    "user": self.ongoing.user,
                    "password": self.ongoing.password,
                    "webhook_token": self.parcel_token,
                },
            },
        });
        if !self.empty {
            told["api_key"] = json!(self.api_key);
            told["viva_endpoint"] = json!(self.endpoint);
            told["ongoing_endpoint"] = json!(self.parcel_endpoint);
            told["ongoing_token"] = json!(self.parcel_token);
        }
        told
    }

    /// Stores all of it in the local AWS, through the same adapters as the functions use.
    ///
    /// # Errors
    /// When a table or the vault refuses.
    pub(crate) async fn store(&self, inside: &Inside) -> Result<()> {
        let Inside { hub, vault, app, .. } = inside;
        for (provider, name) in [("fortnox", "fortnox"), ("visma", "visma"), ("sign_in", "sign-in")] {
            let client = self.secrets(provider, &["client_id", "client_secret"]);
            vault.secret_put(&format!("app/{name}"), &client).await?;
        }
        if self.empty {
            return Ok(());
        }
        let tenant = TenantId::parse(TENANT)?;
        let (ledger, viva, ongoing) =
            (Provider::parse(self.ledger.provider())?, Provider::parse("viva")?, Provider::parse("ongoing")?);
        let settings = Settings {
            payments: viva.clone(),
            accounting: Some(ledger.clone()),
            warehouse: Some(ongoing.clone()),
            posting_profile: PostingProfile::default(),
            accounts: [].into(),
            payment_mode: None,
        };
        hub.settings_put(&tenant, &settings).await?;
        let connection = |provider: &Provider, settings: &[(&str, &str)]| Connection {
            tenant: tenant.clone(),
            provider: provider.clone(),
            state: ConnectionState::Unchecked,
            settings: settings
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            chart: None,
        };
        let company = match self.ledger {
            LedgerProgram::Fortnox => ("tenant_id", &*self.company.database_number),
            LedgerProgram::Visma => ("company_id", self.visma_company()),
        };
        hub.connection_put(&connection(&ledger, &[company])).await?;
        let merchant = [("merchant_id", &*self.viva.merchant_id), ("webhook_endpoint", &*self.endpoint)];
        hub.connection_put(&connection(&viva, &merchant)).await?;
        let endpoint = Endpoint {
            name: self.endpoint.clone(),
            tenant: tenant.clone(),
            provider: viva,
            handshake_key: self.viva.webhook_key.clone(),
            token_sha256: None,
        };
        hub.endpoint_put(&endpoint).await?;
        let goods_owner = [
            ("warehouse", &*self.ongoing.warehouse),
            ("goods_owner_id", &*self.goods_owner()),
            ("webhook_endpoint", &*self.parcel_endpoint),
        ];
        hub.connection_put(&connection(&ongoing, &goods_owner)).await?;
        let parcels = Endpoint {
            name: self.parcel_endpoint.clone(),
            tenant: tenant.clone(),
            provider: ongoing,
            handshake_key: String::new(),
            token_sha256: Some(token_sha256(&self.parcel_token)),
        };
        hub.endpoint_put(&parcels).await?;
        // Fortnox's has nothing in it until its tokens go there.
        let tokens: &[&str] = match self.ledger {
            LedgerProgram::Fortnox => &[],
            LedgerProgram::Visma => &["refresh_token"],
        };
        let own: [(&str, &[&str]); 3] = [
            ("viva", &["merchant_id", "api_key", "client_id", "client_secret"]),
            ("ongoing", &["user", "password", "webhook_token"]),
            (self.ledger.provider(), tokens),
        ];
        for (provider, fields) in own {
            let name = format!("connections/{tenant}/{provider}");
            vault.secret_put(&name, &self.secrets(provider, fields)).await?;
        }
        api_key_store(app, &SecretText::new(self.api_key.clone()), &tenant, Role::Owner, "local stack")
            .await?;
        Ok(())
    }

    /// These of a provider's credentials.
    pub(crate) fn secrets(&self, provider: &str, fields: &[&str]) -> Credentials {
        let told = &self.describe()["credentials"][provider];
        let secret =
            |name: &&str| Some(((*name).to_owned(), SecretText::new(told[*name].as_str()?.to_owned())));
        Credentials::new(fields.iter().filter_map(secret))
    }
}
