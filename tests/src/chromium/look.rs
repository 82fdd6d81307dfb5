//! How pages look: sizes of screen, light and dark, what axe-core finds, what scrolls sideways, and pictures of it all.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::Chromium;

/// A picture's largest height in CSS pixels; pages that are longer are cut.
const TALLEST: f64 = 8_000.0;
/// What axe-core checks: levels A and AA of WCAG 2.0 and 2.1.
const RULES: &str = "['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa']";

/// A screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    /// A wide screen in light colors.
    Wide,
    /// The smallest phone that must do, in dark colors.
    Phone,
}

impl View {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Wide, Self::Phone];

    /// Its name, for files and messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Wide => "wide-light",
            Self::Phone => "phone-dark",
        }
    }

    /// Width and height in CSS pixels, and the colors that its owner likes.
    fn screen(self) -> (u32, u32, &'static str) {
        match self {
            Self::Wide => (1280, 800, "light"),
            Self::Phone => (360, 740, "dark"),
        }
    }
}

impl Chromium {
    /// Looks at everything on another screen from now on.
    pub async fn look_as(&self, view: View) {
        let (width, height, colors) = view.screen();
        let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.driver.devtools("Emulation.setDeviceMetricsOverride", metrics).await;
        let features = json!([{ "name": "prefers-color-scheme", "value": colors }]);
        self.driver.devtools("Emulation.setEmulatedMedia", json!({ "features": features })).await;
    }

    /// What is wrong with how the page looks on every screen; keeps pictures under the name.
    pub async fn flaws(&self, name: &str) -> Vec<String> {
        let mut flaws = Vec::new();
        for view in View::ALL {
            self.look_as(view).await;
            let found = self.violations().await.into_iter().chain(self.too_wide().await);
            flaws.extend(found.map(|flaw| format!("{name}, {}: {flaw}", view.name())));
            self.keep_picture(&format!("{name}-{}", view.name())).await;
        }
        self.look_as(View::Wide).await;
        flaws
    }

    /// Fails when something is wrong with how the page looks; keeps pictures under the name.
    pub async fn looks_well(&self, name: &str) {
        let flaws = self.flaws(name).await;
        assert!(flaws.is_empty(), "{}", flaws.join("\n"));
    }

    /// What axe-core finds against the page: rule, element and why, one line each.
    pub async fn violations(&self) -> Vec<String> {
        if self.driver.run("return typeof axe").await != "object" {
            self.driver.run(&std::fs::read_to_string(&self.tools.axe).unwrap()).await;
        }
        let look = format!(
            "return axe.run(document, {{ runOnly: {RULES} }})
               .then(({{ violations, passes }}) => ({{ violations, passed: passes.length }}))"
        );
        let found = self.driver.run(&look).await;
        assert!(found["passed"].as_u64().unwrap() > 0, "axe-core has looked at nothing: {found}");
        let rules = found["violations"].as_array().unwrap();
        let lines = rules.iter().flat_map(|rule| {
            let nodes = rule["nodes"].as_array().unwrap().iter();
            nodes.map(|node| format!("{}: {} {}", rule["id"], node["html"], node["failureSummary"]))
        });
        lines.collect()
    }

    /// What reaches out of the screen sideways: the page as a whole, or an element that no box scrolls.
    pub async fn too_wide(&self) -> Vec<String> {
        let found = self.driver.run(
            "const edge = document.documentElement.clientWidth;
             if (document.documentElement.scrollWidth <= edge) { return []; }
             const reaches = (element) => !element.closest('.scroll') &&
               (element.getBoundingClientRect().right > edge || element.scrollWidth > element.clientWidth);
             const last = [...document.body.querySelectorAll('*')].filter(reaches).slice(-3);
             return [`${document.documentElement.scrollWidth} px on ${edge}: ` +
               last.map((element) => element.outerHTML.slice(0, 120)).join(' ')];",
        );
        let found = found.await;
        found.as_array().unwrap().iter().map(|flaw| flaw.as_str().unwrap().to_owned()).collect()
    }

    /// Keeps a picture of the whole page.
    pub async fn keep_picture(&self, name: &str) {
        let metrics = self.driver.devtools("Page.getLayoutMetrics", json!({})).await;
        let size = &metrics["cssContentSize"];
        let height = size["height"].as_f64().unwrap().min(TALLEST);
        let clip = json!({ "x": 0, "y": 0, "width": size["width"], "height": height, "scale": 1 });
        let wanted = json!({ "captureBeyondViewport": true, "clip": clip });
        let picture = self.driver.devtools("Page.captureScreenshot", wanted).await;
        let Value::String(picture) = &picture["data"] else { panic!("{picture}") };
        std::fs::create_dir_all(&self.tools.screenshots).unwrap();
        let path = self.tools.screenshots.join(format!("{name}.png"));
        std::fs::write(path, STANDARD.decode(picture).unwrap()).unwrap();
    }
}
