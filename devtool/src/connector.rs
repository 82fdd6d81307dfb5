//! A new connector: its files from templates, its lines in the crate and in the registry.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

#[cfg(test)]
mod tests;

/// The files of the crate that get lines.
pub(crate) const TOUCHED: [&str; 2] = [LIB, REGISTRY];
const LIB: &str = "src/lib.rs";
const REGISTRY: &str = "src/registry.rs";

/// Modules of the crate that are no provider, and words that cannot name a module.
const TAKEN: [&str; 12] =
    ["kit", "registry", "tests", "crate", "self", "super", "async", "await", "dyn", "enum", "impl", "static"];

/// What a provider is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Kind {
    /// A ledger program
    Accounting,
    /// A warehouse program
    Warehouse,
}

macro_rules! template {
    ($folder:literal, $file:literal) => {
        ($file, include_str!(concat!("../templates/connector/", $folder, "/", $file, ".template")))
    };
}

/// Files that every kind has.
const COMMON: [(&str, &str); 3] =
    [template!("common", "api.rs"), template!("common", "auth.rs"), template!("common", "errors.rs")];
const ACCOUNTING: [(&str, &str); 8] = [
    template!("accounting", "README.md"),
    template!("accounting", "effects.rs"),
    template!("accounting", "map.rs"),
    template!("accounting", "mod.rs"),
    template!("accounting", "requests.rs"),
    template!("accounting", "tests.rs"),
    template!("accounting", "wire.rs"),
    template!("accounting", "fixtures/invoice.json"),
];
const WAREHOUSE: [(&str, &str); 8] = [
    template!("warehouse", "README.md"),
    template!("warehouse", "effects.rs"),
    template!("warehouse", "map.rs"),
    template!("warehouse", "mod.rs"),
    template!("warehouse", "requests.rs"),
    template!("warehouse", "tests.rs"),
    template!("warehouse", "wire.rs"),
    template!("warehouse", "fixtures/order.json"),
];

impl Kind {
    fn files(self) -> impl Iterator<Item = (&'static str, &'static str)> {
        let own = match self {
            Self::Accounting => ACCOUNTING,
            Self::Warehouse => WAREHOUSE,
        };
        COMMON.into_iter().chain(own)
    }

    /// The capability's line in the registry.
    fn capability(self) -> &'static str {
        match self {
            Self::Accounting => "accounting: Some(it.clone()),",
            Self::Warehouse => "shipping: Some(Shipping::Ours(it.clone())),",
        }
    }
}

/// A connector that is to be made.
pub(crate) struct Connector {
    name: String,
    kind: Kind,
}

impl Connector {
    /// A connector with a name that can stand in settings, in keys and before `::`.
    ///
    /// # Errors
    /// What is wrong with the name.
    pub(crate) fn new(name: &str, kind: Kind) -> Result<Self> {
        let letters = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        ensure!(
            letters && (2..=20).contains(&name.len()) && name.starts_with(|c: char| c.is_ascii_lowercase()),
            "{name:?} is no name for a connector: take 2 to 20 of a-z, 0-9 and _, a letter first"
        );
        ensure!(
            !name.ends_with('_') && !name.contains("__"),
            "{name:?} is no name for a connector: _ stands between two words"
        );
        ensure!(
            !TAKEN.contains(&name),
            "{name:?} means something else in Rust or in the crate; take another name"
        );
        Ok(Self { name: name.to_owned(), kind })
    }

    /// The provider's name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The name as a type: `acme_books` is `AcmeBooks`.
    fn type_name(&self) -> String {
        let words = self.name.split('_').map(|word| {
            let (first, rest) = word.split_at(1);
            first.to_uppercase() + rest
        });
        words.collect()
    }

    /// Writes the folder and the lines into the crate at a path; gives what was written, as paths from there.
    ///
    /// # Errors
    /// When the folder or the name is there already, or when the crate has another shape than expected. Then nothing is
    /// written.
    pub(crate) fn write_into(&self, home: &Path) -> Result<Vec<PathBuf>> {
        let folder = Path::new("src").join(&self.name);
        if home.join(&folder).exists() {
            bail!("{} is there already", folder.display());
        }
        let read =
            |path: &str| fs::read_to_string(home.join(path)).with_context(|| format!("cannot read {path}"));
        let mut files = vec![
            (PathBuf::from(LIB), self.into_lib(&read(LIB)?)?),
            (PathBuf::from(REGISTRY), self.into_registry(&read(REGISTRY)?)?),
        ];
        files.extend(self.kind.files().map(|(file, template)| (folder.join(file), self.filled(template))));
        files.sort();
        fs::create_dir_all(home.join(&folder).join("fixtures"))?;
        for (path, text) in &files {
            fs::write(home.join(path), text).with_context(|| format!("cannot write {}", path.display()))?;
        }
        Ok(files.into_iter().map(|(path, _)| path).collect())
    }

    fn filled(&self, template: &str) -> String {
        let text = template.replace("__name__", &self.name).replace("__Name__", &self.type_name());
        text.replace("__NAME__", &self.name.to_uppercase())
    }

    /// The crate's list of modules with the new one in its place.
    fn into_lib(&self, text: &str) -> Result<String> {
        let line = format!("pub mod {};", self.name);
        ensure!(!text.lines().any(|other| other == line), "{LIB} has a module {} already", self.name);
        let mut lines: Vec<&str> = text.lines().collect();
        let is_module = |other: &&str| other.starts_with("pub mod ");
        let last = lines.iter().rposition(is_module).with_context(|| format!("{LIB} lists no modules"))?;
        let behind = lines.iter().position(|other| is_module(other) && **other > *line);
        lines.insert(behind.unwrap_or(last + 1), &line);
        Ok(lines.join("\n") + "\n")
    }

    fn into_registry(&self, text: &str) -> Result<String> {
        let capability = self.kind.capability();
        let inserts = [
            ("use crate::external;\n", "use crate::__name__::{self, __Name__, __Name__Urls};\n"),
            ("pub struct Urls {\n", "    /// __Name__'s hosts.\n    pub __name__: __Name__Urls,\n"),
            ("let hosts = [\n", "            (\"BOKBRO___NAME___API_URL\", &mut urls.__name__.api),\n"),
            (
                "let known = vec![\n",
                "            __name__(Arc::new(__Name__::new(urls.__name__, wire.clone(), clock.clone()))),\n",
            ),
        ];
        let mut text = text.to_owned();
        for (anchor, line) in inserts {
            text = inserted(&text, anchor, &(anchor.to_owned() + &self.filled(line)))?;
        }
        let function = format!(
            "fn __name__(it: Arc<__Name__>) -> Capabilities {{\n    Capabilities {{\n        name: __name__::NAME,\n        \
             {capability}\n        tokens: Some(it.clone()),\n        checkup: Some(it),\n        entry_fields: \
             __name__::ENTRY_FIELDS,\n        ..Capabilities::default()\n    }}\n}}\n\n"
        );
        let anchor = "impl Providers for Registry {\n";
        inserted(&text, anchor, &(self.filled(&function) + anchor))
    }
}

/// The text with the one place of an anchor replaced.
fn inserted(text: &str, anchor: &str, with: &str) -> Result<String> {
    let places = text.matches(anchor).count();
    ensure!(
        places == 1,
        "{REGISTRY} has {:?} {places} times instead of once; see devtool/src/connector.rs",
        anchor.trim()
    );
    Ok(text.replacen(anchor, with, 1))
}
