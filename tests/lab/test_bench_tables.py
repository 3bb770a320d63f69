"""The printed tables hold the numbers and ratios they say."""

from collections.abc import Mapping
from typing import Any

from bench.tables import tables
from bench.volume import scan_like

MACHINE = {"processor": "P", "cores": 2, "system": "Linux", "rmaunet": "0", "commit": "c"}


def shown(found: Mapping[str, Any]) -> str:
    """The tables without the spaces that align their columns."""
    return "\n".join(" ".join(line.split()) for line in tables(found).splitlines())


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
        "network": [
            network("eager float32", 100.0, 80.0),
            network("torch float32", 80.0, 100.0),
            network("openvino bfloat16", 20.0, 300.0) | {"cpu_ms": 39.0},
        ],
        "startup": [{"network": "converted before", "wall": [2.0, 1.0, 4.0], "cpu": [1.25]}],
        "volume": [scan],
        "memory": [scan],
        "training": [
            {"way": "eager float32", "base": 16, "slices_a_second": 2.0, "lowest": 1.9, "highest": 2.1},
            {"way": "channels last bfloat16", "base": 16, "slices_a_second": 5.0, "lowest": 4.0, "highest": 5.5},
        ],
    }
    text = shown(found)
    assert "| 16 | 1 | openvino bfloat16 | 20.0 (19.0 to 22.0) | 39.0 | 5.00 | 4.00 | 75% |" in text
    assert "| search (default) | openvino float32 | 90/300 | 14.0 | 20.0 | 1.5 | 1.00 | 10.00 | 1.00 | 20% |" in text
    assert "| converted before | 3 | 2.00 (1.00 to 4.00) | 1.25 |" in text
    assert "The search takes" not in text
    every = scan | {"options": "--all-slices", "computed": 300, "wall": 28.0, "cpu": 41.0}
    text = shown({**found, "volume": [every, scan]})
    assert "takes 0.50 of the wall time and 0.49 of the processor time" in text
    assert "a slice costs 100 ms" in text
    assert "11.0 s: 37% of the network's" in text
    assert "| 300 | 1.00 | 2.00 | 90 | openvino float32 |" in text
    assert "| 16 | channels last bfloat16 | 5.00 (4.00 to 5.50) | 2.50 |" in text
    assert "P, 2 cores, 2 threads" in text
    assert "Quiet." in text


def test_of_a_busy_machine_processor_time_counts():
    rows = [network("openvino bfloat16", 200.0, 30.0) | {"cpu_ms": 48.0}]
    rows.append(network("openvino int8", 300.0, 20.0) | {"cpu_ms": 40.0})
    text = shown(head(network=rows, busy=True))
    assert "| 16 | 1 | openvino int8 | 40.0 | 1.20 |" in text
    assert "300" not in text
    some = {"slices": 400, "options": "", "computed": 90, "runtime": "openvino float32", "wall": 99.0, "cpu": 20.0}
    every = some | {"options": "--all-slices", "computed": 300, "cpu": 41.0}
    text = shown(head(volume=[every, some], busy=True))
    assert "| --all-slices | openvino float32 | 300/400 | 41.0 |" in text
    assert "11.0 s: 37% of the network's" in text
    assert "99.0" not in text


def test_layers_and_batches_as_shares():
    layers = [
        {"base": 16, "batch": 4, "precision": "bfloat16", "kind": "convolution 3 x 3", "ms": 6.0, "operations": 9e6},
        {"base": 16, "batch": 4, "precision": "bfloat16", "kind": "joining", "ms": 2.0, "operations": 0.0},
    ]
    for row in layers:
        row["share_of_peak"] = row["operations"] / 12e6
    training = [{"way": "eager float32", "base": 16, "slices_a_second": 5.0, "lowest": 4.9, "highest": 5.1}]
    training.append(training[0] | {"way": "bfloat16", "slices_a_second": 10.0, "threads": 2})
    feeding = [{"augmentation": "all", "ms": 50.0, "lowest": 40.0, "highest": 60.0}]
    text = shown(head(layers=layers, training=training, feeding=feeding))
    assert "openvino bfloat16, 8.0 ms a slice" in text
    assert "| convolution 3 x 3 | 6.00 | 75% | 100% | 75% |" in text
    assert "| joining | 2.00 | 25% | 0% | |" in text
    assert "| all | 50.00 (40.00 to 60.00) | 20.0% |" in text  # beside 200 ms of two threads' time


def test_the_scan_has_one_abdomen_whatever_its_length():
    short, long = scan_like(8, side=32), scan_like(200, side=32)
    assert short.spatial_shape == (8, 32, 32)
    assert long.spacing == (1.5, 0.75, 0.75)
    inside = (long.array > 60).mean(axis=(1, 2))
    assert inside[80:120].mean() > inside[:10].mean()  # contrast-filled organs are in the middle


def head(**parts):
    return {"machine": MACHINE, "libraries": {}, "threads": 1, **parts}


def test_surface_figures_of_several_tools():
    mine = {"organ": "liver", "tool": "rmaunet", "size": [3, 4, 5], "seconds": [0.1, 0.3, 0.2], "ratio": 1.0}
    other = mine | {"tool": "medpy", "seconds": [60.0], "ratio": 300.0, "values": {"assd": 0.5}}
    text = shown(head(metrics=[mine | {"values": {"assd": 0.5, "msd": 2.0}}, other]))
    assert "| liver | rmaunet | 0.20 (0.10 to 0.30) | 1.0 | 0.500 | 2.000 |" in text
    assert "| liver | medpy | 60.00 | 300.0 | 0.500 | |" in text
    assert "3 x 4 x 5" in text


def test_whole_scans_by_several_tools():
    def run(tool, outside, network, calls=(75, 75)):
        computed = {"computed_calls": calls[0], "calls": calls[1]}
        return {"tool": tool, "outside": {"cpu": outside}, "network": {"cpu": network}, **computed, "peak_mib": 100.4}

    resampling = {"tool": "no network", "outside": {"cpu": 12.0}, "peak_mib": 900.0}
    peers = [run("rmaunet", 1.0, 9.0), run("rmaunet, all slices", 2.0, 18.0), run("nnU-Net 2d", 10.0, 490.0, (8, 300))]
    text = shown(head(peers={"size": [300, 512, 512], "runs": [*peers, resampling]}))
    assert "| rmaunet | 1.00 | 9.0 | 75 of 75 | 0.5 | 100 |" in text
    assert "| nnU-Net 2d | 10.00 | 490.0 | 8 of 300 | 5.0 | 100 |" in text
    assert "| no network | 12.00 | | | 6.0 | 900 |" in text
    assert "| tool | rmaunet | rmaunet, all slices |" in text
    assert "| nnU-Net 2d | 50.0 | 25.0 |" in text
    assert "| no network | |" not in text


def test_memory_kept_or_handed_back():
    row = {"task": "training", "base": 16, "batch": 4, "system": 0.3, "faults": 1e5, "peak_mib": 900.0}
    usual = row | {"freed_memory": "usual", "seconds": [2.0, 2.4], "ratios": [1.0, 1.0]}
    kept = row | {"freed_memory": "kept", "seconds": [1.6, 2.0], "ratios": [1.25, 1.2]}
    text = shown(head(allocator=[usual, kept]))
    assert "| training | 16 | 4 | usual | 2.20 (2.00 to 2.40) | 0.30 | 100000 | 900 | |" in text
    assert "| training | 16 | 4 | kept | 1.80 (1.60 to 2.00) | 0.30 | 100000 | 900 | 1.25, 1.20 |" in text


def test_training_in_bfloat16_beside_float32():
    rows = [
        {"steps": 300, "seed": seed, "precision": precision, "cpu_seconds": 30.4, "liver": liver, "tumor": tumor}
        for seed, precision, liver, tumor in (
            (0, "float32", 0.97, 0.80),
            (0, "bfloat16", 0.971, 0.81),
            (1, "float32", 0.98, 0.84),
            (1, "bfloat16", 0.979, 0.84),
        )
    ]
    text = shown(head(mixed_precision=rows))
    assert "| 300 | 1 | bfloat16 | 0.9790 | 0.8400 | 30 |" in text
    assert (
        "liver: bfloat16 minus float32 +0.0000 (+0.0010, -0.0010), within 0.002; seeds of float32 differ by up to"
        in text
    )
    assert "- 300 steps, tumor: bfloat16 minus float32 +0.0050 (+0.0100, +0.0000), beyond 0.002" in text
    later = [row | {"after": 1200, "tumor": 0.84} for row in rows]
    text = shown(head(mixed_precision=[*rows, *later]))
    assert "| 300 after 1200 | 1 | bfloat16 | 0.9790 | 0.8400 | 30 |" in text
    assert "- 300 after 1200 steps, tumor: bfloat16 minus float32 +0.0000 (+0.0000, +0.0000), within 0.002" in text
    assert "- 300 steps, tumor: bfloat16 minus float32 +0.0050" in text
