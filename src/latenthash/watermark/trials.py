"""Trials: what becomes of a mark when its picture is edited or attacked, and what is said of it."""

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock

from latenthash.data.edits.suite import SuiteEdit
from latenthash.data.reading import Picture, Pixels
from latenthash.gallery.engines import engine_here
from latenthash.library.code import Code
from latenthash.watermark.attacks import Attack, Scene
from latenthash.watermark.bindings import Binding
from latenthash.watermark.carrier import Carrier
from latenthash.watermark.codec import to_word
from latenthash.watermark.manifest import Manifest
from latenthash.watermark.query import Query
from latenthash.watermark.registry import Registry
from latenthash.watermark.similarity import psnr, ssim
from latenthash.watermark.verdict import Judge, Status, Verdict, Way

UNEDITED, UNMARKED, FOREIGN = "as marked", "unmarked", "not registered"  # families of their own
EDITS, ATTACKS, PLAIN = "edits", "attacks", "plain"  # kinds of trials
MOST_PSNR = 99.0  # dB, where nothing differs
READ: Sequence[Way] = ("read", "known id", "registered")  # ways that find a mark


@dataclass(frozen=True)
class Marked:
    """A picture that was marked and registered.

    Attributes:
        picture: before.
        pixels: (H, W, 3) with the mark.
        identity: 8 bytes of the mark.
        thief: 8 bytes that a thief registered of the marked picture, later.
        manifest: of the owner.
        others: pictures of thieves, onto which the mark is copied.
        seconds: that marking took, of one core.
    """

    picture: Picture
    pixels: Pixels
    identity: bytes
    thief: bytes
    manifest: Manifest
    others: Sequence[Picture]
    seconds: float

    @property
    def psnr(self) -> float:
        """Of the mark, dB."""
        return psnr(self.picture.pixels, self.pixels)

    @property
    def ssim(self) -> float:
        """Of the mark."""
        return ssim(self.picture.pixels, self.pixels)


@dataclass(frozen=True)
class Trial:
    """What was said of one picture.

    Attributes:
        picture: number of the marked picture that it is of, or whose mark it has.
        kind: `edits`, `attacks`, or `plain` where neither was done.
        name: of edit or attack.
        family: of the edit; else as the name.
        status: of the verdict.
        exact: whether the mark's id was read by itself.
        known: whether it was found, by what the registry holds too.
        wrong: whether an id was read that was never embedded in it.
        errors: share of the word's 127 bits that were read the other way.
        conflict: whether an earlier picture was named.
        psnr: of an attacked picture, against what it looks like, dB; else not a number.
        seconds: of one core, from pixels to verdict.
        agrees: binding -> whether it takes the picture for the marked one.
        copy: whether it is another picture, which the mark was copied onto.
    """

    picture: int
    kind: str
    name: str
    family: str
    status: Status
    exact: bool
    known: bool
    wrong: bool
    errors: float
    conflict: bool
    psnr: float
    seconds: float
    agrees: Mapping[str, bool]
    copy: bool


@dataclass(frozen=True)
class Examiner:
    """Judges pictures by one registry, and by each of several bindings.

    Args:
        registry: of the marked pictures, open for reading.
        code: that hashes pictures.
        carrier: of the marks.
        binding: of the verdicts.
        others: bindings that are asked the same, each by itself.
        limit: bits within which a registered picture is a candidate.
    """

    registry: Registry
    code: Code
    carrier: Carrier
    binding: Binding
    others: Sequence[Binding]
    limit: int
    _judge: Judge = field(init=False, repr=False)
    _editing: Lock = field(default_factory=Lock, init=False, repr=False)

    def __post_init__(self) -> None:
        known = self.registry.codes(self.code.bundle.removeprefix("bundle "))
        judge = Judge(
            self.registry, self.carrier, self.binding, known, engine_here(known), self.limit
        )
        object.__setattr__(self, "_judge", judge)

    def edited(self, number: int, one: Marked, edits: Sequence[SuiteEdit]) -> list[Trial]:
        """Judge a marked picture as it is, before it was marked, and after each edit."""
        trials = [
            self._trial(number, one, one.pixels, PLAIN, UNEDITED, UNEDITED),
            self._trial(number, one, one.picture.pixels, PLAIN, UNMARKED, UNMARKED),
        ]
        for edit in edits:
            with self._editing:  # an edit has one random state
                view = edit.apply(one.pixels, one.picture.digest)
            trials.append(self._trial(number, one, view, EDITS, edit.name, edit.family))
        return trials

    def attacked(self, number: int, one: Marked, attacks: Mapping[str, Attack]) -> list[Trial]:
        """Judge what each attack makes of a marked picture."""
        trials = []
        for name, attack in attacks.items():
            copies = attack.shows == "other"
            for other in one.others if copies else one.others[:1]:
                scene = Scene(
                    one.picture.pixels, one.pixels, other.pixels, one.identity, one.thief,
                    self.carrier, self.code,
                )  # fmt: skip
                shown = attack.apply(scene)
                away = psnr(other.pixels if copies else one.picture.pixels, shown)
                away = min(away, MOST_PSNR)
                trials.append(self._trial(number, one, shown, ATTACKS, name, name, away, copies))
        return trials

    def foreign(self, number: int, picture: Picture) -> list[Trial]:
        """Judge a picture that was neither marked nor registered."""
        verdict, _, seconds = self._verdict(picture.pixels)
        wrong = verdict.reading.identity is not None
        return [
            Trial(
                number, PLAIN, FOREIGN, FOREIGN, verdict.status,
                exact=False, known=False, wrong=wrong, errors=math.nan,
                conflict=bool(verdict.conflicts), psnr=math.nan, seconds=seconds, agrees={},
                copy=False,
            )
        ]  # fmt: skip

    def _verdict(self, pixels: Pixels) -> tuple[Verdict, Query, float]:
        started = time.thread_time()
        query = Query(pixels, self.code.hash(pixels, floats=True))
        verdict = self._judge.judge(query)
        return verdict, query, time.thread_time() - started

    def _trial(
        self, number: int, one: Marked, pixels: Pixels, kind: str, name: str, family: str,
        away: float = math.nan, copy: bool = False,
    ) -> Trial:  # fmt: skip
        verdict, query, seconds = self._verdict(pixels)
        own = verdict.identity == one.identity and verdict.way in READ
        bits = verdict.reading.attempt.soft > 0
        read = verdict.reading.identity
        embedded = {None, one.identity, one.thief} if name != UNMARKED else {None}
        return Trial(
            number, kind, name, family, verdict.status,
            exact=own and verdict.way == "read",
            known=own,
            wrong=read not in embedded,
            errors=float((bits != to_word(one.identity)).mean()),
            conflict=bool(verdict.conflicts),
            psnr=away,
            seconds=seconds,
            agrees={
                binding.name: binding.compare(query, one.manifest).standing == "verified"
                for binding in self.others
            },
            copy=copy,
        )  # fmt: skip
