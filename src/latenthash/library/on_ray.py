"""Picture files into codes on a cluster, by Ray Data: read, decoded and described in stages.

Each stage asks for other resources than the one before: Ray makes one task of stages that do not,
and the network would wait for disks.
"""

import logging
import os
import socket
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
from joblib import cpu_count
from numpy.typing import NDArray

from latenthash.codes.code import Code, printed_code
from latenthash.codes.latent import Latent
from latenthash.codes.stream import BATCH, DescribedFile
from latenthash.codes.work import complete, work_of
from latenthash.data.detail import has_detail
from latenthash.data.reading import Reader
from latenthash.data.sources import Unread, named
from latenthash.errors import InputError, JobError
from latenthash.hashing.printable_code import BITS
from latenthash.system.files import Unusable

Rows: TypeAlias = dict[str, NDArray[Any]]  # a batch of Ray's: column -> values

LOCAL = "local"  # an address: a cluster of this machine alone, begun now
FILES = 2**15  # of one dataset: what is under way when a cluster fails is so much
BLOCK = 64  # files of one task, which takes a second or so
REACH = 10  # seconds until a machine counts as away
READ, DECODE = 0.25, 0.5  # cores of a task
# Cores of a network. Where there are GPUs it has one instead.
DESCRIBE = 1
# Cores of a cluster: the network would hold the only one, and wait for files that nobody reads.
FEWEST = 2


def read_on_ray(
    paths: Iterable[Path], reader: Reader, latent: Latent, address: str
) -> Iterator[tuple[DescribedFile | Unread, bytes | None]]:
    """Read picture files on a cluster, whose machines see them by the same paths.

    Args:
        paths: of the files.
        reader: how they are decoded.
        latent: the network, which every machine is sent.
        address: of the cluster: `auto`, `HOST:PORT`, `ray://HOST:10001`, or `local`.

    Yields:
        what was found of each file, or why it cannot be read; and its bits or None, in order.

    Raises:
        InputError: if Ray is not installed, there is no cluster at the address, or it is too small.
        JobError: if the cluster fails while it works.
    """
    if find_spec("ray") is None:
        raise InputError("engine=ray needs: pip install 'latenthash[ray]'.")
    import ray

    own = not ray.is_initialized()
    if own:
        _connect(address)
    try:
        _refuse_small(address)
        paths, place = iter(paths), Path.cwd()
        latent.hasher.to("cpu")  # machines without a GPU get it, too; it moves where it computes
        network = ray.put(latent)
        while some := list(islice(paths, FILES)):
            yield from _read(some, place, reader, latent, network)
    except ray.exceptions.RayError as error:
        raise JobError(
            f"Ray ended at cluster={address} ({_lines(error)[-1]}). What was found until then is "
            "kept; the same command goes on."
        ) from error
    finally:
        if own:
            ray.shutdown()


def _connect(address: str) -> None:
    """Connect to a cluster, or begin one of this machine; Ray's own progress is left out.

    Raises:
        InputError: if there is none, or it does not begin.
    """
    import ray

    logging.getLogger("ray.data").setLevel(logging.WARNING)
    beside: dict[str, Any] = {}
    if address == LOCAL:
        beside = {"include_dashboard": False, "num_cpus": max(cpu_count(), FEWEST)}
    try:
        _reach(address)
        ray.init(address, logging_level="warning", log_to_driver=False, **beside)
    except Exception as error:  # Ray has no class of errors for a cluster that does not begin
        reason = _lines(error)[0].rstrip(".")
        if address == LOCAL:
            raise InputError(
                f"Ray could not begin a cluster of this machine ({reason}): give the command again "
                "when the machine is less busy, or leave engine=ray away."
            ) from error
        raise InputError(
            f"There is no Ray cluster at cluster={address} ({reason}): begin one with `ray start "
            "--head`, or give cluster=local."
        ) from error


def _refuse_small(address: str) -> None:
    """Refuse a cluster that would wait for ever.

    Raises:
        InputError: if it has too few cores.
    """
    import ray

    room = ray.cluster_resources()
    fewest = FEWEST - DESCRIBE if room.get("GPU", 0) else FEWEST
    if (cores := room.get("CPU", 0)) < fewest:
        raise InputError(
            f"The Ray cluster at cluster={address} has {cores:g} cores, and {fewest} are the "
            "fewest: add a machine to it, or begin it with `ray start --head --num-cpus=2`."
        )


def _lines(error: Exception) -> list[str]:
    """Return the lines of what an error says, one at least."""
    return (str(error).strip() or type(error).__name__).splitlines()


def _reach(address: str) -> None:
    """See whether anybody listens: Ray ends the process where nobody does.

    Raises:
        OSError: if nobody does.
    """
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if host and port.isdecimal():
        socket.create_connection((host.strip("[]"), int(port)), REACH).close()


def _read(
    paths: list[Path], place: Path, reader: Reader, latent: Latent, network: object
) -> Iterator[tuple[DescribedFile | Unread, bytes | None]]:
    import ray
    from ray.data import ActorPoolStrategy, DataContext

    context = DataContext.get_current()
    context.enable_progress_bars = False  # there is one of ours
    context.print_on_execution_start = False
    context.execution_options.preserve_order = True
    column = pa.array([os.fsencode(place / path) for path in paths], pa.binary())
    given: Any = ray.data.from_arrow(pa.table({"path": column}))
    # As many networks as the cluster has room for, and no more than there is work for.
    most = -(-len(paths) // BLOCK)
    gpus = ray.cluster_resources().get("GPU", 0)
    room: dict[str, Any] = {"num_gpus": 1} if gpus else {"num_cpus": DESCRIBE}
    found = (
        given.repartition(most)
        .map_batches(_Loading(reader), batch_size=None, num_cpus=READ)
        .map_batches(_Decoding(reader, latent), batch_size=None, num_cpus=DECODE)
        .map_batches(
            _Describing,
            fn_constructor_args=(network,),
            batch_size=BATCH,
            compute=ActorPoolStrategy(min_size=1, max_size=most),
            **room,
        )
    )
    waiting = iter(paths)
    for batch in found.iter_batches(batch_size=None, batch_format="pyarrow"):
        for row in batch.to_pylist():
            yield _found(next(waiting), row)


def _found(path: Path, row: dict[str, Any]) -> tuple[DescribedFile | Unread, bytes | None]:
    name = named(path, None)
    if row["error"]:
        return Unread(name, path, row["error"]), None
    return DescribedFile(name, row["digest"], None, ()), row["code"] or None


@dataclass(frozen=True)
class _Loading:
    """The stage that waits for disks: paths to the bytes of files."""

    reader: Reader

    def __call__(self, rows: Rows) -> Rows:
        data, errors = [], []
        for path in rows["path"]:
            try:
                data.append(self.reader.load(Path(os.fsdecode(path))))
                errors.append("")
            except Unusable as error:
                data.append(b"")
                errors.append(str(error))
        return {"data": _objects(data), "error": np.array(errors, np.str_)}


class _Decoding:
    """The stage that decodes: bytes of files to the views of a network.

    Args:
        reader: how files are decoded.
        latent: the network, whose views they become.
    """

    def __init__(self, reader: Reader, latent: Latent) -> None:
        assert latent.side is not None  # all networks have one
        self.reader, self.side = reader, latent.side
        self.work = work_of(latent)

    def __call__(self, rows: Rows) -> Rows:
        views = np.zeros((len(rows["data"]), self.side, self.side, 3), np.uint8)
        detail, digests, errors = np.zeros(len(views), bool), [], []
        for i, (data, problem) in enumerate(zip(rows["data"], rows["error"], strict=True)):
            digest, reason = "", str(problem)
            if not reason:
                try:
                    picture = self.reader.read_bytes(data)
                    digest = picture.digest
                    detail[i] = has_detail(picture.pixels)
                    if detail[i]:
                        (views[i],) = self.work([picture.pixels])
                except Unusable as error:
                    reason = str(error)
            digests.append(digest)
            errors.append(reason)
        return {
            "view": views,
            "detail": detail,
            "digest": np.array(digests, np.str_),
            "error": np.array(errors, np.str_),
        }


class _Describing:
    """The stage of the network: views to codes.

    Args:
        network: Ray's reference to it.
    """

    def __init__(self, network: Any) -> None:
        import ray

        self.latent: Latent = ray.get(network)
        self.code: Code = printed_code(self.latent)

    def __call__(self, rows: Rows) -> Rows:
        detail = rows["detail"]
        codes = np.zeros((len(detail), BITS // 8), np.uint8)
        if detail.any():
            codes[detail] = self.code.bits(complete(self.latent, rows["view"][detail]))
        packed = [code.tobytes() if one else b"" for code, one in zip(codes, detail, strict=True)]
        return {"code": _objects(packed), "digest": rows["digest"], "error": rows["error"]}


def _objects(values: list[bytes]) -> NDArray[Any]:
    """Lay out bytes that may end with zeros, which numpy's own kind would cut off."""
    laid = np.empty(len(values), object)
    laid[:] = values
    return laid
