//! What functions say of themselves: metrics and alarms by name, and the figures of a run.

mod counts;
mod template;
