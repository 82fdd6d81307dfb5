//! `cargo dev demo`: the main job on this machine, as a story with its proof.

mod books;
mod parcel;
mod visma_books;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use bokbro_simulators::ongoing::Work;
use bokbro_simulators::viva::{Amount, NewOrder, Pay};
use serde_json::Value;

use crate::api::{Api, sample_order};
use crate::progress;
use crate::stack::between::Between;
use crate::stack::build::Profile;
use crate::stack::files::Project;
use crate::stack::ledger::LedgerProgram;
use crate::stack::{Options, Stack};

/// How long the order may take from paid to booked.
const LIMIT: Duration = Duration::from_secs(60);
const ORDER_NUMBER: &str = "1753-1001";
/// What the sample order comes to.
const TOTAL: Amount = Amount(74_700);

/// Shows the main job: an order is posted, paid at Viva's stand-in, booked at Fortnox' or Visma's and sent by Ongoing's.
///
/// Builds and starts everything, tells what happens step by step, and checks that there is one customer, one booked
/// invoice, one booked payment with the right amounts and one parcel order. Ends with code 1 when anything is not as it should be.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Run release builds of the functions
    #[arg(long)]
    release: bool,
    /// The ledger program that the tenant keeps its books in
    #[arg(long, env = "BOKBRO_DEMO_ACCOUNTING", value_enum, default_value_t)]
    accounting: LedgerProgram,
}

pub(crate) async fn run(arguments: Arguments) -> Result<ExitCode> {
    let project = Project::find()?;
    let options = Options {
        command: "demo",
        port: 0,
        profile: if arguments.release { Profile::Release } else { Profile::Debug },
        simulators: true,
        enforce_iam: true,
        ledger: arguments.accounting,
        empty: false,
        between: Between::Nothing,
    };
    tokio::select! {
        told = whole(&project, &options) => told,
        stopped = super::stop_signal() => {
            stopped?;
            bail!("stopped");
        }
    }
}

async fn whole(project: &Project, options: &Options) -> Result<ExitCode> {
    let stack = Stack::start(project, options).await?;
    let api = Api::new(stack.base_url(), stack.seed().api_key())?;
    let told = story(&stack, &api).await;
    if told.is_err() {
        waiting_for_a_human(&api).await;
    }
    stack.stop().await?;
    if told.context("the logs are in .local/logs/demo/")? {
        progress::show("\nTry next: cargo dev up    the same stack, left running for your own orders");
        Ok(ExitCode::SUCCESS)
    } else {
        progress::show("\nNot as it should be; the logs are in .local/logs/demo/");
        Ok(ExitCode::FAILURE)
    }
}

/// Numbered steps with the time since the first.
struct Steps {
    begun: Instant,
    count: u32,
}

impl Steps {
    fn tell(&mut self, who: &str, what: impl std::fmt::Display) {
        self.count += 1;
        let after = self.begun.elapsed().as_secs_f32();
        progress::show(format_args!("{:>3}  {after:>4.1} s  {who:<8} {what}", self.count));
    }
}

/// Tells the story; says whether all of it came out right.
async fn story(stack: &Stack, api: &Api) -> Result<bool> {
    let simulators = stack.simulators()?;
    let (viva, ongoing) = (&simulators.viva, &simulators.ongoing);
    progress::show("\nA paid order becomes a booked invoice and a parcel\n");
    let mut steps = Steps { begun: Instant::now(), count: 0 };

    let wish = NewOrder {
        amount: Some(TOTAL.0),
        merchant_trns: Some(ORDER_NUMBER.to_owned()),
        ..NewOrder::default()
    };
    let code = viva.create_order(wish).map_err(|refused| anyhow::anyhow!("{refused:?}"))?;
    steps.tell("Viva", format_args!("the checkout makes order code {}: {TOTAL} SEK to be paid", code.0));

    let order = api.post_order(&sample_order(ORDER_NUMBER, "asa@example.se", code.0)).await?;
    let id = order["id"].as_str().context("the API answered an order without id")?;
    steps.tell(
        "webshop",
        format_args!("POST /v1/orders: {id}, number {ORDER_NUMBER}, {}", text(&order["state"])),
    );

    let told = viva.pay(&Pay::new(code)).await.map_err(|refused| anyhow::anyhow!("{refused:?}"))?;
    let answered = viva.deliveries().first().and_then(|d| d.attempts.first()?.status);
    let answered = answered.map_or("no answer".to_owned(), |status| format!("answered {status}"));
    steps.tell("Viva", format_args!("the customer pays; the webhook is sent ({answered})"));

    let paid = api.order_until(id, LIMIT, |order| order["state"] == "paid").await?;
    steps.tell(
        "Bokbro",
        format_args!("Viva's API says {} SEK captured: paid", text(&paid["payment"]["captured"])),
    );

    let booked = api.order_until(id, LIMIT, |order| order["sync"]["accounting"]["state"] == "done").await?;
    let sync = &booked["sync"]["accounting"];
    // Not every ledger program numbers payments.
    let numbers = ["customer", "invoice", "payment"].map(|kind| (kind, &sync[format!("{kind}_number")]));
    let numbers = numbers.into_iter().filter(|(_, number)| !number.is_null());
    let numbers: Vec<String> = numbers.map(|(kind, number)| format!("{kind} {}", text(number))).collect();
    steps.tell("Bokbro", format_args!("booked in {}: {}", stack.seed().ledger.name(), numbers.join(", ")));

    let ordered = api.order_until(id, LIMIT, |order| order["sync"]["warehouse"]["state"] == "done").await?;
    let sync = &ordered["sync"]["warehouse"];
    steps.tell("Bokbro", format_args!("parcel order {} is at the warehouse", text(&sync["order_id"])));

    let packed = Work {
        order_number: ORDER_NUMBER.to_owned(),
        status: parcel::SENT,
        parcels: vec![parcel::NUMBER.to_owned()],
        deliver: true,
        ..Work::default()
    };
    ongoing.work(&packed).await.map_err(|refused| anyhow::anyhow!("{refused:?}"))?;
    let answered = ongoing.deliveries().last().and_then(|d| d.attempts.first()?.status);
    let answered = answered.map_or("no answer".to_owned(), |status| format!("answered {status}"));
    steps.tell("Ongoing", format_args!("the staff packs and sends it; the webhook is sent ({answered})"));

    let shipped =
        api.order_until(id, LIMIT, |order| order["sync"]["warehouse"]["stage"] == "shipped").await?;
    let followed = &shipped["sync"]["warehouse"]["tracking"][0];
    steps.tell(
        "Bokbro",
        format_args!("shipped: parcel {}, {}", text(&followed["number"]), text(&followed["url"])),
    );

    progress::show("\nThe order's timeline (GET /v1/orders/{id}/timeline)");
    let timeline = api.get(&format!("/v1/orders/{id}/timeline")).await?;
    for entry in timeline["items"].as_array().into_iter().flatten() {
        let at = text(&entry["at"]);
        let time = at.get(11..23).unwrap_or(&at);
        progress::show(format_args!("  {time}  {:<22} {}", text(&entry["event"]), text(&entry["message"])));
    }

    let books = match stack.seed().ledger {
        LedgerProgram::Fortnox => simulators.fortnox.books(&stack.seed().company.database_number),
        LedgerProgram::Visma => simulators.visma.books(stack.seed().visma_company()),
    };
    match stack.seed().ledger {
        LedgerProgram::Fortnox => books::show(&books),
        LedgerProgram::Visma => visma_books::show(&books),
    }
    let captured: i64 = viva
        .transactions()
        .iter()
        .filter(|t| t.transaction_id == told.transaction_id)
        .map(|t| t.amount.0)
        .sum();
    let parcels = ongoing.orders();
    parcel::show(&parcels);
    let captured = Amount(captured).to_string();
    let booked = match stack.seed().ledger {
        LedgerProgram::Fortnox => books::check(&books, id, &captured),
        LedgerProgram::Visma => visma_books::check(&books, id, &captured),
    };
    Ok(parcel::check(&parcels, ongoing.collisions(), &shipped) && booked)
}

/// Shows what waits for a human, which is the likeliest reason for an order that does not get done.
async fn waiting_for_a_human(api: &Api) {
    let Ok(parked) = api.get("/v1/parked").await else { return };
    for item in parked["items"].as_array().into_iter().flatten() {
        progress::show(format_args!("parked: {} - {}", text(&item["code"]), text(&item["reason"])));
    }
}

/// A JSON value without quotation marks.
fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
