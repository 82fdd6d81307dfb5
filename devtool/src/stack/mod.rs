//! The local stack: MiniStack as the AWS, the real function binaries deployed from `template.yaml`, one clean origin.

pub(crate) mod build;
pub(crate) mod deploy;
pub(crate) mod files;
pub(crate) mod logs;
pub(crate) mod ministack;
pub(crate) mod process;
pub(crate) mod proxy;
pub(crate) mod python;
pub(crate) mod simulators;

use std::collections::BTreeMap;
use std::process::ExitStatus;
use std::time::Instant;

use anyhow::{Context, Result};
use serde_json::json;
use tokio::net::TcpListener;

use self::build::Profile;
use self::deploy::Deployed;
use self::files::Project;
use self::logs::LogCopy;
use self::ministack::{MiniStack, REGION};
use self::proxy::Proxy;
use self::simulators::Simulators;
use crate::progress;

/// Provider addresses: template parameter and the environment variable that a caller may set.
const PROVIDER_URLS: [(&str, &str); 5] = [
    ("FortnoxApiUrl", "BOKBRO_FORTNOX_API_URL"),
    ("FortnoxAuthUrl", "BOKBRO_FORTNOX_AUTH_URL"),
    ("VivaApiUrl", "BOKBRO_VIVA_API_URL"),
    ("VivaAccountsUrl", "BOKBRO_VIVA_ACCOUNTS_URL"),
    ("VivaBasicUrl", "BOKBRO_VIVA_BASIC_URL"),
];

/// How to start a stack.
pub(crate) struct Options {
    /// The command that the stack is for; names its folder of logs.
    pub(crate) command: &'static str,
    /// Port of the HTTP API on 127.0.0.1; 0 takes a free one.
    pub(crate) port: u16,
    /// Build the functions as for the cloud.
    pub(crate) release: bool,
    /// Start the provider stand-ins and point the functions at them.
    pub(crate) simulators: bool,
    /// Let the local AWS hold every function to its role.
    pub(crate) enforce_iam: bool,
}

/// A running stack. Dropping it kills what it started; `stop` also waits for that.
pub(crate) struct Stack {
    // Fields drop in order: nobody is served any more before the AWS goes.
    proxy: Proxy,
    logs: LogCopy,
    ministack: MiniStack,
    simulators: Option<Simulators>,
    deployed: Deployed,
}

impl Stack {
    /// Builds, installs, starts and deploys, with a line of progress for each.
    ///
    /// # Errors
    /// When a port is taken or one of these steps fails; the message says what to do.
    pub(crate) async fn start(project: &Project, options: &Options) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", options.port)).await.with_context(|| {
            format!("port {} of 127.0.0.1 is taken; choose another with --port", options.port)
        })?;
        let profile = if options.release { Profile::Release } else { Profile::Debug };
        let binaries = build::functions(project, profile).await?;
        let python = python::local_aws(project).await?;

        let begun = Instant::now();
        progress::step("starting the local AWS");
        let ministack = MiniStack::start(project, &python, options.command, options.enforce_iam).await?;
        let simulators = if options.simulators { Some(Simulators::start().await?) } else { None };
        progress::step("deploying template.yaml into it");
        let parameters = parameters(simulators.as_ref());
        let deployed = deploy::deploy(project, &python, ministack.endpoint(), &binaries, parameters).await?;
        let logs = LogCopy::start(project, &python, options.command, ministack.endpoint(), &deployed).await?;
        // The path form: with the host form MiniStack answers /health itself.
        let api = format!("{}/_aws/execute-api/{}/$default", ministack.endpoint(), deployed.api_id);
        let proxy = Proxy::start(listener, api)?;
        progress::step(format_args!("ready after {:.1} s", begun.elapsed().as_secs_f32()));
        Ok(Self { proxy, logs, ministack, simulators, deployed })
    }

    /// The one clean origin of the HTTP API, without a trailing slash.
    pub(crate) fn base_url(&self) -> &str {
        self.proxy.url()
    }

    /// What `.local/stack.json` says.
    pub(crate) fn describe(&self) -> serde_json::Value {
        let output = |name: &str| self.deployed.outputs.get(name);
        let mut told = json!({
            "base_url": self.base_url(),
            "aws_endpoint": self.ministack.endpoint(),
            "region": REGION,
            "tables": {
                "hub": output("HubTableName"),
                "idempotency": output("IdempotencyTableName"),
            },
            "queues": {
                "payments": output("PaymentsQueueUrl"),
                "accounting": output("AccountingQueueUrl"),
            },
            "dead_letters": {
                "payments": output("PaymentsDeadLettersUrl"),
                "accounting": output("AccountingDeadLettersUrl"),
            },
            "pid": std::process::id(),
        });
        if let Some(simulators) = &self.simulators {
            told["simulators"] = json!(simulators.urls());
        }
        told
    }

    /// Waits for the local AWS to end by itself, which it should not.
    pub(crate) async fn died(&mut self) -> ExitStatus {
        self.ministack.died().await
    }

    /// Stops everything that was started and waits until it is gone.
    ///
    /// # Errors
    /// When the operating system refuses to end a process.
    pub(crate) async fn stop(self) -> Result<()> {
        self.proxy.stop().await;
        self.logs.stop().await?;
        self.ministack.stop().await?;
        if let Some(simulators) = self.simulators {
            simulators.stop().await;
        }
        Ok(())
    }
}

/// The template's parameters for this machine. Without stand-ins the provider addresses are the caller's to set.
fn parameters(simulators: Option<&Simulators>) -> BTreeMap<String, String> {
    let architecture = if cfg!(target_arch = "aarch64") { "arm64" } else { "x86_64" };
    let mut parameters = match simulators {
        Some(simulators) => simulators.parameters(),
        None => PROVIDER_URLS
            .iter()
            .filter_map(|(parameter, variable)| {
                Some(((*parameter).to_owned(), std::env::var(variable).ok()?))
            })
            .collect(),
    };
    parameters.insert("Stage".to_owned(), "dev".to_owned());
    parameters.insert("Architecture".to_owned(), architecture.to_owned());
    parameters
}
