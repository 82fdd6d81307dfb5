//! A tenant's own choices, as a form.

use bokbro_app::records::Settings;
use bokbro_app::settings::SettingsView;
use bokbro_domain::ids::Provider;
use bokbro_domain::posting::{AccountRole, PostingProfile};
use maud::{Markup, html};

use crate::catalog::Texts;
use crate::form::{Form, Refused, value};
use crate::format::provider_name;
use crate::layout::Frame;
use crate::words::refusal;

/// What became of the form before, if it was sent.
#[derive(Clone, Copy)]
pub enum Sent<'a> {
    /// The page was only opened.
    No,
    /// It was stored.
    Stored,
    /// It was refused.
    Refused(Refused<'a>),
}

/// The page.
#[must_use]
pub fn page(frame: &Frame<'_>, view: &SettingsView, sent: Sent<'_>) -> Markup {
    let texts = frame.texts;
    let settings = view.settings.as_ref();
    let typed = match sent {
        Sent::Refused(refused) => Some(refused.form),
        Sent::No | Sent::Stored => None,
    };
    let choice = |name, stored: Option<&Provider>, among, may_be_none| {
        let chosen = value(typed, name, stored.map(Provider::as_str));
        choice(texts, name, chosen, among, may_be_none)
    };
    html! {
        @match sent {
            Sent::No => {}
            Sent::Stored => { p.notice role="status" { (texts.get("settings-stored")) } }
            Sent::Refused(refused) => { (refusal(texts, refused.error)) }
        }
        form method="post" action="/app/settings" {
            (frame.token())
            (choice("payments", chosen(view, &view.payments, |s| Some(&s.payments)), &view.payments, false))
            (choice("accounting", chosen(view, &view.accounting, |s| s.accounting.as_ref()), &view.accounting, true))
            (profiles(texts, settings, typed))
            (choice("warehouse", chosen(view, &view.warehouses, |s| s.warehouse.as_ref()), &view.warehouses, true))
            fieldset {
                legend { (texts.get("settings-accounts")) }
                p.hint { (texts.get("settings-accounts-hint")) }
                @for role in AccountRole::ALL { (account(texts, role, view, typed)) }
                div.field {
                    label for="payment_mode" { (texts.get("settings-payment-mode")) }
                    input #payment_mode name="payment_mode"
                        value=[value(typed, "payment_mode", settings.and_then(|s| s.payment_mode.as_deref()))]
                        placeholder=(view.chart.as_ref().and_then(|c| c.payment_mode.as_deref()).unwrap_or_default());
                }
            }
            button { (texts.get("settings-store")) }
        }
    }
}

/// What was chosen; before there are choices, what is connected.
fn chosen<'a>(
    view: &'a SettingsView,
    among: &[Provider],
    of: impl Fn(&'a Settings) -> Option<&'a Provider>,
) -> Option<&'a Provider> {
    match &view.settings {
        Some(settings) => of(settings),
        None => view.connected.iter().find(|provider| among.contains(provider)),
    }
}

fn choice(texts: Texts, name: &str, chosen: Option<&str>, among: &[Provider], may_be_none: bool) -> Markup {
    html! {
        div.field {
            label for=(name) { (texts.get(&format!("settings-{name}"))) }
            select id=(name) name=(name) {
                @if may_be_none { option value="" { (texts.get("settings-none")) } }
                @for provider in among {
                    option value=(provider) selected[chosen == Some(provider.as_str())] { (provider_name(provider)) }
                }
            }
        }
    }
}

fn profiles(texts: Texts, settings: Option<&Settings>, typed: Option<&Form>) -> Markup {
    let stored = settings.map(|settings| settings.posting_profile).unwrap_or_default();
    let chosen = value(typed, "posting_profile", Some(stored.as_str()));
    html! {
        fieldset {
            legend { (texts.get("settings-profile")) }
            @for profile in PostingProfile::ALL {
                @let name = profile.as_str();
                div.field {
                    label {
                        input type="radio" name="posting_profile" value=(name) checked[chosen == Some(name)];
                        " " (texts.get(&format!("profile-{name}")))
                    }
                    p.hint { (texts.get(&format!("profile-{name}-hint"))) }
                }
            }
        }
    }
}

/// An account: what the tenant chose, and behind it what the ledger program says.
fn account(texts: Texts, role: AccountRole, view: &SettingsView, typed: Option<&Form>) -> Markup {
    let name = role.as_str();
    let field = format!("account_{name}");
    let own =
        view.settings.as_ref().and_then(|settings| settings.accounts.get(&role)).map(ToString::to_string);
    let read = view.chart.as_ref().and_then(|chart| chart.accounts.get(&role));
    html! {
        div.field {
            label for=(field) { (texts.get(&format!("account-{name}"))) }
            input id=(field) name=(field) inputmode="numeric" pattern="[1-9][0-9]{3}"
                value=[value(typed, &field, own.as_deref())] placeholder=[read];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_connected_is_chosen_until_somebody_chooses() {
        let provider = |name| Provider::parse(name).unwrap();
        let (one, other) = (provider("books"), provider("ledger"));
        let among = [one.clone(), other.clone()];
        let mut view = SettingsView {
            settings: None,
            connected: vec![provider("psp"), other.clone()],
            chart: None,
            payments: Vec::new(),
            accounting: among.to_vec(),
            warehouses: Vec::new(),
        };
        let books = |view: &SettingsView| chosen(view, &among, |s| s.accounting.as_ref()).cloned();
        assert_eq!(books(&view), Some(other));
        let mut settings = Settings {
            payments: provider("psp"),
            accounting: None,
            warehouse: None,
            posting_profile: PostingProfile::default(),
            accounts: [].into(),
            payment_mode: None,
        };
        view.settings = Some(settings.clone());
        assert_eq!(books(&view), None, "nothing was chosen on purpose");
        settings.accounting = Some(one.clone());
        view.settings = Some(settings);
        assert_eq!(books(&view), Some(one));
    }
}
