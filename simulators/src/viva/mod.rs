//! Viva: payments, transactions and webhooks.
