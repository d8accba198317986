"""Supervision of a served session: one that ends is started again a few times, and then the program ends with its error.

A page must never show the last picture of a pipeline that is gone.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

from edgeau._system.service_manager import notify, watchdog_interval_s
from edgeau.errors import InputError
from edgeau_apps.live.session import WebcamSession

__all__ = ["Supervisor"]

_LOOK_S = 0.25
# Waits before each new start. Ours: a camera that was unplugged for half a minute is found again.
_WAITS_S = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
_STEADY_S = 60.0  # a session that ran for so long starts with all of them again


class Supervisor:
    """Watches a session that was started.

    Args:
        session: started by whoever made this.
        waits_s: seconds before each new start; as many starts as there are.
    """

    def __init__(self, session: WebcamSession, waits_s: tuple[float, ...] = _WAITS_S) -> None:
        self._session, self._waits_s = session, waits_s
        self._starts = 0
        self._since = time.monotonic()
        self._seen, self._seen_at = -1, time.monotonic()
        self._before = 0  # number of the newest result when the session was started
        self._why = ""

    def health(self) -> dict[str, Any]:
        """The state of the service, plain values.

        ``status`` is ``running`` with results coming, ``starting`` before the first one of each start, or ``restarting``; ``restarts``
        counts new starts since the last minute without one, ``why`` is the last reason, ``result_age_s`` the seconds since the last result.
        """
        number, _ = self._session.newest()
        running = "running" if number != self._before else "starting"
        status = running if self._session.alive else "restarting"
        return {
            "status": status,
            "restarts": self._starts,
            "why": self._why,
            "result_age_s": None if not number else round(time.monotonic() - self._seen_at, 1),
        }

    async def watch(self) -> BaseException:
        """Watch until the session ends for good.

        Returns:
            Why it ended; its own error where it has one.
        """
        notify(READY="1", STATUS="running")
        interval_s = watchdog_interval_s()
        told_at = 0.0
        while True:
            await asyncio.sleep(_LOOK_S)
            now = time.monotonic()
            number, _ = self._session.newest()
            if number != self._seen:
                self._seen, self._seen_at = number, now
            if not self._session.alive:
                error = self._session.failure or self._session.crash
                if error is None:
                    error = InputError("the source has ended")
                if self._starts >= len(self._waits_s):
                    notify(STOPPING="1", STATUS=str(error))
                    return error
                await self._start_again(error)
            elif self._starts and now - self._since > _STEADY_S:
                self._starts = 0
            # A pipeline that hangs gives no results: then nothing is said, and the service manager ends it.
            if interval_s is not None and now - told_at > interval_s / 3 and now - self._seen_at < interval_s:
                notify(WATCHDOG="1")
                told_at = now

    async def _start_again(self, error: BaseException) -> None:
        wait_s = self._waits_s[self._starts]
        self._starts += 1
        self._why = " ".join(str(error).split()) or type(error).__name__
        said = f"{self._why}; start {self._starts} of {len(self._waits_s)} in {wait_s:g} s"
        self._session.said = said
        notify(STATUS=said, WATCHDOG="1")
        end_s = time.monotonic() + wait_s
        interval_s = watchdog_interval_s()
        while (
            left_s := end_s - time.monotonic()
        ) > 0:  # to wait is not to hang: the service manager is told so
            await asyncio.sleep(left_s if interval_s is None else min(left_s, interval_s / 3))
            notify(WATCHDOG="1")
        self._before, _ = self._session.newest()
        self._session.start()
        self._since = self._seen_at = time.monotonic()
