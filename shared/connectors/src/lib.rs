//! One folder per provider over a shared kit that sends, retries, pages and logs.
