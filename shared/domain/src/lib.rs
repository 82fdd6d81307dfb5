//! Pure decisions: money, orders, payments, posting rules and the effect ledger, without IO.
