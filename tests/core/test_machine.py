"""The machine as manifests describe it, and the cores that a process may use."""

import json

import pytest

from rmaunet.core.machine import available_cores, machine, network_threads

ALL = available_cores()


@pytest.fixture
def groups(tmp_path):
    """Writes files below a made-up mount of control groups, and the process's own groups."""

    def make(own: str = "", **files: str):
        for name, content in files.items():
            path = tmp_path / "cgroup" / name.replace("__", "/").replace("_dot_", ".")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        (tmp_path / "own").write_text(own)
        return available_cores(tmp_path / "cgroup", tmp_path / "own")

    return make


@pytest.mark.parametrize(
    ("own", "files", "expected"),
    [
        ("", {}, ALL),
        ("", {"cpu_dot_max": "150000 100000\n"}, min(2, ALL)),
        ("", {"cpu_dot_max": "20000 100000\n"}, 1),
        ("", {"cpu_dot_max": "max 100000\n"}, ALL),
        ("0::/job/step\n", {"job__step__cpu_dot_max": "20000 100000\n"}, 1),
        ("0::/job/step\n", {"job__cpu_dot_max": "20000 100000\n"}, 1),
        ("", {"cpu__cpu_dot_cfs_quota_us": "20000\n", "cpu__cpu_dot_cfs_period_us": "100000\n"}, 1),
        ("", {"cpu__cpu_dot_cfs_quota_us": "-1\n", "cpu__cpu_dot_cfs_period_us": "100000\n"}, ALL),
        (
            "4:cpu,cpuacct:/job\n3:memory:/other\n",
            {"cpu,cpuacct__job__cpu_dot_cfs_quota_us": "50000\n", "cpu,cpuacct__job__cpu_dot_cfs_period_us": "100000\n"},
            1,
        ),
    ],
    ids=[
        "no groups", "one and a half", "a fifth", "no limit", "own group", "group above", "version 1", "version 1, no limit",
        "version 1, own group",
    ],
)  # fmt: skip
def test_cores_follow_every_control_group(groups, own, files, expected):
    assert groups(own, **files) == expected


def test_threads_follow_the_variable_up_to_the_cores(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert network_threads() == 1
    assert network_threads(7) == 7
    monkeypatch.setenv("OMP_NUM_THREADS", "1000")
    assert network_threads() == ALL
    monkeypatch.delenv("OMP_NUM_THREADS")
    assert network_threads() == ALL


def test_the_machine_is_plain_json_without_a_path():
    found = machine()
    assert {"rmaunet", "commit", "python", "torch", "system", "processor", "cores", "usable_cores"} == set(found)
    assert "/" not in json.dumps(found)
