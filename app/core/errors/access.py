"""What a caller may be refused for."""

from __future__ import annotations

from app.core.errors.base import WordkinError


class KeyRequired(WordkinError):
    """This service is asked with a key: send it as `Authorization: Bearer wk_...`."""


class KeyInvalid(WordkinError):
    """The key is unknown, was revoked, or has expired."""


class NotPermitted(WordkinError):
    """The key does not allow this."""


class KeyNotFound(WordkinError):
    """There is no key of this id."""


class WebhookNotFound(WordkinError):
    """There is no webhook of this id."""


class WebhookRefused(WordkinError):
    """Messages may not go there; the setting WORDKIN_WEBHOOK_HOSTS says where they may."""


class RateExceeded(WordkinError):
    """More requests came than one key or address may send; Retry-After says when the next is let through."""
