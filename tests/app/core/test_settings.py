"""What is wrong with a setting is said by the name of its variable."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from app.core.settings import Settings, explained, unknown_variables


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("PORT", "70000", "WORDKIN_PORT=70000: Input should be less than or equal to 65535"),
        (
            "LOG_LEVEL",
            "loud",
            "WORDKIN_LOG_LEVEL=loud: Input should be 'debug', 'info', 'warning', ",
        ),
        (
            "LOG_LEVEL",
            "warn",
            "WORDKIN_LOG_LEVEL=warn: Input should be 'debug', 'info', 'warning', 'error' or 'critical'. "
            "Did you mean 'warning'?",
        ),
        (
            "HEARTBEAT_SECONDS",
            "20",
            "WORDKIN_HEARTBEAT_SECONDS (20) must be at most a third of",
        ),
        (
            "DATABASE_URL",
            "mysql://u:secret@h/d",
            "WORDKIN_DATABASE_URL must begin with one of sqlite://, postgresql://",
        ),
        ("CORS_ORIGINS", "*,https://shop.example/", "WORDKIN_CORS_ORIGINS: 'https://shop.example/' is no origin such"),
        ("CORS_ORIGINS", "shop.example", "WORDKIN_CORS_ORIGINS: 'shop.example' is no origin such"),
        ("STORAGE_URL", "/srv/secret", "WORDKIN_STORAGE_URL must begin with one of file://, s3://, gs://, az://"),
    ],
)
def test_a_wrong_setting_is_named(name: str, value: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"WORDKIN_{name}", value)
    with pytest.raises(ValidationError) as caught:
        Settings()
    assert explained(caught.value).startswith(said)
    assert "secret" not in explained(caught.value)


def test_all_that_is_wrong_is_said_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORDKIN_PORT", "x")
    monkeypatch.setenv("WORDKIN_MAX_ATTEMPTS", "0")
    with pytest.raises(ValidationError) as caught:
        Settings()
    assert [line.partition("=")[0] for line in explained(caught.value).splitlines()] == [
        "WORDKIN_PORT",
        "WORDKIN_MAX_ATTEMPTS",
    ]


def test_a_variable_that_is_no_setting_is_named_with_the_nearest() -> None:
    names = ["WORDKIN_DATAA_DIR", "WORDKIN_DATA_DIR", "wordkin_port", "WORDKIN_URL", "WORDKIN_XYZZY", "PATH"]
    assert unknown_variables(names) == {"WORDKIN_DATAA_DIR": "WORDKIN_DATA_DIR", "WORDKIN_XYZZY": None}


@pytest.mark.parametrize("url", ["postgresql+psycopg://u@h/d", "postgresql://u@h/d", "sqlite:////tmp/x"])
def test_drivers_may_be_named(url: str) -> None:
    assert Settings(database_url=url, log_level="INFO").log_level == "info"
