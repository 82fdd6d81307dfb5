# What became of a consent, and what to do next. Every key is in sv.consent.ftl too.

consent-again = Connect again
consent-connections = To the connections
consent-resumed = { $count ->
    [one] One item that waited for the connection goes on by itself now.
   *[other] { $count } items that waited for the connection go on by themselves now.
}
consent-connected = { $provider } is connected
consent-connected-text = The consent is stored and the connection works.
consent-connected-advice = Connections shows how it is, and in Settings you choose what { $provider } is used for.
consent-failed = It did not work just now
consent-failed-text = { $provider } or our own storage did not answer. The consent is not stored.
consent-failed-advice = Wait a minute and connect again.
consent-unknown-provider = Unknown service
consent-unknown-provider-text = There is no service of this name to connect at this address.
consent-unknown-provider-advice = Check the address, or connect from the page Connections.
consent-denied = You said no
consent-denied-text = The consent was canceled at { $provider }. Nothing has changed.
consent-denied-advice = Connect again and accept the permissions if you want to use { $provider }.
consent-invalid-scope = The app lacks permissions
consent-invalid-scope-text = { $provider } refused the request, because the app asks for permissions that are not enabled for it.
consent-invalid-scope-advice = Whoever runs Bokbro must enable the permissions for the app in { $provider }'s developer portal. Then connect again.
consent-missing-license = A license is missing
consent-missing-license-text = The company lacks a license at { $provider } for the integration or for one of the modules that are needed.
consent-missing-license-advice = Buy the license at { $provider } (the integration and the modules that you keep books with). Then connect again.
consent-missing-admin-right = A system administrator is needed
consent-missing-admin-right-text = { $provider } lets only a system administrator of the company give this consent.
consent-missing-admin-right-advice = Ask a system administrator to sign in and connect.
consent-nothing = { $provider } said nothing
consent-nothing-text = { $provider } sent you back with neither an approval nor a reason. That happens when the account there is locked, for an unpaid bill for example.
consent-nothing-advice = Sign in at { $provider } and check that the account is open. Then connect again.
consent-code-expired = The approval could not be used
consent-code-expired-text = { $provider } did not accept the approval: it was used before, is too old or does not suffice. Nothing has been stored.
consent-code-expired-advice = Connect again from the start, and do not reload the page meanwhile.
consent-other-company = Wrong company
consent-other-company-text = The consent is for another company than the one that is connected. Nothing has changed.
consent-other-company-advice = Connect again and choose the right company at { $provider }. Disconnect first if you really want to change companies.
consent-other = { $provider } gave no consent
consent-other-text = { $provider } refused the request for a reason that we do not know. Nothing has changed.
consent-other-advice = Connect again. If it happens once more, ask whoever runs Bokbro.
consent-forged = Invalid link
consent-forged-text = The link that you came back with is not one of ours, or was changed on its way. Nothing has been stored.
consent-forged-advice = Connect from the page Connections, not by a link from somebody else.
consent-expired = It took too long
consent-expired-text = More than ten minutes have passed since you began to connect. Nothing has been stored.
consent-expired-advice = Connect again from the start.
consent-other-browser = Another browser
consent-other-browser-text = This was begun in another browser, or cookies are not allowed. Nothing has been stored.
consent-other-browser-advice = Begin and end in the same browser and allow cookies for this address. If you did not begin it yourself, do not go on.
consent-other-provider = Another service
consent-other-provider-text = This was begun for another service than { $provider }. Nothing has been stored.
consent-other-provider-advice = Connect again from the start.
consent-used = Used before
consent-used-text = This connection was completed once before. Nothing new has been stored.
consent-used-advice = See in Connections whether it works. If not, connect again from there.
