"""What features take, as options."""

from typing import Annotated, Literal, TypeAlias

from pydantic import ConfigDict, Field

from latenthash.options.kinds import Kind, Located, Node, Seed, Switch, whole

Weights: TypeAlias = Annotated[str, Located("imagenet, random or a path")]
Layer: TypeAlias = Annotated[
    str,
    Field(pattern=r"^(conv[12]_[12]|conv[345]_[123]|pool[1-5])$"),
    Kind("one of conv1_1 ... conv5_3, pool1 ... pool5"),
]
TrunkSide: TypeAlias = Annotated[int, whole(32, 1024, "px")]


class Chosen(Kind):
    """One of some numbers: true, which equals 1, is none of them."""

    def fits(self, value: object) -> bool:
        """Say whether a value is no switch."""
        return not isinstance(value, bool)


class Pixels(Node):
    """`latenthash.features.pixels.Pixels`."""

    target: Literal["latenthash.features.pixels.Pixels"] = Field(alias="_target_")
    size: Annotated[int, whole(8, 1024, "px")]
    channels: Annotated[Literal[1, 3], Chosen("3 (RGB) or 1 (grey, for data=mnist)")]
    trim: Switch = False


class VGG16(Node):
    """`latenthash.features.vgg16.VGG16`."""

    target: Literal["latenthash.features.vgg16.VGG16"] = Field(alias="_target_")
    weights: Weights
    layer: Layer
    pooling: Literal["none", "average"]
    size: TrunkSide
    finetune: Switch
    freeze_until: Layer
    trim: Switch = False
    seed: Seed


class VGG16Layers(Node):
    """`latenthash.features.layers.VGG16Layers`."""

    target: Literal["latenthash.features.layers.VGG16Layers"] = Field(alias="_target_")
    weights: Weights
    layers: Annotated[list[Layer], Field(min_length=1, max_length=18)]
    size: TrunkSide
    trim: Switch
    seed: Seed


class Embedding(Node):
    """`latenthash.features.embedding.Embedding`."""

    target: Literal["latenthash.features.embedding.Embedding"] = Field(alias="_target_")
    weights: Annotated[str, Located("code or a path")]
    output: Literal["pooled", "latent"]
    size: TrunkSide
    trim: Switch = False


class OwnFeatures(Node):
    """Features of another package, which answer for their other options themselves."""

    model_config = ConfigDict(extra="allow")

    target: str = Field(alias="_target_")
    convert: Literal["all"] = Field("all", alias="_convert_")
    size: Annotated[int, whole(8, 1024, "px")]
