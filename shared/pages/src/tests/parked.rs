//! What somebody has typed for a waiting item is there again when it was refused.

use bokbro_app::records::Role;
use scraper::{Html, Selector};

use super::world::{Data, World};
use crate::layout::Frame;
use crate::parked::{Refused, detail};
use crate::{Language, Texts};

#[test]
fn what_was_typed_before_a_refusal_stands_in_its_form_and_in_no_other() {
    let world = World { texts: Texts::of(Language::Swedish), data: Data::Plain };
    let session = world.session(Role::Bookkeeper);
    let frame = Frame { texts: world.texts, session: &session, role: Role::Bookkeeper, path: "/app/parked" };
    let item = world.parked().into_iter().find(|item| item.code == "outcome_unknown").unwrap();
    let error = world.wrong();
    let typed = |action, refused: Option<&Refused<'_>>| {
        let page = Html::parse_fragment(&detail(&frame, &item, refused).into_string());
        let of = |field: &str| {
            let input = Selector::parse(&format!("#{action}-{field}")).unwrap();
            page.select(&input).next().and_then(|input| input.attr("value")).map(str::to_owned)
        };
        (of("number"), of("reason"))
    };
    let refused = Refused { error: &error, action: "exists", named: "1042", reason: "sought & \"found\"" };
    let whole = (Some("1042".to_owned()), Some("sought & \"found\"".to_owned()));
    assert_eq!(typed("exists", Some(&refused)), whole);
    assert_eq!(typed("send", Some(&refused)), (None, None));
    assert_eq!(typed("exists", None), (None, None));
}
