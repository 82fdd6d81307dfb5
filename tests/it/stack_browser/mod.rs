//! People at work in a real browser, against the real binaries: by what stands on the pages alone, with scripts and without.

mod connections;
mod looks;
mod orders;
mod people;
mod settings;
mod work;
