"""What all errors have: a type, a title, what is said, and members."""

from __future__ import annotations

import re
from typing import Any, ClassVar


def reason(error: BaseException) -> str:
    """What a foreign error says, without paths and addresses of this machine, which belong into the log alone."""
    return (isinstance(error, OSError) and error.strerror) or type(error).__name__


class WordkinError(Exception):
    """Something went wrong."""

    title: ClassVar[str]
    slug: ClassVar[str]
    is_answered: ClassVar[bool] = True
    """Whether a request is answered by it; others stand in the `error` of a job, or behind another error."""

    def __init_subclass__(cls) -> None:
        name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", cls.__name__)
        cls.title = name.capitalize()
        cls.slug = name.lower().replace(" ", "-")

    def __init__(self, detail: str | None = None, /, **members: Any) -> None:
        self.detail = detail or (type(self).__doc__ or "").strip()
        self.members = members
        super().__init__(self.detail)

    def problem(self) -> dict[str, Any]:
        """This error as RFC 9457 members; the web layer adds ``status`` and ``instance``."""
        return {"type": f"/problems/{self.slug}", "title": self.title, "detail": self.detail, **self.members}
