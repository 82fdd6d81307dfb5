//! Fortnox: invoices, payments and books.
