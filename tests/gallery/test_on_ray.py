"""A gallery whose pictures a Ray cluster of this machine read."""

from pathlib import Path

import pytest
from PIL import Image
from skimage.data import astronaut

from latenthash.errors import InputError
from latenthash.gallery.gallery import Gallery
from latenthash.jobs.load import load

pytest.importorskip("ray", reason="needs: pip install 'latenthash[ray]'")


def save(folder: Path, count: int) -> None:
    folder.mkdir()
    whole = astronaut()
    for i in range(count):
        Image.fromarray(whole[40 * i : 40 * i + 90, 60:200]).save(folder / f"{i}.png")
    Image.new("RGB", (64, 64), "white").save(folder / "plain.png")
    (folder / "text.jpg").write_text("no picture")
    (folder / "empty.jpg").touch()


@pytest.mark.slow
# Ray leaves sockets and files of a cluster that it ended to the garbage collector.
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_cluster_gives_the_rows_of_this_machine(tmp_path: Path) -> None:
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


def test_cluster_that_is_not_there_is_named(tmp_path: Path) -> None:
    save(tmp_path / "pictures", 1)
    with pytest.raises(InputError, match=r"no Ray cluster at cluster=127\.0\.0\.1:1 "):
        Gallery.open(tmp_path / "gallery").add(
            load("code"), tmp_path / "pictures", cluster="127.0.0.1:1"
        )
