//! Documents as Visma takes them, and the requests that carry them. The order of members is the order of fields here, so
//! the same posting always gives the same bytes.

use std::sync::Arc;

use bokbro_app::error::Error;
use bokbro_app::ports::Tokens;
use bokbro_domain::effect::{Intent, StepName};
use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::VismaUrls;
use crate::kit::{Auth, Body, Exact, Request, reasons};

/// Reads the company's own settings.
pub(super) fn company_settings(urls: &VismaUrls, tokens: Arc<dyn Tokens>) -> Request {
    Request::get("get_company_settings", &urls.api, "/v2/companysettings", Auth::Bearer(tokens))
}

/// A customer to be created, but for its terms of payment: Visma's id of them is looked up when it is sent.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct NewCustomer {
    pub(super) customer_number: String,
    pub(super) name: String,
    pub(super) is_private_person: bool,
    pub(super) is_active: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) corporate_identity_number: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) email_address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) telephone: Option<String>,
    pub(super) invoice_address1: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) invoice_address2: Option<String>,
    pub(super) invoice_postal_code: String,
    pub(super) invoice_city: String,
    pub(super) invoice_country_code: &'static str,
    pub(super) currency_code: &'static str,
}

/// An article to be created, but for its coding and unit: Visma's ids of them are looked up when it is sent.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct NewArticle {
    pub(super) number: String,
    pub(super) name: String,
    pub(super) is_active: bool,
}

/// A draft of an invoice. City and postal code are the customer's whatever is sent (they are read-only), so the address
/// of the invoice is left to the customer altogether.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct NewDraft {
    pub(super) customer_id: String,
    pub(super) is_credit_invoice: bool,
    pub(super) eu_third_party: bool,
    pub(super) rot_reduced_invoicing_type: u32,
    pub(super) invoice_date: String,
    pub(super) due_date: String,
    pub(super) our_reference: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) buyers_order_reference: Option<String>,
    pub(super) delivery_customer_name: String,
    pub(super) delivery_address1: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) delivery_address2: Option<String>,
    pub(super) delivery_postal_code: String,
    pub(super) delivery_city: String,
    /// A free row stays free instead of getting its article's price.
    pub(super) replace_unit_price_when_zero: bool,
    pub(super) rows: Vec<NewRow>,
}

/// A row of a draft.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct NewRow {
    pub(super) line_number: u32,
    pub(super) is_text_row: bool,
    pub(super) text: String,
    #[serde(flatten)]
    pub(super) goods: Option<Goods>,
    pub(super) reversed_construction_services_vat_free: bool,
}

/// What a row has that is more than a text.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Goods {
    pub(super) article_id: String,
    /// Kronor, with or without VAT as the draft shows prices.
    pub(super) unit_price: Exact,
    pub(super) quantity: Exact,
    /// The customer may have a discount as its default.
    pub(super) discount_percentage: u32,
}

/// Totals that a draft must have to become an invoice.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Totals {
    /// Kronor.
    pub(super) total_amount_invoice_currency: Exact,
    pub(super) total_vat_amount_invoice_currency: Exact,
}

/// A payment of an invoice.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct NewPayment {
    pub(super) company_bank_account_id: String,
    pub(super) payment_date: String,
    /// Kronor.
    pub(super) payment_amount: Exact,
    pub(super) payment_currency: &'static str,
    pub(super) payment_type: u32,
    pub(super) reference: String,
}

impl NewPayment {
    /// The same amount the other way.
    pub(super) fn turned(mut self) -> Self {
        self.payment_amount = Exact(-self.payment_amount.0);
        self
    }
}

/// A draft of a voucher. Its rows are complete, so no VAT code stands on them: it would have VAT computed.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct NewVoucherDraft {
    pub(super) voucher_date: String,
    pub(super) voucher_text: String,
    pub(super) rows: Vec<NewVoucherRow>,
}

/// A row of a draft of a voucher.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct NewVoucherRow {
    pub(super) account_number: u16,
    /// Kronor.
    pub(super) debit_amount: Exact,
    /// Kronor.
    pub(super) credit_amount: Exact,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) transaction_text: Option<String>,
}

/// Something that Visma names by an id which only it knows, named by what it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Register {
    /// The terms of payment with the fewest days.
    ShortestTerms,
    /// The terms of payment by card, or else of another kind that is paid at once.
    CashTerms,
    /// The article account coding of a VAT rate in percent and a sales account, and the unit for pieces.
    Coding { percent: u32, account: u16 },
}

/// A write as it is hashed, stored as an intent and sent: one text for all three.
#[derive(Serialize, Deserialize)]
pub(super) struct Write {
    method: String,
    pub(super) path: String,
    /// What is looked up and put into the body when it is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) needs: Option<Register>,
    /// Whether the invoice keeps its draft's date.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) keeps_date: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) body: Option<Box<RawValue>>,
}

impl Write {
    /// A document to be created.
    pub(super) fn post(path: impl Into<String>, document: &impl Serialize) -> Result<Self, Error> {
        Self::of_document(&Method::POST, path.into(), document)
    }

    /// A document that takes another's place.
    pub(super) fn put(path: impl Into<String>, document: &impl Serialize) -> Result<Self, Error> {
        Self::of_document(&Method::PUT, path.into(), document)
    }

    fn of_document(method: &Method, path: String, document: &impl Serialize) -> Result<Self, Error> {
        let body = serde_json::value::to_raw_value(document).map_err(unwritable)?;
        Ok(Self { method: method.to_string(), path, needs: None, keeps_date: false, body: Some(body) })
    }

    /// A write without body.
    pub(super) fn action(path: String) -> Self {
        Self { method: Method::POST.to_string(), path, needs: None, keeps_date: false, body: None }
    }

    /// The same with something that is looked up when it is sent.
    pub(super) fn needing(self, register: Register) -> Self {
        Self { needs: Some(register), ..self }
    }

    /// The same, keeping the draft's date.
    pub(super) fn keeping_date(self) -> Self {
        Self { keeps_date: true, ..self }
    }

    /// The method.
    pub(super) fn method(&self) -> Method {
        if self.method == "POST" { Method::POST } else { Method::PUT }
    }

    /// The body with these ids added.
    pub(super) fn body_with(&self, ids: &[(&'static str, String)]) -> Result<Body, Error> {
        let Some(body) = &self.body else { return Ok(Body::None) };
        if ids.is_empty() {
            return Ok(Body::Json(body.get().to_owned()));
        }
        let mut members: std::collections::BTreeMap<&str, &RawValue> =
            serde_json::from_str(body.get()).map_err(unwritable)?;
        let mut values = Vec::new();
        for (name, id) in ids {
            values.push((*name, serde_json::value::to_raw_value(id).map_err(unwritable)?));
        }
        members.extend(values.iter().map(|(name, value)| (*name, value.as_ref())));
        serde_json::to_string(&members).map(Body::Json).map_err(unwritable)
    }

    /// The intent of a step to send this.
    pub(super) fn intent(
        &self,
        step: &StepName,
        reference: String,
        may_exist: bool,
    ) -> Result<Intent, Error> {
        let request = serde_json::to_string(self).map_err(unwritable)?;
        Ok(Intent { step: step.clone(), reference, request, may_exist, replaces: false })
    }

    /// Reads back what an intent says is to be sent.
    pub(super) fn of(intent: &Intent) -> Result<Self, Error> {
        serde_json::from_str(&intent.request).map_err(unwritable)
    }
}

fn unwritable(_: serde_json::Error) -> Error {
    reasons::unwritable("Visma")
}
