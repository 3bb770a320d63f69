"""The printed tables hold the numbers and ratios they say."""

from rmaunet.bench.tables import tables
from rmaunet.bench.volume import scan_like

MACHINE = {"processor": "P", "cores": 2, "system": "Linux", "rmaunet": "0", "commit": "c"}


def network(way, ms, gflops):
    return {"base": 16, "batch": 1, "way": way, "ms": ms, "lowest": ms - 1, "highest": ms + 2, "gflops": gflops}


def test_ratios_and_shares():
    stages = {"read": 1.0, "network": 10.0, "restore": 1.0}
    scan = {"slices": 300, "options": "", "computed": 90, "runtime": "openvino float32", "wall": 14.0, "cpu": 20.0}
    scan |= {"start": 1.5, "seconds": stages, "outside_network": 2.0, "peak_bytes": 2**30, "predicted_bytes": 2**31}
    found = {
        "machine": MACHINE,
        "libraries": {"torch": "2"},
        "threads": 2,
        "note": "Quiet.",
        "peak_gflops": {"float32": 200.0, "bfloat16": 400.0},
        "network": [network("torch float32", 80.0, 100.0), network("openvino bfloat16", 20.0, 300.0)],
        "volume": [scan],
        "memory": [scan],
        "training": [
            {"way": "eager float32", "base": 16, "slices_a_second": 2.0, "lowest": 1.9, "highest": 2.1},
            {"way": "channels last bfloat16", "base": 16, "slices_a_second": 5.0, "lowest": 4.0, "highest": 5.5},
        ],
    }
    text = tables(found)
    assert "| 16 | 1 | openvino bfloat16 | 20.0 (19.0 to 22.0) | 4.00 | 75% |" in text
    assert "| search (default) | openvino float32 | 90/300 | 14.0 | 20.0 | 1.5 | 1.00 | 10.00 | 1.00 | 20% |" in text
    assert "| 300 | 1.00 | 2.00 | 90 | openvino float32 |" in text
    assert "| 16 | channels last bfloat16 | 5.00 (4.00 to 5.50) | 2.50 |" in text
    assert "P, 2 cores, 2 threads" in text
    assert "Quiet." in text


def test_the_scan_has_one_abdomen_whatever_its_length():
    short, long = scan_like(8, side=32), scan_like(200, side=32)
    assert short.spatial_shape == (8, 32, 32)
    assert long.spacing == (1.5, 0.75, 0.75)
    inside = (long.array > 60).mean(axis=(1, 2))
    assert inside[80:120].mean() > inside[:10].mean()  # contrast-filled organs are in the middle
