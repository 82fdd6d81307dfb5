//! All of the table's ports in one.

use super::{
    Audits, Counters, Cursors, Days, Directory, Endpoints, Inbox, Jobs, Keyring, Ledgers, Limits, Mappings,
    Nonces, OpenWork, Orders, Parking, Stocks, TokenStates, Turns,
};

/// Everything that the table keeps, behind one adapter.
pub trait Store:
    Orders
    + OpenWork
    + Ledgers
    + Parking
    + Inbox
    + Nonces
    + Jobs
    + Audits
    + Counters
    + Directory
    + Endpoints
    + Keyring
    + TokenStates
    + Limits
    + Turns
    + Cursors
    + Stocks
    + Days
    + Mappings
{
}

impl<T> Store for T where
    T: Orders
        + OpenWork
        + Ledgers
        + Parking
        + Inbox
        + Nonces
        + Jobs
        + Audits
        + Counters
        + Directory
        + Endpoints
        + Keyring
        + TokenStates
        + Limits
        + Turns
        + Cursors
        + Stocks
        + Days
        + Mappings
{
}
