"""Bare WebSocket messages against the server under test: what no client library lets one send."""

import asyncio
import json
import sys

import websockets


async def main(url: str) -> None:
    async with websockets.connect(url + "?vsn=2.0.0") as ws:

        async def send(*message: object) -> None:
            await ws.send(json.dumps(message))

        async def text() -> list:
            return json.loads(await asyncio.wait_for(ws.recv(), 20))

        await send("1", "1", "room:raw", "phx_join", {})
        joined = await text()
        assert joined[:4] == ["1", "1", "room:raw", "phx_reply"] and joined[4]["status"] == "ok", joined
        print("ok join")

        await send("1", "2", "room:raw", "echo", {"a": [1, None]})
        reply = {"status": "ok", "response": {"a": [1, None]}}
        assert await text() == ["1", "2", "room:raw", "phx_reply", reply]
        print("ok push")

        texts = [b"1", b"3", b"room:raw", b"echo"]
        await ws.send(bytes([0, *map(len, texts)]) + b"".join(texts) + b"\x00\x01\xff")
        answer = await asyncio.wait_for(ws.recv(), 20)
        texts = [b"1", b"3", b"room:raw", b"ok"]
        assert answer == bytes([1, *map(len, texts)]) + b"".join(texts) + b"\xff\x01\x00", answer
        print("ok binary")

        await send("4", "4", "room:raw", "phx_join", {})
        assert (await text())[:4] == ["4", "4", "room:raw", "phx_reply"]
        assert await text() == ["1", "1", "room:raw", "phx_close", {}]
        print("ok duplicate join")

        await send("1", "5", "room:raw", "echo", "stale")
        await send("4", "6", "room:raw", "echo", "current")
        await send(None, "7", "room:raw", "echo", "null")
        assert (await text())[1] == "6" and (await text())[1] == "7"
        print("ok stale refs")

        await send(None, "8", "phoenix", "heartbeat", {})
        assert await text() == [None, "8", "phoenix", "phx_reply", {"status": "ok", "response": {}}]
        print("ok heartbeat")

        await send("4", "9", "room:raw", "crash", {})
        assert await text() == ["4", "4", "room:raw", "phx_error", {}]
        await send("4", "10", "room:raw", "echo", {})
        gone = {"status": "error", "response": {"reason": "unmatched topic"}}
        assert await text() == ["4", "10", "room:raw", "phx_reply", gone]
        print("ok crash")


asyncio.run(asyncio.wait_for(main(sys.argv[1]), 60))
print("7 checks passed")
