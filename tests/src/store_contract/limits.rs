//! Promises about limiters: whoever writes knows what was there, and no slot is given twice.

use bokbro_app::error::Error;
use bokbro_app::ports::{LimitKey, StoredLimiter, Swapped};
use bokbro_domain::ids::Provider;
use bokbro_domain::limit::{Admission, Allowance, Limiter, Slot, Wish};
use futures::future::join_all;
use jiff::SignedDuration;

use super::samples::time;
use super::{Store, WRITERS};

fn key(key: &str) -> LimitKey {
    LimitKey { provider: Provider::parse("ledger").unwrap(), key: key.to_owned() }
}

fn limiter(last: u64) -> Limiter {
    Limiter {
        last,
        taken: u64::MAX,
        closed_until: time(1),
        line: time(2),
        behind: SignedDuration::from_millis(3),
    }
}

/// A limiter is written by whoever knows what is stored; everybody else is told what that is.
pub async fn a_limiter_is_written_by_who_knows_what_is_stored(store: &dyn Store) {
    let (one, two) = (
        StoredLimiter { mark: 1, limiter: limiter(7) },
        StoredLimiter { mark: u64::MAX, limiter: limiter(8) },
    );
    let swap = async |name: &str, mark: Option<u64>, new: &StoredLimiter| {
        store.limiter_swap(&key(name), mark, new).await.unwrap()
    };
    assert_eq!(swap("a", Some(1), &one).await, Swapped::No(None));
    assert_eq!(swap("a", None, &one).await, Swapped::Yes);
    assert_eq!(swap("a", None, &two).await, Swapped::No(Some(one.clone())));
    assert_eq!(swap("a", Some(2), &two).await, Swapped::No(Some(one.clone())));
    assert_eq!(swap("a", Some(1), &two).await, Swapped::Yes);
    assert_eq!(swap("a", Some(1), &one).await, Swapped::No(Some(two)));
    assert_eq!(swap("b", None, &one).await, Swapped::Yes, "limits are apart");
}

/// Many workers take slots at once, each from what it knows: no slot is given twice, and none is left out.
pub async fn no_slot_is_given_twice(store: &dyn Store) {
    let slots = join_all((0..WRITERS).map(|writer| slots(store, u64::from(writer) << 32))).await;
    let mut taken: Vec<Slot> = slots.into_iter().flat_map(Result::unwrap).collect();
    taken.sort_by_key(|slot| slot.until);
    taken.dedup_by_key(|slot| slot.until);
    assert_eq!(taken.len(), usize::try_from(WRITERS).unwrap());
    for pair in taken.windows(2) {
        assert_eq!(pair[1].until.duration_since(pair[0].until), ALLOWANCE.spacing());
    }
}

const ALLOWANCE: Allowance = Allowance { calls: 10, window: SignedDuration::from_secs(1) };

async fn slots(store: &dyn Store, writer: u64) -> Result<Vec<Slot>, Error> {
    let wish = Wish { calls: 1, step: SignedDuration::ZERO };
    let mut stored: Option<StoredLimiter> = None;
    for round in 0..u64::from(WRITERS) * 4 {
        let mark = stored.as_ref().map(|stored| stored.mark);
        let known = stored.as_ref().map(|stored| stored.limiter.clone()).unwrap_or_default();
        let (limiter, Admission::Granted(slots)) = known.reserve(time(1), wish, ALLOWANCE) else {
            return Err(Error::Raced { step: "there is room for all" });
        };
        match store.limiter_swap(&key("race"), mark, &StoredLimiter { mark: writer | round, limiter }).await?
        {
            Swapped::Yes => return Ok(slots),
            Swapped::No(now) => stored = now,
        }
    }
    Err(Error::Raced { step: "somebody wins every round" })
}
