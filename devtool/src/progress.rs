//! What the tool tells the person in front of it: one line per step on standard error, results on standard output.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "this module is the tool's voice")]

/// Says what is being done.
pub(crate) fn step(text: impl std::fmt::Display) {
    eprintln!("    {text}");
}

/// Shows a result that was asked for.
pub(crate) fn show(text: impl std::fmt::Display) {
    println!("{text}");
}

/// Says why the command ended without doing its work, with the causes in order.
pub(crate) fn failure(error: &anyhow::Error) {
    eprintln!("error: {error:#}");
}
