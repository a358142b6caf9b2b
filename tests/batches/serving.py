"""A router that carries out batches, as a process that a test can kill: `serving.py CONFIG`.

It prints its address, and runs until it is killed.
"""

import asyncio
import sys
from pathlib import Path

from tests.rig import rig


async def main() -> None:
    async with rig(Path(sys.argv[1]).read_text()) as r:
        print(r.url, flush=True)
        await r.router.batches.keep_working()


if __name__ == "__main__":
    asyncio.run(main())
