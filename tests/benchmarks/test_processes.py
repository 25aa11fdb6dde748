"""
Tests for reading what the kernel says about processes.
"""

import os
import subprocess
import sys
import time
from pathlib import Path

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from benchmarks import processes

_PROC = None if Path("/proc/self/stat").exists() else "there is no /proc here"
_TICKS = os.sysconf("SC_CLK_TCK")


class ProcessTests(SynchronousTestCase):
    """
    Processes and their children.
    """

    skip = _PROC

    def test_awkward_name(self):
        """
        A process may be called anything.
        """
        line = "7 (a) S (b) R 1 2 3"
        self.assertEqual([0, 1, 2, 3], processes.stat_fields(line))

    def test_own_time(self):
        """
        What a process computes is counted.
        """
        before = processes.cpu_seconds(os.getpid())
        until = time.process_time() + 0.1
        while time.process_time() < until:
            pass
        self.assertGreaterEqual(processes.cpu_seconds(os.getpid()) - before, 0.05)

    def test_children(self):
        """
        Children and their children belong to it.
        """
        nested = "import subprocess, sys; subprocess.run(['cat'])"
        with subprocess.Popen([sys.executable, "-c", nested], stdin=subprocess.PIPE) as child:
            deadline = time.monotonic() + 10
            while len(processes.tree(child.pid)) < 2:
                self.assertLess(time.monotonic(), deadline)
            resident = processes.resident_bytes(child.pid)
            self.assertIn(child.pid, processes.tree(os.getpid()))
            child.communicate(b"")
        self.assertGreater(resident, 1 << 20)

    def test_ended(self):
        """
        A process that has ended has used nothing.
        """
        with subprocess.Popen(["true"]) as child:
            child.wait()
        self.assertEqual((0, 0), (len(processes.tree(child.pid)), processes.cpu_seconds(child.pid)))


class BusyTests(SynchronousTestCase):
    """
    CPUs.
    """

    stat = "cpu  9 9 9 9 9 9 9 9 9 9\ncpu0 1 2 4 1000 1000 8 16 32 0 0\ncpu1 0 0 0 5 5 0 0 0 7 7\n"

    def test_busy(self):
        """
        A CPU is busy when it is neither idle nor waiting, or has been taken away.
        """
        self.assertEqual(63 / _TICKS, processes.busy_seconds(self.stat, 0))
        self.assertEqual(0, processes.busy_seconds(self.stat, 1))

    def test_no_such_cpu(self):
        """
        There must be such a CPU.
        """
        self.assertRaises(KeyError, processes.busy_seconds, self.stat, 2)

    def test_real(self):
        """
        The CPUs of this machine have been busy.
        """
        if _PROC:
            raise SkipTest(_PROC)
        self.assertGreater(processes.busy(min(os.sched_getaffinity(0))), 0)
