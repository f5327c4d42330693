"""What asking whether keys live says, in English and Chinese: apart, since no check ever needs it."""

# ruff: noqa: RUF001  # full-width punctuation is what Chinese is written with

from __future__ import annotations

from keyguard.lang import Texts
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from keyguard.lang import Entry

_EN: dict[str, Entry] = {
    "state.live": "live",
    "state.restricted": "restricted",
    "state.dead": "dead",
    "state.unknown": "unknown",
    "count.live": "{count} live",
    "count.restricted": "{count} restricted",
    "count.dead": "{count} dead",
    "count.unknown": "{count} unknown",
    # Why a key lives, may not do everything, or is dead.
    "why.accepted": "{host} accepts it",
    "why.busy": "{host} knows it, and says that it sends too many requests",
    "why.no-credit": "{host} knows it; its account has no money or quota left",
    "why.region": "{host} knows it; it belongs to another region of the same provider",
    "why.scope": "{host} knows it; it may not read this",
    "why.address": "{host} knows it; it may not be used from this network or application",
    "why.account": "{host} knows it; its account is blocked or restricted",
    "why.invalid": "{host} does not know it (any more)",
    "why.expired": "{host} says that it has expired",
    "why.blocked": "{host} has blocked it",
    # Why nobody can tell, though somebody answered.
    "why.redirect": "{host} sends elsewhere (status {status}), where a key must not follow; look at the base URL",
    "why.portal": "a proxy or a login page of this network answered (status {status}); sign in there, then ask again",
    "why.page": "{host} answered with a web page (status {status}): no API, or a guard in front of it",
    "why.odd": "{host} answered with status {status}, but not as this API does",
    "why.open": "{host} answers the same without a key, so this tells nothing",
    "why.rate": "{host} allows no more requests for now (status {status}); ask again later",
    "why.server": "{host} is out of order (status {status}); ask again later",
    "why.refused": "{host} refuses (status {status}) and does not say whether it knows the key",
    "why.absent": "{host} has no such page (status {status}); look at the base URL",
    "why.location": "{host} does not serve the place you ask from; ask from elsewhere or through a proxy (HTTPS_PROXY)",
    # Why nobody answered.
    "why.timeout": "{host} did not answer in time; ask again, or with a longer timeout",
    "why.unreachable": "no connection to {host}; look at the network and the port",
    "why.no-host": "the name {host} leads nowhere; look at the base URL and the network",
    "why.certificate": (
        "the certificate of {host} is not trusted, so the key was not sent; if your network has certificates of its"
        " own, name them in SSL_CERT_FILE"
    ),
    "why.broken": "the connection to {host} broke; ask again",
    "why.proxy": "the proxy of this environment (HTTPS_PROXY) did not let the request to {host} through",
    "why.no-socks": "the proxy of this environment is SOCKS; run pip install pysocks, or name an HTTP proxy",
    # Why nobody is asked.
    "why.no-provider": "neither its provider nor the base URL it is used with is known",
    "why.no-request": "no harmless request tells whether such a key lives",
    "why.needs-base": "only the address of its own resource can be asked, and it was found without one",
    "why.needs-more": "its provider wants something beside it that was not found with it",
    "why.foreign": "it was found with a provider that does not issue such keys, and nobody knows who does",
    "why.apart": "it was found with a host that has keys of its own and no harmless request",
    "why.bad-base": "the base URL it was found with is no usable URL",
    "why.plain": "the base URL it was found with is http://, over which the key would travel in the clear",
    "why.userinfo": "the base URL it was found with holds a user name or password",
    "why.refused-host": "the base URL it was found with leads into this machine's own network services",
    "why.key-in-url": "the base URL it was found with holds the key, and URLs end up in logs",
    "why.unsendable": "it holds characters that no request can carry, so it is no whole key",
    # The plan.
    "plan.none": "No key will be sent anywhere.",
    "plan.head": ("{count} key will be sent:", "{count} keys will be sent:"),
    "plan.to": ("{count} to {hosts}", "{count} to {hosts}"),
    "plan.then": "{host}, then {others} until one knows it",
    "plan.join": ", ",
    "plan.unasked": ("{count} key is not asked about:", "{count} keys are not asked about:"),
    "plan.why": "{count}: {why}",
    # A verdict on one line.
    "verdict": "{state}: {why}",
    "verdict.limits": "{verdict} ({limits})",
    # What a key opens.
    "reach.models": "call models at your cost",
    "reach.files": "read and delete uploaded files and tuned models",
    "reach.keys": "make and delete keys and members",
    "reach.billing": "read what was used and paid",
    "reach.repositories": "read and change repositories",
    "reach.data": "read and change stored data",
    "reach.prompts": "read recorded prompts and answers",
    "reach.cloud": "use other services of the same cloud account",
    "reach.compute": "start machines at your cost",
    "reach.voices": "use and delete cloned voices",
    "reach.search": "search and fetch pages at your cost",
    "reach.join": "; ",
}

_ZH: dict[str, Entry] = {
    "state.live": "有效",
    "state.restricted": "受限",
    "state.dead": "已失效",
    "state.unknown": "未知",
    "count.live": "{count} 个有效",
    "count.restricted": "{count} 个受限",
    "count.dead": "{count} 个已失效",
    "count.unknown": "{count} 个未知",
    "why.accepted": "{host} 接受该密钥",
    "why.busy": "{host} 认得该密钥，并提示请求过于频繁",
    "why.no-credit": "{host} 认得该密钥，但账户余额或额度已用完",
    "why.region": "{host} 认得该密钥，但它属于同一提供商的其他区域",
    "why.scope": "{host} 认得该密钥，但它没有读取权限",
    "why.address": "{host} 认得该密钥，但不允许从当前网络或应用使用",
    "why.account": "{host} 认得该密钥，但其账户已被封禁或限制",
    "why.invalid": "{host} 不认得该密钥（或已不再认得）",
    "why.expired": "{host} 提示该密钥已过期",
    "why.blocked": "{host} 已封禁该密钥",
    "why.redirect": "{host} 要求跳转到别处（状态码 {status}），密钥不会跟随跳转；请检查 base URL",
    "why.portal": "应答来自当前网络的代理或登录页（状态码 {status}）；请先登录，再重新验证",
    "why.page": "{host} 返回的是网页（状态码 {status}）：不是 API，或前面有防护",
    "why.odd": "{host} 返回状态码 {status}，但内容不像该 API 的应答",
    "why.open": "{host} 不带密钥也同样应答，因此说明不了什么",
    "why.rate": "{host} 暂时不再接受请求（状态码 {status}），请稍后再验证",
    "why.server": "{host} 出现故障（状态码 {status}），请稍后再验证",
    "why.refused": "{host} 拒绝了请求（状态码 {status}），但没有说明是否认得该密钥",
    "why.absent": "{host} 没有这个地址（状态码 {status}），请检查 base URL",
    "why.location": "{host} 不向您所在的地区提供服务；请换个网络或通过代理（HTTPS_PROXY）验证",
    "why.timeout": "{host} 没有及时应答；请重试，或延长超时时间",
    "why.unreachable": "无法连接 {host}，请检查网络和端口",
    "why.no-host": "域名 {host} 无法解析，请检查 base URL 和网络",
    "why.certificate": "{host} 的证书不受信任，密钥没有发出；如果您的网络使用自有证书，请在 SSL_CERT_FILE 中指定",
    "why.broken": "与 {host} 的连接中断，请重试",
    "why.proxy": "环境中的代理（HTTPS_PROXY）没有放行发往 {host} 的请求",
    "why.no-socks": "环境中的代理是 SOCKS；请运行 pip install pysocks，或改用 HTTP 代理",
    "why.no-provider": "不知道它的提供商，也不知道它配合哪个 base URL 使用",
    "why.no-request": "没有无害的请求能判断这种密钥是否有效",
    "why.needs-base": "只能向它所属资源的地址验证，而发现它时没有这个地址",
    "why.needs-more": "提供商还需要另一项凭据，而发现它时没有一并找到",
    "why.foreign": "发现它时所用的提供商并不签发这种密钥，而真正的签发方未知",
    "why.apart": "发现它时所用的主机使用单独的密钥，且没有无害的验证请求",
    "why.bad-base": "发现它时所用的 base URL 不可用",
    "why.plain": "发现它时所用的 base URL 是 http://，密钥会以明文传输",
    "why.userinfo": "发现它时所用的 base URL 含有用户名或密码",
    "why.refused-host": "发现它时所用的 base URL 指向本机的内部网络服务",
    "why.key-in-url": "发现它时所用的 base URL 含有该密钥，而 URL 会留在日志里",
    "why.unsendable": "它含有请求无法携带的字符，因此不是完整的密钥",
    "plan.none": "不会发送任何密钥。",
    "plan.head": "将发送 {count} 个密钥：",
    "plan.to": "{count} 个发往 {hosts}",
    "plan.then": "{host}，如果不认得，再依次发往 {others}",
    "plan.join": "、",
    "plan.unasked": "{count} 个密钥不作验证：",
    "plan.why": "{count} 个：{why}",
    "verdict": "{state}：{why}",
    "verdict.limits": "{verdict}（{limits}）",
    "reach.models": "调用模型，费用由您承担",
    "reach.files": "读取和删除已上传的文件与微调模型",
    "reach.keys": "创建和删除密钥与成员",
    "reach.billing": "查看用量与账单",
    "reach.repositories": "读取和修改仓库",
    "reach.data": "读取和修改已存储的数据",
    "reach.prompts": "读取记录下来的提示词与回答",
    "reach.cloud": "使用同一云账户的其他服务",
    "reach.compute": "启动计算资源，费用由您承担",
    "reach.voices": "使用和删除克隆的声音",
    "reach.search": "搜索和抓取网页，费用由您承担",
    "reach.join": "；",
}

ENTRIES: Mapping[str, Mapping[str, Entry]] = {"en": _EN, "zh": _ZH}


def texts(lang: str) -> Texts:
    """Give the texts of `lang`, `en` or `zh`."""
    return Texts(lang, ENTRIES[lang])
