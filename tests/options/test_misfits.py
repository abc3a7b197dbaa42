"""Options that are right each for itself and do not go together."""

import pytest

from app import composed
from latenthash.errors import InputError
from latenthash.jobs.command.checks import check_train


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["data=pairs", "data.outliers=x"], "cannot be done with these data: they go with +exper"),
        (["+experiment=code", "data=folders"], "they go with data=folders, and the job with +exp"),
        (["data=mnist", "features.channels=1"], "they go with +experiment=mnist"),
        (
            ["data=mnist", "model=pca", "features.channels=1"],
            "data=mnist needs a model with a likelihood",
        ),
        (["+experiment=mnist", "features.channels=3"], "features.channels=3 does not fit"),
        (["features.channels=1"], "features.channels=1 does not fit"),
        (["finetune=true"], "finetune=true needs features with layers to train: set features=vgg"),
        (["features=embedding", "finetune=true"], "needs features with layers to train"),
        (["model.separation.critic=1"], "model.separation.critic needs model=vaegan"),
        (["features=vgg16", "model=pca", "+hash.gate=true"], "hash.gate=true needs a model that"),
        (["features.size=1024", "model.channels=[64,8]"], "model.channels=[64, 8] makes more than"),
    ],
)
def test_options_that_do_not_go_together_are_refused(options: list[str], sentence: str) -> None:
    with pytest.raises(InputError) as refused:
        check_train(composed(*options))
    assert sentence in " ".join(refused.value.problems)
