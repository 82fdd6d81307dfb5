//! A limiter as an item.

use bokbro_app::ports::{LimitKey, StoredLimiter};
use bokbro_domain::limit::Limiter;
use jiff::SignedDuration;

use super::keys::Key;
use super::{Item, Reader, Unreadable, number, stamp, text, versioned};

/// The limiter as an item.
pub(crate) fn to_item(key: &LimitKey, stored: &StoredLimiter) -> Item {
    let StoredLimiter { mark, limiter } = stored;
    let Limiter { last, taken, closed_until, line, behind } = limiter;
    let mut item = versioned(Key::limiter(key).into_item());
    item.insert("mark".to_owned(), number(*mark));
    item.insert("last".to_owned(), number(*last));
    item.insert("taken".to_owned(), number(*taken));
    item.insert("closed_until".to_owned(), text(stamp(*closed_until)));
    item.insert("line".to_owned(), text(stamp(*line)));
    item.insert("behind_ms".to_owned(), number(behind.as_millis().max(0)));
    item
}

/// The item as a limiter.
pub(crate) fn from_item(item: &Item) -> Result<StoredLimiter, Unreadable> {
    let reader = Reader::new("limiter", item)?;
    let behind = i64::try_from(reader.number("behind_ms")?).map_err(|_| reader.bad("behind_ms"))?;
    let limiter = Limiter {
        last: reader.number("last")?,
        taken: reader.number("taken")?,
        closed_until: reader.parsed("closed_until", str::parse)?,
        line: reader.parsed("line", str::parse)?,
        behind: SignedDuration::from_millis(behind),
    };
    Ok(StoredLimiter { mark: reader.number("mark")?, limiter })
}
