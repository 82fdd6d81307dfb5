//! Names for what the ledger programs number: ids differ from run to run, names do not.

use serde_json::Value;

/// What an id stands for, by the collection that shows it and the member that tells one from the other there.
const NAMED: [(&str, &str, &str); 5] = [
    ("/v2/termsofpayments", "terms of payment", "Name"),
    ("/v2/articleaccountcodings", "coding", "Name"),
    ("/v2/units", "unit", "Name"),
    ("/v2/bankaccounts", "bank account", "LedgerAccountNumber"),
    ("/v2/articles", "article", "Number"),
];
/// The same where there is one as a rule; others are counted.
const COUNTED: [(&str, &str); 4] = [
    ("/v2/customers", "customer id"),
    ("/v2/customerinvoicedrafts", "draft id"),
    ("/v2/customerinvoices", "invoice id"),
    ("/v2/voucherdrafts", "voucher draft id"),
];

/// Ids and their names.
#[derive(Default)]
pub(super) struct Names(Vec<(String, String)>);

impl Names {
    /// Names an id; a name that is taken gets a number.
    pub(super) fn add(&mut self, id: &str, name: &str) {
        if id.is_empty() || self.0.iter().any(|(known, _)| known == id) {
            return;
        }
        let alike = |wanted: &str| self.0.iter().any(|(_, known)| known == wanted);
        let free = (2..).map(|nth| format!("<{name} {nth}>")).find(|wanted| !alike(wanted));
        let first = format!("<{name}>");
        let name = if alike(&first) { free.unwrap_or(first) } else { first };
        self.0.push((id.to_owned(), name));
    }

    /// Names what an answer shows.
    pub(super) fn learn(&mut self, path: &str, answer: &[u8]) {
        let Ok(answer) = serde_json::from_slice::<Value>(answer) else { return };
        // A draft is turned into an invoice under the draft's own address; of a voucher nothing more is asked.
        let path = match path.strip_suffix("/convert") {
            Some(draft) if draft.starts_with("/v2/customerinvoicedrafts") => "/v2/customerinvoices",
            Some(_) => return,
            None => path,
        };
        let shown = match answer["Data"].as_array() {
            Some(list) => list.clone(),
            None => vec![answer],
        };
        let is_of = |collection: &str| {
            path.strip_prefix(collection).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        for one in shown {
            let Some(id) = one["Id"].as_str() else { continue };
            if let Some((_, name, member)) = NAMED.iter().find(|(collection, ..)| is_of(collection)) {
                let label = one[*member].as_str().map_or_else(|| one[*member].to_string(), str::to_owned);
                self.add(id, &format!("{name} {label}"));
            } else if let Some((_, name)) = COUNTED.iter().find(|(collection, _)| is_of(collection)) {
                self.add(id, name);
            }
        }
    }

    /// The text with names in place of ids.
    pub(super) fn named(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, (id, name)| text.replace(id, name))
    }

    /// The text with ids in place of names.
    pub(super) fn resolved(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, (id, name)| text.replace(name, id))
    }
}
