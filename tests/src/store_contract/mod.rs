//! What every store must keep: each promise is a function over the ports, so that the store in memory, which the other
//! tests trust, and the one over DynamoDB are held to the same.
//!
//! A promise that is broken panics.

mod counters;
mod days;
mod directory;
mod keyring;
mod ledgers;
mod limits;
mod mappings;
mod nonces;
mod open_work;
mod orders;
mod parking;
mod races;
mod samples;
mod warehouse;

pub use bokbro_app::ports::Store;

pub use counters::what_many_count_adds_up;
pub use days::{
    a_batch_s_trouble_is_parked_once, a_batch_that_was_taken_takes_no_more,
    an_entry_joins_with_its_order_s_ledger, batches_are_listed_until_they_are_dropped,
    joining_races_against_closing,
};
pub use directory::{
    a_delivery_keeps_its_first_outcome_until_it_expires, connections_of_all_tenants_are_listed_in_pages,
    records_read_back_and_tenants_are_apart, secrets_read_back_by_name,
};
pub use keyring::{a_key_counts_until_it_is_revoked, a_session_ends_for_good};
pub use ledgers::{
    a_ledger_is_empty_until_it_is_written, a_ledger_s_write_takes_everything_with_it,
    a_stale_owner_writes_nothing_at_all, a_worker_s_writes_never_touch_the_other_s,
};
pub use limits::{a_limiter_is_written_by_who_knows_what_is_stored, no_slot_is_given_twice};
pub use mappings::{
    a_register_s_entries_read_back_in_any_number, an_order_is_found_by_its_invoices_once_it_is_done,
};
pub use nonces::a_nonce_is_taken_once;
pub use open_work::{
    a_write_that_fails_lists_nothing, an_order_is_listed_under_what_it_waits_for,
    open_work_is_read_oldest_first, open_work_of_a_time_is_read_alone,
};
pub use orders::{
    a_key_that_has_expired_is_free, a_list_goes_on_where_it_stopped, a_taken_value_names_its_field,
    a_timeline_is_read_oldest_first, a_transaction_belongs_to_one_order, an_order_is_found_by_every_look_up,
    an_update_is_whole_or_not_at_all, the_same_key_gives_the_same_order,
};
pub use parking::{
    a_history_is_added_to_without_the_order, closed_trouble_may_be_parked_again,
    the_same_trouble_is_parked_once, trouble_in_a_ledger_s_write_is_parked_once,
    unlinked_trouble_may_be_parked_beside,
};
pub use races::{
    one_key_makes_one_order, one_order_number_is_taken_once, one_trouble_is_parked_once,
    one_update_per_version_wins, one_worker_takes_the_lease,
};

pub use warehouse::{
    a_cursor_is_where_it_was_put, a_turn_is_one_owner_s_at_a_time, stock_is_listed_by_unit_and_replaced,
};

/// How many act at once in the promises about races.
const WRITERS: u32 = 32;
