"""phoenix-channels-python-client against the server under test: what a program that only listens relies on.

The client drops every message without the join's ref, so broadcasts never reach its callback; pushes do."""

import asyncio
import sys

from phoenix_channels_python_client import PHXChannelsClient
from phoenix_channels_python_client.exceptions import PHXTopicError


async def main(url: str) -> None:
    beats = asyncio.Event()

    def beat(*_args: object) -> None:
        beats.set()

    heard: asyncio.Queue = asyncio.Queue()
    async with PHXChannelsClient(
        url, api_key="key", heartbeat_interval_s=0.2, on_heartbeat_ack=beat
    ) as client:
        await client.subscribe_to_topic("room:python", heard.put)
        print("ok join")

        for _ in range(3):
            message = await asyncio.wait_for(heard.get(), 20)
            assert str(message.event) == "bell", message
        print("ok pushes")

        await asyncio.wait_for(beats.wait(), 20)
        print("ok heartbeat")

        try:
            await client.subscribe_to_topic("room:refused", heard.put)
            raise AssertionError("a refused join is an error")
        except PHXTopicError:
            print("ok refused join")

        await client.unsubscribe_from_topic("room:python")
        print("ok leave")
        await client.subscribe_to_topic("room:python", heard.put)
        print("ok join again")


asyncio.run(asyncio.wait_for(main(sys.argv[1]), 60))
print("6 checks passed")
