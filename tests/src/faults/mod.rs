//! The fault matrix: generated days with bad providers, dying workers and lost messages, and a verdict on the books.
//!
//! A [`Case`] says what is ordered, how it is told of, what goes wrong at the providers and where workers stop.
//! [`Bench`] lives it through between simulators and asks the `verdict` whether every paid order stands in the books
//! exactly once. [`Mutant`] breaks Bokbro on purpose, to prove that the verdict notices.

mod bench;
mod case;
mod lanes;
mod mutant;
mod oracle;
mod search;
mod stage;
mod verdict;
mod wire;

pub use bench::{Bad, Bench, Lived};
pub use case::{At, Buys, Case, Day, Pays, Stop, Tells, Trouble, cases};
pub use mutant::Mutant;
pub use search::{Failure, Found, Search};
pub use verdict::Finding;
pub use wire::{Fault, Spot, spots};
