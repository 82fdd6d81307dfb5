//! What somebody had typed into a form stands there again when it was refused, on every page with a form to fill in.

use bokbro_app::records::Role;
use maud::Markup;
use scraper::{ElementRef, Html, Selector};

use super::world::{Data, World};
use crate::connections::{self, Offered, Told};
use crate::dead_letters::{self, Wish};
use crate::form::{Form, Refused};
use crate::keys::{self, Made};
use crate::layout::Frame;
use crate::settings::{self, Sent};
use crate::{Language, Texts, parked};

type Fields = Vec<(String, String)>;

/// A page, with the refusal of its form if there was one.
type Page<'a> = Box<dyn Fn(Option<Refused<'_>>) -> Markup + 'a>;

#[test]
fn what_was_typed_before_a_refusal_stands_in_its_form_and_in_no_other() {
    let world = World { texts: Texts::of(Language::Swedish), data: Data::Plain };
    let session = world.session(Role::Owner);
    let frame = Frame { texts: world.texts, session: &session, role: Role::Owner, path: "/app" };
    let error = world.wrong();
    for (action, page) in pages(world, &frame) {
        let before = forms(&page(None).into_string());
        let forms_here = before.iter().filter(|form| form.action == action).count();
        assert!(forms_here > 0, "{action}: {before:?}");
        for index in (0..before.len()).filter(|index| before[*index].action == action) {
            let typed = &before[index].filled;
            let form: Form = typed.iter().cloned().collect();
            let after = forms(&page(Some(Refused { error: &error, form: &form })).into_string());
            for (form, (before, after)) in before.iter().zip(&after).enumerate() {
                let secret = |(name, _): &(String, String)| before.secrets.contains(name);
                if form == index {
                    let shown: Fields = typed.iter().filter(|field| !secret(field)).cloned().collect();
                    assert_ne!(before.sent, *typed, "{action} was filled in already");
                    assert_eq!(after.sent, shown, "{action}: what a browser would send again");
                } else {
                    assert_eq!(after.sent, before.sent, "{action}: another form of its page");
                }
            }
        }
    }
}

/// Every page with a form in which people type, and where that form goes.
fn pages<'a>(world: World, frame: &'a Frame<'a>) -> Vec<(String, Page<'a>)> {
    let item = world.parked().into_iter().find(|item| item.code == "outcome_unknown").unwrap();
    let provider = world.offered()[0].view.provider.clone();
    vec![
        (
            "/app/settings".to_owned(),
            Box::new(move |refused| {
                settings::page(frame, &world.settings(), refused.map_or(Sent::No, Sent::Refused))
            }),
        ),
        (
            "/app/keys".to_owned(),
            Box::new(move |refused| {
                keys::page(frame, &world.keys(), &refused.map_or(Made::Nothing, Made::Refused))
            }),
        ),
        (
            "/app/dead-letters/replay".to_owned(),
            Box::new(move |refused| {
                dead_letters::page(frame, &world.letters(), refused.map_or(Wish::None, Wish::Field))
            }),
        ),
        (
            format!("{}/resolve", parked::path(&item)),
            Box::new(move |refused| parked::detail(frame, &item, refused)),
        ),
        (
            format!("/app/connections/{provider}"),
            Box::new(move |refused| {
                let typed = refused.map(|refused| refused.form);
                let offer = |one: Offered<'static>| Offered {
                    typed: typed.filter(|_| one.view.provider == provider),
                    ..one
                };
                let offered: Vec<_> = world.offered().into_iter().map(offer).collect();
                connections::page(frame, &offered, &Told::Nothing)
            }),
        ),
    ]
}

/// A form of a page.
#[derive(Debug)]
struct Found {
    action: String,
    /// What a browser would send of it as it is, without what is empty.
    sent: Fields,
    /// The same with something else in each field.
    filled: Fields,
    /// Fields that never show what is in them.
    secrets: Vec<String>,
}

fn forms(page: &str) -> Vec<Found> {
    let page = Html::parse_fragment(page);
    let (forms, fields) = (selector("form"), selector("input, select"));
    let found = page.select(&forms).map(|form| {
        let mut found = Found {
            action: form.attr("action").unwrap().to_owned(),
            sent: Vec::new(),
            filled: Vec::new(),
            secrets: Vec::new(),
        };
        let fields: Vec<_> = form.select(&fields).collect();
        for (index, field) in fields.iter().enumerate() {
            let name = field.attr("name").unwrap();
            let is_last = !fields[index + 1..].iter().any(|later| later.attr("name") == Some(name));
            let (held, wanted) = values(field, is_last);
            found.sent.extend(held.filter(|held| !held.is_empty()).map(|held| (name.to_owned(), held)));
            found.filled.extend(wanted.map(|wanted| (name.to_owned(), wanted)));
            if field.attr("type") == Some("password") {
                found.secrets.push(name.to_owned());
            }
        }
        found
    });
    found.collect()
}

/// What a field holds, and what else somebody may put there: of several with one name, the last is chosen.
fn values(field: &ElementRef<'_>, is_last: bool) -> (Option<String>, Option<String>) {
    let name = field.attr("name").unwrap();
    let value = field.attr("value").map(str::to_owned);
    match (field.value().name(), field.attr("type")) {
        ("select", _) => {
            let value = |option: ElementRef<'_>| option.attr("value").map(str::to_owned);
            let options = selector("option");
            let chosen = field.select(&selector("option[selected]")).next();
            (
                chosen.or_else(|| field.select(&options).next()).and_then(value),
                field.select(&options).last().and_then(value),
            )
        }
        (_, Some("radio" | "checkbox")) => {
            let held = field.attr("checked").and(value.clone());
            (held, value.filter(|_| is_last))
        }
        (_, Some("hidden")) => (value.clone(), value),
        _ => (value, Some(format!("typed & \"{name}\""))),
    }
}

fn selector(css: &str) -> Selector {
    Selector::parse(css).unwrap()
}
