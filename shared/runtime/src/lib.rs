//! What every function needs at start: configuration, telemetry, event adapters.
