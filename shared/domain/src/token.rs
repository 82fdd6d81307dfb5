//! Decisions about access tokens: use, refresh, wait or give up. A refresh token that rotates can be lost by one careless
//! step, so every step is decided here and every write of the state is conditional on owner and fence.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::effect::{Held, Lease};
use crate::said::Said;

/// An access token is used only while it is good for this much longer.
pub const MARGIN: SignedDuration = SignedDuration::from_mins(5);
/// After a failure that was not a refusal, the token endpoint is left alone for this long.
pub const COOL_DOWN: SignedDuration = SignedDuration::from_secs(30);
/// A refresh token that nobody used for this long is refreshed so that it does not lapse.
pub const IDLE: SignedDuration = SignedDuration::from_hours(7 * 24);

/// What the store knows of a connection's tokens. The tokens themselves are in the vault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct TokenState {
    /// Version of the newest token that is known to be in the vault; 0 before the first.
    pub version: u64,
    /// Rises by one with every lease taken; a write with an older fence can never win.
    pub fence: u64,
    /// Who may call the token endpoint now.
    pub lease: Option<Lease>,
    /// Until when the access token of this version is good.
    pub good_until: Option<Timestamp>,
    /// Until when the token endpoint is left alone.
    pub cool_until: Option<Timestamp>,
    /// When a token was last stored.
    pub refreshed_at: Option<Timestamp>,
    /// Why the provider does not let us in any more; a human must renew the consent.
    pub ended: Option<Said>,
}

/// What a worker that needs a token does next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Read the token of this version from the vault and use it.
    Use,
    /// Take the lease and refresh.
    Refresh,
    /// Another worker is at it until then at the latest: wait for the version to move.
    Wait {
        /// End of the lease.
        until: Timestamp,
    },
    /// Leave the token endpoint alone.
    Cool {
        /// Until when.
        until: Timestamp,
    },
    /// Give up until a human has renewed the consent.
    Ended {
        /// What the provider said, for people.
        why: Said,
    },
}

impl TokenState {
    /// What to do next. `refused` is the version of a token that the provider answered 401 to: it is good for nothing,
    /// whatever its age.
    #[must_use]
    pub fn next(&self, now: Timestamp, refused: Option<u64>) -> Next {
        if let Some(why) = &self.ended {
            return Next::Ended { why: why.clone() };
        }
        let fresh =
            self.good_until.is_some_and(|until| now.saturating_add(MARGIN).is_ok_and(|at| at < until));
        if fresh && refused != Some(self.version) {
            return Next::Use;
        }
        if let Some(lease) = &self.lease
            && lease.until > now
        {
            return Next::Wait { until: lease.until };
        }
        match self.cool_until {
            Some(until) if until > now => Next::Cool { until },
            _ => Next::Refresh,
        }
    }

    /// The state with the lease taken: owner is me, fence one up.
    ///
    /// # Errors
    /// When somebody else's lease has not ended.
    pub fn take(&self, owner: &str, now: Timestamp, until: Timestamp) -> Result<Self, Held> {
        if let Some(lease) = &self.lease
            && lease.until > now
        {
            return Err(Held { until: lease.until });
        }
        let lease = Some(Lease { owner: owner.to_owned(), until });
        Ok(Self { fence: self.fence + 1, lease, ..self.clone() })
    }

    /// The state after a token of this version was stored in the vault. The version only ever rises.
    #[must_use]
    pub fn stored(&self, version: u64, good_until: Timestamp, now: Timestamp) -> Self {
        Self {
            version: version.max(self.version),
            fence: self.fence,
            lease: None,
            good_until: Some(good_until),
            cool_until: None,
            refreshed_at: Some(now),
            ended: None,
        }
    }

    /// The state after a failure that says nothing about the consent.
    #[must_use]
    pub fn failed(&self, now: Timestamp) -> Self {
        Self { lease: None, cool_until: now.saturating_add(COOL_DOWN).ok(), ..self.clone() }
    }

    /// The state after the provider refused for good.
    #[must_use]
    pub fn ended(&self, why: Said) -> Self {
        Self { lease: None, good_until: None, ended: Some(why), ..self.clone() }
    }

    /// Whether an idle refresh token should be refreshed so that it does not lapse.
    #[must_use]
    pub fn idle(&self, now: Timestamp) -> bool {
        self.ended.is_none() && self.refreshed_at.is_some_and(|at| now.duration_since(at) >= IDLE)
    }
}

/// Until when an access token counts as good: as long as the provider said. One that lives shorter than twice the margin
/// would never be used, so it gets the margin on top of half its life.
#[must_use]
pub fn good_until(now: Timestamp, life: SignedDuration) -> Timestamp {
    let counted = if life < MARGIN * 2 { life / 2 + MARGIN } else { life };
    now.saturating_add(counted).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::at;

    fn state() -> TokenState {
        TokenState { version: 3, good_until: Some(at("2026-11-20T12:00:00Z")), ..TokenState::default() }
    }

    #[test]
    fn every_state_has_its_one_next_step() {
        let early = at("2026-11-20T11:00:00Z");
        let late = at("2026-11-20T11:55:00Z");
        let soon = at("2026-11-20T11:56:00Z");
        let leased = TokenState { lease: Some(Lease { owner: "a".into(), until: soon }), ..state() };
        let cooling = TokenState { cool_until: Some(soon), ..state() };
        let cases = [
            ("never had one", TokenState::default(), early, None, Next::Refresh),
            ("fresh", state(), early, None, Next::Use),
            ("fresh under a lease", leased.clone(), early, None, Next::Use),
            ("within the margin", state(), late, None, Next::Refresh),
            ("refused", state(), early, Some(3), Next::Refresh),
            ("an older one was refused", state(), early, Some(2), Next::Use),
            ("somebody is at it", leased.clone(), late, None, Next::Wait { until: soon }),
            ("somebody died at it", leased, soon, None, Next::Refresh),
            ("cooling", cooling.clone(), late, None, Next::Cool { until: soon }),
            ("cooled", cooling, soon, None, Next::Refresh),
            (
                "ended",
                state().ended(Said::quoted("gone")),
                early,
                None,
                Next::Ended { why: Said::quoted("gone") },
            ),
        ];
        for (name, state, now, refused, expected) in cases {
            assert_eq!(state.next(now, refused), expected, "{name}");
        }
    }

    #[test]
    fn versions_never_fall_and_a_new_token_heals() {
        let now = at("2026-11-20T12:00:00Z");
        let healed = state().ended(Said::quoted("gone")).stored(2, now, now);
        assert_eq!((healed.version, healed.ended), (3, None));
    }

    #[test]
    fn a_short_lived_token_is_used_for_half_its_life() {
        let now = at("2026-11-20T12:00:00Z");
        let state = TokenState::default().stored(1, good_until(now, SignedDuration::from_mins(4)), now);
        assert_eq!(state.next(now + SignedDuration::from_secs(119), None), Next::Use);
        assert_eq!(state.next(now + SignedDuration::from_secs(121), None), Next::Refresh);
    }

    #[test]
    fn an_idle_token_is_refreshed_after_a_week() {
        let stored = at("2026-11-20T12:00:00Z");
        let state = TokenState::default().stored(1, stored, stored);
        assert!(!state.idle(at("2026-11-27T11:59:59Z")));
        assert!(state.idle(at("2026-11-27T12:00:00Z")));
        assert!(!TokenState::default().idle(stored));
    }
}
