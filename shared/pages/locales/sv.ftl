# Vad sidorna säger på svenska. Varje nyckel finns också i en.ftl.

app-name = Bokbro
skip-to-content = Hoppa till innehållet
menu = Meny
signed-in-as = Inloggad som { $name }
sign-out = Logga ut
switch-tenant = Byt företag
switch = Byt
language-other = English

nav-overview = Översikt
nav-orders = Ordrar
nav-parked = Att åtgärda
nav-connections = Anslutningar
nav-jobs = Körningar
nav-dead-letters = Strandade meddelanden
nav-settings = Inställningar
nav-keys = API-nycklar
nav-audit = Ändringslogg
nav-api = API

role-viewer = läsare
role-operator = driftansvarig
role-bookkeeper = bokförare
role-owner = ägare

sign-in-title = Logga in
sign-in-text = Du loggar in hos företagets inloggningstjänst och kommer sedan tillbaka hit.
sign-in-button = Logga in
sign-in-missing-title = Inloggning är inte inställd
sign-in-missing-text = Den som installerar Bokbro ställer in en inloggningstjänst. Så länge går det att arbeta med API-nycklar.
signed-out-title = Du är utloggad
signed-out-text = Logga ut även hos inloggningstjänsten om andra använder den här datorn.
signed-out-there = Logga ut hos inloggningstjänsten
sign-in-again = Logga in igen
other-browser-title = Inloggningen gäller inte
other-browser-text = Den påbörjades i en annan webbläsare eller för mer än tio minuter sedan. Börja om härifrån.
not-signed-in-title = Ingen blev inloggad
not-signed-in-text = Inloggningstjänsten loggade inte in någon. Försök igen.
no-access-title = Du saknar behörighet
no-access-text = Du är inloggad som { $name }, men ingen har gett dig tillgång till något företag. Be ägaren lägga till dig i en grupp, till exempel { $group }.
failed-title = Något gick fel hos oss
failed-text = Försök igen om en stund. Uppge referensen om du frågar oss.
forbidden-title = Det här får du inte göra
forbidden-text = För det krävs rollen { $role }. Be ägaren om den, eller be någon som har den.
not-found-title = Sidan finns inte
not-found-text = Adressen är fel eller så är det den visade borttaget.
form-expired-title = Formuläret gäller inte längre
form-expired-text = Gå tillbaka, ladda om sidan och försök igen.
back-home = Till översikten
reference = Referens
