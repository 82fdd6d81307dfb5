//! `POST /v1/orders`: the posted order, read strictly. Money and quantities are decimal strings.

use bokbro_domain::ids::{CheckoutCode, OrderNumber};
use bokbro_domain::money::{Currency, Money, parse_decimal};
use bokbro_domain::order::{
    Address, Customer, CustomerKind, FieldError, Line, LineKind, MAX_LINES, OrderBody, too_many_lines,
};
use bokbro_domain::said;
use bokbro_domain::vat::VatRate;
use serde_json::Value;

use super::fields::{Fields, malformed, none_of, read_json};

/// Reads a posted order and checks every rule of it.
///
/// # Errors
/// The first rule that is broken, with its field; field `""` when the body is not JSON at all.
pub fn read_order(body: &[u8]) -> Result<OrderBody, FieldError> {
    let value = read_json(body)?;
    let mut fields = Fields::open("", &value)?;
    let order_number = {
        let text = fields.text("order_number", 50)?;
        OrderNumber::parse(&text).map_err(|e| malformed("order_number", format_args!("is {e}")))?
    };
    let currency = {
        let text = fields.text("currency", 3)?;
        Currency::parse(&text).map_err(|e| malformed("currency", e))?
    };
    let checkout_code = match fields.text_or_none("viva_order_code", 19)? {
        Some(text) => {
            let code = CheckoutCode::parse(&text);
            Some(code.map_err(|e| malformed("viva_order_code", format_args!("is {e}")))?)
        }
        None => None,
    };
    // A transaction id is the same in capitals.
    let payment_reference = fields.text_or_none("payment_reference", 64)?.map(|text| text.to_lowercase());
    let customer = read_customer("customer", fields.required("customer")?)?;
    let posted = fields.list("lines")?;
    if posted.len() > MAX_LINES {
        return Err(too_many_lines(posted.len()));
    }
    let line = |(index, value)| read_line(format!("lines[{index}]"), value, currency);
    let lines = posted.iter().enumerate().map(line).collect::<Result<Vec<_>, _>>()?;
    let total = read_money(&mut fields, "total", currency)?;
    fields.finish()?;
    let order =
        OrderBody { order_number, currency, checkout_code, payment_reference, customer, lines, total };
    order.check()?;
    Ok(order)
}

fn read_customer(path: &str, value: &Value) -> Result<Customer, FieldError> {
    let mut fields = Fields::open(path, value)?;
    let kind = match fields.text("kind", 20)?.as_str() {
        "private" => CustomerKind::Private,
        "company" => CustomerKind::Company,
        _ => return Err(none_of(fields.at("kind"), &["private", "company"])),
    };
    let name = fields.text("name", 200)?;
    let email = fields.text_or_none("email", 254)?;
    if let Some(email) = &email
        && !looks_like_email(email)
    {
        return Err(FieldError::new(fields.at("email"), said!("field-no-email", "is not an e-mail address")));
    }
    let phone = fields.text_or_none("phone", 40)?;
    let organisation_number = fields.text_or_none("organisation_number", 20)?;
    if let Some(number) = &organisation_number
        && !looks_like_organisation_number(number)
    {
        let message = said!(
            "field-no-organisation-number",
            "is not an organization number (10 digits, with or without a dash)"
        );
        return Err(FieldError::new(fields.at("organisation_number"), message));
    }
    let billing_path = fields.at("billing");
    let billing = read_address(&billing_path, fields.required("billing")?)?;
    let delivery_path = fields.at("delivery");
    let delivery = match fields.optional("delivery") {
        Some(value) => Some(read_address(&delivery_path, value)?),
        None => None,
    };
    fields.finish()?;
    Ok(Customer { kind, name, email, phone, organisation_number, billing, delivery })
}

fn read_address(path: &str, value: &Value) -> Result<Address, FieldError> {
    let mut fields = Fields::open(path, value)?;
    let address = Address {
        name: fields.text("name", 200)?,
        address1: fields.text("address1", 200)?,
        address2: fields.text_or_none("address2", 200)?,
        zip: fields.text("zip", 10)?,
        city: fields.text("city", 100)?,
        country: fields.text("country", 2)?,
    };
    if address.country.len() != 2 || !address.country.bytes().all(|b| b.is_ascii_uppercase()) {
        let message = said!("field-no-country", "must be two capital letters such as SE");
        return Err(FieldError::new(fields.at("country"), message));
    }
    fields.finish()?;
    Ok(address)
}

fn read_line(path: String, value: &Value, currency: Currency) -> Result<Line, FieldError> {
    let mut fields = Fields::open(path, value)?;
    let kind = match fields.text("kind", 20)?.as_str() {
        "goods" => LineKind::Goods,
        "shipping" => LineKind::Shipping,
        "fee" => LineKind::Fee,
        "discount" => LineKind::Discount,
        _ => {
            return Err(none_of(fields.at("kind"), &["goods", "shipping", "fee", "discount"]));
        }
    };
    let sku = fields.text_or_none("sku", 50)?;
    let text = fields.text("text", 255)?;
    let quantity = {
        let text = fields.text("quantity", 20)?;
        parse_decimal(&text).map_err(|_| {
            let message = said!("field-no-decimal", "is not a decimal number such as \"2\"");
            FieldError::new(fields.at("quantity"), message)
        })?
    };
    let unit_price = read_money(&mut fields, "unit_price", currency)?;
    let vat_rate = {
        let text = fields.text("vat_rate", 10)?;
        VatRate::parse(&text).map_err(|e| malformed(fields.at("vat_rate"), e))?
    };
    fields.finish()?;
    Ok(Line { kind, sku, text, quantity, unit_price, vat_rate })
}

fn read_money(fields: &mut Fields<'_>, name: &'static str, currency: Currency) -> Result<Money, FieldError> {
    let text = fields.text(name, 30)?;
    Money::parse_major(&text, currency).map_err(|e| malformed(fields.at(name), e))
}

/// One `@` with something on both sides and no blanks; whether it exists only the post office knows.
fn looks_like_email(text: &str) -> bool {
    text.split_once('@').is_some_and(|(user, host)| {
        !user.is_empty() && !host.is_empty() && !host.contains('@') && !text.contains(char::is_whitespace)
    })
}

/// Ten digits, or twelve with a century, dash or not; foreign numbers may have letters.
fn looks_like_organisation_number(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == ' ' || c == '.';
    text.chars().all(plain) && text.chars().filter(char::is_ascii_digit).count() >= 6
}
