//! `sam local`, with everything around it that the functions need.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::IpAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use bokbro_simulators::aws::events::Event;
use reqwest::{Client, Method, Response};
use serde_json::{Map, Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::Command;
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::doors::{Doors, from_outside, port};
use super::engine::Engine;
use super::image;
use crate::stack::Stack;
use crate::stack::build::architecture;
use crate::stack::files::Project;
use crate::stack::ministack::{ACCESS_KEY, REGION};
use crate::stack::process::{Group, listen};
use crate::stack::python;

const LIMIT: Duration = Duration::from_secs(120);
/// The script, seen from the checkout.
pub(super) const SCRIPT: &str = ".local/sam-local";

/// A network of containers from which the stack can be reached, and the script that runs SAM in it.
pub(super) struct Local<'a> {
    project: &'a Project,
    engine: &'a Engine,
    /// Of the network and of the images: no other stack of this machine has it.
    name: String,
    _doors: Option<Doors>,
}

impl<'a> Local<'a> {
    /// Makes the network, the image and the script; the inner error says in one line why it cannot be.
    ///
    /// # Errors
    /// When the engine or the disk refuses.
    pub(super) async fn prepare(
        project: &'a Project,
        engine: &'a Engine,
        stack: &Stack,
    ) -> Result<Result<Self, String>> {
        let base = match image::base(project, engine).await? {
            Ok(base) => base,
            Err(why) => return Ok(Err(why)),
        };
        let at = port(stack.aws_endpoint()).context("the local AWS is not on this machine")?;
        let mut local = Self { project, engine, name: format!("bokbro-{at}"), _doors: None };
        engine.docker(&["network", "create", &local.name]).await?;
        let prepared = local.fill(stack, &base).await;
        match prepared {
            Ok(Ok(())) => Ok(Ok(local)),
            Ok(Err(why)) => {
                local.remove().await;
                Ok(Err(why))
            }
            Err(error) => {
                local.remove().await;
                Err(error)
            }
        }
    }

    async fn fill(&mut self, stack: &Stack, base: &str) -> Result<Result<(), String>> {
        let gateway = ["network", "inspect", "--format", "{{(index .IPAM.Config 0).Gateway}}", &self.name];
        let gateway: IpAddr = self.engine.docker(&gateway).await?.parse().context("the network's gateway")?;
        let environments = stack.functions().values().map(|function| &function.environment);
        let addresses = environments.flat_map(BTreeMap::values).map(String::as_str);
        let ports: BTreeSet<u16> = addresses.chain([stack.aws_endpoint()]).filter_map(port).collect();
        self._doors = match Doors::open(gateway, &ports).await {
            Ok(doors) => Some(doors),
            Err(error) => {
                return Ok(Err(format!(
                    "containers of this Docker engine cannot reach this machine: {gateway} is not its address ({error})"
                )));
            }
        };
        let environments: Map<String, Value> = stack
            .functions()
            .iter()
            .map(|(id, function)| {
                let variables = function.environment.iter();
                let seen = variables.map(|(name, value)| (name.clone(), json!(from_outside(value, gateway))));
                (id.clone(), Value::Object(seen.collect()))
            })
            .collect();
        let variables = self.project.local("sam-env.json");
        fs::write(&variables, format!("{:#}\n", Value::Object(environments)))?;
        let log = self.project.local_dir("logs/sam")?.join("image.log");
        let endpoint = from_outside(stack.aws_endpoint(), gateway);
        image::pointed_at(self.engine, base, &endpoint, &self.image(), &log).await?;
        self.write_script(stack.aws_endpoint(), &variables).await?;
        Ok(Ok(()))
    }

    fn image(&self) -> String {
        format!("{}:local", self.name)
    }

    /// For people and for this command alike: whatever runs here can be run by hand.
    async fn write_script(&self, endpoint: &str, variables: &Path) -> Result<()> {
        let sam = python::sam(self.project).await?.with_file_name("sam");
        let template = self.project.local("sam-build/template.yaml");
        let quoted = |text: &str| format!("'{}'", text.replace('\'', r"'\''"));
        let path = |path: &Path| quoted(&path.to_string_lossy());
        let environment: String = [
            // With credentials and without an address of its own SAM would ask the real AWS whose they are.
            ("AWS_ENDPOINT_URL", endpoint),
            ("AWS_ACCESS_KEY_ID", ACCESS_KEY),
            ("AWS_SECRET_ACCESS_KEY", ACCESS_KEY),
            ("AWS_DEFAULT_REGION", REGION),
            ("AWS_CONFIG_FILE", "/dev/null"),
            ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null"),
            ("SAM_CLI_TELEMETRY", "0"),
            ("DOCKER_HOST", self.engine.address()),
        ]
        .iter()
        .map(|(name, value)| format!("  {name}={} \\\n", quoted(value)))
        .collect();
        // SAM takes values for the functions' variables from its own environment, so there is nothing else in it.
        let script = format!(
            "#!/bin/sh\n\
             # sam local, while `cargo dev sam` is running. For example:\n\
             #   {SCRIPT} invoke WebhookFunction --event events/webhook/handshake.json\n\
             what=\"$1\"\nshift\n\
             exec env -i PATH=\"$PATH\" HOME=\"$HOME\" LANG=C.UTF-8 \\\n{environment}  {sam} local \"$what\" \\\n  \
             --template {template} --parameter-overrides Architecture={architecture} \\\n  \
             --env-vars {variables} --invoke-image {image} --skip-pull-image \\\n  \
             --docker-network {network} \"$@\"\n",
            sam = path(&sam),
            template = path(&template),
            architecture = architecture(),
            variables = path(variables),
            image = quoted(&self.image()),
            network = quoted(&self.name),
        );
        let file = self.script();
        fs::write(&file, script)?;
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755))?;
        Ok(())
    }

    fn script(&self) -> PathBuf {
        self.project.root().join(SCRIPT)
    }

    /// Invokes a function with an event; gives its answer.
    ///
    /// # Errors
    /// When SAM fails or answers something else than JSON; its log says more.
    pub(super) async fn invoke(&self, event: &Event) -> Result<Value> {
        let mut sam = Command::new(self.script());
        sam.args(["invoke", &event.function(), "--event"]).arg(&event.file);
        let said = match timeout(LIMIT, listen(&mut sam)).await {
            Ok(said) => said?,
            Err(_) => bail!("SAM took longer than {} s", LIMIT.as_secs()),
        };
        let log = format!("logs/sam/{}.log", event.folder);
        let mut log = fs::OpenOptions::new().create(true).append(true).open(self.project.local(&log))?;
        std::io::Write::write_all(&mut log, format!("== {}\n{}", event.name, said.err).as_bytes())?;
        // SAM also ends well when the function answers with an error, which is an answer.
        if !said.status.success() {
            bail!("SAM failed: {}", said.err.trim().lines().last().unwrap_or_default());
        }
        serde_json::from_str(said.out.trim())
            .with_context(|| format!("this is not JSON: {}", said.out.trim()))
    }

    /// Starts the HTTP API.
    ///
    /// # Errors
    /// When it does not listen in time.
    pub(super) async fn api(&self) -> Result<Api> {
        // The port is let go again for SAM to take, which cannot be told to choose one itself.
        let address = TcpListener::bind(("127.0.0.1", 0)).await?.local_addr()?;
        let log = self.project.log("sam", "start-api.log")?;
        let mut sam = Command::new(self.script());
        sam.args(["start-api", "--host", "127.0.0.1", "--port", &address.port().to_string()]);
        sam.args(["--warm-containers", "LAZY"]);
        sam.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let mut api = Api {
            process: Group::spawn(&mut sam)?,
            url: format!("http://{address}"),
            client: Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build()?,
        };
        let listening = async {
            let mut ticks = interval(Duration::from_millis(100));
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                tokio::select! {
                    status = api.process.wait() => bail!("sam local start-api ended at once ({})", status?),
                    _ = ticks.tick() => {
                        if TcpStream::connect(address).await.is_ok() {
                            return Ok(());
                        }
                    }
                }
            }
        };
        match timeout(LIMIT, listening).await {
            Ok(listening) => listening.context("see .local/logs/sam/start-api.log")?,
            Err(_) => bail!("sam local start-api did not listen within {} s", LIMIT.as_secs()),
        }
        Ok(api)
    }

    /// Takes away what was made. What cannot be taken away is in nobody's way: its name is not used again.
    pub(super) async fn remove(self) {
        let filter = format!("network={}", self.name);
        let left = self.engine.docker(&["ps", "--all", "--quiet", "--filter", &filter]).await;
        for container in left.unwrap_or_default().lines() {
            self.engine.docker(&["rm", "--force", container]).await.ok();
        }
        self.engine.docker(&["network", "rm", &self.name]).await.ok();
        let images = ["images", "--quiet", &self.name];
        for image in self.engine.docker(&images).await.unwrap_or_default().lines() {
            self.engine.docker(&["image", "rm", "--force", image]).await.ok();
        }
        fs::remove_file(self.script()).ok();
    }
}

/// `sam local start-api`, running.
pub(super) struct Api {
    process: Group,
    url: String,
    client: Client,
}

impl Api {
    /// Sends the request that an event tells of; gives the answer in the form that functions have it. `None` when the
    /// event is no request.
    ///
    /// # Errors
    /// When there is no answer.
    pub(super) async fn request(&self, event: &Event) -> Result<Option<Value>> {
        let (http, payload) = (&event.payload["requestContext"]["http"], &event.payload);
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let Some(method) = http["method"].as_str() else { return Ok(None) };
        let (path, query) = (text(&payload["rawPath"]), text(&payload["rawQueryString"]));
        let question = if query.is_empty() { String::new() } else { format!("?{query}") };
        let address = format!("{}{path}{question}", self.url);
        let mut request = self.client.request(Method::from_bytes(method.as_bytes())?, address);
        for (name, value) in payload["headers"].as_object().into_iter().flatten() {
            request = request.header(name, text(value));
        }
        for cookie in payload["cookies"].as_array().into_iter().flatten() {
            request = request.header("cookie", text(cookie));
        }
        let answer = request.timeout(LIMIT).body(text(&payload["body"])).send().await?;
        Ok(Some(told(answer).await?))
    }

    /// Stops it and its containers.
    ///
    /// # Errors
    /// When the operating system does not tell that it is gone.
    pub(super) async fn stop(self) -> Result<()> {
        self.process.end(LIMIT).await
    }
}

/// An HTTP answer as a function gives it to API Gateway.
async fn told(answer: Response) -> Result<Value> {
    let status = answer.status().as_u16();
    let text = |value: &reqwest::header::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let cookies: Vec<String> = answer.headers().get_all("set-cookie").iter().map(text).collect();
    let headers: Map<String, Value> =
        answer.headers().iter().map(|(name, value)| (name.to_string(), json!(text(value)))).collect();
    Ok(json!({ "statusCode": status, "headers": headers, "cookies": cookies, "body": answer.text().await? }))
}
