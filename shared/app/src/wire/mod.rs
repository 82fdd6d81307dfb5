//! The HTTP contract's JSON, read and written apart from the domain's types.

pub mod fields;
pub mod order_in;
pub mod order_out;
pub mod registers_in;
pub mod replay_in;
pub mod work_out;
