"""Composed configs held against the schema: every file of conf passes, and references resolve."""

import pytest
from omegaconf import OmegaConf

from app import OF_EVALUATE, OPTIONS, composed, override
from latenthash.errors import InputError
from latenthash.jobs.command.checks import check_evaluate, check_train
from latenthash.options.checking import find_problems
from latenthash.options.edits import SIDE
from latenthash.options.roots import Train
from latenthash.options.trust import Origin


@pytest.mark.parametrize(("group", "option"), OPTIONS)
def test_every_file_of_conf_is_taken(group: str, option: str) -> None:
    if group in OF_EVALUATE:
        own = ["peers.custom.function=mypackage.my_hash"] if option == "custom" else []
        check_evaluate(composed(override(group, option), *own, root="evaluate"))
        return
    cfg = composed(override(group, option))
    # Which options go together is the affair of whoever puts them together.
    assert not find_problems(Train, OmegaConf.to_container(cfg, resolve=True), Origin(SIDE))
    if group not in ("data", "features", "model", "callbacks", "trainer"):
        check_train(cfg)


def test_value_that_cannot_be_resolved_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOWHERE", raising=False)
    with pytest.raises(InputError, match="NOWHERE"):
        check_train(composed("data.signal=${oc.env:NOWHERE}"))
