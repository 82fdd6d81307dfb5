//! Promises about numbers that may be used once.

use futures::future::join_all;

use super::samples::time;
use super::{Store, WRITERS};

/// Many take one nonce at once: one gets it. Nobody gets one that was never stored.
pub async fn a_nonce_is_taken_once(store: &dyn Store) {
    assert!(!store.nonce_take("ab12").await.unwrap());
    store.nonce_put("ab12", time(600)).await.unwrap();
    store.nonce_put("ab13", time(600)).await.unwrap();
    let taken = join_all((0..WRITERS).map(|_| store.nonce_take("ab12"))).await;
    assert_eq!(taken.into_iter().filter(|taken| *taken.as_ref().unwrap()).count(), 1);
    assert!(store.nonce_take("ab13").await.unwrap());
}
