//! Articles, as far as rows refer to them.

use super::books::{Books, next_number, position};
use super::call::{Answer, Call, Operation, Outcome, operation};
use super::documents::ARTICLE;
use super::errors::Refusal;
use super::fields::{accept, initial, merge};
use super::json::Json;
use super::lists::{List, Search};

pub(super) const OPERATIONS: &[Operation] = &[
    operation("GET", "/3/articles", "article", list),
    operation("POST", "/3/articles", "article", create),
    operation("GET", "/3/articles/{number}", "article", show),
    operation("PUT", "/3/articles/{number}", "article", update),
];

const LIST: List = List {
    envelope: "Articles",
    fields: &[
        "@url",
        "ArticleNumber",
        "Description",
        "DisposableQuantity",
        "EAN",
        "Housework",
        "PurchasePrice",
        "QuantityInStock",
        "ReservedQuantity",
        "SalesPrice",
        "StockPlace",
        "StockValue",
        "Unit",
        "WebshopArticle",
    ],
    search: &[
        ("articlenumber", Search::Part("ArticleNumber")),
        ("description", Search::Part("Description")),
        ("ean", Search::Part("EAN")),
        ("suppliernumber", Search::Part("SupplierNumber")),
        ("manufacturer", Search::Part("Manufacturer")),
        ("manufacturerarticlenumber", Search::Part("ManufacturerArticleNumber")),
        ("webshop", Search::Exactly("WebshopArticle")),
        ("lastmodified", Search::LastModified),
    ],
    sort: &[
        ("articlenumber", "ArticleNumber"),
        ("quantityinstock", "QuantityInStock"),
        ("reservedquantity", "ReservedQuantity"),
        ("stockvalue", "StockValue"),
    ],
    filter: |article, value, _| match value {
        "active" => Some(article.flag("Active")),
        "inactive" => Some(!article.flag("Active")),
        _ => None,
    },
    item: |mut item| {
        // Text in lists, numbers in the single form (`apis/fortnox.md` 2.6).
        for name in
            ["DisposableQuantity", "PurchasePrice", "QuantityInStock", "ReservedQuantity", "StockValue"]
        {
            let number = item.number(name).normalize().to_string();
            item.set(name, number);
        }
        item.with("VAT", Json::Null)
    },
};

fn list(books: &mut Books, call: &Call) -> Outcome {
    LIST.answer(call, books.articles.iter())
}

fn show(books: &mut Books, call: &Call) -> Outcome {
    let at = find(books, call)?;
    Ok(Answer::shows("Article", books.articles[at].fields.clone()))
}

fn create(books: &mut Books, call: &Call) -> Outcome {
    let given = accept(&call.input("Article")?, ARTICLE, &|account| books.accounts.contains_key(&account))?;
    if given.text("Description").is_empty() {
        return Err(Refusal::missing("Description"));
    }
    let number = match given.text("ArticleNumber") {
        "" => next_number(&books.articles, "ArticleNumber").to_string(),
        own if position(&books.articles, "ArticleNumber", own).is_some() => {
            return Err(Refusal::not_now(format!("Artikelnummer {own} används redan.")));
        }
        own => own.to_owned(),
    };
    let mut article = initial(ARTICLE);
    merge(&mut article, given);
    article.set("@url", format!("https://api.fortnox.se/3/articles/{number}"));
    article.set("ArticleNumber", number);
    let document = books.written(article.clone(), call.now);
    books.articles.push(document);
    Ok(Answer::created("Article", article, "articles"))
}

fn update(books: &mut Books, call: &Call) -> Outcome {
    let at = find(books, call)?;
    let mut given =
        accept(&call.input("Article")?, ARTICLE, &|account| books.accounts.contains_key(&account))?;
    given.0.remove("ArticleNumber");
    let document = &mut books.articles[at];
    merge(&mut document.fields, given);
    document.modified = call.now;
    Ok(Answer::shows("Article", document.fields.clone()))
}

fn find(books: &Books, call: &Call) -> Result<usize, Refusal> {
    position(&books.articles, "ArticleNumber", call.param(0))
        .ok_or_else(|| Refusal::not_found(2_000_428, "Kan inte hitta artikeln."))
}
