import subprocess
import sys

import numpy as np
import psutil

from seglib.peak_memory import peak_megabytes


def test_memory_is_the_most_that_was_held():
    before, now = peak_megabytes(), psutil.Process().memory_info().rss / 1e6
    held = np.ones(int(1e6 * (before - now + 50)), np.uint8)
    del held
    assert before + 20 < peak_megabytes() < before + 100


def test_what_its_parent_held_does_not_count():
    held = np.ones(200_000_000, np.uint8)
    program = "from seglib.peak_memory import peak_megabytes; print(peak_megabytes())"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert float(done.stdout) < held.nbytes / 2e6
