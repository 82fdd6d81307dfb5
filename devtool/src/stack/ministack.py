"""Runs MiniStack, and ends it with every function it started once the tool that started it is gone.

The tool holds the other end of standard input and never writes to it: end of file means that the tool has
ended, however it ended. MiniStack leads a process group of its own, so the functions go with it.
"""

import os
import shutil
import signal
import sys
import tempfile
import threading

from ministack.app import main


def end_with_parent():
    sys.stdin.buffer.read()
    shutil.rmtree(tempfile.gettempdir(), ignore_errors=True)
    os.killpg(os.getpgrp(), signal.SIGKILL)


threading.Thread(target=end_with_parent, daemon=True).start()
main()
