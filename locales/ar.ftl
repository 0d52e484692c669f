# العربية. تُقرأ من اليمين إلى اليسار.

## Days

month = { $month ->
    [1] يناير
    [2] فبراير
    [3] مارس
    [4] أبريل
    [5] مايو
    [6] يونيو
    [7] يوليو
    [8] أغسطس
    [9] سبتمبر
    [10] أكتوبر
    [11] نوفمبر
   *[12] ديسمبر
}
# الأجزاء معزولة، فلا يُعرف اتجاه التاريخ من حروفها: تبدأ العلامة الاتجاه من اليمين.
day = { "\u200F" }{ $day } { $month-name } { $year }
moment = { $date }، { $time } بالتوقيت العالمي

## On several pages

cancel = إلغاء
continue = متابعة
deny = رفض
allow = سماح
sign-in = تسجيل الدخول
sign-out = تسجيل الخروج
signed-in-as = تم تسجيل الدخول باسم
not-you = لست أنت؟
unnamed-person = حسابك
link-support = المساعدة
link-policy = سياسة الخصوصية
link-terms = شروط الخدمة
link-client = نبذة عن { $client }

## Choosing how to sign in

choose-title = تسجيل الدخول إلى { $client }
choose-lead = للمتابعة إلى { $client }
choose-again = أنت مسجّل الدخول باسم { $name }. يطلب منك { $client } تسجيل الدخول مرة أخرى.
choose-none = لم تُعدّ هنا أي طريقة لتسجيل الدخول بعد. يُرجى إبلاغ مسؤول الموقع.
choose-away = لا يستجيب { $connection } في الوقت الحالي. يمكنك المحاولة على أي حال، أو العودة بعد بضع دقائق.
continue-with-apple = المتابعة باستخدام Apple
continue-with = المتابعة باستخدام { $connection }
username = اسم المستخدم
password = كلمة المرور
login-wrong = اسم المستخدم أو كلمة المرور غير صحيحة.
login-too-many = محاولات كثيرة جدًا. انتظر دقيقة ثم حاول مرة أخرى.
login-late = استغرق ذلك وقتًا طويلًا. سجّل الدخول مرة أخرى.

## Consent

consent-title = السماح لـ { $client }؟
consent-lead = يرغب { $client } في:
consent-lead-at = يرغب { $client } على { $host } في:
scope-openid = التعرّف عليك عند عودتك
scope-profile = الاطلاع على اسمك وملفك الشخصي
scope-email = الاطلاع على بريدك الإلكتروني
scope-address = الاطلاع على عنوانك البريدي
scope-phone = الاطلاع على رقم هاتفك
scope-offline-access = الاحتفاظ بهذا الإذن أثناء غيابك
scope-account-delete = حذف حسابك هنا عندما تطلب ذلك
scope-other = استخدام

## On the way

moment-title = لحظة من فضلك
moment-lead = أنت في طريق العودة إلى التطبيق. إذا لم يحدث شيء، فاضغط على «متابعة».
signing-in-title = جارٍ تسجيل دخولك
signing-in-lead = يستغرق هذا لحظة. إذا لم يحدث شيء، فاضغط على «متابعة».

## Signing out

logout-title = هل تريد تسجيل الخروج؟
logout-lead = ستنتهي جلستك هنا. قد تبقى مسجّل الدخول في تطبيقات أخرى إلى أن تتحقق من جديد.
logout-lead-client = يطلب { $client } إنهاء جلستك هنا. قد تبقى مسجّل الدخول في تطبيقات أخرى إلى أن تتحقق من جديد.
stay-signed-in = البقاء مسجّل الدخول
logged-out-title = تم تسجيل خروجك
logged-out-lead = انتهت جلستك هنا. يمكنك إغلاق هذه النافذة.
logged-out-telling = انتهت جلستك هنا، ويجري إبلاغ تطبيقاتك الأخرى. يمكنك إغلاق هذه النافذة.
logged-out-returning = يجري إبلاغ تطبيقاتك الأخرى. أنت في طريق العودة.
logged-out-frame = تسجيل الخروج من تطبيق

## Devices

device-title = ربط جهاز
device-title-problem = خطأ: ربط جهاز
device-lead = أدخل الرمز الظاهر على جهازك.
device-lead-brought = تأكد من أن هذا هو الرمز الظاهر على جهازك.
device-code = الرمز
device-code-hint = ثمانية أحرف لاتينية. لا فرق بين الأحرف الكبيرة والصغيرة، والشَّرطة اختيارية.
device-unknown = لا يوجد جهاز ينتظر بهذا الرمز. انظر إلى الجهاز مرة أخرى، فربما تغيّر الرمز.
device-too-many = جُرّبت من هنا رموز كثيرة جدًا. انتظر دقيقة ثم حاول مرة أخرى.
device-confirm-title = ربط { $client }؟
device-confirm-lead = يطلب جهاز تسجيل الدخول باسمك. يجب أن يعرض هذا الرمز:
device-warning-strong = لا تسمح إلا لجهاز موجود أمامك
device-warning = { $warning } وطلبتَ أنت تسجيل الدخول عليه قبل قليل. هل أرسل إليك أحدهم هذا الرمز أو هذا الرابط؟ إذن ارفض، وإلا فسيسجّل ذلك الشخص الدخول باسمك.
device-connected-title = تم ربط جهازك
device-connected-lead = سيتابع الجهاز تلقائيًا خلال ثوانٍ. يمكنك إغلاق هذه النافذة.
device-refused-title = لم يتم ربط الجهاز
device-refused-lead = لم يُسجَّل الدخول عليه. إذا أردت ربطه، فابدأ من جديد على الجهاز.

## A link that a script made to try an app

try-title = تجربة { $client }
try-lead = أُنشئ هذا الرابط للتحقق من أن تسجيل الدخول إلى { $client } يعمل.
try-warning-strong = من أرسل إليك هذا الرابط سيرى ما يعرفه { $client } عنك
try-warning = { $warning }، مثل اسمك وعنوان بريدك الإلكتروني. لا تتابع إلا إذا كنت تعرف من هو.
try-done-title = انتهى كل شيء
try-done-lead = وصلت النتيجة إلى من أرسل إليك الرابط. يمكنك إغلاق هذه النافذة.

## When it does not work

error-details = تفاصيل للمطوّر
error-request-id = معرّف الطلب، إذا احتجت إلى مساعدة:
error-unavailable-title = تسجيل الدخول غير متاح الآن
error-unavailable-message = الخدمة التي تسجّل دخولك لا تستجيب.
error-unavailable-advice = انتظر لحظة، ثم عُد إلى التطبيق وحاول مرة أخرى.
error-fault-title = حدث خطأ ما هنا
error-fault-message = لست السبب في ذلك.
error-fault-advice = عُد إلى التطبيق وحاول مرة أخرى. إذا تكرر الأمر، فأبلغ المسؤول بمعرّف الطلب أدناه.
error-denied-title = لم يتم تسجيل دخولك
error-denied-message = رُفض تسجيل الدخول.
error-denied-advice = عُد إلى التطبيق للمحاولة مرة أخرى.
error-invalid-title = لا يمكن متابعة تسجيل الدخول هذا
error-invalid-message = الرابط غير مكتمل، أو انتهت صلاحيته، أو استُخدم من قبل.
error-invalid-advice = عُد إلى التطبيق وابدأ من هناك مرة أخرى.
error-logout-title = لا يمكن متابعة تسجيل الخروج هذا
error-logout-message = ما أرسله التطبيق غير مكتمل أو غير صالح.
error-logout-advice = يمكنك تسجيل الخروج من هنا بدلًا من ذلك.
error-missing-title = لا يوجد شيء هنا
error-missing-message = العنوان غير صحيح، أو أن ما كان هنا لم يعد موجودًا.
error-signed-out-title = لم يتم تسجيل دخولك
error-signed-out-message = سجّل الدخول من أحد تطبيقاتك، ثم عُد إلى هذه الصفحة.

## The person's own page

account-title = حسابك
account-relay = ترحيل خاص
account-identities = طرق تسجيل دخولك
account-local = اسم المستخدم وكلمة المرور
account-since = منذ { $day }
account-since-email = { $email }، منذ { $day }
account-sessions = أماكن تسجيل دخولك
account-this-browser = هذا المتصفح
account-sign-out-everywhere = تسجيل الخروج من كل مكان
account-delete = حذف حسابك
account-manage = إضافة طريقة تسجيل دخول أو إزالتها
identities-have = ما لديك
identities-unusable = غير قابلة للاستخدام الآن
identities-remove = إزالة { $name }
identities-remove-note = تؤدي إزالتها أيضًا إلى تسجيل خروجك من كل ما سجلت الدخول إليه بها.
identities-last = هذه آخر طريقة لتسجيل دخولك، لذا لا يمكن إزالتها.
identities-more = ما يمكنك إضافته
identities-more-note = تثبت هناك أنها لك. بعد ذلك يمكنك تسجيل الدخول بأي منهما.
identities-add = إضافة { $name }
identities-added = تمت الإضافة. يمكنك الآن تسجيل الدخول بأي منهما.
identities-removed = تمت الإزالة.
identities-back = العودة إلى حسابك
account-name = الاسم المعروض
account-save = حفظ
account-session-count = { $count ->
    [zero] لا يوجد متصفح مسجّل الدخول.
    [one] متصفح واحد مسجّل الدخول.
    [two] متصفحان مسجّلا الدخول.
    [few] { $count } متصفحات مسجّلة الدخول.
    [many] { $count } متصفحًا مسجّل الدخول.
   *[other] { $count } متصفح مسجّل الدخول.
}
account-session-seen = تسجيل الدخول في { $since }، آخر ظهور في { $seen }
account-browser-on = { $browser } على { $system }
account-browser-unknown = متصفح
account-apps = التطبيقات التي لها إذن وصول
account-apps-none = لا يوجد تطبيق له إذن بالوصول إلى حسابك.
account-app-revoke = إلغاء الإذن
account-data = بياناتك
account-export = تنزيل بياناتك
account-export-hint = ملف JSON واحد يضم كل ما هو محفوظ عنك هنا.
account-done-renamed = تم حفظ اسمك.
account-done-ended = تم تسجيل الخروج من ذلك المتصفح.
account-done-revoked = لم يعد للتطبيق إذن وصول.
account-problem-name = يتكوّن الاسم من حرف واحد على الأقل ومئة حرف على الأكثر.

## Deleting the account

delete-title = هل تريد حذف حسابك؟
delete-lead = { $name }، لا يمكن التراجع عن هذا.
delete-point-sessions = سيُسجَّل خروجك من كل مكان فورًا.
delete-point-upstream = يُعاد الإذن الممنوح لدى مزوّد تسجيل الدخول.
delete-point-profile = يُمحى ملفك الشخصي، وتُبلَّغ التطبيقات التي تعرفك.
delete-confirm = اكتب { $word } للتأكيد
delete-button = حذف حسابي
delete-keep = الاحتفاظ به
deletion-title-done = تم حذف حسابك
deletion-title = يجري حذف حسابك
deletion-lead-done = اكتمل كل شيء في { $moment }.
deletion-lead = تم تسجيل خروجك بالفعل. يستمر الباقي تلقائيًا حتى لو أغلقت هذه الصفحة.
deletion-receipt = الإيصال
deletion-asked = وقت الطلب
deletion-note = لا يحتوي هذا الإيصال على أي شيء عنك. احتفظ بعنوانه إذا أردت الاطلاع عليه مرة أخرى.
deletion-step-sessions = تم تسجيل خروجك من كل مكان
deletion-step-upstream = أُعيد الإذن لدى مزوّد تسجيل الدخول
deletion-step-person = مُحي حسابك
deletion-step-clients = أُبلغت التطبيقات

## Proving once more who one is

prove-title = هل هذا أنت؟
prove-lead = سجّل الدخول مرة أخرى قبل أن تتابع.
prove-none = لا توجد طريقة لتسجيل الدخول من جديد. يُرجى إبلاغ مسؤول الموقع.
prove-wrong = كلمة المرور أو الرمز غير صحيح.
account-done-proved = شكرًا لك. يمكنك المتابعة الآن.

## The second step

second-title = الخطوة الثانية
second-lead = أثبت أنك صاحب الحساب.
second-code = الرمز
second-code-hint = ستة أرقام من تطبيقك، أو أحد رموز الاسترداد.
second-wrong = الرمز غير صحيح أو سبق استخدامه.
second-too-many = رموز خاطئة كثيرة. انتظر ربع ساعة.
second-off = كلمة مرورك وحدها تفتح هذا الحساب.
second-on = إلى جانب كلمة المرور يلزم رمز من تطبيقك منذ { $day }.
second-manage = تغيير الخطوة الثانية
second-add = إعداد رموز من تطبيق
second-remove = إزالة الخطوة الثانية
second-renew = إنشاء رموز استرداد جديدة
second-done-added = تم إعداد الخطوة الثانية.
second-done-removed = أُزيلت الخطوة الثانية.
second-problem-required = الخطوة الثانية مطلوبة هنا، لذا لا يمكن إزالتها.
second-codes-left = { $count ->
    [zero] لم يتبقَّ أي رمز استرداد ({ $count })
    [one] تبقّى رمز استرداد واحد ({ $count })
    [two] تبقّى رمزا استرداد ({ $count })
    [few] تبقّت { $count } رموز استرداد
    [many] تبقّى { $count } رمز استرداد
   *[other] تبقّى { $count } رمز استرداد
}
totp-title = رموز من تطبيق
totp-lead = بعد ذلك تسجّل الدخول بكلمة المرور ورمز.
totp-lead-required = الخطوة الثانية مطلوبة هنا. أعدّها لتتابع.
totp-scan = امسح هذا بتطبيقك
totp-qr = رمز QR للمفتاح أدناه
totp-type = إن لم تستطع المسح، فاكتب هذا المفتاح.
totp-open = افتح التطبيق على هذا الجهاز
totp-code = ثم اكتب الرمز الذي يعرضه تطبيقك
totp-confirm = إعداد
totp-late = استغرق ذلك وقتًا طويلًا. امسح هذا المفتاح الجديد.
codes-title = رموز الاسترداد
codes-lead = كل رمز يحل محل تطبيقك مرة واحدة إذا فقدته. تُعرض الآن فقط.
codes-note = اطبعها أو احفظها في مدير كلمات مرور، لا على الجهاز الذي عليه التطبيق.
codes-done = حفظتها
