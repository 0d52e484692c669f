# What people read on the pages of a sign-in and on /account.
# Names in braces are filled in; every catalogue has the same keys with the same names.

## Days. The name of a month is chosen by its number.

month = { $month ->
    [1] January
    [2] February
    [3] March
    [4] April
    [5] May
    [6] June
    [7] July
    [8] August
    [9] September
    [10] October
    [11] November
   *[12] December
}
day = { $day } { $month-name } { $year }
moment = { $date }, { $time } UTC

## On several pages

cancel = Cancel
continue = Continue
deny = Deny
allow = Allow
sign-in = Sign in
sign-out = Sign out
signed-in-as = Signed in as
not-you = Not you?
unnamed-person = your account
link-support = Help
link-policy = Privacy policy
link-terms = Terms of service
link-client = About { $client }

## Choosing how to sign in

choose-title = Sign in to { $client }
choose-lead = to continue to { $client }
choose-again = You are signed in as { $name }. { $client } asks you to sign in again.
choose-none = No way to sign in is set up here yet. Tell the operator of this site.
choose-away = { $connection } is not answering right now. You can still try, or come back in a few minutes.
# Apple's own words: they may not be changed.
continue-with-apple = Continue with Apple
continue-with = Continue with { $connection }
username = Username
password = Password
login-wrong = Wrong username or password.
login-too-many = Too many attempts. Wait a minute, then try again.
login-late = That took too long. Sign in again.

## Consent

consent-title = Allow { $client }?
consent-lead = { $client } would like to:
consent-lead-at = { $client } at { $host } would like to:
scope-openid = Recognise you when you come back
scope-profile = See your name and profile
scope-email = See your email address
scope-address = See your postal address
scope-phone = See your phone number
scope-offline-access = Keep this access while you are away
scope-account-delete = Delete your account here, when you ask for it
scope-other = Use

## On the way

moment-title = One moment
moment-lead = You are on your way back to the app. If nothing happens, press Continue.
signing-in-title = Signing you in
signing-in-lead = This takes a moment. If nothing happens, press Continue.

## Signing out

logout-title = Sign out?
logout-lead = This ends your session here. Other apps may keep you signed in until they ask again.
logout-lead-client = { $client } asks to end your session here. Other apps may keep you signed in until they ask again.
stay-signed-in = Stay signed in
logged-out-title = You are signed out
logged-out-lead = Your session here has ended. You can close this window.
logged-out-telling = Your session here has ended, and your other apps are being told. You can close this window.
logged-out-returning = Your other apps are being told. You are on your way back.
logged-out-frame = Signing out of an app

## Devices

device-title = Connect a device
device-title-problem = Error: Connect a device
device-lead = Enter the code that your device shows.
device-lead-brought = Check that this is the code on your device.
device-code = Code
device-code-hint = Eight letters. Capitals and the hyphen do not matter.
device-unknown = No device is waiting with this code. Look at the device again: the code may have changed.
device-too-many = Too many codes were tried from here. Wait a minute, then try again.
device-confirm-title = Connect { $client }?
device-confirm-lead = A device asks to be signed in as you. It must show this code:
device-warning-strong = Allow only a device that you have before you
device-warning = { $warning } and that you asked to sign in just now. Did somebody send you this code or this link? Then deny: they would be signed in as you.
device-connected-title = Your device is connected
device-connected-lead = It goes on by itself in a few seconds. You can close this window.
device-refused-title = The device was not connected
device-refused-lead = It is not signed in. If you want to connect it after all, begin again on the device.

## A link that a script made to try an app

try-title = Try out { $client }
try-lead = This link was made to see whether signing in to { $client } works.
try-warning-strong = Whoever sent you this link will see what { $client } learns about you
try-warning = { $warning }, such as your name and your email address. Go on only if you know who that is.
try-done-title = That was all
try-done-lead = Whoever sent you the link has the result. You can close this window.

## When it does not work

error-details = Details for the developer
error-request-id = Request id, if you ask for help:
error-unavailable-title = Sign-in is not available right now
error-unavailable-message = The service that signs you in does not answer.
error-unavailable-advice = Wait a moment, then go back to the app and try again.
error-fault-title = Something went wrong here
error-fault-message = This is not your fault.
error-fault-advice = Go back to the app and try again. If it happens again, tell the people who run it the request id below.
error-denied-title = You are not signed in
error-denied-message = The sign-in was refused.
error-denied-advice = Go back to the app to try again.
error-invalid-title = This sign-in cannot go on
error-invalid-message = The link is not complete, has expired, or was used before.
error-invalid-advice = Go back to the app and start again from there.
error-logout-title = This sign-out cannot go on
error-logout-message = What the app sent is not complete or not valid.
error-logout-advice = You can sign out here instead.
error-missing-title = There is nothing here
error-missing-message = The address is wrong, or what was here is gone.
error-signed-out-title = You are not signed in
error-signed-out-message = Sign in through one of your apps, then come back to this page.

## The person's own page

account-title = Your account
account-relay = private relay
account-identities = How you sign in
account-local = Username and password
account-since = since { $day }
account-since-email = { $email }, since { $day }
account-sessions = Where you are signed in
account-this-browser = This browser
account-sign-out-everywhere = Sign out everywhere
account-delete = Delete your account
account-manage = Add or remove a way to sign in
identities-have = What you have
identities-unusable = not usable now
identities-remove = Remove { $name }
identities-remove-note = Removing it also signs you out of everything you signed in to with it.
identities-last = This is your last way in, so it cannot be removed.
identities-more = What you can add
identities-more-note = You prove there that it is yours. Either one signs you in afterwards.
identities-add = Add { $name }
identities-added = Added. Either one signs you in now.
identities-removed = Removed.
identities-back = Back to your account
account-name = Display name
account-save = Save
account-session-count = { $count ->
    [one] One browser is signed in.
   *[other] { $count } browsers are signed in.
}
account-session-seen = Signed in { $since }, last seen { $seen }
account-browser-on = { $browser } on { $system }
account-browser-unknown = A browser
account-apps = Apps with access
account-apps-none = No app has access to your account.
account-app-revoke = Remove access
account-data = Your data
account-export = Download your data
account-export-hint = One file in JSON with everything that is kept about you here.
account-done-renamed = Your name is saved.
account-done-ended = That browser is signed out.
account-done-revoked = The app no longer has access.
account-problem-name = A name has at least one and at most 100 characters.

## Deleting the account

delete-title = Delete your account?
delete-lead = { $name }, this cannot be undone.
delete-point-sessions = You are signed out everywhere at once.
delete-point-upstream = The permission at your sign-in provider is given back.
delete-point-profile = Your profile is erased, and the apps that know you are told.
delete-confirm = Type { $word } to confirm
delete-button = Delete my account
delete-keep = Keep it
deletion-title-done = Your account is deleted
deletion-title = Your account is being deleted
deletion-lead-done = Everything was done by { $moment }.
deletion-lead = You are signed out already. The rest goes on by itself, even if you close this page.
deletion-receipt = Receipt
deletion-asked = Asked for
deletion-note = This receipt holds nothing about you. Keep its address if you want to look again.
deletion-step-sessions = You were signed out everywhere
deletion-step-upstream = The permission at your sign-in provider was given back
deletion-step-person = Your account was erased
deletion-step-clients = The apps were told

## Proving once more who one is

prove-title = Is it you?
prove-lead = Sign in once more before you go on.
prove-none = There is no way to sign in anew. Tell the operator of this site.
prove-wrong = Password or code is not right.
account-done-proved = Thank you. You can go on now.

## The second step

second-title = Second step
second-lead = Prove that it is you.
second-code = Code
second-code-hint = Six digits from your app, or one of your recovery codes.
second-wrong = That code is not right, or was used before.
second-too-many = Too many were wrong. Wait a quarter of an hour.
second-off = Your password alone opens this account.
second-on = Besides your password you need a code from your app, since { $day }.
second-manage = Change the second step
second-add = Set up codes from an app
second-remove = Remove the second step
second-renew = Make new recovery codes
second-done-added = The second step is set up.
second-done-removed = The second step is removed.
second-problem-required = A second step is required here, so it cannot be removed.
second-codes-left = { $count ->
    [one] { $count } recovery code left
   *[other] { $count } recovery codes left
}
totp-title = Codes from an app
totp-lead = From then on you sign in with your password and a code.
totp-lead-required = A second step is required here. Set it up to go on.
totp-scan = Scan this with your app
totp-qr = QR code of the key below
totp-type = If you cannot scan, type this key.
totp-open = Open your app on this device
totp-code = Then type the code that your app shows
totp-confirm = Set it up
totp-late = That took too long. Scan this new key.
codes-title = Your recovery codes
codes-lead = Each stands in for your app once, should you lose it. They are shown only now.
codes-note = Print them, or keep them in a password manager: not on the device with your app.
codes-done = I have them
