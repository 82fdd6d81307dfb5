//! The registers that every tenant starts with: accounts, predefined accounts, series, terms and countries.

/// The part of the Swedish BAS chart that a web shop's invoices touch.
pub(super) const ACCOUNTS: &[(u32, &str)] = &[
    (1510, "Kundfordringar"),
    (1521, "Kontokortsfordringar"),
    (1580, "Fordringar för kontokort och kuponger"),
    (1680, "Andra kortfristiga fordringar"),
    (1910, "Kassa"),
    (1920, "PlusGiro"),
    (1930, "Företagskonto"),
    (1940, "Övriga bankkonton"),
    (2611, "Utgående moms på försäljning inom Sverige, 25 %"),
    (2614, "Utgående moms omvänd skattskyldighet, 25 %"),
    (2621, "Utgående moms på försäljning inom Sverige, 12 %"),
    (2631, "Utgående moms på försäljning inom Sverige, 6 %"),
    (2641, "Debiterad ingående moms"),
    (2645, "Beräknad ingående moms på förvärv från utlandet"),
    (2650, "Redovisningskonto för moms"),
    (3001, "Försäljning inom Sverige, 25 % moms"),
    (3002, "Försäljning inom Sverige, 12 % moms"),
    (3003, "Försäljning inom Sverige, 6 % moms"),
    (3004, "Försäljning inom Sverige, momsfri"),
    (3105, "Försäljning varor till land utanför EU"),
    (3106, "Försäljning varor till annat EU-land, momspliktig"),
    (3108, "Försäljning varor till annat EU-land, momsfri"),
    (3231, "Försäljning inom byggsektorn, omvänd skattskyldighet"),
    (3520, "Fakturerade frakter"),
    (3540, "Faktureringsavgifter"),
    (3740, "Öres- och kronutjämning"),
    (3960, "Valutakursvinster på fordringar och skulder"),
    (4000, "Inköp av varor från Sverige"),
    (6064, "Factoringavgifter"),
    (6065, "Factoringränta"),
    (6570, "Bankkostnader"),
    (7960, "Valutakursförluster på fordringar och skulder"),
];

/// Predefined accounts (`apis/fortnox.md` 2.9).
pub(super) const PREDEFINED: &[(&str, u32)] = &[
    ("ADMFEE", 3540),
    ("CASH", 1910),
    ("CASHBYCARD", 1930),
    ("CURRENCYLOSS", 7960),
    ("CURRENCYWIN", 3960),
    ("CUSTCLAIM", 1510),
    ("FREIGHT", 3520),
    ("OUTVAT_MP1", 2611),
    ("OUTVAT_MP2", 2621),
    ("OUTVAT_MP3", 2631),
    ("ROUNDOFF", 3740),
    ("SALES", 3001),
    ("SALESEUREV", 3108),
    ("SALESEUVAT", 3106),
    ("SALESEXPORT", 3105),
];

/// Modes of payment: code, description, account.
pub(super) const MODES_OF_PAYMENT: &[(&str, &str, u32)] = &[
    ("AG", "Autogiro", 1930),
    ("BG", "Bankgiro", 1930),
    ("CARD", "Kortbetalning", 1580),
    ("CASH", "Kontant", 1910),
    ("PG", "PlusGiro", 1920),
];

/// Voucher series: code, description, whether vouchers may be written by hand.
pub(super) const VOUCHER_SERIES: &[(&str, &str, bool)] = &[
    ("A", "Redovisning", true),
    ("B", "Kundfakturor", false),
    ("C", "Kundinbetalningar", false),
    ("D", "Leverantörsfakturor", false),
    ("E", "Leverantörsbetalningar", false),
];

/// Terms of payment: code, which is the number of days, and description.
pub(super) const TERMS_OF_PAYMENT: &[(&str, &str)] = &[
    ("0", "Kontant"),
    ("10", "10 dagar"),
    ("15", "15 dagar"),
    ("20", "20 dagar"),
    ("30", "30 dagar"),
    ("60", "60 dagar"),
];

/// Currencies: code, name, kronor for one unit. The rates are made up and do not move.
pub(super) const CURRENCIES: &[(&str, &str, u32)] = &[
    ("DKK", "Danska kronor", 2),
    ("EUR", "Euro", 11),
    ("GBP", "Brittiska pund", 13),
    ("NOK", "Norska kronor", 1),
    ("SEK", "Svenska kronor", 1),
    ("USD", "US-dollar", 10),
];

/// Country names as Fortnox writes them for a country code.
pub(super) const COUNTRIES: &[(&str, &str)] = &[
    ("AT", "Österrike"),
    ("BE", "Belgien"),
    ("CH", "Schweiz"),
    ("DE", "Tyskland"),
    ("DK", "Danmark"),
    ("EE", "Estland"),
    ("ES", "Spanien"),
    ("FI", "Finland"),
    ("FR", "Frankrike"),
    ("GB", "Storbritannien"),
    ("IE", "Irland"),
    ("IS", "Island"),
    ("IT", "Italien"),
    ("LT", "Litauen"),
    ("LV", "Lettland"),
    ("NL", "Nederländerna"),
    ("NO", "Norge"),
    ("PL", "Polen"),
    ("PT", "Portugal"),
    ("SE", "Sverige"),
    ("US", "USA"),
];

/// The account that takes this rate's output tax, in percent.
pub(super) fn vat_account(rate: u32) -> Option<&'static str> {
    match rate {
        25 => Some("OUTVAT_MP1"),
        12 => Some("OUTVAT_MP2"),
        6 => Some("OUTVAT_MP3"),
        _ => None,
    }
}

/// The sales account of a row that names none. Recordings show 3001 for 25 %; the others are an assumption.
pub(super) fn sales_account(rate: u32) -> u32 {
    match rate {
        12 => 3002,
        6 => 3003,
        0 => 3004,
        _ => 3001,
    }
}
