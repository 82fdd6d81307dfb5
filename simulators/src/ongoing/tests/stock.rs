//! Articles and what is left of them.

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::{Bench, order};

fn sellable(articles: &Value) -> Vec<(String, Value)> {
    let one = |article: &Value| {
        let number = article["articleNumber"].as_str().unwrap().to_owned();
        (number, article["inventoryInfo"]["sellableNumberOfItems"].clone())
    };
    articles.as_array().unwrap().iter().map(one).collect()
}

#[tokio::test]
async fn what_is_promised_cannot_be_sold_and_what_is_picked_is_gone() {
    let bench = Bench::stocked().await;
    bench.put("orders", &order("1001")).await;
    let (_, articles) = bench.get("articles?goodsOwnerId=159").await;
    let expected = [("OIL-30".to_owned(), json!(8)), ("SOAP-1".to_owned(), json!(8.5))];
    assert_eq!(sellable(&articles), expected);
    assert_eq!(articles[0]["inventoryInfo"]["numberOfItems"], json!(10));
    bench.work("1001", 450).await;
    let (_, articles) = bench.get("articles?goodsOwnerId=159").await;
    assert_eq!(sellable(&articles), expected);
    assert_eq!(articles[0]["inventoryInfo"]["numberOfItems"], json!(8));
}

#[tokio::test]
async fn changes_of_stock_are_told_for_a_day() {
    let bench = Bench::stocked().await;
    let clock = &bench.it.kit.clock;
    clock.advance(SignedDuration::from_hours(2));
    let between = clock.now();
    clock.advance(SignedDuration::from_hours(2));
    bench.it.receive("OIL-30", 1.into()).unwrap();
    let path = format!("articles?goodsOwnerId=159&stockInfoChangedFrom={between}");
    let (_, changed) = bench.get(&path).await;
    assert_eq!(sellable(&changed), [("OIL-30".to_owned(), json!(11))]);
    clock.advance(SignedDuration::from_hours(23));
    let (status, refused) = bench.get(&path).await;
    assert_eq!(status, 400);
    assert!(refused["Message"].as_str().unwrap().contains("within 24 hours"), "{refused}");
}

#[tokio::test]
async fn a_list_of_numbers_repeats_its_key() {
    let bench = Bench::stocked().await;
    let numbers = async |query: &str| {
        let (_, found) = bench.get(&format!("articles?goodsOwnerId=159{query}")).await;
        sellable(&found).into_iter().map(|(number, _)| number).collect::<Vec<_>>()
    };
    assert_eq!(numbers("&articleNumbers=SOAP-1&articleNumbers=NONE").await, ["SOAP-1"]);
    assert_eq!(numbers("&articleNumbers=OIL-30&articleNumbers=SOAP-1").await, ["OIL-30", "SOAP-1"]);
}

#[tokio::test]
async fn an_article_is_one_article_however_often_it_is_put() {
    let bench = Bench::stocked().await;
    let mut article = json!({ "goodsOwnerId": 159, "articleNumber": "OIL-30", "articleName": "Olja" });
    assert_eq!(bench.put("articles", &article).await.0, 200);
    let (_, found) = bench.get("articles?goodsOwnerId=159&articleNumber=OIL-30").await;
    assert_eq!((found.as_array().unwrap().len(), &found[0]["articleName"]), (1, &json!("Olja")));
    article["color"] = json!("green");
    assert_eq!(bench.put("articles", &article).await.0, 400);
}
