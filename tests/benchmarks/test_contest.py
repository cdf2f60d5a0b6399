from __future__ import annotations

from benchmarks.contest import OURS, Case, Measurement, run
from benchmarks.quality import Score
from benchmarks.rows import as_table


def test_ratio_above_one_means_ours_is_better() -> None:
    """Medians; of speeds ours over theirs, of times theirs over ours."""
    ours, theirs = iter([30.0, 1.0, 40.0]), iter([10.0, 15.0, 99.0])
    quality = {"SimLex": Score(0.3, 990, 999)}
    contestants = {
        OURS: lambda _: Measurement(next(ours), quality),
        "peer": lambda _: Measurement(next(theirs), quality),
    }
    (row,) = run(Case("speed", "tokens/s", True, contestants), 3)
    assert (row.ours, row.theirs, row.ratio, row.peer) == (30.0, 15.0, 2.0, "peer")
    assert row.details["quality"]["ours"]["SimLex"] == {"mean": 0.3, "deviation": 0.0, "covered": 990, "total": 999}
    assert "| 2.00 |" in as_table([row])
    seconds = {OURS: lambda _: Measurement(2.0), "peer": lambda _: Measurement(8.0)}
    assert run(Case("time", "seconds", False, seconds), 1)[0].ratio == 4.0


def test_turns_are_taken() -> None:
    order: list[str] = []

    def contestant(name: str) -> Measurement:
        order.append(name)
        return Measurement(1.0)

    run(Case("x", "s", True, {OURS: lambda _: contestant("a"), "p": lambda _: contestant("b")}), 2)
    assert order == ["a", "b", "a", "b"]
