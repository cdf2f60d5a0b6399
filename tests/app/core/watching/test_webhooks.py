"""The outbox: what is announced with a change is there with it, is sent by one at a time, and not for ever."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from app.core import catalog, jobs
from app.core.database import Database
from app.core.errors import WebhookRefused
from app.core.jobs import JobRequest
from app.core.watching import webhooks
from app.core.watching.outbox import TYPES, Delivery, Webhook
from app.core.watching.webhooks import Message, Outcome
from tests.conftest import Clock

DAY = 24 * 3600.0
DELIVERED, REFUSED = Outcome(204, "answered 204"), Outcome(500, "answered 500")


def make(database: Database, *types: str) -> str:
    with database.transaction() as session:
        return webhooks.create(session, "https://example.com", types or TYPES).id


def submit(database: Database) -> str:
    with database.transaction() as session:
        return jobs.submit(session, JobRequest("train", "m", {})).id


def sent(database: Database, webhook_id: str) -> list[Delivery]:
    with database.reading() as session:
        return list(webhooks.deliveries(session, webhook_id, limit=100))


def webhook(database: Database, webhook_id: str) -> Webhook:
    with database.reading() as session:
        return webhooks.get(session, webhook_id)


def taken(database: Database) -> Message:
    message = webhooks.claim(database)
    assert message is not None
    return message


def test_what_happens_is_announced_in_its_transaction(database: Database, clock: Clock) -> None:
    """A job that publishes; what is rolled back is announced to nobody, and each webhook gets what it wants."""
    everything, failures = make(database), make(database, "job.failed")
    job_id = submit(database)
    claim = jobs.claim(database, "worker", lease_seconds=30, max_attempts=3)
    assert claim is not None
    with database.transaction() as session:
        jobs.succeed(session, claim, {})
        session.flush()
        session.rollback()
    with database.transaction() as session:
        version = catalog.publish(session, claim, "versions/x", catalog.Made("digest", {})).version
        jobs.succeed(session, claim, {"version": version.number})
    bodies: dict[str, Any] = {each.type: json.loads(each.body) for each in sent(database, everything)}
    assert bodies.keys() == {"job.queued", "job.running", "version.published", "alias.moved", "job.succeeded"}
    job = {"id": job_id, "kind": "train", "model": "m", "state": "succeeded", "version": 1, "error": None}
    told = {"type": "job.succeeded", "timestamp": clock.now.isoformat(), "data": {"job": job}}
    assert bodies["job.succeeded"] == told
    assert bodies["version.published"]["data"] == {"model": "m", "version": 1, "job": job_id}
    moved = {"model": "m", "alias": "latest", "version": 1, "revision": 1, "override": None, "job": job_id}
    assert bodies["alias.moved"]["data"] == moved
    assert sent(database, failures) == []


def test_one_sends_to_a_webhook_and_another_goes_on_when_that_one_is_dead(database: Database, clock: Clock) -> None:
    make(database, "job.queued")
    submit(database)
    with ThreadPoolExecutor(4) as threads:
        messages = [each for each in threads.map(lambda _: webhooks.claim(database), range(4)) if each]
    assert len(messages) == 1
    clock.advance(1)
    submit(database)
    assert webhooks.claim(database) is None, "the lease is of the webhook"
    clock.advance(webhooks.LEASE_SECONDS + 1)
    again = taken(database)
    assert again.id == messages[0].id
    webhooks.settle(database, messages[0], DELIVERED)  # by who was thought dead
    assert sent(database, again.webhook_id)[1].delivered_at is None
    webhooks.settle(database, again, DELIVERED)
    assert taken(database).id != again.id


def test_a_lease_of_before_the_clock_was_set_back_does_not_hold(database: Database, clock: Clock) -> None:
    make(database, "job.queued")
    submit(database)
    first = taken(database)
    clock.advance(-3600)
    submit(database)
    assert taken(database).id != first.id


def test_what_fails_is_tried_again_more_and_more_seldom_for_three_days(database: Database, clock: Clock) -> None:
    webhook_id, started = make(database, "job.queued"), clock.now
    submit(database)
    waits = []
    while (message := webhooks.claim(database)) is not None:
        webhooks.settle(database, message, REFUSED)
        delivery = sent(database, webhook_id)[0]
        if delivery.next_at:
            waits.append((delivery.next_at - clock.now).total_seconds())
            clock.now = delivery.next_at
    assert timedelta(days=3) < clock.now - started < timedelta(days=3.5)
    longest = [min(5.0 * 4**i, 6 * 3600) for i in range(len(waits))]
    assert all(wait <= most and wait >= most / 2 for wait, most in zip(waits, longest, strict=True))
    delivery = sent(database, webhook_id)[0]
    assert (delivery.next_at, delivery.delivered_at, delivery.outcome) == (None, None, "answered 500")
    assert delivery.n_attempts == len(waits) + 1
    disabled = webhook(database, webhook_id)
    assert (disabled.failing_since, disabled.disabled_at) == (started, clock.now)
    submit(database)
    assert len(sent(database, webhook_id)) == 1, "nothing is kept for what is disabled"
    with database.transaction() as session:
        webhooks.enable(session, webhook_id)
    submit(database)
    webhooks.settle(database, taken(database), DELIVERED)
    assert (webhook(database, webhook_id).failing_since, webhooks.claim(database)) == (None, None)
    clock.advance(webhooks.KEPT_DAYS * DAY - 1)
    with database.transaction() as session:
        webhooks.forget(session)
    assert len(sent(database, webhook_id)) == 1


def test_gone_disables_at_once_and_what_waited_is_not_sent(database: Database) -> None:
    webhook_id = make(database, "job.queued")
    submit(database)
    submit(database)
    webhooks.settle(database, taken(database), Outcome(410, "answered 410"))
    assert webhook(database, webhook_id).disabled_at is not None
    assert webhooks.claim(database) is None
    assert [each.next_at for each in sent(database, webhook_id)] == [None, None]


def test_messages_go_with_their_webhook_and_there_are_not_too_many(database: Database) -> None:
    made = [make(database, "job.queued") for _ in range(webhooks.MAX_WEBHOOKS)]
    with pytest.raises(WebhookRefused):
        make(database)
    submit(database)
    with database.transaction() as session:
        session.delete(webhooks.get(session, made[0]))
    with database.reading() as session:
        assert session.query(Delivery).count() == webhooks.MAX_WEBHOOKS - 1
