//! Reading lists page by page, with an end.

use std::future::Future;

/// One page of a provider's list.
pub struct PageOf<T> {
    /// What the page holds.
    pub items: Vec<T>,
    /// Whether there is no page after it.
    pub last: bool,
}

/// A list that goes on after the last page that may be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the list is longer than {pages} pages")]
pub struct TooManyPages {
    /// How many were read.
    pub pages: u32,
}

/// Reads pages from 1 until one is the last; `Ok(Err(_))` when there are more than `most`.
///
/// # Errors
/// The first failure of `fetch`.
pub async fn all_pages<T, E, F, R>(most: u32, mut fetch: F) -> Result<Result<Vec<T>, TooManyPages>, E>
where
    F: FnMut(u32) -> R,
    R: Future<Output = Result<PageOf<T>, E>>,
{
    let mut all = Vec::new();
    for page in 1..=most {
        let PageOf { items, last } = fetch(page).await?;
        all.extend(items);
        if last {
            return Ok(Ok(all));
        }
    }
    Ok(Err(TooManyPages { pages: most }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn pages_are_read_until_the_last_and_never_past_the_bound() {
        let fetch = |page: u32| async move { Ok::<_, ()>(PageOf { items: vec![page], last: page == 3 }) };
        assert_eq!(all_pages(5, fetch).await, Ok(Ok(vec![1, 2, 3])));
        assert_eq!(all_pages(2, fetch).await, Ok(Err(TooManyPages { pages: 2 })));
    }
}
