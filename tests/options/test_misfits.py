"""Options that are right each for itself and do not go together."""

import pytest

from app import composed
from latenthash.errors import InputError
from latenthash.jobs.command.checks import check_train

FAST = ["+experiment=fast_code", "data.outliers=x"]


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
        (["model=contrastive"], "model=contrastive goes with +experiment=fast_code alone."),
        (["+job.start=random"], "job.start=random goes with +experiment=fast_code alone."),
        (
            ["+experiment=mnist", "+job.start=null"],
            "job.start=null goes with +experiment=fast_code",
        ),
        (["trainer=steps"], "trainer.max_steps=2200 goes with +experiment=fast_code alone."),
        (["+trainer.gradient_clip_val=1.0"], "trainer.gradient_clip_val=1.0 goes with"),
        (["+trainer.val_check_interval=5"], "trainer.val_check_interval=5 goes with"),
        (["+trainer.check_val_every_n_epoch=null"], "trainer.check_val_every_n_epoch=null goes"),
        (["callbacks=averaged"], "callbacks.checkpoint.monitor=val/tpr_bits goes with +exp"),
        (
            ["callbacks.checkpoint.save_weights_only=false"],
            "save_weights_only must be true: nothing else is read of the checkpoint.",
        ),
        (
            [*FAST, "callbacks.checkpoint.save_weights_only=true"],
            "save_weights_only must be false, for the average is part of the checkpoint.",
        ),
        ([*FAST, "callbacks=default"], "callbacks.checkpoint.monitor=val/loss is not logged by"),
        ([*FAST, "model=vae"], "train_code.train_code trains model=contrastive alone."),
        ([*FAST, "features=vgg16"], "model=contrastive learns from RGB pictures"),
        ([*FAST, "features.size=100"], "whose side is a multiple of 16 px: set features=pixels"),
        ([*FAST, "features.channels=1"], "features.channels=1 does not fit"),
        ([*FAST, "job.start=null"], "job.start is not set: give imagenet, random, code or"),
        ([*FAST, "trainer.max_steps=100"], "val_check_interval=200 is more than trainer.max_steps"),
        ([*FAST, "trainer.val_check_interval=null"], "trainer.check_val_every_n_epoch=null: set"),
        ([*FAST, "trainer.check_val_every_n_epoch=1"], "trainer.check_val_every_n_epoch=null: set"),
        (
            [*FAST, "trainer.check_val_every_n_epoch=2"],
            "must be 1, or null where trainer.val_check",
        ),
    ],
)
def test_options_that_do_not_go_together_are_refused(options: list[str], sentence: str) -> None:
    with pytest.raises(InputError) as refused:
        check_train(composed(*options))
    assert sentence in " ".join(refused.value.problems)


@pytest.mark.parametrize(
    "options",
    [
        FAST,
        [*FAST, "trainer=debug"],
        [*FAST, "job.start=random", "trainer.max_steps=null", "trainer.max_epochs=3"],
        [*FAST, "callbacks.checkpoint.monitor=val/tpr_floats"],
        ["+experiment=code", "data.outliers=x"],
        ["+experiment=mnist"],
        ["+experiment=girl_vs_earth_sushi"],
    ],
)
def test_options_that_go_together_are_taken(options: list[str]) -> None:
    check_train(composed(*options))
