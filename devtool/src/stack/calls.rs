//! Counts the functions' AWS calls, by function and operation, as they pass a proxy before the local AWS.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::http::HeaderMap;

/// Calls of one function by operation, `DynamoDB.GetItem` for example.
pub(crate) type ByOperation = BTreeMap<String, u64>;

/// The counters. Clones share them.
#[derive(Clone, Default)]
pub(crate) struct Calls(Arc<Mutex<BTreeMap<String, ByOperation>>>);

impl Calls {
    /// Counts one request by the app name in its user agent and by its target. Requests of anybody but our functions
    /// are not counted.
    pub(crate) fn count(&self, headers: &HeaderMap) {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let app = text("user-agent").split(' ').find_map(|part| part.strip_prefix("app/bokbro-"));
        let Some(function) = app else { return };
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let operation = short(text("x-amz-target"));
        *counted.entry(function.to_owned()).or_default().entry(operation).or_default() += 1;
    }

    /// What was counted so far, by function.
    pub(crate) fn now(&self) -> BTreeMap<String, ByOperation> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Starts over at zero; answers what was counted until now, by function.
    pub(crate) fn take(&self) -> BTreeMap<String, ByOperation> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// `DynamoDB_20120810.GetItem` without its date.
fn short(target: &str) -> String {
    let (service, operation) = target.split_once('.').unwrap_or(("unknown", target));
    let service = service.split('_').next().unwrap_or(service);
    format!("{service}.{operation}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_functions_are_counted() {
        let calls = Calls::default();
        let agent = "aws-sdk-rust/1.6 os/linux lang/rust/1.95 app/bokbro-payments";
        for (agent, target) in [
            (agent, "DynamoDB_20120810.GetItem"),
            (agent, "DynamoDB_20120810.GetItem"),
            (agent, "AmazonSQS.SendMessage"),
            ("aws-sdk-rust/1.6", "DynamoDB_20120810.PutItem"),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert("user-agent", agent.parse().unwrap());
            headers.insert("x-amz-target", target.parse().unwrap());
            calls.count(&headers);
        }
        let expected: ByOperation =
            [("DynamoDB.GetItem".to_owned(), 2), ("AmazonSQS.SendMessage".to_owned(), 1)].into();
        assert_eq!(calls.take(), [("payments".to_owned(), expected)].into());
        assert!(calls.now().is_empty());
    }
}
