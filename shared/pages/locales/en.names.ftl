# Names of fields, counts and other things that the code has names for. Every key is in sv.names.ftl too.

field-payments = Payments from
field-accounting = Book in
field-warehouse = Warehouse
field-posting_profile = How an order is booked
field-payment_mode = Way of payment
field-accounts = Accounts
field-name = Name
field-role = Role
field-reason = Reason
field-number = Number
field-order_id = Id of the order
field-action = Action
field-ids = Messages
field-per_second = At most this many a second
field-cursor = Place in the list
field-client_id = Client id
field-client_secret = Client secret
field-merchant_id = Merchant id
field-api_key = API key
field-source_codes = Source codes, with commas between
field-user = User name
field-password = Password
field-goods_owner_id = Number of the goods owner
field-webhook_token = Secret that the webhook sends along
field-picking_from = Order status at which picking begins
field-shipped_statuses = Order statuses that mean shipped, with commas between
field-cancelled_statuses = Order statuses that mean canceled, with commas between
field-bank_account = Account that payments are booked on
field-voucher_series = Voucher series

count-no_longer_awaited = Payments no longer awaited
count-refunds_no_longer_awaited = Refunds no longer awaited
count-released_accounting = Orders released for booking
count-released_warehouse = Orders released for the warehouse

audit-what-api_key_made = API key made
audit-what-api_key_revoked = API key revoked
audit-what-connection_disconnected = Connection disconnected
audit-what-connection_entered = Credentials entered
audit-what-connection_synced = Reading asked for
audit-what-dead_letters_replayed = Dead letters sent again
audit-what-parked_item_resolved = Item decided
audit-what-test_order_made = Test order made
audit-what-settings_changed = Settings changed

nudge-payment = payment
nudge-order = order
nudge-day = voucher of a day
nudge-match = payment matched with an order
nudge-parcel = parcel
nudge-sweep = sweep
nudge-replay = replay
nudge-connection = reading at a provider

detail-provider = At
detail-step = Step
detail-reference = Reference there
detail-day = Voucher of the day
detail-queue = Queue
detail-transaction = Transaction
detail-order_code = Order code
detail-order_numbers = Order numbers in the payment
detail-amount = Amount
detail-currency = Currency
detail-claimed_order_code = Order code by the message
detail-claimed_amount = Amount by the message

change-total = the total
change-date = the date
change-customer = the customer
