//! The local stack: MiniStack as the AWS, the real function binaries deployed from `template.yaml`, one clean origin.

pub(crate) mod between;
pub(crate) mod build;
pub(crate) mod calls;
pub(crate) mod deploy;
pub(crate) mod files;
pub(crate) mod inside;
pub(crate) mod ledger;
pub(crate) mod ministack;
pub(crate) mod process;
pub(crate) mod processes;
pub(crate) mod proxy;
pub(crate) mod python;
pub(crate) mod seed;
pub(crate) mod simulators;
pub(crate) mod tools;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::Instant;

use anyhow::{Context, Result};
use bokbro_aws::Tables;
use bokbro_simulators::aws::Faults as AwsFaults;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use self::between::{Between, Passage};
use self::build::Profile;
use self::deploy::{Deployed, Function};
use self::files::Project;
use self::inside::Inside;
use self::ledger::LedgerProgram;
use self::ministack::{ACCESS_KEY, MiniStack, REGION};
use self::proxy::Proxy;
use self::seed::Seed;
use self::simulators::Simulators;
use crate::progress;

/// Provider addresses: template parameter and the environment variable that a caller may set.
const PROVIDER_URLS: [(&str, &str); 9] = [
    ("FortnoxApiUrl", "BOKBRO_FORTNOX_API_URL"),
    ("FortnoxAuthUrl", "BOKBRO_FORTNOX_AUTH_URL"),
    ("VismaApiUrl", "BOKBRO_VISMA_API_URL"),
    ("VismaAuthUrl", "BOKBRO_VISMA_AUTH_URL"),
    ("VivaApiUrl", "BOKBRO_VIVA_API_URL"),
    ("VivaAccountsUrl", "BOKBRO_VIVA_ACCOUNTS_URL"),
    ("VivaBasicUrl", "BOKBRO_VIVA_BASIC_URL"),
    ("OngoingApiUrl", "BOKBRO_ONGOING_API_URL"),
    ("SignInIssuer", "BOKBRO_SIGN_IN_ISSUER"),
];

/// How to start a stack.
pub(crate) struct Options {
    /// The command that the stack is for; names its folder of logs.
    pub(crate) command: &'static str,
    /// Port of the HTTP API on 127.0.0.1; 0 takes a free one.
    pub(crate) port: u16,
    /// How the functions are built.
    pub(crate) profile: Profile,
    /// Start the provider stand-ins and point the functions at them.
    pub(crate) simulators: bool,
    /// Let the local AWS hold every function to its role.
    pub(crate) enforce_iam: bool,
    /// Where the tenant keeps its books.
    pub(crate) ledger: LedgerProgram,
    /// Connect nothing for the tenant.
    pub(crate) empty: bool,
    /// What stands between the functions and the local AWS.
    pub(crate) between: Between,
}

/// A running stack. Dropping it kills what it started; `stop` also waits for that.
pub(crate) struct Stack {
    // Fields drop in order: nobody is served any more before the AWS goes.
    proxy: Proxy,
    between: Passage,
    /// Folder of what the functions log, a file for each.
    logs: PathBuf,
    ministack: MiniStack,
    simulators: Option<Simulators>,
    deployed: Deployed,
    binaries: BTreeMap<String, PathBuf>,
    seed: Seed,
    inside: Inside,
}

impl Stack {
    /// Builds, installs, starts and deploys, with a line of progress for each.
    ///
    /// # Errors
    /// When a port is taken or one of these steps fails; the message says what to do.
    pub(crate) async fn start(project: &Project, options: &Options) -> Result<Self> {
        Self::start_seeded(project, options, Seed::new(options.ledger, options.empty)).await
    }

    /// The same for a tenant whose names and keys are given.
    ///
    /// # Errors
    /// As [`Stack::start`].
    pub(crate) async fn start_seeded(project: &Project, options: &Options, seed: Seed) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", options.port)).await.with_context(|| {
            format!("port {} of 127.0.0.1 is taken; choose another with --port", options.port)
        })?;
        let base_url = format!("http://{}", listener.local_addr()?);
        let binaries = build::functions(project, options.profile).await?;
        let python = python::local_aws(project).await?;

        let begun = Instant::now();
        progress::step("starting the local AWS");
        // Bound before the local AWS starts, which hands the address to the functions.
        let listener_between = match &options.between {
            Between::Nothing => None,
            Between::Counter(_) | Between::Faults => Some(TcpListener::bind(("127.0.0.1", 0)).await?),
        };
        let address = listener_between.as_ref().map(TcpListener::local_addr).transpose()?;
        let functions_call = address.map(|address| format!("http://{address}"));
        let ministack = MiniStack::start(
            project,
            &python,
            options.command,
            options.enforce_iam,
            functions_call.as_deref(),
        )
        .await?;
        let between = Passage::start(&options.between, listener_between, ministack.endpoint())?;
        let simulators =
            if options.simulators { Some(Simulators::start(&seed, &base_url).await?) } else { None };
        progress::step("deploying template.yaml into it");
        let parameters = parameters(simulators.as_ref(), &base_url);
        let deployed = deploy::deploy(project, &python, ministack.endpoint(), &binaries, parameters).await?;
        for function in deployed.functions.values() {
            // Each has its file, also while it has said nothing.
            project.log(options.command, &format!("{}.log", function.log_name()))?;
        }
        let logs = project.log_dir(options.command)?;
        let inside = Inside::open(ministack.endpoint(), tables(&deployed)?).await?;
        seed.store(&inside).await.context("seeding the tenant")?;
        // The path form: with the host form MiniStack answers /health itself.
        let api = format!("{}/_aws/execute-api/{}/$default", ministack.endpoint(), deployed.api_id);
        let proxy = Proxy::start(listener, api)?;
        progress::step(format_args!("ready after {:.1} s", begun.elapsed().as_secs_f32()));
        Ok(Self { proxy, between, logs, ministack, simulators, deployed, binaries, seed, inside })
    }

    /// The one clean origin of the HTTP API, without a trailing slash.
    pub(crate) fn base_url(&self) -> &str {
        self.proxy.url()
    }

    /// Stand-ins that show people what opens their API, by what they are.
    pub(crate) fn desks(&self) -> Vec<(&'static str, &str)> {
        let Some(simulators) = &self.simulators else { return Vec::new() };
        vec![("Viva", simulators.viva.url.as_str()), ("Ongoing", simulators.ongoing.url.as_str())]
    }

    /// The tenant that was made up.
    pub(crate) fn seed(&self) -> &Seed {
        &self.seed
    }

    /// Where the local AWS answers.
    pub(crate) fn aws_endpoint(&self) -> &str {
        self.ministack.endpoint()
    }

    /// The functions by logical id, as they were deployed.
    pub(crate) fn functions(&self) -> &BTreeMap<String, Function> {
        &self.deployed.functions
    }

    /// The local AWS's process, which leads the group of all functions that it runs.
    pub(crate) fn aws_pid(&self) -> Option<u32> {
        self.ministack.pid()
    }

    /// Its tables and its vault.
    pub(crate) fn inside(&self) -> &Inside {
        &self.inside
    }

    /// The provider stand-ins.
    ///
    /// # Errors
    /// When the stack was started without.
    pub(crate) fn simulators(&self) -> Result<&Simulators> {
        self.simulators.as_ref().context("the stack runs without stand-ins")
    }

    /// The binary of a function.
    pub(crate) fn binary(&self, name: &str) -> Option<&Path> {
        self.binaries.get(name).map(PathBuf::as_path)
    }

    /// The proxy before the local AWS that can have bad days.
    ///
    /// # Errors
    /// When the stack was started with another, or none.
    pub(crate) fn bad_days(&self) -> Result<&AwsFaults> {
        self.between.faults().context("nothing between the functions and the local AWS can fail")
    }

    /// What a function needs in its environment to start outside the local AWS, and to reach it.
    pub(crate) fn function_environment(&self) -> BTreeMap<String, String> {
        let outputs = &self.deployed.outputs;
        let output = |name: &str| outputs.get(name).cloned().unwrap_or_default();
        let own = [
            ("AWS_LAMBDA_FUNCTION_NAME", "local".to_owned()),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".to_owned()),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256".to_owned()),
            ("AWS_ENDPOINT_URL", self.ministack.endpoint().to_owned()),
            ("AWS_REGION", REGION.to_owned()),
            ("AWS_ACCESS_KEY_ID", ACCESS_KEY.to_owned()),
            ("AWS_SECRET_ACCESS_KEY", ACCESS_KEY.to_owned()),
            ("BOKBRO_STAGE", "dev".to_owned()),
            ("BOKBRO_SYNC_ROLE", "accounting".to_owned()),
            ("BOKBRO_HUB_TABLE", output("HubTableName")),
            ("BOKBRO_IDEMPOTENCY_TABLE", output("IdempotencyTableName")),
            ("BOKBRO_SECRET_PREFIX", "bokbro/dev/".to_owned()),
            ("BOKBRO_SECRETS_KEY", output("DataKeyArn")),
        ]
        .map(|(name, value)| (name.to_owned(), value));
        // Every queue's address, whichever queues there are: `PaymentsQueueUrl` is `BOKBRO_PAYMENTS_QUEUE_URL`.
        let queues = outputs.iter().filter_map(|(name, url)| {
            let (queue, kind) = match name.strip_suffix("QueueUrl") {
                Some(queue) => (queue, "QUEUE_URL"),
                None => (name.strip_suffix("DeadLettersUrl")?, "DEAD_LETTERS_URL"),
            };
            Some((format!("BOKBRO_{}_{kind}", queue.to_uppercase()), url.clone()))
        });
        let providers = self.simulators.iter().flat_map(|simulators| {
            let urls = simulators.parameters();
            PROVIDER_URLS
                .iter()
                .filter_map(move |(name, variable)| Some(((*variable).to_owned(), urls.get(*name)?.clone())))
        });
        own.into_iter().chain(queues).chain(providers).collect()
    }

    /// The address at which the functions call AWS: that of what stands between, if anything does.
    pub(crate) fn functions_call(&self) -> &str {
        self.between.url().unwrap_or(self.ministack.endpoint())
    }

    /// What `.local/stack.json` says.
    pub(crate) fn describe(&self) -> Value {
        let output = |name: &str| self.deployed.outputs.get(name);
        let mut told = self.seed.describe();
        told["base_url"] = json!(self.base_url());
        told["aws_endpoint"] = json!(self.ministack.endpoint());
        told["functions_aws_endpoint"] = json!(self.functions_call());
        if let Some(control) = self.between.control() {
            told["aws_faults"] = json!(control);
        }
        told["region"] = json!(REGION);
        told["tables"] =
            json!({ "hub": output("HubTableName"), "idempotency": output("IdempotencyTableName") });
        told["queues"] = json!({
            "payments": output("PaymentsQueueUrl"),
            "accounting": output("AccountingQueueUrl"),
            "warehouse": output("WarehouseQueueUrl"),
            "pulls": output("PullsQueueUrl"),
            "replays": output("ReplaysQueueUrl"),
        });
        told["dead_letters"] = json!({
            "payments": output("PaymentsDeadLettersUrl"),
            "accounting": output("AccountingDeadLettersUrl"),
            "warehouse": output("WarehouseDeadLettersUrl"),
            "pulls": output("PullsDeadLettersUrl"),
            "replays": output("ReplaysDeadLettersUrl"),
        });
        // `SchedulerFunction` is `scheduler`, as its folder in events/ is called.
        let functions = self.deployed.functions.iter();
        told["functions"] = functions
            .map(|(id, function)| (id.trim_end_matches("Function").to_lowercase(), json!(function.name)))
            .collect::<serde_json::Map<_, _>>()
            .into();
        told["logs"] = json!(self.logs);
        told["pid"] = json!(std::process::id());
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
        self.ministack.stop().await?;
        self.between.stop().await;
        if let Some(simulators) = self.simulators {
            simulators.stop().await;
        }
        Ok(())
    }
}

/// The tables as they were deployed.
fn tables(deployed: &Deployed) -> Result<Tables> {
    let output = |name: &str| {
        deployed.outputs.get(name).cloned().with_context(|| format!("template.yaml has no output {name}"))
    };
    Ok(Tables { hub: output("HubTableName")?, idempotency: output("IdempotencyTableName")? })
}

/// The template's parameters for this machine. Without stand-ins the provider addresses are the caller's to set.
fn parameters(simulators: Option<&Simulators>, base_url: &str) -> BTreeMap<String, String> {
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
    parameters.insert("PublicUrl".to_owned(), base_url.to_owned());
    // Every webhook shows that addresses are looked at, and that those that were named get in.
    parameters.insert("VivaSourceAddresses".to_owned(), "127.0.0.1".to_owned());
    parameters.insert("Architecture".to_owned(), build::architecture().to_owned());
    parameters
}
