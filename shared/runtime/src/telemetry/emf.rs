//! CloudWatch's embedded metric format: a member `_aws` in a log line says which other members are metrics.
//!
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>

use bokbro_app::metrics::{Metric, metric_of};
use serde_json::{Value, json};

/// All metrics of every deployment; the dimension [`STAGE`] tells deployments of one account apart.
pub(crate) const NAMESPACE: &str = "Bokbro";
/// The member that every metric is told apart by.
pub(crate) const STAGE: &str = "stage";

/// The member `_aws` for a line with these members; none when no metric is among them. Each metric is published as the
/// sum over everything, and by the values of the field that it is told apart by, if that is on the line.
pub(super) fn directive<'a>(
    timestamp_ms: i64,
    members: impl Iterator<Item = (&'a str, &'a Value)> + Clone,
) -> Option<Value> {
    let metrics =
        members.clone().filter(|(_, value)| value.is_number()).filter_map(|(name, _)| metric_of(name));
    let directives: Vec<Value> = metrics
        .map(|Metric { name, unit, by }| {
            let by = by.filter(|by| members.clone().any(|(name, value)| name == *by && value.is_string()));
            let sets: Vec<Vec<&str>> =
                [Some(vec![STAGE]), by.map(|by| vec![STAGE, by])].into_iter().flatten().collect();
            let metrics = [json!({ "Name": name, "Unit": unit.as_str() })];
            json!({ "Namespace": NAMESPACE, "Dimensions": sets, "Metrics": metrics })
        })
        .collect();
    (!directives.is_empty()).then(|| json!({ "Timestamp": timestamp_ms, "CloudWatchMetrics": directives }))
}
