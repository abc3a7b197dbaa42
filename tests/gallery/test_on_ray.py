"""A gallery whose pictures a Ray cluster of this machine read."""

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from PIL import Image
from skimage.data import astronaut

from latenthash.errors import InputError
from latenthash.gallery.gallery import Gallery
from latenthash.jobs.load import load
from latenthash.library import on_ray

NEEDS = "needs: pip install 'latenthash[ray]'"


def on_a_cluster(test: object) -> object:
    """Mark a test that begins a cluster."""
    for mark in (
        pytest.mark.slow,
        # Ray leaves sockets and files of a cluster that it ended to the garbage collector.
        pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning"),
        pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    ):
        test = mark(test)
    return test


def save(folder: Path, count: int) -> None:
    folder.mkdir()
    whole = astronaut()
    for i in range(count):
        Image.fromarray(whole[40 * i : 40 * i + 90, 60:200]).save(folder / f"{i}.png")
    Image.new("RGB", (64, 64), "white").save(folder / "plain.png")
    (folder / "text.jpg").write_text("no picture")
    (folder / "empty.jpg").touch()


@on_a_cluster
def test_cluster_gives_the_rows_of_this_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("ray", reason=NEEDS)
    monkeypatch.setattr(on_ray, "cpu_count", lambda: 1)  # one would wait for ever
    pictures, code = tmp_path / "pictures", load("code")
    save(pictures, 9)
    here, there = (Gallery.open(tmp_path / name) for name in ("here", "there"))
    assert here.add(code, pictures).added == 10
    done = there.add(code, pictures, cluster="local")
    assert (done.added, done.plain, done.errors, done.unchanged) == (10, 1, 2, 0)
    ours, theirs = here.entries(), there.entries()
    assert list(ours.files) == list(theirs.files)
    assert list(ours.errors) == list(theirs.errors)
    assert (ours.codes == theirs.codes).all() and (ours.sha256 == theirs.sha256).all()
    assert (ours.usable == theirs.usable).all() and ours.usable.sum() == 9
    assert there.add(code, pictures, cluster="local").unchanged >= 10


@on_a_cluster
def test_cluster_that_would_wait_for_ever_is_refused(tmp_path: Path) -> None:
    ray = pytest.importorskip("ray", reason=NEEDS)
    save(tmp_path / "pictures", 1)
    ray.init(num_cpus=1, include_dashboard=False, logging_level="warning", log_to_driver=False)
    try:
        with pytest.raises(InputError, match="has 1 cores, and 2 are the fewest"):
            Gallery.open(tmp_path / "gallery").add(
                load("code"), tmp_path / "pictures", cluster="auto"
            )
    finally:
        ray.shutdown()


def test_cluster_that_is_not_there_is_named(tmp_path: Path) -> None:
    pytest.importorskip("ray", reason=NEEDS)
    save(tmp_path / "pictures", 1)
    with pytest.raises(InputError, match=r"no Ray cluster at cluster=127\.0\.0\.1:1 "):
        Gallery.open(tmp_path / "gallery").add(
            load("code"), tmp_path / "pictures", cluster="127.0.0.1:1"
        )


@pytest.mark.parametrize(
    ("given", "cluster", "sentence"),
    [
        (Exception("The current node timed out."), "local", r"node timed out\): give the command"),
        (Exception(), "local", r"of this machine \(Exception\)"),
        (ConnectionError("nobody\nis there"), "auto", r"no Ray cluster at cluster=auto \(nobody\)"),
    ],
)
def test_cluster_that_does_not_begin_is_a_sentence(
    given: Exception,
    cluster: str,
    sentence: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def init(*_: object, **__: object) -> None:
        raise given

    save(tmp_path / "pictures", 1)
    fake = SimpleNamespace(init=init, is_initialized=lambda: False)
    monkeypatch.setitem(sys.modules, "ray", fake)
    monkeypatch.setattr(on_ray, "find_spec", lambda name: True)
    with pytest.raises(InputError, match=sentence):
        Gallery.open(tmp_path / "gallery").add(load("code"), tmp_path / "pictures", cluster=cluster)


def test_ray_is_asked_for_where_it_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(tmp_path / "pictures", 1)
    monkeypatch.setattr(on_ray, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"pip install 'latenthash\[ray\]'"):
        Gallery.open(tmp_path / "gallery").add(load("code"), tmp_path / "pictures", cluster="local")
