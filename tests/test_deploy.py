"""Alert rules and dashboard ask for metrics that exist, by labels that they have. No Prometheus runs here."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client.registry import Collector

import app.main
import trainer.work.metrics
from app.core.errors import WordkinError
from app.core.payloads import KINDS
from app.core.records import JobState
from app.serving import measured
from app.web import gauges

DEPLOY = Path(__file__).resolve().parents[1] / "deploy"
ALERTS: dict[str, Any] = yaml.safe_load((DEPLOY / "alerts.yml").read_text())
DASHBOARD: dict[str, Any] = json.loads((DEPLOY / "grafana.json").read_text())
RULES = [rule for group in ALERTS["groups"] for rule in group["rules"]]
FIGURES = gauges.Figures({("queued", "train"): 1}, {"train": 1.0}, 1, 1.0, {"m": 1}, 1, 1)
OF_PROMETHEUS = {"up": {"job", "instance"}}
OF_EVERY_TARGET = {"job", "instance"}
SELECTED = re.compile(r"\b([a-z_]+)(?:\{([^}]*(?:\{id\}[^}]*)?)\})?(?:\[[^\]]+\])?")


@cache
def exposed() -> dict[str, set[str]]:
    """Names of all series of both processes, with the labels that each has."""
    app.main.create_app  # noqa: B018 (importing it has registered what the API counts)
    trainer.work.metrics.show_job(None)
    ours = CollectorRegistry(auto_describe=False)
    ours.register(gauges._Told(FIGURES))
    found: dict[str, set[str]] = dict(OF_PROMETHEUS)
    collectors: set[Collector] = {*REGISTRY._collector_to_names, *ours._collector_to_names}
    for collector in collectors:
        own = set(getattr(collector, "_labelnames", ()))
        for metric in collector.collect():
            endings = {"counter": ["_total"], "histogram": ["_bucket", "_sum", "_count"], "info": ["_info"]}
            for ending in endings.get(metric.type, [""]):
                labels = own | {label for sample in metric.samples for label in sample.labels}
                found[metric.name + ending] = labels | OF_EVERY_TARGET | ({"le"} if ending == "_bucket" else set())
    return found


def asked() -> Iterator[tuple[str, str]]:
    """Who asks, and what."""
    for rule in RULES:
        yield rule["alert"], rule["expr"]
    for panel in DASHBOARD["panels"]:
        for target in panel.get("targets", []):
            yield panel["title"], target["expr"]


@pytest.mark.parametrize(("who", "query"), list(asked()))
def test_what_is_asked_for_is_told(who: str, query: str) -> None:
    told = exposed()
    series = {
        name: selector for name, selector in SELECTED.findall(query) if name in told or name.startswith("wordkin")
    }
    assert series, who
    assert series.keys() <= told.keys()
    for name, selector in series.items():
        assert set(re.findall(r"(\w+)(?:=~|!=|!~|=)\"", selector)) <= told[name]
    grouped = {label.strip() for labels in re.findall(r"by \(([^)]*)\)", query) for label in labels.split(",")}
    assert grouped <= set.union(*(told[name] for name in series))
    for opened, closed in ("()", "{}", "[]"):
        assert query.count(opened) == query.count(closed)


def test_values_that_are_selected_exist() -> None:
    types = {error.slug for error in WordkinError.__subclasses__()}
    known: dict[str, set[str]] = {
        "type": types,
        "state": set(JobState),
        "kind": set(KINDS),
        "index": set(measured.INDEXES),
    }
    for _, query in asked():
        for label, values in re.findall(r"(\w+)=~?\"([^\"]*)\"", query):
            if label in known:
                assert set(values.split("|")) <= known[label]


def test_every_metric_of_ours_is_shown() -> None:
    shown = {name for _, query in asked() for name in re.findall(r"wordkin_\w+", query)}
    told = {re.sub("_(sum|count)$", "_bucket", name) for name in exposed() if name.startswith("wordkin_")}
    assert told - shown == {"wordkin_trainer_busy", "wordkin_trainer_job_info"}, "which only say what the others count"


def test_rules_and_panels_are_whole() -> None:
    assert len({rule["alert"] for rule in RULES}) == len(RULES) > 8
    for rule in RULES:
        assert rule["labels"]["severity"] in {"page", "warning"}
        assert rule["annotations"]["summary"].endswith(".")
        assert set(re.findall(r"\$labels\.(\w+)", str(rule["annotations"]))) <= {"instance", "kind", "type"}
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(set(ids)) == len(ids)
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24


def test_prometheus_is_told_where_rules_are_and_whom_to_ask() -> None:
    told = yaml.safe_load((DEPLOY / "prometheus.yml").read_text())
    assert [(DEPLOY / name).exists() for name in told["rule_files"]] == [True]
    jobs = {job["job_name"] for job in told["scrape_configs"]}
    assert {label for _, query in asked() for label in re.findall(r'job="([^"]+)"', query)} <= jobs
