//! Whatever happens to the deliveries, orders end where the payment provider's facts say: the same events, each three
//! times and shuffled, leave what they leave one by one in their order.

use std::collections::BTreeMap;

use bokbro_app::ports::Orders as _;
use bokbro_domain::ids::OrderId;
use bokbro_domain::money::Money;
use bokbro_domain::order::{OrderState, SyncState};
use bokbro_domain::payment::{FactKind, FactStatus};
use bokbro_simulators::kit::http_client;
use bokbro_simulators::viva::{Outcome, Pay, Refund, VivaConfig};
use bokbro_tests::world::{World, sample, tenant};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::Value;

/// One thing that happens to an order at the payment provider. Each is told of by one event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Deed {
    /// A try to pay that the bank refuses.
    Fails,
    /// The try before this one succeeds after all.
    FailureSucceeds,
    /// The order is paid.
    Paid,
    /// 100.00 kr are given back.
    PartGivenBack,
    /// All that is left is given back; on the same day a card's payment is voided.
    AllGivenBack,
    /// The shop cancels the order.
    Cancelled,
}

use Deed::{AllGivenBack, Cancelled, Fails, FailureSucceeds, Paid, PartGivenBack};

/// What may become of an order.
const STORIES: [&[Deed]; 11] = [
    &[],
    &[Fails],
    &[Fails, Fails],
    &[Cancelled],
    &[Paid],
    &[Fails, Paid],
    &[Fails, FailureSucceeds],
    &[Paid, PartGivenBack],
    &[Paid, AllGivenBack],
    &[Paid, PartGivenBack, PartGivenBack],
    &[Fails, FailureSucceeds, PartGivenBack, AllGivenBack],
];

/// How an order has ended, without the ids that every world makes anew.
#[derive(Debug, Clone, PartialEq, Eq)]
struct End {
    state: OrderState,
    captured: Money,
    reversed: Money,
    facts: Vec<(FactKind, FactStatus, Money)>,
    accounting: SyncState,
    parked: Vec<String>,
    /// Totals, balance and bookkeeping of its invoices, and amounts of their payments.
    books: Vec<String>,
}

struct Told {
    world: World,
    orders: Vec<(OrderId, bokbro_simulators::viva::OrderCode)>,
}

impl Told {
    async fn start(stories: usize) -> Self {
        let world = World::start().await;
        let mut orders = Vec::new();
        for number in 0..stories {
            let (order, code) = world.order(&format!("1753-{number}"), sample()).await;
            orders.push((order.id, code));
        }
        Self { world, orders }
    }

    /// Does a deed; gives the body of the event about it.
    async fn happens(&self, order: usize, deed: Deed) -> String {
        let code = self.orders[order].1;
        let viva = &self.world.viva;
        let transactions = viva.transactions();
        let mut mine = transactions.iter().filter(|t| t.order_code == code && t.parent_id.is_none()).rev();
        let pay = Pay { deliver: false, ..Pay::new(code) };
        let told = match deed {
            Fails => viva.pay(&Pay { outcome: Outcome::Failed, ..pay }).await,
            FailureSucceeds => {
                let transaction_id = mine.next().map(|t| t.transaction_id.clone());
                viva.pay(&Pay { transaction_id, ..pay }).await
            }
            Paid => viva.pay(&pay).await,
            PartGivenBack | AllGivenBack => {
                let charge = mine.find(|t| t.status_id != "E").unwrap();
                let amount = (deed == PartGivenBack).then_some(bokbro_simulators::viva::Amount(10_000));
                let refund = Refund { amount, deliver: false, ..Refund::new(&charge.transaction_id) };
                viva.refund(&refund).await
            }
            Cancelled => {
                let account = VivaConfig::default();
                let url = format!("{}/api/orders/{}", viva.url, code.0);
                let request =
                    http_client().delete(url).basic_auth(account.merchant_id, Some(account.api_key));
                assert!(request.send().await.unwrap().status().is_success());
                return viva.deliveries().last().unwrap().body().to_owned();
            }
        };
        told.unwrap().event.get().to_owned()
    }

    async fn ends(&self) -> Vec<End> {
        assert!(self.world.dead.is_empty(), "{:?}", self.world.errors);
        let parked = self.world.parked().await;
        let (invoices, payments) = (self.world.books("invoices"), self.world.books("invoice_payments"));
        let text = |document: &Value, members: &[&str]| {
            members.iter().map(|member| document[member].to_string()).collect::<Vec<_>>().join(" ")
        };
        let mut ends = Vec::new();
        for (id, _) in &self.orders {
            let shown = self.world.show(id).await;
            let mut facts: Vec<_> = self.world.store.payment_facts(&tenant(), id).await.unwrap();
            facts.sort_by_key(|fact| (fact.kind == FactKind::Reversal, fact.status == FactStatus::Failed));
            let mut codes: Vec<String> = parked
                .iter()
                .filter(|parked| parked.order.as_ref() == Some(id))
                .map(|parked| parked.code.clone())
                .collect();
            codes.sort();
            let mut books = Vec::new();
            let of_order = |invoice: &&Value| {
                invoice["ExternalInvoiceReference1"]
                    .as_str()
                    .is_some_and(|text| text.starts_with(id.as_str()))
            };
            for invoice in invoices.iter().filter(of_order) {
                books.push(text(invoice, &["Total", "TotalVAT", "Balance", "Booked"]));
                let paid = payments.iter().filter(|one| {
                    one["InvoiceNumber"].to_string().trim_matches('"')
                        == invoice["DocumentNumber"].to_string().trim_matches('"')
                });
                books.extend(paid.map(|payment| text(payment, &["Amount", "Booked"])));
            }
            // Two reversals of one second have no order of their own.
            books.sort();
            ends.push(End {
                state: shown.state,
                captured: shown.payment.captured,
                reversed: shown.payment.reversed,
                facts: facts.iter().map(|fact| (fact.kind, fact.status, fact.amount)).collect(),
                accounting: shown.accounting.state,
                parked: codes,
                books,
            });
        }
        assert_eq!(parked.iter().filter(|parked| parked.order.is_none()).count(), 0, "{parked:?}");
        ends
    }
}

/// Every event delivered and dealt with before the next deed.
async fn one_by_one(stories: &[&[Deed]]) -> Vec<End> {
    let mut told = Told::start(stories.len()).await;
    for (order, story) in stories.iter().enumerate() {
        for deed in *story {
            let event = told.happens(order, *deed).await;
            told.world.webhook(&event).await;
            told.world.settle().await;
        }
    }
    told.ends().await
}

/// All deeds first; then every event three times in an order that `keys` give, with workers running now and then.
async fn shuffled(stories: &[&[Deed]], keys: &[(u32, bool)], sweep: bool) -> Vec<End> {
    let mut told = Told::start(stories.len()).await;
    let mut events = Vec::new();
    for (order, story) in stories.iter().enumerate() {
        for deed in *story {
            events.push(told.happens(order, *deed).await);
        }
    }
    let mut keys = keys.iter().cycle();
    let thrice = events.iter().flat_map(|event| [event, event, event]);
    let mut deliveries: BTreeMap<(u32, usize), (&String, bool)> = BTreeMap::new();
    for (index, event) in thrice.enumerate() {
        let (key, run) = keys.next().unwrap();
        deliveries.insert((key.rotate_left(u32::try_from(index % 32).unwrap()), index), (event, *run));
    }
    for (event, run) in deliveries.into_values() {
        told.world.webhook(event).await;
        if run {
            told.world.settle().await;
        }
    }
    told.world.settle().await;
    if sweep {
        told.world.hour_passes().await;
    }
    told.ends().await
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_order_of_deliveries_changes_nothing(
        stories in vec(select(&STORIES[..]), 1..6),
        keys in vec(any::<(u32, bool)>(), 48),
        sweep in any::<bool>(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (expected, ends) =
            runtime.block_on(async { (one_by_one(&stories).await, shuffled(&stories, &keys, sweep).await) });
        prop_assert_eq!(expected, ends);
    }
}

#[tokio::test]
async fn a_sweep_without_any_delivery_ends_in_the_same_states() {
    let stories: Vec<&[Deed]> = STORIES.to_vec();
    let mut told = Told::start(stories.len()).await;
    for (order, story) in stories.iter().enumerate() {
        for deed in *story {
            told.happens(order, *deed).await;
        }
    }
    told.world.hour_passes().await;
    let facts_of_failures = |end: End| End {
        facts: end.facts.into_iter().filter(|(_, status, _)| *status != FactStatus::Failed).collect(),
        ..end
    };
    // Of an order that is not paid nobody asks which tries failed.
    let expected: Vec<End> = one_by_one(&stories).await.into_iter().map(facts_of_failures).collect();
    let ends: Vec<End> = told.ends().await.into_iter().map(facts_of_failures).collect();
    assert_eq!(expected, ends);
}
