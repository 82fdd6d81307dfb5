//! Whose books they are: check-ups, and tokens of another company.

use async_trait::async_trait;
use bokbro_app::error::Error;
use bokbro_app::ports::{Checkup as _, Findings, Tokens};
use bokbro_app::secret::SecretText;

use super::*;

/// Hands out one token for ever.
struct Always(String);

#[async_trait]
impl Tokens for Always {
    async fn token(&self) -> Result<SecretText, Error> {
        Ok(SecretText::new(self.0.clone()))
    }

    async fn refused(&self, _: &SecretText) {}
}

fn company(members: &str) -> Reply {
    json(200, &format!(r#"{{"CompanyInformation":{{{members}}}}}"#))
}

fn ours() -> Reply {
    company(r#""CompanyName":"Demobolaget AB","OrganizationNumber":"556000-4754","DatabaseNumber":123456"#)
}

async fn check(bench: &Bench) -> Result<Findings, Error> {
    bench.fortnox.check(&bench.access).await
}

fn details(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[tokio::test]
async fn a_check_up_tells_whose_books_they_are() {
    let bench = bench([ours(), list("Invoices", &[])]);
    let findings = check(&bench).await.unwrap();
    assert_eq!(findings.name.as_deref(), Some("Demobolaget AB"));
    assert_eq!(findings.details, details(&[("company", "123456"), ("organisation_number", "556000-4754")]));
    assert_eq!(findings.settings, BTreeMap::new());
    let lines = bench.script.lines();
    assert_eq!(lines[0], "GET /3/companyinformation");
    assert!(lines[1].starts_with("GET /3/invoices?") && lines.len() == 2, "{lines:?}");
}

#[tokio::test]
async fn what_is_withheld_is_left_out() {
    let withheld = r#""CompanyName":"API_NORIGHT","OrganizationNumber":"","DatabaseNumber":"123456""#;
    let findings = check(&bench([company(withheld), list("Invoices", &[])])).await.unwrap();
    assert_eq!((findings.name, findings.details), (None, details(&[("company", "123456")])));
}

#[tokio::test]
async fn scopes_that_the_token_lacks_are_named() {
    let scopes =
        r#"{"tenantId":123456,"scopes":["bookkeeping","companyinformation","customer","invoice","payment"]}"#;
    let mut bench = bench([ours(), list("Invoices", &[])]);
    let token = format!("e30.{}.sig", URL_SAFE_NO_PAD.encode(scopes));
    bench.access.tokens = Arc::new(Always(token));
    assert_eq!(check(&bench).await.unwrap().details["missing_scopes"], "order settings");
}

#[tokio::test]
async fn a_check_up_fails_by_what_happens_next() {
    let cases: [(Vec<Reply>, &str, &str); 6] = [
        (vec![company(r#""DatabaseNumber":654321"#)], "needs_consent", "654321"),
        (vec![refused(403, 2_001_103)], "needs_consent", "licence"),
        (vec![refused(400, 2_000_663)], "needs_consent", "scope"),
        (vec![ours(), refused(400, 2_001_101)], "needs_consent", "licence"),
        (vec![json(401, ""), json(401, "")], "provider_unavailable", ""),
        (vec![json(503, ""), json(503, ""), json(503, "")], "provider_unavailable", ""),
    ];
    for (index, (replies, code, says)) in cases.into_iter().enumerate() {
        let error = check(&bench(replies)).await.unwrap_err();
        assert_eq!(error.code(), code, "case {index}: {error}");
        assert!(error.to_string().contains(says), "case {index}: {error}");
    }
}

#[tokio::test]
async fn nothing_is_sent_with_a_token_of_another_company() {
    let mut bench = bench([]);
    bench.access.tokens = Arc::new(Always(token_for("654321")));
    assert_eq!(check(&bench).await.unwrap_err().code(), "needs_consent");
    let effector = bench.effector(posting());
    let ledger = Ledger::default();
    let customer = intent(effector.as_ref(), "customer", &ledger);
    let error = effector.send(&customer, &ledger).await.unwrap_err();
    assert!(matches!(&error, bokbro_app::ports::SendError::NotDone(Error::Consent { .. })), "{error:?}");
    assert_eq!(bench.fortnox.read_chart(&bench.access).await.unwrap_err().code(), "needs_consent");
    assert!(bench.script.sent().is_empty());
}
