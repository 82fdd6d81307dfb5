//! Somebody with a real browser: headless Chromium, used by what stands on the page, its words and the labels of its fields.

mod driver;
mod look;

use std::time::Duration;

use serde_json::{Value, json};

pub use self::driver::Tools;
use self::driver::{Driver, Refused};
pub use self::look::View;
use crate::stack::{LIMIT, Stack, within};

/// Whether pages may run scripts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scripts {
    /// As browsers come.
    On,
    /// Turned off in the browser's settings.
    Off,
}

impl Scripts {
    /// Both, for stories that must go well with and without.
    pub const BOTH: [Self; 2] = [Self::On, Self::Off];
}

/// Somebody with a browser of their own.
pub struct Chromium {
    driver: Driver,
    tools: Tools,
    base: String,
    scripts: Scripts,
}

impl Chromium {
    /// A new browser; `None` when the environment names none.
    pub async fn open(stack: &Stack, scripts: Scripts) -> Option<Self> {
        let tools = Tools::named()?;
        let driver = Driver::start(&tools, scripts == Scripts::On).await;
        let base = stack.text("/base_url").to_owned();
        let chromium = Self { driver, tools, base, scripts };
        chromium.look_as(View::Wide).await;
        Some(chromium)
    }

    /// A new browser in which somebody has signed in.
    pub async fn signed_in(stack: &Stack, scripts: Scripts, email: &str) -> Option<Self> {
        let chromium = Self::open(stack, scripts).await?;
        chromium.go("/app").await;
        chromium.sign_in(email).await;
        chromium.sees("Overview").await;
        Some(chromium)
    }

    /// Signs in from the page that asks for it, at the stand-in of the sign-in service.
    pub async fn sign_in(&self, email: &str) {
        self.click("Sign in").await;
        self.sees("Who are you?").await;
        self.click(email).await;
    }

    /// Types an address of ours.
    pub async fn go(&self, path: &str) {
        self.visit(&format!("{}{path}", self.base)).await;
    }

    /// Types any address.
    pub async fn visit(&self, url: &str) {
        self.driver.tell("/url", json!({ "url": url })).await.unwrap();
    }

    /// Loads the page again.
    pub async fn reload(&self) {
        self.driver.tell("/refresh", json!({})).await.unwrap();
    }

    /// The address that the browser shows; ours without the origin.
    pub async fn at(&self) -> String {
        let url = self.driver.ask("/url").await.unwrap();
        let url = url.as_str().unwrap();
        url.strip_prefix(&self.base).unwrap_or(url).to_owned()
    }

    /// The title of the page.
    pub async fn title(&self) -> String {
        self.driver.ask("/title").await.unwrap().as_str().unwrap().to_owned()
    }

    /// What the page shows.
    pub async fn text(&self) -> String {
        self.try_text("//body").await.unwrap_or_default()
    }

    /// What the element that an XPath names shows.
    pub async fn text_of(&self, xpath: &str) -> String {
        self.try_text(xpath).await.unwrap()
    }

    /// The language that the page says it is in.
    pub async fn language(&self) -> String {
        self.run("return document.documentElement.lang").await.as_str().unwrap().to_owned()
    }

    /// Runs a script of the test's own, which pages' settings do not forbid, and waits for what it promises.
    pub async fn run(&self, script: &str) -> Value {
        self.driver.run(script).await
    }

    async fn try_text(&self, xpath: &str) -> Result<String, Refused> {
        let element = self.driver.find(xpath).await?;
        self.driver.text(&element).await
    }

    /// Waits until the page shows a text.
    pub async fn sees(&self, text: &str) {
        self.sees_in("//body", text).await;
    }

    /// Waits until a part of the page, named by XPath, shows a text.
    pub async fn sees_in(&self, part: &str, text: &str) {
        let shown = within(LIMIT, async || {
            self.try_text(part).await.is_ok_and(|shown| shown.contains(text)).then_some(())
        });
        if shown.await.is_none() {
            self.fail(&format!("{part} does not show {text:?}")).await;
        }
    }

    /// Waits until the page shows a text: it does so by itself with scripts, and without them by being loaded again.
    pub async fn watches_for(&self, text: &str) {
        let shown = within(LIMIT, async || {
            if self.scripts == Scripts::Off {
                self.reload().await;
            }
            self.text().await.contains(text).then_some(())
        });
        if shown.await.is_none() {
            self.fail(&format!("the page never shows {text:?}")).await;
        }
    }

    /// Fails when the page shows a text.
    pub async fn sees_nothing_of(&self, text: &str) {
        if self.text().await.contains(text) {
            self.fail(&format!("the page shows {text:?}")).await;
        }
    }

    /// Waits until the page does not show a text any more.
    pub async fn no_longer_sees(&self, text: &str) {
        let gone = within(LIMIT, async || {
            self.try_text("//body").await.is_ok_and(|shown| !shown.contains(text)).then_some(())
        });
        if gone.await.is_none() {
            self.fail(&format!("the page still shows {text:?}")).await;
        }
    }

    /// Opens a page again and again until it has an element, named by XPath.
    pub async fn opens_until(&self, path: &str, xpath: &str) {
        let there = within(LIMIT, async || {
            self.go(path).await;
            self.has(xpath).await.then_some(())
        });
        if there.await.is_none() {
            self.fail(&format!("{path} never has {xpath}")).await;
        }
    }

    /// Whether the page has an element, named by XPath.
    pub async fn has(&self, xpath: &str) -> bool {
        self.driver.find(xpath).await.is_ok()
    }

    /// Whether there is a link or a button with these words.
    pub async fn is_offered(&self, words: &str) -> bool {
        self.has(&actor(words)).await
    }

    /// Clicks the link to an address.
    pub async fn follow(&self, path: &str) {
        let xpath = format!("//a[@href={}]", quoted(path));
        self.click_at(&xpath).await;
    }

    /// Clicks the link or button with these words.
    pub async fn click(&self, words: &str) {
        self.click_in("", words).await;
    }

    /// Clicks the link or button with these words in a part of the page, named by XPath.
    pub async fn click_in(&self, part: &str, words: &str) {
        let xpath = format!("{part}{}", actor(words));
        self.click_at(&xpath).await;
    }

    /// Clicks what asks a question first, if scripts run, and answers it.
    pub async fn click_and_answer(&self, words: &str, yes: bool) {
        self.click(words).await;
        if self.scripts == Scripts::On {
            let path = if yes { "/alert/accept" } else { "/alert/dismiss" };
            self.does(&format!("answer {words:?}"), async || {
                self.driver.tell(path, json!({})).await.map(|_| ())
            })
            .await;
        }
    }

    /// Writes into the field with this label.
    pub async fn fill(&self, label: &str, text: &str) {
        self.fill_in("", label, text).await;
    }

    /// Writes into the field with this label in a part of the page, named by XPath.
    pub async fn fill_in(&self, part: &str, label: &str, text: &str) {
        let xpath = labeled(part, label);
        self.does(&format!("fill {label:?}"), async || {
            self.driver.write(&self.driver.find(&xpath).await?, text).await
        })
        .await;
    }

    /// What the field with this label holds.
    pub async fn field(&self, label: &str) -> String {
        let xpath = labeled("", label);
        let script = format!("return document.evaluate({xpath:?}, document, null, 9).singleNodeValue.value");
        self.run(&script).await.as_str().unwrap().to_owned()
    }

    /// Ticks the box with this accessible name.
    pub async fn tick(&self, name: &str) {
        let xpath = format!("//input[@aria-label={}]", quoted(name));
        self.click_at(&xpath).await;
    }

    /// Chooses an option of the list with this label.
    pub async fn choose(&self, label: &str, option: &str) {
        let xpath = format!("{}/option[normalize-space()={}]", labeled("", label), quoted(option));
        self.click_at(&xpath).await;
    }

    /// Clicks the first element that an XPath names.
    pub async fn click_at(&self, xpath: &str) {
        self.does(&format!("click: {xpath}"), async || {
            self.driver.click(&self.driver.find(xpath).await?).await
        })
        .await;
    }

    /// Tries until it can be done: pages take a moment to come, and parts of them are exchanged by themselves.
    async fn does(&self, what: &str, mut deed: impl AsyncFnMut() -> Result<(), Refused>) {
        let done = within(Duration::from_secs(20), async || match deed().await {
            Ok(()) => Some(Ok(())),
            Err(refused) => match refused.error.as_str() {
                "no such element"
                | "stale element reference"
                | "element not interactable"
                | "element click intercepted"
                | "no such alert" => None,
                _ => Some(Err(refused)),
            },
        });
        match done.await {
            Some(Ok(())) => {}
            Some(Err(refused)) => self.fail(&format!("cannot {what}: {refused}")).await,
            None => self.fail(&format!("there is nothing to {what}")).await,
        }
    }

    /// Fails with what the page shows, and keeps a picture of it.
    async fn fail(&self, why: &str) -> ! {
        let (at, text) = (self.at().await, self.text().await);
        let name = format!("failed-{}", uuid::Uuid::new_v4().simple());
        self.keep_picture(&name).await;
        panic!("{why} at {at}; {name}.png shows it:\n{text}")
    }
}

/// The XPath of the link, button or summary with these words, or with this accessible name.
fn actor(words: &str) -> String {
    let words = quoted(words);
    format!("//*[self::a or self::button or self::summary][normalize-space()={words} or @aria-label={words}]")
}

/// The XPath of the field with this label.
fn labeled(part: &str, label: &str) -> String {
    format!("{part}//*[@id=//label[normalize-space()={}]/@for]", quoted(label))
}

/// A text in an XPath, which knows no way to write a quotation mark of the kind around it.
fn quoted(text: &str) -> String {
    assert!(!text.contains('"'), "{text}");
    format!("\"{text}\"")
}
