# Español. Se tutea, como es costumbre en las apps.

## Days

month = { $month ->
    [1] enero
    [2] febrero
    [3] marzo
    [4] abril
    [5] mayo
    [6] junio
    [7] julio
    [8] agosto
    [9] septiembre
    [10] octubre
    [11] noviembre
   *[12] diciembre
}
day = { $day } de { $month-name } de { $year }
moment = { $date }, { $time } UTC

## On several pages

cancel = Cancelar
continue = Continuar
deny = Rechazar
allow = Permitir
sign-in = Iniciar sesión
sign-out = Cerrar sesión
signed-in-as = Sesión iniciada como
not-you = ¿No eres tú?
unnamed-person = tu cuenta
link-support = Ayuda
link-policy = Política de privacidad
link-terms = Condiciones del servicio
link-client = Acerca de { $client }

## Choosing how to sign in

choose-title = Iniciar sesión en { $client }
choose-lead = para continuar a { $client }
choose-again = Has iniciado sesión como { $name }. { $client } te pide que la inicies de nuevo.
choose-none = Aquí todavía no se puede iniciar sesión de ninguna forma. Avisa a quien administra este sitio.
choose-away = { $connection } no responde en este momento. Puedes intentarlo de todos modos o volver dentro de unos minutos.
continue-with-apple = Continuar con Apple
continue-with = Continuar con { $connection }
username = Nombre de usuario
password = Contraseña
login-wrong = El nombre de usuario o la contraseña no son correctos.
login-too-many = Demasiados intentos. Espera un minuto y vuelve a probar.
login-late = Ha tardado demasiado. Vuelve a iniciar sesión.

## Consent

consent-title = ¿Permitir el acceso a { $client }?
consent-lead = { $client } quiere:
consent-lead-at = { $client }, en { $host }, quiere:
scope-openid = Reconocerte cuando vuelvas
scope-profile = Ver tu nombre y tu perfil
scope-email = Ver tu correo electrónico
scope-address = Ver tu dirección postal
scope-phone = Ver tu número de teléfono
scope-offline-access = Conservar este acceso cuando no estés
scope-account-delete = Eliminar tu cuenta aquí cuando lo pidas
scope-other = Usar

## On the way

moment-title = Un momento
moment-lead = Estás volviendo a la app. Si no pasa nada, pulsa Continuar.
signing-in-title = Iniciando sesión
signing-in-lead = Solo tarda un momento. Si no pasa nada, pulsa Continuar.

## Signing out

logout-title = ¿Cerrar sesión?
logout-lead = Se cerrará tu sesión aquí. Es posible que otras apps la mantengan abierta hasta que vuelvan a preguntar.
logout-lead-client = { $client } pide cerrar tu sesión aquí. Es posible que otras apps la mantengan abierta hasta que vuelvan a preguntar.
stay-signed-in = Mantener la sesión
logged-out-title = Has cerrado sesión
logged-out-lead = Tu sesión aquí ha terminado. Puedes cerrar esta ventana.
logged-out-telling = Tu sesión aquí ha terminado y estamos avisando a tus otras apps. Puedes cerrar esta ventana.
logged-out-returning = Estamos avisando a tus otras apps. Enseguida volverás.
logged-out-frame = Cerrando sesión en una app

## Devices

device-title = Conectar un dispositivo
device-title-problem = Error: conectar un dispositivo
device-lead = Escribe el código que muestra tu dispositivo.
device-lead-brought = Comprueba que este es el código que muestra tu dispositivo.
device-code = Código
device-code-hint = Ocho letras. Da igual si van en mayúsculas o con guion.
device-unknown = Ningún dispositivo espera con este código. Vuelve a mirarlo: puede que haya cambiado.
device-too-many = Se han probado demasiados códigos desde aquí. Espera un minuto y vuelve a probar.
device-confirm-title = ¿Conectar { $client }?
device-confirm-lead = Un dispositivo quiere iniciar sesión en tu nombre. Debe mostrar este código:
device-warning-strong = Permítelo solo si tienes el dispositivo delante
device-warning = { $warning } y acabas de pedir tú que inicie sesión. ¿Alguien te ha enviado este código o este enlace? Entonces recházalo: esa persona entraría en tu nombre.
device-connected-title = Tu dispositivo está conectado
device-connected-lead = Seguirá solo en unos segundos. Puedes cerrar esta ventana.
device-refused-title = El dispositivo no se ha conectado
device-refused-lead = No ha iniciado sesión. Si al final quieres conectarlo, empieza de nuevo en el dispositivo.

## A link that a script made to try an app

try-title = Probar { $client }
try-lead = Este enlace sirve para comprobar que se puede iniciar sesión en { $client }.
try-warning-strong = Quien te ha enviado este enlace verá lo que { $client } sabe de ti
try-warning = { $warning }, como tu nombre y tu correo electrónico. Sigue solo si sabes quién es.
try-done-title = Eso es todo
try-done-lead = Quien te envió el enlace ya tiene el resultado. Puedes cerrar esta ventana.

## When it does not work

error-details = Detalles para el desarrollador
error-request-id = Identificador, por si pides ayuda:
error-unavailable-title = Ahora mismo no se puede iniciar sesión
error-unavailable-message = El servicio que inicia tu sesión no responde.
error-unavailable-advice = Espera un momento, vuelve a la app e inténtalo de nuevo.
error-fault-title = Algo ha fallado aquí
error-fault-message = No es culpa tuya.
error-fault-advice = Vuelve a la app e inténtalo de nuevo. Si se repite, da a quien la administra el identificador de abajo.
error-denied-title = No has iniciado sesión
error-denied-message = Se ha rechazado el inicio de sesión.
error-denied-advice = Vuelve a la app para intentarlo de nuevo.
error-invalid-title = Este inicio de sesión no puede continuar
error-invalid-message = El enlace está incompleto, ha caducado o ya se ha usado.
error-invalid-advice = Vuelve a la app y empieza de nuevo desde allí.
error-logout-title = Este cierre de sesión no puede continuar
error-logout-message = Lo que ha enviado la app está incompleto o no es válido.
error-logout-advice = Puedes cerrar sesión aquí.
error-missing-title = Aquí no hay nada
error-missing-message = La dirección no es correcta, o lo que había aquí ya no está.
error-signed-out-title = No has iniciado sesión
error-signed-out-message = Inicia sesión desde una de tus apps y vuelve después a esta página.

## The person's own page

account-title = Tu cuenta
account-relay = reenvío privado
account-identities = Cómo inicias sesión
account-local = Nombre de usuario y contraseña
account-since = desde el { $day }
account-since-email = { $email }, desde el { $day }
account-sessions = Dónde tienes la sesión abierta
account-this-browser = Este navegador
account-sign-out-everywhere = Cerrar sesión en todas partes
account-delete = Eliminar tu cuenta
account-manage = Añadir o quitar una forma de iniciar sesión
identities-have = Lo que tienes
identities-unusable = no se puede usar ahora
identities-remove = Quitar { $name }
identities-remove-note = Al quitarla también se cierra la sesión en todo lo que abriste con ella.
identities-last = Es tu última forma de entrar, así que no se puede quitar.
identities-more = Lo que puedes añadir
identities-more-note = Allí demuestras que es tuya. Después podrás entrar con cualquiera de ellas.
identities-add = Añadir { $name }
identities-added = Añadida. Ahora puedes entrar con cualquiera de ellas.
identities-removed = Quitada.
identities-back = Volver a tu cuenta
account-name = Nombre visible
account-save = Guardar
account-session-count = { $count ->
    [one] Hay un navegador con la sesión iniciada.
   *[other] Hay { $count } navegadores con la sesión iniciada.
}
account-session-seen = Sesión iniciada el { $since }, visto por última vez el { $seen }
account-browser-on = { $browser } en { $system }
account-browser-unknown = Un navegador
account-apps = Apps con acceso
account-apps-none = Ninguna app tiene acceso a tu cuenta.
account-app-revoke = Quitar el acceso
account-data = Tus datos
account-export = Descargar tus datos
account-export-hint = Un archivo JSON con todo lo que se guarda aquí sobre ti.
account-done-renamed = Tu nombre se ha guardado.
account-done-ended = Se ha cerrado la sesión en ese navegador.
account-done-revoked = La app ya no tiene acceso.
account-problem-name = Un nombre tiene entre 1 y 100 caracteres.

## Deleting the account

delete-title = ¿Eliminar tu cuenta?
delete-lead = { $name }, esto no se puede deshacer.
delete-point-sessions = Se cierra tu sesión en todas partes al instante.
delete-point-upstream = Se devuelve el permiso a tu proveedor de inicio de sesión.
delete-point-profile = Se borra tu perfil y se avisa a las apps que te conocen.
delete-confirm = Escribe { $word } para confirmar
delete-button = Eliminar mi cuenta
delete-keep = Conservarla
deletion-title-done = Tu cuenta está eliminada
deletion-title = Se está eliminando tu cuenta
deletion-lead-done = Todo quedó hecho el { $moment }.
deletion-lead = Tu sesión ya está cerrada. El resto sigue solo, aunque cierres esta página.
deletion-receipt = Comprobante
deletion-asked = Solicitado
deletion-note = Este comprobante no contiene nada sobre ti. Guarda su dirección si quieres consultarlo más adelante.
deletion-step-sessions = Se cerró tu sesión en todas partes
deletion-step-upstream = Se devolvió el permiso a tu proveedor de inicio de sesión
deletion-step-person = Se borró tu cuenta
deletion-step-clients = Se avisó a las apps

## Proving once more who one is

prove-title = ¿Eres tú?
prove-lead = Inicia sesión una vez más antes de continuar.
prove-none = No hay forma de volver a iniciar sesión. Avisa a quien administra este sitio.
prove-wrong = La contraseña o el código no es correcto.
account-done-proved = Gracias. Ya puedes continuar.

## The second step

second-title = Segundo paso
second-lead = Demuestra que eres tú.
second-code = Código
second-code-hint = Seis cifras de tu app o uno de tus códigos de recuperación.
second-wrong = Ese código no es correcto o ya se usó.
second-too-many = Demasiados códigos incorrectos. Espera un cuarto de hora.
second-off = Tu contraseña basta para abrir esta cuenta.
second-on = Además de la contraseña necesitas un código de tu app desde el { $day }.
second-manage = Cambiar el segundo paso
second-add = Configurar códigos de una app
second-remove = Quitar el segundo paso
second-renew = Crear códigos de recuperación nuevos
second-done-added = El segundo paso está configurado.
second-done-removed = Se ha quitado el segundo paso.
second-problem-required = Aquí se exige un segundo paso, así que no se puede quitar.
second-codes-left = { $count ->
    [one] Queda { $count } código de recuperación
   *[other] Quedan { $count } códigos de recuperación
}
totp-title = Códigos de una app
totp-lead = A partir de entonces inicias sesión con tu contraseña y un código.
totp-lead-required = Aquí se exige un segundo paso. Configúralo para continuar.
totp-scan = Escanea esto con tu app
totp-qr = Código QR de la clave de abajo
totp-type = Si no puedes escanear, escribe esta clave.
totp-open = Abrir la app en este dispositivo
totp-code = Después escribe el código que muestra tu app
totp-confirm = Configurar
totp-late = Ha tardado demasiado. Escanea esta clave nueva.
codes-title = Tus códigos de recuperación
codes-lead = Cada uno sustituye una vez a tu app si la pierdes. Solo se muestran ahora.
codes-note = Imprímelos o guárdalos en un gestor de contraseñas, no en el dispositivo de la app.
codes-done = Los tengo
