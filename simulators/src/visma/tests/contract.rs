//! Every answer against the provider's published description.

use serde_json::{Value, json};

use super::super::api::operations;
use super::books::Office;
use super::text;
use crate::contract::{OpenApi, specs_dir};

/// Every operation of the simulator once or more, in an order that works, with the status each must have.
async fn walk(office: &Office) -> Vec<(&'static str, String, Option<Value>, u16)> {
    let year = text(&office.data("/fiscalyears").await[1]["Id"]);
    let first = async |path: &str| text(&office.data(path).await[0]["Id"]);
    let customer = office.customer("8", false).await;
    let gone = office.created("/customers", office.customer("9", false).await).await;
    let article = office.article("S", 12).await;
    let draft = office.draft(&office.customer, json!(349.5));
    let to_replace = office.created("/customerinvoicedrafts", draft.clone()).await;
    let to_delete = office.created("/customerinvoicedrafts", draft.clone()).await;
    let to_convert = office.created("/customerinvoicedrafts", draft.clone()).await;
    let (paid, voided) = (office.invoice().await, office.invoice().await);
    let by_hand = json!({"CustomerId": office.customer, "EuThirdParty": false, "RotReducedInvoicingType": 0,
        "Rows": [{"Text": "Hej"}, {"ArticleId": office.article, "UnitPrice": 10, "Quantity": 1}]});
    let rows =
        json!([{"AccountNumber": 1580, "DebitAmount": 10.5}, {"AccountNumber": 3001, "CreditAmount": 10.5}]);
    let voucher = json!({"VoucherText": "x", "VoucherDate": null, "Rows": rows});
    let mut voucher = voucher.as_object().unwrap().clone();
    voucher.remove("VoucherDate");
    let voucher = Value::Object(voucher);
    let made = office.created("/vouchers", voucher.clone()).await;
    let [noted, dropped, booked] = [
        office.created("/voucherdrafts", voucher.clone()).await,
        office.created("/voucherdrafts", voucher.clone()).await,
        office.created("/voucherdrafts", voucher.clone()).await,
    ];
    let totals = json!({"TotalAmountInvoiceCurrency": 699, "TotalVatAmountInvoiceCurrency": 139.8});
    let mut steps = vec![
        ("POST", "/customers".to_owned(), Some(customer.clone()), 201),
        ("POST", "/customers".to_owned(), Some(customer), 400),
        ("PUT", format!("/customers/{}", office.customer), Some(office.customer("7", true).await), 200),
        ("DELETE", format!("/customers/{gone}"), None, 200),
        ("GET", "/customers/404".to_owned(), None, 400),
        ("POST", "/articles".to_owned(), Some(article.clone()), 201),
        ("PUT", format!("/articles/{}", office.article), Some(office.article("OIL-30", 25).await), 200),
        ("POST", "/customerinvoicedrafts".to_owned(), Some(draft.clone()), 201),
        ("GET", format!("/customerinvoicedrafts/{to_replace}"), None, 200),
        ("PUT", format!("/customerinvoicedrafts/{to_replace}"), Some(draft), 200),
        ("DELETE", format!("/customerinvoicedrafts/{to_delete}"), None, 200),
        (
            "POST",
            format!(
                "/customerinvoicedrafts/{to_convert}/convert?keepOriginalDraftDate=true&overrideCompanyKeepOriginalDraftDate=true"
            ),
            Some(totals),
            201,
        ),
        ("POST", "/customerinvoices".to_owned(), Some(by_hand), 201),
        ("POST", format!("/customerinvoices/{paid}/payments"), Some(office.payment(json!(698), 2)), 201),
        ("POST", format!("/customerinvoices/{voided}/void?updateStock=false"), None, 200),
        ("POST", "/voucherdrafts".to_owned(), Some(voucher.clone()), 201),
        ("PUT", format!("/voucherdrafts/{noted}"), Some(voucher.clone()), 200),
        ("GET", format!("/voucherdrafts/{noted}"), None, 200),
        ("DELETE", format!("/voucherdrafts/{dropped}"), None, 200),
        ("POST", format!("/voucherdrafts/{booked}/convert"), None, 201),
        ("POST", "/vouchers".to_owned(), Some(voucher), 201),
    ];
    for path in [
        "/customers?$filter=IsActive%20eq%20true&$pagesize=10".to_owned(),
        format!("/customers/{}", office.customer),
        "/articles?$filter=Number%20eq%20'OIL-30'".to_owned(),
        format!("/articles/{}", office.article),
        "/customerinvoicedrafts".to_owned(),
        "/customerinvoices?modifiedSinceUtc=2020-01-01T00:00:00Z".to_owned(),
        format!("/customerinvoices/{paid}"),
        "/voucherdrafts".to_owned(),
        "/vouchers".to_owned(),
        format!("/vouchers/{year}"),
        format!("/vouchers/{year}/{made}"),
        "/companysettings".to_owned(),
        "/articleaccountcodings".to_owned(),
        format!("/articleaccountcodings/{}", first("/articleaccountcodings").await),
        "/units".to_owned(),
        format!("/units/{}", first("/units").await),
        "/termsofpayments".to_owned(),
        format!("/termsofpayments/{}", first("/termsofpayments").await),
        "/vatcodes".to_owned(),
        format!("/vatcodes/{}", first("/vatcodes").await),
        "/accounts?$pagesize=1000".to_owned(),
        format!("/accounts/{year}"),
        format!("/accounts/{year}/3001"),
        "/fiscalyears".to_owned(),
        format!("/fiscalyears/{year}"),
        "/bankaccounts".to_owned(),
        format!("/bankaccounts/{}", office.bank_account),
    ] {
        steps.push(("GET", path, None, 200));
    }
    steps
}

/// Runs the walk, which also shows that it leaves no operation out; checks every answer when the description is
/// at hand.
#[tokio::test]
#[expect(clippy::print_stderr, reason = "a skipped check must be seen")]
async fn every_answer_fits_the_published_description() {
    let api = specs_dir().map(|dir| OpenApi::visma(&dir).unwrap());
    if api.is_none() {
        eprintln!(
            "SKIPPED: Visma's answers are not checked against its description, BOKBRO_SPECS_DIR is unset"
        );
    }
    let office = Office::start().await;
    let mut problems = Vec::new();
    for (method, path, body, expected) in walk(&office).await {
        let (status, answer) = office.call(method, &path, body.clone()).await;
        assert_eq!(status, expected, "{method} {path}: {answer}");
        if let Some(api) = &api {
            let path = format!("/v2{path}");
            let request = api.validate_request(method, &path, body.as_ref());
            let answer = Some(&answer).filter(|answer| !answer.is_null());
            let answer = api.validate_response(method, &path, status, answer);
            for problem in request.err().into_iter().chain(answer.err()).flatten() {
                problems.push(format!("{method} {path}: {problem}"));
            }
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    for operation in operations() {
        let name = format!("{} {}", operation.method, operation.path);
        assert!(office.bench.sim.log.calls(&name) > 0, "the walk leaves out {name}");
    }
}
