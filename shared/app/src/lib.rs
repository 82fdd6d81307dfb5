//! Use cases over small ports, errors sorted by what happens next, and in-memory adapters.
