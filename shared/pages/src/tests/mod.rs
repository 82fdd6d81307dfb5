//! What every page owes its readers: both languages whole, a document that browsers and screen readers understand, and
//! nothing of outside that is taken for code.

mod colors;
mod connections;
mod documents;
mod forms;
mod numbers;
mod orders;
mod parked;
mod said;
mod samples;
mod world;
