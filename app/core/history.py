"""How a training went, epoch by epoch: one shape for all algorithms."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class Epoch(BaseModel):
    """One pass over the corpus.

    The losses are the algorithm's own: nats per prediction, for GloVe the mean weighted squared error per cell.
    """

    model_config = ConfigDict(frozen=True)

    epoch: Annotated[int, Field(ge=1, description="1 is the first")]
    loss: Annotated[float, Field(description="mean over the epoch, measured while it was trained")]
    held_out_loss: Annotated[float | None, Field(description="after the epoch, on the fixed sample")] = None
    learning_rate: Annotated[float | None, Field(description="at the beginning of the epoch")] = None
    seconds: Annotated[float, Field(description="of training, in the attempt that ended the epoch")]
    tokens_per_second: Annotated[float, Field(description="tokens of the corpus, in that time")]
