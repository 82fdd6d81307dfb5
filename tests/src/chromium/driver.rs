//! The few commands of WebDriver (W3C) that the tests need, spoken to a chromedriver of their own.

use std::io::{BufRead, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use reqwest::{Client, Method};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

/// Path of the file that says where the browser is.
const BROWSER: &str = "BOKBRO_TEST_BROWSER";
/// The member that an element's id stands under, by the standard.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";
/// What Chromium is told, with why.
const ARGUMENTS: [&str; 11] = [
    // Nobody looks, and machines for tests have neither a screen nor a graphics card.
    "--headless",
    "--disable-gpu",
    // As on a phone, where they lie over the page and take no room.
    "--hide-scrollbars",
    // Root, which containers and CI are, cannot have the sandbox; all that is opened is ours.
    "--no-sandbox",
    // Containers give shared memory of a few megabytes, which big pages overflow.
    "--disable-dev-shm-usage",
    // Nothing leaves the machine: no updates, no account, no first steps, no protocol that passes a proxy by.
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--no-first-run",
    // Pages that say nothing else are in English.
    "--accept-lang=en",
];

/// Where the browser is and what goes with it, as `cargo dev test` found it.
#[derive(Debug, Clone, Deserialize)]
pub struct Tools {
    /// Chromium.
    pub chromium: PathBuf,
    /// The chromedriver of the same release.
    pub chromedriver: PathBuf,
    /// axe-core, one script.
    pub axe: PathBuf,
    /// The folder for pictures.
    pub screenshots: PathBuf,
}

impl Tools {
    /// What the environment names; `None`, and a line that says so, when it names nothing.
    pub fn named() -> Option<Self> {
        #[expect(clippy::disallowed_methods, reason = "tests take the browser's place from the environment")]
        let path = std::env::var_os(BROWSER).filter(|path| !path.is_empty());
        let Some(path) = path else {
            #[expect(clippy::print_stderr, reason = "a skipped test must say so")]
            {
                eprintln!("SKIPPED: {BROWSER} is not set, so nothing was tested in a browser");
            }
            return None;
        };
        Some(serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap())
    }
}

/// Why a command was refused.
#[derive(Debug, Deserialize, thiserror::Error)]
#[error("{error}: {message}")]
pub(super) struct Refused {
    /// The standard's word for it, `no such element` for example.
    pub(super) error: String,
    /// What the driver says.
    pub(super) message: String,
}

/// An element that was found.
pub(super) struct Element(String);

/// A driver with one browser, which has an empty profile of its own. Both are gone when it is dropped.
pub(super) struct Driver {
    process: Child,
    // Held open, because the driver would stop at a closed pipe.
    _told: BufReader<ChildStdout>,
    port: u16,
    session: String,
    profile: PathBuf,
    client: Client,
}

impl Driver {
    /// Starts driver and browser; pages run scripts, or not, for as long as it lives.
    pub(super) async fn start(tools: &Tools, scripts: bool) -> Self {
        let (process, told, port) = listening(tools);
        let profile = std::env::temp_dir().join(format!("bokbro-browser-{}", Uuid::new_v4().simple()));
        let client = bokbro_simulators::kit::http_client();
        let mut driver = Self { process, _told: told, port, session: String::new(), profile, client };

        let mut arguments = vec![format!("--user-data-dir={}", driver.profile.display())];
        arguments.extend(ARGUMENTS.map(str::to_owned));
        let scripts = if scripts { 1 } else { 2 };
        let wanted = json!({ "capabilities": { "alwaysMatch": {
            "browserName": "chrome",
            // Left open, so that whoever expects a question can answer it.
            "unhandledPromptBehavior": "ignore",
            "goog:chromeOptions": {
                "binary": tools.chromium,
                "args": arguments,
                "prefs": { "profile.default_content_setting_values.javascript": scripts },
            },
        }}});
        let begun = driver.call(Method::POST, "/session", &wanted).await.unwrap();
        driver.session = begun["sessionId"].as_str().unwrap().to_owned();
        driver
    }

    /// A command of the session without parameters.
    pub(super) async fn ask(&self, path: &str) -> Result<Value, Refused> {
        self.call(Method::GET, &format!("/session/{}{path}", self.session), &Value::Null).await
    }

    /// A command of the session with parameters.
    pub(super) async fn tell(&self, path: &str, parameters: Value) -> Result<Value, Refused> {
        self.call(Method::POST, &format!("/session/{}{path}", self.session), &parameters).await
    }

    /// A command of the Chrome DevTools Protocol.
    pub(super) async fn devtools(&self, command: &str, parameters: Value) -> Value {
        let body = json!({ "cmd": command, "params": parameters });
        self.tell("/goog/cdp/execute", body).await.unwrap()
    }

    /// Runs a script in the page and waits for what it promises.
    pub(super) async fn run(&self, script: &str) -> Value {
        self.tell("/execute/sync", json!({ "script": script, "args": [] })).await.unwrap()
    }

    /// The first element that an XPath names.
    pub(super) async fn find(&self, xpath: &str) -> Result<Element, Refused> {
        let found = self.tell("/element", json!({ "using": "xpath", "value": xpath })).await?;
        Ok(Element(found[ELEMENT].as_str().unwrap().to_owned()))
    }

    /// The text of an element as the page shows it.
    pub(super) async fn text(&self, element: &Element) -> Result<String, Refused> {
        Ok(self.ask(&format!("/element/{}/text", element.0)).await?.as_str().unwrap_or_default().to_owned())
    }

    /// Clicks an element.
    pub(super) async fn click(&self, element: &Element) -> Result<(), Refused> {
        self.tell(&format!("/element/{}/click", element.0), json!({})).await.map(|_| ())
    }

    /// Has a field hold a text and nothing else.
    pub(super) async fn write(&self, element: &Element, text: &str) -> Result<(), Refused> {
        self.tell(&format!("/element/{}/clear", element.0), json!({})).await?;
        self.tell(&format!("/element/{}/value", element.0), json!({ "text": text })).await.map(|_| ())
    }

    async fn call(&self, method: Method, path: &str, body: &Value) -> Result<Value, Refused> {
        let mut request = self.client.request(method, format!("http://127.0.0.1:{}{path}", self.port));
        if !body.is_null() {
            request = request.json(body);
        }
        let answer = request.send().await.unwrap();
        let went_well = answer.status().is_success();
        let value = answer.json::<Value>().await.unwrap()["value"].take();
        if went_well { Ok(value) } else { Err(serde_json::from_value(value).unwrap()) }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // A failed test gets here too, outside of async code. The driver ends its browser before it ends itself.
        if let Ok(mut stream) = TcpStream::connect(("127.0.0.1", self.port)) {
            stream.set_read_timeout(Some(Duration::from_secs(10))).ok();
            let asked =
                stream.write_all(b"GET /shutdown HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n");
            if asked.is_ok() {
                stream.read_to_end(&mut Vec::new()).ok();
            }
        }
        self.process.kill().ok();
        self.process.wait().ok();
        std::fs::remove_dir_all(&self.profile).ok();
    }
}

/// A driver that has a port and what it tells from then on.
///
/// It chooses a port that is free for IPv6 and ends when IPv4 has that number in use, which among a test run's thousands of
/// connections happens. Then another one chooses again.
fn listening(tools: &Tools) -> (Child, BufReader<ChildStdout>, u16) {
    let mut said = String::new();
    for _ in 0..10 {
        let mut command = Command::new(&tools.chromedriver);
        command.arg("--port=0").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = command.spawn().unwrap();
        let mut told = BufReader::new(process.stdout.take().unwrap());
        said.clear();
        while told.read_line(&mut said).unwrap() > 0 {
            if let Some(port) = port(&said) {
                return (process, told, port);
            }
        }
        process.wait().unwrap();
        assert!(said.contains("port not available"), "the driver does not start: {said}");
    }
    panic!("the driver finds no port: {said}")
}

/// The port in what the driver says when it is ready.
fn port(said: &str) -> Option<u16> {
    let (_, rest) = said.split_once("started successfully on port ")?;
    rest.trim_end().trim_end_matches('.').parse().ok()
}
