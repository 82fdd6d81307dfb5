//! What the page of connections offers: whatever cannot be connected is explained, and offers nothing that fails.

use bokbro_app::connections::ShownState;
use bokbro_app::records::Role;

use super::world::{Data, World};
use crate::connections::{Told, page};
use crate::layout::Frame;
use crate::{Language, Texts};

#[test]
fn a_warehouse_of_others_is_explained_and_cannot_be_connected() {
    let world = World { texts: Texts::of(Language::Swedish), data: Data::Plain };
    for (role, to_settings) in [(Role::Owner, true), (Role::Bookkeeper, false)] {
        let session = world.session(role);
        let frame = Frame { texts: world.texts, session: &session, role, path: "/app/connections" };
        let of_others = |offered: &crate::connections::Offered<'_>| offered.fields.is_empty();
        let offered: Vec<_> = world.offered().into_iter().filter(of_others).collect();
        assert_eq!(offered[0].view.state, ShownState::Disconnected);
        let page = page(&frame, &offered, &Told::Nothing).into_string();
        assert!(page.contains("välj elsewhere som lager under Inställningar"), "{page}");
        assert!(!page.contains("<form") && !page.contains("frånkopplad"), "{page}");
        assert_eq!(page.contains("href=\"/app/settings\""), to_settings, "{page}");
    }
}
