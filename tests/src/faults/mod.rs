//! The fault matrix: generated days with bad providers, dying workers and lost messages, and a verdict on books and parcels.
//!
//! A [`Case`] says where books are kept, what is ordered and given back, how it is told of, what goes wrong at the providers
//! and where workers stop. [`Bench`] lives it through between simulators and asks the `verdict` whether every paid order
//! stands in the books and at the warehouse exactly once, and all that was given back too. [`Mutant`] breaks Bokbro on purpose, to prove that the verdict notices.

mod bench;
mod books;
mod case;
mod day;
mod documents;
mod generate;
mod hands;
mod lanes;
mod mutant;
mod oracle;
mod parcels;
mod records;
mod search;
mod stage;
mod verdict;
mod wire;

pub use bench::{Bad, Bench, Lived};
pub use case::{At, Buys, Case, Day, Got, Habits, Happens, Pays, Program, Stop, Tells, Trouble};
pub use generate::{Kind, cases};
pub use mutant::Mutant;
pub use search::{Failure, Found, Search};
pub use verdict::Finding;
pub use wire::{ELSEWHERE, Fault, Spot, spots};
