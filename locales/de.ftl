# Deutsch. Angeredet wird mit Sie.

## Days

month = { $month ->
    [1] Januar
    [2] Februar
    [3] März
    [4] April
    [5] Mai
    [6] Juni
    [7] Juli
    [8] August
    [9] September
    [10] Oktober
    [11] November
   *[12] Dezember
}
day = { $day }. { $month-name } { $year }
moment = { $date }, { $time } Uhr UTC

## On several pages

cancel = Abbrechen
continue = Weiter
deny = Ablehnen
allow = Erlauben
sign-in = Anmelden
sign-out = Abmelden
signed-in-as = Angemeldet als
not-you = Nicht Sie?
unnamed-person = Ihr Konto
link-support = Hilfe
link-policy = Datenschutzerklärung
link-terms = Nutzungsbedingungen
link-client = Über { $client }

## Choosing how to sign in

choose-title = Bei { $client } anmelden
choose-lead = und weiter zu { $client }
choose-again = Sie sind als { $name } angemeldet. { $client } bittet Sie, sich noch einmal anzumelden.
choose-none = Hier ist noch keine Anmeldung eingerichtet. Bitte wenden Sie sich an den Betreiber dieser Seite.
choose-away = { $connection } antwortet gerade nicht. Sie können es trotzdem versuchen oder in ein paar Minuten wiederkommen.
continue-with-apple = Mit Apple fortfahren
continue-with = Mit { $connection } fortfahren
username = Benutzername
password = Passwort
login-wrong = Benutzername oder Passwort ist falsch.
login-too-many = Zu viele Versuche. Warten Sie eine Minute und versuchen Sie es dann noch einmal.
login-late = Das hat zu lange gedauert. Melden Sie sich noch einmal an.

## Consent

consent-title = { $client } Zugriff erlauben?
consent-lead = { $client } möchte:
consent-lead-at = { $client } auf { $host } möchte:
scope-openid = Sie wiedererkennen, wenn Sie zurückkommen
scope-profile = Ihren Namen und Ihr Profil sehen
scope-email = Ihre E-Mail-Adresse sehen
scope-address = Ihre Postanschrift sehen
scope-phone = Ihre Telefonnummer sehen
scope-offline-access = Diesen Zugriff auch behalten, wenn Sie nicht da sind
scope-account-delete = Ihr Konto hier löschen, wenn Sie darum bitten
scope-other = Verwenden:

## On the way

moment-title = Einen Moment
moment-lead = Es geht gleich zurück zur App. Falls nichts passiert, wählen Sie „Weiter“.
signing-in-title = Sie werden angemeldet
signing-in-lead = Das dauert einen Moment. Falls nichts passiert, wählen Sie „Weiter“.

## Signing out

logout-title = Abmelden?
logout-lead = Damit endet Ihre Sitzung hier. In anderen Apps bleiben Sie vielleicht angemeldet, bis diese wieder nachfragen.
logout-lead-client = { $client } möchte Ihre Sitzung hier beenden. In anderen Apps bleiben Sie vielleicht angemeldet, bis diese wieder nachfragen.
stay-signed-in = Angemeldet bleiben
logged-out-title = Sie sind abgemeldet
logged-out-lead = Ihre Sitzung hier ist beendet. Sie können dieses Fenster schließen.
logged-out-telling = Ihre Sitzung hier ist beendet, und Ihre anderen Apps erfahren es gerade. Sie können dieses Fenster schließen.
logged-out-returning = Ihre anderen Apps erfahren es gerade. Gleich geht es zurück.
logged-out-frame = Abmeldung bei einer App

## Devices

device-title = Gerät verbinden
device-title-problem = Fehler: Gerät verbinden
device-lead = Geben Sie den Code ein, den Ihr Gerät anzeigt.
device-lead-brought = Prüfen Sie, ob Ihr Gerät diesen Code anzeigt.
device-code = Code
device-code-hint = Acht Buchstaben. Groß oder klein, mit oder ohne Bindestrich ist egal.
device-unknown = Mit diesem Code wartet kein Gerät. Sehen Sie noch einmal nach: Der Code kann sich geändert haben.
device-too-many = Von hier wurden zu viele Codes versucht. Warten Sie eine Minute und versuchen Sie es dann noch einmal.
device-confirm-title = { $client } verbinden?
device-confirm-lead = Ein Gerät möchte in Ihrem Namen angemeldet werden. Es muss diesen Code anzeigen:
device-warning-strong = Erlauben Sie das nur einem Gerät, das vor Ihnen steht
device-warning = { $warning } und an dem Sie sich gerade selbst anmelden. Hat Ihnen jemand diesen Code oder diesen Link geschickt? Dann lehnen Sie ab: Sonst wäre diese Person unter Ihrem Namen angemeldet.
device-connected-title = Ihr Gerät ist verbunden
device-connected-lead = Dort geht es in wenigen Sekunden von selbst weiter. Sie können dieses Fenster schließen.
device-refused-title = Das Gerät wurde nicht verbunden
device-refused-lead = Es ist nicht angemeldet. Wenn Sie es doch verbinden möchten, beginnen Sie am Gerät von vorn.

## A link that a script made to try an app

try-title = { $client } ausprobieren
try-lead = Mit diesem Link wird geprüft, ob die Anmeldung bei { $client } funktioniert.
try-warning-strong = Wer Ihnen diesen Link geschickt hat, sieht, was { $client } über Sie erfährt
try-warning = { $warning }, etwa Ihren Namen und Ihre E-Mail-Adresse. Fahren Sie nur fort, wenn Sie wissen, wer das ist.
try-done-title = Das war alles
try-done-lead = Wer Ihnen den Link geschickt hat, hat das Ergebnis. Sie können dieses Fenster schließen.

## When it does not work

error-details = Einzelheiten für Entwickler
error-request-id = Kennung für Rückfragen:
error-unavailable-title = Die Anmeldung ist gerade nicht möglich
error-unavailable-message = Der Dienst, der Sie anmeldet, antwortet nicht.
error-unavailable-advice = Warten Sie einen Moment, gehen Sie dann zurück zur App und versuchen Sie es noch einmal.
error-fault-title = Hier ist etwas schiefgegangen
error-fault-message = Das liegt nicht an Ihnen.
error-fault-advice = Gehen Sie zurück zur App und versuchen Sie es noch einmal. Passiert es wieder, nennen Sie dem Betreiber die Kennung unten.
error-denied-title = Sie sind nicht angemeldet
error-denied-message = Die Anmeldung wurde abgelehnt.
error-denied-advice = Gehen Sie zurück zur App, um es noch einmal zu versuchen.
error-invalid-title = Diese Anmeldung kann nicht fortgesetzt werden
error-invalid-message = Der Link ist unvollständig, abgelaufen oder wurde schon benutzt.
error-invalid-advice = Gehen Sie zurück zur App und beginnen Sie dort von vorn.
error-logout-title = Diese Abmeldung kann nicht fortgesetzt werden
error-logout-message = Was die App geschickt hat, ist unvollständig oder ungültig.
error-logout-advice = Sie können sich stattdessen hier abmelden.
error-missing-title = Hier ist nichts
error-missing-message = Die Adresse stimmt nicht, oder was hier war, gibt es nicht mehr.
error-signed-out-title = Sie sind nicht angemeldet
error-signed-out-message = Melden Sie sich über eine Ihrer Apps an und kommen Sie dann auf diese Seite zurück.

## The person's own page

account-title = Ihr Konto
account-relay = private Weiterleitung
account-identities = So melden Sie sich an
account-local = Benutzername und Passwort
account-since = seit { $day }
account-since-email = { $email }, seit { $day }
account-sessions = Hier sind Sie angemeldet
account-this-browser = Dieser Browser
account-sign-out-everywhere = Überall abmelden
account-delete = Konto löschen
account-manage = Anmeldeweg hinzufügen oder entfernen
identities-have = Ihre Anmeldewege
identities-unusable = zurzeit nicht nutzbar
identities-remove = { $name } entfernen
identities-remove-note = Damit werden Sie auch überall abgemeldet, wo Sie sich damit angemeldet haben.
identities-last = Das ist Ihr letzter Anmeldeweg, er kann nicht entfernt werden.
identities-more = Was Sie hinzufügen können
identities-more-note = Sie weisen dort nach, dass es Ihres ist. Danach melden beide Sie an.
identities-add = { $name } hinzufügen
identities-added = Hinzugefügt. Beide melden Sie jetzt an.
identities-removed = Entfernt.
identities-back = Zurück zu Ihrem Konto
account-name = Anzeigename
account-save = Speichern
account-session-count = { $count ->
    [one] Ein Browser ist angemeldet.
   *[other] { $count } Browser sind angemeldet.
}
account-session-seen = Angemeldet am { $since }, zuletzt gesehen am { $seen }
account-browser-on = { $browser } auf { $system }
account-browser-unknown = Ein Browser
account-apps = Apps mit Zugriff
account-apps-none = Keine App hat Zugriff auf Ihr Konto.
account-app-revoke = Zugriff entziehen
account-data = Ihre Daten
account-export = Daten herunterladen
account-export-hint = Eine JSON-Datei mit allem, was hier über Sie gespeichert ist.
account-done-renamed = Ihr Name ist gespeichert.
account-done-ended = Dieser Browser ist abgemeldet.
account-done-revoked = Die App hat keinen Zugriff mehr.
account-problem-name = Ein Name hat mindestens ein und höchstens 100 Zeichen.

## Deleting the account

delete-title = Konto löschen?
delete-lead = { $name }, das lässt sich nicht rückgängig machen.
delete-point-sessions = Sie werden sofort überall abgemeldet.
delete-point-upstream = Die Erlaubnis bei Ihrem Anmeldedienst wird zurückgegeben.
delete-point-profile = Ihr Profil wird gelöscht, und die Apps, die Sie kennen, erfahren davon.
delete-confirm = Tippen Sie zur Bestätigung { $word }
delete-button = Mein Konto löschen
delete-keep = Behalten
deletion-title-done = Ihr Konto ist gelöscht
deletion-title = Ihr Konto wird gelöscht
deletion-lead-done = Am { $moment } war alles erledigt.
deletion-lead = Sie sind bereits abgemeldet. Der Rest geschieht von selbst, auch wenn Sie diese Seite schließen.
deletion-receipt = Beleg
deletion-asked = Beauftragt
deletion-note = Dieser Beleg enthält nichts über Sie. Heben Sie seine Adresse auf, wenn Sie später noch einmal nachsehen möchten.
deletion-step-sessions = Sie wurden überall abgemeldet
deletion-step-upstream = Die Erlaubnis bei Ihrem Anmeldedienst wurde zurückgegeben
deletion-step-person = Ihr Konto wurde gelöscht
deletion-step-clients = Die Apps wurden benachrichtigt

## Proving once more who one is

prove-title = Sind Sie es?
prove-lead = Melden Sie sich noch einmal an, bevor es weitergeht.
prove-none = Es gibt keine Möglichkeit, sich neu anzumelden. Bitte wenden Sie sich an den Betreiber dieser Seite.
prove-wrong = Passwort oder Code ist nicht richtig.
account-done-proved = Danke. Sie können jetzt fortfahren.

## The second step

second-title = Zweiter Schritt
second-lead = Zeigen Sie, dass Sie es sind.
second-code = Code
second-code-hint = Sechs Ziffern aus Ihrer App oder einer Ihrer Wiederherstellungscodes.
second-wrong = Dieser Code ist nicht richtig oder wurde schon benutzt.
second-too-many = Zu viele waren falsch. Warten Sie eine Viertelstunde.
second-off = Ihr Passwort allein öffnet dieses Konto.
second-on = Außer Ihrem Passwort brauchen Sie einen Code aus Ihrer App, seit { $day }.
second-manage = Zweiten Schritt ändern
second-add = Codes aus einer App einrichten
second-remove = Zweiten Schritt entfernen
second-renew = Neue Wiederherstellungscodes erzeugen
second-done-added = Der zweite Schritt ist eingerichtet.
second-done-removed = Der zweite Schritt ist entfernt.
second-problem-required = Ein zweiter Schritt wird hier verlangt und lässt sich nicht entfernen.
second-codes-left = { $count ->
    [one] { $count } Wiederherstellungscode übrig
   *[other] { $count } Wiederherstellungscodes übrig
}
totp-title = Codes aus einer App
totp-lead = Danach melden Sie sich mit Ihrem Passwort und einem Code an.
totp-lead-required = Hier wird ein zweiter Schritt verlangt. Richten Sie ihn ein, um fortzufahren.
totp-scan = Scannen Sie das mit Ihrer App
totp-qr = QR-Code des Schlüssels darunter
totp-type = Wenn Sie nicht scannen können, tippen Sie diesen Schlüssel ein.
totp-open = App auf diesem Gerät öffnen
totp-code = Tippen Sie dann den Code ein, den Ihre App zeigt
totp-confirm = Einrichten
totp-late = Das hat zu lange gedauert. Scannen Sie diesen neuen Schlüssel.
codes-title = Ihre Wiederherstellungscodes
codes-lead = Jeder ersetzt einmal Ihre App, falls Sie sie verlieren. Sie werden nur jetzt gezeigt.
codes-note = Drucken Sie sie aus oder bewahren Sie sie in einem Passwortmanager auf, nicht auf dem Gerät mit Ihrer App.
codes-done = Ich habe sie
