"""Usage: python measure_tree.py REPORT CORES COMMAND...: runs the command and writes to REPORT, as JSON, what it and all its descendants took.

wallSeconds; cpuSeconds, those of orphans included; rssMb: the highest sum of resident memory seen in looks 50 ms apart, or that of the
largest process if it is higher. Memory that processes share counts once for each. CORES: how many the command may use, 0 for all.
Linux only: it becomes the reaper of orphans.
"""

import ctypes
import json
import os
import resource
import subprocess
import sys
import threading
import time

PR_SET_CHILD_SUBREAPER = 36
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
SECONDS_BETWEEN_LOOKS = 0.05
SECONDS_FOR_ORPHANS = 60


def children(pid):
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/children") as file:
            yield from map(int, file.read().split())


def resident_bytes(pid):
    with open(f"/proc/{pid}/statm") as file:
        return int(file.read().split()[1]) * PAGE_BYTES


def tree_bytes():
    total, waiting = 0, list(children(os.getpid()))
    while waiting:
        pid = waiting.pop()
        try:
            total += resident_bytes(pid)
            waiting.extend(children(pid))
        except OSError:
            pass  # It ended in between.
    return total


def watch(ended, peak):
    while not ended.wait(SECONDS_BETWEEN_LOOKS):
        peak[0] = max(peak[0], tree_bytes())


def reap_orphans():
    deadline = time.monotonic() + SECONDS_FOR_ORPHANS
    while time.monotonic() < deadline:
        try:
            if os.waitpid(-1, os.WNOHANG) == (0, 0):
                time.sleep(0.01)
        except ChildProcessError:
            return


def main(report, cores, *command):
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    if int(cores) > 0:
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: int(cores)])
    ended, peak = threading.Event(), [0]
    watcher = threading.Thread(target=watch, args=(ended, peak))
    started = time.perf_counter()
    process = subprocess.Popen(command)
    watcher.start()
    status = process.wait()
    wall = time.perf_counter() - started
    reap_orphans()
    ended.set()
    watcher.join()
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    rss_mb = max(peak[0] / 1e6, used.ru_maxrss * 1024 / 1e6)
    with open(report, "w") as file:
        json.dump({"status": status, "wallSeconds": wall, "cpuSeconds": used.ru_utime + used.ru_stime, "rssMb": rss_mb}, file)


main(*sys.argv[1:])
