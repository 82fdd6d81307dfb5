//! Promises about counts.

use bokbro_domain::rate::Window;
use futures::future::join_all;

use super::samples::time;
use super::{Store, WRITERS};

/// Many count at once and each learns of another sum; subjects and windows are apart.
pub async fn what_many_count_adds_up(store: &dyn Store) {
    let [window, next] = [7, 8].map(|number| Window { number, until: time(600) });
    let counted = join_all((0..WRITERS).map(|_| store.counter_add("ab12", window, 2))).await;
    let mut sums: Vec<u64> = counted.into_iter().map(Result::unwrap).collect();
    sums.sort_unstable();
    assert_eq!(sums, (1..=u64::from(WRITERS)).map(|n| 2 * n).collect::<Vec<_>>());
    assert_eq!(store.counter_add("ab12", next, 3).await.unwrap(), 3);
    assert_eq!(store.counter_add("ab13", window, 1).await.unwrap(), 1);
    assert_eq!(store.counter_add("ab13", window, 4).await.unwrap(), 5);
}
