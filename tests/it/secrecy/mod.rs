//! No secret reaches a log, a queue, an item, an error or an answer: flows are run with everything captured, and then all
//! of it is searched for every secret in use.

mod consents;
mod main_job;
mod real_items;
mod registers;
mod taps;
mod watched;
