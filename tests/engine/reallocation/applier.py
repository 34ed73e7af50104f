"""`python -m tests.engine.reallocation.applier URL RUN STEP`: a process that goes on with a run until it is killed."""

import asyncio
import sys

from engine import Settings, open_engine


async def main(url: str, run_id: str, step: str) -> None:
    """Apply it, or roll it back."""
    async with open_engine(Settings(redis_url=url)) as engine:
        run = await engine.reallocation(run_id)
        assert run is not None
        await (run.apply() if step == "apply" else run.rollback())


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
