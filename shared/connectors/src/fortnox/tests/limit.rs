//! What counts together, and that no call of the API goes past the pace.

use bokbro_app::ports::{Checkup as _, Limited as _};
use bokbro_app::secret::SecretText;

use super::*;
use crate::kit::testing::CountedPace;

#[test]
fn calls_count_by_client_and_company() {
    let fortnox = bench([]).fortnox;
    let app = Credentials::new([("client_id".to_owned(), SecretText::new("client-1".to_owned()))]);
    let limit = fortnox.limit(&connection(), &app, "get_customer").unwrap();
    assert_eq!(limit.key, "client-1:123456");
    assert!(limit.allowance.calls < 25 && limit.allowance.window.as_secs() == 5);
    assert_eq!(fortnox.order(&connection(), &app), Some((limit, 6)));
    let unknown = Connection { settings: BTreeMap::new(), ..connection() };
    assert_eq!(fortnox.limit(&unknown, &app, "get_customer"), None);
}

#[tokio::test]
async fn every_call_takes_a_slot_and_those_for_tokens_do_not() {
    let company = r#"{"CompanyInformation":{"DatabaseNumber":123456}}"#;
    let token = r#"{"access_token":"a","expires_in":3600}"#;
    let mut bench = bench([json(200, company), list("Invoices", &[]), json(200, token), json(404, "{}")]);
    let pace = Arc::new(CountedPace::default());
    bench.access.pace = pace.clone();
    bench.fortnox.check(&bench.access).await.unwrap();
    let app = [("client_id", "c"), ("client_secret", "s")];
    let app = Credentials::new(app.map(|(name, text)| (name.to_owned(), SecretText::new(text.to_owned()))));
    let tokens = bokbro_app::ports::TokenEndpoint::client_credentials;
    tokens(&bench.fortnox, &connection(), &app, &Credentials::default()).await.unwrap();
    bench.fortnox.read_chart(&bench.access).await.unwrap_err();
    assert_eq!(pace.taken(), ["get_company_information", "search_invoices", "list_financial_years"]);
    assert_eq!(bench.script.lines().len(), 4);
}
