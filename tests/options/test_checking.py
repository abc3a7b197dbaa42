"""The schema of options: what it takes, what it refuses, and that it covers what is built."""

import inspect
from collections.abc import Mapping
from typing import Any

import pytest
from omegaconf import OmegaConf

from app import composed
from latenthash.errors import InputError
from latenthash.jobs.command.checks import check_evaluate, check_train, plain
from latenthash.options.checking import find_bundle_problems, find_train_problems
from latenthash.options.kinds import find_class, nodes_by_class

# What a class is given by the program, not by an option.
GIVEN = {
    *("shape", "augment", "edits", "size", "trim", "seed", "cache", "features", "fingerprint"),
    "folder",
}
OTHERS = ("pytorch_lightning.",)  # whose classes take much more than our jobs can use


@pytest.mark.parametrize("name", sorted(nodes_by_class()))
def test_schema_names_what_each_class_takes(name: str) -> None:
    if name.startswith((*OTHERS, "latenthash.jobs.")):  # a job is a function
        return
    fields = nodes_by_class()[name].model_fields
    options = {field.alias or key for key, field in fields.items()} - {"_target_", "_convert_"}
    taken = set(inspect.signature(find_class(name)).parameters)
    assert options <= taken, "the schema allows what the class does not take"
    assert taken - options <= GIVEN, "the class takes what the schema does not allow"


WHOLE, SHARE = "must be a whole number from", "must be a number above 0 and below 1"
# Mostly of the kinds number, share, switch, name, list, class; each is one option out of many.
TRAIN = {
    "data.views.train=1e2": f"data.views.train=100.0 {WHOLE} 1 to 1,000,000.",
    "data.views.edits=2.5": f"data.views.edits=2.5 {WHOLE} 1",
    "data.views.test=1": f"data.views.test=1 {WHOLE} 2",
    "data.views.train=true": f"data.views.train=true {WHOLE} 1",
    "data.workers=-1": f"data.workers=-1 {WHOLE} 0 to 256 (processes).",
    "data.workers=99999999999": f"data.workers=99999999999 {WHOLE} 0",
    "data.reader.max_pixels=nan": f"data.reader.max_pixels=nan {WHOLE} 64",
    "data.reader.working_size=0": f"data.reader.working_size=0 {WHOLE} 8",
    "data.reader.background=abc": "data.reader.background=abc must be three whole numbers",
    "data.reader.background=[1,2]": "data.reader.background=[1, 2] must be three whole numbers",
    "data.reader.background=[1,2,256]": "must be three whole numbers from 0 to 255",
    "data.train_sets=[signal,unseen]": "data.train_sets=['signal', 'unseen'] must be a list of",
    "data.train_sets=[noise_edited]": "data.train_sets=['noise_edited'] must be a list of signal",
    "data.train_sets=[signal,signal]": "must be a list of signal and any of noise_edited",
    "seed=99999999999": f"seed=99999999999 {WHOLE} 0 to 4,294,967,295.",
    "seed=null": f"seed is not set; it {WHOLE} 0",
    "seed=1.0": f"seed=1.0 {WHOLE} 0",
    "resamples=0": f"resamples=0 {WHOLE} 1",
    "force=nan": "force=nan must be true or false.",
    "+hash.gate=abc": "hash.gate=abc must be true or false.",
    "hash.alpha=1": f"hash.alpha=1 {SHARE}.",
    "hash.alpha=nan": f"hash.alpha=nan {SHARE}.",
    "hash.fpr=0": f"hash.fpr=0 {SHARE}.",
    "features.size=abc": f"features.size=abc {WHOLE} 8 to 1,024 (px).",
    "features.channels=2": "features.channels=2 must be 3 (RGB) or 1",
    "model.latent_dim=2.5": f"model.latent_dim=2.5 {WHOLE} 1",
    "model.latent_dim=0": f"model.latent_dim=0 {WHOLE} 1",
    "model.channels=[]": "model.channels=[] has too few entries, at least 1 are needed.",
    "model.channels=8": "model.channels=8 must be a list.",
    "model.channels=[8,-8]": f"model.channels.1=-8 {WHOLE} 1",
    "model.learning_rate=-1": "model.learning_rate=-1 must be a number of at least 0",
    "model.learning_rate=inf": "model.learning_rate=inf must be a number",
    "model.likelihood=gausian": "model.likelihood=gausian must be 'gaussian' or 'bernoulli'.",
    "model.beta_warmup=2": "model.beta_warmup=2 must be a number of at least 0 and of at most 1",
    "model.separation=null": "model.separation is not set; it must be a mapping of options.",
    "model.separation.prior=-1": "model.separation.prior=-1 must be a number of at least 0",
    "+model.latent_dum=3": "model.latent_dum is no option here; did you mean model.latent_dim?",
    "+data.views.trian=3": "data.views.trian is no option here; did you mean data.views.train?",
    "trainer.max_epochs=0": f"trainer.max_epochs=0 {WHOLE} 1",
    "trainer.devices=2": "trainer.devices=2 must be 1, or [i] for device i",
    "+trainer.limit_val_batches=0": "trainer.limit_val_batches=0 must be a number of batches",
    "+trainer.fast_dev_run=true": "trainer.fast_dev_run is no option here",
    "callbacks.samples.every=0": f"callbacks.samples.every=0 {WHOLE} 1 to 1,000,000 (epochs).",
    "~callbacks.checkpoint": "callbacks.checkpoint is missing",
    "+callbacks.mine=3": "callbacks.mine=3 must name a class by `_target_`",
    "finetuning.module.label_smoothing=1": "must be a number of at least 0 and below 1",
    "cache.max_bytes=0": f"cache.max_bytes=0 {WHOLE} 1",
    "logger.experiment_name=''": "logger.experiment_name= must be a name.",
    "model._target_=nowhere.Model": "model names nowhere.Model, which cannot be imported",
    "model._target_=os.system": "model names os.system, which is no class.",
    "model._target_=torch.nn.Identity": "model names torch.nn.Identity, which lacks fit and encode",
    "features._target_=latenthash.tracking.store.Store": (
        "names latenthash.tracking.store.Store, which may not"
    ),
    "augment.affine.rotate=abc": "augment.affine cannot use albumentations.Affine: rotate:",
    "+augment.affine.rotat=3": "gives albumentations.Affine the option rotat, which it lacks; did",
    "augment.affine.scale=nan": "gives albumentations.Affine a scale beyond 16, or of no kind",
    "augment.affine.rotate=1e30": "gives albumentations.Affine a rotate beyond 4096, or",
    "+edits.c={_target_:albumentations.RandomCrop,height:900,width:9}":
        "edits.c cannot use albumentations.RandomCrop: ",
    "+augment.mine=3": "augment.mine=3 must name an edit by `_target_`",
    "edits.text.height=2": "edits.text cannot use latenthash.data.edits.text.Text: height:",
    "+edits={a%b:{_target_:albumentations.ToGray}}": "edits.a%b must be called by letters, digits,",
    "+edits={a$b:{_target_:albumentations.ToGray}}": "edits.a$b must be called by letters, digits,",
}  # fmt: skip
EVALUATE = {
    "hashes=5": "hashes=5 must be printable hashes",
    "fpr=1.5": f"fpr=1.5 {SHARE}.",
    "gallery_size=nan": "gallery_size=nan must be a number of at least 1",
    "resamples=-3": f"resamples=-3 {WHOLE} 1",
    "explain=perhaps": "explain=perhaps must be true or false.",
    "reader.max_pixels=1e7": f"reader.max_pixels=10000000.0 {WHOLE} 64",
    "reader.background=null": "reader.background is not set; it must be three whole numbers",
    "pictures=''": "pictures= must be a path.",
    "run=null": "run is not set; it must be a path.",
    "benchmark=edits_v1 benchmark.families.jpeg.jpeg_90.edit.quality=200": (
        "benchmark.families.jpeg.jpeg_90.edit cannot use "
        "latenthash.data.edits.basic.Compression: quality"
    ),
    "edits={a:1}": "edits must be names of edits or families",
    "peers.phash.distance=l2": "peers.phash.distance=l2 must be 'hamming', 'cosine' or 'l1'.",
    "peers.phash.length=0": f"peers.phash.length=0 {WHOLE} 1",
    "+peers.phash.sise=8": "peers.phash.sise is no option here",
    "+peer@peers.mine=custom peers.mine.function=nodot": (
        "peers.mine.function=nodot must be the dotted path of a function"
    ),
    # The function may be anybody's; what calls it may not.
    "+peers.mine._target_=subprocess.Popen": (
        "peers.mine names subprocess.Popen, which may not stand here"
    ),
    "+peers.mine._target_=latenthash.codes.peers.Peer": "which may not stand here",
}


@pytest.mark.parametrize(("option", "sentence"), TRAIN.items())
def test_bad_option_of_training_is_refused_by_name(option: str, sentence: str) -> None:
    with pytest.raises(InputError) as refused:
        check_train(composed(option))
    assert len(refused.value.problems) == 1
    assert sentence in refused.value.problems[0]


@pytest.mark.parametrize(("option", "sentence"), EVALUATE.items())
def test_bad_option_of_evaluation_is_refused_by_name(option: str, sentence: str) -> None:
    with pytest.raises(InputError) as refused:
        check_evaluate(composed(*option.split(), root="evaluate"))
    assert len(refused.value.problems) == 1
    assert sentence in refused.value.problems[0]


@pytest.mark.parametrize(
    "option",
    [
        "trainer.devices=[0]",
        "model.learning_rate=1e30",  # diverges, which is said when it happens
        "+trainer.limit_val_batches=0.5",
        "+trainer.precision=bf16-mixed",
        "hash.fpr=0.001",
        "augment.affine.rotate=30",
        "++augment.affine.rotate=[-3,3]",
        "features._target_=torch.nn.Identity",  # a class of his own is its owner's affair
        "~callbacks.progress",
        "++edits={mine_1:{_target_:albumentations.GaussianBlur,p:1.0}}",
    ],
)
def test_good_option_is_taken(option: str) -> None:
    assert find_train_problems(plain(composed(option))) == []


@pytest.mark.parametrize("count", [19, 5000])
def test_many_problems_are_counted(count: int) -> None:
    cfg = composed()
    OmegaConf.set_struct(cfg, False)
    for i in range(count):
        cfg.model[f"option_{i}_{'x' * 200}"] = 1
    with pytest.raises(InputError) as refused:
        check_train(cfg)
    assert len(refused.value.problems) == min(count, 21)
    assert all(len(problem) < 300 for problem in refused.value.problems)
    assert (refused.value.problems[-1] == "And 4980 problems more.") == (count == 5000)


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(InputError) as refused:
        check_train(composed("seed=-1", "+hash.gate=5", "model.latent_dim=0", "data.workers=x"))
    assert {problem.split("=")[0] for problem in refused.value.problems} == {
        "seed", "hash.gate", "model.latent_dim", "data.workers",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ([], ""),
        (["+experiment=code", "data.outliers=x"], ""),
        (["+augment.x={_target_:albumentations.RandomScale,p:1.0}"], "albumentations.RandomScale"),
        (["+experiment=code", "data.outliers=x", "+augment.x._target_=albumentations.RandomScale"],
         "albumentations.RandomScale"),
        (["features._target_=torch.nn.Identity"], "torch.nn.Identity"),
    ],
)  # fmt: skip
def test_what_no_bundle_may_hold_is_known_before_the_training(
    options: list[str], named: str
) -> None:
    cfg = composed(*options)
    check_train(cfg)
    problems = find_bundle_problems(plain(cfg))
    assert [named in problem for problem in problems] == ([True] if named else [])


def test_plain_values_pass_as_they_are() -> None:
    """What a bundle is built of are the values that were checked, none of them converted."""
    from latenthash.options.checking import checked_bundle

    cfg = composed("+experiment=girl_vs_earth_sushi")
    keys = ("seed", "hash", "resamples", "data", "augment", "edits", "features", "model")
    resolved: Mapping[str, Any] = OmegaConf.to_container(cfg, resolve=True)  # type: ignore[assignment]
    values = {key: resolved[key] for key in keys}
    assert checked_bundle(values) == values | {"hash": {**values["hash"], "gate": False}}
