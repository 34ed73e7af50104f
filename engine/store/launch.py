"""Becomes the store's server, tied to its starter. Runs as a script of its own: standard library only, no `engine`.

    python -I -S launch.py STARTER_PID LOCK_FILE LOCK_WAIT_S SERVER [OPTION ...]

The process that runs this is the server afterwards (exec keeps the pid), and so takes two things along:

- **A wish to end with its starter.** The kernel sends it SIGTERM when the *thread* that started it ends, however that
  ends; hence a start belongs on the main thread, which lives as long as its process. SIGTERM and not SIGKILL, so that
  the server closes its file in order. A server that hangs (stopped by a debugger, stuck on a disk that does not
  answer) may not act on it and outlive its starter. That costs no data: it still holds the lock, so no second server
  writes beside it, and the next start waits, then names its pid. Killing that pid by hand is safe, since whatever was
  acknowledged is on disk already.
- **The lock on the data directory.** Its descriptor stays open through exec, so the lock lives exactly as long as the
  server does (or its child that rewrites the append-only file, which gives up within about a second once it is alone).
"""

import ctypes
import fcntl
import os
import signal
import sys
import time

EXIT_DIR_IN_USE = 75
"""Exit status when another server still held the lock after LOCK_WAIT_S (EX_TEMPFAIL of sysexits.h)."""

LOCK_POLL_S = 0.05

_PR_SET_PDEATHSIG = 1

MALLOC_CACHE = "glibc.malloc.tcache_count=16000"
"""A batch makes and frees some ten thousand small objects. The wheel's server has the C library's allocator, which
keeps seven freed ones of each size at hand and searches its lists for the rest: a tenth of the server's time."""


def end_with(starter_pid: int) -> None:
    """Ask the kernel for SIGTERM when the starter dies. Exits at once where it is dead already."""
    # An ignored or blocked SIGTERM would be inherited through exec and undo all this.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0) != 0:
        sys.exit(f"stockade: prctl(PR_SET_PDEATHSIG) failed: {os.strerror(ctypes.get_errno())}")
    # A starter that died before the line above sends nothing any more, but it is our parent no longer either.
    if os.getppid() != starter_pid:
        sys.exit(f"stockade: the starter, process {starter_pid}, is gone")


def hold_lock(lock_file: str, *, wait_s: float) -> None:
    """Take the exclusive lock and write our pid into its file. Exits with EXIT_DIR_IN_USE after `wait_s` seconds."""
    descriptor = os.open(lock_file, os.O_RDWR | os.O_CREAT, 0o600)
    deadline = time.monotonic() + wait_s
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            if time.monotonic() >= deadline:
                sys.exit(EXIT_DIR_IN_USE)
            time.sleep(LOCK_POLL_S)
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, b"%d\n" % os.getpid(), 0)
    os.set_inheritable(descriptor, True)


def main(arguments: list[str]) -> None:
    """Arguments as in the module's docstring. Returns only by raising: on success this process is the server."""
    starter_pid, lock_file, lock_wait_s, *command = arguments
    end_with(int(starter_pid))
    hold_lock(lock_file, wait_s=float(lock_wait_s))
    try:
        os.execve(command[0], command, {"GLIBC_TUNABLES": MALLOC_CACHE, **os.environ})
    except OSError as error:
        sys.exit(f"stockade: cannot run {command[0]}: {error.strerror}")


if __name__ == "__main__":
    main(sys.argv[1:])
