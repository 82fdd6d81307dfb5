//! Hashes: by which a buyer and a customer of the books know each other, and by which a change is noticed.

use bokbro_domain::order::Customer;
use sha2::{Digest, Sha256};

use crate::ports::{Contents, Entry};

/// What of the order's buyer stands in the books' customer too, as hashes: neither numbers nor addresses are kept.
pub(super) fn buyer(customer: &Customer) -> Vec<String> {
    marks(customer.organisation_number.as_deref(), customer.email.as_deref())
}

/// Hashes by which an order's buyer is known to be this customer.
pub(super) fn marks(organisation_number: Option<&str>, email: Option<&str>) -> Vec<String> {
    let organisation = organisation_number.and_then(|number| {
        let digits: String = number.chars().filter(char::is_ascii_digit).collect();
        // The last ten: a century may stand before them.
        let tail = digits.len().checked_sub(10).map_or(digits.as_str(), |at| &digits[at..]);
        (!tail.is_empty()).then(|| sha256(&format!("org:{tail}")))
    });
    let email = email.map(|email| email.trim().to_lowercase()).filter(|email| !email.is_empty());
    organisation.into_iter().chain(email.map(|email| sha256(&email))).collect()
}

/// Hash of what is compared. The time of the change is not: touched is not changed.
pub(super) fn digest(entry: &Entry) -> String {
    let contents = match &entry.contents {
        Contents::Customer { organisation_number, email, active } => {
            let marks = marks(organisation_number.as_deref(), email.as_deref());
            format!("{marks:?} {active}")
        }
        Contents::Invoice {
            reference,
            customer_id,
            customer_number,
            date,
            total,
            balance,
            booked,
            canceled,
            credited,
            paid_on,
        } => format!(
            "{reference:?} {customer_id:?} {customer_number:?} {date:?} {total:?} {balance:?} {booked:?} {canceled} \
             {credited} {paid_on:?}"
        ),
    };
    sha256(&format!("{:?} {contents}", entry.number))
}

fn sha256(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_buyer_has_the_same_marks_however_written() {
        let marks = |number: &str, email: &str| super::marks(Some(number), Some(email));
        let one = marks("556677-8899", "Info@Example.se ");
        assert_eq!(one, marks("165566778899", "info@example.se"));
        assert_eq!(one.len(), 2);
        assert!(one.iter().all(|mark| mark.len() == 64 && !mark.contains("example")));
        assert_ne!(one[0], marks("556677-8898", "info@example.se")[0]);
        assert!(super::marks(Some("-"), Some(" ")).is_empty());
    }
}
