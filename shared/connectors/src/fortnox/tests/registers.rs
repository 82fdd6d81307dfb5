//! Reading registers back: what is asked for, and what odd rows become.

use bokbro_app::error::Error;
use bokbro_app::ports::{Contents, Entry, Register, RegisterPage, Registers as _, Span};
use jiff::civil::date;

use super::*;

/// A page of a list: how many pages and documents there are, and its rows.
fn page(pages: u32, total: u32, kind: &str, rows: &[&str]) -> Reply {
    let rows = rows.join(",");
    json(
        200,
        &format!(
            r#"{{"MetaInformation":{{"@TotalResources":{total},"@TotalPages":{pages},"@CurrentPage":1}},"{kind}":[{rows}]}}"#
        ),
    )
}

/// Reads one page; gives what it holds and what was asked for.
async fn read(
    register: Register,
    span: Span,
    number: u32,
    reply: Reply,
) -> (Result<RegisterPage, Error>, String) {
    let bench = bench([reply]);
    let read = bench.fortnox.page(&bench.access, register, span, number).await;
    assert_eq!((bench.script.left(), bench.script.lines().len()), (0, 1), "one call is one page");
    (read, bench.script.lines().remove(0))
}

async fn entries(register: Register, kind: &str, row: &str) -> Vec<Entry> {
    read(register, Span::All, 1, page(1, 1, kind, &[row])).await.0.unwrap().entries
}

#[tokio::test]
async fn a_page_is_asked_for_in_an_order_that_holds_still() {
    let since = Span::Since("2026-07-01T00:00:30Z".parse().unwrap());
    let days = Span::Days(date(2026, 1, 1), date(2026, 1, 31));
    let (customers, invoices) = (Register::Customers, Register::Invoices);
    let by_customer = "/3/customers?limit=500&sortby=customernumber&sortorder=ascending";
    let by_document = "/3/invoices?limit=500&sortby=documentnumber&sortorder=ascending";
    // A time in UTC, a minute early: Fortnox reads it as that, or as Swedish time, which is earlier still.
    for (register, span, number, asked) in [
        (customers, Span::All, 1, format!("{by_customer}&page=1")),
        (customers, since, 2, format!("{by_customer}&lastmodified=2026-06-30 23:59&page=2")),
        (customers, days, 1, format!("{by_customer}&page=1")),
        (invoices, Span::All, 41, format!("{by_document}&page=41")),
        (invoices, since, 1, format!("{by_document}&lastmodified=2026-06-30 23:59&page=1")),
        (invoices, days, 3, format!("{by_document}&fromdate=2026-01-01&todate=2026-01-31&page=3")),
    ] {
        let kind = if register == customers { "Customers" } else { "Invoices" };
        let (read, line) = read(register, span, number, page(3, 1_200, kind, &[])).await;
        assert_eq!(line, format!("GET {asked}"));
        let read = read.unwrap();
        assert_eq!((read.total, read.more), (Some(1_200), number < 3), "{asked}");
    }
}

#[tokio::test]
async fn an_empty_register_has_no_pages() {
    let (read, _) = read(Register::Invoices, Span::All, 1, page(0, 0, "Invoices", &[])).await;
    assert_eq!(read.unwrap(), RegisterPage { entries: vec![], total: Some(0), more: false });
}

#[tokio::test]
async fn a_customer_s_row_is_read_as_it_comes() {
    let row = r#"{"CustomerNumber":"7","OrganisationNumber":"16556677-8899","Email":" ASA@example.se ","Name":"Å"}"#;
    let contents = Contents::Customer {
        organisation_number: Some("5566778899".to_owned()),
        email: Some("asa@example.se".to_owned()),
        active: true,
    };
    let whole = Entry { external_id: "7".to_owned(), number: "7".to_owned(), changed_at: None, contents };
    assert_eq!(entries(Register::Customers, "Customers", row).await, [whole]);
    for row in [
        r#"{"CustomerNumber":7,"OrganisationNumber":"","Email":null}"#,
        r#"{"CustomerNumber":"7","OrganisationNumber":"API_NORIGHT","Email":"API_NORIGHT"}"#,
        r#"{"CustomerNumber":"7"}"#,
    ] {
        let read = entries(Register::Customers, "Customers", row).await;
        let bare = Contents::Customer { organisation_number: None, email: None, active: true };
        assert_eq!((read[0].external_id.as_str(), &read[0].contents), ("7", &bare), "{row}");
    }
}

/// A row that says nothing but its number.
fn nothing_known() -> Contents {
    Contents::Invoice {
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
    }
}

#[tokio::test]
async fn an_invoice_s_row_is_read_as_it_comes() {
    let row = format!(
        r#"{{"DocumentNumber":"31","ExternalInvoiceReference1":"{REFERENCE}","CustomerNumber":"7","InvoiceDate":"2026-11-20",
        "Currency":"SEK","CurrencyRate":"1","Total":747.0000001,"Balance":-0,"Booked":true,"Cancelled":false,
        "FinalPayDate":"2026-11-21"}}"#
    );
    let contents = Contents::Invoice {
        reference: Some(REFERENCE.to_owned()),
        customer_id: Some("7".to_owned()),
        customer_number: Some("7".to_owned()),
        date: Some(date(2026, 11, 20)),
        total: Some(kr("747.00")),
        balance: Some(kr("0.00")),
        booked: Some(true),
        canceled: false,
        credited: false,
        paid_on: Some(date(2026, 11, 21)),
    };
    let read = entries(Register::Invoices, "Invoices", &row).await;
    assert_eq!(
        (read[0].external_id.as_str(), read[0].number.as_str(), &read[0].contents),
        ("31", "31", &contents)
    );
    for (row, expected) in [
        (r#"{"DocumentNumber":31}"#.to_owned(), nothing_known()),
        (
            r#"{"DocumentNumber":"31","Total":"API_NORIGHT","Balance":"API_NORIGHT","InvoiceDate":"API_NORIGHT",
            "Booked":"API_NORIGHT","CustomerNumber":"API_NORIGHT","ExternalInvoiceReference1":"API_NORIGHT",
            "FinalPayDate":"API_NORIGHT"}"#
                .to_owned(),
            nothing_known(),
        ),
        // In a currency that cannot be read, only the amounts are not known.
        (r#"{"DocumentNumber":"31","Currency":"XAU","Total":1,"Balance":1}"#.to_owned(), nothing_known()),
    ] {
        assert_eq!(entries(Register::Invoices, "Invoices", &row).await[0].contents, expected, "{row}");
    }
    let euro =
        entries(Register::Invoices, "Invoices", r#"{"DocumentNumber":"1","Currency":"EUR","Total":"10.5"}"#)
            .await;
    let Contents::Invoice { total, .. } = euro[0].contents else { panic!("{euro:?}") };
    assert_eq!(total.unwrap().to_string(), "10.50");
    assert_eq!(total.unwrap().currency.as_str(), "EUR");
}

/// An invoice read by its number.
async fn single(members: &str) -> Contents {
    let body = format!(r#"{{"Invoice":{{"DocumentNumber":"31",{members}}}}}"#);
    let bench = bench([json(200, &body)]);
    let found = bench.fortnox.entry(&bench.access, Register::Invoices, "31").await.unwrap().unwrap();
    assert_eq!(bench.script.lines(), ["GET /3/invoices/31"]);
    found.contents
}

#[tokio::test]
async fn a_credit_invoice_does_not_take_itself_back() {
    for (members, expected) in [
        (r#""Credit":"false","CreditInvoiceReference":"0""#, false),
        (r#""Credit":"false","CreditInvoiceReference":"API_NORIGHT""#, false),
        (r#""Credit":"false","CreditInvoiceReference":"32""#, true),
        (r#""Credit":"true","CreditInvoiceReference":"30""#, false),
        (r#""Credit":true,"CreditInvoiceReference":30"#, false),
    ] {
        let Contents::Invoice { credited, .. } = single(members).await else { panic!("no invoice") };
        assert_eq!(credited, expected, "{members}");
    }
}

#[tokio::test]
async fn what_is_deleted_is_gone_and_what_is_inactive_is_told() {
    let gone = bench([not_found(2_000_433)]);
    assert_eq!(gone.fortnox.entry(&gone.access, Register::Customers, "7/8").await.unwrap(), None);
    assert_eq!(gone.script.lines(), ["GET /3/customers/7%2F8"]);
    let inactive = bench([json(200, r#"{"Customer":{"CustomerNumber":"7","Active":false}}"#)]);
    let found = inactive.fortnox.entry(&inactive.access, Register::Customers, "7").await.unwrap().unwrap();
    assert!(matches!(found.contents, Contents::Customer { active: false, .. }));
    // A gateway's 404 tells nothing about the document.
    let gateway = bench([json(404, "<html>")]);
    let error = gateway.fortnox.entry(&gateway.access, Register::Invoices, "7").await.unwrap_err();
    assert_eq!(error.code(), "provider_unavailable");
}

#[tokio::test]
async fn nothing_that_cannot_be_read_is_passed_over() {
    for (reply, code) in [
        (page(1, 1, "Invoices", &[r#"{"Total":1}"#]), "provider_unavailable"),
        (page(1, 1, "Invoices", &[r#"{"DocumentNumber":"API_NORIGHT"}"#]), "provider_unavailable"),
        (page(1, 1, "Invoices", &[r#"{"DocumentNumber":{}}"#]), "provider_unavailable"),
        (json(200, r#"{"Invoices":[]}"#), "provider_unavailable"),
        (json(200, r#"{"MetaInformation":{},"Invoices":[]}"#), "provider_unavailable"),
        (json(200, r#"{"MetaInformation":{"@TotalPages":1}"#), "provider_unavailable"),
        (json(200, "<html>"), "provider_unavailable"),
        (refused(400, 2_000_588), "fortnox_2000588"),
        (refused(400, 2_000_663), "needs_consent"),
        (refused(403, 2_001_101), "needs_consent"),
    ] {
        let error = read(Register::Invoices, Span::All, 1, reply).await.0.unwrap_err();
        assert_eq!(error.code(), code, "{error}");
    }
}

#[tokio::test]
async fn a_page_is_asked_for_again_when_that_can_help() {
    let empty = || page(0, 0, "Customers", &[]);
    for (replies, calls) in [
        (vec![json(500, ""), Reply::NotSent, empty()], 3),
        (vec![Reply::MaybeSent, empty()], 2),
        (vec![Reply::RetryAfter(429, "5".to_owned()), empty()], 2),
        (vec![json(401, r#"{"message":"unauthorized"}"#), empty()], 2),
    ] {
        let bench = bench(replies);
        let read = bench.fortnox.page(&bench.access, Register::Customers, Span::All, 1).await;
        assert_eq!(read.unwrap().total, Some(0));
        assert_eq!(bench.script.lines().len(), calls);
    }
}
