"""The registry: the append-only book of manifests.

Each row holds the digest of the row before, and the registry's signature of its own. Nobody
without the registry's key can add, alter, swap or remove rows unseen; who has it can rewrite the
book from some row on, or cut off its end, and is found out by a head that was given away before.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Engine, func, insert, select

from latenthash.errors import InputError
from latenthash.system.terminal import without_password
from latenthash.watermark.database import connect, has_tables, is_postgres, reading, writing
from latenthash.watermark.keys import Signer, make_key, read_key
from latenthash.watermark.manifest import ID, now
from latenthash.watermark.registration import read_thumbnail
from latenthash.watermark.rows import Head, Row, empty_digest
from latenthash.watermark.signed import Signed
from latenthash.watermark.tables import MARKS, PARENTS, REGISTRY, make_tables

FORMAT = 1  # raised whenever older readers would misread a registry
CODE = 32  # bytes
PAGE = 500  # rows that are read at once: between pages others may append
KEY_ENDING = ".pem"  # the key of marks.db is marks.db.pem


@dataclass(frozen=True)
class Known:
    """The codes of a registry, to be searched.

    Attributes:
        seq: (N,) numbers of rows, rising.
        ids: (N, 8).
        codes: (N, 32), as `Engine.within` of the gallery takes them.
    """

    seq: NDArray[np.int64]
    ids: NDArray[np.uint8]
    codes: NDArray[np.uint8]

    def followed_by(self, newer: "Known") -> "Known":
        """Append the codes of newer rows."""
        return Known(
            np.concatenate([self.seq, newer.seq]),
            np.concatenate([self.ids, newer.ids]),
            np.concatenate([self.codes, newer.codes]),
        )

    @property
    def usable(self) -> NDArray[np.bool_]:
        """(N,) which can be found: all."""
        return np.ones(len(self.codes), np.bool_)


class Registry:
    """A registry, open for reading, or for appending too.

    Args:
        place: a file of SQLite, or a URI of PostgreSQL.
        engine: of the database, whose tables are there.
        public: key of the registry.
        signer: None for reading alone.
    """

    def __init__(self, place: str, engine: Engine, public: bytes, signer: Signer | None) -> None:
        self.place = place
        self.public = public
        self._engine = engine
        self._signer = signer

    @classmethod
    def open(cls, place: str) -> "Registry":
        """Open a registry for reading; its private key is not needed.

        Where the key stands beside the file and may be read, the registry must be of that key:
        who can write to the file alone could put another one there, sealed by his own.

        Args:
            place: a file of SQLite, or a URI such as postgresql://user@host/database.

        Raises:
            InputError: if there is none, it cannot be used, or it is of another key.
        """
        engine = connect(place, make=False)
        with reading(engine, place) as connection:
            if not has_tables(connection, place):
                raise InputError(
                    f"{without_password(place)} holds no registry: name one that mark=PATH made."
                )
            public = _public(connection, place)
        key = Path(f"{place}{KEY_ENDING}")
        if not is_postgres(place) and os.access(key, os.R_OK):
            _refuse_other(read_key(key), key, public, place)
        return cls(place, engine, public, None)

    @classmethod
    def open_to_append(cls, place: str, key: Path | None = None) -> "Registry":
        """Open a registry for appending; make it and its key at first use.

        Args:
            place: a file of SQLite, or a URI such as postgresql://user@host/database.
            key: of the registry. None: the file beside that of SQLite, `marks.db.pem`, which only
                its user may read. A registry on a server has no place beside it: there it must
                be given.

        Raises:
            InputError: if it cannot be used, or the key is another one's or missing.
        """
        if key is None:
            if is_postgres(place):
                raise InputError(
                    "A registry on a server signs its rows by a key of yours: name its file with "
                    "registry_key=FILE.pem, which is made when the registry is new."
                )
            key = Path(f"{place}{KEY_ENDING}")
            if key.exists() and not Path(place).exists():
                raise InputError(
                    f"{place} is missing, and its key {key} stands: put the registry back, or move "
                    "the key away to begin another."
                )
        engine = connect(place, make=True)
        # Two processes may come first at once: the second waits here, and finds it made.
        with writing(engine, place) as connection:
            if has_tables(connection, place):
                public, signer = _public(connection, place), _own_key(key, place)
                _refuse_other(signer, key, public, place)
            else:
                signer = read_key(key) if key.exists() else make_key(key, "registry")
                public = signer.public
                make_tables(connection)
                seal = Head.first(signer).seal
                values = {"format": FORMAT, "public": public, "seal": seal}
                connection.execute(insert(REGISTRY).values(values))
        return cls(place, engine, public, signer)

    def append(self, signed: Signed) -> int:
        """Add a manifest as the newest row; one that is there already stays the row it is.

        Whoever marks a picture appends first, and puts the picture in its place afterwards: if
        the process dies between, there is a row without a picture, which harms nobody, and never
        a mark that the registry does not know.

        Args:
            signed: parents that it names need not be registered here.

        Returns:
            the number of the row, once it is on the disk: whole, with its seal, or not at all.

        Raises:
            InputError: if its owner did not sign it, its thumbnail is no picture, its id is taken,
                or the registry is altered.
        """
        assert self._signer is not None, "opened for reading"
        if not signed.is_sound:
            raise InputError("The manifest is not signed by the owner it names: sign it anew.")
        read_thumbnail(signed.manifest.jpeg)  # refuses what nobody could compare
        with writing(self._engine, self.place) as connection:
            if (known := _row(connection, signed.id)) is not None:
                if (known.manifest, known.signature) == (signed.text, signed.signature):
                    return known.seq
                raise InputError(
                    f"The id {signed.id.hex()} is taken by row {known.seq}: sign the manifest "
                    "anew, with another time."
                )
            head = self._head(connection)
            if not head.is_sound:
                raise InputError(
                    f"The registry {without_password(self.place)} was altered: the seal of row "
                    f"{head.seq} does not hold, and nothing is added to it. check=true says more."
                )
            row = Row.following(head, signed, now(), self._signer)
            connection.execute(insert(MARKS).values(vars(row)))
            if parents := signed.manifest.parents:
                values = [
                    {"seq": row.seq, "position": i, "parent": bytes.fromhex(parent.id)}
                    for i, parent in enumerate(parents)
                ]
                connection.execute(insert(PARENTS), values)
        return row.seq

    def __len__(self) -> int:
        """Return the number of rows."""
        with reading(self._engine, self.place) as connection:
            return connection.execute(select(func.count()).select_from(MARKS)).scalar_one()

    def get(self, id_: bytes) -> Row | None:
        """Return the row of an id; None when it is not registered. `Row.fault` checks it."""
        with reading(self._engine, self.place) as connection:
            return _row(connection, id_)

    def fault(self, row: Row) -> str | None:
        """Say what is wrong with a row; None where nothing is."""
        return row.fault(self.public)

    def children(self, id_: bytes) -> list[bytes]:
        """Return the ids that name one as their parent, in the order they were added."""
        query = (
            select(MARKS.c.id)
            .join(PARENTS, PARENTS.c.seq == MARKS.c.seq)
            .where(PARENTS.c.parent == id_)
            .order_by(MARKS.c.seq)
        )
        with reading(self._engine, self.place) as connection:
            found = [bytes(id_) for (id_,) in connection.execute(query)]
        return list(dict.fromkeys(found))  # a picture may be in another twice

    def codes(self, bundle: str, before: Known | None = None) -> Known:
        """Return all codes that one bundle made; those of others cannot be compared with them.

        Args:
            bundle: digest, as manifests name it.
            before: what this returned before, which is not read again; None reads all.
        """
        after = 0 if before is None or not len(before.seq) else int(before.seq[-1])
        query = (
            select(MARKS.c.seq, MARKS.c.id, MARKS.c.bits)
            .where(MARKS.c.bundle == bundle, MARKS.c.seq > after)
            .order_by(MARKS.c.seq)
        )
        with reading(self._engine, self.place) as connection:
            rows = connection.execute(query).all()
        whole = [row for row in rows if len(row.id) == ID and len(row.bits) == CODE]
        new = Known(
            np.array([row.seq for row in whole], np.int64),
            _stacked([row.id for row in whole], ID),
            _stacked([row.bits for row in whole], CODE),
        )
        return new if before is None else before.followed_by(new)

    def ids(self) -> NDArray[np.uint8]:
        """Return all ids, (N, 8), in the order they were added."""
        with reading(self._engine, self.place) as connection:
            rows = connection.execute(select(MARKS.c.id).order_by(MARKS.c.seq)).scalars().all()
        return _stacked([id_ for id_ in rows if len(id_) == ID], ID)

    def bundles(self) -> dict[str, int]:
        """Return the bundles that made the codes, and the number of rows of each."""
        query = select(MARKS.c.bundle, func.count()).group_by(MARKS.c.bundle)
        with reading(self._engine, self.place) as connection:
            return {bundle: count for bundle, count in connection.execute(query)}

    def head(self) -> Head:
        """Return the newest row's head; of a registry without rows, one of number 0."""
        with reading(self._engine, self.place) as connection:
            return self._head(connection)

    def page(self, after: int) -> tuple[list[Row], dict[int, list[bytes]]]:
        """Return the next rows in order, and the parents that searches find each by.

        Args:
            after: number of the last row that was seen.
        """
        chosen = select(MARKS).where(MARKS.c.seq > after).order_by(MARKS.c.seq).limit(PAGE)
        with reading(self._engine, self.place) as connection:
            rows = [Row(**row) for row in connection.execute(chosen).mappings()]
            if not rows:
                return [], {}
            kin = (
                select(PARENTS.c.seq, PARENTS.c.parent)
                .where(PARENTS.c.seq.between(rows[0].seq, rows[-1].seq))
                .order_by(PARENTS.c.seq, PARENTS.c.position)
            )
            parents: dict[int, list[bytes]] = {row.seq: [] for row in rows}
            for seq, parent in connection.execute(kin):
                parents.setdefault(seq, []).append(parent)
        return rows, parents

    def damage(self) -> str | None:
        """Say what SQLite finds wrong with the file, as an index by which a row is not found.

        Returns:
            in its words; None where nothing is. A server looks after its own files.
        """
        if is_postgres(self.place):
            return None
        with reading(self._engine, self.place) as connection:
            found = connection.exec_driver_sql("PRAGMA integrity_check(1)").scalars().first()
        return None if found == "ok" else str(found)

    def _head(self, connection: Connection) -> Head:
        newest = select(MARKS.c.seq, MARKS.c.digest, MARKS.c.seal)
        row = connection.execute(newest.order_by(MARKS.c.seq.desc()).limit(1)).first()
        if row is not None:
            return Head(self.public, row.seq, row.digest, row.seal)
        seal = connection.execute(select(REGISTRY.c.seal)).scalar_one()
        return Head(self.public, 0, empty_digest(self.public), seal)


def _own_key(key: Path, place: str) -> Signer:
    if not key.exists():
        raise InputError(
            f"The registry {without_password(place)} lacks its key {key}, without which nothing "
            "can be added to it: put it back, or name it with registry_key=FILE.pem."
        )
    return read_key(key)


def _refuse_other(signer: Signer, key: Path, public: bytes, place: str) -> None:
    if signer.public != public:
        raise InputError(
            f"The key {key} is of another registry than {without_password(place)}: its rows were "
            "signed by another key. Put back the one it was made with."
        )


def _public(connection: Connection, place: str) -> bytes:
    found = connection.execute(select(REGISTRY.c.format, REGISTRY.c.public)).all()
    if len(found) != 1 or found[0].format != FORMAT:
        formats = ", ".join(str(row.format) for row in found) or "none"
        raise InputError(
            f"The registry {without_password(place)} is of format {formats}, and this latenthash "
            f"reads format {FORMAT}: use the version that made it."
        )
    return bytes(found[0].public)


def _row(connection: Connection, id_: bytes) -> Row | None:
    found = connection.execute(select(MARKS).where(MARKS.c.id == id_)).mappings().first()
    return None if found is None else Row(**found)


def _stacked(parts: Sequence[bytes], size: int) -> NDArray[np.uint8]:
    return np.frombuffer(b"".join(parts), np.uint8).reshape(-1, size)
