//! Documents as Fortnox takes them, and the requests that carry them. The order of members is the order of fields
//! here, so the same posting always gives the same bytes.

use std::collections::BTreeMap;

use bokbro_app::error::Error;
use bokbro_domain::effect::{Intent, StepName};
use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::kit::{Exact, reasons};

/// A customer to be created.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct NewCustomer {
    pub(super) customer_number: String,
    pub(super) name: String,
    #[serde(rename = "Type")]
    pub(super) kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) organisation_number: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) phone1: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) address1: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) address2: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) zip_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) city: Option<String>,
    pub(super) country_code: &'static str,
    pub(super) currency: &'static str,
    #[serde(rename = "VATType")]
    pub(super) vat_type: &'static str,
}

/// What orders and invoices have in common.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Head {
    pub(super) customer_number: String,
    pub(super) external_invoice_reference1: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) your_order_number: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) customer_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) address1: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) address2: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) zip_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) city: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) phone1: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) delivery_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) delivery_address1: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) delivery_address2: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) delivery_zip_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) delivery_city: Option<String>,
    pub(super) currency: &'static str,
    #[serde(rename = "VATIncluded")]
    pub(super) vat_included: bool,
    /// The company may have a fee as its default, which would add to the total.
    pub(super) administration_fee: u32,
    /// Likewise.
    pub(super) freight: u32,
    /// The customer may have tax reduction as its default, which would take from the total.
    pub(super) tax_reduction_type: &'static str,
}

/// An order to be created.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct NewOrder {
    #[serde(flatten)]
    pub(super) head: Head,
    pub(super) order_date: String,
    pub(super) order_rows: Vec<Row>,
}

/// An invoice to be created.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct NewInvoice {
    #[serde(flatten)]
    pub(super) head: Head,
    pub(super) invoice_type: &'static str,
    /// Of a cash invoice.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) payment_way: Option<&'static str>,
    pub(super) invoice_date: String,
    pub(super) due_date: String,
    /// Printed on the invoice.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) remarks: Option<String>,
    pub(super) invoice_rows: Vec<Row>,
}

/// A row of an order or an invoice.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Row {
    pub(super) description: String,
    /// Orders only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) ordered_quantity: Option<String>,
    pub(super) delivered_quantity: String,
    /// Kronor with tax.
    pub(super) price: Exact,
    #[serde(rename = "VAT")]
    pub(super) vat: u32,
    pub(super) account_number: u16,
    /// The customer may have a discount as its default.
    pub(super) discount: u32,
    pub(super) discount_type: &'static str,
}

/// New dates of an invoice. What is left out stays (`apis/fortnox.md` 2.2); naming the customer, as the schema for new
/// invoices demands, could bring the customer's own addresses back.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct InvoiceDates {
    pub(super) invoice_date: String,
    pub(super) due_date: String,
}

/// A payment to be created.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct NewPayment {
    /// A document number, which may be longer than 32 bits.
    pub(super) invoice_number: u64,
    /// Kronor.
    pub(super) amount: Exact,
    pub(super) amount_currency: Exact,
    pub(super) currency_rate: u32,
    pub(super) payment_date: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) mode_of_payment: Option<String>,
    pub(super) mode_of_payment_account: u16,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) write_offs: Vec<WriteOff>,
}

/// A difference between an invoice and its payment.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct WriteOff {
    /// Kronor that the payment falls short of what was to be paid.
    pub(super) amount: Exact,
    pub(super) account_number: u16,
}

/// A voucher to be created, but for its financial year: Fortnox' id of it is looked up when it is sent.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct NewVoucher {
    pub(super) description: String,
    pub(super) comments: String,
    pub(super) transaction_date: String,
    pub(super) voucher_series: String,
    pub(super) voucher_rows: Vec<NewVoucherRow>,
}

/// A row of a voucher.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct NewVoucherRow {
    pub(super) account: u16,
    /// Kronor.
    pub(super) debit: Exact,
    /// Kronor.
    pub(super) credit: Exact,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) transaction_information: Option<String>,
}

/// A write as it is hashed, stored as an intent and sent: one text for all three.
#[derive(Serialize, Deserialize)]
pub(super) struct Write {
    method: String,
    pub(super) path: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) body: Option<Box<RawValue>>,
}

impl Write {
    /// A write without body.
    pub(super) fn action(path: String) -> Self {
        Self { method: Method::PUT.to_string(), path, body: None }
    }

    /// A write of a document under the name of its kind.
    pub(super) fn document(
        method: Method,
        path: String,
        kind: &str,
        document: &impl Serialize,
    ) -> Result<Self, Error> {
        let wrapped = serde_json::value::to_raw_value(document)
            .and_then(|inner| serde_json::value::to_raw_value(&BTreeMap::from([(kind, inner)])))
            .map_err(unwritable)?;
        Ok(Self { method: method.to_string(), path, body: Some(wrapped) })
    }

    /// The same with a member more in its document.
    pub(super) fn with(self, name: &str, value: &impl Serialize) -> Result<Self, Error> {
        type Members = BTreeMap<String, Box<RawValue>>;
        let Some(body) = &self.body else { return Ok(self) };
        let mut wrapped: BTreeMap<String, Members> = serde_json::from_str(body.get()).map_err(unwritable)?;
        let value = serde_json::value::to_raw_value(value).map_err(unwritable)?;
        for document in wrapped.values_mut() {
            document.insert(name.to_owned(), value.clone());
        }
        let body = serde_json::value::to_raw_value(&wrapped).map_err(unwritable)?;
        Ok(Self { body: Some(body), ..self })
    }

    /// The method.
    pub(super) fn method(&self) -> Method {
        if self.method == "POST" { Method::POST } else { Method::PUT }
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
    reasons::unwritable("Fortnox")
}
