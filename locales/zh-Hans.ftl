# 简体中文。

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

cancel = 取消
continue = 继续
deny = 拒绝
allow = 允许
sign-in = 登录
sign-out = 退出登录
signed-in-as = 已登录账户
not-you = 不是你？
unnamed-person = 你的账户
link-support = 帮助
link-policy = 隐私政策
link-terms = 服务条款
link-client = 关于 { $client }

## Choosing how to sign in

choose-title = 登录 { $client }
choose-lead = 以继续使用 { $client }
choose-again = 你已登录为 { $name }。{ $client } 要求你重新登录。
choose-none = 这里还没有设置任何登录方式，请告知网站管理员。
choose-away = { $connection } 目前没有响应。你仍可以尝试，或过几分钟再来。
continue-with-apple = 通过 Apple 继续
continue-with = 通过 { $connection } 继续
username = 用户名
password = 密码
login-wrong = 用户名或密码不正确。
login-too-many = 尝试次数过多，请等待一分钟后再试。
login-late = 时间过长，请重新登录。

## Consent

consent-title = 允许 { $client }？
consent-lead = { $client } 希望：
consent-lead-at = { $client }（{ $host }）希望：
scope-openid = 在你再次使用时识别你
scope-profile = 查看你的姓名和个人资料
scope-email = 查看你的电子邮件地址
scope-address = 查看你的邮寄地址
scope-phone = 查看你的电话号码
scope-offline-access = 在你离开后保持此访问权限
scope-account-delete = 在你要求时删除你在这里的账户
scope-other = 使用

## On the way

moment-title = 请稍候
moment-lead = 正在返回应用。如果没有反应，请按“继续”。
signing-in-title = 正在登录
signing-in-lead = 请稍候。如果没有反应，请按“继续”。

## Signing out

logout-title = 要退出登录吗？
logout-lead = 你在这里的会话将会结束。其他应用可能会保持登录状态，直到下次核实。
logout-lead-client = { $client } 请求结束你在这里的会话。其他应用可能会保持登录状态，直到下次核实。
stay-signed-in = 保持登录
logged-out-title = 你已退出登录
logged-out-lead = 你在这里的会话已结束，可以关闭此窗口。
logged-out-telling = 你在这里的会话已结束，正在通知你的其他应用。可以关闭此窗口。
logged-out-returning = 正在通知你的其他应用，马上返回。
logged-out-frame = 正在退出某个应用

## Devices

device-title = 连接设备
device-title-problem = 错误：连接设备
device-lead = 请输入设备上显示的代码。
device-lead-brought = 请核对这是否就是设备上显示的代码。
device-code = 代码
device-code-hint = 八个字母，不区分大小写，连字符可省略。
device-unknown = 没有设备在等待此代码。代码可能已经更换，请再看一下设备。
device-too-many = 从这里尝试的代码过多，请等待一分钟后再试。
device-confirm-title = 连接 { $client }？
device-confirm-lead = 有设备请求以你的身份登录。它应当显示以下代码：
device-warning-strong = 只允许就在你面前的设备
device-warning = { $warning }，并且是你刚才亲自要求登录的设备。如果这个代码或链接是别人发给你的，请拒绝：否则对方会以你的身份登录。
device-connected-title = 设备已连接
device-connected-lead = 几秒钟后设备会自动继续。可以关闭此窗口。
device-refused-title = 设备未连接
device-refused-lead = 设备没有登录。如果仍想连接，请在设备上重新开始。

## A link that a script made to try an app

try-title = 试用 { $client }
try-lead = 此链接用于检查能否正常登录 { $client }。
try-warning-strong = 发给你此链接的人会看到 { $client } 获得的你的信息
try-warning = { $warning }，例如你的姓名和电子邮件地址。只有知道对方是谁时才继续。
try-done-title = 已完成
try-done-lead = 发给你链接的人已得到结果。可以关闭此窗口。

## When it does not work

error-details = 开发者详情
error-request-id = 寻求帮助时请提供请求编号：
error-unavailable-title = 暂时无法登录
error-unavailable-message = 登录服务没有响应。
error-unavailable-advice = 请稍等片刻，然后返回应用重试。
error-fault-title = 这里出了点问题
error-fault-message = 这不是你的错。
error-fault-advice = 请返回应用重试。如果再次发生，请把下面的请求编号告诉管理员。
error-denied-title = 你尚未登录
error-denied-message = 登录被拒绝。
error-denied-advice = 请返回应用重试。
error-invalid-title = 无法继续此次登录
error-invalid-message = 链接不完整、已过期或已被使用。
error-invalid-advice = 请返回应用，从头开始。
error-logout-title = 无法继续此次退出登录
error-logout-message = 应用发送的内容不完整或无效。
error-logout-advice = 你可以改为在此处退出登录。
error-missing-title = 这里什么也没有
error-missing-message = 地址有误，或者内容已不存在。
error-signed-out-title = 你尚未登录
error-signed-out-message = 请先从你的某个应用登录，再回到此页面。

## The person's own page

account-title = 你的账户
account-relay = 隐私转发
account-identities = 登录方式
account-local = 用户名和密码
account-since = 自{ $day }起
account-since-email = { $email }，自{ $day }起
account-sessions = 登录位置
account-this-browser = 此浏览器
account-sign-out-everywhere = 在所有位置退出登录
account-delete = 删除账户
account-manage = 添加或移除登录方式
identities-have = 已有的方式
identities-unusable = 目前不可用
identities-remove = 移除{ $name }
identities-remove-note = 移除后，您用它登录的所有位置也会退出登录。
identities-last = 这是您最后的登录方式，不能移除。
identities-more = 可以添加的方式
identities-more-note = 您在那里证明它属于您。之后两种方式都可以登录。
identities-add = 添加{ $name }
identities-added = 已添加。现在两种方式都可以登录。
identities-removed = 已移除。
identities-back = 返回您的账户
account-name = 显示名称
account-save = 保存
account-session-count = { $count ->
   *[other] 共有 { $count } 个浏览器已登录。
}
account-session-seen = { $since }登录，最近活动：{ $seen }
account-browser-on = { $system } 上的 { $browser }
account-browser-unknown = 某个浏览器
account-apps = 有访问权限的应用
account-apps-none = 没有应用可以访问你的账户。
account-app-revoke = 取消访问权限
account-data = 你的数据
account-export = 下载你的数据
account-export-hint = 一个 JSON 文件，包含这里保存的与你有关的全部信息。
account-done-renamed = 名称已保存。
account-done-ended = 该浏览器已退出登录。
account-done-revoked = 该应用已无访问权限。
account-problem-name = 名称须为 1 到 100 个字符。

## Deleting the account

delete-title = 要删除账户吗？
delete-lead = { $name }，此操作无法撤销。
delete-point-sessions = 你会立即在所有位置退出登录。
delete-point-upstream = 归还在登录服务商处获得的授权。
delete-point-profile = 抹除你的个人资料，并通知认识你的应用。
delete-confirm = 输入 { $word } 以确认
delete-button = 删除我的账户
delete-keep = 保留
deletion-title-done = 你的账户已删除
deletion-title = 正在删除你的账户
deletion-lead-done = 全部处理已于{ $moment }完成。
deletion-lead = 你已退出登录。即使关闭此页面，其余步骤也会自动完成。
deletion-receipt = 回执
deletion-asked = 申请时间
deletion-note = 此回执不含任何与你有关的信息。如需再次查看，请保存此页地址。
deletion-step-sessions = 已在所有位置退出登录
deletion-step-upstream = 已归还登录服务商处的授权
deletion-step-person = 账户已抹除
deletion-step-clients = 已通知应用

## Proving once more who one is

prove-title = 是你本人吗？
prove-lead = 继续之前，请再次登录。
prove-none = 没有可用于重新登录的方式，请告知网站管理员。
prove-wrong = 密码或验证码不正确。
account-done-proved = 谢谢，你可以继续了。

## The second step

second-title = 第二步
second-lead = 请证明是你本人。
second-code = 验证码
second-code-hint = 应用中的六位数字，或你的一个恢复码。
second-wrong = 该验证码不正确或已被使用。
second-too-many = 错误次数过多，请等待一刻钟。
second-off = 仅凭密码即可打开此账户。
second-on = 自 { $day } 起，除密码外还需要应用中的验证码。
second-manage = 更改第二步
second-add = 设置应用验证码
second-remove = 移除第二步
second-renew = 生成新的恢复码
second-done-added = 第二步已设置。
second-done-removed = 第二步已移除。
second-problem-required = 这里要求第二步，因此无法移除。
second-codes-left = { $count ->
   *[other] 剩余 { $count } 个恢复码
}
totp-title = 应用验证码
totp-lead = 此后你将使用密码和验证码登录。
totp-lead-required = 这里要求第二步，请先设置再继续。
totp-scan = 用你的应用扫描
totp-qr = 下方密钥的二维码
totp-type = 如果无法扫描，请输入此密钥。
totp-open = 在此设备上打开应用
totp-code = 然后输入应用显示的验证码
totp-confirm = 设置
totp-late = 时间过长，请扫描这个新密钥。
codes-title = 你的恢复码
codes-lead = 如果丢失应用，每个恢复码可代替一次。它们只在此刻显示。
codes-note = 请打印，或保存在密码管理器中，不要放在装有该应用的设备上。
codes-done = 我已保存
