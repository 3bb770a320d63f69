"""Folders and linked folders: each real one is visited once."""

from pathlib import Path

import pytest

from rmaunet.core.notices import collect_notices
from rmaunet.core.walk import say_unreached, walk


def made(root: Path, *files: str) -> Path:
    for name in files:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("x")
    return root


def names(root: Path, **how: object) -> list[str]:
    return [str(path.relative_to(root)) for path in walk(root, **how).files]  # type: ignore[arg-type]


def test_linked_folders_are_followed_under_the_links_name(tmp_path: Path) -> None:
    made(tmp_path / "elsewhere", "deep/b", "c")
    root = made(tmp_path / "root", "a")
    (root / "link").symlink_to(tmp_path / "elsewhere")
    assert names(root) == ["a", "link/c", "link/deep/b"]
    (tmp_path / "whole").symlink_to(root)
    assert names(tmp_path / "whole") == ["a", "link/c", "link/deep/b"]


def test_a_link_back_ends_there(tmp_path: Path) -> None:
    root = made(tmp_path / "root", "a", "sub/b")
    (root / "sub" / "up").symlink_to(root)
    (root / "self").symlink_to(root / "self")
    (root / "one").symlink_to(root / "two")
    (root / "two").symlink_to(root / "one")
    found = walk(root)
    assert names(root) == ["a", "one", "self", "sub/b", "two"]
    assert [path.name for path in found.dangling] == ["one", "self", "two"]


@pytest.mark.parametrize("link", ["a_link", "z_link"])
def test_of_two_ways_the_one_without_links_wins(link: str, tmp_path: Path) -> None:
    root = made(tmp_path, "real/x")
    (root / link).symlink_to("real")
    assert names(root) == ["real/x"]


def test_what_two_links_share_is_there_once(tmp_path: Path) -> None:
    made(tmp_path / "other", "p/x", "q/y")
    root = made(tmp_path / "root", "a")
    (root / "l1").symlink_to(tmp_path / "other" / "p")
    (root / "l2").symlink_to(tmp_path / "other")
    assert names(root) == ["a", "l1/x", "l2/q/y"]


def test_what_is_left_out(tmp_path: Path) -> None:
    root = made(tmp_path, "a", ".hidden", ".folder/b", "out/c", "sub/d")
    (root / "alias").symlink_to("out")
    assert names(root, hidden=False, leave_out=root / "out") == ["a", "sub/d"]
    assert names(root, leave_out=root / "missing") == [".folder/b", ".hidden", "a", "out/c", "sub/d"]


def test_what_cannot_be_reached_is_said_in_one_line_each(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    root = made(tmp_path, "a", "closed/b")
    for n in range(7):
        (root / f"lost{n}").symlink_to("nowhere")
    real = os.scandir

    def scandir(path: Path):  # type: ignore[no-untyped-def]
        if Path(path).name == "closed":
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr("os.scandir", scandir)
    found = walk(root)
    with collect_notices() as said:
        say_unreached(root, found.dangling, found.unreadable)
    assert said == [
        f"{root}: 7 links left out for leading nowhere: lost0, lost1, lost2, lost3, lost4 and 2 more",
        f"{root}: 1 folder left out for lack of rights to read it: closed",
    ]
