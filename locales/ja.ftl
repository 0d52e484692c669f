# 日本語。です・ます調。

## Days

month = { $month ->
    [1] 1
    [2] 2
    [3] 3
    [4] 4
    [5] 5
    [6] 6
    [7] 7
    [8] 8
    [9] 9
    [10] 10
    [11] 11
   *[12] 12
}
day = { $year }年{ $month-name }月{ $day }日
moment = { $date } { $time }（UTC）

## On several pages

cancel = キャンセル
continue = 続ける
deny = 拒否
allow = 許可
sign-in = サインイン
sign-out = サインアウト
signed-in-as = サインイン中のアカウント
not-you = 別のアカウントを使う
unnamed-person = お使いのアカウント
link-support = ヘルプ
link-policy = プライバシーポリシー
link-terms = 利用規約
link-client = { $client }について

## Choosing how to sign in

choose-title = { $client }にサインイン
choose-lead = { $client }に進みます
choose-again = { $name }としてサインインしています。{ $client }が、もう一度サインインするよう求めています。
choose-none = サインインの方法がまだ設定されていません。サイトの運営者にお知らせください。
choose-away = { $connection }は現在応答していません。このまま試すか、数分後にもう一度お越しください。
continue-with-apple = Appleで続ける
continue-with = { $connection }で続ける
username = ユーザー名
password = パスワード
login-wrong = ユーザー名またはパスワードが正しくありません。
login-too-many = 試行回数が多すぎます。1分ほど待ってから、もう一度お試しください。
login-late = 時間がかかりすぎました。もう一度サインインしてください。

## Consent

consent-title = { $client }を許可しますか？
consent-lead = { $client }が次の許可を求めています。
consent-lead-at = { $client }（{ $host }）が次の許可を求めています。
scope-openid = 次に利用するときに、あなたを識別する
scope-profile = 名前とプロフィールを見る
scope-email = メールアドレスを見る
scope-address = 住所を見る
scope-phone = 電話番号を見る
scope-offline-access = 利用していない間もこのアクセスを保つ
scope-account-delete = あなたの求めに応じて、ここのアカウントを削除する
scope-other = 利用する：

## On the way

moment-title = お待ちください
moment-lead = アプリに戻ります。画面が変わらないときは「続ける」を押してください。
signing-in-title = サインインしています
signing-in-lead = しばらくお待ちください。画面が変わらないときは「続ける」を押してください。

## Signing out

logout-title = サインアウトしますか？
logout-lead = ここでのセッションを終了します。ほかのアプリでは、次の確認までサインインしたままになることがあります。
logout-lead-client = { $client }が、ここでのセッションの終了を求めています。ほかのアプリでは、次の確認までサインインしたままになることがあります。
stay-signed-in = サインインしたままにする
logged-out-title = サインアウトしました
logged-out-lead = ここでのセッションは終了しました。このウインドウは閉じてかまいません。
logged-out-telling = ここでのセッションは終了しました。ほかのアプリに知らせています。このウインドウは閉じてかまいません。
logged-out-returning = ほかのアプリに知らせています。まもなく元の画面に戻ります。
logged-out-frame = アプリからサインアウトしています

## Devices

device-title = デバイスを接続
device-title-problem = エラー：デバイスを接続
device-lead = デバイスに表示されているコードを入力してください。
device-lead-brought = デバイスに表示されているコードと同じか確かめてください。
device-code = コード
device-code-hint = 8文字の英字です。大文字・小文字やハイフンの有無は問いません。
device-unknown = このコードで待っているデバイスはありません。コードが変わっているかもしれないので、デバイスをもう一度確かめてください。
device-too-many = 試したコードの数が多すぎます。1分ほど待ってから、もう一度お試しください。
device-confirm-title = { $client }を接続しますか？
device-confirm-lead = デバイスがあなたとしてサインインしようとしています。次のコードが表示されているはずです。
device-warning-strong = 手元にあり、
device-warning = { $warning }たった今サインインの操作をしたデバイスだけを許可してください。このコードやリンクが誰かから送られてきたものなら、拒否してください。その人があなたとしてサインインすることになります。
device-connected-title = デバイスを接続しました
device-connected-lead = 数秒後にデバイスの画面が進みます。このウインドウは閉じてかまいません。
device-refused-title = デバイスは接続されませんでした
device-refused-lead = サインインしていません。接続するときは、デバイスで最初からやり直してください。

## A link that a script made to try an app

try-title = { $client } を試す
try-lead = このリンクは、{ $client } へのサインインが正しく動くか確かめるためのものです。
try-warning-strong = このリンクを送った人には、{ $client } に伝わるあなたの情報が表示されます
try-warning = { $warning }。たとえば名前やメールアドレスです。相手がわかる場合にだけ続けてください。
try-done-title = これで完了です
try-done-lead = 結果はリンクを送った人に届きました。このウインドウは閉じてかまいません。

## When it does not work

error-details = 開発者向けの詳細
error-request-id = お問い合わせの際のリクエストID：
error-unavailable-title = 現在サインインできません
error-unavailable-message = サインインのサービスが応答していません。
error-unavailable-advice = しばらく待ってからアプリに戻り、もう一度お試しください。
error-fault-title = 問題が発生しました
error-fault-message = お客様の操作が原因ではありません。
error-fault-advice = アプリに戻って、もう一度お試しください。繰り返し起こるときは、下のリクエストIDを運営者にお知らせください。
error-denied-title = サインインしていません
error-denied-message = サインインが拒否されました。
error-denied-advice = もう一度試すには、アプリに戻ってください。
error-invalid-title = このサインインは続けられません
error-invalid-message = リンクが不完全か、期限切れか、すでに使用されています。
error-invalid-advice = アプリに戻って、最初からやり直してください。
error-logout-title = このサインアウトは続けられません
error-logout-message = アプリから送られた内容が不完全か、無効です。
error-logout-advice = 代わりにここでサインアウトできます。
error-missing-title = ページがありません
error-missing-message = アドレスが間違っているか、ページがなくなりました。
error-signed-out-title = サインインしていません
error-signed-out-message = お使いのアプリからサインインして、このページに戻ってください。

## The person's own page

account-title = アカウント
account-relay = プライベートリレー
account-identities = サインインの方法
account-local = ユーザー名とパスワード
account-since = { $day }から
account-since-email = { $email }、{ $day }から
account-sessions = サインイン中の場所
account-this-browser = このブラウザ
account-sign-out-everywhere = すべての場所でサインアウト
account-delete = アカウントを削除
account-manage = サインインの方法を追加または削除
identities-have = 登録済みの方法
identities-unusable = 現在は使えません
identities-remove = { $name }を削除
identities-remove-note = 削除すると、この方法でサインインしたすべての場所からサインアウトします。
identities-last = これが最後のサインイン方法のため、削除できません。
identities-more = 追加できる方法
identities-more-note = 本人のものであることを相手先で確認します。その後はどちらでもサインインできます。
identities-add = { $name }を追加
identities-added = 追加しました。どちらでもサインインできます。
identities-removed = 削除しました。
identities-back = アカウントに戻る
account-name = 表示名
account-save = 保存
account-session-count = { $count ->
   *[other] { $count }個のブラウザでサインインしています。
}
account-session-seen = { $since }にサインイン、最終確認 { $seen }
account-browser-on = { $system }の{ $browser }
account-browser-unknown = ブラウザ
account-apps = アクセスを許可したアプリ
account-apps-none = アカウントにアクセスできるアプリはありません。
account-app-revoke = アクセスを取り消す
account-data = あなたのデータ
account-export = データをダウンロード
account-export-hint = ここに保存されているあなたの情報すべてを、1つのJSONファイルにまとめます。
account-done-renamed = 名前を保存しました。
account-done-ended = そのブラウザをサインアウトしました。
account-done-revoked = アプリのアクセスを取り消しました。
account-problem-name = 名前は1文字以上100文字以下にしてください。

## Deleting the account

delete-title = アカウントを削除しますか？
delete-lead = { $name }さん、削除すると元に戻せません。
delete-point-sessions = すべての場所でただちにサインアウトします。
delete-point-upstream = サインイン元のサービスでの許可を返上します。
delete-point-profile = プロフィールを消去し、あなたを知るアプリに知らせます。
delete-confirm = 確認のため { $word } と入力してください
delete-button = アカウントを削除する
delete-keep = 削除しない
deletion-title-done = アカウントを削除しました
deletion-title = アカウントを削除しています
deletion-lead-done = { $moment }までにすべて完了しました。
deletion-lead = すでにサインアウトしています。このページを閉じても、残りの処理は自動で進みます。
deletion-receipt = 受付番号
deletion-asked = 受付日時
deletion-note = この受付票に個人情報は含まれません。後で確認するときのために、このページのアドレスを控えてください。
deletion-step-sessions = すべての場所でサインアウトしました
deletion-step-upstream = サインイン元のサービスでの許可を返上しました
deletion-step-person = アカウントを消去しました
deletion-step-clients = アプリに知らせました

## Proving once more who one is

prove-title = ご本人ですか？
prove-lead = 続けるには、もう一度サインインしてください。
prove-none = もう一度サインインする方法がありません。サイトの運営者にお知らせください。
prove-wrong = パスワードまたはコードが正しくありません。
account-done-proved = ありがとうございます。続けられます。

## The second step

second-title = 2段階目の確認
second-lead = ご本人であることを確認します。
second-code = コード
second-code-hint = アプリの6桁の数字、またはリカバリーコード。
second-wrong = コードが正しくないか、すでに使われています。
second-too-many = 間違いが多すぎます。15分待ってください。
second-off = このアカウントはパスワードだけで開けます。
second-on = { $day }から、パスワードに加えてアプリのコードが必要です。
second-manage = 2段階目の確認を変更
second-add = アプリのコードを設定
second-remove = 2段階目の確認を削除
second-renew = 新しいリカバリーコードを作成
second-done-added = 2段階目の確認を設定しました。
second-done-removed = 2段階目の確認を削除しました。
second-problem-required = ここでは2段階目の確認が必須のため、削除できません。
second-codes-left = { $count ->
   *[other] リカバリーコード残り{ $count }個
}
totp-title = アプリのコード
totp-lead = 以後はパスワードとコードでサインインします。
totp-lead-required = ここでは2段階目の確認が必須です。続けるには設定してください。
totp-scan = アプリで読み取ってください
totp-qr = 下のキーのQRコード
totp-type = 読み取れない場合は、このキーを入力してください。
totp-open = このデバイスでアプリを開く
totp-code = アプリに表示されたコードを入力してください
totp-confirm = 設定する
totp-late = 時間がかかりすぎました。新しいキーを読み取ってください。
codes-title = リカバリーコード
codes-lead = アプリを失ったとき、1つにつき1回代わりに使えます。表示されるのは今だけです。
codes-note = 印刷するか、パスワードマネージャーに保存してください。アプリと同じデバイスには置かないでください。
codes-done = 保存しました
