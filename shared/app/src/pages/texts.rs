//! The catalog of what pages say. `{provider}` stands for the provider's name, `{count}` for a number.

use super::Language;
use crate::oauth::{Outcome, StateFault};
use crate::ports::ConsentRefusal;

/// What a page says.
pub(super) struct Text {
    /// Heading.
    pub(super) title: &'static str,
    /// What happened.
    pub(super) happened: &'static str,
    /// What to do.
    pub(super) advice: &'static str,
    /// Whether it is good news: nobody will ask us about it.
    pub(super) good: bool,
}

/// Words around the texts.
pub(super) struct Chrome {
    /// Before the correlation id.
    pub(super) reference: &'static str,
    /// What was set going again.
    pub(super) resumed: &'static str,
}

/// Words around the texts.
pub(super) fn chrome(language: Language) -> Chrome {
    match language {
        Language::Swedish => Chrome {
            reference: "Uppge den här referensen om du frågar oss",
            resumed: "Det som väntade på anslutningen fortsätter av sig självt: {count} ärenden är på väg.",
        },
        Language::English => Chrome {
            reference: "Give this reference if you ask us",
            resumed: "What waited for the connection goes on by itself: {count} items are on their way.",
        },
    }
}

fn bad(title: &'static str, happened: &'static str, advice: &'static str) -> Text {
    Text { title, happened, advice, good: false }
}

/// What the page of an outcome says.
pub(super) fn of(outcome: &Outcome, language: Language) -> Text {
    match (outcome, language) {
        (Outcome::Connected { .. }, Language::Swedish) => Text {
            title: "{provider} är anslutet",
            happened: "Medgivandet är sparat och anslutningen fungerar.",
            advice: "Du kan stänga fönstret.",
            good: true,
        },
        (Outcome::Connected { .. }, Language::English) => Text {
            title: "{provider} is connected",
            happened: "The consent is stored and the connection works.",
            advice: "You can close this window.",
            good: true,
        },
        (Outcome::Refused(why), Language::Swedish) => refused_swedish(*why),
        (Outcome::Refused(why), Language::English) => refused_english(*why),
        (Outcome::BadState(fault), Language::Swedish) => state_swedish(*fault),
        (Outcome::BadState(fault), Language::English) => state_english(*fault),
        (Outcome::Failed(_), Language::Swedish) => bad(
            "Det gick inte just nu",
            "{provider} eller vår egen lagring svarade inte. Medgivandet är inte sparat.",
            "Vänta en minut och anslut igen från början.",
        ),
        (Outcome::Failed(_), Language::English) => bad(
            "It did not work just now",
            "{provider} or our own storage did not answer. The consent is not stored.",
            "Wait a minute and connect again from the start.",
        ),
        (Outcome::UnknownProvider, Language::Swedish) => bad(
            "Okänd tjänst",
            "Det finns ingen tjänst med det här namnet att ansluta på den här adressen.",
            "Kontrollera adressen och anslut igen från Bokbro.",
        ),
        (Outcome::UnknownProvider, Language::English) => bad(
            "Unknown service",
            "There is no service of this name to connect at this address.",
            "Check the address and connect again from Bokbro.",
        ),
    }
}

fn refused_swedish(why: ConsentRefusal) -> Text {
    match why {
        ConsentRefusal::Denied => bad(
            "Du tackade nej",
            "Medgivandet avbröts hos {provider}. Ingenting har ändrats.",
            "Anslut igen och godkänn behörigheterna om du vill använda {provider}.",
        ),
        ConsentRefusal::InvalidScope => bad(
            "Behörigheter saknas för appen",
            "{provider} avvisade förfrågan eftersom appen begär behörigheter som inte är påslagna för den.",
            "Den som driver installationen behöver slå på behörigheterna för appen i utvecklarportalen hos {provider}. Anslut sedan igen.",
        ),
        ConsentRefusal::MissingLicense => bad(
            "Licens saknas",
            "Företaget saknar en licens hos {provider} för integrationen eller för en av modulerna som behövs.",
            "Köp till licensen hos {provider} (integration samt de moduler du bokför med). Anslut sedan igen.",
        ),
        ConsentRefusal::MissingAdminRight => bad(
            "Systemadministratör krävs",
            "{provider} låter bara en systemadministratör för företaget ge det här medgivandet.",
            "Be en systemadministratör att logga in och ansluta.",
        ),
        ConsentRefusal::Nothing => bad(
            "{provider} svarade ingenting",
            "{provider} skickade tillbaka dig utan vare sig godkännande eller förklaring. Det händer när kontot där är spärrat, till exempel för en obetald faktura.",
            "Logga in hos {provider} och kontrollera att kontot är öppet. Anslut sedan igen.",
        ),
        ConsentRefusal::CodeExpired => bad(
            "Godkännandet gick inte att använda",
            "{provider} tog inte emot godkännandet: det har redan använts, är för gammalt eller räcker inte till. Ingenting har sparats.",
            "Anslut igen från början. Ladda inte om sidan under tiden.",
        ),
        ConsentRefusal::OtherCompany => bad(
            "Fel företag",
            "Medgivandet gäller ett annat företag än det som redan är anslutet. Ingenting har ändrats.",
            "Anslut igen och välj rätt företag hos {provider}. Koppla först från anslutningen om du verkligen vill byta företag.",
        ),
        ConsentRefusal::Other => bad(
            "{provider} gav inget medgivande",
            "{provider} avvisade förfrågan av ett skäl som vi inte känner till. Ingenting har ändrats.",
            "Anslut igen. Händer det på nytt, kontakta den som driver installationen.",
        ),
    }
}

fn refused_english(why: ConsentRefusal) -> Text {
    match why {
        ConsentRefusal::Denied => bad(
            "You said no",
            "The consent was canceled at {provider}. Nothing has changed.",
            "Connect again and accept the permissions if you want to use {provider}.",
        ),
        ConsentRefusal::InvalidScope => bad(
            "The app lacks permissions",
            "{provider} refused the request, because the app asks for permissions that are not enabled for it.",
            "Whoever runs this installation must enable the permissions for the app in {provider}'s developer portal. Then connect again.",
        ),
        ConsentRefusal::MissingLicense => bad(
            "A license is missing",
            "The company lacks a license at {provider} for the integration or for one of the modules that are needed.",
            "Buy the license at {provider} (the integration and the modules that you keep books with). Then connect again.",
        ),
        ConsentRefusal::MissingAdminRight => bad(
            "A system administrator is needed",
            "{provider} lets only a system administrator of the company give this consent.",
            "Ask a system administrator to sign in and connect.",
        ),
        ConsentRefusal::Nothing => bad(
            "{provider} said nothing",
            "{provider} sent you back with neither an approval nor a reason. That happens when the account there is locked, for an unpaid bill for example.",
            "Sign in at {provider} and check that the account is open. Then connect again.",
        ),
        ConsentRefusal::CodeExpired => bad(
            "The approval could not be used",
            "{provider} did not accept the approval: it was used before, is too old or does not suffice. Nothing has been stored.",
            "Connect again from the start, and do not reload the page meanwhile.",
        ),
        ConsentRefusal::OtherCompany => bad(
            "Wrong company",
            "The consent is for another company than the one that is connected. Nothing has changed.",
            "Connect again and choose the right company at {provider}. Disconnect first if you really want to change companies.",
        ),
        ConsentRefusal::Other => bad(
            "{provider} gave no consent",
            "{provider} refused the request for a reason that we do not know. Nothing has changed.",
            "Connect again. If it happens once more, ask whoever runs this installation.",
        ),
    }
}

fn state_swedish(fault: StateFault) -> Text {
    match fault {
        StateFault::Forged => bad(
            "Ogiltig länk",
            "Länken du kom tillbaka med är inte en som vi har gjort, eller så har den ändrats på vägen. Ingenting har sparats.",
            "Anslut igen från Bokbro i stället för via en länk från någon annan.",
        ),
        StateFault::Expired => bad(
            "Det tog för lång tid",
            "Det gick mer än tio minuter från att du började ansluta. Ingenting har sparats.",
            "Anslut igen från början.",
        ),
        StateFault::OtherBrowser => bad(
            "Fel webbläsare",
            "Anslutningen påbörjades i en annan webbläsare, eller så tillåts inte kakor. Ingenting har sparats.",
            "Börja och avsluta i samma webbläsare och tillåt kakor för den här adressen. Har du inte börjat ansluta själv ska du inte fortsätta.",
        ),
        StateFault::OtherProvider => bad(
            "Fel tjänst",
            "Anslutningen påbörjades för en annan tjänst än {provider}. Ingenting har sparats.",
            "Anslut igen från början.",
        ),
        StateFault::Used => bad(
            "Redan använd",
            "Den här anslutningen är redan avslutad en gång. Ingenting nytt har sparats.",
            "Se efter i Bokbro om anslutningen fungerar. Anslut annars igen från början.",
        ),
    }
}

fn state_english(fault: StateFault) -> Text {
    match fault {
        StateFault::Forged => bad(
            "Invalid link",
            "The link that you came back with is not one of ours, or was changed on its way. Nothing has been stored.",
            "Connect again from Bokbro, not by a link from somebody else.",
        ),
        StateFault::Expired => bad(
            "It took too long",
            "More than ten minutes have passed since you began to connect. Nothing has been stored.",
            "Connect again from the start.",
        ),
        StateFault::OtherBrowser => bad(
            "Another browser",
            "This was begun in another browser, or cookies are not allowed. Nothing has been stored.",
            "Begin and end in the same browser and allow cookies for this address. If you did not begin it yourself, do not go on.",
        ),
        StateFault::OtherProvider => bad(
            "Another service",
            "This was begun for another service than {provider}. Nothing has been stored.",
            "Connect again from the start.",
        ),
        StateFault::Used => bad(
            "Used before",
            "This connection was completed once before. Nothing new has been stored.",
            "See in Bokbro whether the connection works. If not, connect again from the start.",
        ),
    }
}
