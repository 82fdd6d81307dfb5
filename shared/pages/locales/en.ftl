# What pages say in English. Every key is in sv.ftl too.

app-name = Bokbro
skip-to-content = Skip to content
menu = Menu
signed-in-as = Signed in as { $name }
sign-out = Sign out
switch-tenant = Switch company
switch = Switch
language-other = Svenska

nav-overview = Overview
nav-orders = Orders
nav-parked = Needs attention
nav-connections = Connections
nav-jobs = Jobs
nav-dead-letters = Dead letters
nav-settings = Settings
nav-keys = API keys
nav-audit = Audit log
nav-api = API

role-viewer = viewer
role-operator = operator
role-bookkeeper = bookkeeper
role-owner = owner

sign-in-title = Sign in
sign-in-text = You sign in at your company's sign-in service and come back here.
sign-in-button = Sign in
sign-in-missing-title = Sign-in is not set up
sign-in-missing-text = Whoever installs Bokbro sets a sign-in service up. Until then API keys work.
signed-out-title = You are signed out
signed-out-text = Sign out at the sign-in service too if others use this computer.
signed-out-there = Sign out at the sign-in service
sign-in-again = Sign in again
other-browser-title = This sign-in does not count
other-browser-text = It was begun in another browser or more than ten minutes ago. Begin again from here.
not-signed-in-title = Nobody was signed in
not-signed-in-text = The sign-in service signed nobody in. Try again.
no-access-title = You have no access
no-access-text = You are signed in as { $name }, but nobody has let you into a company. Ask the owner to add you to a group such as { $group }.
failed-title = Something of ours failed
failed-text = Try again in a while. Give the reference if you ask us.
forbidden-title = You may not do this
forbidden-text = It needs the role { $role }. Ask the owner for it, or somebody who has it.
not-found-title = There is no such page
not-found-text = The address is wrong, or what it showed is gone.
form-expired-title = This form does not count any more
form-expired-text = Go back, load the page again and try once more.
back-home = To the overview
reference = Reference
