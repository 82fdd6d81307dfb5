# Vad som blev av ett medgivande, och vad man gör sedan. Varje nyckel finns också i en.consent.ftl.

consent-again = Anslut igen
consent-connections = Till anslutningarna
consent-resumed = { $count ->
    [one] Ett ärende som väntade på anslutningen fortsätter nu av sig självt.
   *[other] { $count } ärenden som väntade på anslutningen fortsätter nu av sig själva.
}
consent-connected = { $provider } är anslutet
consent-connected-text = Medgivandet är sparat och anslutningen fungerar.
consent-connected-advice = Under Anslutningar ser du hur det står till, och under Inställningar väljer du vad { $provider } ska användas till.
consent-failed = Det gick inte just nu
consent-failed-text = { $provider } eller vår egen lagring svarade inte. Medgivandet är inte sparat.
consent-failed-advice = Vänta en minut och anslut igen.
consent-unknown-provider = Okänd tjänst
consent-unknown-provider-text = Det finns ingen tjänst med det här namnet att ansluta på den här adressen.
consent-unknown-provider-advice = Kontrollera adressen, eller anslut från sidan Anslutningar.
consent-denied = Du tackade nej
consent-denied-text = Medgivandet avbröts hos { $provider }. Ingenting har ändrats.
consent-denied-advice = Anslut igen och godkänn behörigheterna om du vill använda { $provider }.
consent-invalid-scope = Appen saknar behörigheter
consent-invalid-scope-text = { $provider } avvisade förfrågan eftersom appen begär behörigheter som inte är påslagna för den.
consent-invalid-scope-advice = Den som sköter Bokbro behöver slå på behörigheterna för appen i utvecklarportalen hos { $provider }. Anslut sedan igen.
consent-missing-license = Licens saknas
consent-missing-license-text = Företaget saknar en licens hos { $provider } för integrationen eller för en av modulerna som behövs.
consent-missing-license-advice = Köp till licensen hos { $provider } (integration samt de moduler du bokför med). Anslut sedan igen.
consent-missing-admin-right = Systemadministratör krävs
consent-missing-admin-right-text = { $provider } låter bara en systemadministratör för företaget ge det här medgivandet.
consent-missing-admin-right-advice = Be en systemadministratör att logga in och ansluta.
consent-nothing = { $provider } svarade ingenting
consent-nothing-text = { $provider } skickade tillbaka dig utan vare sig godkännande eller förklaring. Det händer när kontot där är spärrat, till exempel för en obetald faktura.
consent-nothing-advice = Logga in hos { $provider } och kontrollera att kontot är öppet. Anslut sedan igen.
consent-code-expired = Godkännandet gick inte att använda
consent-code-expired-text = { $provider } tog inte emot godkännandet: det har redan använts, är för gammalt eller räcker inte till. Ingenting har sparats.
consent-code-expired-advice = Anslut igen från början. Ladda inte om sidan under tiden.
consent-other-company = Fel företag
consent-other-company-text = Medgivandet gäller ett annat företag än det som redan är anslutet. Ingenting har ändrats.
consent-other-company-advice = Anslut igen och välj rätt företag hos { $provider }. Vill du verkligen byta företag kopplar du först från anslutningen.
consent-other = { $provider } gav inget medgivande
consent-other-text = { $provider } avvisade förfrågan av ett skäl som vi inte känner till. Ingenting har ändrats.
consent-other-advice = Anslut igen. Händer det på nytt kontaktar du den som sköter Bokbro.
consent-forged = Ogiltig länk
consent-forged-text = Länken du kom tillbaka med är inte en som vi har gjort, eller så har den ändrats på vägen. Ingenting har sparats.
consent-forged-advice = Anslut från sidan Anslutningar i stället för via en länk från någon annan.
consent-expired = Det tog för lång tid
consent-expired-text = Det gick mer än tio minuter från att du började ansluta. Ingenting har sparats.
consent-expired-advice = Anslut igen från början.
consent-other-browser = Fel webbläsare
consent-other-browser-text = Anslutningen påbörjades i en annan webbläsare, eller så tillåts inte kakor. Ingenting har sparats.
consent-other-browser-advice = Börja och avsluta i samma webbläsare och tillåt kakor för den här adressen. Har du inte börjat ansluta själv ska du inte fortsätta.
consent-other-provider = Fel tjänst
consent-other-provider-text = Anslutningen påbörjades för en annan tjänst än { $provider }. Ingenting har sparats.
consent-other-provider-advice = Anslut igen från början.
consent-used = Redan använd
consent-used-text = Den här anslutningen är redan avslutad en gång. Ingenting nytt har sparats.
consent-used-advice = Se efter under Anslutningar om den fungerar. Anslut annars igen därifrån.
