//! Reading registers back: what is asked for, what refusals teach, and what odd rows become.

use bokbro_app::error::Error;
use bokbro_app::ports::{Contents, Entry, Register, RegisterPage, Registers as _, Span};
use jiff::civil::date;

use super::office::{REFERENCE, kr, office, refused};
use super::{Reply, json};

const FIRST: &str = "&$page=1";

/// A page of a list: how many pages and documents there are, and its rows.
fn page(pages: u32, total: u32, rows: &[&str]) -> Reply {
    let rows = rows.join(",");
    json(
        200,
        &format!(
            r#"{{"Meta":{{"CurrentPage":1,"PageSize":1000,"TotalNumberOfPages":{pages},"TotalNumberOfResults":{total},
            "ServerTimeUtc":"2026-11-20T12:00:00Z"}},"Data":[{rows}]}}"#
        ),
    )
}

fn since() -> Span {
    Span::Since("2026-07-01T00:00:30.7Z".parse().unwrap())
}

fn days() -> Span {
    Span::Days(date(2026, 1, 1), date(2026, 1, 31))
}

async fn entries(register: Register, span: Span, rows: &[&str]) -> Vec<Entry> {
    let office = office([page(1, 1, rows)]);
    office.visma.page(&office.access, register, span, 1).await.unwrap().entries
}

#[tokio::test]
async fn a_page_is_asked_for_in_an_order_that_holds_still() {
    let (customers, invoices) = (Register::Customers, Register::Invoices);
    let by_id = "$orderby=Id&";
    let by_number = "$orderby=InvoiceNumber&";
    let of_days =
        "$filter=InvoiceDate ge 2025-12-31T00:00:00.00Z and InvoiceDate le 2026-02-01T00:00:00.00Z&";
    for (register, span, number, asked) in [
        (customers, Span::All, 1, format!("customers?$pagesize=1000&{by_id}$page=1")),
        (
            customers,
            since(),
            2,
            format!("customers?$pagesize=1000&$filter=ChangedUtc ge 2026-07-01T00:00:30.00Z&{by_id}$page=2"),
        ),
        (customers, days(), 1, format!("customers?$pagesize=1000&{by_id}$page=1")),
        (invoices, Span::All, 3, format!("customerinvoices?$pagesize=1000&{by_number}$page=3")),
        (
            invoices,
            since(),
            1,
            format!(
                "customerinvoices?$pagesize=1000&modifiedSinceUtc=2026-07-01T00:00:30.00Z&{by_number}$page=1"
            ),
        ),
        (invoices, days(), 1, format!("customerinvoices?$pagesize=1000&{of_days}{by_number}$page=1")),
    ] {
        let office = office([page(3, 2_200, &[])]);
        let read = office.visma.page(&office.access, register, span, number).await.unwrap();
        assert_eq!(office.script.lines(), [format!("GET /v2/{asked}")]);
        assert_eq!(read, RegisterPage { entries: vec![], total: Some(2_200), more: number < 3 });
    }
}

#[tokio::test]
async fn what_is_refused_is_not_asked_for_again() {
    let (customers, invoices) = (Register::Customers, Register::Invoices);
    let refusal = || refused(400, 6000);
    // Each way in turn, and then that of the first page alone.
    for (register, span, refusals, last) in [
        (customers, Span::All, 1, "customers?$pagesize=1000"),
        (customers, since(), 1, "customers?$pagesize=1000&$filter=ChangedUtc ge 2026-07-01T00:00:30.00Z"),
        (customers, since(), 2, "customers?$pagesize=1000&$orderby=Id"),
        (customers, since(), 3, "customers?$pagesize=1000"),
        (invoices, since(), 1, "customerinvoices?$pagesize=1000&modifiedSinceUtc=2026-07-01T00:00:30.00Z"),
        (invoices, days(), 2, "customerinvoices?$pagesize=1000&$orderby=InvoiceNumber"),
        (invoices, days(), 3, "customerinvoices?$pagesize=1000"),
    ] {
        let replies = (0..refusals).map(|_| refusal()).chain([page(2, 1, &[]), page(2, 1, &[])]);
        let office = office(replies);
        for number in [1, 2] {
            let read = office.visma.page(&office.access, register, span, number).await.unwrap();
            assert_eq!(read.more, number < 2);
        }
        let lines = office.script.lines();
        assert_eq!((lines.len(), office.script.left()), (refusals + 2, 0));
        assert_eq!(lines[refusals], format!("GET /v2/{last}{FIRST}"));
        assert_eq!(lines[refusals + 1], format!("GET /v2/{last}&$page=2"));
    }
    // Changes are never read without the list's own parameter.
    let office = office([refusal(), refusal()]);
    let error = office.visma.page(&office.access, invoices, since(), 1).await.unwrap_err();
    assert_eq!(error.code(), "visma_6000");
}

#[tokio::test]
async fn what_the_list_did_not_filter_is_filtered_here() {
    let changed = |at: &str| format!(r#"{{"Id":"{at}","ChangedUtc":"{at}"}}"#);
    let rows = ["2026-07-01T00:00:29Z", "2026-07-01T00:00:30Z", "2026-07-01T00:00:31.5"].map(changed);
    let rows: Vec<&str> = rows.iter().map(String::as_str).chain([r#"{"Id":"x"}"#]).collect();
    let read = entries(Register::Customers, since(), &rows).await;
    assert_eq!(read.len(), 3, "{read:?}");
    let of = |day: &str| format!(r#"{{"Id":"{day}","InvoiceDate":"{day}T00:00:00"}}"#);
    let rows = ["2025-12-31", "2026-01-01", "2026-01-31", "2026-02-01"].map(of);
    let rows: Vec<&str> = rows.iter().map(String::as_str).chain([r#"{"Id":"x"}"#]).collect();
    let read = entries(Register::Invoices, days(), &rows).await;
    let ids: Vec<&str> = read.iter().map(|entry| entry.external_id.as_str()).collect();
    assert_eq!(ids, ["2026-01-01", "2026-01-31", "x"]);
}

#[tokio::test]
async fn a_customer_is_read_as_it_comes() {
    let row = r#"{"Id":"0F5D-1","CustomerNumber":"7","CorporateIdentityNumber":"556677-8899","EmailAddress":" ASA@example.se ",
        "IsActive":false,"ChangedUtc":"2026-11-20T12:00:00Z"}"#;
    let contents = Contents::Customer {
        organisation_number: Some("5566778899".to_owned()),
        email: Some("asa@example.se".to_owned()),
        active: false,
    };
    let whole = Entry {
        external_id: "0f5d-1".to_owned(),
        number: "7".to_owned(),
        changed_at: Some("2026-11-20T12:00:00Z".parse().unwrap()),
        contents,
    };
    assert_eq!(entries(Register::Customers, Span::All, &[row]).await, [whole]);
    // The other casing, and hardly anything in it.
    let row = r#"{"id":"a","customerNumber":"","emailAddress":null,"changedUtc":"soon"}"#;
    let contents = Contents::Customer { organisation_number: None, email: None, active: true };
    let bare = Entry { external_id: "a".to_owned(), number: "a".to_owned(), changed_at: None, contents };
    assert_eq!(entries(Register::Customers, Span::All, &[row]).await, [bare]);
}

#[tokio::test]
async fn an_invoice_is_read_as_it_comes() {
    let row = format!(
        r#"{{"Id":"AB","InvoiceNumber":31,"CustomerId":"CD","CustomerNumber":"7","CurrencyCode":"SEK",
        "InvoiceDate":"2026-11-20T00:00:00","TotalAmountInvoiceCurrency":747.0000001,"RemainingAmountInvoiceCurrency":0.0,
        "PaymentDate":"2026-11-21T00:00:00","VoucherId":"v","ModifiedUtc":"2026-11-20T12:00:00","CreditedBy":[],
        "OurReference":"mine","Rows":[{{"Text":"Olja (30 ml)"}},{{"Text":"Order 1753-1001 ({REFERENCE})"}}]}}"#
    );
    let contents = Contents::Invoice {
        reference: Some(REFERENCE.to_owned()),
        customer_id: Some("cd".to_owned()),
        customer_number: Some("7".to_owned()),
        date: Some(date(2026, 11, 20)),
        total: Some(kr("747.00")),
        balance: Some(kr("0.00")),
        booked: Some(true),
        canceled: false,
        credited: false,
        paid_on: Some(date(2026, 11, 21)),
    };
    let whole = Entry {
        external_id: "ab".to_owned(),
        number: "31".to_owned(),
        changed_at: Some("2026-11-20T12:00:00Z".parse().unwrap()),
        contents,
    };
    assert_eq!(entries(Register::Invoices, Span::All, &[&row]).await, [whole]);
    let nothing = Contents::Invoice {
        reference: None,
        customer_id: None,
        customer_number: None,
        date: None,
        total: None,
        balance: None,
        booked: None,
        canceled: false,
        credited: false,
        paid_on: None,
    };
    for row in [
        r#"{"Id":"a"}"#,
        // What people may write themselves is no proof, and a payment of a part is not the last.
        r#"{"Id":"a","OurReference":"ord_01ARZ3NDEKTSV4RRFFQ69G5FAV","PaymentDate":"2026-11-21T00:00:00","Rows":null}"#,
        r#"{"Id":"a","Rows":[{"Text":"Order 7"},{"Text":"Order 7 ()"},{"Text":"Order 7 (rea i dag)"},{"Text":null}]}"#,
        r#"{"Id":"a","CurrencyCode":"XAU","TotalAmountInvoiceCurrency":1,"RemainingAmountInvoiceCurrency":1}"#,
        r#"{"Id":"a","InvoiceDate":"0001-01-01T00:00:00","CreditedBy":null}"#,
    ] {
        assert_eq!(entries(Register::Invoices, Span::All, &[row]).await[0].contents, nothing, "{row}");
    }
}

#[tokio::test]
async fn a_credit_invoice_is_negative_whatever_its_sign() {
    for (total, left) in [("-747", "-747"), ("747.0", "747"), ("-747", "0")] {
        let row = format!(
            r#"{{"Id":"a","IsCreditInvoice":true,"TotalAmountInvoiceCurrency":{total},"RemainingAmountInvoiceCurrency":{left}}}"#
        );
        let read = entries(Register::Invoices, Span::All, &[&row]).await;
        let Contents::Invoice { total, balance, .. } = read[0].contents else { panic!("{read:?}") };
        assert_eq!(total, Some(kr("-747.00")));
        assert_eq!(balance, Some(if left == "0" { kr("0.00") } else { kr("-747.00") }));
    }
    let row = r#"{"Id":"a","CreditedBy":[{"CreditInvoiceId":"b"}]}"#;
    let read = entries(Register::Invoices, Span::All, &[row]).await;
    assert!(matches!(read[0].contents, Contents::Invoice { credited: true, .. }));
}

#[tokio::test]
async fn one_entry_is_read_by_its_id() {
    for (register, path) in [(Register::Customers, "customers"), (Register::Invoices, "customerinvoices")] {
        for (status, code) in [(400, 3000), (404, 3000)] {
            let gone = office([refused(status, code)]);
            assert_eq!(gone.visma.entry(&gone.access, register, "a").await.unwrap(), None);
            assert_eq!(gone.script.lines(), [format!("GET /v2/{path}/a")]);
        }
        let there = office([json(200, r#"{"Id":"A","ModifiedUtc":"2026-11-20T12:00:00Z"}"#)]);
        let found = there.visma.entry(&there.access, register, "a").await.unwrap().unwrap();
        assert_eq!(found.external_id, "a");
        let gateway = office([json(404, "<html>")]);
        let error = gateway.visma.entry(&gateway.access, register, "a").await.unwrap_err();
        assert_eq!(error.code(), "provider_unavailable");
    }
}

#[tokio::test]
async fn nothing_that_cannot_be_read_is_passed_over() {
    let read = async |reply: Reply| -> Result<RegisterPage, Error> {
        let office = office([reply]);
        office.visma.page(&office.access, Register::Invoices, Span::All, 1).await
    };
    for (reply, code) in [
        (page(1, 1, &[r#"{"InvoiceNumber":31}"#]), "provider_unavailable"),
        (page(1, 1, &[r#"{"Id":{}}"#]), "provider_unavailable"),
        (json(200, r#"{"Data":[]}"#), "provider_unavailable"),
        (json(200, r#"{"Meta":{"TotalNumberOfPages":1}}"#), "provider_unavailable"),
        (json(200, "<html>"), "provider_unavailable"),
        (refused(400, 5000), "provider_unavailable"),
        (refused(403, 4002), "needs_consent"),
        (refused(403, 4006), "needs_consent"),
        (refused(400, 2000), "visma_2000"),
    ] {
        let error = read(reply).await.unwrap_err();
        assert_eq!(error.code(), code, "{error}");
    }
}
