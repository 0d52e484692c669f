# 한국어. 해요체가 아닌 합쇼체.

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
day = { $year }년 { $month-name }월 { $day }일
moment = { $date } { $time }(UTC)

## On several pages

cancel = 취소
continue = 계속
deny = 거부
allow = 허용
sign-in = 로그인
sign-out = 로그아웃
signed-in-as = 로그인한 계정
not-you = 본인이 아닌가요?
unnamed-person = 내 계정
link-support = 도움말
link-policy = 개인정보 처리방침
link-terms = 이용약관
link-client = { $client } 정보

## Choosing how to sign in

choose-title = { $client } 로그인
choose-lead = 로그인하고 { $client } 계속 이용하기
choose-again = 현재 { $name } 계정으로 로그인되어 있습니다. { $client }에서 다시 로그인하도록 요청합니다.
choose-none = 아직 설정된 로그인 방법이 없습니다. 사이트 운영자에게 알려 주세요.
choose-away = { $connection }이(가) 지금 응답하지 않습니다. 그래도 시도해 보거나 몇 분 뒤에 다시 오세요.
continue-with-apple = Apple로 계속하기
continue-with = { $connection } 계정으로 계속하기
username = 사용자 이름
password = 암호
login-wrong = 사용자 이름 또는 암호가 올바르지 않습니다.
login-too-many = 시도 횟수가 너무 많습니다. 1분 뒤에 다시 시도해 주세요.
login-late = 시간이 너무 오래 걸렸습니다. 다시 로그인하세요.

## Consent

consent-title = { $client } 접근을 허용할까요?
consent-lead = { $client }에서 다음 권한을 요청합니다.
consent-lead-at = { $client }({ $host })에서 다음 권한을 요청합니다.
scope-openid = 다시 방문할 때 나를 알아보기
scope-profile = 이름과 프로필 보기
scope-email = 이메일 주소 보기
scope-address = 우편 주소 보기
scope-phone = 전화번호 보기
scope-offline-access = 이용하지 않는 동안에도 접근 권한 유지
scope-account-delete = 내가 요청하면 이곳의 계정 삭제
scope-other = 사용:

## On the way

moment-title = 잠시만 기다려 주세요
moment-lead = 앱으로 돌아가는 중입니다. 화면이 바뀌지 않으면 ‘계속’을 누르세요.
signing-in-title = 로그인하는 중입니다
signing-in-lead = 잠시만 기다려 주세요. 화면이 바뀌지 않으면 ‘계속’을 누르세요.

## Signing out

logout-title = 로그아웃할까요?
logout-lead = 이곳의 세션이 종료됩니다. 다른 앱은 다시 확인할 때까지 로그인 상태로 남아 있을 수 있습니다.
logout-lead-client = { $client }에서 이곳의 세션을 종료하도록 요청합니다. 다른 앱은 다시 확인할 때까지 로그인 상태로 남아 있을 수 있습니다.
stay-signed-in = 로그인 유지
logged-out-title = 로그아웃되었습니다
logged-out-lead = 이곳의 세션이 종료되었습니다. 이 창을 닫아도 됩니다.
logged-out-telling = 이곳의 세션이 종료되었고 다른 앱에 알리는 중입니다. 이 창을 닫아도 됩니다.
logged-out-returning = 다른 앱에 알리는 중입니다. 곧 돌아갑니다.
logged-out-frame = 앱에서 로그아웃하는 중

## Devices

device-title = 기기 연결
device-title-problem = 오류: 기기 연결
device-lead = 기기에 표시된 코드를 입력하세요.
device-lead-brought = 기기에 표시된 코드와 같은지 확인하세요.
device-code = 코드
device-code-hint = 영문자 여덟 자입니다. 대소문자와 붙임표는 구분하지 않습니다.
device-unknown = 이 코드로 기다리는 기기가 없습니다. 코드가 바뀌었을 수 있으니 기기를 다시 확인하세요.
device-too-many = 이곳에서 너무 많은 코드를 시도했습니다. 1분 뒤에 다시 시도해 주세요.
device-confirm-title = { $client } 기기를 연결할까요?
device-confirm-lead = 기기에서 내 계정으로 로그인하려고 합니다. 기기에 다음 코드가 표시되어야 합니다.
device-warning-strong = 눈앞에 있는 기기이고
device-warning = { $warning } 방금 직접 로그인을 요청한 경우에만 허용하세요. 다른 사람이 이 코드나 링크를 보냈다면 거부하세요. 허용하면 그 사람이 내 계정으로 로그인하게 됩니다.
device-connected-title = 기기가 연결되었습니다
device-connected-lead = 몇 초 뒤에 기기에서 자동으로 계속됩니다. 이 창을 닫아도 됩니다.
device-refused-title = 기기가 연결되지 않았습니다
device-refused-lead = 로그인되지 않았습니다. 연결하려면 기기에서 처음부터 다시 시작하세요.

## A link that a script made to try an app

try-title = { $client } 시험하기
try-lead = 이 링크는 { $client } 로그인이 제대로 되는지 확인하기 위한 것입니다.
try-warning-strong = 이 링크를 보낸 사람은 { $client }에 전달되는 내 정보를 보게 됩니다
try-warning = { $warning }. 이름과 이메일 주소가 그 예입니다. 누구인지 알 때만 계속하세요.
try-done-title = 모두 끝났습니다
try-done-lead = 결과는 링크를 보낸 사람에게 전달되었습니다. 이 창을 닫아도 됩니다.

## When it does not work

error-details = 개발자를 위한 세부 정보
error-request-id = 도움을 요청할 때 알려 줄 요청 ID:
error-unavailable-title = 지금은 로그인할 수 없습니다
error-unavailable-message = 로그인 서비스가 응답하지 않습니다.
error-unavailable-advice = 잠시 기다린 뒤 앱으로 돌아가 다시 시도해 주세요.
error-fault-title = 문제가 발생했습니다
error-fault-message = 사용자의 잘못이 아닙니다.
error-fault-advice = 앱으로 돌아가 다시 시도해 주세요. 문제가 계속되면 아래의 요청 ID를 운영자에게 알려 주세요.
error-denied-title = 로그인되지 않았습니다
error-denied-message = 로그인이 거부되었습니다.
error-denied-advice = 앱으로 돌아가 다시 시도해 주세요.
error-invalid-title = 이 로그인을 계속할 수 없습니다
error-invalid-message = 링크가 불완전하거나 만료되었거나 이미 사용되었습니다.
error-invalid-advice = 앱으로 돌아가 처음부터 다시 시작하세요.
error-logout-title = 이 로그아웃을 계속할 수 없습니다
error-logout-message = 앱이 보낸 내용이 불완전하거나 올바르지 않습니다.
error-logout-advice = 대신 여기에서 로그아웃할 수 있습니다.
error-missing-title = 여기에는 아무것도 없습니다
error-missing-message = 주소가 잘못되었거나 있던 내용이 사라졌습니다.
error-signed-out-title = 로그인되지 않았습니다
error-signed-out-message = 사용하는 앱에서 로그인한 뒤 이 페이지로 돌아오세요.

## The person's own page

account-title = 내 계정
account-relay = 비공개 릴레이
account-identities = 로그인 방법
account-local = 사용자 이름과 암호
account-since = { $day }부터
account-since-email = { $email }, { $day }부터
account-sessions = 로그인된 곳
account-this-browser = 이 브라우저
account-sign-out-everywhere = 모든 곳에서 로그아웃
account-delete = 계정 삭제
account-manage = 로그인 방법 추가 또는 제거
identities-have = 등록된 방법
identities-unusable = 지금은 사용할 수 없음
identities-remove = { $name } 제거
identities-remove-note = 제거하면 이 방법으로 로그인한 모든 곳에서 로그아웃됩니다.
identities-last = 마지막 로그인 방법이므로 제거할 수 없습니다.
identities-more = 추가할 수 있는 방법
identities-more-note = 그곳에서 본인의 것임을 확인합니다. 이후에는 둘 중 어느 것으로든 로그인할 수 있습니다.
identities-add = { $name } 추가
identities-added = 추가했습니다. 이제 둘 중 어느 것으로든 로그인할 수 있습니다.
identities-removed = 제거했습니다.
identities-back = 계정으로 돌아가기
account-name = 표시 이름
account-save = 저장
account-session-count = { $count ->
   *[other] 브라우저 { $count }개에서 로그인되어 있습니다.
}
account-session-seen = { $since } 로그인, 마지막 활동 { $seen }
account-browser-on = { $system }의 { $browser }
account-browser-unknown = 브라우저
account-apps = 접근 권한이 있는 앱
account-apps-none = 내 계정에 접근할 수 있는 앱이 없습니다.
account-app-revoke = 접근 권한 제거
account-data = 내 데이터
account-export = 내 데이터 다운로드
account-export-hint = 이곳에 보관된 나에 관한 모든 정보를 JSON 파일 하나로 받습니다.
account-done-renamed = 이름을 저장했습니다.
account-done-ended = 해당 브라우저에서 로그아웃했습니다.
account-done-revoked = 앱의 접근 권한을 제거했습니다.
account-problem-name = 이름은 1자 이상 100자 이하여야 합니다.

## Deleting the account

delete-title = 계정을 삭제할까요?
delete-lead = { $name } 님, 삭제하면 되돌릴 수 없습니다.
delete-point-sessions = 모든 곳에서 즉시 로그아웃됩니다.
delete-point-upstream = 로그인 제공업체에서 받은 권한을 반환합니다.
delete-point-profile = 프로필이 지워지고, 나를 아는 앱에 이를 알립니다.
delete-confirm = 확인하려면 { $word } 입력
delete-button = 내 계정 삭제
delete-keep = 유지
deletion-title-done = 계정이 삭제되었습니다
deletion-title = 계정을 삭제하는 중입니다
deletion-lead-done = { $moment }에 모두 완료되었습니다.
deletion-lead = 이미 로그아웃되었습니다. 이 페이지를 닫아도 나머지는 자동으로 진행됩니다.
deletion-receipt = 접수증
deletion-asked = 요청 시각
deletion-note = 이 접수증에는 개인 정보가 없습니다. 나중에 다시 보려면 주소를 보관하세요.
deletion-step-sessions = 모든 곳에서 로그아웃됨
deletion-step-upstream = 로그인 제공업체의 권한을 반환함
deletion-step-person = 계정을 지움
deletion-step-clients = 앱에 알림

## Proving once more who one is

prove-title = 본인이신가요?
prove-lead = 계속하려면 한 번 더 로그인하세요.
prove-none = 다시 로그인할 방법이 없습니다. 사이트 운영자에게 알려 주세요.
prove-wrong = 비밀번호 또는 코드가 올바르지 않습니다.
account-done-proved = 확인했습니다. 이제 계속할 수 있습니다.

## The second step

second-title = 두 번째 단계
second-lead = 본인임을 확인해 주세요.
second-code = 코드
second-code-hint = 앱의 여섯 자리 숫자 또는 복구 코드 하나.
second-wrong = 코드가 올바르지 않거나 이미 사용되었습니다.
second-too-many = 틀린 코드가 너무 많습니다. 15분 기다려 주세요.
second-off = 비밀번호만으로 이 계정을 열 수 있습니다.
second-on = { $day }부터 비밀번호와 함께 앱의 코드가 필요합니다.
second-manage = 두 번째 단계 변경
second-add = 앱 코드 설정
second-remove = 두 번째 단계 제거
second-renew = 새 복구 코드 만들기
second-done-added = 두 번째 단계를 설정했습니다.
second-done-removed = 두 번째 단계를 제거했습니다.
second-problem-required = 이곳에서는 두 번째 단계가 필수이므로 제거할 수 없습니다.
second-codes-left = { $count ->
   *[other] 복구 코드 { $count }개 남음
}
totp-title = 앱 코드
totp-lead = 이후에는 비밀번호와 코드로 로그인합니다.
totp-lead-required = 이곳에서는 두 번째 단계가 필수입니다. 계속하려면 설정하세요.
totp-scan = 앱으로 스캔하세요
totp-qr = 아래 키의 QR 코드
totp-type = 스캔할 수 없으면 이 키를 입력하세요.
totp-open = 이 기기에서 앱 열기
totp-code = 그다음 앱에 표시된 코드를 입력하세요
totp-confirm = 설정하기
totp-late = 시간이 너무 오래 걸렸습니다. 새 키를 스캔하세요.
codes-title = 복구 코드
codes-lead = 앱을 잃어버렸을 때 코드마다 한 번씩 대신 쓸 수 있습니다. 지금만 표시됩니다.
codes-note = 인쇄하거나 비밀번호 관리자에 보관하세요. 앱이 있는 기기에는 두지 마세요.
codes-done = 보관했습니다
