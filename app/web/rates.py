"""How often a key, or an address without one, may ask."""

from __future__ import annotations

import ipaddress
import math
import time
from functools import lru_cache

from limits import RateLimitItem, parse_many
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.core.errors import RateExceeded
from app.web import problems

NEVER_REFUSED = frozenset({"/livez", "/readyz"})
"""What watches a process must not take it for dead while others ask too much of it."""
NETWORK_BITS = 64
"""Of an IPv6 address: what lies behind belongs to one customer."""


class LimitRate:
    """Counts the requests of each caller in this process, and refuses those beyond the limits.

    The headers are those of draft-ietf-httpapi-ratelimit-headers.
    """

    def __init__(self, app: ASGIApp, *, limits: str) -> None:
        self._app = app
        self._limits = parse_many(limits)
        self._limiter = SlidingWindowCounterRateLimiter(MemoryStorage())
        self._policy = ", ".join(f"{_name(limit)};q={limit.amount};w={limit.get_expiry()}" for limit in self._limits)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in NEVER_REFUSED:
            await self._app(scope, receive, send)
            return
        who = _who(scope)
        is_within = all(self._limiter.hit(limit, who) for limit in self._limits)
        left, wait_seconds = self._left(who)

        async def send_limits(message: Message) -> None:
            if message["type"] == "http.response.start":
                told = [(b"ratelimit-policy", self._policy.encode()), (b"ratelimit", left.encode())]
                message["headers"] = [*message["headers"], *told]
            await send(message)

        if is_within:
            await self._app(scope, receive, send_limits)
            return
        error = RateExceeded(f"There may be {self._policy} (q requests in w seconds) of one key or address.")
        refusal = problems.respond(*problems.problem_of(error, scope["path"]), {"Retry-After": str(wait_seconds)})
        await refusal(scope, receive, send_limits)

    def _left(self, who: str) -> tuple[str, int]:
        """What the header says is left of each limit, and the seconds until a request is let through again."""
        parts, wait_seconds, moment = [], 1, time.time()
        for limit in self._limits:
            stats = self._limiter.get_window_stats(limit, who)
            seconds = max(0, math.ceil(stats.reset_time - moment))
            parts.append(f"{_name(limit)};r={stats.remaining};t={seconds}")
            if stats.remaining == 0:
                wait_seconds = max(wait_seconds, seconds)
        return ", ".join(parts), wait_seconds


def _name(limit: RateLimitItem) -> str:
    return f'"{limit.get_expiry()}s"'


def _who(scope: Scope) -> str:
    """The id of a key that is known, or else the address; so a wrong key has no count of its own."""
    sent = [value for name, value in scope["headers"] if name == b"authorization"]
    caller = scope["app"].state.keyring.known(sent[0] if len(sent) == 1 else None)
    if caller is not None and caller.key_id is not None:
        return str(caller.key_id)
    return _network(scope["client"][0] if scope.get("client") else "")


@lru_cache(maxsize=4096)
def _network(address: str) -> str:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    return str(ipaddress.ip_network((parsed, NETWORK_BITS), strict=False)) if parsed.version == 6 else address
