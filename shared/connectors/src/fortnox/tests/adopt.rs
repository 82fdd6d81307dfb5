//! Documents that a person named: taken when they fit, refused with what does not.

use bokbro_app::error::Error;

use super::*;

/// Names a number for a step after these steps are done; gives the number taken or what does not fit.
async fn adopt(
    posting: Posting,
    steps: &[(&str, Receipt)],
    step: &str,
    number: &str,
    reply: Reply,
) -> Result<String, String> {
    let bench = bench([reply]);
    let effector = bench.effector(posting);
    let ledger = done(effector.as_ref(), steps);
    let intent = intent(effector.as_ref(), step, &ledger);
    let adopted = effector.adopt(&intent, number, &ledger).await;
    match adopted {
        Ok(receipt) => Ok(receipt.external_id),
        Err(Error::Parked(reason)) => Err(format!("{}: {}", reason.code, reason.message)),
        Err(other) => panic!("{other:?}"),
    }
}

fn customer() -> [(&'static str, Receipt); 1] {
    [("customer", receipt(OWN_NUMBER, &[]))]
}

fn document(kind: &str, members: &str) -> Reply {
    json(200, &format!(r#"{{"{kind}":{{{members}}}}}"#))
}

#[track_caller]
fn refused(adopted: Result<String, String>, what: &str) {
    let why = adopted.unwrap_err();
    assert!(why.contains(what), "{why:?} does not say {what:?}");
}

#[tokio::test]
async fn a_customer_must_be_the_buyer() {
    let named = |members: &str| {
        let reply = document("Customer", members);
        async move { adopt(posting(), &[], "customer", "12", reply).await }
    };
    let same = named(r#""CustomerNumber":"12","Active":true,"Email":" ASA@example.se""#).await;
    assert_eq!(same.unwrap(), "12");
    for other in [
        r#""CustomerNumber":"12","Active":true,"Email":"bo@example.se""#,
        r#""CustomerNumber":"12","Active":true"#,
        r#""CustomerNumber":"12","Active":false,"Email":"asa@example.se""#,
    ] {
        refused(named(other).await, "document_does_not_fit: customer 12 in Fortnox");
    }
    refused(adopt(posting(), &[], "customer", "12", not_found(2_000_433)).await, "is not there");
}

#[tokio::test]
async fn a_company_is_known_by_its_organization_number_alone() {
    let mut company = posting();
    company.customer.kind = CustomerKind::Company;
    company.keys.email = None;
    company.keys.organisation_number = Some("5566778899".to_owned());
    let reply =
        document("Customer", r#""CustomerNumber":"12","Active":true,"OrganisationNumber":"556677-8899""#);
    assert_eq!(adopt(company, &[], "customer", "12", reply).await.unwrap(), "12");
}

#[tokio::test]
async fn an_order_must_carry_the_reference() {
    let named = |members: String| {
        let reply = document("Order", &members);
        async move { adopt(by_order(), &customer(), "order", "7", reply).await }
    };
    let ours = format!(r#""DocumentNumber":"7","ExternalInvoiceReference1":"{REFERENCE}""#);
    assert_eq!(named(ours.clone()).await.unwrap(), "7");
    refused(named(format!(r#"{ours},"Cancelled":true"#)).await, "was canceled");
    refused(named(r#""DocumentNumber":"7""#.to_owned()).await, REFERENCE);
}

#[tokio::test]
async fn an_invoice_must_carry_the_reference_and_be_on_the_order_s_total() {
    let named = |members: String| {
        let reply = document("Invoice", &members);
        async move { adopt(posting(), &customer(), "invoice", "31", reply).await }
    };
    let of = |reference: &str, total: &str| {
        format!(
            r#""DocumentNumber":"31","ExternalInvoiceReference1":"{reference}","Total":{total},"TotalVAT":149.4,"RoundOff":0"#
        )
    };
    assert_eq!(named(of(REFERENCE, "747.0")).await.unwrap(), "31");
    refused(named(of("ord_01ARZ3NDEKTSV4RRFFQ69G5FAW", "747.0")).await, "does not carry the reference");
    refused(named(of(REFERENCE, "700.0")).await, "totals_differ");
    refused(named(format!(r#"{},"Cancelled":true"#, of(REFERENCE, "747.0"))).await, "was canceled");
}

#[tokio::test]
async fn a_payment_must_be_of_the_invoice_and_on_the_amount() {
    let steps = || [customer()[0].clone(), ("invoice", invoice("747.00", "149.40", "0.00"))];
    let named = |members: &str| {
        let reply = document("InvoicePayment", members);
        async move { adopt(posting(), &steps(), "payment", "5", reply).await }
    };
    // Another day and another account are fine: whoever named it has seen them.
    let by_hand = r#""Number":"5","InvoiceNumber":31,"Amount":747,"PaymentDate":"2026-11-25","ModeOfPaymentAccount":1910"#;
    assert_eq!(named(by_hand).await.unwrap(), "5");
    refused(named(r#""Number":"5","InvoiceNumber":32,"Amount":747"#).await, "is not of invoice 31");
    refused(named(r#""Number":"5","InvoiceNumber":31,"Amount":746"#).await, "is not on 747.00 kr");
}

#[tokio::test]
async fn a_booking_is_of_the_very_document() {
    let steps = [customer()[0].clone(), ("invoice", invoice("747.00", "149.40", "0.00"))];
    let members = |booked: bool| {
        format!(r#""DocumentNumber":"31","Total":747.0,"TotalVAT":149.4,"RoundOff":0,"Booked":{booked}"#)
    };
    let booked = adopt(posting(), &steps, "bookkeep_invoice", "31", document("Invoice", &members(true)));
    assert_eq!(booked.await.unwrap(), "31");
    let not = adopt(posting(), &steps, "bookkeep_invoice", "31", document("Invoice", &members(false)));
    refused(not.await, "is not booked");
    let other = adopt(posting(), &steps, "bookkeep_invoice", "32", not_found(2_000_434));
    refused(other.await, "is not the order's, which is 31");
}
