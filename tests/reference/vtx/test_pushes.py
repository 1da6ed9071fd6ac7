"""What happens around a push: receivers that fail, subscriptions that end, several users and subscriptions at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import Any

from tests.reference.vtx.in_process import Rig, busy, rig


def run(work: Callable[[Rig], Coroutine[Any, Any, None]]) -> None:
    async def inside() -> None:
        async with rig() as made:
            await work(made)
            await made.settled()

    asyncio.run(inside())


def test_a_receiver_that_failed_is_tried_once_more_with_the_same_push_and_gets_the_next_one() -> None:
    async def work(made: Rig) -> None:
        await made.subscribe(made.users[0])
        made.receiver.statuses = [500]
        await made.anna.talk(made.users[1].number)
        await made.pushed(1)
        first, second = made.receiver.pushes
        assert first["body"] == second["body"]
        assert (second["at"] - first["at"]).total_seconds() > 0.4
        made.receiver.statuses = [503, 599]
        await made.anna.talk(made.users[1].number)
        await made.settled()
        assert len(made.receiver.pushes) == 4
        await made.anna.talk(made.users[1].number)
        assert len(await made.pushed(2)) == 2
        assert len(made.receiver.pushes) == 5

    run(work)


def test_a_receiver_that_refuses_is_not_tried_again() -> None:
    async def work(made: Rig) -> None:
        await made.subscribe(made.users[0])
        made.receiver.statuses = [404]
        await made.anna.talk(made.users[1].number)
        await made.settled()
        assert len(made.receiver.pushes) == 1

    run(work)


def test_a_dead_or_slow_receiver_holds_up_neither_calls_nor_other_receivers() -> None:
    async def work(made: Rig) -> None:
        body = {"userIds": [made.users[0].id], "resourceType": "CALL_LOG"}
        expires = (await made.subscribe(made.users[0]))["expires"]
        for url in ("http://127.0.0.1:9/", "http://127.0.0.1:99999/", "http://no.such.host.invalid/"):
            answer = await made("POST", "/v1/subscriptions", json=body | {"notificationUrl": url, "expires": expires})
            assert answer.status_code == 201
        stuck = await asyncio.start_server(lambda _reader, _writer: None, "127.0.0.1", 0)
        silent = f"http://127.0.0.1:{stuck.sockets[0].getsockname()[1]}/"
        await made("POST", "/v1/subscriptions", json=body | {"notificationUrl": silent, "expires": expires})
        loop = asyncio.get_running_loop()
        began = loop.time()
        for _ in range(3):
            await made.anna.talk(made.users[1].number)
        async with asyncio.timeout(2):
            while len(made.receiver.pushes) < 3:
                await asyncio.sleep(0.005)
        assert loop.time() - began < 2
        assert made.system.notifier.waiting >= 3
        await made.system.notifier.close()
        stuck.close()

    run(work)


def test_nothing_is_pushed_for_a_subscription_that_ended_before_the_call_or_between_two_attempts() -> None:
    async def work(made: Rig) -> None:
        one = await made.subscribe(made.users[0], path="/one")
        await made.subscribe(made.users[0], path="/short", seconds=0.3)
        await made.subscribe(made.users[0], path="/stays")
        await made("DELETE", f"/v1/subscriptions/{one['id']}")
        while len(await made.listed()) > 1:
            await asyncio.sleep(0.01)
        await made.anna.talk(made.users[1].number)
        await made.pushed(1)
        assert [push["path"] for push in made.receiver.pushes] == ["/stays"]
        made.receiver.statuses = [500]
        await made.anna.talk(made.users[1].number)
        while len(made.receiver.pushes) < 2:
            await asyncio.sleep(0.005)
        await made("DELETE", f"/v1/subscriptions/{made.receiver.pushes[1]['body']['subscriptionId']}")
        await made.settled()
        assert len(made.receiver.pushes) == 2

    run(work)


def test_each_subscription_gets_the_users_that_it_asked_for() -> None:
    async def work(made: Rig) -> None:
        anna, bert, carl = made.users[:3]
        both = await made.subscribe(anna, bert, path="/both")
        one = await made.subscribe(bert, carl, path="/bert")
        await made.subscribe(carl, path="/carl")
        await made.anna.talk(bert.number)
        await made.settled()
        came = {
            push["path"]: (
                push["body"]["subscriptionId"],
                [e["callLog"]["userId"] for e in push["body"]["callLogEvents"]],
            )
            for push in made.receiver.pushes
        }
        assert came == {"/both": (both["id"], [anna.id, bert.id]), "/bert": (one["id"], [bert.id])}
        assert len(made.receiver.pushes) == 2

    run(work)


def test_times_and_durations_are_those_of_the_call() -> None:
    async def work(made: Rig) -> None:
        await made.subscribe(made.users[0])
        before = datetime.now().astimezone()
        await made.anna.talk(made.users[1].number, 1.0)
        ended = datetime.now().astimezone()
        (event,) = await made.pushed(1)
        assert event["callLog"]["duration"] == 1
        start, told = (datetime.fromisoformat(text) for text in (event["callLog"]["callStart"], event["eventTime"]))
        assert abs((start - before).total_seconds()) < 0.3
        assert abs((told - ended).total_seconds()) < 0.3
        assert told <= made.receiver.pushes[0]["at"]
        made.bert.answer = busy
        call = await made.anna.call(made.users[1].number)
        await call.ended()
        events = await made.pushed(2)
        assert events[1]["callLog"]["duration"] == 0
        assert events[1]["callLog"]["status"] != event["callLog"]["status"]

    run(work)


def test_a_subscription_made_during_a_call_is_told_of_its_end() -> None:
    async def work(made: Rig) -> None:
        call = await made.anna.call(made.users[1].number)
        await call.answered()
        await made.subscribe(made.users[1])
        made.bert.calls[0].hangup()
        (event,) = await made.pushed(1)
        assert event["callLog"]["direction"] == "INCOMING"

    run(work)


def test_sixty_calls_at_once_give_sixty_logs() -> None:
    async def work(made: Rig) -> None:
        await made.subscribe(made.users[0])
        await asyncio.gather(*(made.anna.talk(made.users[1].number) for _ in range(60)))
        events = await made.pushed(60)
        assert len({event["callLog"]["id"] for event in events}) == len(events) == 60

    run(work)
