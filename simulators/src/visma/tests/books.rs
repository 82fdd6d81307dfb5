//! What becomes of customers, drafts, invoices and payments.

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::*;

/// A simulator, a token that may do everything, and what a first invoice needs.
pub(super) struct Office {
    pub(super) bench: Bench,
    token: String,
    pub(super) customer: String,
    pub(super) article: String,
    pub(super) bank_account: String,
}

impl Office {
    pub(super) async fn start() -> Self {
        let bench = Bench::start().await;
        let token = bench.full_token().await;
        let mut office = Self {
            bench,
            token,
            customer: String::new(),
            article: String::new(),
            bank_account: String::new(),
        };
        let customer = office.customer("7", true).await;
        office.customer = office.created("/customers", customer).await;
        let article = office.article("OIL-30", 25).await;
        office.article = office.created("/articles", article).await;
        let accounts = office.data("/bankaccounts").await;
        let claim = accounts.iter().find(|account| account["LedgerAccountNumber"] == 1580).unwrap();
        office.bank_account = text(&claim["Id"]);
        office
    }

    pub(super) async fn call(&self, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
        self.bench.call(&self.token, method, path, body.as_ref()).await
    }

    pub(super) async fn data(&self, path: &str) -> Vec<Value> {
        let (status, body) = self.call("GET", path, None).await;
        assert_eq!(status, 200, "{path}: {body}");
        body["Data"].as_array().unwrap().clone()
    }

    /// Creates something and gives its id.
    pub(super) async fn created(&self, path: &str, body: Value) -> String {
        let (status, body) = self.call("POST", path, Some(body)).await;
        assert_eq!(status, 201, "{path}: {body}");
        text(&body["Id"])
    }

    /// Status and code of a refusal.
    pub(super) async fn refusal(&self, method: &str, path: &str, body: Option<Value>) -> (u16, u64) {
        let (status, body) = self.call(method, path, body).await;
        (status, body["ErrorCode"].as_u64().unwrap_or_default())
    }

    pub(super) async fn customer(&self, number: &str, private: bool) -> Value {
        let terms = self.data("/termsofpayments").await;
        json!({"CustomerNumber": number, "Name": "Åsa Öberg", "InvoiceCity": "Stockholm", "InvoicePostalCode": "11122",
            "EmailAddress": "asa@example.se", "IsActive": true, "IsPrivatePerson": private,
            "TermsOfPaymentId": terms[0]["Id"]})
    }

    pub(super) async fn article(&self, number: &str, percent: u32) -> Value {
        let codings = self.data("/articleaccountcodings").await;
        let coding =
            codings.iter().find(|coding| coding["VatRatePercent"] == percent && coding["Type"] == "Goods");
        let units = self.data("/units").await;
        json!({"Number": number, "Name": "Olja", "CodingId": coding.unwrap()["Id"], "UnitId": units[0]["Id"], "IsActive": true})
    }

    /// Two of 349 kronor with a text row.
    pub(super) fn draft(&self, customer: &str, price: Value) -> Value {
        json!({"CustomerId": customer, "EuThirdParty": false, "RotReducedInvoicingType": 0, "Rows": [
            {"IsTextRow": true, "ReversedConstructionServicesVatFree": false, "Text": "Order O'1 (ord_1)"},
            {"IsTextRow": false, "ReversedConstructionServicesVatFree": false, "ArticleId": self.article,
             "UnitPrice": price, "Quantity": 2}]})
    }

    /// A booked invoice over 698 kronor; gives its id.
    pub(super) async fn invoice(&self) -> String {
        let draft = self.created("/customerinvoicedrafts", self.draft(&self.customer, json!(349))).await;
        self.created(&format!("/customerinvoicedrafts/{draft}/convert"), json!({})).await
    }

    pub(super) fn payment(&self, amount: Value, kind: u32) -> Value {
        json!({"CompanyBankAccountId": self.bank_account, "PaymentAmount": amount, "PaymentCurrency": "SEK",
            "PaymentType": kind, "Reference": "ord_1"})
    }

    pub(super) fn switch(&self, switches: &Value) {
        self.bench.sim.configure(switches).unwrap();
    }

    fn held(&self, kind: &str) -> Vec<Value> {
        self.bench.sim.books(FIRST)[kind].as_array().unwrap().clone()
    }
}

#[tokio::test]
async fn a_draft_becomes_one_invoice() {
    let office = Office::start().await;
    let body = office.draft(&office.customer, json!(349));
    let (status, draft) = office.call("POST", "/customerinvoicedrafts", Some(body)).await;
    assert_eq!((status, &draft["TotalAmount"], &draft["TotalVatAmount"]), (201, &json!(698), &json!(139.6)));
    let path = format!("/customerinvoicedrafts/{}", text(&draft["Id"]));
    let convert = format!("{path}/convert");
    let wrong = json!({"TotalAmountInvoiceCurrency": 699});
    assert_eq!(office.refusal("POST", &convert, Some(wrong)).await, (400, 2000));
    let right = json!({"TotalAmountInvoiceCurrency": 698, "TotalVatAmountInvoiceCurrency": 139.6});
    let (status, invoice) = office.call("POST", &convert, Some(right)).await;
    assert_eq!(
        (status, &invoice["InvoiceNumber"], &invoice["CreatedFromDraftId"]),
        (201, &json!(1), &draft["Id"])
    );
    assert_eq!(office.refusal("POST", &convert, None).await, (400, 3000));
    assert_eq!(office.refusal("GET", &path, None).await, (400, 3000));
    let filter = "/customerinvoices?$filter=Rows/any(c:%20contains(c/Text,'O''1%20(ord_1)'))";
    assert_eq!(office.data(filter).await.len(), 1);
    let rows = office.held("vouchers")[0]["Rows"].as_array().unwrap().clone();
    let amounts: Vec<String> = rows
        .iter()
        .map(|row| format!("{} {} {}", row["AccountNumber"], row["DebitAmount"], row["CreditAmount"]))
        .collect();
    assert_eq!(amounts, ["1510 698 0", "2611 0 139.6", "3001 0 558.4"]);
}

#[tokio::test]
async fn companies_see_prices_without_vat_and_private_persons_as_the_company_chose() {
    let office = Office::start().await;
    let company = office.customer("8", false).await;
    let company = office.created("/customers", company).await;
    for (customer, excl, includes, total) in [
        (&office.customer, false, true, 698.0),
        (&office.customer, true, false, 872.5),
        (&company, false, false, 872.5),
    ] {
        office.switch(&json!({"prices_excl_vat": excl}));
        let (_, draft) =
            office.call("POST", "/customerinvoicedrafts", Some(office.draft(customer, json!(349)))).await;
        assert_eq!(draft["IncludesVat"], includes);
        assert_eq!(draft["TotalAmount"].as_f64(), Some(total));
    }
}

#[tokio::test]
async fn a_payment_lowers_what_remains_and_is_not_taken_twice() {
    let office = Office::start().await;
    let invoice = office.invoice().await;
    let payments = format!("/customerinvoices/{invoice}/payments");
    let pay = async |amount: Value, kind| {
        office.refusal("POST", &payments, Some(office.payment(amount, kind))).await
    };
    assert_eq!(pay(json!(700), 2).await, (400, 2000));
    assert_eq!(pay(json!(698), 1).await, (400, 2000));
    assert_eq!(pay(json!(98), 1).await, (201, 0));
    let (_, shown) = office.call("GET", &format!("/customerinvoices/{invoice}"), None).await;
    assert_eq!((&shown["RemainingAmountInvoiceCurrency"], &shown["PaymentStatus"]), (&json!(600), &json!(1)));
    assert_eq!(pay(json!(599.6), 3).await, (201, 0));
    assert_eq!(pay(json!(600), 2).await, (400, 4002));
    let mut tomorrow = office.payment(json!(1), 1);
    let date = office.bench.sim.clock.now() + SignedDuration::from_hours(48);
    tomorrow["PaymentDate"] = json!(date.strftime("%Y-%m-%d").to_string());
    assert_eq!(office.refusal("POST", &payments, Some(tomorrow)).await, (400, 4023));
    let held = office.held("payments");
    assert_eq!((held.len(), &held[0]["LedgerAccountNumber"]), (2, &json!(1580)));
    assert_eq!(office.held("vouchers").len(), 3);
}

#[tokio::test]
async fn an_unpaid_invoice_can_be_voided_once() {
    let office = Office::start().await;
    let void = format!("/customerinvoices/{}/void", office.invoice().await);
    assert_eq!(office.refusal("POST", &void, None).await, (200, 0));
    assert_eq!(office.refusal("POST", &void, None).await, (400, 4002));
    let invoices = office.held("invoices");
    assert_eq!((invoices.len(), &invoices[1]["TotalAmount"]), (2, &json!(-698)));
    assert_eq!(invoices[0]["RemainingAmount"], json!(0));
}

#[tokio::test]
async fn a_credit_invoice_turns_the_books_around() {
    let office = Office::start().await;
    let row = json!({"ArticleId": office.article, "UnitPrice": 349, "Quantity": 1});
    let credit = json!({"CustomerId": office.customer, "EuThirdParty": false, "RotReducedInvoicingType": 0,
        "IsCreditInvoice": true, "Rows": [row]});
    let (status, invoice) = office.call("POST", "/customerinvoices", Some(credit)).await;
    assert_eq!((status, &invoice["TotalAmountInvoiceCurrency"]), (201, &json!(-349)));
    let rows = office.held("vouchers")[0]["Rows"].as_array().unwrap().clone();
    let claim = rows.iter().find(|row| row["AccountNumber"] == 1510).unwrap();
    assert_eq!((&claim["DebitAmount"], &claim["CreditAmount"]), (&json!(0), &json!(349)));
}

#[tokio::test]
async fn credit_invoices_go_the_way_that_the_switches_say() {
    let office = Office::start().await;
    let credit = |quantity: i32| {
        json!({"CustomerId": office.customer, "EuThirdParty": false, "RotReducedInvoicingType": 0, "IsCreditInvoice": true,
            "Rows": [{"ArticleId": office.article, "UnitPrice": 349, "Quantity": quantity}]})
    };
    for (rows, payments, quantity, taken, refused) in
        [("turned", "negative", 1, -349, 349), ("as_written", "positive", -1, 349, -349)]
    {
        office.switch(&json!({"credit_rows": rows, "credit_payments": payments}));
        let invoice = office.created("/customerinvoices", credit(quantity)).await;
        let path = format!("/customerinvoices/{invoice}/payments");
        let pay =
            async |amount: i32| office.refusal("POST", &path, Some(office.payment(json!(amount), 2))).await;
        assert_eq!(pay(refused).await, (400, 2000), "{rows}");
        assert_eq!(pay(taken).await, (201, 0), "{rows}");
        let (_, shown) = office.call("GET", &format!("/customerinvoices/{invoice}"), None).await;
        assert_eq!((&shown["TotalAmount"], &shown["RemainingAmount"]), (&json!(-349), &json!(0)));
        let rows = office.held("vouchers").last().unwrap()["Rows"].clone();
        assert_eq!((&rows[1]["AccountNumber"], &rows[1]["CreditAmount"]), (&json!(1580), &json!(349)));
    }
    office.switch(&json!({"credit_payments": "refused"}));
    let path =
        format!("/customerinvoices/{}/payments", office.created("/customerinvoices", credit(-1)).await);
    assert_eq!(office.refusal("POST", &path, Some(office.payment(json!(-349), 2))).await, (400, 4002));
}

#[tokio::test]
async fn a_person_credits_an_invoice_or_sets_a_credit_off_against_it() {
    let office = Office::start().await;
    let invoice = office.invoice().await;
    for switches in [json!({"credit": 1}), json!({"set_off": [1, 2]})] {
        office.switch(&switches);
    }
    let invoices = office.held("invoices");
    assert_eq!((invoices.len(), &invoices[1]["TotalAmount"]), (2, &json!(-698)));
    let credited = json!({"CreditInvoiceId": invoices[1]["Id"]});
    assert_eq!(invoices[0]["CreditedBy"], json!([credited, credited]));
    assert_eq!(invoices[1]["ReferringInvoiceId"], json!(invoice));
    assert!(office.bench.sim.configure(&json!({"credit": 7})).is_err());
}

#[tokio::test]
async fn nothing_is_booked_in_a_locked_or_missing_period() {
    let office = Office::start().await;
    let today = super::super::call::day_in_sweden(office.bench.sim.clock.now()).to_string();
    let draft = office.created("/customerinvoicedrafts", office.draft(&office.customer, json!(349))).await;
    let convert = format!("/customerinvoicedrafts/{draft}/convert");
    for (switch, code) in [
        (json!({"locked_until": today}), 4026),
        (json!({"locked_until": "", "lock_year": today}), 4038),
        (json!({"remove_year": today}), 3001),
    ] {
        office.switch(&switch);
        assert_eq!(office.refusal("POST", &convert, None).await, (400, code));
    }
    office.switch(&json!({"open_year": today}));
    assert_eq!(office.refusal("POST", &convert, None).await, (201, 0));
}

#[tokio::test]
async fn numbers_are_unique_and_used_customers_stay() {
    let office = Office::start().await;
    let customer = office.customer("7", true).await;
    let article = office.article("OIL-30", 25).await;
    for status in [400, 409] {
        office.switch(&json!({"conflict_status": status}));
        assert_eq!(office.refusal("POST", "/customers", Some(customer.clone())).await, (status, 4000));
        assert_eq!(office.refusal("POST", "/articles", Some(article.clone())).await, (status, 4000));
    }
    office.invoice().await;
    assert_eq!(office.refusal("DELETE", &format!("/customers/{}", office.customer), None).await, (400, 4001));
}

#[tokio::test]
async fn lists_filter_by_what_is_known_page_and_lag() {
    let office = Office::start().await;
    for number in 8..70 {
        let customer = office.customer(&number.to_string(), true).await;
        office.created("/customers", customer).await;
    }
    let (_, first) = office.call("GET", "/customers", None).await;
    let meta = &first["Meta"];
    assert_eq!(
        (&meta["PageSize"], &meta["TotalNumberOfPages"], &meta["TotalNumberOfResults"]),
        (&json!(50), &json!(2), &json!(63))
    );
    assert_eq!(office.data("/customers?$page=2").await.len(), 13);
    assert_eq!(
        office.data("/customers?$pagesize=1000&$select=Id,Name").await[0].as_object().unwrap().len(),
        2
    );
    let sorted = office.data("/customers?$orderby=CustomerNumber%20desc&$pagesize=1").await;
    assert_eq!(sorted[0]["CustomerNumber"], "9");
    assert_eq!(
        office.data("/customers?$filter=EmailAddress%20eq%20'asa@example.se'&$pagesize=100").await.len(),
        63
    );
    for query in ["$pagesize=1001", "$page=0", "$top=5", "$filter=CustomerNumber%20eq%20'7'", "$filter=Name"]
    {
        assert_eq!(office.refusal("GET", &format!("/customers?{query}"), None).await, (400, 6000), "{query}");
    }
    office.switch(&json!({"any_filter": true, "lag_ms": 5000}));
    let late = office.customer("1000", true).await;
    let id = office.created("/customers", late).await;
    let filter = "/customers?$filter=CustomerNumber%20eq%20'1000'";
    assert_eq!(office.data(filter).await.len(), 0);
    assert_eq!(office.call("GET", &format!("/customers/{id}"), None).await.0, 200);
    office.bench.sim.clock.advance(SignedDuration::from_secs(5));
    assert_eq!(office.data(filter).await.len(), 1);
}

#[tokio::test]
async fn the_601st_call_of_an_endpoint_in_a_minute_is_refused() {
    let office = Office::start().await;
    // Two calls were made while the office was set up.
    let made = office.bench.sim.log.calls("GET /v2/units");
    for _ in made..600 {
        assert_eq!(office.call("GET", "/units", None).await.0, 200);
    }
    let (status, body) = office.call("GET", "/units", None).await;
    assert_eq!((status, &body["ErrorCode"]), (429, &json!(4010)));
    assert!(text(&body["DeveloperErrorMessage"]).ends_with("Try again in 60 seconds."));
    assert_eq!(office.call("GET", "/customers", None).await.0, 200);
    office.bench.sim.clock.advance(SignedDuration::from_mins(1));
    assert_eq!(office.call("GET", "/units", None).await.0, 200);
}

#[tokio::test]
async fn vouchers_balance() {
    let office = Office::start().await;
    let row = |account: u32, debit: f64, credit: f64| json!({"AccountNumber": account, "DebitAmount": debit, "CreditAmount": credit});
    let voucher = |rows: Value| Some(json!({"VoucherText": "Öresutjämning", "Rows": rows}));
    let balanced = voucher(json!([row(1580, 10.5, 0.0), row(3001, 0.0, 10.5)]));
    let (status, made) = office.call("POST", "/vouchers", balanced).await;
    assert_eq!((status, &made["NumberAndNumberSeries"]), (201, &json!("A1")));
    let unbalanced = voucher(json!([row(1580, 10.5, 0.0), row(3001, 0.0, 10.49)]));
    assert_eq!(office.refusal("POST", "/vouchers", unbalanced).await, (400, 2000));
    let unknown = voucher(json!([row(9999, 1.0, 0.0), row(3001, 0.0, 1.0)]));
    assert_eq!(office.refusal("POST", "/vouchers", unknown).await, (400, 3002));
}

#[tokio::test]
async fn a_draft_becomes_one_voucher() {
    let office = Office::start().await;
    let row = |account: u32, side: &str, amount: Value| json!({"AccountNumber": account, side: amount});
    let rows = json!([row(1580, "DebitAmount", json!(125)), row(3001, "CreditAmount", json!(125))]);
    let draft = json!({"VoucherText": "Dag (day_1)", "Rows": rows});
    let id = office.created("/voucherdrafts", draft.clone()).await;
    let convert = format!("/voucherdrafts/{id}/convert");
    let (status, voucher) = office.call("POST", &convert, None).await;
    assert_eq!((status, &voucher["VoucherText"]), (201, &json!("Dag (day_1)")));
    assert_eq!(office.call("POST", &convert, None).await.1["ErrorCode"], 3000, "it is gone");
    assert_eq!((office.held("vouchers").len(), office.held("voucher_drafts").len()), (1, 0));
    // What does not balance, or lies in a locked period, stays a draft.
    let odd = json!({"VoucherText": "x", "Rows": [row(1580, "DebitAmount", json!(1))]});
    let odd = office.created("/voucherdrafts", odd).await;
    assert_eq!(
        office.call("POST", &format!("/voucherdrafts/{odd}/convert"), None).await.1["ErrorCode"],
        2000
    );
    let late = office.created("/voucherdrafts", draft).await;
    office.switch(&json!({"locked_until": "2099-12-31"}));
    assert_eq!(
        office.call("POST", &format!("/voucherdrafts/{late}/convert"), None).await.1["ErrorCode"],
        4026
    );
    assert_eq!(office.held("voucher_drafts").len(), 2);
}
