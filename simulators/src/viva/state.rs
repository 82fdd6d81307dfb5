//! What happens in the simulated account: orders are made, paid, cancelled and refunded, and reads lag behind.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap};

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::VivaConfig;
use super::model::{
    NewOrder, Order, OrderState, Outcome, Pay, Refund, Refused, Switches, Transaction, reference_number,
};
use super::wire::{Amount, OrderCode, greek, millis};

/// The smallest amount Viva takes payment for (apis/viva-ongoing-bank.md 1.9).
const SMALLEST_ORDER: Amount = Amount(30);
/// Seconds that an order waits for payment when its maker does not say.
const DEFAULT_PAYMENT_TIMEOUT: u32 = 1800;
/// Seconds that an access token lives.
pub(crate) const TOKEN_LIFETIME: u32 = 3600;

/// All that the account holds.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) switches: Switches,
    pub(crate) orders: BTreeMap<OrderCode, Order>,
    pub(crate) transactions: Vec<Transaction>,
    /// Access tokens and when they lapse.
    tokens: HashMap<String, Timestamp>,
    codes_made: u64,
}

impl State {
    pub(crate) fn new(switches: Switches) -> Self {
        Self { switches, ..Self::default() }
    }

    /// Lays the given switches over the present ones.
    pub(crate) fn switch(&mut self, changes: &str) -> Result<(), String> {
        let changes: serde_json::Map<String, serde_json::Value> =
            serde_json::from_str(changes).map_err(|error| error.to_string())?;
        let mut all = serde_json::to_value(&self.switches).map_err(|error| error.to_string())?;
        if let Some(all) = all.as_object_mut() {
            all.extend(changes);
        }
        self.switches = serde_json::from_value(all).map_err(|error| error.to_string())?;
        Ok(())
    }

    pub(crate) fn issue_token(&mut self, now: Timestamp) -> String {
        let token = format!("eyJhbGciOiJub25lIn0.{}.simulated", Uuid::new_v4().simple());
        self.tokens.insert(token.clone(), now + millis(TOKEN_LIFETIME * 1000));
        token
    }

    /// Every access token given out so far.
    pub(crate) fn tokens(&self) -> Vec<String> {
        self.tokens.keys().cloned().collect()
    }

    pub(crate) fn knows_token(&self, token: &str, now: Timestamp) -> bool {
        self.tokens.get(token).is_some_and(|lapses| now < *lapses)
    }

    pub(crate) fn create_order(
        &mut self,
        wish: NewOrder,
        account: &VivaConfig,
        now: Timestamp,
    ) -> Result<OrderCode, Refused> {
        let amount = Amount(wish.amount.ok_or_else(|| Refused::Invalid("amount is required".to_owned()))?);
        if amount < SMALLEST_ORDER {
            return Err(Refused::Invalid(format!("amount must be at least {}", SMALLEST_ORDER.0)));
        }
        let currency_code = wish.currency_code.unwrap_or(account.currency);
        if currency_code != account.currency {
            return Err(Refused::Invalid("currencyCode is not the currency of the account".to_owned()));
        }
        let order_code = self.next_order_code();
        let timeout = wish.payment_timeout.unwrap_or(DEFAULT_PAYMENT_TIMEOUT);
        let order = Order {
            order_code,
            amount,
            currency_code,
            merchant_trns: wish.merchant_trns,
            customer_trns: wish.customer_trns,
            source_code: wish.source_code.unwrap_or_else(|| account.source_code.clone()),
            tags: wish.tags,
            request_lang: wish.customer.request_lang.unwrap_or_else(|| "sv-SE".to_owned()),
            email: wish.customer.email,
            full_name: wish.customer.full_name,
            phone: wish.customer.phone,
            expires_at: now + SignedDuration::from_secs(i64::from(timeout)),
            cancelled: false,
            paid: false,
        };
        self.orders.insert(order_code, order);
        Ok(order_code)
    }

    /// 16 random digits. Every second code is odd and above 2^53: a reader that uses floats gets another number.
    fn next_order_code(&mut self) -> OrderCode {
        const BEYOND_FLOATS: u64 = 1 << 53;
        loop {
            self.codes_made += 1;
            let (random, _) = Uuid::new_v4().as_u64_pair();
            let code = if self.codes_made % 2 == 1 {
                (BEYOND_FLOATS + random % (9_999_999_999_999_999 - BEYOND_FLOATS)) | 1
            } else {
                1_000_000_000_000_000 + random % (BEYOND_FLOATS - 1_000_000_000_000_000)
            };
            if !self.orders.contains_key(&OrderCode(code)) {
                return OrderCode(code);
            }
        }
    }

    pub(crate) fn cancel(&mut self, code: OrderCode, now: Timestamp) -> Result<Order, Refused> {
        let order = self.orders.get_mut(&code).ok_or(Refused::Unknown("no such order"))?;
        match order.state(now) {
            OrderState::Paid => Err(Refused::Conflict("the order is paid")),
            OrderState::Cancelled => Err(Refused::Conflict("the order is already cancelled")),
            OrderState::Pending | OrderState::Expired => {
                order.cancelled = true;
                Ok(order.clone())
            }
        }
    }

    pub(crate) fn pay(
        &mut self,
        wish: &Pay,
        account: &VivaConfig,
        now: Timestamp,
    ) -> Result<Transaction, Refused> {
        let order = match self.orders.entry(wish.order_code) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) => {
                let why = "this order was never made here, so amount is required";
                let amount = wish.amount.ok_or_else(|| Refused::Invalid(why.to_owned()))?;
                place.insert(foreign_order(wish, amount, account, now))
            }
        };
        if order.state(now) != OrderState::Pending && !wish.force {
            return Err(Refused::Conflict(
                "the order is paid, cancelled or expired; force pays it all the same",
            ));
        }
        let succeeds = wish.outcome == Outcome::Paid;
        let again = match &wish.transaction_id {
            None => None,
            Some(id) => Some(
                self.transactions
                    .iter_mut()
                    .find(|known| known.transaction_id == *id && known.order_code == wish.order_code)
                    .ok_or(Refused::Unknown("no such transaction of this order"))?,
            ),
        };
        order.paid |= succeeds;
        let status_id = if succeeds { "F" } else { "E" }.to_owned();
        if let Some(transaction) = again {
            transaction.status_id = status_id;
            transaction.ins_date = now;
            return Ok(transaction.clone());
        }
        let fresh = Transaction::of(order, now);
        let transaction = Transaction {
            amount: wish.amount.unwrap_or(fresh.amount),
            currency_code: wish.currency.unwrap_or(fresh.currency_code),
            status_id,
            type_id: wish.type_id.unwrap_or(fresh.type_id),
            merchant_trns: wish.merchant_trns.clone().or(fresh.merchant_trns),
            source_code: wish.source_code.clone().unwrap_or(fresh.source_code),
            ..fresh
        };
        self.transactions.push(transaction.clone());
        Ok(transaction)
    }

    pub(crate) fn refund(&mut self, wish: &Refund, now: Timestamp) -> Result<Transaction, Refused> {
        let at = self
            .transactions
            .iter()
            .position(|known| known.transaction_id == wish.transaction_id && !known.vanished)
            .ok_or(Refused::Unknown("no such transaction"))?;
        let original = &self.transactions[at];
        if original.parent_id.is_some() || !matches!(original.status_id.as_str(), "F" | "R") {
            return Err(Refused::Conflict("this transaction cannot be reversed"));
        }
        let left = Amount(original.amount.0 - self.reversed(&wish.transaction_id).0);
        let amount = wish.amount.unwrap_or(left);
        if amount <= Amount(0) || amount > left {
            return Err(Refused::Conflict("the amount is more than is left to refund"));
        }
        let same_day = greek(original.ins_date).date() == greek(now).date();
        let voids = original.is_card() && same_day && amount == original.amount;
        let type_id = wish.type_id.unwrap_or(if voids { 7 } else { refund_type(original.type_id) });
        let reversal = Transaction {
            transaction_id: Uuid::new_v4().to_string(),
            parent_id: Some(original.transaction_id.clone()),
            amount,
            negative: wish.negative_amount,
            status_id: wish.status_id.clone().unwrap_or_else(|| "F".to_owned()),
            type_id,
            ins_date: now,
            reference_number: reference_number(),
            reads: 0,
            ..original.clone()
        };
        self.transactions[at].status_id = if type_id == 7 { "X" } else { "R" }.to_owned();
        self.transactions.push(reversal.clone());
        if wish.vanish {
            self.vanish(reversal.order_code);
        }
        Ok(reversal)
    }

    /// What has been given back of a payment so far.
    fn reversed(&self, transaction_id: &str) -> Amount {
        let reversals =
            self.transactions.iter().filter(|known| known.parent_id.as_deref() == Some(transaction_id));
        Amount(reversals.map(|reversal| reversal.amount.0).sum())
    }

    /// Hides an order's transactions from every read.
    pub(crate) fn vanish(&mut self, order_code: OrderCode) {
        for transaction in self.transactions.iter_mut().filter(|known| known.order_code == order_code) {
            transaction.vanished = true;
        }
    }

    /// A transaction as the simulator knows it, however late or hidden reads are.
    pub(crate) fn transaction(&self, id: &str) -> Option<&Transaction> {
        self.transactions.iter().find(|known| known.transaction_id == id)
    }

    /// A transaction as a read by id finds it.
    pub(crate) fn read_transaction(&mut self, id: &str, now: Timestamp) -> Option<&Transaction> {
        let Self { transactions, switches, .. } = self;
        let found = transactions.iter_mut().find(|known| known.transaction_id.eq_ignore_ascii_case(id))?;
        found.reads += 1;
        (found.reads > switches.read_lag_reads && visible(found, switches, now)).then_some(&*found)
    }

    /// The transactions that a search finds.
    pub(crate) fn search(&self, now: Timestamp) -> impl Iterator<Item = &Transaction> {
        self.transactions.iter().filter(move |known| visible(known, &self.switches, now))
    }

    /// Forgets orders and transactions; tokens stay good, so that a reset between tests goes unnoticed by clients.
    pub(crate) fn forget(&mut self) {
        self.orders.clear();
        self.transactions.clear();
    }
}

fn visible(transaction: &Transaction, switches: &Switches, now: Timestamp) -> bool {
    !transaction.vanished && now >= transaction.ins_date + millis(switches.read_lag_ms)
}

/// An order that some other shop of the account, or an earlier run, made.
fn foreign_order(wish: &Pay, amount: Amount, account: &VivaConfig, now: Timestamp) -> Order {
    Order {
        order_code: wish.order_code,
        amount,
        currency_code: wish.currency.unwrap_or(account.currency),
        merchant_trns: wish.merchant_trns.clone(),
        customer_trns: None,
        source_code: wish.source_code.clone().unwrap_or_else(|| account.source_code.clone()),
        tags: Vec::new(),
        request_lang: "sv-SE".to_owned(),
        email: None,
        full_name: None,
        phone: None,
        expires_at: now + SignedDuration::from_secs(i64::from(DEFAULT_PAYMENT_TIMEOUT)),
        cancelled: false,
        paid: false,
    }
}

/// The refund's `TransactionTypeId` for a payment's (apis/viva-ongoing-bank.md 1.8).
fn refund_type(payment: u16) -> u16 {
    match payment {
        9 => 11,
        50 => 51,
        52 | 81 => 53,
        70 => 71,
        _ => 4,
    }
}
