"""The plots show the numbers they were given."""

import pytest

from bench.plots import memory_plot, network_plot, stages_plot


def test_memory_is_drawn_in_order_of_length_in_gib():
    rows = [{"slices": n, "peak_bytes": n * 2**21, "predicted_bytes": n * 2**22} for n in (1500, 300)]
    axes = memory_plot(rows).axes[0]
    lines = {line.get_label(): line for line in axes.lines}
    assert lines["measured"].get_xdata().tolist() == [300, 1500]
    assert lines["measured"].get_ydata() == pytest.approx([300 / 512, 1500 / 512])
    assert lines["predicted"].get_ydata() == pytest.approx([600 / 512, 3000 / 512])


def test_each_width_has_a_panel_with_a_bar_a_runtime_at_the_smallest_batch():
    def row(base, batch, way, ms):
        return {"base": base, "batch": batch, "way": way, "ms": ms, "lowest": ms - 1, "highest": ms + 4}

    rows = [row(16, 1, "torch", 80.0), row(64, 1, "torch", 800.0), row(16, 1, "openvino", 40.0)]
    panels = network_plot([*rows, row(16, 4, "torch", 70.0)]).axes
    assert [axes.get_title() for axes in panels] == ["base 16", "base 64"]
    bars = [[(bar.get_y() + bar.get_height() / 2, bar.get_width()) for bar in axes.patches] for axes in panels]
    assert bars == [[(0, 80.0), (1, 40.0)], [(0, 800.0)]]
    assert [label.get_text() for label in panels[0].get_yticklabels()] == ["torch", "openvino"]


def test_stages_follow_each_other():
    rows = [
        {"options": "--all-slices", "seconds": {"read": 1.0, "network": 9.0}},
        {"options": "", "seconds": {"read": 2.0}},
    ]
    axes = stages_plot(rows).axes[0]
    found = [[(bar.get_x(), bar.get_width()) for bar in bars] for bars in axes.containers]
    assert found == [[(0.0, 1.0), (0.0, 2.0)], [(1.0, 9.0), (2.0, 0.0)]]
