//! What was said elsewhere ([`Said`]), names of fields, and refusals, in the reader's language.

use bokbro_domain::money::{Currency, MONEY, Money};
use bokbro_domain::order::FieldError;
use bokbro_domain::said::Said;
use fluent_bundle::FluentValue;
use maud::{Markup, html};

use crate::catalog::{Language, Texts};
use crate::format::{amount, capital};

/// What was said, in the reader's language. Words of others are quoted as they are, marked as English, which they or ours
/// around them mostly are.
#[must_use]
pub fn said(texts: Texts, said: &Said) -> Markup {
    match words(texts, said) {
        Some(words) => html! { (words) },
        None => html! { span lang="en" { (said.as_str()) } },
    }
}

/// A broken rule: the field as the page names it, and what is wrong with it.
#[must_use]
pub fn refusal(texts: Texts, error: &FieldError) -> Markup {
    html! {
        p.notice.bad role="alert" {
            @if !error.field.is_empty() { (field(texts, &error.field)) ": " }
            (said(texts, &error.message))
        }
    }
}

/// A field's name as people know it; one that the catalog does not know shows as the API has it.
#[must_use]
pub fn field(texts: Texts, name: &str) -> String {
    if let Some(account) = name.strip_prefix("accounts.") {
        return texts.find(&format!("account-{account}")).unwrap_or_else(|| name.to_owned());
    }
    known(texts, "field", name)
}

/// The words for a name of ours behind a prefix, or the name itself.
#[must_use]
pub fn known(texts: Texts, prefix: &str, name: &str) -> String {
    texts.find(&format!("{prefix}-{name}")).unwrap_or_else(|| name.replace('_', " "))
}

/// What was said, if there are words for it. English is what everything is said in.
fn words(texts: Texts, said: &Said) -> Option<String> {
    match (said.name()?, texts.language()) {
        (MONEY, _) => money(said),
        (_, Language::English) => Some(said.to_string()),
        (name, Language::Swedish) => {
            let key = format!("said-{name}");
            let values: Vec<(&str, FluentValue<'_>)> = said
                .values()
                .map(|(name, value)| {
                    let shown = words(texts, value).unwrap_or_else(|| value.to_string());
                    let shown = match name {
                        "provider" => capital(&shown),
                        "role" => known(texts, "account", &shown),
                        _ => shown,
                    };
                    (name, shown.into())
                })
                .collect();
            texts.has(&key).then(|| texts.with(&key, &values))
        }
    }
}

fn money(said: &Said) -> Option<String> {
    let value =
        |wanted: &str| said.values().find(|(name, _)| *name == wanted).map(|(_, value)| value.as_str());
    let currency = Currency::parse(value("currency")?).ok()?;
    Some(amount(Money::new(value("minor")?.parse().ok()?, currency)))
}

#[cfg(test)]
mod tests {
    use bokbro_domain::said;

    use super::*;

    fn shown(language: Language, what: &Said) -> String {
        said(Texts::of(language), what).into_string()
    }

    #[test]
    fn what_is_inside_is_translated_too_and_what_others_say_is_quoted() {
        let why = said!("consent-disconnected", "it was disconnected; connect it again");
        let told = said!(
            "error-consent",
            "{provider} does not let us in: {message}",
            provider = "ledger";
            message = why
        );
        assert_eq!(shown(Language::English, &told), told.as_str());
        let swedish = shown(Language::Swedish, &told);
        assert!(swedish.contains("Ledger") && swedish.contains("frånkopplad"), "{swedish}");
        let foreign = Said::quoted("Period is <closed>");
        assert_eq!(shown(Language::Swedish, &foreign), "<span lang=\"en\">Period is &lt;closed&gt;</span>");
        let quoting = said!("error-consent", "{provider} does not let us in: {message}", provider = "x"; message = foreign);
        assert!(shown(Language::Swedish, &quoting).contains("Period is &lt;closed&gt;"));
    }

    #[test]
    fn a_reason_is_a_whole_sentence_in_either_language() {
        let role = said!("posting-no-account", "no account is set for {role}", role = "sales_25");
        assert_eq!(shown(Language::Swedish, &role), "inget konto är valt för Försäljning 25 %");
        let paid = Money::new(69_800, Currency::SEK);
        let told = said!(
            "parked-misfit",
            "{kind} {number} in {provider} {what}. Nothing was sent.",
            number = 42,
            provider = "Ledger";
            kind = said!("kind-payment", "payment");
            what = said!("misfit-not-on", "is not on {amount} kr"; amount = paid.said())
        );
        let swedish = "Betalning 42 i Ledger är inte på 698,00\u{a0}kr. Inget skickades.";
        assert_eq!(shown(Language::Swedish, &told), swedish);
        assert_eq!(
            shown(Language::English, &told),
            "payment 42 in Ledger is not on 698.00 kr. Nothing was sent."
        );
    }

    #[test]
    fn amounts_among_words_are_written_as_elsewhere() {
        let paid = Money::new(123_450, Currency::SEK);
        let told =
            said!("told-paid", "Paid: {captured} {currency}.", currency = "SEK"; captured = paid.said());
        assert_eq!(shown(Language::Swedish, &told), "Betalt: 1\u{a0}234,50\u{a0}kr.");
    }

    #[test]
    fn fields_have_the_names_that_stand_on_the_page() {
        let texts = Texts::of(Language::Swedish);
        assert_eq!(field(texts, "accounts.sales_25"), texts.get("account-sales_25"));
        assert_eq!(field(texts, "reason"), texts.get("reason"));
        assert_eq!(field(texts, "never_heard_of"), "never heard of");
    }
}
