"""What a training says of the version that it goes on from."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from app.core.names import Name
from app.core.numbers import NotBoolean
from app.core.payloads import Freeze


def _as_text(value: Any) -> Any:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


VersionName = Annotated[
    str,
    BeforeValidator(_as_text),
    Field(max_length=100, description="number or alias of the version that is read", examples=["latest"]),
]


class StartChoice(BaseModel):
    """A version to go on from, instead of from chance: its words and counts are added to those of the corpus."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    model: Annotated[Name, Field(examples=["bible"])]
    version: VersionName = "latest"
    freeze: Annotated[
        Freeze, Field(description="`parent`: its words keep their vectors, bit for bit; or a list of such words")
    ] = "none"
    anchor_strength: Annotated[
        float,
        Field(
            ge=0,
            le=1000,
            description="how strongly its words are drawn back to their place, each by the share of its occurrences "
            "that it has seen there; 0: not at all",
        ),
        NotBoolean,
    ] = 0.5


class StartDescription(BaseModel):
    """The version that a training goes on from; of listed words only their number is told."""

    model: str
    version: int
    freeze: Literal["none", "parent"] | int
    anchor_strength: float

    @classmethod
    def of(cls, start: dict[str, Any]) -> StartDescription:
        said = start["freeze"]
        freeze = said if isinstance(said, str) else len(said)
        version, strength = start["version"], start["anchor_strength"]
        return cls(model=version["model"], version=version["version"], freeze=freeze, anchor_strength=strength)
