import numpy as np
import pytest

from rmaunet.core.errors import InputError
from rmaunet.datasets.store.slice_store import Store, StoreWriter
from rmaunet.preprocess import Preprocessing

RNG = np.random.default_rng(1)
IMAGES = {"a": RNG.integers(0, 256, (5, 8, 6)).astype(np.uint8), "b": RNG.integers(0, 256, (2, 4, 4)).astype(np.uint8)}
LABELS = {name: RNG.integers(0, 3, image.shape).astype(np.uint8) for name, image in IMAGES.items()}


def write(root):
    with StoreWriter(root, Preprocessing(window_hu=(-40.0, 160.0))) as writer:
        for name, image in IMAGES.items():
            writer.add(name, image, LABELS[name], spacing_mm=(2.0, 1.5, 1.25))
    return root


def test_cases_of_different_size_come_back_whole(tmp_path):
    store = Store(write(tmp_path), check=True)
    for name, image in IMAGES.items():
        assert np.array_equal(store.images(name), image)
        assert np.array_equal(store.labels(name), LABELS[name])
        assert store.case(name).liver == tuple((LABELS[name] >= 1).sum(axis=(1, 2)))
        assert store.case(name).tumor == tuple((LABELS[name] == 2).sum(axis=(1, 2)))
    assert store.preprocessing.window_hu == (-40.0, 160.0)
    assert store.case("a").spacing_mm == (2.0, 1.5, 1.25)


def test_each_lesion_is_kept_with_its_first_and_last_slice(tmp_path):
    labels = np.zeros((9, 8, 8), np.uint8)
    labels[1:8, 1:7, 1:7] = 1
    labels[2, 2, 2] = labels[3, 3, 3] = labels[4, 4, 4] = 2  # one lesion: its voxels touch at corners
    labels[7, 1, 1] = 2
    with StoreWriter(tmp_path, Preprocessing()) as writer:
        writer.add("x", labels, labels, spacing_mm=(1.0, 1.0, 1.0))
        writer.add("healthy", labels, labels * 0, spacing_mm=(1.0, 1.0, 1.0))
    store = Store(tmp_path)
    assert store.case("x").lesions == ((2, 4), (7, 7))
    assert store.case("healthy").lesions == ()


def test_neighbours_beyond_the_ends_repeat_the_end_slice(tmp_path):
    store = Store(write(tmp_path))
    images, labels = store.stack("a", 0, (-1, 0, 2))
    for found, whole in ((images, store.images("a")), (labels, store.labels("a"))):
        assert np.array_equal(found, np.stack([whole[0], whole[0], whole[2]], axis=-1))
    assert np.array_equal(images[..., 2], IMAGES["a"][2])


def test_changed_bytes_are_found(tmp_path):
    path = write(tmp_path) / "images.u8"
    data = bytearray(path.read_bytes())
    data[3] ^= 1
    path.write_bytes(bytes(data))
    with pytest.raises(InputError, match="checksum of a"):
        Store(tmp_path, check=True)


def test_a_cut_file_is_found(tmp_path):
    path = write(tmp_path) / "labels.u8"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(InputError, match="size = 271"):
        Store(tmp_path)


def test_a_store_broken_off_is_no_store(tmp_path):
    write(tmp_path)
    writer = StoreWriter(tmp_path, Preprocessing()).__enter__()
    writer.add("a", IMAGES["a"], LABELS["a"], spacing_mm=(1.0, 1.0, 1.0))
    writer.__exit__(RuntimeError, RuntimeError("stop"), None)
    with pytest.raises(InputError, match=r"index\.json"):
        Store(tmp_path)


def test_a_name_stands_once(tmp_path):
    with StoreWriter(tmp_path, Preprocessing()) as writer:
        writer.add("a", IMAGES["a"], LABELS["a"], spacing_mm=(1.0, 1.0, 1.0))
        with pytest.raises(InputError, match="duplicate"):
            writer.add("a", IMAGES["a"], LABELS["a"], spacing_mm=(1.0, 1.0, 1.0))


def test_image_and_mask_must_agree(tmp_path):
    with StoreWriter(tmp_path, Preprocessing()) as writer, pytest.raises(InputError, match="differ"):
        writer.add("a", IMAGES["a"], LABELS["b"], spacing_mm=(1.0, 1.0, 1.0))
