//! Requests and answers of the connector, held against a script.

use std::sync::Arc;

use super::*;
