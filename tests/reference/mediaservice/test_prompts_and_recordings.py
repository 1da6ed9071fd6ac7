"""Prompt files: put, listed, fetched, moved, deleted; and recordings, which become prompt files."""

from __future__ import annotations

from collections.abc import Callable

import httpx

from harness.reference.media import load_wav
from harness.reference.mediaservice.storage import PAGE, PromptStorage
from tests.reference.mediaservice.bench import Bench, Scenario, inside, run
from tests.reference.mediaservice.phones import until

Against = Callable[[Scenario], None]

MOVE = {"bucketRegion": "eu-north-1", "bucketName": "bucket", "type": "s3"}


def test_a_file_is_put_listed_replaced_fetched_and_deleted(against: Against) -> None:
    async def scenario(bench: Bench) -> None:
        await bench.put_file("one.wav", b"12345")
        await bench.put_file("one.wav", b"1234567")
        assert (await bench.files())["one.wav"] == 7
        shown = (await bench.http.get(f"/{bench.table['domain']}/promptfile/one.wav/url")).json()
        assert set(shown) == {"success", "url"}
        assert "X-Amz-Expires=900" in shown["url"]
        async with httpx.AsyncClient(trust_env=False) as anyone:
            assert (await anyone.get(shown["url"])).content == b"1234567"
            assert (await anyone.get(shown["url"].replace("Signature=", "Signature=0"))).status_code == 403
            assert (await bench.http.delete(f"/{bench.table['domain']}/promptfile/one.wav")).json() == {"success": True}
            assert (await anyone.get(shown["url"])).status_code == 404
        assert "one.wav" not in await bench.files()
        unknown = (await bench.http.get(f"/{bench.table['domain']}/promptfile/one.wav/url")).json()
        assert unknown["success"] is False
        assert "url" not in unknown
        assert unknown["reason"]

    against(scenario)


def test_pages_of_the_list_show_every_file_once(against: Against) -> None:
    async def scenario(bench: Bench) -> None:
        path = f"/{bench.table['domain']}/promptfile"
        names = [f"page{number:02}.wav" for number in range(PAGE + 3)]
        for name in names:
            await bench.put_file(name, b"x")
        found: list[str] = []
        following: str | None = ""
        while following is not None:
            page = (await bench.http.get(path, params={"next": following} if following else {})).json()
            found += [one["name"] for one in page["files"]]
            following = page["next"]
        assert [name for name in found if name.startswith("page")] == names
        assert (await bench.http.get(path, params={"next": "nonsense"})).status_code == 400
        for name in names:
            await bench.http.delete(f"{path}/{name}")

    against(scenario)


def test_a_url_opens_for_fifteen_minutes() -> None:
    now = [1000.0]
    storage = PromptStorage(lambda: now[0])
    parts = dict(part.split("=") for part in storage.signed_query("a.wav").split("&"))

    def opens(name: str) -> bool:
        return storage.opens(name, parts["Ringtrue-Until"], parts["X-Amz-Signature"])

    now[0] += 899
    assert opens("a.wav")
    assert not opens("b.wav")
    now[0] += 2
    assert not opens("a.wav")


def test_a_move_needs_its_members_and_an_s3_that_can_be_reached(against: Against) -> None:
    async def scenario(bench: Bench) -> None:
        path = f"/{bench.table['domain']}/promptfile/moved.wav/move"
        await bench.put_file("moved.wav", b"sound")
        for name in MOVE:
            asked = {key: value for key, value in MOVE.items() if key != name}
            assert (await bench.http.post(path, json=asked)).status_code == 400
        assert (await bench.http.post(path, json=MOVE | {"type": "ftp"})).status_code == 400
        refused = (await bench.http.post(path, json=MOVE)).json()
        assert refused["success"] is False
        assert refused["reason"]
        assert "moved.wav" in await bench.files()

    against(scenario)


def test_a_moved_file_is_in_the_bucket_and_no_longer_in_the_storage() -> None:
    async def scenario() -> None:
        async with inside() as bench:
            assert bench.system is not None
            stored: list[tuple[str, bytes]] = []

            async def keep(method: str, url: str, body: bytes, _headers: object) -> object:
                stored.append((f"{method} {url}", body))
                return type("Answer", (), {"status": 200})

            bench.system.prompts.s3 = "http://s3.example"
            bench.system.prompts.fetcher.request = keep  # type: ignore[method-assign, assignment]
            await bench.put_file("moved.wav", b"sound")
            path = f"/{bench.table['domain']}/promptfile/moved.wav/move"
            answer = await bench.http.post(path, json=MOVE | {"objectKey": "there.wav"})
            assert answer.json() == {"success": True}
            assert stored == [("PUT http://s3.example/bucket/there.wav", b"sound")]
            assert "moved.wav" not in await bench.files()

    run(scenario())


def test_a_recording_is_stored_and_told_when_it_is_stopped(against: Against) -> None:
    async def scenario(bench: Bench) -> None:
        bench.app.answers["callEvent"] = {"action": "drop"}
        caller, bob, answered = await bench.connected()
        both = {"connectionId": answered["connectionId"], "replyId": answered["replyId"]}
        await bench.refused("stoprecording", **both)
        await bench.done("startrecording", recordingFileName="mine.wav", **both)
        await bench.refused("startrecording", recordingFileName="again.wav", **both)
        caller.speak("one")
        bob.speak("two")
        await until(lambda: len(bob.loud) > 20, "speech")
        await bench.done("stoprecording", **both)
        told = await bench.app.wait("recordingReady")
        assert (told["event"], told["recordingFileName"]) == ("recordingSuccessful", "mine.wav")
        assert told["connectionId"] == answered["connectionId"]
        assert "reason" not in told
        assert (await bench.files())["mine.wav"] == told["fileSize"] > 5000
        url = (await bench.http.get(f"/{bench.table['domain']}/promptfile/mine.wav/url")).json()["url"]
        assert max(load_wav((await bench.http.get(url)).content)) > 0
        await caller.bye()
        await bench.app.wait("sessionCompleted")
        assert len(bench.app.all("recordingReady")) == 1

    against(scenario)


def test_a_recorded_call_is_stored_when_it_ends(against: Against) -> None:
    async def scenario(bench: Bench) -> None:
        bench.app.answers["callEvent"] = {"action": "drop"}
        caller, _bob, _answered = await bench.connected(callRecording=True, recordingFileName="whole.mp3")
        caller.speak()
        await until(lambda: caller.media.stats.sent > 10, "speech")
        await caller.bye()
        told = await bench.app.wait("recordingReady")
        assert (await bench.files())["whole.mp3"] == told["fileSize"]

    against(scenario)


def test_a_recording_that_cannot_be_stored_has_failed_with_a_reason(against: Against) -> None:
    async def scenario(bench: Bench) -> None:
        bench.app.answers["callEvent"] = {"action": "drop"}
        caller, _bob, _answered = await bench.connected(callRecording=True, recordingFileName="no/such/place.wav")
        await caller.bye()
        told = await bench.app.wait("recordingReady")
        assert told["event"] == "recordingFailed"
        assert told["reason"]

    against(scenario)
