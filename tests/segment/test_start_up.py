"""What a scan does not need is not imported before its first slice."""

import subprocess
import sys


def test_segmenting_waits_for_neither_pytorch_nor_statistics():
    code = "import sys, rmaunet.segment.scan, rmaunet.segment.folder; "
    code += "print(sorted({'torch', 'scipy.stats', 'SimpleITK', 'jinja2'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
