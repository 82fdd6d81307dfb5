//! Which ledger program the tenant of the local stack keeps its books in.

/// A ledger program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub(crate) enum LedgerProgram {
    /// Fortnox, connected by a service account.
    #[default]
    Fortnox,
    /// Visma, connected by a consent that has been given.
    Visma,
}

impl LedgerProgram {
    /// The provider's name in settings.
    pub(crate) fn provider(self) -> &'static str {
        match self {
            Self::Fortnox => "fortnox",
            Self::Visma => "visma",
        }
    }

    /// Its name for people.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Fortnox => "Fortnox",
            Self::Visma => "Visma",
        }
    }
}
