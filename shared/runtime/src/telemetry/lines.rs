//! One flat JSON object per line: who speaks, what all spans around say, and what the event itself says.

use std::fmt::Debug;
use std::io::Write as _;

use bokbro_app::ports::Clock as _;
use jiff::Timestamp;
use serde::Serialize;
use serde::ser::{SerializeMap as _, Serializer};
use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::{Context, Layer};
use tracing_subscriber::registry::LookupSpan;

use super::emf::{self, STAGE};
use crate::clock::SystemClock;

/// Who speaks: the same on every line of a process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Speaker {
    /// The function, `accounting` say.
    pub function: &'static str,
    /// The deployment's stage.
    pub stage: String,
    /// The function's version at Lambda, `$LATEST` or a number.
    pub function_version: String,
}

/// Writes every event as a line.
pub struct Lines<W> {
    speaker: Speaker,
    writer: W,
}

impl<W> Lines<W> {
    /// Lines of one speaker to a writer.
    pub fn new(speaker: Speaker, writer: W) -> Self {
        Self { speaker, writer }
    }
}

impl<S, W> Layer<S> for Lines<W>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
    W: for<'writer> MakeWriter<'writer> + 'static,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if let Some(span) = context.span(id) {
            let mut members = Members::default();
            attributes.record(&mut members);
            span.extensions_mut().insert(members);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(members) = span.extensions_mut().get_mut::<Members>()
        {
            values.record(members);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut members = Members::default();
        for span in context.event_scope(event).into_iter().flat_map(|scope| scope.from_root()) {
            if let Some(of_span) = span.extensions().get::<Members>() {
                members.0.extend(of_span.0.clone());
            }
        }
        event.record(&mut members);
        members.0.insert(STAGE.to_owned(), Value::from(self.speaker.stage.as_str()));
        // The machine's time, whatever a test's clock says.
        let at = SystemClock.now();
        let line = Line {
            at,
            level: event.metadata().level().as_str(),
            message: members.0.remove("message"),
            speaker: &self.speaker,
            module: event.metadata().target(),
            metrics: emf::directive(
                at.as_millisecond(),
                members.0.iter().map(|(name, value)| (name.as_str(), value)),
            ),
            members: members.0,
        };
        // One write per line, so that no two lines mix. Where a log cannot be written, nobody can be told of it.
        if let Ok(mut text) = serde_json::to_vec(&line) {
            text.push(b'\n');
            self.writer.make_writer().write_all(&text).ok();
        }
    }
}

/// A line, with what people look for first in front.
struct Line<'a> {
    at: Timestamp,
    level: &'static str,
    message: Option<Value>,
    speaker: &'a Speaker,
    module: &'a str,
    members: Map<String, Value>,
    metrics: Option<Value>,
}

impl Serialize for Line<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("timestamp", &self.at)?;
        map.serialize_entry("level", self.level)?;
        map.serialize_entry("message", &self.message)?;
        map.serialize_entry("function", self.speaker.function)?;
        map.serialize_entry("function_version", &self.speaker.function_version)?;
        map.serialize_entry("version", env!("CARGO_PKG_VERSION"))?;
        for (name, value) in &self.members {
            // Whoever speaks is not talked over: a member twice would be no JSON that everybody reads alike.
            if !OWN.contains(&name.as_str()) {
                map.serialize_entry(name, value)?;
            }
        }
        map.serialize_entry("module", self.module)?;
        if let Some(metrics) = &self.metrics {
            map.serialize_entry("_aws", metrics)?;
        }
        map.end()
    }
}

/// Members that are the line's own.
const OWN: [&str; 8] =
    ["timestamp", "level", "message", "function", "function_version", "version", "module", "_aws"];

/// Fields by name.
#[derive(Default)]
struct Members(Map<String, Value>);

impl Members {
    fn put(&mut self, field: &Field, value: impl Into<Value>) {
        self.0.insert(field.name().to_owned(), value.into());
    }
}

impl Visit for Members {
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value);
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        match i64::try_from(value) {
            Ok(value) => self.put(field, value),
            Err(_) => self.put(field, value.to_string()),
        }
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        match u64::try_from(value) {
            Ok(value) => self.put(field, value),
            Err(_) => self.put(field, value.to_string()),
        }
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.put(field, format!("{value:?}"));
    }
}
