"""What the rules about missing retries share: the calls that nothing sends a second time."""

from __future__ import annotations

from keyguard.patterns import regex
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from keyguard.python.network import ModelCall, Network
    from keyguard.python.retries import RetryLoop

# Paths of a model API under which no model answers: logins, rights, counts of tokens and what is stored.
_NO_MODEL = regex(
    r"/(?:oauth2?|tokens?|login|files|batches|permissions|cachedContents|fileSearchStores|corpora|count_tokens)"
    r"(?:[/?#]|$)|:(?:count|compute)Tokens\b"
)
# The same of an SDK's methods, and those that only read what is there.
_STORED = regex(
    r"(?:^|\.)(?:files|operations|batches|caches|tunings|file_search_stores)\."
    r"|\.(?:list|get|delete|cancel|download)$|(?:^|\.)(?:count|compute)_tokens(?:_async)?$"
)


def is_spared(network: Network) -> bool:
    """Tell whether a file may go without retries: tests fail fast, and the settings name scripts that run once."""
    return network.source.role == "test" or network.advice.one_off.matches(network.source.path)


def asks(call: ModelCall) -> bool:
    """Tell whether a call asks a model over the net, in one piece: what streams or reads a list is not meant."""
    if call.http is None:
        is_other = _STORED.search(call.method) is not None
    else:
        is_other = call.method != "post" or any(_NO_MODEL.search(host.url) is not None for host in call.http.hosts)
    return not (call.is_local or call.is_streaming or is_other)


def guards(network: Network, call: ModelCall) -> tuple[RetryLoop, ...]:
    """What sends a call again; a tool that was told to send it once is none."""
    return tuple(item for item in network.guards(call) if item.attempts != 1)
