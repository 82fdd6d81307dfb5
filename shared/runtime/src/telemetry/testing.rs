//! Lines that a test reads.

use std::io;
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::Layer as _;
use tracing_subscriber::layer::SubscriberExt as _;

use super::{Lines, Speaker, filter_of};

/// What was written so far.
#[derive(Clone, Default)]
pub(crate) struct Written(Arc<Mutex<Vec<u8>>>);

impl io::Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Written {
    /// The lines, as they are written.
    pub(crate) fn lines(&self) -> Vec<String> {
        let bytes = self.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap().lines().map(str::to_owned).collect()
    }

    /// The lines, as they are read.
    pub(crate) fn read(&self) -> Vec<Value> {
        self.lines().iter().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

/// Writes down what this thread says, until the guard is dropped.
pub(crate) fn listen(filter: &str) -> (Written, DefaultGuard) {
    let written = Written::default();
    let writer = written.clone();
    let speaker = Speaker { function: "accounting", stage: "dev".into(), function_version: "7".into() };
    let lines = Lines::new(speaker, move || writer.clone()).with_filter(filter_of(filter));
    (written, tracing::subscriber::set_default(tracing_subscriber::registry().with(lines)))
}
