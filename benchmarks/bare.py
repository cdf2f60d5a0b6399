"""The least that a service of vectors in Python starts with: ``python -m benchmarks.bare PORT``."""

from __future__ import annotations

import sys

import numpy as np
import uvicorn
from fastapi import FastAPI

app = FastAPI()
numbers = np.zeros(1)


@app.get("/neighbors")
async def neighbors(word: str, k: int = 10) -> dict[str, str | int]:
    """Find nothing."""
    return {"word": word, "k": k}


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning", loop="uvloop", http="httptools")
