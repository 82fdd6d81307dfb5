//! What a waiting item's page shows: its facts as people write them.

use bokbro_app::records::{Parked, Role};
use scraper::{Html, Selector};

use super::world::{Data, World};
use crate::layout::Frame;
use crate::parked::detail;
use crate::{Language, Texts};

#[test]
fn what_is_known_of_a_payment_is_written_for_people() {
    let world = World { texts: Texts::of(Language::Swedish), data: Data::Plain };
    let session = world.session(Role::Bookkeeper);
    let frame = Frame { texts: world.texts, session: &session, role: Role::Bookkeeper, path: "/app/parked" };
    let mut item = world.parked().remove(0);
    let facts = |item: &Parked| {
        let page = Html::parse_fragment(&detail(&frame, item, None).into_string());
        let cells = Selector::parse("dl dd").unwrap();
        page.select(&cells).map(|cell| cell.text().collect::<String>()).collect::<Vec<_>>()
    };
    for shown in
        ["12\u{a0}345,50\u{a0}kr", "1753-1001, 1753-1002", "9007199254740993", "Ledger", "betalningar"]
    {
        assert!(facts(&item).iter().any(|fact| fact == shown), "{shown}: {:?}", facts(&item));
    }
    item.details.remove("currency");
    item.details.insert("claimed_amount".to_owned(), "about 12345".to_owned());
    for shown in ["12\u{a0}345,50", "about 12345"] {
        assert!(facts(&item).iter().any(|fact| fact == shown), "{shown}: {:?}", facts(&item));
    }
}
