"""One database's share of `make chaos`, in a process whose children are killed.

The process has the registry imported and nothing open: a child is forked from it, runs a command
as `manage.py` does, and gets SIGKILL at a random moment of the time that the command takes.
What is there afterwards is looked at in a child too.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import asdict, dataclass, field
from io import StringIO
from typing import Any

import django


@dataclass
class Tally:
    """What kills of one act came to.

    finished: the act was done before it could be killed. acknowledged: done, and said so, before
    the kill or without one. lost: acknowledged and not there. half: there in part, or damaged.
    leftovers: files that the next run of the act did not remove.
    """

    kills: int = 0
    finished: int = 0
    acknowledged: int = 0
    lost: int = 0
    half: int = 0
    leftovers: int = 0
    notes: list[str] = field(default_factory=list)

    def line(self, kind: str, act: str) -> str:
        """The tally as a line of the table."""
        numbers = [value for name, value in asdict(self).items() if name != "notes"]
        return f"| {' | '.join(map(str, [kind, act, *numbers]))} |"


def quietly(act: Callable[[], Any]) -> Any:
    """Run something without what it prints."""
    with redirect_stdout(StringIO()), redirect_stderr(StringIO()):
        return act()


def forked(act: Callable[[], Any], answer: int | None = None) -> int:
    """Run something in a child; returns its process id. Its result goes to a pipe, as JSON."""
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        found = quietly(act)
        if answer is not None:
            os.write(answer, json.dumps(found).encode())
        code = 0
    except BaseException:  # the child ends here whatever happened, and says why
        os.write(2, traceback.format_exc().encode())
    finally:
        os._exit(code)


def seen(act: Callable[[], Any]) -> Any:
    """What something finds, run in a child of its own; raises RuntimeError where it fails."""
    reading, writing = os.pipe()
    child = forked(act, writing)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        text = pipe.read()
    _, status = os.waitpid(child, 0)
    if status:
        raise RuntimeError("A look at what is there failed.")
    return json.loads(text)


def seconds_of(act: Callable[[], Any]) -> float:
    """How long something takes in a child that is let finish."""
    began = time.monotonic()
    seen(act)
    return time.monotonic() - began


def killed(act: Callable[[], Any], *, within: float, draw: random.Random) -> bool:
    """Run something and kill it at a random moment; returns whether it was done before."""
    child = forked(act)
    time.sleep(draw.uniform(0, within))
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if os.WIFEXITED(status) and os.WEXITSTATUS(status):
        raise RuntimeError("The act failed before it was killed.")
    return os.WIFEXITED(status)


def main(asked: dict[str, Any]) -> int:
    """Run the chosen acts, and print a line for each."""
    django.setup()
    from tests.chaos import acts

    seed = asked["seed"] if asked["seed"] is not None else random.randrange(1 << 32)
    failed = 0
    acts.prepare()
    for name, act in _chosen(acts.ACTS, asked["only"]):
        draw = random.Random(f"{seed} {name}")
        began = time.monotonic()
        tally = act(asked, draw)
        print(tally.line(asked["kind"], name), flush=True)
        said = [f"seed {seed}", f"{time.monotonic() - began:.0f} s", *tally.notes]
        print(f"{name}: {'; '.join(said)}", file=sys.stderr, flush=True)
        failed |= bool(tally.lost or tally.half or tally.leftovers)
    return int(failed)


def _chosen(
    acts: dict[str, Any], only: Iterable[str] | None
) -> list[tuple[str, Callable[[dict[str, Any], random.Random], Tally]]]:
    return [(name, act) for name, act in acts.items() if not only or name in only]


if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1])))
