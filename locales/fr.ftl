# Français. On vouvoie. Les espaces avant : ? ! sont insécables.

## Days

month = { $month ->
    [1] janvier
    [2] février
    [3] mars
    [4] avril
    [5] mai
    [6] juin
    [7] juillet
    [8] août
    [9] septembre
    [10] octobre
    [11] novembre
   *[12] décembre
}
day = { $day } { $month-name } { $year }
moment = { $date } à { $time } UTC

## On several pages

cancel = Annuler
continue = Continuer
deny = Refuser
allow = Autoriser
sign-in = Se connecter
sign-out = Se déconnecter
signed-in-as = Connecté en tant que
not-you = Ce n’est pas vous ?
unnamed-person = votre compte
link-support = Aide
link-policy = Politique de confidentialité
link-terms = Conditions d’utilisation
link-client = À propos de { $client }

## Choosing how to sign in

choose-title = Se connecter à { $client }
choose-lead = pour continuer vers { $client }
choose-again = Vous êtes connecté en tant que { $name }. { $client } vous demande de vous reconnecter.
choose-none = Aucun moyen de se connecter n’est encore configuré ici. Prévenez le responsable de ce site.
choose-away = { $connection } ne répond pas pour le moment. Vous pouvez essayer quand même ou revenir dans quelques minutes.
continue-with-apple = Continuer avec Apple
continue-with = Continuer avec { $connection }
username = Nom d’utilisateur
password = Mot de passe
login-wrong = Nom d’utilisateur ou mot de passe incorrect.
login-too-many = Trop de tentatives. Patientez une minute, puis réessayez.
login-late = Cela a pris trop de temps. Reconnectez-vous.

## Consent

consent-title = Autoriser { $client } ?
consent-lead = { $client } souhaite :
consent-lead-at = { $client } sur { $host } souhaite :
scope-openid = Vous reconnaître quand vous revenez
scope-profile = Voir votre nom et votre profil
scope-email = Voir votre adresse e-mail
scope-address = Voir votre adresse postale
scope-phone = Voir votre numéro de téléphone
scope-offline-access = Garder cet accès en votre absence
scope-account-delete = Supprimer votre compte ici, quand vous le demandez
scope-other = Utiliser

## On the way

moment-title = Un instant
moment-lead = Vous retournez à l’application. Si rien ne se passe, appuyez sur Continuer.
signing-in-title = Connexion en cours
signing-in-lead = Cela prend un instant. Si rien ne se passe, appuyez sur Continuer.

## Signing out

logout-title = Se déconnecter ?
logout-lead = Cela met fin à votre session ici. D’autres applications peuvent vous garder connecté jusqu’à leur prochaine vérification.
logout-lead-client = { $client } demande de mettre fin à votre session ici. D’autres applications peuvent vous garder connecté jusqu’à leur prochaine vérification.
stay-signed-in = Rester connecté
logged-out-title = Vous êtes déconnecté
logged-out-lead = Votre session ici est terminée. Vous pouvez fermer cette fenêtre.
logged-out-telling = Votre session ici est terminée et vos autres applications en sont informées. Vous pouvez fermer cette fenêtre.
logged-out-returning = Vos autres applications en sont informées. Vous êtes sur le chemin du retour.
logged-out-frame = Déconnexion d’une application

## Devices

device-title = Connecter un appareil
device-title-problem = Erreur : connecter un appareil
device-lead = Saisissez le code affiché par votre appareil.
device-lead-brought = Vérifiez que ce code est bien celui de votre appareil.
device-code = Code
device-code-hint = Huit lettres. Les majuscules et le tiret n’ont pas d’importance.
device-unknown = Aucun appareil n’attend avec ce code. Regardez de nouveau l’appareil : le code a peut-être changé.
device-too-many = Trop de codes ont été essayés d’ici. Patientez une minute, puis réessayez.
device-confirm-title = Connecter { $client } ?
device-confirm-lead = Un appareil demande à être connecté en votre nom. Il doit afficher ce code :
device-warning-strong = N’autorisez qu’un appareil que vous avez sous les yeux
device-warning = { $warning } et sur lequel vous venez de demander à vous connecter. Quelqu’un vous a envoyé ce code ou ce lien ? Refusez : cette personne serait connectée à votre place.
device-connected-title = Votre appareil est connecté
device-connected-lead = Il continue tout seul dans quelques secondes. Vous pouvez fermer cette fenêtre.
device-refused-title = L’appareil n’a pas été connecté
device-refused-lead = Il n’est pas connecté. Si vous voulez tout de même le connecter, recommencez sur l’appareil.

## A link that a script made to try an app

try-title = Essayer { $client }
try-lead = Ce lien sert à vérifier que la connexion à { $client } fonctionne.
try-warning-strong = La personne qui vous a envoyé ce lien verra ce que { $client } apprend de vous
try-warning = { $warning }, par exemple votre nom et votre adresse e-mail. Ne continuez que si vous savez qui c’est.
try-done-title = C’est terminé
try-done-lead = La personne qui vous a envoyé le lien a le résultat. Vous pouvez fermer cette fenêtre.

## When it does not work

error-details = Détails pour le développeur
error-request-id = Identifiant à indiquer si vous demandez de l’aide :
error-unavailable-title = La connexion est indisponible pour le moment
error-unavailable-message = Le service qui vous connecte ne répond pas.
error-unavailable-advice = Patientez un instant, puis retournez à l’application et réessayez.
error-fault-title = Un problème est survenu ici
error-fault-message = Vous n’y êtes pour rien.
error-fault-advice = Retournez à l’application et réessayez. Si cela se reproduit, donnez au responsable du site l’identifiant ci-dessous.
error-denied-title = Vous n’êtes pas connecté
error-denied-message = La connexion a été refusée.
error-denied-advice = Retournez à l’application pour réessayer.
error-invalid-title = Cette connexion ne peut pas continuer
error-invalid-message = Le lien est incomplet, a expiré ou a déjà servi.
error-invalid-advice = Retournez à l’application et recommencez à partir de là.
error-logout-title = Cette déconnexion ne peut pas continuer
error-logout-message = Ce que l’application a envoyé est incomplet ou non valide.
error-logout-advice = Vous pouvez vous déconnecter ici.
error-missing-title = Il n’y a rien ici
error-missing-message = L’adresse est erronée, ou ce qui se trouvait ici n’existe plus.
error-signed-out-title = Vous n’êtes pas connecté
error-signed-out-message = Connectez-vous depuis l’une de vos applications, puis revenez sur cette page.

## The person's own page

account-title = Votre compte
account-relay = relais privé
account-identities = Comment vous vous connectez
account-local = Nom d’utilisateur et mot de passe
account-since = depuis le { $day }
account-since-email = { $email }, depuis le { $day }
account-sessions = Où vous êtes connecté
account-this-browser = Ce navigateur
account-sign-out-everywhere = Se déconnecter partout
account-delete = Supprimer votre compte
account-manage = Ajouter ou retirer un moyen de connexion
identities-have = Ce que vous avez
identities-unusable = inutilisable pour le moment
identities-remove = Retirer { $name }
identities-remove-note = Le retirer vous déconnecte aussi de tout ce à quoi vous vous êtes connecté avec lui.
identities-last = C’est votre dernier moyen de connexion, il ne peut pas être retiré.
identities-more = Ce que vous pouvez ajouter
identities-more-note = Vous y prouvez qu’il est à vous. Ensuite, l’un ou l’autre vous connecte.
identities-add = Ajouter { $name }
identities-added = Ajouté. L’un ou l’autre vous connecte maintenant.
identities-removed = Retiré.
identities-back = Retour à votre compte
account-name = Nom affiché
account-save = Enregistrer
account-session-count = { $count ->
    [one] { $count } navigateur est connecté.
   *[other] { $count } navigateurs sont connectés.
}
account-session-seen = Connecté le { $since }, vu pour la dernière fois le { $seen }
account-browser-on = { $browser } sur { $system }
account-browser-unknown = Un navigateur
account-apps = Applications ayant accès
account-apps-none = Aucune application n’a accès à votre compte.
account-app-revoke = Retirer l’accès
account-data = Vos données
account-export = Télécharger vos données
account-export-hint = Un fichier JSON contenant tout ce qui est conservé ici à votre sujet.
account-done-renamed = Votre nom est enregistré.
account-done-ended = Ce navigateur est déconnecté.
account-done-revoked = L’application n’a plus accès.
account-problem-name = Un nom compte de 1 à 100 caractères.

## Deleting the account

delete-title = Supprimer votre compte ?
delete-lead = { $name }, cette action est irréversible.
delete-point-sessions = Vous êtes immédiatement déconnecté partout.
delete-point-upstream = L’autorisation accordée par votre service de connexion est rendue.
delete-point-profile = Votre profil est effacé et les applications qui vous connaissent en sont informées.
delete-confirm = Saisissez { $word } pour confirmer
delete-button = Supprimer mon compte
delete-keep = Le garder
deletion-title-done = Votre compte est supprimé
deletion-title = Votre compte est en cours de suppression
deletion-lead-done = Tout était terminé le { $moment }.
deletion-lead = Vous êtes déjà déconnecté. Le reste se fait tout seul, même si vous fermez cette page.
deletion-receipt = Reçu
deletion-asked = Demandée
deletion-note = Ce reçu ne contient rien sur vous. Gardez son adresse si vous voulez le consulter de nouveau.
deletion-step-sessions = Vous avez été déconnecté partout
deletion-step-upstream = L’autorisation de votre service de connexion a été rendue
deletion-step-person = Votre compte a été effacé
deletion-step-clients = Les applications ont été informées

## Proving once more who one is

prove-title = Est-ce bien vous ?
prove-lead = Reconnectez-vous avant de continuer.
prove-none = Il n’y a aucun moyen de se reconnecter. Prévenez le responsable de ce site.
prove-wrong = Le mot de passe ou le code est incorrect.
account-done-proved = Merci. Vous pouvez continuer.

## The second step

second-title = Seconde étape
second-lead = Prouvez que c’est bien vous.
second-code = Code
second-code-hint = Six chiffres de votre application, ou l’un de vos codes de secours.
second-wrong = Ce code est incorrect ou a déjà servi.
second-too-many = Trop de codes incorrects. Attendez un quart d’heure.
second-off = Votre mot de passe suffit à ouvrir ce compte.
second-on = En plus du mot de passe, un code de votre application est demandé depuis le { $day }.
second-manage = Modifier la seconde étape
second-add = Configurer les codes d’une application
second-remove = Retirer la seconde étape
second-renew = Créer de nouveaux codes de secours
second-done-added = La seconde étape est configurée.
second-done-removed = La seconde étape est retirée.
second-problem-required = Une seconde étape est exigée ici ; elle ne peut pas être retirée.
second-codes-left = { $count ->
    [one] { $count } code de secours restant
   *[other] { $count } codes de secours restants
}
totp-title = Codes d’une application
totp-lead = Vous vous connecterez ensuite avec votre mot de passe et un code.
totp-lead-required = Une seconde étape est exigée ici. Configurez-la pour continuer.
totp-scan = Scannez ceci avec votre application
totp-qr = Code QR de la clé ci-dessous
totp-type = Si vous ne pouvez pas scanner, saisissez cette clé.
totp-open = Ouvrir l’application sur cet appareil
totp-code = Saisissez ensuite le code affiché par l’application
totp-confirm = Configurer
totp-late = Cela a pris trop de temps. Scannez cette nouvelle clé.
codes-title = Vos codes de secours
codes-lead = Chacun remplace une fois votre application si vous la perdez. Ils ne sont affichés que maintenant.
codes-note = Imprimez-les ou gardez-les dans un gestionnaire de mots de passe, pas sur l’appareil où se trouve l’application.
codes-done = Je les ai
