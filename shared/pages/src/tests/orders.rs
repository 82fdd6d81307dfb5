//! What an order's page says of its parcel, and when it looks again by itself.

use bokbro_app::records::Role;
use bokbro_domain::order::{OrderState, SyncState};

use super::world::{Data, World};
use crate::layout::Frame;
use crate::orders::{Parcels, Shown, detail};
use crate::{Language, Texts};

/// The page of a paid order that is booked, with its parcel in a state.
fn page(parcel: SyncState, parcels: Parcels) -> String {
    let world = World { texts: Texts::of(Language::Swedish), data: Data::Plain };
    let mut order = world.order(OrderState::Paid, SyncState::Done);
    order.warehouse.state = parcel;
    let session = world.session(Role::Viewer);
    let frame = Frame { texts: world.texts, session: &session, role: Role::Viewer, path: "/app/orders" };
    let shown = Shown { order: &order, timeline: &[], more: false, parcels, pay_at: None };
    detail(&frame, &shown).into_string()
}

#[test]
fn nothing_is_waited_for_that_nobody_sends() {
    let none = "inget lager är anslutet";
    for (parcel, parcels, says_so, looks_again) in [
        (SyncState::Waiting, Parcels::Nobody, true, false),
        (SyncState::Waiting, Parcels::Warehouse, false, true),
        // A warehouse that was taken out of the settings may still be at it, or have done it.
        (SyncState::Running, Parcels::Nobody, false, true),
        (SyncState::Done, Parcels::Nobody, false, false),
    ] {
        let page = page(parcel, parcels);
        assert_eq!(page.contains(none), says_so, "{parcel:?} {parcels:?}");
        assert_eq!(page.contains("data-refresh"), looks_again, "{parcel:?} {parcels:?}");
    }
}
