//! Which calls of AWS a function's code can make, read from the sources.
//!
//! First, what each method of a storage port does at AWS, from the adapters in `shared/aws`. Second, which of these methods
//! can be reached from a function's own sources: through functions by their names, and through types, all of whose methods
//! count as soon as the type is mentioned. That is more than is ever called, and never less: a method call is only missed
//! where neither its type nor its trait is named on the way, and then the stack's tests, which hold every function to its
//! role, fail on it.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

use regex::Regex;

use crate::tidy::files;

/// Types that everything mentions: they are made of all ports, or lead to all messages, and say nothing of who uses which.
const WIRING: [&str; 4] = ["App", "Platform", "Error", "UseCases"];
/// Sources that put things together, or stand in for AWS.
const APART: [&str; 6] =
    ["tests", "/memory/", "/contract/", "canned.rs", "samples.rs", "runtime/src/platform.rs"];
/// Writes of `shared/aws/src/hub/transaction.rs`, which a role is asked for one by one.
const WRITES: [(&str, &str); 6] = [
    ("put", "PutItem"),
    ("put_if", "PutItem"),
    ("put_if_on", "PutItem"),
    ("change", "UpdateItem"),
    ("count", "UpdateItem"),
    ("delete", "DeleteItem"),
];

/// A function, or all methods of a type in one place.
struct Piece {
    file: String,
    text: String,
    step: OnceCell<Step>,
}

/// The IAM actions that a piece calls by itself, and the pieces that it leads to.
#[derive(Clone, Default)]
struct Step {
    actions: BTreeSet<String>,
    next: BTreeSet<usize>,
}

impl Piece {
    fn new(file: &str, text: &str) -> Self {
        Self { file: file.to_owned(), text: text.to_owned(), step: OnceCell::new() }
    }

    /// Folder under `functions/`: their names are their own.
    fn function(&self) -> Option<&str> {
        self.file.strip_prefix("functions/")?.split('/').next()
    }

    fn module(&self) -> &str {
        let path = self.file.trim_end_matches(".rs").trim_end_matches("/mod");
        path.rsplit('/').next().unwrap()
    }
}

/// The sources, as far as calls of AWS are concerned.
pub(super) struct Sources {
    pieces: Vec<Piece>,
    functions: BTreeMap<String, Vec<usize>>,
    types: BTreeMap<String, Vec<usize>>,
    traits: BTreeMap<String, BTreeSet<String>>,
    /// Types behind the fields of the struct `App` that are no ports.
    fields: BTreeMap<String, String>,
    /// Methods of ports, with the IAM actions behind them.
    ports: BTreeMap<String, BTreeSet<String>>,
    words: Words,
}

struct Words {
    path: Regex,
    method: Regex,
    kind: Regex,
    field: Regex,
}

fn regex(pattern: &str) -> Regex {
    Regex::new(pattern).unwrap()
}

fn sources(folders: &[&str]) -> Vec<(String, String)> {
    let comments = regex("(?m)//.*$");
    let wanted = |name: &String| {
        folders.iter().any(|folder| name.starts_with(folder))
            && !APART.iter().any(|apart| name.contains(apart))
    };
    let read = |(name, text): (String, String)| {
        let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        (name, comments.replace_all(code, "").into_owned())
    };
    files("rs").into_iter().filter(|(name, _)| wanted(name)).map(read).collect()
}

/// What stands at a depth of indentation, from its first line to its closing brace: rustfmt sees to that.
fn blocks<'a>(text: &'a str, opening: &Regex, depth: &str) -> Vec<(String, &'a str)> {
    let closing = [format!("\n{depth}}}\n"), format!("\n{depth}}}")];
    let found = opening.captures_iter(text).map(|captures| {
        let all = captures.get(0).unwrap();
        let (line, rest) = text[all.start()..].split_once('\n').unwrap_or((&text[all.start()..], ""));
        let one_line = line.ends_with('}') || line.ends_with(';');
        let end = if one_line {
            line.len()
        } else {
            let ends = closing.iter().filter_map(|closing| text[all.start()..].find(closing.as_str()));
            ends.min().unwrap_or(line.len() + rest.len())
        };
        (captures["name"].to_owned(), &text[all.start()..all.start() + end])
    });
    found.collect()
}

impl Sources {
    pub(super) fn read() -> Self {
        let words = Words {
            path: regex(r"(?:(\w+)::)?\b([a-z_][a-z_0-9]*)\b"),
            method: regex(r"\.\s*([a-z_]+)\("),
            kind: regex(r"(?:\b([A-Z]\w*)::)?\b([A-Z]\w+)\b"),
            field: regex(r"\b(?:app|platform)\.(\w+)"),
        };
        let function = regex(r"(?m)^(?:pub(?:\([a-z ]+\))? )?(?:const )?(?:async )?fn (?P<name>\w+)");
        let methods = regex(r"(?m)^impl(?:<[^>]*>)? (?:(?P<trait>\w+)(?:<[^>]*>)? for )?(?P<name>\w+)");
        let mut found = Self {
            pieces: Vec::new(),
            functions: BTreeMap::new(),
            types: BTreeMap::new(),
            traits: BTreeMap::new(),
            fields: BTreeMap::new(),
            ports: ports(),
            words,
        };
        let folders = ["shared/app/src", "shared/runtime/src", "shared/connectors/src/signin", "functions/"];
        for (file, text) in sources(&folders) {
            for (name, text) in blocks(&text, &function, "") {
                found.functions.entry(name).or_default().push(found.pieces.len());
                found.pieces.push(Piece::new(&file, text));
            }
            for (name, text) in blocks(&text, &methods, "") {
                if let Some(of) = methods.captures(text).and_then(|captures| captures.name("trait")) {
                    found.traits.entry(of.as_str().to_owned()).or_default().insert(name.clone());
                }
                found.types.entry(name).or_default().push(found.pieces.len());
                found.pieces.push(Piece::new(&file, text));
            }
            if file == "shared/app/src/app.rs" {
                let fields = regex(r"pub (\w+): Arc<(\w+)>");
                found.fields.extend(
                    fields.captures_iter(&text).map(|field| (field[1].to_owned(), field[2].to_owned())),
                );
            }
        }
        // The one port that is no storage and whose adapter asks for secrets.
        found.fields.insert("sign_in".to_owned(), "Oidc".to_owned());
        assert!(found.ports.len() > 60 && found.pieces.len() > 500, "the sources are not read any more");
        found
    }

    /// IAM actions of a function that is all its folder holds.
    pub(super) fn of_program(&self, folder: &str) -> BTreeSet<String> {
        let own = self.pieces.iter().filter(|piece| piece.function() == Some(folder));
        self.reach(own.map(|piece| (piece, piece.text.replace("batch_handle", ""))).collect())
    }

    /// IAM actions of the worker of a queue: what is done with messages of that queue, and with those of every queue.
    pub(super) fn of_worker(&self, queue: &str) -> BTreeSet<String> {
        let handler = &self.pieces[self.functions["message_handle"][0]];
        let arms =
            handler.text.split("\n        (").filter(|arm| arm.starts_with(&format!("QueueName::{queue}, ")));
        let arms: String = arms.collect();
        assert!(arms.contains("Nudge::"), "no messages are handled of the queue {queue}");
        let adapter = self.pieces.iter().filter(|piece| piece.file == "shared/runtime/src/sqs.rs");
        let mut start: Vec<_> =
            adapter.map(|piece| (piece, piece.text.replace("message_handle", ""))).collect();
        start.push((handler, arms));
        self.reach(start)
    }

    fn reach(&self, start: Vec<(&Piece, String)>) -> BTreeSet<String> {
        let mut reached = Step::default();
        for (piece, text) in &start {
            let step = self.follow(piece, text);
            reached.actions.extend(step.actions);
            reached.next.extend(step.next);
        }
        let mut seen = BTreeSet::new();
        while let Some(index) = reached.next.pop_first() {
            if seen.insert(index) {
                let piece = &self.pieces[index];
                let step = piece.step.get_or_init(|| self.follow(piece, &piece.text)).clone();
                reached.actions.extend(step.actions);
                reached.next.extend(step.next);
            }
        }
        reached.actions
    }

    /// What a piece, of which `text` is looked at, calls by itself and where it leads to.
    fn follow(&self, from: &Piece, text: &str) -> Step {
        let Step { mut actions, mut next } = Step::default();
        for method in self.words.method.captures_iter(text) {
            actions.extend(self.ports.get(&method[1]).into_iter().flatten().cloned());
        }
        let visible = |index: &usize| {
            let to = self.pieces[*index].function();
            to.is_none() || to == from.function()
        };
        for name in self.words.path.captures_iter(text) {
            let module = name.get(1).map(|module| module.as_str());
            let leads = |index: &&usize| {
                let to = &self.pieces[**index];
                let named = module.is_some_and(|module| {
                    module == to.module() || ["super", "self", "crate"].contains(&module)
                });
                to.file == from.file || named || (module.is_none() && name[2].contains('_'))
            };
            let known = self.functions.get(&name[2]).into_iter().flatten();
            next.extend(known.filter(|index| visible(index)).filter(leads));
        }
        let mut kinds = BTreeSet::new();
        for kind in self.words.kind.captures_iter(text) {
            // Of `Type::Variant` and `Type::NAME` the type counts.
            kinds.insert(kind.get(1).unwrap_or_else(|| kind.get(2).unwrap()).as_str());
        }
        let fields = self.words.field.captures_iter(text).filter_map(|field| self.fields.get(&field[1]));
        kinds.extend(fields.map(String::as_str));
        for kind in kinds.iter().filter(|kind| !WIRING.contains(kind)) {
            let behind = self.traits.get(*kind).into_iter().flatten().filter(|_| !EVERYWHERE.contains(kind));
            for name in behind.map(String::as_str).chain([*kind]) {
                next.extend(self.types.get(name).into_iter().flatten().filter(|index| visible(index)));
            }
        }
        Step { actions, next }
    }
}

/// Traits whose name says nothing of who is behind it.
const EVERYWHERE: [&str; 8] =
    ["From", "Display", "Debug", "Default", "TryFrom", "Worker", "CrashPoints", "Clock"];

/// Methods of ports, with the IAM actions of the calls behind them.
fn ports() -> BTreeMap<String, BTreeSet<String>> {
    let method = regex(r"(?m)^ *(?:pub(?:\([a-z]+\))? )?(?:async )?fn (?P<name>\w+)");
    let mut adapters: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (_, text) in sources(&["shared/aws/src"]) {
        for depth in ["", "    "] {
            let at_depth = regex(&method.as_str().replace("^ *", &format!("^{depth}")));
            for (name, body) in blocks(&text, &at_depth, depth) {
                adapters.entry(name).or_default().push(body.to_owned());
            }
        }
    }
    let calls = Calls::new();
    let ports = sources(&["shared/app/src/ports"]).into_iter().flat_map(|(_, text)| {
        let declared = regex(r"async fn (\w+)");
        declared.captures_iter(&text).map(|name| name[1].to_owned()).collect::<Vec<_>>()
    });
    let known = ports.filter(|name| adapters.contains_key(name));
    known.map(|name| (name.clone(), calls.behind(&name, &adapters, &mut BTreeSet::new()))).collect()
}

/// How calls of AWS, and of each other, look in the adapters.
struct Calls {
    sdk: Regex,
    write: Regex,
    helper: Regex,
}

impl Calls {
    fn new() -> Self {
        Self {
            sdk: regex(r"client\s*\.([a-z_]+)\(\)"),
            write: regex(r"writes\.([a-z_]+)\("),
            helper: regex(r"(?:self\.|super::|[a-z]+::|[\s(!])([a-z_]+)\("),
        }
    }

    fn behind(
        &self,
        name: &str,
        adapters: &BTreeMap<String, Vec<String>>,
        seen: &mut BTreeSet<String>,
    ) -> BTreeSet<String> {
        let mut actions = BTreeSet::new();
        if !seen.insert(name.to_owned()) {
            return actions;
        }
        for body in adapters.get(name).into_iter().flatten() {
            let sdk = self.sdk.captures_iter(body).filter(|call| &call[1] != "transact_write_items");
            actions.extend(sdk.map(|call| action(&call[1])));
            for write in self.write.captures_iter(body) {
                let known = WRITES.iter().find(|(method, _)| *method == &write[1]);
                actions.extend(known.map(|(_, action)| format!("dynamodb:{action}")));
            }
            for helper in self.helper.captures_iter(body) {
                actions.extend(self.behind(&helper[1], adapters, seen));
            }
        }
        actions
    }
}

/// The IAM action of an SDK method. SQS asks for batches what it asks for one.
fn action(method: &str) -> String {
    let service = match method {
        _ if method.contains("secret") => "secretsmanager",
        _ if method.contains("item") || method == "query" => "dynamodb",
        _ => "sqs",
    };
    let method = if service == "sqs" { method.trim_end_matches("_batch") } else { method };
    let words = method.split('_').map(|word| format!("{}{}", word[..1].to_uppercase(), &word[1..]));
    format!("{service}:{}", words.collect::<String>())
}
