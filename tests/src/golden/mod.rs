//! Golden files: orders, what happens to them, and the exact documents that the ledger programs get for them.
//! `tests/golden/README.md` tells how to read and write them.

mod case;
mod diff;
pub mod json;
mod names;
mod play;
mod recorder;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{env, fs};

use bokbro_connectors::kit::Transport;

use case::Case;
use json::Json;
use play::{Outcome, Program, play};

pub use diff::differences;

/// Members that Bokbro fills in; the others are people's.
const OUTCOME: [&str; 4] = ["refused", "sent", "parked", "vouchers"];
/// Between these the README has the table of cases.
const TABLE: [&str; 2] = ["<!-- cases -->\n", "<!-- end of cases -->\n"];

/// A golden file.
pub struct Golden {
    /// Its name without extension, `01-one-rate` say.
    pub name: String,
    /// What it holds.
    pub text: String,
    path: PathBuf,
}

/// A golden file as it should be.
pub struct Played {
    /// The whole file.
    pub text: String,
    /// What the case is about.
    pub about: String,
    /// The documents sent, as text, and why no more were; empty when none was.
    pub documents: String,
}

/// The folder of the golden files.
#[must_use]
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("golden")
}

/// The golden files in the order of their numbers. Nothing else lies beside them but the README, so that no file goes
/// unread for its name.
#[must_use]
pub fn files() -> Vec<Golden> {
    let mut paths: Vec<PathBuf> =
        fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.retain(|path| !path.ends_with("README.md"));
    let unread = paths.iter().find(|path| path.extension().is_none_or(|extension| extension != "json"));
    assert_eq!(unread, None, "nobody reads this file");
    let golden = |path: PathBuf| Golden {
        name: path.file_stem().unwrap().to_string_lossy().into_owned(),
        text: fs::read_to_string(&path).unwrap(),
        path,
    };
    paths.into_iter().map(golden).collect()
}

/// Whether the files are to be written anew rather than compared: `BOKBRO_BLESS=1`, which nobody may ask for where
/// changes are judged.
#[must_use]
#[allow(
    clippy::disallowed_methods,
    reason = "a person who has read the differences says so in the environment"
)]
pub fn bless() -> bool {
    let set = |name: &str| env::var(name).is_ok_and(|value| !value.is_empty() && value != "0");
    assert!(!(set("BOKBRO_BLESS") && set("CI")), "golden files are blessed by people, never in CI");
    set("BOKBRO_BLESS")
}

impl Golden {
    /// Plays the case with both ledger programs.
    pub async fn play(&self, transport: &Transport) -> Played {
        let written = Json::parse(&self.text).unwrap_or_else(|error| panic!("{}: {error}", self.name));
        let Json::Object(mut members) = written else { panic!("{}: not an object", self.name) };
        members.retain(|(name, _)| !OUTCOME.contains(&name.as_str()));
        let input = Json::Object(members.clone()).to_string();
        let case: Case =
            serde_json::from_str(&input).unwrap_or_else(|error| panic!("{}: {error}", self.name));
        let mut codes = String::new();
        let mut found: BTreeMap<&str, Vec<(String, Json)>> = BTreeMap::new();
        for program in Program::ALL {
            match play(&case, program, transport).await {
                Outcome::Refused(refused) => {
                    let Json::Object(refused) = refused else { continue };
                    found.insert("refused", refused);
                }
                Outcome::Taken { sent, parked, vouchers } => {
                    codes.extend(parked.iter().filter_map(|one| one.get("code")?.to_text()));
                    for (name, list) in [("sent", sent), ("parked", parked), ("vouchers", vouchers)] {
                        if !list.is_empty() {
                            let of_program = (program.name().to_owned(), Json::List(list));
                            found.entry(name).or_default().push(of_program);
                        }
                    }
                }
            }
        }
        let documents = found.get("sent").map(|sent| Json::Object(sent.clone()).to_string());
        for name in OUTCOME {
            members.extend(found.remove(name).map(|value| (name.to_owned(), Json::Object(value))));
        }
        let text = Json::Object(members).lay_out();
        // Two cases that differ in the order's number alone are one.
        let number = case.order["order_number"].as_str().unwrap_or_default();
        let documents =
            documents.map(|sent| sent.replace(number, "<order number>") + &codes).unwrap_or_default();
        assert_no_id_is_left(&self.name, &text);
        Played { text, about: case.about, documents }
    }

    /// Writes the file anew.
    pub fn write(&self, text: &str) {
        fs::write(&self.path, text).unwrap();
    }
}

/// Ids of simulators would differ from run to run; each must have a name.
fn assert_no_id_is_left(name: &str, text: &str) {
    let is_id = |word: &&str| {
        word.len() == 36
            && word.chars().all(|c| c == '-' || c.is_ascii_hexdigit())
            && word.matches('-').count() == 4
    };
    let id = text.split(|c: char| c != '-' && !c.is_ascii_alphanumeric()).find(is_id);
    assert_eq!(id, None, "{name}: golden/names.rs must name this id");
}

/// The README with the table of these cases.
#[must_use]
pub fn readme(cases: &[(String, String)]) -> (String, String) {
    let text = fs::read_to_string(folder().join("README.md")).unwrap();
    let (before, rest) = text.split_once(TABLE[0]).unwrap();
    let (_, after) = rest.split_once(TABLE[1]).unwrap();
    let rows = cases.iter().map(|(name, about)| format!("| [{name}]({name}.json) | {about} |\n"));
    let table = format!("| case | what it is about |\n|---|---|\n{}", rows.collect::<String>());
    let fresh = format!("{before}{}{table}{}{after}", TABLE[0], TABLE[1]);
    (text, fresh)
}

/// Writes the README anew.
pub fn write_readme(text: &str) {
    fs::write(folder().join("README.md"), text).unwrap();
}
