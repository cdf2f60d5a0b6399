from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import LinearConstraint, minimize

from trainer.evaluating.support_vectors import fit, kernel_of


@pytest.mark.parametrize(("kind", "c"), [("linear", 1.0), ("rbf", 0.7)])
def test_the_machine_is_the_solution_of_the_dual_problem(kind: str, c: float) -> None:
    rng = np.random.default_rng(2)
    rows, is_first = rng.standard_normal((24, 3)), np.arange(24) < 10
    rows[is_first] += 0.8
    kernel = kernel_of(kind, rows, rows, 0.4)  # type: ignore[arg-type] # parameters are plain strings
    y = np.where(is_first, 1.0, -1.0)
    q = kernel * np.outer(y, y)

    def cost(a: np.ndarray) -> float:
        return float(a @ q @ a / 2 - a.sum())

    balanced = LinearConstraint(y[None], 0, 0)
    solved = minimize(cost, np.full(24, c / 2), method="SLSQP", bounds=[(0, c)] * 24, constraints=[balanced], tol=1e-12)
    machine = fit(kernel, is_first, c)
    weights = machine.coefficients * y
    assert weights.min() >= 0
    assert weights.max() <= c
    assert abs(machine.coefficients.sum()) < 1e-9
    assert weights @ q @ weights / 2 - weights.sum() == pytest.approx(solved.fun, abs=1e-3)
    free = (solved.x > 1e-4) & (solved.x < c - 1e-4)  # on the margin, where the function is y
    offset = (y - kernel @ (solved.x * y))[free].mean()
    np.testing.assert_allclose(
        kernel @ machine.coefficients + machine.offset, kernel @ (solved.x * y) + offset, atol=5e-3
    )


def test_kernels_are_what_their_formulas_say() -> None:
    a, b = np.array([[1.0, 2.0], [0.0, -1.0]]), np.array([[3.0, 1.0]])
    assert kernel_of("linear", a, b, 9.0).tolist() == [[5.0], [-1.0]]
    np.testing.assert_allclose(kernel_of("rbf", a, b, 0.1), np.exp([[-0.5], [-1.3]]), rtol=1e-12)
