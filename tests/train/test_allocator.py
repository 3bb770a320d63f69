"""Memory that a step frees is there for the next one without the kernel's help."""

import ctypes
import subprocess
import sys

import pytest

CODE = """
import ctypes, resource, sys
if sys.argv[1] == "kept":
    from rmaunet.train.allocator import keep_freed_memory
    assert keep_freed_memory()
library = ctypes.CDLL(None)
library.malloc.restype = ctypes.c_void_p
library.malloc.argtypes, library.free.argtypes = [ctypes.c_size_t], [ctypes.c_void_p]
def step():
    block = library.malloc(64 << 20)
    ctypes.memset(block, 1, 64 << 20)
    library.free(block)
step()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(5):
    step()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(sys.platform != "linux" or not hasattr(ctypes.CDLL(None), "mallopt"), reason="glibc only")
def test_a_block_freed_is_not_faulted_in_again():
    faults = {}
    for kind in ("usual", "kept"):
        done = subprocess.run([sys.executable, "-c", CODE, kind], capture_output=True, text=True, check=True)
        faults[kind] = int(done.stdout)
    assert faults["usual"] > 100
    assert faults["kept"] < faults["usual"] / 10
