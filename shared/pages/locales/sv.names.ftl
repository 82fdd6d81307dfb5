# Namn på fält, räkneverk och annat som koden har namn på. Varje nyckel finns också i en.names.ftl.

field-payments = Betalningar från
field-accounting = Bokför i
field-warehouse = Lager
field-posting_profile = Så bokförs en order
field-payment_mode = Betalningssätt
field-accounts = Konton
field-name = Namn
field-role = Roll
field-reason = Skäl
field-number = Nummer
field-order_id = Orderns id
field-action = Åtgärd
field-ids = Meddelanden
field-per_second = Högst så många i sekunden
field-cursor = Plats i listan
field-client_id = Klient-id
field-client_secret = Klienthemlighet
field-merchant_id = Merchant-id
field-api_key = API-nyckel
field-source_codes = Källkoder (source codes), åtskilda med komma
field-user = Användarnamn
field-password = Lösenord
field-goods_owner_id = Varuägarens nummer (goods owner)
field-webhook_token = Hemlighet som webhooken skickar med
field-picking_from = Orderstatus när plocket börjar
field-shipped_statuses = Orderstatusar som betyder skickad, åtskilda med komma
field-cancelled_statuses = Orderstatusar som betyder makulerad, åtskilda med komma
field-bank_account = Konto som betalningarna bokförs på
field-voucher_series = Verifikationsserie

count-no_longer_awaited = Betalningar som inte väntas längre
count-refunds_no_longer_awaited = Återbetalningar som inte väntas längre
count-released_accounting = Ordrar som släppts till bokföringen
count-released_warehouse = Ordrar som släppts till lagret

audit-what-api_key_made = API-nyckel skapad
audit-what-api_key_revoked = API-nyckel återkallad
audit-what-connection_disconnected = Anslutning frånkopplad
audit-what-connection_entered = Uppgifter angivna
audit-what-connection_synced = Läsning begärd
audit-what-dead_letters_replayed = Strandade meddelanden skickade igen
audit-what-parked_item_resolved = Ärende avgjort
audit-what-test_order_made = Testorder skapad
audit-what-settings_changed = Inställningar ändrade

nudge-payment = betalning
nudge-order = order
nudge-day = dagsverifikation
nudge-match = betalning som paras ihop med en order
nudge-parcel = paket
nudge-sweep = genomgång
nudge-replay = omsändning
nudge-connection = läsning hos en leverantör

detail-provider = Hos
detail-step = Steg
detail-reference = Referens hos dem
detail-day = Dagsverifikation
detail-queue = Kö
detail-transaction = Transaktion
detail-order_code = Orderkod
detail-order_numbers = Ordernummer i betalningen
detail-amount = Belopp
detail-currency = Valuta
detail-claimed_order_code = Orderkod enligt meddelandet
detail-claimed_amount = Belopp enligt meddelandet

change-total = summan
change-date = datumet
change-customer = kunden
